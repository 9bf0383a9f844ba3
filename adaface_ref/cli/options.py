"""What the commands share: kinds of options, progress, files written whole."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

EFFORTS = click.Choice(["quick", "normal", "thorough"])
FILE = click.Path(path_type=Path)
FOLDER = click.Path(path_type=Path, file_okay=False, exists=True, writable=True)
SEED = click.IntRange(min=0)
JSON_HELP = "Write the same as data."
HTML_HELP = "Write a page for a browser; it needs no network."

Progress = Callable[[str, float], None]


def text_of(path: Path) -> str:
    """A user's file, or one line that says why not."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise click.UsageError(f"--file={path}: {reason}") from None


@contextlib.contextmanager
def shown_progress() -> Iterator[Progress]:
    """A bar on a terminal, nothing in a pipe."""
    if not sys.stderr.isatty():
        yield lambda _what, _share: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(24), TextColumn("{task.description}"), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting", total=1.0)

        def advance(what: str, share: float) -> None:
            bar.update(task, description=what, completed=share)

        yield advance


def check_writable(path: Path | None, option: str = "--json") -> None:
    """Finds out before the work, not after it, that a file cannot be written."""
    if path is None:
        return
    folder = path.resolve().parent
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        must = "a file in a folder that exists and can be written"
        raise click.UsageError(f"{option}={path}, but must be {must}")


def write_html(path: Path | None, page: Callable[[], str]) -> None:
    """Writes a page where one was asked for: whole, or not at all."""
    if path is not None:
        _write_whole(path, page())


def write_json(path: Path | None, data: dict[str, Any]) -> None:
    """Writes a result where one was asked for: whole, or not at all."""
    if path is not None:
        _write_whole(path, json.dumps(data, indent=2, allow_nan=False) + "\n")


def _write_whole(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)

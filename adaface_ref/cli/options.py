"""What the commands share: kinds of options, progress, results as files."""

from __future__ import annotations

import contextlib
import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from adaface_ref.choices import EFFORTS
from adaface_ref.files import write_whole
from adaface_ref.gate.head.settings import SETTINGS, parse_arguments

EFFORT = click.Choice(list(EFFORTS))
FILE = click.Path(path_type=Path)
FOLDER = click.Path(path_type=Path, file_okay=False, exists=True, writable=True)
SEED = click.IntRange(min=0)
JSON_HELP = "Write the same as data."
HTML_HELP = "Write a page for a browser; it needs no network."


class Limit(click.FloatRange):
    """Seconds or GiB: a number above 0, at most a million."""

    def __init__(self) -> None:
        super().__init__(min=0, min_open=True, max=1e6)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The number, or one line; NaN is in every range of click's own."""
        number = float(super().convert(value, param, ctx))
        if math.isnan(number):
            self.fail(f"{value} is not in the range 0<x<=1000000.0.", param, ctx)
        return number


CLICK_TYPES = {
    "seed": SEED,
    "effort": EFFORT,
    "time_limit": Limit(),
    "memory_limit": Limit(),
}
"""Settings that are no plain texts on the command line."""

Command = TypeVar("Command", bound=Callable[..., Any])
Progress = Callable[[str, float], None]


@contextlib.contextmanager
def show_progress() -> Iterator[Progress]:
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


def write_html(path: Path | None, page: Callable[[], str]) -> None:
    """Writes a page where one was asked for: whole, or not at all."""
    if path is not None:
        write_whole(path, page())


def write_json(path: Path | None, data: dict[str, Any]) -> None:
    """Writes a result where one was asked for: whole, or not at all."""
    if path is not None:
        write_whole(path, json.dumps(data, indent=2, allow_nan=False) + "\n")


def head_options(command: Command) -> Command:
    """Adds an option for every setting of a head."""
    for row in reversed(SETTINGS):
        kind = CLICK_TYPES.get(row.name)
        if row.name == "strict":
            option = click.option("--strict", is_flag=True, help=row.help)
        else:
            several = row.many or row.name == "arguments"
            option = click.option(
                f"--{row.flag}",
                row.name,
                metavar=None if row.name == "effort" else row.metavar,
                type=kind,
                multiple=several,
                help=row.help,
            )
        command = option(command)
    return command


def head_settings(options: Mapping[str, Any]) -> dict[str, Any]:
    """A head's settings that the command line gives."""
    given = {row.name: options[row.name] for row in SETTINGS}
    # A seed of 0 equals False, but was given.
    given = {k: v for k, v in given.items() if v not in (None, ()) and v is not False}
    if "arguments" in given:
        given["arguments"] = parse_arguments(given["arguments"])
    return given

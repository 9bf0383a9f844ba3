"""Files that are written whole or not at all, and refused before the work."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from adaface_ref.errors import DomainError


def require_writable(files: Mapping[str, Path | None]) -> None:
    """Refuse files that cannot be written, and one file for two purposes.

    Args:
        files: by option; None for what was not asked for.

    Raises:
        DomainError: one of them cannot be written.
    """
    seen: dict[Path, str] = {}
    for option, path in files.items():
        if path is None:
            continue
        folder = path.resolve().parent
        if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
            must = "a file in a folder that exists and can be written"
            raise DomainError(f"{option}={path}, but must be {must}")
        if path.resolve() in seen:
            must = f"another file than that of {seen[path.resolve()]}"
            raise DomainError(f"{option}={path}, but must be {must}")
        seen[path.resolve()] = option


def write_whole(path: Path, text: str) -> None:
    """Write a text file whole, or leave what was there.

    Args:
        path: the file.
        text: its contents.

    Raises:
        DomainError: the disk refuses it.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        why = error.strerror or type(error).__name__
        raise DomainError(f"{path}: could not be written: {why}") from None


def read_text(path: Path, option: str) -> str:
    """Read a user's file.

    Args:
        path: the file.
        option: how the user named it, for the message.

    Returns:
        Its contents.

    Raises:
        DomainError: it is not there, or is no UTF-8 text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not UTF-8"
        raise DomainError(f"{option}={path}: {why}") from None

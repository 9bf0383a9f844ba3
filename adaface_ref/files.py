"""Files that are written whole or not at all, and refused before the work."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from adaface_ref.errors import DomainError


def require_writable(files: Mapping[str, Path | None]) -> None:
    """Refuse files that cannot be written, and one file for two purposes.

    Args:
        files: by option; None for what was not asked for.

    Raises:
        DomainError: one of them cannot be written.
    """
    seen: dict[str, str] = {}
    for option, path in files.items():
        if path is None:
            continue
        # os.path, which asks nothing of a name that is too long.
        place = os.path.realpath(path)
        folder = os.path.dirname(place)
        is_there = os.path.isdir(folder) and os.access(folder, os.W_OK)
        if os.path.isdir(place) or not is_there:
            must = "a file in a folder that exists and can be written"
            raise DomainError(f"{option}={path}, but must be {must}")
        if place in seen:
            must = f"another file than that of {seen[place]}"
            raise DomainError(f"{option}={path}, but must be {must}")
        seen[place] = option


def require_folder(folder: Path, where: str) -> None:
    """Make a folder, and refuse it where nothing can be written into it.

    Args:
        folder: the folder.
        where: who asks, for the message.

    Raises:
        DomainError: it cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        must = f"a folder that can be written ({error.strerror})"
        raise DomainError(f"DIR={folder}, but must be {must} [{where}]") from None


def write_folder(folder: Path, texts: Mapping[str, str], where: str) -> list[Path]:
    """Write text files into a folder, which is made if it is not there.

    Args:
        folder: the folder.
        texts: contents by name.
        where: who asks, for the message.

    Returns:
        The files.

    Raises:
        DomainError: the folder cannot be made or written, or the disk refuses a file.
    """
    require_folder(folder, where)
    for name, text in texts.items():
        write_whole(folder / name, text)
    return [folder / name for name in texts]


def write_whole(path: Path, content: str | bytes) -> None:
    """Replace a file in one step: a kill leaves the old or the new one.

    Args:
        path: the file.
        content: text, or bytes as they are.

    Raises:
        DomainError: the disk refuses it; what was there is left.
    """
    data = content.encode() if isinstance(content, str) else content
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        why = error.strerror or type(error).__name__
        raise DomainError(f"{path} was not written: {why}") from None


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

"""Where a head's source is, for annotations beside the line."""

from __future__ import annotations

import functools
import inspect
from pathlib import Path

from adaface_ref.report.report import Location


def location_of(subject: object) -> Location | None:
    """Find the source of a head.

    Args:
        subject: a function, a class, a partial, or an instance.

    Returns:
        Its file, relative to the working directory where it lies in it, and its first
        line; None where Python cannot tell.
    """
    while isinstance(subject, functools.partial):
        subject = subject.func
    found = inspect.unwrap(subject) if callable(subject) else subject
    if not (inspect.isroutine(found) or inspect.isclass(found)):
        found = type(found)
    try:
        file = inspect.getsourcefile(found)
        _, line = inspect.getsourcelines(found)
    except (OSError, TypeError):
        return None
    return None if file is None else Location(relative(file), line)


def relative(file: str) -> str:
    """A path from the working directory where it lies in it, else as it is."""
    path = Path(file).resolve()
    here = Path.cwd()
    return path.relative_to(here).as_posix() if here in path.parents else str(path)

"""Says where in a head's own code something happened."""

from __future__ import annotations

import linecache
import re
import sysconfig
import traceback
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from adaface_ref.report.our_faults import is_ours

CALLED = (
    *("torch", "numpy", "sympy", "mpmath", "flint"),
    *("click", "hypothesis", "rich", "pytest", "_pytest", "pluggy"),
)
"""Packages whose files are shown only where no line is the head's own."""

FRAME = re.compile(r'^  File "([^"]+)", line (\d+) in (\S+)$', re.MULTILINE)
"""A frame as faulthandler writes it, the innermost first."""


class Frame(NamedTuple):
    """A line that was being run."""

    file: str
    line: int

    @property
    def text(self) -> str:
        """Such as ` (heads.py:12) at "return x / 0"`."""
        code = " ".join(linecache.getline(self.file, self.line).split())[:80]
        shown = f' at "{code}"' if code else ""
        return f" ({Path(self.file).name}:{self.line}){shown}"


def place_of(error: BaseException) -> str:
    """Where an exception was raised.

    Args:
        error: what the head raised.

    Returns:
        The innermost line of the head's own, or of ours where there is none.
    """
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        return Frame(error.filename, error.lineno).text
    stack = traceback.extract_tb(error.__traceback__)
    frames = [Frame(frame.filename, frame.lineno or 0) for frame in reversed(stack)]
    return _innermost(frames) or (frames[0].text if frames else "")


def has_line_of_the_head(error: BaseException) -> bool:
    """Whether code of the head's own was running when an exception was raised.

    Args:
        error: caught where nothing above called the head.
    """
    files = [Path(f.filename) for f in traceback.extract_tb(error.__traceback__)]
    return any(_is_theirs(file) and not _is_called(file) for file in files)


def place_in_trace(trace: str) -> str:
    """Where a process was, by what its fault handler wrote last.

    Args:
        trace: of faulthandler's form.

    Returns:
        The innermost line of the head's own, or "" where there is none.
    """
    last = trace.rpartition("most recent call first")[2]
    return _innermost([Frame(file, int(line)) for file, line, _ in FRAME.findall(last)])


def _innermost(frames: Sequence[Frame]) -> str:
    theirs = [frame for frame in frames if _is_theirs(Path(frame.file))]
    own = [frame for frame in theirs if not _is_called(Path(frame.file))]
    return next((frame.text for frame in own or theirs), "")


def _is_theirs(file: Path) -> bool:
    """Whether a file is the head's, or what the head calls."""
    return file.name[:1] != "<" and not is_ours(file)


def _is_called(file: Path) -> bool:
    """Whether a file is of the standard library, torch or numpy."""
    installed = {"site-packages", "dist-packages"}.intersection(file.parts)
    library = Path(sysconfig.get_path("stdlib"))
    if not installed and library in file.parents:
        return True
    return not _packages().isdisjoint(file.parents)


@cache
def _packages() -> frozenset[Path]:
    found = (find_spec(name) for name in CALLED)
    return frozenset(Path(s.origin).parent for s in found if s and s.origin)

"""A fault of adaface-ref: told in one line as ours, its traceback kept in a file."""

from __future__ import annotations

import hashlib
import traceback
from contextvars import ContextVar
from pathlib import Path

from adaface_ref.errors import DomainError
from adaface_ref.files import write_whole
from adaface_ref.report.kept_findings import FOLDER, make_folder

PACKAGE = Path(__file__).resolve().parents[1]
"""The house's own files."""

HOUSE = (PACKAGE, (PACKAGE / "spec").resolve())
"""The same, where spec/ is a link, as in a development tree."""

_folder: ContextVar[tuple[Path, Path]] = ContextVar("folder")


def keep_faults_in(folder: Path) -> None:
    """Say where tracebacks are kept; FOLDER, where nobody does.

    Args:
        folder: taken from where this process is now, wherever it goes.
    """
    _folder.set((folder, folder.absolute()))


def folder_of_faults() -> Path:
    """Where tracebacks are kept."""
    return _folder.get((FOLDER, FOLDER))[0]


def is_ours(file: Path) -> bool:
    """Whether a source file belongs to adaface-ref."""
    return any(folder in file.resolve().parents for folder in HOUSE)


def explain_as_ours(error: BaseException) -> str:
    """Keep a fault's traceback; say what it was, where, and where that is kept.

    Args:
        error: an exception that nobody expected.

    Returns:
        One line, such as `KeyError: 'x' (adaface_ref/points.py:12); traceback in
        .adaface-ref/fault-3f2a90c1d4.txt; please report it`.
    """
    text = "".join(traceback.format_exception(error))
    name = f"fault-{hashlib.sha256(text.encode()).hexdigest()[:10]}.txt"
    shown, place = _folder.get((FOLDER, FOLDER))
    try:
        make_folder(place)
        write_whole(place / name, text)
        kept = f"traceback in {shown / name}"
    except DomainError as refusal:
        kept = f"its traceback could not be kept: {refusal}"
    return f"{describe(error)}{_place_of(error)}; {kept}; please report it"


def describe(error: BaseException) -> str:
    """An exception's type and message, even one that cannot be printed."""
    try:
        text = " ".join(str(error)[:2000].split())[:300] or "no message"
    except BaseException as worse:
        text = f"no message, its __str__ raises {type(worse).__name__}"
    return f"{type(error).__name__}: {text}"


def _place_of(error: BaseException) -> str:
    """The innermost line of ours, such as ` (adaface_ref/points.py:12)`."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        for folder in HOUSE:
            file = Path(frame.filename).resolve()
            if folder in file.parents:
                return f" ({file.relative_to(folder.parent)}:{frame.lineno})"
    return ""

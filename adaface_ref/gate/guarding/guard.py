"""Runs a head's code; what it changes besides its result is noted, and undone.

So neither the gate's own arithmetic nor a caller of `check_head` is affected.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np
import torch

from adaface_ref.gate.guarding import reseeding as seeds
from adaface_ref.gate.guarding.process_globals import (
    FAILS,
    GENERATORS,
    GLOBALS,
    TOLERATED,
)
from adaface_ref.gate.guarding.replaced_functions import Functions, restore

IMPORTING = "importing"
"""How the doing of an import begins."""


SEED = 2_718_281_828
"""One that no head is likely to set: setting the same would not be seen."""


class Change(NamedTuple):
    """A global that was changed.

    Args:
        name: which.
        doing: what was being done.
        severity: FAILS, WARNS or TOLERATED.
        how: from what to what.
    """

    name: str
    doing: str
    severity: str
    how: str

    @property
    def text(self) -> str:
        """Such as `torch's threads by building the head (2 -> 1)`."""
        return f"{self.name} by {self.doing} ({self.how})"


class Ledger:
    """The changes of a run, each noted once.

    Args:
        functions: what functions are, to be compared after every call.
    """

    def __init__(self, functions: Functions | None = None) -> None:
        self.functions = functions
        self.changes: list[Change] = []

    def note(self, change: Change) -> None:
        """Add a change unless the same was noted."""
        if not any(known[:2] == change[:2] for known in self.changes):
            self.changes.append(change)


_outside = Ledger()
_current: ContextVar[Ledger] = ContextVar("ledger")


def ledger() -> Ledger:
    """The changes of the run that is going on."""
    return _current.get(_outside)


@contextlib.contextmanager
def run_of_its_own() -> Iterator[None]:
    """A run with a ledger of its own, which leaves the caller's generators alone.

    They start from SEED, so that a head that uses them is judged the same way every
    time.
    """
    before = [(row, row.read()) for row in GENERATORS]
    entry = _current.set(Ledger(Functions()))
    torch.manual_seed(SEED)
    np.random.seed(SEED)
    random.seed(SEED)
    try:
        yield
    finally:
        _current.reset(entry)
        for row, value in before:
            row.restore(value)


@contextlib.contextmanager
def guarded(doing: str, *, functions: bool = False) -> Iterator[None]:
    """Run somebody's code; note what it changes, and undo it.

    Args:
        doing: such as "building the head".
        functions: look for replaced functions, too; in a run that is always done.
    """
    before = [(row, row.read()) for row in GLOBALS]
    known = ledger().functions or (Functions() if functions else None)
    try:
        yield
    finally:
        found = known.replaced() if known else []
        restore(found)
        for change in found:
            ledger().note(Change(change.text, doing, FAILS, "replaced"))
        for row, value in before:
            now = row.read()
            if row.differs(value, now):
                importing = doing.startswith(IMPORTING)
                severity = row.at_import if importing else row.later
                ledger().note(Change(row.name, doing, severity, _how(value, now)))
                if severity != TOLERATED:
                    row.restore(value)


def _how(before: Any, after: Any) -> str:
    """From what to what, in a few words."""
    if isinstance(before, seeds.State):
        return "seeded anew"
    if isinstance(before, dict):
        keys = sorted({*before, *after}, key=str)
        told = [str(key) for key in keys if before.get(key) != after.get(key)]
        return ", ".join(told)[:80]
    texts = [str(value) for value in (before, after)]
    return " -> ".join(texts) if max(map(len, texts)) <= 40 else "changed"

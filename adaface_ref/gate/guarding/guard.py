"""Calls a head's code; what it changes besides its result is noted, and undone.

So neither the gate's own arithmetic nor a caller of `check_head` is affected.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np
import torch
from torch._functorch import config

from adaface_ref.gate.guarding.errors import SubjectError, subject_error
from adaface_ref.gate.guarding.settings import (
    DEVICE,
    DTYPE,
    GENERATORS,
    SETTINGS,
    TOLERATED,
    Setting,
)

IMPORTING = "importing"
"""How the doing of an import begins."""

RUNNING = "running the head"
"""What is done when a head is called."""

SEED = 2_718_281_828
"""One that no head is likely to set: setting the same would not be seen."""


class Change(NamedTuple):
    """A setting that was changed.

    Args:
        name: which.
        doing: what was being done.
        severity: FAILS, WARNS or TOLERATED.
        how: from what to what, where that is short.
    """

    name: str
    doing: str
    severity: str
    how: str

    @property
    def text(self) -> str:
        """Such as `torch's threads by building the head (2 -> 1)`."""
        return f"{self.name} by {self.doing}{self.how}"


_outside: list[Change] = []
_changes: ContextVar[list[Change]] = ContextVar("changes")


def changes() -> list[Change]:
    """What was changed in the run that is going on, each noted once."""
    return _changes.get(_outside)


@contextlib.contextmanager
def seeded(seed: int = SEED) -> Iterator[None]:
    """Torch's generators started anew, and afterwards as they were."""
    count = torch.cuda.device_count() if torch.cuda.is_initialized() else 0
    # torch.manual_seed notes a traceback for every kind of device that is not in use.
    sow = torch.manual_seed if count else torch.default_generator.manual_seed
    with torch.random.fork_rng(range(count)):
        sow(seed)
        yield


@contextlib.contextmanager
def run_of_its_own() -> Iterator[None]:
    """A run that starts the same way whatever its caller has set, and restores that.

    So a head is judged the same way every time, under no_grad and autocast, too.
    """
    before = [(row, row.read()) for row in (*GENERATORS, DTYPE, DEVICE)]
    entry = _changes.set([])
    # Where no device is set, none is: it would cost something at every call of torch.
    at_home = torch.get_default_device().type == "cpu"
    try:
        with (
            torch.inference_mode(False),
            torch.autocast("cpu", enabled=False),
            torch.autocast("cuda", enabled=False),
            contextlib.nullcontext() if at_home else torch.device("cpu"),
            _kept_for_backwards(),
            seeded(),
        ):
            torch.set_default_dtype(torch.float32)
            np.random.seed(SEED)
            random.seed(SEED)
            yield
    finally:
        _changes.reset(entry)
        for row, value in before:
            if row in GENERATORS or row.differs(value, row.read()):
                row.write(value)


def _kept_for_backwards() -> AbstractContextManager[Any]:
    """Lets a compiled head's backward run more than once for one forward.

    torch.compile gives buffers of the forward away in the backward unless told not to.
    """
    if not hasattr(config, "donated_buffer"):  # older torch does not
        return contextlib.nullcontext()
    patched: AbstractContextManager[Any] = config.patch(donated_buffer=False)
    return patched


@contextlib.contextmanager
def calling(doing: str = RUNNING, *, backward: bool = False) -> Iterator[None]:
    """Run somebody's code; note what it changes, undo it, and tell its exceptions.

    Args:
        doing: such as "building the head".
        backward: whether only its derivative is asked for, which draws no numbers.

    Raises:
        SubjectError: the code raised.
    """
    rows = SETTINGS if backward else (*GENERATORS, *SETTINGS)
    before = [row.read() for row in rows]
    grad, inference = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
    try:
        with torch.inference_mode(inference), torch.set_grad_enabled(grad):
            try:
                yield
            finally:
                for row, value in zip(rows, before, strict=True):
                    _compare(row, value, doing)
    except (SubjectError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise subject_error(doing, error) from error


def _compare(row: Setting, before: object, doing: str) -> None:
    """Note a setting that was changed, and set it back."""
    now = row.read()
    if not row.differs(before, now):
        return
    severity = row.at_import if doing.startswith(IMPORTING) else row.later
    how = f" ({before} -> {now})"
    change = Change(row.name, doing, severity, how if len(how) <= 60 else "")
    if all(known[:2] != change[:2] for known in changes()):
        changes().append(change)
    if severity != TOLERATED:
        row.write(before)

"""A claim decided at every cosine of a dtype: float64 with its error bound, then balls.

Cosines are numbered in ascending order, 0 for +-0, so that each is tried once. Tasks of
a million are counted by threads and added up in order: what has been counted is always
everything below one frontier, and a killed sweep goes on from there.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from sympy import Expr, Float

from adaface_ref.errors import domain_error
from adaface_ref.evidence.problem.logic import atoms_of
from adaface_ref.evidence.sweep import counting
from adaface_ref.evidence.sweep.cosines import (
    FORMATS,
    Exact,
    cosine_at,
    indices_of,
)
from adaface_ref.evidence.sweep.counting import (
    SHOWN,
    Part,
    count_in_order,
    too_many,
)
from adaface_ref.evidence.sweep.decider import decider
from adaface_ref.evidence.sweep.error_nodes import Inputs
from adaface_ref.evidence.sweep.saved_state import Tally, fingerprint, load, save
from adaface_ref.spec.language.cases import ClaimCase
from adaface_ref.spec.symbols import angle, target_cosine

Progress = Callable[[str, float], None]
Oracle = Callable[[float], bool | None]


SAVE_EVERY = 2.0
"""Seconds between two states."""


class Sweep(NamedTuple):
    """What a sweep found; holds + fails + open == total, always.

    Args:
        dtype: whose cosines.
        first: the lowest; NaN if the range has none.
        last: the highest.
        total: how many there are.
        holds: how many satisfy the claim.
        fails: how many violate it.
        open: how many are undecided, by the oracle or because it stopped.
        oracle: how many were too close to tell and went to the oracle.
        checked: how many that were certain went to the oracle all the same.
        failing: the lowest few that violate the claim, and the highest.
        seconds: the time it took, over all runs.
        stopped: why it gave up before the end, or empty.
    """

    dtype: str
    first: float
    last: float
    total: int
    holds: int
    fails: int
    open: int
    oracle: int
    checked: int
    failing: tuple[float, ...]
    seconds: float
    stopped: str = ""


def sweep(
    cases: Sequence[ClaimCase],
    values: Mapping[str, Expr],
    dtype: str,
    *,
    holds_at: Oracle,
    at_pole: Callable[[int], bool | None],
    device: str = "cpu",
    progress: Progress = lambda _what, _share: None,
    state: Path | None = None,
    low: Exact = -1.0,
    high: Exact = 1.0,
    low_open: bool = False,
    high_open: bool = False,
) -> Sweep:
    """Decides a claim at every cosine of a dtype, all other inputs fixed.

    Args:
        cases: the claim; the first case whose `where` are all positive applies.
        values: every other input by name, exact.
        dtype: a key of FORMATS.
        holds_at: the oracle: whether the claim holds at a cosine; None if undecided.
        at_pole: the same for +1 and -1, where values are limits.
        device: "cpu" or "cuda".
        progress: called with what is under way and the share done.
        state: a file to go on from, replaced every few seconds; None for none.
        low: the lower end of the range, exact.
        high: the upper end, exact.
        low_open: whether the lower end is left out.
        high_open: whether the upper end is left out.

    Returns:
        The counts and the failing cosines.

    Raises:
        DomainError: for a range whose ends cannot be compared, an input without a
            value, and a state of another claim or a damaged one.
        RuntimeError: if the oracle contradicts what the error bound made certain.
    """
    indices = indices_of(dtype, low, high, low_open, high_open)
    _check_values(cases, values)
    one = FORMATS[dtype].one
    inside = range(max(indices.start, 1 - one), min(indices.stop, one))
    claim = fingerprint(cases, values, dtype, indices.start, indices.stop)
    tally = Tally(inside.start)
    if state is not None:
        tally = load(state, claim, inside)
    stopped = ""
    if tally.next < inside.stop:
        decide = decider(cases, values, _inputs(dtype, inside))
        saved = started = time.monotonic()
        before = tally.seconds
        parts = count_in_order(decide, dtype, device, range(tally.next, inside.stop))
        try:
            for part in parts:
                if tally.oracle + len(part.doubtful) > counting.MOST_DOUBTFUL:
                    stopped = too_many(part, dtype)
                    break
                now = time.monotonic()
                tally = _add_part(tally, part, holds_at, before + now - started)
                progress(f"sweep {dtype}", (tally.next - inside.start) / len(inside))
                if state is not None and now - saved > SAVE_EVERY:
                    save(state, claim, tally)
                    saved = now
        finally:
            parts.close()
            if state is not None:
                save(state, claim, tally)
    tally = _add_poles(tally, indices, one, at_pole)
    _confirm(tally, holds_at)
    return _result(dtype, indices, tally, stopped)


def _check_values(cases: Sequence[ClaimCase], values: Mapping[str, Expr]) -> None:
    """Every input but the cosine needs a value that is a number."""
    trees = [tree for case in cases for tree in case.where]
    trees += [atom.expression for case in cases for atom in atoms_of(case.statement)]
    symbols = set().union(*(tree.free_symbols for tree in trees))
    names = {symbol.name for symbol in symbols - {angle, target_cosine}}
    for name in sorted(names | set(values)):
        value = values.get(name)
        if value is None or value.free_symbols or value.has(Float):
            raise domain_error(name, value, "an exact number", "sweep")


def _result(dtype: str, indices: range, tally: Tally, stopped: str) -> Sweep:
    ends = indices[:1], indices[-1:]
    first, last = (cosine_at(dtype, end[0]) if end else math.nan for end in ends)
    return Sweep(
        dtype,
        first,
        last,
        len(indices),
        tally.holds,
        tally.fails,
        len(indices) - tally.holds - tally.fails,
        tally.oracle,
        tally.checked,
        tuple(sorted({*tally.lowest, *tally.highest})),
        tally.seconds,
        stopped,
    )


def _inputs(dtype: str, inside: range) -> Inputs:
    low, high = (cosine_at(dtype, inside[end]) for end in (0, -1))
    return Inputs(low, high, FORMATS[dtype].tiny)


def _add_part(tally: Tally, part: Part, holds_at: Oracle, seconds: float) -> Tally:
    """The tally with one more part, whose doubtful cosines go to the oracle."""
    asked = {cosine: holds_at(cosine) for cosine in part.doubtful}
    for cosine, certain in part.sample:
        _agree(cosine, certain, holds_at)
    failed = [cosine for cosine, held in asked.items() if held is False]
    lowest = sorted({*part.lowest, *failed})
    highest = max((*part.highest, *failed), default=None)
    verdicts = list(asked.values())
    return Tally(
        next=part.stop,
        holds=tally.holds + part.holds + verdicts.count(True),
        fails=tally.fails + part.fails + verdicts.count(False),
        open=tally.open + verdicts.count(None),
        oracle=tally.oracle + len(asked),
        checked=tally.checked + len(part.sample),
        lowest=(*tally.lowest, *lowest)[:SHOWN],
        highest=tally.highest if highest is None else (highest,),
        seconds=seconds,
    )


def _agree(cosine: float, certain: bool, holds_at: Oracle) -> None:
    if holds_at(cosine) is (not certain):
        word = "hold" if certain else "fail"
        raise RuntimeError(
            f"target_cosine={cosine!r} was certain to {word}, but the oracle says "
            "otherwise: the error bound is wrong [sweep]"
        )


def _confirm(tally: Tally, holds_at: Oracle) -> None:
    """Every cosine that is shown as failing fails by the oracle too."""
    for cosine in {*tally.lowest, *tally.highest}:
        if abs(cosine) < 1:
            _agree(cosine, False, holds_at)


def _add_poles(
    tally: Tally, indices: range, one: int, at_pole: Callable[[int], bool | None]
) -> Tally:
    poles = [pole for pole in (-1, 1) if pole * one in indices]
    verdicts = [at_pole(pole) for pole in poles]
    failed = [
        float(pole) for pole, held in zip(poles, verdicts, strict=True) if held is False
    ]
    lowest = tuple(sorted({*tally.lowest, *failed}))
    return tally._replace(
        holds=tally.holds + verdicts.count(True),
        fails=tally.fails + verdicts.count(False),
        open=tally.open + verdicts.count(None),
        lowest=lowest[:SHOWN],
        highest=tuple(sorted({*tally.highest, *failed}))[-1:],
    )

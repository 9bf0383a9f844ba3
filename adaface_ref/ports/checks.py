"""The checks of one cell: values, poles, and whether an answer is always the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adaface_ref.evidence.truth.agreement import INPUTS, judge, quantities_of
from adaface_ref.ports.comparison.asker import Asker
from adaface_ref.ports.comparison.cause import likely_cause
from adaface_ref.ports.comparison.findings import (
    bits_finding,
    pole_finding,
    value_finding,
)
from adaface_ref.ports.comparison.questions import (
    CHECKS,
    Columns,
    blocks,
    point_at,
    pole_points,
)
from adaface_ref.ports.comparison.values import (
    PortTally,
    compare_values,
    extra_allowance,
)
from adaface_ref.ports.pipe.bits import Floats, decode
from adaface_ref.ports.pipe.port import values_of
from adaface_ref.ports.pipe.protocol import DTYPES, PortError, RefusedError
from adaface_ref.report.report import (
    ERROR,
    FAILED,
    OK,
    SKIPPED,
    WARNING,
    Finding,
    Outcome,
)

VALUE = "The {} is the formula's, within the allowed error."
POLES = "Nothing is NaN at c = +-1: a value there is the one-sided limit."
REPEATABLE = "The same request twice gets the same bits."
ALONE = "A point by itself gets the same bits as in a batch."
ANNOUNCED = "What the port has is checked."

PLACES = 20
"""So many points are asked one by one."""

ALONE_CAUSE = "points of a batch are not independent"
ULPS_CAUSE = "vector and scalar code round differently"


class Row(NamedTuple):
    """One check besides the values: its id, its sentence, and what finds it out."""

    id: str
    claim: str
    run: Callable[[Asker], Outcome]


def outcomes_of(
    asker: Asker, progress: Callable[[float], None]
) -> Iterator[Outcome | PortError]:
    """Run every check of a cell.

    Args:
        asker: the port and the cell.
        progress: called with the share done.

    Yields:
        Outcomes; after a failure of the port its error, and nothing more.
    """
    tallies = {quantity: PortTally() for quantity in asker.quantities}
    broken: PortError | None = None
    try:
        compare_values(asker, tallies, progress)
    except PortError as error:
        broken = error
    for quantity in INPUTS:
        try:
            yield _value(asker, quantity, tallies.get(quantity), broken)
        except PortError as error:
            broken = error
            yield _value(asker, quantity, tallies[quantity], broken)
    for row in ROWS:
        if broken is None:
            try:
                yield _asked(row, asker)
            except PortError as error:
                broken = error
        if broken is not None:
            yield Outcome(row.id, row.claim, ERROR, str(broken))
    for dtype in DTYPES:
        if dtype not in asker.dtypes:
            detail = "not checked: not announced, or not asked for"
            yield Outcome(dtype, ANNOUNCED, SKIPPED, detail)
    if broken is not None:
        yield broken


def _asked(row: Row, asker: Asker) -> Outcome:
    try:
        return row.run(asker)
    except RefusedError as error:
        told = f"the port answers an error: {error}"
        return Outcome(row.id, row.claim, ERROR, told)


def _value(
    asker: Asker, quantity: str, tally: PortTally | None, broken: PortError | None
) -> Outcome:
    """What the value check of a quantity came to.

    Raises:
        PortError: the port failed while the cause was looked for.
    """
    check, claim = CHECKS[quantity], VALUE.format(quantity.replace("_", " "))
    if tally is None:
        has = quantity in quantities_of(asker.cell.loss)
        detail = "not checked: " + ("not announced" if has else "MagFace's alone")
        return Outcome(check, claim, SKIPPED, detail)
    told = f"{tally.compared} values compared"
    if tally.failure is not None:
        cause = _cause(asker, tally, broken)
        finding = value_finding(claim, asker.cell, quantity, tally, cause)
        detail = f"{told} before it was off; {cause}"
        seen = (tally.compared, tally.ratio, (finding,))
        return Outcome(check, claim, FAILED, detail, *seen)
    error = str(broken or "") or tally.error
    if not error and not tally.suffices:
        error = f"only {tally.compared} of {tally.asked} values could be judged"
    if error:
        return Outcome(check, claim, ERROR, error, tally.compared)
    detail = f"{told}, largest error {tally.ratio:.2g} of the allowed"
    left = {"at poles": tally.poles, "undecided": tally.undecided}
    more = ", ".join(f"{count} {words}" for words, count in left.items() if count)
    detail += f"; left out: {more}" if more else ""
    return Outcome(check, claim, OK, detail, tally.compared, tally.ratio)


def _cause(asker: Asker, tally: PortTally, broken: PortError | None) -> str:
    """The likely cause of a wrong value.

    Raises:
        PortError: the port failed.
    """
    if broken is not None:
        return "not looked for: the port failed"
    if not tally.alone:
        return f"by itself this point is right, so {ALONE_CAUSE}"
    return likely_cause(asker, tally.dtype)


def _poles(asker: Asker) -> Outcome:
    found, count = [], 0
    for dtype in asker.dtypes:
        columns = pole_points(asker.cell, dtype)
        values = asker.values(columns, dtype, asker.quantities)
        for quantity, got in values.items():
            count += got.size
            for index in np.flatnonzero(np.isnan(got))[:1].tolist():
                point = _floats(columns, index)
                finding = pole_finding(POLES, asker.cell, dtype, quantity, point)
                found.append(finding)
    return _judged("poles", POLES, found, f"{count} values at c = +-1", FAILED)


def _repeatable(asker: Asker) -> Outcome:
    found, count = [], 0
    words = ("at first", "something in the port is not initialised, or is kept")
    for dtype in asker.dtypes:
        columns = _first(asker, dtype)
        before, after = (values_of(asker.bits(columns, dtype), dtype) for _ in range(2))
        for quantity, got in after.items():
            count += got.size
            for index in _other_bits(got, before[quantity])[:1].tolist():
                ask = (REPEATABLE, asker.cell, dtype, quantity)
                pair = float(got[index]), float(before[quantity][index])
                point = _floats(columns, index)
                found.append(bits_finding(*ask, point, *pair, words))
    return _judged("repeatable", REPEATABLE, found, f"{count} values twice", FAILED)


def _alone(asker: Asker) -> Outcome:
    found: list[Finding] = []
    count, wrong = 0, False
    for dtype in asker.dtypes:
        columns = _first(asker, dtype)
        batch = values_of(asker.bits(columns, dtype), dtype)
        last = columns["target_cosine"].size - 1
        places = np.unique(np.linspace(0, last, PLACES).astype(int))
        by_one = [asker.bits(point_at(columns, index), dtype) for index in places]
        count += len(places) * len(batch)
        for quantity, before in batch.items():
            got = np.concatenate([decode(bits[quantity], dtype) for bits in by_one])
            for index in _other_bits(got, before[places])[:1].tolist():
                place = int(places[index])
                pair = float(got[index]), float(before[place])
                off = _is_off(asker, quantity, dtype, columns, place, pair[0])
                wrong |= off
                words = ("in the batch", ALONE_CAUSE if off else ULPS_CAUSE)
                ask = (ALONE, asker.cell, dtype, quantity, _floats(columns, place))
                found.append(bits_finding(*ask, *pair, words))
    status = FAILED if wrong else WARNING
    return _judged("one-by-one", ALONE, found, f"{count} values", status)


def _other_bits(first: Floats, second: Floats) -> NDArray[np.intp]:
    """Where two arrays have other bits; widening to float64 keeps bits apart."""
    return np.flatnonzero(first.view(np.int64) != second.view(np.int64))


def _is_off(
    asker: Asker, quantity: str, dtype: str, columns: Columns, place: int, got: float
) -> bool:
    """Whether a value is wrong, and not just rounded otherwise."""
    point, question = point_at(columns, place), asker.question(quantity, dtype)
    more = extra_allowance(question, point)
    return bool(judge(question, point, [got], certify_all=True, beyond=more).failures)


def _first(asker: Asker, dtype: str) -> Columns:
    """The first block of a dtype."""
    return next(blocks(asker.cell, dtype, asker.seed, 1))[0]


def _floats(columns: Columns, index: int) -> dict[str, float]:
    return {name: float(column[index]) for name, column in columns.items()}


def _judged(
    check: str, claim: str, found: list[Finding], told: str, status: str
) -> Outcome:
    if not found:
        return Outcome(check, claim, OK, told)
    return Outcome(
        check, claim, status, f"{told}; {found[0].cause}", 0, None, (*found,)
    )


ROWS = (
    Row("poles", POLES, _poles),
    Row("repeatable", REPEATABLE, _repeatable),
    Row("one-by-one", ALONE, _alone),
)
"""Checks besides the values, in their order."""

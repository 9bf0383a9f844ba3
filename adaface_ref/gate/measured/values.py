"""Compares a head's logits and GSTs with the truth, block by block."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adaface_ref.evidence.truth.agreement import Comparison, judge
from adaface_ref.evidence.truth.tally import Tally
from adaface_ref.faults.naming import RIGHT_CORE, UNNAMED
from adaface_ref.gate.guarding.errors import SubjectError
from adaface_ref.gate.measured.thresholds import is_near
from adaface_ref.gate.reading.reading import Array, Reading, joined
from adaface_ref.gate.session.session import CHUNK, Rows, Session
from adaface_ref.gate.session.snippets import GST, LOGIT, LOSS, snippet
from adaface_ref.numpy_reference import parse_profile
from adaface_ref.points import corner_count
from adaface_ref.report.report import Finding
from adaface_ref.tolerance import EPSILON, NORMALISING, ROUNDINGS

Mask = NDArray[np.bool_]

CLASSES = 5
"""Classes of the batches that test how rows and classes are told apart."""

CROWD = 2**13
"""Rows of such a batch, at most."""

SMALL = (1, 1, 2, 3, 5, 7, 33)
"""Sizes of small batches: one row, odd, as many rows as classes."""

CLEAR = 0.05
"""Rival cosines of several classes nearer to 0 cannot be held by one float64."""

FIRST = 2**10
"""Rows of the first blocks, which all go to the oracle."""

SINGLE = "right to single precision only: something in it is held in float32"
"""The cause of what is a warning: it shows in a float64 call alone."""

KEPT = 5
"""Findings kept for a check."""

AT_POLES = "at poles"
OUT_OF_REACH = "out of a black box's reach"
CROWDED = "where one float64 cannot hold the rival"
AT_THRESHOLDS = "so near a threshold that embeddings do not tell its side"
AT_BORDERS = "where rounding decides which classes are hard"

QUANTITIES = {
    "target-logit": "logit",
    "other-logit": "other_logit",
    "target-gst": "gst",
    "other-gst": "other_gst",
}
"""What each value check compares."""


@dataclass
class HeadTally(Tally):
    """What a value check of a head has come to so far.

    Args:
        left_out: how many values were not judged, and why.
        failed: the worst violations.
    """

    left_out: Counter[str] = field(default_factory=Counter)
    failed: list[tuple[float, Comparison, Rows, int, str]] = field(default_factory=list)


def measure(session: Session, progress: Callable[[int], None]) -> dict[str, HeadTally]:
    """Run all value checks over one set of readings.

    Args:
        session: the head.
        progress: called with the number of points done since it was last called.

    Returns:
        A tally for each key of QUANTITIES that the way of reading shows.
    """
    return _measured(session, _blocks(session), progress)


def _measured(
    session: Session, blocks: Iterable[_Block], progress: Callable[[int], None]
) -> dict[str, HeadTally]:
    """The same over some blocks."""
    unseen = not session.door.shows_logits
    tallies = {
        c: HeadTally() for c in QUANTITIES if not (unseen and c.endswith("logit"))
    }
    for rows, corners, sizes in blocks:
        if all(tally.failed for tally in tallies.values()):
            break
        here = session.in_dtype(rows.dtype)
        reading = _read(here, rows, sizes)
        reasons = _left_out(here, rows, reading.dtype)
        for check, tally in tallies.items():
            if tally.failed or (check.endswith("logit") and not reading.observed):
                continue
            without = reasons
            if check.endswith("logit"):
                kept = (OUT_OF_REACH, AT_THRESHOLDS)
                without = {why: reasons[why] for why in kept if why in reasons}
            _compare(here, check, tally, rows, reading, without, corners)
        progress(len(rows.cosines))
    return tallies


def conforms_at_first(session: Session) -> bool:
    """Whether nothing fails at the first blocks, corners and poles' neighbours too.

    Args:
        session: the head, with the profile that is asked about.

    Returns:
        False for any value that is off.
    """
    first = islice(_blocks(session), 4 * len(session.dtypes))
    tallies = _measured(session, first, lambda _points: None)
    return not any(tally.failed for tally in tallies.values())


def compare_block(session: Session, rows: Rows) -> dict[str, HeadTally]:
    """Run all value checks over some rows.

    Args:
        session: the head.
        rows: what it is given.

    Returns:
        A tally for each value check.

    Raises:
        SubjectError: the head raised.
    """
    return _measured(session, [_Block(rows)], lambda _points: None)


def finds_what_is_off(session: Session) -> bool:
    """Whether a GST that is far off is found, as by functions that no head replaced.

    Args:
        session: the head, which has run in this process.
    """
    dtype = session.dtypes[0]
    columns = session.draw(dtype, FIRST, 0).columns
    off = session.predict("gst", columns) + 4 * session.fixed["scale"]
    return bool(judge(session.question("gst", dtype), columns, off).failures)


def findings(
    session: Session, claim: str, tally: HeadTally, cause: str
) -> list[Finding]:
    """The worst violations of a value check, each run again by itself.

    Args:
        session: the head.
        claim: the check's sentence.
        tally: what was found.
        cause: the likely cause.

    Returns:
        Findings, the worst first.
    """
    worst = sorted(tally.failed, key=lambda item: -item[0])[:KEPT]
    return [
        _finding(session.in_dtype(item[2].dtype), claim, cause, *item[1:])
        for item in worst
    ]


def got(reading: Reading, quantity: str, place: int) -> Array:
    """A quantity of a reading for one class, (B,)."""
    table = reading.gst if quantity.endswith("gst") else reading.logits
    return np.asarray(table[:, place])


class _Block(NamedTuple):
    """Rows, how many of them are corners, and the batches they are read in, if many."""

    rows: Rows
    corners: int = 0
    sizes: tuple[int, ...] = ()


def _blocks(session: Session) -> Iterator[_Block]:
    """Small blocks of every kind first: what fails there is not compared again."""
    kinds = [(number, dtype) for number, dtype in enumerate(session.dtypes)]
    wanted = math.ceil(session.points / len(session.dtypes))
    size = min(CHUNK, 2 ** math.ceil(math.log2(wanted)))
    for number, dtype in kinds:
        here = session.in_dtype(dtype)
        yield _Block(here.draw(dtype, FIRST, 10**6 * number), FIRST)
        yield _Block(here.draw(dtype, FIRST, 10**6 * number + 1, CLASSES))
        for classes in (2, CLASSES):
            drawn = here.draw(dtype, FIRST, 10**6 * number + 999_990, classes)
            rows = drawn.part(FIRST - sum(SMALL), FIRST)
            yield _Block(rows, 0, SMALL)
    count = math.ceil(wanted / size)
    for number, dtype in kinds:
        here = session.in_dtype(dtype)
        corners = corner_count(here.loss, here.profile, dtype)
        for index in range(count):
            stratum = index * len(kinds) + number, count * len(kinds)
            place = 10**6 * number + 2 + index
            rows = here.draw(dtype, size, place, stratum=stratum)
            yield _Block(rows, corners * (not index))
        crowd = min(CROWD, size)
        yield _Block(here.draw(dtype, crowd, 10**6 * number + 999_999, CLASSES))


def _read(session: Session, rows: Rows, sizes: tuple[int, ...]) -> Reading:
    """Run the head on rows: at once, or in batches of certain sizes."""
    if not sizes:
        return session.read(rows)
    readings, start = [], 0
    for size in sizes:
        try:
            readings.append(session.read(rows.part(start, start + size)))
        except SubjectError as error:
            raise SubjectError(f"in a batch of {size}: {error}") from error
        start += size
    return joined(readings)


def _places(check: str, rows: Rows) -> range:
    """The classes that a check is about; the target's own comes first."""
    return range(1) if check.startswith("target") else range(1, rows.cosines.shape[1])


def _left_out(session: Session, rows: Rows, dtype: str) -> dict[str, Mask]:
    """Rows whose GST is not judged, by reason: spec and head may see other rivals."""
    found: dict[str, Mask] = {}
    found[AT_POLES] = np.asarray((np.abs(rows.cosines) >= 1).any(axis=1))
    found[OUT_OF_REACH] = ~session.reached(rows)
    if session.door.black_box:
        # Embeddings place a cosine to within some roundings, on either side.
        within = (ROUNDINGS + NORMALISING) * EPSILON[dtype]
        rule = parse_profile(session.profile).rule
        found[AT_THRESHOLDS] = is_near(session.loss, rows.columns, rule, within)
    if rows.cosines.shape[1] > 2:
        found[CROWDED] = np.abs(rows.columns["rival_cosine"]) <= CLEAR
    if session.definition.modifies_others:
        # Which classes are hard is decided by comparing rounded cosines.
        target, margin = rows.columns["target_cosine"], rows.columns["margin"]
        sine = np.sqrt((1 - target) * (1 + target))
        edge = target * np.cos(margin) - sine * np.sin(margin)
        gap = np.abs(rows.cosines[:, 1:] - edge[:, None]).min(axis=1)
        with np.errstate(divide="ignore"):
            found[AT_BORDERS] = gap <= 8 * EPSILON[dtype] * (1 + 1 / sine)
    return found


def _compare(
    session: Session,
    check: str,
    tally: HeadTally,
    rows: Rows,
    reading: Reading,
    without: Mapping[str, Mask],
    corners: int,
) -> None:
    """Judge one quantity of every class that the check is about, all at once."""
    quantity, places = QUANTITIES[check], _places(check, rows)
    keep = np.ones(len(rows.cosines), dtype=bool)
    for reason, left in without.items():
        if (keep & left).any():
            tally.left_out[reason] += len(places) * int((keep & left).sum())
        keep &= ~left
    tally.asked += len(places) * keep.size
    if not keep.any():
        return
    columns = {
        name: np.tile(column[keep], len(places))
        for name, column in rows.columns.items()
    }
    if 0 not in places:
        others = [rows.cosines[keep, place].clip(-1, 1) for place in places]
        columns["other_cosine"] = np.concatenate(others)
    values = np.concatenate([got(reading, quantity, p)[keep] for p in places])
    question = session.question(quantity, reading.dtype)
    own = reading.loss_gradient is not None
    beyond = np.concatenate(
        [
            session.beyond(quantity, rows, reading.dtype, place, own_loss=own)[keep]
            for place in places
        ]
    )
    judged = judge(question, columns, values, corners=corners, beyond=beyond)
    tally.count(judged)
    tally.left_out[AT_POLES] += judged.poles
    for failure in judged.failures[:KEPT]:
        same = np.equal(values, failure.got) | np.isnan([failure.got])
        for name, value in failure.point.items():
            same &= columns[name] == value
        turn, index = divmod(int(np.argmax(same)), int(keep.sum()))
        row = rows.take(int(np.flatnonzero(keep)[index]))
        share = failure.error / failure.allowed
        badness = math.inf if math.isnan(share) else share
        item = (badness, failure, row, places[turn], reading.dtype)
        tally.failed.append(item)
    tally.failed = sorted(tally.failed, key=lambda item: -item[0])[:KEPT]


def _finding(
    session: Session,
    claim: str,
    cause: str,
    failure: Comparison,
    row: Rows,
    place: int,
    working: str,
) -> Finding:
    reading = session.read(row)
    alone = got(reading, failure.quantity, place)
    columns = {name: np.asarray([value]) for name, value in failure.point.items()}
    question = session.question(failure.quantity, working)
    own = reading.loss_gradient is not None
    beyond = session.beyond(failure.quantity, row, working, place, own_loss=own)
    again = judge(question, columns, alone, certify_all=True, beyond=beyond)
    if again.failures:
        failure = again.failures[0]
    else:
        cause += "; by itself this row is right, so rows are not independent"
    unnamed = cause.startswith((RIGHT_CORE, UNNAMED))
    if working == "float64" and unnamed and _right_in_single(session, failure):
        cause = SINGLE
    inputs = failure.point | {k: float(v[0]) for k, v in row.given.items()}
    return Finding(
        claim,
        inputs,
        row.dtype,
        failure.got,
        failure.expected,
        failure.error,
        failure.allowed,
        cause,
        snippet(session, row, ending_for(failure.quantity, reading), place),
    )


def ending_for(quantity: str, reading: Reading) -> str:
    """The end of the snippet that prints a quantity."""
    if quantity.endswith("logit"):
        return LOGIT
    return GST if reading.loss_gradient is None else LOSS


def is_single(session: Session, tally: HeadTally) -> bool:
    """Whether all that a check found in float64 calls is right to single precision.

    Args:
        session: the head.
        tally: what was found.
    """
    return all(
        working == "float64" and _right_in_single(session, failure)
        for _, failure, _, _, working in tally.failed
    )


def _right_in_single(session: Session, failure: Comparison) -> bool:
    question = session.question(failure.quantity, "float32")
    columns = {name: np.asarray([value]) for name, value in failure.point.items()}
    return not judge(question, columns, [failure.got], certify_all=True).failures

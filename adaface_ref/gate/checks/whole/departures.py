"""What the checks of a whole head share: one comparison, and how it is told."""

from __future__ import annotations

from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.twin.records import EMBEDDINGS, VALUES, Compared, Departure
from adaface_ref.gate.twin.whole_script import script_of
from adaface_ref.report.findings import wrong_value
from adaface_ref.report.report import FAILED, OK, SKIPPED, WARNING, Finding
from adaface_ref.report.result import Result


def judge_whole(evidence: Evidence, claim: str, what: str) -> Result:
    """Compare a head with its twin, once for all checks, and tell one part of it.

    Args:
        evidence: the head.
        claim: the check's sentence.
        what: VALUES, EMBEDDINGS or WEIGHTS.

    Returns:
        The result.
    """
    found = evidence.whole
    if found.lacking:
        return Result(SKIPPED, f"skipped: {found.lacking}")
    departure = found.departures.get(what)
    numbers = found.numbers.get(what, 0)
    if departure is not None:
        finding = _finding(evidence, claim, departure)
        shape = departure.case.shape
        where = f"B = {shape.rows}, C = {shape.classes}"
        where += f", D = {shape.size}" * bool(shape.size)
        step = " after a step of training" if departure.case.after_step else ""
        share = abs(departure.got - departure.want) / departure.allowed
        detail = f"off at {where}{step}, {share:.3g} times the allowed"
        return Result(FAILED, detail, numbers, share, (finding,))
    if not numbers:
        if VALUES in found.departures:
            return Result(SKIPPED, "skipped: the values are off, see whole-values")
        return Result(FAILED, "nothing was compared")
    if found.single and what == VALUES:
        detail = "right to single precision only, in a float64 call"
        return Result(WARNING, detail, numbers, found.worst[what])
    return Result(OK, covered(found, what), numbers, found.worst[what])


def covered(found: Compared, what: str) -> str:
    """What was compared, in one line."""
    shapes = [shape for shape, _ in found.shapes]
    classes = sorted({shape.classes for shape in shapes})
    rows = sorted({shape.rows for shape in shapes})
    dtypes = list(dict.fromkeys(dtype for _, dtype in found.shapes))
    return (
        f"{found.numbers[what]} numbers, {classes[0]} to {classes[-1]} classes, "
        f"{rows[0]} to {rows[-1]} rows, {' and '.join(dtypes)}, worst "
        f"{found.worst[what]:.2g} of the allowed error"
        + f"; {found.left}"
        * bool(found.left)
    )


def _finding(evidence: Evidence, claim: str, departure: Departure) -> Finding:
    shape = departure.case.shape
    names = {1: ("row",), 2: ("row", "class"), 3: ("centre", "class", "entry")}
    if departure.what == EMBEDDINGS:
        names[2] = ("row", "entry")
    if departure.what == VALUES and departure.place == (0,) and shape.rows > 1:
        names[1] = ("element",)
    inputs = {"rows": shape.rows, "classes": shape.classes}
    if shape.size:
        inputs["embedding_size"] = shape.size
    inputs |= dict(zip(names[len(departure.place)], departure.place, strict=True))
    inputs["steps_before"] = int(departure.case.after_step)
    session = evidence.session
    return wrong_value(
        f"{claim} [{departure.what}]",
        {name: float(value) for name, value in inputs.items()} | session.fixed,
        departure.case.dtype,
        departure.got,
        departure.want,
        departure.allowed,
        departure.cause or "no known fault gives these values",
        script_of(session, departure),
    )

"""What a head does at large scales, in narrow dtypes, and on what dtype it answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch

from adaface_ref.errors import DomainError
from adaface_ref.gate.checks.poles import pole_rows
from adaface_ref.gate.guarding.errors import SubjectError
from adaface_ref.gate.head.adapters import open_door
from adaface_ref.gate.head.door import Door, Request
from adaface_ref.gate.measured.evidence import Evidence, Result
from adaface_ref.gate.reading.reading import DTYPES, Array, Batch
from adaface_ref.gate.session.fresh_head import Bench, inputs_of, ordinary, part
from adaface_ref.gate.session.scripts import extra, script
from adaface_ref.gate.session.session import Rows, Session
from adaface_ref.report.report import FAILED, OK, SKIPPED, WARNING, Finding
from adaface_ref.tolerance import EPSILON

SIZE = 24

CLASSES = 3

SCALES = (256.0, 512.0)
"""Scales at which exp overflows in float32, unless the maximum is taken off."""

NARROW = ("float16", "bfloat16")

OVERFLOW = (
    "exp of a logit without taking off the row's maximum: use cross_entropy, logsumexp "
    "or log_softmax"
)

VANISHES = (
    "an eps that the dtype rounds away next to 1 (1 - 1e-7 is 1 in half precision), or "
    "an overflow: clamp by the dtype's own eps, or compute in float32"
)


class Trained(NamedTuple):
    """What one training step sees: logits, the loss and the gradient, by class."""

    logits: Array
    loss: float
    gradient: Array
    own: bool
    dtype: torch.dtype


class Case(NamedTuple):
    """One head and batch in which everything must be finite."""

    bench: Bench
    rows: Rows
    scale: float
    door: Door


def scale_overflow(evidence: Evidence, claim: str) -> Result:
    """The head at s = 256 and 512, and in float16 at its own scale."""
    session, own = evidence.session, evidence.session.fixed["scale"]
    doors = {scale: _scaled(session, scale) for scale in SCALES}
    cases = [(s, d, door) for s, door in doors.items() if door for d in session.dtypes]
    compared = []
    left = ["the head takes no scale"] * (not cases)
    for scale, dtype, door in [*cases, (own, "float16", session.door)]:
        bench, rows = _rows(session, dtype)
        case = Case(bench, rows, scale, door)
        try:
            trained = _train(case)
        except SubjectError as error:
            if dtype in session.dtypes:
                raise
            left.append(f"{dtype}: {error}")
            continue
        told = f"{scale:g} in {dtype}"
        finding = _not_finite(case, trained, claim, OVERFLOW)
        if finding is not None:
            detail = f"not finite at s = {told}"
            return Result(FAILED, detail, SIZE, findings=(finding,))
        compared.append(told)
    if not compared:
        return Result(SKIPPED, f"skipped: {'; '.join(left)}")
    detail = f"finite at s = {', '.join(compared)}"
    detail += f"; not run: {'; '.join(left)}" * bool(left)
    return Result(OK, detail, SIZE * len(compared))


def _scaled(session: Session, scale: float) -> Door | None:
    """The head's door at another scale, or None if it has a scale of its own."""
    if scale == session.fixed["scale"]:
        return session.door
    request = session.request
    changed = replace(request, parameters={**request.parameters, "scale": scale})
    # A head of **settings gets its scale by that name, unless it has another for it.
    by_name = replace(changed, chosen=request.chosen | {"scale"})
    door = _opened(session, by_name) or _opened(session, changed)
    if door is None:
        return None
    bench, rows = _rows(session, session.dtypes[-1])
    before, after = (
        _train(Case(bench, rows, scale, d)).logits for d in (session.door, door)
    )
    with np.errstate(all="ignore"):
        moved = np.nanmedian(np.abs(after)) / np.nanmedian(np.abs(before))
    return door if moved > (1 + scale / session.fixed["scale"]) / 2 else None


def _opened(session: Session, request: Request) -> Door | None:
    """The door for a request, or None for a head that refuses it."""
    try:
        return open_door(session.target, request, session.door.adapter)
    except (DomainError, SubjectError):
        return None


def _rows(session: Session, dtype: str) -> tuple[Bench, Rows]:
    bench = Bench(session, CLASSES, dtype, session.device)
    return bench, ordinary(bench, SIZE)


def _train(case: Case) -> Trained:
    """One training step's numbers, of cross-entropy where the head gives no loss."""
    bench, batch = case.bench, case.bench.batch(case.rows)
    opened = bench.session.unheld(bench.classes, bench.dtype, bench.device, case.door)
    if isinstance(opened.head, torch.nn.Module) and bench.settles:
        opened.head.eval()
    evaluation = opened.evaluate(Batch(batch.cosine * 1, batch.labels, batch.rows))
    logits, loss = evaluation.logits, evaluation.loss
    own = loss is not None
    if loss is None:
        loss = torch.nn.functional.cross_entropy(evaluation.shown, batch.labels)
    gradient = None
    if loss.requires_grad:
        (gradient,) = torch.autograd.grad(loss, batch.cosine, allow_unused=True)
    if gradient is None:
        gradient = torch.zeros_like(batch.cosine)
    if logits is None:  # they cannot be seen: the loss stands for them
        logits = loss.reshape(1, 1)
    numbers = (t.detach().double().cpu().numpy() for t in (logits, gradient))
    first, second = numbers
    return Trained(first, float(loss.detach()), second, own, logits.dtype)


def _not_finite(case: Case, trained: Trained, claim: str, cause: str) -> Finding | None:
    """The first row whose logits, loss or gradient are not finite, or None."""
    names = {"logits": trained.logits, "gradient": trained.gradient}
    call = f"logits, loss = run(leaf * 1, labels{extra(case.rows)})"
    total = "loss.mean()"
    if not trained.own:
        total = "torch.nn.functional.cross_entropy(logits, labels)"
    lines = ["leaf = rows.clone().requires_grad_()", call]
    row, got, name = 0, trained.loss, "loss"
    shown = f"print({total}.item())"
    if np.isfinite(got):
        bad = {k: np.argwhere(~np.isfinite(table)) for k, table in names.items()}
        name = next((key for key, places in bad.items() if len(places)), "")
        if not name:
            return None
        row, place = (int(i) for i in bad[name][0])
        got = float(names[name][row, place])
        shown = f"print({name}[{row}, {place}].item())"
        if name == "gradient":
            lines.append(f"(gradient,) = torch.autograd.grad({total}, leaf)")
    return Finding(
        f"{claim} [{name}]",
        inputs_of(case.rows, row, scale=case.scale, rows=len(case.rows.labels)),
        case.bench.dtype,
        got,
        "a finite value",
        float("inf"),
        float("nan"),
        cause,
        script(case.bench, case.rows, [*lines, shown], door=case.door),
    )


def narrow_dtypes(evidence: Evidence, claim: str) -> Result:
    """Ordinary rows, then the poles, in float16 and bfloat16."""
    session = evidence.session
    compared, left = 0, []
    found: list[Finding] = []
    for dtype in NARROW:
        try:
            for case in _narrow(session, dtype):
                finding = _not_finite(case, _train(case), claim, VANISHES)
                compared += len(case.rows.labels)
                if finding is not None:
                    found.append(finding)
                    break
        except SubjectError as error:
            left.append(f"{dtype} ({error})")
    if found:
        names = " and ".join(dict.fromkeys(finding.dtype for finding in found))
        asked = any(finding.dtype in session.dtypes for finding in found)
        status = FAILED if asked else WARNING
        return Result(status, f"not finite in {names}", compared, findings=tuple(found))
    if not compared:
        return Result(SKIPPED, f"skipped: does not run in {', '.join(left)}")
    detail = f"finite at {compared} rows" + f"; not run: {', '.join(left)}" * bool(left)
    return Result(OK, detail, compared)


def _narrow(session: Session, dtype: str) -> Iterator[Case]:
    """Ordinary rows together, then each row at a pole alone."""
    scale = session.fixed["scale"]
    bench, rows = _rows(session, dtype)
    yield Case(bench, rows, scale, session.door)
    pair = Bench(session, 2, dtype, session.device)
    for target in (True, False):
        rows = pole_rows(session, dtype, target=target)
        whole = Case(pair, rows, scale, session.door)
        trained = _train(whole)
        bad = ~np.isfinite(trained.gradient).all(axis=1)
        bad |= ~np.isfinite(trained.logits).all(axis=1)
        if not bad.any() and np.isfinite(trained.loss):
            yield whole
        for row in np.flatnonzero(bad)[:1]:
            yield whole._replace(rows=part(rows, slice(int(row), int(row) + 1)))


def dtype_kept(evidence: Evidence, claim: str) -> Result:
    """Cosines of each dtype, and what the logits come back in."""
    session = evidence.session
    kept, left = [], []
    found: list[tuple[bool, Finding, str]] = []
    kinds = {kind: name for name, kind in DTYPES.items()}
    for dtype in DTYPES:
        bench, rows = _rows(session, dtype)
        case = Case(bench, rows, session.fixed["scale"], session.door)
        try:
            given = _train(case).dtype
        except SubjectError as error:
            if dtype in session.dtypes:
                raise
            left.append(f"{dtype} ({error})")
            continue
        name = kinds[given]
        kept.append(dtype)
        if EPSILON[name] <= EPSILON[dtype]:
            continue
        # float32 is what training expects; less than that loses the margin.
        enough = EPSILON[name] <= EPSILON["float32"]
        eps = EPSILON[name], EPSILON[dtype]
        line = f"print(torch.finfo(run(rows, labels{extra(rows)})[0].dtype).eps)"
        finding = Finding(
            f"{claim} [eps of the logits' dtype]",
            inputs_of(rows, 0, rows=SIZE),
            dtype,
            *eps,
            eps[0] - eps[1],
            0.0,
            f"a cast to {name}: cast to the wider of the cosines' dtype and float32",
            script(bench, rows, [line]),
        )
        found.append((enough, finding, f"{dtype} comes back as {name}"))
    if found:
        found.sort(key=lambda item: item[0])
        status = WARNING if all(enough for enough, _, _ in found) else FAILED
        told = ", ".join(words for _, _, words in found)
        return Result(status, told, SIZE, findings=tuple(f for _, f, _ in found))
    if not kept:
        return Result(SKIPPED, f"skipped: does not run in {', '.join(left)}")
    detail = ", ".join(kept) + f"; not run: {', '.join(left)}" * bool(left)
    return Result(OK, detail, SIZE * len(kept))

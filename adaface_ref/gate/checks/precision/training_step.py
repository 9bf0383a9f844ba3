"""One step of training, whose logits, loss and gradient must be finite."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from adaface_ref.gate.head.door import Door
from adaface_ref.gate.reading.reading import CROSS_ENTROPY, Array, Batch, gradient_by
from adaface_ref.gate.session.fresh_head import FreshHead, inputs_of, ordinary
from adaface_ref.gate.session.scripts import extra, script
from adaface_ref.gate.session.session import Rows, Session
from adaface_ref.report.findings import infinite_value
from adaface_ref.report.report import Finding

SIZE = 24

CLASSES = 3


class Step(NamedTuple):
    """What one training step sees: logits, the loss and the gradient, by class."""

    logits: Array
    loss: float
    gradient: Array
    own: bool
    dtype: torch.dtype


class Case(NamedTuple):
    """One head and batch in which everything must be finite."""

    fresh: FreshHead
    rows: Rows
    scale: float
    door: Door


def ordinary_rows(session: Session, dtype: str) -> tuple[FreshHead, Rows]:
    """A head of a few classes, and ordinary rows for it."""
    classes = max(CLASSES, session.door.form.classes)
    fresh = FreshHead(session, classes, dtype, session.device)
    return fresh, ordinary(fresh, SIZE)


def train(case: Case) -> Step:
    """One training step's numbers, of cross-entropy where the head gives no loss."""
    fresh, batch = case.fresh, case.fresh.batch(case.rows)
    opened = fresh.session.unheld(fresh.classes, fresh.dtype, fresh.device, case.door)
    if isinstance(opened.head, torch.nn.Module) and fresh.settles:
        opened.head.eval()
    evaluation = opened.evaluate(Batch(batch.cosine * 1, batch.labels, batch.rows))
    logits, loss = evaluation.logits, evaluation.loss
    own = loss is not None
    if loss is None:
        loss = CROSS_ENTROPY(evaluation.shown, batch.labels)
    gradient = gradient_by(batch.cosine, loss)
    if logits is None:  # they cannot be seen: the loss stands for them
        logits = loss.reshape(1, 1)
    numbers = (t.detach().double().cpu().numpy() for t in (logits, gradient))
    first, second = numbers
    return Step(first, float(loss.detach()), second, own, logits.dtype)


def not_finite(case: Case, trained: Step, claim: str, cause: str) -> Finding | None:
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
    return infinite_value(
        f"{claim} [{name}]",
        inputs_of(case.rows, row, scale=case.scale, rows=len(case.rows.labels)),
        case.fresh.dtype,
        got,
        "a finite value",
        cause,
        script(case.fresh, case.rows, [*lines, shown], door=case.door),
    )

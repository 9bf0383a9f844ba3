"""Tells in which other shape a head's loss is softmax cross-entropy, row by row."""

from __future__ import annotations

import numpy as np

from adaface_ref.gate.reading.reading import Array
from adaface_ref.gate.session.fresh_head import fresh_head_of, ordinary
from adaface_ref.gate.session.session import Rows, Session

SIZE = 8
"""Rows that are looked at, each in a batch of its own."""

CLOSE = {"float64": 1e-6, "float32": 1e-3}
"""Shares by which numbers of one loss may differ."""


def shape_of_loss(session: Session) -> str:
    """What a head's loss is where it is not -ln P.

    Args:
        session: a head that gives a loss.

    Returns:
        Words for label smoothing, focal weights or a factor, or "".

    Raises:
        SubjectError: the head raised.
    """
    fresh = fresh_head_of(session)
    rows = ordinary(fresh, SIZE)
    close = CLOSE.get(fresh.dtype, 0.1)
    got = np.array([_loss(session, rows.take(row)) for row in range(SIZE)])
    chances = _log_probabilities(session, rows)
    own = -chances[:, 0]
    told = (own > 1e-3) & (got > 0)
    if told.sum() < SIZE // 2:
        return ""
    got, own, uniform = got[told], own[told], -chances.mean(axis=1)[told]
    smoothed = (got - own) / (uniform - own)
    if _is_one(smoothed, close) and close < smoothed[0] < 1:
        return f"label smoothing of {_short(smoothed)}"
    ratio = got / own
    if _is_one(ratio, close) and abs(ratio[0] - 1) > close:
        return f"the loss is {_short(ratio)} times softmax cross-entropy"
    miss = np.log(-np.expm1(-own))  # ln(1 - P)
    power, factor = np.polyfit(miss, np.log(ratio), 1)
    off = np.log(ratio) - factor - power * miss
    if np.abs(off).max() > 100 * close or power < 0.01:
        return ""
    times = "" if abs(factor) < 100 * close else f" times {np.exp(factor):.3g}"
    return f"focal weights (1 - P)^{power:.3g}{times}"


def _loss(session: Session, row: Rows) -> float:
    evaluate, batch = session.batch(row)
    loss = evaluate(batch).loss
    return float("nan") if loss is None else float(loss.detach())


def _log_probabilities(session: Session, rows: Rows) -> Array:
    """ln P_j as the reference has it, target first: (B, C)."""
    logits = [session.predict("logit", rows.columns)]
    for other in rows.cosines[:, 1:].T:
        columns = {**rows.columns, "other_cosine": other}
        logits.append(session.predict("other_logit", columns))
    table = np.stack(logits, axis=1)
    top = table.max(axis=1, keepdims=True)
    total = np.log(np.exp(table - top).sum(axis=1, keepdims=True)) + top
    return np.asarray(table - total)


def _is_one(values: Array, close: float) -> bool:
    """Whether all are one number."""
    return bool(np.isfinite(values).all() and np.ptp(values) <= close * abs(values[0]))


def _short(values: Array) -> str:
    return f"{np.median(values):.4g}"

"""C classes and the one rival that stands for them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from mpmath import exp, log, mp, mpf, workdps

from adaface_ref import numpy_reference
from adaface_ref.evidence.functions.finding import Finding, Trial

SPLITS = 200
"""Samples whose rivals are split."""


def _probabilities(target: Any, others: list[Any], scale: Any) -> list[Any]:
    weights = [exp(scale * cosine) for cosine in (target, *others)]
    return [weight / sum(weights) for weight in weights]


def splitting_a_rival_changes_nothing(seed: int) -> Finding:
    """One class of cosine v, or two of v - ln2/s: the same P, and the same sum of P_j.

    In sixty digits, to fifty.

    Source: this project: C classes reduce to one rival exactly.
    """
    random = np.random.default_rng(seed)
    worst = mpf(0)
    for _ in range(SPLITS):
        s, z = float(random.uniform(8, 64)), float(random.uniform(-1, 1))
        cosines = random.uniform(-1, 1, int(random.integers(3, 11))).tolist()
        given = {"scale": s, "margin": 0.4, "margin_scaler": z}
        target = float(numpy_reference.logit("adaface", cosines[0], **given)) / s
        with workdps(60):
            first, *rest = map(mpf, cosines[1:])
            half = first - log(mpf(2)) / s
            whole = _probabilities(target, [first, *rest], s)
            split = _probabilities(target, [half, half, *rest], s)
            apart = (whole[0] - split[0], whole[1] - split[1] - split[2])
            worst = max(worst, *map(abs, apart))
    detail = f"P differs by at most {mp.nstr(worst, 3)}"
    return Finding(bool(worst < mpf(10) ** -50), SPLITS, detail)


def splitting_a_hard_rival_of_curricularface_changes_nothing(seed: int) -> Finding:
    """Whether the same holds where G = c_j (t + c_j), by our reference of a batch.

    Source: this project.
    """
    random = np.random.default_rng(seed)
    others = random.uniform(0.2, 0.9, SPLITS)
    given: dict[str, float] = {"scale": 64.0, "margin": 0.5, "curriculum": 0.5}
    halves = others - math.log(2) / given["scale"]
    target = np.full(SPLITS, 0.3)
    labels = np.zeros(SPLITS, dtype=int)
    whole = np.stack([target, others], -1)
    split = np.stack([target, halves, halves], -1)
    before, after = (
        numpy_reference.batch("curricularface", cosines, labels, **given)
        for cosines in (whole, split)
    )
    change = np.abs(before.loss - after.loss)
    worst = int(np.argmax(change))
    holds = bool(change[worst] < 1e-9)
    detail = f"the loss changes by up to {change[worst]:.4g}"
    return Finding(
        holds, SPLITS, detail, "" if holds else f"c_j={float(others[worst])!r}"
    )


TRIALS = (
    Trial(
        splitting_a_rival_changes_nothing,
        "AdaFace's target logit at m = 0.4 and any z-hat, 2 to 9 other classes, "
        "s in [8, 64]",
    ),
    Trial(
        splitting_a_hard_rival_of_curricularface_changes_nothing,
        "m = 0.5, t = 0.5, s = 64, target 0.3, one hard class of cosine in [0.2, 0.9]",
    ),
)
"""Each with the domain on which it tries its claim."""

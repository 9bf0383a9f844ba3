"""Finds what a head does with its running statistics, from its behaviour.

Nothing is judged here: `differences.py` says which policies are wrong, and why.
"""

from __future__ import annotations

import math

import numpy as np

from adaface_ref.gate.guarding.errors import SubjectError
from adaface_ref.gate.head.subject import Subject
from adaface_ref.gate.statistics import curriculum_policy, norm_policy
from adaface_ref.gate.statistics.policy import (
    CLOSE,
    COSINES,
    DEVIATIONS,
    NORM_KINDS,
    NORMS,
    Moving,
    Policy,
    cosine_kinds,
    same,
    snapped,
)
from adaface_ref.gate.statistics.scenario import CLASSES, OTHER, Player, Step


def identify_policy(subject: Subject) -> Policy | None:
    """Find out what a head does with its statistics.

    Args:
        subject: the head.

    Returns:
        The policy, or None where the head keeps no number that follows the batch.

    Raises:
        SubjectError: the head raised.
    """
    loss, follows = subject.loss, subject.definition.statistics_of
    if not follows:
        return None
    takes = subject.door.takes
    if follows == "norms" and ("norms" not in takes or "margin_scaler" in takes):
        return None
    margin = subject.request.parameters["margin"]
    batch = NORMS if follows == "norms" else COSINES
    refined = norm_policy.refined if follows == "norms" else curriculum_policy.refined
    column = follows == "norms" and _wants_column(subject, batch)
    moving = _moving(subject, batch, column)
    if not moving:
        named = _named(subject)
        frozen = Policy(loss, margin, named, frozen=True, column=column)
        return refined(subject, frozen) if named else None
    eval_moves = bool(_moving(subject, batch, column, mode="eval"))
    policy = Policy(loss, margin, moving, column=column, moves_in_eval=eval_moves)
    return refined(subject, policy) if policy.steerable else policy


def _wants_column(subject: Subject, batch: tuple[float, ...]) -> bool:
    """Whether the head takes norms as (B, 1) only, seen where B is not C."""
    try:
        Player(subject).step(Step("train", batch))
    except SubjectError as flat:
        try:
            Player(subject).step(Step("train", batch, column=True))
        except SubjectError:
            raise flat from None
        return True
    return False


def _moving(
    subject: Subject, batch: tuple[float, ...], column: bool, mode: str = "train"
) -> tuple[Moving, ...]:
    """The numbers that a call moves, and how they follow the batch."""
    player = Player(subject)
    start = player.numbers
    player.step(Step(mode, batch, column))
    after = player.numbers
    moved = [name for name in start if after.get(name) != start[name]]
    if not moved:
        return ()
    ends = []
    for level in (0.0, 64.0):
        player.step(Step("set", numbers=dict.fromkeys(moved, level)))
        player.step(Step(mode, batch, column))
        ends.append(player.numbers)
    rows, kinds = np.asarray(batch), NORM_KINDS
    if subject.definition.statistics_of == "target cosines":
        rows = np.column_stack([rows, *[np.full_like(rows, OTHER)] * (CLASSES - 1)])
        kinds = dict(cosine_kinds(subject.request.parameters["margin"]))
    found = []
    for name in moved:
        weight = snapped(1 - (ends[1][name] - ends[0][name]) / 64)
        if math.isnan(weight) or abs(weight) < CLOSE:
            continue  # it counts, or goes its own way: no average of batches
        value = ends[0][name] / weight
        fit = (kind for kind, of in kinds.items() if same(value, of(rows)))
        found.append(Moving(name, next(fit, ""), weight, start[name]))
    order = {"mean": 0, **dict.fromkeys(DEVIATIONS, 2)}  # by elimination: between
    return tuple(sorted(found, key=lambda item: order.get(item.kind, 1)))


def _named(subject: Subject) -> tuple[Moving, ...]:
    """Numbers that are called like statistics, though nothing moves them."""
    kept = Player(subject).numbers
    if subject.definition.statistics_of == "target cosines":
        names = [name for name in kept if name.split(".")[-1] in ("t", "curriculum")]
        return tuple(
            Moving(name, "target cosines", 0, kept[name]) for name in names[:1]
        )
    pairs = [(name, kind) for kind in ("mean", "std") for name in kept if kind in name]
    if [kind for _, kind in pairs] != ["mean", "std"]:
        return ()
    return tuple(Moving(name, kind, 0.0, kept[name]) for name, kind in pairs)

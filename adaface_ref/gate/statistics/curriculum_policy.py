"""CurricularFace's policy: order and graph of t, told by the logits of hard classes."""

from __future__ import annotations

from dataclasses import replace

from adaface_ref.gate.head.subject import Subject
from adaface_ref.gate.statistics.policy import (
    AFTER,
    BATCH,
    BEFORE,
    COSINES,
    Policy,
    same,
)
from adaface_ref.gate.statistics.scenario import OTHER, Player, Scenario, Step


def refined(subject: Subject, policy: Policy) -> Policy:
    """Add what the logits of hard classes tell to a policy whose t is known.

    Args:
        subject: the head.
        policy: its t, and what it follows.

    Returns:
        The policy.

    Raises:
        SubjectError: the head raised.
    """
    if policy.frozen:
        return policy
    player, slot = Player(subject), policy.slots[0]
    player.step(Step("set", numbers={slot: 0.9}))
    player.step(Step("train", COSINES))
    return replace(policy, order=_order(player, policy), attached=_attached(player))


def _order(player: Player, policy: Policy) -> str:
    logit = player.read(Scenario((), row=0, target=False))
    used = logit / player.subject.request.parameters["scale"] / OTHER - OTHER
    new = player.numbers[policy.slots[0]]
    batch = (new - (1 - policy.weight) * 0.9) / policy.weight
    for order, value in ((BEFORE, new), (AFTER, 0.9), (BATCH, batch)):
        if same(used, value):
            return order
    return ""


def _attached(player: Player) -> bool:
    """Whether a row's hard logit depends on another row's target cosine."""
    return player.read(Scenario((), row=0, target=False, by=1)) != 0

"""AdaFace's policy: eps, clips, order and graph, told by its margin scalers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from adaface_ref.gate.head.subject import Subject
from adaface_ref.gate.reading.reading import Array
from adaface_ref.gate.statistics.policy import (
    AFTER,
    BATCH,
    BEFORE,
    CLOSE,
    HIGH_NORMS,
    HUGE,
    NORM_KINDS,
    TINY,
    Policy,
    snapped,
)
from adaface_ref.gate.statistics.scenario import Player, Scenario, Step, target_cosine

MEAN = 64.0
"""A mean inside the official clip."""

NARROW, VERY_WIDE = 2.0**-7, 2.0**16


def refined(subject: Subject, policy: Policy) -> Policy:
    """Add what margin scalers tell to a policy whose numbers are known.

    Args:
        subject: the head.
        policy: its numbers, and how they follow the batch.

    Returns:
        The policy.

    Raises:
        SubjectError: the head raised, or its statistics cannot be held still.
    """
    if subject.request.parameters["margin"] == 0:
        return policy  # no margin scaler has an effect
    player = Player(subject)
    if not policy.frozen:
        policy = replace(policy, statistics_clip=_statistics_clip(player, policy))
        policy = replace(policy, order=_order(player, policy))
        policy = replace(policy, attached=_attached(player, policy))
        if not policy.order:
            return policy  # its margin scalers follow none of what is known
    if policy.moves_in_eval and (policy.order == BATCH or policy.weight == 1):
        return policy  # nothing more can be told
    eps, spread = _eps(player, policy)
    policy = replace(policy, eps=eps, concentration=spread)
    policy = replace(policy, floor=0.0 if eps else _floor(player, policy))
    policy = replace(policy, norm_attached=_norm_attached(player, policy))
    policy = replace(policy, scaler_range=_scaler_range(player, policy))
    return replace(policy, scaler_clip=_scaler_clip(player, policy))


def _ask(
    player: Player, policy: Policy, norms: Sequence[float], mean: float, std: float
) -> Array:
    """The margin scalers of norms in eval mode, under a mean and a std."""
    numbers = policy.wanted(mean, std)
    if policy.moves_in_eval:
        numbers = policy.aimed(numbers, np.asarray(norms))
    player.step(Step("set", numbers=numbers))
    player.step(Step("eval", tuple(norms), policy.column))
    return _scalers(player)


def _scalers(player: Player) -> Array:
    """The margin scalers of the last call."""
    rows = range(len(player.logits))
    logits = [player.read(Scenario((), row=row)) for row in rows]
    return scaler_of(player.subject, np.asarray(logits))


def _train(player: Player, policy: Policy, norms: Sequence[float], *at: float) -> None:
    player.step(Step("set", numbers=policy.wanted(*at)))
    player.step(Step("train", tuple(norms), policy.column))


def _centre(policy: Policy) -> float:
    """A norm well inside what the head clips norms to."""
    low, high = policy.statistics_clip
    return MEAN if low < MEAN / 4 and high > HIGH_NORMS[-1] else (low + high) / 2


def _statistics_clip(player: Player, policy: Policy) -> tuple[float, float]:
    ends = []
    for norm in (TINY, HUGE):
        _train(player, policy, [norm] * 4, 0.0, 1.0)
        ends.append(snapped(player.numbers[policy.slots[0]] / policy.weight))
    return _ends(*ends)


def _train_high(player: Player, policy: Policy) -> tuple[Array, dict[str, float]]:
    """A batch of training that moves the statistics far: its norms, and the old."""
    centre = _centre(policy)
    norms = centre / MEAN * np.asarray(HIGH_NORMS)
    levels = (0.8 * centre, centre)
    _train(player, policy, norms.tolist(), *levels)
    return norms, policy.wanted(*levels)


def _order(player: Player, policy: Policy) -> str:
    norms, old = _train_high(player, policy)
    scalers = _scalers(player)
    new = {slot: player.numbers[slot] for slot in policy.slots}
    own = {m.slot: NORM_KINDS[m.kind](norms) for m in policy.moving if m.kind}
    for order, numbers in ((BEFORE, new), (AFTER, old), (BATCH, own)):
        if len(numbers) < 2:
            continue
        mean, deviation = numbers.values()
        if "variance" in policy.moving[1].kind:
            deviation = math.sqrt(abs(deviation))
        unit = (norms - mean) / deviation
        # h and eps only scale: what is left over after a fit tells the orders apart.
        left = scalers - unit * (scalers @ unit) / (unit @ unit)
        if np.abs(left).max() <= CLOSE * np.abs(scalers).max():
            return order
    return ""


def _attached(player: Player, policy: Policy) -> bool:
    """Whether a row's logit depends on another row's norm, for the gradient."""
    _train_high(player, policy)
    return player.read(Scenario((), row=0, by=1)) != 0


def _norm_attached(player: Player, policy: Policy) -> bool:
    centre = _centre(policy)
    _ask(player, policy, [0.9 * centre, 1.1 * centre], centre, centre)
    own, other = (player.read(Scenario((), row=0, by=by)) for by in (0, 1))
    return abs(own) > 10 * abs(other)


def _eps(player: Player, policy: Policy) -> tuple[float, float]:
    """eps and h: the deviation matters less where eps is not small beside it."""
    share = min(0.5, 0.15 / player.subject.request.parameters["concentration"])
    mean, found = _centre(policy), []
    broad = mean / 4
    for std in (NARROW, broad):
        norms = [mean + share * std, mean - share * std]
        found.append(float(_ask(player, policy, norms, mean, std)[0]))
    narrow, wide = found
    eps = (wide - narrow) / (narrow / NARROW - wide / broad)
    spread = snapped(wide * (broad + eps) / broad / share)
    return (snapped(eps) if abs(eps) > 1e-9 else 0.0), spread


def _floor(player: Player, policy: Policy) -> float:
    """The deviation in force where the head's own is 0."""
    mean, step = _centre(policy), 2.0**-12
    scaler = float(_ask(player, policy, [mean + step, mean - step], mean, 0.0)[0])
    inside = 0 < scaler < 0.9 * policy.concentration
    return snapped(policy.concentration * step / scaler) if inside else 0.0


def _scaler_range(player: Player, policy: Policy) -> tuple[float, float]:
    spread = player.subject.request.parameters["concentration"]
    mean = _centre(policy)
    distance = 0.3 * mean
    norms = [mean - distance, mean + distance]
    low, high = _ask(player, policy, norms, mean, distance * spread / 2)
    return snapped(float(low)), snapped(float(high))


def _scaler_clip(player: Player, policy: Policy) -> tuple[float, float]:
    mean = _centre(policy)
    scalers = _ask(player, policy, [TINY, HUGE], mean, VERY_WIDE)
    deviation = max(VERY_WIDE + policy.eps, policy.floor)
    low, high = mean + scalers * deviation / policy.concentration
    return _ends(snapped(float(low)), snapped(float(high)))


def _ends(low: float, high: float) -> tuple[float, float]:
    """What was made of a tiny and a huge norm, as a clip."""
    return (low if low > 10 * TINY else 0.0), (high if high < 0.9 * HUGE else math.inf)


def scaler_of(subject: Subject, logits: Array) -> Array:
    """The margin scalers that target logits give away, by bisection: they only fall."""
    margin = subject.request.parameters["margin"]
    angle = math.acos(target_cosine(subject))
    want = logits / subject.request.parameters["scale"]
    low, high = np.full(want.shape, -64.0), np.full(want.shape, 64.0)
    for _ in range(60):
        middle = (low + high) / 2
        value = np.cos(angle - margin * middle) - margin * middle - margin
        above = value > want
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.where(np.isfinite(want), (low + high) / 2, np.nan)

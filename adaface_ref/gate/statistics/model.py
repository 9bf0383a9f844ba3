"""What a head's statistics must be: ours, taken through the same steps."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from adaface_ref.gate.head.subject import Subject
from adaface_ref.gate.reading.argument_meanings import CONSTRUCTOR
from adaface_ref.gate.statistics.policy import Policy
from adaface_ref.gate.statistics.scenario import OTHER, Scenario, Step, target_cosine
from adaface_ref.running_statistics import Curriculum, NormStatistics
from adaface_ref.tolerance import EPSILON

ROUNDINGS = 8 * EPSILON["float32"]
"""Numbers that a head keeps are often float32, and a batch's moments are sums."""

OFFICIAL = NormStatistics()
"""The official policy, with the weight that training gives the new batch."""


class Model:
    """Our running statistics, in lock-step with a head.

    Args:
        subject: the head.
        policy: says which of its numbers are which.
        profile: in which its logits are judged.
    """

    def __init__(self, subject: Subject, policy: Policy, profile: str) -> None:
        self.subject, self.policy, self.profile = subject, policy, profile
        weight = expected_weight(subject, policy)
        self.norms = replace(expected_norms(subject), new_batch_weight=weight)
        self.curriculum = Curriculum(new_batch_weight=weight)
        self.norms_used: tuple[float, ...] = ()
        self.set({moving.slot: moving.start for moving in policy.moving})

    def set(self, numbers: dict[str, float]) -> None:
        """Take over numbers of the head, by name."""
        levels = [numbers[slot] for slot in self.policy.slots]
        if not self.policy.follows_norms:
            self.curriculum = replace(self.curriculum, value=levels[0])
            return
        mean, std = levels
        if "variance" in self.policy.moving[1].kind:
            std = math.sqrt(std)
        self.norms = replace(self.norms, mean=mean, std=std)

    def step(self, step: Step) -> None:
        """Let one thing happen to ours."""
        if step.kind == "set":
            self.set(dict(step.numbers))
        elif step.kind == "train" and self.policy.follows_norms:
            self.norms = self.norms.update(step.rows)
        elif step.kind == "train":
            self.curriculum = self.curriculum.update(step.rows)
        self.norms_used = step.rows

    @property
    def numbers(self) -> dict[str, float]:
        """What the head's numbers must be, by name."""
        if not self.policy.follows_norms:
            return self.policy.wanted(self.curriculum.value)
        return self.policy.wanted(self.norms.mean, self.norms.std)

    def read(self, scenario: Scenario) -> float:
        """What a scenario must read after the last step."""
        if scenario.slot:
            return self.numbers[scenario.slot]
        if scenario.by is not None:
            return 0.0
        subject, row = self.subject, self.norms_used[scenario.row]
        columns = {k: np.asarray([v]) for k, v in subject.fixed.items()}
        if subject.definition.statistics_of == "target cosines":
            given = {"target_cosine": row, "curriculum": self.curriculum.value}
        else:
            scaler = self.norms.margin_scaler([row])[0]
            given = {"target_cosine": target_cosine(subject), "margin_scaler": scaler}
        columns |= {k: np.asarray([v]) for k, v in given.items()}
        columns["other_cosine"] = np.asarray([OTHER])
        quantity = "logit" if scenario.target else "other_logit"
        return float(subject.predict(quantity, columns, self.profile)[0])

    def allowed(self, scenario: Scenario) -> float:
        """How far a head may be from that."""
        if scenario.by is not None:
            return 0.0
        if not scenario.slot:
            return ROUNDINGS * float(self.subject.request.parameters["scale"])
        clipped = [min(abs(row), self.norms.norm_upper) for row in self.norms_used]
        return ROUNDINGS * max([1.0, *clipped, *map(abs, self.numbers.values())])


def expected_norms(subject: Subject) -> NormStatistics:
    """The official policy, with what the user gave the head's constructor."""
    given = {
        name: value
        for name, value in subject.request.given.items()
        if name in ("eps", "norm_lower", "norm_upper")
    }
    spread = subject.request.parameters.get("concentration", OFFICIAL.concentration)
    return replace(OFFICIAL, concentration=spread, **given)  # type: ignore[arg-type]


def expected_weight(subject: Subject, policy: Policy) -> float:
    """The constructor's argument; else the head's own, if it is one of the two ends.

    The weight of the new batch is configuration: 0.01 in training, 1 by the official
    constructor's default. One between a half and 1 is that of the old statistics.
    """
    names = CONSTRUCTOR["new_batch_weight"]
    if any(row.split("=")[0] in names for row in subject.door.mapping):
        return subject.request.parameters["new_batch_weight"]
    weight = policy.weight
    if policy.frozen or not 0 < weight <= 1:
        return OFFICIAL.new_batch_weight
    return 1 - weight if 0.5 < weight < 1 else weight

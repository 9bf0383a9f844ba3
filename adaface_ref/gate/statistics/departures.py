"""How a policy of running statistics may differ from the official one, as rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from adaface_ref.gate.head.subject import Subject
from adaface_ref.gate.statistics.model import expected_norms, expected_weight
from adaface_ref.gate.statistics.policy import (
    AFTER,
    BATCH,
    COSINES,
    DEVIATIONS,
    HIGH_NORMS,
    HUGE,
    NORMS,
    TINY,
    Policy,
    same,
)
from adaface_ref.gate.statistics.scenario import Scenario, Step


class Case(NamedTuple):
    """A head's policy beside what it must be."""

    subject: Subject
    policy: Policy

    @property
    def norms(self) -> bool:
        """Whether the statistics are AdaFace's."""
        return self.policy.follows_norms

    @property
    def weight(self) -> float:
        """What the weight of the new batch must be."""
        return expected_weight(self.subject, self.policy)

    def train(self, *norms: float, slot: int = 0) -> Scenario:
        """What a number of the head is after one batch."""
        batch = norms or (NORMS if self.norms else COSINES)
        return Scenario((self._step("train", batch),), self.policy.slots[slot])

    def _step(self, mode: str, batch: tuple[float, ...]) -> Step:
        return Step(mode, batch, self.policy.column)

    def after(
        self,
        levels: tuple[float, ...],
        mode: str,
        *batch: float,
        by: int | None = None,
    ) -> Scenario:
        """A logit, or its derivative, after numbers are set."""
        if not self.norms:
            levels, batch = (0.9,), COSINES
        steps = (
            Step("set", numbers=self.policy.wanted(*levels)),
            self._step(mode, batch),
        )
        return Scenario(steps, target=self.norms, by=by)


class Difference(NamedTuple):
    """One way to differ.

    Args:
        id: its name.
        words: the likely cause, with the head's numbers in braces.
        applies: whether a policy is so.
        shown: the steps that show it.
    """

    id: str
    words: str
    applies: Callable[[Case], bool]
    shown: Callable[[Case], Scenario]


def _unknown(case: Case) -> int | None:
    """Which of the moving numbers follows nothing that is known."""
    if not case.norms:
        return None if case.policy.moving[0].kind else 0
    kinds = [moving.kind for moving in case.policy.moving]
    known = [("mean",), DEVIATIONS]
    for place, kind in enumerate(kinds):
        if place >= len(known) or kind not in known[place]:
            return place
    return None if len(kinds) == len(known) else 0


def _follows(kind: str) -> Callable[[Case], bool]:
    return lambda case: any(moving.kind == kind for moving in case.policy.moving)


def _clip_differs(case: Case) -> bool:
    due = expected_norms(case.subject)
    ends = (due.norm_lower, due.norm_upper)
    clips = (case.policy.scaler_clip, case.policy.statistics_clip)
    return case.norms and not all(
        same(got, want) for clip in clips for got, want in zip(clip, ends, strict=True)
    )


def _show_clip(case: Case) -> Scenario:
    due, policy = expected_norms(case.subject), case.policy
    if not same(policy.statistics_clip[1], due.norm_upper):
        return case.train(HUGE, 60.0, 40.0)
    if not same(policy.statistics_clip[0], due.norm_lower):
        steps = Step("set", numbers=policy.wanted(0.0, 1.0)), case.train(*[TINY] * 4)
        return Scenario((steps[0], *steps[1].steps), policy.slots[0])
    high = not same(policy.scaler_clip[1], due.norm_upper)
    if high:
        return case.after((50.0, 1000.0), "eval", HUGE, 50.0)
    return case.after((0.002, 0.01), "eval", TINY, 0.002)


def _spread(case: Case) -> float:
    return case.subject.request.parameters["concentration"]


def _other_h(case: Case) -> bool:
    measured = case.policy.concentration
    return measured == measured and not same(measured, _spread(case))


def _early_clip(case: Case) -> bool:
    low, high = case.policy.scaler_range
    return same(high, _spread(case)) and same(low, -_spread(case)) and high != 1


def _other_range(case: Case) -> bool:
    low, high = case.policy.scaler_range
    return not _early_clip(case) and not (same(low, -1) and same(high, 1))


def _wide(case: Case) -> Scenario:
    return case.after((50.0, 3.0), "eval", 74.0, 50.0)


def _near(case: Case) -> Scenario:
    return case.after((50.0, 16.0), "eval", 58.0, 50.0)


def _narrow(case: Case) -> Scenario:
    return case.after((50.0, 0.01), "eval", 50.005, 50.0)


def _eps_differs(case: Case) -> bool:
    return case.norms and not same(case.policy.eps, expected_norms(case.subject).eps)


def _no_eps(case: Case) -> bool:
    return _eps_differs(case) and not case.policy.eps and not case.policy.floor


def _high(case: Case) -> Scenario:
    return case.after((50.0, 64.0), "train", *HIGH_NORMS)


def _kind(kind: str, words: str, slot: int = 1) -> Difference:
    return Difference(kind, words, _follows(kind), lambda case: case.train(slot=slot))


DIFFERENCES = (
    Difference("never-updated", "training never updates the statistics",
               lambda case: case.policy.frozen, lambda case: case.train()),
    Difference("unknown-statistic", "a number that training moves follows neither the "
               "mean nor the std of the batch's norms, or not the target cosines",
               lambda case: _unknown(case) is not None,
               lambda case: case.train(slot=_unknown(case) or 0)),
    Difference("swapped-weights", "EMA weights swapped: {weight} weighs the new batch, "
               "which is the weight of the old",
               lambda case: not same(case.policy.weight, case.weight)
               and same(case.policy.weight, 1 - case.weight),
               lambda case: case.train()),
    Difference("other-weight", "the new batch has weight {weight}, which is not what "
               "the constructor was given",
               lambda case: not case.policy.frozen
               and not same(case.policy.weight, case.weight)
               and not same(case.policy.weight, 1 - case.weight),
               lambda case: case.train()),
    _kind("biased std", "biased std: divided by B for B - 1"),
    _kind("variance", "a running variance for a running std"),
    _kind("biased variance", "a running biased variance for a running unbiased std"),
    _kind("all cosines", "t follows the cosines of all classes, not the targets'", 0),
    _kind("other cosines", "t follows the cosines of the other classes", 0),
    _kind("margined cosines", "t follows the target cosines after the margin", 0),
    Difference("updated-after-use", "statistics updated after use: a batch is judged "
               "by those before it",
               lambda case: case.policy.order == AFTER, _high),
    Difference("batch-statistics", "the batch's own statistics are used, not the "
               "running ones",
               lambda case: case.policy.order == BATCH and case.weight != 1, _high),
    Difference("unknown-use", "what is used follows neither the statistics before the "
               "batch, nor those after it, nor the batch's own",
               lambda case: not case.policy.order and not case.policy.frozen
               and case.policy.steerable and case.subject.fixed["margin"] > 0, _high),
    Difference("scaler-without-concentration", "z without h: clip(z) for clip(h z)",
               lambda case: _other_h(case) and same(case.policy.concentration, 1),
               _near),
    Difference("other-concentration", "h is {concentration}, not what is judged",
               lambda case: _other_h(case) and not same(case.policy.concentration, 1),
               _near),
    Difference("clip-before-concentration", "clip before h: h clip(z) for clip(h z)",
               lambda case: case.norms and _early_clip(case), _wide),
    Difference("scaler-clip", "h z is not clipped to [-1, 1]",
               lambda case: case.norms and _other_range(case), _wide),
    Difference("no-eps", "no eps for constant norms: nothing is added to the std",
               _no_eps, lambda case: case.after((50.0, 0.0), "eval", 50.0, 50.0)),
    Difference("eps-as-a-floor", "eps bounds the std from below, and is not added",
               lambda case: _eps_differs(case) and case.policy.floor > 0, _narrow),
    Difference("other-eps", "eps is {eps}, not what is official",
               lambda case: _eps_differs(case) and case.policy.eps != 0, _narrow),
    Difference("norm-clip", "norms are not clipped to [0.001, 100], but {clip}",
               _clip_differs, _show_clip),
    Difference("moves-in-eval", "statistics move in eval mode",
               lambda case: case.policy.moves_in_eval,
               lambda case: Scenario((Step("eval", NORMS if case.norms else COSINES,
                                           case.policy.column),),
                                     case.policy.slots[0])),
    Difference("statistics-not-detached", "statistics not detached: a gradient flows "
               "from one row through them to another",
               lambda case: case.policy.attached,
               lambda case: case.after((50.0, 64.0), "train", *HIGH_NORMS, by=1)),
    Difference("norm-not-detached", "norm not detached: a gradient flows through the "
               "margin scaler",
               lambda case: case.policy.norm_attached,
               lambda case: case.after((50.0, 50.0), "eval", 45.0, 55.0, by=0)),
)  # fmt: skip
"""The rows, in the order in which they are told."""


def differences(subject: Subject, policy: Policy) -> list[Difference]:
    """The ways in which a head's policy is not the official one.

    Weight of the new batch and start values are configuration, and so no difference,
    as long as the weight is what the constructor was given.

    Args:
        subject: the head.
        policy: as it was found.

    Returns:
        Rows of DIFFERENCES.
    """
    case = Case(subject, policy)
    return [row for row in DIFFERENCES if row.applies(case)]


def words(difference: Difference, policy: Policy) -> str:
    """The likely cause, with the head's own numbers."""
    low, high = policy.scaler_clip
    if policy.statistics_clip != policy.scaler_clip and (low, high) == (1e-3, 100.0):
        low, high = policy.statistics_clip
    clip = f"to [{low:g}, {high:g}]"
    return difference.words.format(
        weight=f"{policy.weight:g}",
        concentration=f"{policy.concentration:g}",
        eps=f"{policy.eps:g}",
        clip=clip,
    )

"""Random histories of a head beside our own statistics, the shortest failure kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from hypothesis.stateful import (
    RuleBasedStateMachine,
    precondition,
    rule,
    run_state_machine_as_test,
)

from adaface_ref.gate.guarding.errors import SubjectError
from adaface_ref.gate.head.subject import Subject
from adaface_ref.gate.statistics.model import Model
from adaface_ref.gate.statistics.policy import Policy
from adaface_ref.gate.statistics.scenario import Player, Scenario, Step

# Drawn from few values only: from wide ranges Hypothesis also draws constants of
# whatever modules are loaded, and the same seed must give the same witness.
NORMS = (20.0, 12.0, 31.0, 45.0, 58.0, 77.0, 150.0, 0.5)
COSINES = (0.2, 0.05, 0.3, 0.5, 0.8, -0.4)

UPDATE, USE = "a training step", "what the batch is judged by"
ALONE, CONSTANT, LARGE = "a batch of one", "constant norms", "a large batch"
SAVED, EVAL, BAD = "save and load", "eval mode", "a bad batch"

SETTINGS = settings(
    max_examples=16,
    stateful_step_count=5,
    derandomize=False,
    database=None,
    deadline=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
    print_blob=False,
    verbosity=Verbosity.quiet,
)


@dataclass(frozen=True)
class Broken:
    """One kind of failure.

    Args:
        kind: what broke it.
        scenario: the shortest history that shows it.
        words: the likely cause, where the kind says it.
        expected: what is read must be, or words for that.
        allowed: how far it may be from that; NaN beside words.
    """

    kind: str
    scenario: Scenario
    words: str
    expected: float | str
    allowed: float


class _FailedError(Exception):
    """Carries a failure through Hypothesis."""

    def __init__(self, broken: Broken) -> None:
        super().__init__(broken.kind)
        self.broken = broken


def broken(
    subject: Subject, policy: Policy, profile: str, known: Collection[str]
) -> tuple[Broken | None, int]:
    """The shortest history that breaks a head's statistics.

    Args:
        subject: the head.
        policy: what it does with its statistics.
        profile: in which its logits are judged.
        known: kinds that were broken before, which are left out.

    Returns:
        The failure, or None; and the number of steps taken.

    Raises:
        SubjectError: the head raised, or gave other results the second time.
    """
    taken = [0]

    class Machine(History):
        def __init__(self) -> None:
            super().__init__(Model(subject, policy, profile), known, taken)

    try:
        run_state_machine_as_test(seed(subject.seed)(Machine), settings=SETTINGS)
    except _FailedError as failed:
        return failed.broken, taken[0]
    except Flaky:
        raise SubjectError(
            "the same steps gave other results the second time"
        ) from None
    return None, taken[0]


def _enabled(kind: str) -> Callable[[Any], Any]:
    return precondition(lambda self: kind not in self.known)


class History(RuleBasedStateMachine):
    """A head and our model of its statistics, in lock-step.

    Args:
        model: our statistics, beside the head.
        known: kinds of failure that are left out.
        taken: counts the steps.
    """

    def __init__(self, model: Model, known: Collection[str], taken: list[int]) -> None:
        super().__init__()
        self.model, self.policy, self.known = model, model.policy, known
        self.player = Player(model.subject)
        self.steps: tuple[Step, ...] = ()
        self.taken = taken
        self.levels = NORMS if self.policy.follows_norms else COSINES

    @rule(data=st.data(), size=st.sampled_from([2, 3, 4, 5]))
    def normal_batch(self, data: Any, size: int) -> None:
        """The numbers follow it, and it is judged by them."""
        rows = [data.draw(st.sampled_from(self.levels)) for _ in range(size)]
        self._train(tuple(rows))

    @rule(size=st.sampled_from([129, 300]))
    @precondition(lambda self: not (self.steps or {LARGE, UPDATE} & set(self.known)))
    def large_batch(self, size: int) -> None:
        """The numbers follow all of its rows: each level has its own part of them.

        Only as a first step, which leaves room for the other kinds of batches.
        """
        levels = self.levels
        rows = tuple(levels[len(levels) * row // size] for row in range(size))
        step = self._step("train", rows)
        self._do(step)
        self.model.step(step)
        self._compare(LARGE, "the statistics do not follow all rows of the batch")
        self.model.set(self._numbers())

    @rule(level=st.sampled_from([0, 1, 4]))
    @_enabled(ALONE)
    def batch_of_one(self, level: int) -> None:
        """The numbers and the logits stay finite, or the head refuses it."""
        self._survive(
            ALONE, (self.levels[level],), "a batch of one has no unbiased std"
        )

    @rule(level=st.sampled_from([0, 1, 4]))
    @precondition(lambda self: self.policy.follows_norms)
    @_enabled(CONSTANT)
    def constant_norms(self, level: int) -> None:
        """What they tend to, a std of 0, gives finite logits."""
        norm = self.levels[level]
        self._do(Step("set", numbers=self.policy.wanted(norm, 0.0)))
        self.model.set(self.policy.wanted(norm, 0.0))
        words = "no eps for constant norms: 0 / 0"
        self._survive(CONSTANT, (norm,) * 3, words)

    @rule()
    @_enabled(SAVED)
    def save_and_load(self) -> None:
        """A new head goes on where the saved one was, after a batch of training."""
        self._train(self.levels[1:4])
        self._do(Step("save and load"))
        words = "the statistics are not in the state_dict"
        self._compare(SAVED, words)

    @rule(level=st.sampled_from([0, 4]))
    @_enabled(EVAL)
    def eval_call(self, level: int) -> None:
        """The numbers stay where they are."""
        rows = self.levels[level], self.levels[1], self.levels[2]
        self._do(self._step("eval", rows))
        self._compare(EVAL, "statistics move in eval mode")

    @rule(value=st.sampled_from([math.nan, math.inf]))
    @_enabled(BAD)
    def bad_batch(self, value: float) -> None:
        """The next good batch is finite again."""
        if not self.policy.follows_norms:
            value = math.nan
        bad = self._step("train", (self.levels[0], value, self.levels[1]))
        try:
            self._do(bad)
        except SubjectError:
            self.steps = self.steps[:-1]  # refused
            return
        self._survive(BAD, self.levels[:3], "NaN or inf in one batch stays for ever")

    def _step(self, kind: str, rows: tuple[float, ...]) -> Step:
        return Step(kind, rows, self.policy.column)

    def _do(self, step: Step) -> None:
        self.taken[0] += 1
        self.steps = (*self.steps, step)
        self.player.step(step)

    def _train(self, rows: tuple[float, ...]) -> None:
        step = self._step("train", rows)
        self._do(step)
        self.model.step(step)
        if UPDATE not in self.known:
            self._compare(UPDATE, "")
        self.model.set(self._numbers())
        if USE not in self.known and UPDATE not in self.known:
            for row in range(len(rows)):
                scenario = Scenario((), row=row, target=self.policy.follows_norms)
                self._compare_one(USE, scenario, "")

    def _survive(self, kind: str, rows: tuple[float, ...], words: str) -> None:
        """Numbers and logits are finite after a batch."""
        try:
            self._do(self._step("train", rows))
        except SubjectError:
            if kind == BAD:
                raise
            self.steps = self.steps[:-1]  # refused, which harms nothing
            return
        for slot, value in self._numbers().items():
            if not math.isfinite(value):
                self._fail(kind, Scenario((), slot), words, finite=True)
        for row in range(len(rows)):
            scenario = Scenario((), row=row)
            if not math.isfinite(self.player.read(scenario)):
                self._fail(kind, scenario, words, finite=True)
        self.model.set(self._numbers())

    def _numbers(self) -> dict[str, float]:
        """The head's own, those that follow the batch."""
        found = self.player.numbers
        return {slot: found[slot] for slot in self.policy.slots}

    def _compare(self, kind: str, words: str) -> None:
        for slot in self.policy.slots:
            self._compare_one(kind, Scenario((), slot), words)

    def _compare_one(self, kind: str, scenario: Scenario, words: str) -> None:
        got, want = self.player.read(scenario), self.model.read(scenario)
        if not abs(got - want) <= self.model.allowed(scenario):
            self._fail(kind, scenario, words)

    def _fail(
        self, kind: str, scenario: Scenario, words: str, finite: bool = False
    ) -> None:
        expected: float | str = "a finite number"
        allowed = math.nan
        if not finite:
            expected, allowed = self.model.read(scenario), self.model.allowed(scenario)
        scenario = replace(scenario, steps=self.steps)
        raise _FailedError(Broken(kind, scenario, words, expected, allowed))

"""A short history of a head: steps of training and what is read after them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch

from adaface_ref.gate.guarding.errors import SubjectError
from adaface_ref.gate.guarding.guard import calling
from adaface_ref.gate.head.subject import Subject
from adaface_ref.gate.reading.leaf import SNIPPET
from adaface_ref.gate.reading.reading import TORCH_DTYPES, Batch, gradient_by
from adaface_ref.gate.statistics.kept_numbers import put, put_line, scalars
from adaface_ref.report.report import Finding

CLASSES = 3
"""How many classes a history has; a batch of as many rows is one of its steps."""

OTHER = 0.6
"""Every other class's cosine: a hard class for CurricularFace."""


@dataclass(frozen=True)
class Step:
    """One thing that happens to a head.

    Args:
        kind: "train" or "eval", a call in that mode; "set", numbers put into it;
            "save and load", its state_dict taken over by a new head.
        rows: a call's feature norms, or target cosines for CurricularFace.
        column: whether norms are given as (B, 1).
        numbers: for "set", by name.
    """

    kind: str
    rows: tuple[float, ...] = ()
    column: bool = False
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Scenario:
    """Steps, and what is read after the last.

    Args:
        steps: in order.
        slot: the name of a number that the head keeps, or "" for a logit.
        row: of which row of the last call.
        target: whether the logit is the target's, else the next class's.
        by: where given, the derivative of that logit by this row's norm, or for
            CurricularFace by this row's target cosine.
    """

    steps: tuple[Step, ...]
    slot: str = ""
    row: int = 0
    target: bool = True
    by: int | None = None


class Player:
    """A new head that goes through steps.

    Args:
        subject: the head under judgement.
        classes: how many classes.
    """

    def __init__(self, subject: Subject, classes: int = CLASSES) -> None:
        self.subject, self.classes = subject, classes
        self.opened = subject.build(classes, "float64", subject.device)
        self.logits = torch.zeros(0)
        self.inputs = torch.zeros(0)

    @property
    def numbers(self) -> dict[str, float]:
        """The single numbers that the head keeps."""
        return scalars(self.opened.head)

    def step(self, step: Step) -> None:
        """Let one thing happen.

        Raises:
            SubjectError: the head raised, or gave no logits of shape (B, C).
        """
        if step.kind == "set":
            for name, value in step.numbers.items():
                put(self.opened.head, name, value)
        elif step.kind == "save and load":
            self._save_and_load()
        else:
            self._call(step)

    def _save_and_load(self) -> None:
        saved = self.opened.head
        self.opened = self.subject.build(self.classes, "float64", self.subject.device)
        if not isinstance(saved, torch.nn.Module):
            raise SubjectError("the head is no torch module, so it has no state_dict")
        with calling("loading the head's own state_dict"):
            self.opened.head.load_state_dict(saved.state_dict())  # type: ignore[attr-defined]

    def _call(self, step: Step) -> None:
        if isinstance(self.opened.head, torch.nn.Module):
            self.opened.head.train(step.kind == "train")
        cosines, norms = _given(self.subject, step, self.classes)
        kind, device = TORCH_DTYPES["float64"], self.subject.device
        cosine = torch.tensor(cosines, dtype=kind, device=device).requires_grad_()
        rows = {}
        if norms is not None:
            leaf = torch.tensor(norms, dtype=kind, device=device).requires_grad_()
            rows["norms"] = leaf[:, None] if step.column else leaf
        elif "norms" in self.subject.door.takes:
            rows["norms"] = torch.ones(len(cosines), dtype=kind, device=device)
        labels = torch.arange(1, len(cosines) + 1, device=device) % self.classes
        with warnings.catch_warnings():
            # torch warns of the std of one row: here its NaN is what is looked for.
            warnings.simplefilter("ignore")
            logits = self.opened.evaluate(Batch(cosine * 1, labels, rows)).shown
        if tuple(getattr(logits, "shape", ())) != (len(cosines), self.classes):
            raise SubjectError("the head gives no logits of shape (B, C)")
        self.logits, self.inputs = logits, cosine if norms is None else leaf

    def read(self, scenario: Scenario) -> float:
        """What a scenario wants to know after its last step."""
        if scenario.slot:
            return self.numbers[scenario.slot]
        row = scenario.row
        logit = self.logits[row, (row + 1 + (not scenario.target)) % self.classes]
        if scenario.by is None:
            return float(logit.detach())
        found, by = gradient_by(self.inputs, logit), scenario.by
        return float(
            found[by] if found.dim() == 1 else found[by, (by + 1) % self.classes]
        )


def play(subject: Subject, scenario: Scenario) -> float:
    """Let a new head go through a scenario.

    Args:
        subject: the head.
        scenario: what happens.

    Returns:
        What is read at the end.

    Raises:
        SubjectError: the head raised on the way.
    """
    player = Player(subject)
    for step in scenario.steps:
        player.step(step)
    return player.read(scenario)


def script(subject: Subject, scenario: Scenario) -> str:
    """The scenario as lines to paste, which need torch and the head only."""
    source = subject.door.source(CLASSES, "float64")
    cut = next(i for i, line in enumerate(source) if line.startswith("head = "))
    making, call = source[cut], source[cut + 1 :]
    reader = SNIPPET in source[:cut]
    maths = ["import math"] if "math." in making else []
    lines = [*maths, "import torch", *subject.target.import_lines, ""]
    lines += [*source[:cut], making]
    head = subject.build(CLASSES, "float64", subject.device).head
    for number, step in enumerate(scenario.steps, 1):
        lines.append(f"\n# step {number}: {step.kind}")
        lines += _step_lines(subject, head, step, making, call, reader)
    return "\n".join([*lines, "", *_ending(scenario, subject)]) + "\n"


def described(subject: Subject, steps: Sequence[Step]) -> dict[str, float]:
    """The steps' inputs by name, for a report."""
    name = "target_cosine" if subject.loss == "curricularface" else "norm"
    found: dict[str, float] = {}
    for number, step in enumerate(steps, 1):
        label = f"step {number} ({step.kind})"
        for row, value in enumerate(step.rows):
            shape = " of (B, 1)" if step.column else ""
            found[f"{label} {name}[{row}]{shape}"] = value
        for slot, value in step.numbers.items():
            found[f"{label} {slot}"] = value
        if not step.rows and not step.numbers:
            found[label] = 0.0
    return found


def history_finding(
    subject: Subject,
    claim: str,
    scenario: Scenario,
    cause: str,
    expected: float | str,
    allowed: float,
) -> Finding:
    """A violation at the end of a history, which is gone through again.

    Args:
        subject: the head.
        claim: what should hold.
        scenario: the history.
        cause: the likely cause.
        expected: what it should come to, or words for that.
        allowed: how far it may be from that; NaN beside words.

    Returns:
        The finding, with the history as lines to paste.
    """
    got = play(subject, scenario)
    error = math.nan if isinstance(expected, str) else abs(got - expected)
    what = scenario.slot or ("gradient" if scenario.by is not None else "logit")
    return Finding(
        f"{claim} [{what}]",
        described(subject, scenario.steps),
        "float64",
        got,
        expected,
        error,
        allowed,
        cause,
        script(subject, scenario),
    )


def target_cosine(subject: Subject) -> float:
    """A target cosine at which the logit tells margin scalers apart."""
    margin = subject.request.parameters.get("margin", 0.4)
    return math.cos(min(margin + 0.1, 1.0))


def _given(
    subject: Subject, step: Step, classes: int
) -> tuple[list[list[float]], list[float] | None]:
    """A call's cosines (B, C) and norms."""
    curriculum = subject.loss == "curricularface"
    fixed = target_cosine(subject)
    other = OTHER if curriculum else 0.1
    cosines = []
    for row, value in enumerate(step.rows):
        cosines.append([other] * classes)
        cosines[-1][(row + 1) % classes] = value if curriculum else fixed
    return cosines, None if curriculum else list(step.rows)


def _step_lines(
    subject: Subject,
    head: object,
    step: Step,
    making: str,
    call: Sequence[str],
    reader: bool,
) -> list[str]:
    if step.kind == "set":
        return [put_line(head, name, value) for name, value in step.numbers.items()]
    if step.kind == "save and load":
        return ["saved = head.state_dict()", making, "head.load_state_dict(saved)"]
    cosines, norms = _given(subject, step, CLASSES)
    kind = "dtype=torch.float64, requires_grad=True"
    mode = [f"head.{step.kind}()"] if isinstance(head, torch.nn.Module) else []
    lines = [*mode, f"leaf = torch.tensor({_floats(cosines)}, {kind})"]
    lines.append("cosine = leaf * 1")
    lines.append(f"labels = torch.arange(1, {len(cosines) + 1}) % {CLASSES}")
    if norms is not None:
        lines.append(f"norm_leaf = torch.tensor({_floats(norms)}, {kind})")
        lines.append(f"norms = norm_leaf{'[:, None]' * step.column}")
    elif "norms" in subject.door.takes:
        lines.append("norms = torch.ones(len(labels), dtype=torch.float64)")
    if reader:
        lines.append("reader = Reader(replaced=False)")
    return [*lines, *call]


def _floats(values: object) -> str:
    return repr(values).replace("nan", "float('nan')").replace("inf", "float('inf')")


def _ending(scenario: Scenario, subject: Subject) -> list[str]:
    if scenario.slot:
        return [f"print(float(head.{scenario.slot}))"]
    row = scenario.row
    label = (row + 1 + (not scenario.target)) % CLASSES
    logit = f"logits[{row}, {label}]"
    if scenario.by is None:
        return [f"print({logit}.item())"]
    leaf, by = "norm_leaf", f"{scenario.by}"
    if subject.loss == "curricularface":
        leaf, by = "leaf", f"{scenario.by}, {(scenario.by + 1) % CLASSES}"
    return [
        f"(gradient,) = torch.autograd.grad({logit}, {leaf})",
        f"print(gradient[{by}].item())",
    ]

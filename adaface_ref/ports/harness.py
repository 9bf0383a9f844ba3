"""Judges a port: starts it, asks about every cell, and says what each came to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from adaface_ref.choices import EFFORTS
from adaface_ref.evidence.truth.agreement import INPUTS, Allowance
from adaface_ref.ports.checks import CONVERSATION_CHECKS
from adaface_ref.ports.checks.execution import run_checks
from adaface_ref.ports.comparison.asker import Asker
from adaface_ref.ports.comparison.questions import (
    Cell,
    cells_of,
    dtypes_of,
    quantities_to_ask,
)
from adaface_ref.ports.pipe.conversation import Conversation
from adaface_ref.ports.pipe.port import Port
from adaface_ref.ports.pipe.process import Child
from adaface_ref.ports.pipe.protocol import DTYPES, Hello, PortError
from adaface_ref.report.report import ERROR, Outcome, Report
from adaface_ref.spec.losses import LOSSES

Progress = Callable[[str, float], None]

LIMIT = 30.0
"""Seconds for a round trip, unless the user says otherwise."""

CONVERSATION = "all"
"""What stands for the loss in the report on the conversation itself."""

(PROTOCOL,) = CONVERSATION_CHECKS


@dataclass(frozen=True)
class Wish:
    """What to judge a port by.

    Args:
        losses, profiles, dtypes: only these; all that it announces where empty.
        seed: draws the points; the same seed gives the same reports.
        effort: a key of EFFORTS.
        limit: seconds for a round trip.
        strict: whether warnings are errors.
        points: for each check, in place of the effort's.
        stable: whether values must be as good as a stable form gives them.
    """

    losses: Sequence[str] = ()
    profiles: Sequence[str] = ()
    dtypes: Sequence[str] = ()
    seed: int = 0
    effort: str = "quick"
    limit: float = LIMIT
    strict: bool = False
    points: int | None = None
    stable: bool = False


@dataclass
class Verdict:
    """What judging a port came to.

    Args:
        name: of the port, or its command's.
        settings: how it was judged.
        talk: how far the conversation came.
        reports: one a cell.
        gaps: what the port does not announce, and is not checked, lines.
        printed: the last lines of its standard error.
    """

    name: str
    settings: dict[str, Any]
    talk: Conversation = field(default_factory=Conversation)
    reports: list[Report] = field(default_factory=list)
    gaps: tuple[str, ...] = ()
    printed: str = ""

    @property
    def conversation(self) -> Report:
        """A report on the protocol: whether the port started, spoke and left."""
        result = PROTOCOL.row.run(self.talk, PROTOCOL.claim)
        outcome = Outcome(PROTOCOL.id, PROTOCOL.claim, *result)
        about = (self.name, CONVERSATION, "", "", "", ())
        return Report(*about, self.settings, (outcome,))

    @property
    def all(self) -> list[Report]:
        """The reports, that on the conversation first."""
        return [self.conversation, *self.reports]


def judge_port(
    command: Sequence[str], wish: Wish, progress: Progress = lambda _what, _share: None
) -> Verdict:
    """Judge a port.

    Args:
        command: program and arguments.
        wish: what to judge it by.
        progress: called with what is running and the share done.

    Returns:
        The verdict. A port that fails is never a pass: its report has exit code 3.

    Raises:
        DomainError: a filter that names what the port does not announce.
    """
    settings: dict[str, Any] = {"seed": wish.seed, "effort": wish.effort}
    settings |= {"tolerance": "stable form"} if wish.stable else {}
    verdict = Verdict(PurePath(command[0]).name, settings)
    try:
        with Child(command, wish.limit) as child:
            try:
                _converse(child, wish, verdict, progress)
            except PortError as error:
                verdict.talk.failure = error
            verdict.printed = child.last_lines()
    except PortError as error:  # it could not be started
        verdict.talk.failure = error
    return verdict


def _converse(child: Child, wish: Wish, verdict: Verdict, progress: Progress) -> None:
    """Ask everything.

    Raises:
        PortError: the port failed.
    """
    verdict.talk.place = "at hello"
    port = Port(child)
    hello = port.hello
    verdict.name, verdict.gaps = hello.name, gaps_of(hello)
    cells = cells_of(hello, wish.losses, wish.profiles)
    dtypes = dtypes_of(hello, wish.dtypes)
    verdict.settings["dtypes"] = "+".join(dtypes)
    allowance: Allowance = "ours" if wish.stable else "theirs"
    points = wish.points or EFFORTS[wish.effort]
    for number, cell in enumerate(cells):

        def share(done: float, number: int = number, cell: Cell = cell) -> None:
            progress(f"{cell.loss} {cell.profile}", (number + done) / len(cells))

        verdict.talk.place = f"at {cell.loss} {cell.profile}"
        quantities = quantities_to_ask(hello, cell.loss)
        asker = Asker(port, cell, quantities, dtypes, wish.seed, points, allowance)
        verdict.reports.append(_judge_cell(asker, verdict, share, strict=wish.strict))
        if port.failure is not None:
            verdict.reports += [
                _not_asked(port, c, verdict) for c in cells[number + 1 :]
            ]
            raise port.failure
    verdict.talk.place = "at bye"
    port.bye()


def _judge_cell(
    asker: Asker, verdict: Verdict, progress: Callable[[float], None], *, strict: bool
) -> Report:
    if not asker.quantities:
        detail = "not checked: the port announces no quantity of this loss"
        return _unjudged(asker.port, asker.cell, verdict, detail)
    outcomes = run_checks(asker, progress, strict=strict)
    return _report(asker.port, asker.cell, verdict, outcomes)


def _not_asked(port: Port, cell: Cell, verdict: Verdict) -> Report:
    detail = f"not asked: the port failed {verdict.talk.place}"
    return _unjudged(port, cell, verdict, detail)


def _unjudged(port: Port, cell: Cell, verdict: Verdict, detail: str) -> Report:
    outcome = Outcome("run", PROTOCOL.claim, ERROR, detail)
    return _report(port, cell, verdict, (outcome,))


def _report(
    port: Port, cell: Cell, verdict: Verdict, outcomes: tuple[Outcome, ...]
) -> Report:
    identity = f"{cell.loss} under the profile {cell.profile}"
    hello = port.hello
    how = f"a port in {hello.language}, version {hello.version}, through a pipe"
    about = (hello.name, cell.loss, identity, cell.profile, how, ())
    return Report(*about, verdict.settings, outcomes)


def gaps_of(hello: Hello) -> tuple[str, ...]:
    """What a port does not announce, and is therefore not checked.

    Args:
        hello: what it announces.

    Returns:
        Lines.
    """
    lacking = {
        "losses": [loss for loss in LOSSES if not hello.losses.get(loss)],
        "quantities": [q for q in INPUTS if q not in hello.quantities],
        "dtypes": [dtype for dtype in DTYPES if dtype not in hello.dtypes],
    }
    return tuple(
        f"{what}: {', '.join(names)}" for what, names in lacking.items() if names
    )

"""Judges a port: starts it, asks about every cell, and says what each came to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any

from adaface_ref.choices import EFFORTS
from adaface_ref.evidence.truth.agreement import INPUTS, Allowance
from adaface_ref.ports.checks import outcomes_of
from adaface_ref.ports.comparison.asker import Asker
from adaface_ref.ports.comparison.questions import (
    Cell,
    cells_of,
    dtypes_of,
    quantities_to_ask,
)
from adaface_ref.ports.pipe.port import Port
from adaface_ref.ports.pipe.process import Child
from adaface_ref.ports.pipe.protocol import DTYPES, Hello, PortError
from adaface_ref.report.report import ERROR, FAILED, OK, WARNING, Outcome, Report
from adaface_ref.spec.losses import LOSSES

Progress = Callable[[str, float], None]

"""Points a check."""

LIMIT = 30.0
"""Seconds for a round trip, unless the user says otherwise."""

CONVERSATION = "all"
"""What stands for the loss in the report on the conversation itself."""

TALKS = "The port starts, speaks the protocol, and leaves when it is told to."


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
        conversation: a report on the protocol: whether it started, spoke and left.
        reports: one a cell.
        unchecked: what the port does not announce, lines.
        printed: the last lines of its standard error.
    """

    name: str
    conversation: Report
    reports: list[Report] = field(default_factory=list)
    unchecked: tuple[str, ...] = ()
    printed: str = ""

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
    name = PurePath(command[0]).name
    verdict = Verdict(name, _talk(name, settings, ERROR, "hello: no answer"))
    try:
        with Child(command, wish.limit) as child:
            try:
                _converse(child, wish, verdict, progress)
            except PortError as error:
                before = verdict.conversation.outcomes[0].detail
                told = str(error) if before == LEFT else f"{before}: {error}"
                verdict.conversation = _talk(verdict.name, settings, ERROR, told)
            verdict.printed = child.printed()
    except PortError as error:
        verdict.conversation = _talk(name, settings, ERROR, str(error))
    return verdict


LEFT = "it started, said hello, answered, and left after bye"


def _converse(child: Child, wish: Wish, verdict: Verdict, progress: Progress) -> None:
    """Ask everything.

    Raises:
        PortError: the port failed.
    """
    settings = dict(verdict.conversation.settings)
    verdict.conversation = _talk(verdict.name, settings, ERROR, "at hello")
    port = Port(child)
    hello = port.hello
    verdict.name = hello.name
    cells = cells_of(hello, wish.losses, wish.profiles)
    dtypes = dtypes_of(hello, wish.dtypes)
    settings["dtypes"] = "+".join(dtypes)
    verdict.unchecked = unchecked(hello)
    for number, cell in enumerate(cells):

        def share(done: float, number: int = number, cell: Cell = cell) -> None:
            progress(f"{cell.loss} {cell.profile}", (number + done) / len(cells))

        points = wish.points or EFFORTS[wish.effort]
        quantities = quantities_to_ask(hello, cell.loss)
        allowance: Allowance = "ours" if wish.stable else "theirs"
        asker = Asker(port, cell, quantities, dtypes, wish.seed, points, allowance)
        report, broken = _report(asker, hello, settings, share, strict=wish.strict)
        verdict.reports.append(report)
        if broken is not None:
            where = f"at {cell.loss} {cell.profile}"
            left = [_unasked(hello, c, settings, where) for c in cells[number + 1 :]]
            verdict.reports += left
            verdict.conversation = _talk(hello.name, settings, ERROR, where)
            raise broken
    verdict.conversation = _talk(hello.name, settings, ERROR, "at bye")
    port.bye()
    verdict.conversation = _talk(hello.name, settings, OK, LEFT)


def _report(
    asker: Asker,
    hello: Hello,
    settings: dict[str, Any],
    progress: Callable[[float], None],
    *,
    strict: bool,
) -> tuple[Report, PortError | None]:
    outcomes, broken = [], None
    if not asker.quantities:
        told = "not checked: the port announces no quantity of this loss"
        outcomes.append(Outcome("run", TALKS, ERROR, told))
    for outcome in outcomes_of(asker, progress) if asker.quantities else ():
        if isinstance(outcome, PortError):
            broken = outcome
            continue
        if strict and outcome.status == WARNING:
            outcome = replace(outcome, status=FAILED)
        outcomes.append(outcome)
    return _cell(hello, asker.cell, settings, tuple(outcomes)), broken


def _cell(
    hello: Hello, cell: Cell, settings: dict[str, Any], outcomes: tuple[Outcome, ...]
) -> Report:
    identity = f"{cell.loss} under the profile {cell.profile}"
    how = f"a port in {hello.language}, version {hello.version}, through a pipe"
    ask = (hello.name, cell.loss, identity, cell.profile, how, ())
    return Report(*ask, settings, outcomes)


def _unasked(hello: Hello, cell: Cell, settings: dict[str, Any], where: str) -> Report:
    told = f"not asked: the port failed {where}"
    return _cell(hello, cell, settings, (Outcome("run", TALKS, ERROR, told),))


def _talk(name: str, settings: dict[str, Any], status: str, detail: str) -> Report:
    outcome = Outcome("protocol", TALKS, status, detail)
    return Report(name, CONVERSATION, "", "", "", (), settings, (outcome,))


def unchecked(hello: Hello) -> tuple[str, ...]:
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

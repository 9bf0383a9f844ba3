"""What the gate says: outcomes, findings, text for one screen, data for machines."""

from __future__ import annotations

import hashlib
import json
import math
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from adaface_ref.points import json_number
from adaface_ref.report.curve import Curve

VERSION = 1
"""Version of the JSON form."""

OK, FAILED, WARNING, SKIPPED, ERROR = "ok", "failed", "warning", "skipped", "error"
NOTE, ACCEPTED = "note", "accepted"

ROOM = {OK: 6, SKIPPED: 3}
"""Lines for the names of checks that have nothing to say: a report fits one screen."""

TITLES = {FAILED: "FAILURE", WARNING: "WARNING", NOTE: "NOTE", ACCEPTED: "ACCEPTED"}
"""How a finding is headed, by its outcome's status."""


class Location(NamedTuple):
    """Where the head's source is: a file, and the line where the head begins."""

    file: str
    line: int


@dataclass(frozen=True)
class Finding:
    """One violation, at one point.

    Args:
        claim: what should hold, one sentence.
        inputs: the point, by quantity.
        dtype: the dtype of the cosines.
        got: what the head gave.
        expected: what it should have given: a value, or words.
        error: their distance; NaN where there is none to speak of.
        allowed: what the distance may be; NaN where anything finite is right.
        cause: the likely cause.
        snippet: lines to paste; they print `got`.
    """

    claim: str
    inputs: Mapping[str, float]
    dtype: str
    got: float
    expected: float | str
    error: float
    allowed: float
    cause: str
    snippet: str

    def text(self, width: int, replay: str = "", *, script: bool = True) -> str:
        """The failure as a user reads it.

        Args:
            width: columns.
            replay: the ID under which it was stored, if it was.
            script: whether the script to paste is shown.

        Returns:
            Lines.
        """
        lines = wrap("claim    ", self.claim, width)
        label = "inputs   "
        for name, value in self.inputs.items():
            lines.append(f"{label}{name} = {value!r} ({float(value).hex()})")
            label = " " * len(label)
        expected = self.expected
        shown = expected if isinstance(expected, str) else number(expected, self.dtype)
        lines.append(f"got      {number(self.got, self.dtype)}, expected {shown}")
        error = f"{self.error:.4g}, allowed {self.allowed:.4g}"
        lines.append(f"error    {'not finite' if math.isnan(self.allowed) else error}")
        lines += wrap("cause    ", self.cause, width)
        if replay:
            hint = "" if script else "    (--snippet: a script to paste)"
            lines.append(f"replay   adaface-ref replay {replay}{hint}")
        if script:
            lines += ["to see it, paste:", "", self.snippet]
        return "\n".join(lines)


@dataclass(frozen=True)
class Outcome:
    """What one check came to.

    Args:
        check: the check's id.
        claim: its sentence.
        status: ok, note, warning, failed, accepted, skipped or error.
        detail: what was found, one line.
        compared: how many values were compared.
        ratio: the largest error as a share of the allowed one, for value checks.
        findings: the violations, the worst first.
        shown: how many of them the text shows.
    """

    check: str
    claim: str
    status: str
    detail: str
    compared: int = 0
    ratio: float | None = None
    findings: tuple[Finding, ...] = ()
    shown: int = 1


@dataclass(frozen=True)
class Report:
    """The verdict on one head.

    Args:
        target: the head's printed name.
        loss: the loss id.
        identity: what the head turned out to be.
        profile: the profile judged.
        how: how the head was read.
        mapping: how its arguments were given.
        settings: seed, effort, device, dtypes.
        outcomes: one for each check.
        location: where the head's source is, if that is known.
        curves: its GST along the cosine, where it could be read.
        rests_on: what was compared, one sentence; "" where that is not told.
        unseen: what could not be looked at, and why; "" for nothing.
    """

    target: str
    loss: str
    identity: str
    profile: str
    how: str
    mapping: tuple[str, ...]
    settings: Mapping[str, Any]
    outcomes: tuple[Outcome, ...] = field(default=())
    location: Location | None = None
    curves: tuple[Curve, ...] = ()
    rests_on: str = ""
    unseen: str = ""

    @property
    def exit_code(self) -> int:
        """0 conforms, 1 a violation, 3 could not be judged."""
        statuses = {outcome.status for outcome in self.outcomes}
        if FAILED in statuses:
            return 1
        return 3 if ERROR in statuses or not statuses - {SKIPPED} else 0

    @property
    def verdict(self) -> str:
        """The last line of the text."""
        names = [o.check for o in self.outcomes if o.status == FAILED]
        if names:
            return f"DOES NOT CONFORM: {', '.join(names)}"
        stuck = [o.check for o in self.outcomes if o.status == ERROR]
        if self.exit_code == 3:
            return f"COULD NOT BE JUDGED: {', '.join(stuck) or 'no check ran'}"
        counts = {
            word: sum(outcome.status == word for outcome in self.outcomes)
            for word in (WARNING, NOTE)
        }
        told = [f"{count} {word}(s)" for word, count in counts.items() if count]
        passed = [o.check for o in self.outcomes if o.status == ACCEPTED]
        verdict = "CONFORMS"
        if passed:
            verdict = f"CONFORMS but for what is accepted: {', '.join(passed)}"
        return ", with ".join([verdict, *([" and ".join(told)] if told else [])])

    def finding_id(self, check: str, finding: Finding) -> str:
        """A short name of a violation: the same for the same head, check and inputs."""
        inputs = {name: float(value).hex() for name, value in finding.inputs.items()}
        told = [self.target, self.loss, self.profile, check, finding.dtype, inputs]
        text = json.dumps(told, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:10]

    def text(
        self, width: int = 80, *, verbose: bool = False, replay: bool = False
    ) -> str:
        """The report for a terminal; one screen for a head that conforms.

        Args:
            width: columns.
            verbose: whether every check gets a line, and every finding is shown, those
                of warnings too, with a script to paste.
            replay: whether findings were stored, so that `replay` knows their IDs, and
                prints their scripts.

        Returns:
            Lines of at most that width, but for inputs and scripts.
        """
        given = "; " + ", ".join(self.mapping) if self.mapping else ""
        settings = ", ".join(f"{k} {v}" for k, v in self.settings.items())
        lines = [f"{self.target} --loss {self.loss}"]
        lines += wrap("", self.identity, width)
        lines += wrap("", f"{self.how}{given}", width) if self.how else []
        lines += [*wrap("", settings, width), ""]
        lines += self._all(width) if verbose else self._folded(width)
        told = self.outcomes
        if not verbose:
            told = tuple(o for o in told if o.status == FAILED and o.findings)[:1]
        lines += wrap("unseen   ", self.unseen, width, ROOM[OK]) if self.unseen else []
        lines += wrap("rests on ", self.rests_on, width) if self.rests_on else []
        for outcome in told:
            more = len(outcome.findings) - outcome.shown
            tail = f" (the worst; {more} more in --json)" if more > 0 else ""
            for finding in outcome.findings[: outcome.shown]:
                known = self.finding_id(outcome.check, finding) if replay else ""
                title = TITLES.get(outcome.status, outcome.status)
                heading = f"{title} {outcome.check}{tail}"
                script = verbose or not replay
                lines += ["", heading, finding.text(width, known, script=script)]
                tail = ""
                if not verbose:
                    break
        return "\n".join([*lines, "", self.verdict])

    def _all(self, width: int) -> list[str]:
        """A line for each check."""
        return [line for o in self.outcomes for line in _outcome_lines(o, width)]

    def _folded(self, width: int) -> list[str]:
        """A line for each check that says something; names of the others."""
        order = (FAILED, ERROR, ACCEPTED, WARNING, NOTE)
        loud = sorted(
            (o for o in self.outcomes if o.status in order),
            key=lambda o: order.index(o.status),
        )
        lines = [line for outcome in loud for line in _outcome_lines(outcome, width)]
        for status, room in ROOM.items():
            names = [o.check for o in self.outcomes if o.status == status]
            if names:
                named = f"{len(names)}: {', '.join(names)}"
                lines += wrap(f"{status:<9}", named, width, room)
        return lines

    def as_json(self) -> dict[str, Any]:
        """The report as data; numbers that JSON lacks become strings."""
        data = {
            "version": VERSION,
            "target": self.target,
            "loss": self.loss,
            "identity": self.identity,
            "profile": self.profile,
            "reading": self.how,
            "arguments": list(self.mapping),
            "settings": dict(self.settings),
            "exit_code": self.exit_code,
            "verdict": self.verdict,
            "location": self.location and self.location._asdict(),
            "outcomes": [self._outcome_data(outcome) for outcome in self.outcomes],
            "curves": [curve.as_json() for curve in self.curves],
            "rests_on": self.rests_on,
            "unseen": self.unseen,
        }
        return data

    def _outcome_data(self, outcome: Outcome) -> dict[str, Any]:
        return {
            "check": outcome.check,
            "claim": outcome.claim,
            "status": outcome.status,
            "detail": outcome.detail,
            "compared": outcome.compared,
            "ratio": _plain(outcome.ratio),
            "shown": outcome.shown,
            "findings": [
                {
                    "id": self.finding_id(outcome.check, finding),
                    "claim": finding.claim,
                    "inputs": {
                        name: {"decimal": _plain(value), "hex": float(value).hex()}
                        for name, value in finding.inputs.items()
                    },
                    "dtype": finding.dtype,
                    "got": _plain(finding.got),
                    "expected": _plain(finding.expected),
                    "error": _plain(finding.error),
                    "allowed": _plain(finding.allowed),
                    "cause": finding.cause,
                    "snippet": finding.snippet,
                }
                for finding in outcome.findings
            ],
        }


def _outcome_lines(outcome: Outcome, width: int) -> list[str]:
    label = f"{outcome.status:<9}{outcome.check:<19} "
    return wrap(label, outcome.detail, width)


def number(value: float, dtype: str) -> str:
    """A value with the digits that its dtype holds."""
    return f"{value:.{12 if dtype == 'float64' else 8}g}"


def _plain(value: float | str | None) -> float | str | None:
    return json_number(value) if isinstance(value, float) else value


def wrap(label: str, text: str, width: int, room: int | None = None) -> list[str]:
    """A text under a label, in lines that begin below the label's end."""
    return textwrap.wrap(
        text,
        width,
        initial_indent=label,
        subsequent_indent=" " * len(label),
        break_long_words=False,
        break_on_hyphens=False,
        max_lines=room,
        placeholder=" ... (--verbose)",
    ) or [label.rstrip()]

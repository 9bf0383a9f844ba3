"""Writes docs/checks.md from the checks' own files: python docs/make_checks.py."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Mapping
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(CHECKOUT / "tests"))

from gate_runs import few_points, outcomes  # noqa: E402
from ports_zoo import numpy_port  # noqa: E402
from ports_zoo.faults import CELLS, PLANTED  # noqa: E402
from ports_zoo.numpy_port import ANSWERS  # noqa: E402
from zoo.planting import Wrong  # noqa: E402
from zoo.registry import wrong  # noqa: E402

from adaface_ref.gate.checks.severity import SEVERITIES  # noqa: E402
from adaface_ref.ports.harness import Wish, judge_port  # noqa: E402
from adaface_ref.report.catalogue import GATE, PORTS, Entry, catalogue  # noqa: E402
from adaface_ref.report.report import Outcome  # noqa: E402

FILE = CHECKOUT / "docs" / "checks.md"

FOLDERS = {GATE: "../adaface_ref/gate/checks", PORTS: "../adaface_ref/ports/checks"}
"""Where the files of checks stand, from the document."""

HEADS = {
    GATE: """\
# The checks of the gate

Made by `python docs/make_checks.py` from the files of the checks, in the order of the
report. `adaface-ref gate --explain ID` prints one of them. Below each stands a planted
head of `tests/zoo` that is named for the check, and what the gate says of it.
""",
    PORTS: """\
# The checks of ports

`adaface-ref port --explain ID` prints one of them. Below each stands a fault of the
port `tests/ports_zoo/numpy_port.py`, and what the check says of it.
""",
}


def page(samples: Mapping[str, str]) -> str:
    """The document.

    Args:
        samples: what is said of the planted head or port, by the section's title.

    Returns:
        Markdown.
    """
    parts = []
    for package, head in HEADS.items():
        entries = catalogue(package)
        rows = ["| check | claim |", "| --- | --- |"]
        for entry in entries:
            claim = entry.claim.replace("|", "\\|")
            anchor = title_of(entry, package).replace(" ", "-")
            rows.append(f"| [{entry.id}](#{anchor}) | {claim} |")
        sections = [section(entry, package, samples) for entry in entries]
        parts.append("\n".join([head, *rows, "", "\n\n".join(sections)]))
    return "\n\n".join(parts) + "\n"


def title_of(entry: Entry, package: str) -> str:
    """The title of a check's section: both have some checks of one name."""
    return entry.id if package == GATE else f"{entry.id} of a port"


def section(entry: Entry, package: str, samples: Mapping[str, str]) -> str:
    """What the document says of one check."""
    title = title_of(entry, package)
    facts = [f"- {fact}" for fact in entry.facts]
    why = re.sub(r"^(\w+):", r"**\1.**", entry.explanation, flags=re.MULTILINE)
    return f"""\
## {title}

{entry.claim}

{chr(10).join(facts)}
- written in [{entry.file}]({FOLDERS[package]}/{entry.file})

{why}

{_planted_words(entry, package)}

```text
{samples[title]}
```"""


def _planted_words(entry: Entry, package: str) -> str:
    """The planted head or port, and the first line of its docstring."""
    if package == PORTS:
        fault = PLANTED[entry.id]
        return f"`numpy_port.py {fault}`: {_first_line(ANSWERS[fault])}"
    target, _ = planted_for(entry)
    module, _, name = target.partition(":")
    head = getattr(importlib.import_module(module), name)
    return f"`{target}`: {_first_line(head)}"


def _first_line(planted: object) -> str:
    return (inspect.getdoc(planted) or "").partition("\n")[0]


def planted_for(entry: Entry) -> tuple[str, Wrong]:
    """The first planted head that shows what a violation of a check is."""
    status = SEVERITIES[next(iter(entry.severity))]
    heads = [(t, row) for t, row in wrong().items() if row.check == entry.id]
    heads.sort(key=lambda head: (head[1].status != status, "planted" in head[0]))
    return heads[0]


def samples() -> dict[str, str]:
    """What is said of a planted head or port of each check, by the section's title."""
    return _samples_of_heads() | _samples_of_ports()


def _samples_of_heads() -> dict[str, str]:
    found = {}
    for entry in catalogue(GATE):
        target, row = planted_for(entry)
        report = few_points(
            target,
            row.loss,
            dtypes=row.dtypes,
            only=entry.id,
            effort=row.effort,
            **dict(row.arguments),
        )
        outcome = outcomes(report)[entry.id]
        found[title_of(entry, GATE)] = _sample(outcome)
    return found


def _samples_of_ports() -> dict[str, str]:
    found = {}
    for entry in catalogue(PORTS):
        fault = PLANTED[entry.id]
        cell = CELLS.get(fault, "adaface=pure")
        command = (sys.executable, numpy_port.__file__, fault, cell)
        every = [
            o for r in judge_port(command, Wish(points=500)).all for o in r.outcomes
        ]
        found[title_of(entry, PORTS)] = next(
            _sample(outcome) for outcome in every if outcome.check == entry.id
        )
    return found


def _sample(outcome: Outcome) -> str:
    return f"{outcome.status}  {outcome.check}  {outcome.detail}"


def samples_in(text: str) -> dict[str, str]:
    """The samples of a document, by the section's title."""
    pattern = r"^## ([^\n]+)$.*?^```text\n(.*?)\n```$"
    return dict(re.findall(pattern, text, re.MULTILINE | re.DOTALL))


if __name__ == "__main__":
    FILE.write_text(page(samples()), encoding="utf-8")

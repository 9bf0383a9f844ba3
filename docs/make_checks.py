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
from zoo.planting import Wrong  # noqa: E402
from zoo.registry import wrong  # noqa: E402

from adaface_ref.gate.checks.severity import SEVERITIES  # noqa: E402
from adaface_ref.report.catalogue import GATE, Entry, catalogue  # noqa: E402

FILE = CHECKOUT / "docs" / "checks.md"

FOLDER = "../" + GATE.replace(".", "/")

HEAD = """\
# The checks of the gate

Made by `python docs/make_checks.py` from the files of the checks, in the order of the
report. `adaface-ref gate --explain ID` prints one of them. Below each stands a planted
head of `tests/zoo` that is named for the check, and what the gate says of it.
"""


def page(samples: Mapping[str, str]) -> str:
    """The document.

    Args:
        samples: what the gate says of the planted head, by the check's id.

    Returns:
        Markdown.
    """
    entries = catalogue(GATE)
    rows = ["| check | claim |", "| --- | --- |"]
    for entry in entries:
        claim = entry.claim.replace("|", "\\|")
        rows.append(f"| [{entry.id}](#{entry.id}) | {claim} |")
    parts = [section(entry, samples[entry.id]) for entry in entries]
    return "\n".join([HEAD, *rows, "", "\n\n".join(parts)]) + "\n"


def section(entry: Entry, sample: str) -> str:
    """What the document says of one check."""
    target, _ = planted_for(entry)
    facts = [f"- {fact}" for fact in entry.facts]
    why = re.sub(r"^(\w+):", r"**\1.**", entry.explanation, flags=re.MULTILINE)
    return f"""\
## {entry.id}

{entry.claim}

{chr(10).join(facts)}
- written in [{entry.file}]({FOLDER}/{entry.file})

{why}

`{target}`: {_words_of(target)}

```text
{sample}
```"""


def planted_for(entry: Entry) -> tuple[str, Wrong]:
    """The first planted head that shows what a violation of a check is."""
    status = SEVERITIES[next(iter(entry.severity))]
    heads = [(t, row) for t, row in wrong().items() if row.check == entry.id]
    heads.sort(key=lambda head: (head[1].status != status, "planted" in head[0]))
    return heads[0]


def _words_of(target: str) -> str:
    """The first line of a planted head's docstring."""
    module, _, name = target.partition(":")
    found = getattr(importlib.import_module(module), name)
    return (inspect.getdoc(found) or "").partition("\n")[0]


def samples() -> dict[str, str]:
    """What the gate says of a planted head of each check."""
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
        found[entry.id] = f"{outcome.status}  {entry.id}  {outcome.detail}"
    return found


def samples_in(text: str) -> dict[str, str]:
    """The samples of a document, by the check's id."""
    pattern = r"^## (\S+)$.*?^```text\n(.*?)\n```$"
    return dict(re.findall(pattern, text, re.MULTILINE | re.DOTALL))


if __name__ == "__main__":
    FILE.write_text(page(samples()), encoding="utf-8")

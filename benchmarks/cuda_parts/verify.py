"""`adaface-ref verify` with torch on the device."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from typing import Any

from cuda_parts.work import Work


def run(work: Work) -> list[str]:
    """Runs it, and says where the forms disagree or a verdict is another."""
    file = work.file.with_name("verify.json")
    module = "cuda_parts.few_cells" if work.rehearse else "adaface_ref"
    effort = "quick" if work.rehearse else "normal"
    command = [sys.executable, "-m", module, "verify", "--device", work.device]
    command += ["--effort", effort, "--json", str(file)]
    code = subprocess.run(command, check=False).returncode
    work.keep(exit_code=code, effort=effort)
    if not file.exists():
        return [f"verify ended with exit code {code} and wrote nothing"]
    found = json.loads(file.read_text(encoding="utf-8"))
    work.keep(**summary(found))
    unexpected = [] if code == 0 else [f"verify ended with exit code {code}"]
    unexpected += [f"forms disagree: {row}" for row in work.figures["disagreeing"]]
    odd = work.figures["not_as_expected"]
    unexpected += [f"verdict on {claim} is another" for claim in odd]
    if not work.figures["compared"].get(f"torch {work.device}"):
        unexpected.append(f"nothing was compared on {work.device}")
    return unexpected


Share = float | str
"""Of the allowed error; "inf" and "nan" are text, since JSON lacks them."""


def worst_of(shares: Iterable[Share]) -> Share:
    """The greatest; nothing is worse than nan."""
    return max(shares, key=lambda share: (share == "nan", float(share)))


def summary(found: dict[str, Any]) -> dict[str, Any]:
    """What `verify --json` wrote, in a few numbers a cell.

    Args:
        found: its content.

    Returns:
        Figures: values compared by form and device, the worst share of the allowed
        error by cell, form and dtype, verdicts by name.
    """
    compared = Counter[str]()
    shares: dict[str, dict[str, Share]] = {}
    disagreeing = []
    for row in found["agreement"]:
        cell = f"{row['loss']} {row['profile']}"
        form = f"{row['form']} {row['dtype']} {row['device']}"
        quantities = row["quantities"].values()
        compared[f"{row['form']} {row['device']}"] += sum(
            quantity["compared"] for quantity in quantities
        )
        worst = worst_of(quantity["worst_share_of_allowed"] for quantity in quantities)
        shares.setdefault(cell, {})[form] = worst
        if not row["agrees"]:
            disagreeing.append(f"{cell}, {form}")
    claims = found["invariants"]
    return {
        "compared": dict(compared),
        "worst_share": worst_of(
            share for row in shares.values() for share in row.values()
        ),
        "verdicts": dict(Counter(claim["verdict"] for claim in claims)),
        "not_as_expected": [c["id"] for c in claims if not c["as_expected"]],
        "disagreeing": disagreeing,
        "worst_share_by_cell": shares,
    }

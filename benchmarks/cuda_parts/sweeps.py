"""Where the three invariants are true, at every float32 cosine."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from cuda_parts.work import Work

CLAIMS = ("I1-sine-arcface", "I2-criterion-everywhere", "I3-clip-sweep")
"""Of spec/claims/invariants.toml, or what their ids begin with: each over all cosines,
with the recommended parameters."""

REHEARSED = ("I3-clip-sweep",)

EVERY_FLOAT32 = 2_130_706_433
"""The float32 from -1 to 1, +-0 counted once."""


def run(work: Work) -> list[str]:
    """Sweeps them one by one, and says where one fails or is left open."""
    rows: list[dict[str, Any]] = []
    unexpected = []
    for claim in REHEARSED if work.rehearse else CLAIMS:
        code, found = swept(work, claim)
        rows += found
        work.keep(sweeps=rows)
        if code:
            unexpected.append(f"{claim} ended with exit code {code}")
        unexpected += [problem for row in found for problem in problems(row, work)]
        whole = [row for row in found if row["total"] == EVERY_FLOAT32]
        if not work.rehearse and not whole:
            unexpected.append(f"{claim} was not swept in float32")
    return unexpected


def swept(work: Work, claim: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit code of `adaface-ref claims`, and a row for each sweep made now."""
    file = work.file.with_name(f"{claim}.json")
    effort = "quick" if work.rehearse else "thorough"  # quick: the half types alone
    command = [sys.executable, "-m", "adaface_ref", "claims", claim]
    command += ["--effort", effort, "--device", work.device, "--json", str(file)]
    code = subprocess.run(command, check=False).returncode
    verdicts = json.loads(file.read_text("utf-8"))["claims"] if file.exists() else []
    return code, [
        figures(verdict, row)
        for verdict in verdicts
        for row in verdict["sweeps"]
        if not row["kept"]
    ]


def figures(verdict: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    """What is told of a sweep."""
    names = ("domain", "dtype", "device", "total", "holds", "fails", "open", "oracle")
    return {
        "claim": verdict["id"],
        "verdict": verdict["verdict"],
        **{name: row[name] for name in names},
        "seconds": round(row["seconds"], 3),
        "points_per_second": round(row["total"] / max(row["seconds"], 1e-9)),
    }


def problems(row: dict[str, Any], work: Work) -> list[str]:
    """Why a sweep is not as it should be."""
    what = f"{row['claim']}, {row['dtype']}"
    found = []
    if row["holds"] != row["total"]:
        found.append(f"{what}: fails at {row['fails']}, open at {row['open']}")
    if row["device"] != work.device:
        found.append(f"{what}: swept on {row['device']}")
    return found

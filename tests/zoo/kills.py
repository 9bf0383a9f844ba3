"""Judges every planted head and keeps which check killed it, and after how many points.

From tests/: python -m zoo.kills [--points 100000] [--processes 1] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from adaface_ref.report.report import FAILED, Report
from zoo.planting import Wrong
from zoo.registry import wrong
from zoo.warm import Job, judge_all

KEPT = Path(__file__).resolve().parents[2] / "benchmarks" / "results" / "kills.json"

SEED = 0


def kill(report: Report, row: Wrong) -> dict[str, Any]:
    """How a planted head fell.

    Args:
        report: the gate's.
        row: what is known of the head.

    Returns:
        The named check's status, points until it failed, and all checks that failed.
    """
    found = {outcome.check: outcome for outcome in report.outcomes}
    named = found.get(row.check)
    return {
        "named": row.check,
        "caught": named is not None and named.status == row.status,
        "points": named.compared if named is not None else 0,
        "killers": [c for c, outcome in found.items() if outcome.status == FAILED],
    }  # fmt: skip


def summary(kills: dict[str, dict[str, Any]]) -> str:
    """Two lines: how many were caught, and after how many points."""
    caught = [row for row in kills.values() if row["caught"]]
    named = Counter(row["named"] for row in caught)
    points = sorted(row["points"] for row in caught)
    by_check = ", ".join(f"{check} {count}" for check, count in named.most_common())
    middle = statistics.median(points) if points else float("nan")
    return (
        f"{len(caught)} of {len(kills)} planted heads caught by the check that names "
        f"them; points until the kill: median {middle:g}, most {max(points, default=0)}"
        f"\n{by_check}"
    )


def main(arguments: list[str] | None = None) -> int:
    """Judge them all; 1 if one got away."""
    parser = argparse.ArgumentParser(prog="python -m zoo.kills", description=__doc__)
    parser.add_argument("--points", type=int, default=100_000)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--only", default="", help="targets that contain this")
    parser.add_argument("--json", type=Path, default=KEPT)
    options = parser.parse_args(arguments)
    heads = {
        name: row
        for name, row in wrong().items()
        if options.only in name and _is_judged(row)
    }
    jobs = [
        Job(target, row.loss, SEED, options.points, "auto", row.arguments, row.dtypes)
        for target, row in heads.items()
    ]
    kills = {}
    for job, report in judge_all(jobs, options.processes):
        found = kills[job.target] = kill(report, heads[job.target])
        if not found["caught"]:
            named, killers = found["named"], found["killers"]
            print(f"{job.target}: not caught by {named}, but by {killers}", flush=True)
    print(summary(kills))
    _keep(options.json, options.points, kills)
    return int(not all(row["caught"] for row in kills.values()))


def _is_judged(row: Wrong) -> bool:
    """Whether a head shows at `quick`, on any machine."""
    return row.effort == "quick" and row.device == "cpu"


def _keep(file: Path, points: int, kills: dict[str, dict[str, Any]]) -> None:
    """Write kills to a file, a line each; those of other heads stay in it."""
    if file.exists():
        before = json.loads(file.read_text())
        if before["points"] == points:
            kills = {
                k: v
                for k, v in before["kills"].items()
                if k in wrong() and _is_judged(wrong()[k])
            } | kills
    rows = [f"{json.dumps(name)}: {json.dumps(kills[name])}" for name in sorted(kills)]
    head = f'{{"points": {points}, "seed": {SEED}, "kills": {{'
    file.write_text(head + "\n" + ",\n".join(rows) + "\n}}\n")


if __name__ == "__main__":
    sys.exit(main())

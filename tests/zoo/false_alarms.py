"""Judges every exact head with many seeds: one that fails is a false alarm.

From tests/: python -m zoo.false_alarms [--seeds 1000] [--points 10000] [--processes 2]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

from adaface_ref.gate.report import ERROR, FAILED
from zoo.registry import exact
from zoo.warm import Job, judge_all


def jobs(
    first: int, seeds: int, points: int, only: str = "", profile: bool = True
) -> Iterator[Job]:
    """Every exact head with every seed.

    Args:
        first: the first seed.
        seeds: how many.
        points: points a value check.
        only: targets that contain this.
        profile: whether pinned profiles are pinned.

    Yields:
        The runs, all heads with one seed before the next.
    """
    for seed in range(first, first + seeds):
        for target, row in exact().items():
            if only in target:
                pinned = row.profile if profile else "auto"
                yield Job(target, row.loss, seed, points, pinned, row.arguments)


def main(arguments: list[str] | None = None) -> int:
    """Judge them all; 1 if there was a false alarm."""
    name = "python -m zoo.false_alarms"
    parser = argparse.ArgumentParser(prog=name, description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--points", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", default="", help="targets that contain this")
    options = parser.parse_args(arguments)
    planned = jobs(options.first, options.seeds, options.points, options.only)
    alarms, done = 0, 0
    for job, report in judge_all(planned, options.processes):
        done += 1
        if report.exit_code:
            alarms += 1
            bad = [o for o in report.outcomes if o.status in (FAILED, ERROR)]
            told = "; ".join(f"{o.check}: {o.detail}" for o in bad)
            print(f"{job.target} seed {job.seed}: {told}", flush=True)
        if done % 500 == 0:
            print(f"{done} runs, {alarms} false alarms", flush=True)
    heads = sum(options.only in target for target in exact())
    print(f"{alarms} false alarms in {done} runs: {heads} heads, {options.seeds} seeds")
    return int(alarms > 0 or not done)


if __name__ == "__main__":
    sys.exit(main())

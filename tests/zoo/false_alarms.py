"""Judges every exact head with many seeds: one that fails is a false alarm.

From tests/: python -m zoo.false_alarms [--seeds 1000] [--points 10000] [--spanning]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Iterable, Iterator

from adaface_ref.report.report import ERROR, FAILED
from zoo.registry import exact
from zoo.warm import Job, judge_all

SPANNING = (
    "zoo.exact.heads:normface",
    "zoo.exact.heads:cosface_factory",
    "zoo.exact.heads:CosFaceLoss",
    "zoo.exact.heads:arcface_acos",
    "zoo.exact.heads:AdaFaceHead",
    "zoo.exact.heads:combined",
    "zoo.exact.behaviour:LossOfEachRow",
    "zoo.exact.behaviour:IgnoresMinusOne",
    "zoo.exact.profiles:arcface_easy_clamped",
    "zoo.exact.profiles:arcface_reflect",
    "zoo.exact.profiles:arcface_min",
    "zoo.exact.profiles:magface_fallback_plain",
    "zoo.exact.profiles:magface_clip",
    "zoo.exact.profiles:adaface_official",
    "zoo.exact.shapes:BySimilarity",
    "zoo.exact.shapes:UnseenInABox",
    "zoo.exact.ways:CurricularFaceHead",
    "zoo.exact.ways:sphereface_acos",
    "adaface_ref.torch_heads:ArcFace",
    "adaface_ref.torch_heads:MagFace",
)
"""Twenty of them, of every loss, in every shape and under every outside rule."""


def jobs(seeds: Iterable[int], points: int, targets: Collection[str]) -> Iterator[Job]:
    """These exact heads with every seed.

    Args:
        seeds: of the runs.
        points: points a value check.
        targets: which exact heads.

    Yields:
        The runs, all heads with one seed before the next.
    """
    heads = exact()
    for seed in seeds:
        for target in targets:
            row = heads[target]
            yield Job(target, row.loss, seed, points, row.profile, row.arguments)


def main(arguments: list[str] | None = None) -> int:
    """Judge them all; 1 if there was a false alarm."""
    name = "python -m zoo.false_alarms"
    parser = argparse.ArgumentParser(prog=name, description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--points", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", default="", help="targets that contain this")
    told = "the twenty that span losses, shapes and outside rules"
    parser.add_argument("--spanning", action="store_true", help=told)
    options = parser.parse_args(arguments)
    every = SPANNING if options.spanning else tuple(exact())
    heads = [target for target in every if options.only in target]
    seeds = range(options.first, options.first + options.seeds)
    planned = jobs(seeds, options.points, heads)
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
    print(
        f"{alarms} false alarms in {done} runs: {len(heads)} heads, {len(seeds)} seeds"
    )
    return int(alarms > 0 or not done)


if __name__ == "__main__":
    sys.exit(main())

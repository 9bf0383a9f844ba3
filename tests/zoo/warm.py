"""Judges many heads in processes that import torch once each."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from adaface_ref.gate.head.settings import Head
from adaface_ref.report.report import Report


class Job(NamedTuple):
    """One run of the gate.

    Args:
        target: the head.
        loss: its loss.
        seed: draws the points.
        points: points a value check.
        profile: `auto`, or the profile that it must have.
        arguments: what it is judged with.
        dtypes: in which it is judged.
    """

    target: str
    loss: str
    seed: int
    points: int
    profile: str = "auto"
    arguments: Mapping[str, object] = {}
    dtypes: tuple[str, ...] = ("float32", "float64")


def judged(job: Job) -> tuple[Job, Report]:
    """Run the gate at quick effort, with a number of points of one's own."""
    from adaface_ref.choices import EFFORTS
    from adaface_ref.gate.checks.runner import run_gate

    usual = EFFORTS["quick"]
    EFFORTS["quick"] = job.points
    try:
        report = run_gate(
            Head(
                job.target,
                loss=job.loss,
                profile=job.profile,
                dtypes=job.dtypes,
                seed=job.seed,
                effort="quick",
                arguments=job.arguments,
            )
        )
    finally:
        EFFORTS["quick"] = usual
    return job, report


def judge_all(jobs: Iterable[Job], processes: int) -> Iterator[tuple[Job, Report]]:
    """Judge in warm processes, in whatever order they end.

    Args:
        jobs: the runs.
        processes: how many at a time; 1 runs here.

    Yields:
        Each run and its report.
    """
    if processes == 1:
        yield from map(judged, jobs)
        return
    context = multiprocessing.get_context("spawn")
    with context.Pool(processes, _one_thread) as pool:
        yield from pool.imap_unordered(judged, jobs, chunksize=4)


def _one_thread() -> Any:
    """Several processes share the cores: more threads would only wait."""
    import torch

    torch.set_num_threads(1)

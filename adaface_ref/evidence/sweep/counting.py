"""The cosines of a range, counted in tasks by threads, and handed on in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import NamedTuple

import torch

from adaface_ref.evidence.sweep.cosines import cosines_of
from adaface_ref.evidence.sweep.decider import Decider

CHUNK = {"cpu": 24_576, "cuda": 2**22}
"""Cosines at once: on CPU they stay in cache, and below the 32768 from which torch
would start threads of its own."""

TASK = 2**20
"""Cosines a task, about; the unit of progress."""

MOST_DOUBTFUL = 10**6
"""More than this the oracle is not asked: the bound is too wide for the claim."""

SHOWN = 8
"""The lowest failing cosines that are kept, beside the highest."""


class Part(NamedTuple):
    """What one task found.

    Args:
        stop: the index after the last one.
        holds: how many certainly do.
        fails: how many certainly do not.
        lowest: the first few that fail.
        highest: the last one that does, at most one.
        doubtful: those to ask the oracle about.
        sample: one that is certain, at most one, and whether the claim holds there.
    """

    stop: int
    holds: int
    fails: int
    lowest: tuple[float, ...]
    highest: tuple[float, ...]
    doubtful: tuple[float, ...]
    sample: tuple[tuple[float, bool], ...]


def count_in_order(
    decide: Decider, dtype: str, device: str, left: range
) -> Generator[Part, None, None]:
    """The tasks' results in order, computed a few ahead by threads."""
    step = max(TASK, CHUNK[device])
    tasks = iter([left[at : at + step] for at in range(0, len(left), step)])
    count = partial(_count, decide, dtype, device)
    workers = _workers(device)
    with ThreadPoolExecutor(workers) as pool:

        def submit(ahead: int) -> list[Future[Part]]:
            return [pool.submit(count, task) for task in islice(tasks, ahead)]

        waiting = deque(submit(2 * workers))
        try:
            while waiting:
                part = waiting.popleft().result()
                waiting.extend(submit(1))
                yield part
        finally:
            pool.shutdown(cancel_futures=True)


def _workers(device: str) -> int:
    """Threads: one a core that this process may use, and one for a GPU."""
    if device != "cpu":
        return 1
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


@torch.inference_mode()
def _count(decide: Decider, dtype: str, device: str, part: range) -> Part:
    holds = fails = 0
    lowest: list[float] = []
    highest: list[float] = []
    doubtful: list[float] = []
    sample: list[tuple[float, bool]] = []
    for start in range(part.start, part.stop, CHUNK[device]):
        chunk = range(start, min(start + CHUNK[device], part.stop))
        cosines = cosines_of(dtype, chunk, device)
        true, false = decide(cosines)
        held, failed = int(true.count_nonzero()), int(false.count_nonzero())
        holds, fails = holds + held, fails + failed
        if failed:
            found = cosines[false]
            lowest += found[: SHOWN - len(lowest)].tolist()
            highest = found[-1:].tolist()
        if held + failed < len(chunk):
            doubtful += cosines[~(true | false)].tolist()
        elif not sample:
            middle = len(chunk) // 2
            sample = [(float(cosines[middle]), bool(true[middle]))]
        if len(doubtful) > MOST_DOUBTFUL:
            break
    return Part(
        part.stop,
        holds,
        fails,
        tuple(lowest),
        tuple(highest),
        tuple(doubtful),
        tuple(sample),
    )


def too_many(part: Part, dtype: str) -> str:
    return (
        f"more than {MOST_DOUBTFUL} {dtype} cosines are too close to tell in float64, "
        f"the last of them near {part.doubtful[-1]!r}"
    )

"""How many points a second the search looks at, and a scalar Hypothesis test beside it.

Run from the checkout:
pytest benchmarks/test_search_speed.py --benchmark-json=benchmarks/results/search.json
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pytest_benchmark.fixture import BenchmarkFixture

from adaface_ref.evidence.problem.problem import Problem, box_of, problems_of
from adaface_ref.evidence.search.candidates import Hunt
from adaface_ref.evidence.search.sampling import LINE, ROWS
from adaface_ref.evidence.search.search import find_axes

BLOCKS = 640
EXAMPLES = 300
ROUNDS = 7

WIDE = "margin_scaler in [-1, 1], rival_cosine in [-1, 1], scale in [16, 128]"
CLAIMS = {
    "sign under clip": ("gst <= 0", "clip", WIDE),
    "size under clip": ("abs(gst) <= 1300", "clip", WIDE),
    "size": ("abs(gst) <= 200", "pure", f"target_cosine in [-0.9, 0.9], {WIDE}"),
}
"""Claims on AdaFace's GST; the first's sign needs no P, the others' size does."""


def claim_of(row: str) -> Problem:
    formula, profile, box = CLAIMS[row]
    (claim,) = problems_of(formula, "adaface", profile, box_of(formula, "adaface", box))
    return claim


def look_at_blocks(claim: Problem) -> int:
    """Looks at so many blocks as a search does, and asks no balls."""
    claim, axes = find_axes(claim)
    hunt = Hunt(claim, axes, 0)
    for _ in hunt.look_in_bulk(axes, 0, BLOCKS * ROWS, 0):
        pass
    return hunt.points


def one_by_one(claim: Problem) -> float:
    """Points a second of the same claim as a scalar Hypothesis test."""
    claim, axes = find_axes(claim)
    screen = Hunt(claim, axes, 0).screen
    floats = {axis.name: st.floats(axis.low, axis.high) for axis in axes}
    count = 0

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(**floats)
    def holds(**point: float) -> None:
        nonlocal count
        count += 1
        screen.fails(point)

    start = time.perf_counter()
    holds()
    return count / (time.perf_counter() - start)


@pytest.mark.parametrize("row", CLAIMS)
@pytest.mark.benchmark(group="a claim on the gst of adaface", warmup=True)
def test_points_of_a_claim(
    benchmark: BenchmarkFixture, keep_speed: Callable[[str, int], float], row: str
) -> None:
    claim = claim_of(row)
    points = benchmark.pedantic(
        look_at_blocks, (claim,), rounds=ROUNDS, warmup_rounds=1
    )
    assert points == BLOCKS * ROWS * LINE
    a_second = keep_speed("points", points)
    scalar = statistics.median(one_by_one(claim) for _ in range(ROUNDS))
    benchmark.extra_info["points_per_second_by_hypothesis"] = scalar
    benchmark.extra_info["times_hypothesis"] = a_second / scalar

"""How many certified GSTs a second one core gives, by where the points lie.

Run from the checkout:
pytest benchmarks/test_oracle_speed.py --benchmark-json=benchmarks/results/oracle.json
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from adaface_ref import numpy_reference
from adaface_ref.evidence.truth.oracle import CERTIFIED, certify
from adaface_ref.points import block

SIZE = 20_000
FREE = {"target_cosine": (-1.0, 1.0), "scale": (1.0, 512.0), "margin": (0.0, 1.57)}

Columns = dict[str, np.ndarray]


def uniform() -> Columns:
    rng = np.random.default_rng(0)
    columns = {name: rng.uniform(*limits, SIZE) for name, limits in FREE.items()}
    columns["rival_cosine"] = rng.uniform(-1, 1.2, SIZE)
    columns["margin_scaler"] = rng.uniform(-1, 1, SIZE)
    return columns


def next_to_the_poles() -> Columns:
    rng = np.random.default_rng(1)
    side = rng.choice((-1.0, 1.0), SIZE)
    return {**uniform(), "target_cosine": side * (1 - rng.integers(1, 9, SIZE) / 2**53)}


def next_to_the_zeros_of_the_slope() -> Columns:
    columns = uniform()
    turned = columns["margin"] * np.abs(columns["margin_scaler"])
    zero = np.where(columns["margin_scaler"] > 0, turned, np.pi - turned)
    return {**columns, "target_cosine": np.cos(zero)}


def easy_with_subnormal_results() -> Columns:
    rng = np.random.default_rng(2)
    return {
        **uniform(),
        "scale": rng.uniform(400, 512, SIZE),
        "margin": np.full(SIZE, 0.01),
        "rival_cosine": np.full(SIZE, -1.0),
        "target_cosine": rng.uniform(0.7, 0.9, SIZE),
    }


def a_block_with_its_corners() -> Columns:
    return block("adaface", 0, size=SIZE)


PLACES = (
    uniform,
    next_to_the_poles,
    next_to_the_zeros_of_the_slope,
    easy_with_subnormal_results,
    a_block_with_its_corners,
)


@pytest.mark.parametrize("profile", ["pure", "clip"])
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
@pytest.mark.benchmark(group="certified gst of adaface", warmup=True)
def test_certified_gst(
    benchmark: BenchmarkFixture,
    keep_speed: Callable[[str, int], float],
    place: Callable[[], Columns],
    profile: str,
) -> None:
    columns = place()
    truth = benchmark.pedantic(
        certify, ("gst", "adaface", profile, columns), rounds=7, warmup_rounds=1
    )
    size = truth.value.size
    assert np.mean(truth.status == CERTIFIED) > 0.98
    keep_speed("points", size)


@pytest.mark.benchmark(group="predictor")
def test_predicted_gst(
    benchmark: BenchmarkFixture, keep_speed: Callable[[str, int], float]
) -> None:
    columns = uniform()
    benchmark.pedantic(
        lambda: numpy_reference.gst("adaface", **columns), rounds=7, warmup_rounds=1
    )
    keep_speed("points", SIZE)

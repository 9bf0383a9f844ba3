"""Benchmarks: what is kept of the machine, and points a second beside the times."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

KEPT = ("python_version", "machine", "processor", "system")


def pytest_benchmark_update_machine_info(
    config: object, machine_info: dict[str, Any]
) -> None:
    """Keeps what a reader needs to compare, and no name of a host."""
    cpu = machine_info.get("cpu", {})
    for name in set(machine_info) - set(KEPT):
        del machine_info[name]
    machine_info["cpu"] = {name: cpu.get(name) for name in ("brand_raw", "count")}
    machine_info["packages"] = {
        name: version(name) for name in ("numpy", "sympy", "torch", "python-flint")
    }


def pytest_benchmark_update_commit_info(
    config: object, commit_info: dict[str, Any]
) -> None:
    """Keeps the commit alone."""
    for name in set(commit_info) - {"id", "dirty"}:
        del commit_info[name]


@pytest.fixture
def keep_speed(benchmark: BenchmarkFixture) -> Callable[[str, int], float]:
    """Keeps how many of something were done, and how many a second: the median."""

    def keep(what: str, count: int) -> float:
        assert benchmark.stats is not None
        speed = float(count / benchmark.stats.stats.median)
        benchmark.extra_info[what] = count
        benchmark.extra_info[f"{what}_per_second"] = speed
        return speed

    return keep

"""Hypothesis profiles, the `device` fixture and a header: what runs, and on what."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version

import pytest
import torch
from hypothesis import HealthCheck, settings

REPORTED = ("numpy", "sympy", "torch", "python-flint", "hypothesis")

# An example of ours judges a block of points, which no deadline in milliseconds fits.
settings.register_profile("dev", deadline=None, max_examples=25)
# Derandomised: the same examples on every run and on every pytest-xdist worker.
settings.register_profile(
    "ci",
    deadline=None,
    max_examples=100,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "thorough",
    deadline=None,
    max_examples=2_000,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
# --hypothesis-profile is Hypothesis's own option, applied after this and so stronger.
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


def _seed(config: pytest.Config) -> str:
    if settings.default is not None and settings.default.derandomize:
        return "derandomised"
    given = config.getoption("--hypothesis-seed", default=None)
    return "random" if given is None else str(given)


def _cuda() -> str:
    if not torch.cuda.is_available():
        return "none"
    return f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}"


def pytest_report_header(config: pytest.Config) -> list[str]:
    versions = [f"python {platform.python_version()}"]
    versions += [f"{name} {version(name)}" for name in REPORTED]
    profile = settings.get_current_profile_name()
    return [
        f"adaface-ref {version('adaface-ref')}: {', '.join(versions)}",
        f"devices: cpu ({platform.machine()}, {os.cpu_count()} cores), cuda: {_cuda()}",
        f"hypothesis profile {profile}, seed {_seed(config)}",
    ]


@pytest.fixture(
    scope="session", params=["cpu", pytest.param("cuda", marks=pytest.mark.cuda)]
)
def device(request: pytest.FixtureRequest) -> str:
    """Each device that torch tests run on; CUDA is skipped where there is none."""
    name: str = request.param
    if name == "cuda" and not torch.cuda.is_available():
        pytest.skip("needs CUDA: torch.cuda.is_available() is False")
    return name

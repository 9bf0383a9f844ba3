"""What the figures were made on.

`python -m cuda_parts.machine` prints what only torch knows: asked in another process,
so that the one that waits for the parts holds no memory of the GPU.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

PACKAGES = (
    *("torch", "triton", "numpy", "sympy", "mpmath", "python-flint", "hypothesis"),
    *("pytest", "pytest-xdist", "click", "rich"),
)
"""All but triton and pytest-xdist are needed by some part."""


def describe_machine(env: Mapping[str, str]) -> dict[str, Any]:
    """The machine, its GPU, and what is installed.

    Args:
        env: environment variables of the parts.

    Returns:
        A dictionary of JSON types; `device` is None where torch has no CUDA device.
    """
    command = [sys.executable, "-m", "cuda_parts.machine"]
    asked = subprocess.run(
        command, env=env, capture_output=True, text=True, check=False, timeout=120
    )
    if asked.returncode:
        told = {"device": None, "error": (asked.stderr.splitlines() or [""])[-1]}
    else:
        told = json.loads(asked.stdout.splitlines()[-1])
    return {
        **told,
        "driver": driver(),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "packages": {name: installed(name) for name in PACKAGES},
    }


def installed(package: str) -> str | None:
    """A package's version, None if it is not there."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def driver() -> str | None:
    """The version of NVIDIA's driver, as its own tool tells it."""
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        asked = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=30
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return asked.stdout.strip() or None


def describe_device() -> dict[str, Any]:
    """The CUDA device that torch takes by default, if any."""
    import torch

    if not torch.cuda.is_available():
        return {"device": None, "cuda": torch.version.cuda}
    row = torch.cuda.get_device_properties(0)
    return {
        "device": row.name,
        "cuda": torch.version.cuda,
        "capability": f"{row.major}.{row.minor}",
        "memory_gib": round(row.total_memory / 2**30, 1),
        "multiprocessors": row.multi_processor_count,
    }


if __name__ == "__main__":
    print(json.dumps(describe_device()))

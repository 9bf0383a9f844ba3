"""The checkout as an installation would lay it out: spec/ inside adaface_ref/."""

from __future__ import annotations

import os
import shutil
import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def lay_out(checkout: Path, folder: Path) -> None:
    """Copies what the parts import, so that nothing needs to be installed.

    Args:
        checkout: where spec/ and adaface_ref/ stand beside each other.
        folder: an empty one, to be put on PYTHONPATH.
    """
    without = shutil.ignore_patterns("__pycache__")
    for source, place in (
        ("adaface_ref", "adaface_ref"),
        ("spec", "adaface_ref/spec"),
        ("benchmarks/cuda_parts", "cuda_parts"),
    ):
        shutil.copytree(
            checkout / source, folder / place, ignore=without, dirs_exist_ok=True
        )
    text = (checkout / "pyproject.toml").read_text(encoding="utf-8")
    version = tomllib.loads(text)["project"]["version"]
    about = folder / f"adaface_ref-{version}.dist-info"  # importlib.metadata asks it
    about.mkdir()
    told = f"Metadata-Version: 2.1\nName: adaface-ref\nVersion: {version}\n"
    (about / "METADATA").write_text(told, encoding="utf-8")


def environment(folder: Path, *, rehearse: bool) -> dict[str, str]:
    """What the parts' processes are started with.

    Args:
        folder: where `lay_out` copied to.
        rehearse: whether to hide the GPU.

    Returns:
        Environment variables.
    """
    paths = [str(folder), os.environ.get("PYTHONPATH", "")]
    # Processes fill the cores, not threads; a GPU does what is heavy.
    given = {"OMP_NUM_THREADS": "1", **os.environ}
    given["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    given["PYTHONSAFEPATH"] = "1"  # the checkout's adaface_ref/ has no spec in it
    given["PYTHONUNBUFFERED"] = "1"
    given["HYPOTHESIS_STORAGE_DIRECTORY"] = str(folder / "hypothesis")
    given["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    if rehearse:
        given["CUDA_VISIBLE_DEVICES"] = ""
    return given


def commit_of(checkout: Path) -> Mapping[str, Any]:
    """Which commit a checkout is, and whether anything departs from it.

    Args:
        checkout: its folder.

    Returns:
        `commit` and `dirty`, both None where git cannot tell.
    """
    try:
        head, changes = (
            subprocess.run(
                ["git", *arguments],
                cwd=checkout,
                capture_output=True,
                text=True,
                check=True,
                timeout=20,
            ).stdout.strip()
            for arguments in (("rev-parse", "HEAD"), ("status", "--porcelain"))
        )
    except (OSError, subprocess.SubprocessError):
        return {"commit": None, "dirty": None}
    return {"commit": head, "dirty": bool(changes)}

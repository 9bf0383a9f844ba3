"""pytest options for judging a head. Loaded in every pytest, so it imports nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

HELP = {
    "loss": ("NAME", "its loss, such as arcface"),
    "profile": ("PROFILE", "the profile that it must have (auto)"),
    "adapter": ("NAME", "how to call it, if that is not recognised"),
    "effort": ("EFFORT", "quick, normal or thorough (normal)"),
    "seed": ("N", "draws the points (0)"),
    "config": (
        "FILE",
        "where [tool.adaface-ref] stands (pyproject.toml of the rootdir)",
    ),
}
"""Options with one value: what it is, and what for."""

LISTS = {
    "arg": ("NAME=VALUE", "an argument of the head; may be repeated"),
    "dtype": ("DTYPE", "judge in it; may be repeated (float32 and float64)"),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --head and the options that go with it."""
    group = parser.getgroup("adaface-ref", "judge a loss head (adaface_ref.gate)")
    group.addoption(
        "--head",
        metavar="TARGET",
        help="package.module:name or path/file.py:name, with "
        "pytest --pyargs adaface_ref.gate; without it, every head of the configuration",
    )
    for name, (metavar, words) in HELP.items():
        group.addoption(f"--head-{name}", metavar=metavar, help=words)
    for name, (metavar, words) in LISTS.items():
        group.addoption(
            f"--head-{name}", action="append", default=[], metavar=metavar, help=words
        )

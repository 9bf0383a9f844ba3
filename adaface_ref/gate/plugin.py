"""pytest options for judging a head. Loaded in every pytest, so it imports nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --head, --head-loss, --head-profile and --head-effort."""
    group = parser.getgroup("adaface-ref", "judge a loss head (adaface_ref.gate)")
    group.addoption(
        "--head",
        metavar="TARGET",
        help="package.module:name or path/file.py:name, with "
        "pytest --pyargs adaface_ref.gate",
    )
    group.addoption("--head-loss", metavar="NAME", help="its loss, such as arcface")
    group.addoption(
        "--head-profile",
        metavar="PROFILE",
        default="auto",
        help="the profile that it must have (auto)",
    )
    group.addoption(
        "--head-effort",
        metavar="EFFORT",
        default="normal",
        help="quick, normal or thorough (normal)",
    )

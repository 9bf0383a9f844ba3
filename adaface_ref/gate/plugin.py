"""pytest options for judging a head. Every pytest loads this: it imports little."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adaface_ref.errors import DomainError
from adaface_ref.gate.head.settings import SETTINGS, Setting, parse_arguments

if TYPE_CHECKING:
    import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --head and the options that go with it."""
    group = parser.getgroup("adaface-ref", "judge a loss head (adaface_ref.gate)")
    group.addoption(
        "--head",
        metavar="TARGET",
        help="package.module:name or path/file.py:name, with "
        "pytest --pyargs adaface_ref.gate; without it, every head of the configuration",
    )
    group.addoption(
        "--head-config",
        metavar="FILE",
        help="where [tool.adaface-ref] stands (pyproject.toml of the rootdir)",
    )
    for row in SETTINGS:
        if not row.isolates:
            group.addoption(f"--head-{row.flag}", **_as_pytest_has_it(row))


def settings_of(config: pytest.Config) -> dict[str, Any]:
    """A head's settings that pytest's options give.

    Args:
        config: pytest's.

    Returns:
        Values by the name of Head's field.

    Raises:
        DomainError: for a text that is no value of its setting.
    """
    found: dict[str, Any] = {}
    for row in SETTINGS:
        value: Any = None if row.isolates else config.getoption(f"head_{row.flag}")
        if not value:
            continue
        if row.name == "seed":
            if not value.isdecimal():
                must = f"{row.must} [gate]"
                raise DomainError(f"--head-seed={value}, but must be {must}")
            value = int(value)
        if row.name == "arguments":
            value = parse_arguments(value)
        found[row.name] = tuple(value) if isinstance(value, list) else value
    return found


def _as_pytest_has_it(row: Setting) -> dict[str, Any]:
    words = row.help[0].lower() + row.help[1:].rstrip(".")
    if row.name == "strict":
        return {"action": "store_true", "default": False, "help": words}
    if row.many or row.name == "arguments":
        return {"action": "append", "default": [], "metavar": row.metavar,
                "help": words}  # fmt: skip
    return {"metavar": row.metavar, "help": words}

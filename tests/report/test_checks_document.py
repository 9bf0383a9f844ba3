"""docs/checks.md is made from the checks' own files; the catalogue reads them right."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from adaface_ref.gate import checks as of_heads
from adaface_ref.ports import checks as of_ports
from adaface_ref.report.catalogue import GATE, PORTS, Check, Entry, catalogue

DOCS = Path(__file__).resolve().parents[2] / "docs"
TEXT = (DOCS / "checks.md").read_text(encoding="utf-8")
ENTRIES = catalogue(GATE)
CHECKS: dict[str, tuple[Check[Any, Any], ...]] = {
    GATE: of_heads.CHECKS,
    PORTS: (*of_ports.CONVERSATION_CHECKS, *of_ports.CHECKS),
}


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    """docs/make_checks.py."""
    spec = importlib.util.spec_from_file_location(
        "make_checks", DOCS / "make_checks.py"
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_document_is_what_the_checks_files_say(maker: ModuleType) -> None:
    """The samples apart, whose digits hang on the machine."""
    assert maker.page(maker.samples_in(TEXT)) == TEXT, "run python docs/make_checks.py"


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_the_sample_of_a_check_is_of_its_planted_head(
    entry: Entry, maker: ModuleType
) -> None:
    _, row = maker.planted_for(entry)
    status = row.status if row.device == "cpu" else "skipped"
    sample = maker.samples_in(TEXT)[entry.id]
    assert sample.startswith(f"{status}  {entry.id}  ")


@pytest.mark.parametrize("entry", catalogue(PORTS), ids=lambda entry: entry.id)
def test_the_sample_of_a_check_of_ports_is_of_a_violation(
    entry: Entry, maker: ModuleType
) -> None:
    status = "error" if entry.id == "protocol" else "failed"
    sample = maker.samples_in(TEXT)[maker.title_of(entry, PORTS)]
    assert sample.startswith(f"{status}  {entry.id}  ")


@pytest.mark.parametrize("package", [GATE, PORTS])
def test_the_catalogue_says_what_the_checks_themselves_say(package: str) -> None:
    told = [
        (e.id, e.claim, e.explanation, e.lacking, e.effort, e.severity, e.accept)
        for e in catalogue(package)
    ]
    assert told == [
        (
            *(check.id, check.claim, check.explanation),
            tuple(need.lacking for need in check.row.needs),
            *(check.row.effort, check.row.severity, check.row.accept),
        )
        for check in CHECKS[package]
    ]


@pytest.mark.parametrize("package", [GATE, PORTS])
def test_every_file_of_a_check_is_joined(package: str) -> None:
    folder = DOCS.parent.joinpath(*package.split("."))
    with_rows = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*.py")
        if "\nROW = " in path.read_text(encoding="utf-8")
    }
    assert with_rows == {entry.file for entry in catalogue(package)}

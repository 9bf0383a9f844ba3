"""An outside rule is its pieces and a row in three forms; the rest takes it up."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from held_rule import ID, held_rule

from adaface_ref.choices import DTYPES
from adaface_ref.evidence.truth.agreement import Question, quantities_of
from adaface_ref.evidence.truth.forms import (
    Cell,
    compare,
    defined_cells,
    numpy_values,
    torch_values,
)
from adaface_ref.evidence.verdict import decide
from adaface_ref.gate.checks.runner import run_gate
from adaface_ref.gate.head.settings import Head
from adaface_ref.points import block, corner_count
from adaface_ref.report.report import FAILED
from adaface_ref.spec.language.files import asked

__all__ = ["held_rule"]

CELL = Cell("arcface", ID)

pytestmark = pytest.mark.usefixtures("held_rule")


def test_it_is_a_cell() -> None:
    assert {CELL, Cell("arcface", f"{ID}:detached")} <= set(defined_cells())


def test_points_lie_on_its_threshold() -> None:
    columns = block("arcface", 0, profile=ID, size=200)
    corners = corner_count("arcface", ID)
    assert corners > corner_count("arcface", "pure")
    gap = columns["target_cosine"] + np.cos(columns["margin"])
    assert np.sum(np.abs(gap[:corners]) < 1e-15) >= 9


@pytest.mark.parametrize("form", ["numpy", *DTYPES])
def test_both_forms_are_within_their_tolerance_of_the_spec(form: str) -> None:
    dtype = "float64" if form == "numpy" else form
    columns = block("arcface", 1, profile=ID, size=400, dtype=dtype)
    for quantity in quantities_of("arcface"):
        values = partial(torch_values, quantity, CELL, dtype=dtype)
        if form == "numpy":
            values = partial(numpy_values, quantity, CELL)
        question = Question(quantity, *CELL, dtype)
        found = compare(question, columns, values, certify_all=form == "numpy")
        assert not found.failures and found.compared > 200, str(found.failures[:1])


def test_a_claim_under_it_is_decided() -> None:
    verdict = decide(asked("slope >= 0", "arcface", ID, ""), effort="quick")
    assert verdict.name == "PROVED", verdict.detail


def test_the_gate_names_it() -> None:
    report = run_gate(Head("held_rule:head", loss="arcface", effort="quick"))
    assert report.profile == ID, report.identity
    assert not [row.check for row in report.outcomes if row.status == FAILED]

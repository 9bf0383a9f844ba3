"""A loss is its rows in three forms: put in the tables, everything takes it up."""

from __future__ import annotations

import runpy
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from x2_softmax import ID, X2Softmax, x2_softmax

from adaface_ref import numpy_reference, torch_heads
from adaface_ref.choices import DTYPES
from adaface_ref.cli import cli
from adaface_ref.evidence.truth.agreement import Question, quantities_of
from adaface_ref.evidence.truth.forms import (
    Cell,
    agreements,
    compare,
    defined_cells,
    numpy_values,
    torch_values,
)
from adaface_ref.evidence.verdict import decide
from adaface_ref.gate.checks.runner import run_gate
from adaface_ref.gate.head.settings import Head
from adaface_ref.pictures.pages.explore import vocabulary
from adaface_ref.points import block, corner_count, recommended
from adaface_ref.ports.export.export import export
from adaface_ref.ports.harness import Wish, judge_port
from adaface_ref.ports.vectors.rows import row_of
from adaface_ref.ports.vectors.tiers import full_questions
from adaface_ref.report.report import FAILED, Report
from adaface_ref.spec.language.files import asked
from adaface_ref.spec.losses import LOSSES

__all__ = ["x2_softmax"]

CHOOSE = Path(__file__).resolve().parents[2] / "benchmarks" / "choose_smoke.py"
CELL = Cell(ID, "pure")
USUAL: dict[str, Any] = {
    "scale": 64.0,
    "curvature": -0.25,
    "vertex": -0.3,
    "level": 1.0,
}

pytestmark = pytest.mark.usefixtures("x2_softmax")


def test_it_is_a_cell_and_has_its_recommended_values_in_every_form() -> None:
    assert CELL in defined_cells() and Cell(ID, "pure:detached") in defined_cells()
    assert recommended(ID) == numpy_reference.RECOMMENDED[ID] == USUAL
    names = tuple(symbol.name for symbol in LOSSES[ID].parameters)
    assert names == numpy_reference.PARAMETERS[ID] == torch_heads.PARAMETERS[ID]


@pytest.mark.parametrize("seed", range(3))
def test_the_reference_is_within_its_tolerance_of_the_spec(seed: int) -> None:
    columns = block(ID, seed, size=400)
    for quantity in quantities_of(ID):
        values = partial(numpy_values, quantity, CELL)
        found = compare(Question(quantity, *CELL), columns, values, certify_all=True)
        assert not found.failures and found.compared > 200, str(found.failures[:1])


@pytest.mark.parametrize("dtype", DTYPES)
def test_torch_is_within_its_tolerance_of_the_spec(dtype: str) -> None:
    columns = block(ID, 1, size=400, dtype=dtype)
    for quantity in quantities_of(ID):
        values = partial(torch_values, quantity, CELL, dtype=dtype)
        question = Question(quantity, *CELL, dtype)
        corners = corner_count(ID, "pure", dtype)
        found = compare(question, columns, values, corners=corners)
        assert not found.failures and found.compared > 200, str(found.failures[:1])


def test_its_agreement_is_a_row_of_verify() -> None:
    assert all(row.agrees for row in agreements(CELL, seed=0, size=50))


def test_torch_learns_by_its_exact_gradient() -> None:
    cosine = torch.linspace(-0.9, 0.9, 21, dtype=torch.float64).reshape(7, 3)
    cosine.requires_grad_()
    labels = torch.arange(7) % 3
    logits = torch_heads.margin_logits(ID, cosine, labels, **USUAL)
    loss = torch.nn.functional.cross_entropy(logits, labels, reduction="sum")
    (got,) = torch.autograd.grad(loss, cosine)
    batch = numpy_reference.batch(ID, cosine.detach().numpy(), labels.numpy(), **USUAL)
    np.testing.assert_allclose(got.numpy(), batch.gst, rtol=1e-12, atol=1e-14)


def test_its_head_trains() -> None:
    head = X2Softmax(8, 5)
    logits = head(torch.randn(4, 8), torch.arange(4))
    logits.sum().backward()
    gradient = head.weight.grad
    assert gradient is not None and bool(gradient.isfinite().all())


def test_a_claim_on_it_is_proved() -> None:
    verdict = decide(asked("gst <= 0", ID, "pure", ""), effort="quick")
    assert verdict.name == "PROVED", verdict.detail


def test_a_claim_on_it_is_refuted_with_a_witness() -> None:
    verdict = decide(asked("slope >= 1", ID, "pure", ""), effort="quick")
    assert verdict.name == "REFUTED" and verdict.witness is not None


def test_a_claim_may_name_its_own_quantities() -> None:
    box = "vertex in [-1, 0], rival_cosine=0.5"
    verdict = decide(asked("diff(logit, vertex) >= 0", ID, "pure", box), effort="quick")
    assert verdict.name == "PROVED", verdict.detail


def test_evaluate_and_list_show_it() -> None:
    at = ["evaluate", "--loss", ID, "--at", "target_cosine=0.99, vertex=-0.5"]
    shown = CliRunner().invoke(cli, at)
    assert shown.exit_code == 0 and "vertex" in shown.output, shown.output
    listed = CliRunner().invoke(cli, ["list", "losses"])
    assert ID in listed.output, listed.output


def judged(target: str, **settings: object) -> Report:
    return run_gate(Head(target, loss=ID, effort="quick", **settings))  # type: ignore[arg-type]


@pytest.mark.parametrize("target", ["x2_softmax:exact", "x2_softmax:X2Softmax"])
def test_the_gate_passes_an_exact_head(target: str) -> None:
    report = judged(target)
    assert report.exit_code == 0, str(report)


def test_the_gate_names_the_cause_in_a_head_without_a_margin() -> None:
    report = judged("x2_softmax:without_margin")
    (row,) = (row for row in report.outcomes if row.check == "margin-has-effect")
    assert row.status == FAILED
    assert row.findings[0].cause == "the margin has no effect"


def test_the_gate_fails_a_faulty_head() -> None:
    report = judged("x2_softmax:wrong_vertex")
    failed = {row.check for row in report.outcomes if row.status == FAILED}
    assert {"target-logit", "target-gst"} <= failed, str(report)


def test_its_export_is_a_port_that_passes(tmp_path: Path) -> None:
    if shutil.which("node") is None:
        pytest.skip("no node on this machine")
    export("javascript", tmp_path)
    wish = Wish([ID], points=500, stable=True)
    verdict = judge_port(("node", str(tmp_path / "port.js")), wish)
    assert [report.loss for report in verdict.all[1:]] == [ID, ID]
    assert all(report.exit_code == 0 for report in verdict.all), str(verdict)


def test_vectors_ask_about_it() -> None:
    questions = [question for question in full_questions() if question.loss == ID]
    rows = [row_of(question) for question in questions]
    assert rows and all(row["inputs"].keys() >= {"vertex"} for row in rows)


def test_faults_of_its_own_are_caught_by_chosen_vectors() -> None:
    choose = runpy.run_path(str(CHOOSE))
    found = choose["catches"](ID, choose["pools"](ID)[0])
    assert found["margin-without-effect", "logit"].any()


def test_the_page_to_play_with_has_its_controls() -> None:
    data = vocabulary()
    assert data["losses"][ID]["title"] == "X2-Softmax"
    assert data["ranges"]["vertex"] == (-1.5, 0.0, 0.01)
    assert data["usual"]["curvature"] == -0.25

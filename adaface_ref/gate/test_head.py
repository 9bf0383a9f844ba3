"""One test for each check: `pytest --pyargs adaface_ref.gate --head TARGET ...`."""

from __future__ import annotations

import pytest

from adaface_ref.gate.checks import CHECKS, Check, run_check
from adaface_ref.gate.material import Evidence
from adaface_ref.gate.report import ERROR, FAILED, SKIPPED, number
from adaface_ref.gate.runner import open_evidence
from adaface_ref.gate.targets import SubjectError, resolve


@pytest.fixture(scope="module")
def evidence(request: pytest.FixtureRequest) -> Evidence:
    """The head named by --head, opened once for all checks."""
    target, loss = (request.config.getoption(name) for name in ("head", "head_loss"))
    if not target:
        pytest.skip("no head to judge: give --head TARGET --head-loss NAME")
    if not loss:
        raise pytest.UsageError("--head-loss=None, but must name the loss of --head")
    try:
        return open_evidence(
            resolve(target),
            loss=loss,
            profile=request.config.getoption("head_profile"),
            adapter=None,
            device="cpu",
            dtypes=("float32", "float64"),
            seed=0,
            effort=request.config.getoption("head_effort"),
            arguments={},
        )
    except (SubjectError, ValueError) as error:
        pytest.fail(str(error), pytrace=False)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_head(check: Check, evidence: Evidence) -> None:
    """The head passes the check."""
    outcome = run_check(check, evidence)
    if outcome.status == SKIPPED:
        pytest.skip(outcome.detail)
    if outcome.status == ERROR:
        pytest.fail(outcome.detail, pytrace=False)
    if outcome.status == FAILED:
        texts = [finding.text(80) for finding in outcome.findings[: outcome.shown]]
        ratio = "" if outcome.ratio is None else number(outcome.ratio, "float32")
        lines = [outcome.claim, f"{outcome.detail} {ratio}".rstrip(), *texts]
        pytest.fail("\n".join(lines), pytrace=False)

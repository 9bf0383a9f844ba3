"""The gate finds the policy of running statistics, and every planted fault in it."""

from __future__ import annotations

import contextlib
import io
import math
import warnings
from functools import cache

import pytest
from gate_runs import failed, few_points, outcomes
from zoo.official_shapes import EXACT_STATISTICS
from zoo.wrong.statistics import WRONG_STATISTICS

from adaface_ref.gate.checks import CHECKS
from adaface_ref.gate.checks.execution import run_check
from adaface_ref.gate.checks.runner import open_evidence
from adaface_ref.gate.head.settings import Head
from adaface_ref.gate.head.target import resolve
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.report.report import Outcome

IDS = ("statistics-policy", "running-statistics", "norms-shape")
OURS = {"AdaFace": "adaface", "CurricularFace": "curricularface"}
EXACT = [
    *((f"zoo.official_shapes:{name}", loss) for name, loss in EXACT_STATISTICS.items()),
    *((f"adaface_ref.torch_heads:{name}", loss) for name, loss in OURS.items()),
    ("zoo.exact.heads:AdaFaceHead", "adaface"),
]
FLAT = "zoo.official_shapes:OfficialAdaFace"


@cache
def _evidence(target: str, loss: str, seed: int = 0, **arguments: object) -> Evidence:
    return open_evidence(
        resolve(target),
        Head(
            target,
            loss=loss,
            profile="auto",
            adapter=None,
            device="cpu",
            dtypes=("float64",),
            seed=seed,
            effort="quick",
            arguments=arguments,
        ),
    )


@cache
def _outcomes(
    target: str, loss: str, seed: int = 0, **arguments: object
) -> dict[str, Outcome]:
    """What the checks of statistics come to."""
    evidence = _evidence(target, loss, seed, **arguments)
    rows = [check for check in CHECKS if check.id in IDS]
    return {check.id: run_check(check, evidence) for check in rows}


def _planted(name: str, seed: int = 0) -> dict[str, Outcome]:
    loss = WRONG_STATISTICS[name].loss
    return _outcomes(f"zoo.wrong.statistics:{name}", loss, seed)


def _sentence(target: str, loss: str, **arguments: object) -> str:
    policy = _evidence(target, loss, **arguments).session.policy
    assert policy is not None
    return policy.sentence()


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(("target", "loss"), EXACT)
def test_exact_statistics_pass(target: str, loss: str, seed: int) -> None:
    found = _outcomes(target, loss, seed)
    assert {outcome.status for outcome in found.values()} <= {"ok", "skipped"}, found
    assert found["statistics-policy"].compared > 0
    assert found["running-statistics"].compared > 0


@pytest.mark.parametrize("name", WRONG_STATISTICS)
def test_a_planted_fault_is_caught_and_named(name: str) -> None:
    wrong = WRONG_STATISTICS[name]
    outcome = _planted(name)[wrong.check]
    assert outcome.status == wrong.status, outcome
    assert any(wrong.words in finding.cause for finding in outcome.findings), outcome


@pytest.mark.parametrize("name", WRONG_STATISTICS)
def test_snippets_print_what_the_head_gave(name: str) -> None:
    for finding in _planted(name)[WRONG_STATISTICS[name].check].findings:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch, of the std of one row
            exec(finding.snippet, {})
        got = float(printed.getvalue())
        assert got == finding.got or (math.isnan(got) and math.isnan(finding.got))


def test_the_same_seed_gives_the_same_witness() -> None:
    target = "zoo.wrong.statistics:BatchOfOne"
    first = _planted("BatchOfOne")["running-statistics"]
    _evidence.cache_clear()
    again = _outcomes.__wrapped__(target, "adaface")["running-statistics"]
    assert repr(again) == repr(first)


def test_the_shrunk_history_of_a_batch_of_one_is_one_step() -> None:
    (finding,) = _planted("BatchOfOne")["running-statistics"].findings
    assert list(finding.inputs.values()) == [20.0]
    assert math.isnan(finding.got)


def test_the_identity_tells_the_policy() -> None:
    report = few_points("zoo.official_shapes:RepairedAdaFace", "adaface")
    assert (
        "statistics: weight 0.01 of the new batch, unbiased std, eps 0.001, norms "
        "clipped to [0.001, 100], updated before use, starting at 20 and 100"
    ) in report.identity


def test_the_official_head_is_told_its_own_faults() -> None:
    report = few_points(FLAT, "adaface")
    assert set(failed(report)) >= set(IDS)
    found = [outcomes(report)[check] for check in IDS]
    causes = {finding.cause for o in found for finding in o.findings}
    assert {cause.split(" broadcast")[0] for cause in causes} == {
        "statistics move in eval mode",
        "a batch of one has no unbiased std",
        "NaN or inf in one batch stays for ever",
        "norms of shape (B,)",
    }


def test_a_head_that_moves_in_eval_mode_is_still_judged_by_its_values() -> None:
    found = outcomes(few_points("zoo.official_shapes:OfficialCurricularFace",
                                "curricularface", curriculum=0.3))  # fmt: skip
    assert found["other-gst"].status == found["target-gst"].status == "ok"
    assert found["statistics-policy"].status == "failed"


def test_the_weight_of_the_new_batch_is_configuration() -> None:
    target = "zoo.official_shapes:RepairedAdaFace"
    found = _outcomes(target, "adaface", t_alpha=1.0)
    assert found["statistics-policy"].status == "ok"
    assert found["running-statistics"].status == "ok"
    assert "weight 1 of the new batch" in _sentence(target, "adaface", t_alpha=1.0)


def test_another_eps_is_right_where_the_user_gave_it() -> None:
    target = "adaface_ref.torch_heads:AdaFace"
    assert "eps 0.01," in _sentence(target, "adaface", eps=0.01)
    assert _outcomes(target, "adaface", eps=0.01)["statistics-policy"].status == "ok"


def test_numbers_are_known_by_what_they_follow_whatever_their_names() -> None:
    assert "unbiased std" in _sentence("zoo.official_shapes:NamelessAdaFace", "adaface")


def test_losses_without_statistics_are_skipped_with_the_reason() -> None:
    found = _outcomes("zoo.exact.heads:arcface", "arcface")
    assert {outcome.status for outcome in found.values()} == {"skipped"}
    assert "keeps no running statistics" in found["statistics-policy"].detail

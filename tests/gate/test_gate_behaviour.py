"""The checks of behaviour catch every planted head, and no exact one."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zlib
from functools import cache
from pathlib import Path

import pytest
import torch
from gate_runs import failed, few_points
from zoo.exact.behaviour import EXACT_BEHAVIOUR
from zoo.exact.heads import EXACT
from zoo.wrong.behaviour import WRONG_BEHAVIOUR

from adaface_ref.gate.checks import CHECKS
from adaface_ref.gate.checks.execution import run_check
from adaface_ref.gate.checks.needs import COMPILERS
from adaface_ref.gate.checks.runner import open_evidence
from adaface_ref.gate.head.settings import Head
from adaface_ref.gate.head.target import resolve
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.report.report import Outcome, number

BY_ID = {check.id: check for check in CHECKS}
THOROUGH = [check.id for check in CHECKS if check.row.effort == "thorough"]


@cache
def _evidence(
    target: str,
    loss: str,
    profile: str = "auto",
    *,
    seed: int = 0,
    effort: str = "quick",
    dtypes: tuple[str, ...] = ("float32", "float64"),
    **arguments: float,
) -> Evidence:
    return open_evidence(
        resolve(target),
        Head(
            target,
            loss=loss,
            profile=profile,
            adapter=None,
            device="cpu",
            dtypes=dtypes,
            seed=seed,
            effort=effort,
            arguments=arguments,
        ),
    )


@cache
def _planted(name: str, seed: int = 0) -> Outcome:
    """What the check that must catch a planted head comes to."""
    wrong = WRONG_BEHAVIOUR[name]
    effort = "thorough" if wrong.check in THOROUGH else "quick"
    target = f"zoo.wrong.behaviour:{name}"
    evidence = _evidence(
        target, wrong.loss, seed=seed, effort=effort, **wrong.arguments
    )
    return run_check(BY_ID[wrong.check], evidence)


@pytest.fixture(autouse=True)
def _compiler(request: pytest.FixtureRequest) -> None:
    name = request.node.name
    compiles = "asks_whether_compiled" in name or "of_a_compiled" in name
    known = map(shutil.which, COMPILERS)
    if compiles and not any(known):
        pytest.skip("needs a C++ compiler")
    if "another_margin_on_cuda" in name and not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")


@pytest.mark.parametrize("name", WRONG_BEHAVIOUR)
def test_a_planted_head_is_caught_by_the_check_that_names_it(name: str) -> None:
    outcome, wrong = _planted(name), WRONG_BEHAVIOUR[name]
    assert outcome.status == wrong.status, outcome.detail
    assert wrong.cause in outcome.findings[0].cause


@pytest.mark.parametrize(
    "name", [n for n in WRONG_BEHAVIOUR if WRONG_BEHAVIOUR[n].check not in THOROUGH]
)
def test_a_planted_head_is_caught_with_another_seed(name: str) -> None:
    assert _planted(name, zlib.crc32(name.encode()) % 100).findings


def _printed(snippets: list[str]) -> list[str]:
    """What scripts print, each run with nothing but its own names."""
    code = (
        f"import json, sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r})\n"
        "for text in json.load(sys.stdin): exec(text, {})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(snippets), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_scripts_print_the_values_reported() -> None:
    names = [n for n, wrong in WRONG_BEHAVIOUR.items() if wrong.device == "cpu"]
    names.remove("asks_whether_compiled")
    found = [_planted(name).findings[0] for name in names]
    lines = _printed([finding.snippet for finding in found])
    for name, finding, line in zip(names, found, lines, strict=True):
        printed, got = (number(v, finding.dtype) for v in (float(line), finding.got))
        assert printed == got, name


def test_the_script_of_a_compiled_head_prints_the_value_reported() -> None:
    finding = _planted("asks_whether_compiled").findings[0]
    (line,) = _printed([finding.snippet])
    assert number(float(line), finding.dtype) == number(finding.got, finding.dtype)


@pytest.mark.parametrize("name", ["AdaFaceHead", "CosFaceLoss", "arcface"])
def test_exact_heads_pass_under_autocast(name: str) -> None:
    evidence = _evidence(f"zoo.exact.heads:{name}", EXACT[name], effort="thorough")
    assert run_check(BY_ID["autocast"], evidence).status == "ok"


def test_what_runs_at_thorough_effort_says_so() -> None:
    evidence = _evidence("zoo.exact.heads:arcface", "arcface")
    for check in THOROUGH:
        outcome = run_check(BY_ID[check], evidence)
        assert (outcome.status, outcome.compared) == ("skipped", 0)
        assert "thorough" in outcome.detail


@pytest.mark.filterwarnings("ignore")  # of torch.compile itself
def test_a_head_compiled_with_its_backward_conforms() -> None:
    report = few_points("zoo.exact.shapes:compiled_ahead", "arcface")
    assert report.exit_code == 0, report.text()


def test_without_a_compiler_nothing_is_compiled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    evidence = _evidence("zoo.exact.heads:arcface", "arcface", effort="thorough")
    outcome = run_check(BY_ID["torch-compile"], evidence)
    assert outcome.status == "skipped"
    assert "no C++ compiler" in outcome.detail


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_cuda_the_comparison_is_skipped_with_the_reason() -> None:
    evidence = _evidence("zoo.exact.heads:arcface", "arcface")
    outcome = run_check(BY_ID["cpu-against-cuda"], evidence)
    assert outcome.detail == "skipped: this machine has no CUDA device"


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", EXACT)
def test_exact_heads_are_the_same_on_cuda(name: str) -> None:
    evidence = _evidence(f"zoo.exact.heads:{name}", EXACT[name])
    assert run_check(BY_ID["cpu-against-cuda"], evidence).status == "ok"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("SummedLoss", "the sum"),
        ("LossOfEachRow", "one value for each row"),
        ("IgnoresMinusOne", "the mean"),
    ],
)
def test_the_reduction_is_told(name: str, words: str) -> None:
    evidence = _evidence(f"zoo.exact.behaviour:{name}", EXACT_BEHAVIOUR[name])
    outcome = run_check(BY_ID["reduction"], evidence)
    assert f"the loss is {words}" in outcome.detail


def test_magface_with_its_regulariser_is_told() -> None:
    evidence = _evidence("zoo.exact.behaviour:MagFaceLoss", "magface")
    assert "with its regulariser" in run_check(BY_ID["reduction"], evidence).detail


def test_statistics_that_move_in_eval_mode_do_not_stop_the_judging() -> None:
    report = few_points("zoo.wrong.behaviour:MovesInEvalMode", "adaface")
    assert report.exit_code == 1
    assert "eval-pure" in failed(report)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_a_narrow_dtype_that_is_asked_for_fails(dtype: str) -> None:
    target = "zoo.wrong.behaviour:clamp_that_vanishes"
    evidence = _evidence(target, "arcface", dtypes=(dtype,))
    assert run_check(BY_ID["narrow-dtypes"], evidence).status == "failed"


def test_the_number_of_threads_is_as_it_was() -> None:
    before = torch.get_num_threads()
    run_check(
        BY_ID["rows-independent"], _evidence("zoo.exact.heads:arcface", "arcface")
    )
    assert torch.get_num_threads() == before

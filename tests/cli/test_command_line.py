"""The command line as a user meets it: exit codes, one-line errors, tables, JSON."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
from called import Run, caller
from made_reports import small_verification

from adaface_ref.cli.printing import lists, results
from adaface_ref.evidence import verify
from adaface_ref.evidence.truth import forms
from adaface_ref.evidence.truth.agreement import Columns, Comparison, Floats
from adaface_ref.evidence.verify import Verification, as_json
from adaface_ref.gate.checks.runner import run_gate
from adaface_ref.gate.head.settings import Head
from adaface_ref.spec.losses import LOSSES
from adaface_ref.spec.profiles import RULES

WIDTH = 80


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return caller(monkeypatch, capsys)


@pytest.fixture(scope="module")
def small() -> Verification:
    return small_verification()


def broken(small: Verification) -> Verification:
    first, *rest = small.verdicts
    wrong = replace(first.claim, expected="VACUOUS")
    return small._replace(verdicts=(first._replace(claim=wrong), *rest))


def test_verify_exits_0_and_writes_what_it_shows(
    run: Run, small: Verification, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(verify, "verify", lambda **_: small)
    ran = run("verify", "--json", str(tmp_path / "v.json"))
    assert ran.code == 0 and "all agree" in ran.out
    assert json.loads((tmp_path / "v.json").read_text()) == json.loads(
        json.dumps(as_json(small))
    )


def schema_of(package: str, name: str) -> dict[str, object]:
    text = resources.files(package).joinpath(name).read_text("utf-8")
    found: dict[str, object] = json.loads(text)
    return found


def test_json_of_verify_follows_its_schema(small: Verification) -> None:
    schema = schema_of("adaface_ref.evidence", "verify.schema.json")
    jsonschema.Draft202012Validator.check_schema(schema)
    (failing, *_) = small.agreements
    judgement = failing.judgements[0]
    nan = Comparison("gst", {"scale": 64.0}, math.nan, 1.0, math.inf, 1e-15)
    bad = failing._replace(judgements=(judgement._replace(failures=(nan,)),))
    for result in (small, small._replace(agreements=(bad,))):
        text = json.dumps(as_json(result), allow_nan=False)
        jsonschema.validate(json.loads(text), schema)


@pytest.mark.parametrize(
    "head", ["wrong/heads:cos_theta_minus_m", "exact/heads:arcface"]
)
def test_json_of_gate_follows_its_schema(head: str) -> None:
    schema = schema_of("adaface_ref.report", "report.schema.json")
    jsonschema.Draft202012Validator.check_schema(schema)
    target = f"{Path(__file__).parents[1]}/zoo/{head.replace(':', '.py:')}"
    report = run_gate(Head(target, loss="arcface", effort="quick"))
    text = json.dumps(report.as_json(), allow_nan=False)
    jsonschema.validate(json.loads(text), schema)


def test_verify_exits_1_when_a_verdict_is_not_the_expected_one(
    run: Run, small: Verification, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "verify", lambda **_: broken(small))
    ran = run("verify")
    assert ran.code == 1 and "1 NOT AS EXPECTED" in ran.out


def test_verify_exits_1_when_a_form_disagrees(
    run: Run, small: Verification, monkeypatch: pytest.MonkeyPatch
) -> None:
    def off(quantity: str, cell: forms.Cell, columns: Columns) -> Floats:
        return honest(quantity, cell, columns) * (1 + 1e-12)

    honest = forms.numpy_values
    monkeypatch.setattr(forms, "numpy_values", off)
    found = tuple(forms.agreements(forms.Cell("adaface", "pure"), seed=0, size=50))
    wrong = small._replace(agreements=found)
    monkeypatch.setattr(verify, "verify", lambda **_: wrong)
    ran = run("verify")
    assert ran.code == 1 and "1 DISAGREE" in ran.out
    assert "DISAGREES adaface pure numpy float64" in ran.out


def test_no_agreement_at_all_is_no_pass(small: Verification) -> None:
    assert small.is_as_it_should_be
    assert not small._replace(agreements=()).is_as_it_should_be
    assert not small._replace(verdicts=()).is_as_it_should_be


def test_a_verification_fits_one_screen(
    small: Verification, capsys: pytest.CaptureFixture[str]
) -> None:
    results.print_verification(small)
    lines = capsys.readouterr().out.splitlines()
    losses = {row.cell.loss for row in small.agreements}
    assert len(lines) + len(LOSSES) - len(losses) <= 23  # the prompt is a line, too
    assert max(map(len, lines)) <= WIDTH
    told = [line for line in lines if line.startswith(tuple(verify.INVARIANTS))]
    assert len(told) == len(verify.INVARIANTS)


def test_a_refuted_invariant_comes_with_its_witness(
    small: Verification, capsys: pytest.CaptureFixture[str]
) -> None:
    results.print_verification(small)
    lines = capsys.readouterr().out.splitlines()
    refuted = [n for n, line in enumerate(lines) if "REFUTED  " in line]
    assert refuted
    assert all("at target_cosine = " in lines[n + 1] for n in refuted)


def test_tables_fit_eighty_columns(
    small: Verification, capsys: pytest.CaptureFixture[str]
) -> None:
    results.print_verification(small, details=True)
    for show in lists.LISTS.values():
        show()
    point = {"target_cosine": 0.99, "rival_cosine": 0.5, "other_cosine": 0.5}
    point |= {"scale": 64.0, "margin": 0.4, "margin_scaler": -1 / 3}
    results.print_point("adaface", ["pure", "clip"], point)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 100 and max(map(len, lines)) <= WIDTH


def test_evaluate_prints_decimal_hex_and_enclosure(run: Run) -> None:
    ran = run(
        "evaluate",
        "--loss",
        "adaface",
        "--at",
        "target_cosine=0.9375, margin_scaler=1",
        "--profile",
        "pure",
    )
    assert ran.code == 0
    assert "8.196031374241477" in ran.out and "0x1.0645e396ab6d3p+3" in ran.out
    assert "[8.1960313742414773765 +/- 4.64e-20]" in ran.out
    assert "reversed" in ran.out


def test_evaluate_shows_every_defined_profile_those_that_agree_once(run: Run) -> None:
    ran = run("evaluate", "--loss", "arcface", "--at", "target_cosine=0.5")
    assert ran.out.count("\n" + ", ".join(RULES) + "\n") == 1
    assert ran.out.count("\ngst ") == 1
    apart = run("evaluate", "--loss", "arcface", "--at", "target_cosine=-0.99")
    assert apart.out.count("\ngst ") > 3


def test_evaluate_flags_slope_and_gst_as_reversed(run: Run) -> None:
    at = "target_cosine=0.9375, margin_scaler=1"
    ran = run("evaluate", "--loss", "adaface", "--at", at, "--profile", "pure")
    assert ran.out.count("reversed") == 2


def test_evaluate_flags_a_pole_and_gives_its_limit(run: Run) -> None:
    ran = run("evaluate", "--loss", "arcface", "--at", "target_cosine=1")
    assert ran.out.count("\ngst ") == ran.out.count("pole") == 2
    assert "-inf" in ran.out and "\nclip\n" in ran.out


def test_evaluate_flags_a_dead_zone_as_flat(run: Run) -> None:
    at = "target_cosine=0.99, margin_scaler=1"
    ran = run("evaluate", "--loss", "adaface", "--at", at, "--profile", "clip")
    assert ran.out.count("flat") == 2


def test_evaluate_takes_an_angle_and_a_standard_norm(run: Run) -> None:
    at = "angle=0.5, standard_norm=-9, concentration=0.5"
    ran = run("evaluate", "--loss", "adaface", "--at", at)
    assert "0.8775825618903728" in ran.out and "margin_scaler  -1.0" in ran.out


@pytest.mark.parametrize("section", list(lists.LISTS))
def test_list_shows_a_section(run: Run, section: str) -> None:
    ran = run("list", section)
    assert ran.code == 0 and section.split()[0] in ran.out.lower()


HEADS = """
import os
import time


def quits(cosine, labels):
    os._exit(0)


def hangs(cosine, labels):
    time.sleep(600)


def chatty(cosine, labels):
    print("a word of the head's own")
    return 64 * cosine
"""


@pytest.mark.parametrize(
    ("head", "code", "said"),
    [
        ("quits", 3, "the process ended with exit code 0 before its report"),
        ("hangs", 3, "no report within 3 s"),
        ("chatty", 0, "CONFORMS"),
    ],
)
def test_a_head_runs_in_a_process_of_its_own(
    run: Run, tmp_path: Path, head: str, code: int, said: str
) -> None:
    (tmp_path / "heads.py").write_text(HEADS)
    written = tmp_path / "report.json"
    target = f"{tmp_path}/heads.py:{head}"
    options = ("--effort", "quick", "--dtype", "float64", "--json", str(written))
    ran = run("gate", target, "--loss", "normface", "--time-limit", "3", *options)
    assert ran.code == code and said in " ".join(ran.out.split())
    assert "a word of the head's own" not in ran.out
    assert json.loads(written.read_text())["exit_code"] == code


def test_a_fault_of_ours_is_no_violation(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)

    def broken(**_: object) -> Verification:
        raise RuntimeError("ours")

    monkeypatch.setattr(verify, "verify", broken)
    ran = run("verify")
    assert ran.code == 3 and "internal error, nothing was judged" in ran.err


def test_a_failed_run_leaves_no_file_behind(run: Run, tmp_path: Path) -> None:
    written = tmp_path / "report.json"
    run("gate", "nosuch:head", "--loss", "arcface", "--json", str(written))
    assert list(tmp_path.iterdir()) == []


def test_the_package_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "adaface_ref", "--version"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/")
    assert ran.stdout.startswith("adaface-ref, version")


@pytest.mark.parametrize(
    "command",
    [
        ("list",),
        ("gate", "--explain", "poles-other"),
        ("port", "--explain", "poles"),
        ("gate", "--help"),
    ],
    ids=" ".join,
)
def test_what_only_reads_imports_no_torch(command: tuple[str, ...]) -> None:
    code = f"""
import sys
from adaface_ref.cli import cli
cli.main({command}, standalone_mode=False)
assert "torch" not in sys.modules
"""
    called = [sys.executable, "-c", code]
    ran = subprocess.run(called, capture_output=True, text=True, check=False, cwd="/")
    assert ran.returncode == 0, ran.stderr


EVALUATE = ("evaluate", "--loss", "arcface", "--at")

REFUTE = ("refute", "--loss", "adaface")

MISTAKES = [
    (("verify", "--device", "nosuch"), "device=nosuch, but must be"),
    (("verify", "--json", "/no/such/file"), "--json=/no/such/file, but must be"),
    (("verify", "--effort", "huge"), "'huge' is not one of"),
    (("verify", "--seed", "-1"), "-1 is not in the range"),
    (("nosuch",), "No such command 'nosuch'"),
    *(
        ((*command, option, value), f"{option}': {value}")
        for command, option in [
            (("gate", "m:f", "--loss", "cosface"), "--time-limit"),
            (("gate", "m:f", "--loss", "cosface"), "--memory-limit"),
            (("port",), "--time-limit"),
        ]
        for value in ("nan", "inf", "0", "1e+300")
    ),
    (("evaluate", "--loss", "nosuch", "--at", ""), "loss=nosuch, but must be one of"),
    ((*EVALUATE, "target_cosine=1.5"), "target_cosine=1.5, but must be in [-1, 1]"),
    ((*EVALUATE, "target_cosine=nan"), "target_cosine=nan, but must be in [-1, 1]"),
    ((*EVALUATE, "target_cosine=x"), "target_cosine='x', but must be a number"),
    ((*EVALUATE, "target_cosine=__import__"), "must be a number"),
    ((*EVALUATE, "target_cosine"), "--at='target_cosine', but must be name=value"),
    ((*EVALUATE, ""), "target_cosine=nothing, but must be given"),
    (
        (*EVALUATE, "target_cosine=0, margin=-1"),
        "margin=-1.0, but must be in [0, pi/2)",
    ),
    ((*EVALUATE, "target_cosine=0, norm=1"), "name='norm', but must be one of"),
    ((*EVALUATE, "target_cosine=0, angle=1"), "left out beside angle"),
    ((*EVALUATE, "target_cosine=0, target_cosine=1"), "must be given once"),
    (
        (*EVALUATE, "target_cosine=0, other_cosine=1"),
        "rival_cosine=0.5, but must be at",
    ),
    (
        (
            *("evaluate", "--loss", "adaface", "--at"),
            "angle=1, standard_norm=1, margin_scaler=0",
        ),
        "margin_scaler=0.0, but must be left out beside standard_norm",
    ),
    ((*EVALUATE, "target_cosine=0", "--profile", "x"), "profile='x', but must begin"),
    (
        ("evaluate", "--loss", "adaface", "--at", "angle=1", "--profile", "fallback"),
        "profile=fallback, but must be defined for adaface: pure, clip",
    ),
    (
        ("evaluate", "--loss", "sphereface", "--at", "angle=1, multiplier=2.5"),
        "multiplier=2.5, but must be one integer",
    ),
    (
        ("evaluate", "--loss", "magface", "--at", "angle=1, norm_lower=200"),
        "norm_upper=110.0, but must be above norm_lower",
    ),
    ((*REFUTE, "gts <= 0"), "unknown name 'gts', did you mean 'gst'? at column 1"),
    ((*REFUTE, "gst <= "), "formula: "),
    ((*REFUTE, "gst"), "formula: "),
    ((*REFUTE, "__import__('os').system('ls')"), "formula: "),
    ((*REFUTE, "gst.real > 0"), "formula: "),
    ((*REFUTE, "gst/0 > 0"), "formula"),
    ((*REFUTE, "gst+" * 25_000 + "1 > 0"), "must be at most 2000"),
    ((*REFUTE, "gst > 0", "--profile", "nosuch"), "profile='nosuch'"),
    ((*REFUTE, "gst > 0", "--profile", "fallback"), "not defined for adaface"),
    ((*REFUTE, "gst > 0", "--where", "margin in (0.4, 0.4)"), "box: "),
    ((*REFUTE, "gst > 0", "--where", "margin in [0.5, 0.4]"), "box: "),
    ((*REFUTE, "gst > 0", "--where", "margn=0.4"), "did you mean 'margin'?"),
    ((*REFUTE, "gst > 0", "--where", "target_cosine=1"), "at a pole"),
    (("refute", "gst > 0", "--loss", "nosuch"), "unknown loss 'nosuch'"),
    (("claims", "nosuch"), "name='nosuch', but must be the id of a claim"),
    (("claims", "--file", "/no/such.toml"), "--file=/no/such.toml: No such file"),
    (("claims", "T15", "--device", "nosuch"), "device=nosuch, but must be"),
    (("gate", "nosuch.module:head", "--loss", "arcface"), "nosuch"),
    (("gate", "math:cos", "--loss", "nosuch"), "loss"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES)
def test_a_mistake_is_one_line_on_standard_error_with_exit_code_2(
    run: Run, arguments: tuple[str, ...], message: str
) -> None:
    ran = run(*arguments)
    assert ran.code == 2 and ran.out == ""
    assert message in ran.err and ran.err.count("\n") == 1
    assert "Traceback" not in ran.err


COMMANDS = [
    *("", "verify", "evaluate", "list", "gate", "replay", "claims", "refute", "plot"),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(run: Run, command: str) -> None:
    ran = run(*filter(None, [command]), "--help")
    assert ran.code == 0 and f"adaface-ref {command}".strip() in ran.out
    assert "Example:" in ran.out


def test_a_character_that_a_terminal_lacks_costs_no_verdict(tmp_path: Path) -> None:
    text = "def head(cosine, labels):\n    print('\u4f59')\n"
    text += "    raise ValueError('\u4f59')\n"
    (tmp_path / "heads.py").write_text(text, encoding="utf-8")
    command = [sys.executable, "-P", "-m", "adaface_ref", "gate", "heads.py:head"]
    done = subprocess.run(
        [*command, "--loss", "cosface", "--effort", "quick"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
    )  # fmt: skip
    assert done.returncode == 3
    assert "ValueError: \\u4f59" in " ".join(done.stdout.split())

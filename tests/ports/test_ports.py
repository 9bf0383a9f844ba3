"""Ports judged through their pipes: exact, wrong, and those that misbehave."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from click.testing import CliRunner, Result
from ports_zoo import numpy_port
from ports_zoo.faults import CELLS, CONVERSATION, PLANTED, REFUSALS, VALUES

from adaface_ref.cli.gate import replay_command
from adaface_ref.cli.port import port_command
from adaface_ref.errors import DomainError
from adaface_ref.evidence.truth.agreement import INPUTS, Question, judge
from adaface_ref.points import block
from adaface_ref.ports.commands import judge_command
from adaface_ref.ports.comparison.values import extra_allowance
from adaface_ref.ports.harness import Verdict, Wish, judge_port
from adaface_ref.report.catalogue import PORTS, catalogue, explanations
from adaface_ref.report.outputs import Wishes
from adaface_ref.report.report import ERROR, FAILED, OK, WARNING, Finding, Outcome

PORT = (sys.executable, numpy_port.__file__)
POINTS = 2000
LIMIT = 60.0
NEVER_IN_TIME = ("hang", "never-reads", "stays", "stays-after-bye")
Run = Callable[..., Result]
SIGN = "the angular margin has the wrong sign"


def judged(fault: str = "", only: str = "adaface=pure", **wish: Any) -> Verdict:
    limit = 2.0 if fault in NEVER_IN_TIME else LIMIT
    wishes = Wish(**{"points": POINTS, "limit": limit, **wish})
    return judge_port([*PORT, fault, only], wishes)


def outcome(verdict: Verdict, check: str) -> Outcome:
    (report,) = verdict.reports
    return next(found for found in report.outcomes if found.check == check)


@pytest.fixture(scope="module")
def exact() -> Verdict:
    return judged(only="")


@pytest.fixture(scope="module")
def wrong() -> Verdict:
    return judged("wrong-sign")


def witness(verdict: Verdict, check: str = "target-gst") -> Finding:
    (found,) = outcome(verdict, check).findings
    return found


def test_exact_port_conforms_in_every_cell(exact: Verdict) -> None:
    assert [report.exit_code for report in exact.all] == [0] * len(exact.all)
    cells = {(report.loss, report.profile) for report in exact.reports}
    assert cells == {(a, p) for a, of_it in numpy_port.LOSSES.items() for p in of_it}


def test_every_announced_quantity_is_compared_at_every_point(exact: Verdict) -> None:
    for report in exact.reports:
        values = [found for found in report.outcomes if found.ratio is not None]
        assert len(values) == len(numpy_port.QUANTITIES)
        assert all(found.compared > POINTS for found in values)


def test_what_is_not_announced_is_not_checked_and_said_so(exact: Verdict) -> None:
    assert exact.gaps == ("quantities: loss_value, norm_gradient",)
    skipped = [o.check for o in exact.reports[0].outcomes if o.status == "skipped"]
    assert skipped == ["loss-value", "norm-gradient"]
    some = judged("zeros", dtypes=("float32",), points=10)
    assert outcome(some, "float64").status == "skipped"
    assert some.gaps[0].startswith("losses: normface, sphereface")


def test_planted_sign_is_found_at_a_plain_point(wrong: Verdict) -> None:
    found = witness(wrong)
    assert SIGN in found.cause
    plain = {"target_cosine": 0.0, "scale": 64.0, "margin": 0.4, "margin_scaler": 1.0}
    assert found.inputs == {**plain, "rival_cosine": 0.0}


def test_snippet_gets_the_same_answer_from_the_port(wrong: Verdict) -> None:
    asked, answered = witness(wrong, "target-logit").snippet.splitlines()
    answer = numpy_port.wrong_sign(json.loads(asked))
    assert answer == json.loads(answered.partition(")")[2])


def test_same_seed_finds_the_same_witness(wrong: Verdict) -> None:
    again = judged("wrong-sign")
    assert again.reports[0].exit_code == 1
    assert [r.as_json() for r in again.all] == [r.as_json() for r in wrong.all]


@pytest.mark.parametrize(("check", "fault"), VALUES.items())
def test_wrong_port_fails_the_check_that_names_it(check: str, fault: str) -> None:
    verdict = judged(fault, CELLS.get(fault, "adaface=pure"), points=500)
    assert outcome(verdict, check).status == FAILED
    assert verdict.conversation.exit_code == 0


def test_every_check_has_a_planted_port() -> None:
    assert list(PLANTED) == [entry.id for entry in catalogue(PORTS)]
    assert PLANTED["protocol"] in CONVERSATION


def test_sarif_explains_the_checks_of_ports(port: Run, tmp_path: Path) -> None:
    file = tmp_path / "sarif"
    port("--sarif", str(file))
    (run,) = json.loads(file.read_text())["runs"]
    told = {
        r["id"]: r["fullDescription"]["text"] for r in run["tool"]["driver"]["rules"]
    }
    assert told == explanations(PORTS)


def test_port_that_mixes_points_up_is_told_so() -> None:
    verdict = judged("first-parameter", points=500)
    found = witness(verdict)
    assert outcome(verdict, "target-gst").status == FAILED
    assert found.cause.startswith("by itself this point is right")


def test_other_rounding_of_single_points_is_a_warning_unless_strict() -> None:
    lenient, strict = (judged("ulps", points=10, strict=s) for s in (False, True))
    assert outcome(lenient, "one-by-one").status == WARNING
    assert lenient.reports[0].exit_code == 0
    assert strict.reports[0].exit_code == 1


def test_loss_value_by_subtraction_is_allowed_what_it_loses() -> None:
    columns = block("cosface", 0, size=500)
    logit = columns["scale"] * (columns["target_cosine"] - columns["margin"])
    rival = columns["scale"] * columns["rival_cosine"]
    got = np.logaddexp(logit, rival) - logit
    question = Question("loss_value", "cosface", "pure", "float64", "theirs")
    assert judge(question, columns, got).failures
    extra = extra_allowance(question, columns)
    assert not judge(question, columns, got, beyond=extra).failures


def test_right_values_are_not_blamed_for_a_nan_at_a_pole() -> None:
    verdict = judged("nan-at-poles", points=500)
    assert outcome(verdict, "target-gst").status == OK


@pytest.mark.parametrize(("fault", "words"), CONVERSATION.items())
def test_misbehaviour_is_never_a_pass_nor_a_hang(fault: str, words: str) -> None:
    began = time.monotonic()
    verdict = judged(fault, points=500)
    assert verdict.conversation.exit_code == 3
    detail = verdict.conversation.outcomes[0].detail
    assert words in detail and "\n" not in detail
    assert time.monotonic() - began < LIMIT


def test_port_that_crashes_leaves_no_cell_unmentioned() -> None:
    verdict = judged("crash", only="")
    assert [r.exit_code for r in verdict.reports] == [3] * len(verdict.reports)
    assert len(verdict.reports) == sum(map(len, numpy_port.LOSSES.values()))
    assert verdict.printed == "about to fail\nSegmentation fault ahead"


def test_error_answer_is_no_pass() -> None:
    verdict = judged("refuse")
    assert outcome(verdict, "target-gst").status == ERROR
    assert outcome(verdict, "target-gst").detail == REFUSALS["refuse"]
    assert verdict.reports[0].exit_code == 3


@pytest.mark.parametrize("command", [["/no/such/port"], ["/"], ["a\0b"]])
def test_port_that_cannot_be_started_is_not_judged(command: list[str]) -> None:
    verdict = judge_port(command, Wish())
    assert verdict.conversation.exit_code == 3 and not verdict.reports
    assert "could not be started" in verdict.conversation.outcomes[0].detail


@pytest.mark.parametrize(
    "wish", [{"losses": ["magface"]}, {"profiles": ["clip"]}, {"dtypes": ["bfloat16"]}]
)
def test_filter_that_the_port_does_not_announce_is_the_users_mistake(
    wish: dict[str, Any],
) -> None:
    with pytest.raises(DomainError, match="but must be what the port announces"):
        judged(**wish)


@pytest.fixture
def port(tmp_path: Path) -> Run:
    def call(*arguments: str, fault: str = "", only: str = "cosface=pure") -> Result:
        return run_port(tmp_path, arguments, fault, only)

    return call


def run_port(folder: Path, arguments: Sequence[str], fault: str, only: str) -> Result:
    command = [
        *arguments,
        "--findings",
        str(folder / "kept"),
        "--loss",
        only.partition("=")[0],
        "--",
        *PORT,
        fault,
        only,
    ]
    return CliRunner().invoke(port_command, command)


def test_command_writes_what_machines_read(port: Run, tmp_path: Path) -> None:
    files = {kind: tmp_path / kind for kind in ("json", "junit", "sarif")}
    options = [
        word for kind, file in files.items() for word in (f"--{kind}", str(file))
    ]
    ran = port(*options, "--github")
    assert ran.exit_code == 0, ran.output
    assert ran.output.splitlines()[-1] == "1 of 1 cells conform"
    text = (
        resources.files("adaface_ref.report").joinpath("report.schema.json").read_text()
    )
    data = json.loads(files["json"].read_text())
    jsonschema.validate(data, json.loads(text))
    assert [report["target"] for report in data["reports"]] == ["numpy-port"] * 2
    assert "<testsuites" in files["junit"].read_text()
    assert json.loads(files["sarif"].read_text())["version"] == "2.1.0"


def test_baseline_accepts_the_named_cell_alone(port: Run, tmp_path: Path) -> None:
    file, only = tmp_path / "baseline.json", "adaface=pure/clip"
    options = ("--baseline", str(file), "--profile", "pure", "--dtype", "float64")
    written = port(
        *options,
        "--update-baseline",
        "--reason",
        "known",
        fault="wrong-sign",
        only=only,
    )
    assert written.exit_code == 0, written.output
    both = port(*options[:2], *options[4:], fault="wrong-sign", only=only)
    assert both.exit_code == 1
    assert "numpy-port adaface pure: CONFORMS" in both.output
    assert "numpy-port adaface clip: DOES NOT CONFORM" in both.output
    assert "no longer found" not in both.output


def test_baseline_of_a_cell_that_is_gone_is_the_users_mistake(tmp_path: Path) -> None:
    row = {"target": "numpy-port", "loss": "magface", "profile": "pure"}
    row |= {"check": "poles", "cause": "", "reason": "old", "expires": "2999-01-01"}
    file = tmp_path / "baseline.json"
    file.write_text(json.dumps({"version": 1, "accepted": [{**row, "dtypes": []}]}))
    wishes = Wishes(baseline=file, findings=tmp_path / "kept", one=False)
    command = [*PORT, "", "cosface=pure"]
    with pytest.raises(DomainError, match="entry 1: numpy-port magface pure, but must"):
        judge_command(command, Wish(points=10), wishes, lambda *_: None)


def test_command_says_in_one_line_why_nothing_was_judged(port: Run) -> None:
    ran = port(fault="garbage")
    assert ran.exit_code == 3
    assert (
        "numpy-port cosface pure: COULD NOT BE JUDGED: not JSON: the line" in ran.output
    )
    assert "0 of 1 cells conform" in ran.output


def test_finding_is_replayed_by_its_id(port: Run, tmp_path: Path) -> None:
    only, folder = "adaface=pure", tmp_path / "kept"
    found = port("--dtype", "float32", fault="wrong-sign", only=only).output
    identifier = found.partition("adaface-ref replay ")[2].split()[0]
    again = [identifier, "--findings", str(folder)]
    ran = CliRunner().invoke(replay_command, again)
    assert ran.exit_code == 1
    assert ran.output.startswith("STILL FAILS: target-logit, at the same inputs")
    file = folder / f"{identifier}.json"
    file.write_text(file.read_text().replace("wrong-sign", ""))
    assert CliRunner().invoke(replay_command, again).output.startswith("FIXED")


def test_every_quantity_of_the_house_has_a_check_of_its_own(exact: Verdict) -> None:
    ids = [found.check for found in exact.reports[0].outcomes][: len(INPUTS)]
    assert len(set(ids)) == len(INPUTS)
    assert {"target-logit", "target-gst", "other-logit", "other-gst"} < {*ids}

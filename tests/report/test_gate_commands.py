"""`gate` over several heads, its files, its baseline, and `replay`."""

from __future__ import annotations

import datetime
import json
import re
from pathlib import Path

import pytest
from called import Run, caller
from made_reports import FAILING, PASSING, POLE, STUCK, VALUE, outcome, report

from adaface_ref.choices import REPORT_FORMATS
from adaface_ref.gate import commands, replay
from adaface_ref.gate.commands import Wishes
from adaface_ref.gate.head.settings import Head
from adaface_ref.gate.isolation.parent import Judged, Progress
from adaface_ref.report.baseline import baseline_text, entries_of
from adaface_ref.report.kept_findings import recall
from adaface_ref.report.report import Report

MADE = {made.target: made for made in (FAILING, PASSING, STUCK)}
FAILS, PASSES = "heads.py:arcface", "heads.py:cosface"
WARNS = report(outcome("warning", "poles-target", POLE))
ELSEWHERE = report(outcome("failed", "poles-target", VALUE))
MENDED, SKIPS = report(outcome("ok")), report(outcome("skipped"))
HEAD = '[[tool.adaface-ref.head]]\ntarget = "{}"\nloss = "arcface"\n'


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Run:
    """The command line in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)

    return caller(monkeypatch, capsys)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Head]:
    """Reports made by hand in place of judging; the heads that were asked for."""
    asked: list[Head] = []

    def judged(head: Head, progress: Progress) -> Judged:
        asked.append(head)
        found = MADE[head.target]
        return Judged(found.text(), found.as_json(), found.exit_code)

    monkeypatch.setattr(commands, "judge_apart", judged)
    return asked


def _configure(*targets: str, top: str = "") -> None:
    rows = "".join(HEAD.format(target) for target in targets)
    Path("pyproject.toml").write_text(f"[tool.adaface-ref]\n{top}\n{rows}")


@pytest.mark.usefixtures("made")
def test_all_heads_are_judged_with_one_line_each(run: Run) -> None:
    _configure(FAILS, PASSES)
    ran = run("gate")
    assert ran.code == 1
    assert ran.out.splitlines()[-3:] == [
        "heads.py:arcface --loss arcface: DOES NOT CONFORM: poles-target, target-logit",
        "heads.py:cosface --loss arcface: CONFORMS",
        "1 of 2 heads conform",
    ]


@pytest.mark.usefixtures("made")
def test_a_head_that_could_not_be_judged_is_exit_3(run: Run) -> None:
    _configure(PASSES, STUCK.target)
    assert run("gate").code == 3


def test_the_command_line_wins_over_the_configuration(
    run: Run, made: list[Head]
) -> None:
    _configure(PASSES, top='effort = "quick"\nseed = 3')
    run("gate", "--effort", "normal", "--strict", "--dtype", "float16")
    (head,) = made
    assert (head.effort, head.seed) == ("normal", 3)
    assert head.strict and head.dtypes == ("float16",)


def test_a_seed_of_0_wins_too(run: Run, made: list[Head]) -> None:
    _configure(PASSES, top="seed = 3")
    run("gate", "--seed", "0")
    assert made[0].seed == 0


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("targets", [(FAILS,), (FAILS, PASSES)])
def test_every_file_that_was_asked_for_is_written(
    run: Run, targets: tuple[str, ...]
) -> None:
    _configure(*targets)
    run("gate", "--json", "a.json", "--junit", "a.xml", "--sarif", "a.sarif")
    data = json.loads(Path("a.json").read_text())
    assert [found["target"] for found in data["reports"]] == list(targets)
    assert Path("a.xml").read_text().startswith("<?xml")
    assert json.loads(Path("a.sarif").read_text())["version"] == "2.1.0"


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("form", REPORT_FORMATS)
def test_the_report_is_printed_in_the_form_asked_for(run: Run, form: str) -> None:
    ran = run("gate", FAILS, "--loss", "arcface", "--output-format", form)
    begins = {
        "full": "heads.py:",
        "concise": f"{FAILS} --loss arcface: DOES NOT CONFORM",
        "github": "::error file=heads.py",
        "gitlab": "[",
        "json": "{",
        "junit": "<?xml",
        "sarif": "{",
    }
    assert ran.code == 1 and ran.out.startswith(begins[form])
    if form in ("gitlab", "json", "sarif"):
        json.loads(ran.out)


@pytest.mark.usefixtures("made")
def test_annotations_appear_under_github_actions(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = run("gate", FAILS, "--loss", "arcface").out
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert "::error" not in plain
    assert "::error file=heads.py" in run("gate", FAILS, "--loss", "arcface").out


@pytest.mark.usefixtures("made")
def test_a_baseline_is_written_then_fails_until_it_has_reasons(run: Run) -> None:
    gate = ("gate", FAILS, "--loss", "arcface", "--baseline", "b.json")
    assert run(*gate, "--update-baseline").code == 1
    assert "without a reason" in run(*gate).out
    assert run(*gate, "--update-baseline", "--reason", "issue 12").code == 0
    assert run(*gate).code == 0


@pytest.mark.usefixtures("made")
def test_an_entry_of_no_configured_head_is_a_mistake(run: Run) -> None:
    _configure(PASSES, top='baseline = "b.json"')
    today = datetime.date(2027, 1, 31)
    Path("b.json").write_text(baseline_text(entries_of(FAILING, "why", today)))
    ran = run("gate")
    assert ran.code == 2 and "must be a head of the configuration" in ran.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("gate",), "TARGET must be given, or be in a [[tool.adaface-ref.head]]"),
        (("gate", "a:b"), "loss must be given with TARGET: --loss NAME"),
        (("gate", "--loss", "arcface"), "loss was given, but TARGET was not"),
        (("gate", "--config", "no.toml"), "--config=no.toml: No such file"),
        (("gate", "--explain", "pole"), "--explain=pole: there is no such check"),
        (
            ("gate", "a:b", "--loss", "arcface", "--junit", "/no/such/x"),
            "--junit=/no/such/x, but must be a file in a folder that exists",
        ),
        (
            ("gate", "a:b", "--loss", "arcface", "--junit", "x", "--sarif", "x"),
            "--sarif=x, but must be another file than that of --junit",
        ),
        (
            ("gate", "a:b", "--loss", "arcface", "--baseline", "none.json"),
            "--baseline=none.json, but must be a file that is there",
        ),
        (
            ("gate", "a:b", "--loss", "arcface", "--update-baseline"),
            "--baseline must be given",
        ),
        (("replay", "1234567890"), "ID=1234567890: .adaface-ref has no such finding"),
        (("replay", "../../x"), "must be ten hexadecimal digits"),
    ],
)
def test_a_mistake_is_one_line_with_exit_code_2(
    run: Run, arguments: tuple[str, ...], message: str
) -> None:
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err and ran.err.count("\n") == 1


def _stored(folder: Path) -> str:
    replay.store(FAILING, Head(FAILS, "arcface", seed=5), folder)
    return FAILING.finding_id("poles-target", POLE)


def test_a_finding_is_kept_with_all_its_settings(tmp_path: Path) -> None:
    known = recall(_stored(tmp_path), tmp_path)
    assert known.subject_by(Head.from_json) == Head(FAILS, "arcface", seed=5)
    assert (known.check, repr(known.finding)) == ("poles-target", repr(POLE))


def test_a_spoilt_finding_is_one_line(run: Run) -> None:
    name = _stored(Path(".adaface-ref"))
    Path(f".adaface-ref/{name}.json").write_text('{"head": {}}')
    ran = run("replay", name)
    assert ran.code == 2 and "not a finding that gate wrote" in ran.err


@pytest.mark.parametrize(
    ("now", "code", "said"),
    [
        (FAILING, 1, "STILL FAILS: poles-target, at the same inputs"),
        (WARNS, 1, "STILL FAILS: poles-target, at the same inputs"),
        (ELSEWHERE, 1, "STILL FAILS: poles-target, though at other inputs"),
        (MENDED, 0, "FIXED: poles-target: a detail"),
        (SKIPS, 3, "COULD NOT BE JUDGED: a detail"),
        (STUCK, 3, "COULD NOT BE JUDGED: a detail"),
    ],
)
def test_replay_tells_what_the_check_comes_to_now(
    run: Run, monkeypatch: pytest.MonkeyPatch, now: Report, code: int, said: str
) -> None:
    def judged(head: Head, progress: Progress) -> Judged:
        assert (head.target, head.select, head.seed) == (FAILS, ("poles-target",), 5)
        return Judged("", now.as_json(), now.exit_code)

    monkeypatch.setattr(replay, "judge_apart", judged)
    ran = run("replay", _stored(Path(".adaface-ref")))
    assert ran.code == code and said in ran.out


HEADS = """
def cosface(cosine, labels):
    margined = cosine.clone()
    margined[range(len(labels)), labels] {sign}= 0.35
    return 64.0 * margined
"""


@pytest.mark.usefixtures("made")
def test_a_report_leaves_scripts_to_replay(run: Run) -> None:
    snippet = FAILING.outcomes[0].findings[0].snippet
    told = run("gate", FAILS, "--loss", "arcface").out
    assert told.count("FAILURE ") == 1 and snippet not in told
    identifier = re.search(r"replay ([0-9a-f]{10})", told)
    assert identifier is not None
    ran = run("replay", identifier[1], "--snippet")
    assert (ran.code, ran.out.strip()) == (0, snippet.strip())
    assert snippet in run("gate", FAILS, "--loss", "arcface", "--verbose").out


@pytest.mark.slow
def test_replay_says_when_a_failure_is_fixed(run: Run) -> None:
    Path("heads.py").write_text(HEADS.format(sign="+"))
    options = ("--loss", "cosface", "--effort", "quick", "--json", "r.json")
    assert run("gate", PASSES, *options).code == 1
    outcomes = json.loads(Path("r.json").read_text())["outcomes"]
    (failed,) = [o for o in outcomes if o["check"] == "target-logit"]
    name = failed["findings"][0]["id"]
    assert "STILL FAILS: target-logit" in run("replay", name).out
    Path("heads.py").write_text(HEADS.format(sign="-"))
    ran = run("replay", name)
    assert (ran.code, ran.out.split(":")[0]) == (0, "FIXED")


def test_a_report_of_a_conforming_head_is_silent_about_its_checks(
    made: list[Head], tmp_path: Path
) -> None:
    wishes = Wishes(one=False, findings=tmp_path)
    head = Head(PASSES, "arcface")
    reports, texts = commands.judge_heads([head], wishes, lambda *_: None)
    assert (reports[0].exit_code, len(made), len(texts)) == (0, 1, 2)

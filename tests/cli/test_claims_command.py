"""`claims` and `refute` as a user meets them."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
from called import Run, caller

from adaface_ref.cli.printing import results
from adaface_ref.evidence.claims import as_json, decide_all
from adaface_ref.evidence.proof.certificate import check
from adaface_ref.evidence.verdict import Verdict
from adaface_ref.spec.language.files import asked, our_claims


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return caller(monkeypatch, capsys)


I3 = "scale=64, margin=0.4, target_cosine in [-0.9, 0.9999], rival_cosine=0.5, "
RISES = "diff(abs(gst), target_cosine) > 0"
PEAK = "scale=64, margin=0.5, rival_cosine=0.5, target_cosine in "


@pytest.mark.parametrize(
    ("formula", "loss", "profile", "box", "code", "said"),
    [
        ("gst <= 0", "adaface", "pure", I3 + "margin_scaler in [-1, 1]", 1, "REFUTED"),
        ("gst <= 0", "adaface", "pure", I3 + "margin_scaler in [-1, 0]", 0, "PROVED"),
        ("gst <= 0", "adaface", "clip", I3 + "margin_scaler in [-1, 1]", 0, "PROVED"),
        (RISES, "arcface", "pure", PEAK + "[-0.8, 0.81]", 0, "PROVED"),
        (RISES, "arcface", "pure", PEAK + "[-0.8, 0.8139]", 1, "REFUTED"),
    ],
)
def test_refute_decides_what_the_stated_invariants_come_to(
    run: Run, formula: str, loss: str, profile: str, box: str, code: int, said: str
) -> None:
    options = ("--loss", loss, "--profile", profile, "--where", box)
    ran = run("refute", formula, *options, "--effort", "quick")
    assert ran.code == code and ran.out.startswith(said)
    assert "domain: scale=64" in ran.out


def test_refute_shows_a_witness_and_the_nearest_float_that_passes(run: Run) -> None:
    box = I3 + "margin_scaler in [-1, 1]"
    ran = run("refute", "gst <= 0", "--loss", "adaface", "--where", box)
    assert "target_cosine = 0.9375 (0x1.e000000000000p-1)" in ran.out
    assert "passes: target_cosine" in ran.out and "matters: " in ran.out


def test_refute_exits_3_when_the_premise_holds_nowhere(run: Run) -> None:
    formula = "implies(probability > 2, gst > 0)"
    ran = run("refute", formula, "--loss", "arcface", "--effort", "quick")
    assert ran.code == 3 and ran.out.startswith("VACUOUS")


MINE = """
[[claim]]
id = "no-sign-change"
statement = "The gradient never changes sign."
loss = "adaface"
formula = "gst <= 0"
box = "rival_cosine=0.5"
"""


def test_a_file_of_the_users_own_is_decided(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(MINE)
    ran = run("claims", "--file", str(tmp_path / "mine.toml"), "--effort", "quick")
    assert ran.code == 1 and "REFUTED !" in ran.out


def test_a_users_claim_that_expects_the_refutation_is_as_expected(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "mine.toml").write_text(MINE + 'expected = "REFUTED"\n')
    ran = run("claims", "--file", str(tmp_path / "mine.toml"), "--effort", "quick")
    assert ran.code == 0 and "1 REFUTED: all as expected" in ran.out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (MINE.replace("gst <= 0", "gts <= 0"), "unknown name 'gts'"),
        (MINE.replace("gst <= 0", "import os"), "formula"),
        (MINE.replace("gst <= 0", "gst+" * 25_000 + "1 > 0"), "5000 characters"),
        (MINE.replace("rival_cosine=0.5", "margin in (0.4, 0.4]"), "box: "),
        (MINE.replace("loss =", "los ="), "unknown key 'los', did you mean 'loss'?"),
        (MINE + 'function = "statistics"\n', "claims of this package only"),
        (MINE.replace('"gst <= 0"', '"gst <= 0'), "TOML"),
        ("", "must hold one [[claim]] or more"),
    ],
)
def test_a_mistake_in_a_file_is_one_line_with_exit_code_2(
    run: Run, tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "mine.toml").write_text(text)
    ran = run("claims", "--file", str(tmp_path / "mine.toml"))
    assert ran.code == 2 and ran.out == "" and ran.err.count("\n") == 1
    assert "mine.toml" in ran.err and message in ran.err


def test_a_certificate_that_is_written_is_accepted(run: Run, tmp_path: Path) -> None:
    options = ("--effort", "quick", "--certificates", str(tmp_path))
    ran = run("claims", "I3-clip-every-margin", *options)
    (written,) = tmp_path.iterdir()
    assert ran.code == 0 and check(json.loads(written.read_text())).accepted


@pytest.fixture(scope="module")
def some() -> tuple[Verdict, ...]:
    ids = ("I2-as-a-law", "T15-correlation", "I3-pure-sign", "T7-float64")
    claims = [claim for claim in our_claims() if claim.id in ids]
    claims.append(asked("probability < 1", "adaface", "pure", "margin in [0, 1]"))
    return decide_all(claims, effort="quick")


def test_json_of_claims_follows_its_schema(some: tuple[Verdict, ...]) -> None:
    text = resources.files("adaface_ref.evidence") / "claims.schema.json"
    schema = json.loads(text.read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    data = json.dumps(as_json(some, 0, "quick"), allow_nan=False)
    jsonschema.validate(json.loads(data), schema)


@pytest.mark.parametrize("details", [False, True])
def test_claims_fit_eighty_columns(
    some: tuple[Verdict, ...], details: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    results.print_claims(some, details)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 15 and max(map(len, lines)) <= 80


def test_many_claims_are_decided_alike_by_one_process_and_by_several() -> None:
    claims = [claim for claim in our_claims() if claim.id.startswith("T1-")]
    alone = decide_all(claims[:2], effort="quick")
    shared = decide_all([*claims, *claims], effort="quick")
    told = [(v.name, v.evidence, v.points, v.witness) for v in shared[:2]]
    assert told == [(v.name, v.evidence, v.points, v.witness) for v in alone]

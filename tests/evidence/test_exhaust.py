"""Sweeps of claims: what is swept, what is kept, and what is shown of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from sympy import Rational, cos

from adaface_ref.errors import DomainError
from adaface_ref.evidence.problem.problem import Problem, box_of, problems_of
from adaface_ref.evidence.sweep import exhaust
from adaface_ref.evidence.sweep.cosines import cosine_count
from adaface_ref.evidence.sweep.exhaust import holds_near_pole, sweep_problems
from adaface_ref.evidence.sweep.records import KEPT, SweepRecord, find_record
from adaface_ref.evidence.verdict import decide
from adaface_ref.spec.language.files import asked, our_claims

NARROW = "rival_cosine=0.5, target_cosine in [0.5, 0.500001]"
SIGN = "iff(gst > 0, angle < margin*margin_scaler or angle > pi + margin*margin_scaler)"


def one(formula: str, loss: str, box: str, profile: str = "pure") -> Problem:
    (part,) = problems_of(formula, loss, profile, box_of(formula, loss, box))
    return part


def test_short_dtypes_are_swept_at_every_effort() -> None:
    claim = replace(
        asked("gst <= 0", "arcface", "clip", "rival_cosine=0.5"), sweep=True
    )
    verdict = decide(claim, effort="quick")
    found = {row.dtype: row.total for row in verdict.sweeps if not row.kept}
    assert found == {d: cosine_count(d) for d in ("float16", "bfloat16")}


def test_a_false_claim_fails_in_its_sweep() -> None:
    part = one("gst < 0", "adaface", "margin_scaler=1, rival_cosine=0.5")
    claim = asked(part.formula, "adaface", "pure", "")
    rows = sweep_problems(claim, [part], "quick", "cpu", None, lambda *_: None)
    for row in rows[:2]:
        assert row.fails == cosine_count(row.dtype, cos(Rational(2, 5))) and row.failing


@pytest.mark.parametrize("scaler", [-1, 0, 1])
@pytest.mark.parametrize("pole", [-1, 1])
def test_a_claim_is_decided_towards_a_pole(scaler: int, pole: int) -> None:
    part = one(SIGN, "adaface", f"margin_scaler={scaler}, rival_cosine=0.5")
    assert holds_near_pole(part, pole) is True


def test_towards_a_pole_a_false_claim_is_false() -> None:
    part = one("gst < 0", "adaface", "margin_scaler=1, rival_cosine=0.5")
    assert holds_near_pole(part, 1) is False and holds_near_pole(part, -1) is True


def swept_narrowly(folder: Path) -> tuple[Problem, SweepRecord]:
    part = one("gst < 0", "arcface", NARROW)
    claim = replace(asked("gst < 0", "arcface", "pure", NARROW), id="narrow")
    rows = sweep_problems(claim, [part], "thorough", "cpu", folder, lambda *_: None)
    return part, rows[-1]


def test_a_sweep_is_kept_with_the_version_that_made_it(tmp_path: Path) -> None:
    part, row = swept_narrowly(tmp_path)
    again = find_record(part, tmp_path, packaged=False)
    assert not row.kept and row.total == row.holds > 10
    assert again == row._replace(kept=True) and again.made_by
    assert [path.name for path in tmp_path.iterdir()] == [KEPT]


def test_what_is_kept_is_not_swept_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    swept_narrowly(tmp_path)
    monkeypatch.setattr(exhaust, "_sweep_now", lambda part, dtype, *_: dtype)
    _, row = swept_narrowly(tmp_path)
    assert row.kept


def test_a_sweep_of_another_claim_is_not_taken(tmp_path: Path) -> None:
    swept_narrowly(tmp_path)
    other = one("gst <= 0", "arcface", NARROW)
    assert find_record(other, tmp_path, packaged=False) is None


@pytest.mark.parametrize("text", ["", "{", "[1]", '[{"claim": 1}]', "{}"])
def test_a_damaged_file_of_sweeps_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / KEPT).write_text(text)
    part = one("gst < 0", "arcface", NARROW)
    with pytest.raises(DomainError, match="must be") as caught:
        find_record(part, tmp_path, packaged=False)
    assert "\n" not in str(caught.value)


def test_a_claim_with_two_free_inputs_cannot_be_swept() -> None:
    claim = replace(asked("gst <= 0", "adaface", "clip", ""), sweep=True)
    with pytest.raises(DomainError, match="target_cosine alone"):
        decide(claim, effort="quick")


def test_every_packaged_sweep_belongs_to_a_claim_and_is_whole() -> None:
    told = []
    for claim in (claim for claim in our_claims() if claim.sweep):
        box = box_of(claim.formula, claim.loss, claim.box)
        for part in problems_of(claim.formula, claim.loss, claim.profile, box):
            row = find_record(part, None, packaged=True)
            assert row is not None, f"{claim.id} was never swept in float32"
            assert row.holds == row.total and not row.fails and not row.open
            told.append(row.domain)
    packaged = json.loads((Path(exhaust.__file__).parent / KEPT).read_text())
    assert len(packaged) == len(told)

"""How long a proof and its check take, and how many boxes a second are judged.

Run from the checkout:
pytest benchmarks/test_proof_speed.py --benchmark-json=benchmarks/results/proof.json
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from sympy.core.cache import clear_cache

from adaface_ref.evidence.problem.problem import Problem, box_of, problems_of
from adaface_ref.evidence.proof.branch_and_bound import MOST_BOXES, Proof, prove
from adaface_ref.evidence.proof.certificate import CheckResult, certificate_of, check
from adaface_ref.spec.language.files import our_claims

ROUNDS = 7

OURS = ("I1-bound-adaface-clip", "I3-clip-every-margin", "T5-printed")

FEWEST, MOST = 20_000, 200_000
"""Boxes of a claim that is looked at for how many a second there are."""

MANY = {
    # The peak of |g| moves with the rival cosine, and a band around it stays open.
    "three variables": (
        "diff(abs(gst), target_cosine) > 0",
        "target_cosine in [-0.8, 0.95], rival_cosine in [0, 0.9], margin in [0.4, 0.5]",
    ),
    "two variables": (
        "abs(gst) < 65",
        "target_cosine in [-0.9, 0.9], rival_cosine in [0, 0.9], margin=0.5",
    ),
    # False on a line that no box ends at.
    "linear": (
        "margin + 2*rival_cosine != 3/2",
        "margin in [0, 1], rival_cosine in [0, 1]",
    ),
}
"""Claims on ArcFace that are false on a curve, so that boxes are halved to the end."""


def ours(id_: str) -> tuple[Problem, ...]:
    (claim,) = (claim for claim in our_claims() if claim.id == id_)
    box = box_of(claim.formula, claim.loss, claim.box)
    return problems_of(claim.formula, claim.loss, claim.profile, box)


def forget() -> None:
    """Empties every cache, SymPy's too: each claim is met for the first time."""
    clear_cache()
    for name, module in list(sys.modules.items()):
        if name.startswith("adaface_ref."):
            for made in vars(module).values():
                if hasattr(made, "cache_clear"):
                    made.cache_clear()


def prove_all(claims: Sequence[Problem]) -> list[Proof]:
    return list(map(prove, claims))


def check_all(certificates: Sequence[Mapping[str, Any]]) -> list[CheckResult]:
    return list(map(check, certificates))


@pytest.mark.parametrize("id_", OURS)
@pytest.mark.benchmark(group="proof of a claim of ours")
def test_proof(
    benchmark: BenchmarkFixture, keep_speed: Callable[[str, int], float], id_: str
) -> None:
    claims = ours(id_)
    proofs = benchmark.pedantic(
        prove_all, (claims,), setup=forget, rounds=ROUNDS, warmup_rounds=1
    )
    assert all(proof.is_complete for proof in proofs)
    keep_speed("boxes", sum(proof.boxes for proof in proofs))


@pytest.mark.parametrize("id_", OURS)
@pytest.mark.benchmark(group="check of a claim of ours")
def test_check(
    benchmark: BenchmarkFixture, keep_speed: Callable[[str, int], float], id_: str
) -> None:
    certificates = [certificate_of(claim, prove(claim)) for claim in ours(id_)]
    found = benchmark.pedantic(
        check_all, (certificates,), setup=forget, rounds=ROUNDS, warmup_rounds=1
    )
    assert all(row.accepted for row in found)
    keep_speed("boxes", sum(row.boxes for row in found))


@pytest.mark.parametrize("name", MANY)
@pytest.mark.benchmark(group="boxes of one claim")
def test_boxes(
    benchmark: BenchmarkFixture,
    keep_speed: Callable[[str, int], float],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    monkeypatch.setitem(MOST_BOXES, "normal", MOST)
    formula, box = MANY[name]
    (claim,) = problems_of(formula, "arcface", "pure", box_of(formula, "arcface", box))
    # The clauses and the compiled tests are kept: this is how fast boxes are judged.
    proof = benchmark.pedantic(prove, (claim,), rounds=ROUNDS, warmup_rounds=1)
    assert proof.boxes >= FEWEST and not proof.is_complete
    keep_speed("boxes", proof.boxes)

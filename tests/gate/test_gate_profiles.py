"""The gate names every profile, and tells a head that has none where it departs."""

from __future__ import annotations

import math

import pytest
import torch
from gate_runs import failed, few_points, outcomes
from torch import Tensor
from zoo.exact.heads import at_target, own, turned
from zoo.exact.profiles import EXACT_PROFILES

from adaface_ref import numpy_reference, torch_heads
from adaface_ref.gate.checks.runner import open_evidence
from adaface_ref.gate.head.settings import Head
from adaface_ref.gate.head.target import resolve
from adaface_ref.gate.measured.identity import Identity

OURS = "adaface_ref.torch_heads:margin_logits"
CELLS = [(loss, rule) for loss, rules in numpy_reference.DEFINED.items()
         for rule in rules]  # fmt: skip
FLAT = ("normface", "cosface")
"""Losses of slope 1, where detached is true, and `clip` a clamp of the cosine."""

exact_heads = pytest.mark.parametrize("name", EXACT_PROFILES)


def identity(loss: str, profile: str, dtype: str) -> Identity:
    """What our own logits under a profile are taken for."""
    evidence = open_evidence(
        resolve(OURS),
        Head(
            OURS,
            loss=loss,
            profile="auto",
            adapter=None,
            device="cpu",
            dtypes=(dtype,),
            seed=0,
            effort="quick",
            arguments={"profile": profile},
        ),
    )
    return evidence.identity


@exact_heads
def test_exact_heads_conform_in_their_profile_a_jump_being_a_warning(name: str) -> None:
    exact = EXACT_PROFILES[name]
    report = few_points(f"zoo.exact.profiles:{name}", exact.loss, points=2_000)
    assert report.exit_code == 0, report.text()
    assert report.profile == exact.profile
    found = outcomes(report)
    warned = [check for check in found if found[check].status == "warning"]
    assert warned == list(exact.warned)


@pytest.mark.parametrize(
    ("name", "jump"),
    [
        ("arcface_fallback", "-7.50690 at theta = 2.6416"),
        ("arcface_fallback_plain", "+7.83472 at theta = 2.6416"),
        ("ArcFaceEasy", "+30.68323 at theta = 1.5708"),
        ("cosface_easy", "+22.40000 at theta = 1.2132"),
    ],
)
def test_jumps_are_told_where_they_are(name: str, jump: str) -> None:
    report = few_points(f"zoo.exact.profiles:{name}", EXACT_PROFILES[name].loss)
    assert f"jumps by {jump}" in outcomes(report)["continuity"].detail


@pytest.mark.parametrize(
    "fields", ["", ":cosine=0.0001", ":detached", ":cosine=2.5e-06,of=target"]
)
@pytest.mark.parametrize(("loss", "rule"), CELLS)
def test_float64_tells_every_profile(loss: str, rule: str, fields: str) -> None:
    found = identity(loss, rule + fields, "float64")
    if loss in FLAT:
        fields = fields.replace(":detached", "")
        rule = "pure" if rule == "clip" and fields else rule
    assert (found.profile, found.fits, found.alike) == (rule + fields, True, ())


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize(("loss", "rule"), CELLS)
def test_narrower_dtypes_tell_every_rule(loss: str, rule: str, dtype: str) -> None:
    found = identity(loss, rule, dtype)
    assert found.fits and found.profile == rule
    others = {text.partition(":")[0] for text in found.alike} - {rule}
    assert others <= ({"clip", "pure"} if loss in FLAT else set())


@pytest.mark.parametrize(("loss", "rule"), CELLS)
def test_bfloat16_names_the_profile_or_what_it_cannot_tell(
    loss: str, rule: str
) -> None:
    found = identity(loss, rule, "bfloat16")
    assert found.fits and rule in (found.profile, *found.alike)
    assert "in bfloat16 the probes cannot tell" in found.sentence


def test_float32_says_which_clamps_it_cannot_tell() -> None:
    found = identity("arcface", "fallback", "float32")
    words = "; in float32 the probes cannot tell a cosine clamp below 6e-08 from none"
    assert found.profile == "fallback" and found.sentence.endswith(words)


def arcface_of_no_profile(cosine: Tensor, labels: Tensor) -> Tensor:
    """A constant past pi - m."""
    target = own(cosine, labels)
    inside = target > -math.cos(0.5)
    margined = torch.where(inside, turned(target, 0.5), target.detach() * 0 - 1)
    return 64.0 * at_target(cosine, labels, margined - 0.3 * (~inside))


def test_a_head_of_no_profile_is_told_the_nearest() -> None:
    report = few_points(f"{__file__}:arcface_of_no_profile", "arcface")
    assert report.exit_code == 1
    assert "profile" in failed(report)
    assert report.identity.startswith("fits none; nearest is ArcFace")
    assert "departs at target_cosine = -0." in report.identity


def test_a_detached_gradient_of_an_outside_rule_is_an_error() -> None:
    found = identity("arcface", "easy:detached", "float64")
    assert found.profile == "easy:detached"


def test_our_easy_cosface_keeps_the_margin_off_below_it() -> None:
    cosine = torch.tensor([0.2, 0.5], dtype=torch.float64)
    got = torch_heads.logit("cosface", cosine, profile="easy", scale=1.0, margin=0.35)
    assert got.tolist() == [0.2, 0.5 - 0.35]

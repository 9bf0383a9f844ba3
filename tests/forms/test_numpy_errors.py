"""What the NumPy reference refuses, in which words, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from adaface_ref import numpy_reference as reference
from adaface_ref.errors import DomainError, ShapeError
from adaface_ref.numpy_reference.arguments import Profile, parse_profile

ARCFACE: dict[str, Any] = reference.RECOMMENDED["arcface"]
MAGFACE: dict[str, Any] = reference.RECOMMENDED["magface"]
UNDEFINED = [
    (loss, rule)
    for loss, rules in reference.DEFINED.items()
    for rule in ("pure", "clip", "fallback")
    if rule not in rules
]


def gst(loss: str = "arcface", **changed: Any) -> Callable[[], object]:
    """The target's GST at an ordinary point, but for the values given."""
    cosines = [changed.pop(k, 0.5) for k in ("target_cosine", "rival_cosine")]
    recommended = dict(reference.RECOMMENDED[loss])
    for name in changed.pop("without", ()):
        del recommended[name]
    return lambda: reference.gst(loss, *cosines, **(recommended | changed))


def batch(cosine: Any, labels: Any, **changed: Any) -> Callable[[], object]:
    """ArcFace's batch."""
    return lambda: reference.batch("arcface", cosine, labels, **(ARCFACE | changed))


TWO = np.zeros((2, 3))
MESSAGES: dict[str, Callable[[], object]] = {
    "margin=-1, but must be in [0, pi/2) [gst]": gst(margin=-1),
    "margin=nan, but must be in [0, pi/2) [gst]": gst(margin=np.nan),
    f"margin={np.pi / 2}, but must be in [0, pi/2) [gst]": gst(margin=np.pi / 2),
    "margin='a', but must be in [0, pi/2) [gst]": gst(margin="a"),
    "margin=1j, but must be in [0, pi/2) [gst]": gst(margin=1j),
    "margin=missing, but must be in [0, pi/2) [gst]": gst(without=["margin"]),
    "scale=0, but must be in (0, inf) [gst]": gst(scale=0),
    "scale[1]=inf, but must be in (0, inf) [gst]": gst(scale=[1, np.inf]),
    "target_cosine[3]=1.5, but must be in [-1, 1] [gst]": gst(
        target_cosine=[0, 1, -1, 1.5, 2]
    ),
    "target_cosine[1, 0]=nan, but must be in [-1, 1] [gst]": gst(
        target_cosine=[[0.0], [np.nan]]
    ),
    "rival_cosine=inf, but must be a finite number [gst]": gst(rival_cosine=np.inf),
    "margin_scaler=1.1, but must be in [-1, 1] [gst]": gst(
        "adaface", margin_scaler=1.1
    ),
    "margin_scaler=missing, but must be in [-1, 1] [gst]": gst("adaface"),
    "multiplier=2.5, but must be an integer in [1, 8] [gst]": gst(
        "sphereface", multiplier=2.5
    ),
    "multiplier=8.5, but must be in (0, 8] [gst]": gst("combined", multiplier=8.5),
    "curriculum=2, but must be in [-1, 1] [gst]": gst("curricularface", curriculum=2),
    "feature_norm=0, but must be in (0, inf) [gst]": gst("magface", feature_norm=0),
    "norm_upper=10.0, but must be above norm_lower [gst]": gst(
        "magface", norm_upper=10
    ),
    "margin_upper[1]=0.4, but must be at least margin_lower [gst]": gst(
        "magface", margin_upper=[0.5, 0.4]
    ),
    "margni=0.5, but must be left out: arcface takes scale, margin [gst]": gst(
        margni=0.5
    ),
    "profile='fallback', but adaface defines pure, clip [gst]": gst(
        "adaface", margin_scaler=0, profile="fallback"
    ),
    "loss='arcfce', but must be one of "
    + f"{', '.join(reference.LOSSES)} [gst]": lambda: reference.gst("arcfce", 0, 0),
    "loss='arcface', but must be 'magface' [norm_gradient]": lambda: (
        reference.norm_gradient("arcface", 0.5, 0.5, **ARCFACE)
    ),
    "concentration=0, but must be in (0, inf) [margin_scaler]": lambda: (
        reference.margin_scaler(1.0, 0)
    ),
    "labels[1]=3, but must be an integer in [0, 3) [batch]": batch(TWO, [0, 3]),
    "labels[0]=-1, but must be an integer in [0, 3) [batch]": batch(TWO, [-1, 0]),
    "labels[0]=0.5, but must be an integer in [0, 3) [batch]": batch(TWO, [0.5, 0]),
    "labels=[[0], [1, 2]], but must be an integer in [0, 3) [batch]": batch(
        TWO, [[0], [1, 2]]
    ),
    "margin=None, but must be in [0, pi/2) [batch]": batch(TWO, [0, 0], margin=None),
    "margin=[[0.1], [0.1, 0.2]], but must be in [0, pi/2) [batch]": batch(
        TWO, [0, 0], margin=[[0.1], [0.1, 0.2]]
    ),
    "margin=tensor([0.1000, 0.2000], requires_grad=True), but must be detached "
    "[batch]": batch(TWO, [0, 0], margin=torch.tensor([0.1, 0.2], requires_grad=True)),
    "target_cosine=tensor(0.5000, requires_grad=True), but must be detached [gst]": gst(
        target_cosine=torch.tensor(0.5, requires_grad=True)
    ),
    f"scale=1{'0' * 76}..., but must be in (0, inf) [gst]": gst(scale=10**400),
    "scale=<int>, but must be in (0, inf) [gst]": gst(scale=10**5000),
    "margin=array([[0.+1.j, 0.+1.j], [0.+1.j, 0.+1.j]]), but must be in [0, pi/2) "
    "[gst]": gst(margin=np.full((2, 2), 1j)),
    "loss=['arcface'], but must be one of "
    + f"{', '.join(reference.LOSSES)} [gst]": lambda: reference.gst(
        ["arcface"],  # type: ignore[arg-type]
        *(0, 0),
    ),
    "axis='x', but must be an integer [rival_cosine]": lambda: reference.rival_cosine(
        TWO,
        64.0,
        axis="x",  # type: ignore[arg-type]
    ),
    "cosine[1, 2]=1.5, but must be in [-1, 1] [batch]": batch(
        [[0, 0, 0], [0, 0, 1.5]], [0, 0]
    ),
}
SHAPES: dict[str, Callable[[], object]] = {
    "margin.shape=(3,), but must be broadcastable with (2,) [gst]": gst(
        target_cosine=[0, 0.5], margin=[0.1, 0.2, 0.3]
    ),
    "cosine.shape=(3,), but must be (B, C) with C >= 2 [batch]": batch(TWO[0], [0]),
    "cosine.shape=(2, 1), but must be (B, C) with C >= 2 [batch]": batch(
        TWO[:, :1], [0, 0]
    ),
    "labels.shape=(3,), but must be (2,) [batch]": batch(TWO, [0, 0, 0]),
    "margin.shape=(3,), but must be () or (2,) [batch]": batch(
        TWO, [0, 0], margin=[0.1, 0.2, 0.3]
    ),
    "other_logits_over_scale.shape=(2, 0), but must be with a class on axis -1 "
    "[rival_cosine]": lambda: reference.rival_cosine(np.ones((2, 0)), 64.0),
    "other_logits_over_scale.shape=(), but must be with a class on axis -1 "
    "[rival_cosine]": lambda: reference.rival_cosine(0.5, 64.0),
}


@pytest.mark.parametrize("message", MESSAGES)
def test_a_value_outside_its_domain_gets_one_line(message: str) -> None:
    with pytest.raises(DomainError) as caught:
        MESSAGES[message]()
    assert str(caught.value) == message


@pytest.mark.parametrize("message", SHAPES)
def test_a_shape_that_does_not_fit_gets_one_line(message: str) -> None:
    with pytest.raises(ShapeError) as caught:
        SHAPES[message]()
    assert str(caught.value) == message


@pytest.mark.parametrize(("loss", "rule"), UNDEFINED)
def test_an_undefined_cell_is_refused(loss: str, rule: str) -> None:
    parameters = dict.fromkeys(reference.PARAMETERS[loss], 0.5)
    with pytest.raises(DomainError, match=f"profile='{rule}', but {loss} defines"):
        reference.logit(loss, 0.5, profile=rule, **parameters)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "fallbak",
        "clip:",
        "clip:cosine",
        "clip:cosine=",
        "clip:cosine=nan",
        "clip:cosine=1",
        "clip:cosine=-1e-4",
        "clip:cosine=1e-3,cosine=1e-4",
        "clip:true,detached",
        "clip:rule=1",
        "clip:eps=1e-3",
        "clip:gradient=detached",
        "pure:angle=1e-3",
        Profile("pure", gradient="none"),
        None,
    ],
)
def test_a_profile_that_is_none_is_refused(text: Any) -> None:
    with pytest.raises(DomainError, match="but must be one of pure, clip, fallback"):
        parse_profile(text)


@pytest.mark.parametrize(
    "canonical",
    ["pure", "clip", "clip:cosine=0.0001", "clip:angle=0.1", "fallback:detached"],
)
def test_a_canonical_profile_reads_as_itself(canonical: str) -> None:
    assert str(parse_profile(canonical)) == canonical


@pytest.mark.parametrize("function", [reference.logit, reference.slope])
def test_a_wrong_profile_says_which_function_refuses_it(function: Any) -> None:
    with pytest.raises(DomainError, match=rf"\[{function.__name__}\]$"):
        function("arcface", 0.5, scale=64.0, margin=0.5, profile="x")


def test_a_profile_says_its_defaults_or_leaves_them_out() -> None:
    said = parse_profile("clip:angle=1e-3,cosine=1e-3,true")
    assert said == parse_profile("clip") == parse_profile(said)


def test_the_arrays_of_the_caller_stay_as_they_are() -> None:
    cosine = np.array([[1.0, -1.0, 0.3], [0.2, 0.9, -0.4]])
    labels, margin = np.array([0, 1]), np.array([0.3, 0.5])
    kept = cosine.copy(), labels.copy(), margin.copy()
    reference.batch("arcface", cosine, labels, scale=64.0, margin=margin)
    for after, before in zip((cosine, labels, margin), kept, strict=True):
        np.testing.assert_array_equal(after, before)


def test_an_answer_shares_no_memory_with_its_question() -> None:
    cosine = np.array([0.5, 0.25])
    rival = reference.rival_cosine(cosine[:, None], 64.0)
    scaler = reference.margin_scaler(cosine, 1.0)
    logit = reference.logit("normface", cosine, scale=1.0)
    assert not any(np.shares_memory(cosine, got) for got in (rival, scaler, logit))


def test_scalars_give_scalars() -> None:
    assert isinstance(reference.norm_gradient("magface", 0.5, 0.5, **MAGFACE), float)


def test_an_answer_has_the_shape_all_arguments_broadcast_to() -> None:
    got = reference.slope("normface", [0.1, 0.2, 0.3], scale=[[1.0], [2.0]])
    assert got.shape == (2, 3)

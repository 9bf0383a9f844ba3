"""Closed forms on tensors: derivatives of each other, in every dtype, compiled too."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close
from torch_cases import (
    SETTINGS,
    compiled,
    cosines,
    every_case,
    every_dtype,
    every_loss,
    every_rule_and_loss,
)

from adaface_ref import torch_heads
from adaface_ref.errors import ShapeError
from adaface_ref.torch_heads import (
    LOSSES,
    PARAMETERS,
    gst,
    logit,
    loss_value,
    rival_cosine,
    slope,
)


def quantities(
    loss: str, target: Tensor, rival: Tensor, other: Tensor, **given: Any
) -> dict[str, Tensor]:
    """Every closed form at once."""
    found = {
        "logit": logit(loss, target, **given),
        "slope": slope(loss, target, **given),
        "other_logit": torch_heads.other_logit(loss, other, target, **given),
        "other_gst": torch_heads.other_gst(loss, target, rival, other, **given),
    }
    for name in ("probability", "gst", "loss_value"):
        found[name] = getattr(torch_heads, name)(loss, target, rival, **given)
    if loss == "magface":
        found["norm_gradient"] = torch_heads.norm_gradient(loss, target, rival, **given)
    return found


def derivative(of: Tensor, by: Tensor) -> Tensor:
    """The elementwise derivative by autograd."""
    return torch.autograd.grad(of.sum(), by)[0]


def test_there_is_a_point_for_every_parameter() -> None:
    assert {loss: tuple(point) for loss, point in SETTINGS.items()} == PARAMETERS


@every_case
def test_gst_is_the_derivative_of_the_loss(loss: str, rule: str, device: str) -> None:
    target, rival, _ = cosines(device)
    given: dict[str, Any] = {"profile": rule, **SETTINGS[loss]}
    value = loss_value(loss, target.requires_grad_(), rival, **given)
    assert_close(derivative(value, target), gst(loss, target, rival, **given))


@every_case
def test_slope_is_the_derivative_of_the_logit(
    loss: str, rule: str, device: str
) -> None:
    target, _, _ = cosines(device)
    given: dict[str, Any] = {"profile": rule, **SETTINGS[loss]}
    rate = derivative(logit(loss, target.requires_grad_(), **given), target)
    assert_close(rate, given["scale"] * slope(loss, target, **given))


@every_loss
def test_other_gst_is_the_derivative_of_a_second_rival(loss: str) -> None:
    target, far, other = cosines()
    given: dict[str, Any] = {**SETTINGS[loss]}
    scaled = torch_heads.other_logit(loss, other.requires_grad_(), target, **given)
    both = torch.stack([scaled / 64, far], dim=-1)
    rival = torch_heads.rival_cosine(both, 64.0)
    value = loss_value(loss, target, rival, **given)
    expected = torch_heads.other_gst(loss, target, rival, other, **given)
    assert_close(derivative(value, other), expected)


@pytest.mark.parametrize("rule", LOSSES["magface"].rules)
def test_norm_gradient_is_the_derivative_by_the_norm(rule: str, device: str) -> None:
    target, rival, _ = cosines(device)
    norm = torch.linspace(5, 120, len(target), dtype=torch.float64, device=device)
    given: dict[str, Any] = {**SETTINGS["magface"], "profile": rule}
    given["feature_norm"] = norm.requires_grad_()
    value = loss_value("magface", target, rival, **given)
    expected = torch_heads.norm_gradient("magface", target, rival, **given)
    assert_close(derivative(value, norm), expected)


@every_dtype
@every_case
def test_a_narrow_dtype_is_float64_rounded_once(
    loss: str, rule: str, dtype: torch.dtype, device: str
) -> None:
    narrow = [cosine.to(dtype) for cosine in cosines(device)]
    given: dict[str, Any] = {"profile": rule, **SETTINGS[loss]}
    wide = quantities(loss, *(cosine.double() for cosine in narrow), **given)
    for name, value in quantities(loss, *narrow, **given).items():
        assert value.dtype == dtype
        assert torch.equal(value, wide[name].to(dtype)), name


@every_loss
def test_a_parameter_may_be_a_tensor(loss: str, device: str) -> None:
    points = cosines(device)
    tensors = {
        name: torch.full_like(points[0], value)
        for name, value in SETTINGS[loss].items()
    }
    numbers = quantities(loss, *points, **SETTINGS[loss])
    for name, value in quantities(loss, *points, **tensors).items():
        assert torch.equal(value, numbers[name]), name


@every_rule_and_loss
def test_the_gst_compiles_in_one_graph(loss: str, rule: str) -> None:
    target, rival, _ = cosines()

    def asked(cosine: Tensor) -> Tensor:
        return gst(loss, cosine, rival, profile=rule, **SETTINGS[loss])

    assert_close(compiled(asked)(target), asked(target), rtol=0, atol=0)


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["magface", "curricularface"])
def test_every_closed_form_compiles_in_one_graph(loss: str) -> None:
    points = cosines()

    def asked(*cosine: Tensor) -> dict[str, Tensor]:
        return quantities(loss, *cosine, **SETTINGS[loss])

    assert_close(compiled(asked)(*points), asked(*points), rtol=0, atol=0)


@pytest.mark.slow
def test_the_default_compiler_gives_the_same_float32(device: str) -> None:
    torch.compiler.reset()
    target, rival, _ = (cosine.float() for cosine in cosines(device, size=10_000))
    given: dict[str, Any] = {**SETTINGS["adaface"]}
    default: Callable[..., Tensor] = torch.compile(gst, fullgraph=True)
    found = default("adaface", target, rival, **given)
    assert_close(found, gst("adaface", target, rival, **given))


@every_case
def test_a_pole_is_a_limit_that_is_no_nan(loss: str, rule: str, device: str) -> None:
    pole = torch.tensor([1.0, -1.0], dtype=torch.float64, device=device)
    given: dict[str, Any] = {"profile": rule, **SETTINGS[loss]}
    for value in quantities(loss, pole, pole / 2, -pole / 2, **given).values():
        assert not value.isnan().any()


@pytest.mark.parametrize(
    ("loss", "zero"),
    [
        ("normface", {}),
        ("cosface", {}),
        ("arcface", {"margin": 0.0}),
        ("adaface", {"margin_scaler": 0.0}),
        ("combined", {"multiplier": 1.0, "angular_offset": 0.0}),
        ("sphereface", {"multiplier": 1}),
    ],
)
def test_without_an_angular_margin_the_slope_is_one_at_a_pole(
    loss: str, zero: dict[str, float]
) -> None:
    pole = torch.tensor([1.0, -1.0], dtype=torch.float64)
    assert slope(loss, pole, **{**SETTINGS[loss], **zero}).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("multiplier", range(1, 9))
def test_the_multiplied_angle_has_the_slope_of_its_square_at_a_pole(
    multiplier: int,
) -> None:
    pole = torch.tensor([1.0, -1.0], dtype=torch.float64)
    found = slope("sphereface", pole, scale=1.0, multiplier=multiplier)
    assert found.tolist() == [multiplier**2, multiplier**2]


@every_case
def test_a_clamped_cosine_has_no_slope(loss: str, rule: str) -> None:
    edge = torch.tensor([1.0, -1.0, 0.9999], dtype=torch.float64)
    for profile in (f"{rule}:cosine=1e-3", f"{rule}:cosine=1e-3,detached"):
        found = slope(loss, edge, profile=profile, **SETTINGS[loss])
        assert found.tolist() == [0.0, 0.0, 0.0]


@every_case
def test_a_detached_slope_is_one(loss: str, rule: str) -> None:
    target = cosines()[0].clamp(-0.99, 0.99)
    found = slope(loss, target, profile=f"{rule}:detached", **SETTINGS[loss])
    assert torch.equal(found, torch.ones_like(found))


def test_the_gst_of_an_easy_sample_is_subnormal_before_it_is_zero() -> None:
    easy = torch.tensor([0.9], dtype=torch.float64)
    found = gst("normface", easy, -0.57, scale=505.0)
    assert 0 > found.item() > -torch.finfo(torch.float64).tiny


@pytest.mark.parametrize(
    ("loss", "rule"),
    [("sphereface", "pure"), ("arcface", "clip"), ("magface", "clip")],
)
def test_a_folded_or_clipped_logit_never_falls_as_the_cosine_rises(
    loss: str, rule: str
) -> None:
    rising = torch.linspace(-1, 1, 10_001, dtype=torch.float64)
    found = logit(loss, rising, profile=rule, **SETTINGS[loss])
    assert (found.diff() >= 0).all()


def test_adaface_at_scaler_minus_one_is_arcface() -> None:
    target, rival, _ = cosines()
    ours = gst("adaface", target, rival, scale=64.0, margin=0.4, margin_scaler=-1.0)
    assert torch.equal(ours, gst("arcface", target, rival, scale=64.0, margin=0.4))


def test_adaface_at_scaler_zero_is_cosface() -> None:
    target, rival, _ = cosines()
    ours = gst("adaface", target, rival, scale=64.0, margin=0.4, margin_scaler=0.0)
    assert torch.equal(ours, gst("cosface", target, rival, scale=64.0, margin=0.4))


def test_splitting_a_rival_in_two_changes_nothing() -> None:
    others = cosines()[0].reshape(50, 10)
    halves = others[:, :1] - math.log(2) / 64
    split = torch.cat([halves, halves, others[:, 1:]], dim=1)
    rival = torch_heads.rival_cosine
    assert_close(rival(split, 64.0), rival(others, 64.0), rtol=1e-15, atol=1e-15)


def test_a_rival_cosine_does_not_overflow() -> None:
    others = torch.tensor([[1.0, 1.0], [-1.0, -1.0]], dtype=torch.float16)
    assert torch_heads.rival_cosine(others, 1e4).tolist() == [1.0, -1.0]


@pytest.mark.parametrize(
    "text", ["pure", "clip", "clip:cosine=0.0,angle=0.01", "fallback:detached"]
)
def test_a_profile_prints_as_it_is_read(text: str) -> None:
    assert str(torch_heads.parse_profile(text)) == text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"margin": -1}, "margin=-1, but must be in [0, pi/2) [gst]"),
        ({"margin": math.nan}, "margin=nan, but must be in [0, pi/2) [gst]"),
        ({"scale": "64"}, "scale='64', but must be a number or a tensor [gst]"),
        (
            {"margin": torch.tensor([0.5, 2.0])},
            "margin[1]=2.0, but must be in [0, pi/2) [gst]",
        ),
        (
            {"target_cosine": torch.tensor([0.5, 1.5])},
            "target_cosine[1]=1.5, but must be in [-1, 1] [gst]",
        ),
        (
            {"rival_cosine": torch.tensor(math.nan)},
            "rival_cosine=nan, but must be finite [gst]",
        ),
        (
            {"target_cosine": torch.tensor([1, 0])},
            "target_cosine.dtype=torch.int64, but must be a floating type [gst]",
        ),
        (
            {"rival_cosine": torch.zeros(3)},
            "rival_cosine.shape=(3,), but must be broadcastable with (2,) [gst]",
        ),
        (
            {"loss": "adaface", "margin_scaler": 0.0, "profile": "fallback"},
            "profile='fallback', but adaface defines pure, clip [gst]",
        ),
        (
            {"loss": "face"},
            f"loss='face', but must be one of {', '.join(LOSSES)} [gst]",
        ),
        (
            {"loss": ["face"]},
            f"loss=['face'], but must be one of {', '.join(LOSSES)} [gst]",
        ),
        (
            {"margin": torch.tensor(0.5 + 0j)},
            "margin.dtype=torch.complex64, but must be a real type [gst]",
        ),
        (
            {"margin": [[0.5], [0.6, 0.7]]},
            "margin=[[0.5], [0.6, 0.7]], but must be a number or a tensor [gst]",
        ),
        (
            {"target_cosine": [0.5]},
            "target_cosine=[0.5], but must be a tensor [gst]",
        ),
        (
            {"scale": 10**400},  # past every float
            f"scale=1{'0' * 76}..., but must be in (0, inf) [gst]",
        ),
        (
            {"m": 0.5},
            "parameter='m', but must be one of scale, margin for arcface [gst]",
        ),
        (
            {"profile": "pure:angle=0.1"},
            "profile='pure:angle=0.1', but must be pure with the fields cosine=, "
            "of=, floor=, detached, true [gst]",
        ),
    ],
)
def test_a_mistake_gets_one_clear_line(change: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {
        "loss": "arcface",
        "target_cosine": torch.tensor([0.5, 0.6]),
        "rival_cosine": 0.5,
        "scale": 64.0,
        "margin": 0.5,
    }
    with pytest.raises(ValueError, match=r".") as caught:
        gst(**{**given, **change})
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"axis": "x"}, "axis='x', but must be an integer"),
        (
            {"axis": 5},
            "other_logits_over_scale.shape=(3, 4), but must be at least one class "
            "along axis 5",
        ),
        (
            {"scale": torch.ones(4)},
            "scale.shape=(4,), but must be broadcastable with (3,)",
        ),
        ({"scale": None}, "scale=None, but must be a number or a tensor"),
        (
            {"other_logits_over_scale": [1.0]},
            "other_logits_over_scale=[1.0], but must be a tensor",
        ),
    ],
)
def test_a_wrong_rival_gets_one_clear_line(
    change: dict[str, Any], message: str
) -> None:
    given = {"other_logits_over_scale": torch.zeros(3, 4), "scale": 64.0, **change}
    with pytest.raises(ValueError, match=r".") as caught:
        torch_heads.rival_cosine(**given)
    assert str(caught.value) == f"{message} [rival_cosine]"


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_a_rival_may_have_a_scale_of_its_own(axis: int) -> None:
    others = cosines()[0][:9].reshape(3, 3)
    scale = torch.tensor([1.0, 8.0, 64.0], dtype=torch.float64)
    found = torch_heads.rival_cosine(others, scale, axis)
    for row, alone in enumerate(others.movedim(axis, -1)):
        assert_close(found[row], torch_heads.rival_cosine(alone, scale[row]))


def test_a_missing_parameter_is_named() -> None:
    with pytest.raises(ValueError, match=r"^margin=missing, but must be given for arc"):
        gst("arcface", torch.zeros(1), 0.0, scale=64.0)


def test_bounds_in_the_wrong_order_are_refused() -> None:
    given = {**SETTINGS["magface"], "norm_lower": 120.0}
    with pytest.raises(ValueError, match=r"^norm_lower=120\.0, but must be below norm"):
        gst("magface", torch.zeros(1), 0.0, **given)


def test_bounds_that_do_not_broadcast_are_refused() -> None:
    given = {**SETTINGS["magface"], "norm_lower": torch.ones(2)}
    given["norm_upper"] = torch.full((3,), 9.0)
    with pytest.raises(ValueError, match=r"^norm_upper\.shape=\(3,\), but must be bro"):
        gst("magface", torch.zeros(1), 0.0, **given)


def test_only_magface_has_a_norm_gradient() -> None:
    with pytest.raises(ValueError, match=r"^loss='arcface', but must be 'magface'"):
        torch_heads.norm_gradient("arcface", torch.zeros(1), 0.0)


@pytest.mark.parametrize("shape", [(), (2, 0)])
def test_no_class_at_all_has_no_rival(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match="must be at least one class along axis -1"):
        rival_cosine(torch.zeros(shape), 64.0)

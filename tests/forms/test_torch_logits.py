"""Logits to train on: their gradient in the core, at the poles, and past them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.testing import assert_close
from torch_cases import (
    CLIPPED,
    SETTINGS,
    compiled,
    dynamo_instantiates,
    every_case,
    every_dtype,
    every_loss,
    every_rule_and_loss,
)

from adaface_ref import torch_heads
from adaface_ref.errors import DomainError
from adaface_ref.torch_heads import LOSSES, margin_logits

ROWS, CLASSES = 6, 5
LABELS = [0, 1, 2, 3, 4, 0]


def batch(device: str = "cpu", dtype: torch.dtype = torch.float64) -> Tensor:
    """Cosines away from the poles, of every sign."""
    source = torch.Generator().manual_seed(3)
    drawn = torch.rand(ROWS, CLASSES, generator=source, dtype=torch.float64)
    return (1.8 * drawn - 0.9).to(device, dtype)


def labels(device: str = "cpu") -> Tensor:
    return torch.tensor(LABELS, device=device)


def at_and_past_the_poles(dtype: torch.dtype, device: str = "cpu") -> Tensor:
    """Target cosines of +-1, one rounding further, and 4 eps further."""
    cosine, eps = batch(device, dtype), torch.finfo(dtype).eps
    ends = [1, -1, 1 + eps, -1 - eps, 1 + 4 * eps, -1 - 4 * eps]
    cosine[torch.arange(ROWS), labels()] = torch.tensor(
        ends, dtype=dtype, device=device
    )
    return cosine


def gradient(loss: str, cosine: Tensor, **given: Any) -> Tensor:
    """That of the sum of the logits."""
    leaf = cosine.clone().requires_grad_()
    logits = margin_logits(loss, leaf, labels(str(cosine.device)), **given)
    return torch.autograd.grad(logits.sum(), leaf)[0]


@every_case
def test_the_gradient_is_exact_in_the_core(loss: str, rule: str, device: str) -> None:
    def logits(cosine: Tensor) -> Tensor:
        return margin_logits(
            loss, cosine, labels(device), profile=rule, **SETTINGS[loss]
        )

    leaf = batch(device).requires_grad_()
    assert torch.autograd.gradcheck(logits, (leaf,))
    assert torch.autograd.gradgradcheck(logits, (leaf,))


@every_case
def test_cross_entropy_gives_the_gst_of_every_class(
    loss: str, rule: str, device: str
) -> None:
    given: dict[str, Any] = {"profile": rule, **SETTINGS[loss]}
    leaf, index = batch(device).requires_grad_(), labels(device).unsqueeze(1)
    logits = margin_logits(loss, leaf, labels(device), **given)
    cross_entropy(logits, labels(device), reduction="sum").backward()
    assert leaf.grad is not None
    others = (logits.detach() / 64).scatter(1, index, -50.0)
    rival = torch_heads.rival_cosine(others, 64.0).unsqueeze(1)
    target = leaf.detach().gather(1, index)
    expected = torch_heads.other_gst(loss, target, rival, leaf.detach(), **given)
    own = torch_heads.gst(loss, target, rival, **given)
    assert_close(leaf.grad, expected.scatter(1, index, own))


@every_dtype
@every_case
def test_the_target_column_is_the_closed_form(
    loss: str, rule: str, dtype: torch.dtype, device: str
) -> None:
    given: dict[str, Any] = {"profile": rule, **SETTINGS[loss]}
    cosine, index = batch(device, dtype), labels(device).unsqueeze(1)
    logits = margin_logits(loss, cosine, labels(device), **given)
    expected = torch_heads.logit(loss, cosine.gather(1, index), **given)
    assert logits.dtype == dtype
    assert torch.equal(logits.gather(1, index), expected)


@every_case
def test_the_other_columns_are_the_closed_form(
    loss: str, rule: str, device: str
) -> None:
    given: dict[str, Any] = {"profile": rule, **SETTINGS[loss]}
    cosine, index = batch(device), labels(device).unsqueeze(1)
    logits = margin_logits(loss, cosine, labels(device), **given)
    target = cosine.gather(1, index)
    expected = torch_heads.other_logit(loss, cosine, target, **given)
    assert_close(logits.scatter(1, index, 0), expected.scatter(1, index, 0))


@every_dtype
@every_case
def test_gradients_are_finite_at_the_poles(
    loss: str, rule: str, dtype: torch.dtype, device: str
) -> None:
    for profile in (rule, f"{rule}:detached", f"{rule}:cosine=1e-4"):
        cosine = at_and_past_the_poles(dtype, device)
        found = gradient(loss, cosine, profile=profile, **SETTINGS[loss])
        assert found.isfinite().all()


@every_case
def test_second_gradients_are_finite_at_the_poles(loss: str, rule: str) -> None:
    leaf = at_and_past_the_poles(torch.float32).requires_grad_()
    logits = margin_logits(loss, leaf, labels(), profile=rule, **SETTINGS[loss])
    value = cross_entropy(logits, labels())
    (first,) = torch.autograd.grad(value, leaf, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), leaf)
    assert second.isfinite().all()


@every_dtype
def test_a_pole_has_the_slope_of_its_neighbour(dtype: torch.dtype) -> None:
    given = SETTINGS["arcface"]
    cosine = at_and_past_the_poles(dtype)
    inner = cosine.clamp(
        -1 + torch.finfo(dtype).eps / 2, 1 - torch.finfo(dtype).eps / 2
    )
    found = gradient("arcface", cosine, **given)
    assert torch.equal(found, gradient("arcface", inner, **given))


@every_dtype
def test_the_neighbour_of_a_pole_is_the_nearest_float(dtype: torch.dtype) -> None:
    """Below 1 floats are eps/2 apart; bfloat16's slope there is 6 or so."""
    given = SETTINGS["arcface"]
    found = gradient("arcface", torch.ones(ROWS, CLASSES, dtype=dtype), **given)
    near = torch.tensor(1 - torch.finfo(dtype).eps / 2, dtype=torch.float64)
    slope = given["scale"] * torch_heads.slope("arcface", near, margin=given["margin"])
    own = found.gather(1, labels().unsqueeze(1))
    assert_close(own, slope.to(dtype).expand_as(own))


def test_the_gradient_by_the_margin_at_a_pole_is_that_of_the_pole() -> None:
    """cos(theta + a) at theta = 0 falls by sin a, not by the sine next to it."""
    margin = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    ones = torch.ones(ROWS, CLASSES)
    logits = margin_logits("arcface", ones, labels(), scale=64.0, margin=margin)
    logits.gather(1, labels().unsqueeze(1)).sum().backward()
    assert margin.grad is not None
    expected = -64.0 * ROWS * torch.tensor(0.5, dtype=torch.float64).sin()
    assert_close(margin.grad, expected, rtol=1e-7, atol=0)


@every_loss
def test_a_clamp_holds_every_other_class_at_its_end(loss: str, device: str) -> None:
    cosine = batch(device)
    cosine[:, 1:] = torch.tensor([1.0, -1.0, 0.8, -0.5], device=device)
    zeros = torch.zeros(ROWS, dtype=torch.long, device=device)
    rule = "pure:cosine=0.25"
    logits = margin_logits(loss, cosine, zeros, profile=rule, **SETTINGS[loss])
    clamped = cosine.clamp(-0.75, 0.75)
    expected = torch_heads.other_logit(loss, clamped, cosine[:, :1], **SETTINGS[loss])
    assert_close(logits[:, 1:], expected[:, 1:])


def test_the_limit_at_a_pole_is_infinite_on_request() -> None:
    cosine = at_and_past_the_poles(torch.float32)
    found = gradient("arcface", cosine, pole_gradient="limit", **SETTINGS["arcface"])
    own = found.gather(1, labels().unsqueeze(1)).squeeze(1)
    assert own.tolist() == [torch.inf, -torch.inf] * 3


@every_dtype
@pytest.mark.parametrize("loss", CLIPPED)
def test_a_clamped_pole_has_no_gradient(loss: str, dtype: torch.dtype) -> None:
    ones = torch.ones(ROWS, CLASSES, dtype=dtype)
    found = gradient(loss, ones, profile="clip", **SETTINGS[loss])
    assert not found.any()


@every_case
def test_a_detached_gradient_is_the_scale_everywhere(loss: str, rule: str) -> None:
    found = gradient(loss, batch(), profile=f"{rule}:detached", **SETTINGS[loss])
    assert torch.equal(found, torch.full_like(found, 64.0))


@every_case
def test_a_skipped_row_is_the_scaled_cosine(loss: str, rule: str, device: str) -> None:
    cosine, skipped = batch(device) / 0.9, labels(device)
    skipped[2] = -1
    logits = margin_logits(loss, cosine, skipped, profile=rule, **SETTINGS[loss])
    assert torch.equal(logits[2], 64.0 * cosine[2])


@every_loss
def test_a_skipped_row_has_no_gradient(loss: str, device: str) -> None:
    leaf, skipped = batch(device).requires_grad_(), labels(device)
    skipped[2] = -1
    logits = margin_logits(loss, leaf, skipped, **SETTINGS[loss])
    cross_entropy(logits, skipped, ignore_index=-1).backward()
    assert leaf.grad is not None
    assert leaf.grad.any(dim=1).tolist() == [True, True, False, True, True, True]


@every_loss
def test_the_callers_tensors_stay_as_they_are(loss: str) -> None:
    cosine, given = batch(), labels().int()
    margin_logits(loss, cosine, given, **SETTINGS[loss])
    assert torch.equal(cosine, batch())
    assert given.tolist() == LABELS


def test_permuting_the_classes_permutes_the_logits() -> None:
    order = torch.tensor([3, 0, 4, 1, 2])
    moved = order.argsort()[labels()]
    for loss, given in SETTINGS.items():
        plain = margin_logits(loss, batch(), labels(), **given)
        assert torch.equal(
            margin_logits(loss, batch()[:, order], moved, **given), plain[:, order]
        )


@pytest.mark.parametrize("shape", [(CLASSES,), (CLASSES, 1)])
def test_one_scaler_a_row_stays_with_its_row(shape: tuple[int, ...]) -> None:
    square, scaler = batch()[:CLASSES], torch.linspace(-1, 1, CLASSES)
    given: dict[str, Any] = {"scale": 64.0, "margin": 0.4}
    whole = margin_logits(
        "adaface", square, labels()[:-1], margin_scaler=scaler.reshape(shape), **given
    )
    for row, z in enumerate(scaler.tolist()):
        alone = square[row : row + 1], labels()[row : row + 1]
        one = margin_logits("adaface", *alone, margin_scaler=z, **given)
        assert torch.equal(whole[row : row + 1], one)


def test_the_margin_scaler_is_held_constant() -> None:
    scaler = torch.linspace(-1, 1, ROWS, requires_grad=True)
    given: dict[str, Any] = {**SETTINGS["adaface"], "margin_scaler": scaler}
    logits = margin_logits("adaface", batch(), labels(), **given)
    assert not logits.requires_grad


@pytest.mark.parametrize("rule", LOSSES["magface"].rules)
def test_the_gradient_runs_through_the_norm(rule: str, device: str) -> None:
    norm = torch.linspace(5, 115, ROWS, dtype=torch.float64, device=device)
    given: dict[str, Any] = {**SETTINGS["magface"], "profile": rule}
    given |= {"feature_norm": norm.requires_grad_(), "regulariser_weight": 0.0}
    logits = margin_logits("magface", batch(device), labels(device), **given)
    cross_entropy(logits, labels(device), reduction="sum").backward()
    index = labels(device).unsqueeze(1)
    rival = torch_heads.rival_cosine(logits.scatter(1, index, -3e3) / 64, 64.0)
    target = batch(device).gather(1, index).squeeze(1)
    expected = torch_heads.norm_gradient("magface", target, rival.detach(), **given)
    assert_close(norm.grad, expected)


@dynamo_instantiates
@every_rule_and_loss
def test_logits_compile_in_one_graph(loss: str, rule: str) -> None:
    def asked(cosine: Tensor, given: Tensor) -> Tensor:
        return margin_logits(loss, cosine, given, profile=rule, **SETTINGS[loss])

    leaf = at_and_past_the_poles(torch.float64).requires_grad_()
    ours, plain = compiled(asked)(leaf, labels()), asked(leaf, labels())
    assert torch.equal(ours, plain)
    first, second = (torch.autograd.grad(x.sum(), leaf) for x in (ours, plain))
    assert torch.equal(*first, *second)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"labels": torch.tensor([0, 1, 7])},
            "labels[2]=7, but must be -1 or in [0, 5) [margin_logits]",
        ),
        (
            {"labels": torch.tensor([0, 1])},
            "labels.shape=(2,), but must be (3,) [margin_logits]",
        ),
        (
            {"labels": torch.zeros(3)},
            "labels.dtype=torch.float32, but must be an integer type [margin_logits]",
        ),
        (
            {"cosine": torch.zeros(3)},
            "cosine.shape=(3,), but must be (B, C) with C >= 1 [margin_logits]",
        ),
        (
            {"cosine": torch.zeros(3, 0), "labels": torch.full((3,), -1)},
            "cosine.shape=(3, 0), but must be (B, C) with C >= 1 [margin_logits]",
        ),
        ({"cosine": None}, "cosine=None, but must be a tensor [margin_logits]"),
        (
            {"labels": [0, 1, 2]},
            "labels=[0, 1, 2], but must be a tensor [margin_logits]",
        ),
        ({"labels": None}, "labels=None, but must be a tensor [margin_logits]"),
        (
            {"labels": np.array([[0], [1], [2]])},
            "labels=array([[0], [1], [2]]), but must be a tensor [margin_logits]",
        ),
        (
            {"margin": "0.4", "check": False},
            "margin='0.4', but must be a number or a tensor [margin_logits]",
        ),
        (
            {"margin": torch.tensor(0.4 + 0j)},
            "margin.dtype=torch.complex64, but must be a real type [margin_logits]",
        ),
        (
            {"cosine": torch.full((3, 5), 1.5)},
            "cosine[0, 0]=1.5, but must be in [-1, 1] up to 4 eps [margin_logits]",
        ),
        (
            {"cosine": torch.full((3, 5), torch.nan)},
            "cosine[0, 0]=nan, but must be in [-1, 1] up to 4 eps [margin_logits]",
        ),
        (
            {"margin_scaler": torch.zeros(5)},
            "margin_scaler.shape=(5,), but must be (3,) or (3, 1) [margin_logits]",
        ),
        (
            {"pole_gradient": "none"},
            "pole_gradient='none', but must be nearest or limit [margin_logits]",
        ),
    ],
)
def test_a_mistake_gets_one_clear_line(change: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {
        "cosine": torch.zeros(3, 5),
        "labels": torch.tensor([0, 1, 2]),
        **SETTINGS["adaface"],
    }
    with pytest.raises(ValueError, match=r".") as caught:
        margin_logits("adaface", **{**given, **change})
    assert str(caught.value) == message


def test_the_curriculum_is_held_constant() -> None:
    curriculum = torch.tensor(0.3, requires_grad=True)
    given = {**SETTINGS["curricularface"], "curriculum": curriculum}
    logits = margin_logits(
        "curricularface", torch.eye(3), torch.tensor([1, 2, 0]), **given
    )
    assert not logits.requires_grad


@every_dtype
def test_a_cosine_eight_roundings_past_one_is_refused(dtype: torch.dtype) -> None:
    cosine = torch.full((1, 2), 1 + 8 * torch.finfo(dtype).eps, dtype=dtype)
    with pytest.raises(DomainError, match="up to 4 eps"):
        margin_logits("normface", cosine, torch.tensor([0]), scale=64.0)

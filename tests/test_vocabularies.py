"""Names and defaults that stand in each form on its own, compared once, here."""

from __future__ import annotations

import pytest

from adaface_ref import numpy_arguments, numpy_reference, torch_heads
from adaface_ref.evidence.forms import defined_cells
from adaface_ref.points import recommended
from adaface_ref.spec.losses import LOSSES
from adaface_ref.spec.profiles import RULES, parse

TEXTS = (
    "pure",
    "clip",
    "fallback",
    "clip:detached",
    "clip:cosine=0.0001",
    "clip:cosine=0.0,angle=0.1",
    "fallback:cosine=1e-07,detached",
)


def test_losses_are_the_same_in_every_form() -> None:
    assert list(LOSSES) == list(numpy_reference.LOSSES) == list(torch_heads.LOSSES)


@pytest.mark.parametrize("loss", LOSSES)
def test_parameters_are_the_same_in_every_form(loss: str) -> None:
    names = {symbol.name for symbol in LOSSES[loss].parameters}
    assert names == set(numpy_reference.PARAMETERS[loss])
    assert names == set(torch_heads.PARAMETERS[loss])


@pytest.mark.parametrize("loss", LOSSES)
def test_profiles_are_defined_for_the_same_losses_in_every_form(loss: str) -> None:
    rules = {cell.profile for cell in defined_cells() if cell.loss == loss}
    plain = {rule for rule in rules if "detached" not in rule}
    assert plain == set(numpy_reference.DEFINED[loss])
    assert plain == set(torch_heads.LOSSES[loss].rules)


@pytest.mark.parametrize("loss", LOSSES)
def test_recommended_values_are_the_same_in_every_form(loss: str) -> None:
    assert recommended(loss) == numpy_reference.RECOMMENDED[loss]


@pytest.mark.parametrize("text", TEXTS)
def test_a_profile_means_the_same_in_every_form(text: str) -> None:
    ours = parse(text)
    numpy, torch = numpy_arguments.parse_profile(text), torch_heads.parse_profile(text)
    gradient = "detached" if ours.detached else "true"
    assert numpy == (ours.rule, ours.cosine, ours.angle, gradient)
    assert (torch.rule, torch.cosine, torch.angle) == (numpy.rule, *numpy[1:3])
    assert str(ours) == str(numpy) == text


def test_every_rule_is_known_to_every_form() -> None:
    assert list(RULES) == list(torch_heads.PROFILES) == list(numpy_arguments.RULES)

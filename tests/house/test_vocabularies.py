"""Names and defaults that stand in each form on its own, compared once, here."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from adaface_ref import numpy_reference, torch_heads
from adaface_ref.choices import DTYPES
from adaface_ref.errors import DomainError
from adaface_ref.evidence.truth.forms import defined_cells
from adaface_ref.gate.reading.reading import TORCH_DTYPES
from adaface_ref.numpy_reference import arguments as numpy_arguments
from adaface_ref.points import recommended
from adaface_ref.ports.pipe import protocol
from adaface_ref.spec.losses import LOSSES
from adaface_ref.spec.profiles import RULES, parse
from adaface_ref.spec.symbols import QUANTITIES
from adaface_ref.tolerance import EPSILON

NUMBERED = ("rule", "cosine", "angle", "of", "angle_of", "floor")
TEXTS = (
    "pure",
    "clip",
    "fallback",
    "clip:detached",
    "clip:cosine=0.0001",
    "clip:cosine=0.0,angle=0.1",
    "clip:angle=1.2",  # an angle may reach pi/2
    "fallback:cosine=1e-07,detached",
    "fallback-plain",
    "easy:cosine=0.0001",
    "pure:cosine=1e-06,of=target",
    "clip:cosine=1e-12,angle_of=all",
    "fallback:floor=1e-12",
    "fallback:cosine=1e-05,of=acos,detached",
    "pure:cosine=0.001,of=target,floor=0.01,detached",
    "reflect",
    "shift:detached",
    "min",
)
ACCEPTED = (
    *TEXTS,
    "pure:true",
    "clip:detached,cosine=1e-4",
    "clip: angle=1e-3 , cosine=1E-4",
    "clip:cosine=0,angle=0",
    "clip:angle=1.5707963267948963",
    "fallback:cosine=0.999",
    "pure:of=all,floor=0",
    "clip:angle_of=target",
)
REFUSED = (
    "",
    "Clip",
    " clip",
    "clip:",
    "clip:,",
    "clip:cosine=1e-4,,",
    "clip:,cosine=1e-4",
    "clip:cosine",
    "clip:cosine=",
    "clip:cosine=a",
    "clip:cosine=nan",
    "clip:cosine=1",
    "clip:cosine=-1e-4",
    "clip:cosine=1e-4=1",
    "clip:of=others",
    "clip:of=acos",
    "clip:angle_of=acos",
    "clip:floor=1e-3",
    "pure:angle_of=all",
    "pure:floor=1",
    "pure:of=1e-3",
    "pure:of=target,of=target",
    "clip:cosine =1e-4",
    "clip:cosine=1e-4,cosine=1e-3",
    "clip:cosine=1e-4,cosine=1e-4",
    "clip:angle=-1e-4",
    "clip:angle=1.5707963267948966",
    "clip:detached=1",
    "clip:true=detached",
    "clip:gradient=detached",
    "clip:rule=pure",
    "clip:true,detached",
    "clip:detached,detached",
    "clip:eps=1e-3",
    "clip:detached:true",
    "pure:angle=0",
    "fallback:angle=1e-3",
    "easy:angle=1e-3",
    "fallback-",
    None,
    5,
)
PARSERS = (parse, numpy_arguments.parse_profile, torch_heads.parse_profile)
PARTNERS = {
    "norm_lower": ("norm_upper", 2.0),
    "norm_upper": ("norm_lower", 0.5),
    "margin_lower": ("margin_upper", 1.0),
    "margin_upper": ("margin_lower", 1.0),
}
"""The bound that moves along, times what, so that their order is kept."""
INPUTS = ("target_cosine", "rival_cosine", "other_cosine")
CASES = [
    (loss, name)
    for loss, row in LOSSES.items()
    for name in (*INPUTS, *(symbol.name for symbol in row.parameters))
]


def edges(name: str) -> list[tuple[float, bool]]:
    """Just inside, at and just outside each end, and whether it is in the domain."""
    domain, found = QUANTITIES[name].domain, [(math.nan, False)]
    for end, is_open, inwards in (
        (float(domain.start), bool(domain.left_open), 1),
        (float(domain.end), bool(domain.right_open), -1),
    ):
        if math.isinf(end):
            found += [(math.copysign(1e300, end), True), (end, False)]
            continue
        step = inwards * max(math.ulp(end), 1e-300)
        found += [(end + step, True), (end, not is_open), (end - step, False)]
    return found


def accepts(function: Callable[..., object], loss: str, given: dict[str, Any]) -> bool:
    """Whether a form's other_gst, which takes every input, refuses none of these."""
    values = dict(given)
    try:
        function(loss, *(values.pop(name) for name in INPUTS), **values)
    except DomainError:
        return False
    return True


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
    assert numpy == (ours.rule, ours.cosine, ours.angle, gradient, *ours[4:])
    for field in NUMBERED:
        assert getattr(torch, field) == getattr(numpy, field)
    assert str(ours) == str(numpy) == text


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("text", ACCEPTED)
def test_every_form_reads_a_profile(parser: Callable[[str], Any], text: str) -> None:
    found, ours = parser(text), parse(text)
    assert all(getattr(found, field) == getattr(ours, field) for field in NUMBERED)
    assert str(found) == str(ours)


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("text", REFUSED)
def test_every_form_refuses_what_is_no_profile(
    parser: Callable[[Any], Any], text: Any
) -> None:
    with pytest.raises(ValueError, match=r"^profile.*, but must"):
        parser(text)


@pytest.mark.parametrize(("loss", "name"), CASES)
def test_domains_end_where_the_spec_says_in_every_form(loss: str, name: str) -> None:
    usual = {"margin_scaler": 0.5, **dict.fromkeys(INPUTS, 0.25), **recommended(loss)}
    takes = {*INPUTS, *(symbol.name for symbol in LOSSES[loss].parameters)}
    for value, inside in edges(name):
        given = {k: v for k, v in usual.items() if k in takes} | {name: value}
        if inside and name in PARTNERS:
            partner, times = PARTNERS[name]
            given[partner] = times * value
        if (loss, name) == ("sphereface", "multiplier"):
            inside = inside and value.is_integer()  # the spec's arcs are counted
        target = torch.tensor(given["target_cosine"], dtype=torch.float64)
        tensors = {**given, "target_cosine": target}
        assert accepts(numpy_reference.other_gst, loss, given) == inside, value
        assert accepts(torch_heads.other_gst, loss, tensors) == inside, value


def test_every_rule_is_known_to_every_form() -> None:
    assert list(RULES) == list(torch_heads.PROFILES) == list(numpy_arguments.RULES)


def test_every_table_of_dtypes_has_the_dtypes_that_there_are() -> None:
    assert tuple(EPSILON) == tuple(TORCH_DTYPES) == DTYPES
    assert set(protocol.DTYPES) <= set(DTYPES)

"""Boxes of claims: what is read, what is filled in, and what is refused."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sympy import Expr, Integer, Rational, oo, pi

from adaface_ref.spec.language.box import Choice, Range, completed, describe, parse_box
from adaface_ref.spec.language.language import ClaimError, inputs, parse_formula
from adaface_ref.spec.language.values import printed
from adaface_ref.spec.losses import LOSSES
from adaface_ref.spec.symbols import QUANTITIES


def refusal(text: str) -> str:
    """The message for a box that must be refused, which is one short line."""
    with pytest.raises(ClaimError) as caught:
        parse_box(text)
    message = str(caught.value)
    assert message.isprintable() and len(message) < 400
    return message


def box_of(loss: str, formula: str = "gst <= 0", box: str = "") -> str:
    """The completed box as text."""
    return describe(completed(parse_box(box), loss, parse_formula(formula)))


def refused(loss: str, formula: str, box: str = "") -> str:
    """The message for a box that does not suit its claim."""
    with pytest.raises(ClaimError) as caught:
        box_of(loss, formula, box)
    assert str(caught.value).isprintable()
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("margin=0.4", Choice((Rational(2, 5),))),
        ("margin = 1/3", Choice((Rational(1, 3),))),
        ("margin=(0.5)", Choice((Rational(1, 2),))),
        ("margin=pi/8", Choice((pi / 8,))),
        ("margin=0.1*pi", Choice((pi / 10,))),
        ("margin=2*pi/7", Choice((2 * pi / 7,))),
        (
            "margin in {0.1, 1/3, pi/4}",
            Choice((Rational(1, 10), Rational(1, 3), pi / 4)),
        ),
        ("margin in [0, 0.5]", Range(Integer(0), Rational(1, 2))),
        ("margin in (0, 0.5]", Range(Integer(0), Rational(1, 2), True)),
        ("margin in [0, pi/2)", Range(Integer(0), pi / 2, False, True)),
        ("margin in [pi/8, pi/8]", Choice((pi / 8,))),
        ("scale in (0, 64]", Range(Integer(0), Integer(64), True)),
        ("scale in (0, inf)", Range(Integer(0), oo, True, True)),
        ("rival_cosine=-0.5", Choice((Rational(-1, 2),))),
        ("rival_cosine in (-inf, inf)", Range(-oo, oo, True, True)),
        ("angle in [0.1, pi - 0.1]", Range(Rational(1, 10), pi - Rational(1, 10))),
    ],
)
def test_part_is_read_exactly(text: str, part: Range | Choice) -> None:
    assert list(parse_box(text).values()) == [part]


@pytest.mark.parametrize("text", ["", " ", "\n"])
def test_empty_text_is_a_box_that_names_nothing(text: str) -> None:
    assert parse_box(text) == {}


def test_box_is_in_the_order_of_the_vocabulary() -> None:
    assert list(parse_box("rival_cosine=0, margin=0.4, scale=64")) == [
        "scale",
        "margin",
        "rival_cosine",
    ]


@pytest.mark.parametrize("name", inputs())
def test_whole_domain_of_an_input_may_be_given(name: str) -> None:
    domain = QUANTITIES[name].domain
    ends = (bool(domain.left_open), bool(domain.right_open))
    part = Range(domain.start, domain.end, *ends)
    assert parse_box(describe({name: part})) == {name: part}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "margni=1",
            "unknown name 'margni', did you mean 'margin'? at column 1: ^margni=1",
        ),
        ("gst=1", "'gst' is derived, not an input at column 1: ^gst=1"),
        (
            "additive_margin=1",
            "'additive_margin' is derived, not an input at column 1: "
            "^additive_margin=1",
        ),
        (
            "cosine_clamp=0",
            "'cosine_clamp' is set by the profile at column 1: ^cosine_clamp=0",
        ),
        ("0.4", "a name is expected, not '0.4' at column 1: ^0.4"),
        ("margin=0.1,", "a name is expected, not the end at column 12: margin=0.1,^"),
        ("margin", "'=' or 'in' is expected, not the end at column 7: margin^"),
        ("margin==1", "'=' or 'in' is expected, not '==' at column 7: margin^==1"),
        (
            "margin in 1",
            "'[' or '(' or '{' is expected, not '1' at column 11: margin in ^1",
        ),
        (
            "margin in [0 1]",
            "',' is expected, not '1' at column 14: margin in [0 ^1]",
        ),
        (
            "margin in [0, 1}",
            "']' or ')' is expected, not '}' at column 16: margin in [0, 1^}",
        ),
        (
            "margin=0.1 scale=2",
            "',' is expected, not 'scale' at column 12: margin=0.1 ^scale=2",
        ),
        (
            "margin=0.1, margin=0.2",
            "'margin' is given twice at column 13: margin=0.1, ^margin=0.2",
        ),
        (
            "margin in {0.1, 0.10}",
            "0.1 is given twice at column 17: margin in {0.1, ^0.10}",
        ),
        (
            "margin in {}",
            "an expression is expected, not '}' at column 12: margin in {^}",
        ),
        ("margin=3", "margin=3, but must be in [0, pi/2), at column 8: margin=^3"),
        (
            "margin=pi/2",
            "margin=pi/2, but must be in [0, pi/2), at column 8: margin=^pi/2",
        ),
        (
            "margin in {0.1, 2}",
            "margin=2, but must be in [0, pi/2), at column 17: margin in {0.1, ^2}",
        ),
        (
            "margin in [0, pi/2]",
            "margin in [0, pi/2], but must be in [0, pi/2), at column 12: "
            "margin in [^0, pi/2]",
        ),
        (
            "scale in [0, 1]",
            "scale in [0, 1], but must be in (0, inf), at column 11: scale in [^0, 1]",
        ),
        (
            "margin in (-inf, 1]",
            "margin in (-inf, 1], but must be in [0, pi/2), at column 12: "
            "margin in (^-inf, 1]",
        ),
        ("scale=inf", "scale=inf, but must be in (0, inf), at column 7: scale=^inf"),
        (
            "scale in [1, inf]",
            "an infinite end must be open at column 14: scale in [1, ^inf]",
        ),
        (
            "margin in [0.5, 0.4]",
            "margin in [0.5, 0.4] is empty at column 12: margin in [^0.5, 0.4]",
        ),
        (
            "margin in (0.4, 0.4]",
            "margin in (0.4, 0.4] is empty at column 12: margin in (^0.4, 0.4]",
        ),
        (
            "margin=scale",
            "a value is a number or a multiple of pi, not 'scale' at column 8: "
            "margin=^scale",
        ),
        (
            "margin=cos(1)",
            "a value is a number or a multiple of pi, not 'cos' at column 8: "
            "margin=^cos(1)",
        ),
        (
            "scale=2**3",
            "a value is a number or a multiple of pi, not '**' at column 8: "
            "scale=2^**3",
        ),
        (
            "scale=pi*pi",
            "a value is a number or a multiple of pi at column 9: scale=pi^*pi",
        ),
        ("scale=1/0", "division by zero at column 8: scale=1^/0"),
        (
            "scale=1e400*1e400",
            "a number of more than 100 digits at column 12: scale=1e400^*1e400",
        ),
        ("scale=1e401", "an exponent beyond 400 at column 7: scale=^1e401"),
        (
            "margin=0.1; scale=2",
            "character ; has no meaning here at column 11: margin=0.1^; scale=2",
        ),
    ],
)
def test_refusal_names_the_place(text: str, message: str) -> None:
    assert refusal(text) == f"box: {message}"


def test_many_values_are_refused() -> None:
    text = "scale in {" + ", ".join(map(str, range(1, 66))) + "}"
    expected = "box: 65 values, but must be at most 64, at column 1: ^scale in {1, 2"
    assert refusal(text).startswith(expected)


@pytest.mark.parametrize(
    "value",
    ["(" * 1900, "-" * 1900 + "1", "1e400*" * 300 + "1", "1+" * 900 + "1", "9" * 1900],
)
def test_hostile_value_is_refused_at_once(value: str) -> None:
    start = time.monotonic()
    message = refusal(f"scale={value}")
    assert "nested more than 50 deep" in message or "100 digits" in message
    assert time.monotonic() - start < 1


def test_long_box_is_refused_at_once() -> None:
    expected = "box: 100000 characters, but must be at most 2000"
    assert refusal("(" * 100_000) == expected


FREE = "target_cosine in (-1, 1), rival_cosine in (-inf, inf)"


@pytest.mark.parametrize(
    ("loss", "box"),
    [
        ("normface", f"scale=64, {FREE}"),
        ("sphereface", f"scale=64, {FREE}, multiplier=4"),
        ("cosface", f"scale=64, margin=0.35, {FREE}"),
        ("arcface", f"scale=64, margin=0.5, {FREE}"),
        (
            "combined",
            f"scale=64, {FREE}, multiplier=1, angular_offset=0.3, additive_offset=0.2",
        ),
        ("curricularface", f"scale=64, margin=0.5, {FREE}, curriculum=0"),
        (
            "magface",
            f"scale=64, {FREE}, feature_norm=60, norm_lower=10, norm_upper=110, "
            "margin_lower=0.45, margin_upper=0.8, regulariser_weight=35",
        ),
        ("adaface", f"scale=64, margin=0.4, margin_scaler in (-1, 1), {FREE}"),
    ],
)
def test_what_is_not_named_takes_its_default(loss: str, box: str) -> None:
    assert box_of(loss) == box


def test_every_loss_has_a_default_box() -> None:
    for loss in LOSSES:
        assert box_of(loss)


@pytest.mark.parametrize("quantity", ["other_cosine", "other_logit", "other_gst"])
def test_another_class_has_its_cosine_in_the_box(quantity: str) -> None:
    assert "other_cosine in (-1, 1)" in box_of("arcface", f"{quantity} < 2")


def test_angle_takes_the_place_of_the_cosine() -> None:
    assert box_of("normface", box="angle in (0, 1]") == (
        "scale=64, angle in (0, 1], rival_cosine in (-inf, inf)"
    )


@pytest.mark.parametrize(
    ("formula", "box", "norm"),
    [
        (
            "gst <= 0",
            "concentration=1",
            "concentration=1, standard_norm in (-inf, inf)",
        ),
        ("gst <= 0", "standard_norm=2", "concentration=0.333, standard_norm=2"),
        (
            "standard_norm * gst <= 0",
            "",
            "concentration=0.333, standard_norm in (-inf, inf)",
        ),
        (
            "at(gst, standard_norm=0) <= 0",
            "",
            "concentration=0.333, standard_norm in (-inf, inf)",
        ),
    ],
)
def test_standard_norm_takes_the_place_of_the_scaler(
    formula: str, box: str, norm: str
) -> None:
    assert box_of("adaface", formula, box) == f"scale=64, margin=0.4, {norm}, {FREE}"


@pytest.mark.parametrize(
    ("loss", "formula", "box"),
    [
        (
            "arcface",
            "loss(adaface, gst) == gst",
            f"scale=64, margin=0.5, margin_scaler in (-1, 1), {FREE}",
        ),
        (
            "arcface",
            "at(loss(adaface, gst), margin_scaler=-1) == gst",
            f"scale=64, margin=0.5, {FREE}",
        ),
        (
            "arcface",
            "at(gst, margin=margin * curriculum) < 0",
            f"scale=64, margin=0.5, {FREE}, curriculum=0",
        ),
        ("normface", "loss(cosface, gst) < 0", f"scale=64, margin=0.35, {FREE}"),
        ("normface", "margin < 2", f"scale=64, margin in [0, pi/2), {FREE}"),
        ("normface", "cosine_clamp < angle", f"scale=64, {FREE}"),
        (
            "arcface",
            "at(other_gst, other_cosine=0) > 0",
            f"scale=64, margin=0.5, {FREE}",
        ),
    ],
)
def test_formula_adds_the_inputs_that_it_depends_on(
    loss: str, formula: str, box: str
) -> None:
    assert box_of(loss, formula) == box


BY_NORM = (
    "formula: margin_scaler follows from standard_norm and concentration in this "
    "claim, which must name these in its place"
)


@pytest.mark.parametrize(
    ("loss", "formula", "box", "message"),
    [
        (
            "arcface",
            "gst <= 0",
            "curriculum=0",
            "box: 'curriculum' has no part in this claim, which depends on scale, "
            "margin, target_cosine, rival_cosine",
        ),
        (
            "arcface",
            "gst <= 0",
            "standard_norm=0",
            "box: 'standard_norm' has no part in this claim, which depends on scale, "
            "margin, target_cosine, rival_cosine",
        ),
        (
            "arcface",
            "gst <= 0",
            "angle=1, target_cosine=0",
            "box: target_cosine beside angle, but must give one of them",
        ),
        (
            "adaface",
            "gst <= 0",
            "margin_scaler=1, standard_norm=1",
            "box: margin_scaler beside standard_norm, but must give one of them",
        ),
        (
            "adaface",
            "standard_norm * gst <= 0",
            "margin_scaler=1",
            "box: margin_scaler is given, but follows from standard_norm and "
            "concentration, which the formula names",
        ),
        ("adaface", "at(gst, margin_scaler=1) <= 0", "standard_norm=1", BY_NORM),
        ("adaface", "diff(gst, margin_scaler) <= 0", "standard_norm=1", BY_NORM),
        ("arcface", "margin_scaler < standard_norm", "", BY_NORM),
        (
            "cosface",
            "at(loss(adaface, gst), margin_scaler=0) < standard_norm",
            "",
            BY_NORM,
        ),
        (
            "sphereface",
            "gst <= 0",
            "multiplier=1.5",
            "box: multiplier=1.5, but must be integers [sphereface]",
        ),
        (
            "sphereface",
            "gst <= 0",
            "multiplier in [1, 4]",
            "box: multiplier in [1, 4], but must be integers [sphereface]",
        ),
        (
            "sphereface",
            "diff(gst, multiplier) <= 0",
            "",
            "formula: multiplier counts arcs, so not by diff or at",
        ),
        (
            "magface",
            "gst <= 0",
            "norm_lower=110",
            "box: norm_lower=110, norm_upper=110, but norm_lower must be below "
            "norm_upper",
        ),
        (
            "magface",
            "gst <= 0",
            "norm_lower in [10, 50], norm_upper in [40, 90]",
            "box: norm_lower in [10, 50], norm_upper in [40, 90], but norm_lower must "
            "be below norm_upper",
        ),
        (
            "magface",
            "gst <= 0",
            "margin_lower in {0.1, 0.9}",
            "box: margin_lower in {0.1, 0.9}, margin_upper=0.8, but margin_lower must "
            "be at most margin_upper",
        ),
        (
            "normface",
            "loss(cosface, gst) < loss(arcface, gst)",
            "",
            "box: margin must be given, since it is usually 0.35 in cosface, 0.5 in "
            "arcface",
        ),
    ],
)
def test_box_that_does_not_suit_the_claim_is_refused(
    loss: str, formula: str, box: str, message: str
) -> None:
    assert refused(loss, formula, box) == message


@pytest.mark.parametrize(
    ("loss", "box"),
    [
        ("magface", "norm_lower in [10, 110)"),
        ("magface", "norm_lower in [10, 50), norm_upper in [50, 90]"),
        ("magface", "margin_lower=0.8"),
        ("sphereface", "multiplier in {1, 2, 8}"),
        ("combined", "multiplier in [0.5, 1.5]"),
    ],
)
def test_touching_ends_and_other_multipliers_are_fine(loss: str, box: str) -> None:
    given = parse_box(box)
    assert given.items() <= completed(given, loss, parse_formula("gst <= 0")).items()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Rational(2, 5), "0.4"),
        (Rational(-1, 3), "-1/3"),
        (Integer(64), "64"),
        (Rational(1, 10**30), "1e-30"),
        (Rational(123, 10**9), "0.000000123"),
        (10 ** Integer(30), "1e30"),
        (Rational(1, 2**53), "1/9007199254740992"),
        (pi, "pi"),
        (-pi / 2, "-pi/2"),
        (3 * pi / 4, "3*pi/4"),
        (pi - Rational(1, 10), "pi - 0.1"),
        (Rational(1, 10) - pi / 2, "-pi/2 + 0.1"),
    ],
)
def test_value_is_printed_short(value: Expr, text: str) -> None:
    assert printed(value) == text


rationals = st.fractions().map(lambda x: Rational(x.numerator, x.denominator))
decimals = st.decimals(
    allow_nan=False, allow_infinity=False, places=20, max_value=10**9
)
values = st.one_of(
    rationals,
    decimals.map(lambda x: Rational(str(x))),
    st.floats(allow_nan=False, allow_infinity=False, width=32).map(Rational),
    st.builds(lambda p, q: p + q * pi, rationals, rationals),
)


@given(values)
@example(Rational(10) ** 400)
@example(Rational(10) ** -400)
@example(Rational(10**99 - 1))
def test_printed_value_is_read_back(value: Expr) -> None:
    box = {"rival_cosine": Choice((value,))}
    assert parse_box(describe(box)) == box


@given(
    st.lists(values, min_size=2, max_size=5, unique=True), st.booleans(), st.booleans()
)
def test_described_range_is_read_back(ends: list[Expr], low: bool, high: bool) -> None:
    box = {"rival_cosine": Range(min(ends), max(ends), low, high)}
    assert parse_box(describe(box)) == box


@given(st.lists(values, min_size=1, max_size=5, unique=True))
def test_described_choice_is_read_back(listed: list[Expr]) -> None:
    box = {"rival_cosine": Choice(tuple(listed))}
    assert parse_box(describe(box)) == box


@pytest.mark.parametrize("loss", LOSSES)
def test_described_default_box_is_read_back(loss: str) -> None:
    box = completed({}, loss, parse_formula("other_gst >= 0"))
    assert parse_box(describe(box)) == box

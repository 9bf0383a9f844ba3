"""The language of claims: what is read, and the one line that refuses the rest."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sympy import Rational, pi

from adaface_ref.spec import gst
from adaface_ref.spec.language.language import (
    DERIVED,
    FUNCTIONS,
    At,
    Call,
    ClaimError,
    Comparison,
    Derivative,
    Expression,
    Join,
    Name,
    Number,
    OfLoss,
    Operation,
    Proposition,
    inputs,
    parse_formula,
)
from adaface_ref.spec.losses import LOSSES
from adaface_ref.spec.profiles import CLAMPS

GST, SCALE, MARGIN = Name("gst"), Name("scale"), Name("margin")
ZERO, ONE, TWO = (Number(Rational(n)) for n in range(3))


def left_of(text: str) -> Expression:
    """The tree of an expression."""
    tree = parse_formula(f"{text} < 1")
    assert isinstance(tree, Comparison)
    return tree.left


def refusal(text: str) -> str:
    """The message for a formula that must be refused, which is one short line."""
    with pytest.raises(ClaimError) as caught:
        parse_formula(text)
    message = str(caught.value)
    assert message.isprintable() and len(message) < 400
    return message


@pytest.mark.parametrize("relation", ["<", "<=", ">", ">=", "==", "!="])
def test_every_relation_makes_a_comparison(relation: str) -> None:
    assert parse_formula(f"gst {relation} 0") == Comparison(relation, GST, ZERO)


@pytest.mark.parametrize(
    ("loose", "spelt_out"),
    [
        ("1 + 2 * scale", "1 + (2 * scale)"),
        ("1 - 2 - scale", "(1 - 2) - scale"),
        ("1 / 2 / scale", "(1 / 2) / scale"),
        ("1 / 2 * scale", "(1 / 2) * scale"),
        ("-scale**2", "-(scale**2)"),
        ("-scale * 2", "(-scale) * 2"),
        ("2 - -scale", "2 - (-scale)"),
        ("2 * -scale", "2 * (-scale)"),
        ("--scale", "-(-scale)"),
        ("scale**2 * 2", "(scale**2) * 2"),
        ("(scale + margin) * 2", "((scale) + (margin)) * (2)"),
        ("scale\t+\r\n2", "scale + 2"),
    ],
)
def test_arithmetic_binds_as_in_python(loose: str, spelt_out: str) -> None:
    assert left_of(loose) == left_of(spelt_out)


@pytest.mark.parametrize(
    ("loose", "spelt_out"),
    [
        (
            "gst < 0 or gst > 1 and slope > 0",
            "(gst < 0) or ((gst > 1) and (slope > 0))",
        ),
        ("not gst < 0 and slope > 0", "(not (gst < 0)) and (slope > 0)"),
        ("not not gst < 0", "not (not (gst < 0))"),
        ("0 < gst <= scale < 2", "(0 < gst) and (gst <= scale) and (scale < 2)"),
        ("gst + 1 < 2 * scale", "(gst + 1) < (2 * scale)"),
    ],
)
def test_propositions_bind_as_in_python(loose: str, spelt_out: str) -> None:
    assert parse_formula(loose) == parse_formula(spelt_out)


def test_chain_is_a_join_of_its_links() -> None:
    links = (Comparison("<", ZERO, GST), Comparison("<", GST, ONE))
    assert parse_formula("0 < gst < 1") == Join("and", links)


def test_three_alternatives_are_one_join() -> None:
    tree = parse_formula("gst < 0 or gst > 1 or gst == 1")
    assert isinstance(tree, Join) and len(tree.parts) == 3


@pytest.mark.parametrize("word", ["implies", "iff"])
def test_connective_joins_two_propositions(word: str) -> None:
    part = Comparison("<", GST, ZERO)
    assert parse_formula(f"{word}(gst < 0, gst < 0)") == Join(word, (part, part))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.4", Rational(2, 5)),
        (".5", Rational(1, 2)),
        ("2.", Rational(2)),
        ("1e-3", Rational(1, 1000)),
        ("1.5E+2", Rational(150)),
        ("1e400", Rational(10) ** 400),
        ("pi", pi),
    ],
)
def test_number_is_exact(text: str, value: Rational) -> None:
    assert left_of(text) == Number(value)


@pytest.mark.parametrize(
    ("text", "exponent"),
    [
        ("2", Rational(2)),
        ("-2", Rational(-2)),
        ("0.5", Rational(1, 2)),
        ("(1/2)", Rational(1, 2)),
        ("(-3/2)", Rational(-3, 2)),
    ],
)
def test_exponent_is_one_number(text: str, exponent: Rational) -> None:
    assert left_of(f"scale**{text}") == Operation("**", SCALE, Number(exponent))


def test_three_forms_have_nodes_of_their_own() -> None:
    text = "loss(adaface, at(diff(gst, margin), margin=0, angle=scale))"
    moved = At(Derivative(GST, "margin"), (("margin", ZERO), ("angle", SCALE)))
    assert left_of(text) == OfLoss("adaface", moved)


@pytest.mark.parametrize("name", [*inputs(), *DERIVED, *CLAMPS])
def test_every_quantity_may_be_named(name: str) -> None:
    assert left_of(name) == Name(name)


def test_derived_quantities_are_those_that_can_be_differentiated_out() -> None:
    assert set(DERIVED) == gst.QUANTITIES.keys()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "abs(gts) <= 0",
            "unknown name 'gts', did you mean 'gst'? at column 5: abs(^gts) <= 0",
        ),
        ("gst", "a comparison is missing, such as <= 0, at column 4: gst^"),
        ("gst = 0", "'=' compares nothing, write == at column 5: gst ^= 0"),
        (
            "abs(gst=0) < 1",
            "gst= belongs in at(...), to compare write == at column 5: abs(^gst=0) < 1",
        ),
        (
            "1 + (gst < 0) < 2",
            "a comparison where an expression is expected at column 10: "
            "1 + (gst ^< 0) < 2",
        ),
        (
            "gst and slope > 0",
            "an expression where a comparison is expected at column 1: "
            "^gst and slope > 0",
        ),
        (
            "1 < (gst < 0 or gst > 1)",
            "'or' where an expression is expected at column 14: "
            "1 < (gst < 0 ^or gst > 1)",
        ),
        ("gst <", "an expression is expected, not the end at column 6: gst <^"),
        (
            "gst // 2 < 0",
            "an expression is expected, not '/' at column 6: gst /^/ 2 < 0",
        ),
        (
            "2scale < 1",
            "an operator is missing before 'scale' at column 2: 2^scale < 1",
        ),
        ("gst < 0)", "')' closes nothing at column 8: gst < 0^)"),
        ("(gst < 0", "')' is expected, not the end at column 9: (gst < 0^"),
        ("abs < 1", "'abs' is a function, write abs(...), at column 1: ^abs < 1"),
        ("gst(1) < 1", "'gst' is not a function at column 1: ^gst(1) < 1"),
        (
            "asb(1) < 1",
            "unknown function 'asb', did you mean 'abs'? at column 1: ^asb(1) < 1",
        ),
        ("abs(1, 2) < 1", "abs takes 1 argument, not 2, at column 1: ^abs(1, 2) < 1"),
        ("min(1) < 1", "min takes 2 to 16 arguments, not 1, at column 1: ^min(1) < 1"),
        (
            "iff(gst < 0)",
            "iff takes 2 arguments, not 1, at column 1: ^iff(gst < 0)",
        ),
        (
            "scale**margin < 1",
            "an exponent must be an integer or a half, as a number, at column 8: "
            "scale**^margin < 1",
        ),
        (
            "2**3**2 < 1",
            "an exponent must be an integer or a half, as a number, at column 5: "
            "2**3^**2 < 1",
        ),
        (
            "scale**17 < 1",
            "an exponent must be at most 16 in size at column 8: scale**^17 < 1",
        ),
        (
            "(scale**16)**16 < 1",
            "powers of powers beyond 64 at column 12: (scale**16)^**16 < 1",
        ),
        (
            "diff(gst, slope) < 0",
            "an input is expected, 'slope' is derived, at column 11: "
            "diff(gst, ^slope) < 0",
        ),
        (
            "diff(gst, 2 * margin) < 0",
            "the name of an input is expected at column 13: diff(gst, 2 ^* margin) < 0",
        ),
        (
            "diff(gst, cosine_clamp) < 0",
            "'cosine_clamp' is set by the profile at column 11: "
            "diff(gst, ^cosine_clamp) < 0",
        ),
        (
            "at(gst) < 0",
            "at takes an expression and name=value at column 1: ^at(gst) < 0",
        ),
        (
            "at(gst, margin) < 0",
            "name=value is expected at column 9: at(gst, ^margin) < 0",
        ),
        (
            "at(gst, margin=0, margin=1) < 0",
            "'margin' is given twice at column 19: at(gst, margin=0, ^margin=1) < 0",
        ),
        (
            "at(gst, angle=0, target_cosine=1) < 0",
            "target_cosine and angle are one input, give one of them, at column 1: "
            "^at(gst, angle=0, target_cosine=1) < 0",
        ),
        (
            "loss(arcfce, gst) < 0",
            "unknown loss 'arcfce', did you mean 'arcface'? at column 6: "
            "loss(^arcfce, gst) < 0",
        ),
        (
            "additive_margin < 1",
            "'additive_margin' is not one of target_logit, logit, slope, slope_rate, "
            "probability, complement, gst, gst_rate, other_logit, other_gst, "
            "loss_value, norm_gradient, at column 1: ^additive_margin < 1",
        ),
        (
            "1e999999999 < gst",
            "an exponent beyond 400 at column 1: ^1e999999999 < gst",
        ),
        ("", "empty, but must be a comparison such as gst <= 0"),
        (" \n", "empty, but must be a comparison such as gst <= 0"),
    ],
)
def test_refusal_names_the_place(text: str, message: str) -> None:
    assert refusal(text) == f"formula: {message}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "__import__('os') < 1",
            "character ' has no meaning here at column 12: __import__(^'os') < 1",
        ),
        (
            "gst.__class__ < 1",
            "character . has no meaning here at column 4: gst^.__class__ < 1",
        ),
        (
            "lambda: 1",
            "character : has no meaning here, a profile is given beside the formula "
            "(--profile, or the key profile) at column 7: lambda^: 1",
        ),
        ("lambda < 1", "unknown name 'lambda' at column 1: ^lambda < 1"),
        ("eval(1) < 1", "unknown function 'eval' at column 1: ^eval(1) < 1"),
        ("gst[0] < 1", "an operator is expected, not '[' at column 4: gst^[0] < 1"),
        ("gst\\ < 1", "character \\ has no meaning here at column 4: gst^\\ < 1"),
        (
            "gst ^ 2 < 1",
            "character ^ has no meaning here, write ** at column 5: gst ^^ 2 < 1",
        ),
        (
            "gst ≤ 0",
            "character U+2264 (LESS-THAN OR EQUAL TO) has no meaning here, write <= "
            "at column 5: gst ^≤ 0",
        ),
        (
            "gst\x1b[31m < 0",
            "character U+001B (a control character) has no meaning here at column 4: "
            "gst^?[31m < 0",
        ),
    ],
)
def test_code_and_foreign_characters_are_refused(text: str, message: str) -> None:
    assert refusal(text) == f"formula: {message}"


def test_long_formula_is_cut_around_the_place() -> None:
    text = "gst < 0 and " * 20 + "gts < 0" + " and gst < 0" * 20
    excerpt = refusal(text).partition("column 241: ")[2]
    assert excerpt == (
        "...0 and gst < 0 and gst < 0 and ^gts < 0 and gst < 0 and gst < ..."
    )


@pytest.mark.parametrize(
    "text",
    [
        "(" * 1900,
        "-" * 1900 + "1 < 0",
        "not " * 490 + "gst < 0",
        "abs(" * 490,
        "2**" * 600 + "2 < 0",
        "1 or 1 and 1 < 1 + 1 * 1 ** (" * 60,
        "1+" * 900 + "1 < 0",
        "at(gst, margin=" * 100,
    ],
)
def test_depth_is_refused_before_it_hurts(text: str) -> None:
    start = time.monotonic()
    assert "nested more than 50 deep" in refusal(text)
    assert time.monotonic() - start < 1


@pytest.mark.parametrize("character", ["(", "-", "9", "a", " ", "é", "\n", "<"])
def test_hundred_thousand_characters_are_refused_at_once(character: str) -> None:
    start = time.monotonic()
    expected = "formula: 100000 characters, but must be at most 2000"
    assert refusal(character * 100_000) == expected
    assert time.monotonic() - start < 1


@pytest.mark.parametrize("count", [101, 1500])
def test_number_of_many_digits_is_refused(count: int) -> None:
    assert "a number of more than 100 digits" in refusal("9" * count + " < gst")


def test_fifty_parentheses_may_be_nested() -> None:
    assert left_of("(" * 48 + "gst" + ")" * 48) == GST


def test_forms_in_forms_are_refused_past_six() -> None:
    text = "diff(" * 7 + "gst" + ", margin)" * 7 + " < 0"
    assert "diff, at and loss nested more than 6 deep" in refusal(text)


def test_power_by_substitution_counts_as_a_power() -> None:
    text = "at(margin**16, margin=scale**16) < 0"
    expected = f"formula: powers of powers beyond 64 at column 1: ^{text}"
    assert refusal(text) == expected


def printed(tree: Expression | Proposition) -> str:
    """A tree as text, with every parenthesis."""
    match tree:
        case Number(value):
            return "pi" if value is pi else f"{1000 * value}e-3"
        case Name(name):
            return name
        case Operation("**", left, Number(exponent)):
            return f"({printed(left)} ** ({exponent}))"
        case Operation(word, left, right) | Comparison(word, left, right):
            return f"({printed(left)} {word} {printed(right)})"
        case Call("neg", (of,)):
            return f"(-{printed(of)})"
        case Call(name, arguments):
            return f"{name}({', '.join(map(printed, arguments))})"
        case Derivative(of, by):
            return f"diff({printed(of)}, {by})"
        case At(of, values):
            pairs = (f"{name}={printed(value)}" for name, value in values)
            return f"at({', '.join((printed(of), *pairs))})"
        case OfLoss(loss, of):
            return f"loss({loss}, {printed(of)})"
        case Join("not", (of,)):
            return f"(not {printed(of)})"
        case Join("implies" | "iff" as word, joined):
            return f"{word}({', '.join(map(printed, joined))})"
        case Join(word, joined):
            return "(" + f" {word} ".join(map(printed, joined)) + ")"
    raise TypeError(tree)


numbers = st.builds(
    Number, st.just(pi) | st.integers(0, 9999).map(lambda n: Rational(n, 1000))
)
exponents = st.integers(-3, 3).map(lambda n: Number(Rational(n, 2)))
names = st.sampled_from([*inputs(), *DERIVED, *CLAMPS]).map(Name)
drawn_inputs = st.sampled_from(inputs())


def larger(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    """Expressions of expressions."""
    calls = [
        st.builds(Call, st.just(name), st.tuples(*[inner] * fewest))
        for name, (fewest, _) in {**FUNCTIONS, "neg": (1, 1)}.items()
    ]
    values = st.dictionaries(
        drawn_inputs.filter(lambda n: n != "angle"), inner, min_size=1
    )
    return st.one_of(
        st.builds(Operation, st.sampled_from("+-*/"), inner, inner),
        st.builds(lambda of, n: Operation("**", of, n), inner, exponents),
        st.builds(Derivative, inner, drawn_inputs),
        st.builds(lambda of, v: At(of, tuple(v.items())), inner, values),
        st.builds(OfLoss, st.sampled_from(list(LOSSES)), inner),
        *calls,
    )


expressions = st.recursive(numbers | names, larger, max_leaves=8)
comparisons = st.builds(
    Comparison,
    st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
    expressions,
    expressions,
)
propositions: st.SearchStrategy[Proposition] = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.builds(
            Join,
            st.sampled_from(["and", "or", "implies", "iff"]),
            st.tuples(inner, inner),
        ),
        st.builds(Join, st.just("not"), st.tuples(inner)),
    ),
    max_leaves=4,
)


def outcome(text: str) -> Proposition | str:
    """The tree, or the message that refuses the text."""
    try:
        return parse_formula(text)
    except ClaimError as error:
        return str(error)


@given(propositions)
def test_printed_tree_is_read_back(tree: Proposition) -> None:
    read = outcome(printed(tree))
    too_much = ("characters, but", "nested more", "powers of powers")
    assert read == tree or any(words in str(read) for words in too_much)


ODD = st.text("gst<>=!()+-*/ .,andornt01e'\\{}[]θ\x00", max_size=60)


@given(ODD | st.text(max_size=60))
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    read = outcome(text)
    assert not isinstance(read, str) or read.isprintable()

"""Files of claims: what is read, and the one line that refuses the rest."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaface_ref.spec.language.files import (
    VERDICTS,
    Claim,
    check_formula,
    our_claims,
    read_claims,
)
from adaface_ref.spec.language.language import ClaimError
from adaface_ref.spec.profiles import RULES

PLAIN: dict[str, Any] = {
    "id": "negative",
    "statement": "The GST is negative.",
    "source": "here",
    "loss": "cosface",
    "formula": "gst < 0",
    "expected": "PROVED",
}


def toml(*rows: dict[str, Any]) -> str:
    """Rows as a file of claims; a value that is no text stands as it is."""
    lines = []
    for row in rows:
        lines.append("[[claim]]")
        for key, value in row.items():
            shown = f"'''{value}'''" if isinstance(value, str) else str(value).lower()
            lines.append(f"{key} = {shown}")
    return "\n".join(lines)


def without(*keys: str, **changes: Any) -> dict[str, Any]:
    """The plain claim with some keys left out and others changed."""
    return {key: v for key, v in {**PLAIN, **changes}.items() if key not in keys}


def refusal(text: str, *, ours: bool = False) -> str:
    """The message for a file that must be refused, which is one line."""
    with pytest.raises(ClaimError) as caught:
        read_claims(text, "my.toml", ours=ours)
    message = str(caught.value)
    assert message.isprintable() and len(message) < 700
    return message


def test_claim_is_read_as_it_stands() -> None:
    (claim,) = read_claims(toml(PLAIN), "folder/my.toml")
    assert claim == Claim(**PLAIN, file="my")


def test_every_key_is_read() -> None:
    rest: dict[str, Any] = {
        "profile": "clip",
        "reading": "signed",
        "box": "margin=0.4, rival_cosine=0.5",
        "sweep": True,
    }
    row: dict[str, Any] = {
        **PLAIN,
        **rest,
        "equivalent": "complement * slope > 0",
        "why": "no reason",
    }
    (claim,) = read_claims(toml(row), "my.toml")
    assert claim == Claim(**row, file="my")


def test_claims_stay_in_order() -> None:
    rows = [without(id=name) for name in "cab"]
    assert [claim.id for claim in read_claims(toml(*rows), "my.toml")] == list("cab")


@pytest.mark.parametrize("key", ["source", "expected"])
def test_own_file_of_a_user_may_leave_it_out(key: str) -> None:
    (claim,) = read_claims(toml(without(key)), "my.toml")
    assert getattr(claim, key) == ""


@pytest.mark.parametrize("key", ["source", "expected"])
def test_our_files_must_give_it(key: str) -> None:
    message = f"my.toml: claim 'negative': {key} is missing"
    assert refusal(toml(without(key)), ours=True) == message


@pytest.mark.parametrize("verdict", VERDICTS)
def test_every_verdict_may_be_expected(verdict: str) -> None:
    (claim,) = read_claims(toml(without(expected=verdict, why="so")), "my.toml")
    assert claim.expected == verdict


def test_function_of_ours_needs_no_loss() -> None:
    row = without("loss", "formula", function="smoothing")
    (claim,) = read_claims(toml(row), "my.toml", ours=True)
    assert claim.function == "smoothing"


def test_open_question_needs_no_formula() -> None:
    row = without("loss", "formula", expected="OPEN", why="a matter of data")
    (claim,) = read_claims(toml(row), "my.toml", ours=True)
    assert claim.expected == "OPEN"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (without("id"), "claim 1: id is missing"),
        (without("statement"), "claim 'negative': statement is missing"),
        (without("loss"), "claim 'negative': loss is missing"),
        (without("formula"), "claim 'negative': formula is missing"),
        (without(formula=""), "claim 'negative': formula is missing"),
        (without("loss", why="so"), "claim 'negative': loss is missing"),
        (without(expected="OPEN"), "claim 'negative': why is missing"),
        (
            without("formula", "loss", why="so"),
            "claim 'negative': expected=PROVED needs a formula",
        ),
        (
            without(formulla="gst < 0"),
            "claim 'negative': unknown key 'formulla', did you mean 'formula'?",
        ),
        (
            without(file="x"),
            "claim 'negative': unknown key 'file', did you mean 'profile'?",
        ),
        (without(sweep="yes"), "claim 'negative': sweep must be true or false"),
        (without(sweep=1), "claim 'negative': sweep must be true or false"),
        (without(loss=3), "claim 'negative': loss must be text in quotes"),
        (without(id=3), "claim 1: id must be text in quotes"),
        (
            without(id="a b"),
            "claim 'a b': id must be of letters, digits, '.', '_' and '-'",
        ),
        (
            without(loss="cosfase"),
            "claim 'negative': unknown loss 'cosfase', did you mean 'cosface'?",
        ),
        (
            without(profile="klip"),
            "claim 'negative': profile='klip', but must begin with one of "
            + ", ".join(RULES),
        ),
        (
            without(profile="fallback"),
            "claim 'negative': profile=fallback is not defined for cosface",
        ),
        (
            without(loss="arcface", profile="fallback", formula="loss(cosface, gst)<0"),
            "claim 'negative': profile=fallback is not defined for cosface",
        ),
        (
            without(expected="proved"),
            "claim 'negative': expected='proved', but must be of PROVED, EXHAUSTED, "
            "TESTED, REFUTED, VACUOUS, OPEN",
        ),
        (
            without(function="f"),
            "claim 'negative': function is for claims of this package only",
        ),
        (
            without("formula", "loss", equivalent="gst < 0", expected="OPEN", why="so"),
            "claim 'negative': equivalent needs a formula",
        ),
        (
            without(formula="gts < 0"),
            "claim 'negative': formula: unknown name 'gts', did you mean 'gst'? at "
            "column 1: ^gts < 0",
        ),
        (
            without(equivalent="gts < 0"),
            "claim 'negative': equivalent: unknown name 'gts', did you mean 'gst'? at "
            "column 1: ^gts < 0",
        ),
        (
            without(equivalent="other_gst > 0"),
            "claim 'negative': equivalent: depends on other_cosine, which the formula "
            "lacks",
        ),
        (
            without(box="margin=3"),
            "claim 'negative': box: margin=3, but must be in [0, pi/2), at column 8: "
            "margin=^3",
        ),
        (
            without(box="curriculum=0"),
            "claim 'negative': box: 'curriculum' has no part in this claim, which "
            "depends on scale, margin, target_cosine, rival_cosine",
        ),
    ],
)
def test_bad_claim_fails_at_reading(row: dict[str, Any], message: str) -> None:
    assert refusal(toml(row)) == f"my.toml: {message}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must hold one [[claim]] or more"),
        ("claim = []", "must hold one [[claim]] or more"),
        ("[claim]\nid = 'a'", "must hold one [[claim]] or more"),
        ("claim = [3]", "claim 1: must be a table, write [[claim]]"),
        ("[[clame]]\nid = 'a'", "unknown key 'clame', did you mean 'claim'?"),
        ("[[claim", "TOML: Expected ']]' at the end of an array declaration "),
        ("a = " + "[" * 4000, "TOML: nested too deeply"),
        ("a = " + "[" * 100_000, "a line of more than 5000 characters"),
        ("a" + ".a" * 400_000, "a line of more than 5000 characters"),
        ("a = " + "9" * 4900, "TOML: Exceeds the limit (4300 digits) for integer "),
        ("#\n" * 500_001, "more than 1000000 characters"),
        ("[[claim]]\n" * 1001, "1001 claims, but must be at most 1000"),
    ],
)
def test_bad_file_is_refused_in_one_line(text: str, message: str) -> None:
    start = time.monotonic()
    assert refusal(text).startswith(f"my.toml: {message}")
    assert time.monotonic() - start < 1


def test_two_claims_of_one_id_are_refused() -> None:
    expected = "my.toml: claim 'negative' is given twice"
    assert refusal(toml(PLAIN, PLAIN)) == expected


@pytest.mark.parametrize("escape", ["\\u001b[31m", "\\u0000", "\\u202e"])
def test_control_characters_are_refused(escape: str) -> None:
    text = toml(without("statement")) + f'\nstatement = "{escape}"'
    expected = "my.toml: claim 'negative': statement holds a control character"
    assert refusal(text) == expected


def test_name_of_the_file_stays_on_one_line() -> None:
    with pytest.raises(ClaimError, match=r"^a b\?\.toml: must hold one"):
        read_claims("", "a\nb\x1b.toml")


def outcome(text: str) -> str:
    """The message that refuses the text, or nothing."""
    try:
        read_claims(text, "my.toml")
    except ClaimError as error:
        return str(error)
    return ""


@given(st.text("[]{}claim='\"\n.#é\\\x00 ", max_size=40))
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    assert outcome(text).isprintable()


def test_our_claims_are_read_in_full() -> None:
    claims = our_claims()
    assert [claim.file for claim in claims] == sorted(claim.file for claim in claims)


def test_our_claims_have_formulas_that_can_be_read() -> None:
    for claim in our_claims():
        check_formula(claim)


def test_our_claims_say_who_made_them() -> None:
    assert all(claim.source and claim.expected and claim.file for claim in our_claims())


def test_our_claims_have_ids_of_their_own() -> None:
    ids = [claim.id for claim in our_claims()]
    assert len(ids) == len(set(ids))

"""A certificate is accepted as it was made, and after no change that weakens it."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from adaface_ref.evidence.problem.problem import Problem, box_of, problems_of
from adaface_ref.evidence.proof.branch_and_bound import prove
from adaface_ref.evidence.proof.certificate import CheckResult, certificate_of, check

Certificate = dict[str, Any]

REAL = {
    # Two clauses of a box each.
    "sign": (
        "gst <= 0",
        "adaface",
        "pure",
        "scale=64, margin=0.4, margin_scaler in [-1, 0], "
        "target_cosine in [-0.9, 0.9999], rival_cosine=0.5",
    ),
    # Several clauses, trees with inner nodes.
    "rise": (
        "diff(abs(gst), target_cosine) > 0",
        "arcface",
        "pure",
        "scale=64, margin=0.5, rival_cosine=0.5, target_cosine in [-0.8, 0.81]",
    ),
    # Two letters.
    "square": (
        "margin*(1 - margin) + rival_cosine*(1 - rival_cosine) < 0.6",
        "arcface",
        "pure",
        "margin in [0, 1], rival_cosine in [0, 1]",
    ),
    "without an end": ("gst < 0", "cosface", "pure", "rival_cosine in (-inf, inf)"),
    "open end": ("(margin - 1)*margin < 0", "arcface", "pure", "margin in (0, 1)"),
    "identity": ("gst == loss(arcface, gst)", "adaface", "pure", "margin_scaler=-1"),
}
"""True claims: formula, loss, profile and box."""


def claim_of(name: str) -> Problem:
    formula, loss, profile, box = REAL[name]
    (claim,) = problems_of(formula, loss, profile, box_of(formula, loss, box))
    return claim


@cache
def _text_of(name: str) -> str:
    claim = claim_of(name)
    proof = prove(claim)
    assert proof.is_complete
    return json.dumps(certificate_of(claim, proof))


def fresh(name: str) -> Certificate:
    done: Certificate = json.loads(_text_of(name))
    return done


def row_with_a_split(certificate: Certificate) -> dict[str, Any]:
    rows: list[dict[str, Any]] = certificate["clauses"]
    return max(rows, key=lambda row: len(row["splits"]))


def assert_rejected(certificate: Any) -> CheckResult:
    found = check(certificate)
    assert not found.accepted
    assert found.reason and "\n" not in found.reason and len(found.reason) < 500
    return found


@pytest.mark.parametrize("name", REAL)
def test_a_real_proof_is_accepted_from_its_json(name: str) -> None:
    found = check(fresh(name))
    leaves = sum(row["splits"].count(".") for row in fresh(name)["clauses"])
    assert found == CheckResult(True, "", leaves)


@pytest.mark.parametrize("name", REAL)
def test_a_certificate_is_the_same_each_time(name: str) -> None:
    claim = claim_of(name)
    again = certificate_of(claim, prove(claim))
    assert json.dumps(again) == _text_of(name)


def test_the_check_leaves_a_certificate_as_it_was() -> None:
    certificate = fresh("rise")
    check(certificate)
    assert certificate == fresh("rise")


TREES: dict[str, Callable[[str], str]] = {
    "one leaf": lambda splits: ".",
    "empty": lambda splits: "",
    "without its last leaf": lambda splits: splits[:-1],
    "without its first letter": lambda splits: splits[1:],
    "half of it": lambda splits: splits[: len(splits) // 2],
    "one leaf more": lambda splits: splits + ".",
    "a line feed more": lambda splits: splits + "\n",
    "a space before it": lambda splits: " " + splits,
    "twice": lambda splits: 2 * splits,
    "given up": lambda splits: "?",
    "one leaf given up": lambda splits: splits.replace(".", "?", 1),
    "all leaves given up": lambda splits: splits.replace(".", "?"),
    "an input there is not": lambda splits: splits.replace("a", "z"),
    "capitals": lambda splits: splits.upper(),
    "backticks": lambda splits: splits.replace("a", "`"),
    "digits": lambda splits: splits.replace("a", "0"),
    "nul": lambda splits: splits.replace(".", "\0"),
    "full stops of another script": lambda splits: splits.replace(".", "。"),
    "letters of another script": lambda splits: splits.replace("a", "а"),
    "splits without end": lambda splits: 100_000 * "a",
    "splits that end in leaves": lambda splits: 3_000 * "a" + 3_001 * ".",
}


@pytest.mark.parametrize("how", TREES)
@pytest.mark.parametrize("name", ["rise", "square"])
def test_another_tree_is_rejected(name: str, how: str) -> None:
    certificate = fresh(name)
    row = row_with_a_split(certificate)
    row["splits"] = TREES[how](row["splits"])
    assert_rejected(certificate)


def subtrees(splits: str) -> list[tuple[int, int]]:
    """Where every inner node of a tree begins and ends."""
    found = []
    for start, step in enumerate(splits):
        open_, stop = 1, start
        while open_:
            open_ += 1 if splits[stop].isalpha() else -1
            stop += 1
        if step.isalpha():
            found.append((start, stop))
    return found


@pytest.mark.parametrize("name", ["rise", "square"])
def test_a_leaf_in_place_of_any_subtree_is_rejected(name: str) -> None:
    splits = row_with_a_split(fresh(name))["splits"]
    assert subtrees(splits)
    for start, stop in subtrees(splits):
        certificate = fresh(name)
        cut = splits[:start] + "." + splits[stop:]
        row_with_a_split(certificate)["splits"] = cut
        assert "not certain" in assert_rejected(certificate).reason


def test_a_tree_that_splits_more_than_it_must_is_accepted() -> None:
    certificate = fresh("square")
    row = row_with_a_split(certificate)
    row["splits"] = row["splits"].replace(".", "a..")
    assert check(certificate).accepted


OTHER_TEXTS = {
    "formula": "gst <= -1e-3",
    "loss": "arcface",
    "box": REAL["sign"][3].replace("[-1, 0]", "[-1, 0.9]"),
}
"""With these the claim is false, or has other clauses."""


@pytest.mark.parametrize("key", OTHER_TEXTS)
def test_another_claim_is_rejected(key: str) -> None:
    assert_rejected({**fresh("sign"), key: OTHER_TEXTS[key]})


@pytest.mark.parametrize(
    "box",
    [
        REAL["rise"][3].replace("0.81]", "0.8139]"),
        REAL["rise"][3].replace("[-0.8,", "(-1,"),
        REAL["rise"][3].replace("margin=0.5", "margin in [0, 0.5]"),
        REAL["rise"][3].replace("scale=64", "scale in {32, 64}"),
        "",
        "margin=0.5, margin=0.5",
        "margin in [1, 0]",
    ],
)
def test_another_box_is_rejected(box: str) -> None:
    assert_rejected({**fresh("rise"), "box": box})


def test_another_profile_is_rejected() -> None:
    formula, loss, _, box = REAL["sign"]
    wide = box.replace("[-1, 0]", "[-1, 1]")
    (claim,) = problems_of(formula, loss, "clip", box_of(formula, loss, wide))
    certificate = certificate_of(claim, prove(claim))
    assert check(certificate).accepted
    for profile in ("pure", "clip:detached", "fallback", "none", "", "clip:angle=0"):
        found = check({**certificate, "profile": profile})
        assert not found.accepted or profile in PROVES_ALIKE


PROVES_ALIKE = ("clip:detached", "clip:angle=0")
"""Profiles for which the same claim has the same clauses, and is true."""


def test_a_closed_end_in_place_of_an_open_one_is_rejected() -> None:
    for box in ("margin in [0, 1)", "margin in (0, 1]", "margin in [0, 1]"):
        assert_rejected({**fresh("open end"), "box": box})


CLAUSES: dict[str, Callable[[list[Any]], list[Any]]] = {
    "none": lambda rows: [],
    "one dropped": lambda rows: rows[1:],
    "one twice": lambda rows: [*rows, rows[0]],
    "one in place of all": lambda rows: len(rows) * [rows[0]],
    "in another order": lambda rows: rows[::-1],
    "with a new one": lambda rows: [*rows, {"literals": [], "inputs": []}],
    "of no keys": lambda rows: [{} for _ in rows],
}


@pytest.mark.parametrize("how", CLAUSES)
def test_other_clauses_are_rejected(how: str) -> None:
    certificate = fresh("rise")
    certificate["clauses"] = CLAUSES[how](certificate["clauses"])
    assert_rejected(certificate)


def test_a_clause_of_an_identity_that_has_none_is_rejected() -> None:
    certificate = fresh("identity")
    certificate["clauses"].append({"literals": ["1 > 0"], "inputs": [], "splits": "."})
    assert_rejected(certificate)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("literals", ["1 > 0"]),
        ("literals", []),
        ("inputs", []),
        ("inputs", ["rival_cosine"]),
        ("inputs", ["angle", "rival_cosine"]),
    ],
)
def test_another_literal_or_input_is_rejected(key: str, value: list[str]) -> None:
    certificate = fresh("rise")
    row_with_a_split(certificate)[key] = value
    assert "not the claim's" in assert_rejected(certificate).reason


@pytest.mark.parametrize("value", [0, 2, -1, "1", 1.5, None, [1]])
def test_another_format_is_rejected(value: object) -> None:
    assert "format" in assert_rejected({**fresh("sign"), "format": value}).reason


WRONG: list[Any] = [None, True, 7, 0.5, [], {}, [None], [[]], {"a": 1}, ""]


@pytest.mark.parametrize("value", WRONG, ids=repr)
@pytest.mark.parametrize("key", ["formula", "loss", "profile", "box", "clauses"])
def test_a_wrong_type_at_the_top_is_rejected(key: str, value: object) -> None:
    assert_rejected({**fresh("sign"), key: value})


@pytest.mark.parametrize("value", WRONG, ids=repr)
@pytest.mark.parametrize("key", ["literals", "inputs", "splits"])
def test_a_wrong_type_in_a_clause_is_rejected(key: str, value: object) -> None:
    certificate = fresh("sign")
    certificate["clauses"][0][key] = value
    assert_rejected(certificate)


@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_a_wrong_type_of_clause_is_rejected(value: object) -> None:
    certificate = fresh("sign")
    certificate["clauses"][1] = value
    assert_rejected(certificate)


@pytest.mark.parametrize("key", ["format", "formula", "loss", "box", "clauses"])
def test_a_certificate_without_a_key_is_rejected(key: str) -> None:
    certificate = fresh("sign")
    del certificate[key]
    assert_rejected(certificate)


@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_what_is_no_certificate_is_rejected(value: object) -> None:
    assert_rejected(value)


HOSTILE = {
    "parentheses": 50_000 * "(",
    "letters": 1_000_000 * "x",
    "a sum": "gst" + 50_000 * " + 1" + " <= 0",
    "powers": "gst" + 50_000 * "**2" + " <= 0",
    "a large number": "gst <= 1e999999999",
    "a long number": "gst <= 0." + 100_000 * "1",
    "a small number": "gst <= 1e-999999999",
    "minus signs": "gst <= " + 50_000 * "-" + "1",
    "connectives": 20_000 * "not " + "gst <= 0",
    "code": "__import__('os').getcwd() <= 0",
    "lines": "gst <=" + 10_000 * "\n",
    "nul": "gst <= 0\0",
    "a surrogate": "gst <= \ud800",
    "no text of numbers": "gst <= ٣",
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("what", HOSTILE)
@pytest.mark.parametrize("key", ["formula", "loss", "profile", "box"])
def test_a_hostile_text_is_rejected(key: str, what: str) -> None:
    assert_rejected({**fresh("sign"), key: HOSTILE[what]})


FALSE = (
    ("gst < -1", "arcface", "rival_cosine=0.5"),
    ("margin > 0", "arcface", "margin in [0, 1]"),
    ("abs(target_cosine - 1/2) > 0", "arcface", ""),
    ("slope < 1", "normface", ""),
    ("scale >= 1.0000000000000000000001", "arcface", "scale in [1, 512]"),
    ("margin + rival_cosine < 2", "arcface", REAL["square"][3]),
    ("gst == (1 + 1e-12)*loss(arcface, gst)", "adaface", "margin_scaler=-1"),
    ("margin/margin == 1", "arcface", "margin in [0, 1]"),
    ("gst <= 0", "adaface", REAL["sign"][3].replace("[-1, 0]", "[-1, 1]")),
)


@pytest.mark.parametrize("row", FALSE, ids=lambda row: row[0])
@pytest.mark.parametrize("tree", [".", "a..", "aa...", 7 * "a" + 8 * "."])
def test_a_false_claim_is_rejected_with_any_tree(
    row: tuple[str, str, str], tree: str
) -> None:
    formula, loss, box = row
    (claim,) = problems_of(formula, loss, "pure", box_of(formula, loss, box))
    certificate = certificate_of(claim, prove(claim, "quick"))
    assert certificate["clauses"]
    for clause in certificate["clauses"]:
        clause["splits"] = tree
    assert_rejected(certificate)


def test_a_proof_that_was_given_up_is_rejected() -> None:
    formula, loss, box = FALSE[1]
    (claim,) = problems_of(formula, loss, "pure", box_of(formula, loss, box))
    assert_rejected(certificate_of(claim, prove(claim, "quick")))

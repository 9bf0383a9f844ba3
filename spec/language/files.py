"""Claims as data: what a file of claims says, read and checked."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from adaface_ref.spec.language.box import Box, Range, completed, parse_box
from adaface_ref.spec.language.inputs import inputs_of, losses_of
from adaface_ref.spec.language.language import parse_formula
from adaface_ref.spec.language.tokens import ClaimError, did_you_mean, one_line, quoted
from adaface_ref.spec.losses import LOSSES
from adaface_ref.spec.profiles import is_defined, parse

VERDICTS = ("PROVED", "EXHAUSTED", "TESTED", "REFUTED", "VACUOUS", "OPEN")
"""What may be expected of a claim."""

LARGEST_FILE = 1_000_000
"""How many characters a file may have."""

LONGEST_LINE = 5000
"""Of a file: tomllib takes quadratic time for a key of many dots."""

MOST_CLAIMS = 1000
"""How many claims a file may have."""


@dataclass(frozen=True)
class Claim:
    """One claim as it stands in a file; formula and box as text.

    Args:
        id: unique in its file.
        statement: the claim in words.
        source: who says so, and where.
        loss: a loss id.
        profile: a profile string.
        reading: "signed", "absolute", or other words where it has two readings.
        formula: in the language of claims.
        box: where it is made, as text.
        expected: PROVED, EXHAUSTED, TESTED, REFUTED, VACUOUS or OPEN; empty in a
            user's file where any verdict but REFUTED is fine.
        equivalent: a formula that says the same and is easier to prove.
        function: a function of ours that decides it; never in a user's file.
        why: why it cannot be decided here, for OPEN.
        sweep: whether every float32 cosine is tried at thorough effort.
        file: the stem of the file's name.
    """

    id: str
    statement: str
    source: str
    loss: str = ""
    profile: str = "pure"
    reading: str = ""
    formula: str = ""
    box: str = ""
    expected: str = ""
    equivalent: str = ""
    function: str = ""
    why: str = ""
    sweep: bool = False
    file: str = ""


KEYS = tuple(field.name for field in fields(Claim) if field.name != "file")
"""What a [[claim]] may hold."""


@cache
def our_claims() -> tuple[Claim, ...]:
    """Every claim of this package, by file name and then in the file's order.

    Raises:
        ClaimError: for a file that cannot be read, or an id that stands in two.
    """
    found: list[Claim] = []
    for path in sorted((Path(__file__).parents[1] / "claims").glob("*.toml")):
        found += read_claims(path.read_text(encoding="utf-8"), path.name, ours=True)
    _check_ids("claims", [claim.id for claim in found])
    return tuple(found)


def read_claims(text: str, name: str, *, ours: bool = False) -> tuple[Claim, ...]:
    """Reads a file of claims.

    Args:
        text: TOML, with a table [[claim]] for each.
        name: the file's name, for messages.
        ours: whether it is part of this package: `function` is for these alone, and
            `source` and `expected` must be given.

    Returns:
        The claims in the file's order; formulas and boxes are known to be readable
        but for `ours`, where a test reads them.

    Raises:
        ClaimError: in one line, with the file's name and the claim's id.
    """
    name = one_line(name)
    rows = _rows(text, name)
    claims = []
    for number, row in enumerate(rows, 1):
        label = row.get("id") if isinstance(row, dict) else None
        shown = quoted(label) if isinstance(label, str) and label else number
        try:
            claims.append(_claim(row, Path(name).stem, ours))
        except ValueError as error:
            raise ClaimError(f"{name}: claim {shown}: {_line(error)}") from None
    _check_ids(name, [claim.id for claim in claims])
    return tuple(claims)


def _line(error: Exception) -> str:
    line = one_line(str(error))
    return line if len(line) <= 500 else line[:497] + "..."


def _rows(text: str, name: str) -> list[Any]:
    if len(text) > LARGEST_FILE:
        raise ClaimError(f"{name}: more than {LARGEST_FILE} characters")
    if max(map(len, text.splitlines()), default=0) > LONGEST_LINE:
        raise ClaimError(f"{name}: a line of more than {LONGEST_LINE} characters")
    try:
        data = tomllib.loads(text)
    except RecursionError:
        raise ClaimError(f"{name}: TOML: nested too deeply") from None
    except ValueError as error:
        raise ClaimError(f"{name}: TOML: {_line(error)}") from None
    for key in data:
        if key != "claim":
            hint = did_you_mean(key, ("claim",))
            raise ClaimError(f"{name}: unknown key {quoted(key)}{hint}")
    rows = data.get("claim")
    if not isinstance(rows, list) or not rows:
        raise ClaimError(f"{name}: must hold one [[claim]] or more")
    if len(rows) > MOST_CLAIMS:
        raise ClaimError(
            f"{name}: {len(rows)} claims, but must be at most {MOST_CLAIMS}"
        )
    return rows


def _check_ids(name: str, ids: list[str]) -> None:
    seen: set[str] = set()
    for id_ in ids:
        if id_ in seen:
            raise ClaimError(f"{name}: claim {quoted(id_)} is given twice")
        seen.add(id_)


def _claim(row: Any, file: str, ours: bool) -> Claim:
    if not isinstance(row, dict):
        raise ClaimError("must be a table, write [[claim]]")
    for key, value in row.items():
        _check_key(key, value)
    for key in _required(row, ours):
        if not row.get(key):
            raise ClaimError(f"{key} is missing")
    claim = Claim(**{"source": "", **row}, file=file)
    _check_words(claim, ours)
    if claim.loss:
        _check_loss(claim)
    if not ours:  # a test reads those, which takes a second
        check_formula(claim)
    return claim


def _check_key(key: str, value: Any) -> None:
    if key not in KEYS:
        raise ClaimError(f"unknown key {quoted(key)}{did_you_mean(key, KEYS)}")
    if key == "sweep":
        if not isinstance(value, bool):
            raise ClaimError(f"{key} must be true or false")
        return
    if not isinstance(value, str):
        raise ClaimError(f"{key} must be text in quotes")
    if not re.sub(r"[\n\t]", " ", value).isprintable():
        raise ClaimError(f"{key} holds a control character")


def _required(row: Mapping[str, Any], ours: bool) -> tuple[str, ...]:
    usual = ("id", "statement", *(("source", "expected") if ours else ()))
    if row.get("expected") == "OPEN":
        usual = (*usual, "why")
    if row.get("formula") or not (row.get("function") or row.get("why")):
        usual = (*usual, "loss", "formula")
    return usual


def _check_words(claim: Claim, ours: bool) -> None:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", claim.id):
        raise ClaimError("id must be of letters, digits, '.', '_' and '-'")
    if claim.expected and claim.expected not in VERDICTS:
        known = ", ".join(VERDICTS)
        raise ClaimError(f"expected={quoted(claim.expected)}, but must be of {known}")
    if claim.function and not ours:
        raise ClaimError("function is for claims of this package only")
    decided = claim.formula or claim.function or claim.expected in ("", "OPEN")
    if not decided:
        raise ClaimError(f"expected={claim.expected} needs a formula")
    if claim.equivalent and not claim.formula:
        raise ClaimError("equivalent needs a formula")


def _check_loss(claim: Claim) -> None:
    if claim.loss not in LOSSES:
        hint = did_you_mean(claim.loss, tuple(LOSSES))
        raise ClaimError(f"unknown loss {quoted(claim.loss)}{hint}")
    _check_defined(claim.loss, claim.profile)


def _check_defined(loss: str, profile: str) -> None:
    if not is_defined(LOSSES[loss], parse(profile)):
        raise ClaimError(f"profile={profile} is not defined for {loss}")


def check_formula(claim: Claim) -> None:
    """Refuse a claim whose profile, box or formula cannot be read.

    Args:
        claim: a claim whose other keys are known to be right.

    Raises:
        ClaimError: in one line.
    """
    parse(claim.profile)
    box = parse_box(claim.box)
    if not claim.formula:
        return
    formula = parse_formula(claim.formula)
    whole = completed(box, claim.loss, formula)
    names = whole.keys()
    if claim.sweep:
        _check_sweep(whole)
    for loss in losses_of(formula, claim.loss):
        _check_defined(loss, claim.profile)
    if claim.equivalent:
        _check_equivalent(claim, names)


def _check_sweep(box: Box) -> None:
    """Cosines are counted, all else being fixed."""
    free = [name for name, part in box.items() if isinstance(part, Range)]
    if free != ["target_cosine"]:
        shown = ", ".join(free) or "nothing"
        raise ClaimError(f"sweep: free={shown}, but must be target_cosine alone")


def _check_equivalent(claim: Claim, names: Any) -> None:
    """It is proved on the formula's box, and so may have no other inputs."""
    try:
        equivalent = parse_formula(claim.equivalent)
        needed = inputs_of(equivalent, claim.loss, names)
    except ClaimError as error:
        words = str(error).removeprefix("formula: ")
        raise ClaimError(f"equivalent: {words}") from None
    extra = [name for name in needed if name not in names]
    if extra:
        raise ClaimError(f"equivalent: depends on {extra[0]}, which the formula lacks")
    for loss in losses_of(equivalent, claim.loss):
        _check_defined(loss, claim.profile)


def asked(formula: str, loss: str, profile: str, box: str) -> Claim:
    """A claim as a user asks it, outside any file.

    Args:
        formula: in the language of claims.
        loss: a loss id.
        profile: a profile string.
        box: as text.

    Returns:
        The claim; formula and box are known to be readable.

    Raises:
        ClaimError: in one line.
    """
    claim = Claim("", formula, "", loss, profile, formula=formula, box=box)
    try:
        _check_loss(claim)
        check_formula(claim)
    except ValueError as error:
        raise ClaimError(_line(error)) from None
    return claim

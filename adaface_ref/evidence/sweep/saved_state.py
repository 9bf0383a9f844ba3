"""What a sweep has counted so far, and its file: written whole or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from sympy import Expr, srepr

from adaface_ref.errors import DomainError, domain_error
from adaface_ref.files import write_whole
from adaface_ref.spec.language.cases import Atom, ClaimCase, Statement

FORMAT = 1
"""Of the file; part of the fingerprint."""

COUNTS = ("next", "holds", "fails", "open", "oracle", "checked")


class Tally(NamedTuple):
    """All cosines below a frontier, counted.

    Args:
        next: the first index that is not counted yet.
        holds: how many satisfy the claim.
        fails: how many violate it.
        open: how many even the oracle left undecided.
        oracle: how many were sent to the oracle.
        checked: how many that were certain went to the oracle all the same.
        lowest: the first few that violate it.
        highest: the last one that does, at most one.
        seconds: the time it took, over all runs.
    """

    next: int
    holds: int = 0
    fails: int = 0
    open: int = 0
    oracle: int = 0
    checked: int = 0
    lowest: tuple[float, ...] = ()
    highest: tuple[float, ...] = ()
    seconds: float = 0.0


def fingerprint(
    cases: Sequence[ClaimCase], values: Mapping[str, Expr], *rest: object
) -> str:
    """What tells one sweep's file from another's.

    Args:
        cases: the claim.
        values: every other input.
        rest: dtype and range.

    Returns:
        A hash that changes with any of them, and with the package's version.
    """
    parts = [
        FORMAT,
        version("adaface-ref"),
        [
            ([*map(srepr, case.where)], _statement_data(case.statement))
            for case in cases
        ],
        sorted((name, srepr(value)) for name, value in values.items()),
        *rest,
    ]
    return _hash(parts)


def _statement_data(statement: Statement) -> list[Any]:
    if isinstance(statement, Atom):
        return [srepr(statement.expression), statement.relation]
    return [type(statement).__name__, *map(_statement_data, statement.parts)]


def _hash(data: object) -> str:
    return hashlib.sha256(json.dumps(data).encode()).hexdigest()


def save(path: Path, claim: str, tally: Tally) -> None:
    """Writes what has been counted."""
    hexes = {name: [c.hex() for c in getattr(tally, name)] for name in _HEXES}
    counted = {**tally._asdict(), **hexes}
    content = json.dumps({"claim": claim, "tally": counted, "hash": _hash(counted)})
    write_whole(path, content + "\n")


_HEXES = ("lowest", "highest")


def load(path: Path, claim: str, inside: range) -> Tally:
    """What a file says has been counted.

    Args:
        path: where; nothing has been counted if there is no file.
        claim: the fingerprint that it must have.
        inside: the indices that are to be counted.

    Returns:
        The tally.

    Raises:
        DomainError: in one line, for another claim's file and for a damaged one.
    """
    if not path.exists():
        return Tally(inside.start)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["claim"] != claim:
            raise domain_error("state", path, "of this claim and range", "sweep")
        return _check_tally(content["tally"], content["hash"], inside)
    except DomainError:
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        must = "a whole state file (delete it to start again)"
        raise domain_error("state", path, must, "sweep") from error


def _check_tally(counted: dict[str, Any], expected: str, inside: range) -> Tally:
    if _hash(counted) != expected:
        raise ValueError("hash")
    hexes = {name: tuple(map(float.fromhex, counted[name])) for name in _HEXES}
    tally = Tally(**{**counted, **hexes})
    counts = [getattr(tally, name) for name in COUNTS]
    if not all(type(count) is int for count in counts) or min(counts[1:]) < 0:
        raise ValueError("counts")
    if not inside.start <= tally.next <= inside.stop:
        raise ValueError("frontier")
    if tally.holds + tally.fails + tally.open != tally.next - inside.start:
        raise ValueError("sum")
    return tally

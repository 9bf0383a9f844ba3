"""A proof as data, and its check by a second interval engine.

The certificate says what is claimed, the clauses, and how the box was split for each.
The check reads the claim again from its text and evaluates every leaf with mpmath's
intervals by code of its own: balls, the compiler and the splitting are not trusted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from itertools import combinations
from typing import Any, NamedTuple

from mpmath import iv, mp
from sympy import (
    Abs,
    Add,
    E,
    Expr,
    Integer,
    Mul,
    Pow,
    Rational,
    Symbol,
    acos,
    cos,
    exp,
    log,
    oo,
    pi,
    sign,
    sin,
)

from adaface_ref.spec.claim_box import describe
from adaface_ref.spec.claim_language import ClaimError
from adaface_ref.spec.symbols import QUANTITIES, log_logistic, logistic

from .algebra import expanded
from .boxes import ends_of
from .claim import Posed, box_of, box_of_posed, posed
from .clauses import Clause, Side, TooManyClauses, clauses_of, outside, sides_of
from .halves import middle_of
from .proof import DONE, Proof

FORMAT = 1

BITS = 80
"""Of the checker's intervals."""


def certificate_of(claim: Posed, proof: Proof) -> dict[str, Any]:
    """A complete proof as data.

    Args:
        claim: what was proved.
        proof: its trees.

    Returns:
        JSON types, to be read by `check`.
    """
    return {
        "format": FORMAT,
        "program": f"adaface-ref {version('adaface-ref')}",
        "formula": claim.formula,
        "loss": claim.loss,
        "profile": claim.profile,
        "box": describe(box_of_posed(claim)),
        "clauses": [
            {
                "literals": [str(literal) for literal in tree.clause],
                "inputs": list(tree.names),
                "splits": tree.splits,
            }
            for tree in proof.trees
        ],
    }


class Checked(NamedTuple):
    """What became of a certificate.

    Args:
        accepted: whether it proves its claim.
        reason: why not.
        boxes: leaves that were evaluated.
    """

    accepted: bool
    reason: str
    boxes: int


class _Rejected(Exception):  # noqa: N818
    """Why a certificate proves nothing."""


def check(certificate: Mapping[str, Any]) -> Checked:
    """Checks a certificate, whoever made it.

    Args:
        certificate: as `certificate_of` makes it.

    Returns:
        Whether it proves the claim whose text stands in it.
    """
    before = iv.prec, mp.prec
    try:
        iv.prec, mp.prec = BITS, BITS + 20
        return Checked(True, "", _checked_boxes(certificate))
    except (_Rejected, ClaimError, TooManyClauses) as error:
        return Checked(False, str(error) or "too many clauses", 0)
    finally:
        iv.prec, mp.prec = before


def _checked_boxes(certificate: Mapping[str, Any]) -> int:
    claim = _claim_of(certificate)
    clauses, sides = clauses_of(claim), sides_of(claim)
    rows = certificate.get("clauses")
    if not isinstance(rows, list) or len(rows) != len(clauses):
        raise _Rejected(f"it must prove {len(clauses)} clauses")
    return sum(
        _checked_tree(row, clause, sides, place)
        for place, (row, clause) in enumerate(zip(rows, clauses, strict=True))
    )


def _claim_of(certificate: Mapping[str, Any]) -> Posed:
    fields = [certificate.get(name) for name in ("formula", "loss", "profile", "box")]
    if certificate.get("format") != FORMAT or not all(
        isinstance(field, str) for field in fields
    ):
        raise _Rejected(f"it must be a certificate of format {FORMAT}")
    formula, loss, profile, text = map(str, fields)
    try:
        claims = posed(formula, loss, profile, box_of(formula, loss, text))
    except (KeyError, ValueError) as error:
        raise _Rejected(str(error)) from None
    if len(claims) != 1:
        raise _Rejected("its box must have one value for every input that has values")
    return claims[0]


def _checked_tree(row: Any, clause: Clause, sides: Sequence[Side], place: int) -> int:
    used = set().union(*(literal.expression.free_symbols for literal in clause))
    sides = [side for side in sides if QUANTITIES[side.name].symbol in used]
    expected = {
        "literals": [str(literal) for literal in clause],
        "inputs": [side.name for side in sides],
    }
    if not isinstance(row, dict) or {k: row.get(k) for k in expected} != expected:
        raise _Rejected(f"clause {place} is not the claim's")
    splits = row.get("splits")
    if not isinstance(splits, str):
        raise _Rejected(f"clause {place} has no tree")
    return _walk(splits, _reasons(clause, sides), sides, place)


def _reasons(clause: Clause, sides: Sequence[Side]) -> list[tuple[Expr, bool]]:
    """What would prove the clause: a literal, or two that cannot both fail."""
    pairs = list(combinations(clause, 2))
    pairs += [(one, end) for one in clause for side in sides for end in outside(side)]
    single = [(literal.expression, literal.strict) for literal in clause]
    return single + [
        (expanded(a.expression) + expanded(b.expression), a.strict and b.strict)
        for a, b in pairs
    ]


def _walk(
    splits: str,
    reasons: list[tuple[Expr, bool]],
    sides: Sequence[Side],
    place: int,
) -> int:
    """Follows a tree from the whole box to its leaves; each of them must be certain."""
    symbols = [QUANTITIES[side.name].symbol for side in sides]
    whole = [(_end(side.low), _end(side.high), *ends_of(side)) for side in sides]
    stack, leaves = [whole], 0
    for step in splits:
        if not stack:
            raise _Rejected(f"the tree of clause {place} is too long")
        box = stack.pop()
        if step == DONE:
            parts = zip(symbols, box, strict=True)
            env = {symbol: iv.mpf([part[0].a, part[1].b]) for symbol, part in parts}
            if not any(_is_certain(*reason, env) for reason in reasons):
                where = ", ".join(f"{symbol} in {part}" for symbol, part in env.items())
                raise _Rejected(f"a leaf of clause {place} is not certain: {where}")
            leaves += 1
            continue
        axis = ord(step) - ord("a")
        if not 0 <= axis < len(sides):
            raise _Rejected(f"the tree of clause {place} has a {step!r}")
        low, high, start, stop = box[axis]
        middle = middle_of(start, stop)
        if not start < middle < stop:
            raise _Rejected(f"the tree of clause {place} splits what has no middle")
        for half in (
            (iv.mpf(middle), high, middle, stop),
            (low, iv.mpf(middle), start, middle),
        ):
            stack.append([*box[:axis], half, *box[axis + 1 :]])
    if stack:
        raise _Rejected(f"the tree of clause {place} leaves a part of the box out")
    return leaves


def _end(value: Expr) -> Any:
    if value.is_infinite:
        return iv.mpf("inf" if value is oo else "-inf")
    return _enclosed(value, {})


def _is_certain(value: Expr, strict: bool, env: Mapping[Symbol, Any]) -> bool:
    try:
        least = _enclosed(value, dict(env)).a
    except (ZeroDivisionError, ValueError, mp.NoConvergence):
        return False
    return bool(least > 0 or (not strict and least >= 0))


def _enclosed(node: Expr, known: dict[Expr, Any]) -> Any:
    """An interval around an expression's values, by walking its tree."""
    if node not in known:
        known[node] = _computed(node, known)
    return known[node]


def _computed(node: Expr, known: dict[Expr, Any]) -> Any:
    if isinstance(node, Rational):
        return iv.mpf(int(node.p)) / int(node.q)
    if node is pi:
        return +iv.pi
    if node is E:
        return +iv.e
    parts = [_enclosed(part, known) for part in node.args]
    if isinstance(node, Add):
        return sum(parts[1:], parts[0])
    if isinstance(node, Mul):
        done = parts[0]
        for part in parts[1:]:
            done = done * part
        return done
    if isinstance(node, Pow):
        return _power(parts[0], node.exp)
    if type(node) not in _FUNCTIONS:
        raise _Rejected(f"{type(node).__name__} is unknown to the checker")
    return _FUNCTIONS[type(node)](parts[0])


def _power(base: Any, exponent: Expr) -> Any:
    if isinstance(exponent, Integer):
        power = base ** abs(int(exponent))
        return power if exponent > 0 else 1 / power
    if exponent == Rational(1, 2):
        return iv.sqrt(base)
    if exponent == Rational(-1, 2):
        return 1 / iv.sqrt(base)
    raise _Rejected(f"the power {exponent} is unknown to the checker")


def _acos(x: Any) -> Any:
    """By guesses of either end, pushed outwards until the cosine confirms them."""
    return iv.mpf([_acos_end(x.b, -1), _acos_end(x.a, 1)])


def _acos_end(cosine: Any, way: int) -> Any:
    value = mp.mpf(cosine._mpi_[0]) if hasattr(cosine, "_mpi_") else mp.mpf(cosine)
    guess = mp.acos(min(mp.one, max(-mp.one, value)))
    step = mp.ldexp(1, 10 - BITS)
    end = guess + way * step
    if end <= 0 or end >= mp.pi:
        return iv.mpf(max(end, 0)).a if way < 0 else iv.pi.b
    there = iv.cos(iv.mpf(end))
    confirmed = there.a >= value if way < 0 else there.b <= value
    if not confirmed:
        raise _Rejected("an angle could not be enclosed")
    return end


def _sign(x: Any) -> Any:
    if x.a > 0:
        return iv.mpf(1)
    return iv.mpf(-1) if x.b < 0 else iv.mpf([-1, 1])


_FUNCTIONS: Mapping[Any, Callable[[Any], Any]] = {
    sin: iv.sin,
    cos: iv.cos,
    exp: iv.exp,
    log: iv.log,
    acos: _acos,
    Abs: abs,
    sign: _sign,
    logistic: lambda x: 1 / (1 + iv.exp(-x)),
    log_logistic: lambda x: -iv.log(1 + iv.exp(-x)),
}

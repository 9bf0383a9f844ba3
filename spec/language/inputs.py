"""What a claim depends on: the inputs of its loss, and those that its formula names."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sympy import Expr

from adaface_ref.spec.gst import ABOUT_OTHERS
from adaface_ref.spec.language.language import DERIVED
from adaface_ref.spec.language.tokens import ClaimError
from adaface_ref.spec.language.tree import (
    At,
    Derivative,
    Expression,
    Name,
    OfLoss,
    Proposition,
    parts,
)
from adaface_ref.spec.language.values import printed
from adaface_ref.spec.losses import LOSSES
from adaface_ref.spec.profiles import CLAMPS
from adaface_ref.spec.symbols import QUANTITIES

Tree = Expression | Proposition

THROUGH_NORM = {"standard_norm", "concentration"}
"""What the margin scaler follows from, where these are the inputs."""


def losses_of(tree: Tree, loss: str) -> tuple[str, ...]:
    """The loss of a claim, then those that `loss(id, ...)` names, once each."""
    return tuple(dict.fromkeys((loss, *_losses(tree))))


def _losses(tree: Tree) -> Iterator[str]:
    if isinstance(tree, OfLoss):
        yield tree.loss
    for part in parts(tree):
        yield from _losses(part)


def inputs_of(tree: Tree, loss: str, named: Collection[str]) -> tuple[str, ...]:
    """The inputs of a claim.

    Args:
        tree: a parsed formula.
        loss: a loss id.
        named: inputs that the box names, which choose between target_cosine and
            angle, and between margin_scaler and standard_norm with concentration.

    Returns:
        Their names, in the order of the vocabulary.

    Raises:
        ClaimError: for two names of one input, or a derivative or substitution by a
            quantity that is no input here.
    """
    losses = losses_of(tree, loss)
    found = _parameters(loss) | {"target_cosine", "rival_cosine"} | _inputs(tree, loss)
    mentioned = {name for name, _ in _mentioned(tree)}
    scaled = "margin_scaler" in mentioned.union(*map(_parameters, losses))
    if scaled and THROUGH_NORM & {*named, *mentioned}:
        _check_through_norm(tree, loss, named)
        found = (found - {"margin_scaler"}) | THROUGH_NORM
    if "angle" in named:
        _one_of(named, "target_cosine", "angle")
        found = (found - {"target_cosine"}) | {"angle"}
    has_arcs = any(LOSSES[named].has_arcs for named in losses)
    if has_arcs and ("multiplier", True) in _mentioned(tree):
        raise ClaimError("formula: multiplier counts arcs, so not by diff or at")
    return tuple(name for name in QUANTITIES if name in found)


def _parameters(loss: str) -> set[str]:
    return {symbol.name for symbol in LOSSES[loss].parameters}


def _inputs(tree: Tree, loss: str) -> set[str]:
    """What the value of a tree depends on; angle and target_cosine are one input."""
    match tree:
        case Name(name) if name in DERIVED:
            others = {"other_cosine"} if name in ABOUT_OTHERS else set()
            return _parameters(loss) | others
        case Name(name) if name in ("angle", "target_cosine", *CLAMPS):
            return set()
        case Name(name):
            return {name}
        case OfLoss(other, of):
            return _inputs(of, other)
        case At(of, values):
            kept = _inputs(of, loss) - {name for name, _ in values}
            return kept.union(*(_inputs(value, loss) for _, value in values))
    return set().union(*(_inputs(part, loss) for part in parts(tree)))


def _mentioned(tree: Tree) -> set[tuple[str, bool]]:
    """Every input by name, and whether `diff` or `at` goes by it."""
    inner = set().union(*map(_mentioned, parts(tree)))
    match tree:
        case Name(name):
            return {(name, False)}
        case Derivative(_, by):
            return inner | {(by, True)}
        case At(_, values):
            return inner | {(name, True) for name, _ in values}
    return inner


def _check_through_norm(tree: Tree, loss: str, named: Collection[str]) -> None:
    for name in ("standard_norm", "concentration"):
        _one_of(named, "margin_scaler", name)
    if "margin_scaler" in named:
        raise ClaimError(
            "box: margin_scaler is given, but follows from standard_norm and "
            "concentration, which the formula names"
        )
    mentioned = _mentioned(tree)
    alone = "margin_scaler" not in _parameters(loss)
    if ("margin_scaler", True) in mentioned or (
        alone and ("margin_scaler", False) in mentioned
    ):
        raise ClaimError(
            "formula: margin_scaler follows from standard_norm and concentration in "
            "this claim, which must name these in its place"
        )


def recommended(name: str, losses: tuple[str, ...]) -> Expr | None:
    """The value that an input takes by default.

    Args:
        name: an input.
        losses: as `losses_of` gives them.

    Returns:
        By the claim's own loss, else by those that its formula names; None if there
        is no such value.

    Raises:
        ClaimError: where several losses are named and do not agree.
    """
    quantity = QUANTITIES[name]
    rows = [
        LOSSES[loss] for loss in losses if quantity.symbol in LOSSES[loss].parameters
    ]
    if rows and rows[0].id == losses[0]:
        rows = rows[:1]
    usual = {
        row.id: row.recommended.get(quantity.symbol, quantity.recommended)
        for row in rows
    }
    if len(set(usual.values())) > 1:
        words = ", ".join(f"{printed(value)} in {row}" for row, value in usual.items())
        raise ClaimError(f"box: {name} must be given, since it is usually {words}")
    return next(iter(usual.values()), quantity.recommended)


def _one_of(named: Collection[str], one: str, other: str) -> None:
    if one in named and other in named:
        raise ClaimError(f"box: {one} beside {other}, but must give one of them")

"""Where a claim names quantities: of which loss, at which point, on which pieces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from sympy import Expr, Integer

from adaface_ref.spec.language.tokens import ClaimError
from adaface_ref.spec.language.tree import At, Name, OfLoss, parts
from adaface_ref.spec.losses import LOSSES
from adaface_ref.spec.profiles import Piece, Profile, is_defined, pieces_of
from adaface_ref.spec.symbols import concentration, margin_scaler, standard_norm


class Situation(NamedTuple):
    """A loss, and the `at` forms around the quantity, the outermost first."""

    loss: str
    points: tuple[At, ...] = ()

    def at(self, point: At) -> Situation:
        """The same inside one more `at`."""
        return self._replace(points=(*self.points, point))

    def of(self, loss: str) -> Situation:
        """The same inside `loss(...)`."""
        return self._replace(loss=loss)


class Option(NamedTuple):
    """One piece of a situation, and what the margin scaler is there."""

    piece: Piece
    scaler: Expr


def names_of(node: Any) -> set[str]:
    """Every quantity that a tree names."""
    own = {node.name} if isinstance(node, Name) else set()
    return own.union(*map(names_of, parts(node)))


def situations_of(node: Any, here: Situation, pieced: set[str]) -> Iterator[Situation]:
    """Every situation in which a quantity with pieces is named, in reading order.

    Args:
        node: a tree.
        here: the situation it stands in.
        pieced: names of the quantities that have pieces.

    Yields:
        Situations, perhaps one several times.
    """
    match node:
        case Name(name):
            if name in pieced:
                yield here
        case OfLoss(loss, of):
            yield from situations_of(of, here.of(loss), pieced)
        case At(of, values):
            yield from situations_of(of, here.at(node), pieced)
            for _, value in values:
                yield from situations_of(value, here, pieced)
        case _:
            for child in parts(node):
                yield from situations_of(child, here, pieced)


def options_of(
    situation: Situation,
    profile: Profile,
    arcs: int | None,
    through_norm: bool,
    others: bool,
) -> list[Option]:
    """The pieces of a situation, ordered: the first that applies counts.

    Args:
        situation: of a claim.
        profile: of the claim.
        arcs: SphereFace's multiplier.
        through_norm: whether the margin scaler is clip(h z, -1, 1).
        others: whether another class's own pieces matter.

    Returns:
        Options, the last of which applies everywhere.

    Raises:
        ClaimError: for a loss that the profile is not defined for.
    """
    row = LOSSES[situation.loss]
    if not is_defined(row, profile):
        raise ClaimError(f"profile={profile} is not defined for {row.id}")
    pieces = pieces_of(row, profile, arcs, others=others)
    if not through_norm or margin_scaler not in row.parameters:
        return [Option(piece, margin_scaler) for piece in pieces]
    spread = concentration * standard_norm
    scalers = (
        ((spread - 1,), Integer(1)),
        ((-1 - spread,), Integer(-1)),
        ((), spread),
    )
    return [
        Option(_with_scaler(piece, value, where), value)
        for where, value in scalers
        for piece in pieces
    ]


def _with_scaler(piece: Piece, value: Expr, where: tuple[Expr, ...]) -> Piece:
    meaning = {margin_scaler: value}
    return piece._replace(
        where=(*where, *(part.xreplace(meaning) for part in piece.where)),
        target=piece.target.xreplace(meaning),
        other=piece.other.xreplace(meaning),
    )

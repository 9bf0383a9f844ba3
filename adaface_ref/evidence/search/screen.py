"""A claim in working precision: fast, not certified, and so only ever a hint.

Atoms are compiled without their factors that are positive everywhere (scale, P, 1 - P,
powers of the sine), so that nothing underflows: the sign of dP/dc is right where its
size is 1e-40. The margin of a claim says how clearly it holds, on a scale that no
common factor changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from sympy import Abs, Add, Expr, Mul, sign

from adaface_ref.compiler import NUMPY, Compiled, angle_of, compile_tree, from_cosine
from adaface_ref.evidence.problem.logic import (
    EQUALITIES,
    FALSE,
    TRUE,
    atoms_of,
    decides,
    evaluate,
    every,
    largest,
    least,
    margin_of,
    settle,
    some,
)
from adaface_ref.evidence.problem.problem import Problem
from adaface_ref.evidence.problem.signs import Product, product_of
from adaface_ref.spec.gst import cases
from adaface_ref.spec.language.cases import Atom, ClaimCase, Statement
from adaface_ref.spec.losses import LOSSES
from adaface_ref.spec.profiles import parse
from adaface_ref.spec.symbols import QUANTITIES, angle, rival_cosine, target_cosine

Floats = np.ndarray[Any, np.dtype[np.float64]]
Truths = np.ndarray[Any, np.dtype[np.bool_]]
Columns = Mapping[str, Any]
"""Free inputs by name: floats or arrays that broadcast."""

MOST_FEATURES = 24
"""Expressions whose zeros are looked for."""

SINE = QUANTITIES["angular_margin"].symbol
"""The angle's sine, computed once for all programs; no tree holds this symbol."""

FAST: Mapping[str, Any] = {
    **NUMPY,
    "logistic": lambda x: 1 / (1 + np.exp(-x)),
    "complement": lambda x: 1 / (1 + np.exp(x)),
    "angle_of": np.arccos,
}
"""Good to a few ULP wherever exp does not overflow, where these are 0."""


class _Row(NamedTuple):
    """One case: its conditions by position, its statement, and compiled atoms."""

    where: tuple[int, ...]
    statement: Statement
    truths: Compiled | None
    margins: Compiled
    products: tuple[Product, ...]

    def values(self, computed: Iterator[Any]) -> Iterator[Any]:
        """What decides the truth of each atom."""
        pairs = zip(atoms_of(self.statement), self.products, strict=True)
        for atom, product in pairs:
            equality = atom.relation in EQUALITIES
            yield product.normalise(computed) if equality else next(computed)


def _leave_out_covered(rows: Sequence[_Row]) -> list[_Row]:
    """The cases without those that the next one covers, which says the same."""
    done: list[_Row] = []
    for row in reversed(rows):
        following = done[-1] if done else None
        if following is None or not (
            row.statement == following.statement
            and set(following.where) <= set(row.where)
        ):
            done.append(row)
    return done[::-1]


class Screen:
    """A claim's truth and margin at arrays of points.

    Args:
        claim: a claim on one box.
    """

    def __init__(self, claim: Problem) -> None:
        self.fixed = {name: float(value) for name, value in claim.fixed.items()}
        inputs = {*claim.fixed, *claim.free}
        self.by_angle = "angle" in inputs
        if self.by_angle or target_cosine.name in inputs:
            inputs |= {target_cosine.name, SINE.name}
        self.names = tuple(name for name in QUANTITIES if name in inputs)
        wheres = dict.fromkeys(part for case in claim.cases for part in case.where)
        self._where = self._compile(tuple(wheres))
        order = {part: index for index, part in enumerate(wheres)}
        stated = [self._row(case, case.statement, order) for case in claim.cases]
        assumed = [self._row(case, case.premise, order) for case in claim.cases]
        self._rows, self._premises = (
            _leave_out_covered(stated),
            _leave_out_covered(assumed),
        )
        self.has_premise = any(case.premise != TRUE for case in claim.cases)
        self._features = self._features_of(claim, tuple(wheres))

    def _compile(self, trees: Sequence[Expr]) -> Compiled:
        written = [from_cosine(tree, SINE) for tree in trees]
        if self.by_angle:
            back = {angle_of(target_cosine): angle}
            written = [tree.xreplace(back) for tree in written]
        return compile_tree(written, self.names, FAST)

    def _row(
        self, case: ClaimCase, statement: Statement, order: Mapping[Expr, int]
    ) -> _Row:
        statement = settle(statement)
        atoms = atoms_of(statement)
        products = tuple(product_of(atom.expression) for atom in atoms)
        margins = self._compile([t for p in products for t in p.trees])
        wholes: list[Expr] = []
        for atom, product in zip(atoms, products, strict=True):
            wholes += _trees(atom, product)
        truths = self._compile(wholes) if atoms else None
        where = tuple(order[part] for part in case.where)
        return _Row(where, statement, truths, margins, products)

    def _arguments(self, columns: Columns) -> list[Any]:
        inputs: dict[str, Any] = {**self.fixed, **columns}
        if self.by_angle:
            inputs[target_cosine.name] = np.cos(inputs[angle.name])
            inputs[SINE.name] = np.sin(inputs[angle.name])
        elif target_cosine.name in inputs:
            cosine = inputs[target_cosine.name]
            inputs[SINE.name] = np.sqrt((1 - cosine) * (1 + cosine))
        return [inputs[name] for name in self.names]

    def fails(self, columns: Columns) -> Truths:
        """Where the claim is false in floats, or not a number.

        Args:
            columns: the free inputs.

        Returns:
            Truths of the shape to which the columns broadcast.
        """
        return self._fails(columns, self._rows)

    def meets_premise(self, columns: Columns) -> Truths:
        """Where the premise holds in floats."""
        return ~self._fails(columns, self._premises)

    def _fails(self, columns: Columns, rows: Sequence[_Row]) -> Truths:
        arguments = self._arguments(columns)
        failing = np.zeros(_shape(columns), dtype=np.bool_)
        with np.errstate(all="ignore"):
            for row, here in self._where_rows(arguments, rows):
                if row.truths is None:
                    if row.statement == FALSE:
                        failing |= here
                    continue
                values = row.values(iter(row.truths(*arguments)))
                true = evaluate(row.statement, values, decides, every, some)
                failing |= every([np.logical_not(true), here])
        return failing

    def _where_rows(
        self, arguments: Sequence[Any], rows: Sequence[_Row]
    ) -> Iterator[tuple[_Row, Any]]:
        """Each case that applies somewhere, and where it does."""
        signs = [part > 0 for part in self._where(*arguments)]
        left: Any = True
        for row in rows:
            here = every([left, *(signs[index] for index in row.where)])
            if np.any(here):
                yield row, here
                left = every([left, np.logical_not(here)])

    def margin(self, columns: Columns) -> Floats:
        """How clearly the claim holds; negative where it fails, infinite where NaN.

        Args:
            columns: the free inputs.

        Returns:
            Floats of the shape to which the columns broadcast.
        """
        arguments = self._arguments(columns)
        result = np.full(_shape(columns), np.inf)
        with np.errstate(all="ignore"):
            for row, here in self._where_rows(arguments, self._rows):
                values = iter(row.margins(*arguments))
                sizes = (product.normalise(values) for product in row.products)
                size = evaluate(row.statement, sizes, margin_of, least, largest)
                np.copyto(result, size, where=here)
        result[np.isnan(result)] = np.inf
        return result

    def features(self, columns: Columns) -> Iterator[Floats]:
        """Expressions with zeros worth a look: conditions, atoms, kinks, the slope."""
        for index in range(len(self._features)):
            yield self.feature(index, columns)

    def feature(self, index: int, columns: Columns) -> Floats:
        """One of them."""
        with np.errstate(all="ignore"):
            value = self._features[index](*self._arguments(columns))[0]
        return np.broadcast_to(np.asarray(value, dtype=np.float64), _shape(columns))

    def _features_of(self, claim: Problem, wheres: Sequence[Expr]) -> list[Compiled]:
        atoms = [atom for case in claim.cases for atom in atoms_of(case.statement)]
        trees = list(dict.fromkeys(atom.expression for atom in atoms))
        found = [Add(*terms) for tree in trees for terms in product_of(tree).factors]
        kinks = [sorted(tree.atoms(Abs, sign), key=str) for tree in trees]
        found += [node.args[0] for nodes in kinks for node in nodes]
        found += _known_features(claim)
        unique = dict.fromkeys((*found, *wheres))
        known = {QUANTITIES[name].symbol for name in (*self.names, "angle")}
        wanted = [f for f in unique if f.free_symbols and f.free_symbols <= known]
        return [self._compile([part]) for part in wanted[:MOST_FEATURES]]


def _known_features(claim: Problem) -> list[Expr]:
    """The slope and the distance to the decision boundary, of the claim's loss."""
    row, profile = LOSSES[claim.loss], parse(claim.profile)
    arcs = int(claim.fixed["multiplier"]) if row.has_arcs else None
    slopes = [case.terms[0] for case in cases("slope", row, profile, arcs)]
    logits = [case.terms[0] for case in cases("target_logit", row, profile, arcs)]
    zeros = [Add(*t) for slope in slopes for t in product_of(slope).factors]
    return [*zeros, *(logit - rival_cosine for logit in logits)]


def _trees(atom: Atom, product: Product) -> tuple[Expr, ...]:
    """What truth needs: the sign's product, or for an equality all terms."""
    if atom.relation in EQUALITIES:
        return product.trees
    return (Mul(*(Add(*terms) for terms in product.factors)),)


def _shape(columns: Columns) -> tuple[int, ...]:
    return np.broadcast_shapes(*(np.shape(column) for column in columns.values()))

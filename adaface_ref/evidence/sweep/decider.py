"""A claim at tensors of cosines: where it certainly holds, and where it fails."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from sympy import Expr

from adaface_ref.evidence.sweep.error_nodes import Inputs
from adaface_ref.evidence.sweep.running_error import Program, values_by_symbol
from adaface_ref.spec.language.cases import All, Atom, ClaimCase, Statement

Decider = Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]
"""From cosines to where a claim certainly holds, and where it certainly fails."""


class Truths(NamedTuple):
    """Writes what decides statements into a program."""

    program: Program

    def code_of(self, statement: Statement) -> tuple[str, str]:
        """Code of (certainly true, certainly false)."""
        if isinstance(statement, Atom):
            return self._atom(statement)
        truths = [self.code_of(part) for part in statement.parts]
        both = [t for t, _ in truths], [f for _, f in truths]
        if isinstance(statement, All):
            return self._join("&", both[0]), self._join("|", both[1])
        return self._join("|", both[0]), self._join("&", both[1])

    def _join(self, operator: str, parts: Sequence[str]) -> str:
        neutral, decided = ("True", "False") if operator == "&" else ("False", "True")
        if decided in parts:
            return decided
        left = [part for part in parts if part != neutral]
        code = f" {operator} ".join(left) or neutral
        return self.program.assign(code) if len(left) > 1 else code

    def _atom(self, atom: Atom) -> tuple[str, str]:
        expression, relation = atom.expression, str(atom.relation)
        if expression.could_extract_minus_sign():  # so that X and -X are computed once
            expression, relation = -expression, relation.replace(">", "<")
        node = self.program.node_of(expression)
        if node.number is not None:
            return _decide_number(node.number, relation)
        value, above, below = node.value, "0.0", "0.0"
        if node.factor and not (node.is_relative and node.is_finite):
            above = self.program.assign(self.program.error(node))
            below = self.program.assign(f"-{above}")
        if relation in ("==", "!="):
            apart = self.program.assign(f"{self.program.absolute(node)} > {above}")
            # A size of exactly 0 says that value and truth are 0.
            zero = self.program.assign(f"{self.program.size(node)} == 0")
            return (zero, apart) if relation == "==" else (apart, zero)
        if relation in (">", ">="):
            true, false = (above, below)
        else:
            true, false = (below, above)
        opposite = {">": "<=", ">=": "<", "<": ">=", "<=": ">"}[relation]
        if above != "0.0":  # strict: an infinite value does not exceed its size
            relation, opposite = relation[0], opposite[0]
        return (
            self.program.assign(f"{value} {relation} {true}"),
            self.program.assign(f"{value} {opposite} {false}"),
        )


def _decide_number(number: float, relation: str) -> tuple[str, str]:
    if math.isnan(number):
        return "False", "False"
    holds = {
        ">": number > 0,
        ">=": number >= 0,
        "<": number < 0,
        "<=": number <= 0,
        "==": number == 0,
        "!=": number != 0,
    }[relation]
    return str(holds), str(not holds)


def decider(
    cases: Sequence[ClaimCase], values: Mapping[str, Expr], inputs: Inputs
) -> Decider:
    """Compiles a claim to a function of cosines.

    Args:
        cases: ordered; the first whose `where` are all positive applies.
        values: every other input by name, exact.
        inputs: which cosines will be given.

    Returns:
        A function of a float64 tensor that returns where the claim certainly holds
        and where it certainly fails.
    """
    coarse = _decider(cases, values_by_symbol(values), inputs, coarse=True)
    fine = _decider(cases, values_by_symbol(values), inputs, coarse=False)

    def decide(cosine: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        holds, fails = coarse(cosine)
        left = ~(holds | fails)
        if left.count_nonzero():
            holds[left], fails[left] = fine(cosine[left])
        return holds, fails

    return decide


def _decider(
    cases: Sequence[ClaimCase],
    fixed: Mapping[Expr, Expr],
    inputs: Inputs,
    *,
    coarse: bool,
) -> Decider:
    compiled = []
    for case in cases:
        applies, states = (
            Truths(Program(coarse, inputs=inputs, values=fixed)) for _ in range(2)
        )
        where = All(tuple(Atom(expression, ">") for expression in case.where))
        compiled.append(
            (
                applies.program.function(*applies.code_of(where)),
                states.program.function(*states.code_of(case.statement)),
            )
        )

    def decide(cosine: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        left = torch.ones_like(cosine, dtype=torch.bool)
        holds, fails = ~left, ~left
        for applies, states in compiled:
            here, elsewhere = applies(cosine)
            mine, left = left & here, left & elsewhere
            if mine.count_nonzero():
                true, false = states(cosine)
                holds, fails = holds | mine & true, fails | mine & false
            if not left.count_nonzero():
                break
        return holds, fails

    return decide

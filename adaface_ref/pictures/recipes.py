"""How the rival's cosine follows the sample in the arcs: three readings of Fig. 3."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from adaface_ref.errors import domain_error
from adaface_ref.pictures.heads import WHERE, Floats


class Plan(NamedTuple):
    """How the rival's cosine follows the sample.

    Args:
        recipe: a key of RECIPES.
        between: the angle between the two class directions.
        fixed: j, for the recipe that fixes it.
    """

    recipe: str
    between: float
    fixed: float

    def rival(self, angle: Floats) -> Floats:
        """The rival's cosine j of samples at angles to their own class."""
        return RECIPES[self.recipe].cosine(self, angle)

    @property
    def words(self) -> str:
        """The recipe in one line, with its numbers."""
        degrees = f"{np.degrees(self.between):g}°"
        return RECIPES[self.recipe].words.format(
            fixed=f"{self.fixed:g}", between=degrees
        )


class Recipe(NamedTuple):
    """One way to place the rival, in words and in numbers."""

    words: str
    cosine: Callable[[Plan, Floats], Floats]


RECIPES: dict[str, Recipe] = {
    "fixed": Recipe(
        "the rival's cosine is j = {fixed} at every sample",
        lambda plan, angle: np.full(np.shape(angle), plan.fixed),
    ),
    "swept": Recipe(
        "the rival's cosine j is swept against cos θ: j = 1 + cos {between} − cos θ",
        lambda plan, angle: 1 + np.cos(plan.between) - np.cos(angle),
    ),
    "tied": Recipe(
        "the sample lies in the plane of both classes: j = cos({between} − θ)",
        lambda plan, angle: np.cos(plan.between - angle),
    ),
}
"""The author's own recipe in the thread is `fixed`, with j = 0.5."""


def check_plan(plan: Plan) -> None:
    """Refuses an angle or a cosine outside its domain.

    Raises:
        DomainError: in one line.
    """
    if not 0 < plan.between <= np.pi:
        must = "in (0, 180] degrees"
        raise domain_error("between", float(np.degrees(plan.between)), must, WHERE)
    if not abs(plan.fixed) <= 1:
        raise domain_error("rival_cosine", plan.fixed, "in [-1, 1]", WHERE)

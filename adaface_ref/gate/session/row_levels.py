"""At which values of a row's own quantity a head is looked at."""

from __future__ import annotations

from typing import NamedTuple


class Levels(NamedTuple):
    """Values of one quantity.

    Args:
        usual: an ordinary one.
        turning: one at which the angular margin is positive.
        at_poles: at which poles are looked at.
        on_grid: at which invariants are judged.
        probed: at which profiles are told apart.
    """

    usual: float
    turning: float
    at_poles: tuple[float, ...]
    on_grid: tuple[float, ...]
    probed: tuple[float, ...]


LEVELS = {
    "margin_scaler": Levels(
        0.0,
        -1.0,
        (-1.0, 0.0, 1.0),
        (-1.0, -0.5, 0.0, 0.5, 1.0),
        (-1.0, -0.6, -0.1, 0.0, 0.3, 0.8, 1.0),
    ),
    "feature_norm": Levels(
        60.0,
        60.0,
        (60.0, 12.0, 120.0),
        (5.0, 60.0, 120.0),
        (5.0, 12.0, 30.0, 60.0, 100.0, 120.0),
    ),
    "": Levels(0.0, 0.0, (0.0,), (0.0,), (0.0, 0.0, 0.0)),
}
"""By the quantity's name, which is empty for a loss that has none."""

"""What a head does with its running statistics, as data and as a sentence."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from adaface_ref.gate.guarding.errors import SubjectError
from adaface_ref.gate.reading.reading import Array
from adaface_ref.spec.losses import LOSSES

NORMS = (3.0, 3.75, 5.0, 6.5, 8.5)
"""A batch inside every clip that is likely, its mean far from its median."""

HIGH_NORMS = (70.0, 76.0, 80.0, 85.0, 92.0)
"""A batch that moves the statistics far."""

COSINES = (0.05, 0.15, 0.2, 0.3, 0.5)
"""A batch for CurricularFace, whose other classes are hard for these."""

HUGE, TINY = 1e4, 1e-6
"""Norms outside every clip that is likely."""

CLOSE = 1e-5
"""Relative difference that still counts as the same."""

BEFORE, AFTER, BATCH = "updated before use", "updated after use", "the batch's own used"


class Moving(NamedTuple):
    """One number that training moves.

    Args:
        slot: its name in the head.
        kind: what of the batch it follows, a key of NORM_KINDS or COSINE_KINDS, or "".
        weight: of the new batch.
        start: its value in a new head.
    """

    slot: str
    kind: str
    weight: float
    start: float


@dataclass(frozen=True)
class Policy:
    """What a head does with its statistics.

    Args:
        loss: adaface or curricularface.
        margin: the angular margin judged.
        moving: the numbers that follow the batch, the mean first.
        frozen: whether training moves none of them.
        column: whether the head wants norms as (B, 1).
        order: when they are brought up to date, or "" where it could not be told.
        moves_in_eval: whether they move in eval mode, too.
        attached: whether a gradient flows through the statistics.
        norm_attached: whether a gradient flows through each row's own norm.
        eps: added to the std.
        floor: the std is not taken to be less.
        statistics_clip: what norms are clipped to for the statistics.
        scaler_clip: what norms are clipped to for the margin scaler.
        concentration: h as measured.
        scaler_range: the lowest and highest margin scaler.
    """

    loss: str
    margin: float
    moving: tuple[Moving, ...]
    frozen: bool = False
    column: bool = False
    order: str = ""
    moves_in_eval: bool = False
    attached: bool = False
    norm_attached: bool = False
    eps: float = 1e-3
    floor: float = 0.0
    statistics_clip: tuple[float, float] = (1e-3, 100.0)
    scaler_clip: tuple[float, float] = (1e-3, 100.0)
    concentration: float = math.nan
    scaler_range: tuple[float, float] = (-1.0, 1.0)

    @property
    def follows_norms(self) -> bool:
        """Whether its numbers follow the norms of batches, or else their cosines."""
        return LOSSES[self.loss].statistics_of == "norms"

    @property
    def weight(self) -> float:
        """The weight of the new batch in the first of the moving numbers."""
        return self.moving[0].weight

    @property
    def slots(self) -> tuple[str, ...]:
        """The names of the moving numbers."""
        return tuple(moving.slot for moving in self.moving)

    @property
    def steerable(self) -> bool:
        """Whether a mean and a deviation are known, one by elimination, or t is."""
        kinds = [moving.kind for moving in self.moving]
        if not self.follows_norms:
            return bool(kinds and kinds[0])
        return len(kinds) == 2 and (kinds[0] == "mean" or kinds[1] in DEVIATIONS)

    def wanted(self, *levels: float) -> dict[str, float]:
        """What the moving numbers must be for a mean and a std, or for t."""
        values = dict(zip(self.slots, levels, strict=True))
        for moving in self.moving:
            if "variance" in moving.kind:
                values[moving.slot] **= 2
        return values

    def aimed(self, wanted: Mapping[str, float], rows: Array) -> dict[str, float]:
        """What they must be before a batch that moves them to what is wanted.

        Args:
            wanted: by name.
            rows: the batch's norms (B,), or its cosines (B, C), target first.

        Returns:
            Numbers by name.

        Raises:
            SubjectError: the batch alone decides them.
        """
        if self.order == AFTER:
            return dict(wanted)
        kinds_known = all(moving.kind for moving in self.moving)
        if self.order == BATCH or self.weight == 1 or not kinds_known:
            raise SubjectError(
                "the batch alone decides the head's statistics, in eval mode too, so "
                "they cannot be held still: give the new batch a weight below 1"
            )
        if self.follows_norms:
            rows = rows.clip(*self.statistics_clip)
        kinds = NORM_KINDS if self.follows_norms else cosine_kinds(self.margin)
        before = {}
        for slot, kind, weight, _ in self.moving:
            before[slot] = (wanted[slot] - weight * kinds[kind](rows)) / (1 - weight)
        return before

    def sentence(self) -> str:
        """For the identity line of the report."""
        if self.frozen:
            return "statistics: never updated"
        parts = [f"weight {self.weight:g} of the new batch"]
        if self.follows_norms:
            parts += [WORDS.get(m.kind, f"{m.slot} unknown") for m in self.moving[1:]]
            parts.append(f"eps {self.eps:g}" if self.eps else self._floor())
            parts.append(f"norms {_clip_words(self.scaler_clip)}")
            if self.statistics_clip != self.scaler_clip:
                parts[-1] += (
                    f" ({_clip_words(self.statistics_clip)} for the statistics)"
                )
        else:
            parts.append(WORDS.get(self.moving[0].kind, "of what is unknown"))
        parts += [self.order] * bool(self.order)
        parts += ["not detached"] * self.attached
        parts += ["moving in eval mode"] * self.moves_in_eval
        starts = " and ".join(f"{moving.start:g}" for moving in self.moving)
        return f"statistics: {', '.join(parts)}, starting at {starts}"

    def _floor(self) -> str:
        return f"std at least {self.floor:g}" if self.floor else "no eps"


def _clip_words(ends: tuple[float, float]) -> str:
    low, high = ends
    if low <= TINY and high >= HUGE:
        return "not clipped"
    return f"clipped to [{low if low > TINY else 0:g}, {min(high, math.inf):g}]"


WORDS = {
    "std": "unbiased std",
    "biased std": "biased std",
    "variance": "unbiased variance",
    "biased variance": "biased variance",
    "target cosines": "mean of the target cosines",
    "all cosines": "mean of all cosines",
    "other cosines": "mean of the other cosines",
    "margined cosines": "mean of the margined target cosines",
}
"""What a moving number follows, for a report."""

NORM_KINDS: dict[str, Callable[[Array], float]] = {
    "mean": lambda norms: float(norms.mean()),
    "std": lambda norms: float(norms.std(ddof=1)),
    "biased std": lambda norms: float(norms.std()),
    "variance": lambda norms: float(norms.var(ddof=1)),
    "biased variance": lambda norms: float(norms.var()),
    "median": lambda norms: float(np.median(norms)),
}
"""What a statistic may be of a batch's clipped norms."""

DEVIATIONS = tuple(kind for kind in NORM_KINDS if kind not in ("mean", "median"))
"""The kinds that measure a spread."""


def cosine_kinds(margin: float) -> Mapping[str, Callable[[Array], float]]:
    """What CurricularFace's t may be of a batch's cosines (B, C), target first."""
    return {
        "target cosines": lambda c: float(c[:, 0].mean()),
        "all cosines": lambda c: float(c.mean()),
        "other cosines": lambda c: float(c[:, 1:].mean()),
        "margined cosines": lambda c: float(
            np.cos(np.arccos(c[:, 0].clip(-1, 1)) + margin).mean()
        ),
    }


def same(first: float, second: float) -> bool:
    """Whether two measured values are one."""
    return math.isclose(first, second, rel_tol=CLOSE, abs_tol=1e-9)


def snapped(value: float) -> float:
    """A measured value as the short decimal that it is, to within what can be told."""
    if not math.isfinite(value):
        return value
    short = float(f"{value:.3g}")
    if math.isclose(value, short, rel_tol=CLOSE, abs_tol=1e-7):
        return short
    return float(f"{value:.6g}")

"""One head under judgement: its door, its points, its readings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from adaface_ref import numpy_reference as reference
from adaface_ref.evidence.truth.agreement import Allowance, Question
from adaface_ref.gate.guarding.errors import SubjectError
from adaface_ref.gate.head.door import Door, Opened
from adaface_ref.gate.head.subject import Subject
from adaface_ref.gate.reading.black_box import moved_within_reach, within_reach
from adaface_ref.gate.reading.reading import (
    Array,
    Batch,
    Evaluate,
    Evaluation,
    Reading,
    make_batch,
    read,
)
from adaface_ref.gate.statistics.held_statistics import Hold, with_columns
from adaface_ref.gate.statistics.policy import Policy
from adaface_ref.numpy_reference import parse_profile
from adaface_ref.points import block, corner_count, in_dtype, range_of
from adaface_ref.tolerance import EPSILON, allowed_of_cancelling

FAR = -0.25
"""The length of the cosines with classes that are there to be enough."""

CHUNK = 2**14
"""Rows a run of the head: a power of two, so that a mean over them is exact, and few
enough that torch does not start threads for them, which costs more than it saves."""

ROW_QUANTITIES = {"margin_scaler": "margin_scaler", "feature_norm": "norms"}
"""Parameters that belong to a row, and how a head is given them."""


@dataclass(frozen=True)
class Rows:
    """Points laid out for a head.

    Args:
        cosines: (B, C), target first.
        labels: (B,), under which class the head sees the target; others follow.
        columns: the quantities that the spec wants, (B,) each.
        given: what the head is given for each row besides cosines and labels.
        dtype: the cosines are values of it, and are given in it.
    """

    cosines: Array
    labels: NDArray[np.int64]
    columns: dict[str, Array]
    given: dict[str, Array]
    dtype: str

    def take(self, index: int) -> Rows:
        """One row alone."""
        return self.part(index, index + 1)

    def part(self, start: int, stop: int) -> Rows:
        """The rows from start up to stop."""
        return self._of(slice(start, stop))

    def where(self, chosen: NDArray[np.bool_]) -> Rows:
        """The rows that are chosen, (B,)."""
        return self._of(chosen)

    def _of(self, chosen: slice | NDArray[np.bool_]) -> Rows:
        return Rows(
            self.cosines[chosen],
            self.labels[chosen],
            {name: column[chosen] for name, column in self.columns.items()},
            {name: column[chosen] for name, column in self.given.items()},
            self.dtype,
        )


@dataclass(frozen=True)
class Session(Subject):
    """The head with what is known of it: how its statistics move, and its profile.

    Args:
        policy: what it does with its running statistics, where it has any.
        profile: the profile in which it is judged.
        narrower: the profile in a narrower dtype, where its clamps are other ones.
    """

    policy: Policy | None
    profile: str
    narrower: Mapping[str, str] = field(default_factory=dict)
    _heads: dict[tuple[int, str], Opened] = field(
        default_factory=dict, compare=False, repr=False
    )

    def judged_in(
        self, profile: str, narrower: Mapping[str, str] | None = None
    ) -> Session:
        """The same head in another profile, and in others in narrower dtypes."""
        return replace(self, profile=profile, narrower=narrower or {})

    def in_dtype(self, dtype: str) -> Session:
        """The same head in the profile that it has in a dtype."""
        return self.judged_in(self.narrower.get(dtype, self.profile), self.narrower)

    @cached_property
    def hold(self) -> Hold | None:
        """How its running statistics are held, where that can be done."""
        if self.policy is None or not self.policy.steerable:
            return None
        return Hold(self.policy, self.request.parameters)

    def held_lines(self, rows: Rows) -> list[str]:
        """Source text that holds them for one row, after `head` is made."""
        if self.hold is None:
            return []
        head = self.head(rows.cosines.shape[1], rows.dtype).head
        return self.hold.lines(head, rows.cosines, rows.given.get("norms"))

    def head(self, classes: int, dtype: str) -> Opened:
        """The head built for a number of classes and a dtype, once."""
        key = (classes, dtype)
        if key not in self._heads:
            opened = self.build(classes, dtype)
            self._heads[key] = self.hold.opened(opened) if self.hold else opened
        return self._heads[key]

    @property
    def column(self) -> bool:
        """Whether the head wants norms as (B, 1)."""
        return self.policy is not None and self.policy.column

    def unheld(
        self, classes: int, dtype: str, device: str, door: Door | None = None
    ) -> Opened:
        """The head as it is made, norms in the shape that it wants.

        Args:
            classes: how many.
            dtype: a key of DTYPES.
            device: a torch device.
            door: another than the session's.

        Returns:
            It, its statistics free to move.
        """
        opened = (door or self.door).open(classes, dtype, device)
        if not self.column:
            return opened

        def evaluate(batch: Batch) -> Evaluation:
            return opened.evaluate(with_columns(batch))

        return opened._replace(evaluate=evaluate)

    def batch(self, rows: Rows) -> tuple[Evaluate, Batch]:
        """The head that fits rows, and the rows as tensors."""
        batch = make_batch(
            rows.cosines, rows.labels, rows.given, rows.dtype, self.device
        )
        return self.head(rows.cosines.shape[1], rows.dtype).evaluate, batch

    def read(self, rows: Rows) -> Reading:
        """Run the head on rows."""
        return read(*self.batch(rows))

    def reached(self, rows: Rows) -> NDArray[np.bool_]:
        """Which rows the head can be given: all of them, but by a black box."""
        if self.door.black_box:
            return within_reach(rows.cosines, rows.dtype)
        return np.ones(len(rows.cosines), dtype=bool)

    def reachable(self, cosines: Array, dtype: str) -> Array:
        """The same cosines, the others' moved to where the head can be given them."""
        if self.door.black_box:
            return moved_within_reach(cosines, dtype)
        return cosines

    def question(self, quantity: str, dtype: str) -> Question:
        """What a value of the head is compared with, and by which tolerance."""
        allowance: Allowance = "embedded" if self.door.black_box else "theirs"
        return Question(quantity, self.loss, self.profile, dtype, allowance)

    def beyond(
        self,
        quantity: str,
        rows: Rows,
        dtype: str,
        place: int = 0,
        *,
        own_loss: bool = False,
    ) -> Array:
        """What a value may be off besides, by the way in which the head is read, (B,).

        Args:
            quantity: what is compared.
            rows: the points.
            dtype: the working dtype.
            place: of which class, counted from the target.
            own_loss: whether a GST comes from a loss of the head's own.

        Returns:
            0 but for a GST that is read as a black box, or from the head's own loss.
        """
        if not quantity.endswith("gst"):
            return np.zeros(len(rows.cosines))
        off = self._of_logsumexp(quantity, rows, dtype, place) * own_loss
        if not self.door.black_box:
            return off
        cosines = rows.cosines.clip(-1, 1)
        columns = rows.columns
        moment = np.abs(cosines[:, 0] * self.predict("gst", columns))
        for other in cosines[:, 1:].T:
            at_other = {**columns, "other_cosine": other}
            moment += np.abs(other * self.predict("other_gst", at_other))
        if self.definition.norm_has_gradient:  # whose length has a gradient of its own
            along = self.predict("norm_gradient", columns)
            moment += np.abs(columns["feature_norm"] * along)
        moment = np.nan_to_num(moment)
        return off + allowed_of_cancelling(dtype, cosines[:, place], moment)

    def _of_logsumexp(self, quantity: str, rows: Rows, dtype: str, place: int) -> Array:
        """What P or P_j is off where it is exp(f - logsumexp), times s dF/dc: (B,).

        A logsumexp as large as the logits is off by a rounding of its size.
        """
        columns = rows.columns
        if place:
            columns = {**columns, "other_cosine": rows.cosines[:, place].clip(-1, 1)}
            share = self.predict("other_gst", columns)
        else:
            share = self.predict("probability", columns) * columns["scale"]
            share = share * self.predict("slope", columns)
        rival = columns["scale"] * np.abs(columns["rival_cosine"])
        size = np.maximum(np.abs(self.predict("logit", columns)), rival)
        return np.asarray(EPSILON[dtype] * size * np.abs(np.nan_to_num(share)))

    def draw(
        self,
        dtype: str,
        size: int,
        index: int,
        classes: int = 2,
        stratum: tuple[int, int] | None = None,
    ) -> Rows:
        """Points of the spec's own block, as rows for a head.

        Args:
            dtype: the cosines are values of it.
            size: how many rows; more than the corners are.
            index: which block; the seed and it decide every number.
            classes: how many classes; the target's row has one rival with two.
            stratum: which of how many draws that share [-1, 1] out among half of their
                rows, so that every band of target cosines holds a point.

        Returns:
            The rows.
        """
        seed = int(np.random.SeedSequence([self.seed, index]).generate_state(1)[0])
        corners = corner_count(self.loss, self.profile, dtype)
        drawn = block(
            self.loss,
            seed,
            profile=self.profile,
            size=size - corners,
            dtype=dtype,
            box=dict(self.fixed),
        )
        if stratum is not None:
            _stratify(drawn, corners, stratum, seed, dtype)
        rival = drawn["rival_cosine"]
        nearest = np.where(np.abs(rival) <= 1, rival, drawn["other_cosine"])
        cosines = [drawn["target_cosine"], in_dtype(nearest, dtype)]
        # Further classes: the block's other cosines, moved along by some rows, and away
        # from the poles: a row with a class there is not judged.
        inner = (np.arange(size) % 97 + 1) / 98
        other = drawn["other_cosine"]
        other = in_dtype(np.where(np.abs(other) < 1, other, other * inner), dtype)
        for place in range(classes - 2):
            cosines.append(np.roll(other, 7 * place + 1))
        extra = {k: drawn[k] for k in ROW_QUANTITIES if k in drawn}
        chosen = self.reachable(np.stack(cosines, axis=1), dtype)
        return self.rows(chosen, extra, dtype)

    def rows(self, cosines: Array, extra: Mapping[str, Array], dtype: str) -> Rows:
        """Rows from cosines (B, C) and row quantities, with their rival cosine.

        A head that needs more classes is given further ones, far from every row.
        """
        lacking = self.door.form.classes - cosines.shape[1]
        if lacking > 0:
            far = FAR / np.sqrt(lacking) * np.ones((len(cosines), lacking))
            cosines = np.concatenate([cosines, in_dtype(far, dtype)], axis=1)
            cosines = self.reachable(cosines, dtype)
        size, classes = cosines.shape
        columns = {k: np.full(size, v) for k, v in self.fixed.items()}
        columns |= {k: in_dtype(v, dtype) for k, v in extra.items()}
        given = self._given(columns, size, dtype)
        inside = cosines.clip(-1, 1)
        columns["target_cosine"] = inside[:, 0]
        columns["other_cosine"] = inside[:, 1]
        columns["rival_cosine"] = self.rival(columns, inside[:, 1:])
        labels = np.arange(size) % classes
        return Rows(cosines, labels, columns, given, dtype)

    def rival(
        self, columns: Mapping[str, Array], others: Array, profile: str | None = None
    ) -> Array:
        """The one cosine that stands for others (B, C - 1), as a profile has them."""
        chosen = self.profile if profile is None else profile
        if others.shape[1] == 1 and not self.definition.modifies_others:
            eps = parse_profile(chosen).clamp_of_others
            return np.asarray(others[:, 0].clip(eps - 1, 1 - eps))
        count = others.shape[1]
        wide = {name: np.repeat(column, count) for name, column in columns.items()}
        wide["other_cosine"] = others.ravel()
        levels = self.predict("other_logit", wide, chosen) / wide["scale"]
        return np.asarray(
            reference.rival_cosine(levels.reshape(others.shape), columns["scale"])
        )

    def _given(
        self, columns: dict[str, Array], size: int, dtype: str
    ) -> dict[str, Array]:
        """What the head gets for each row; may steer `columns` to what it can reach."""
        takes, own = self.door.takes, self.definition.row_quantity_name
        if own == "feature_norm" and "norms" in takes:
            return {"norms": columns["feature_norm"]}
        if own != "margin_scaler":
            return {"norms": np.ones(size)} if "norms" in takes else {}
        if "margin_scaler" in takes:
            return {"margin_scaler": columns["margin_scaler"]}
        if "norms" not in takes:
            raise SubjectError(
                "the head takes neither margin_scaler nor norms to steer it by"
            )
        if self.hold is None:
            raise SubjectError(
                "the head names no argument margin_scaler and keeps no two numbers "
                "that follow the mean and the std of norms, so its margin scaler "
                "cannot be steered"
            )
        norms = in_dtype(self.hold.steer(columns["margin_scaler"]), dtype)
        columns["margin_scaler"] = self.hold.scaler(norms)
        return {"norms": norms}

    def predict(
        self,
        quantity: str,
        columns: Mapping[str, Array],
        profile: str | None = None,
    ) -> Array:
        """The float64 reference's value of a quantity on columns."""
        return super().predict(quantity, columns, profile or self.profile)


def _stratify(
    drawn: dict[str, Array],
    corners: int,
    stratum: tuple[int, int],
    seed: int,
    dtype: str,
) -> None:
    """Moves pairs of rows, with their rival, to strata of target cosines."""
    number, count = stratum
    target = drawn["target_cosine"]
    place = np.arange(corners, target.size)
    place = place[place // 2 % 2 == 0]
    share = np.random.default_rng([seed, 1]).random(place.size)
    moved = -1 + 2 * (number + count * np.arange(place.size) + share) / (
        count * place.size
    )
    moved = in_dtype(moved, dtype)
    rival = drawn["rival_cosine"]
    rival[place] = (rival[place] + moved - target[place]).clip(
        -1, range_of("rival_cosine")[1]
    )
    target[place] = moved

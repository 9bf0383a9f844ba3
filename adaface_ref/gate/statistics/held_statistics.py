"""Holds a head's running statistics still, by the policy that it was found to have.

AdaFace's are set to a mean and a deviation between which norms reach every margin
scaler, CurricularFace's to the judged t; the head is put in eval mode. A head that
moves them in eval mode, too, has them set so that each batch moves them there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

from adaface_ref import numpy_reference as reference
from adaface_ref.gate.head.door import Opened
from adaface_ref.gate.reading.reading import Array, Batch, Evaluation
from adaface_ref.gate.statistics.kept_numbers import put, put_line
from adaface_ref.gate.statistics.policy import Policy

MEAN = 50.0
DEVIATION = 10.0
NORMS = (1.0, 99.0)
"""The norms that are given, clear of the official clip to [1e-3, 100]."""


@dataclass(frozen=True)
class Hold:
    """How statistics are held.

    Args:
        policy: the head's.
        parameters: the judged values.
    """

    policy: Policy
    parameters: Mapping[str, float]

    @property
    def norms(self) -> tuple[float, float]:
        """The norms that may be given: those that the head does not clip."""
        low, high = self.policy.scaler_clip
        return max(NORMS[0], low), min(NORMS[1], high)

    @property
    def mean(self) -> float:
        """The running mean, in the middle of the norms where they are few."""
        low, high = self.norms
        return MEAN if (low, high) == NORMS else (low + high) / 2

    @property
    def deviation(self) -> float:
        """The running deviation, small enough that norms reach every scaler."""
        reach = 0.9 * min(self.mean - self.norms[0], self.norms[1] - self.mean)
        return min(DEVIATION, reach * self.parameters["concentration"])

    @property
    def numbers(self) -> dict[str, float]:
        """What the head's numbers are held at, by name."""
        if not self.policy.follows_norms:
            return self.policy.wanted(self.parameters["curriculum"])
        return self.policy.wanted(self.mean, self.deviation)

    def unclipped(self, norms: Array) -> Array:
        """h z of norms (B,)."""
        spread = max(self.deviation + self.policy.eps, self.policy.floor)
        h = self.parameters["concentration"]
        return np.asarray(h * (norms.clip(*self.norms) - self.mean) / spread)

    def scaler(self, norms: Array) -> Array:
        """The margin scalers (B,) that norms (B,) give."""
        h = self.parameters["concentration"]
        return reference.margin_scaler(self.unclipped(norms) / h, h)

    def steer(self, margin_scaler: Array) -> Array:
        """The norms (B,) that give wanted margin scalers (B,), as far as they go.

        For every other scaler at an end, one well past it.
        """
        spread = max(self.deviation + self.policy.eps, self.policy.floor)
        reach = 1 + 0.5 * (np.arange(margin_scaler.size) % 2)
        steered = margin_scaler * np.where(np.abs(margin_scaler) >= 1, reach, 1.0)
        wanted = self.mean + steered * spread / self.parameters["concentration"]
        return np.asarray(wanted.clip(*self.norms))

    def opened(self, opened: Opened) -> Opened:
        """A head that is read with its statistics held."""
        if isinstance(opened.head, torch.nn.Module):
            opened.head.eval()

        def evaluate(batch: Batch) -> Evaluation:
            for name, value in self._numbers_for(batch).items():
                put(opened.head, name, value)
            if self.policy.moves_in_eval and len(batch.labels) == 1:
                return self._first_of_two(opened, batch)
            return opened.evaluate(self._shaped(batch))

        return opened._replace(evaluate=evaluate)

    def lines(self, head: object, cosines: Array, norms: Array | None) -> list[str]:
        """The same for one row, as source text after the head is made.

        Args:
            head: the head.
            cosines: (1, C), target first.
            norms: (1,), where it is given any.

        Returns:
            Lines; they may change `cosine`, `labels` and `norms`.
        """
        numbers = self.numbers
        lines = ["head.eval()"]
        if self.policy.moves_in_eval:
            numbers = self.policy.aimed(numbers, cosines if norms is None else norms)
            lines.append("# two equal rows: these statistics need more than one")
            lines.append("cosine, labels = cosine.repeat(2, 1), labels.repeat(2)")
            lines += ["norms = norms.repeat(2)"] * (norms is not None)
        lines += [put_line(head, name, value) for name, value in numbers.items()]
        return lines + ["norms = norms[:, None]"] * self.policy.column

    def _numbers_for(self, batch: Batch) -> dict[str, float]:
        if not self.policy.moves_in_eval:
            return self.numbers
        if self.policy.follows_norms:
            return self.policy.aimed(self.numbers, _array(batch.rows["norms"]))
        labels = batch.labels.cpu().numpy()
        cosines = _array(batch.cosine)
        places = (labels[:, None] + np.arange(cosines.shape[1])) % cosines.shape[1]
        rows = np.take_along_axis(cosines, places, axis=1)
        return self.policy.aimed(self.numbers, rows)

    def _first_of_two(self, opened: Opened, batch: Batch) -> Evaluation:
        rows = {name: row.repeat(2) for name, row in batch.rows.items()}
        twice = Batch(batch.cosine.repeat(2, 1), batch.labels.repeat(2), rows)
        found = opened.evaluate(self._shaped(twice))
        return replace(found, logits=found.shown[:1])

    def _shaped(self, batch: Batch) -> Batch:
        return with_columns(batch) if self.policy.column else batch


def with_columns(batch: Batch) -> Batch:
    """The batch with its norms, if it has any, as (B, 1)."""
    if "norms" not in batch.rows:
        return batch
    rows = {**batch.rows, "norms": batch.rows["norms"][:, None]}
    return Batch(batch.cosine, batch.labels, rows)


def _array(tensor: torch.Tensor) -> Array:
    return np.asarray(tensor.detach().to("cpu", torch.float64).numpy())

"""What a comparison of values has come to so far."""

from __future__ import annotations

from dataclasses import dataclass

from adaface_ref.evidence.truth.agreement import Judgement


@dataclass
class Tally:
    """Counts of a value check, block after block.

    Args:
        asked: values that the subject gave.
        compared: of these, values that were judged.
        undecided: values that the oracle could not decide.
        ratio: the largest error as a share of the allowed one.
    """

    asked: int = 0
    compared: int = 0
    undecided: int = 0
    ratio: float = 0.0

    @property
    def suffices(self) -> bool:
        """Whether at least half of what was asked was compared."""
        return 0 < self.asked <= 2 * self.compared

    def count(self, judged: Judgement) -> None:
        """Take in what was judged of a block."""
        self.compared += judged.compared
        self.undecided += judged.undecided
        self.ratio = max(self.ratio, judged.ratio)

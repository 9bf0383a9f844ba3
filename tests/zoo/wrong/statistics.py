"""Planted heads whose running statistics are wrong, each with one fault."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from zoo.official_shapes import RepairedAdaFace, RepairedCurricularFace


class _AdaFace(RepairedAdaFace):
    """Exact; its parts are there to be replaced."""

    weight_of_new, added, ends, biased = 0.01, 1e-3, (1e-3, 100.0), False

    def __init__(self, embedding_size: int, classnum: int) -> None:
        super().__init__(embedding_size, classnum)

    def clipped(self, norms: Tensor) -> Tensor:
        """The norms, out of the graph."""
        return norms.detach().clip(*self.ends)

    def moments(self, norms: Tensor) -> tuple[Tensor, Tensor]:
        """The batch's mean and std."""
        return norms.mean(), norms.std(correction=int(not self.biased))

    def update(self, safe_norms: Tensor) -> None:
        """Moves the statistics in training, by two good norms or more."""
        good = safe_norms[~safe_norms.isnan()]
        if self.training and len(good) > 1:
            self.move(*self.moments(good))

    def move(self, mean: Tensor, std: Tensor) -> None:
        """The average of old and new."""
        new = self.weight_of_new
        self.batch_mean = new * mean + (1 - new) * self.batch_mean
        self.batch_std = new * std + (1 - new) * self.batch_std

    def scaler(self, safe_norms: Tensor) -> Tensor:
        """The margin scaler."""
        z = (safe_norms - self.batch_mean) / (self.batch_std + self.added)
        return (self.h * z).clip(-1, 1)

    def scaler_in_time(self, norms: Tensor) -> Tensor:
        """Statistics first, margin scaler then."""
        safe_norms = self.clipped(norms)
        self.update(safe_norms)
        return self.scaler(safe_norms)

    def shaped(self, norms: Tensor) -> Tensor:
        """The norms as a column."""
        return norms.reshape(-1, 1)

    def forward(self, embeddings: Tensor, norms: Tensor, label: Tensor) -> Tensor:
        """Unit embeddings, norms and labels to logits."""
        kernel = self.kernel / self.kernel.norm(2, 0, True)
        cosine = torch.mm(embeddings, kernel).clamp(-1 + 1e-3, 1 - 1e-3)
        scaler = self.scaler_in_time(self.shaped(norms))
        hot = torch.zeros_like(cosine).scatter_(1, label.reshape(-1, 1), 1.0)
        theta_m = cosine.acos() + hot * (-self.m * scaler)
        margined = theta_m.clip(min=1e-3, max=math.pi - 1e-3).cos()
        return (margined - hot * (self.m + self.m * scaler)) * self.s


class BiasedStd(_AdaFace):
    """Divided by B."""

    biased = True


class SwappedWeights(_AdaFace):
    """0.99 on the new batch."""

    weight_of_new = 0.99


class UpdatedAfterUse(_AdaFace):
    """A batch is judged by those before it."""

    def scaler_in_time(self, norms: Tensor) -> Tensor:
        """The wrong way round."""
        safe_norms = self.clipped(norms)
        scaler = self.scaler(safe_norms)
        self.update(safe_norms)
        return scaler


class NoEps(_AdaFace):
    """0 / 0 for constant norms."""

    added = 0.0


class WideEps(_AdaFace):
    """eps 0.1."""

    added = 0.1


class EpsAsFloor(_AdaFace):
    """max(std, eps) for std + eps."""

    def scaler(self, safe_norms: Tensor) -> Tensor:
        """The margin scaler."""
        z = (safe_norms - self.batch_mean) / self.batch_std.clamp(min=1e-3)
        return (self.h * z).clip(-1, 1)


class NormsNotClipped(_AdaFace):
    """One outlier moves the statistics far."""

    ends = (0.0, math.inf)


class NormsClippedAtTen(_AdaFace):
    """Clipped to [0.001, 10]."""

    ends = (1e-3, 10.0)


class ScalerNotClipped(_AdaFace):
    """h z as it comes."""

    def scaler(self, safe_norms: Tensor) -> Tensor:
        """The margin scaler."""
        return self.h * (safe_norms - self.batch_mean) / (self.batch_std + 1e-3)


class ClippedBeforeH(_AdaFace):
    """h clip(z)."""

    def scaler(self, safe_norms: Tensor) -> Tensor:
        """The margin scaler."""
        z = (safe_norms - self.batch_mean) / (self.batch_std + 1e-3)
        return self.h * z.clip(-1, 1)


class WithoutH(_AdaFace):
    """clip(z)."""

    def __init__(self, embedding_size: int, classnum: int) -> None:
        super().__init__(embedding_size, classnum)
        self.h = 1.0


class StatisticsAttached(_AdaFace):
    """A gradient flows through mean and std, the norms themselves are held constant."""

    def scaler_in_time(self, norms: Tensor) -> Tensor:
        """Statistics from norms in the graph; they are cut off after the step."""
        kept = self.batch_mean.detach(), self.batch_std.detach()
        self.batch_mean, self.batch_std = kept
        self.update(norms.clip(*self.ends))
        return self.scaler(self.clipped(norms))


class NormAttached(_AdaFace):
    """A gradient flows through each row's own norm."""

    def scaler_in_time(self, norms: Tensor) -> Tensor:
        """The margin scaler of norms in the graph."""
        self.update(self.clipped(norms))
        return self.scaler(norms.clip(*self.ends))


class BatchOfOne(_AdaFace):
    """Its std is NaN for ever after."""

    def update(self, safe_norms: Tensor) -> None:
        """By any number of good norms."""
        good = safe_norms[~safe_norms.isnan()]
        if self.training and len(good):
            self.move(*self.moments(good))


class FirstRowsAlone(_AdaFace):
    """The rows of a batch past the sixty-fourth are left out."""

    def update(self, safe_norms: Tensor) -> None:
        """By the first rows."""
        super().update(safe_norms[:64])


class NeverRecovers(_AdaFace):
    """One NaN norm is enough."""

    def update(self, safe_norms: Tensor) -> None:
        """By two norms or more, good or bad."""
        if self.training and len(safe_norms) > 1:
            self.move(*self.moments(safe_norms))


class MovesInEval(_AdaFace):
    """Evaluation changes what training left."""

    def update(self, safe_norms: Tensor) -> None:
        """By two good norms or more, in any mode."""
        good = safe_norms[~safe_norms.isnan()]
        if len(good) > 1:
            self.move(*self.moments(good))


class NeverUpdated(_AdaFace):
    """The start values for ever."""

    def update(self, safe_norms: Tensor) -> None:
        """Nothing."""


class RunningVariance(_AdaFace):
    """The variance is averaged, its root taken."""

    def moments(self, norms: Tensor) -> tuple[Tensor, Tensor]:
        """The batch's mean and variance."""
        return norms.mean(), norms.var()

    def scaler(self, safe_norms: Tensor) -> Tensor:
        """The margin scaler."""
        z = (safe_norms - self.batch_mean) / (self.batch_std.sqrt() + 1e-3)
        return (self.h * z).clip(-1, 1)


class MedianForMean(_AdaFace):
    """The median is averaged."""

    def moments(self, norms: Tensor) -> tuple[Tensor, Tensor]:
        """The batch's median and std."""
        return norms.median(), norms.std()


class BatchStatistics(_AdaFace):
    """The running statistics are kept, and not used."""

    def scaler_in_time(self, norms: Tensor) -> Tensor:
        """By the batch's own in training."""
        safe_norms = self.clipped(norms)
        self.update(safe_norms)
        if not self.training or len(norms) < 2:
            return self.scaler(safe_norms)
        z = (safe_norms - safe_norms.mean()) / (safe_norms.std() + 1e-3)
        return (self.h * z).clip(-1, 1)


class NotSaved(_AdaFace):
    """The statistics are left out of the state_dict."""

    def __init__(self, embedding_size: int, classnum: int) -> None:
        super().__init__(embedding_size, classnum)
        self.register_buffer("batch_mean", torch.ones(1) * 20, persistent=False)
        self.register_buffer("batch_std", torch.ones(1) * 100, persistent=False)


class FlatNorms(_AdaFace):
    """Norms (B,) broadcast over the classes where B = C."""

    def shaped(self, norms: Tensor) -> Tensor:
        """As they come."""
        return norms


class CurriculumNeverUpdated(RepairedCurricularFace):
    """t stays 0."""

    def update(self, target: Tensor, cosine: Tensor) -> None:
        """Nothing."""


class CurriculumOfAllCosines(RepairedCurricularFace):
    """t follows every class."""

    def followed(self, target: Tensor, cosine: Tensor) -> Tensor:
        """The mean of all cosines."""
        return cosine.mean()


class CurriculumSwapped(RepairedCurricularFace):
    """0.99 on the new batch."""

    def update(self, target: Tensor, cosine: Tensor) -> None:
        """The weights swapped."""
        if self.training and not target.isnan().any():
            self.t = 0.99 * target.mean() + 0.01 * self.t


class CurriculumNotSaved(RepairedCurricularFace):
    """t is a plain tensor."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features)
        del self.t
        self.t = torch.zeros(1)


class WrongStatistics(NamedTuple):
    """One planted head.

    Args:
        check: the check that must catch it.
        words: words of its likely cause.
        loss: the loss it claims to be.
        status: what the check then says.
    """

    check: str
    words: str
    loss: str = "adaface"
    status: str = "failed"


POLICY, HISTORY, SHAPE = "statistics-policy", "running-statistics", "norms-shape"

WRONG_STATISTICS = {
    "BiasedStd": WrongStatistics(POLICY, "biased std"),
    "SwappedWeights": WrongStatistics(POLICY, "EMA weights swapped"),
    "UpdatedAfterUse": WrongStatistics(POLICY, "updated after use"),
    "NoEps": WrongStatistics(POLICY, "no eps for constant norms"),
    "WideEps": WrongStatistics(POLICY, "eps is 0.1"),
    "EpsAsFloor": WrongStatistics(POLICY, "eps bounds the std"),
    "NormsNotClipped": WrongStatistics(POLICY, "norms are not clipped"),
    "NormsClippedAtTen": WrongStatistics(POLICY, "to [0.001, 10]"),
    "ScalerNotClipped": WrongStatistics(POLICY, "h z is not clipped"),
    "ClippedBeforeH": WrongStatistics(POLICY, "clip before h"),
    "WithoutH": WrongStatistics(POLICY, "z without h"),
    "StatisticsAttached": WrongStatistics(POLICY, "statistics not detached"),
    "NormAttached": WrongStatistics(POLICY, "norm not detached"),
    "MovesInEval": WrongStatistics(POLICY, "move in eval mode"),
    "NeverUpdated": WrongStatistics(POLICY, "never updates"),
    "RunningVariance": WrongStatistics(POLICY, "running variance"),
    "MedianForMean": WrongStatistics(POLICY, "follows neither"),
    "BatchStatistics": WrongStatistics(POLICY, "batch's own"),
    "BatchOfOne": WrongStatistics(HISTORY, "no unbiased std"),
    "FirstRowsAlone": WrongStatistics(HISTORY, "do not follow all rows"),
    "NeverRecovers": WrongStatistics(HISTORY, "stays for ever", status="warning"),
    "NotSaved": WrongStatistics(HISTORY, "not in the state_dict"),
    "FlatNorms": WrongStatistics(SHAPE, "another row's margin"),
    "CurriculumNeverUpdated": WrongStatistics(
        POLICY, "never updates", "curricularface"
    ),
    "CurriculumOfAllCosines": WrongStatistics(POLICY, "all classes", "curricularface"),
    "CurriculumSwapped": WrongStatistics(POLICY, "swapped", "curricularface"),
    "CurriculumNotSaved": WrongStatistics(HISTORY, "state_dict", "curricularface"),
}
"""Every planted head."""

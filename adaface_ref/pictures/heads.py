"""A loss with its profile and its parameters, and what a picture can show of it.

Every value is the NumPy reference's. There are two classes: the target's own, and one
rival at the cosine j. What the rival is worth in the softmax is its logit / scale: j
itself, but for CurricularFace, which makes a hard rival j (t + j), and for a clamp.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adaface_ref import numpy_reference as reference
from adaface_ref.errors import DomainError, domain_error
from adaface_ref.numpy_reference import parse_profile
from adaface_ref.spec.losses import LOSSES

Floats = NDArray[np.float64]

WHERE = "plot"

LARGEST_SCALE = 1e6
"""Beyond it a curve is a step, and its |g| leaves the range of a picture's numbers."""


@dataclass(frozen=True)
class Head:
    """One loss under one profile with all of its parameters.

    Args:
        loss: a loss id.
        profile: a profile string.
        parameters: every parameter of the loss by name.
        title: what a picture calls it, without the profile.
        given_back: what is taken from the rival, so that an additive margin that the
            loss brings along counts for nothing.
    """

    loss: str
    profile: str
    parameters: Mapping[str, Any]
    title: str
    given_back: float = 0.0

    @property
    def scale(self) -> float:
        """The scale s."""
        return float(self.parameters["scale"])

    def rival(self, target: ArrayLike, rival: ArrayLike) -> Floats:
        """The rival cosine n of one other class at cosine j.

        Args:
            target: target cosines.
            rival: j; one outside [-1, 1] stands for many classes and is n already.

        Returns:
            n, broadcast over both.
        """
        c, j = np.broadcast_arrays(np.asarray(target, float), np.asarray(rival, float))
        if (np.abs(j) > 1).any():
            if LOSSES[self.loss].modifies_others:
                must = f"in [-1, 1] for {self.loss}"
                raise domain_error("rival_cosine", float(j.flat[0]), must, WHERE)
            return j - self.given_back
        given: dict[str, Any] = {**self.parameters, "profile": self.profile}
        worth = reference.other_logit(self.loss, j, c, **given) / self.scale
        return np.asarray(worth - self.given_back)

    def excess(self, target: ArrayLike, rival: ArrayLike) -> Floats:
        """F - n, the margined target less the rival: 0 where P is 1/2."""
        c = np.asarray(target, float)
        given: dict[str, Any] = {**self.parameters, "profile": self.profile}
        margined = reference.logit(self.loss, c, **given) / self.scale
        return np.asarray(margined - self.rival(c, rival))

    def measure(self, quantity: str, target: ArrayLike, rival: ArrayLike) -> Floats:
        """A quantity of MEASURES at target cosines, against a rival at j."""
        return MEASURES[quantity].of(self, np.asarray(target, float), rival)


def _gst(head: Head, target: Floats, rival: ArrayLike) -> Floats:
    given: dict[str, Any] = {**head.parameters, "profile": head.profile}
    return reference.gst(head.loss, target, head.rival(target, rival), **given)


def _probability(head: Head, target: Floats, rival: ArrayLike) -> Floats:
    given: dict[str, Any] = {**head.parameters, "profile": head.profile}
    return reference.probability(head.loss, target, head.rival(target, rival), **given)


def _slope(head: Head, target: Floats, _rival: ArrayLike) -> Floats:
    given: dict[str, Any] = {**head.parameters, "profile": head.profile}
    return reference.slope(head.loss, target, **given)


def _weight_gradient(head: Head, target: Floats, rival: ArrayLike) -> Floats:
    sine = np.sqrt((1 - target) * (1 + target))
    return np.asarray(np.abs(_gst(head, target, rival)) * sine)


class Measure(NamedTuple):
    """A quantity that can be drawn: its printed name, and where it comes from."""

    printed: str
    of: Callable[[Head, Floats, ArrayLike], Floats]


MEASURES: dict[str, Measure] = {
    "abs-gst": Measure("|g|", lambda h, c, j: np.abs(_gst(h, c, j))),
    "gst": Measure("g", _gst),
    "probability": Measure("P", _probability),
    "slope": Measure("D", _slope),
    "abs-gst-sin": Measure("|g| sin θ", _weight_gradient),
}
"""The quantities of a picture by their name on the command line."""


SHOWN = {
    "margin": "m",
    "margin_scaler": "ẑ",
    "curriculum": "t",
    "feature_norm": "‖x‖",
    "multiplier": "q",
    "angular_offset": "m2",
    "additive_offset": "m3",
}
"""The parameters that a title shows, as the papers print them."""


def head_of(loss: str, profile: str, given: Mapping[str, float]) -> Head:
    """A head of a user's values, the others at what is recommended.

    Args:
        loss: a loss id.
        profile: a profile string.
        given: parameters by name; those that the loss does not take are left out.

    Raises:
        DomainError: in one line, for a loss, a profile or a value that is not defined.
    """
    if loss not in LOSSES:
        raise domain_error("loss", loss, f"one of {', '.join(LOSSES)}", WHERE)
    usual = {"margin_scaler": 0.0, **reference.RECOMMENDED[loss]}
    names = reference.PARAMETERS[loss]
    parameters = {name: given.get(name, usual.get(name, 0.0)) for name in names}
    if parameters["scale"] > LARGEST_SCALE:
        must = f"in (0, {LARGEST_SCALE:g}]"
        raise domain_error("scale", parameters["scale"], must, WHERE)
    canonical = str(parse_profile(profile, WHERE))
    try:
        reference.slope(loss, 0.0, **{**parameters, "profile": canonical})
    except DomainError as error:
        raise DomainError(str(error).replace("[slope]", f"[{WHERE}]")) from None
    return Head(loss, canonical, parameters, title_of(loss, parameters))


def title_of(loss: str, parameters: Mapping[str, float]) -> str:
    """A head's name in print, such as `AdaFace m = 0.4, ẑ = -1`."""
    shown = [
        f"{SHOWN[name]} = {value:g}"
        for name, value in parameters.items()
        if name in SHOWN
    ]
    return " ".join([LOSSES[loss].title, ", ".join(shown)]).strip().replace("-", "−")

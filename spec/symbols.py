"""The vocabulary: every quantity with its symbol, unit, domain and recommended value.

Expressions of this package are written in the angle; the cosine is its cosine. The
recommended value of a margin depends on the loss and stands in the table of losses.
"""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr, Integer, Interval, Rational, S, Symbol, exp, log, oo, pi
from sympy.core.function import Function

__all__ = ["QUANTITIES", "Quantity", "log_logistic", "logistic"]

REALS = Interval.open(-oo, oo)
POSITIVE = Interval.open(0, oo)
COSINES = Interval(-1, 1)


@dataclass(frozen=True)
class Quantity:
    """One quantity of the field.

    Args:
        symbol: its SymPy symbol; the symbol's name is the quantity's name.
        printed: how papers print it.
        meaning: one phrase.
        unit: "1" for a pure number, "rad", "cosine", "logit" or "norm".
        domain: where it may lie.
        recommended: the value to use when none is given, if there is one.
        occurs: the part of the domain where points are drawn; all of it if None.
    """

    symbol: Symbol
    printed: str
    meaning: str
    unit: str
    domain: Interval
    recommended: Expr | None = None
    occurs: tuple[float, float] | None = None

    @property
    def name(self) -> str:
        """The name used in every interface."""
        return str(self.symbol.name)


QUANTITIES: dict[str, Quantity] = {}


def _quantity(
    name: str,
    printed: str,
    meaning: str,
    unit: str,
    domain: Interval,
    recommended: Expr | None = None,
    occurs: tuple[float, float] | None = None,
) -> Symbol:
    symbol = Symbol(name, real=True)
    QUANTITIES[name] = Quantity(
        symbol, printed, meaning, unit, domain, recommended, occurs
    )
    return symbol


MARGINS = Interval.Ropen(0, pi / 2)

# What a user gives.
scale = _quantity(
    "scale",
    "s",
    "multiplies every logit",
    "1",
    POSITIVE,
    Integer(64),
    occurs=(0.5, 512.0),
)
margin = _quantity(
    "margin",
    "m",
    "base margin",
    "rad or cosine",
    MARGINS,
    occurs=(0.0, 1.57),
)
concentration = _quantity(
    "concentration",
    "h",
    "spread of the margin scaler",
    "1",
    POSITIVE,
    Rational(333, 1000),
    occurs=(0.05, 2.0),
)
standard_norm = _quantity(
    "standard_norm",
    "z",
    "(feature norm - mean) / standard deviation",
    "1",
    REALS,
    occurs=(-6.0, 6.0),
)
margin_scaler = _quantity(
    "margin_scaler",
    "z-hat",
    "clip(h z, -1, 1), held constant",
    "1",
    Interval(-1, 1),
)
target_cosine = _quantity(
    "target_cosine",
    "c = cos theta_y",
    "cosine between the embedding and its own class",
    "cosine",
    COSINES,
)
angle = _quantity("angle", "theta", "acos of the target cosine", "rad", Interval(0, pi))
rival_cosine = _quantity(
    "rival_cosine",
    "n",
    "(1/s) ln of the sum of exp(s G_j) over all other classes",
    "cosine",
    REALS,
    occurs=(-1.0, 1.2),
)
other_cosine = _quantity(
    "other_cosine",
    "c_j",
    "cosine to one other class",
    "cosine",
    COSINES,
)
feature_norm = _quantity(
    "feature_norm",
    "|x|",
    "norm of the embedding",
    "norm",
    POSITIVE,
    Integer(60),
    occurs=(1.0, 150.0),
)
norm_lower = _quantity(
    "norm_lower",
    "l_a",
    "lower end of MagFace's norms",
    "norm",
    POSITIVE,
    Integer(10),
    occurs=(1.0, 20.0),
)
norm_upper = _quantity(
    "norm_upper",
    "u_a",
    "upper end of MagFace's norms",
    "norm",
    POSITIVE,
    Integer(110),
    occurs=(21.0, 200.0),
)
margin_lower = _quantity(
    "margin_lower",
    "l_m",
    "margin at the lower norm",
    "rad",
    MARGINS,
    Rational(45, 100),
    occurs=(0.0, 0.5),
)
margin_upper = _quantity(
    "margin_upper",
    "u_m",
    "margin at the upper norm",
    "rad",
    MARGINS,
    Rational(8, 10),
    occurs=(0.5, 1.2),
)
regulariser_weight = _quantity(
    "regulariser_weight",
    "lambda_g",
    "weight of MagFace's norm regulariser",
    "1",
    Interval(0, oo),
    Integer(35),
    occurs=(0.0, 100.0),
)
curriculum = _quantity(
    "curriculum",
    "t",
    "CurricularFace's running mean of target cosines",
    "cosine",
    Interval(-1, 1),
    Integer(0),
)
multiplier = _quantity(
    "multiplier",
    "q, m1",
    "multiplies the angle",
    "1",
    Interval.Lopen(0, 8),
    occurs=(0.5, 8.0),
)
angular_offset = _quantity(
    "angular_offset",
    "m2",
    "added to the angle",
    "rad",
    MARGINS,
    Rational(3, 10),
    occurs=(0.0, 1.57),
)
additive_offset = _quantity(
    "additive_offset",
    "m3",
    "taken from the cosine",
    "cosine",
    Interval(0, 2),
    Rational(2, 10),
    occurs=(0.0, 1.0),
)
cosine_clamp = _quantity(
    "cosine_clamp",
    "eps_c",
    "every cosine is clamped to [-1 + eps_c, 1 - eps_c]",
    "cosine",
    Interval.Ropen(0, 1),
    Integer(0),
)
angle_clip = _quantity(
    "angle_clip",
    "eps_a",
    "the margined angle is clipped to [eps_a, pi - eps_a]",
    "rad",
    Interval.Ropen(0, pi / 2),
    Integer(0),
)

sine_floor = _quantity(
    "sine_floor",
    "eps_s",
    "1 - c^2 is kept from falling below it under the root that gives the sine",
    "1",
    Interval.Ropen(0, 1),
    Integer(0),
)

# What follows from them.
angular_margin = _quantity(
    "angular_margin", "g_angle", "signed margin on the angle", "rad", Interval(-2, 2)
)
additive_margin = _quantity(
    "additive_margin", "g_add", "margin on the cosine", "cosine", Interval(0, pi)
)
target_logit = _quantity(
    "target_logit", "f/s", "margined target cosine: logit / scale", "cosine", REALS
)
logit = _quantity("logit", "f", "input of the softmax, target", "logit", REALS)
other_logit = _quantity(
    "other_logit", "f_j", "input of the softmax, another class", "logit", REALS
)
probability = _quantity(
    "probability", "P", "softmax output of the target", "1", Interval(0, 1)
)
complement = _quantity(
    "complement", "1 - P", "1 - P without cancellation", "1", Interval(0, 1)
)
slope = _quantity("slope", "D", "d(f/s)/d cos theta", "1", REALS)
gst = _quantity("gst", "g", "gradient scaling term, (P - 1) df/dc", "logit", REALS)
slope_rate = _quantity("slope_rate", "dD/dc", "d slope/d target cosine", "1", REALS)
gst_rate = _quantity("gst_rate", "dg/dc", "d gst/d target cosine", "logit", REALS)
other_gst = _quantity("other_gst", "g_j", "P_j df_j/dc_j", "logit", REALS)
loss_value = _quantity(
    "loss_value", "L", "-ln P, and MagFace's regulariser", "1", REALS
)
norm_gradient = _quantity(
    "norm_gradient", "dL/d|x|", "MagFace's gradient through the norm", "1/norm", REALS
)

segment = Symbol("segment", integer=True, nonnegative=True)
"""SphereFace's k, which counts the arcs of pi/q below the angle; held constant."""


class logistic(Function):  # type: ignore[misc]  # noqa: N801  (printed in lower case)
    """The logistic function 1/(1 + exp(-x)), opaque to SymPy.

    Opaque, so that no rewriting can turn the complement logistic(-x) into 1 - P,
    which cancels, or split the exponential, which overflows.
    """

    nargs = 1

    @classmethod
    def eval(cls, x: Expr) -> Expr | None:
        """One half at zero; nothing else is rewritten."""
        return Rational(1, 2) if x is S.Zero else None

    def fdiff(self, argindex: int = 1) -> Expr:
        """q (1 - q), with the complement written by sign."""
        return logistic(self.args[0]) * logistic(-self.args[0])

    def _eval_rewrite_as_exp(self, x: Expr, **_: object) -> Expr:
        return 1 / (1 + exp(-x))

    def _eval_is_positive(self) -> bool:
        return True


class log_logistic(Function):  # type: ignore[misc]  # noqa: N801
    """ln of the logistic function, opaque for the same reason."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> Expr:
        """The complement 1 - q, written by sign."""
        return logistic(-self.args[0])

    def _eval_is_negative(self) -> bool:
        return True

    def _eval_rewrite_as_exp(self, x: Expr, **_: object) -> Expr:
        return -log(1 + exp(-x))

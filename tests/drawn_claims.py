"""Claims drawn by Hypothesis: true ones, false ones, and ones without a value."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import strategies as st
from sympy import Expr, Rational, oo

from adaface_ref.evidence.problem.problem import Problem, box_of, problems_of
from adaface_ref.spec.language.box import Range
from adaface_ref.spec.language.language import ClaimError


class Drawn(NamedTuple):
    """A claim as text."""

    formula: str
    loss: str
    profile: str
    box: str

    def problem(self) -> Problem | None:
        """The claim; None if it is one that is refused, such as 1/0."""
        formula, loss, profile, box = self
        try:
            (claim,) = problems_of(formula, loss, profile, box_of(formula, loss, box))
        except ClaimError:
            return None
        return claim


INPUTS = {
    "cosface": ("scale", "margin"),
    "arcface": ("scale", "margin"),
    "adaface": ("scale", "margin", "margin_scaler"),
    "magface": ("scale", "feature_norm", "margin_lower"),
    "curricularface": ("scale", "margin", "curriculum"),
    "sphereface": ("scale",),
}
PROFILES = {
    "cosface": ("pure", "clip", "clip:detached"),
    "arcface": ("pure", "clip", "fallback", "fallback:detached", "pure:cosine=1e-4"),
    "adaface": ("pure", "clip", "clip:detached", "clip:cosine=0.1,angle=0.2"),
    "magface": ("pure", "clip", "fallback"),
    "curricularface": ("pure", "fallback"),
    "sphereface": ("pure", "pure:cosine=1e-2"),
}
PARTS = {
    "scale": ("=64", "=1/2", " in [1, 64]", " in (0, inf)", " in (0, 1]"),
    "margin": ("=0", "=0.4", "=pi/4", " in [0, 0.5]", " in (0, 1]", " in [0, pi/2)"),
    "margin_scaler": ("=-1", "=0", "=1", " in [-1, 1]", " in [-1, 0]", " in (0, 1]"),
    "feature_norm": ("=10", "=60", " in [1, 200]", " in (0, inf)", " in [60, 110)"),
    "margin_lower": ("=0.45", " in [0, 0.45]"),
    "curriculum": ("=0", "=0.5", " in [-1, 1]", " in [0, 1]"),
    "rival_cosine": ("=0.5", " in [-1, 1]", " in (-inf, inf)", " in (0, inf)"),
    "target_cosine": ("=0.5", " in [-0.9, 0.9]", " in (-1, 1)", " in [0, 1)"),
}
NUMBERS = ("0", "1", "-1", "1/2", "0.4", "pi", "pi/3", "64")
QUANTITIES = ("target_logit", "slope", "gst", "probability", "complement", "gst_rate")
AT = ("margin=0", "margin=margin/2", "rival_cosine=0.5", "scale=1", "angle=pi/3")
RELATIONS = ("<", "<=", ">", ">=", "==", "!=")
MANIFEST = (
    "abs({a}) >= 0",
    "({a})**2 >= 0",
    "{a} <= abs({a})",
    "max({a}, {b}) >= {b}",
    "exp({a}) > 0",
    "sqrt({a}) >= 0",
    "1/({a})**2 > 0",
    "log({a}) <= {a}",
    "{a} == {a}",
)
"""Forms that hold wherever they have a value."""


def _expressions(inputs: tuple[str, ...]) -> st.SearchStrategy[str]:
    names = (*inputs, "angle", "target_cosine", "rival_cosine")
    leaves = st.sampled_from(QUANTITIES) | st.sampled_from((*NUMBERS, *names))
    forms = ("({}) + ({})", "({}) - ({})", "({}) * ({})", "({}) / ({})", "min({}, {})")
    unary = ("abs({})", "sqrt({})", "log({})", "({})**2", "({})**-1", "sin({})")
    inner = (*(f"diff({{}}, {name})" for name in names), "loss(arcface, {})")
    # A loss has no input of another one.
    moved = tuple(f"at({{}}, {at})" for at in AT if at.split("=")[0] in (*names, ""))

    def grown(part: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        two = st.builds(str.format, st.sampled_from(forms), part, part)
        one = st.builds(str.format, st.sampled_from((*unary, *inner, *moved)), part)
        return two | one

    return st.recursive(leaves, grown, max_leaves=4)


def _propositions(inputs: tuple[str, ...]) -> st.SearchStrategy[str]:
    expression = _expressions(inputs)
    plain = st.builds(
        "{} {} {}".format, expression, st.sampled_from(RELATIONS), expression
    )
    manifest = st.builds(
        lambda form, a, b: form.format(a=a, b=b),
        st.sampled_from(MANIFEST),
        expression,
        expression,
    )
    joins = ("implies({}, {})", "iff({}, {})", "({}) and ({})", "({}) or not ({})")
    one = plain | manifest
    return one | st.builds(str.format, st.sampled_from(joins), one, one)


@st.composite
def drawn_claims(draw: st.DrawFn) -> Drawn:
    """A claim of any loss under any of its profiles on a box."""
    loss = draw(st.sampled_from(sorted(INPUTS)))
    inputs = INPUTS[loss]
    parts = [
        name + draw(st.sampled_from(PARTS[name]))
        for name in (*inputs, "rival_cosine", "target_cosine")
    ]
    box = ", ".join(["multiplier=3", *parts] if loss == "sphereface" else parts)
    profile = draw(st.sampled_from(PROFILES[loss]))
    return Drawn(draw(_propositions(inputs)), loss, profile, box)


SHARES = (Rational(1, 10**9), Rational(1, 7), Rational(1, 2), 1 - Rational(1, 10**6))


def points_of(claim: Problem) -> list[dict[str, Expr]]:
    """Points of a claim's box: corners that belong to it, next to them, and inside."""
    columns = {name: _places(part) for name, part in claim.free.items()}
    count = max(map(len, columns.values()), default=1)
    step = {name: turn for turn, name in enumerate(columns, 1)}
    return [
        {
            name: places[row * step[name] % len(places)]
            for name, places in columns.items()
        }
        for row in range(3 * count)
    ]


def _places(part: Range) -> list[Expr]:
    low = part.low if part.low != -oo else min(part.high, Rational(0)) - 40
    high = part.high if part.high != oo else max(part.low, Rational(0)) + 40
    inside = [low + (high - low) * share for share in SHARES]
    closed = ((part.low, part.low_open), (part.high, part.high_open))
    zero = [Rational(0)] if low < 0 < high else []
    return inside + zero + [end for end, is_open in closed if not is_open]

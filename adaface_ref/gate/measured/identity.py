"""Finds the profile that a head follows, by what it does at probe points.

This names a profile; it condemns nothing. Values are judged afterwards, against the
profile found or pinned, and only by the oracle.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from adaface_ref import numpy_reference as reference
from adaface_ref.gate.measured.clamps import Clamps
from adaface_ref.gate.measured.thresholds import around, is_near
from adaface_ref.gate.reading.reading import Array, Reading
from adaface_ref.gate.session.row_levels import LEVELS
from adaface_ref.gate.session.session import Rows, Session
from adaface_ref.numpy_reference import parse_profile
from adaface_ref.points import in_dtype
from adaface_ref.spec.losses import LOSSES
from adaface_ref.tolerance import EPSILON

SLACK = {"float64": 1e-6, "float32": 1e-2, "float16": 2.0**-7, "bfloat16": 2.0**-5}
"""Relative difference that still counts as the same: profiles differ by far more."""

NEAR_POLE = {"float64": 1e-8, "float32": 1e-5, "float16": 2e-2, "bfloat16": 6e-2}
"""Probes nearer than this to c = +-1 say nothing in the dtype."""

TURNS = 4
"""Roundings of the angle that a slope may be off by, each 1/(1 - c^2) of itself."""

MOSTLY = 0.99
"""A shift of rows that is none at more than a hundredth of them is no shift."""

LOGITS = ("logit", "other_logit")

HALF = ("float16", "bfloat16")
"""In these a logit's own rounding moves P, and so every GST, by a factor."""


@dataclass(frozen=True)
class Probes:
    """What the head did at the probe points.

    Args:
        session: the head.
        rows: the points.
        reading: the head's answer.
    """

    session: Session
    rows: Rows
    reading: Reading

    @cached_property
    def measured(self) -> dict[str, Array]:
        """The head's values by quantity: all of them, or what its own loss shows."""
        scale = self.rows.columns["scale"]
        if not self.reading.observed:
            gst = self.reading.gst
            return {"gst": gst[:, 0], "other_gst": gst[:, 1], "slope": self._quotient}
        found = {
            "logit": self.reading.logits[:, 0],
            "other_logit": self.reading.logits[:, 1],
            "slope": self.reading.jacobian[:, 0, 0] / scale,
        }
        return found | {
            "other_gst": self.reading.gst[:, 1],
            "gst": self.reading.gst[:, 0],
        }

    @property
    def _quotient(self) -> Array:
        """-g/g_j, which is the slope where g_j is s (1 - P); NaN where it says little.

        P - 1 in the working dtype is off by eps, which must be far less than 1 - P.
        """
        target, other = self.reading.gst[:, :2].T
        least = EPSILON[self.reading.dtype] * 10 / SLACK[self.reading.dtype]
        little = ~(other > least * self.rows.columns["scale"])
        if self.session.definition.modifies_others:
            little[:] = True
        with np.errstate(all="ignore"):
            return np.asarray(np.where(little, np.nan, -target / other))

    @cached_property
    def telling(self) -> NDArray[np.bool_]:
        """Which probes are far enough from the poles to tell profiles apart."""
        gap = (1 - np.abs(self.rows.cosines)).min(axis=1)
        far = gap > NEAR_POLE[self.reading.dtype]
        return np.asarray(far & self.session.reached(self.rows))

    def off(
        self, profile: str, names: Collection[str] | None = None
    ) -> NDArray[np.bool_]:
        """Which probes a profile does not explain, in some quantities or in all."""
        with np.errstate(invalid="ignore"):
            off = ~(self._distance(profile, names) <= 1)
        return off & self.telling & ~self._at_threshold(profile)

    def residuals(self, profiles: Iterable[str]) -> list[float]:
        """How far the head is from each profile, on average where all may be told."""
        chosen = list(profiles)
        told = self.telling.copy()
        for profile in chosen:
            told &= ~self._at_threshold(profile)
        if not told.any():
            return [0.0] * len(chosen)
        return [float(np.mean(self._distance(p)[told])) for p in chosen]

    def _distance(self, profile: str, names: Collection[str] | None = None) -> Array:
        """The largest difference at each probe, as a share of what is allowed."""
        columns = self._columns(profile)
        found = []
        half = self.reading.dtype in HALF and self.reading.loss_gradient is None
        for name, got in self.measured.items():
            if (half and name.endswith("gst")) or (names and name not in names):
                continue
            want = self.session.predict(name, columns, profile)
            with np.errstate(invalid="ignore"):
                share = np.abs(got - want) / self.allowed(name, want)
            found.append(np.where(self._silent(name), 0.0, share))
        return np.asarray(np.max(found, axis=0))

    def _at_threshold(self, profile: str) -> NDArray[np.bool_]:
        """Probes too near a threshold for the dtype to tell their side."""
        within = TURNS * EPSILON[self.reading.dtype]
        rule = parse_profile(profile).rule
        return is_near(self.session.loss, self.rows.columns, rule, within)

    def differ_by_rows(self, profile: str) -> bool:
        """Whether both logits of nearly all rows are off a profile by one number."""
        columns = self._columns(profile)
        wanted = self.session.predict("logit", columns, profile)
        other = self.session.predict("other_logit", columns, profile)
        off = self.measured["logit"] - wanted
        gap = np.abs(off - (self.measured["other_logit"] - other))
        allowed = 2 * self.allowed("logit", wanted)
        told = self.telling
        same, shifted = gap[told] <= allowed[told], np.abs(off[told]) > allowed[told]
        return bool(same.mean() > MOSTLY and shifted.mean() > 0.5)

    def agrees(self, quantity: str, want: Array) -> NDArray[np.bool_]:
        """Whether a quantity is as wanted, where the head shows it."""
        if quantity not in self.measured:
            return np.ones(len(want), dtype=bool)
        close = self.close(quantity, self.measured[quantity], want)
        return np.asarray(close | self._silent(quantity))

    def _silent(self, quantity: str) -> NDArray[np.bool_]:
        """Where a loss alone does not show a quantity."""
        hidden = quantity == "slope" and not self.reading.observed
        return np.isnan(self.measured[quantity]) & hidden

    @cached_property
    def shown(self) -> NDArray[np.bool_]:
        """Which telling probes show the slope; a loss alone hides it where P is 1."""
        return np.asarray(self.telling & ~np.isnan(self.measured["slope"]))

    def close(self, quantity: str, got: Array, want: Array) -> NDArray[np.bool_]:
        """Whether values are the same, to within what tells profiles apart."""
        with np.errstate(invalid="ignore"):
            return np.asarray(np.abs(got - want) <= self.allowed(quantity, want))

    def allowed(self, quantity: str, want: Array) -> Array:
        """What values may be off for that."""
        unit = 1.0 if quantity == "slope" else self.rows.columns["scale"]
        share = np.asarray(SLACK[self.reading.dtype])
        if quantity in ("slope", "gst", "other_gst"):
            gap = 1 - np.abs(self.rows.cosines).clip(max=1).max(axis=1)
            turns = TURNS * EPSILON[self.reading.dtype]
            share = share + turns / np.maximum(gap, turns)
        return np.asarray(share * (unit + np.abs(want)))

    def _columns(self, profile: str) -> dict[str, Array]:
        columns, others = self.rows.columns, self.rows.cosines[:, 1:]
        return columns | {"rival_cosine": self.session.rival(columns, others, profile)}


@dataclass(frozen=True)
class Identity:
    """What a head turned out to be.

    Args:
        profile: the profile that fits, or the nearest one.
        fits: whether it explains every probe.
        sentence: for the report.
        departs: index of the first probe that the nearest does not explain, or None.
        alike: other profiles that explain every probe as well.
    """

    profile: str
    fits: bool
    sentence: str
    departs: int | None = None
    alike: tuple[str, ...] = ()


def probe(session: Session) -> Probes:
    """Run the head at the probe points, in the widest dtype asked for.

    Args:
        session: the head.

    Returns:
        Points and answers.
    """
    widest = "float64" if "float64" in session.dtypes else session.dtypes[0]
    gaps = 10.0 ** -np.array([1.5, 2.5, 2.9, 3.1, 3.5, 3.9, 4.1, 5.5, 6.9, 7.1, 7.8])
    edges = np.concatenate([1 - gaps, gaps - 1])
    targets = np.concatenate([np.cos(np.linspace(0.02, 3.12, 121)), edges])
    others = np.concatenate([[0.5, -0.3, 0.2, 0.8, -0.9, 0.35, 0.0], edges])
    # A probe tells nothing where either of its cosines is too near a pole.
    others = others[1 - np.abs(in_dtype(others, widest)) > NEAR_POLE[widest]]
    name = session.definition.row_quantity_name
    levels = LEVELS[name].probed
    target, level = (grid.ravel() for grid in np.meshgrid(targets, levels))
    near, its_level = _near_thresholds(session, name, np.asarray(levels), widest)
    target = np.concatenate([target, near])
    level = np.concatenate([level, its_level])
    other = np.resize(others, target.size)
    cosines = in_dtype(np.stack([target, other], axis=1), widest)
    cosines = session.reachable(cosines, widest)
    extra = {name: level} if name else {}
    rows = session.rows(cosines, extra, widest)
    return Probes(session, rows, session.read(rows))


def _near_thresholds(
    session: Session, name: str, levels: Array, dtype: str
) -> tuple[Array, Array]:
    """Target cosines on both sides of each level's thresholds, and the levels."""
    cosines = np.zeros((len(levels), 2))
    extra = {name: levels} if name else {}
    columns = session.rows(cosines, extra, dtype).columns
    targets = around(session.loss, columns)
    return targets.ravel(), np.repeat(levels, targets.shape[1])


def identify(probes: Probes, clamps: Clamps) -> Identity:
    """Name the profile of a head, or the nearest.

    Args:
        probes: the head's answers.
        clamps: its clamps in the dtype of the probes.

    Returns:
        The identity; a pinned profile wins where several explain all probes.
    """
    session = probes.session
    pinned = session.request.profile
    tried = dict.fromkeys([pinned] * bool(pinned) + candidates(session.loss, clamps))
    off = {profile: int(probes.off(profile).sum()) for profile in tried}
    if min(off.values()) and probes.reading.observed:
        # Logits that one profile explains tell the rule, whatever their gradients are.
        by_logits = {p: int(probes.off(p, LOGITS).sum()) for p in tried}
        least = min(by_logits.values())
        off = {
            profile: off[profile] for profile in tried if by_logits[profile] == least
        }
    fewest = min(off.values())
    nearest = [profile for profile in off if off[profile] == fewest]
    best = nearest[0] if pinned in nearest else _closest(probes, nearest)
    if fewest == 0:
        alike = _alike(session.loss, best, nearest)
        doubt = _doubt(probes.reading.dtype, best, alike, clamps)
        sentence = describe(session, best) + doubt
        return Identity(best, True, sentence, None, alike)
    departs = int(np.argmax(probes.off(best)))
    cosine = float(probes.rows.cosines[departs, 0])
    probed = int(probes.telling.sum())
    sentence = (
        f"fits none; nearest is {describe(session, best)} and departs "
        f"at target_cosine = {cosine!r} ({fewest} of {probed} probes)"
    )
    return Identity(best, False, sentence, departs)


def as_another(
    probes: Probes, clamps: Clamps, found: Identity, profile: str
) -> Identity:
    """The identity under a profile that the probes cannot tell from its own.

    Args:
        probes: the head's answers.
        clamps: its clamps in the dtype of the probes.
        found: an identity that fits.
        profile: one of its `alike`.

    Returns:
        The identity, the others still named as what cannot be told apart.
    """
    alike = _alike(probes.session.loss, profile, [found.profile, *found.alike])
    sentence = describe(probes.session, profile)
    sentence += _doubt(probes.reading.dtype, profile, alike, clamps)
    return replace(found, profile=profile, sentence=sentence, alike=alike)


def _closest(probes: Probes, nearest: list[str]) -> str:
    """Of several rules the one with the least residual, in its plainest form."""
    plainest: dict[tuple[str, str], str] = {}
    for profile in nearest:
        parsed = parse_profile(profile)
        plainest.setdefault((parsed.rule, parsed.gradient), profile)
    if len(plainest) == 1:
        return nearest[0]
    listed = list(plainest.values())
    return listed[int(np.argmin(probes.residuals(listed)))]


def _alike(loss: str, best: str, fitting: list[str]) -> tuple[str, ...]:
    """Those of some profiles that are not the best under another name."""
    same = _meaning(loss, best)
    return tuple(profile for profile in fitting if _meaning(loss, profile) != same)


def _meaning(loss: str, profile: str) -> tuple[object, ...]:
    """A profile's fields; without an angular margin `clip` is a clamp of the cosine."""
    parsed = parse_profile(profile)
    if LOSSES[loss].angular_margin == 0:
        rule = "pure" if parsed.rule == "clip" else parsed.rule
        return tuple(parsed._replace(rule=rule, angle=0.0, gradient="true"))
    return tuple(parsed)


def _doubt(dtype: str, best: str, alike: tuple[str, ...], clamps: Clamps) -> str:
    """What a report adds where several profiles explain every probe."""
    own, parsed = parse_profile(best), [parse_profile(text) for text in alike]
    rules = dict.fromkeys(p.rule for p in parsed if p.rule != own.rule)
    told = [f"it from {', '.join(f'`{rule}`' for rule in rules)}"] if rules else []
    for field in ("cosine", "angle"):
        values = {getattr(p, field) for p in parsed if p.rule == own.rule}
        values -= {getattr(own, field)}
        if values:
            sizes = ", ".join(f"{value:g}" for value in sorted(values))
            kind = {"cosine": "its cosine clamp", "angle": "its angle clip"}[field]
            told.append(f"{kind} from {sizes}")
    if any(p.rule == own.rule and p.gradient != own.gradient for p in parsed):
        told.append("a true gradient from a detached one")
    if clamps.seen and dtype != "float64" and clamps.target.holds(0.0):
        told.append(f"a cosine clamp below {clamps.target.high:.1g} from none")
    if not told:
        return ""
    return f"; in {dtype} the probes cannot tell {', nor '.join(told)}"


def candidates(loss: str, clamps: Clamps) -> list[str]:
    """Every profile tried for a loss, the plainest first.

    Args:
        loss: a loss id.
        clamps: what was measured of the head.
    """
    found = {
        str(parse_profile(rule)._replace(gradient=gradient, **fields)): None
        for rule in reference.DEFINED[loss]
        for fields in clamps.fields(rule)
        for gradient in ("true", "detached")
    }
    return sorted(found, key=lambda text: ("detached" in text, text.count("=")))


def describe(session: Session, profile: str) -> str:
    """One phrase: loss, parameters, profile.

    Args:
        session: the head.
        profile: a profile string.

    Returns:
        Such as "ArcFace, scale 64, margin 0.5, `pure`, cosine clamp 0, true gradient".
    """
    parsed = parse_profile(profile)
    values = [f"{k.replace('_', ' ')} {v:g}" for k, v in session.fixed.items()]
    alone = " of the target alone" if parsed.of == "target" else ""
    clamps = [f"cosine clamp {parsed.cosine:g}{alone}"]
    if parsed.rule == "clip":
        of_all = " of every class" if parsed.angle_of == "all" else ""
        clamps.append(f"angle clip {parsed.angle:g}{of_all}")
    if parsed.floor:
        clamps.append(f"1 - c^2 at least {parsed.floor:g}")
    return ", ".join(
        [
            LOSSES[session.loss].title,
            *values,
            f"`{profile}`",
            *clamps,
            f"{parsed.gradient} gradient",
        ]
    )

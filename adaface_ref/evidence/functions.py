"""Claims that no formula states: running statistics, and recipes as programs in floats.

Each function takes a seed and says what it found. Where it can it compares exactly, in
fractions or in sixty digits; a tolerance is named where it cannot.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from mpmath import erf, exp, log, mp, mpf, sqrt, workdps

from adaface_ref import numpy_reference
from adaface_ref.running_statistics import NormStatistics

Floats = np.ndarray[Any, np.dtype[Any]]


class Finding(NamedTuple):
    """What was found about a claim.

    Args:
        holds: whether no point contradicts it.
        points: points tried.
        detail: the figures found, in one line.
        witness: a point that contradicts it.
    """

    holds: bool
    points: int
    detail: str
    witness: str = ""


# The recipe of AdaFace issue 24, as a program.


def recipe(x: Floats, m: Any, j: Any, s: Any) -> Floats:
    """CosFace's GST as the thread writes it, in the dtype of its arguments.

    Args:
        x: target cosines, as are all arguments of one dtype.
        m: margin.
        j: rival cosine.
        s: scale.

    Returns:
        (prob - 1) s, with whatever the dtype makes of it.

    Source: mk-minchul, AdaFace issue 24, answer 1.
    """
    x_m = x - m
    with np.errstate(over="ignore", invalid="ignore"):
        prob = np.exp(s * x_m) / (np.exp(s * x_m) + np.exp(s * j))
        return np.asarray((prob - 1) * s)


class _Draw(NamedTuple):
    """Arguments of the recipe, and s (c - m - j) and s max(c - m, j) as drawn."""

    arguments: tuple[Floats, Floats, Floats, Floats]
    ease: Floats
    exponent: Floats

    def words(self, index: int) -> str:
        """The arguments at one point, in decimal."""
        names = ("x", "m", "j", "s")
        values = (f"{float(a[index])!r}" for a in self.arguments)
        return ", ".join(f"{n}={v}" for n, v in zip(names, values, strict=True))


POINTS = 100_000
"""Draws of the recipe's arguments."""


def _draw(seed: int, dtype: Any, most_scale: float) -> _Draw:
    """c and j over [-1, 1], m over [0, 0.5], s over [8, most_scale], in a dtype."""
    random = np.random.default_rng(seed)
    ends = ((-1.0, 1.0), (0.0, 0.5), (-1.0, 1.0), (8.0, most_scale))
    x, m, j, s = (random.uniform(low, high, POINTS).astype(dtype) for low, high in ends)
    margined, j_, s_ = (
        x.astype(float) - m.astype(float),
        j.astype(float),
        s.astype(float),
    )
    return _Draw((x, m, j, s), s_ * (margined - j_), s_ * np.maximum(margined, j_))


def _switches(
    is_so: Floats, at: Floats, never_before: float, always_after: float, draw: _Draw
) -> Finding:
    """Whether something is so nowhere before one threshold and everywhere after one."""
    wrong = np.flatnonzero(is_so & (at < never_before) | ~is_so & (at > always_after))
    detail = f"first at {at[is_so].min():.4f}, missing last at {at[~is_so].max():.4f}"
    witness = draw.words(int(wrong[0])) if wrong.size else ""
    return Finding(not wrong.size, at.size, detail, witness)


def recipe_is_zero_in_float64(
    seed: int, never_before: float = 36.0, always_after: float = 37.5
) -> Finding:
    """Where s (c - m - j) is above 37.5 the recipe is 0; below 36 it is not.

    In exact arithmetic it is never 0. 2^-54, half an ULP below 1, is e^-37.43.
    Domain: c, j in [-1, 1], m in [0, 0.5], s in [8, 64], all float64.

    Source: AdaFace issue 24, answer 1.
    """
    draw = _draw(seed, np.float64, 64)
    zero = recipe(*draw.arguments) == 0
    return _switches(zero, draw.ease, never_before, always_after, draw)


def recipe_is_zero_in_float32(
    seed: int, never_before: float = 15.8, always_after: float = 17.5
) -> Finding:
    """Where s (c - m - j) is above 17.5 the recipe is 0; below 15.8 it is not.

    2^-25, half an ULP below 1, is e^-17.33. Domain: c, j in [-1, 1], m in [0, 0.5],
    s in [8, 64], all float32.

    Source: AdaFace issue 24, answer 1.
    """
    draw = _draw(seed, np.float32, 64)
    zero = recipe(*draw.arguments) == 0
    return _switches(zero, draw.ease, never_before, always_after, draw)


def recipe_is_accurate_in_float64(seed: int, relative: float = 1e-6) -> Finding:
    """Whether the recipe's relative error stays below 1e-6; it loses all at P near 1.

    Domain: c, j in [-1, 1], m in [0, 0.5], s in [8, 64], all float64. The truth comes
    from sixty digits at the worst point, from our reference elsewhere.

    Source: AdaFace issue 24, answer 1.
    """
    draw = _draw(seed, np.float64, 64)
    x, m, j, s = draw.arguments
    truth = numpy_reference.gst("cosface", x, j, scale=s, margin=m)
    error = np.abs(recipe(*draw.arguments) - truth) / np.abs(truth)
    worst = int(np.argmax(error))
    certain = _error_at(*(float(a[worst]) for a in draw.arguments))
    holds = bool(error[worst] <= relative) and certain <= relative
    witness = "" if holds else draw.words(worst)
    return Finding(holds, x.size, f"largest relative error {certain:.3g}", witness)


def _error_at(x: float, m: float, j: float, s: float) -> float:
    got = float(recipe(np.asarray(x), m, j, s))
    with workdps(60):
        truth = -mpf(s) / (1 + exp(mpf(s) * (mpf(x) - mpf(m) - mpf(j))))
        return float(abs(got - truth) / abs(truth))


def _overflows(draw: _Draw) -> Floats:
    x, m, j, s = draw.arguments
    with np.errstate(over="ignore"):
        return np.asarray(np.isinf(np.exp(s * (x - m)) + np.exp(s * j)))


def recipe_overflows_in_float32(
    seed: int, never_before: float = 88.0, always_after: float = 88.73
) -> Finding:
    """Where s max(c - m, j) is above 88.73 the sum of exponentials is infinite.

    ln of the largest float32 is 88.7228; two terms of that size add ln 2 to it. Domain:
    c, j in [-1, 1], m in [0, 0.5], s in [8, 256], all float32.

    Source: AdaFace issue 24, answer 1.
    """
    draw = _draw(seed, np.float32, 256)
    return _switches(_overflows(draw), draw.exponent, never_before, always_after, draw)


def recipe_overflows_in_float16(
    seed: int, never_before: float = 10.38, always_after: float = 11.11
) -> Finding:
    """Where s max(c - m, j) is above 11.11 the sum of exponentials is infinite.

    ln of the largest float16 is 11.0898. Domain: c, j in [-1, 1], m in [0, 0.5], s in
    [8, 64], all float16.

    Source: AdaFace issue 24, answer 1.
    """
    draw = _draw(seed, np.float16, 64)
    return _switches(_overflows(draw), draw.exponent, never_before, always_after, draw)


def recipe_is_finite_in_float32(seed: int, most_scale: float = 128.0) -> Finding:
    """Whether the recipe returns a finite number at every cosine for s up to 128.

    Domain: c, j in [-1, 1], m in [0, 0.5], s in [8, 128], all float32.

    Source: AdaFace issue 24, answer 1.
    """
    draw = _draw(seed, np.float32, most_scale)
    bad = np.flatnonzero(~np.isfinite(recipe(*draw.arguments)))
    detail = f"{bad.size} results are not finite"
    witness = draw.words(int(bad[0])) if bad.size else ""
    return Finding(not bad.size, POINTS, detail, witness)


# AdaFace's running statistics.

BATCHES = 500
"""Batches drawn for a claim about statistics."""


def _signed_square(norms: list[Fraction]) -> list[Fraction]:
    """sign(z) z^2 of each norm, exactly: rational, and as good as z for comparing.

    z = (norm - mean)/std with the batch's own mean and unbiased std.
    """
    mean = sum(norms, Fraction(0)) / len(norms)
    away = [norm - mean for norm in norms]
    variance = sum((d * d for d in away), Fraction(0)) / (len(norms) - 1)
    return [d * abs(d) / variance for d in away]


def _invariant_under(seed: int, lowest: int, highest: int) -> Finding:
    random = np.random.default_rng(seed)
    changed, witness = 0, ""
    for _ in range(BATCHES):
        size = int(random.integers(2, 9))
        drawn = random.choice(10_000, size, replace=False) + 1
        norms = [Fraction(int(n), 100) for n in drawn]
        factor = Fraction(int(random.integers(lowest, highest)), 1000)
        shift = Fraction(int(random.integers(-5_000, 5_000)), 100)
        moved = [factor * norm + shift for norm in norms]
        if _signed_square(norms) != _signed_square(moved):
            changed += 1
            witness = witness or (
                f"norms={[float(n) for n in norms]}, "
                f"factor={float(factor)}, shift={float(shift)}"
            )
    return Finding(
        not changed, BATCHES, f"{changed} of {BATCHES} batches change", witness
    )


def scaler_is_affine_invariant(seed: int) -> Finding:
    """z of exact batch statistics is the same for the norms k r + b, k > 0.

    Compared exactly, in fractions; z-hat is a function of z. Domain: batches of 2 to 8
    different norms in (0, 100], k in (0, 10), b in [-50, 50), no eps, no clip of norms.

    Source: folklore on AdaFace eq. 16.
    """
    return _invariant_under(seed, 1, 10_000)


def scaler_is_invariant_to_reflection(seed: int) -> Finding:
    """The same for k < 0, which turns every z over.

    Domain: as `scaler_is_affine_invariant`, k in [-10, 0).

    Source: folklore on AdaFace eq. 16, without its condition.
    """
    return _invariant_under(seed, -10_000, 0)


def _scaler(state: NormStatistics, norms: Floats) -> Floats:
    return np.asarray(state.update(norms).margin_scaler(norms))


def _largest_change(
    batches: list[Floats], factor: float, state: NormStatistics, rounding: float
) -> Finding:
    worst, witness = 0.0, ""
    for norms in batches:
        change = _scaler(state, factor * norms) - _scaler(state, norms)
        size = float(np.abs(change).max())
        if size > worst:
            worst, witness = size, f"norms={norms.tolist()}, factor={factor}"
    holds = worst <= rounding
    detail = f"z-hat changes by up to {worst:.6g}"
    return Finding(holds, len(batches), detail, "" if holds else witness)


ROUNDING = 1e-6
"""z-hat in float64: 1e-16 of a norm of 50, over a std of 1e-3 and more."""


def scaler_with_eps_is_affine_invariant(seed: int, eps: float = 1e-3) -> Finding:
    """Whether z-hat = h (r - mean)/(std + eps) is the same for norms half as large
    again.

    Domain: batches of 4 norms of mean 50 and std from 1e-3 to 10, no smoothing.

    Source: AdaFace head.py; folklore.
    """
    random = np.random.default_rng(seed)
    stds = 10 ** random.uniform(-3, 1, BATCHES)
    batches = [50 + std * np.array([-1.5, -0.5, 0.5, 1.5]) for std in stds]
    state = NormStatistics(new_batch_weight=1.0, eps=eps)
    return _largest_change(batches, 1.5, state, ROUNDING)


def scaler_with_clip_is_affine_invariant(seed: int, highest: float = 100.0) -> Finding:
    """Whether z-hat is the same for norms 3 times as large, where some pass 100.

    Domain: batches of 8 norms in [20, 60], no smoothing, eps 1e-12.

    Source: AdaFace head.py, which clips norms to [1e-3, 100]; folklore.
    """
    random = np.random.default_rng(seed)
    batches = list(random.uniform(20, 60, (BATCHES, 8)))
    state = NormStatistics(new_batch_weight=1.0, eps=1e-12, norm_upper=highest)
    return _largest_change(batches, 3.0, state, ROUNDING)


PRINTED_ALPHA = 0.99
"""AdaFace's alpha as printed, which eq. 17 puts before the new batch."""

CODE_ALPHA = 0.01
"""The weight of the new batch in the official training code, t_alpha."""


def printed_alpha_smooths(seed: int, weight: float = PRINTED_ALPHA) -> Finding:
    """Whether one batch moves the running mean by a tenth of its distance at most.

    Domain: 500 pairs of an old mean and a batch's in [1, 99].

    Source: AdaFace, arXiv 2204.00964, eq. 17.
    """
    random = np.random.default_rng(seed)
    shares = []
    for old, new in random.uniform(1, 99, (BATCHES, 2)).tolist():
        state = NormStatistics(mean=old, new_batch_weight=weight)
        shares.append((state.update([new, new]).mean - old) / (new - old))
    largest = max(shares)
    detail = f"a batch moves the mean by {largest:.6f} of its distance"
    witness = "" if largest <= 0.1 else f"weight of the new batch = {weight}"
    return Finding(largest <= 0.1, BATCHES, detail, witness)


CHAINS = 10_000
"""Independent runs in the simulation of smoothing."""


def smoothing_leaves_alpha_over_two_less_alpha(
    seed: int, tried: tuple[float, ...] = (PRINTED_ALPHA, CODE_ALPHA)
) -> Finding:
    """The variance of a smoothed mean of independent batches is alpha/(2 - alpha).

    Three times: the sum of the squared weights in fractions; the same from how our
    NormStatistics answers one batch that differs, to 1e-9; and simulated, within 6
    standard errors. Domain: alpha 0.99, as printed, and 0.01, as in the code.

    Source: this project.
    """
    details, holds = [], True
    for alpha in tried:
        exact = _exact_ratio(alpha)
        answered, simulated = _answered_ratio(alpha), _simulated_ratio(alpha, seed)
        share = Fraction(str(alpha))
        holds &= exact == share / (2 - share)
        holds &= abs(answered - float(exact)) < 1e-9
        holds &= abs(simulated / float(exact) - 1) < 6 * math.sqrt(2 / CHAINS)
        details.append(f"alpha={alpha}: {float(exact):.6f}, simulated {simulated:.4g}")
    return Finding(holds, len(tried) * CHAINS, "; ".join(details))


def _exact_ratio(alpha: float) -> Fraction:
    """sum over k of (alpha (1 - alpha)^k)^2, a geometric series."""
    share = Fraction(str(alpha))
    return share**2 / (1 - (1 - share) ** 2)


def _answered_ratio(alpha: float) -> float:
    state = NormStatistics(mean=10.0, new_batch_weight=alpha).update([20.0, 20.0])
    total = 0.0
    for _ in range(math.ceil(12 / alpha)):
        total += ((state.mean - 10) / 10) ** 2
        state = state.update([10.0, 10.0])
    return total


def _simulated_ratio(alpha: float, seed: int) -> float:
    random = np.random.default_rng(seed)
    mean = np.zeros(CHAINS)
    for _ in range(math.ceil(6 / alpha)):
        mean = alpha * random.standard_normal(CHAINS) + (1 - alpha) * mean
    return float(np.var(mean))


SHARE = 0.6827
"""Of a Gaussian within one standard deviation, to four digits."""

DRAWN = 1_000_000
"""Norms drawn for a share."""


def two_thirds_of_gaussian_norms_lie_within_h(
    seed: int, concentration: float = 0.333
) -> Finding:
    """68.27 % of Gaussian norms have z-hat within +-h, as |h z| <= h says |z| <= 1.

    erf(1/sqrt(2)) to thirty digits, rounded; and the share of 10^6 norms of mean 50,
    std 5 by our margin_scaler, within 6 standard errors. Domain: h = 0.333.

    Source: AdaFace, arXiv 2204.00964, on the concentration h.
    """
    with workdps(30):
        exact = erf(1 / sqrt(mpf(2)))
    norms = np.random.default_rng(seed).normal(50, 5, DRAWN)
    counted = _share_within(norms, concentration)
    near = abs(counted - float(exact)) < 6 * math.sqrt(0.25 / DRAWN)
    detail = f"exactly {mp.nstr(exact, 8)}, counted {counted:.4f}"
    return Finding(round(float(exact), 4) == SHARE and near, DRAWN, detail)


def two_thirds_of_any_norms_lie_within_h(seed: int) -> Finding:
    """Whether the same holds of exponential norms: there it is 1 - e^-2 = 86.47 %.

    Domain: 10^6 exponential norms, h = 0.333.

    Source: AdaFace, arXiv 2204.00964, without its condition.
    """
    norms = np.random.default_rng(seed).exponential(10, DRAWN)
    counted = _share_within((norms - 10) / 2 + 50, 0.333, 50, 5)
    holds = abs(counted - SHARE) < 0.01
    detail = f"counted {counted:.4f}, in theory {1 - math.exp(-2):.4f}"
    return Finding(holds, DRAWN, detail, "" if holds else "exponential norms")


def _share_within(
    norms: Floats, concentration: float, mean: float = 50, std: float = 5
) -> float:
    scaler = numpy_reference.margin_scaler((norms - mean) / std, concentration)
    return float((np.abs(scaler) <= concentration).mean())


def batch_of_two_knows_only_the_order(seed: int, eps: float = 1e-3) -> Finding:
    """In a batch of two, |z-hat| is h/sqrt(2) = 0.2355, but for eps.

    Domain: 500 pairs of norms in [1, 99] at least 1 apart, no smoothing; the eps of the
    std takes 0.15 % off at most.

    Source: AdaFace head.py with t_alpha = 1.
    """
    random = np.random.default_rng(seed)
    state = NormStatistics(new_batch_weight=1.0, eps=eps)
    pairs = random.uniform(1, 99, (4 * BATCHES, 2))
    pairs = pairs[np.abs(pairs[:, 0] - pairs[:, 1]) >= 1][:BATCHES]
    sizes = np.array([np.abs(_scaler(state, pair)) for pair in pairs])
    expected = state.concentration / math.sqrt(2)
    low, high = float(sizes.min() / expected), float(sizes.max() / expected)
    detail = f"|z-hat| from {low * expected:.4f} to {high * expected:.4f}"
    return Finding(low >= 0.9985 and high <= 1 + 1e-12, len(pairs), detail)


# C classes and one rival.

SPLITS = 200
"""Samples whose rivals are split."""


def _probabilities(target: Any, others: list[Any], scale: Any) -> list[Any]:
    weights = [exp(scale * cosine) for cosine in (target, *others)]
    return [weight / sum(weights) for weight in weights]


def splitting_a_rival_changes_nothing(seed: int) -> Finding:
    """One class of cosine v, or two of v - ln2/s: the same P, and the same sum of P_j.

    In sixty digits, to fifty. Domain: AdaFace's target logit at m = 0.4 and any z-hat,
    2 to 9 other classes, s in [8, 64].

    Source: this project: C classes reduce to one rival exactly.
    """
    random = np.random.default_rng(seed)
    worst = mpf(0)
    for _ in range(SPLITS):
        s, z = float(random.uniform(8, 64)), float(random.uniform(-1, 1))
        cosines = random.uniform(-1, 1, int(random.integers(3, 11))).tolist()
        given = {"scale": s, "margin": 0.4, "margin_scaler": z}
        target = float(numpy_reference.logit("adaface", cosines[0], **given)) / s
        with workdps(60):
            first, *rest = map(mpf, cosines[1:])
            half = first - log(mpf(2)) / s
            whole = _probabilities(target, [first, *rest], s)
            split = _probabilities(target, [half, half, *rest], s)
            apart = (whole[0] - split[0], whole[1] - split[1] - split[2])
            worst = max(worst, *map(abs, apart))
    detail = f"P differs by at most {mp.nstr(worst, 3)}"
    return Finding(bool(worst < mpf(10) ** -50), SPLITS, detail)


def splitting_a_hard_rival_of_curricularface_changes_nothing(seed: int) -> Finding:
    """Whether the same holds where G = c_j (t + c_j), by our reference of a batch.

    Domain: m = 0.5, t = 0.5, s = 64, target 0.3, one hard class of
    cosine in [0.2, 0.9].

    Source: this project.
    """
    random = np.random.default_rng(seed)
    others = random.uniform(0.2, 0.9, SPLITS)
    given: dict[str, float] = {"scale": 64.0, "margin": 0.5, "curriculum": 0.5}
    halves = others - math.log(2) / given["scale"]
    target = np.full(SPLITS, 0.3)
    labels = np.zeros(SPLITS, dtype=int)
    whole = np.stack([target, others], -1)
    split = np.stack([target, halves, halves], -1)
    before, after = (
        numpy_reference.batch("curricularface", cosines, labels, **given)
        for cosines in (whole, split)
    )
    change = np.abs(before.loss - after.loss)
    worst = int(np.argmax(change))
    holds = bool(change[worst] < 1e-9)
    detail = f"the loss changes by up to {change[worst]:.4g}"
    return Finding(
        holds, SPLITS, detail, "" if holds else f"c_j={float(others[worst])!r}"
    )


Function = Callable[[int], Finding]

FUNCTIONS: dict[str, Function] = {
    function.__name__: function
    for function in (
        recipe_is_zero_in_float64,
        recipe_is_zero_in_float32,
        recipe_is_accurate_in_float64,
        recipe_overflows_in_float32,
        recipe_overflows_in_float16,
        recipe_is_finite_in_float32,
        scaler_is_affine_invariant,
        scaler_is_invariant_to_reflection,
        scaler_with_eps_is_affine_invariant,
        scaler_with_clip_is_affine_invariant,
        printed_alpha_smooths,
        smoothing_leaves_alpha_over_two_less_alpha,
        two_thirds_of_gaussian_norms_lie_within_h,
        two_thirds_of_any_norms_lie_within_h,
        batch_of_two_knows_only_the_order,
        splitting_a_rival_changes_nothing,
        splitting_a_hard_rival_of_curricularface_changes_nothing,
    )
}
"""Functions that decide a claim, by the name that its row gives."""


def domain_of(name: str) -> str:
    """Where a function tries its claim, as its docstring says.

    Args:
        name: a key of FUNCTIONS.

    Returns:
        The words after "Domain:", in one line.
    """
    words = " ".join((FUNCTIONS[name].__doc__ or "").split())
    return words.partition("Domain: ")[2].partition(" Source:")[0].rstrip(".")

"""Claims about running statistics of norms, and the margin scalers they give."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from mpmath import erf, mp, mpf, sqrt, workdps

from adaface_ref import numpy_reference
from adaface_ref.evidence.functions.finding import Finding, Floats, Trial
from adaface_ref.running_statistics import NormStatistics

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


def _compare_scalers(seed: int, lowest: int, highest: int) -> Finding:
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

    Compared exactly, in fractions; z-hat is a function of z.

    Source: folklore on AdaFace eq. 16.
    """
    return _compare_scalers(seed, 1, 10_000)


def scaler_is_invariant_to_reflection(seed: int) -> Finding:
    """The same for k < 0, which turns every z over.

    Source: folklore on AdaFace eq. 16, without its condition.
    """
    return _compare_scalers(seed, -10_000, 0)


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

    Source: AdaFace head.py; folklore.
    """
    random = np.random.default_rng(seed)
    stds = 10 ** random.uniform(-3, 1, BATCHES)
    batches = [50 + std * np.array([-1.5, -0.5, 0.5, 1.5]) for std in stds]
    state = NormStatistics(new_batch_weight=1.0, eps=eps)
    return _largest_change(batches, 1.5, state, ROUNDING)


def scaler_with_clip_is_affine_invariant(seed: int, highest: float = 100.0) -> Finding:
    """Whether z-hat is the same for norms 3 times as large, where some pass 100.

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
    standard errors.

    Source: this project.
    """
    details, holds = [], True
    for alpha in tried:
        exact = _exact_ratio(alpha)
        answered, simulated = (
            _ratio_by_answers(alpha),
            _ratio_by_simulation(alpha, seed),
        )
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


def _ratio_by_answers(alpha: float) -> float:
    state = NormStatistics(mean=10.0, new_batch_weight=alpha).update([20.0, 20.0])
    total = 0.0
    for _ in range(math.ceil(12 / alpha)):
        total += ((state.mean - 10) / 10) ** 2
        state = state.update([10.0, 10.0])
    return total


def _ratio_by_simulation(alpha: float, seed: int) -> float:
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
    std 5 by our margin_scaler, within 6 standard errors.

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


TRIALS = (
    Trial(
        scaler_is_affine_invariant,
        "batches of 2 to 8 different norms in (0, 100], k in (0, 10), "
        "b in [-50, 50), no eps, no clip of norms",
    ),
    Trial(
        scaler_is_invariant_to_reflection,
        "as `scaler_is_affine_invariant`, k in [-10, 0)",
    ),
    Trial(
        scaler_with_eps_is_affine_invariant,
        "batches of 4 norms of mean 50 and std from 1e-3 to 10, no smoothing",
    ),
    Trial(
        scaler_with_clip_is_affine_invariant,
        "batches of 8 norms in [20, 60], no smoothing, eps 1e-12",
    ),
    Trial(
        printed_alpha_smooths,
        "500 pairs of an old mean and a batch's in [1, 99]",
    ),
    Trial(
        smoothing_leaves_alpha_over_two_less_alpha,
        "alpha 0.99, as printed, and 0.01, as in the code",
    ),
    Trial(
        two_thirds_of_gaussian_norms_lie_within_h,
        "h = 0.333",
    ),
    Trial(
        two_thirds_of_any_norms_lie_within_h,
        "10^6 exponential norms, h = 0.333",
    ),
    Trial(
        batch_of_two_knows_only_the_order,
        "500 pairs of norms in [1, 99] at least 1 apart, no smoothing; "
        "the eps of the std takes 0.15 % off at most",
    ),
)
"""Each with the domain on which it tries its claim."""

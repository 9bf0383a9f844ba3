"""Why a head departs from its twin: the one known fault that explains every value.

Each row of the tables is a fault and what it makes of the twin's values; a fault is
named only if the twin with it is within the bounds at every value that was compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from adaface_ref import numpy_reference as reference
from adaface_ref.gate.twin.gradients import Gradients
from adaface_ref.gate.twin.whole_head import Bounded, Given, Twin
from adaface_ref.numpy_reference.arguments import Array

CLOSE = 1e-4
"""Lengths that differ relatively by less are one."""

FEWEST = 4
"""Rows from which a length is told."""

Measure = Callable[[Array, int], Array]


def _two(vectors: Array, axis: int) -> Array:
    return np.asarray(np.linalg.norm(vectors, axis=axis, keepdims=True))


def _one(vectors: Array, axis: int) -> Array:
    return np.asarray(np.abs(vectors).sum(axis=axis, keepdims=True))


def _largest(vectors: Array, axis: int) -> Array:
    return np.asarray(np.abs(vectors).max(axis=axis, keepdims=True))


def _none(vectors: Array, axis: int) -> Array:
    return np.ones_like(vectors)


LENGTHS: dict[str, tuple[Measure, int]] = {
    "": (_two, -1),
    "not normalised": (_none, -1),
    "divided by the sum of their entries' sizes (p=1)": (_one, -1),
    "divided by their largest entry (p=inf)": (_largest, -1),
    "normalised along the wrong axis (dim)": (_two, -2),
}
"""What may be done with vectors (..., N, D) in place of dividing by their lengths."""


def cosines_with(given: Given) -> Mapping[str, Array]:
    """The products (B, C) of every way of not normalising.

    Args:
        given: what the head is given.

    Returns:
        By the fault's words; the sound one is left out.
    """
    found = {}
    for words, (measure, axis) in LENGTHS.items():
        for other, (of_rows, row_axis) in LENGTHS.items():
            named = [
                f"{what} are {how}"
                for what, how in (("class weights", words), ("embeddings", other))
                if how
            ]
            if named:
                classes = given.weights / measure(given.weights, axis)
                rows = given.embeddings / of_rows(given.embeddings, row_axis)
                products = rows @ classes.transpose(0, 2, 1)
                found["; ".join(named)] = products.max(axis=0)
    return found


def cause_of_values(twin: Twin, got: Array, besides: Sequence[str] = ()) -> str:
    """The fault that explains logits (B, C) or row losses (B,), or "".

    Args:
        twin: the head's twin.
        got: what the head gave.
        besides: what a step has moved besides the class weights.

    Returns:
        Words for the report.
    """
    if besides:
        return f"training moves {', '.join(besides)} besides the class weights"
    if got.shape not in ((len(twin.own),), twin.own.shape):
        return ""
    sound = twin.logits if got.ndim == 2 else twin.row_losses
    for words, products in cosines_with(twin.given).items():
        rows = np.abs(products).max(axis=1) <= 1
        if not rows.any():
            if got.ndim == 2 and _explains_others(twin, products, got):
                return words
            continue
        made = reference.batch(
            twin.loss,
            products[rows],
            twin.given.labels[rows],
            profile=twin.profile,
            **{name: column[rows] for name, column in twin.row_columns.items()},
        )
        value = made.logits if got.ndim == 2 else made.loss
        loose = Bounded(value, 4 * sound.allowed[rows])
        if (loose.shares(got[rows]) <= 1).all():
            return words
    return cause_of_lengths(twin, got)


def _explains_others(twin: Twin, products: Array, got: Array) -> bool:
    """Whether the other classes' logits are s times products larger than cosines."""
    close = np.isclose(got, twin.scale * products, rtol=1e-3)
    return bool(close[~twin.own].all())


def cause_of_lengths(twin: Twin, got: Array) -> str:
    """What the embeddings' lengths are divided by in place of themselves, or "".

    Told by the logits of other classes, which are s c_j where a loss leaves them alone.
    """
    if got.ndim != 2:
        return ""
    others = ~twin.own & (np.abs(twin.cosines.value) > 0.1)
    told = others.any(axis=1)
    if told.sum() < FEWEST:
        return ""
    cosine = np.where(others, twin.cosines.value, 0.0)[told]
    with np.errstate(all="ignore"):
        share = (got[told] / twin.scale * cosine).sum(axis=1) / (cosine**2).sum(axis=1)
        length = twin.lengths[0][told, 0]
        divisor = length / share
    for words, level, bound in (
        ("clipped to {:.6g} at most", divisor.max(), np.minimum),
        ("clipped to {:.6g} at least", divisor.min(), np.maximum),
        ("increased by {:.6g}", float((divisor - length)[length.argmin()]), np.add),
    ):
        explained = np.allclose(divisor, bound(length, level), CLOSE, 0)
        if explained and not np.allclose(divisor, length, CLOSE, 0):
            return f"the embeddings' length is {words.format(level)} before it divides"
    return ""


Change = Callable[[Twin, Array, Gradients], Gradients]


def _scaled(embeddings: float, weights: float) -> Change:
    def change(twin: Twin, upstream: Array, sound: Gradients) -> Gradients:
        return Gradients(
            sound.embeddings.times(embeddings),
            sound.weights.times(weights),
            sound.norms,
        )

    return change


GRADIENT_FAULTS: dict[str, Change] = {
    "the embeddings are detached: the backbone does not train": _scaled(0.0, 1.0),
    "the class weights are detached: they do not train": _scaled(1.0, 0.0),
    "nothing trains: embeddings and class weights are detached": _scaled(0.0, 0.0),
    "the class weights get half of their gradient": _scaled(1.0, 0.5),
    "the embeddings get half of their gradient": _scaled(0.5, 1.0),
    "the gradient of embeddings has the wrong sign": _scaled(-1.0, 1.0),
    "the gradient of class weights has the wrong sign": _scaled(1.0, -1.0),
}
"""Faults that change a sound gradient by a factor."""


def cause_of_gradients(
    twin: Twin,
    upstream: Array,
    sound: Gradients,
    got: tuple[Array | None, Array | None],
    others: Mapping[str, Gradients],
) -> str:
    """The fault that explains the gradients by embeddings and weights, or "".

    Args:
        twin: the head's twin.
        upstream: of the logits (B, C), or of the rows' losses (B,).
        sound: what they must be.
        got: by embeddings (B, D) and by weights (K, C, D); None where there is none.
        others: what they would be by faults of the upstream, by the faults' words.

    Returns:
        Words for the report.
    """
    made = {words: change(twin, upstream, sound)
            for words, change in GRADIENT_FAULTS.items()}  # fmt: skip
    for words, with_fault in {**others, **made}.items():
        pairs = zip((with_fault.embeddings, with_fault.weights), got, strict=True)
        told = [(part, value) for part, value in pairs if value is not None]
        if told and all(_explains(part, value) for part, value in told):
            return words
    return cause_of_a_factor(sound, got)


def cause_of_a_factor(sound: Gradients, got: tuple[Array | None, Array | None]) -> str:
    """One factor that all gradients are off by, or ""."""
    factors = []
    for part, value in zip((sound.embeddings, sound.weights), got, strict=True):
        if value is None:
            continue
        clear = np.abs(part.value) > 1e3 * part.allowed
        if not clear.any():
            return ""
        ratio = value[clear] / part.value[clear]
        factor = float(np.median(ratio))
        if not np.allclose(ratio, factor, rtol=1e-2):
            return ""
        factors.append(factor)
    if not factors or not np.allclose(factors, factors[0], rtol=1e-2):
        return ""
    return f"the gradient is {factors[0]:.4g} times that of the head's own forward"


def _explains(part: Bounded, value: Array) -> bool:
    loose = Bounded(part.value, 4 * part.allowed)
    return bool((loose.shares(value) <= 1).all())

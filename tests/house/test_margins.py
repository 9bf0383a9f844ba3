"""Margins on columns, compiled from the spec, and the reference's, written apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from adaface_ref import numpy_reference
from adaface_ref.margins import margins_of
from adaface_ref.points import block, seeds
from adaface_ref.spec.losses import LOSSES

TURNED = [loss for loss, row in LOSSES.items() if row.angular_margin is not None]


@pytest.mark.parametrize("loss", TURNED)
@given(seed=seeds())
def test_margins_are_those_of_the_reference(loss: str, seed: int) -> None:
    columns = block(loss, seed, size=300)
    ours = margins_of(loss, columns)
    assert ours is not None
    for got, want in zip(
        ours, numpy_reference.LOSSES[loss].margins(columns), strict=True
    ):
        np.testing.assert_allclose(got, want + 0 * got, rtol=0, atol=1e-15)


@pytest.mark.parametrize("loss", TURNED)
def test_margins_make_the_target_logit(loss: str) -> None:
    columns = block(loss, 1, size=300)
    ours = margins_of(loss, columns)
    assert ours is not None
    angle = np.arccos(columns["target_cosine"])
    target = np.cos(ours.multiplier * angle + ours.angular) - ours.additive
    given_ = {symbol.name: columns[symbol.name] for symbol in LOSSES[loss].parameters}
    logit = numpy_reference.logit(loss, columns["target_cosine"], **given_)
    np.testing.assert_allclose(columns["scale"] * target, logit, rtol=0, atol=1e-4)


def test_a_loss_of_another_form_has_no_margins() -> None:
    assert margins_of("sphereface", block("sphereface", 0, size=10)) is None

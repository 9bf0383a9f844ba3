"""The gate's points leave no gap: bands of cosines, and sizes of batches."""

from __future__ import annotations

import numpy as np
import pytest

from adaface_ref.choices import EFFORTS
from adaface_ref.gate.checks.runner import open_evidence
from adaface_ref.gate.head.settings import Head
from adaface_ref.gate.head.target import resolve
from adaface_ref.gate.measured import values
from adaface_ref.gate.session.session import Session


@pytest.fixture(scope="module")
def session() -> Session:
    """An exact head's, at quick effort, with nothing run yet."""
    return open_evidence(
        resolve("zoo.exact.heads:arcface"),
        Head(
            "zoo.exact.heads:arcface",
            loss="arcface",
            profile="pure",
            adapter=None,
            device="cpu",
            dtypes=("float32", "float64"),
            seed=3,
            effort="quick",
            arguments={},
        ),
    ).session


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_band_of_a_ten_thousandth_holds_a_point_at_quick(
    session: Session, dtype: str
) -> None:
    blocks = [rows for rows, *_ in values._blocks(session) if rows.dtype == dtype]
    targets = np.concatenate([rows.cosines[:, 0] for rows in blocks])
    assert np.diff(np.unique(targets)).max() < 1e-4
    assert EFFORTS["quick"] == 10**5


def test_small_batches_have_one_row_and_as_many_as_classes(session: Session) -> None:
    sizes = {(rows.cosines.shape[1], size) for rows, _, parts in values._blocks(session)
             for size in parts}  # fmt: skip
    assert {(2, 1), (2, 2), (2, 3), (5, 1), (5, 5), (5, 33)} <= sizes


def test_small_batches_give_what_one_batch_gives(session: Session) -> None:
    block = next(block for block in values._blocks(session) if block.sizes)
    apart = values._read(session, block.rows, block.sizes)
    at_once = session.read(block.rows)
    assert np.allclose(apart.logits, at_once.logits, atol=1e-4)
    assert np.allclose(apart.jacobian, at_once.jacobian, rtol=1e-4, equal_nan=True)

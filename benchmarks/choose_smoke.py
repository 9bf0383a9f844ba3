"""Chooses the smoke tier of test vectors: few rows that catch every known fault.

Run from the checkout after a change of losses, profiles or faults:
python benchmarks/choose_smoke.py            # says whether spec/vectors is in step
python benchmarks/choose_smoke.py --write    # writes spec/vectors/smoke.json
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from adaface_ref.evidence.truth.agreement import Question, parameters_of
from adaface_ref.evidence.truth.forms import Cell, numpy_values
from adaface_ref.faults.answers import faulty_answers
from adaface_ref.faults.rows import faults_of
from adaface_ref.points import block, in_dtype, recommended
from adaface_ref.ports.vectors.question import RowQuestion
from adaface_ref.ports.vectors.tiers import tier_text
from adaface_ref.spec.losses import LOSSES
from adaface_ref.spec.profiles import RULES

FILE = Path(__file__).resolve().parents[1] / "spec" / "vectors" / "smoke.json"

Columns = Mapping[str, Any]

COMPARED = ("logit", "gst", "other_logit", "other_gst", "slope")
"""Quantities by which a fault is caught."""

TARGETS = (-0.96875, -0.5, 0.0, 0.25, 0.5, 0.8125, 0.9375, 0.9990234375)
LEVELS = {"margin_scaler": (-1.0, -0.5, 0.5, 1.0), "feature_norm": (20.0, 60.0, 150.0)}

CLEARLY = 4.0
"""A fault counts as caught where it is off by so many allowed errors."""


def catches(loss: str, columns: Columns) -> dict[tuple[str, str], Any]:
    """Where each fault is caught.

    Args:
        loss: a loss id, under the formula everywhere.
        columns: arrays (N,) by name.

    Returns:
        Arrays (N,) of truth values by fault's id and quantity.
    """
    size = len(columns["target_cosine"])
    found = {}
    truth, allowed = {}, {}
    for quantity in COMPARED:
        question = Question(quantity, loss, "pure", "float32", "theirs")
        truth[quantity] = numpy_values(quantity, Cell(loss, "pure"), columns)
        allowed[quantity] = question.allowed(columns, truth[quantity])
    for fault in faults_of(parameters_of(loss)):
        given = faulty_answers(fault, loss, columns)
        for quantity in COMPARED:
            got = np.broadcast_to(given[quantity], size)
            with np.errstate(all="ignore"):
                off = np.abs(got - truth[quantity]) > CLEARLY * allowed[quantity]
            found[fault.id, quantity] = off & np.isfinite(got)
    return found


MULTIPLIERS = {"combined": (0.9, 1.0)}
"""Some faults show only at the usual multiplier 1, some only at another."""


def pools(loss: str) -> list[Columns]:
    """Points to choose from: plain ones, and one block's.

    Args:
        loss: a loss id.

    Returns:
        For each multiplier arrays (N,) by name; cosines are values of float32, the
        rival no less than the other class.
    """
    usual = _usual(loss)
    own = (usual.get("multiplier"),)
    return [
        _pool(loss, usual if multiplier is None else usual | {"multiplier": multiplier})
        for multiplier in MULTIPLIERS.get(loss, own)
    ]


def _pool(loss: str, usual: Mapping[str, float]) -> Columns:
    plain = _plain(usual)
    drawn = block(loss, 5, size=400, dtype="float32")
    nearest = drawn["rival_cosine"].clip(-0.96875, 0.96875)
    drawn["other_cosine"] = in_dtype(nearest, "float32")
    joined = {name: np.concatenate([plain[name], drawn[name]]) for name in plain}
    inside = np.abs(joined["target_cosine"]) < 1
    inside &= joined["rival_cosine"] >= joined["other_cosine"]
    if LOSSES[loss].modifies_others:
        level = joined["curriculum"] + joined["other_cosine"]
        inside &= joined["rival_cosine"] >= joined["other_cosine"] * level
    kept = {name: column[inside] for name, column in joined.items()}
    return _one_multiplier(kept)


def _plain(usual: Mapping[str, float]) -> dict[str, Any]:
    """Short numbers: every target with every rival, scaler and norm."""
    levels = [LEVELS.get(name, (value,)) for name, value in usual.items()]
    grid = zip(*itertools.product(TARGETS, (0.5, 0.875, -0.25), *levels), strict=True)
    names = ("target_cosine", "rival_cosine", *usual)
    found = {n: np.array(column) for n, column in zip(names, grid, strict=True)}
    return {**found, "other_cosine": found["rival_cosine"].copy()}


def _one_multiplier(columns: dict[str, Any]) -> dict[str, Any]:
    if "multiplier" not in columns:
        return columns
    keep = columns["multiplier"] == columns["multiplier"][0]
    return {name: column[keep] for name, column in columns.items()}


def _usual(loss: str) -> dict[str, float]:
    own = recommended(loss)
    extra = {"curriculum": 0.25, "multiplier": 0.9, "angular_offset": 0.3}
    extra |= {"additive_offset": 0.2, "margin_scaler": 0.0}
    found = {name: own.get(name, extra.get(name, 0.0)) for name in parameters_of(loss)}
    two = len(MULTIPLIERS.get(loss, ())) > 1
    return found | ({"multiplier": MULTIPLIERS[loss][0]} if two else {})


def smallest_cover() -> list[RowQuestion]:
    """A greedy cover of all faults of all losses, and a row for every outside rule."""
    chosen = []
    for loss in LOSSES:
        parts = pools(loss)
        caught = [catches(loss, columns) for columns in parts]
        columns = {n: np.concatenate([part[n] for part in parts]) for n in parts[0]}
        found = {key: np.concatenate([c[key] for c in caught]) for key in caught[0]}
        ids = {fault for (fault, _), where in found.items() if where.any()}
        chosen += [
            RowQuestion(loss, "pure", quantity, _point(columns, index))
            for quantity, index in _greedy(found, ids)
        ]
    return [*chosen, *_outside()]


def _greedy(
    found: Mapping[tuple[str, str], Any], ids: set[str]
) -> Iterator[tuple[str, int]]:
    left = set(ids)
    while left:
        counts = {
            quantity: np.sum([found[fault, quantity] for fault in sorted(left)], axis=0)
            for quantity in COMPARED
        }
        quantity = max(COMPARED, key=lambda name: int(counts[name].max()))
        index = int(np.argmax(counts[quantity]))
        yield quantity, index
        left -= {fault for fault in left if found[fault, quantity][index]}


def _outside() -> Iterator[RowQuestion]:
    """One point past the threshold of every rule but the formula."""
    for rule in RULES.values():
        for loss in rule.losses if rule.id != "pure" else ():
            held = {"rival_cosine": 0.25, "other_cosine": 0.25, **_usual(loss)}
            targets = np.array([-0.9990234375, *TARGETS])
            given = {name: np.full(len(targets), v) for name, v in held.items()}
            given["target_cosine"] = targets
            own, plain = (
                numpy_values("gst", Cell(loss, p), given) for p in (rule.id, "pure")
            )
            place = int(np.argmax(np.abs(own - plain)))
            yield RowQuestion(loss, rule.id, "gst", _point(given, place))


def _point(columns: Columns, index: int) -> dict[str, float]:
    return {name: float(column[index]) for name, column in columns.items()}


def main() -> int:
    """Choose, compare with the file, and write it where that is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true", help="write the file")
    options = parser.parse_args()
    text = tier_text("smoke", smallest_cover())
    is_in_step = FILE.exists() and FILE.read_text(encoding="utf-8") == text
    if options.write and not is_in_step:
        FILE.write_text(text, encoding="utf-8")
    rows = text.count('{"loss":')
    print(f"{rows} rows; {FILE.name} {'is in step' if is_in_step else 'differs'}")
    return 0 if is_in_step or options.write else 1


if __name__ == "__main__":
    sys.exit(main())

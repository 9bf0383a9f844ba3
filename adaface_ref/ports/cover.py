"""Which value faults a set of vectors catches, and a small set that catches all."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from adaface_ref.evidence.truth.agreement import Question, parameters_of
from adaface_ref.evidence.truth.forms import Cell, numpy_values
from adaface_ref.faults.parts import Values, parts_of
from adaface_ref.faults.rows import FAULTS, Fault
from adaface_ref.points import block, in_dtype, recommended
from adaface_ref.ports.vectors import Asked
from adaface_ref.spec.losses import LOSSES
from adaface_ref.spec.profiles import RULES

Columns = Mapping[str, Any]

TOLD = ("logit", "gst", "other_logit", "other_gst", "slope")
"""Quantities by which a fault is caught."""

NO_NORMS = "shows only in norms or their statistics, which vectors do not hold"
NO_VALUE = "no value of this loss is off by more than is allowed, wherever tried"

TARGETS = (-0.96875, -0.5, 0.0, 0.25, 0.5, 0.8125, 0.9375, 0.9990234375)
LEVELS = {"margin_scaler": (-1.0, -0.5, 0.5, 1.0), "feature_norm": (20.0, 60.0, 150.0)}

CLEARLY = 4.0
"""A fault counts as caught where it is off by so many allowed errors."""


def answers(fault: Fault, loss: str, columns: Columns) -> dict[str, Any]:
    """What an implementation with a fault gives.

    Args:
        fault: a row of FAULTS.
        loss: a loss id.
        columns: arrays (N,) by name.

    Returns:
        Arrays (N,) by quantity.
    """
    own = {name: columns[name] for name in parameters_of(loss)}
    with np.errstate(all="ignore"):
        parts = parts_of(loss, own, columns["target_cosine"], columns["other_cosine"])
        return _quantities(fault.values(parts), columns)


def _quantities(v: Values, columns: Columns) -> dict[str, Any]:
    scale = columns["scale"]
    against = v.logit - scale * columns["rival_cosine"]
    odds = 1 / (1 + np.exp(against))
    weight = -odds if v.weight is None else v.weight
    share = np.exp(v.other_logit - scale * columns["rival_cosine"])
    return {
        "logit": v.logit,
        "slope": v.slope / scale,
        "probability": 1 / (1 + np.exp(-against)),
        "gst": weight * v.slope,
        "other_logit": v.other_logit,
        "other_gst": odds * share * v.other_slope,
    }


def faults_of(loss: str) -> list[Fault]:
    """The faults that a loss can have."""
    names = parameters_of(loss)
    return [fault for fault in FAULTS if not fault.needs or fault.needs in names]


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
    for quantity in TOLD:
        question = Question(quantity, loss, "pure", "float32", "theirs")
        truth[quantity] = numpy_values(quantity, Cell(loss, "pure"), columns)
        allowed[quantity] = question.allowed(columns, truth[quantity])
    for fault in faults_of(loss):
        given = answers(fault, loss, columns)
        for quantity in TOLD:
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
    return found | ({"multiplier": 0.9} if loss == "combined" else {})


def smallest() -> list[Asked]:
    """A greedy cover of all faults of all losses, and a row for every outside rule."""
    chosen = []
    for loss in LOSSES:
        parts = pools(loss)
        caught = [catches(loss, columns) for columns in parts]
        columns = {n: np.concatenate([part[n] for part in parts]) for n in parts[0]}
        found = {key: np.concatenate([c[key] for c in caught]) for key in caught[0]}
        ids = {fault for (fault, _), where in found.items() if where.any()}
        chosen += [
            Asked(loss, "pure", quantity, _point(columns, index))
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
            for quantity in TOLD
        }
        quantity = max(TOLD, key=lambda name: int(counts[name].max()))
        index = int(np.argmax(counts[quantity]))
        yield quantity, index
        left -= {fault for fault in left if found[fault, quantity][index]}


def _outside() -> Iterator[Asked]:
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
            yield Asked(loss, rule.id, "gst", _point(given, place))


def _point(columns: Columns, index: int) -> dict[str, float]:
    return {name: float(column[index]) for name, column in columns.items()}


def faults_in(
    rows: Sequence[Mapping[str, Any]],
) -> tuple[dict[str, dict[str, int]], dict[str, dict[str, list[str]]]]:
    """Which row catches each fault, and why no row catches the others.

    Args:
        rows: rows of vectors.

    Returns:
        Row numbers by loss and fault; faults by reason and loss.
    """
    caught: dict[str, dict[str, int]] = {}
    beyond: dict[str, dict[str, list[str]]] = {NO_NORMS: {}, NO_VALUE: {}}
    for loss in LOSSES:
        caught[loss] = dict(sorted(_first_catch(loss, rows).items()))
        columns = pools(loss)[0]
        for fault in faults_of(loss):
            if fault.id not in caught[loss]:
                unknown = bool(np.isnan(answers(fault, loss, columns)["logit"]).all())
                reason = NO_NORMS if unknown else NO_VALUE
                beyond[reason].setdefault(loss, []).append(fault.id)
    return caught, beyond


def _first_catch(loss: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for number, row in enumerate(rows):
        if row["loss"] != loss or row["profile"] != "pure":
            continue
        for fault in faults_of(loss):
            got = float(answers(fault, loss, columns_of(row))[row["quantity"]][0])
            true = float(row["float64"]["decimal"])
            if abs(got - true) > row["allowed"]["float32"]:
                found.setdefault(fault.id, number)
    return found


def columns_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row's inputs as arrays (1,), what it does not take filled in."""
    usual = {"target_cosine": 0.0, "rival_cosine": 0.5, "other_cosine": 0.5}
    given = {name: float(value["decimal"]) for name, value in row["inputs"].items()}
    return {name: np.asarray([value]) for name, value in {**usual, **given}.items()}

"""Finished sweeps: kept in a folder, and found again there or in the package."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

from adaface_ref.errors import DomainError
from adaface_ref.evidence.problem.problem import Problem, box_of_problem
from adaface_ref.files import write_whole
from adaface_ref.spec.language.box import describe

KEPT = "kept.json"
"""In a folder of sweeps: what is finished."""


class SweepRecord(NamedTuple):
    """Every cosine of a dtype, for one choice of the other inputs.

    Args:
        domain: the inputs, as text.
        dtype: whose cosines.
        total: how many there are in the domain, the poles included as limits.
        holds: where the claim holds.
        fails: where it does not.
        open: where it is not decided.
        oracle: how many were too close to tell and went to the oracle.
        failing: some of the cosines at which it fails.
        seconds: the time it took.
        device: where.
        made_by: the version that made it.
        kept: whether it comes from an earlier run.
    """

    domain: str
    dtype: str
    total: int
    holds: int
    fails: int
    open: int
    oracle: int
    failing: tuple[float, ...]
    seconds: float
    device: str
    made_by: str
    kept: bool


def find_record(
    part: Problem, folder: Path | None, *, packaged: bool
) -> SweepRecord | None:
    """The earlier float32 sweep of a claim, if there is one.

    Args:
        part: a claim on one box.
        folder: where to look.
        packaged: whether to look among those that came with the package, too.

    Returns:
        It, marked as kept.
    """
    key = _key_of(part)
    for row in (*_read(folder), *(_packaged_rows() if packaged else ())):
        if row["claim"] == key:
            fields = {**row["sweep"], "failing": tuple(row["sweep"]["failing"])}
            return SweepRecord(**{**fields, "kept": True})
    return None


def _key_of(part: Problem) -> dict[str, str]:
    return {
        "formula": " ".join(part.formula.split()),
        "loss": part.loss,
        "profile": part.profile,
        "box": describe(box_of_problem(part)),
    }


def _read(folder: Path | None) -> list[Any]:
    if folder is None or not (folder / KEPT).exists():
        return []
    path = folder / KEPT
    try:
        return _check_rows(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        must = "a list of sweeps, as `claims --sweeps` writes it"
        raise DomainError(f"{path}: {error!r}, but must be {must}") from None


def _check_rows(rows: Any) -> list[Any]:
    if not isinstance(rows, list):
        raise TypeError(type(rows).__name__)
    for row in rows:
        if not all(isinstance(text, str) for text in row["claim"].values()):
            raise TypeError("claim")
        fields = SweepRecord(**row["sweep"])
        if fields.holds + fields.fails + fields.open != fields.total:
            raise ValueError("counts")
    return rows


@cache
def _packaged_rows() -> tuple[Any, ...]:
    file = resources.files("adaface_ref.evidence.sweep") / KEPT
    if not file.is_file():
        return ()
    return tuple(json.loads(file.read_text(encoding="utf-8")))


def keep_record(folder: Path, part: Problem, row: SweepRecord) -> None:
    """Keeps a sweep in a folder if it is finished, in place of an earlier one."""
    if row.holds + row.fails + row.open != row.total:
        return
    entry: Mapping[str, Any] = {"claim": _key_of(part), "sweep": row._asdict()}
    rows = [old for old in _read(folder) if old["claim"] != entry["claim"]]
    text = json.dumps([*rows, entry], indent=1) + "\n"
    write_whole(folder / KEPT, text)

"""Test vectors as files: what each tier asks, and its text."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from adaface_ref.errors import DomainError
from adaface_ref.evidence.truth.agreement import parameters_of
from adaface_ref.points import block, corner_count
from adaface_ref.ports.export.stable import QUANTITIES, profiles_of
from adaface_ref.ports.pipe.bits import decode
from adaface_ref.ports.vectors.faults import faults_in
from adaface_ref.ports.vectors.flags import FLAGS
from adaface_ref.ports.vectors.question import RowQuestion
from adaface_ref.ports.vectors.rows import row_of
from adaface_ref.spec.losses import LOSSES
from adaface_ref.spec.profiles import parse

FORMAT = 1
SEED = 20
PLAIN = 6
"""Plain points of each loss and profile in the full tier."""


def full_questions() -> Iterator[RowQuestion]:
    """Plain points of every loss, profile and quantity."""
    for loss in LOSSES:
        for profile in profiles_of(loss):
            columns = block(loss, SEED, profile=profile, size=200, dtype="float32")
            corners = corner_count(loss, profile, "float32")
            chosen = range(corners, corners + PLAIN)
            yield from _questions_at(loss, profile, columns, chosen)


def hard_questions() -> Iterator[RowQuestion]:
    """Corners, and where these losses go wrong: poles, zeros, borders, subnormals."""
    for loss in LOSSES:
        for profile in profiles_of(loss):
            columns = block(loss, SEED, profile=profile, size=200, dtype="float32")
            corners = corner_count(loss, profile, "float32")
            cosines = np.abs(columns["target_cosine"])
            near = corners + np.flatnonzero(cosines[corners:] > 0.99)[:4]
            tail = range(cosines.size - 6, cosines.size)
            chosen = dict.fromkeys([*range(0, corners, 4), *near.tolist(), *tail])
            yield from _questions_at(loss, profile, columns, chosen)


def _questions_at(
    loss: str, profile: str, columns: Mapping[str, Any], chosen: Iterable[int]
) -> Iterator[RowQuestion]:
    # A detached profile differs in what sees the gradient alone.
    seen = ("slope", "gst", "other_gst") if parse(profile).detached else QUANTITIES
    for index in chosen:
        point = {name: float(column[index]) for name, column in columns.items()}
        for quantity in seen:
            yield RowQuestion(loss, profile, quantity, point)


def questions_in(text: str) -> list[RowQuestion]:
    """The questions of a file of vectors.

    Args:
        text: what `tier_text` gave.

    Returns:
        One a row.
    """
    return [
        RowQuestion(
            row["loss"],
            row["profile"],
            row["quantity"],
            {
                name: float(decode(value["bits"], "float64")[0])
                for name, value in row["inputs"].items()
            },
        )
        for row in json.loads(text)["rows"]
    ]


def smoke_text() -> str:
    """The smoke tier as it came with the package."""
    folder = files("adaface_ref.spec") / "vectors"
    return (folder / "smoke.json").read_text(encoding="utf-8")


def tier_text(tier: str, questions: Sequence[RowQuestion]) -> str:
    """A tier as text: JSON, one row a line.

    Args:
        tier: its name.
        questions: what its rows ask.

    Returns:
        The same bytes for the same version.
    """
    rows = [row_of(question) for question in questions]
    caught, out_of_reach = faults_in(rows) if tier == "smoke" else ({}, {})
    head = {
        "format": FORMAT,
        "package": f"adaface-ref {version('adaface-ref')}",
        "tier": tier,
        "about": "bits are big-endian IEEE 754; low and high enclose the true value; "
        "float64 and float32 are correctly rounded; an answer may be off the true "
        "value by `allowed` of its dtype, and at a pole be 0 or anything of the "
        "limit's sign; what `faults` names is caught by the row of that number, and "
        "`beyond` says what no row can catch.",
        "flags": FLAGS,
        "parameters": {loss: list(parameters_of(loss)) for loss in LOSSES},
        "faults": caught,
        "beyond": out_of_reach,
    }
    lines = [json.dumps({name: value})[1:-1] for name, value in head.items()]
    body = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    return "{" + ",\n".join(lines) + ',\n"rows": [\n' + body + "\n]}\n"


def write_vectors(folder: Path, tiers: Iterable[str]) -> list[Path]:
    """Write tiers of vectors, and their schema.

    Args:
        folder: where; it is made if it is not there.
        tiers: of smoke, full and hard.

    Returns:
        The files.

    Raises:
        DomainError: the folder cannot be written.
    """
    make = {"full": full_questions, "hard": hard_questions}
    schema = files("adaface_ref.spec") / "vectors" / "vectors.schema.json"
    texts = {"vectors.schema.json": schema.read_text(encoding="utf-8")}
    paths = []
    with _refusals_in_a_line(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass  # finds out before the work that it can be written
    for tier in tiers:
        smoke = tier == "smoke"
        questions = questions_in(smoke_text()) if smoke else list(make[tier]())
        texts[f"{tier}.json"] = tier_text(tier, questions)
    with _refusals_in_a_line(folder):
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
            paths.append(folder / name)
    return paths


@contextmanager
def _refusals_in_a_line(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        must = f"a folder that can be written ({error.strerror})"
        raise DomainError(f"DIR={folder}, but must be {must} [vectors]") from None

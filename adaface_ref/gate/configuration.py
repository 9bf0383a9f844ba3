"""[tool.adaface-ref] of a pyproject.toml: the heads to judge, and how.

[tool.adaface-ref]
effort = "quick"                 # for all heads; each may have its own
baseline = "accepted.json"

[[tool.adaface-ref.head]]
target = "my_project/heads.py:ArcFace"
loss = "arcface"
profile = "fallback"
arguments = { scale = 30.0 }
accept = ["jump"]
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from adaface_ref.errors import DomainError
from adaface_ref.files import read_text
from adaface_ref.gate.head.settings import SETTINGS, Head
from adaface_ref.numpy_reference import DEFINED, LOSSES, parse_profile
from adaface_ref.report.user_tables import Field, one_of, read_fields, word


@dataclass(frozen=True)
class Configuration:
    """What a file says.

    Args:
        heads: to judge.
        common: settings for heads that the command line names.
        baseline: the file of accepted findings, or None.
        file: where it was read; None where there is none.
    """

    heads: tuple[Head, ...] = ()
    common: Mapping[str, Any] = field(default_factory=dict)
    baseline: Path | None = None
    file: Path | None = None


OWN = {row.name.replace("_", "-"): Field(row.must, row.fits)
       for row in SETTINGS}  # fmt: skip
"""What may stand in a [[tool.adaface-ref.head]]."""

COMMON = {row.name.replace("_", "-"): OWN[row.name.replace("_", "-")]
          for row in SETTINGS if row.common}  # fmt: skip
"""What may stand in [tool.adaface-ref], for all heads."""

TOP = COMMON | {
    "baseline": word("a file"),
    "head": Field(
        "tables [[tool.adaface-ref.head]]",
        lambda v: isinstance(v, list) and all(isinstance(item, dict) for item in v),
    ),
}

HEAD = OWN | {
    "target": word("package.module:name or path/file.py:name", required=True),
    "loss": one_of(LOSSES, required=True),
}


def schema() -> dict[str, Any]:
    """The table [tool.adaface-ref] as a JSON Schema, for editors and for programs."""
    rows = {row.name.replace("_", "-"): (row, row.schema) for row in SETTINGS}
    common = {name: found for name, (row, found) in rows.items() if row.common}
    own = {name: found for name, (_, found) in rows.items()}
    text = {"type": "string", "minLength": 1}
    head = {
        "type": "object",
        "properties": own | {"target": text, "loss": {"enum": list(LOSSES)}},
        "required": ["target", "loss"],
        "additionalProperties": False,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "[tool.adaface-ref] of a pyproject.toml",
        "type": "object",
        "properties": common
        | {"baseline": text, "head": {"type": "array", "items": head}},
        "additionalProperties": False,
    }


def find_configuration(folder: Path) -> Configuration:
    """The nearest pyproject.toml with a [tool.adaface-ref], from a folder upwards.

    Args:
        folder: where to begin.

    Returns:
        What it says; an empty configuration where there is none.

    Raises:
        DomainError: a file is not valid.
    """
    for place in (folder, *folder.parents):
        file = place / "pyproject.toml"
        if file.is_file():
            return read_configuration(file, required=False)
    return Configuration()


def read_configuration(file: Path, *, required: bool = True) -> Configuration:
    """Read one file.

    Args:
        file: a TOML file with a table [tool.adaface-ref].
        required: whether it must have that table.

    Returns:
        What it says; targets and the baseline are taken relative to the file.

    Raises:
        DomainError: it cannot be read, is no TOML, or holds a mistake.
    """
    try:
        data = tomllib.loads(read_text(file, "--config"))
    except tomllib.TOMLDecodeError as error:
        raise DomainError(f"{file}: not valid TOML: {error}") from None
    tool = data.get("tool")
    table = tool.get("adaface-ref") if isinstance(tool, dict) else None
    if table is None and not required:
        return Configuration()
    if not isinstance(table, dict):
        raise DomainError(f"{file}: must have a table [tool.adaface-ref]")
    top = read_fields(table, TOP, f"{file}: [tool.adaface-ref]")
    rows, baseline = top.pop("head", []), top.pop("baseline", None)
    common = _as_fields(top)
    heads = []
    for number, row in enumerate(rows, 1):
        own = read_fields(row, HEAD, f"{file}: head {number}")
        own["target"] = _from(file.parent, own["target"])
        heads.append(Head(**{**common, **_as_fields(own)}))
        _require_profile(heads[-1], f"{file}: head {number}")
    _require_different(heads, file)
    where = None if baseline is None else file.parent / baseline
    return Configuration(tuple(heads), common, where, file)


def add_head(
    file: Path | None, target: str | None, given: Mapping[str, Any]
) -> tuple[Path, str]:
    """Add a head to a pyproject.toml, with the table [tool.adaface-ref] if that lacks.

    Args:
        file: the file; the nearest pyproject.toml, or a new one here, when left out.
        target: the head.
        given: its loss, and the profile if it must have one.

    Returns:
        The file and its new text; the caller writes it.

    Raises:
        DomainError: the target or its loss is not given, the file holds a mistake, or
            the head is in it.
    """
    if target is None or "loss" not in given:
        raise DomainError("--init adds a head: give TARGET and --loss NAME [gate]")
    here = Path.cwd()
    places = (place / "pyproject.toml" for place in (here, *here.parents))
    file = file or next(filter(Path.is_file, places), here / "pyproject.toml")
    text = read_text(file, "--config") if file.exists() else ""
    known = read_configuration(file, required=False) if text else Configuration()
    if any((head.target, head.loss) == (target, given["loss"]) for head in known.heads):
        raise DomainError(f"{file}: {target} is one of its heads already")
    lines = [] if known.file else ["[tool.adaface-ref]", 'effort = "quick"', ""]
    place, colon, name = target.rpartition(":")
    if colon and place.endswith(".py"):
        path = os.path.relpath(place, file.parent.resolve())
        target = f"{Path(path).as_posix()}:{name}"
    lines += ["[[tool.adaface-ref.head]]"]
    rows = {
        "target": target,
        **{k: given[k] for k in ("loss", "profile") if k in given},
    }
    lines += [f"{key} = {json.dumps(value)}" for key, value in rows.items()]
    gap = "\n" * (bool(text) + (not text.endswith("\n") and bool(text)))
    return file, f"{text}{gap}" + "\n".join([*lines, ""])


def chosen(
    configuration: Configuration, target: str | None, given: Mapping[str, Any]
) -> tuple[Head, ...]:
    """The heads to judge: all of the file, or the one that the command line names.

    Args:
        configuration: what the file says.
        target: the command line's TARGET, if there is one.
        given: settings that the command line gives; they win.

    Returns:
        At least one head.

    Raises:
        DomainError: there is none, or it lacks its loss.
    """
    if target is None:
        own = [
            name
            for name in ("loss", "profile", "adapter", "arguments")
            if name in given
        ]
        if own:
            raise DomainError(f"{own[0]} was given, but TARGET was not [gate]")
        if not configuration.heads:
            where = configuration.file or "a pyproject.toml"
            must = f"given, or be in a [[tool.adaface-ref.head]] of {where}"
            raise DomainError(f"TARGET must be {must} [gate]")
        return tuple(replace(head, **given) for head in configuration.heads)
    known = [head for head in configuration.heads if head.target == target]
    if "loss" in given:
        known = [head for head in known if head.loss == given["loss"]]
    if len(known) == 1:
        return (replace(known[0], **given),)
    if "loss" not in given:
        must = "given with TARGET: --loss NAME"
        raise DomainError(f"loss must be {must} [gate]")
    return (Head(target, **{**configuration.common, **given}),)


def _as_fields(table: Mapping[str, Any]) -> dict[str, Any]:
    """As the fields of Head have it."""
    return {
        name.replace("-", "_"): tuple(value) if isinstance(value, list) else value
        for name, value in table.items()
    }


def _from(folder: Path, target: str) -> str:
    """A target in a file of that folder, named from the working directory."""
    place, colon, name = target.rpartition(":")
    if not colon or not place.endswith(".py"):
        return target
    path = os.path.relpath(folder.resolve() / place)
    return f"{Path(path).as_posix()}:{name}"


def _require_profile(head: Head, where: str) -> None:
    """Before any head is judged, not when it is this one's turn."""
    if head.profile == "auto":
        return
    try:
        rule = parse_profile(head.profile).rule
    except DomainError as error:
        raise DomainError(f"{where}: {error}") from None
    if rule not in DEFINED[head.loss]:
        must = f"defined for {head.loss}: {', '.join(DEFINED[head.loss])}"
        raise DomainError(f"{where}: profile={head.profile}, but must be {must}")


def _require_different(heads: list[Head], file: Path) -> None:
    names = [(head.target, head.loss, head.profile) for head in heads]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise DomainError(
                f"{file}: head {number + 1}: target={name[0]}, but must be another "
                f"than that of head {names.index(name) + 1}, or have another profile"
            )

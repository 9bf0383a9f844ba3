"""Finds the head that the user names. A name is looked up, never evaluated."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

from adaface_ref.gate.guarding.errors import SubjectError, target_error
from adaface_ref.gate.guarding.guard import IMPORTING, calling


@dataclass(frozen=True)
class Target:
    """A resolved target and the lines that import it again."""

    name: str
    object: object
    import_lines: tuple[str, ...]


def resolve(target: object) -> Target:
    """Find a head.

    Args:
        target: `package.module:name`, `path/file.py:name`, or the head itself.

    Returns:
        The head, its printed name and its import lines.

    Raises:
        TargetError: nothing of that name is there, or it cannot be called.
        SubjectError: its module raises when imported.
    """
    if not isinstance(target, str):
        found = _from_object(target)
    else:
        place, separator, name = target.rpartition(":")
        names = name.split(".")
        if not separator or not place or not all(n.isidentifier() for n in names):
            raise target_error(target, "package.module:name or path/file.py:name")
        if place.endswith(".py"):
            found = _from_file(target, Path(place), names)
        else:
            found = _from_module(target, place, names)
    if not callable(found.object):
        kind = type(found.object).__name__
        raise target_error(found.name, f"callable, not of type {kind}")
    return found


def _from_object(target: object) -> Target:
    module = getattr(target, "__module__", None)
    name = getattr(target, "__qualname__", None)
    if not module or not name or "<" in name or module == "__main__":
        shown = name or f"an instance of {type(target).__name__}"
        return Target(str(shown), target, ("subject = ...  # your head",))
    first, *rest = name.split(".")
    path = ".".join(["subject", *rest])
    lines = [f"from {module} import {first} as subject"]
    if rest:
        lines.append(f"subject = {path}")
    return Target(f"{module}:{name}", target, tuple(lines))


OF_THE_EXTRA = ("pytorch_metric_learning", "transformers")


def _from_module(target: str, module_name: str, names: list[str]) -> Target:
    if not re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)*", module_name):
        raise target_error(target, "package.module:name or path/file.py:name")
    _search_also(os.getcwd())
    try:
        with calling(f"{IMPORTING} {module_name}"):
            module = importlib.import_module(module_name)
    except SubjectError as stopped:
        missing = getattr(stopped.__cause__, "name", None) or ""
        absent = isinstance(stopped.__cause__, ModuleNotFoundError)
        if absent and (module_name + ".").startswith(missing + "."):
            hint = " (the extra heads brings it)" if missing in OF_THE_EXTRA else ""
            must = f"importable, and there is no module {missing}{hint}"
            raise target_error(target, must) from None
        raise
    lines = [f"from {module_name} import {names[0]} as subject"]
    if len(names) > 1:
        lines.append("subject = " + ".".join(["subject", *names[1:]]))
    return Target(target, _attribute(target, module, names), tuple(lines))


def _from_file(target: str, path: Path, names: list[str]) -> Target:
    if not path.is_file():
        raise target_error(target, f"in a file, and there is no file {path}")
    path = path.resolve()
    folder, package = _package_of(path)
    if package:
        _search_also(str(folder))
        found = _from_module(target, package, names)
        line = f"import sys\nsys.path.append({str(folder)!r})"
        return replace(found, import_lines=(line, *found.import_lines))
    name = f"_head_{re.sub(r'[^0-9a-zA-Z]', '_', str(path))}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise target_error(target, "in a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    _search_also(str(path.parent))
    with calling(f"{IMPORTING} {path.name}"):
        spec.loader.exec_module(module)
    lines = [
        "import runpy, sys",
        f"sys.path.append({str(path.parent)!r})",
        f"subject = runpy.run_path({str(path)!r})[{names[0]!r}]",
    ]
    if len(names) > 1:
        lines.append("subject = " + ".".join(["subject", *names[1:]]))
    return Target(target, _attribute(target, module, names), tuple(lines))


def _package_of(path: Path) -> tuple[Path, str]:
    """The folder above a file's package and its dotted name there, or ""."""
    names = [path.stem]
    folder = path.parent
    while (folder / "__init__.py").is_file() and folder.name.isidentifier():
        names.insert(0, folder.name)
        folder = folder.parent
    return folder, ".".join(names) if len(
        names
    ) > 1 and path.stem.isidentifier() else ""


def _attribute(target: str, module: ModuleType, names: list[str]) -> object:
    found: object = module
    for name in names:
        with calling(f"looking for {name}"):
            there = hasattr(found, name)
        if not there:
            owner = getattr(found, "__name__", module.__name__)
            if owner.startswith("_head_"):
                owner = target.rpartition(":")[0]
            raise target_error(target, f"there, and {owner} has no {name}")
        found = getattr(found, name)
    return found


def _search_also(folder: str) -> None:
    """Let the head import its neighbours, now and later, as a script could."""
    if folder not in sys.path:
        sys.path.append(folder)

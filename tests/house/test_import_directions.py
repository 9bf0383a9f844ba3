"""The house's import directions, read from the import statements themselves.

A room imports from the floors below its own alone. `numpy_reference`, `torch_heads`
and `spec` import none of each other: agreement of forms that share code would prove
nothing.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]

FORMS = {"spec", "numpy_reference", "torch_heads"}

FLOORS: tuple[tuple[str, ...], ...] = (
    ("errors", "column", "spec", "choices"),
    ("spec.language", "numpy_reference", "torch_heads", "running_statistics"),
    ("tolerance", "processes", "compiler"),
    ("margins",),
    ("points",),
    ("evidence.truth",),
    ("evidence.problem", "evidence.functions"),
    ("evidence.search", "evidence.proof"),
    ("evidence.sweep",),
    ("evidence",),
    ("faults", "report"),
    ("gate.guarding",),
    ("gate.reading",),
    ("gate.head",),
    ("gate.statistics",),
    ("gate.session",),
    ("gate.twin",),
    ("gate.measured",),
    ("gate.checks",),
    ("gate.isolation",),
    ("gate", "ports.pipe", "ports.export"),
    ("ports.comparison", "ports.vectors"),
    ("ports.checks",),
    ("ports",),
    ("pictures",),
    ("pictures.drawing",),
    ("pictures.pages",),
    ("cli.printing",),
    ("cli",),
)
"""The rooms, from the ground up."""

ALONE: dict[str, set[str]] = {
    "spec": set(),
    "spec.language": {"spec"},
    "numpy_reference": {"errors", "column"},
    "torch_heads": {"errors", "column"},
    "running_statistics": {"errors"},
    "tolerance": {"errors", "spec"},
    "compiler": {"spec"},
    "margins": {"compiler", "spec"},
    "points": {"errors", "spec", "tolerance", "margins"},
}
"""Rooms that may import less than all that stands below them."""

APART = (("ports", "gate"), ("report", "evidence"), ("pictures", "gate"))
"""What the first, and all rooms in it, import nothing of."""

FROM_OUTSIDE: dict[str, set[str]] = {
    "errors": set(),
    "column": set(),
    "spec": {"sympy"},
    "spec.language": {"sympy"},
    "numpy_reference": {"numpy"},
    "running_statistics": {"numpy"},
    "torch_heads": {"torch"},
}
"""The packages from outside that a room may import; one without a row may any."""

MOST_FILES = 14
"""In a folder, so that it can be taken in at a glance."""


def _modules() -> dict[str, Path]:
    """Every module of the house by the name it is installed under."""
    found = {}
    for folder, package in (("adaface_ref", ""), ("spec", "adaface_ref.")):
        for path in sorted((CHECKOUT / folder).rglob("*.py")):
            parts = path.relative_to(CHECKOUT).with_suffix("").parts
            if parts[:2] != ("adaface_ref", "spec"):  # a link, in a development tree
                name = package + ".".join(p for p in parts if p != "__init__")
                found[name] = path
    return found


MODULES = _modules()
ROOMS = [room for floor in FLOORS for room in floor]
FLOOR_OF = {room: number for number, floor in enumerate(FLOORS) for room in floor}


def room_of(name: str) -> str:
    """`evidence.truth` for anything in adaface_ref.evidence.truth; "" for the top."""
    inside = name.removeprefix("adaface_ref").lstrip(".").replace("__main__", "cli")
    parts = inside.split(".")
    rooms = (".".join(parts[:end]) for end in range(len(parts), 0, -1))
    return next((room for room in rooms if room in FLOOR_OF), "")


def may_import(room: str, other: str) -> bool:
    """Whether a room may import another."""
    if other in ("", room):
        return True
    if room in ALONE:
        return other in ALONE[room]
    return FLOOR_OF[other] < FLOOR_OF[room] and not any(
        room.split(".")[0] == one and other.split(".")[0] == far for one, far in APART
    )


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    above = package.split(".")[: len(package.split(".")) - node.level + 1]
    return ".".join(above + ([node.module] if node.module else []))


def _imported(source: str, package: str) -> Iterator[str]:
    """The dotted name of all that is imported, at whatever depth it stands."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import():
                yield from (alias.name for alias in node.names)
            case ast.ImportFrom():
                start = _absolute(node, package)
                yield from (f"{start}.{alias.name}" for alias in node.names)
            case ast.Call(
                func=ast.Attribute(attr="import_module") | ast.Name(id="import_module"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                yield package + name if name.startswith(".") else name
            case ast.Call(
                func=ast.Name(id="__import__"), args=[ast.Constant(value=str(name)), *_]
            ):
                yield name


def violations(module: str, source: str, *, is_package: bool = False) -> set[str]:
    """The names that `module` imports against the tables above."""
    room = room_of(module)
    package = module if is_package else module.rpartition(".")[0]
    wrong = set()
    for name in _imported(source, package):
        top = name.partition(".")[0]
        if top == "adaface_ref":
            if not may_import(room, room_of(name)):
                wrong.add(name)
        elif top == "spec" or not (
            top in sys.stdlib_module_names
            or room not in FROM_OUTSIDE
            or top in FROM_OUTSIDE[room]
        ):
            wrong.add(name)
    return wrong


def test_every_module_belongs_to_a_room() -> None:
    lost = [module for module in MODULES if not room_of(module)]
    assert lost == ["adaface_ref"]


def test_every_room_is_there() -> None:
    there = {room_of(module) for module in MODULES}
    assert [room for room in ROOMS if room not in there] == []


def test_the_three_forms_import_none_of_each_other() -> None:
    assert not any(may_import(a, b) for a in FORMS for b in FORMS - {a})


def test_the_package_itself_is_empty() -> None:
    assert MODULES["adaface_ref"].read_text(encoding="utf-8").strip() == ""


@pytest.mark.parametrize("module", sorted(MODULES.keys() - {"adaface_ref"}))
def test_module_imports_from_the_floors_below_its_own(module: str) -> None:
    path = MODULES[module]
    source = path.read_text(encoding="utf-8")
    assert violations(module, source, is_package=path.name == "__init__.py") == set()


def test_modules_import_each_other_without_a_circle() -> None:
    graph = {}
    for module, path in MODULES.items():
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        names = set(_imported(path.read_text(encoding="utf-8"), package))
        names |= {name.rpartition(".")[0] for name in names - MODULES.keys()}
        graph[module] = (names & MODULES.keys()) - {module}
    TopologicalSorter(graph).prepare()  # raises CycleError


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_are_absolute(module: str) -> None:
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert [node.module for node in nodes if node.level] == []


@pytest.mark.parametrize(
    "folder",
    [
        folder
        for top in ("adaface_ref", "spec", "tests", "benchmarks", "docs")
        for folder in (CHECKOUT / top, *(CHECKOUT / top).rglob("*/"))
        if not {"__pycache__", ".mypy_cache"} & set(folder.parts)
    ],
    ids=lambda folder: folder.relative_to(CHECKOUT).as_posix(),
)
def test_folder_can_be_taken_in_at_a_glance(folder: Path) -> None:
    files = [path.name for path in folder.glob("*.py")]
    assert len(files) <= MOST_FILES


@pytest.mark.parametrize(
    ("module", "source", "offending"),
    [
        ("numpy_reference", "import adaface_ref.spec", "adaface_ref.spec"),
        ("numpy_reference", "from adaface_ref import spec", "adaface_ref.spec"),
        ("numpy_reference", "from . import torch_heads", "adaface_ref.torch_heads"),
        ("numpy_reference", "import torch", "torch"),
        ("numpy_reference", "def f():\n    import sympy", "sympy"),
        ("torch_heads", "from .spec import gst", "adaface_ref.spec.gst"),
        ("torch_heads", "import numpy as np", "numpy"),
        (
            "torch_heads.modules",
            "from ..points import block",
            "adaface_ref.points.block",
        ),
        ("running_statistics", "import torch.nn", "torch.nn"),
        (
            "spec.gst",
            "from ..errors import DomainError",
            "adaface_ref.errors.DomainError",
        ),
        ("spec.gst", "import numpy", "numpy"),
        ("spec.gst", "import spec.losses", "spec.losses"),
        (
            "spec.losses",
            "from adaface_ref.spec.language import box",
            "adaface_ref.spec.language.box",
        ),
        (
            "evidence.truth.oracle",
            "from adaface_ref.gate.checks import runner",
            "adaface_ref.gate.checks.runner",
        ),
        ("evidence.verify", "from adaface_ref import cli", "adaface_ref.cli"),
        ("evidence.verify", "from spec.losses import LOSSES", "spec.losses.LOSSES"),
        (
            "gate.checks.runner",
            "from adaface_ref.cli import main",
            "adaface_ref.cli.main",
        ),
        (
            "gate.reading.leaf",
            "from adaface_ref.gate.session.session import Session",
            "adaface_ref.gate.session.session.Session",
        ),
        (
            "ports.checks.poles",
            "from adaface_ref.gate.measured import cause",
            "adaface_ref.gate.measured.cause",
        ),
        (
            "gate.configuration",
            "import importlib\nimportlib.import_module('adaface_ref.cli')",
            "adaface_ref.cli",
        ),
        ("errors", "import numpy", "numpy"),
        (
            "points",
            "from adaface_ref.evidence.truth.oracle import value",
            "adaface_ref.evidence.truth.oracle.value",
        ),
    ],
)
def test_violation_is_found(module: str, source: str, offending: str) -> None:
    package = module in ("numpy_reference", "torch_heads")
    source = source.replace("from .", "from ..") if package else source
    found = violations(f"adaface_ref.{module}", source, is_package=package)
    assert found == {offending}


def test_violation_in_a_package_module_is_found() -> None:
    found = violations("adaface_ref.evidence", "from ..gate import x", is_package=True)
    assert found == {"adaface_ref.gate.x"}


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("spec.gst", "import math\nfrom adaface_ref.spec.losses import LOSSES"),
        ("numpy_reference", "from adaface_ref.errors import domain_error"),
        ("evidence.truth.oracle", "from adaface_ref.spec.gst import gst"),
        ("gate.checks.runner", "from adaface_ref.evidence.truth import agreement"),
        ("cli", "from adaface_ref.gate import check_head"),
    ],
)
def test_lawful_import_is_not_a_violation(module: str, source: str) -> None:
    assert violations(f"adaface_ref.{module}", source) == set()

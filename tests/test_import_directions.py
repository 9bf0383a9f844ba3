"""The house's import directions, read from the import statements themselves.

`numpy_reference`, `torch_heads` and `spec` import none of each other: agreement of
forms that share code would prove nothing. Every torch_* module belongs to torch_heads.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]

FORMS = {"spec", "numpy_reference", "torch_heads"}
FOUNDATION = FORMS | {"errors", "running_statistics", "tolerance", "points"}

# part of the house -> the other parts it may import
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "spec": set(),
    "numpy_reference": {"errors"},
    "running_statistics": {"errors"},
    "torch_heads": {"errors"},
    "tolerance": {"errors", "spec"},
    "points": {"errors", "spec", "tolerance"},
    "evidence": FOUNDATION,
    "gate": FOUNDATION | {"evidence"},
    "ports": FOUNDATION | {"evidence", "gate"},
    "pictures": FOUNDATION | {"evidence", "ports"},
    "tables": FOUNDATION | {"evidence", "gate"},
    "cli": FOUNDATION | {"evidence", "gate", "ports", "pictures", "tables"},
}

# part -> the packages from outside that it may import; a part without a row may any
FROM_OUTSIDE: dict[str, set[str]] = {
    "errors": set(),
    "spec": {"sympy"},
    "numpy_reference": {"numpy"},
    "running_statistics": {"numpy"},
    "torch_heads": {"torch"},
}

KNOWN = {
    "adaface_ref",
    "adaface_ref.cli",
    "adaface_ref.errors",
    "adaface_ref.evidence.agreement",
    "adaface_ref.evidence.evaluate",
    "adaface_ref.evidence.oracle",
    "adaface_ref.gate.plugin",
    "adaface_ref.numpy_reference",
    "adaface_ref.points",
    "adaface_ref.running_statistics",
    "adaface_ref.spec.gst",
    "adaface_ref.spec.losses",
    "adaface_ref.spec.printed",
    "adaface_ref.spec.profiles",
    "adaface_ref.spec.symbols",
    "adaface_ref.tolerance",
    "adaface_ref.torch_heads",
}


def _modules() -> dict[str, Path]:
    """Every module of the house by the name it is installed under."""
    found = {}
    for folder, package in (("adaface_ref", ""), ("spec", "adaface_ref.")):
        for path in sorted((CHECKOUT / folder).rglob("*.py")):
            parts = path.relative_to(CHECKOUT).with_suffix("").parts
            found[package + ".".join(p for p in parts if p != "__init__")] = path
    return found


MODULES = _modules()


def _part(module: str) -> str:
    """`evidence` for adaface_ref.evidence.oracle; empty for adaface_ref itself."""
    part = module.partition(".")[2].partition(".")[0].replace("__main__", "cli")
    form = {"torch": "torch_heads", "numpy": "numpy_reference"}
    return form.get(part.partition("_")[0], part)


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
    part = _part(module)
    package = module if is_package else module.rpartition(".")[0]
    wrong = set()
    for name in _imported(source, package):
        top = name.partition(".")[0]
        if top == "adaface_ref":
            allowed = {part} | MAY_IMPORT[part]
            if _part(name) not in allowed:
                wrong.add(name)
        elif top == "spec" or not (
            top in sys.stdlib_module_names
            or part not in FROM_OUTSIDE
            or top in FROM_OUTSIDE[part]
        ):
            wrong.add(name)
    return wrong


def _absolute_imports_of_the_house(source: str) -> set[str]:
    tree = ast.parse(source)
    froms = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and not n.level]
    plain = [n for n in ast.walk(tree) if isinstance(n, ast.Import)]
    names = {n.module or "" for n in froms} | {a.name for n in plain for a in n.names}
    return {n for n in names if n.partition(".")[0] in {"adaface_ref", "spec"}}


def test_every_known_module_is_read() -> None:
    assert sorted(KNOWN - MODULES.keys()) == []


def test_every_module_belongs_to_a_part_with_a_row() -> None:
    parts = {_part(module) for module in MODULES} - {""}
    assert sorted(parts - MAY_IMPORT.keys()) == []


def test_the_three_forms_are_allowed_none_of_each_other() -> None:
    for form in FORMS:
        assert not MAY_IMPORT[form] & FORMS


def test_nothing_may_import_the_command_line() -> None:
    assert not any("cli" in allowed for allowed in MAY_IMPORT.values())


def test_evidence_may_import_nothing_that_stands_on_it() -> None:
    assert not MAY_IMPORT["evidence"] & {"gate", "ports", "cli"}


def test_the_package_itself_is_empty() -> None:
    assert MODULES["adaface_ref"].read_text(encoding="utf-8").strip() == ""


@pytest.mark.parametrize("module", sorted(MODULES.keys() - {"adaface_ref"}))
def test_module_imports_in_the_house_directions_only(module: str) -> None:
    path = MODULES[module]
    source = path.read_text(encoding="utf-8")
    assert violations(module, source, is_package=path.name == "__init__.py") == set()


@pytest.mark.parametrize("module", sorted(m for m in MODULES if _part(m) == "spec"))
def test_spec_imports_itself_by_relative_names(module: str) -> None:
    source = MODULES[module].read_text(encoding="utf-8")
    assert _absolute_imports_of_the_house(source) == set()


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
        ("torch_modules", "from .points import block", "adaface_ref.points.block"),
        ("running_statistics", "import torch.nn", "torch.nn"),
        (
            "spec.gst",
            "from ..errors import DomainError",
            "adaface_ref.errors.DomainError",
        ),
        ("spec.gst", "import numpy", "numpy"),
        ("spec.gst", "import spec.losses", "spec.losses"),
        ("evidence.oracle", "from ..gate import runner", "adaface_ref.gate.runner"),
        ("evidence.oracle", "from adaface_ref import cli", "adaface_ref.cli"),
        ("evidence.oracle", "from spec.losses import LOSSES", "spec.losses.LOSSES"),
        ("gate.runner", "from ..cli import main", "adaface_ref.cli.main"),
        (
            "gate.runner",
            "import importlib\nimportlib.import_module('adaface_ref.cli')",
            "adaface_ref.cli",
        ),
        ("errors", "import numpy", "numpy"),
        (
            "points",
            "from .evidence.oracle import value",
            "adaface_ref.evidence.oracle.value",
        ),
    ],
)
def test_violation_is_found(module: str, source: str, offending: str) -> None:
    assert violations(f"adaface_ref.{module}", source) == {offending}


def test_violation_in_a_package_module_is_found() -> None:
    found = violations("adaface_ref.evidence", "from ..gate import x", is_package=True)
    assert found == {"adaface_ref.gate.x"}


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("spec.gst", "import math\nfrom sympy import diff\nfrom .losses import LOSSES"),
        ("numpy_reference", "import numpy as np\nfrom .errors import domain_error"),
        ("evidence.oracle", "import flint\nfrom ..spec.gst import gst"),
        ("gate.runner", "import torch\nfrom ..evidence.agreement import judge"),
        ("cli", "from .gate import check_head\nfrom .evidence import agreement"),
    ],
)
def test_lawful_import_is_not_a_violation(module: str, source: str) -> None:
    assert violations(f"adaface_ref.{module}", source) == set()

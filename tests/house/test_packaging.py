"""What an installation holds, seen from outside the checkout."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


def _run(code: str, outside: Path) -> subprocess.CompletedProcess[str]:
    """Run `code` in a new interpreter whose path holds no part of the checkout."""
    command = [sys.executable, "-E", "-c", code]
    return subprocess.run(
        command, cwd=outside, capture_output=True, text=True, check=False, timeout=120
    )


def _loaded(module: str, outside: Path) -> set[str]:
    """The top-level packages in sys.modules once `module` is imported."""
    code = f"import sys, {module}\nprint(*{{m.split('.')[0] for m in sys.modules}})"
    ran = _run(code, outside)
    assert ran.returncode == 0, ran.stderr
    return set(ran.stdout.split())


def _files(root: Path) -> set[str]:
    kept = (path for path in root.rglob("*.*") if path.suffix != ".pyc")
    return {path.relative_to(root).as_posix() for path in kept}


def test_no_module_called_spec_is_installed(tmp_path: Path) -> None:
    ran = _run("import spec", tmp_path)
    assert ran.returncode == 1
    assert "ModuleNotFoundError: No module named 'spec'" in ran.stderr


def test_importing_the_spec_leaves_torch_alone(tmp_path: Path) -> None:
    loaded = _loaded("adaface_ref.spec.losses, adaface_ref.spec.gst", tmp_path)
    assert "sympy" in loaded
    assert "torch" not in loaded


def test_importing_the_package_imports_nothing_else_of_it(tmp_path: Path) -> None:
    assert not _loaded("adaface_ref", tmp_path) & {"numpy", "sympy", "torch"}


def test_pytest_plugin_imports_nothing_heavy(tmp_path: Path) -> None:
    """It is loaded in every pytest run of everybody who installs the package."""
    loaded = _loaded("adaface_ref.gate.plugin", tmp_path)
    heavy = {"flint", "hypothesis", "mpmath", "numpy", "rich", "sympy", "torch"}
    assert not loaded & heavy


@pytest.mark.parametrize("module", ["cli", "pictures.arcs", "pictures.curves"])
def test_only_drawing_imports_matplotlib(module: str, tmp_path: Path) -> None:
    assert "matplotlib" not in _loaded(f"adaface_ref.{module}", tmp_path)


@pytest.mark.parametrize(
    ("group", "name", "value"),
    [
        ("console_scripts", "adaface-ref", "adaface_ref.cli:main"),
        ("pytest11", "adaface_ref", "adaface_ref.gate.plugin"),
    ],
)
def test_entry_point_is_installed(group: str, name: str, value: str) -> None:
    (entry,) = entry_points(group=group, name=name)
    assert entry.value == value
    assert entry.load() is not None


def test_installation_holds_exactly_the_files_of_the_checkout(tmp_path: Path) -> None:
    """Too few: pyproject's list of packages. Too many: an old build/, delete it."""
    ran = _run(
        "import adaface_ref, adaface_ref.spec\n"
        "print(adaface_ref.__file__, adaface_ref.spec.__file__, sep='\\n')",
        tmp_path,
    )
    assert ran.returncode == 0, ran.stderr
    house, spec = (Path(file).parent for file in ran.stdout.splitlines())
    wanted = _files(CHECKOUT / "adaface_ref") | {
        f"spec/{name}" for name in _files(CHECKOUT / "spec")
    }
    installed = _files(house) | {f"spec/{name}" for name in _files(spec)}
    assert "spec/losses.py" in wanted
    assert installed == wanted


def test_package_says_that_it_is_typed(tmp_path: Path) -> None:
    code = "import adaface_ref, os; print(os.listdir(adaface_ref.__path__[0]))"
    assert "py.typed" in _run(code, tmp_path).stdout

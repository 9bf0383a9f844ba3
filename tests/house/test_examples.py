"""The examples of ports: as they are they conform, and with a fault they do not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from shutil import which

import numpy as np
import pytest

from adaface_ref.points import block
from adaface_ref.ports.harness import Verdict, Wish, judge_port
from adaface_ref.ports.pipe.port import Port
from adaface_ref.ports.pipe.process import Child
from adaface_ref.ports.pipe.protocol import Request
from adaface_ref.report.report import ERROR, FAILED

EXAMPLES = Path(__file__).parents[2] / "examples"
JAX = EXAMPLES / "jax" / "adaface_port.py"
POINTS = 400

SOURCES = {
    language: EXAMPLES / "templates" / language / f"port.{suffix}"
    for language, suffix in {
        "c": "c",
        "rust": "rs",
        "javascript": "js",
        "python": "py",
    }.items()
}
TOOLS = {"c": "gcc", "rust": "rustc", "javascript": "node"}
GCC = ("gcc", "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-O2")
RUSTC = ("rustc", "-O", "-D", "warnings")

needs_jax = pytest.mark.skipif(
    find_spec("jax") is None, reason="needs the extra jax: not installed"
)


def command_of(language: str, source: Path, folder: Path) -> tuple[str, ...]:
    """How a template is run, compiled without a warning where it must be."""
    tool = TOOLS.get(language, sys.executable)
    if which(tool) is None or subprocess.run([tool, "--version"]).returncode:
        pytest.skip(f"needs {tool}: not on PATH, or it does not start")
    program = str(folder / "port")
    if language == "c":
        subprocess.run([*GCC, source, "-o", program, "-lm"], check=True)
    elif language == "rust":
        subprocess.run([*RUSTC, source, "-o", program], check=True)
    else:
        return (tool, str(source))
    return (program,)


def planted(source: Path, folder: Path, right: str, wrong: str) -> Path:
    """A copy of an example with a fault in it."""
    text = source.read_text(encoding="utf-8")
    assert text.count(right) == 1
    copy = folder / source.name
    copy.write_text(text.replace(right, wrong), encoding="utf-8")
    return copy


def failed(verdict: Verdict) -> set[str]:
    """The checks that did not come out well."""
    return {
        outcome.check
        for report in verdict.all
        for outcome in report.outcomes
        if outcome.status in (FAILED, ERROR)
    }


@pytest.fixture(scope="module")
def template(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str], tuple[str, ...]]:
    """The command of each template, compiled once."""
    commands: dict[str, tuple[str, ...]] = {}

    def found(language: str) -> tuple[str, ...]:
        if language not in commands:
            folder = tmp_path_factory.mktemp(language)
            commands[language] = command_of(language, SOURCES[language], folder)
        return commands[language]

    return found


languages = pytest.mark.parametrize("language", SOURCES)


@languages
def test_a_template_conforms_as_it_is(
    language: str, template: Callable[[str], tuple[str, ...]]
) -> None:
    verdict = judge_port(template(language), Wish(points=POINTS))
    assert not failed(verdict)
    assert [report.loss for report in verdict.reports] == ["cosface"]


@languages
def test_a_template_takes_lines_of_megabytes(
    language: str, template: Callable[[str], tuple[str, ...]]
) -> None:
    columns = block("cosface", 1, size=POINTS)
    often = {name: np.tile(column, 250) for name, column in columns.items()}
    request = partial(Request, "cosface", "pure", "float64", ("gst",))
    with Child(template(language), 30.0) as child:
        port = Port(child)
        few, many = (port.bits(request(each))["gst"] for each in (columns, often))
    assert many == few * 250


FAULTS = {
    "c": ("x > 0 ? small : 1.0", "x > 0 ? 1.0 : small"),  # P for 1 - P
    "rust": ("scale * (c - margin)", "scale * (c + margin)"),
    "javascript": ("(-p.scale * (x", "(p.scale * (x"),  # 1 - P for P - 1
    "python": ('-p["scale"] * (small', "-(small"),
}


@languages
def test_a_fault_in_a_template_is_caught(language: str, tmp_path: Path) -> None:
    source = planted(SOURCES[language], tmp_path, *FAULTS[language])
    command = command_of(language, source, tmp_path)
    found = failed(judge_port(command, Wish(points=POINTS)))
    assert "target-gst" in found and "protocol" not in found


@needs_jax
def test_the_jax_port_conforms() -> None:
    verdict = judge_port((sys.executable, str(JAX)), Wish(points=2 * POINTS))
    assert not failed(verdict)
    assert len(verdict.reports) == 6


JAX_FAULTS = {
    "sign of g_angle": ("pure", "-p['margin'] *", "p['margin'] *", "target-gst"),
    "probability for gst": ("pure", "(logits) - target", "(logits)", "target-gst"),
    "no angle clip": (
        "clip",
        "jnp.cos(clamped(angle, EPS, np.pi - EPS))",
        "jnp.cos(angle)",
        "target-gst",
    ),
    "eps of 1e-4": ("clip", "EPS = 1e-3", "EPS = 1e-4", "target-logit"),
    "infinite derivative at a pole": (
        "pure",
        "jnp.maximum(value, least)",
        "value",
        "poles",
    ),
}


@needs_jax
@pytest.mark.parametrize("fault", JAX_FAULTS)
def test_a_fault_in_the_jax_port_is_caught(fault: str, tmp_path: Path) -> None:
    profile, right, wrong, check = JAX_FAULTS[fault]
    right, wrong = (text.replace("'", '"') for text in (right, wrong))
    copy = planted(JAX, tmp_path, right, wrong)
    wish = Wish(("adaface",), (profile,), ("float64",), points=POINTS)
    found = failed(judge_port((sys.executable, str(copy)), wish))
    assert check in found and "protocol" not in found

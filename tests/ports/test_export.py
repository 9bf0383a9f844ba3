"""The spec as source of other languages: compiled, started, judged, broken, caught."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from fpcore_reader import Cores, evaluated, read_cores
from sympy import Expr, Rational, exp, sqrt

from adaface_ref.cli import cli
from adaface_ref.errors import DomainError
from adaface_ref.evidence.truth.agreement import Question, judge
from adaface_ref.evidence.truth.forms import Cell, numpy_values
from adaface_ref.points import block
from adaface_ref.ports.comparison.questions import quantities_to_ask
from adaface_ref.ports.export.export import export, language_of, texts_of
from adaface_ref.ports.export.languages import LANGUAGES, rust
from adaface_ref.ports.export.stable import (
    QUANTITIES,
    Branch,
    StableFunction,
    function_of,
    profiles_of,
)
from adaface_ref.ports.harness import Wish, judge_port
from adaface_ref.ports.pipe.port import Port, values_of
from adaface_ref.ports.pipe.process import Child
from adaface_ref.ports.pipe.protocol import Request
from adaface_ref.spec.symbols import margin as m
from adaface_ref.spec.symbols import target_cosine as c

PORTS = [name for name in LANGUAGES if language_of(name).start]
POINTS = 200
MORE = ("clip:cosine=0.0001,angle=0.0001", "clip:angle=1.0", "pure:cosine=0.3")
"""Two clamps; one that is a whole number; one beyond the ends of eight arcs."""


def started(name: str, folder: Path) -> tuple[str, ...]:
    """Compile what was exported, and the command that starts it."""
    language = language_of(name)
    first, *rest = language.start
    tool = (language.build or language.start)[0]
    if shutil.which(tool) is None:
        pytest.skip(f"no {tool} on this machine")
    if not language.build:
        return (first, *(str(folder / word) for word in rest))
    done = subprocess.run(
        language.build, cwd=folder, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return (str(folder / first), *rest)


@pytest.fixture(scope="module", params=sorted(PORTS))
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def folder(language: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp(language)
    export(language, place, MORE)
    return place


@pytest.fixture(scope="module")
def command(language: str, folder: Path) -> tuple[str, ...]:
    return started(language, folder)


def off(cell: Cell, quantity: str, dtype: str, columns: Any, got: Any) -> list[str]:
    """What is further from the reference than allowed, and from the truth as well."""
    question = Question(quantity, *cell, dtype)
    expected = numpy_values(quantity, cell, columns)
    share = question.ratio(columns, got, expected, np.zeros(len(got)))
    bad = (share > 1) & (np.abs(columns["target_cosine"]) < 1)
    some = {name: column[bad] for name, column in columns.items()}
    if not bad.any():
        return []
    return list(map(str, judge(question, some, got[bad], certify_all=True).failures))


def test_every_cell_is_the_spec(command: tuple[str, ...]) -> None:
    with Child(command, 30.0) as child:
        port = Port(child)
        assert set(MORE) <= set(port.hello.losses["adaface"])
        for loss, profiles in port.hello.losses.items():
            for number, profile in enumerate(profiles):
                dtype = port.hello.dtypes[number % 2]
                columns = block(loss, 7, profile=profile, size=POINTS, dtype=dtype)
                if (loss, profile) == ("sphereface", "pure:cosine=0.3"):
                    columns["multiplier"] = np.full_like(columns["scale"], 8.0)
                asked = quantities_to_ask(port.hello, loss)
                bits = port.bits(Request(loss, profile, dtype, asked, columns))
                for quantity, got in values_of(bits, dtype).items():
                    cell = Cell(loss, profile)
                    assert off(cell, quantity, dtype, columns, got) == []
                assert set(asked) == set(QUANTITIES)


def test_it_passes_the_harness(command: tuple[str, ...]) -> None:
    only = Wish(["adaface"], ["clip"], points=1000, stable=True)
    verdict = judge_port(command, only)
    assert [report.exit_code for report in verdict.all] == [0, 0]


FAULTS = {
    "sign of g_angle": (
        "pure",
        r"\bsine\*(sin\(margin\*margin_scaler\)|\(margin\*margin_scaler\)\.sin\(\))",
        r"(-sine)*\1",
    ),
    "P - 1 in place of the complement": (
        "pure",
        r"factor \* \((exp\(power\)|power\.exp\(\)) / below\)",
        "factor * (1.0 - 1.0 / (1.0 + {exp of x}))",
    ),
    "missing clip": ("clip", r"0\.999_f64|0\.999(?=[^0-9])", "1.0"),
    "wrong eps": ("clip", r"0\.999(?=[^0-9])", "0.9985"),
}
"""AdaFace's profile in which it shows, a pattern of the source, what replaces it."""


def plant(fault: str, folder: Path, copy: Path) -> str:
    """Copies the sources with a fault in them; the profile in which it shows."""
    shutil.copytree(folder, copy, dirs_exist_ok=True)
    profile, pattern, by = FAULTS[fault]
    (source,) = (f for f in copy.glob("margin_softmax.*") if f.suffix != ".h")
    text = source.read_text(encoding="utf-8")
    rust = source.suffix == ".rs"
    by = by.replace("{exp of x}", "x.exp()" if rust else "exp(x)")
    by = "1.0_f64" if rust and by == "1.0" else by
    wrong = re.sub(pattern, by, text)
    assert wrong != text
    source.write_text(wrong, encoding="utf-8")
    return profile


PLANTED = {
    ("c", "sign of g_angle"),
    ("c", "P - 1 in place of the complement"),
    ("rust", "missing clip"),
    *(("javascript", fault) for fault in FAULTS),
}
"""Compiling takes seconds, so that not every language has every fault."""


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_planted_in_the_source_is_caught(
    language: str, folder: Path, fault: str, tmp_path: Path
) -> None:
    if (language, fault) not in PLANTED:
        pytest.skip("planted in another language: compiling takes seconds")
    profile = plant(fault, folder, tmp_path)
    wish = Wish(["adaface"], [profile], ["float64"], points=1000, stable=True)
    verdict = judge_port(started(language, tmp_path), wish)
    failed = [o for o in verdict.reports[0].outcomes if o.status == "failed"]
    assert [report.exit_code for report in verdict.all] == [0, 1]
    assert all(o.findings and o.findings[0].inputs for o in failed)


def test_the_witness_of_a_wrong_sign_is_simple(
    language: str, folder: Path, tmp_path: Path
) -> None:
    if language != "javascript":
        pytest.skip("the witness is the harness's own: one language will do")
    plant("sign of g_angle", folder, tmp_path)
    wish = Wish(["adaface"], ["pure"], points=1000)
    report = judge_port(started(language, tmp_path), wish).reports[0]
    (found,) = (o.findings[0] for o in report.outcomes if o.check == "target-logit")
    assert (
        sum(value in (0, 1, -1, 0.5, 0.25, 2) for value in found.inputs.values()) >= 2
    )


POWERS = [c**2, c**-2, 1 / c, sqrt(c), 1 / sqrt(c), c ** Rational(3, 2), c**m, 2**c,
          (c + m) ** 3 / m, (c - m) ** 4 * exp(c) ** 2]  # fmt: skip


@pytest.mark.parametrize("power", POWERS, ids=str)
def test_rust_compiles_every_power(power: Expr, tmp_path: Path) -> None:
    if shutil.which("rustc") is None:
        pytest.skip("no rustc on this machine")
    function = StableFunction(
        "power", ("target_cosine",), ("margin",), (Branch((), power),)
    )
    source, port = tmp_path / "power.rs", tmp_path / "power"
    main = 'fn main() { println!("{:?}", power(0.625, 0.25)); }'
    source.write_text(f"{rust.SYNTAX.function(function)}\n{main}\n")
    subprocess.run(["rustc", "-A", "warnings", "-o", port, source], check=True)
    ran = subprocess.run([port], capture_output=True, text=True, check=True)
    expected = float(power.subs({c: Rational(5, 8), m: Rational(1, 4)}))
    assert float(ran.stdout) == pytest.approx(expected, rel=1e-15)


EXPORT = """
import sys
from pathlib import Path
from adaface_ref.ports.export.export import export
export("c", Path(sys.argv[1]))
"""


def test_the_same_bytes_are_written_by_another_process(tmp_path: Path) -> None:
    """Whose sets have another order."""
    command = (sys.executable, "-P", "-c", EXPORT, str(tmp_path / "other"))
    subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": "7"}, check=True)
    for file in export("c", tmp_path / "one"):
        assert file.read_bytes() == (tmp_path / "other" / file.name).read_bytes()


def test_the_module_imports_nothing() -> None:
    text = texts_of("javascript")["margin_softmax.js"]
    assert not re.search(r"^\s*import\b|\brequire\(|\bprocess\.", text, re.M)


@pytest.fixture(scope="module")
def cores(tmp_path_factory: pytest.TempPathFactory) -> Cores:
    (path,) = export("fpcore", tmp_path_factory.mktemp("fpcore"))
    return read_cores(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("loss", ["adaface", "combined", "sphereface", "magface"])
def test_fpcore_is_the_spec(loss: str, cores: Cores) -> None:
    for profile in profiles_of(loss):
        columns = block(loss, 3, profile=profile, size=64)
        last = {name: column[-4:] for name, column in columns.items()}
        assert (np.abs(last["target_cosine"]) < 1).all()
        for quantity in QUANTITIES:
            found = function_of(quantity, loss, profile)
            given = [{n: last[n][i] for n in found.arguments} for i in range(4)]
            got = np.array([evaluated(cores, found.name, row) for row in given])
            assert off(Cell(loss, profile), quantity, "float64", last, got) == []


def refused(*arguments: str) -> str:
    result = CliRunner().invoke(cli, ["export", *arguments], standalone_mode=False)
    assert isinstance(result.exception, DomainError)
    return str(result.exception)


def test_mistakes_are_told_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    known = "c, rust, javascript, fpcore"
    assert refused("cobol", str(tmp_path)) == (
        f"language=cobol, but must be one of {known} [export]"
    )
    assert "must be a folder that can be written" in refused("c", f"{tmp_path}/file")
    assert "must begin with one of" in refused("c", str(tmp_path), "--profile", "x")


def test_cuda_compiles_it(tmp_path: Path) -> None:
    nvcc = shutil.which("nvcc") or shutil.which("/usr/local/cuda/bin/nvcc")
    if nvcc is None:
        pytest.skip("no nvcc on this machine")
    export("c", tmp_path)
    command = [nvcc, "-x", "cu", "-c", "margin_softmax.c", "-o", "out.o"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr

"""`adaface-ref plot` as a user meets it: files, one-line errors, README's pictures."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from called import Run, caller

CHECKOUT = Path(__file__).resolve().parents[2]
MAKE = CHECKOUT / "docs" / "pictures" / "make.py"
LARGEST = 200_000
"""Bytes of a picture of the README."""


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Run:
    monkeypatch.chdir(tmp_path)

    return caller(monkeypatch, capsys, "plot")


ONE = ("curves", "--loss", "arcface")


@pytest.mark.parametrize(
    ("kind", "ending", "start"),
    [
        (("curves", "--loss", "normface"), "png", b"\x89PNG"),
        (("curves", "--loss", "normface"), "svg", b"<?xml"),
        (("heatmap", "--loss", "cosface"), "PDF", b"%PDF"),
    ],
)
def test_the_ending_chooses_the_format(
    run: Run, tmp_path: Path, kind: tuple[str, ...], ending: str, start: bytes
) -> None:
    ran = run(*kind, "-o", f"picture.{ending}")
    assert ran.code == 0, ran.err
    assert (tmp_path / f"picture.{ending}").read_bytes().startswith(start)
    assert [path.name for path in tmp_path.iterdir()] == [f"picture.{ending}"]


@pytest.mark.parametrize("kind", [ONE, ("arcs", "--dpi", "60")])
def test_the_same_command_writes_the_same_svg(
    run: Run, tmp_path: Path, kind: tuple[str, ...]
) -> None:
    for name in ("a.svg", "b.svg"):
        assert run(*kind, "-o", name).code == 0
    first, second = ((tmp_path / name).read_bytes() for name in ("a.svg", "b.svg"))
    assert first == second and b"<dc:date>" not in first


def test_marks_are_printed_as_text(run: Run) -> None:
    ran = run(*ONE, "-o", "a.svg")
    assert ran.out.splitlines() == [
        "ArcFace m = 0.5: B1 at 0.85399, peak |g| = 97.554 at 0.81379, "
        "sign change at -0.87758",
        "wrote a.svg",
    ]


def test_text_is_plain_ascii(run: Run) -> None:
    ran = run("curves", "--loss", "adaface", "--loss", "magface", "-o", "a.svg")
    assert ran.code == 0 and ran.out.isascii() and "z-hat = -1" in ran.out
    assert all(run(kind, "--help").out.isascii() for kind in ("curves", "arcs"))


def test_what_is_not_defined_is_left_out_aloud(run: Run) -> None:
    profiles = ("--profile", "pure", "--profile", "clip")
    ran = run(*ONE, "--loss", "curricularface", *profiles, "-o", "a.svg")
    assert ran.code == 0 and "left out: profile='clip', but curricular" in ran.err
    assert len(ran.out.splitlines()) == 4


def test_every_combination_is_a_curve(run: Run) -> None:
    options = ("--margin", "0.3", "--margin", "0.4", "--rival-cosine", "0.2")
    ran = run(*ONE, *options, "--rival-cosine", "0.5", "--scale", "32", "-o", "a.svg")
    assert ran.code == 0, ran.err
    titles = [line.partition(":")[0] for line in ran.out.splitlines()[:-1]]
    assert titles == [
        f"ArcFace m = {m}, j = {j}" for j in (0.2, 0.5) for m in (0.3, 0.4)
    ]


def test_arcs_between_close_classes_are_drawn(run: Run) -> None:
    ran = run("arcs", "--between", "10", "--dpi", "50")
    assert (ran.code, ran.err) == (0, "")


def test_readme_pictures_are_made_by_their_command(tmp_path: Path) -> None:
    runpy.run_path(str(MAKE))["make"](tmp_path)
    made = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert made.keys() == {"arcs.png", "curves.png"}
    assert all(10_000 < size < LARGEST for size in made.values())


def test_documents_show_the_committed_pictures() -> None:
    assert "](docs/pictures/curves.png)" in (CHECKOUT / "README.md").read_text("utf-8")
    text = (CHECKOUT / "docs" / "pictures.md").read_text("utf-8")
    for name in ("arcs.png", "curves.png", "explore.png"):
        assert f"](pictures/{name})" in text
        assert (MAKE.parent / name).stat().st_size < LARGEST


MISTAKES = [
    ((*ONE, "-o", "a.gif"), "--output=a.gif, but must end in .png, .svg or .pdf"),
    ((*ONE, "-o", "a"), "--output=a, but must end in"),
    ((*ONE, "-o", "no/such/a.png"), "--output=no/such/a.png, but must be a file in a"),
    (("arcs", "-o", "no/a.png"), "--output=no/a.png, but must be a file in a folder"),
    (("heatmap", "-o", "a.jpg"), "--output=a.jpg, but must end in"),
    (("curves", "--loss", "nosuch"), "loss=nosuch, but must be one of normface"),
    (("heatmap", "--loss", "nosuch"), "loss=nosuch, but must be one of normface"),
    ((*ONE, "--profile", "nosuch"), "profile='nosuch', but must be one of pure"),
    (("curves", "--profile", "easy"), "profile='easy', but adaface defines pure"),
    (("arcs", "--profile", "nosuch"), "profile='nosuch', but must be one of pure"),
    ((*ONE, "--margin", "2"), "margin=2.0, but must be in [0, pi/2) [plot]"),
    ((*ONE, "--margin", "nan"), "margin=nan, but must be in [0, pi/2) [plot]"),
    ((*ONE, "--scale", "0"), "scale=0.0, but must be in (0, inf) [plot]"),
    (("curves", "--margin-scaler", "2"), "margin_scaler=2.0, but must be in [-1, 1]"),
    ((*ONE, "--rival-cosine", "inf"), "rival_cosine=inf, but must be in [-1, 20]"),
    ((*ONE, "--rival-cosine", "-5"), "rival_cosine=-5.0, but must be in [-1, 20]"),
    ((*ONE, "--scale", "1e308"), "scale=1e+308, but must be in (0, 1e+06]"),
    (("arcs", "--scale", "1e308"), "scale=1e+308, but must be in (0, 1e+06]"),
    ((*ONE, "--margin-scaler", "0"), "parameter=margin_scaler, but must be one that"),
    (
        (*ONE, "--margin", "0.4", "--parameter", "margin=0.3"),
        "parameter margin=0.3, but must be given once",
    ),
    (
        (*ONE, "--parameter", "margin=0.3", "--parameter", "margin=0.5"),
        "parameter margin=0.5, but must be given once",
    ),
    (
        ("curves", "--loss", "curricularface", "--rival-cosine", "1.2"),
        "rival_cosine=1.2, but must be in [-1, 1] for curricularface",
    ),
    ((*ONE, "--parameter", "curriculum=0.3"), "parameter=curriculum, but must be one"),
    ((*ONE, "--parameter", "x"), "parameter='x', but must be name=value"),
    ((*ONE, "--parameter", "margin=x"), "margin='x', but must be a number"),
    (("curves", "--loss", "normface", "--margin", "1"), "parameter=margin, but must"),
    ((*ONE, "--quantity", "nosuch"), "'nosuch' is not one of"),
    (("arcs", "--between", "0"), "between=0.0, but must be in (0, 180] degrees"),
    (("arcs", "--between", "nan"), "between=nan, but must be in (0, 180] degrees"),
    (("arcs", "--rival-cosine", "2"), "rival_cosine=2.0, but must be in [-1, 1]"),
    (("arcs", "--scale", "-1"), "scale=-1.0, but must be in (0, inf)"),
    (("arcs", "--rival", "nosuch"), "'nosuch' is not one of"),
    ((*ONE, "-o", "a" * 300 + ".png"), "was not written: File name too long"),
    (("nosuch",), "No such command 'nosuch'"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES)
def test_a_mistake_is_one_line_with_exit_code_2_and_no_file(
    run: Run, arguments: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err and ran.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["", "curves", "heatmap", "arcs"])
def test_help_has_an_example(run: Run, kind: str) -> None:
    ran = run(*filter(None, [kind]), "--help")
    assert ran.code == 0 and "Example:" in ran.out
    assert f"adaface-ref plot {kind}".strip() in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80


def test_help_of_arcs_explains_the_three_recipes(run: Run) -> None:
    text = run("arcs", "--help").out
    assert all(f"\n    {name} " in text for name in ("fixed", "swept", "tied"))

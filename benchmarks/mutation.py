"""Mutates the NumPy and torch forms and counts how many mutants the tests kill.

Run by `tox -e mutation`, with names of files to mutate just these, and `--sample N` for
N of their mutants. mutmut wants the package as it is installed, with the spec inside,
so it works on a copy; what it finds is written to benchmarks/results/mutants.json,
where the other files' rows stay. Mutants that were not tried are `not checked`, and
do not count.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

from mutmut.stats import status_by_exit_code

CHECKOUT = Path(__file__).resolve().parents[1]
RESULTS = CHECKOUT / "benchmarks" / "results" / "mutants.json"
COPIED = ("adaface_ref", "tests", "conftest.py", "pyproject.toml", "LICENSE")


def lay_out(folder: Path) -> None:
    """Copies the checkout as it is when installed.

    Args:
        folder: where; it is emptied first.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    without = shutil.ignore_patterns("__pycache__")
    for name in COPIED:
        source = CHECKOUT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=without)
        else:
            shutil.copy2(source, folder / name)
    shutil.copytree(CHECKOUT / "spec", folder / "adaface_ref" / "spec", ignore=without)


def results_in(folder: Path) -> dict[str, dict[str, str]]:
    """What became of each mutant, by file.

    Args:
        folder: in which mutmut ran.

    Returns:
        mutmut's word for it, by the mutant's name.
    """
    rows = {}
    for meta in sorted((folder / "mutants").rglob("*.py.meta")):
        codes = json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"]
        name = str(meta.relative_to(folder / "mutants")).removesuffix(".meta")
        rows[name] = {key: status_by_exit_code[code] for key, code in codes.items()}
    return rows


def survivor(folder: Path, mutant: str) -> str:
    """The two lines of a mutant: what was there, and what is."""
    command = [sys.executable, "-m", "mutmut", "show", mutant]
    shown = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    kept = [line for line in shown if line[:2] in ("- ", "+ ")]
    return "\n".join(" ".join(line.split()) for line in kept)


def mutmut(folder: Path, names: list[str]) -> None:
    """Runs mutmut on mutants by name or pattern; what it prints goes to a log."""
    command = [sys.executable, "-m", "mutmut", "run", *names]
    with (folder / "log.txt").open("a", encoding="utf-8") as log:
        subprocess.run(command, cwd=folder, stdout=log, stderr=log, check=False)


def draw_sample(folder: Path, files: list[str], size: int) -> list[str]:
    """A random sample of the mutants of some files, the same for the same source."""
    mutmut(folder, ["none"])  # makes all mutants, and runs none
    wanted = tuple(f"/{name}" for name in files)
    every = sorted(
        mutant
        for name, mutants in results_in(folder).items()
        if not files or name.endswith(wanted)
        for mutant in mutants
    )
    return random.Random(0).sample(every, min(size, len(every)))


def main(folder: Path, files: list[str], size: int | None) -> None:
    """Runs mutmut and writes what it found."""
    lay_out(folder)
    stems = (Path(name).with_suffix("").as_posix().replace("/", ".") for name in files)
    names = [f"adaface_ref.*{stem}.*" for stem in stems]
    mutmut(folder, names if size is None else draw_sample(folder, files, size))
    rows = results_in(folder)
    kept = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    report = {}
    for name, mutants in rows.items():
        counts = Counter(mutants.values())
        left = [mutant for mutant, verdict in mutants.items() if verdict == "survived"]
        tried = sum(counts.values()) - counts["not checked"]
        if not tried:
            continue
        killed = counts["killed"] + counts["timeout"]
        print(f"{name}: {killed} of {tried} mutants killed ({killed / tried:.1%})")
        report[name] = {
            **dict(sorted(counts.items())),
            "survivors": {mutant: survivor(folder, mutant) for mutant in left},
        }
    if not report:
        sys.exit(f"nothing was mutated: see {folder / 'log.txt'}")
    report = dict(sorted({**kept, **report}.items()))
    text = json.dumps(report, indent=1, ensure_ascii=False) + "\n"
    RESULTS.write_text(text, encoding="utf-8")


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="*", help="such as torch_losses.py; default all")
    parser.add_argument("--sample", type=int, help="so many mutants, drawn at random")
    return parser.parse_args()


if __name__ == "__main__":
    asked = arguments()
    main(Path(os.environ["MUTATED"]), asked.files, asked.sample)

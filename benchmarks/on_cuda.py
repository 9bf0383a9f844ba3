"""All that wants a GPU, in one command and within minutes; what it finds is one file.

Run from a checkout. It needs Python >= 3.11, torch and the packages that adaface-ref
needs, but no installation of adaface-ref:

    python benchmarks/on_cuda.py               where there is CUDA
    python benchmarks/on_cuda.py --rehearse    the same parts, small, on a CPU

A part that fails, crashes or hangs is told of, and the others run. Exits 0 if every
part came out as expected.
"""

from __future__ import annotations

import argparse
import json
import shlex
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from cuda_parts.checkout import commit_of, environment, lay_out
from cuda_parts.limited import Ended, run_limited
from cuda_parts.machine import describe_machine
from cuda_parts.work import write_whole

CHECKOUT = Path(__file__).resolve().parents[1]
RESULTS = CHECKOUT / "benchmarks" / "results" / "on_cuda.json"


class Part(NamedTuple):
    """One part.

    Args:
        name: what it is called.
        module: where its `run` is.
        share: of the time, beside those of the other parts.
        about: what it does.
    """

    name: str
    module: str
    share: float
    about: str


PARTS = (
    Part("tests", "cuda_parts.cuda_tests", 28, "the tests that are marked cuda"),
    Part("speed", "cuda_parts.speed", 18, "forward and backward, 10^6 classes"),
    Part("gate", "cuda_parts.gate", 18, "the gate on heads right and wrong"),
    Part("sweeps", "cuda_parts.sweeps", 20, "the invariants at every float32"),
    Part("verify", "cuda_parts.verify", 16, "the three forms against the oracle"),
)
"""The most valuable first. Time that one leaves is there for the others."""


class Run(NamedTuple):
    """What all parts share.

    Args:
        file: where the result goes.
        folder: laid out for the parts, and theirs to write into.
        env: their environment.
        rehearse: whether they do little, on the CPU.
        until: when the time is up, by the monotonic clock.
    """

    file: Path
    folder: Path
    env: Mapping[str, str]
    rehearse: bool
    until: float


def run_parts(run: Run, parts: Sequence[Part], result: dict[str, Any]) -> None:
    """Runs parts one after the other, and writes the result after each.

    Args:
        run: what they share.
        parts: in this order.
        result: what is known of the machine; `parts` and `as_expected` are added.
    """
    rows = {part.name: {"status": "not run", "about": part.about} for part in parts}
    result.update(parts=rows, as_expected=False)
    for place, part in enumerate(parts):
        rows[part.name]["status"] = "started"
        write_whole(run.file, json.dumps(result, indent=1))
        shares = sum(other.share for other in parts[place:])
        limit = max(1.0, (run.until - time.monotonic()) * part.share / shares)
        print(f"{part.name}: {part.about}, within {limit:.0f} s", flush=True)
        rows[part.name] |= run_part(run, part, limit)
        row: Mapping[str, Any] = rows[part.name]
        print(f"{part.name}: {row['status']} after {row['seconds']} s", flush=True)
    result["as_expected"] = all(is_as_expected(row, run) for row in rows.values())
    write_whole(run.file, json.dumps(result, indent=1))


def is_as_expected(row: Mapping[str, Any], run: Run) -> bool:
    """Whether a part came out as it should; what did not run is no pass."""
    return row["status"] in ("passed", "nothing ran" if run.rehearse else "passed")


def run_part(run: Run, part: Part, limit: float) -> dict[str, Any]:
    """Runs one part in a process of its own.

    Args:
        run: what all share.
        part: which.
        limit: seconds.

    Returns:
        Its status, figures, what was not expected, and the end of what it printed
        where it did not pass.
    """
    scratch = run.folder / f"part-{part.name}"
    scratch.mkdir()
    file, device = scratch / "figures.json", "cpu" if run.rehearse else "cuda"
    command = [sys.executable, "-m", "cuda_parts.work", part.module, str(file), device]
    command += [str(limit), *(["--rehearse"] if run.rehearse else [])]
    ended = run_limited(command, env=run.env, cwd=CHECKOUT, limit=limit)
    told: dict[str, Any] = {"figures": {}, "ended": None}
    if file.exists():
        told = json.loads(file.read_text(encoding="utf-8"))
    status, unexpected = judge(ended, told["ended"])
    row = {"status": status, "seconds": round(ended.seconds, 1)}
    row |= {"limit": round(limit, 1), "unexpected": unexpected}
    if status != "passed":
        row["output"] = [without_places(line, run.folder) for line in ended.tail]
    return row | {"figures": told["figures"]}


def judge(ended: Ended, told: Mapping[str, Any] | None) -> tuple[str, list[str]]:
    """A part's status in a word or two, and what was not expected."""
    if ended.timed_out:
        return "timed out", [f"ended after {ended.seconds:.0f} s, its limit"]
    if told is None or ended.code:
        return "crashed", [f"ended with exit code {ended.code} before it was done"]
    if told["nothing_ran"]:
        return "nothing ran", [told["nothing_ran"]]
    return ("failed" if told["unexpected"] else "passed"), list(told["unexpected"])


def without_places(line: str, folder: Path) -> str:
    """A line of output without the names of this machine's folders."""
    for place, name in (
        (str(folder), "<laid out>"),
        (str(CHECKOUT), "<checkout>"),
        (sys.prefix, "<python>"),
        (sys.base_prefix, "<python>"),
        (str(Path.home()), "<home>"),
    ):
        line = line.replace(place, name) if len(place) > 1 else line
    return line


def last_line(result: Mapping[str, Any]) -> str:
    """What came out, in a line."""
    told = [
        f"{name} {row['status']} ({'; '.join(row.get('unexpected', []))[:300]})"
        for name, row in result["parts"].items()
        if row["status"] != "passed"
    ]
    passed = len(result["parts"]) - len(told)
    word = "as expected" if result["as_expected"] else "NOT as expected"
    return ", ".join([f"{word}: {passed} parts passed", *told])


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [part.name for part in PARTS]
    told = {
        "json": "where the result goes (benchmarks/results/on_cuda.json)",
        "minutes": "for all parts together (8)",
        "only": f"of {', '.join(names)}",
        "rehearse": "the same parts at small sizes on a CPU",
        "commit": "which commit this is, where git cannot tell",
    }
    parser.add_argument("--json", type=Path, metavar="F", help=told["json"])
    parser.add_argument("--minutes", type=float, default=8.0, help=told["minutes"])
    parser.add_argument(
        "--only", nargs="+", choices=names, default=names, help=told["only"]
    )
    parser.add_argument("--rehearse", action="store_true", help=told["rehearse"])
    parser.add_argument("--commit", metavar="SHA", help=told["commit"])
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Runs what was asked for."""
    began = time.monotonic()
    options = parse(arguments)
    # A request to end this ends the part that runs, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    file = options.json or RESULTS
    if options.rehearse and options.json is None:
        file = Path(tempfile.gettempdir()) / "on_cuda_rehearsal.json"
    with tempfile.TemporaryDirectory(
        prefix="on_cuda_", ignore_cleanup_errors=True
    ) as name:
        folder = Path(name)
        lay_out(CHECKOUT, folder)
        env = environment(folder, rehearse=options.rehearse)
        result = {
            "version": 1,
            "command": shlex.join(["python", "benchmarks/on_cuda.py", *arguments]),
            **commit_of(CHECKOUT),
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "minutes": options.minutes,
            "rehearsal": options.rehearse,
            "machine": describe_machine(env),
        }
        result["commit"] = options.commit or result["commit"]
        print(json.dumps(result["machine"], indent=1), flush=True)
        if not options.rehearse and result["machine"]["device"] is None:
            print("NOT run: torch sees no CUDA device; --rehearse needs none")
            return 1
        until = began + 60 * options.minutes
        run = Run(file, folder, env, options.rehearse, until)
        run_parts(run, [part for part in PARTS if part.name in options.only], result)
    print(f"{file}: {last_line(result)}", flush=True)
    return 0 if result["as_expected"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

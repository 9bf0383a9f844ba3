"""What a part is given, and where it keeps what it finds.

`python -m cuda_parts.work MODULE FILE DEVICE SECONDS [--rehearse]` runs one part from
the checkout: its module has a function `run(work)`, which returns what did not come out
as expected.
"""

from __future__ import annotations

import importlib
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple


class NothingRanError(Exception):
    """Raised by a part that could look at nothing, with the reason: this is no pass."""


class Work(NamedTuple):
    """What a part is given.

    Args:
        checkout: where the tests are.
        file: where its figures go, in a folder of the part's own.
        device: "cuda", or "cpu" in a rehearsal.
        seconds: the time it has.
        rehearse: whether to do little.
        figures: what was found so far.
    """

    checkout: Path
    file: Path
    device: str
    seconds: float
    rehearse: bool
    figures: dict[str, Any]

    def keep(self, **figures: Any) -> None:
        """Adds figures, and writes them: a part that is ended has told its last."""
        self.figures.update(figures)
        self._write(ended=None)

    def finish(self, **ended: Any) -> None:
        """Writes that the part came to its end, and how."""
        self._write(ended=ended)

    def _write(self, ended: dict[str, Any] | None) -> None:
        told = {"figures": self.figures, "ended": ended}
        write_whole(self.file, json.dumps(told))


def write_whole(file: Path, text: str) -> None:
    """Replaces a file in one step, so that a kill leaves the old or the new one."""
    beside = file.with_name(f".{file.name}.new")
    beside.write_text(text + "\n", encoding="utf-8")
    beside.replace(file)


def main(arguments: Sequence[str]) -> None:
    """Runs one part; what it raises is its crash, and is seen as such."""
    module, file, device, seconds, *rest = arguments
    # Else a shell that started all this in the background has SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    small = "--rehearse" in rest
    work = Work(Path.cwd(), Path(file), device, float(seconds), small, {})
    try:
        unexpected = importlib.import_module(module).run(work)
        work.finish(unexpected=unexpected, nothing_ran="")
    except NothingRanError as reason:
        work.finish(unexpected=[], nothing_ran=str(reason))


if __name__ == "__main__":
    # By its own name: `python -m` calls it __main__, with a NothingRanError of its own.
    importlib.import_module("cuda_parts.work").main(sys.argv[1:])

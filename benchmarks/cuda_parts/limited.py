"""A command that may hang or crash: ended when its time is up, its last lines kept."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

GRACE = 4.0
"""Seconds from the request to stop to the end: `gate` ends its heads in them."""

KEPT = 60
"""Lines of output."""

WIDTH = 400
"""Characters that are kept of a line."""

SILENCE = 20.0
"""Seconds after which a line says that the command still runs."""


class Ended(NamedTuple):
    """How a command ended.

    Args:
        code: its exit code, negative for a signal.
        timed_out: whether it had to be ended.
        seconds: the time it took.
        tail: the last lines of what it printed.
    """

    code: int
    timed_out: bool
    seconds: float
    tail: tuple[str, ...]


def run_limited(
    command: Sequence[str], *, env: Mapping[str, str], cwd: Path, limit: float
) -> Ended:
    """Runs a command, and prints its output as it comes.

    Args:
        command: program and arguments.
        env: its environment.
        cwd: its working folder.
        limit: seconds after which it and what it started is ended, GRACE included.

    Returns:
        How it ended; it is ended, too, where this call is interrupted.
    """
    began = time.monotonic()
    tail: deque[str] = deque(maxlen=KEPT)
    process = subprocess.Popen(
        command,
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    assert process.stdout is not None
    # A daemon: what a process that was not ended keeps open is not waited for.
    reader = threading.Thread(target=_echo, args=(process.stdout, tail), daemon=True)
    reader.start()
    try:
        timed_out = not _wait(process, began, limit - GRACE)
    finally:
        _end(process)
        reader.join(timeout=2)
        if not reader.is_alive():
            process.stdout.close()
    return Ended(process.returncode, timed_out, time.monotonic() - began, tuple(tail))


def _echo(lines: Iterable[str], tail: deque[str]) -> None:
    for line in lines:
        tail.append(line.rstrip()[:WIDTH])
        print(f"    {tail[-1]}", flush=True)


def _wait(process: subprocess.Popen[str], began: float, limit: float) -> bool:
    """Whether it ended by itself."""
    while True:
        left = began + limit - time.monotonic()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=max(0.1, min(left, SILENCE)))
            return True
        passed = time.monotonic() - began
        if passed >= limit:
            return False
        print(f"    ... {passed:.0f} s of at most {limit:.0f} s", flush=True)


def _end(process: subprocess.Popen[str]) -> None:
    """Ends the command's group: by a request, then by force."""
    for number in (signal.SIGINT, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=GRACE)

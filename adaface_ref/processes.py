"""The head's process and what it starts: how much memory it takes, and how it ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

MARK = "ADAFACE_REF_RUN"
"""The environment variable by which processes are known that left the group."""

PROC = Path("/proc")
"""Where the system lists processes; without it memory and runaways are not seen."""

PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def members(leader: int, mark: str) -> list[int]:
    """The processes of a run that are alive: of its session, or with its mark.

    Args:
        leader: the process that leads the session.
        mark: the value of MARK in the run's environment.

    Returns:
        Their ids; empty where the system lists no processes.
    """
    if not (PROC / "self").exists():
        return []
    ids = [int(path.name) for path in PROC.iterdir() if path.name.isdigit()]
    ids = [pid for pid in ids if pid != os.getpid()]
    return [pid for pid in ids if _is_member(pid, leader, f"{MARK}={mark}".encode())]


def _is_member(pid: int, leader: int, mark: bytes) -> bool:
    try:
        # The name, in brackets, may hold anything; state, parent, group and session
        # follow it.
        state, _, _, session = _read(pid, "stat").rpartition(b")")[2].split()[:4]
        if state in b"ZX":
            return False
        return int(session) == leader or mark in _read(pid, "environ").split(b"\0")
    except (OSError, ValueError):
        return False  # it ended meanwhile, or belongs to somebody else


def _read(pid: int, what: str) -> bytes:
    return (PROC / str(pid) / what).read_bytes()


def resident(pid: int) -> int:
    """Bytes of memory that a process holds; 0 where the system does not say."""
    try:
        return int(_read(pid, "statm").split()[1]) * PAGE
    except (OSError, IndexError, ValueError):
        return 0


def proportional(pid: int) -> int:
    """The same, where pages that processes share count once over all of them."""
    try:
        lines = _read(pid, "smaps_rollup").splitlines()
    except OSError:
        return resident(pid)
    sizes = [line.split()[1] for line in lines if line.startswith(b"Pss:")]
    return int(sizes[0]) * 1024 if sizes else resident(pid)


def end_all(process: subprocess.Popen[bytes], mark: str) -> int:
    """End a process and all that it started, whatever signals they ignore.

    Args:
        process: the leader of a session of its own.
        mark: the value of MARK in its environment.

    Returns:
        How many others were alive.
    """
    found: set[int] = set()
    until = time.monotonic() + 5
    _kill(os.killpg, process.pid)
    while alive := members(process.pid, mark):
        found |= set(alive)
        for pid in alive:
            _kill(os.kill, pid)
        if time.monotonic() > until:
            break
        time.sleep(0.01)
    process.wait()
    return len(found - {process.pid})


def _kill(how: Callable[[int, int], None], pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        how(pid, signal.SIGKILL)  # it may have ended by itself


def ending(code: int) -> str:
    """How a process ended, in words.

    Args:
        code: as `Popen.returncode` has it.

    Returns:
        Such as "with exit code 0" or "by SIGSEGV (Segmentation fault)".
    """
    if code >= 0:
        return f"with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        return f"by signal {-code}"
    return f"by {name} ({signal.strsignal(-code)})"

"""Judges a head in a process of its own: one that crashes or hangs ends only itself.

The process leads a session, whose memory and time are limited; what it tells is parsed
as data, what it prints is kept apart, and whatever it leaves running is ended.
"""

from __future__ import annotations

import json
import os
import secrets
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import IO, Any, NamedTuple

from adaface_ref.errors import DomainError
from adaface_ref.gate.guarding.source_lines import place_in_trace
from adaface_ref.gate.head.settings import Head
from adaface_ref.gate.isolation.pipe import Inbox, Tail
from adaface_ref.processes import MARK, end_all, ending, members, proportional, resident
from adaface_ref.report.our_faults import folder_of_faults

Progress = Callable[[str, float], None]

START_LIMIT = 300.0
"""Seconds for the gate's own imports, before the head's time begins."""

SPEAKING = {
    "PYTHONUNBUFFERED": "1",
    "PYTHONIOENCODING": "utf-8:backslashreplace",
}
"""So that a head may print whatever it likes, wherever it runs."""

STEP = 0.02
"""Seconds between looks at the process: too short to fill much memory in."""

GIB = 2**30
CHUNK = 2**20

START = (
    "import sys; sys.path[:] = {path!r}; "
    "from adaface_ref.gate.isolation.child import main; main({reports}, {trace})"
)


class Judged(NamedTuple):
    """A report as the other process wrote it.

    Args:
        text: at 80 columns.
        data: as JSON types.
        exit_code: 0, 1 or 3.
        output: the end of what the head printed, each line marked.
    """

    text: str
    data: dict[str, Any]
    exit_code: int
    output: str = ""


def judge_apart(head: Head, progress: Progress) -> Judged:
    """Runs the gate in a process of its own.

    Args:
        head: the head, by its name, and how it is judged. Its time limit counts from
            when the gate's own imports are done.
        progress: as in `run_gate`.

    Returns:
        The report; exit code 3 if the process ended without one, hung, took too much
        memory, or wrote what is no report.

    Raises:
        DomainError: a user's mistake that the process found.
    """
    with _Apart(head) as apart:
        problem = apart.listen(progress)
    if apart.mistake is not None and not problem:
        raise DomainError(apart.mistake)
    if problem or apart.report is None:
        return _no_report(head, problem, apart.output)
    text, data, code = (apart.report[name] for name in ("text", "data", "exit_code"))
    return Judged(text, data, code, apart.output)


class _Apart:
    """A head's process while it runs.

    Args:
        head: the head, and how it is judged.
    """

    def __init__(self, head: Head) -> None:
        self.head = head
        self.inbox = Inbox(secrets.token_hex(16))
        self.tail = Tail()
        self.report: dict[str, Any] | None = None
        self.mistake: str | None = None
        self.stuck = ""
        self.left = 0
        self.ready = 0.0
        self._mark = secrets.token_hex(8)
        self._trace: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        request = {"nonce": self.inbox.nonce, "head": head.as_json()}
        request |= {"faults": str(folder_of_faults())}
        self._request = json.dumps(request).encode()

    def __enter__(self) -> _Apart:
        reports, theirs = os.pipe()
        trace = self._trace.fileno()
        code = START.format(path=sys.path, reports=theirs, trace=trace)
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(theirs, trace),
            start_new_session=True,
            env={**os.environ, MARK: self._mark, **SPEAKING},
        )
        os.close(theirs)
        assert self.process.stdin is not None and self.process.stdout is not None
        with self.process.stdin as stdin:
            stdin.write(self._request)
        self._pipes = selectors.DefaultSelector()
        for pipe, take in ((reports, self._told), (self.process.stdout, self._printed)):
            os.set_blocking(pipe if isinstance(pipe, int) else pipe.fileno(), False)
            self._pipes.register(pipe, selectors.EVENT_READ, take)
        self._reports = reports
        return self

    def __exit__(self, *_: object) -> None:
        self.left = end_all(self.process, self._mark)
        self._pipes.close()
        os.close(self._reports)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self._trace.close()

    @property
    def output(self) -> str:
        """What the head printed, and whether it left anything running."""
        left = f"processes that the head left running, now ended: {self.left}"
        return "\n".join(filter(None, [self.tail.text(), left if self.left else ""]))

    def listen(self, progress: Progress) -> str:
        """Hear the process out.

        Returns:
            Why there is no report, or "".
        """
        limit, memory_limit = self.head.time_limit, self.head.memory_limit
        began, look = time.monotonic(), 0.0
        self._progress = progress
        while self.process.poll() is None:
            self._take(STEP)
            now = time.monotonic()
            if not self.ready and now > began + START_LIMIT:
                return f"torch was not imported within {START_LIMIT:g} s"
            if self.ready and now > self.ready + limit:
                return f"no report within {limit:g} s{self._where(ask=True)}"
            held = resident(self.process.pid)
            if now > look:
                look = now + 0.5
                held = max(held, self._held())
            if held > memory_limit * GIB:
                where = self._where(ask=True)
                return f"the head used more than {memory_limit:g} GiB of memory{where}"
        while self._take(0):
            continue
        self.inbox.close()
        return self._ended(self.process.returncode)

    def _ended(self, code: int) -> str:
        if not self.inbox.readable:
            return "unreadable report: the head wrote into the gate's own pipe"
        how = f"the process ended {ending(code)}"
        told = self.report is not None or self.mistake is not None
        if code == 0 and told:
            return ""
        if code == 0 and self.stuck:
            return self.stuck
        return f"{how} before its report{self._where()}"

    def _held(self) -> int:
        """Bytes that the process and what it started hold."""
        pids = members(self.process.pid, self._mark)
        others = [pid for pid in pids if pid != self.process.pid]
        if not others:
            return 0
        return sum(proportional(pid) for pid in (self.process.pid, *others))

    def _where(self, *, ask: bool = False) -> str:
        """Where the head was, as the process's own fault handler tells it."""
        if ask:
            self.process.send_signal(signal.SIGUSR1)
            until = time.monotonic() + 0.5
            while self.process.poll() is None and time.monotonic() < until:
                self._take(STEP)
                if os.fstat(self._trace.fileno()).st_size:
                    break
            self._take(STEP)
        self._trace.seek(0)
        return place_in_trace(self._trace.read(CHUNK).decode(errors="replace"))

    def _take(self, wait: float) -> bool:
        """Read what there is to read, once; whether there was anything."""
        some = False
        for key, _ in self._pipes.select(wait):
            data = _read(key.fd)
            if data == b"":
                self._pipes.unregister(key.fileobj)
            elif data:
                some = True
                key.data(data)
        if not self._pipes.get_map() and wait:
            time.sleep(wait)
        return some

    def _printed(self, data: bytes) -> None:
        self.tail.feed(data)

    def _told(self, data: bytes) -> None:
        for message in self.inbox.feed(data):
            kind = message.pop("kind")
            if kind == "ready":
                self.ready = time.monotonic()
            elif kind == "progress":
                self._progress(message["what"], message["share"])
            elif kind == "mistake":
                self.mistake = message["text"]
            elif kind == "stuck":
                self.stuck = message["text"]
            else:
                self.report = message


def _read(descriptor: int) -> bytes | None:
    try:
        return os.read(descriptor, CHUNK)
    except BlockingIOError:
        return None


def _no_report(head: Head, how: str, output: str) -> Judged:
    from adaface_ref.report.report import ERROR, Outcome, Report

    claim = "The head can be imported, built and run."
    outcome = Outcome("run", claim, ERROR, how)
    shown = {"seed": head.seed, "effort": head.effort}
    report = Report(head.target, head.loss, "", "", "", (), shown, (outcome,))
    text, data = report.text(width=80), report.as_json()
    return Judged(text, data, report.exit_code, output)

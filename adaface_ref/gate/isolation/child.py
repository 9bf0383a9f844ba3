"""The process in which a head is judged; `apart` starts it and hears it out.

Nothing heavy is imported before the request is read and the fault handler is set.
"""

from __future__ import annotations

import ctypes
import faulthandler
import json
import os
import signal
import sys
from pathlib import Path

from adaface_ref.errors import DomainError
from adaface_ref.gate.isolation.pipe import Sender

PARENT_DEATH_SIGNAL = 1
"""prctl's PR_SET_PDEATHSIG."""

# Bound before any head is imported.
_leave = os._exit


def main(reports: int, trace: int) -> None:
    """Judge the head that the request on standard input names.

    Args:
        reports: the descriptor to which messages are written.
        trace: the descriptor to which the fault handler writes where the head was.
    """
    with open(0, "rb", closefd=False) as standard_input:
        request = json.load(standard_input)
    _confine(trace)
    sender = Sender(reports, request["nonce"])
    from adaface_ref.gate.checks.runner import run_gate
    from adaface_ref.gate.guarding.errors import what_stopped
    from adaface_ref.gate.head.settings import Head
    from adaface_ref.report.our_faults import keep_faults_in

    def progress(what: str, share: float) -> None:
        sender.send("progress", what=what, share=share)

    keep_faults_in(Path(request["faults"]))
    sender.send("ready")
    try:
        report = run_gate(Head.from_json(request["head"]), progress)
        text, data, code = report.text(width=80), report.as_json(), report.exit_code
    except DomainError as error:
        sender.send("mistake", text=str(error))
    except BaseException as error:
        sender.send("stuck", text=what_stopped(error))
    else:
        sender.send("report", text=text, data=data, exit_code=code)
    # No exit handler, thread or destructor of the head's comes after the report.
    _leave(0)


def _confine(trace: int) -> None:
    """Let the head read nothing, leave no core behind, and tell where it is stuck."""
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    faulthandler.enable(file=trace, all_threads=False)
    faulthandler.register(signal.SIGUSR1, file=trace, all_threads=False)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

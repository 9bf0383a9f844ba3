"""Heads that do harm: each an exact CosFace but for one thing that no head may do."""

from __future__ import annotations

import ctypes
import os
import random
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch

from zoo.exact.heads import cosface

Tensor = torch.Tensor
Head = Callable[[Tensor, Tensor], Any]


class Hostile(NamedTuple):
    """A head and what the gate says of it.

    Args:
        head: does the harm.
        code: the gate's exit code.
        words: a part of its report.
    """

    head: Head
    code: int
    words: str


def _forward(harm: Callable[[], object]) -> Head:
    """A head that does something and then answers."""

    def head(cosine: Tensor, labels: Tensor) -> Tensor:
        harm()
        return cosface(cosine, labels)

    return head


def _answer(change: Callable[[Tensor], Any]) -> Head:
    """A head that answers something else."""

    def head(cosine: Tensor, labels: Tensor) -> Any:
        return change(cosface(cosine, labels))

    return head


def _for_ever() -> None:
    while True:
        time.sleep(0)


def _for_ever_deaf() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _for_ever()


class HangsInBackward(torch.autograd.Function):
    """Passes what it is given, and no gradient ever."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor) -> Tensor:
        """The identity."""
        return logits.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        """Never."""
        _for_ever()


def _shout() -> None:
    block = b"a word of the head's own\n" * 40_000
    for _ in range(200):
        os.write(1, block)
        os.write(2, block)


def _hog() -> None:
    kept = []
    while True:
        kept.append(np.ones(2**24))


def _leave_a_process() -> None:
    subprocess.Popen(["sleep", "604800"], start_new_session=True)
    os._exit(5)


def _write_to_every_descriptor() -> None:
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, b'{"kind": "report", "exit_code": 0, "text": ""}\n')
        except OSError:
            continue


def _print_a_report() -> None:
    print("CONFORMS", flush=True)
    os._exit(0)


def _recurse(depth: int = 0) -> int:
    return _recurse(depth + 1) + 1


def _interrupt() -> None:
    raise KeyboardInterrupt


class UnprintableError(Exception):
    """An exception that raises when it is shown."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


def _raise_unprintable() -> None:
    raise UnprintableError


def _raise() -> None:
    raise ZeroDivisionError("on purpose")


DESTRUCTIVE = {
    "quits": Hostile(_forward(lambda: sys.exit(0)), 3, "SystemExit: 0"),
    "leaves": Hostile(_forward(lambda: os._exit(0)), 3,
                      "ended with exit code 0 before its report"),
    "fakes_a_report": Hostile(_forward(_print_a_report), 3,
                              "ended with exit code 0 before its report"),
    "segmentation_fault": Hostile(_forward(lambda: ctypes.string_at(0)), 3,
                                  "SIGSEGV (Segmentation fault)"),
    "aborts": Hostile(_forward(os.abort), 3, "SIGABRT (Aborted)"),
    "kills_itself": Hostile(
        _forward(lambda: os.kill(os.getpid(), signal.SIGKILL)), 3, "SIGKILL (Killed)"),
    "stops_itself": Hostile(
        _forward(lambda: os.kill(os.getpid(), signal.SIGSTOP)), 3, "no report within"),
    "loops": Hostile(_forward(_for_ever), 3, "no report within"),
    "loops_deaf": Hostile(_forward(_for_ever_deaf), 3, "no report within"),
    "loops_in_backward": Hostile(_answer(HangsInBackward.apply), 3,
                                 "no report within"),
    "hogs_memory": Hostile(_forward(_hog), 3, "used more than 2 GiB of memory"),
    "leaves_a_process": Hostile(_forward(_leave_a_process), 3,
                                "ended with exit code 5 before its report"),
    "writes_everywhere": Hostile(_forward(_write_to_every_descriptor), 3,
                                 "unreadable report"),
    "closes_everything": Hostile(_forward(lambda: os.closerange(3, 256)), 3,
                                 "before its report"),
    "shouts": Hostile(_forward(_shout), 3, "no report within"),
    "reads_input": Hostile(_forward(input), 3, "EOFError"),
    "interrupts": Hostile(_forward(_interrupt), 3, "KeyboardInterrupt"),
}  # fmt: skip
"""Heads that would take the process of whoever calls them along."""


def _edited_cosines(cosine: Tensor, labels: Tensor) -> Tensor:
    logits = cosface(cosine.clone(), labels)
    cosine.detach().mul_(0.5)
    return logits


def _edited_labels(cosine: Tensor, labels: Tensor) -> Tensor:
    logits = cosface(cosine, labels)
    labels.add_(1).remainder_(cosine.shape[1])
    return logits


ENTERED: list[Any] = []
"""Contexts that nobody leaves."""


class Liar(torch.Tensor):
    """A tensor whose every function gives zeros."""

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (),
                           kwargs: Any = None) -> Any:  # fmt: skip
        """What torch calls in place of its functions."""
        result = super().__torch_function__(func, types, args, kwargs or {})  # type: ignore[no-untyped-call]
        return result * 0 if func is torch.Tensor.gather else result


def _replace_cross_entropy() -> None:
    torch.nn.functional.cross_entropy = lambda logits, *_, **__: logits.sum() * 0


def _replace_numpy() -> None:
    np.abs = lambda values: np.zeros_like(values)  # type: ignore[assignment]


def _replace_modules() -> None:
    sys.modules.update(numpy=random)


def _close_output() -> None:
    sys.stdout = sys.stderr = None
    os.closerange(1, 3)


def _off(harm: Callable[[], object]) -> Head:
    """A head of another margin that spoils what would find that."""

    def head(cosine: Tensor, labels: Tensor) -> Tensor:
        logits = cosface(cosine, labels, m=0.3)
        harm()
        return logits

    return head


def _enter_inference_mode() -> None:
    ENTERED.append(torch.inference_mode())
    ENTERED[-1].__enter__()


def _set_cudnn() -> None:
    torch.backends.cudnn.benchmark = not torch.backends.cudnn.benchmark


def _rarely_noisy(logits: Tensor) -> Tensor:
    return logits + 0.01 * (torch.rand_like(logits) < 1e-3)


UNUSABLE = {
    "raises": Hostile(_forward(_raise), 3, "ZeroDivisionError: on purpose (hostile.py"),
    "raises_unprintable": Hostile(_forward(_raise_unprintable), 3, "no message"),
    "recurses": Hostile(_forward(_recurse), 3, "RecursionError"),
    "gives_integers": Hostile(_answer(lambda x: x.long()), 3, "gave torch.int64"),
    "gives_complex": Hostile(_answer(lambda x: x.to(torch.complex64)), 3,
                             "gave torch.complex64"),
    "gives_transposed": Hostile(_answer(lambda x: x.T), 3, "logits.shape=(2, "),
    "gives_nothing": Hostile(_answer(lambda x: None), 3, "gave NoneType"),
    "gives_mapping": Hostile(_answer(lambda x: {"logits": "none"}), 3, "gave dict"),
    "gives_list": Hostile(_answer(lambda x: x.tolist()), 3, "gave list"),
    "gives_numpy": Hostile(_answer(lambda x: x.detach().numpy()), 3, "gave ndarray"),
    "gives_meta": Hostile(_answer(lambda x: x.to("meta")), 3, "logits.device=meta"),
}  # fmt: skip
"""Heads whose answer, or lack of one, cannot be judged."""

WRONG = {
    "gives_no_gradient": Hostile(_answer(torch.Tensor.detach), 1, "profile"),
    "gives_nan": Hostile(_answer(lambda x: x * torch.nan), 1, "profile"),
    "gives_inf": Hostile(_answer(lambda x: x + torch.inf), 1, "profile"),
    "gives_noise": Hostile(_answer(lambda x: x + 0.01 * torch.randn_like(x)), 1,
                           "profile"),
    "gives_rare_noise": Hostile(_answer(_rarely_noisy), 1, "target-logit"),
    "gives_noise_of_numpy": Hostile(
        _answer(lambda x: x + 0.01 * np.random.standard_normal()), 1, "deterministic"),
    "gives_scalar": Hostile(_answer(lambda x: x.sum()), 1, "reduction"),
    "answers_by_a_liar": Hostile(_answer(lambda x: (x * 2).as_subclass(Liar)), 1,
                                 "target-logit"),
}  # fmt: skip
"""Heads whose answer is judged, and wrong."""

OVERWRITING = {
    "edits_cosines": Hostile(_edited_cosines, 0, "inputs-untouched"),
    "edits_labels": Hostile(_edited_labels, 0, "inputs-untouched"),
}
"""Heads that write into what they are given: a warning."""

MEDDLING = {
    "seeds_torch": (lambda: torch.manual_seed(0), "torch's seed"),
    "seeds_numpy": (lambda: np.random.seed(0), "NumPy's seed"),
    "seeds_python": (lambda: random.seed(0), "Python's seed"),
    "sets_dtype": (lambda: torch.set_default_dtype(torch.float64), "default dtype"),
    "sets_device": (lambda: torch.set_default_device("meta"), "default device"),
    "sets_gradient_mode": (lambda: torch.set_grad_enabled(False), "gradient mode"),
    "sets_deterministic": (lambda: torch.use_deterministic_algorithms(True),
                           "deterministic algorithms"),
    "sets_inference_mode": (_enter_inference_mode, "inference mode"),
    "sets_cudnn": (_set_cudnn, "cuDNN's flags"),
    "sets_threads": (lambda: torch.set_num_threads(torch.get_num_threads() + 1),
                     "torch's threads"),
}  # fmt: skip
"""What a head must leave alone, and the name by which a report calls it."""

ILL_MANNERED = {
    "sets_filters": (lambda: warnings.simplefilter("ignore"), "warnings.filters"),
    "sets_errors": (lambda: np.seterr(all="ignore"), "NumPy's handling of errors"),
}  # fmt: skip
"""The same, where nobody's numbers change."""

SPOILING = {
    "replaces_cross_entropy": Hostile(_off(_replace_cross_entropy), 1, "target-logit"),
    "replaces_numpy": Hostile(_off(_replace_numpy), 3, "a value that is off"),
    "replaces_modules": Hostile(_off(_replace_modules), 1, "profile"),
    "closes_output": Hostile(_off(_close_output), 1, "target-logit"),
}
"""Heads that are wrong, and change what their process judges or tells by."""

_ALL = {**DESTRUCTIVE, **UNUSABLE, **WRONG, **OVERWRITING, **SPOILING}
for _name, _hostile in _ALL.items():
    globals()[_name] = _hostile.head

AT_IMPORT = {
    "syntax": ("def head(:\n", "SyntaxError"),
    "missing": ("import no_such_module\n", "ModuleNotFoundError"),
    "quits": ("import sys\nsys.exit(0)\n", "SystemExit: 0"),
    "leaves": ("import os\nos._exit(0)\n", "ended with exit code 0 before its report"),
    "stops": ("raise GeneratorExit\n", "GeneratorExit"),
    "loops": ("while True: pass\n",
              'no report within 1.5 s (head.py:1) at "while True'),
    "crashes": ("import ctypes\nctypes.string_at(0)\n",
                '(Segmentation fault) before its report (head.py:2) at "ctypes.s'),
    "refuses": ("def __getattr__(name):\n    raise OSError('no')\n", "OSError: no"),
}  # fmt: skip
"""Files that do harm when they are imported, and what the gate says of them."""

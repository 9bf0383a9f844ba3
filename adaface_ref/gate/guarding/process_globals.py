"""What all code of a process shares and a head must leave alone, as rows."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.utils._device

from adaface_ref.gate.guarding import reseeding as seeds

FAILS, WARNS, TOLERATED = "failed", "warning", "tolerated"
"""What a change is: wrong, bad manners, or what imports usually do."""

MODULES = ("builtins", "json", "math", "numpy", "os", "sys", "torch",
           "torch.nn.functional")  # fmt: skip
"""What must stay the module that it is."""

SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""Whose handlers belong to whoever started the process."""


class Global(NamedTuple):
    """Something that all code of a process shares.

    Args:
        name: what a report calls it.
        read: its value now.
        restore: sets it to a value read before.
        at_import: what a change of it is while a module is imported.
        later: what it is when a head is built or run.
        differs: whether the value after a call differs from the one before.
    """

    name: str
    read: Callable[[], Any]
    restore: Callable[[Any], object]
    at_import: str = FAILS
    later: str = FAILS
    differs: Callable[[Any, Any], bool] = lambda before, after: bool(before != after)


def _device() -> Any:
    """None where nobody has set one, which is faster than the CPU by name."""
    return torch.utils._device.CURRENT_DEVICE


def _autocast() -> dict[str, bool]:
    return {device: torch.is_autocast_enabled(device) for device in ("cpu", "cuda")}


def _set_autocast(before: dict[str, bool]) -> None:
    for device, on in before.items():
        torch.set_autocast_enabled(device, on)


def _modes() -> int:
    return len(torch.overrides._get_current_function_mode_stack())


def _pop_modes(before: int) -> None:
    while _modes() > before:
        torch.overrides._pop_mode()


def _deterministic() -> dict[str, bool]:
    return {
        "mode": torch.are_deterministic_algorithms_enabled(),
        "warn_only": torch.is_deterministic_algorithms_warn_only_enabled(),
    }


def _set_deterministic(before: dict[str, bool]) -> None:
    torch.use_deterministic_algorithms(**before)


def _cudnn() -> dict[str, bool]:
    cudnn = torch.backends.cudnn
    names = ("enabled", "benchmark", "deterministic")
    return {name: bool(getattr(cudnn, name)) for name in names}


def _set_cudnn(before: dict[str, bool]) -> None:
    for name, value in before.items():
        setattr(torch.backends.cudnn, name, value)


def _denormals() -> bool:
    """Whether numbers too small for a normal float are kept."""
    return float(np.float64(5e-324) * np.float64(1)) != 0


def _set_denormals(before: bool) -> None:
    torch.set_flush_denormal(not before)


def _set_list(target: list[Any], before: list[Any]) -> None:
    target[:] = before


def _set_environment(before: dict[str, str]) -> None:
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)


def _modules() -> dict[str, Any]:
    return {name: sys.modules.get(name) for name in MODULES}


def _folder() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:
        return "a folder that is gone"


def _set_folder(before: str) -> None:
    if os.path.isdir(before):
        os.chdir(before)


def _handlers() -> dict[Any, Any]:
    return {number: signal.getsignal(number) for number in SIGNALS}


def _set_handlers(before: dict[Any, Any]) -> None:
    if threading.current_thread() is threading.main_thread():
        for number, handler in before.items():
            signal.signal(number, handler)


def _streams() -> dict[str, Any]:
    return {name: getattr(sys, name) for name in ("stdin", "stdout", "stderr")}


def _set_streams(before: dict[str, Any]) -> None:
    for name, stream in before.items():
        setattr(sys, name, stream)


def _set_collector(before: bool) -> None:
    (gc.enable if before else gc.disable)()


def _cannot(before: Any) -> None:
    """Nothing ends it from outside."""


def _more(before: int, after: int) -> bool:
    return after > before


GENERATORS = (
    Global("torch's seed", seeds.torch_state, seeds.set_torch,
           differs=seeds.seeded_anew),
    Global("NumPy's seed", seeds.numpy_state, seeds.set_numpy,
           differs=seeds.seeded_anew),
    Global("Python's seed", seeds.python_state, seeds.set_python,
           differs=seeds.seeded_anew),
)  # fmt: skip
"""The global generators: they may be used, not seeded."""

GLOBALS = (
    Global("sys.modules", _modules, sys.modules.update),
    *GENERATORS,
    Global("torch's default dtype", torch.get_default_dtype, torch.set_default_dtype),
    Global("torch's default device", _device, torch.set_default_device),
    Global("torch's gradient mode", torch.is_grad_enabled,
           torch.set_grad_enabled),
    Global("torch's inference mode", torch.is_inference_mode_enabled, _cannot),
    Global("torch's autocast", _autocast, _set_autocast),
    Global("torch's function modes", _modes, _pop_modes),
    Global("torch's deterministic algorithms", _deterministic, _set_deterministic),
    Global("cuDNN's flags", _cudnn, _set_cudnn),
    Global("torch's float32 matmul precision", torch.get_float32_matmul_precision,
           torch.set_float32_matmul_precision),
    Global("denormal numbers", _denormals, _set_denormals),
    Global("torch's threads", torch.get_num_threads, torch.set_num_threads, WARNS),
    Global("the working directory", _folder, _set_folder),
    Global("NumPy's handling of errors", np.geterr, lambda old: np.seterr(**old),
           WARNS, WARNS),
    Global("warnings.filters", lambda: list(warnings.filters),
           lambda old: _set_list(warnings.filters, old), TOLERATED, WARNS),  # type: ignore[arg-type]
    Global("sys.path", lambda: list(sys.path), partial(_set_list, sys.path),
           TOLERATED, WARNS),
    Global("os.environ", lambda: dict(os.environ), _set_environment,
           TOLERATED, WARNS),
    Global("the recursion limit", sys.getrecursionlimit, sys.setrecursionlimit,
           WARNS, WARNS),
    Global("the garbage collector", gc.isenabled, _set_collector, WARNS, WARNS),
    Global("handlers of SIGINT and SIGTERM", _handlers, _set_handlers, WARNS, WARNS),
    Global("standard streams", _streams, _set_streams, WARNS, WARNS),
    Global("running threads", threading.active_count, _cannot, TOLERATED, WARNS,
           _more),
)  # fmt: skip
"""All of it, in the order in which it is looked at and undone."""

"""What all code of a process shares and a head must leave alone, as rows."""

from __future__ import annotations

import operator
import random
import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

FAILS, WARNS, TOLERATED = "failed", "warning", "tolerated"
"""What a change is: wrong, bad manners, or what imports usually do."""

WORDS = 624
"""Numbers that a Mersenne twister makes at a time."""

TURNS = 4_000
"""How far a generator is followed: two and a half million numbers."""


class Setting(NamedTuple):
    """Something that all code of a process shares.

    Args:
        name: what a report calls it.
        read: its value now.
        write: sets it to a value read before.
        at_import: what a change of it is while a module is imported.
        later: what it is when a head is built or run.
        differs: whether the value after a call differs from the one before.
    """

    name: str
    read: Callable[[], Any]
    write: Callable[[Any], object]
    at_import: str = FAILS
    later: str = FAILS
    differs: Callable[[Any, Any], bool] = operator.ne


class Twister(NamedTuple):
    """The state of a generator that NumPy or Python shares.

    Args:
        words: a Mersenne twister's numbers of 32 bits, none for another generator.
        used: how many of them are used up.
        whole: what sets the generator back.
    """

    words: bytes | tuple[int, ...]
    used: int
    whole: Any


def _seed() -> tuple[int, torch.Tensor]:
    return torch.initial_seed(), torch.get_rng_state()


def _numpy() -> Twister:
    state: Any = np.random.get_state(legacy=False)
    words = state["state"].get("key", np.empty(0)).tobytes()
    whole = np.random.get_bit_generator(), state  # type: ignore[attr-defined]
    return Twister(words, state["state"].get("pos", 0), whole)


def _set_numpy(state: Twister) -> None:
    generator, inner = state.whole
    np.random.set_bit_generator(generator)  # type: ignore[attr-defined]
    np.random.set_state(inner)


def _python() -> Twister:
    whole = random.getstate()
    return Twister(whole[1][:-1], whole[1][-1], whole)


def _seeded_anew(before: Twister, after: Twister) -> bool:
    """Whether no use of a generator leads from one state to another.

    True also where it was used for more than TURNS times WORDS numbers.
    """
    if before.words == after.words:
        return after.used < before.used
    known = before.words and after.words
    return not known or not _leads_to(before.words, after.words)


@lru_cache(maxsize=64)
def _leads_to(before: bytes | tuple[int, ...], after: bytes | tuple[int, ...]) -> bool:
    twister = np.random.MT19937()
    state: Any = {"key": _numbers(before), "pos": WORDS}
    twister.state = {"bit_generator": "MT19937", "state": state}
    wanted = _numbers(after)
    for _ in range(TURNS):
        twister.random_raw(output=False)
        state = twister.state["state"]
        if np.array_equal(state["key"], wanted):
            return True
        twister.random_raw(WORDS - 1, output=False)
    return False


def _numbers(words: bytes | tuple[int, ...]) -> NDArray[np.uint32]:
    if isinstance(words, bytes):
        return np.frombuffer(words, dtype=np.uint32)
    return np.array(words, dtype=np.uint32)


def _cudnn() -> tuple[bool, bool]:
    return torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic


def _set_cudnn(before: tuple[bool, bool]) -> None:
    torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = before


def _set_device(before: torch.device) -> None:
    # None is the CPU, too, and costs nothing at every call of torch.
    torch.set_default_device(None if before.type == "cpu" else before)


def _set_filters(before: list[Any]) -> None:
    warnings.filters[:] = before  # type: ignore[index]


DTYPE = Setting(
    "torch's default dtype", torch.get_default_dtype, torch.set_default_dtype
)
DEVICE = Setting("torch's default device", torch.get_default_device, _set_device)

GENERATORS = (
    Setting("torch's seed", _seed, lambda old: torch.set_rng_state(old[1]),
            differs=lambda old, new: bool(old[0] != new[0])),
    Setting("NumPy's seed", _numpy, _set_numpy, differs=_seeded_anew),
    Setting("Python's seed", _python, lambda old: random.setstate(old.whole),
            differs=_seeded_anew),
)  # fmt: skip
"""The global generators: they may be used, not seeded."""

SETTINGS = (
    DTYPE,
    DEVICE,
    Setting("torch's gradient mode", torch.is_grad_enabled, torch.set_grad_enabled),
    Setting("torch's inference mode", torch.is_inference_mode_enabled,
            lambda old: None),  # the context of `calling` ends it
    Setting("torch's deterministic algorithms", torch.get_deterministic_debug_mode,
            torch.set_deterministic_debug_mode),
    Setting("torch's precision of float32 products", torch.get_float32_matmul_precision,
            torch.set_float32_matmul_precision),
    Setting("torch's anomaly detection", torch.is_anomaly_enabled,
            torch.autograd.set_detect_anomaly),
    Setting("cuDNN's flags", _cudnn, _set_cudnn),
    Setting("torch's threads", torch.get_num_threads, torch.set_num_threads, WARNS),
    Setting("NumPy's handling of errors", np.geterr, lambda old: np.seterr(**old),
            WARNS, WARNS),
    Setting("warnings.filters", lambda: list(warnings.filters), _set_filters,
            TOLERATED, WARNS),
)  # fmt: skip
"""The others, in the order in which they are looked at and set back."""

"""Tells a global generator that was seeded anew from one that was merely used."""

from __future__ import annotations

import random
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch

DRAWS = 624
"""Numbers that a Mersenne twister makes at a time."""

TURNS = 4_000
"""How far a generator is followed: two and a half million numbers."""


class State(NamedTuple):
    """A generator's state.

    Args:
        kind: what no use changes.
        key: a Mersenne twister's words.
        place: how many of them are used up.
        whole: what sets the generator back.
    """

    kind: str
    key: bytes
    place: int
    whole: Any


def torch_state() -> State:
    """Of torch's generator on the CPU, which remembers its seed."""
    seed = torch.default_generator.initial_seed()
    return State(f"seed {seed}", b"", 0, torch.get_rng_state())


def set_torch(state: State) -> None:
    """Set torch's generator back."""
    torch.set_rng_state(state.whole)


def numpy_state() -> State:
    """Of NumPy's global generator."""
    whole: Any = np.random.get_state(legacy=False)
    inner, kind = whole["state"], whole["bit_generator"]
    if kind != "MT19937":
        return State(kind, b"", 0, whole)
    return State(kind, inner["key"].tobytes(), inner["pos"], whole)


def set_numpy(state: State) -> None:
    """Set NumPy's generator back."""
    if numpy_state().kind != state.kind:
        np.random.set_bit_generator(np.random.MT19937())  # type: ignore[attr-defined]
    np.random.set_state(state.whole)


def python_state() -> State:
    """Of Python's global generator."""
    whole = random.getstate()
    *words, place = whole[1]
    return State("MT19937", np.array(words, dtype=np.uint32).tobytes(), place, whole)


def set_python(state: State) -> None:
    """Set Python's generator back."""
    random.setstate(state.whole)


def seeded_anew(before: State, after: State) -> bool:
    """Whether no use of a generator leads from one state to another.

    Args:
        before: as `torch_state`, `numpy_state` or `python_state` gives it.
        after: the same, later.

    Returns:
        True also where it was used for more than TURNS times DRAWS numbers.
    """
    if before.kind != after.kind:
        return True
    if before.key == after.key:
        return after.place < before.place
    return not _leads_to(before.key, after.key)


@lru_cache(maxsize=64)
def _leads_to(before: bytes, after: bytes) -> bool:
    twister = np.random.MT19937()
    key = np.frombuffer(before, dtype=np.uint32)
    inner = {"key": key, "pos": DRAWS}
    twister.state = {"bit_generator": "MT19937", "state": inner}  # type: ignore[typeddict-item]
    for _ in range(TURNS):
        twister.random_raw(output=False)
        state: Any = twister.state
        if state["state"]["key"].tobytes() == after:
            return True
        twister.random_raw(DRAWS - 1, output=False)
    return False

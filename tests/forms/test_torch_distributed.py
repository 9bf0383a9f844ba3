"""Statistics of two ranks are those of their batches put together."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, distributed

from adaface_ref.torch_heads import HEADS

STATEFUL = ("curricularface", "adaface")
SHARES = ((0, 1), (1, 10))
"""The rows of each rank: one of them has a batch of one, so no spread of its own."""


def statistics(rows: slice) -> dict[str, float]:
    """Every stateful head's buffers after two batches of these rows."""
    found: dict[str, float] = {}
    for loss in STATEFUL:
        torch.manual_seed(0)
        head = HEADS[loss](4, 3, new_batch_weight=0.5)
        for offset in (0.0, 40.0):  # a mean far above the spread
            embeddings, labels = batch(offset)
            head(embeddings[rows], labels[rows])
        found |= {name: value.item() for name, value in head.named_buffers()}
    return found


def batch(offset: float) -> tuple[Tensor, Tensor]:
    source = torch.Generator().manual_seed(2)
    embeddings = offset + torch.randn(10, 4, generator=source)
    return embeddings, torch.tensor([0, 1, 2, -1, 1, 2, 0, 1, 2, 0])


def rank(number: int, meeting_point: str) -> None:
    """What each process does: its share of the rows, and its buffers as one line."""
    distributed.init_process_group(
        "gloo", init_method=f"file://{meeting_point}", rank=number, world_size=2
    )
    sys.stdout.write(json.dumps(statistics(slice(*SHARES[number]))))
    distributed.destroy_process_group()


@pytest.fixture(scope="module")
def of_two_ranks(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, float]]:
    meeting_point = tmp_path_factory.mktemp("gloo") / "ranks"
    paths = os.pathsep.join(path for path in sys.path if path)
    ranks = [
        subprocess.Popen(
            [sys.executable, str(Path(__file__)), str(number), str(meeting_point)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        )
        for number in range(2)
    ]
    answers = [process.communicate(timeout=120)[0] for process in ranks]
    assert [process.returncode for process in ranks] == [0, 0]
    return [json.loads(answer) for answer in answers]


def test_two_ranks_hold_the_same_statistics(
    of_two_ranks: list[dict[str, float]],
) -> None:
    assert of_two_ranks[0] == of_two_ranks[1]


def test_the_statistics_are_those_of_the_whole_batch(
    of_two_ranks: list[dict[str, float]],
) -> None:
    whole = statistics(slice(None))
    assert set(whole) == {"curriculum", "batch_mean", "batch_std"}
    assert of_two_ranks[0] == pytest.approx(whole)


def test_one_rank_alone_would_hold_others() -> None:
    alone, whole = statistics(slice(*SHARES[1])), statistics(slice(None))
    assert all(alone[name] != pytest.approx(whole[name]) for name in whole)


if __name__ == "__main__":
    rank(int(sys.argv[1]), sys.argv[2])

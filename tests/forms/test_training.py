"""Every head trains: a small net on scikit-learn's digits, at the recommended margins.

The scale is 30: the recommended 64 is for many more classes than ten.
"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from adaface_ref.torch_heads import HEADS, MagFace, MarginHead

SIZE, EPOCHS, ROWS = 16, 40, 128


@pytest.fixture(scope="module")
def digits() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Training images and labels, then those kept for the test."""
    datasets = pytest.importorskip("sklearn.datasets", reason="needs scikit-learn")
    images, labels = datasets.load_digits(return_X_y=True)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    x, y = torch.tensor(images, dtype=torch.float32)[order] / 16, torch.tensor(labels)
    y = y.long()[order]
    return x[:1400], y[:1400], x[1400:], y[1400:]


def train(net: nn.Module, head: MarginHead, x: Tensor, y: Tensor) -> list[float]:
    """The mean loss of every epoch."""
    weights = [*net.parameters(), *head.parameters()]
    optimiser = torch.optim.AdamW(weights, lr=3e-3)
    history = []
    for _ in range(EPOCHS):
        total = 0.0
        for rows in torch.randperm(len(x)).split(ROWS):
            embeddings = net(x[rows])
            value = cross_entropy(head(embeddings, y[rows]), y[rows])
            if isinstance(head, MagFace):
                value = value + head.regulariser(embeddings.norm(dim=1))
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
            total += value.item() * len(rows) / len(x)
        history.append(total)
    return history


@pytest.mark.slow
@pytest.mark.parametrize("loss", HEADS)
def test_a_head_learns_the_digits(
    loss: str, digits: tuple[Tensor, Tensor, Tensor, Tensor]
) -> None:
    torch.manual_seed(0)
    x, y, unseen, truth = digits
    net = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, SIZE))
    head = HEADS[loss](SIZE, 10, scale=30.0)
    history = train(net, head, x, y)
    nearest = normalize(net(unseen)) @ normalize(head.weight).T
    assert torch.tensor(history).isfinite().all()
    assert history[-1] < 0.5 * history[0]
    assert (nearest.argmax(dim=1) == truth).float().mean() > 0.95

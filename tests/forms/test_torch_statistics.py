"""The heads' running statistics: what moves them, what must not."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close
from torch_cases import ROWS, buffers, embedded, head

STATEFUL = ("curricularface", "adaface")


@pytest.mark.parametrize("loss", STATEFUL)
def test_statistics_move_in_training_alone(loss: str, device: str) -> None:
    module = head(loss, device)
    at_first = buffers(module)
    module.eval()(*embedded(device))
    assert buffers(module) == at_first
    module.train()(*embedded(device))
    assert all(value != at_first[name] for name, value in buffers(module).items())


@pytest.mark.parametrize("loss", STATEFUL)
def test_a_batch_of_skipped_rows_moves_nothing(loss: str) -> None:
    module, (embeddings, labels) = head(loss), embedded()
    at_first = buffers(module)
    module(embeddings, torch.full_like(labels, -1))
    assert buffers(module) == at_first


@pytest.mark.parametrize("loss", STATEFUL)
def test_nan_never_enters_the_statistics(loss: str) -> None:
    embeddings, labels = embedded()
    poisoned, clean = head(loss), head(loss)
    clean(embeddings[1:], labels[1:])
    embeddings[0] = torch.nan
    poisoned(embeddings, labels)
    assert buffers(poisoned) == pytest.approx(buffers(clean))


@pytest.mark.parametrize("loss", STATEFUL)
def test_statistics_are_kept_in_float32_at_least(loss: str) -> None:
    module = head(loss).bfloat16()
    assert module.weight.dtype == torch.bfloat16
    assert all(buffer.dtype == torch.float32 for buffer in module.buffers())


def test_the_first_statistics_are_those_of_the_official_head() -> None:
    assert buffers(head("adaface")) == {"batch_mean": 20.0, "batch_std": 100.0}


def test_a_new_batch_weighs_a_hundredth() -> None:
    module, (embeddings, labels) = head("adaface"), embedded()
    norms = embeddings.norm(dim=1)
    module(embeddings, labels)
    expected = {
        "batch_mean": torch.tensor(20.0).lerp(norms.mean(), 0.01).item(),
        "batch_std": torch.tensor(100.0).lerp(norms.std(), 0.01).item(),
    }
    assert buffers(module) == pytest.approx(expected)


def test_norms_are_clipped_before_they_count() -> None:
    module, (embeddings, labels) = head("adaface", new_batch_weight=1.0), embedded()
    module(embeddings, labels, torch.tensor([1e6] * 6 + [0.0] * 6))
    assert buffers(module)["batch_mean"] == pytest.approx((100 + 1e-3) / 2)


def test_a_batch_of_one_keeps_the_spread() -> None:
    module, (embeddings, labels) = head("adaface", new_batch_weight=1.0), embedded()
    logits = module(embeddings[:1], labels[:1])
    assert logits.isfinite().all()
    assert buffers(module)["batch_std"] == 100.0
    assert buffers(module)["batch_mean"] == pytest.approx(embeddings[0].norm().item())


def test_constant_norms_leave_a_margin_scaler_of_zero() -> None:
    module, (embeddings, labels) = head("adaface", new_batch_weight=1.0), embedded()
    given = module.batch_parameters(embeddings, labels, torch.full((ROWS,), 7.0))
    assert_close(given["margin_scaler"], torch.zeros(ROWS, dtype=torch.float64))


def test_statistics_are_updated_before_they_are_used() -> None:
    module, (embeddings, labels) = head("adaface", new_batch_weight=1.0), embedded()
    norms = torch.tensor([10.0, 30.0])
    given = module.batch_parameters(embeddings[:2], labels[:2], norms)
    pair = torch.tensor([-0.5, 0.5], dtype=torch.float64)  # (norm - mean)/std, times
    expected = 0.333 * 2**0.5 * pair
    assert_close(given["margin_scaler"], expected, rtol=1e-4, atol=0)


def test_the_curriculum_follows_the_mean_target_cosine() -> None:
    module, (embeddings, labels) = (
        head("curricularface", new_batch_weight=1.0),
        embedded(),
    )
    module(embeddings, labels)
    own = torch.cosine_similarity(embeddings, module.weight.detach()[labels])
    assert buffers(module)["curriculum"] == pytest.approx(own.mean().item(), abs=1e-6)

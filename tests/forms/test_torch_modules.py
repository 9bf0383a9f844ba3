"""Heads to train with: what they accept, give back and keep."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy, linear, normalize
from torch.testing import assert_close
from torch_cases import (
    CLASSES,
    ROWS,
    SIZE,
    buffers,
    compiled,
    dynamo_instantiates,
    embedded,
    every_head,
    head,
)

from adaface_ref.torch_heads import (
    HEADS,
    LOSSES,
    AdaFace,
    ArcFace,
    CurricularFace,
    MagFace,
    MarginHead,
    margin_logits,
)


def test_there_is_a_head_for_every_loss() -> None:
    assert set(HEADS) == set(LOSSES)


@every_head
def test_a_head_gives_finite_gradients(loss: str, device: str) -> None:
    module, (embeddings, labels) = head(loss, device), embedded(device)
    logits = module(embeddings.requires_grad_(), labels)
    cross_entropy(logits, labels).backward()
    assert logits.shape == (ROWS, CLASSES)
    for leaf in (embeddings, module.weight):
        assert leaf.grad is not None
        assert leaf.grad.isfinite().all()


@every_head
def test_an_embedding_on_its_class_weight_has_a_finite_gradient(
    loss: str, device: str
) -> None:
    module, (_, labels) = head(loss, device), embedded(device)
    own = module.weight.detach()[labels]
    for length in (20, -20):
        cross_entropy(module(length * own, labels), labels).backward()
    assert module.weight.grad is not None
    assert module.weight.grad.isfinite().all()


@every_head
def test_an_embedding_of_zero_gives_no_nan(loss: str) -> None:
    module, (embeddings, labels) = head(loss), embedded()
    embeddings[0] = 0
    cross_entropy(module(embeddings, labels), labels).backward()
    assert module.weight.grad is not None
    assert module.weight.grad.isfinite().all()


@every_head
def test_the_length_of_a_class_weight_does_not_matter(loss: str) -> None:
    module, longer = head(loss), head(loss)
    with torch.no_grad():
        longer.weight.mul_(8)
    assert_close(module(*embedded()), longer(*embedded()))


@every_head
def test_the_length_of_an_embedding_does_not_matter_beside_norms(loss: str) -> None:
    (embeddings, labels), norms = embedded(), torch.linspace(5, 60, ROWS)
    plain = head(loss)(embeddings, labels, norms)
    assert_close(head(loss)(8 * embeddings, labels, norms), plain)


@every_head
def test_norms_default_to_those_of_the_embeddings(loss: str, device: str) -> None:
    embeddings, labels = embedded(device)
    norms = embeddings.norm(dim=1, keepdim=True)
    plain = head(loss, device)(embeddings, labels)
    assert_close(head(loss, device)(embeddings, labels, norms), plain)
    assert_close(head(loss, device)(embeddings, labels, norms.squeeze(1)), plain)


@every_head
def test_a_head_is_its_loss_on_normalised_vectors(loss: str) -> None:
    module, (embeddings, labels) = head(loss).eval(), embedded()
    cosine = linear(normalize(embeddings), normalize(module.weight))
    given: dict[str, Any] = {"profile": module.profile, **module.constants}
    given |= module.batch_parameters(cosine, labels, embeddings.norm(dim=1))
    expected = margin_logits(loss, cosine, labels, **given)
    assert torch.equal(module(embeddings, labels), expected)


@every_head
def test_a_skipped_row_changes_nothing_elsewhere(loss: str) -> None:
    embeddings, labels = embedded()
    whole, fewer = head(loss), head(loss)
    labels[-2:] = -1
    assert_close(whole(embeddings, labels)[:-2], fewer(embeddings[:-2], labels[:-2]))
    assert buffers(whole) == pytest.approx(buffers(fewer))


def test_the_margin_scaler_gives_the_norm_no_gradient() -> None:
    module, (embeddings, labels) = head("adaface"), embedded()
    logits = module(embeddings.requires_grad_(), labels)
    cross_entropy(logits, labels).backward()
    assert embeddings.grad is not None
    along = (embeddings.grad * embeddings).sum(dim=1)
    assert_close(along, torch.zeros(ROWS), rtol=0, atol=1e-5)


def test_the_regulariser_raises_a_low_norm() -> None:
    norms = torch.tensor([20.0, 60.0, 500.0], requires_grad=True)
    MagFace(SIZE, CLASSES).regulariser(norms).backward()
    assert norms.grad is not None
    assert norms.grad[0] < norms.grad[1] < 0
    assert norms.grad[2] == 0


def test_the_regulariser_leaves_out_a_skipped_row() -> None:
    module, norms = MagFace(SIZE, CLASSES), torch.tensor([20.0, 60.0])
    kept = module.regulariser(norms, torch.tensor([3, -1]))
    assert torch.equal(kept, module.regulariser(norms[:1]))


@every_head
def test_a_head_keeps_its_precision_under_autocast(loss: str, device: str) -> None:
    embeddings, labels = embedded(device)
    plain = head(loss, device)(embeddings.bfloat16(), labels)
    with torch.autocast(device, dtype=torch.bfloat16):
        logits = head(loss, device)(embeddings.bfloat16(), labels)
    assert logits.dtype == torch.float32
    assert torch.equal(logits, plain)


@every_head
@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_a_head_of_any_dtype_gives_finite_gradients(
    loss: str, dtype: torch.dtype, device: str
) -> None:
    module, (embeddings, labels) = head(loss, device).to(dtype), embedded(device)
    cross_entropy(module(embeddings.to(dtype), labels), labels).backward()
    assert module.weight.grad is not None
    assert module.weight.grad.isfinite().all()


@every_head
def test_a_state_dict_carries_everything(loss: str) -> None:
    trained = head(loss)
    trained(*embedded())
    fresh = HEADS[loss](SIZE, CLASSES)
    fresh.load_state_dict(trained.state_dict())
    assert torch.equal(fresh.eval()(*embedded()), trained.eval()(*embedded()))


@every_head
def test_a_head_survives_copying(loss: str) -> None:
    module = head(loss).eval()
    for twin in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert torch.equal(twin(*embedded()), module(*embedded()))


@dynamo_instantiates
@every_head
def test_a_head_compiles_in_one_graph(loss: str) -> None:
    module, twin = head(loss), head(loss)
    assert_close(compiled(twin)(*embedded()), module(*embedded()))
    assert buffers(twin) == pytest.approx(buffers(module))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"margin": -1}, "margin=-1, but must be in [0, pi/2) [ArcFace]"),
        ({"s": 64}, "parameter='s', but must be one of scale, margin for ArcFace"),
        ({"classes": 0}, "classes=0, but must be an integer >= 1 [ArcFace]"),
        ({"classes": True}, "classes=True, but must be an integer >= 1 [ArcFace]"),
        ({"embedding_size": "8"}, "embedding_size='8', but must be an integer >= 1"),
        ({"embedding_size": 8.0}, "embedding_size=8.0, but must be an integer >= 1"),
        ({"margin": torch.tensor([0.4, 0.5])}, "margin=tensor([0.4000, 0.5000]), but"),
        ({"profile": ["pure"]}, "profile=\"['pure']\", but must be one of pure, clip"),
        ({"pole_gradient": "x"}, "pole_gradient='x', but must be nearest or limit"),
        ({"profile": "klip"}, "profile='klip', but must be one of pure, clip"),
    ],
)
def test_a_wrong_setting_gets_one_clear_line(
    change: dict[str, Any], message: str
) -> None:
    given: dict[str, Any] = {"embedding_size": SIZE, "classes": CLASSES, **change}
    with pytest.raises(ValueError, match=r".") as caught:
        ArcFace(**given)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("argument", "value", "message"),
    [
        ("labels", torch.tensor([0, 5]), "labels[1]=5, but must be -1 or in [0, 5)"),
        ("labels", torch.tensor([0]), "labels.shape=(1,), but must be (2,)"),
        ("norms", torch.ones(5), "norms.shape=(5,), but must be (2,) or (2, 1)"),
        ("embeddings", torch.ones(2, 9), "embeddings.shape=(2, 9), but must be (B, 8)"),
        ("labels", [0, 1], "labels=[0, 1], but must be a tensor"),
        ("labels", None, "labels=None, but must be a tensor"),
        ("norms", [1.0, 2.0], "norms=[1.0, 2.0], but must be a tensor"),
        ("norms", torch.tensor([1, torch.nan]), "norms[1]=nan, but must be in [0, inf"),
        ("norms", torch.tensor([1.0, -1.0]), "norms[1]=-1.0, but must be in [0, inf)"),
        ("norms", torch.tensor([1, 1j]), "norms.dtype=torch.complex64, but must be a"),
        ("embeddings", None, "embeddings=None, but must be a tensor"),
        ("embeddings", torch.tensor(1.0), "embeddings.shape=(), but must be (B, 8)"),
        ("embeddings", torch.ones(2, 8).long(), "embeddings.dtype=torch.int64, but"),
    ],
)
def test_a_wrong_batch_gets_one_clear_line(
    argument: str, value: Any, message: str
) -> None:
    given: dict[str, Any] = {"embeddings": torch.ones(2, SIZE)}
    given["labels"] = torch.tensor([0, 1])
    with pytest.raises(ValueError, match=r".") as caught:
        AdaFace(SIZE, CLASSES)(**{**given, argument: value})
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("norms", "labels", "message"),
    [
        ([1.0], None, "feature_norm=[1.0], but must be a tensor"),
        (torch.tensor([1, torch.nan]), None, "feature_norm[1]=nan, but must be in [0"),
        (torch.tensor([-1.0]), None, "feature_norm[0]=-1.0, but must be in [0, inf)"),
        (torch.ones(2, 2), None, "feature_norm.shape=(2, 2), but must be (2,) or (2,"),
        (torch.ones(2), [0, 1], "labels=[0, 1], but must be a tensor"),
        (torch.ones(2), torch.ones(2), "labels.dtype=torch.float32, but must be an"),
        (torch.ones(2), torch.tensor([0, CLASSES]), f"labels[1]={CLASSES}, but must"),
    ],
)
def test_a_wrong_norm_is_not_regularised(norms: Any, labels: Any, message: str) -> None:
    with pytest.raises(ValueError, match=r"\[regulariser\]$") as caught:
        MagFace(SIZE, CLASSES).regulariser(norms, labels)
    assert str(caught.value).startswith(message)


def test_class_weights_begin_with_lengths_of_about_1() -> None:
    torch.manual_seed(0)
    lengths = MagFace(4096, CLASSES).weight.norm(dim=1)
    assert ((lengths - 1).abs() < 0.1).all()


def test_a_head_without_a_loss_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^loss='', but must be one of normface"):
        MarginHead(SIZE, CLASSES)


def test_a_head_prints_its_settings() -> None:
    text = repr(CurricularFace(SIZE, CLASSES, margin=0.3))
    assert text == (
        "CurricularFace(8, 5, profile='pure', scale=64.0, margin=0.3, "
        "new_batch_weight=0.01)"
    )

"""True verdicts on heads of other packages; `benchmarks/real_heads.py` prints them."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from gate_runs import failed, few_points, outcomes

from adaface_ref import numpy_reference
from adaface_ref.report.report import Report

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "real_heads.py"
METRIC_LEARNING = "pytorch_metric_learning.losses"
WAV2VEC2 = "transformers.models.wav2vec2.modeling_wav2vec2"
CATALYST = "catalyst.contrib.layers"

CONFORM = [
    (f"{METRIC_LEARNING}:CosFaceLoss", "cosface"),
    (f"{METRIC_LEARNING}:NormalizedSoftmaxLoss", "normface"),
    (f"{WAV2VEC2}:AMSoftmaxLoss", "cosface"),
    (f"{CATALYST}:CosFace", "cosface"),
    (f"{CATALYST}:AMSoftmax", "cosface"),
]

# What these packages warn of when they are imported is not ours to judge.
pytestmark = pytest.mark.filterwarnings("ignore")


def _judged(target: str, loss: str) -> Report:
    module = target.partition(":")[0]
    reason = f"needs {module.partition('.')[0]}, in adaface-ref[heads]"
    pytest.importorskip(module, reason=reason, exc_type=ImportError)
    return few_points(target, loss)


@pytest.mark.parametrize(("target", "loss"), CONFORM)
def test_real_heads_conform(target: str, loss: str) -> None:
    report = _judged(target, loss)
    assert report.exit_code == 0, report.text()


def test_sphereface_multiplies_by_the_length_of_the_embeddings() -> None:
    report = _judged(f"{METRIC_LEARNING}:SphereFaceLoss", "sphereface")
    assert failed(report) == ["whole-values", "weights-normalised"]
    detail = outcomes(report)["weights-normalised"].detail
    assert detail == "the embeddings' length counts"


def test_arcface_in_degrees_fails_at_the_poles_only() -> None:
    report = _judged(f"{METRIC_LEARNING}:ArcFaceLoss", "arcface")
    assert failed(report) == ["poles-target"]


@pytest.mark.skipif(
    "fallback-plain" not in numpy_reference.DEFINED["arcface"],
    reason="the profile fallback-plain is not defined",
)
def test_arcface_of_catalyst_is_fallback_plain_with_a_jump() -> None:
    report = _judged(f"{CATALYST}:ArcFace", "arcface")
    assert report.exit_code == 0, report.text()
    assert report.profile.startswith("fallback-plain")
    assert outcomes(report)["continuity"].status == "warning"


def test_arcface_of_catalyst_is_not_the_formula() -> None:
    report = _judged(f"{CATALYST}:ArcFace", "arcface")
    assert "`pure`" not in report.identity


def test_a_temperature_is_mapped_to_the_scale() -> None:
    report = _judged(f"{METRIC_LEARNING}:NormalizedSoftmaxLoss", "normface")
    assert "temperature=0.015625" in report.mapping


def test_the_table_names_every_head_once() -> None:
    heads = runpy.run_path(str(SCRIPT))["HEADS"]
    targets = [head.target for head in heads]
    assert len(targets) == len(set(targets))
    assert set(CONFORM) <= {(head.target, head.loss) for head in heads}


def test_a_row_of_the_table_gives_the_verdict() -> None:
    report = _judged(f"{METRIC_LEARNING}:ArcFaceLoss", "arcface")
    script = runpy.run_path(str(SCRIPT))
    row = script["table_row"](script["HEADS"][1], report)
    assert row.startswith("| pytorch_metric_learning ArcFaceLoss | ArcFace, scale 64")
    assert row.endswith(
        "| 1 | poles-target failed, continuity warning, narrow-dtypes warning |"
    )

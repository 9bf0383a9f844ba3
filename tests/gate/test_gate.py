"""The gate's verdicts on heads that nobody here wrote, its words and its manners."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from gate_runs import failed, few_points, outcomes
from zoo.exact import heads as exact
from zoo.wrong.heads import WRONG

from adaface_ref.errors import DomainError
from adaface_ref.gate import check_head
from adaface_ref.gate.checks import CHECKS
from adaface_ref.gate.checks.execution import run_check
from adaface_ref.gate.checks.runner import run_gate
from adaface_ref.gate.guarding.errors import TargetError
from adaface_ref.gate.head.settings import Head
from adaface_ref.gate.head.target import resolve
from adaface_ref.gate.measured.clamps import NONE, Clamps, Span
from adaface_ref.gate.measured.identity import candidates
from adaface_ref.gate.measured.values import QUANTITIES, HeadTally
from adaface_ref.report.report import Finding, Outcome, Report, number

COSFACE = "pytorch_metric_learning.losses:CosFaceLoss"
ARCFACE = "pytorch_metric_learning.losses:ArcFaceLoss"


@pytest.fixture(autouse=True)
def _heads() -> None:
    pytest.importorskip(
        "pytorch_metric_learning",
        reason="needs adaface-ref[heads]",
        exc_type=ImportError,
    )


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_cosface_of_pytorch_metric_learning_conforms(seed: int) -> None:
    report = few_points(COSFACE, "cosface", seed=seed)
    assert report.exit_code == 0, report.text()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_arcface_of_pytorch_metric_learning_fails_at_the_poles_only(seed: int) -> None:
    report = few_points(ARCFACE, "arcface", seed=seed)
    assert (report.exit_code, failed(report)) == (1, ["poles-target"])


def test_arcface_of_pytorch_metric_learning_is_recognised_as_fallback() -> None:
    sentence = (
        "ArcFace, scale 64, margin 0.5, `fallback`, cosine clamp 0, true gradient"
    )
    assert few_points(ARCFACE, "arcface").identity == sentence


def test_the_jump_of_fallback_is_a_warning() -> None:
    outcome = outcomes(few_points(ARCFACE, "arcface"))["continuity"]
    assert outcome.status == "warning"
    assert "jumps by -7.50690 at theta = 2.6416" in outcome.detail


def test_a_margin_in_degrees_is_mapped() -> None:
    report = few_points(ARCFACE, "arcface", margin=0.3)
    assert "margin=math.degrees(0.3)" in report.mapping
    assert failed(report) == ["poles-target"]


def test_a_pinned_profile_that_does_not_match_fails() -> None:
    assert "profile" in failed(few_points(COSFACE, "cosface", "clip"))


def test_another_loss_fails() -> None:
    assert "target-logit" in failed(few_points(COSFACE, "arcface"))


def test_a_conforming_report_fits_one_screen() -> None:
    lines = few_points(COSFACE, "cosface").text(80).splitlines()
    assert len(lines) <= 25
    assert max(map(len, lines)) <= 80


def test_a_failure_reads_as_it_must() -> None:
    text = few_points(ARCFACE, "arcface").text(80)
    words = ["claim  ", "inputs  ", "got  ", "expected a finite gradient", "cause  "]
    places = [text.index(word) for word in words]
    assert places == sorted(places)
    assert "target_cosine = 1.0 (0x1.0000000000000p+0)" in text


def test_each_pole_that_is_not_finite_is_found() -> None:
    report = few_points(ARCFACE, "arcface")
    assert "not finite at 1.0, -1.0" in report.text(80)
    found = outcomes(report)["poles-target"].findings
    assert {finding.inputs["target_cosine"] for finding in found} >= {1.0, -1.0}


def test_a_wrong_value_tells_error_from_allowed() -> None:
    report = few_points("zoo.wrong.heads:cos_theta_minus_m", "arcface")
    assert "allowed" in report.text(80)


def test_json_is_versioned_and_strict() -> None:
    data = few_points(ARCFACE, "arcface").as_json()
    assert data["version"] == 1
    assert json.loads(json.dumps(data, allow_nan=False)) == data


def test_the_same_seed_gives_the_same_report() -> None:
    first, second = (
        run_gate(
            Head("zoo.wrong.heads:narrow_band", loss="arcface", effort="quick", seed=3)
        )
        for _ in range(2)
    )
    assert first == second


def _printed(findings: list[Finding]) -> list[str]:
    """What the findings' snippets print, each run with nothing but its own names."""
    code = (
        f"import json, sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r})\n"
        "for text in json.load(sys.stdin): exec(text, {})"
    )
    snippets = json.dumps([finding.snippet for finding in findings])
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=snippets, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("target", "loss"),
    [
        (ARCFACE, "arcface"),
        (
            f"{Path(exact.__file__).parents[1] / 'wrong/heads.py'}:narrow_band",
            "arcface",
        ),
        ("zoo.wrong.heads:straight_through", "arcface"),
        ("zoo.wrong.heads:overwritten_cosines", "cosface"),
        ("zoo.wrong.heads:only_the_fourth_class", "cosface"),
        ("zoo.wrong.heads:angular_sign", "adaface"),
        ("zoo.wrong.heads:ClipBeforeConcentration", "adaface"),
        ("zoo.wrong.heads:GstFromProbability", "cosface"),
        ("zoo.exact.shapes:MarginOfAnotherSizeInABox", "cosface"),
        ("zoo.exact.shapes:UnseenMarginOfAnotherSizeInABox", "cosface"),
    ],
)
def test_snippets_print_the_value_reported(target: str, loss: str) -> None:
    report = few_points(target, loss, points=2_000)
    found = [outcome.findings[0] for outcome in report.outcomes if outcome.findings]
    for finding, line in zip(found, _printed(found), strict=True):
        printed, got = (number(v, finding.dtype) for v in (float(line), finding.got))
        assert printed == got


def test_check_head_returns_the_report_of_a_head_that_conforms() -> None:
    assert check_head(exact.cosface, loss="cosface", effort="quick").exit_code == 0


def test_check_head_raises_the_report_of_one_that_does_not() -> None:
    with pytest.raises(AssertionError, match="DOES NOT CONFORM: poles-target"):
        check_head(ARCFACE, loss="arcface", effort="quick")


def test_a_closure_can_be_judged() -> None:
    def head(cosine: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return exact.cosface(cosine, labels, 30.0, 0.2)

    arguments = {"scale": 30.0, "margin": 0.2}
    report = check_head(head, loss="cosface", effort="quick", arguments=arguments)
    assert "scale 30, margin 0.2" in report.identity


def raises(cosine: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """A head that crashes."""
    raise ZeroDivisionError("on purpose")


def leaves(cosine: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """A head that ends the process."""
    sys.exit(0)


def of_wrong_shape(cosine: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """A head that gives one logit too many a row."""
    return torch.cat([cosine, cosine[:, :1]], dim=1)


def of_integers(cosine: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """A head that gives integers."""
    return cosine.long()


@pytest.mark.parametrize("head", [raises, leaves, of_wrong_shape, of_integers])
def test_a_head_that_cannot_be_run_is_not_judged(head: object) -> None:
    report = run_gate(Head(head, loss="cosface", effort="quick"))
    assert report.exit_code == 3
    assert "COULD NOT BE JUDGED" in report.text()


def only_from_quick(cosine: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """A head that crashes on some batches only."""
    if cosine.shape[1] > 2:
        raise ValueError("two classes only")
    return exact.cosface(cosine, labels)


def test_a_check_that_could_not_run_is_an_error() -> None:
    report = run_gate(Head(only_from_quick, loss="cosface", effort="quick"))
    assert report.exit_code == 3
    found = outcomes(report)
    assert found["target-logit"].status == found["compared-something"].status == "error"


def test_an_exception_of_the_head_is_placed_in_its_own_file() -> None:
    detail = run_gate(Head(raises, loss="cosface", effort="quick")).outcomes[0].detail
    assert re.search(r"ZeroDivisionError: on purpose \(test_gate\.py:\d+\)", detail)


class TakesEmbeddings(torch.nn.Module):
    """A head that cannot be built anew once it is an instance."""

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Embeddings to logits."""
        return embeddings


@pytest.mark.parametrize("adapter", [None, "embedding", "pytorch-metric-learning"])
def test_an_instance_that_takes_embeddings_is_refused(adapter: str | None) -> None:
    must = "must be the class TakesEmbeddings, not an instance"
    with pytest.raises(TargetError, match=must):
        run_gate(Head(TakesEmbeddings(), loss="cosface", adapter=adapter))


def of_nan(cosine: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """A head that gives NaN everywhere."""
    return cosine * float("nan")


def of_constants(cosine: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """A head that no gradient passes."""
    return exact.cosface(cosine, labels).detach()


@pytest.mark.parametrize("head", [of_nan, of_constants])
def test_heads_that_say_nothing_fail(head: object) -> None:
    assert run_gate(Head(head, loss="cosface", effort="quick")).exit_code == 1


def test_an_import_that_raises_is_not_judged(tmp_path: Path) -> None:
    file = tmp_path / "broken.py"
    file.write_text("raise RuntimeError('at import')\n", encoding="utf-8")
    report = run_gate(Head(f"{file}:head", loss="cosface"))
    assert report.exit_code == 3
    assert "RuntimeError: at import" in report.outcomes[0].detail


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("nonsense", "must be package.module:name or path/file.py:name"),
        ("no_such_module:head", "there is no module no_such_module"),
        ("torch.no_such:head", "there is no module torch.no_such"),
        ("no_such_file.py:head", "there is no file no_such_file.py"),
        ("torch.nn:NoSuchHead", "torch.nn has no NoSuchHead"),
        ("math:pi", "callable, not of type float"),
        ("torch:__import__('os')", "must be package.module:name"),
        ("json:dumps", "must take an argument for its labels"),
    ],
)
def test_a_target_that_is_not_there_gets_one_line(target: str, message: str) -> None:
    with pytest.raises(TargetError, match=r"^[^\n]*$") as caught:
        run_gate(Head(target, loss="cosface"))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"loss": "sface"}, "loss='sface'"),
        ({"profile": "fallback"}, "profile='fallback'"),
        ({"profile": "nonsense"}, "profile"),
        ({"arguments": {"margin": -1.0}}, "margin=-1.0, but must be"),
        ({"arguments": {"scale": float("nan")}}, "scale=nan, but must be"),
        ({"arguments": {"margin": "wide"}}, "margin='wide', but must be a number"),
        ({"arguments": {"colour": 1}}, "colour"),
        (
            {"effort": "heroic"},
            "effort='heroic', but must be one of quick, normal, thorough",
        ),
        ({"dtypes": ["float8"]}, "dtypes=['float8']"),
        ({"dtypes": []}, "dtypes=[], but must be a list of"),
        ({"device": "toaster"}, "device=toaster"),
        (
            {"adapter": "magic"},
            "adapter=magic, but must be one of callable, cosine, embedding, loss, "
            "adaface, pytorch-metric-learning, transformers, catalyst",
        ),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_a_wrong_setting_gets_one_line(
    settings: dict[str, object], message: str
) -> None:
    given = {"loss": "cosface", **settings}
    with pytest.raises((DomainError, TargetError), match=r"^[^\n]*$") as caught:
        run_gate(Head(exact.cosface, **given))  # type: ignore[arg-type]
    assert message in str(caught.value)


def test_every_candidate_profile_differs_from_the_others() -> None:
    shown = Clamps("float64", True, Span(1e-6, 1e-6), NONE, NONE, None, NONE)
    unseen = shown._replace(seen=False)
    for clamps, least in ((shown, 10), (unseen, 60)):
        names = candidates("arcface", clamps)
        assert len(names) == len(set(names)) > least


def test_a_file_with_neighbours_is_found(tmp_path: Path) -> None:
    (tmp_path / "neighbour_of_head.py").write_text("scale = 64.0\n", encoding="utf-8")
    file = tmp_path / "my-head.py"
    text = "from neighbour_of_head import scale\nclass Heads:\n    make = dict\n"
    file.write_text(text, encoding="utf-8")
    assert resolve(f"{file}:Heads.make").object is dict


def test_an_empty_report_is_no_pass() -> None:
    assert Report("t", "arcface", "", "", "", (), {}, ()).exit_code == 3


def test_the_zoo_is_large_enough() -> None:
    assert len(WRONG) >= 12


ARCFACE = "pytorch_metric_learning.losses:ArcFaceLoss"


@pytest.mark.parametrize("check", [c for c in CHECKS if c.id in QUANTITIES])
def test_a_value_check_that_compared_nothing_fails(check: Any) -> None:
    door = SimpleNamespace(shows_logits=True)
    session = SimpleNamespace(dtypes=(), profile="pure", door=door)
    tallies = {check.id: HeadTally(asked=10)}
    head = Head(print, "cosface")
    evidence: Any = SimpleNamespace(tallies=tallies, session=session, head=head)
    assert run_check(check, evidence).status == "failed"


def nan_at_the_poles_in_double(
    cosine: torch.Tensor, labels: torch.Tensor
) -> torch.Tensor:
    """CosFace, but for a root that float64 alone takes at the poles."""
    if cosine.dtype == torch.float64:
        cosine = cosine + 0 * (1 - cosine * cosine).clamp(min=0).sqrt()
    return exact.cosface(cosine, labels)


def test_poles_are_tried_in_every_dtype() -> None:
    report = run_gate(Head(nan_at_the_poles_in_double, loss="cosface", effort="quick"))
    assert failed(report) == ["poles-target", "poles-other"]


def infinite_past_the_poles(cosine: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """CosFace, but for a logit past +-1, whose gradient is 0."""
    return exact.cosface(torch.where(cosine.abs() > 1, -torch.inf, cosine), labels)


def test_logits_just_past_the_poles_must_be_finite() -> None:
    report = run_gate(Head(infinite_past_the_poles, loss="cosface", effort="quick"))
    assert failed(report) == ["poles-target", "poles-other"]


@pytest.mark.parametrize("check", ["invariant-1", "invariant-2", "invariant-3"])
def test_a_margin_of_the_wrong_sign_breaks_a_stated_invariant(check: str) -> None:
    assert check in failed(few_points("zoo.wrong.heads:cos_theta_minus_m", "arcface"))


def wrong_in_a_gap(cosine: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Right but for 1 % of the cosines."""
    off = 0.1 * ((cosine > 0.3) & (cosine < 0.33))
    return exact.cosface(cosine - off, labels)


def test_a_profile_that_departs_at_few_probes_does_not_fit() -> None:
    report = run_gate(Head(wrong_in_a_gap, loss="cosface", effort="quick"))
    assert "profile" in failed(report) and "fits none" in report.identity


def slightly_too_wide(cosine: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """A margin of 0.35002."""
    return exact.cosface(cosine, labels, m=0.35002)


def test_a_margin_slightly_off_fits_no_profile() -> None:
    report = run_gate(Head(slightly_too_wide, loss="cosface", effort="quick"))
    assert "profile" in failed(report)


class ThreeProducts(torch.nn.Module):
    """CosFace from embeddings: a product before the cosines, and one after them."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.randn(out_features, in_features))

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Embeddings to logits."""
        unit = torch.nn.functional.normalize
        turned = embeddings @ torch.eye(embeddings.shape[1], dtype=embeddings.dtype)
        cosine = torch.nn.functional.linear(unit(turned), unit(self.weight))
        logits = exact.cosface(cosine, labels)
        if len(self.weight) > 5000:  # all classes by all classes would not fit
            return logits
        return logits @ torch.eye(len(self.weight), dtype=logits.dtype)


def test_only_the_first_product_of_their_shape_is_taken_for_the_cosines() -> None:
    report = run_gate(Head(ThreeProducts, loss="cosface", effort="quick"))
    assert report.exit_code == 0, report.text()


def test_a_violation_outweighs_a_check_that_could_not_run() -> None:
    found = tuple(Outcome(s, "", s, "") for s in ("error", "failed", "ok"))
    report = Report("head", "cosface", "", "", "", (), {}, found)
    assert report.exit_code == 1 and "DOES NOT CONFORM" in report.verdict


class Registered(torch.nn.Module):
    """CosFace with its margin in a buffer."""

    m: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("m", torch.tensor(0.375))

    def forward(self, cosine: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Cosines to logits."""
        return exact.cosface(cosine, labels, m=float(self.m))


def test_the_callers_module_keeps_its_dtype() -> None:
    head = Registered()
    report = run_gate(
        Head(head, loss="cosface", effort="quick", arguments={"margin": 0.375})
    )
    assert report.exit_code == 0, report.text()
    assert head.m.dtype == torch.float32


def test_a_truth_value_is_no_seed() -> None:
    with pytest.raises(DomainError, match="seed=True, but must be"):
        run_gate(Head(exact.cosface, loss="cosface", seed=True))


def test_a_wrong_head_in_single_gives_no_warning() -> None:
    report = run_gate(
        Head(
            "zoo.wrong.heads:margin_on_all_classes",
            "arcface",
            effort="quick",
            dtypes=("float32",),
        )
    )
    assert report.exit_code == 1


def test_a_file_in_a_package_is_imported_with_its_package(tmp_path: Path) -> None:
    package = tmp_path / "heads_of_a_package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "numbers_of_ours.py").write_text("MARGIN = 0.35\n", encoding="utf-8")
    text = "from .numbers_of_ours import MARGIN\ndef head(): return MARGIN\n"
    (package / "losses.py").write_text(text, encoding="utf-8")
    found: Any = resolve(f"{package / 'losses.py'}:head").object
    assert found() == 0.35

"""What pictures are made of: marks, curves, maps and sectors, without drawing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from adaface_ref import numpy_reference as reference
from adaface_ref.errors import DomainError
from adaface_ref.evidence.truth.evaluate import evaluate_numpy
from adaface_ref.pictures import arcs, curves, heatmap
from adaface_ref.pictures.contours import zero_lines
from adaface_ref.pictures.heads import MEASURES, Head, head_of
from adaface_ref.pictures.marks import Marks, crossings, marks_of, rising
from adaface_ref.pictures.recipes import RECIPES, Plan

CELLS = [(loss, rule) for loss in reference.LOSSES for rule in reference.DEFINED[loss]]
NEAR = 5e-7


def marks(loss: str, profile: str = "pure", j: float = 0.5, **given: float) -> Marks:
    return marks_of(head_of(loss, profile, given), j)


@pytest.mark.parametrize(
    ("loss", "given", "peak", "top"),
    [
        ("arcface", {}, 0.8137916811, 97.55398),
        ("adaface", {"margin_scaler": -1.0}, 0.7476710, 86.0302),
    ],
)
def test_peak_is_where_the_rising_criterion_says(
    loss: str, given: dict[str, float], peak: float, top: float
) -> None:
    head = head_of(loss, "pure", given)
    (found,) = marks_of(head, 0.5).peaks
    assert abs(found - peak) < NEAR
    assert abs(float(head.measure("abs-gst", found, 0.5)) - top) < 1e-4


@pytest.mark.parametrize(("loss", "profile"), CELLS)
def test_magnitude_is_no_higher_next_to_a_peak(loss: str, profile: str) -> None:
    head = head_of(loss, profile, {"margin_scaler": -0.5})
    for peak in marks_of(head, 0.5).peaks:
        beside, at = (
            head.measure("abs-gst", np.asarray(c), 0.5)
            for c in ([peak - 1e-5, peak + 1e-5], [peak])
        )
        assert (beside < at).all()


@pytest.mark.parametrize(("loss", "profile"), CELLS)
def test_every_peak_that_can_be_seen_is_marked(loss: str, profile: str) -> None:
    head = head_of(loss, profile, {"margin_scaler": -0.5})
    c = np.cos(np.linspace(math.pi - 0.1, 0.1, 4001))
    g = head.measure("abs-gst", c, 0.5)
    inner = (g[1:-1] > g[:-2] + 1e-9) & (g[1:-1] > g[2:] + 1e-9)
    inner &= np.abs(g[1:-1] - g[:-2]) < 5  # CurricularFace's rival jumps: no peak
    marked = [peak for peak in marks_of(head, 0.5).peaks if c[0] < peak < c[-1]]
    seen = c[1:-1][inner]
    assert len(marked) == len(seen)
    assert all(np.abs(seen - peak).min() < 2e-3 for peak in marked)


@pytest.mark.parametrize("j", [-0.9, 0.5])
@pytest.mark.parametrize("loss", reference.LOSSES)
def test_criterion_says_where_the_magnitude_rises(loss: str, j: float) -> None:
    """At j = -0.9 some of it falls where D < 0, past theta = pi - a."""
    head = head_of(loss, "pure", {"margin_scaler": -0.5})
    angles = np.linspace(0.05, math.pi - 0.05, 301)
    after, before = (
        head.measure("abs-gst", np.cos(angles - step), j) for step in (1e-6, -1e-6)
    )
    clear = (np.abs(after - before) > 1e-9) & (np.abs(after - before) < 0.1)
    said = rising(head, angles, np.asarray(j))
    assert clear.sum() > 50 or loss in ("normface", "cosface")
    assert (said[clear] == np.sign(after - before)[clear]).all()


def test_rounding_next_to_a_pole_makes_no_peak() -> None:
    assert len(marks("sphereface", multiplier=3.0).peaks) == 2


@pytest.mark.parametrize("scaler", [0.0, 0.5, 1.0])
def test_adaface_of_no_low_norm_has_no_peak(scaler: float) -> None:
    assert marks("adaface", margin_scaler=scaler).peaks == ()


def test_adaface_of_high_norm_changes_sign_at_the_cosine_of_its_margin() -> None:
    (found,) = marks("adaface", margin_scaler=1.0).sign_changes
    assert abs(found - math.cos(0.4)) < 1e-12


def test_a_scaler_next_to_zero_still_changes_sign_next_to_the_pole() -> None:
    (found,) = marks("adaface", margin_scaler=0.01).sign_changes
    assert abs(found - math.cos(0.004)) < 1e-12


def test_clip_turns_the_sign_change_into_a_dead_zone() -> None:
    found = marks("adaface", "clip", margin_scaler=1.0)
    assert found.sign_changes == ()
    (low, end), (start, high) = found.dead
    assert (low, high) == (-1.0, 1.0)
    assert abs(start - math.cos(0.401)) < 1e-12 and abs(end + 0.999) < 1e-12


@pytest.mark.parametrize("name", ["pure", "clip", "fallback", "min"])
def test_no_gradient_inside_a_dead_zone_and_some_outside(name: str) -> None:
    head = head_of("magface", name, {})
    c = np.cos(np.linspace(1e-3, math.pi - 1e-3, 1000))
    inside = np.zeros(c.shape, dtype=bool)
    for low, high in marks_of(head, 0.5).dead:
        inside |= (c > low) & (c < high)
    assert ((head.measure("gst", c, 0.5) == 0) == inside).all()


@pytest.mark.parametrize(("loss", "profile"), CELLS)
def test_probability_is_one_half_at_the_margined_boundary(
    loss: str, profile: str
) -> None:
    head = head_of(loss, profile, {"margin_scaler": -1.0})
    for c in marks_of(head, 0.3).margined:
        around = head.measure("probability", np.asarray([c - 1e-9, c + 1e-9]), 0.3)
        assert around.min() <= 0.5 + 1e-6 and around.max() >= 0.5 - 1e-6


@pytest.mark.parametrize(
    ("loss", "boundary"),
    [
        ("normface", 0.5),
        ("cosface", 0.85),
        ("arcface", math.cos(math.acos(0.5) - 0.5)),
        # At t = 0 a hard rival at 1/2 counts 1/4.
        ("curricularface", math.cos(math.acos(0.25) - 0.5)),
    ],
)
def test_margined_boundary_is_the_known_one(loss: str, boundary: float) -> None:
    (found,) = marks(loss).margined
    assert abs(found - boundary) < 1e-12


def test_high_norm_never_reaches_the_margined_boundary() -> None:
    assert marks("adaface", margin_scaler=1.0).margined == ()


def test_detached_gradient_peaks_where_the_logit_is_least() -> None:
    (found,) = marks("arcface", "pure:detached").peaks
    assert abs(found - math.cos(math.pi - 0.5)) < 1e-9


def test_where_curricularfaces_gst_jumps_it_has_no_peak() -> None:
    """At cos theta = 0.95669 the rival at 0.7 is worth 1.05 no longer: |g| halves."""
    found = marks("curricularface", j=0.7, curriculum=0.8)
    assert found.peaks == ()
    assert marks("curricularface", j=0.5, curriculum=0.9).peaks == ()
    (peak,) = marks("curricularface", j=0.5, curriculum=0.0).peaks
    assert abs(peak - 0.62807) < 1e-5


def test_many_rivals_leave_no_unmargined_boundary() -> None:
    assert marks("cosface", j=1.1).unmargined == ()


def test_crossings_skip_a_run_of_zeros() -> None:
    found = crossings(lambda t: np.where(np.abs(t) < 0.3, 0.0, t), np.arange(-2.0, 3.0))
    assert found.size == 1 and abs(found[0]) <= 0.3


@pytest.mark.parametrize(("loss", "profile"), CELLS)
def test_curves_hold_what_the_reference_says(loss: str, profile: str) -> None:
    head = head_of(loss, profile, {"margin_scaler": 1.0, "curriculum": 0.3})
    (curve,) = curves.curves_of([head], [0.5], list(MEASURES))
    given: dict[str, Any] = {**head.parameters, "profile": profile}
    c, rival = curve.cosines, head.rival(curve.cosines, 0.5)
    g = reference.gst(loss, c, rival, **given)
    assert np.array_equal(curve.values["gst"], g)
    assert np.array_equal(curve.values["abs-gst"], np.abs(g))
    probability = reference.probability(loss, c, rival, **given)
    assert np.array_equal(curve.values["probability"], probability)
    assert np.array_equal(curve.values["slope"], reference.slope(loss, c, **given))
    assert np.allclose(curve.values["abs-gst-sin"], np.abs(g) * np.sin(np.arccos(c)))


def test_heads_are_every_defined_combination_once() -> None:
    choices = [{"margin_scaler": z} for z in (-1.0, 1.0)]
    losses, profiles = ["adaface", "curricularface"], ["pure", "clip"]
    heads, missing = curves.heads_of(losses, profiles, choices)
    assert [(h.loss, h.profile) for h in heads] == [
        *[("adaface", "pure"), ("adaface", "clip")] * 2,
        ("curricularface", "pure"),
    ]
    assert len(missing) == 1 and "curricularface defines" in missing[0]


def test_a_head_has_its_colour_and_a_profile_its_dashes() -> None:
    choices = [{"margin_scaler": z} for z in (-1.0, 1.0)]
    heads, _ = curves.heads_of(["adaface"], ["pure", "clip"], choices)
    found = curves.curves_of(heads, [0.5], ["gst"])
    assert [curve.style for curve in found] == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_a_loss_that_defines_no_chosen_profile_is_refused() -> None:
    with pytest.raises(DomainError, match=r"but sphereface defines pure \[plot\]"):
        curves.heads_of(["sphereface"], ["clip"], [{}])


def test_more_curves_than_colours_are_refused() -> None:
    heads = [head_of("arcface", "pure", {"margin": m / 10}) for m in range(8)]
    with pytest.raises(
        DomainError, match="curves=8 in 1 profiles, but must be at most"
    ):
        curves.curves_of(heads, [0.5], ["gst"])


def test_frame_is_as_high_as_the_peak_and_not_infinite() -> None:
    found = curves.curves_of([head_of("arcface", "pure", {})], [0.5], ["abs-gst"])
    low, high = curves.height(found, "abs-gst")
    assert low == 0 and 97.5 < high < 200


def test_map_holds_what_the_reference_says() -> None:
    (found,) = heatmap.maps_of([head_of("arcface", "pure", {})], 11)
    row, column = 150, 200
    c, j = (
        (edges[k] + edges[k + 1]) / 2
        for edges, k in ((found.targets, column), (found.rivals, row))
    )
    g = reference.gst("arcface", c, j, scale=64.0, margin=0.5)
    assert found.magnitudes[row, column] == abs(g)
    x, y = found.places("margined")
    kept = np.isfinite(x) & (np.abs(y) < 0.8)
    assert np.allclose(np.cos(np.arccos(x[kept]) + 0.5), y[kept])


def test_zero_lines_are_closed_and_interrupted_where_there_are_two() -> None:
    nodes = np.linspace(-2.0, 2.0, 41)
    x, y = zero_lines(
        lambda x, y: (np.hypot(x, y) - 1) * (np.hypot(x, y) - 1.75), nodes, nodes
    )
    (gap,) = np.flatnonzero(np.isnan(x))
    for line in (slice(0, gap), slice(gap + 1, None)):
        assert (x[line][0], y[line][0]) == (x[line][-1], y[line][-1])
        radius = np.hypot(x[line], y[line])
        assert np.allclose(radius, radius[0].round(2), rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    ("cells", "top"),
    [
        ([0.0, 0.91, math.nan, math.inf], 1.0),
        ([0.0, 0.5], 0.5),
        ([3.0, 0.0], 3.0),
        ([97.6, 1.0], 100.0),
        ([0.0, math.nan], 1.0),
        ([math.inf], 1.0),
    ],
)
def test_a_scale_of_colours_ends_just_above_what_it_shows(
    cells: list[float], top: float
) -> None:
    found = heatmap.top_of_scale(np.asarray(cells), 1.0)
    assert found == pytest.approx(top, rel=1e-12)


def test_zero_lines_of_what_has_no_zero_are_empty() -> None:
    nodes = np.linspace(0.0, 1.0, 3)
    assert zero_lines(lambda x, y: 1 + x + y, nodes, nodes)[0].size == 0


def test_a_zero_line_runs_along_a_jump() -> None:
    nodes = np.linspace(0.0, 1.0, 11)
    x, _ = zero_lines(lambda x, y: np.where(x + 0 * y < 1 / 3, -1.0, 5.0), nodes, nodes)
    assert np.allclose(x, 1 / 3, rtol=0, atol=1e-15)


def test_the_margined_boundary_of_a_high_norm_bends_back() -> None:
    """cos(theta - m) - 2 m is largest at theta = m, so j meets it twice."""
    (found,) = heatmap.maps_of([head_of("adaface", "pure", {"margin_scaler": 1.0})], 3)
    x, y = found.places("margined")
    assert np.allclose(np.cos(np.arccos(x) - 0.4) - 0.8, y, rtol=0, atol=1e-12)
    assert x.max() == 1 and abs(y.max() - 0.2) < 1e-4
    assert not np.isnan(x).any()


FIXED = Plan("fixed", math.radians(120), 0.5)


@pytest.fixture(scope="module")
def panels() -> dict[str, list[arcs.Panel]]:
    return {
        recipe: arcs.panels_of(FIXED._replace(recipe=recipe), ["pure"], 64.0)
        for recipe in RECIPES
    }


@pytest.mark.parametrize(
    ("recipe", "cosine"),
    [("fixed", 0.5), ("swept", 0.25), ("tied", 0.5)],
)
def test_unmargined_boundary_follows_the_recipe(
    recipe: str, cosine: float, panels: dict[str, list[arcs.Panel]]
) -> None:
    """Tied it is half way between 0 and 120 degrees, swept half way in the cosine."""
    for panel in panels[recipe]:
        assert np.allclose(np.cos(panel.unmargined.angles), cosine)


@pytest.mark.parametrize("recipe", RECIPES)
def test_probability_is_one_half_along_every_margined_boundary(
    recipe: str, panels: dict[str, list[arcs.Panel]]
) -> None:
    plan = FIXED._replace(recipe=recipe)
    for row, panel in zip(arcs.ROWS, panels[recipe], strict=True):
        line = panel.margined
        assert np.isfinite(line.angles).any()
        for t, radius in list(zip(line.angles, line.radii, strict=True))[::20]:
            if math.isfinite(t):
                head = head_at(row, radius)
                rival = plan.rival(np.asarray(t))
                p = head.measure("probability", np.cos(t), rival)
                assert abs(float(p) - 0.5) < 1e-9, panel.title


def test_adafaces_margined_boundary_comes_back_to_the_own_class(
    panels: dict[str, list[arcs.Panel]],
) -> None:
    """Between two norms P is above 1/2 at some angles only: B1 has two sides there."""
    line = panels["fixed"][6].margined
    assert not np.isnan(line.angles).any()
    top = int(np.argmax(line.radii))
    assert 0 < top < line.radii.size - 1
    assert min(line.angles[0], line.angles[-1]) < 0.01


def head_at(row: arcs.Row, radius: float) -> Head:
    made = head_of(row.loss, "pure", {**row.given, "scale": 64.0})
    head = Head(made.loss, "pure", made.parameters, made.title, row.given_back)
    return arcs.head_at_radius(head, row, radius)


@pytest.mark.parametrize("recipe", RECIPES)
def test_adaface_sector_holds_the_reference_by_norm(
    recipe: str, panels: dict[str, list[arcs.Panel]]
) -> None:
    panel = panels[recipe][-1]
    t = (panel.angles[1:] + panel.angles[:-1]) / 2
    r = (panel.radii[1:] + panel.radii[:-1]) / 2
    scaler = -1 + 2 * (r - arcs.INNER) / (1 - arcs.INNER)
    rival = FIXED._replace(recipe=recipe).rival(t)
    given: dict[str, Any] = {"scale": 64.0, "margin": 0.4}
    g = reference.gst(
        "adaface", np.cos(t), rival, margin_scaler=scaler[:, None], **given
    )
    assert np.allclose(panel.magnitudes, np.abs(g), rtol=1e-9, atol=0)


def test_negative_angular_margin_is_arcface_with_its_margin_reversed(
    panels: dict[str, list[arcs.Panel]],
) -> None:
    panel = panels["fixed"][2]
    t = (panel.angles[1:] + panel.angles[:-1]) / 2
    columns = {"rival_cosine": 0.5, "scale": 64.0, "margin": -0.5}
    given = {"target_cosine": np.cos(t), **columns}
    g = evaluate_numpy("gst", "arcface", "pure", given)
    assert np.allclose(panel.magnitudes[0], np.abs(g), rtol=1e-9)


def test_curriculum_moves_the_boundary_early_and_is_arcface_late(
    panels: dict[str, list[arcs.Panel]],
) -> None:
    """At t = 0 a hard rival at j = 1/2 counts 1/4; at 0.9 it is hard as far as B1."""
    early, late = (panels["fixed"][k].margined.angles for k in (3, 4))
    assert np.allclose(early, math.acos(0.25) - 0.5)
    assert np.allclose(late, math.acos(0.5) - 0.5)


def test_late_curriculum_weighs_a_hard_sample_more_than_early() -> None:
    early, late = (
        head_of("curricularface", "pure", {"curriculum": t}) for t in (0.0, 0.9)
    )
    c = np.asarray([0.7])
    assert late.measure("abs-gst", c, 0.5) > 4 * early.measure("abs-gst", c, 0.5)


def test_profile_that_a_loss_does_not_define_leaves_its_sector_empty() -> None:
    found = arcs.panels_of(FIXED, ["clip"], 64.0)
    empty = [panel.title.partition(",")[0] for panel in found if panel.refused]
    assert empty == ["CurricularFace", "CurricularFace"]


def test_examples_are_easy_or_hard_with_high_or_low_norm(
    panels: dict[str, list[arcs.Panel]],
) -> None:
    """The thread: among high norms the hard sample counts more than the easy one."""
    found = {(e.hard, e.high): e for e in panels["tied"][-1].examples}
    assert len(found) == 4
    assert found[True, True].magnitude > found[True, False].magnitude
    assert found[True, True].magnitude > found[False, True].magnitude
    assert found[True, True].radius > found[True, False].radius
    assert found[True, True].angle > found[False, True].angle


def test_given_margin_is_that_of_every_loss_that_has_one() -> None:
    found = arcs.panels_of(FIXED, ["pure"], 64.0, 0.3)
    titles = [panel.title.split("\n")[1] for panel in found]
    assert titles == [
        *("m = 0.3", "m = 0.3", "m = −0.3", "m = 0.3, t = 0", "m = 0.3, t = 0.9"),
        *("m = 0.45 to 0.8", "m = 0.3"),
    ]
    t = found[2].margined.angles[0]
    assert abs(math.cos(t - 0.3) - 0.5) < 1e-12

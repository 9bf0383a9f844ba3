"""What a reader sees: data, marks and labels on the axes, and no text in another's."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from adaface_ref.pictures import arcs, curves, heatmap
from adaface_ref.pictures.drawing.arcs import draw_arcs
from adaface_ref.pictures.drawing.curves import draw_curves
from adaface_ref.pictures.drawing.heatmap import draw_heatmap
from adaface_ref.pictures.drawing.style import DASHES, LINES
from adaface_ref.pictures.heads import head_of
from adaface_ref.pictures.recipes import Plan

PLAN = Plan("fixed", math.radians(120), 0.5)
QUANTITIES = ("abs-gst", "gst", "probability", "slope", "abs-gst-sin")


@pytest.fixture(scope="module")
def drawn_curves() -> tuple[list[curves.Curve], Figure]:
    scalers = [{"margin_scaler": z} for z in (-1.0, 1.0)]
    heads, _ = curves.heads_of(["adaface"], ["pure", "clip"], scalers)
    found = curves.curves_of(heads, [0.5], QUANTITIES)
    return found, draw_curves(found, QUANTITIES)


@pytest.fixture(scope="module")
def drawn_arcs() -> tuple[list[arcs.Panel], Figure]:
    panels = arcs.panels_of(PLAN, ["pure", "clip"], 64.0)
    return panels, draw_arcs(panels, PLAN)


@pytest.fixture(scope="module")
def drawn_map() -> tuple[list[heatmap.Map], Figure]:
    maps = heatmap.maps_of([head_of("arcface", "pure", {})], 11)
    return maps, draw_heatmap(maps)


def marked(frame: Axes, gid: str) -> list[Line2D]:
    return [line for line in frame.get_lines() if line.get_gid() == gid]


def points_of(line: Line2D) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.column_stack([np.asarray(line.get_xdata()), np.asarray(line.get_ydata())])


def cells_of(mesh: QuadMesh) -> Any:
    return np.ma.getdata(np.ma.asarray(mesh.get_array()))


def labels(figure: Figure) -> list[str]:
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def meshes(figure: Figure) -> list[QuadMesh]:
    found = (c for frame in figure.axes for c in frame.collections)
    return [c for c in found if isinstance(c, QuadMesh) and c.get_gid() == "|g|"]


def test_each_quantity_has_a_frame_with_every_curve(
    drawn_curves: tuple[list[curves.Curve], Figure],
) -> None:
    found, figure = drawn_curves
    names = [frame.get_ylabel() for frame in figure.axes]
    assert names == ["|g|", "g", "P", "D", "|g| sin θ"]
    for frame, quantity in zip(figure.axes, QUANTITIES, strict=True):
        for line, curve in zip(frame.get_lines(), found, strict=False):
            assert line.get_label() == curve.title
            assert np.array_equal(line.get_xdata(), curve.cosines)
            assert np.array_equal(line.get_ydata(), curve.values[quantity])
    assert figure.axes[-1].get_xlabel() == "cos θ"


def test_marks_stand_on_their_curves(
    drawn_curves: tuple[list[curves.Curve], Figure],
) -> None:
    _, figure = drawn_curves
    frame = figure.axes[0]
    for line in marked(frame, "B0"):
        assert (points_of(line)[:, 0] == 0.5).all()
    for line in marked(frame, "peak"):
        assert np.allclose(points_of(line), [[0.7476710, 86.0302]], rtol=1e-6)
    (change,) = [c for c in marked(frame, "sign change") if points_of(c)[0, 0] > 0]
    assert np.allclose(points_of(change), [[math.cos(0.4), 0]], atol=1e-9)
    boundaries = {round(float(points_of(m)[0, 0]), 5) for m in marked(frame, "B1")}
    assert boundaries == {0.79778}


def test_dead_zones_are_drawn_where_the_gradient_is_zero(
    drawn_curves: tuple[list[curves.Curve], Figure],
) -> None:
    _, figure = drawn_curves
    zones = marked(figure.axes[0], "dead zone")
    assert len(zones) == 4 and all((points_of(zone)[:, 1] == 0).all() for zone in zones)
    assert any(abs(points_of(z)[:, 0].min() - math.cos(0.401)) < 1e-8 for z in zones)


def test_legend_of_curves_names_heads_profiles_and_marks(
    drawn_curves: tuple[list[curves.Curve], Figure],
) -> None:
    _, figure = drawn_curves
    assert labels(figure) == [
        *("AdaFace m = 0.4, ẑ = −1", "AdaFace m = 0.4, ẑ = 1"),
        *("profile pure", "profile clip"),
        *("B0: cos θ = 0.5, no margin", "B1: P = 1/2, with margin"),
        *("peak of |g|", "sign change of g", "dead zone: g = 0"),
    ]


def test_there_are_as_many_colours_and_dashes_as_can_be_asked_for() -> None:
    assert (len(LINES), len(DASHES)) == (curves.COLOURS, curves.DASHES)


def test_marks_that_do_not_occur_are_not_in_the_legend() -> None:
    found = curves.curves_of([head_of("cosface", "pure", {})], [0.5], ["abs-gst"])
    shown = labels(draw_curves(found, ["abs-gst"]))
    assert [name.partition(":")[0] for name in shown] == [
        "CosFace m = 0.35",
        "B0",
        "B1",
    ]


def test_seven_sectors_a_profile_are_named(
    drawn_arcs: tuple[list[arcs.Panel], Figure],
) -> None:
    _, figure = drawn_arcs
    titles = [frame.get_title() for frame in figure.axes[:16]]
    assert titles[:7] == titles[8:15] == [row.title for row in arcs.ROWS]
    assert [titles[7], titles[15]] == ["profile pure", "profile clip"]


def test_every_sector_has_the_one_colour_scale(
    drawn_arcs: tuple[list[arcs.Panel], Figure],
) -> None:
    panels, figure = drawn_arcs
    full = [panel for panel in panels if not panel.refused]
    drawn = meshes(figure)
    assert len(drawn) == len(full) == 12
    assert {mesh.get_clim() for mesh in drawn} == {(0, arcs.top_of(panels))}
    for mesh, panel in zip(drawn, full, strict=True):
        assert np.array_equal(cells_of(mesh), panel.magnitudes)
    assert figure.axes[-1].get_ylabel() == "|g|"


def test_own_class_is_on_the_right_and_boundaries_lie_at_their_angles(
    drawn_arcs: tuple[list[arcs.Panel], Figure],
) -> None:
    _, figure = drawn_arcs
    (b0,), (b1,) = (marked(figure.axes[1], name) for name in ("B0", "B1"))
    x, y = (np.asarray(values)[:1] for values in b1.get_data())
    angle = np.arctan2(y, x) - math.radians(30)
    assert np.allclose(angle, math.acos(0.5) - 0.5)
    assert np.allclose(np.asarray(b0.get_xdata())[:-1], 0, atol=1e-9)
    texts = {text.get_text(): text for text in figure.axes[1].texts}
    own, rival = texts["$W_y$"], texts["$W_j$"]
    assert own.xy[0] > 0 > rival.xy[0]  # type: ignore[attr-defined]


def test_sectors_by_norm_have_four_markers(
    drawn_arcs: tuple[list[arcs.Panel], Figure],
) -> None:
    _, figure = drawn_arcs
    for frame, panel in zip(figure.axes[:7], drawn_arcs[0], strict=False):
        found = {
            (line.get_gid(), line.get_marker(), line.get_markerfacecolor())
            for line in frame.get_lines()
            if "norm" in str(line.get_gid())
        }
        expected = {
            ("easy, low norm", "o", "white"),
            ("easy, high norm", "o", "black"),
            ("hard, low norm", "^", "white"),
            ("hard, high norm", "^", "black"),
        }
        assert found == (expected if panel.norm else set())


def test_caption_states_the_recipe(
    drawn_arcs: tuple[list[arcs.Panel], Figure],
) -> None:
    text = " ".join(drawn_arcs[1].get_supxlabel().split())
    assert "the rival's cosine is j = 0.5 at every sample (--rival fixed)" in text


def test_undefined_sectors_say_so(drawn_arcs: tuple[list[arcs.Panel], Figure]) -> None:
    figure = drawn_arcs[1]
    said = [k for k in range(16) if "not" in "".join(texts_of(figure.axes[k]))]
    assert said == [11, 12]


def texts_of(frame: Axes) -> list[str]:
    return [text.get_text() for text in frame.texts]


def test_map_is_labelled_and_has_its_lines(
    drawn_map: tuple[list[heatmap.Map], Figure],
) -> None:
    (item,), figure = drawn_map
    frame = figure.axes[0]
    assert frame.get_title() == "ArcFace m = 0.5\npure"
    assert (frame.get_xlabel(), frame.get_ylabel()) == ("cos θ", "rival's cosine j")
    (mesh,) = meshes(figure)
    assert np.array_equal(cells_of(mesh), item.magnitudes)
    (line,) = marked(frame, "B1")
    x, y = item.places("margined")
    assert np.array_equal(line.get_xdata(), x, equal_nan=True)
    assert np.array_equal(line.get_ydata(), y, equal_nan=True)
    assert "peak of |g|" in labels(figure)


def of_axis(axis: Axis) -> list[Text]:
    """An axis's label, and the ticks that it shows: it keeps some beyond its ends."""
    low, high = sorted(axis.get_view_interval())
    ticks = [tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
    return [axis.label, *(tick.label1 for tick in ticks), *(t.label2 for t in ticks)]


def of_frame(frame: Axes) -> list[Text]:
    axes = [*of_axis(frame.xaxis), *of_axis(frame.yaxis)] if frame.axison else []
    legend = frame.get_legend()
    return [frame.title, *frame.texts, *axes, *(legend.get_texts() if legend else [])]


def shown_texts(figure: Figure) -> Iterator[tuple[str, Bbox]]:
    """Every text that is seen, with its place in dots."""
    figure.draw_without_rendering()
    found = [text for frame in figure.axes for text in of_frame(frame)]
    found += [text for legend in figure.legends for text in legend.get_texts()]
    for text in (*found, *figure.texts):
        if text.get_text().strip() and text.get_visible():
            yield text.get_text(), text.get_window_extent()


@pytest.fixture(scope="module")
def drawn_long_titles() -> tuple[list[heatmap.Map], Figure]:
    """Three maps side by side, each with a title wider than its map."""
    heads = [head_of("combined", "pure", {"multiplier": q}) for q in (0.95, 1.05, 1.25)]
    maps = heatmap.maps_of(heads, levels=3)
    return maps, draw_heatmap(maps)


@pytest.mark.parametrize(
    "name", ["drawn_curves", "drawn_arcs", "drawn_map", "drawn_long_titles"]
)
def test_no_text_is_cut_off_or_lies_on_another(
    name: str, request: pytest.FixtureRequest
) -> None:
    figure: Figure = request.getfixturevalue(name)[1]
    page = figure.bbox.padded(1)
    found = list(shown_texts(figure))
    assert len(found) > 10
    outside = [
        text
        for text, box in found
        if not (page.contains(box.x0, box.y0) and page.contains(box.x1, box.y1))
    ]
    assert outside == []
    for (first, one), (second, other) in combinations(found, 2):
        assert not one.padded(-1).overlaps(other.padded(-1)), (first, second)

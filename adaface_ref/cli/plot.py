"""Pictures: plot curves, plot heatmap, plot arcs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from adaface_ref.cli.options import FILE
from adaface_ref.cli.plot_heads import (
    LOSS,
    MARGIN,
    PARAMETER,
    PROFILE,
    SCALE,
    SCALER,
    check_rivals,
    choose_heads,
)
from adaface_ref.files import require_writable, write_whole

MEASURES = click.Choice(["abs-gst", "gst", "probability", "slope", "abs-gst-sin"])
ENDINGS = (".png", ".svg", ".pdf")
Command = TypeVar("Command", bound=Callable[..., Any])


@click.group("plot")
def plot_command() -> None:
    """Draw the gradient scaling term: curves, a heat map, or the arcs of Fig. 3.

    The ending of FILE chooses PNG, SVG or PDF. The same command writes the same SVG.

    \b
    Example:
      adaface-ref plot arcs
      adaface-ref plot curves --loss arcface --profile pure --profile fallback
    """


def check_path(path: Path) -> Path:
    """Finds out before the work that a picture can be written."""
    if path.suffix.lower() not in ENDINGS:
        must = f"end in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}"
        raise click.UsageError(f"--output={path}, but must {must}")
    require_writable({"--output": path})
    return path


def save(figure: Any, path: Path, dpi: int) -> None:
    """Writes a picture, or says in one line why not."""
    from adaface_ref.pictures.drawing.style import as_bytes

    write_whole(path, as_bytes(figure, path.suffix.lower(), dpi))


PLAIN = str.maketrans({"ẑ": "z-hat", "−": "-", "‖": "|", "·": "under"})
"""For terminals that have no more than ASCII."""


def output(name: str) -> Callable[[Command], Command]:
    """The option for the file, by default in the current folder."""
    words = "PNG, SVG or PDF by its ending."
    return click.option(
        *("-o", "--output"),
        type=FILE,
        default=Path(name),
        show_default=True,
        metavar="FILE",
        help=words,
    )


DPI = click.option(
    "--dpi",
    type=click.IntRange(50, 1200),
    default=220,
    show_default=True,
    help="Dots an inch; a picture is 3.4 or 7 inches wide, as a column or a page.",
)


@plot_command.command("curves")
@output("curves.png")
@LOSS
@PROFILE
@SCALER
@SCALE
@MARGIN
@PARAMETER
@DPI
@click.option(
    "--rival-cosine",
    "rivals",
    multiple=True,
    type=float,
    default=(0.5,),
    show_default=True,
    help="The one other class's cosine j; beyond 1, of many classes together.",
)
@click.option(
    "--quantity",
    "quantities",
    multiple=True,
    type=MEASURES,
    default=("abs-gst",),
    show_default=True,
    help="Each is a frame of its own.",
)
def curves_command(
    output: Path,
    rivals: tuple[float, ...],
    quantities: tuple[str, ...],
    dpi: int,
    **asked: Any,
) -> None:
    """Draw |g|, g, P, D or |g| sin theta against cos theta.

    Options that may be repeated give a curve for every combination. Marked are B0
    (cos theta = j, no margin), B1 (P = 1/2 with the margin), where |g| peaks, where g
    changes sign, and where it is 0; the same is printed as text. A curve that leaves
    the frame next to cos theta = 1 diverges there.

    \b
    Example:
      adaface-ref plot curves --profile pure --profile clip --quantity gst
    """
    path = check_path(output)
    from adaface_ref.pictures import curves
    from adaface_ref.pictures.drawing.curves import draw_curves

    heads = choose_heads(**asked)
    shown = list(dict.fromkeys(quantities))
    found = curves.curves_of(heads, check_rivals(rivals), shown)
    save(draw_curves(found, shown), path, dpi)
    for line in curves.lines_of(found):
        click.echo(line.translate(PLAIN))
    click.echo(f"wrote {path}")


@plot_command.command("arcs")
@output("arcs.png")
@PROFILE
@click.option(
    "--rival",
    "recipe",
    type=click.Choice(["fixed", "swept", "tied"]),
    default="fixed",
    show_default=True,
    help="How the rival's cosine j follows the sample; see above.",
)
@click.option(
    "--rival-cosine",
    "fixed",
    type=float,
    default=0.5,
    show_default=True,
    help="j for --rival fixed.",
)
@click.option(
    "--between",
    type=float,
    default=120.0,
    show_default=True,
    metavar="DEGREES",
    help="The angle between the class directions W_y and W_j.",
)
@click.option("--scale", type=float, default=64.0, show_default=True, help="s.")
@DPI
@click.option("--margin", type=float, help="m; default each loss's own.")
def arcs_command(
    output: Path,
    profiles: tuple[str, ...],
    recipe: str,
    fixed: float,
    between: float,
    scale: float,
    margin: float | None,
    dpi: int,
) -> None:
    """Draw the feature space, as in figure 3 of the AdaFace paper.

    Seven sectors between the class directions W_j and W_y, coloured by |g| on one
    scale: CosFace, ArcFace, a negative angular margin, CurricularFace early and late,
    MagFace, AdaFace. The radius is the feature norm, where the loss sees it. With
    several --profile the seven are drawn under each.

    The paper leaves open how the rival's cosine j was chosen. Three recipes:

    \b
      fixed  j is the same for every sample (in the thread the author says 0.5);
             then W_j only bounds the sector
      swept  j falls as cos theta rises: j = 1 + cos(between) - cos theta
      tied   the sample is in the plane of both: j = cos(between - theta)

    \b
    Example:
      adaface-ref plot arcs --profile pure --profile clip --rival tied -o arcs.pdf
    """
    path = check_path(output)
    from math import radians

    from adaface_ref.pictures import arcs, recipes
    from adaface_ref.pictures.drawing.arcs import draw_arcs

    plan = recipes.Plan(recipe, radians(between), fixed)
    panels = arcs.panels_of(plan, list(dict.fromkeys(profiles)), scale, margin)
    save(draw_arcs(panels, plan), path, dpi)
    click.echo(f"wrote {path}")


@plot_command.command("heatmap")
@output("heatmap.png")
@LOSS
@PROFILE
@SCALER
@SCALE
@MARGIN
@PARAMETER
@DPI
def heatmap_command(output: Path, dpi: int, **asked: Any) -> None:
    """Draw |g| over the target's and the rival's cosine.

    Options that may be repeated give a map for every combination, at most 6, all on
    one colour scale. Marked are B0 (cos theta = j, no margin), B1 (P = 1/2 with the
    margin), the peak of |g| along cos theta, and the sign change of g.

    \b
    Example:
      adaface-ref plot heatmap --loss arcface --loss cosface -o map.pdf
    """
    path = check_path(output)
    from adaface_ref.pictures import heatmap
    from adaface_ref.pictures.drawing.heatmap import draw_heatmap

    maps = heatmap.maps_of(choose_heads(**asked))
    save(draw_heatmap(maps), path, dpi)
    click.echo(f"wrote {path}")

"""The page to play with, in a real browser."""

from __future__ import annotations

import math
import re
import runpy
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from click.testing import CliRunner
from made_reports import FAILING, STUCK, small_verification

from adaface_ref import numpy_reference
from adaface_ref.cli import cli
from adaface_ref.errors import DomainError
from adaface_ref.evidence.claims import as_json, decide_all
from adaface_ref.evidence.verify import as_json as verification_json
from adaface_ref.pictures.heads import head_of
from adaface_ref.pictures.marks import marks_of
from adaface_ref.pictures.pages.explore import page as explore_page
from adaface_ref.pictures.pages.reports import claims_page, gate_page, verification_page
from adaface_ref.report.curve import Curve
from adaface_ref.spec.language.files import asked
from adaface_ref.spec.losses import LOSSES
from adaface_ref.spec.profiles import RULES

sync_api = pytest.importorskip("playwright.sync_api")

MAKE = Path(__file__).resolve().parents[2] / "docs" / "pictures" / "make.py"

BROWSERS = ("chromium", "chromium-browser", "google-chrome")

NEXT_FRAMES = """() => new Promise(done => setTimeout(
  () => requestAnimationFrame(() => requestAnimationFrame(done))))"""

CELLS = [(loss, rule.id) for rule in RULES.values() for loss in rule.losses]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")
    with sync_api.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("explore") / "page.html"
    file.write_text(explore_page(), encoding="utf-8")
    return file.as_uri()


@pytest.fixture(scope="module")
def opened(browser: Any, address: str) -> Any:
    """The page, which must neither complain nor ask for anything."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.complaints, page.requests = [], []
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("request", lambda request: page.requests.append(request.url))
    page.goto(address)
    return page


@pytest.fixture
def page(opened: Any) -> Iterator[Any]:
    opened.complaints.clear()
    show(opened, {"a.loss": "arcface"})
    yield opened
    assert opened.complaints == []


def show(page: Any, view: dict[str, object]) -> None:
    """Open a view by its address, and wait until it is drawn."""
    page.evaluate("view => { location.hash = view }", urlencode(view))
    page.evaluate(NEXT_FRAMES)


def value(page: Any, quantity: str, setting: str = "a") -> float:
    cell = f'td[data-setting="{setting}"][data-quantity="{quantity}"]'
    return float(page.text_content(cell).replace("Infinity", "inf"))


def curve(page: Any, chart: str) -> Any:
    """What a chart was given to draw: the readable trace of setting A."""
    return page.locator(f"#chart-{chart} canvas").evaluate("c => c.toDataURL()")


def test_no_request_leaves_the_page(page: Any) -> None:
    assert all(url.startswith(("file:", "data:")) for url in page.requests)


def test_the_page_is_small(address: str) -> None:
    assert len(explore_page().encode()) < 1_500_000


@pytest.mark.parametrize(("loss", "profile"), CELLS)
def test_values_shown_are_the_specs(page: Any, loss: str, profile: str) -> None:
    for cosine in (-0.97, 0.25, 0.9995):
        view = {
            "a.loss": loss,
            "a.profile": profile,
            "a.standard_norm": 2,
            "at": cosine,
        }
        show(page, view)
        given = usual(page) | {"target_cosine": cosine}
        given["margin_scaler"] = min(1, given["concentration"] * 2)
        head = head_of(loss, profile, given)
        point = {"target_cosine": cosine, "rival_cosine": head.rival(cosine, 0.5)}
        names = [symbol.name for symbol in LOSSES[loss].parameters]
        parameters = {name: given[name] for name in names}
        for quantity in ("gst", "probability", "slope"):
            function = getattr(numpy_reference, quantity)
            cosines = point if quantity != "slope" else {"target_cosine": cosine}
            true = float(function(loss, profile=profile, **cosines, **parameters))
            assert value(page, quantity) == pytest.approx(true, rel=1e-12, abs=1e-300)


def usual(page: Any) -> dict[str, float]:
    """The numbers that the boxes of setting A show, over what they do not show."""
    known: dict[str, float] = page.evaluate(
        """() => {
          const text = document.getElementById("vocabulary").textContent;
          const known = JSON.parse(text).usual;
          for (const box of document.querySelectorAll("#setting-a input[type=number]"))
            known[box.dataset.name] = Number(box.value);
          return known;
        }"""
    )
    return known


@pytest.mark.parametrize("loss", LOSSES)
def test_every_slider_changes_the_curve(page: Any, loss: str) -> None:
    moved = {"a.standard_norm": 1, "a.rival": "classes"}
    show(page, {"a.loss": loss, **moved})
    sliders = page.locator("#setting-a input[type=range]")
    unmoved = []
    for index in range(sliders.count()):
        before = curve(page, "size")
        sliders.nth(index).press("PageUp")
        page.evaluate(NEXT_FRAMES)
        if curve(page, "size") == before:
            unmoved.append(sliders.nth(index).get_attribute("data-name"))
    # It does not stand in the target's GST.
    assert set(unmoved) <= {"regulariser_weight"}


def test_arcface_peaks_where_the_criterion_says(page: Any) -> None:
    page.get_by_role("button", name="ArcFace's peak").click()
    page.wait_for_timeout(60)
    assert "peak at 0.81379 (|g| = 97.5540" in page.text_content("#answer")


def test_adaface_at_scaler_one_changes_sign_and_is_flat_under_clip(page: Any) -> None:
    page.get_by_role("button", name="AdaFace, z-hat = 1, near 1").click()
    page.wait_for_timeout(60)
    formula, clipped = page.text_content("#answer").splitlines()
    assert "sign change at 0.92106" in formula
    assert "sign change" not in clipped and "dead zone begins at 0.92067" in clipped
    page.fill("#reading-cosine", "0.95")
    assert value(page, "gst") > 0 and value(page, "gst", "b") == 0


PLAIN = sorted({(loss, rule) for loss, rule in CELLS if loss != "sphereface"})


@pytest.mark.parametrize(("loss", "rule"), PLAIN)
@pytest.mark.parametrize("rival", [0.15, 0.7])
def test_marks_are_those_of_the_plots(
    page: Any, loss: str, rule: str, rival: float
) -> None:
    """The plots take the peak from the criterion, the page from the values."""
    view = {"a.loss": loss, "a.profile": rule, "a.rival_cosine": rival}
    show(page, {**view, "a.standard_norm": 4, "a.curriculum": 0.8})
    given = {"margin_scaler": 1.0, "curriculum": 0.8}
    found = marks_of(head_of(loss, rule, given), rival)
    told = page.text_content("#answer")
    for name, cosines in [
        ("B1", found.margined),
        ("peak", found.peaks),
        ("sign change", found.sign_changes),
    ]:
        shown = [float(c) for c in re.findall(rf"{name} at (-?[\d.]+)", told)]
        assert shown == pytest.approx(list(cosines), abs=2e-5), (name, told)


def test_a_preset_for_every_question_shows_a_view(page: Any) -> None:
    buttons = page.locator("#presets button")
    seen = set()
    for index in range(buttons.count()):
        buttons.nth(index).click()
        page.wait_for_timeout(200)
        seen.add(page.url)
    assert len(seen) == buttons.count() >= 5


def test_a_preset_says_what_it_shows_until_something_is_changed(page: Any) -> None:
    page.get_by_role("button", name="ArcFace's peak").click()
    page.evaluate(NEXT_FRAMES)
    assert "only up to its peak" in page.text_content("#explanation")
    page.fill("#a-margin", "0.3")
    page.evaluate(NEXT_FRAMES)
    assert page.text_content("#explanation") == ""


def test_the_feature_space_of_a_second_setting_is_there_only_with_it(page: Any) -> None:
    assert page.locator("#arcs canvas:visible").count() == 1
    page.get_by_role("button", name="Compare with a second setting").click()
    page.evaluate(NEXT_FRAMES)
    assert page.locator("#arcs canvas:visible").count() == 2


def boundary(page: Any, name: str) -> tuple[Any, Any]:
    """Angles and shares of the radius of a line in the feature space."""
    ends = page.evaluate(f"document.querySelector('#arc-a').boundaries.{name}.flat()")
    angles, shares = np.asarray(ends).reshape(-1, 2).T
    return angles, shares


@pytest.mark.parametrize("tied", [False, True])
def test_boundaries_of_the_feature_space_follow_the_norm(page: Any, tied: bool) -> None:
    show(page, {"a.loss": "adaface", "tied": str(tied).lower()})
    angles, shares = boundary(page, "B1")
    margined = [
        numpy_reference.logit("adaface", c, scale=1.0, margin=0.4, margin_scaler=z)
        for c, z in zip(np.cos(angles), 2 * shares - 1, strict=True)
    ]
    rival = np.cos(np.pi / 2 - angles) if tied else 0.5
    assert shares.min() == 0 and (shares.max() == 1) == tied
    assert np.allclose(margined, rival, atol=2e-4)
    angles, _ = boundary(page, "B0")
    assert np.allclose(angles, np.pi / 4 if tied else np.pi / 3)


def test_a_view_lives_in_the_address(browser: Any, page: Any) -> None:
    page.fill("#a-margin", "0.3")
    page.get_by_role("button", name="Compare with a second setting").click()
    page.select_option("#b-loss", "adaface")
    page.wait_for_timeout(250)
    again = browser.new_page()
    again.goto(page.url)
    again.wait_for_timeout(100)
    assert again.input_value("#a-margin") == "0.3"
    assert again.input_value("#b-loss") == "adaface"
    assert again.text_content("#answer") == page.text_content("#answer")
    again.close()


WRONG = {"range": "1,x", "at": "7", "tied": "x", "b.loss": "__proto__"}


@pytest.mark.parametrize(
    ("wrong", "loss", "box", "usual_value"),
    [
        ({"a.loss": "nonsense"}, "arcface", "margin", "0.5"),
        ({"a.loss": "adaface", "a.margin": "<b>"}, "adaface", "margin", "0.4"),
        ({"a.loss": "adaface", "a.margin": "9"}, "adaface", "margin", "0.4"),
        (
            {"a.loss": "sphereface", "a.multiplier": "2.5"},
            "sphereface",
            "multiplier",
            "4",
        ),
        (
            {"a.loss": "cosface", "a.rival": "classes", "a.classes": "2.5"},
            *("cosface", "classes", "1000"),
        ),
    ],
)
def test_what_an_address_says_wrongly_is_as_usual(
    page: Any, wrong: dict[str, object], loss: str, box: str, usual_value: str
) -> None:
    show(page, {"a.loss": "magface", "range": "0.1,0.2"})
    show(page, {**wrong, **WRONG})
    page.wait_for_timeout(200)
    assert page.input_value("#a-loss") == loss
    assert page.input_value(f"#a-{box}") == usual_value
    assert page.input_value("#reading-cosine") == "0.5"
    assert page.locator("#setting-b").is_hidden() and not page.is_checked("#tied")
    assert "range" not in page.url.partition("#")[2]


def test_the_address_copied_is_that_of_the_view_now(page: Any) -> None:
    page.evaluate("navigator.clipboard.writeText = (text) => { window.copied = text }")
    page.fill("#reading-cosine", "0.25")
    page.click("#share")
    assert page.evaluate("window.copied").endswith("at=0.25")
    assert page.text_content("#share") == "Copied"
    page.fill("#reading-cosine", "0.5")
    assert page.text_content("#share").startswith("Copy the address")


def test_a_value_outside_its_range_is_marked_and_not_taken(page: Any) -> None:
    before = page.text_content("#answer")
    page.fill("#a-margin", "5")
    page.evaluate(NEXT_FRAMES)
    assert page.locator("#a-margin:invalid").count() == 1
    assert page.text_content("#answer") == before


def test_plus_and_minus_zoom_at_the_reading(page: Any) -> None:
    page.focus("#chart-size")
    page.keyboard.press("+")
    page.wait_for_timeout(250)
    assert "range=-0.25%2C0.75" in page.url
    page.keyboard.press("-")
    page.wait_for_timeout(250)
    assert "range" not in page.url


def test_arrow_keys_move_the_reading(page: Any) -> None:
    page.focus("#chart-size")
    before = float(page.input_value("#reading-cosine"))
    page.keyboard.press("ArrowRight")
    assert float(page.input_value("#reading-cosine")) == pytest.approx(before + 1e-3)


def test_hovering_reads_the_value_under_the_pointer(page: Any) -> None:
    box = page.locator("#chart-size .u-over").bounding_box()
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 20)
    page.wait_for_timeout(40)
    assert float(page.input_value("#reading-cosine")) == pytest.approx(0.5, abs=0.01)


def test_dragging_zooms(page: Any) -> None:
    box = page.locator("#chart-size .u-over").bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 30, steps=3)
    page.mouse.up()
    page.wait_for_timeout(250)
    low, high = page.url.partition("range=")[2].split("&")[0].split("%2C")
    assert np.allclose([float(low), float(high)], [0, 0.8], atol=0.02)


def test_on_a_phone_nothing_is_wider_than_the_screen(
    browser: Any, address: str
) -> None:
    phone = browser.new_page(viewport={"width": 390, "height": 800})
    phone.goto(address)
    phone.wait_for_timeout(150)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    phone.close()


def test_the_readmes_picture_is_taken_by_its_command(
    browser: Any, tmp_path: Path
) -> None:
    runpy.run_path(str(MAKE))["photograph"](tmp_path, browser)
    assert 20_000 < (tmp_path / "explore.png").stat().st_size < 300_000


def opened_report(browser: Any, folder: Path, text: str) -> Any:
    """A report in the browser; it must neither complain nor ask for anything."""
    (folder / "report.html").write_text(text, encoding="utf-8")
    page = browser.new_page()
    page.complaints = []
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("request", lambda request: page.complaints.append(request.url))
    page.goto((folder / "report.html").as_uri())
    own = [(folder / "report.html").as_uri()]
    assert [c for c in page.complaints if not c.startswith("data:")] == own
    return page


def test_a_report_on_a_head_draws_its_gst_over_the_specs(
    browser: Any, tmp_path: Path
) -> None:
    curve = Curve({"scale": 64.0}, (-0.5, 0.0, 0.5), (-1.0, math.nan, 9.0), (-1.0,) * 3)
    failing = replace(FAILING, curves=(curve,), target="<script>alert(1)</script>")
    page = opened_report(browser, tmp_path, gate_page([failing.as_json()]))
    assert page.locator(".curve canvas").count() == 1
    assert "<script>alert(1)</script> --loss arcface" in page.text_content("h2")
    assert page.text_content("pre") == "print(1)\n"


def test_a_report_on_a_head_that_was_not_read_says_so(
    browser: Any, tmp_path: Path
) -> None:
    page = opened_report(browser, tmp_path, gate_page([STUCK.as_json()]))
    assert "could not be drawn" in page.text_content("body")


def test_a_report_on_claims_shows_verdict_and_witness(
    browser: Any, tmp_path: Path
) -> None:
    claim = asked("gst <= 0", "adaface", "pure", "margin_scaler=1")
    verdicts = decide_all([claim], effort="quick")
    text = claims_page(as_json(verdicts, 0, "quick"))
    page = opened_report(browser, tmp_path, text)
    assert "REFUTED" in page.text_content("h3")
    assert "0x1.e000000000000p-1" in page.text_content("body")


def test_a_report_on_a_verification_shows_invariants_and_forms(
    browser: Any, tmp_path: Path
) -> None:
    found = small_verification()
    page = opened_report(browser, tmp_path, verification_page(verification_json(found)))
    titles = [f"{row.claim.id}: {row.name}" for row in found.verdicts]
    assert page.locator("h3").all_text_contents() == titles
    told = page.text_content("body")
    assert "All as it should be." in told and "torch float32" in told


@pytest.mark.parametrize("asked_for", [True, False])
def test_without_a_browser_the_page_is_written_and_a_line_says_so(
    asked_for: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webbrowser.open", lambda address: False)
    monkeypatch.setattr("adaface_ref.cli.explore._has_screen", lambda: True)
    file = tmp_path / "page.html"
    options = ["--open"] if asked_for else []
    told = CliRunner().invoke(cli, ["explore", "-o", str(file), *options])
    assert told.exit_code == (2 if asked_for else 0)
    assert f"no browser was found: open {file} in one" in told.output
    assert file.exists()


def test_a_page_that_cannot_be_written_is_told_in_a_line(tmp_path: Path) -> None:
    place = tmp_path / "no" / "page.html"
    told = CliRunner().invoke(cli, ["explore", "-o", str(place)])
    assert isinstance(told.exception, DomainError)
    assert "must be a file in a folder" in str(told.exception)


def test_a_detached_gradient_has_slope_one(page: Any) -> None:
    page.select_option("#a-detached", "true")
    page.wait_for_timeout(60)
    assert value(page, "slope") == 1


def test_the_page_holds_the_very_file_that_is_exported(tmp_path: Path) -> None:
    from adaface_ref.ports.export.export import export

    export("javascript", tmp_path)
    assert (tmp_path / "margin_softmax.js").read_text() in explore_page()

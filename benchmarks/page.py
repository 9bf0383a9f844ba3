"""How soon the page of `adaface-ref explore` shows a curve, and how fast it redraws.

Run from the checkout: python benchmarks/page.py. It wants playwright and a Chromium. A
redraw is all that a slider sets off: 2,001 points of every curve, marks, feature space,
and drawing them. Of every loss, with one setting and with two, the median is kept.
"""

from __future__ import annotations

import json
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import sync_playwright

from adaface_ref.pictures.pages.explore import page as explore_page
from adaface_ref.spec.losses import LOSSES

RESULTS = Path(__file__).parent / "results" / "page.json"
ROUNDS = 40
LOADS = 9

MOVE = """async (rounds) => {
  const slider = document.getElementById("a-scale-slider");
  const found = [];
  for (let i = 0; i < rounds; i += 1) {
    slider.value = 40 + i;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise((done) => setTimeout(done, 50));
    found.push(performance.getEntriesByName("redraw").at(-1).duration);
  }
  return found;
}"""

FIRST = """() => {
  const { startTime, duration } = performance.getEntriesByName("redraw")[0];
  return startTime + duration;
}"""


def measure(browser: Any, address: str) -> dict[str, Any]:
    """Milliseconds, as the browser's own clock has them."""
    loads = []
    for _ in range(LOADS):
        page = browser.new_page()
        page.goto(address)
        page.wait_for_function("performance.getEntriesByName('redraw').length")
        loads.append(page.evaluate(FIRST))
        page.close()
    redraws: dict[str, Any] = {}
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    for loss in LOSSES:
        for count, view in enumerate(({}, {"b.loss": loss}), 1):
            page.goto(f"{address}#{urlencode({'a.loss': loss, **view})}")
            page.wait_for_timeout(300)
            taken = sorted(page.evaluate(MOVE, ROUNDS)[ROUNDS // 4 :])
            redraws[f"{loss}, settings: {count}"] = {
                "median": round(statistics.median(taken), 1),
                "nine of ten within": round(taken[int(0.9 * len(taken))], 1),
            }
    page.close()
    first = round(statistics.median(loads), 1)
    return {"first curve after, ms": first, "redraw, ms": redraws}


def main() -> None:
    """Measures, prints, and keeps the figures."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        file = Path(folder) / "page.html"
        file.write_text(explore_page(), encoding="utf-8")
        found = shutil.which("chromium") or shutil.which("google-chrome")
        browser = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        told = {"browser": browser.version, **measure(browser, file.as_uri())}
    text = json.dumps(told, indent=1) + "\n"
    RESULTS.write_text(text, encoding="utf-8")
    print(text, end="")


if __name__ == "__main__":
    main()

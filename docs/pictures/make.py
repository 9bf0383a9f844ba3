"""Draws the README's pictures: python docs/pictures/make.py [FOLDER]."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from adaface_ref.cli import cli
from adaface_ref.pictures.pages.explore import page as explore_page

BOTH = ("--profile", "pure", "--profile", "clip")

COMMANDS = (
    ("arcs", "-o", "arcs.png", "--dpi", "160"),
    ("curves", "-o", "curves.png", "--dpi", "200", *BOTH),
)
"""The pictures, each as the arguments of `adaface-ref plot`."""


def make(folder: Path) -> None:
    """Draws every picture.

    Args:
        folder: where to; it must exist.
    """
    for kind, option, name, *rest in COMMANDS:
        arguments = ["plot", kind, option, str(folder / name), *rest]
        cli.main(arguments, standalone_mode=False)


def photograph(folder: Path, browser: Any) -> None:
    """Takes the picture of the page, in a browser that playwright has started.

    Args:
        folder: where to; it must exist.
        browser: playwright's.
    """
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.set_content(explore_page())
    page.get_by_role("button", name="AdaFace, z-hat = 1, near 1").click()
    page.wait_for_timeout(500)
    page.screenshot(path=folder / "explore.png")
    page.close()


def main(folder: Path) -> None:
    """Makes them all; the page's picture wants playwright and a Chromium."""
    make(folder)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        found = shutil.which("chromium") or shutil.which("google-chrome")
        browser = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        photograph(folder, browser)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)

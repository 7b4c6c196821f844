"""Chromium and a Chinese font for the end-to-end tests: what is there, else installed, else a sentence.

`python -m tests.support.browser` installs what is missing; `find()` only looks.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support import debian

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome", "msedge")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)
SENTENCE = (
    "The end-to-end tests need Chromium, and none was found or could be installed. Install it "
    "(Debian: apt-get install chromium; elsewhere: .venv/bin/playwright install chromium) "
    "or name one: AIDVISIT_CHROMIUM=/path/to/chromium make test"
)


def find() -> str | None:
    """Path of a Chromium that can be started: the one named, the system's, or Playwright's own."""
    named = os.environ.get("AIDVISIT_CHROMIUM")
    found = [named] if named else [shutil.which(name) for name in NAMES] + [*PLACES, _playwrights_own()]
    return next((path for path in found if path and Path(path).is_file()), None)


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def _has_chinese_font() -> bool:
    if sys.platform != "linux":
        return True  # Windows and macOS bring one
    if shutil.which("fc-list") is None:
        return False
    listed = subprocess.run(["fc-list", ":lang=zh", "family"], capture_output=True, text=True)
    return bool(listed.stdout.strip())


def main() -> int:
    if find() is None and not (debian.may_install() and debian.install("chromium") and find()):
        print("Downloading Playwright's Chromium …", flush=True)
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"])
    if find() is None:
        print(SENTENCE, file=sys.stderr)
        return 1
    if not _has_chinese_font() and not (debian.may_install() and debian.install("fonts-wqy-microhei")):
        print("No Chinese font was found: pages in pictures show boxes for characters (no test fails by it).")
    return 0


if __name__ == "__main__":
    sys.exit(main())

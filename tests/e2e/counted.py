"""What somebody does at a laptop, counted by one rule, so that figures of different days can be laid beside each other.

One action: a click, a key pressed by itself, a signature drawn. Two: a field that is filled in, a choice from a list
(going there, and giving it). Three: a file (its button, the file, the button of its window).
How long one takes is for each test to say: with the paper beside the laptop, or reading what comes next.
"""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Locator, Page


class Counted:
    """A person whose every action is counted."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.actions = 0

    def click(self, what: Locator) -> None:
        self.actions += 1
        what.click()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.actions += 1
            self.page.keyboard.press(key)

    def sign(self) -> None:
        """Draw with the mouse as one writes on a pad."""
        self.actions += 1
        pad = self.page.locator(".sign")
        pad.scroll_into_view_if_needed()
        box = pad.bounding_box()
        assert box is not None
        left, top = box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.4
        mouse = self.page.mouse
        mouse.move(left, top)
        mouse.down()
        for step in range(1, 9):
            mouse.move(left + step * 12, top + (step % 3) * 14)
        mouse.up()

    def fill(self, what: Locator, text: str) -> None:
        self.actions += 2
        what.fill(text)

    def choose(self, what: Locator, label: str) -> None:
        self.actions += 2
        what.select_option(label=label)

    def photo(self, what: Locator, file: Path) -> None:
        self.actions += 3
        what.set_input_files(file)

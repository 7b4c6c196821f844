"""A person at a browser: where they go, what they click, and what they would complain about."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, expect

from tests.e2e.counted import Counted
from tests.e2e.sheet import NAMES
from tests.support.centre import PASSWORD
from tests.support.nodes import LEADER, OFFICE, Node, Pair

FLAGS = [
    "--no-sandbox",  # the tests may run as root in a container
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
WITHIN_MS = 20_000


class Person:
    """One browser of its own, with its cookies; `page` is its one tab."""

    def __init__(self, chromium: Browser, pair: Pair, locale: str = "zh-CN", narrow: bool = False) -> None:
        self.pair = pair
        self.complaints: list[str] = []
        self._context = chromium.new_context(locale=locale, viewport=NARROW if narrow else WIDE)
        self._context.set_default_timeout(WITHIN_MS)
        self._context.on("request", self._asked)
        self._context.on("console", self._told)
        self._context.on("weberror", lambda error: self.complaints.append(f"script: {error.error}"))
        self.page: Page = self._context.new_page()

    def leave(self) -> None:
        self._context.close()

    def _asked(self, request: Request) -> None:
        """No request leaves the two machines, and none has somebody's name in its address."""
        if not request.url.startswith((self.pair.centre.url, self.pair.field.url)):
            self.complaints.append(f"asked elsewhere: {request.url}")
        if any(name in unquote(request.url) for name in NAMES):
            self.complaints.append(f"a name in an address: {unquote(request.url)}")

    def _told(self, message: ConsoleMessage) -> None:
        """A refused form is told in the console as well, and a server that was stopped; everything else is an error."""
        address = str(message.location.get("url", ""))
        asset = urlsplit(address).path.startswith("/static/")
        refused = not asset and re.search(r"status of (4\d\d|503|507)", message.text)
        stopped = "net::ERR_CONNECTION_" in message.text
        # What a page asks for by itself is not redirected: the server that is back knows nobody yet.
        ended = "net::ERR_FAILED" in message.text and urlsplit(address).path == "/sign-in"
        if message.type == "error" and not (refused or stopped or ended):
            self.complaints.append(f"console: {message.text} ({address})")

    def sign_in(self, node: Node, password: str = PASSWORD, login: str = "") -> None:
        self.page.goto(f"{node.url}/sign-in")
        self.page.fill("[name=login]", login or (LEADER if node.role == "field" else OFFICE))
        self.page.fill("[name=password]", password)
        self.page.click("main button")

    def go(self, node: Node, path: str = "/") -> None:
        self.page.goto(node.url + path)

    @property
    def chip(self) -> Locator:
        return self.page.locator("#chip .chip")

    def sees_chip(self, state: str, words: str | re.Pattern[str] = "") -> None:
        """Wait until the chip, which renews itself, shows this state (sent, waiting, sending, attention)."""
        expect(self.page.locator(f"#chip .chip--{state}")).to_contain_text(words, timeout=WITHIN_MS)

    # --- a delivery: open, sign, save ------------------------------------------------------------------------

    def open_next(self) -> str:
        """From Today to the form of the next household; its name."""
        name = self.page.locator(".card--next .who").inner_text()
        self.page.click(".card--next .btn--main")
        expect(self.page.locator("h1")).to_have_text(name)
        return name

    def sign(self) -> None:
        """Draw with the mouse as one writes on a pad."""
        Counted(self.page).sign()

    def save(self) -> None:
        """Save, and wait until Today is there again."""
        self.page.click(".act .btn--main")
        self.page.wait_for_url(re.compile(r"/\?saved="))

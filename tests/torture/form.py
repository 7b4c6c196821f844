"""kill -9 of the laptop's server, and of the browser, while somebody fills in a delivery.

No typed draft older than two seconds may be gone, and nothing may be saved twice.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import BrowserContext, Error, Page, Playwright, expect

from aidvisit.store.database import reading
from aidvisit.store.queries import trip as trips
from tests.e2e.person import FLAGS
from tests.support.centre import PASSWORD
from tests.support.nodes import LEADER, Pair, copies
from tests.torture.world import Broken

AGE_S = 2.0
"""What was typed longer ago must be there."""
HOUSEHOLDS = 30
"""So many of the list's are used up before the laptop begins its day anew."""
WORDS = "老人不会写字邻居在场村委廖满仓说下午四点后回来"
UNASKED = "--disable-prompt-on-repost"
"""A form is sent again on loading its page again, as if somebody said yes."""
LOOK = "[...document.querySelector('[data-deliver]').elements].find(one => one.name == name).value"


@dataclass(slots=True)
class Typed:
    """What a field held, and since when (monotonic seconds)."""

    moments: list[tuple[float, str]] = field(default_factory=list)

    def now(self, value: str) -> None:
        self.moments.append((time.monotonic(), value))

    def lost(self, held: str, killed: float) -> float:
        """How many seconds before the kill the newest was typed that is gone; 0 where nothing is."""
        values = [value for _, value in self.moments]
        if held and held not in values:
            raise Broken(f"the draft holds what nobody typed: {held!r}")
        next_one = values.index(held) + 1 if held else 0
        return killed - self.moments[next_one][0] if next_one < len(values) else 0.0


@dataclass(slots=True)
class Figures:
    """`kills`: by what died, and when; `lost_s`: the age of the oldest that was gone, by kill."""

    kills: Counter[str] = field(default_factory=Counter)
    lost_s: list[float] = field(default_factory=list)
    saved_before: int = 0
    households: int = 0

    @property
    def oldest(self) -> float:
        """Age of the oldest that was gone after any of them, in seconds before its kill."""
        return max(self.lost_s, default=0.0)


class Browser:
    """Chromium in a process group of its own, which can be killed as a flat battery does it."""

    def __init__(self, playwright: Playwright, program: str) -> None:
        self._folder = tempfile.mkdtemp()
        own = ["--headless=new", "--remote-debugging-port=0", f"--user-data-dir={self._folder}", UNASKED]
        command = [program, *FLAGS, *own]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        assert self._process.stderr is not None
        found = next(
            (one[1] for line in self._process.stderr if (one := re.search(r"listening on (ws://\S+)", line))), ""
        )
        threading.Thread(target=self._process.stderr.read, daemon=True).start()
        self._connected = playwright.chromium.connect_over_cdp(found)
        self.context: BrowserContext = self._connected.contexts[0]
        self.context.set_default_timeout(60_000)
        self.page: Page = self.context.new_page()

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def leave(self) -> None:
        """After a kill as well."""
        with suppress(Error):
            self._connected.close()
        self.kill()
        if self._process.stderr is not None:
            self._process.stderr.close()
        shutil.rmtree(self._folder, ignore_errors=True)


Start = Callable[[], Browser]


class Desk:
    """A laptop, whoever sits at it, and the browser that they have now."""

    def __init__(self, start: Start, pair: Pair, chance: random.Random) -> None:
        self._start, self._chance = start, chance
        self.node = pair.field
        with self.node.inside(), reading() as conn:
            self.households = [one.id for one in trips.today(conn, pair.trip).households][:HOUSEHOLDS]
        self.browser = self._start()
        self.sign_in()

    def sign_in(self) -> None:
        """Again where a page that was open before the server died had a session of its own begun."""
        page = self.browser.page
        for _ in range(3):
            page.goto(f"{self.node.url}/sign-in")
            page.fill("[name=login]", LEADER)
            page.fill("[name=password]", PASSWORD)
            with page.expect_navigation():
                page.click("main button")
            if page.url == f"{self.node.url}/":
                return
        raise Broken(f"nobody can sign in: {page.inner_text('main')}")

    def strike(self, what: str, household: str, figures: Figures) -> None:
        """One household: type, be killed, come back, find it again, and save."""
        note, drawn = self._fill_in(household)
        saves = self._chance.random() < 0.3
        killed = self._kill(what, saves)
        figures.kills[f"{what}, {'while it is saved' if saves else 'while typing'}"] += 1
        self._come_back(what)
        page = self.browser.page
        if given := self._given(household):
            figures.saved_before += 1
        else:
            page.goto(f"{self.node.url}/households/{household}/deliver")
            lost = max(note.lost(self._holds("note"), killed), drawn.lost(self._holds("signature"), killed))
            figures.lost_s.append(lost)
            page.check("[name=proof][value=none]")
            page.fill("[name=none_reason]", "右手骨折")
            page.click(".act .btn--main")
            page.wait_for_url(re.compile(r"/\?saved="))
            given = self._given(household)
        if given != 1:
            raise Broken(f"{what}: saved {given} times")
        figures.households += 1

    def _fill_in(self, household: str) -> tuple[Typed, Typed]:
        """A signature and a note, letter by letter, for a while."""
        page, note, drawn = self.browser.page, Typed(), Typed()
        page.goto(f"{self.node.url}/households/{household}/deliver")
        self._sign()
        drawn.now(self._holds("signature"))
        page.locator("#note").click()
        text = ""
        for _ in range(self._chance.randrange(4, 36)):
            text += self._chance.choice(WORDS)
            page.keyboard.insert_text(text[-1])
            note.now(text)
            page.wait_for_timeout(self._chance.randrange(30, 160))
        return note, drawn

    def _sign(self) -> None:
        page = self.browser.page
        pad = page.locator(".sign")
        pad.scroll_into_view_if_needed()
        box = pad.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 90, box["y"] + 60)
        page.mouse.down()
        for step in range(1, 6):
            page.mouse.move(box["x"] + 90 + step * 14, box["y"] + 60 + step % 3 * 12)
        page.mouse.up()

    def _holds(self, name: str) -> str:
        return str(self.browser.page.evaluate(f"name => {LOOK}", name))

    def _kill(self, what: str, saves: bool) -> float:
        """Now, or in the middle of what the button to save begins; when it was."""
        process = self.node.process
        assert process is not None
        blow: Callable[[], None] = process.kill if what == "server" else self.browser.kill
        if not saves:
            blow()
            return time.monotonic()
        moments: list[float] = []

        def later() -> None:
            blow()
            moments.append(time.monotonic())

        with suppress(Error):
            self.browser.page.locator(".act .btn--main").scroll_into_view_if_needed()
        timer = threading.Timer(self._chance.uniform(0.0, 0.4), later)
        timer.start()
        with suppress(Error):
            self.browser.page.locator(".act .btn--main").click(no_wait_after=True, timeout=5_000)
        timer.join()
        return moments[0]

    def _come_back(self, what: str) -> None:
        """Start again what died; whoever finds the browser's word that nothing answered loads the page again."""
        if what == "server":
            self.node.stop()
            self.node.start()
            asked_again = self.browser.page
            self.browser.page = self.browser.context.new_page()
            self.sign_in()
            with suppress(Error):
                asked_again.reload(wait_until="commit", timeout=5_000)
        else:
            self.browser.leave()
            self.browser = self._start()
            self.sign_in()

    def _given(self, household: str) -> int:
        """How many deliveries the household's history shows."""
        page = self.browser.page
        page.goto(f"{self.node.url}/households/{household}")
        expect(page.locator("#history")).to_be_visible()
        return page.locator(".time .is-given").count()


@contextmanager
def desk(folder: Path, ready: Path, trip: str, start: Start, chance: random.Random) -> Iterator[Desk]:
    with copies(ready, folder, trip) as pair:
        sat = Desk(start, pair, chance)
        try:
            yield sat
        finally:
            sat.browser.leave()


def strike(start: Start, kills: int, seed: int, ready: Path, trip: str, say: Callable[[str], None]) -> Figures:
    """`kills` of the server, and as many of the browser; `ready` are the homes of both nodes. Raises: Broken."""
    chance, figures = random.Random(seed), Figures()
    plan = ["server", "browser"] * kills
    with tempfile.TemporaryDirectory() as folder:
        for first in range(0, len(plan), HOUSEHOLDS):
            with desk(Path(folder) / str(first), ready, trip, start, chance) as sat:
                for what, household in zip(plan[first : first + HOUSEHOLDS], sat.households, strict=False):
                    sat.strike(what, household, figures)
                    say(f"{figures.households:4} of {len(plan)}: {what}, {figures.oldest:.2f} s")
    if figures.oldest > AGE_S:
        raise Broken(f"what had been typed {figures.oldest:.1f} s before the kill is gone; {figures}")
    return figures

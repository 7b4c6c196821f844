"""`python -m tests.e2e.looks <folder> [word …]`: every page in all its looks, for eyes: nothing here passes or fails.

Three widths, light and dark, both languages; contact sheets beside them, and the papers of two trips as PDF. With words
only the pages whose names hold one of them.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from aidvisit.domain.inbox import KINDS
from aidvisit.domain.report import AXES
from aidvisit.practice import make
from aidvisit.services.practice import LOGIN as NOVICE
from aidvisit.services.practice import PASSWORD as NOVICE_PASSWORD
from aidvisit.services.sheet.write import workbook
from aidvisit.web.pages.reconciliation import BY
from tests.e2e import office_scene, scene
from tests.e2e.person import FLAGS
from tests.support import browser
from tests.support.centre import PASSWORD
from tests.support.nodes import LEADER, OFFICE, Node, copies, set_up

WIDTHS, SCHEMES, LANGUAGES = (360, 768, 1280), ("light", "dark"), ("zh", "en")
TALLEST = 3000
DATA = Path(__file__).parents[1] / "data"
WITHIN_MS = 60_000
OPEN_ALL = "document.querySelectorAll('main details').forEach(one => one.open = true)"
SHEET = """<!doctype html><meta charset=utf-8><style>body{margin:8px;font:14px sans-serif;display:flex;flex-wrap:wrap;
gap:8px;align-items:start;background:#888}figure{margin:0;background:#fff;width:%dpx}img{width:100%%;display:block}
</style>"""
Then = Callable[[Page], object] | None


@dataclass(frozen=True, slots=True)
class Look:
    """A page: where it stands, its address with names of ids in it, and what is done there before it is looked at.

    `opened`: what is folded is unfolded.
    """

    name: str
    node: str
    path: str
    then: Then = None
    opened: bool = False


def click(selector: str) -> Then:
    return lambda page: page.locator(selector).first.click()


def asked(words: str) -> Then:
    """Somebody looked for without scripts' help: the answer is a page of its own."""

    def ask(page: Page) -> None:
        page.fill("main [name=q]", words)
        page.press("main [name=q]", "Enter")
        expect(page.locator("#found")).to_contain_text(words[0])

    return ask


def too_much(page: Page) -> None:
    """More than planned, and nobody signs: the form says what is odd."""
    for stepper in page.locator(".stepper input").all()[:2]:
        stepper.fill("9")
    page.locator("[name=proof][value=paper]").check()
    page.fill("[name=row]", "1")
    page.click(".act .btn--main")


def away(page: Page) -> None:
    page.fill("[name=with_name]", "廖满仓")


def ticked(page: Page) -> None:
    """Two rows unfolded, and saved without a tick: refused."""
    for summary in page.locator("[data-row] summary").all()[:2]:
        summary.click()
    page.click("[data-button]")


def notice(what: str) -> Then:
    def post(page: Page) -> None:
        page.fill("[name=phone]", "0758-6688001")
        page.fill("[name=office]", "民强村民委员会")
        page.click(f"button[name=what][value={what}]")

    return post


def paper(what: str) -> Then:
    return click(f"form:has([name=what][value={what}]) button[value=print]")


def brought(path: Path, *, rows: bool) -> Then:
    """A file that is to be imported: its columns, or what becomes of its rows."""

    def bring(page: Page) -> None:
        page.set_input_files("#file", path)
        page.click("main form .btn--main")
        page.wait_for_selector("main select", timeout=WITHIN_MS)
        if rows:
            page.locator("main .btn--main").first.click()
            page.wait_for_selector("main td", timeout=WITHIN_MS)
            expect(page.locator("h2").first).to_be_visible()

    return bring


def stock_sheet(page: Page) -> None:
    """Goods that came in: two rows new, one that is wrong."""
    head = ("物资", "数量", "单位", "捐赠方", "批次", "单价(元)", "日期")
    lines = [("大米", 200, "袋", "", "A-01", 59.9, "2020-12-20"), ("食用油", "一百", "桶", "", "", 65, "2020-12-20"),
             ("坚果", 80, "份", "没有这一家", "", 28.5, "2020-12-20")]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        workbook(Path(folder) / "入库.xlsx", [("入库", head, lines)])
        page.set_input_files("#file", Path(folder) / "入库.xlsx")
        page.click("main form:has(#file) .btn--main")
        page.wait_for_selector("main td")


def rules(page: Page) -> None:
    for row, (item, quantity) in enumerate((("rice", "1"), ("oil", "2"))):
        page.locator(f"[name='item.{row}']").select_option(item)
        page.fill(f"[name='quantity.{row}']", quantity)
    page.click("button[name=look]")


TRIP, CASH = "/trips/{trip}", "/trips/{cash}"
LOOKS = [
    Look("sign-in", "field", "/sign-in"),
    Look("today", "field", "/"),
    Look("today-found", "field", "/", asked("杨")),
    Look("search", "field", "/search", asked("黄")),
    Look("walk-in", "field", "/search", asked("谭无名")),
    Look("household", "field", "/households/{corrected}"),
    Look("household-away", "field", "/households/{kept}"),
    Look("deliver", "field", "/households/{todo}/deliver", opened=True),
    Look("deliver-odd", "field", "/households/{todo}/deliver", too_much, opened=True),
    Look("deliver-kept", "field", "/households/{kept}/deliver"),
    Look("deliver-unlisted", "field", "/households/{new}/deliver"),
    Look("correct", "field", "/households/{done}/deliver?replaces={delivery}"),
    Look("void", "field", "/households/{done}/deliveries/{delivery}/void"),
    Look("outcome", "field", "/households/{todo}/visit", away, opened=True),
    Look("visit", "field", "/households/{todo}/visits", opened=True),
    Look("register", "field", "/households/new"),
    Look("paper-day", "field", TRIP + "/paper-day"),
    Look("paper-day-refused", "field", TRIP + "/paper-day", ticked),
    Look("stock", "field", TRIP + "/stock", opened=True),
    Look("stock-cash", "field", CASH + "/stock", opened=True),
    Look("slip-kept", "field", TRIP + "/stock", click("a:has-text('DC2020')")),
    Look("slip-load", "field", TRIP + "/stock", click("a:has-text('CK')")),
    Look("plan", "field", TRIP + "/plan"),
    Look("papers", "field", TRIP + "/papers"),
    Look("papers-summary", "field", TRIP + "/papers/summary"),
    Look("papers-summary-cash", "field", CASH + "/papers/summary"),
    Look("papers-roll-empty", "field", TRIP + "/papers", paper("roll-empty")),
    Look("papers-roll", "field", TRIP + "/papers", paper("roll")),
    Look("papers-cash-empty", "field", CASH + "/papers", paper("cash-empty")),
    Look("papers-cash", "field", CASH + "/papers", paper("cash")),
    Look("papers-village", "field", TRIP + "/papers", paper("village")),
    Look("papers-before", "field", TRIP + "/papers", notice("before")),
    Look("papers-after", "field", TRIP + "/papers", notice("after")),
    Look("ready", "field", "/ready"),
    Look("sync", "field", "/sync"),
    Look("manual", "field", "/manual"),
    Look("lists", "field", "/lists"),
    Look("import-columns", "field", "/import", brought(DATA / "messy.xlsx", rows=False)),
    Look("import-rows", "field", "/import", brought(DATA / "messy.xlsx", rows=True)),
    Look("overview", "centre", "/?all=1", opened=True),
    Look("report", "centre", "/reports?all=1&by=village"),
    Look("donor", "centre", "/reports/donor"),
    Look("statement", "centre", "/households/{corrected}", click("form[action$=statement] button")),
    Look("c-trips", "centre", "/trips"),
    Look("c-reconcile", "centre", TRIP),
    Look("c-reconcile-cash", "centre", CASH),
    Look("c-search", "centre", "/search", asked("黄")),
    Look("c-household", "centre", "/households/{corrected}"),
    Look("c-correct", "centre", "/households/{done}/deliver?replaces={delivery}"),
    Look("c-plan", "centre", "/trips/{second}/plan"),
    Look("c-plan-done", "centre", TRIP + "/plan"),
    Look("c-plan-add", "centre", "/trips/add"),
    Look("c-rules", "centre", "/trips/{second}/rules", rules),
    Look("c-release", "centre", "/trips/{second}/release"),
    Look("c-allot", "centre", "/households/{todo}/allot"),
    Look("c-stock", "centre", TRIP + "/stock", opened=True),
    Look("c-stores", "centre", "/stock", opened=True),
    Look("c-stock-load", "centre", "/stock/load", stock_sheet),
    Look("c-duplicates", "centre", "/duplicates"),
    Look("c-duplicates-many", "centre", "/duplicates/many"),
    Look("c-conflicts", "centre", "/households/conflicts"),
    Look("c-settle", "centre", "/households/{todo}/conflicts"),
    Look("c-lists", "centre", "/lists"),
    Look("c-import-columns", "centre", "/import", brought(DATA / "dahuai-ledger-2024.xlsx", rows=False)),
    Look("c-import-rows", "centre", "/import", brought(DATA / "messy.xlsx", rows=True)),
    Look("c-catalog-item", "centre", "/catalog/one?what=item&code=rice"),
    Look("o-overview", "office", "/"),
    Look("o-trips", "office", "/trips"),
    *(Look(f"o-over-{by}", "office", f"/reconciliation?by={by}") for by in BY),
    Look("o-trip", "office", TRIP),
    Look("o-trip-closed", "office", "/trips/{closed}"),
    Look("o-months", "office", "/months"),
    Look("o-month", "office", "/months/{month}"),
    *(Look(f"o-inbox-{kind}", "office", f"/inbox?kind={kind}") for kind in ("", *KINDS)),
    Look("o-inbox-settled", "office", "/inbox?settled=yes", opened=True),
    Look("o-held", "office", "/held"),
    Look("o-conflicts", "office", "/households/conflicts"),
    Look("o-pairs", "office", "/duplicates"),
    Look("o-devices", "office", "/devices"),
    Look("o-device", "office", "/devices/{device}"),
    *(Look(f"o-report-{by}", "office", f"/reports?by={by}") for by in AXES),
    Look("o-donor", "office", "/reports/donor?donor=yirui"),
    Look("o-household", "office", "/households/{household}"),
    Look("o-statement", "office", "/households/{household}", click("form[action$=statement] button")),
    Look("o-entries", "office", "/entries?of=delivered"),
    Look("o-audit", "office", "/audit"),
    Look("o-tokens", "office", "/tokens"),
    Look("o-people", "office", "/people"),
    Look("o-catalog", "office", "/catalog"),
    Look("o-lists", "office", "/lists"),
    Look("practice-guide", "practice", "/practice"),
    Look("practice-today", "practice", "/"),
    Look("practice-manual", "practice", "/manual"),
    Look("practice-deliver", "practice", "/", click(".card--next .btn--main")),
]


class Looker:
    """One browser at one node, signed in."""

    def __init__(self, chromium: Browser, url: str, login: str, password: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        context = chromium.new_context(locale="zh-CN", viewport={"width": 1280, "height": 900})
        context.set_default_timeout(20_000)
        self.page = context.new_page()
        self.page.goto(f"{url}/sign-in")
        self.page.fill("[name=login]", login)
        self.page.fill("[name=password]", password)
        self.page.click("main form .btn--main, main form button")
        self.page.wait_for_url(lambda there: "sign-in" not in there)

    def show(self, look: Look, ids: Mapping[str, str]) -> None:
        """Go there, and do what is done before anybody looks."""
        self.page.set_viewport_size({"width": 1280, "height": 900})
        self.page.goto(self.url + look.path.format(**ids))
        if look.then:
            look.then(self.page)
        self.page.wait_for_load_state("networkidle")
        if look.opened:
            self.page.evaluate(OPEN_ALL)

    def look(self, look: Look, ids: Mapping[str, str]) -> None:
        for language in LANGUAGES:
            self.speak(language)
            self.show(look, ids)
            self.shoot(f"{look.name}-{language}")
            if look.name.startswith(("papers-", "slip-", "manual")):
                self.page.emulate_media(color_scheme="light")
                self.page.pdf(path=self.folder / f"{look.name}-{language}.pdf", prefer_css_page_size=True)

    def files(self, ids: Mapping[str, str]) -> None:
        """Every spreadsheet that comes out, for another program to open."""
        for trip, kinds in (("trip", ("roll-empty", "roll")), ("cash", ("cash-empty", "cash"))):
            for kind in kinds:
                self.page.goto(f"{self.url}/trips/{ids[trip]}/papers")
                self._take(f"form:has([name=what][value={kind}]) button[value=xlsx]", kind)
        self.page.goto(f"{self.url}/lists")
        self._take("button[name=as][value=xlsx]", "list")
        self.page.goto(f"{self.url}/import")
        bring = brought(DATA / "messy.xlsx", rows=True)
        assert bring is not None
        bring(self.page)
        self._take("form[action$=refused] button", "refused")

    def _take(self, selector: str, name: str) -> None:
        with self.page.expect_download() as taken:
            self.page.click(selector)
        taken.value.save_as(self.folder / f"{name}.xlsx")

    def shoot(self, name: str) -> None:
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": 800})
            tall = min(self.page.evaluate("document.documentElement.scrollHeight"), TALLEST)
            self.page.set_viewport_size({"width": width, "height": max(tall, 800)})
            for scheme in SCHEMES:
                self.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
                self.page.screenshot(path=self.folder / f"{name}-{width}-{scheme}.png")
        aside = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if aside > 0:
            sys.stdout.write(f"{name}: {aside} px to the side\n")

    def speak(self, language: str) -> None:
        """By the button in the head of a page."""
        button = self.page.locator(f"button[name=language][value={language}]")
        if button.count():
            button.click()


def contacts(chromium: Browser, folder: Path, names: list[str]) -> None:
    """Pictures of one way of looking beside each other, so many that each can still be read."""
    page = chromium.new_page()
    for width, (across, down, picture) in {360: (6, 1, 300), 768: (4, 1, 470), 1280: (3, 1, 620)}.items():
        for scheme in SCHEMES:
            for language in LANGUAGES:
                files = [folder / f"{name}-{language}-{width}-{scheme}.png" for name in names]
                found = [file for file in files if file.exists()]
                for part, start in enumerate(range(0, len(found), across * down)):
                    figures = "".join(
                        f'<figure>{file.name}<img src="{file.as_uri()}"></figure>'
                        for file in found[start : start + across * down]
                    )
                    (folder / "sheet.html").write_text(SHEET % picture + figures, encoding="utf-8")
                    page.set_viewport_size({"width": across * (picture + 8) + 16, "height": 900})
                    page.goto((folder / "sheet.html").as_uri())
                    page.screenshot(path=folder / f"sheet-{width}-{scheme}-{language}-{part}.png", full_page=True)


def main(folder: Path, words: list[str]) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    program = browser.find()
    looks = [one for one in LOOKS if not words or any(word in one.name for word in words)]
    with tempfile.TemporaryDirectory() as homes, sync_playwright() as playwright, ExitStack() as until:
        ready = Path(homes) / "ready"
        ready.mkdir()
        pair = until.enter_context(copies(ready, Path(homes) / "pair", set_up(ready)))
        make(Path(homes) / "practice")
        practice = Node(Path(homes) / "practice", "field")
        practice.options = ("--practice",)
        practice.start()
        until.callback(practice.stop)
        ids = {"trip": pair.trip} | scene.tell(pair)
        chromium = playwright.chromium.launch(executable_path=program, args=FLAGS)
        people = {
            "field": Looker(chromium, pair.field.url, LEADER, PASSWORD, folder),
            "centre": Looker(chromium, pair.centre.url, OFFICE, PASSWORD, folder),
            "practice": Looker(chromium, practice.url, NOVICE, NOVICE_PASSWORD, folder),
        }
        of_node = dict.fromkeys(people, ids)
        if any(one.node == "office" for one in looks):
            of_node["office"] = office_scene.tell(Path(homes) / "office")
            office = Node(Path(homes) / "office", "central")
            office.start()
            until.callback(office.stop)
            people["office"] = Looker(chromium, office.url, OFFICE, PASSWORD, folder)
        for one in looks:
            try:
                people[one.node].look(one, of_node[one.node])
            except (PlaywrightError, AssertionError) as error:
                sys.stdout.write(f"{one.name}: {str(error)[:300]}\n")
        if not words or "files" in words:
            people["field"].speak("zh")
            people["field"].files(ids)
        contacts(chromium, folder, [one.name for one in looks])
        chromium.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))

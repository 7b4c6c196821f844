"""A new laptop: `field run` where there is no home, the card before the camera or typed, and then signing in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import segno
from playwright.sync_api import Page, Playwright, expect

from sync import invitation
from tests.e2e.person import FLAGS, NARROW, WIDE
from tests.e2e.test_pages import AXE, CHECK, WCAG
from tests.support.centre import PASSWORD, Centre
from tests.support.nodes import LEADER, TOWN, Node

WIDTH, HEIGHT = 640, 480
CAMERA = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
WITHIN_MS = 60_000


@dataclass(frozen=True, slots=True)
class Card:
    """What one printed card says, and a laptop without a home."""

    text: str
    laptop: Node
    centre: Centre
    team: str

    @property
    def invitation(self) -> invitation.Invitation:
        return invitation.parse(self.text)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Centre, str]]:
    """A running centre with a team and its leader."""
    centre = Centre(tmp_path_factory.mktemp("centre") / "central")
    team = centre.add_team("慰问一队", TOWN)
    person = ("--login", LEADER, "--name", "罗春和", "--role", "leader", "--team", team, "--password-stdin")
    centre.command("central", "user", "add", *person, stdin=PASSWORD + "\n")
    with centre.running():
        yield centre, team


@pytest.fixture
def card(office: tuple[Centre, str], tmp_path: Path) -> Iterator[Card]:
    centre, team = office
    made = centre.command("central", "enrol-code", "--team", team)
    invited = invitation.parse(made["invitation"])
    # The centre was told no address of its own: it listens on a port that the test chose.
    here = invitation.Invitation(centre.url, invited.code, invited.fingerprint)
    laptop = Node(tmp_path / "laptop", "field")
    laptop.start()
    try:
        yield Card(here.text(), laptop, centre, team)
    finally:
        laptop.stop()


def film(path: Path, text: str) -> Path:
    """A card before a camera: one picture after another of a QR code, as YUV 4:2:0 (yuv4mpeg)."""
    dots = [list(row) for row in segno.make(text, error="m", micro=False).matrix_iter(scale=6, border=4)]
    left, top = (WIDTH - len(dots)) // 2, (HEIGHT - len(dots)) // 2
    light = bytearray(b"\xc8" * (WIDTH * HEIGHT))
    for y, row in enumerate(dots):
        light[(top + y) * WIDTH + left : (top + y) * WIDTH + left + len(row)] = bytes(16 if dot else 235 for dot in row)
    picture = b"FRAME\n" + bytes(light) + b"\x80" * (WIDTH * HEIGHT // 2)
    path.write_bytes(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode() + picture * 10)
    return path


Launch = Callable[..., AbstractContextManager[Page]]


@pytest.fixture
def browser(playwright: Playwright, chromium_path: str) -> Launch:
    """A browser of its own, which may have a camera. Nothing may be told in its console."""

    @contextmanager
    def launch(*flags: str, narrow: bool = False, script: bool = True) -> Iterator[Page]:
        chromium = playwright.chromium.launch(executable_path=chromium_path, args=[*FLAGS, *flags])
        page = chromium.new_page(locale="zh-CN", viewport=NARROW if narrow else WIDE, java_script_enabled=script)
        page.set_default_timeout(WITHIN_MS)
        told: list[str] = []
        page.on("console", lambda message: told.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: told.append(str(error)))
        yield page
        chromium.close()
        assert [line for line in told if "status of 4" not in line] == []

    return launch


def write_down_and_sign_in(page: Page, card: Card) -> None:
    """From the recovery key to the first page of the laptop, in the same process."""
    expect(page.get_by_role("heading", name="登记好了")).to_be_visible(timeout=WITHIN_MS)
    assert len(page.locator(".recovery").inner_text().split()) == 9
    everybody_can_use(page)
    page.get_by_text("我已经把恢复密钥抄在纸上").click()
    page.get_by_role("button", name="去登录").click()
    page.wait_for_url(f"{card.laptop.url}/sign-in")
    page.fill("[name=login]", LEADER)
    page.fill("[name=password]", PASSWORD)
    page.click("main button")
    page.wait_for_url(f"{card.laptop.url}/")
    expect(page.locator("#chip .chip")).to_be_visible()


def everybody_can_use(page: Page) -> None:
    """Wide and narrow: nothing to the side, and axe finds nothing."""
    for size in (WIDE, NARROW):
        page.set_viewport_size(size)
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
        page.evaluate(AXE.read_text(encoding="utf-8"))
        assert page.evaluate(CHECK, WCAG)["violations"] == []


def test_the_card_before_the_camera(browser: Launch, card: Card, tmp_path: Path) -> None:
    shown = film(tmp_path / "card.y4m", card.text)
    with browser(*CAMERA, f"--use-file-for-fake-video-capture={shown}") as page:
        page.goto(card.laptop.url)
        everybody_can_use(page)
        page.get_by_role("button", name="打开摄像头").click()
        expect(page.locator("[data-said]")).to_contain_text(card.centre.url)
        assert page.input_value("[name=code]") == card.invitation.code
        assert page.input_value("[name=fingerprint]") == card.invitation.fingerprint
        page.fill("[name=name]", "3 号笔记本")
        page.get_by_role("button", name="登记", exact=True).click()
        write_down_and_sign_in(page, card)


def test_a_picture_of_the_card_and_one_of_something_else(browser: Launch, card: Card, tmp_path: Path) -> None:
    with browser() as page:
        page.goto(card.laptop.url)
        for text, said in (("https://example.org", "不是登记卡片"), (card.text, card.centre.url)):
            picture = tmp_path / f"{len(text)}.png"
            segno.make(text, error="m", micro=False).save(str(picture), scale=5, border=4)
            page.set_input_files("[data-picture]", picture)
            expect(page.locator("[data-said]")).to_contain_text(said)
        assert page.input_value("[name=server]") == card.centre.url


def test_typed_on_a_narrow_screen_without_javascript(browser: Launch, card: Card) -> None:
    """First with a wrong code: the form is there again with all that was typed."""
    with browser(narrow=True, script=False) as page:
        page.goto(card.laptop.url)
        expect(page.locator("[data-scan]")).to_be_hidden()
        page.fill("[name=server]", card.centre.url)
        page.fill("[name=code]", "AAAAA-AAAAA")
        page.fill("[name=fingerprint]", invitation.in_groups(card.invitation.fingerprint).upper())
        page.fill("[name=name]", "3 号笔记本")
        page.get_by_role("button", name="登记", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("登记码不对", timeout=WITHIN_MS)
        assert page.input_value("[name=name]") == "3 号笔记本"
        assert not card.laptop.home.exists(), "nothing is left of it"

        page.fill("[name=code]", card.invitation.code.lower())
        page.get_by_role("button", name="登记", exact=True).click()
        expect(page.get_by_role("heading", name="登记好了")).to_be_visible(timeout=WITHIN_MS)
        page.check("[name=written]")
        page.get_by_role("button", name="去登录").click()
        page.fill("[name=login]", LEADER)
        page.fill("[name=password]", PASSWORD)
        page.click("main button")
        page.wait_for_url(f"{card.laptop.url}/")


def test_another_server_is_not_believed(browser: Launch, card: Card) -> None:
    """The card names another key than that of the server that answers there."""
    other = invitation.Invitation(card.centre.url, card.invitation.code, invitation.fingerprint("A" * 43))
    with browser() as page:
        page.goto(card.laptop.url)
        page.get_by_text("粘贴邀请文字").click()
        page.fill("[name=invitation]", other.text())
        page.fill("[name=name]", "3 号笔记本")
        page.get_by_role("button", name="登记", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("与卡片上的指纹对不上", timeout=WITHIN_MS)
        assert page.input_value("[name=invitation]") == other.text()
        assert not card.laptop.home.exists()


def test_by_one_command(card: Card, tmp_path: Path) -> None:
    """With the card's text; and a fingerprint that is another server's leaves nothing behind, and the code unused."""
    there = ("--server", card.centre.url, "--code", card.invitation.code, "--name", "3 号笔记本")
    wrong = ("--fingerprint", invitation.in_groups(invitation.fingerprint("A" * 43)))
    elsewhere = Node(tmp_path / "other", "field")
    before = card.centre.command("central", "device", "list")
    with pytest.raises(AssertionError, match="uninvited-server"):
        elsewhere.command("field", "init", *there, *wrong)
    assert not elsewhere.home.exists()
    assert len(card.centre.command("central", "device", "list")["devices"]) == len(before["devices"])
    text = card.invitation.text()
    assert elsewhere.command("field", "init", "--invitation", text, "--name", "3 号笔记本")["recovery_key"]

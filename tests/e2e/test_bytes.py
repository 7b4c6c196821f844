"""The laptop left on a bus: after a day's use nothing on its disk says whom it knows, as far as a search can tell."""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
import sqlalchemy as sa
from playwright.sync_api import BrowserContext, Playwright, expect

from aidvisit import config
from aidvisit.cli.home import opened
from aidvisit.store.database import reading
from tests.e2e.person import FLAGS, WIDE
from tests.support.centre import PASSWORD, Centre
from tests.support.nodes import LEADER, SHEET, TOWN, Node
from tests.support.pages import TOKEN
from tests.support.soon import soon

LEAST_BYTES = 6
"""Four bytes turn up in a hundred megabytes of noise by chance; a name of three characters is six or nine."""


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Centre, str]]:
    """A running centre with the sample list, and a team."""
    centre = Centre(tmp_path_factory.mktemp("bytes") / "central")
    team = centre.add_team("慰问一队", TOWN)
    person = ("--login", LEADER, "--name", "罗春和", "--role", "leader", "--team", team, "--password-stdin")
    centre.command("central", "user", "add", *person, stdin=PASSWORD + "\n")
    with centre.running():
        centre.command("import", str(SHEET))
        yield centre, team


@pytest.fixture
def disk() -> Iterator[Path]:
    """Where the laptop, its temporary files and the browser keep everything; Chromium's sockets want short paths."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.mark.parametrize("encrypted", [True, False], ids=["encrypted", "plain"])
def test_a_search_of_the_disk_finds_nobody(
    encrypted: bool,
    centre: tuple[Centre, str],
    playwright: Playwright,
    chromium_path: str,
    disk: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And finds everybody where somebody chose not to encrypt: the search can find."""
    temporary, profile = disk / "tmp", disk / "profile"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    field = _enrolled(disk / "field", centre, encrypted=encrypted)
    field.start()
    try:
        with _browser(playwright, chromium_path, profile) as context:
            _a_day(context, field)
            # The browser writes what it keeps every few seconds.
            assert soon(lambda: _kept(profile, f"{field.url}/sync"), 30)
            _killed_while_writing(field)
    finally:
        field.stop()
    needles = _needles(field, encrypted)
    assert len(needles) > 100
    found = {file.relative_to(disk).as_posix() for file in disk.rglob("*") if _holds(file, needles)}
    if encrypted:
        assert found == set()
    else:
        assert "field/aidvisit.db" in found
        assert not any(name.startswith(("tmp/", "profile/")) for name in found)


def _enrolled(home: Path, centre: tuple[Centre, str], *, encrypted: bool) -> Node:
    node = Node(home, "field")
    plain = [] if encrypted else ["--no-encryption"]
    server, team = centre
    node.command("field", "init", "--server", server.url, "--code", server.code(team), "--name", "3 号", *plain)
    return node


@contextmanager
def _browser(playwright: Playwright, chromium_path: str, profile: Path) -> Iterator[BrowserContext]:
    """A browser that keeps what browsers keep, in a folder that can be searched."""
    context = playwright.chromium.launch_persistent_context(
        str(profile), executable_path=chromium_path, args=FLAGS, locale="zh-CN", viewport=WIDE
    )
    yield context
    context.close()


def _a_day(context: BrowserContext, field: Node) -> None:
    """Search, look, reveal, fill in a form wrongly, then rightly, send."""
    page = context.new_page()
    page.goto(f"{field.url}/sign-in")
    page.fill("[name=login]", LEADER)
    page.fill("[name=password]", PASSWORD)
    page.click("main button")
    expect(page.locator(".card--next .who")).to_be_visible()
    name = page.locator(".card--next .who").inner_text()

    page.goto(f"{field.url}/search")
    page.fill("[name=q]", name)
    page.keyboard.press("Enter")
    page.get_by_role("link", name=name).first.click()
    page.get_by_role("button", name="显示完整号码").click()
    page.goto(field.url)
    page.click(".card--next .btn--main")
    page.click("label:has-text('签在纸上')")
    page.fill("[name=date]", "2099-01-01")
    page.click(".act .btn--main")
    expect(page.locator("main .notice").first).to_be_visible()
    page.fill("[name=date]", "2020-12-30")
    page.click(".act .btn--main")
    page.wait_for_url("**/?saved=*")
    page.goto(f"{field.url}/sync")
    page.get_by_role("button", name="现在同步").click()


def _killed_while_writing(field: Node) -> None:
    """kill -9 while visits are being written."""
    with requests.Session() as session:
        token = TOKEN.search(session.get(f"{field.url}/sign-in").text)
        assert token
        form = {"csrf_token": token[1], "login": LEADER, "password": PASSWORD, "next": "/search"}
        page = session.post(f"{field.url}/sign-in", data=form).text
        token = TOKEN.search(page)
        assert token
        form = {"csrf_token": token[1], "q": "陈"}
        killer = threading.Timer(1.0, field.stop)
        killer.start()
        with suppress(requests.RequestException):
            while True:
                answer = session.post(f"{field.url}/search", data=form)
                link = answer.text.partition('href="/households/')[2].partition('"')[0]
                _visit(session, field, link, token[1])
        killer.join()


def _visit(session: requests.Session, field: Node, household: str, token: str) -> None:
    page = session.get(f"{field.url}/households/{household}/visit").text
    visit = page.partition('name="visit" value="')[2].partition('"')[0]
    note = "邻居说他到县医院陪护去了,下星期回来"
    form = {"csrf_token": token, "visit": visit, "date": "2020-12-30", "outcome": "not-home", "note": note, "trip": ""}
    session.post(f"{field.url}/households/{household}/visit", data=form)


def _needles(field: Node, encrypted: bool) -> list[bytes]:
    """What the database knows of people, as a disk might hold it."""
    assert field.command("verify")["ok"]
    texts: set[str] = {"邻居说他到县医院陪护去了"}
    with opened(config.load(field.home, {}), secret=PASSWORD if encrypted else None), reading() as conn:
        query = "SELECT body FROM op WHERE body IS NOT NULL AND (stream LIKE 'team-%' OR stream LIKE '4%')"
        for body in conn.execute(sa.text(query)).scalars():
            texts |= set(_personal(json.loads(body)))
    return sorted({form for text in texts for form in _forms(text) if len(form) >= LEAST_BYTES})


def _personal(value: object, key: str = "", within: str = "") -> Iterator[str]:
    """Names of people, numbers and addresses, wherever a body has them."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _personal(inner, name, within=key)
    elif isinstance(value, list):
        for inner in value:
            yield from _personal(inner, key, within)
    elif isinstance(value, str) and (key in PERSONAL or (key == "name" and within in PEOPLE)):
        yield value


PERSONAL = {"id_number", "phone", "address", "login", "password_hash"}
PEOPLE = {"", "head", "members", "guardian", "received_by", "witness"}


def _forms(text: str) -> Iterator[bytes]:
    for encoding in ("utf-8", "utf-16-le", "utf-16-be", "gb18030"):
        yield text.encode(encoding)
    if not text.isascii():
        yield quote(text).encode()
        yield json.dumps(text)[1:-1].encode()


def _kept(profile: Path, address: str) -> bool:
    """Whether the session that the browser would restore names an address: then what it keeps of a page is written."""
    return any(_holds(file, [address.encode()]) for file in profile.rglob("Sessions/*"))


def _holds(file: Path, needles: list[bytes]) -> bool:
    if not file.is_file() or file.is_symlink():
        return False
    data = file.read_bytes()
    return any(needle in data for needle in needles)

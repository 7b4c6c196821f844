"""The receipt for people: the same figures and the same code on the laptop's slip and at the centre."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from aidvisit.cli import records
from aidvisit.services import preview
from aidvisit.services.sync import current_settings, own_device
from aidvisit.store.database import reading, transaction
from aidvisit.store.ledger import Fact, record
from aidvisit.store.queries.receipt import check, slip, slip_of
from sync import client, log, receipt
from sync.blobs import Waiting
from sync.link import Link
from sync.op import uuid7
from tests.support.pages import DAY, Pages, words
from tests.support.visits import deliver, line

DEVICE = "0190aaaa-0000-7000-8000-000000000001"
HEAD = "ab" * 32


def test_a_check_code_is_eight_characters_of_crockford() -> None:
    """The first 40 bits of SHA-256, so that any other program can tell it too."""
    assert receipt.check_code(DEVICE, 540, HEAD) == "W7R6-4Z17"
    others = {receipt.check_code(DEVICE, 541, HEAD), receipt.check_code(DEVICE, 540, "ac" * 32)}
    assert "W7R6-4Z17" not in others
    assert receipt.alike("w7r6 4z17", "W7R6-4Z17")


@pytest.fixture
def together(laptop: Pages, office: Pages) -> Iterator[Link]:
    """The laptop's line to the centre of the same test."""
    with laptop.app.app_context():
        yield line(laptop, office)


def test_the_slip_and_the_centre_say_the_same(laptop: Pages, office: Pages, together: Link) -> None:
    """What was voided or corrected by these very records is left out; cash is in yuan."""
    kept = deliver(laptop, 0)
    voided = deliver(laptop, 1)
    with transaction() as conn:
        stream = conn.exec_driver_sql("SELECT stream FROM delivery LIMIT 1").scalar_one()
        body = {"reason": "重复登记"}
        record(conn, own_device(), Fact(stream, "delivery.voided", voided, body))
        told = log.entries_of(conn, kept)[0].op.body
        corrected = {key: value for key, value in told.items() if key != "salt"} | {
            "replaces": kept, "lines": [{"item": "rice", "quantity": 3}, {"item": "cash", "quantity": 10_050}],
        }  # fmt: skip
        record(conn, own_device(), Fact(stream, "delivery.recorded", uuid7(), corrected))
    client.sync_once(together)
    with reading() as conn:
        mine = slip_of(conn, receipt.kept(conn)[0])
        device, through = log.own(conn), log.state(conn).through
    assert (mine.through, mine.deliveries, mine.days, mine.first) == (through, 1, 1, DAY)
    assert {one.item: one.quantity for one in mine.sums} == {"rice": 3, "cash": 10_050}
    with office.app.app_context(), reading() as conn:
        assert slip(conn, device, through) == mine

    laptop.sign_in()
    office.sign_in("admin")
    for page in (laptop.get("/sync"), laptop.get("/sync/slip"), office.get(f"/devices/{device}")):
        assert page.status_code == 200
        assert mine.code in page.text
        assert "100.50" in words(page)
    paper = words(laptop.get("/sync/slip"))
    assert "上报回执 Receipt" in paper
    assert f"1 – {through}" in paper


def test_an_older_slip_is_confirmed_at_the_centre(laptop: Pages, office: Pages, together: Link) -> None:
    deliver(laptop, 0)
    client.sync_once(together)
    with reading() as conn:
        older, device = slip_of(conn, receipt.kept(conn)[0]), log.own(conn)
    deliver(laptop, 1)
    client.sync_once(together)
    with office.app.app_context(), reading() as conn:
        by_code = check(conn, device, through="", code=older.code.lower().replace("-", " "))
        assert (by_code.slip, by_code.right) == (older, True)
        by_number = check(conn, device, through=str(older.through), code="")
        assert (by_number.slip, by_number.right) == (older, None)
        both = check(conn, device, through=str(older.through + 1), code=older.code)
        assert both.slip is not None
        assert not both.right
        for through in ("999", "٣", "-1", "9" * 30, "x"):
            assert check(conn, device, through=through, code=older.code).slip is None
        assert check(conn, device, through="", code="ZZZZ-ZZZZ").slip is None
    office.sign_in("admin")
    assert "对上了" in words(office.get(f"/devices/{device}?code={older.code}"))
    assert "应该是这样" in words(office.get(f"/devices/{device}?through={older.through}"))
    assert "对不上" in words(office.get(f"/devices/{device}?through={older.through + 1}&code={older.code}"))
    assert "没有这台笔记本的这样一张" in words(office.get(f"/devices/{device}?code=<b>"))


def test_what_later_records_say_changes_no_slip(laptop: Pages, office: Pages, together: Link) -> None:
    given = deliver(laptop, 0)
    client.sync_once(together)
    with reading() as conn:
        before, device = slip_of(conn, receipt.kept(conn)[0]), log.own(conn)
        stream = conn.exec_driver_sql("SELECT stream FROM delivery LIMIT 1").scalar_one()
    with office.app.app_context(), transaction() as conn:
        record(conn, log.own(conn), Fact(stream, "delivery.voided", given, {"reason": "没有这回事"}))
        assert slip(conn, device, before.through) == before
    client.sync_once(together)
    with reading() as conn:
        assert slip_of(conn, receipt.kept(conn)[0]) == before


def test_earlier_receipts_are_kept_one_an_hour(laptop: Pages) -> None:
    with laptop.app.app_context(), transaction() as conn:
        log.remember(
            conn, receipts=None, receipt={"device": DEVICE, "through": 1, "head": HEAD, "at": "2020-12-29T09:00:00Z"}
        )
        assert [one["through"] for one in receipt.kept(conn)] == [1], "from before there was a list"
        for number in range(2, 40):
            at = f"2020-12-{1 + number // 20:02}T{number % 20:02}:"
            for minute in (10, 50):
                one = {"device": DEVICE, "through": 10 * number + minute, "head": HEAD, "at": f"{at}{minute}:00Z"}
                receipt.keep(conn, one)
        kept = [one["through"] for one in receipt.kept(conn)]
        assert kept == [10 * number + 50 for number in range(39, 39 - receipt.MOST, -1)]
        assert log.recall(conn, "receipt")["through"] == kept[0]
    laptop.sign_in()
    page = laptop.get("/sync")
    codes = re.findall(r"/sync/slip\?through=(\d+)", page.text)
    assert codes == [str(one) for one in kept[1:]]
    assert receipt.check_code(DEVICE, kept[3], HEAD) in laptop.get(f"/sync/slip?through={kept[3]}").text
    assert laptop.get("/sync/slip?through=7").status_code == 404


def test_a_laptop_without_a_receipt_says_so(laptop: Pages) -> None:
    with laptop.app.app_context(), transaction() as conn:
        log.remember(conn, receipts=None, receipt=None)
    laptop.sign_in()
    assert "还没有回执" in words(laptop.get("/sync/slip"))
    assert "还没有回执" in words(laptop.get("/sync"))


def test_what_this_version_cannot_read_breaks_no_page(office: Pages, laptop: Pages) -> None:
    """The centre keeps a body that it cannot read; it is on no slip."""
    with laptop.app.app_context(), reading() as conn:
        device = log.own(conn)
    with office.app.app_context(), transaction() as conn:
        conn.exec_driver_sql(
            "INSERT INTO op (device, seq, stream, hlc, clock, actor, kind, v, subject, body, digest, hash, problem,"
            " dismissed, applied, received_at) VALUES (?, 1, 'org', '', '', ?, 'delivery.recorded', 1, ?, '{}', '', ?,"
            " '{\"type\": \"urn:aidvisit:problem:invalid-body\"}', 0, 1, '')",
            (device, device, uuid7(), HEAD),
        )
        assert slip(conn, device, 1) is not None


def test_the_command_says_the_code_and_the_pause(laptop: Pages, office: Pages, together: Link) -> None:
    deliver(laptop, 0)
    client.sync_once(together)
    preview.pause_pushing()
    with reading() as conn:
        state, code = log.state(conn), slip_of(conn, receipt.kept(conn)[0]).code
    said = records._status(state, Waiting())
    assert said["check_code"] == code
    assert said["paused_until"].endswith("+00:00")
    lines = "\n".join(records._status_lines(state, Waiting(), current_settings()))
    assert f"check code {code}" in lines
    assert "先停一停" in lines
    preview.resume_pushing()
    with reading() as conn:
        assert records._status(log.state(conn), Waiting())["paused_until"] is None

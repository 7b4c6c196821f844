"""Grants that change: a new town comes in with progress, one taken away leaves nothing of others and is told."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest

from aidvisit.services import preview
from aidvisit.store.database import reading, transaction
from aidvisit.store.ledger import Fact, record
from aidvisit.store.queries import holding
from sync import blobs, client, clock, freshness, log
from sync.link import Link
from sync.op import uuid7
from sync.problem import Problem
from tests.support.homes import TOWN
from tests.support.pages import DAY, Pages, words
from tests.support.visits import deliver, edit, line

OTHER = "441225101"
MANY = 12


@pytest.fixture
def together(laptop: Pages, office: Pages) -> Link:
    found = line(laptop, office)
    client.sync_once(found)
    return found


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PAGE", 5)


def grant(office: Pages, *divisions: str) -> None:
    """The laptop's team works in these from now on, and has no trip elsewhere."""
    with office.app.app_context(), transaction() as conn:
        row = conn.exec_driver_sql("SELECT team FROM field_device").first()
        team = row[0] if row else ""
        made = log.entries_of(conn, team)[-1]
        body = {"set": {"divisions": list(divisions)}, "base": {"divisions": [made.name]}}
        record(conn, log.own(conn), Fact("org", "team.updated", team, body))


def take_trip_back(office: Pages) -> None:
    with office.app.app_context(), transaction() as conn:
        trip, stream = conn.exec_driver_sql("SELECT id, stream FROM trip").one()
        record(conn, log.own(conn), Fact(stream, "trip.released", trip, {"devices": []}))


def settle(office: Pages, count: int = MANY) -> None:
    """So many households in another town."""
    with office.app.app_context(), transaction() as conn:
        facts = [
            Fact(OTHER, "household.registered", uuid7(),
                 {"kind": "household", "head": {"name": f"新户{n:02}"}, "division": OTHER + "201", "group": "一组",
                  "categories": []})
            for n in range(count)
        ]  # fmt: skip
        record(conn, log.own(conn), *facts)


class Cut:
    """A line that goes after so many answers to a pull."""

    def __init__(self, link: Link, answers: int) -> None:
        self.real, self.left = link.transport, answers
        link.transport = self

    def call(self, name: str, document: dict[str, Any], token: str | None) -> Any:
        if self.left == 0:
            raise Problem("server-unreachable", url="x")
        self.left -= 1
        return self.real.call(name, document, token)


def fresh(laptop: Pages, stream: str) -> freshness.Fresh | None:
    with laptop.app.app_context(), reading() as conn:
        return next((one for one in freshness.streams(conn) if one.stream == stream), None)


def test_a_new_town_comes_in_page_by_page_and_can_be_used_meanwhile(
    laptop: Pages, office: Pages, together: Link, small_pages: None
) -> None:
    settle(office)
    grant(office, TOWN, OTHER)
    real = together.transport
    Cut(together, 2)
    with pytest.raises(Problem):
        client.sync_once(together)
    part = fresh(laptop, OTHER)
    assert part is not None
    assert (part.head, part.as_of) == (MANY, None)
    assert 0 < part.n < MANY

    laptop.sign_in()
    told = f"正在接收 {name_of(laptop)} {part.n} / {MANY}"
    for page in ("/sync/chip", "/sync", "/sync/live"):
        assert told in words(laptop.get(page)), page
        assert f'<progress value="{part.n}" max="{MANY}"' in laptop.get(page).text
    found = laptop.post("/search", {"q": "新户00", "part": "1"})
    assert "找到 1 户" in words(found)
    assert told in words(found)
    missing = laptop.post("/search", {"q": f"新户{MANY - 1}", "part": "1"})
    assert "没找到的可能还没到" in words(missing)

    together.transport = real
    client.sync_once(together)
    whole = fresh(laptop, OTHER)
    assert whole is not None
    assert (whole.n, whole.head, whole.coming) == (MANY, None, False)
    assert whole.as_of is not None
    assert "正在接收" not in words(laptop.get("/sync/chip"))
    assert "找到 1 户" in words(laptop.post("/search", {"q": f"新户{MANY - 1}", "part": "1"}))


def name_of(laptop: Pages) -> str:
    with laptop.app.app_context(), reading() as conn:
        return holding.names(conn, [OTHER]).get(OTHER, OTHER)


def test_a_page_that_fails_half_way_leaves_nothing_of_itself_and_the_next_try_goes_on(
    laptop: Pages, office: Pages, together: Link, small_pages: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(office)
    grant(office, TOWN, OTHER)
    line_itself = together.transport
    Cut(together, 2)
    with pytest.raises(Problem):
        client.sync_once(together)
    before, held = fresh(laptop, OTHER), laptop.ops()
    together.transport = line_itself

    def fail(*_: Any) -> None:
        raise OSError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(freshness, "take", fail)
        with pytest.raises(OSError, match="power cut"):
            client.sync_once(together)
    assert (fresh(laptop, OTHER), laptop.ops()) == (before, held)
    assert client.sync_once(together).pulled == MANY - (before.n if before else 0)


def test_a_town_taken_away_leaves_nothing_of_others_and_what_waited_is_kept_and_told(
    laptop: Pages, office: Pages, together: Link
) -> None:
    drawing = b"<svg xmlns='http://www.w3.org/2000/svg'/>"
    theirs = sign(office, laptop.households()[2].id, drawing)
    client.sync_once(together)
    with laptop.app.app_context(), transaction() as conn:
        blobs.put(conn, sha256(drawing).hexdigest(), "image/svg+xml", drawing, sent=len(drawing))
        (op,) = [one.op for one in log.entries_of(conn, theirs)]
    deliver(laptop, 0)
    edit(laptop, laptop.households()[1].id, "13900000002")
    take_trip_back(office)
    grant(office, OTHER)
    together.before_push = lambda: _look(laptop)
    pause(laptop, True)
    client.sync_once(together)
    with laptop.app.app_context(), reading() as conn:
        counted = "SELECT count(*) FROM op WHERE stream = ? AND device <> ?"
        assert conn.exec_driver_sql(counted, (TOWN, log.own(conn))).scalar_one() == 0
        assert log.find(conn, op.device, op.seq) is None
        assert blobs.get(conn, sha256(drawing).hexdigest()) is None
        for table in ("household", "delivery"):
            assert conn.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() == 0
        state = log.state(conn)
    assert (gone(laptop).unsent, gone(laptop).held, state.waiting) == (2, 0, 2)

    laptop.sign_in()
    for page in ("/", "/sync"):
        said = words(laptop.get(page))
        assert f"{gone(laptop).stream.name} 已不归这台笔记本" in said, page
        assert "其中 2 条还没有上报" in said, page
    before = words(laptop.get("/sync"))
    assert "中心会先收存,待核" in before
    assert "大米 2 袋、慰问金 300.50 元 · 2020-12-30:中心会" in before, "which delivery, though its household is gone"

    pause(laptop, False)
    assert client.sync_once(together).pushed >= 2
    assert (gone(laptop).unsent, gone(laptop).held) == (0, 2)
    held = words(laptop.get("/sync"))
    assert "其中 2 条中心已收存,待核" in held
    for page in (before, held):
        assert ("户主电话" in page, "head.phone" in page) == (True, False), "fields have the names that people know"

    grant(office, TOWN, OTHER)
    client.sync_once(together)
    with laptop.app.app_context(), reading() as conn:
        assert TOWN not in freshness.gone(conn)
        own = conn.exec_driver_sql("SELECT count(*) FROM delivery WHERE device = ?", (log.own(conn),)).scalar_one()
    assert own == 1, "it is back with the grant"


def gone(laptop: Pages) -> holding.Gone:
    with laptop.app.app_context(), reading() as conn:
        (found,) = [one for one in holding.gone(conn, log.state(conn), clock.wall()) if one.stream.stream == TOWN]
    return found


def sign(office: Pages, household: str, drawing: bytes) -> str:
    """Another team's delivery with a signature; its id."""
    with office.app.app_context(), transaction() as conn:
        proof = {"as": "signature", "sha256": sha256(drawing).hexdigest(), "bytes": len(drawing),
                 "media_type": "image/svg+xml"}  # fmt: skip
        body = {"household": household, "date": DAY, "lines": [{"item": "rice", "quantity": 1}],
                "received_by": {"as": "head", "name": "某某"}, "proofs": [proof]}  # fmt: skip
        return record(conn, log.own(conn), Fact(TOWN, "delivery.recorded", uuid7(), body))[0].op.subject


def pause(laptop: Pages, paused: bool) -> None:
    with laptop.app.app_context():
        (preview.pause_pushing if paused else preview.resume_pushing)()


def _look(laptop: Pages) -> None:
    with laptop.app.app_context():
        preview.look()


def test_every_page_of_a_laptop_says_as_of_when_and_the_centre_does_not(
    laptop: Pages, office: Pages, together: Link
) -> None:
    household = laptop.households()[0].id
    with laptop.app.app_context(), transaction() as conn:
        conn.exec_driver_sql("UPDATE cursor SET as_of = '2020-12-30T01:02:03+00:00' WHERE stream = ?", (TOWN,))
        conn.exec_driver_sql("UPDATE cursor SET as_of = '2020-12-30T05:00:00+00:00' WHERE stream <> ?", (TOWN,))
    laptop.sign_in()
    office.sign_in("admin")
    for page in (f"/households/{household}", "/", "/sync"):
        assert "截至 2020-12-30 09:02" in words(laptop.get(page)), page
    assert "所知截至 2020-12-30 09:02" in words(laptop.post("/search", {"q": "三"}))
    assert "所知截至" not in words(office.get(f"/households/{household}"))
    with laptop.app.app_context(), transaction() as conn:
        conn.exec_driver_sql("UPDATE cursor SET as_of = NULL WHERE stream = ?", (TOWN,))
    assert "还没有收全" in words(laptop.get(f"/households/{household}"))
    with laptop.app.app_context(), transaction() as conn:
        conn.exec_driver_sql("DELETE FROM cursor WHERE stream <> 'org'")
    assert "没有分到地区" in words(laptop.post("/search", {"q": "三"})), "nothing is on its way"


@pytest.mark.parametrize("said", [None, "yesterday", 7, "2020-12-30T01:02:03"])
def test_a_time_that_is_none_is_the_laptops_own(laptop: Pages, said: Any) -> None:
    now = datetime(2020, 12, 30, 4, tzinfo=UTC)
    answer = {"cursors": {TOWN: 3}, "more": False, "server_time": said}
    with laptop.app.app_context(), transaction() as conn:
        freshness.take(conn, answer, now)
        assert freshness.streams(conn) == [freshness.Fresh(TOWN, 3, None, now.isoformat())]


def test_a_server_that_does_not_tell_heads_is_at_the_end_when_it_says_so(laptop: Pages) -> None:
    early, late = "2020-12-30T01:00:00+00:00", "2020-12-30T02:00:00+00:00"
    now = datetime(2020, 12, 30, 4, tzinfo=UTC)
    with laptop.app.app_context(), transaction() as conn:
        freshness.take(conn, {"cursors": {TOWN: 3}, "more": False, "server_time": early}, now)
        freshness.take(conn, {"cursors": {TOWN: 4, OTHER: 5}, "more": True, "server_time": late}, now)
        assert [(one.stream, one.as_of) for one in freshness.streams(conn)] == [(OTHER, None), (TOWN, early)]
        freshness.take(conn, {"cursors": {TOWN: 4, OTHER: 9}, "more": False, "server_time": late}, now)
        assert [one.as_of for one in freshness.streams(conn)] == [late, late]


def test_the_switch_for_text_only(laptop: Pages) -> None:
    laptop.sign_in()
    assert laptop.post("/sync/text-only", {"text_only": "yes"}).status_code == 303
    assert "照片和签名也报" in words(laptop.get("/sync"))
    laptop.post("/sync/text-only", {"text_only": "no"})
    assert "只报文字" in words(laptop.get("/sync"))


def test_what_went_long_ago_and_holds_nothing_is_told_no_more(laptop: Pages) -> None:
    with laptop.app.app_context(), transaction() as conn:
        log.remember(conn, withdrawn=[OTHER], gone={OTHER: clock.wall().isoformat()})
        state, now = log.state(conn), clock.wall()
        assert [one.stream.stream for one in holding.gone(conn, state, now)] == [OTHER]
        assert holding.gone(conn, state, now + holding.TOLD) == []

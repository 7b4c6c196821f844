"""Before pushing the team is told what will be a duplicate, a conflict, or held for review; pausing holds it back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from aidvisit.services import preview
from aidvisit.services.sync import own_device
from aidvisit.store.database import reading, transaction
from aidvisit.store.ledger import Fact, record
from aidvisit.store.queries import unsent
from sync import client, clock, log, pause
from sync.link import Link
from sync.op import uuid7
from tests.support.pages import Pages, words
from tests.support.visits import deliver, edit, give, line, stream, void


@pytest.fixture
def together(laptop: Pages, office: Pages) -> Link:
    found = line(laptop, office)
    client.sync_once(found)
    found.before_push = lambda: look(laptop)
    return found


def look(laptop: Pages) -> None:
    with laptop.app.app_context():
        preview.look()


def shown(laptop: Pages) -> list[preview.Notice]:
    with laptop.app.app_context(), reading() as conn:
        return preview.notices(conn)


def test_a_duplicate_is_told_before_the_push_and_pushed_all_the_same(
    laptop: Pages, office: Pages, together: Link
) -> None:
    household = laptop.households()[0].id
    theirs = give(office, household)
    seen: list[int] = []

    def look_and_tell() -> None:
        look(laptop)
        seen.append(len(shown(laptop)))

    together.before_push = look_and_tell
    ours = deliver(laptop, 0)
    client.sync_once(together)
    assert seen == [1]
    (notice,) = shown(laptop)
    assert (notice.rule, notice.subject, notice.household, notice.sent) == ("duplicate", ours, household, True)
    assert notice.other is not None
    assert notice.other.delivery == theirs
    laptop.sign_in()
    for page in ("/", "/sync"):
        assert "疑似重复" in words(laptop.get(page))
        assert f"/households/{household}" in laptop.get(page).text
    with office.app.app_context(), reading() as conn:
        assert log.find(conn, own_device_of(laptop), 1) is not None, "it was pushed"


def own_device_of(pages: Pages) -> str:
    with pages.app.app_context():
        return own_device()


def test_what_was_known_when_it_was_recorded_is_no_news(laptop: Pages, office: Pages, together: Link) -> None:
    """The form asked for a reason then, and got one."""
    give(office, laptop.households()[0].id)
    client.sync_once(together)
    deliver(laptop, 0)
    client.sync_once(together)
    assert shown(laptop) == []


def test_a_notice_goes_when_what_it_tells_of_is_no_more(laptop: Pages, office: Pages, together: Link) -> None:
    theirs = give(office, laptop.households()[0].id)
    deliver(laptop, 0)
    client.sync_once(together)
    assert len(shown(laptop)) == 1
    void(office, theirs)
    client.sync_once(together)
    assert shown(laptop) == []


def test_a_notice_lasts_as_long_as_a_team_remembers(
    laptop: Pages, office: Pages, together: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(office, laptop.households()[0].id)
    deliver(laptop, 0)
    client.sync_once(together)
    deliver(laptop, 1)
    client.sync_once(together)
    assert len(shown(laptop)) == 1, "the next push does not wipe it out"
    later = clock.wall() + preview.REMEMBERED
    monkeypatch.setattr(clock, "wall", lambda: later)
    assert shown(laptop) == []


def test_a_conflict_is_told(laptop: Pages, office: Pages, together: Link) -> None:
    household = laptop.households()[1].id
    edit(office, household, "13800000001")
    edit(laptop, household, "13900000002")
    client.sync_once(together)
    (notice,) = shown(laptop)
    assert (notice.rule, notice.path, notice.household) == ("conflict", "head.phone", household)
    laptop.sign_in()
    assert "修改冲突,别处也改了 户主电话" in words(laptop.get("/sync"))
    edit_again = [one.name for one in _edits(laptop, household)]
    with laptop.app.app_context(), transaction() as conn:
        body = {"set": {"head.phone": "13900000002"}, "base": {"head.phone": edit_again}, "reason": "问过了"}
        record(conn, log.own(conn), Fact(stream(conn), "household.updated", household, body))
    assert shown(laptop) == [], "settled"


def _edits(pages: Pages, household: str) -> list[log.Entry]:
    with pages.app.app_context(), reading() as conn:
        return log.entries_of(conn, household, {"household.updated"})


def test_what_will_be_held_is_told_with_its_reason_and_what_to_do(laptop: Pages, together: Link) -> None:
    with laptop.app.app_context(), transaction() as conn:
        other = "441226101"
        body = {"kind": "household", "head": {"name": "外镇人"}, "division": other + "201", "group": "一组",
                "categories": []}  # fmt: skip
        record(conn, log.own(conn), Fact(other, "household.registered", uuid7(), body))
    with laptop.app.app_context(), reading() as conn:
        (found,) = unsent.expected(conn, log.state(conn))
        assert found.problem is not None
        assert found.problem["type"].endswith(":not-granted")
    look(laptop)
    laptop.sign_in()
    for page in ("/", "/sync"):
        assert "中心会先收存,待核" in words(laptop.get(page))
    assert "请管理员把这个地方分给本队" in words(laptop.get("/sync"))
    client.sync_once(together)
    assert shown(laptop) == [], "the centre's own answer takes its place"
    with laptop.app.app_context(), reading() as conn:
        (held,) = log.quarantined(conn)
        assert held.problem is not None
        assert held.problem["type"] == found.problem["type"]


def test_without_unsent_records_nothing_is_looked_up(
    laptop: Pages, together: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    real = unsent.expected
    monkeypatch.setattr(unsent, "expected", lambda conn, state: asked.append(1) or real(conn, state))
    client.sync_once(together)
    assert asked == []
    deliver(laptop, 0)
    look(laptop)
    look(laptop)
    assert asked == [1], "nothing has changed in between"


def test_a_preview_that_fails_keeps_nothing_from_being_sent(
    laptop: Pages, together: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("a bug")

    deliver(laptop, 0)
    monkeypatch.setattr(unsent, "expected", fail)
    assert client.sync_once(together).pushed > 0


def test_a_pause_keeps_records_here_says_so_and_goes_on(laptop: Pages, office: Pages, together: Link) -> None:
    laptop.sign_in()
    assert client.sync_once(together).pushed > 0
    deliver(laptop, 0)
    assert laptop.post("/sync/pause", {"paused": "yes"}).status_code == 303
    give(office, laptop.households()[3].id)
    done = client.sync_once(together)
    assert (done.pushed, done.pulled) == (0, 1), "it goes on receiving"
    with laptop.app.app_context(), reading() as conn:
        assert log.state(conn).waiting == 1
    assert "先停一停,不上报 · 1 条待上报" in words(laptop.get("/sync/chip"))
    assert "继续上报" in words(laptop.get("/sync"))
    laptop.post("/sync/pause", {"paused": "no"})
    assert client.sync_once(together).pushed == 1
    assert "先停一停,不上报" not in words(laptop.get("/sync/chip"))


def test_a_pause_is_said_beside_what_needs_attention(laptop: Pages, together: Link) -> None:
    laptop.sign_in()
    client.sync_once(together)
    deliver(laptop, 0)
    with laptop.app.app_context(), transaction() as conn:
        conn.exec_driver_sql("UPDATE op SET problem = '{}' WHERE seq = 1 AND hash IS NOT NULL")
    laptop.post("/sync/pause", {"paused": "yes"})
    assert "先停一停" in words(laptop.get("/sync/chip"))


@pytest.mark.parametrize("hours", [25, -1])
def test_a_pause_ends_by_itself_also_when_the_clock_jumps(
    laptop: Pages, together: Link, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    deliver(laptop, 0)
    with laptop.app.app_context():
        preview.pause_pushing()
    assert client.sync_once(together).pushed == 0
    later = clock.wall() + timedelta(hours=hours)
    together.now = lambda: later
    assert client.sync_once(together).pushed > 0
    with laptop.app.app_context(), reading() as conn:
        assert log.recall(conn, "paused") is None
        assert pause.until(None, later) is None


def test_only_yes_and_no_are_answers(laptop: Pages) -> None:
    laptop.sign_in()
    assert laptop.post("/sync/pause", {"paused": "perhaps"}).status_code == 422

"""Before a trip: every line says what is there, each can be missing, and the big word counts them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa

from aidvisit.services import stock, sync
from aidvisit.services import trip as trips
from aidvisit.services.vault import vault
from aidvisit.store.database import transaction
from aidvisit.store.queries.account import user_by_login
from aidvisit.store.tables import Household, Release
from sync import clock, log
from tests.support.pages import DAY, Pages, words

LINES = ("list", "villages", "items", "goods", "people", "keys", "version", "clock", "disk", "photos", "unsent")
GB = 1024**3


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture
def luo(laptop: Pages, monkeypatch: pytest.MonkeyPatch) -> Pages:
    """The laptop with its leader signed in, everything sent, and room on its disk."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100 * GB, 50 * GB, 50 * GB))
    laptop.sign_in()
    return laptop


def missing(luo: Pages) -> dict[str, str]:
    """What the page says is missing, and why."""
    page = luo.get("/ready")
    assert page.status_code == 200
    assert set(re.findall(r'data-line="(\w+)"', page.text)) == set(LINES), "every line, there or not"
    found = dict(re.findall(r'data-line="(\w+)" data-lacks="(\w+)"', page.text))
    said = words(page)
    assert (f"还缺 {len(found)} 项" in said) == bool(found)
    assert ("可以出发" in said) == (not found)
    assert len(re.findall(r'class="check__do">\s*\S', page.text)) == len(found), "each with what to do about it"
    return found


def trip_of(luo: Pages) -> str:
    with luo.app.app_context(), transaction() as conn:
        return str(conn.exec_driver_sql("SELECT id FROM trip").scalar_one())


def team_of(luo: Pages) -> str:
    with luo.app.app_context(), transaction() as conn:
        found = user_by_login(conn, "luo")
    assert found is not None
    return found.team


def remember(luo: Pages, **values: Any) -> None:
    with luo.app.app_context(), transaction() as conn:
        log.remember(conn, **values)


def recorded(luo: Pages, work: Callable[[str, str], Any]) -> None:
    """Something that the leader recorded on the trip, and that is sent already."""
    trip = trip_of(luo)
    with luo.app.app_context():
        with transaction() as conn:
            found = user_by_login(conn, "luo")
        assert found is not None
        work(found.id, trip)


def test_all_is_there_but_what_waits_is_not_told_as_sent(luo: Pages) -> None:
    assert missing(luo) == {}
    page = words(luo.get("/ready"))
    assert "34 户要发" in page
    assert "民强村 34 户" in page
    assert "大米、食用油、坚果" in page
    assert "罗春和" in page
    assert "陈离队" not in page, "who left"
    assert "还剩 53.7 GB" in page


def test_it_is_linked_from_where_one_looks_before_leaving(luo: Pages) -> None:
    for path in ("/", "/sync", f"/trips/{trip_of(luo)}/plan"):
        assert 'href="/ready' in luo.get(path).text, path


def test_of_a_chosen_trip(luo: Pages) -> None:
    other, team = "01890000-0000-7000-8000-00000000abcd", team_of(luo)
    days = {"starts": "2020-11-01", "ends": "2020-11-01"}
    recorded(luo, lambda actor, _: trips.plan(
        actor=actor, trip=other, title="四月慰问", team=team, divisions=["441225112208"], **days,
    ))  # fmt: skip
    page = luo.get(f"/ready?trip={other}")
    assert "四月慰问" in words(page)
    assert dict(re.findall(r'data-line="(\w+)" data-lacks="(\w+)"', page.text)) == {
        "list": "none", "villages": "empty", "items": "none", "goods": "none", "unsent": "waits",
    }  # fmt: skip
    assert "34 户要发" in words(luo.get("/ready")), "else the one that Today shows"


def test_of_a_trip_that_is_not_here(luo: Pages) -> None:
    assert luo.get("/ready?trip=x").status_code == 404


def test_without_a_trip(luo: Pages) -> None:
    with luo.app.app_context(), transaction() as conn:
        conn.exec_driver_sql("DELETE FROM trip")
    assert "还缺走访任务" in words(luo.get("/ready"))


def test_a_list_that_is_old(luo: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    later = clock.wall() + timedelta(hours=25)
    monkeypatch.setattr(clock, "wall", lambda: later)
    luo.sign_in()
    assert missing(luo)["list"] == "old"


def test_a_list_that_is_still_coming_in(luo: Pages) -> None:
    with luo.app.app_context(), transaction() as conn:
        conn.exec_driver_sql("UPDATE cursor SET head = n + 5, as_of = NULL")
    assert missing(luo)["list"] == "coming"


def test_a_trip_that_is_another_laptops(luo: Pages) -> None:
    with luo.app.app_context(), transaction() as conn:
        conn.execute(sa.update(Release).values(device="another"))
    assert missing(luo) == {"list": "elsewhere"}


def test_a_village_of_which_nothing_is_here(luo: Pages) -> None:
    with luo.app.app_context(), transaction() as conn:
        conn.execute(sa.update(Household).values(closed_reason="moved"))
    assert missing(luo) == {"villages": "empty"}


def test_a_town_that_was_not_given_to_this_laptop(luo: Pages) -> None:
    with luo.app.app_context(), transaction() as conn:
        conn.exec_driver_sql("DELETE FROM cursor WHERE stream = '441225112'")
    assert missing(luo)["villages"] == "empty"


def test_an_item_that_no_catalogue_names(luo: Pages) -> None:
    with luo.app.app_context(), transaction() as conn:
        conn.exec_driver_sql("DELETE FROM item WHERE code = 'oil'")
    assert missing(luo)["items"] == "unnamed"


def test_goods_that_are_not_loaded_or_not_enough(luo: Pages) -> None:
    recorded(luo, lambda actor, trip: stock.return_(actor=actor, trip=trip, date=DAY, lines={"oil": 3}))
    assert missing(luo)["goods"] == "short"
    assert "食用油差" in words(luo.get("/ready"))


def test_somebody_who_cannot_sign_in_here(luo: Pages) -> None:
    with luo.app.app_context():
        vault().seal_to([])
    assert missing(luo) == {"people": "nobody"}


def test_a_laptop_without_encryption_or_with_trouble(luo: Pages) -> None:
    remember(luo, trouble={"name": "unauthorized", "type": "urn:aidvisit:problem:unauthorized", "status": 401})
    assert missing(luo) == {"keys": "trouble"}
    remember(luo, trouble=None, server=None)
    assert missing(luo) == {"keys": "enrolled"}


def test_another_version_at_the_centre(luo: Pages) -> None:
    remember(luo, centre_version="9.9.9")
    assert missing(luo) == {"version": "other"}
    assert f"本机是 {sync.VERSION},中心是 9.9.9" in words(luo.get("/ready"))
    remember(luo, centre_version=None, told_at=None)
    assert missing(luo) == {"version": "never"}


def test_a_clock_that_is_off_or_was_never_compared(luo: Pages) -> None:
    remember(luo, offset_ms=20 * 60_000)
    assert missing(luo) == {"clock": "off"}
    remember(luo, offset_ms=0, synced_at=None)
    assert missing(luo) == {"clock": "never"}


def test_a_disk_that_is_nearly_full(luo: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100 * GB, 99 * GB, GB // 2))
    assert missing(luo) == {"disk": "full", "photos": "full"}


def test_what_was_not_sent(luo: Pages) -> None:
    recorded(luo, lambda actor, trip: stock.load(actor=actor, trip=trip, date=DAY, lines={"oil": 1}))
    assert missing(luo) == {"unsent": "waits"}
    assert "还有 1 条记录" in words(luo.get("/ready"))


def test_who_only_looked_waits_for_nothing(luo: Pages) -> None:
    household = luo.households()[0].id
    luo.post(f"/households/{household}/reveal")
    assert missing(luo) == {}

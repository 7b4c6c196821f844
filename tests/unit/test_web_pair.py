"""The page of households that may be one: side by side, merged, told apart, taken back; many at once; on a laptop."""

from __future__ import annotations

import re
from typing import Any

import pytest

from aidvisit.services import household as households
from aidvisit.services import pair as service
from aidvisit.store import ledger
from aidvisit.store.database import reading
from aidvisit.store.queries import pair as queries
from aidvisit.store.tables import Household
from sync import log
from sync.op import uuid7
from tests.support.homes import VILLAGE
from tests.support.pages import Pages, words

NUMBERS = ("110105491231002", "11010519491231002X")
REASON = "问过本人"


@pytest.fixture(autouse=True)
def _never_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is."""
    monkeypatch.setattr(service, "QUICK_S", 60.0)


@pytest.fixture
def admin(office: Pages) -> Pages:
    office.sign_in("admin")
    return office


def register(pages: Pages, name: str = "覃新来", **more: Any) -> str:
    identity = uuid7()
    head = {"name": name, "id_number": NUMBERS[1]} | more
    more = {"categories": [{"code": "dibao"}], "members": [{"id": uuid7(), "name": identity, "born": "2012-03-04"}]}
    body = {"kind": "household", "head": head, "division": VILLAGE, "group": "九组", **more}
    with pages.app.app_context():
        with reading() as conn:
            own = log.own(conn)
        households.register(actor=own, household=identity, body=body)
    return identity


def settle(pages: Pages, one: str, other: str, decision: str = "merge", /, **more: str) -> Any:
    form = {"one": one, "other": other, "stays": one, "reason": REASON, "decision": decision}
    return pages.post("/duplicates", form | more)


def into(pages: Pages, household: str) -> str | None:
    with pages.app.app_context(), reading() as conn:
        query = Household.__table__.select().where(Household.id == household)
        found: str | None = conn.execute(query).one().into
    return found


def kinds(pages: Pages) -> list[str]:
    with pages.app.app_context(), reading() as conn:
        return [entry.op.kind for entry in log.iterate(conn)]


def sound(pages: Pages) -> bool:
    with pages.app.app_context(), reading() as conn:
        return ledger.verify(conn) == []


def test_a_pair_is_shown_side_by_side_and_merged_into_the_one_that_stays(admin: Pages) -> None:
    one, other = register(admin), register(admin, id_number=NUMBERS[0], phone="13812345678")
    page = words(admin.get("/duplicates"))
    assert "证件号码相同" in page
    assert "138****5678" in page
    assert NUMBERS[1] not in admin.get("/duplicates").text, "masked"
    assert settle(admin, one, other, stays=other).status_code == 303
    assert into(admin, one) == other
    shown = words(admin.get("/duplicates?done=merge"))
    assert "没有可能重复的户" in shown
    assert f"莫知远:{REASON}" in shown
    assert "并户" in words(admin.get("/audit"))
    stays = words(admin.get(f"/households/{other}"))
    assert "并入的户" in stays
    assert f"莫知远:{REASON}" in stays
    gone = words(admin.get(f"/households/{one}"))
    assert "这一户已并入另一户" in gone
    assert sound(admin)


def test_a_merge_is_undone_from_either_page(admin: Pages) -> None:
    one, other = register(admin), register(admin)
    for back in ("", "household"):
        settle(admin, one, other)
        answer = admin.post("/duplicates/undo", {"household": other, "reason": "并错了", "back": back})
        assert answer.status_code == 303
        assert answer.location.endswith(f"/households/{other}" if back else "done=undone")
        assert into(admin, other) is None
        assert "证件号码相同" in words(admin.get("/duplicates"))
    admin.post("/duplicates/undo", {"household": other, "reason": "并错了"})
    assert kinds(admin).count("household.unmerged") == 2, "what was not merged is left alone"
    assert sound(admin)


def test_two_that_are_two_are_not_shown_again_until_it_is_taken_back(admin: Pages) -> None:
    one, other = register(admin), register(admin)
    before = kinds(admin).count("access.recorded")
    for _ in range(2):  # a double click
        assert settle(admin, other, one, "different").status_code == 303
    assert "没有可能重复的户" in words(admin.get("/duplicates"))
    assert kinds(admin).count("access.recorded") == before + 1
    assert "认定是两户" in words(admin.get("/audit"))
    assert admin.post("/duplicates/undo", {"household": one, "other": other}).status_code == 303
    assert "证件号码相同" in words(admin.get("/duplicates"))


@pytest.mark.parametrize("wrong", [{"reason": ""}, {"stays": uuid7()}, {"decision": "perhaps"}, {"one": "x"}])
def test_a_form_that_is_not_right_changes_nothing_and_loses_nothing(admin: Pages, wrong: dict[str, str]) -> None:
    one, other = sorted([register(admin), register(admin)])
    answer = settle(admin, one, other, **wrong)
    assert answer.status_code == 422
    if wrong.keys() & {"stays"}:
        assert REASON in answer.text
    assert into(admin, one) is None
    assert into(admin, other) is None


def test_twice_merged_is_once(admin: Pages) -> None:
    one, other, third = register(admin), register(admin), register(admin)
    settle(admin, one, other)
    settle(admin, other, one, stays=other)
    assert kinds(admin).count("household.merged") == 1
    settle(admin, third, other)
    assert into(admin, one) == third, "who was merged speaks for what it is now"


def test_pages_follow_each_other_the_likeliest_first(admin: Pages) -> None:
    numbers = [register(admin, "户甲乙") for _ in range(5)]
    page = admin.get("/duplicates").text
    assert page.count("data-item") == 10
    (after,) = re.findall(r'rel="next" href="([^"]+)"', page) or [""]
    assert after == "" or "after=" in after
    register(admin, "户甲乙")
    page = admin.get("/duplicates").text
    (after,) = re.findall(r'rel="next" href="([^"]+)"', page)
    assert admin.get(after).text.count("data-item") == 5
    assert len(numbers) == 5


def test_many_at_once_each_by_a_fact_of_its_own_into_the_earliest(admin: Pages) -> None:
    first, second, third = register(admin), register(admin, id_number=NUMBERS[0]), register(admin)
    apart = register(admin, "覃新夕")
    page = admin.get("/duplicates/many").text
    chosen = re.findall(r'name="pair" value="([^"]+)" checked', page)
    assert set(chosen) == {f"{second}/{first}", f"{third}/{first}"}
    answer = admin.post("/duplicates/many", {"pair": [*chosen, f"{apart}/{first}"], "reason": REASON})
    assert answer.status_code == 303
    assert [into(admin, one) for one in (first, second, third, apart)] == [None, first, first, None]
    assert kinds(admin).count("household.merged") == 2
    assert "没有毫无疑问的" in words(admin.get("/duplicates/many"))
    assert admin.post("/duplicates/many", {"pair": chosen, "reason": ""}).status_code == 422
    assert admin.post("/duplicates/many", {"reason": REASON}).status_code == 422
    assert sound(admin)


def test_what_took_long_to_find_is_kept_but_not_what_was_said(admin: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = register(admin), register(admin)
    monkeypatch.setattr(service, "QUICK_S", 0.0)
    assert admin.get("/duplicates").text.count("data-item") == 1
    monkeypatch.setattr(queries, "_suspects", lambda *_: pytest.fail("asked again"))
    settle(admin, one, other, "different")
    assert admin.get("/duplicates").text.count("data-item") == 0
    admin.post("/duplicates/undo", {"household": one, "other": other})
    assert admin.get("/duplicates").text.count("data-item") == 1
    settle(admin, one, other)
    assert admin.get("/duplicates").text.count("data-item") == 0


@pytest.mark.parametrize("decision", ["merge", "different"])
def test_what_was_kept_meanwhile_does_not_hide_what_is_taken_back(
    admin: Pages, monkeypatch: pytest.MonkeyPatch, decision: str
) -> None:
    one, other = register(admin), register(admin)
    monkeypatch.setattr(service, "QUICK_S", 0.0)
    monkeypatch.setattr(service, "KEPT", 10**9)
    settle(admin, one, other, decision)
    assert admin.get("/duplicates").text.count("data-item") == 0
    undone = {"household": one, "other": other} if decision == "different" else {"household": other, "reason": REASON}
    admin.post("/duplicates/undo", undone)
    assert admin.get("/duplicates").text.count("data-item") == 1


def test_a_leader_merges_on_a_laptop(laptop: Pages) -> None:
    laptop.sign_in()
    one, other = register(laptop), register(laptop)
    assert settle(laptop, one, other).status_code == 303
    assert into(laptop, other) == one
    assert "并入的户" in words(laptop.get(f"/households/{one}"))
    assert sound(laptop)


def test_two_that_nobody_found_alike_are_found_by_search_compared_and_merged(admin: Pages) -> None:
    one = register(admin, "覃新来")
    other = register(admin, "陆认得", id_number="", phone="13812345678")
    assert f"/duplicates/of/{one}" in admin.get(f"/households/{one}").text
    assert "没有可能重复的户" in words(admin.get("/duplicates"))
    found = admin.post(f"/duplicates/of/{one}", {"q": "陆认得"}).text
    assert f"/duplicates/of/{one}/{other}" in found
    assert f"/duplicates/of/{one}/{one}" not in admin.post(f"/duplicates/of/{one}", {"q": "覃新来"}).text, "not itself"
    shown = words(admin.get(f"/duplicates/of/{one}/{other}"))
    assert all(word in shown for word in ("覃新来", "陆认得", "138****5678", "留这一户"))
    refused = settle(admin, one, other, chosen="yes", reason="")
    assert refused.status_code == 422
    assert "陆认得" in words(refused), "still these two"
    assert settle(admin, one, other, chosen="yes").status_code == 303
    assert into(admin, other) == one
    assert admin.get(f"/duplicates/of/{one}/{other}").status_code == 303, "they are one now"
    assert settle(admin, one, one, chosen="yes").status_code == 303
    assert sound(admin)


@pytest.mark.parametrize("path", ["nowhere", "nowhere/nowhere", "0192f3a0-0000-7000-8000-00000000dead"])
def test_what_is_no_household_is_compared_with_nothing(admin: Pages, path: str) -> None:
    assert admin.get(f"/duplicates/of/{path}").status_code == 404

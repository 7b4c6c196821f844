"""Who comes to the truck without being on the list: from the search to the form, registered on the spot if need be."""

from __future__ import annotations

import re
from typing import Any

import pytest

from aidvisit.store.database import reading, transaction
from aidvisit.store.queries.trip import today
from sync import log
from tests.support.forms import filled, register, send
from tests.support.homes import VILLAGE
from tests.support.pages import Pages, typed, words

SIGNED = "M10 20L30 40 50 60"


@pytest.fixture
def luo(laptop: Pages) -> Pages:
    """The laptop with its leader signed in."""
    laptop.sign_in()
    return laptop


def trip(luo: Pages) -> Any:
    with luo.app.app_context(), reading() as conn:
        return today(conn, conn.exec_driver_sql("SELECT id FROM trip").scalar_one())


def last(luo: Pages, kind: str) -> dict[str, Any]:
    with luo.app.app_context(), reading() as conn:
        return [entry.op.body for entry in log.iterate(conn) if entry.op.kind == kind][-1]


def test_who_is_not_on_the_list_gets_from_the_truck_with_a_reason(luo: Pages) -> None:
    """From what the search found straight to the form; the warning and the place for the reason are there at once."""
    household = register(luo)
    found = luo.post("/search", {"q": "谭新来", "part": "1"})
    (path,) = re.findall(rf'href="(/households/{household}/deliver)"', found.text)
    page = luo.get(path)
    assert "这一户不在这次的发放名单上" in words(page)
    assert "已按发放方案填好" not in words(page)
    before = next(line.on_truck for line in trip(luo).truck if line.item == "rice")

    fields = typed(page) | {"signature": SIGNED, "quantity.rice": "1"}
    assert fields["trip"] == trip(luo).trip.id
    refused = luo.post(path, fields)
    assert refused.status_code == 422
    assert "请写明理由" in words(refused)
    again = typed(refused) | {"reason.outside-allocation": "家里断粮,村委请求先给"}
    assert luo.post(path, again).status_code == 303

    body = last(luo, "delivery.recorded")
    assert body["trip"] == trip(luo).trip.id
    assert body["overrides"] == [{"rule": "outside-allocation", "reason": "家里断粮,村委请求先给"}]
    assert next(line.on_truck for line in trip(luo).truck if line.item == "rice") == before - 1
    assert trip(luo).households[-1].id == household, "walk-ins come last on the list"


def test_a_reason_is_kept_when_something_else_is_wrong(luo: Pages) -> None:
    household = register(luo)
    path = f"/households/{household}/deliver"
    fields = typed(luo.get(path)) | {"quantity.rice": "1", "reason.outside-allocation": "断粮", "reason.date": "补录"}
    answer = luo.post(path, fields)
    assert "请签名" in words(answer)
    kept = typed(answer)
    assert (kept["reason.outside-allocation"], kept["reason.date"]) == ("断粮", "补录")
    assert luo.post(path, kept | {"signature": SIGNED}).status_code == 303


def test_a_closed_trip_is_nobodys_truck(luo: Pages) -> None:
    household = register(luo)
    with luo.app.app_context(), transaction() as conn:
        conn.exec_driver_sql("UPDATE trip SET status = 'closed'")
    page = luo.get(f"/households/{household}/deliver")
    assert typed(page)["trip"] == ""
    assert "不在这次的发放名单上" not in words(page)


def test_registered_on_the_spot_and_served_in_nine_actions(luo: Pages) -> None:
    """Name, button, group, how many, save; goods, reason, signature, save: at 5 s each that is under a minute."""
    actions = ["type the name into the search box of Today"]
    found = luo.post("/search", {"q": "谭树根", "part": "1"})
    assert "没有找到" in words(found)

    actions.append("press 当场登记")
    begun = luo.post("/households/new", dict(_form(found.text)) | {"do": "begin"})
    assert begun.status_code == 200
    form = filled(begun)
    assert (form["head.name"], form["division"], form["then"]) == ("谭树根", VILLAGE, "deliver")
    shown = set(re.findall(r'<(?:input|select)[^>]* id="([^"]+)"', begun.text)) - {"checked"}
    assert {"head-name", "group", "size", "head-id_number", "head-phone"} <= shown
    assert not any(name.startswith(("note", "lat", "categories", "head-born")) for name in shown), "no more than that"

    actions += ["type the group", "type how many persons", "save"]
    saved = send(luo, "/households/new", form, group="三组", size="4")
    assert saved.status_code == 303
    path = saved.location
    assert path.endswith("/deliver"), "straight to the form"
    page = luo.get(path)
    assert "谭树根" in words(page)

    actions += ["goods: +", "type the reason", "sign", "save"]
    fields = typed(page) | {"quantity.rice": "1", "reason.outside-allocation": "漏报,村委证明", "signature": SIGNED}
    assert luo.post(path, fields).status_code == 303
    assert len(actions) == 9
    body = last(luo, "household.registered")
    assert (body["head"], body["group"], body["size"]) == ({"name": "谭树根"}, "三组", 4)


def test_what_was_searched_for_by_pinyin_is_no_name(luo: Pages) -> None:
    begun = luo.post("/households/new", {"then": "deliver", "head.name": "tsg", "do": "begin"})
    assert filled(begun)["head.name"] == ""


def _form(page: str) -> list[tuple[str, str]]:
    """The hidden fields of the form that begins a registration."""
    (form,) = re.findall(r'<form method="post" action="/households/new".*?</form>', page, re.S)
    return re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form)


def test_whoever_may_be_known_already_is_shown_and_one_click_from_the_form(luo: Pages) -> None:
    known = luo.households()[0]
    form = filled(luo.get("/households/new?then=deliver"))
    answer = send(luo, "/households/new", form, head__name=known.name, group=known.group, size="3", head__phone="138")
    assert answer.status_code == 422
    assert "可能已经登记过" in words(answer)
    assert f'href="/households/{known.id}/deliver"' in answer.text
    kept = filled(answer)
    assert (kept["head.name"], kept["group"], kept["size"]) == (known.name, known.group, "3")
    assert kept["then"] == "deliver"


def test_what_was_typed_is_kept_as_a_draft_and_still_leads_to_the_form(luo: Pages) -> None:
    form = filled(luo.get("/households/new?then=deliver"))
    send(luo, "/households/new", form.copy(), head__name="谭树根", size="4", do="draft")
    back = filled(luo.get("/households/new?draft=1"))
    assert (back["head.name"], back["size"], back["then"]) == ("谭树根", "4", "deliver")
    back["do"] = "save"
    assert send(luo, "/households/new", back).location.endswith("/deliver")


def test_the_office_has_no_truck(office: Pages) -> None:
    office.sign_in("office")
    page = office.get("/households/new?then=deliver")
    assert "当场登记" not in words(page)
    assert "当场登记" not in words(office.post("/search", {"q": "谭树根", "part": "1"}))

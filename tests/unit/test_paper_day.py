"""Paper day: a trip's signed sheets become deliveries and visits, each once, all of them or none."""

from __future__ import annotations

import base64
from hashlib import sha256
from typing import Any

import pytest

from aidvisit.domain.numbers import numbers, spans
from aidvisit.domain.photo import cleaned
from aidvisit.services.paper_day import delivery_of
from aidvisit.store import ledger
from aidvisit.store.database import reading
from aidvisit.store.queries.roster import SHEET_ROWS, RosterRow, roster
from sync import log
from sync.op import uuid7
from tests.property.test_domain_photo import jpeg
from tests.support.pages import DAY, Pages, typed, words

PHOTO = jpeg(6, [])
CLEAN = cleaned(PHOTO)[1]
SENT = base64.b64encode(PHOTO).decode()
YES = "yes"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []), ("3", [3]), ("1-3", [1, 2, 3]), (" 1 - 3、 7,5 ", [1, 2, 3, 5, 7]), ("1至2;2", [1, 2]),
        ("3-1", None), ("0", None), ("x", None), ("1-", None), ("12345", None),
    ],
)  # fmt: skip
def test_numbers_as_people_write_them(text: str, found: list[int] | None) -> None:
    assert numbers(text) == found
    if found:
        assert numbers(spans(found)) == found


def test_numbers_are_written_short() -> None:
    assert spans([1, 2, 3, 7, 5, 6]) == "1-3, 5-7"
    assert spans([4]) == "4"
    assert spans([]) == ""


class Paper:
    """The page of the trip, as a browser holds it."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages
        with pages.app.app_context(), reading() as conn:
            self.trip = conn.exec_driver_sql("SELECT id FROM trip").scalar_one()
        self.path = f"/trips/{self.trip}/paper-day"

    def rows(self) -> list[RosterRow]:
        with self.pages.app.app_context(), reading() as conn:
            return roster(conn, self.trip)

    def form(self, *take: int, photos: bool = True, **changes: Any) -> dict[str, Any]:
        """The form with the rows of these numbers ticked, each sheet with its photo."""
        fields: dict[str, Any] = typed(self.pages.get(self.path))
        fields = {name: value for name, value in fields.items() if not name.startswith("photo.")}
        listed = {row.number: row.stop.household for row in self.rows()}
        if photos:
            fields |= {name: SENT for name in fields if name.startswith("photo_data.")}
        return fields | {f"take.{listed[number]}": YES for number in take} | changes

    def post(self, fields: dict[str, Any]) -> Any:
        return self.pages.post(self.path, fields)

    def bodies(self, kind: str = "delivery.recorded") -> list[dict[str, Any]]:
        with self.pages.app.app_context(), reading() as conn:
            return [entry.op.body for entry in log.iterate(conn) if entry.op.kind == kind]


@pytest.fixture
def paper(there: Pages) -> Paper:
    return Paper(there)


@pytest.fixture
def field(laptop: Pages) -> Paper:
    laptop.sign_in()
    return Paper(laptop)


def test_the_whole_list_as_planned(paper: Paper) -> None:
    listed = paper.rows()
    fields = paper.form(*(row.number for row in listed), witness_name="廖满仓")
    assert fields["rows.1"] == f"1-{SHEET_ROWS}"
    answer = paper.post(fields)
    assert answer.status_code == 303
    assert f"已保存 {len(listed)} 户" in words(paper.pages.get(answer.location))
    made = {body["household"]: body for body in paper.bodies()}
    assert len(made) == len(listed) == len(paper.bodies())
    for row in listed:
        body = made[row.stop.household]
        assert {line["item"]: line["quantity"] for line in body["lines"]} == row.stop.allotted
        assert (body["date"], body["received_by"]) == (DAY, {"as": "head", "name": row.stop.name})
        assert body["witness"] == {"name": "廖满仓"}
        assert len(body["handed_by"]) == 1
        assert body["proofs"] == [
            {"as": "paper", "page": row.sheet, "row": row.number, "sha256": sha256(CLEAN).hexdigest(),
             "bytes": len(CLEAN), "media_type": "image/jpeg"}
        ]  # fmt: skip
    with paper.pages.app.app_context(), reading() as conn:
        assert ledger.verify(conn) == []
    assert "这里的每一户都已经有记录了" in words(paper.pages.get(paper.path))


def test_sent_again_it_is_saved_once_and_others_are_added(paper: Paper) -> None:
    fields = paper.form(1, 2)
    before = paper.pages.ops()
    assert [paper.post(fields).status_code for _ in range(2)] == [303, 303]
    assert paper.pages.ops() == before + 2
    third = paper.rows()[2].stop.household
    assert paper.post(fields | {f"take.{third}": YES}).status_code == 303
    assert paper.pages.ops() == before + 3


def test_sent_again_with_something_else_it_is_refused(paper: Paper) -> None:
    fields = paper.form(1)
    paper.post(fields)
    household = paper.rows()[0].stop.household
    answer = paper.post(fields | {f"quantity.{household}.rice": "3", **reasons()})
    assert answer.status_code == 422
    assert "这一行已经保存过" in words(answer)
    assert len(paper.bodies()) == 1


def reasons() -> dict[str, str]:
    return {f"reason.{rule}": "核对过" for rule in ("over-allocation", "date", "over-stock", "repeat-interval")}


def test_who_was_served_meanwhile_is_not_served_again(paper: Paper) -> None:
    first, second = paper.form(1, 2), paper.form(1)
    paper.post(second)
    answer = paper.post(first)
    assert answer.status_code == 422
    assert "已经给这一户发过了" in words(answer)
    assert len(paper.bodies()) == 1


def test_exceptions_row_by_row(paper: Paper) -> None:
    listed = paper.rows()
    one, two, three, four = (row.stop.household for row in listed[:4])
    fields = paper.form(1, 2, 4) | {
        f"quantity.{one}.rice": "0", f"note.{one}": "少一袋",
        f"as.{two}": "proxy", f"name.{two}": "莫小满", f"relation.{two}": "邻居", f"id_last4.{two}": "123x",
        f"outcome.{three}": "in-hospital", f"note.{three}": "住县医院", f"outcome.{four}": "moved",
    }  # fmt: skip
    assert paper.post(fields).status_code == 303
    made = {body["household"]: body for body in paper.bodies()}
    assert set(made) == {one, two}
    assert "rice" not in {line["item"] for line in made[one]["lines"]}
    assert made[one]["note"] == "少一袋"
    assert made[two]["received_by"] == {"as": "proxy", "name": "莫小满", "relation": "邻居", "id_last4": "123x"}
    visits = {body["household"]: body for body in paper.bodies("visit.recorded")}
    assert {key: body["outcome"] for key, body in visits.items()} == {three: "in-hospital", four: "moved"}
    assert (visits[three]["note"], visits[three]["date"], visits[three]["trip"]) == ("住县医院", DAY, paper.trip)
    states = {row.stop.household: row.stop.state for row in paper.rows()}
    assert [states[each] for each in (one, two, three, four)] == ["done", "done", "away", "away"]
    again = words(paper.pages.get(paper.path))
    assert "住院" in again  # still offered: it is owed


def test_a_wrong_row_saves_none_and_keeps_all_that_was_typed(paper: Paper) -> None:
    listed = paper.rows()
    bad = listed[2].stop
    fields = paper.form(1, 2, 3, witness_name="廖满仓") | {
        f"as.{bad.household}": "proxy",
        f"name.{bad.household}": "莫小满",
        f"note.{bad.household}": "记号",
    }
    before = paper.pages.ops()
    answer = paper.post(fields)
    assert answer.status_code == 422
    page = words(answer)
    assert f"3 号 {bad.name} :请写明代领人与户主的关系" in page
    assert "有一行不对,就一行也不存" in page
    assert paper.pages.ops() == before
    again = typed(answer)
    kept = [name for name in fields if name in again and not name.startswith(("csrf", "next", "photo_data"))]
    assert {name: again[name] for name in kept} == {name: fields[name] for name in kept}
    assert again[f"take.{bad.household}"] == YES
    assert base64.b64decode(again["photo_data.1"]) == CLEAN
    assert f'id="as-{bad.household}"' in answer.text
    assert '<option value="proxy" selected>' in answer.text
    assert paper.post(fields | {f"relation.{bad.household}": "邻居"}).status_code == 303


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"date": "2020-12-29x"}, "真实的日期"),
        ({"date": "2999-01-01"}, "这一天还没有到"),
        ({"date": "2019-12-30"}, "请核对年月"),
        ({"rows.1": "2-9"}, "不在任何一张签领表上"),
        ({"rows.2": "1"}, "写在了两张表上"),
        ({"rows.1": "a"}, "请写序号"),
        ({"photo_data.1": ""}, "请拍这一张的照片"),
        ({"photo_data.1": "R0lGODlh"}, "JPEG"),
    ],
)
def test_what_cannot_be_is_refused(paper: Paper, change: dict[str, str], said: str) -> None:
    answer = paper.post(paper.form(1) | change)
    assert answer.status_code == 422
    assert said in words(answer)
    assert paper.bodies() == []


def test_nothing_ticked_and_what_was_typed_without_a_tick(paper: Paper) -> None:
    assert "还没有勾选哪一户" in words(paper.post(paper.form()))
    household = paper.rows()[1].stop.household
    answer = paper.post(paper.form(1) | {f"quantity.{household}.rice": "0"})
    assert "填了例外,但没有勾选" in words(answer)
    assert paper.bodies() == []


def test_a_sheet_without_a_photo_is_said_so(paper: Paper) -> None:
    assert paper.post(paper.form(1, photos=False, **{"excused.1": YES})).status_code == 303
    assert paper.bodies()[0]["proofs"] == [{"as": "paper", "page": 1, "row": 1}]


def test_a_day_beside_the_trip_needs_a_reason_once_for_all(paper: Paper) -> None:
    fields = paper.form(1, 2, date="2021-01-02")
    answer = paper.post(fields)
    assert answer.status_code == 422
    assert words(answer).count("不在任务的日子里") == 2
    assert paper.bodies() == []
    assert paper.post(fields | {"reason.date": "第二天补签"}).status_code == 303
    assert [body["overrides"] for body in paper.bodies()] == [[{"rule": "date", "reason": "第二天补签"}]] * 2


def test_together_more_than_the_truck_has_is_told(field: Paper) -> None:
    with_rice = [row for row in field.rows() if row.stop.allotted.get("rice")]
    one, two = with_rice[0], with_rice[1]
    fields = field.form(one.number, two.number) | {
        f"quantity.{one.stop.household}.rice": "40",
        f"quantity.{two.stop.household}.rice": "40",
    }
    answer = field.post(fields | {"reason.over-allocation": "加发"})
    assert answer.status_code == 422
    assert "还没有保存" in words(answer)
    assert answer.text.count("<details open>") == 2  # where other quantities were typed
    assert f"{two.number} 号 {two.stop.name} : 大米多于车上的数:车上 3 袋" in words(answer)


def test_a_draft_comes_back_until_it_is_saved(field: Paper) -> None:
    household = field.rows()[0].stop.household
    fields = field.form(1, witness_name="廖满仓") | {f"note.{household}": "半个"}
    assert field.post(fields | {"do": "draft"}).status_code == 204
    again = typed(field.pages.get(field.path))
    assert (again["form"], again["witness_name"], again[f"note.{household}"]) == (fields["form"], "廖满仓", "半个")
    assert again[f"take.{household}"] == YES
    assert again["photo_data.1"] == ""
    assert field.post(fields).status_code == 303
    field.post(fields | {"do": "draft"})  # it was on its way
    assert typed(field.pages.get(field.path))["form"] != fields["form"]


def test_all_as_planned_without_scripts(paper: Paper) -> None:
    page = paper.pages.get(f"{paper.path}?all=yes")
    assert page.text.count(" checked") >= len(paper.rows())
    assert all(typed(page)[f"take.{row.stop.household}"] == YES for row in paper.rows())


def test_a_trip_that_nobody_has(paper: Paper) -> None:
    assert paper.pages.get(f"/trips/{uuid7()}/paper-day").status_code == 404
    assert paper.pages.get("/trips/x/paper-day").status_code == 404


def test_ids_follow_from_the_form() -> None:
    form, household = uuid7(), uuid7()
    assert delivery_of(form, household) == delivery_of(form, household) != delivery_of(uuid7(), household)

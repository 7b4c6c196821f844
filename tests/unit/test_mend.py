"""What was recorded wrongly: taken back with a reason, or corrected; goods and history follow, both lines stay."""

from __future__ import annotations

import base64
import re
from hashlib import sha256
from typing import Any

import pytest

from aidvisit.store import ledger
from aidvisit.store.database import reading
from aidvisit.store.queries.truck import balances
from tests.support.pages import DAY, Pages, typed, words
from tests.unit.test_paper_day import CLEAN, PHOTO, Paper
from tests.unit.test_web_deliver import form, luo

__all__ = ["luo"]

NAME = sha256(CLEAN).hexdigest()


class Typed:
    """The first row of the list, typed in from its sheet."""

    def __init__(self, paper: Paper) -> None:
        self.paper, self.pages = paper, paper.pages
        self.household = paper.rows()[0].stop.household
        assert paper.post(paper.form(1)).status_code == 303
        self.delivery = self.newest("delivery.recorded")

    def newest(self, kind: str) -> str:
        with self.pages.app.app_context(), reading() as conn:
            query = "SELECT subject FROM op WHERE kind = ? ORDER BY seq DESC LIMIT 1"
            return str(conn.exec_driver_sql(query, (kind,)).scalar_one())

    def given(self, item: str) -> int:
        with self.pages.app.app_context(), reading() as conn:
            assert ledger.verify(conn) == []
            return balances(conn, self.paper.trip)[item].delivered

    def correction(self, **changes: Any) -> dict[str, Any]:
        fields: dict[str, Any] = typed(self.pages.get(self.path))
        return {name: value for name, value in fields.items() if name != "photo"} | changes

    @property
    def path(self) -> str:
        return f"/households/{self.household}/deliver?replaces={self.delivery}"

    def history(self) -> str:
        return words(self.pages.get(f"/households/{self.household}"))


@pytest.fixture
def row(laptop: Pages) -> Typed:
    laptop.sign_in()
    return Typed(Paper(laptop))


@pytest.fixture
def either(there: Pages) -> Typed:
    return Typed(Paper(there))


def test_a_paper_delivery_is_taken_back_and_may_be_typed_in_again(either: Typed) -> None:
    assert either.given("rice") == 1
    path = f"/households/{either.household}/deliveries/{either.delivery}/void"
    answer = either.pages.post(path, {"reason": "纸上没有签名"})
    assert answer.status_code == 303
    assert either.given("rice") == 0
    page = either.history()
    assert "已作废" in page
    assert "纸上没有签名" in page
    assert either.paper.post(either.paper.form(1)).status_code == 303
    assert either.given("rice") == 1
    assert len(either.paper.bodies()) == 2


def test_taking_back_twice_is_recorded_once(either: Typed) -> None:
    path = f"/households/{either.household}/deliveries/{either.delivery}/void"
    before = either.pages.ops()
    assert [either.pages.post(path, {"reason": "录错"}).status_code for _ in range(2)] == [303, 303]
    assert either.pages.ops() == before + 1


def test_a_correction_keeps_the_sheet_that_was_signed(row: Typed) -> None:
    assert "原来那张签领表的照片沿用" in words(row.pages.get(row.path))
    fields = row.correction(**{"quantity.rice": "0"})
    assert (fields["proof"], fields["page"], fields["row"]) == ("paper", "1", "1")
    assert row.pages.post(row.path, fields).status_code == 303
    body = row.paper.bodies()[-1]
    assert body["replaces"] == row.delivery
    assert body["proofs"] == [
        {"as": "paper", "page": "1", "row": "1", "sha256": NAME, "bytes": len(CLEAN), "media_type": "image/jpeg"}
    ]
    assert (row.given("rice"), row.given("oil")) == (0, 1)
    page = row.history()
    assert "已更正" in page
    assert "第 1 页 第 1 行" in page
    assert row.paper.rows()[0].stop.state == "done"


def test_the_office_corrects_what_a_team_wrote_and_hands_nothing_over(office: Pages) -> None:
    office.sign_in()
    row = Typed(Paper(office))
    assert "更正" in row.history()
    assert office.get(f"/households/{row.household}/deliver").status_code == 404, "nothing is handed over here"
    page = words(office.get(row.path))
    assert "有网络时自动上报" not in page
    fields = row.correction(**{"quantity.rice": "0", "at": "23.1 111.5 8"})
    answer = office.post(row.path, fields)
    assert (answer.status_code, answer.location.partition("#")[0]) == (303, f"/households/{row.household}")
    body = row.paper.bodies()[-1]
    assert body["replaces"] == row.delivery
    assert "at" not in body, "where the office is says nothing of where it was handed over"
    assert (row.given("rice"), row.given("oil")) == (0, 1)
    assert "已更正" in row.history()
    assert office.post(row.path, fields | {"replaces": ""}).status_code == 404


def test_who_handed_over_stays_when_somebody_of_another_team_corrects_it(office: Pages) -> None:
    office.sign_in()
    row = Typed(Paper(office))
    before = row.paper.bodies()[-1]["handed_by"]
    office.post("/sign-out")
    office.sign_in("admin")
    boxes = re.findall(r'<input[^>]*name="handed_by"[^>]*>', office.get(row.path).text)
    sent = [one for one in boxes if "checked" in one or "hidden" in one]
    assert len(before) == 1
    assert [one for one in sent if f'value="{before[0]}"' in one]


@pytest.mark.parametrize(
    ("changes", "kinds"),
    [
        ({"page": "2"}, ["paper"]),
        ({"photo_data": base64.b64encode(PHOTO).decode(), "page": "2"}, ["paper", "photo"]),
        ({"proof": "none", "none_reason": "表丢了"}, ["none"]),
    ],
)
def test_a_correction_from_another_sheet_has_not_the_photo_of_the_first(
    row: Typed, changes: dict[str, str], kinds: list[str]
) -> None:
    assert row.pages.post(row.path, row.correction(**{"quantity.rice": "0"}, **changes)).status_code == 303
    proofs = row.paper.bodies()[-1]["proofs"]
    assert [one["as"] for one in proofs] == kinds
    assert "sha256" not in proofs[0]


def test_who_voids_says_why(row: Typed) -> None:
    path = f"/households/{row.household}/deliveries/{row.delivery}/void"
    assert row.pages.post(path, {"reason": " "}).status_code == 422
    assert row.given("rice") == 1


def test_where_it_was_is_kept_in_whole_numbers(luo: Pages) -> None:
    path, fields = form(luo, at="23.4412345 111.5 12.4")
    assert luo.post(path, fields).status_code == 303
    body = Paper(luo).bodies()[-1]
    assert body["at"] == {"lat": 234412345, "lon": 1115000000, "accuracy_m": 12}
    assert body["date"] == DAY


def test_a_photo_of_a_sheet_is_shown_with_its_place(row: Typed) -> None:
    assert NAME in row.pages.get(f"/households/{row.household}").text
    assert "第 1 页 第 1 行" in row.history()

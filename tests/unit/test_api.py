"""The API as another system uses it: pages, marks of versions, masked numbers, writes that are safe to send again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from aidvisit import config
from aidvisit.app import create_app
from aidvisit.services import household as households
from aidvisit.store.database import db, reading, together, transaction
from tests.support.api import DELIVERY, DRAWN, VILLAGE, made_token, signed
from tests.support.pages import DAY, Pages

NEW = {
    "kind": "household", "head": {"name": "新来户", "phone": "13812345678"}, "division": VILLAGE, "categories": [],
    "note": "邻居电话 13912345678",
}  # fmt: skip


@dataclass
class System:
    """Another system with its token."""

    app: Flask
    token: str

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        shown = {"Authorization": f"Bearer {self.token}"} | {k.replace("_", "-"): v for k, v in headers.items()}
        return self.app.test_client().open(f"/api/v1/{path}", method=method, headers=shown, json=body)

    def get(self, path: str, **headers: str) -> Any:
        answer = self.ask("GET", path, **headers)
        assert answer.status_code == 200, answer.text
        return answer.json

    def post(self, path: str, body: Any, key: str) -> TestResponse:
        return self.ask("POST", path, body, Idempotency_Key=key)

    @property
    def household(self) -> str:
        return str(self.get("households?limit=1")["data"][0]["id"])


@pytest.fixture
def system(office: Pages) -> System:
    found = System(office.app, made_token(office.app))
    found.get("teams")  # the first use of a day leaves a line in the audit
    return found


def pages_of(system: System, path: str, limit: int) -> Iterator[list[Any]]:
    """The pages of a list, one after the other."""
    more = ""
    while more is not None:
        found = system.get(f"{path}?limit={limit}" + (f"&cursor={more}" if more else ""))
        yield found["data"]
        more = found["next"]


# --- reading ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["households", "items", "categories", "divisions", "teams", "devices", "stock/movements", "trips"]
)
def test_pages_of_any_size_are_the_whole_list_once(system: System, path: str) -> None:
    whole = [row for found in pages_of(system, path, 200) for row in found]
    assert whole
    for limit in (1, 7):
        found = list(pages_of(system, path, limit))
        assert [row for part in found for row in part] == whole
        assert all(len(part) == limit for part in found[:-1])
        assert found[-1]


def test_a_page_goes_on_where_it_was_though_rows_came_and_went(system: System) -> None:
    first = system.get("households?limit=5")
    new = system.post("households", NEW, "1").json["id"]
    rest = [row["id"] for row in system.get(f"households?limit=200&cursor={first['next']}")["data"]]
    assert not {row["id"] for row in first["data"]} & set(rest)
    assert new in rest


@pytest.mark.parametrize("cursor", ["x", "W10", "WyJhIl0", "bnVsbA", "WzEsMl0", "%00", "%F0%9F%98%80"])
def test_a_cursor_that_no_page_gave_is_refused(system: System, cursor: str) -> None:
    answer = system.ask("GET", f"households?cursor={cursor}")
    assert answer.status_code == 422 or cursor == "%00"
    assert answer.content_type == "application/problem+json"


def test_what_is_known_already_is_not_sent_again(system: System) -> None:
    for path in ("households", f"households/{system.household}", "items", "stock"):
        first = system.ask("GET", path)
        again = system.ask("GET", path, If_None_Match=first.headers["ETag"])
        assert (again.status_code, again.data) == (304, b"")
        assert system.ask("GET", path, If_None_Match='"other"').status_code == 200


def test_numbers_are_masked_until_somebody_with_the_right_asks_and_is_written_down(system: System) -> None:
    made = system.post("households", NEW, "1").json["id"]
    shown = system.get(f"households/{made}")
    assert shown["head"]["phone"] == "138****5678"
    assert "13912345678" not in shown["note"]
    whole = system.ask("POST", f"households/{made}/reveal", {})
    assert whole.json["head"]["phone"] == "13812345678"
    assert whole.headers["Cache-Control"] == "no-store"
    with system.app.app_context(), reading() as conn:
        rows = conn.exec_driver_sql("SELECT household, detail FROM access WHERE what = 'reveal'").all()
        token = conn.exec_driver_sql("SELECT id FROM api_token").scalar_one()
    assert [tuple(row) for row in rows] == [(made, token)]
    assert system.post("households/search", {"q": "新来户"}, "-").json["data"][0]["id"] == made


def test_history_is_told_a_page_at_a_time(system: System) -> None:
    made = system.post("households", NEW, "1").json["id"]
    for number in range(35):
        body = {"household": made, "date": DAY, "outcome": "not-home", "purposes": [], "by": []}
        assert system.post("visits", body, f"v{number}").status_code == 201
    first = system.get(f"households/{made}/history")
    rest = system.get(f"households/{made}/history?cursor={first['next']}")
    ids = [entry["id"] for entry in first["data"] + rest["data"]]
    assert len(ids) == len(set(ids)) == 36
    assert rest["next"] is None


def test_entries_and_their_sums_are_those_of_the_reconciliation(system: System) -> None:
    (trip,) = system.get("trips")["data"]
    items = {row["item"]: row for row in system.get(f"trips/{trip['id']}/reconciliation")["items"]}
    for of in ("allocated", "loaded"):
        found = system.get(f"entries?of={of}&trip={trip['id']}")
        assert found["totals"] == {code: row[of] for code, row in items.items() if row[of]}


# --- errors -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "more", "status"),
    [
        ("GET", "nothing", {}, 404),
        ("PUT", "households", {"json": {}}, 405),
        ("POST", "households/search", {"data": "{", "content_type": "application/json"}, 400),
        ("POST", "households/search", {"data": "q=x", "content_type": "text/plain"}, 415),
        (
            "POST",
            "households/search",
            {"data": b"1" * 1_100_000, "content_type": "application/json"},
            413,
        ),
        ("POST", "households/search", {"json": {"x": 1}}, 422),
        ("POST", "households/search", {"json": []}, 422),
        ("GET", "households?limit=0", {}, 422),
        ("GET", "households?colour=red", {}, 422),
    ],
)
def test_every_refusal_is_a_problem(system: System, method: str, path: str, more: dict[str, Any], status: int) -> None:
    headers = {"Authorization": f"Bearer {system.token}"}
    answer = system.app.test_client().open(f"/api/v1/{path}", method=method, headers=headers, **more)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert answer.json["status"] == status
    assert answer.json["type"].startswith("urn:aidvisit:problem:")
    assert answer.json["detail"]


# --- writing ------------------------------------------------------------------------------------------------------


def test_a_write_sent_again_is_answered_alike_also_after_a_restart(office: Pages, system: System) -> None:
    first = system.post("households", NEW, "key-1")
    assert (first.status_code, first.headers["Location"]) == (201, f"/api/v1/households/{first.json['id']}")
    ops = office.ops()
    again = system.post("households", NEW, "key-1")
    home = system.app.config["SETTINGS"].home
    restarted = System(create_app(config.load(home, {}), testing=True), system.token)
    later = restarted.post("households", NEW, "key-1")
    for answer in (again, later):
        assert (answer.status_code, answer.json) == (201, first.json)
        assert answer.headers["Location"] == first.headers["Location"]
        assert answer.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert office.ops() == ops
    with restarted.app.app_context():
        db.engine.dispose()


def test_a_key_is_of_one_request_and_of_one_token(system: System) -> None:
    assert system.post("households", NEW, "key-1").status_code == 201
    other = system.post("households", {**NEW, "note": "别的"}, "key-1")
    assert (other.status_code, other.json["type"]) == (422, "urn:aidvisit:problem:key-reused")
    stranger = System(system.app, made_token(system.app))
    assert stranger.post("households", {**NEW, "note": "别的"}, "key-1").status_code == 201
    assert system.ask("POST", "households", NEW).json["errors"].keys() == {"Idempotency-Key"}


def test_a_refused_write_leaves_its_key_free(office: Pages, system: System) -> None:
    ops = office.ops()
    refused = system.post("households", {**NEW, "kind": "institution"}, "key-1")
    assert (refused.status_code, refused.json["errors"].keys()) == (422, {"name"})
    assert office.ops() == ops
    assert system.post("households", NEW, "key-1").status_code == 201


def test_the_same_key_at_once_writes_once(office: Pages, system: System) -> None:
    answers: list[TestResponse] = []
    ops = office.ops()
    asking = [Thread(target=lambda: answers.append(system.post("households", NEW, "key-1"))) for _ in range(4)]
    for one in asking:
        one.start()
    for one in asking:
        one.join()
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json["id"] for answer in answers}) == 1
    assert office.ops() == ops + 1


def test_an_edit_is_of_what_was_read(system: System) -> None:
    daughter = {"id": system.household, "name": "女儿", "phone": "13712345678"}
    made = system.post("households", {**NEW, "members": [daughter]}, "1")
    path = f"households/{made.json['id']}"
    read = system.ask("GET", path)
    version = read.headers["ETag"]
    assert system.ask("PATCH", path, {"group": "三队"}).status_code == 428
    assert system.ask("PATCH", path, {"group": "三队"}, If_Match='"old"').status_code == 412
    # What comes back as it was shown masked is what it was.
    body = {"group": "三队", "note": None, "head": read.json["head"], "members": read.json["members"]}
    edited = system.ask("PATCH", path, body, If_Match=version)
    assert edited.status_code == 200, edited.text
    assert edited.headers["ETag"] not in ("", version)
    assert system.ask("PATCH", path, {"group": "四队"}, If_Match=version).status_code == 412
    whole = system.ask("POST", f"{path}/reveal", {}).json
    assert (whole["group"], whole["head"]["phone"], whole["members"]) == ("三队", "13812345678", [daughter])
    assert "note" not in whole
    nothing = system.ask("PATCH", path, {"group": "三队"}, If_Match=edited.headers["ETag"])
    assert nothing.json == {"id": made.json["id"]}


def test_a_trip_is_planned_changed_and_allotted(office: Pages, system: System) -> None:
    (team, *_) = [one for one in system.get("teams")["data"] if one["divisions"]]
    plan = {"title": "四月慰问", "starts": DAY, "ends": DAY, "team": team["id"], "divisions": [VILLAGE]}
    trip = system.post("trips", plan, "1").json["id"]
    read = system.ask("GET", f"trips/{trip}")
    assert read.json == {**plan, "id": trip, "status": "planned", "tour": None, "distance_km": None, "note": None}
    changed = system.ask("PATCH", f"trips/{trip}", {"title": "五月慰问"}, If_Match=read.headers["ETag"])
    assert (changed.status_code, changed.json["id"]) == (200, trip)
    assert system.get(f"trips/{trip}")["title"] == "五月慰问"
    line = {"household": system.household, "item": "rice", "quantity": 2}
    allotted = system.post(f"trips/{trip}/allotments", {"lines": [line]}, "2")
    assert (allotted.status_code, allotted.json) == (201, {"id": trip, "changed": 1})
    assert system.post(f"trips/{trip}/allotments", {"lines": [line]}, "2").json == allotted.json
    assert system.get(f"trips/{trip}/allotments") == {"data": [line], "next": None}
    unknown = system.post(f"trips/{trip}/allotments", {"lines": [{**line, "item": "gold"}]}, "3")
    assert (unknown.status_code, unknown.json["code"]) == (404, "gold")


def test_a_delivery_is_recorded_with_its_reasons_and_voided(system: System) -> None:
    body = {"household": system.household, "date": DAY, **DELIVERY}
    first = system.post("deliveries", body, "1")
    assert first.status_code == 201, first.text
    odd = system.post("deliveries", body, "2")
    assert odd.status_code == 422
    assert {warning["rule"] for warning in odd.json["warnings"]} == {"repeat-interval"}
    reasons = [{"rule": "repeat-interval", "reason": "家里着火"}]
    second = system.post("deliveries", {**body, "overrides": reasons}, "2")
    assert second.status_code == 201, second.text
    assert system.get(f"deliveries/{second.json['id']}")["overrides"] == reasons
    assert system.post(f"deliveries/{first.json['id']}/void", {"reason": "记错"}, "3").status_code == 201
    found = {row["id"]: row["counts"] for row in system.get(f"deliveries?household={system.household}")["data"]}
    assert found == {first.json["id"]: False, second.json["id"]: True}


def test_a_signature_is_given_to_who_may_read_its_household_and_is_nobody_else_s(office: Pages, system: System) -> None:
    one, other = (row["id"] for row in system.get("households?limit=2")["data"])
    name = signed(office.app, one)
    (proof,) = system.get(f"deliveries?household={one}")["data"][0]["proofs"]
    answer = system.ask("GET", f"households/{one}/pictures/{proof['sha256']}")
    assert (answer.data, answer.content_type) == (DRAWN, "image/svg+xml")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert system.ask("GET", f"households/{one}/pictures/{name}", If_None_Match=answer.headers["ETag"]).data == b""
    for path in (f"households/{other}/pictures/{name}", f"households/{one}/pictures/{'a' * 64}"):
        assert system.ask("GET", path).status_code == 404
    narrow = System(office.app, made_token(office.app, rights=("report.read",)))
    assert narrow.ask("GET", f"households/{one}/pictures/{name}").status_code == 403


def test_what_is_done_together_is_undone_together(office: Pages) -> None:
    """A service inside `together` does not commit by itself."""
    ops, body = office.ops(), {key: value for key, value in NEW.items() if key != "note"}

    def both() -> None:
        with together() as conn:
            device = conn.exec_driver_sql("SELECT id FROM person WHERE login = 'admin'").scalar_one()
            households.register(actor=device, household="01a2063b-d28c-7cf9-b053-e1a4a2fcb3aa", body=body)
            with transaction() as inner:
                assert inner is conn
            raise LookupError

    with office.app.app_context(), pytest.raises(LookupError):
        both()
    assert office.ops() == ops


@pytest.mark.parametrize("name", ["continues", "brought", "nonsense", "salt"])
def test_a_field_that_is_not_described_is_refused_and_never_recorded(office: Pages, system: System, name: str) -> None:
    ops = office.ops()
    for body in ({**NEW, name: []}, {**NEW, "head": {"name": "新", name: "x"}}):
        assert system.post("households", body, "1").status_code == 422
    assert office.ops() == ops


def test_a_number_without_a_fraction_is_whole_however_it_is_written(system: System) -> None:
    made = system.post("households", {**NEW, "size": 3.0}, "1")
    assert system.get(f"households/{made.json['id']}")["size"] == 3
    assert system.post("households", {**NEW, "size": 3.5}, "2").json["errors"].keys() == {"size"}

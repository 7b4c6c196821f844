"""The API shows what the office's pages show: the same figures, whole lists page by page, masked, and no further."""

from __future__ import annotations

from typing import Any

import pytest

from aidvisit.domain.report import AXES
from aidvisit.store.database import reading
from sync import log
from tests.support.api import made_token
from tests.support.office import DONOR, busy
from tests.support.pages import Pages
from tests.unit.test_api import System

EVERY = [
    "audit", "conflicts", "devices/silent", "held", "inbox", "inbox?settled=yes", "lists", "months",
    "overview/villages", "pairs", "people", "trips/progress", *(f"reports?by={axis}" for axis in AXES),
    *(f"reconciliation/{by}" for by in ("items", "trips", "teams", "lots", "households")),
]  # fmt: skip


@pytest.fixture
def there(office: Pages) -> dict[str, list[str]]:
    return busy(office.app)


@pytest.fixture
def system(office: Pages, there: dict[str, list[str]]) -> System:
    found = System(office.app, made_token(office.app))
    found.get("teams")  # the first use of a day leaves a line in the audit
    return found


def trip_of(system: System) -> str:
    return str(system.get("trips")["data"][0]["id"])


def rows_of(system: System, path: str, limit: int) -> list[Any]:
    join = path if "?" in path else f"{path}?"
    found, more = [], ""
    while more is not None:
        page = system.get(f"{join}&limit={limit}" + (f"&cursor={more}" if more else ""))
        found += page["data"]
        more = page["next"]
    return found


def test_a_list_is_whole_and_the_same_a_row_at_a_time_and_reaches_no_further_than_the_token(system: System) -> None:
    narrow = System(system.app, made_token(system.app, divisions=["440785"]))
    for path in EVERY:
        whole = rows_of(system, path, 200)
        assert bool(whole) == (path != "inbox?settled=yes"), path
        assert rows_of(system, path, 1 if len(whole) < 9 else 7) == whole, path
        assert path.startswith(("people", "audit")) or not rows_of(narrow, path, 200), path


def test_a_report_is_the_sum_of_the_entries_that_it_names(system: System) -> None:
    for by in AXES:
        found = system.get(f"reports?by={by}&from=2020-12-01")
        assert found["whole"] == found["whole"] | {"households": 2, "persons": 2, "times": 3, "items": {"rice": 3}}
        assert found["fresh"]["devices"] == 1
        for row in found["data"]:
            if row["entries"] is not None:
                asked = "&".join(f"{name}={value}" for name, value in row["entries"].items())
                assert system.get(f"entries?of=delivered&{asked}")["totals"] == row["items"], by


def test_the_overview_tells_what_the_reports_tell(system: System) -> None:
    found = system.get("overview?from=2020-12-01")
    for name, by in (("days", "day"), ("items", "item"), ("classes", "class"), ("teams", "team")):
        assert sorted(found[name], key=lambda row: row["key"]) == system.get(f"reports?by={by}&from=2020-12-01")["data"]
    assert found["stock"] == system.get("stock")["data"]
    villages = system.get("overview/villages?from=2020-12-01")["data"]
    assert sum(row["households"] for row in villages) == found["households"]
    assert sum(row["served"] for row in villages) == found["whole"]["households"]
    assert found["held"] == len(system.get("held")["data"]) == 1


def test_over_many_trips_as_of_the_one(system: System) -> None:
    trip = trip_of(system)
    one = system.get(f"trips/{trip}/reconciliation")
    (over,) = system.get("reconciliation/trips?open=yes")["data"]
    rice = {row["item"]: row["figures"] for row in system.get("reconciliation/items")["data"]}["rice"]
    (own,) = [row for row in one["items"] if row["item"] == "rice"]
    assert (rice["loaded"], rice["handed"]) == (own["loaded"], own["delivered"])
    assert {row["item"]: row for row in over["unsettled"]}["rice"] == own
    assert {row["lot"]: row["donor"] for row in system.get("reconciliation/lots?item=rice")["data"]}[
        "L-1"
    ] == "donor:ai"
    got = {row["household"] for row in system.get("reconciliation/households")["data"] if row["delivered"]}
    assert got == {row["household"] for row in one["households"] if row["delivered"]}
    owed = rows_of(system, "reconciliation/households?owed=yes", 200)
    assert owed
    assert all(row["owed"] for row in owed)
    assert (one["held"], one["conflicts"], one["possible_duplicates"]) == (0, 1, 1)


def test_a_trips_plan_releases_progress_and_closing(system: System) -> None:
    trip = trip_of(system)
    plan = system.get(f"trips/{trip}/plan")
    homes = rows_of(system, f"trips/{trip}/plan/households", 9)
    assert len(homes) == plan["households"]
    for line in plan["items"]:
        assert line["allotted"] == sum(home["allotted"].get(line["item"], 0) for home in homes)
    (device,) = system.get("devices")["data"]
    assert plan["releases"] == [{"device": device["id"], "groups": []}]
    (progress,) = system.get("trips/progress")["data"]
    assert (progress["total"], progress["done"]) == (len(homes), 2)
    assert system.get(f"trips/{trip}/closing") == {"trip": trip, "steps": [], "late": []}
    (silent,) = system.get("devices/silent")["data"]
    assert (silent["device"], silent["trip"], silent["heard"], silent["leaders"]) == (device["id"], trip, False, [])


def test_a_month_tells_what_came_after_it(system: System) -> None:
    (closed,) = system.get("months")["data"]
    month = system.get(f"months/{closed['id']}")
    (rice,) = [row for row in month["items"] if row["item"] == "rice"]
    assert (rice["closed"]["delivered"], rice["now"]["delivered"], month["unexplained"]) == (4, 3, {})
    (change,) = system.get(f"months/{closed['id']}/changes")["data"]
    assert (change["kind"], change["figures"]) == ("delivery.voided", {"delivered": {"rice": -1}})
    assert change["reason"] == "记错户,电话 138****5678"


def test_the_inbox_is_read_with_both_sides_and_counted(system: System) -> None:
    rows = rows_of(system, "inbox", 200)
    counts = system.get("inbox/counts")
    assert counts["total"] == len(rows) == sum(counts["counts"].values())
    whole = {row["kind"]: system.get(f"inbox/{row['id']}") for row in rows}
    assert {"duplicate", "conflict", "held", "stock"} <= whole.keys()
    assert len(whole["duplicate"]["sides"]) == 2
    assert [side["value"] for side in whole["conflict"]["conflict"]["sides"]] == ["138****0000"] * 2
    assert whole["conflict"]["conflict"] == system.get("conflicts")["data"][0]
    home = whole["conflict"]["household"]
    assert system.get(f"households/{home}/conflicts")["data"] == [whole["conflict"]["conflict"]]
    assert whole["held"]["held"] == system.get("held")["data"][0]
    assert whole["stock"]["unsettled"]
    trip = trip_of(system)
    assert {row["kind"] for row in system.get(f"inbox?trip={trip}")["data"]} == {"duplicate", "conflict", "stock"}
    assert system.get(f"inbox?trip={trip}&assigned_to=nobody&kind=stock")["data"][0]["trip"] == trip
    assert system.ask("GET", f"inbox?trip={home}").status_code == 404


def test_a_donors_statement_names_nobody(system: System) -> None:
    found = system.get(f"donors/{DONOR}/statement")
    (rice,) = found["items"]
    assert rice["figures"]["received"] == 9
    assert (found["households"], found["times"]) == (None, None), "fewer than three households"
    names = {row["name"] for row in rows_of(system, "lists", 200)}
    told = str(system.ask("GET", f"donors/{DONOR}/statement").json)
    assert not [name for name in names if name in told]
    assert system.ask("GET", "donors/nobody/statement").status_code == 404


def test_a_households_statement_is_in_the_audit_first_and_in_full_only_with_both_rights(system: System) -> None:
    (pair,) = system.get("pairs")["data"]
    assert (pair["sure"], "same-number" in pair["reasons"]) == (True, True)
    path = f"households/{pair['first']}/statement"
    masked = system.ask("POST", path, {})
    assert masked.json["household"]["head"]["phone"] == "138****0000"
    assert masked.json["received"] == system.get(f"households/{pair['first']}/received")
    assert masked.headers["Cache-Control"] == "no-store"
    half = System(system.app, made_token(system.app, rights=("household.export",)))
    assert half.ask("POST", path, {"in_full": True}).json["right"] == "household.reveal"
    assert half.ask("POST", path, {}).status_code == 200
    whole = system.ask("POST", path, {"in_full": True}).json
    assert whole["household"]["head"]["phone"] == "13800000000"
    looks = [(one["what"], one["detail"]) for one in whole["looks"]]
    assert looks == [("export", "statement-in-full"), ("export", "statement"), ("export", "statement")]
    assert masked.json["looks"] == whole["looks"][-1:], "itself is in it"
    assert whole["more_looks"] is False
    assert {one["household"] for one in system.get("audit?what=export")["data"]} == {pair["first"]}
    with system.app.app_context(), reading() as conn:
        taken = [one.op.body for one in log.iterate(conn, "office") if one.op.body.get("what") == "export"]
    assert [one["detail"] for one in taken] == ["statement", "statement", "statement-in-full"]
    newest = system.get("audit?what=export&limit=1")["data"][0]
    assert (newest["household"], newest["rows"]) == (pair["first"], 1)


def test_a_list_for_work_is_narrowed_as_on_its_page_and_masked(system: System) -> None:
    whole = rows_of(system, "lists", 200)
    unserved = rows_of(system, "lists?not_served_since=2020-12-01", 200)
    assert len(whole) - len(unserved) == 2
    phones = [row["phone"] for row in whole if row["phone"]]
    assert phones
    assert all("****" in phone for phone in phones)
    assert all(row["phone"] in (None, "") or "*" in row["phone"] for row in system.get("people")["data"])


def test_a_cursor_of_another_list_is_refused(system: System) -> None:
    for path in ("inbox?", "held?", "pairs?", "audit?", "months?", "reports?by=day", "reconciliation/lots?"):
        for cursor in ("x", "WzFd", "WyJhIiwiYiIsImMiLCJkIl0"):
            assert system.ask("GET", f"{path}&cursor={cursor}").status_code == 422, path

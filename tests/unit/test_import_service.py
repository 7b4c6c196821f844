"""The import as a whole: households, trip and allotment, all or nothing, and twice is once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Barrier, Thread

import pytest
from flask import current_app
from openpyxl import load_workbook

from aidvisit.domain.rights import ROLES, may
from aidvisit.errors import Problem
from aidvisit.services import account, household, pair
from aidvisit.services.device import enrolment_codes
from aidvisit.services.import_ import Imported, import_into, import_sheet
from aidvisit.services.import_read import Choices
from aidvisit.services.sheet import open_sheets
from aidvisit.store import ledger
from aidvisit.store.database import reading, transaction
from aidvisit.store.ledger import Fact
from aidvisit.store.queries.importing import allotments, known_households, released_devices
from aidvisit.store.queries.trip import today, trips
from sync import clock, enrolment, log
from sync.identity import KeyPair
from sync.op import uuid7
from tests.support.homes import PASSWORD, SAMPLE, VILLAGE, Centre, centre


@pytest.fixture
def home(tmp_path: Path, database_url: str) -> Iterator[Centre]:
    with centre(tmp_path, database_url if database_url.startswith("postgresql") else "") as made:
        yield made


def ops() -> int:
    with reading() as conn:
        return log.state(conn).last_seq


def edited(path: Path, **cells: object) -> Path:
    """A copy of the sample with some cells otherwise."""
    book = load_workbook(SAMPLE)
    for place, value in cells.items():
        book.active[place] = value  # type: ignore[index]
    book.save(path)
    return path


def test_the_sheet_becomes_a_trip(home: Centre) -> None:
    done = import_sheet(SAMPLE, actor=home.user)
    assert done.households == {"new": 34, "same": 0, "changed": 0}
    assert done.allotments == 102
    assert not done.refused
    assert not done.questions
    with reading() as conn:
        (head,) = trips(conn)
        day = today(conn, head.id)
    assert (head.title, head.starts, head.ends) == ("大玉口镇民强村困难家庭慰问物资发放", "2020-12-30", "2020-12-30")
    assert (head.team, head.divisions) == (home.team, [VILLAGE])
    assert {line.item: line.needed for line in day.truck} == {"rice": 41, "oil": 34, "nuts": 34} | {}
    assert [household.name for household in day.households[:2]] == ["杨雪珍", "苏兴明"]
    assert [group.group for group in day.groups] == ["一队", "二队", "三队", "大塘组", "坑口组"]


@pytest.mark.parametrize("role", ROLES)
def test_only_who_may_imports(home: Centre, tmp_path: Path, role: str) -> None:
    """Also a list without goods, whose households a volunteer may register one by one."""
    user = account.add_user(actor=home.device, login=role, name=role, role=role, team=home.team, password=PASSWORD)
    sheet = edited(tmp_path / "list.xlsx", H3=None, H4=None, I4=None, J4=None)
    before = ops()
    if may(role, "import.run"):
        assert import_sheet(sheet, actor=user).households["new"] == 34
        return
    for dry_run in (True, False):
        with pytest.raises(Problem, match="not-permitted"):
            import_sheet(sheet, actor=user, dry_run=dry_run)
    assert ops() == before


def test_a_second_import_makes_nothing_twice(home: Centre) -> None:
    first = import_sheet(SAMPLE, actor=home.user)
    before = ops()
    again = import_sheet(SAMPLE, actor=home.device)
    assert again.households == {"new": 0, "same": 34, "changed": 0}
    assert again.allotments == 0
    assert again.trip is not None
    assert first.trip is not None
    assert (again.trip["id"], again.trip["state"]) == (first.trip["id"], "same")
    assert ops() == before


def test_a_list_that_two_import_at_once_is_imported_once(home: Centre) -> None:
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    begin, done = Barrier(2), list[Imported]()

    def run() -> None:
        with app.app_context():
            begin.wait()
            done.append(import_sheet(SAMPLE, actor=home.user))

    threads = [Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.households["new"] for one in done) == [0, 34]


def test_a_list_that_names_what_was_merged_makes_nobody_new(home: Centre) -> None:
    import_sheet(SAMPLE, actor=home.user)
    with reading() as conn:
        one, other = [row.id for row in conn.exec_driver_sql("SELECT id FROM household ORDER BY id LIMIT 2")]
    pair.merge(actor=home.user, household=one, into=other, reason="同一户")
    before = ops()
    again = import_sheet(SAMPLE, actor=home.user)
    assert again.households == {"new": 0, "same": 33, "changed": 0}
    assert (again.allotments, ops()) == (0, before)


def test_a_rehearsal_saves_nothing(home: Centre) -> None:
    before = ops()
    done = import_sheet(SAMPLE, actor=home.user, dry_run=True)
    assert done.households["new"] == 34
    assert ops() == before


def test_an_edited_sheet_changes_only_what_differs(home: Centre, tmp_path: Path) -> None:
    import_sheet(SAMPLE, actor=home.user)
    before = ops()
    done = import_sheet(edited(tmp_path / "b.xlsx", G5="13800000000", H6=2), actor=home.user)
    assert done.households == {"new": 0, "same": 33, "changed": 1}
    assert done.allotments == 1
    assert ops() == before + 3, "the household, the allotment, and a line of the audit"
    third = import_sheet(tmp_path / "b.xlsx", actor=home.user)
    assert third.households["same"] == 34, "the edit is known now"
    with reading() as conn:
        assert ledger.verify(conn) == []


def test_rows_that_cannot_be_taken_are_listed_and_the_rest_is_saved(home: Centre, tmp_path: Path) -> None:
    done = import_sheet(edited(tmp_path / "b.xlsx", F5="贫困程度一般", H6="若干"), actor=home.user)
    assert done.households["new"] == 32
    assert [(row.row, row.name) for row in done.refused] == [(5, "杨雪珍"), (6, "苏兴明")]
    document = done.to_dict()
    assert set(document) >= {"households", "members", "refused", "questions"}
    assert set(document["refused"][0]) == {"sheet", "row", "name", "why"}


def refusal(path: Path, home: Centre, **options: str) -> Problem:
    before = ops()
    with pytest.raises(Problem) as refused:
        import_sheet(path, actor=home.user, **options)
    assert ops() == before, "nothing is half done"
    return refused.value


def test_what_is_unclear_is_asked_and_nothing_is_saved(home: Centre, tmp_path: Path) -> None:
    nowhere = edited(tmp_path / "a.xlsx", A1="困难家庭慰问物资发放登记表")
    assert refusal(nowhere, home).name == "import-unclear"
    assert refusal(SAMPLE, home, division="999999999999").name == "import-unclear"
    undated = edited(tmp_path / "b.xlsx", K2=None)
    assert "日期" in refusal(undated, home).words("zh")
    done: Imported = import_sheet(nowhere, actor=home.user, division=VILLAGE, trip_title="冬季慰问")
    assert done.trip is not None
    assert done.trip["title"] == "冬季慰问"


def test_two_teams_in_one_place_are_asked_about(home: Centre) -> None:
    account.add_team(actor=home.device, name="慰问二队", divisions=["441225"])
    problem = refusal(SAMPLE, home)
    assert problem.members["questions"][0]["options"] == ("慰问一队", "慰问二队")


def test_the_centre_releases_the_trip_to_the_laptops_of_its_team(home: Centre) -> None:
    """Importing the list again gives it to laptops that came otherwise."""
    first = import_sheet(SAMPLE, actor=home.user)
    assert first.trip is not None
    assert first.trip["laptops"] == 0
    laptop = uuid7()
    with transaction() as conn:
        body = {"name": "3 号", "public_key": KeyPair.generate().public, "team": home.team}
        ledger.record(conn, home.device, Fact("org", "device.enrolled", laptop, body))
    again = import_sheet(SAMPLE, actor=home.user)
    assert again.trip is not None
    assert again.trip["laptops"] == 1
    with reading() as conn:
        assert released_devices(conn, first.trip["id"]) == {laptop: []}
    before = ops()
    import_sheet(SAMPLE, actor=home.user)
    assert ops() == before


def test_a_laptop_that_enrols_later_gets_the_open_trips_of_its_team(home: Centre) -> None:
    """Also beside one that has it already; a closed trip stays closed."""
    trip = import_sheet(SAMPLE, actor=home.user).trip
    assert trip is not None
    first, second = _enrolled(home), _enrolled(home)
    with reading() as conn:
        assert released_devices(conn, trip["id"]) == {first: [], second: []}
    with transaction() as conn:
        ledger.record(conn, home.user, Fact(f"trip-{trip['id']}", "trip.closed", trip["id"], {}))
    late = _enrolled(home)
    with reading() as conn:
        assert late not in released_devices(conn, trip["id"])


def _enrolled(home: Centre) -> str:
    (code,) = enrolment_codes(actor=home.user, team=home.team)
    request = {"code": code.code, "name": "笔记本", "public_key": KeyPair.generate().public}
    answer = enrolment.enrol(transaction, ledger.HOUSE, request, None, "127.0.0.1", clock.wall())
    return str(answer["device"])


def named(name: str) -> str:
    """The id of a household by the name of its head."""
    with reading() as conn:
        found = {row["name"]: row["id"] for row in known_households(conn, [VILLAGE[:9]], [])}
    return str(found[name])


def test_a_merged_household_is_the_one_that_it_stands_for(home: Centre, tmp_path: Path) -> None:
    """The list still names both: nothing is new, and nothing is put back; a new trip gives to the one that is left."""
    import_sheet(SAMPLE, actor=home.user)
    assert pair.merge(actor=home.user, household=named("苏兴明"), into=named("杨雪珍"), reason="同一户")
    before = ops()
    plain = edited(tmp_path / "list.xlsx", H3=None, H4=None, I4=None, J4=None)
    done = import_sheet(plain, actor=home.user)
    assert (done.households, done.refused) == ({"new": 0, "same": 33, "changed": 0}, ())
    assert ops() == before
    again = import_sheet(SAMPLE, actor=home.user, trip_title="冬季慰问")
    assert again.trip is not None
    with reading() as conn:
        lines = allotments(conn, again.trip["id"])
    assert lines[named("杨雪珍"), "rice"] == 2
    assert len(lines) == 33 * 3


def test_a_closed_household_is_not_registered_anew(home: Centre) -> None:
    import_sheet(SAMPLE, actor=home.user)
    household.close(actor=home.user, household=named("苏兴明"), reason="moved", date="2020-12-31")
    done = import_sheet(SAMPLE, actor=home.user)
    assert done.households == {"new": 0, "same": 33, "changed": 0}
    assert [(row.name, "已经销户" in row.why) for row in done.refused] == [("苏兴明", True)]


def test_what_lies_elsewhere_is_neither_shown_nor_changed(home: Centre, tmp_path: Path) -> None:
    """Whoever may register in another town only: by the ID number it is told that somebody has it, and not who."""
    import_sheet(SAMPLE, actor=home.user)
    elsewhere = "441225112201"
    listed = edited(tmp_path / "list.xlsx", G5="13800000000", H3=None, H4=None, I4=None, J4=None)
    choices = Choices(division=elsewhere, places=(elsewhere,))
    before = ops()
    with transaction() as conn:
        done, plan, _ = import_into(conn, "list.xlsx", open_sheets(listed), home.user, choices, dry_run=False)
    assert {row.state for row in plan.outcomes} == {"refused"}
    assert all("不归您管" in row.why for row in plan.refused)
    assert not any(row.offers or row.changes for row in plan.outcomes)
    assert done.elsewhere == 34
    assert ops() == before + 1, "a line of the audit"

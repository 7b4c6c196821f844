"""What somebody said of a row is remembered, and what an import does not write is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aidvisit.services import household
from aidvisit.services.import_ import Imported, import_into
from aidvisit.services.import_read import Choices
from aidvisit.services.sheet import Plan, open_sheets
from aidvisit.store.database import reading, transaction
from aidvisit.store.queries.importing import field_heads
from aidvisit.store.tables import FieldConflict
from sync import log
from sync.op import uuid7
from tests.support.homes import TOWN, VILLAGE, Centre, centre

HEADING = "村小组,户主姓名,身份证号码,家庭人口,困难类型,联系电话"
NUMBER, ANOTHER = "44122519720601118X", "441225197206011171"


@pytest.fixture
def home(tmp_path: Path, database_url: str) -> Iterator[Centre]:
    with centre(tmp_path, database_url if database_url.startswith("postgresql") else "") as made:
        yield made


def ops() -> int:
    with reading() as conn:
        return log.state(conn).last_seq


def registered(home: Centre, **head: str) -> str:
    identity = uuid7()
    body = {"kind": "household", "head": head, "division": VILLAGE, "group": "一队", "categories": [{"code": "dibao"}]}
    household.register(actor=home.user, household=identity, body=body)
    return identity


def brought(home: Centre, folder: Path, *rows: str, dry_run: bool = False, **choices: Any) -> tuple[Imported, Plan]:
    """What a list of such rows comes to; `choices` as of a page."""
    path = folder / "list.csv"
    path.write_text("\n".join([choices.pop("heading", HEADING), *rows]), encoding="utf-8")
    with transaction() as conn:
        done, plan, _ = import_into(
            conn, path.name, open_sheets(path), home.user, Choices(division=VILLAGE, **choices), dry_run=dry_run
        )
    return done, plan


def offered(plan: Plan) -> str:
    """The household that the first row is offered."""
    return plan.outcomes[0].offers[0].key


@pytest.mark.parametrize("number", ["", NUMBER])
def test_an_offer_that_was_taken_is_taken_again(home: Centre, tmp_path: Path, number: str) -> None:
    """The list calls the head otherwise than the record: nothing of it can be found again but what was said."""
    known = registered(home, name="陈明华", phone="13800000000")
    row = f"九队,陈鸣华,{number},3,低保户,13800000000"
    _, plan = brought(home, tmp_path, row, dry_run=True)
    assert offered(plan) == known
    done, _ = brought(home, tmp_path, row, accepted={("list", 2): known})
    assert (done.households["new"], done.accepted) == (0, 1)
    before = ops()
    again, plan = brought(home, tmp_path, row)
    assert again.households == {"new": 0, "same": 1, "changed": 0}
    assert ops() == before
    assert plan.outcomes[0].taken == known
    apart, _ = brought(home, tmp_path, row, accepted={("list", 2): "none"})
    assert apart.households["new"] == 1, "and it can be taken back"
    assert brought(home, tmp_path, row)[0].households["new"] == 0


def test_a_namesake_is_nobody_that_was_said(home: Centre, tmp_path: Path) -> None:
    known = registered(home, name="陈明华", phone="13800000000")
    brought(home, tmp_path, "九队,陈鸣华,,3,低保户,13800000000", accepted={("list", 2): known})
    for row in ("八队,{},,3,低保户,13800000000", "九队,{},,3,低保户,13900000001", f"九队,{{}},{NUMBER},3,低保户,"):
        done, plan = brought(home, tmp_path, row.format("陈鸣华"), dry_run=True)
        assert done.households["new"] == 1, row
        assert plan.outcomes[0].taken == ""


def test_a_child_of_another_village_is_taken_again(home: Centre, tmp_path: Path) -> None:
    known = registered(home, name="陈明华", phone="13800000000")
    heading, row = "村(居),儿童姓名,监护人,监护人电话", "民进村,陈小,陈明华,13800000000"
    done, _ = brought(home, tmp_path, row, heading=heading, accepted={("list", 2): known})
    assert (done.households["new"], done.members["new"]) == (0, 1)
    before = ops()
    again, _ = brought(home, tmp_path, row, heading=heading)
    assert (again.households["new"], again.members["same"], ops()) == (0, 1, before)


def test_a_number_that_is_not_taken_is_told(home: Centre, tmp_path: Path) -> None:
    known = registered(home, name="陈明华", phone="13800000000", id_number=ANOTHER)
    done, plan = brought(home, tmp_path, f"一队,陈明华,{NUMBER},3,低保户,", accepted={("list", 2): known})
    (ask,) = plan.outcomes[0].asks
    assert (done.checks[0].why, plan.outcomes[0].number) == (ask.zh, "kept")
    assert ANOTHER in ask.zh
    assert NUMBER in ask.zh
    _, plan = brought(home, tmp_path, f"一队,陈鸣华,{NUMBER},3,低保户,", accepted={("list", 2): known})
    (ask,) = plan.outcomes[0].asks
    assert "陈鸣华" in ask.en


def test_the_number_of_a_list_is_taken_when_somebody_says_so(home: Centre, tmp_path: Path) -> None:
    known = registered(home, name="陈明华", phone="13800000000", id_number=ANOTHER)
    row = f"一队,陈明华,{NUMBER},3,低保户,"
    done, plan = brought(home, tmp_path, row, accepted={("list", 2): f"{known}+number"})
    assert ("head.id_number", ANOTHER, NUMBER) in [
        (one.field, one.before, one.after) for one in plan.outcomes[0].changes
    ]
    assert (done.households["changed"], done.checks) == (1, ())
    before = ops()
    assert brought(home, tmp_path, row)[0].households["same"] == 1
    assert ops() == before


def test_a_list_settles_no_conflict(home: Centre, tmp_path: Path) -> None:
    """It gives no reason, and what stands beside the value that is shown, nobody saw."""
    known = registered(home, name="陈明华", phone="13800000000", id_number=NUMBER)
    with reading() as conn:
        before = field_heads(conn, known)["head.phone"]
    for phone in ("13800000001", "13800000002"):
        household.update(actor=home.user, household=known, set_={"head.phone": phone}, base={"head.phone": before})
    row = f"一队,陈明华,{NUMBER},,低保户,"
    for phone, changed in (("13800000001", 0), ("13800000003", 1)):
        done, plan = brought(home, tmp_path, row + phone)
        assert done.households["changed"] == changed
        assert [ask.zh for ask in plan.outcomes[0].asks if "核定" in ask.zh]
        with reading() as conn:
            (heads,) = conn.execute(FieldConflict.__table__.select()).all()
        assert "13800000001" in [value for value, *_ in heads.heads]


def test_namesakes_of_one_list_are_told_apart_by_their_number(home: Centre, tmp_path: Path) -> None:
    rows = ("一队,陈明华,,3,低保户,", "一队,陈明华,,2,低保户,", "一队,陈明华,,3,低保户,")
    done, _ = brought(home, tmp_path, *rows)
    assert done.households["new"] == 1
    other, same = done.refused
    assert "身份证号码" in other.why
    assert "只算一次" in same.why
    heading = "儿童姓名,与户主关系,户主"
    done, _ = brought(home, tmp_path, "陈小,子,陈明华", "陈小,女,陈明华", heading=heading)
    assert "身份证号码" in done.refused[0].why


def test_what_a_list_learns_of_other_places_is_in_the_audit(home: Centre, tmp_path: Path) -> None:
    registered(home, name="陈明华", id_number=NUMBER)
    elsewhere = f"{TOWN}208"
    path = tmp_path / "list.csv"
    path.write_text(f"{HEADING}\n一队,陈鸣,{NUMBER},3,低保户,\n", encoding="utf-8")
    before = ops()
    with reading() as conn:
        choices = Choices(division=elsewhere, places=(elsewhere,))
        done, _, _ = import_into(conn, path.name, open_sheets(path), home.user, choices, dry_run=True)
        assert "请问办公室" in done.refused[0].why
        assert done.elsewhere == 1
    assert ops() == before, "whoever shows it writes it down"

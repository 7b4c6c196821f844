"""Every node has an age identity, and each end comes to know the other's recipient."""

from __future__ import annotations

import sqlalchemy as sa

from sync import age, log, renewal, tables
from sync.op import uuid7
from tests.support.toy import Centre, Laptop, Node, connected, memory

TEAM = uuid7()


def recipient(node: Node) -> str | None:
    with node.begin() as conn:
        return age.recipient(conn)


def told(centre: Centre, device: str) -> str | None:
    with centre.begin() as conn:
        return conn.execute(sa.select(tables.device.c.age_recipient).where(tables.device.c.id == device)).scalar_one()


def enrolled_before_there_were_bundles(centre: Centre) -> Laptop:
    laptop = connected(centre, TEAM)
    with laptop.begin() as conn:
        log.remember(conn, age_key=None, server=log.recall(conn, "server") | {"age_recipient": None})
    with centre.begin() as conn:
        log.remember(conn, age_key=None)
        conn.execute(sa.update(tables.device).values(age_recipient=None))
    return laptop


def test_enrolling_tells_each_end_the_others_recipient() -> None:
    centre = Centre(memory()).set_up()
    laptop = connected(centre, TEAM)
    assert told(centre, laptop.device) == recipient(laptop)
    assert laptop.recall("server")["age_recipient"] == recipient(centre)


def test_who_was_enrolled_before_tells_it_with_a_pull_and_only_until_it_is_answered() -> None:
    centre = Centre(memory()).set_up()
    laptop = enrolled_before_there_were_bundles(centre)
    asked: list[str | None] = []
    laptop.line.before = lambda name, document: asked.append(document.get("age_recipient"))
    laptop.sync()
    laptop.sync()
    assert asked == [recipient(laptop), None]
    assert told(centre, laptop.device) == recipient(laptop)
    assert laptop.recall("server")["age_recipient"] == recipient(centre) is not None


def test_a_server_that_knows_no_bundles_is_asked_once_a_day() -> None:
    centre = Centre(memory()).set_up()
    laptop = enrolled_before_there_were_bundles(centre)
    asked: list[bool] = []

    def older(name: str, document: dict[str, object]) -> None:
        asked.append(document.pop("age_recipient", None) is not None)

    laptop.line.before = older
    laptop.sync()
    laptop.sync()
    laptop.clock = laptop.clock.replace(day=31)
    laptop.sync()
    assert asked == [True, False, True]


def test_what_is_no_recipient_is_not_kept_and_refuses_nobody() -> None:
    centre = Centre(memory()).set_up()
    laptop = connected(centre, TEAM)
    assert "age_recipient" not in centre.pull(laptop.token, age_recipient="age1nothing")
    assert told(centre, laptop.device) == recipient(laptop)


def test_a_new_device_has_another_identity() -> None:
    centre = Centre(memory()).set_up()
    laptop = connected(centre, TEAM)
    before = recipient(laptop)
    laptop.thing(name="x")
    laptop.sync()
    with laptop.begin() as conn:
        conn.execute(sa.update(tables.device).where(tables.device.c.id == log.own(conn)).values(head="0" * 64))
    renewal.enrol_again(laptop.link)
    assert recipient(laptop) != before
    assert told(centre, laptop.device) == recipient(laptop)


def test_a_lost_reply_leaves_the_centre_the_recipient_that_the_laptop_goes_on_to_use() -> None:
    laptop = Laptop(memory())
    with laptop.begin() as conn:
        first, second = age.next_recipient(conn), age.next_recipient(conn)
        age.adopt(conn)
        assert first == second == age.recipient(conn)

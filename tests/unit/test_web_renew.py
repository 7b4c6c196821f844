"""A clone, a laptop from an old backup, one that the centre forgot: each goes on as a new one, by one button."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from aidvisit.services import renewal
from aidvisit.services import sync as service
from aidvisit.services.delivery import record_delivery
from aidvisit.services.device import enrolment_codes
from aidvisit.store import ledger
from aidvisit.store.database import db, reading, transaction
from aidvisit.store.ledger import Fact, House
from sync import blobs, clock, log
from sync.link import Link
from sync.op import uuid7
from sync.problem import Problem
from sync.transport import Reply
from tests.support import pages
from tests.support.holding import delivery, sync, user
from tests.support.homes import TOWN
from tests.support.pages import DAY, InProcess, Pages, words


class Cut(InProcess):
    """A line that is cut after the centre has answered."""

    def call(self, name: str, document: dict[str, Any], token: str | None) -> Reply:
        reply = super().call(name, document, token)
        if name == "enrol":
            raise Problem("server-unreachable", url="x")
        return reply


def lined(patch: pytest.MonkeyPatch, line: InProcess) -> None:
    """The pages of every laptop speak to the centre of this process."""
    patch.setattr(service, "link", lambda _settings: Link(transaction, House(), line, clock.wall))


@pytest.fixture
def centre(office: Pages, monkeypatch: pytest.MonkeyPatch) -> Pages:
    office.sign_in("admin")
    lined(monkeypatch, InProcess(office.app))
    return office


@pytest.fixture
def first(laptop: Pages) -> Pages:
    laptop.sign_in()
    return laptop


@contextmanager
def copy_of(node: Pages, folder: Path) -> Iterator[Pages]:
    """The files of a home, copied as they are, and run."""
    home = node.app.config["SETTINGS"].home
    with node.app.app_context():
        db.engine.dispose()
    with pages.pages(home.parent, home.name, folder) as shown:
        shown.sign_in()
        yield shown


@pytest.fixture
def clone(first: Pages, centre: Pages, tmp_path: Path) -> Iterator[Pages]:
    """A copy of the laptop, made after both had synced."""
    deliver(first, 0)
    sync(first, centre)
    with copy_of(first, tmp_path / "clone") as shown:
        yield shown


def deliver(laptop: Pages, at: int) -> str:
    """One bag to the household at this place of the list; the delivery's id."""
    household = laptop.households()[at]
    delivery = uuid7()
    rules = ("over-stock", "date", "over-allocation", "outside-allocation", "repeat-interval")
    with laptop.app.app_context():
        record_delivery(
            actor=user(laptop, "luo"), delivery=delivery, household=household.id, trip=None, date=DAY,
            lines={"rice": 1},
            received_by={"as": "head", "name": household.name}, proofs=[{"as": "paper"}],
            reasons=dict.fromkeys(rules, "核对过"),
        )  # fmt: skip
    return delivery


def deliveries(node: Pages) -> list[str]:
    """Ids, one for each row."""
    with node.app.app_context(), reading() as conn:
        return sorted(row[0] for row in conn.exec_driver_sql("SELECT id FROM delivery"))


def digests(node: Pages) -> dict[str, str]:
    with node.app.app_context(), reading() as conn:
        held = [*log.recall(conn, "grants", log.streams(conn))]
        return {stream: log.digest(conn, stream) for stream in held if stream != "office"}


def agree(centre: Pages, *laptops: Pages) -> None:
    """Replicas have the same digest, and every one's tables are what its log says."""
    at_centre = digests(centre)
    for laptop in laptops:
        assert digests(laptop).items() <= at_centre.items()
    for node in (centre, *laptops):
        with node.app.app_context(), reading() as conn:
            assert ledger.verify(conn) == []


def stops(laptop: Pages, why: str) -> None:
    answer = laptop.post("/sync/now")
    assert answer.status_code >= 400
    with laptop.app.app_context():
        found = renewal.offer()
    assert found is not None
    assert found.why == why


def device(laptop: Pages) -> str:
    with laptop.app.app_context():
        return service.own_device()


def code(centre: Pages) -> str:
    with centre.app.app_context():
        team = db_value("SELECT team FROM sync_device WHERE team IS NOT NULL")
        return enrolment_codes(actor=user(centre, "admin"), team=team)[0].code


def db_value(query: str) -> str:
    with reading() as conn:
        return str(conn.exec_driver_sql(query).scalars().first())


def test_a_clone_goes_on_by_one_button_and_both_work(first: Pages, clone: Pages, centre: Pages) -> None:
    theirs = deliver(first, 1)
    sync(first, centre)
    mine = [deliver(clone, 2), deliver(clone, 3)]
    stops(clone, "copied")
    page = words(clone.get("/sync"))
    assert "和本机一模一样的笔记本" in page
    assert "本机有 2 条还没有上报" in page, "both; who signed in is no record of the people's"
    assert "需要处理" in words(clone.get("/sync/chip"))
    before = device(clone)
    assert clone.post("/sync/renew").status_code == 422
    assert device(clone) == before, "only with the tick"
    done = clone.post("/sync/renew", {"sure": "yes"})
    assert (done.status_code, done.location) == (303, "/sync?renewed=yes")
    assert "现在是新的一台了" in words(clone.get(done.location))
    assert device(clone) != before
    for node in (clone, first, clone):
        sync(node, centre)
    assert "全部已上报" in words(clone.get("/sync/chip"))
    more = deliver(clone, 4)
    for node in (clone, first, clone):
        sync(node, centre)
    assert set(deliveries(centre)) >= {theirs, *mine, more}
    assert deliveries(centre) == deliveries(first) == deliveries(clone)
    assert words(centre.get("/devices")).count("从另一台接着来") == 1
    assert "看以前那一台" in words(centre.get(f"/devices/{device(clone)}"))
    assert clone.households()[4].id == first.households()[4].id, "the trip goes on"
    assert clone.get("/").status_code == 200, "who was signed in still is"
    agree(centre, first, clone)


def test_a_laptop_from_a_backup_that_is_older_than_its_receipt(first: Pages, clone: Pages, centre: Pages) -> None:
    gone = [deliver(first, at) for at in (1, 2, 3)]
    sync(first, centre)
    stops(clone, "older")
    assert "从旧备份恢复" in words(clone.get("/sync"))
    assert clone.post("/sync/renew", {"sure": "yes"}).status_code == 303
    sync(clone, centre)
    assert set(gone) <= set(deliveries(clone)), "what it had sent comes back"
    agree(centre, clone)


@pytest.mark.parametrize("step", ["answered", "written"])
def test_a_crash_in_between_and_pressing_again(
    first: Pages, clone: Pages, centre: Pages, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    deliver(first, 1)
    sync(first, centre)
    mine = deliver(clone, 2)
    stops(clone, "copied")
    before = device(clone)
    with monkeypatch.context() as patch:
        if step == "answered":
            lined(patch, Cut(centre.app))
        else:
            patch.setattr(log, "author", _power_goes)
        with pytest.raises(BaseException, match=r"power|cannot be reached"), clone.app.app_context():
            renewal.renew()
    assert device(clone) == before
    assert mine in deliveries(clone)
    assert clone.post("/sync/renew", {"sure": "yes"}).status_code == 303
    sync(clone, centre)
    assert deliveries(centre).count(mine) == 1
    assert len(devices(centre)) == 2, "the answer that was lost made no third one"
    agree(centre, clone)


def _power_goes(*_: object) -> None:
    raise SystemExit("power")


def devices(centre: Pages) -> list[str]:
    with centre.app.app_context(), reading() as conn:
        return [row[0] for row in conn.exec_driver_sql("SELECT id FROM field_device")]


def test_groups_and_trips_of_the_laptop_before_go_on_with_the_new_one(
    first: Pages, clone: Pages, centre: Pages
) -> None:
    """Its groups were given out by name, and one trip it had planned by itself."""
    own = uuid7()
    with centre.app.app_context(), transaction() as conn:
        trip = db_value("SELECT id FROM trip")
        given = {"devices": [{"device": device_of(conn), "groups": ["一队"]}]}
        ledger.record(conn, log.own(conn), Fact(f"trip-{trip}", "trip.released", trip, given))
    with first.app.app_context(), transaction() as conn:
        team = str(conn.exec_driver_sql("SELECT team FROM trip").scalar_one())
        plan = {"title": "自己定的", "starts": DAY, "ends": DAY, "team": team, "divisions": ["441225112207"]}
        ledger.record(conn, user(first, "luo"), Fact(f"trip-{own}", "trip.planned", own, plan))
    sync(first, centre)
    stops(clone, "copied")
    assert clone.post("/sync/renew", {"sure": "yes"}).status_code == 303
    sync(clone, centre)
    with clone.app.app_context(), reading() as conn:
        rows = conn.exec_driver_sql("SELECT trip, groups FROM trip_release WHERE device = ?", (log.own(conn),)).all()
    assert {row[0]: json.loads(row[1]) for row in rows} == {trip: ["一队"], own: []}
    sync(first, centre)
    agree(centre, first, clone)


def device_of(conn: Any) -> str:
    return str(conn.exec_driver_sql("SELECT id FROM sync_device WHERE team IS NOT NULL").scalar())


def test_a_signature_that_waits_is_sent_by_the_new_laptop(first: Pages, centre: Pages, tmp_path: Path) -> None:
    """The op that names it went up in the name of the laptop before; the drawing had not."""
    drawing = b"<svg/>"
    name = sha256(drawing).hexdigest()
    proof = {"as": "signature", "sha256": name, "bytes": len(drawing), "media_type": "image/svg+xml"}
    with first.app.app_context(), transaction() as conn:
        log.remember(conn, text_only=True)
        blobs.put(conn, name, "image/svg+xml", drawing)
        household = str(conn.exec_driver_sql("SELECT id FROM household").scalar())
        given = delivery(household, proofs=[proof], overrides=[])
        ledger.record(conn, user(first, "luo"), Fact(TOWN, "delivery.recorded", uuid7(), given))
    sync(first, centre)
    with copy_of(first, tmp_path / "copy") as copy:
        deliver(first, 1)
        sync(first, centre)
        stops(copy, "copied")
        assert copy.post("/sync/renew", {"sure": "yes"}).status_code == 303
        with copy.app.app_context(), transaction() as conn:
            log.remember(conn, text_only=None)
        sync(copy, centre)
    with centre.app.app_context(), reading() as conn:
        assert blobs.get(conn, name) == ("image/svg+xml", drawing)


def test_a_centre_that_forgot_the_laptop_takes_it_in_with_a_code(
    first: Pages, centre: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    with centre.app.app_context(), transaction() as conn:
        conn.exec_driver_sql("UPDATE sync_device SET token_hash = 'x' WHERE team IS NOT NULL")
    mine = deliver(first, 0)
    stops(first, "unknown")
    page = words(first.get("/sync"))
    assert "中心恢复了旧备份" in page
    assert "登记码" in page
    refused = first.post("/sync/renew", {"sure": "yes", "code": "AAAAA-AAAAA"})
    assert (refused.status_code, "登记码不对" in words(refused)) == (403, True)
    assert first.post("/sync/renew", {"sure": "yes"}).status_code == 401
    given = code(centre)
    with monkeypatch.context() as patch:
        lined(patch, Cut(centre.app))
        assert first.post("/sync/renew", {"sure": "yes", "code": given}).status_code == 503
    assert first.post("/sync/renew", {"sure": "yes", "code": given}).status_code == 303, "the code was not lost"
    sync(first, centre)
    assert mine in deliveries(centre)
    agree(centre, first)


def test_the_code_is_shown_to_no_other_server_without_its_fingerprint(first: Pages, centre: Pages) -> None:
    with first.app.app_context(), transaction() as conn:
        log.remember(conn, trouble=Problem("other-server").to_dict() | {"name": "other-server"})
    assert "服务器指纹" in words(first.get("/sync"))
    refused = first.post("/sync/renew", {"sure": "yes", "code": code(centre)})
    assert (refused.status_code, "指纹" in words(refused)) == (422, True)

"""What an office has to look into: one of every kind that its inbox knows, and laptops that nobody hears of."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from aidvisit.demo.signature import signature
from aidvisit.services import audit, household, inbox, pair, stock, token, trip
from aidvisit.store.database import reading, transaction
from aidvisit.store.inbox import counts, listed
from aidvisit.store.queries.importing import field_heads
from sync import clock, log
from sync.op import Op, digest_of, uuid7
from sync.problem import Problem
from sync.tables import device as device_table

if TYPE_CHECKING:
    from tests.e2e.office_scene import Office

NUMBER = "11010519491231002X"


def tell(office: Office) -> None:
    """All of it, on the scene's last day."""
    _odd_ones(office)
    _office_work(office)


def _odd_ones(office: Office) -> None:
    """One of every kind that the inbox knows, and more of some."""
    today = office.calendar.today
    on, actor = office.calendar.set(today, 0), office.users[0]
    village = office.villages(office.towns[0])[5]
    homes = office.homes[village][:24]
    new = uuid7()
    trip.plan(actor=office.own, trip=new, title="回访补发", starts=on, ends=on, team=office.teams[0],
              divisions=[village])  # fmt: skip
    trip.allocate(actor=office.own, trip=new, lines=[(home, "rice", 1) for home, _ in homes])
    stock.load(actor=actor, trip=new, date=on, lines={"rice": 60, "oil": 10})
    same, taken = signature(office.chance), b"\xff\xd8 made up \xff\xd9"
    photo = (sha256(taken).hexdigest(), "image/jpeg", taken)
    neighbour = {"as": "proxy", "name": "苏晓禾", "relation": "邻居", "id_last4": "123X"}
    for place, (home, who) in enumerate(homes):
        office.calendar.minutes(0.2 if place < 12 else 9)
        more: dict[str, Any] = {}
        if place in (12, 13):
            more = _picture("signature", same)
        elif place in (14, 15):
            more = _picture("photo", photo)
        elif place in (16, 17, 18):
            more = {"received_by": neighbour}
        elif place in (20, 21):
            more = {"at": {"lat": 235_000_000 + place % 2 * 9_000_000, "lon": 1_115_000_000, "accuracy_m": 20}}
        goods = {"rice": 1, "oil": 1} if place in (19, 22) else {"rice": 1}
        office.give(actor, home, who, new, on, goods, **more)
    office.ids["odd"] = new
    for home, who in homes[:9]:
        office.calendar.minutes(5)
        office.give(office.users[1], home, who, None, on, {"rice": 1})
    _conflicts(office, homes)
    _held(office)


def _conflicts(office: Office, homes: list[tuple[str, str]]) -> None:
    for number, (home, _) in enumerate(homes[3:7]):
        path = "head.phone" if number % 2 else "address"
        with reading() as conn:
            base = {path: field_heads(conn, home).get(path, [])}
        for user, value in zip(office.users, ("13812345678", "13812345687"), strict=False):
            said = value if number % 2 else f"镇上敬老院隔壁 {value[-2:]} 号"
            household.update(actor=user, household=home, set_={path: said}, base=base)
        office.ids["conflict"] = home


def _held(office: Office) -> None:
    for number, device in enumerate(office.devices[:4]):
        body = {
            "household": uuid7(), "date": office.calendar.today.isoformat(), "proofs": [{"as": "paper"}],
            "lines": [{"item": "rice", "quantity": 1 + number}, {"item": "oil", "quantity": 1}],
            "received_by": {"as": "head", "name": "某人"},
        }  # fmt: skip
        hlc = clock.stamp(clock.to_ms(clock.wall()), 0)
        asked = Op(device, 1000, office.towns[number % 2], hlc, office.users[0], "delivery.recorded", 1, uuid7(), body)
        problem = Problem("unknown-subject", what="household", id=body["household"]).to_dict()
        with transaction() as conn:
            log.insert_entries(conn, [log.new_entry(asked, digest_of(asked), clock.wall(), problem=problem)])


def _office_work(office: Office) -> None:
    """Twins, tokens, saved lists, laptops that were heard of or not, and an inbox that somebody works at."""
    village = office.villages(office.towns[0])[0]
    for name, number in (
        ("覃来回", "11010519491231002X"),
        ("覃来回", "11010519491231002X"),
        ("莫往返", ""),
        ("莫往反", ""),
    ):
        head = {"name": name, "born": "1950-03-04"} | ({"id_number": number} if number else {})
        body = {"kind": "household", "head": head, "division": village, "group": "一组", "size": 2,
                "categories": [{"code": "dibao"}], "members": [{"id": uuid7(), "name": "覃小弟"}]}  # fmt: skip
        household.register(actor=office.own, household=uuid7(), body=body)
    with reading() as conn:
        found = pair.likely(conn)
    if found:
        office.ids["pair"] = f"{found[0].first}/{found[0].second}"
    for name, days in (("县民政局大数据平台(每日同步)", 90), ("年审导出", 7)):
        token.make(
            actor=office.admin, name=name, user=office.admin, wanted=["household.read", "report.read"], days=days
        )
    for home, _ in office.homes[village][:3]:
        household.reveal(actor=office.clerk, household=home)
    audit.record(office.clerk, audit.EXPORT, rows=312, detail="report")
    _heard(office)
    inbox.look(office.calendar.now)
    with reading() as conn:
        said = counts(conn)
        waits = {kind: listed(conn, kind=kind)[0] for kind in said}
    inbox.assign(actor=office.admin, items=[one.id for one in waits["duplicate"][:3]], user=office.clerk)
    for one in waits["duplicate"][-2:]:
        inbox.settle(actor=office.clerk, items=[one.id], verdict="both-right", reason="二队补发上次受潮的米,村委证实")
    if waits.get("outside"):
        inbox.settle(
            actor=office.clerk, items=[waits["outside"][0].id], verdict="answered", reason="当场多出一桶,队长同意"
        )


def _heard(office: Office) -> None:
    now = office.calendar.now
    said = (
        (0, '{"version": "1.0.0", "waiting": 0, "disk_free_bytes": 64000000000, "blobs_waiting": 0}'),
        (4, '{"version": "1.0.0", "waiting": 12, "disk_free_bytes": 400000000, "blobs_waiting": 31}'),
        (60 * 26, '{"version": "0.9.3", "waiting": 0, "disk_free_bytes": 12000000000}'),
        (60 * 24 * 12, '{"version": "0.9.3", "waiting": 3}'), (60 * 24 * 45, None),
    )  # fmt: skip
    with transaction() as conn:
        for one, (minutes, status) in zip(office.devices, said, strict=False):
            seen = (now - timedelta(minutes=minutes)).isoformat()
            values = {"seen_at": seen, "status": status}
            conn.execute(sa.update(device_table).where(device_table.c.id == one).values(values))
    office.ids["device"] = office.devices[1]


def _picture(what: str, blob: tuple[str, str, bytes]) -> dict[str, Any]:
    return {"proofs": [{"as": what, "sha256": blob[0], "bytes": len(blob[2]), "media_type": blob[1]}], "blobs": [blob]}

"""Two teams in two counties at one centre, and the laptop of the first: to ask for the one's data as the other."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path

from aidvisit import config
from aidvisit.cli.home import opened
from aidvisit.domain.rights import ROLES
from aidvisit.services import account, catalog, delivery, inbox, stock
from aidvisit.services.device import enrolment_codes
from aidvisit.services.vault import reseal
from aidvisit.store import ledger
from aidvisit.store.database import transaction
from aidvisit.store.inbox import Found
from aidvisit.store.ledger import Fact, House
from aidvisit.store.vault import Vault
from sync import blobs, client, clock, identity, joining, log, server
from sync.link import Link
from sync.op import Op, digest_of, uuid7
from sync.problem import Problem
from tests.support.homes import PASSWORD
from tests.support.pages import DAY, DEAD, InProcess

OURS, THEIRS = "441225112207", "441226101201"
HEAD = "head"
"""Login of an administrator of everything; those of the first team are their role."""


@dataclass(frozen=True, slots=True)
class Side:
    """What one team has: ids, and texts that stand on pages."""

    team: str
    team_name: str
    user: str
    user_name: str
    device: str
    device_name: str
    household: str
    name: str
    id_number: str
    visit: str
    trip: str
    title: str
    sha256: str
    drawing: str
    held: str
    """<device>/<seq> of a delivery to a household that nobody has sent."""
    village: str
    seen: str
    """<device>/<seq> of the household's registration."""
    twin: str
    """The same household, registered twice."""
    pair: str
    """<twin>/<household>"""
    paper: str
    """Its truck's loading slip."""
    delivery: str
    item: str
    """What the inbox has about `held`."""

    def texts(self) -> set[str]:
        return set(asdict(self).values())


def nothing() -> Side:
    """Ids and words that nobody has."""
    ids = {field: uuid7() for field in Side.__slots__}
    return Side(
        **{
            **ids,
            "sha256": sha256(uuid7().encode()).hexdigest(),
            "held": f"{uuid7()}/1000",
            "pair": f"{uuid7()}/{uuid7()}",
        }
    )


@dataclass(frozen=True, slots=True)
class Homes:
    """The folder with `central` and `field`, and what the two teams have."""

    folder: Path
    ours: Side
    theirs: Side


def make(folder: Path) -> Homes:
    """Everybody's password is alike."""
    with opened(config.write(folder / "central", role="central")) as centre:
        with transaction() as conn:
            own = server.set_up(conn, name="办公室", now=clock.wall())
        catalog.seed(actor=own, around=OURS[:9])
        head = account.add_team(actor=own, name="总队", level=1)
        _person(own, HEAD, "总管", "admin", head)
        line = InProcess(centre)
        field = config.write(folder / "field", role="field", server_url=DEAD)
        vault = Vault(folder / "field")
        vault.create()
        link = Link(transaction, House(), line, clock.wall)
        sides = []
        for name, village in (("甲", OURS), ("乙", THEIRS)):
            team = account.add_team(actor=own, name=f"{name}县慰问队", divisions=[village[:6]])
            user = _person(own, f"login-{name}", f"{name}先生", "volunteer", team)
            code = enrolment_codes(actor=own, team=team)[0].code
            if village == OURS:
                for role in ROLES:
                    _person(own, role, f"队里的{role}", role, team)
                with opened(field, vault):
                    device = joining.enrol(link, name=f"{name}号笔记本", code=code)
            else:
                asked = {"name": f"{name}号笔记本", "public_key": identity.KeyPair.generate().public, "code": code}
                device = line.call("enrol", asked, None).document["device"]
            sides.append(_side(own, name, village, team, user, device))
        with opened(field, vault):
            client.sync_once(link)
            reseal()
            _deliver(sides[0])
            client.sync_once(link)
        _deliver(sides[1])
        with transaction() as conn:
            blobs.put(conn, sides[0].sha256, "image/svg+xml", sides[0].drawing.encode())
        inbox.look()
    return Homes(folder, *sides)


def _person(own: str, login: str, name: str, role: str, team: str) -> str:
    return account.add_user(actor=own, login=login, name=name, role=role, team=team, password=PASSWORD)


def _side(own: str, name: str, village: str, team: str, user: str, device: str) -> Side:
    drawing = f"<svg><title>{name}的签名</title></svg>"
    digits = {"甲": "11010519491231002X", "乙": "441225195001010010"}[name]
    household, twin = uuid7(), uuid7()
    side = Side(
        team=team, team_name=f"{name}县慰问队", user=user, user_name=f"{name}先生", device=device,
        device_name=f"{name}号笔记本", household=household, name=f"{name}太婆", id_number=digits, visit=uuid7(),
        trip=uuid7(), title=f"{name}村走访", sha256=sha256(drawing.encode()).hexdigest(), drawing=drawing,
        held=f"{device}/1000", village=village, seen="",
        twin=twin, pair=f"{twin}/{household}", paper=uuid7(), delivery=uuid7(),
        item=Found("held", f"{device}/1000", "").id,
    )  # fmt: skip
    stream = f"trip-{side.trip}"
    head = {"name": side.name, "id_number": digits, "phone": "13800000000"}
    with transaction() as conn:
        entries = ledger.record(
            conn,
            own,
            *(
                Fact(village[:9], "household.registered", one,
                     {"kind": "household", "head": head, "division": village, "group": "一组", "categories": []})
                for one in (side.household, side.twin)
            ),
            Fact(village[:9], "visit.recorded", side.visit,
                 {"household": side.household, "date": DAY, "outcome": "met", "purposes": ["regular"], "by": [user]}),
            Fact(stream, "trip.planned", side.trip,
                 {"title": side.title, "starts": DAY, "ends": DAY, "team": team, "divisions": [village]}),
            Fact(stream, "allocation.set", side.trip,
                 {"lines": [{"household": side.household, "item": "rice", "quantity": 2}]}),
            Fact(stream, "trip.released", side.trip, {"devices": [{"device": device}]}),
        )  # fmt: skip
    side = replace(side, seen=entries[0].name)
    stock.load(actor=own, trip=side.trip, date=DAY, lines={"rice": 9}, move=side.paper)
    _hold(side, village[:9])
    return side


def _hold(side: Side, town: str) -> None:
    """Something of its laptop waits at the centre for a decision."""
    body = {
        "household": uuid7(), "date": DAY, "lines": [{"item": "rice", "quantity": 1}], "proofs": [{"as": "paper"}],
        "received_by": {"as": "head", "name": "某人"},
    }  # fmt: skip
    hlc = clock.stamp(clock.to_ms(clock.wall()), 0)
    asked = Op(side.device, 1000, town, hlc, side.user, "delivery.recorded", 1, uuid7(), body)
    problem = Problem("unknown-subject", what="household", id=body["household"]).to_dict()
    with transaction() as conn:
        log.insert_entries(conn, [log.new_entry(asked, digest_of(asked), clock.wall(), problem=problem)])


def _deliver(side: Side) -> None:
    """One bag of two, signed for; with its drawing, which stays where it was made."""
    drawn = {"sha256": side.sha256, "bytes": len(side.drawing.encode()), "media_type": "image/svg+xml"}
    delivery.record_delivery(
        actor=side.device, delivery=side.delivery, household=side.household, trip=side.trip, date=DAY,
        lines={"rice": 1}, received_by={"as": "head", "name": side.name}, proofs=[{"as": "signature", **drawn}],
        blobs=[(side.sha256, "image/svg+xml", side.drawing.encode())],
    )  # fmt: skip

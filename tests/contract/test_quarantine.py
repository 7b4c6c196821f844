"""What cannot stand yet is kept, named, and let go when its reason goes away (docs/protocol.md 2, promise 4)."""

from __future__ import annotations

import pytest

from sync import quarantine
from tests.contract.bodies import SALT, deliver, delivery, household, moved, register, trip
from tests.contract.conftest import TOWN, Office, one_database
from tests.support.client import URN, Device, Document, Refused, enrol, new_id


def problems(answer: Document) -> dict[int, str]:
    """Names of problems by seq."""
    found = {}
    for told in answer["quarantined"]:
        assert set(told) == {"seq", "problem"}
        assert told["problem"]["type"].startswith(URN)
        found[told["seq"]] = told["problem"]["type"].removeprefix(URN)
    return found


def news(device: Device, cursors: Document, kind: str) -> list[Document]:
    return [op for op in device.pull_all(cursors)[0] if op["kind"] == kind]


BAD_BODIES: dict[str, Document] = {
    "empty": {},
    "no head": {"kind": "household", "division": f"{TOWN}207", "categories": []},
    "size below zero": household(TOWN, size=-1),
    "name too long": household(TOWN, "陈" * 101),
    "kind of its own": household(TOWN, kind="family"),
    "division of another town": household("440785100"),
    "an institution without a name": household(TOWN, kind="institution"),
    "a date that is none": household(TOWN, categories=[{"code": "dibao", "since": "2021-02-29"}]),
}


@pytest.mark.parametrize("case", BAD_BODIES)
@one_database
def test_invalid_body(office: Office, case: str) -> None:
    device = office.laptop(office.town_team)
    device.say(TOWN, "household.registered", BAD_BODIES[case])
    register(device, TOWN)
    answer = device.push()
    assert answer["through"] == 2, "it is not in the way of what comes behind"
    assert problems(answer) == {1: "invalid-body"}


def test_quantities_and_dates_of_a_delivery(device: Device, town: str) -> None:
    house = register(device, town)
    for body in (
        delivery(house, lines=[]),
        delivery(house, lines=[{"item": "rice", "quantity": 0}]),
        delivery(house, lines=[{"item": "rice", "quantity": -2}]),
        delivery(house, lines=[{"item": "rice", "quantity": True}]),
        delivery(house, lines=[{"item": "rice", "quantity": "2"}]),
        delivery(house, date="30.12.2020"),
        delivery(house, household="house"),
        {name: value for name, value in delivery(house).items() if name != "received_by"},
    ):
        device.say(town, "delivery.recorded", body)
    assert problems(device.push()) == dict.fromkeys(range(2, 10), "invalid-body")


def test_unknown_kind_and_newer_version(device: Device, town: str) -> None:
    device.say(town, "cow.milked", {"litres": 3})
    device.say(town, "household.registered", household(town), v=2)
    register(device, town)
    assert problems(device.push()) == {1: "unknown-kind", 2: "unknown-kind"}


ONLY_THE_CENTRE: list[tuple[str, str, Document]] = [
    ("org", "category.defined", {"code": "x", "name": "x", "level": "household", "synonyms": []}),
    ("org", "item.defined", {"code": "x", "name": "x", "unit": "袋", "class": "food"}),
    ("org", "place.defined", {"code": "x", "name": "x", "kind": "warehouse"}),
    ("org", "team.defined", {"name": "x", "type": "team", "level": 3, "divisions": ["44"]}),
    ("org", "team.updated", {"set": {"name": "x"}, "base": {}}),
    ("org", "device.revoked", {"reason": "x"}),
    ("org", "stock.moved", moved()),
    (TOWN, "op.released", {"device": new_id(), "seq": 1, "reason": "x"}),
    (TOWN, "op.dismissed", {"device": new_id(), "seq": 1, "reason": "x"}),
]


@pytest.mark.parametrize(("stream", "kind", "body"), ONLY_THE_CENTRE, ids=[kind for _, kind, _ in ONLY_THE_CENTRE])
@one_database
def test_what_only_the_centre_may_say(office: Office, stream: str, kind: str, body: Document) -> None:
    device, witness = office.laptop(office.town_team), office.laptop(office.town_team)
    cursors = witness.here()
    device.say(stream, kind, body)
    assert problems(device.push()) == {1: "not-allowed"}
    assert witness.pull_all(cursors)[0] == [], "in no pull"


def test_a_laptop_may_define_nobody_and_release_no_trip(office: Office, device: Device) -> None:
    plan = new_id()
    person = {"login": "x", "name": "x", "role": "admin", "password_hash": "x", "active": True}
    key = {"public": "p", "wrapped": "w", "salt": "s", "params": {}}
    device.say(f"trip-{plan}", "trip.planned", trip(office.county_team), plan)
    device.say(f"trip-{plan}", "trip.released", {"devices": [{"device": device.id}]}, plan)
    device.say(f"team-{office.county_team}", "user.defined", person | {"key": key})
    assert problems(device.push()) == {2: "not-allowed", 3: "not-allowed"}


def test_not_granted(office: Office, town: str) -> None:
    device = office.laptop(office.idle_team)
    witness = office.laptop(office.county_team)
    cursors = witness.here()
    register(device, town)
    device.say(f"trip-{new_id()}", "stock.moved", moved())
    assert problems(device.push()) == {1: "not-granted", 2: "not-granted"}
    assert witness.pull_all(cursors)[0] == []


def test_a_stream_that_cannot_be(device: Device) -> None:
    """A name that no stream may have holds nothing, whatever reason is told."""
    for stream in ("44", "tripe", "team-x", "ORG", "441225112 ", "４４１２２５１１２", "x" * 1000):
        device.say(stream, "household.registered", household("441225112"))
    assert set(problems(device.push())) == set(range(1, 8))


def test_a_county_stands_for_every_town_defined_or_not(device: Device, other: Device, town: str) -> None:
    assert town not in other.pull()["grants"], "grants lists the towns that exist"
    cursors = other.here()
    register(device, town)
    assert problems(device.push()) == {}
    page = other.pull(cursors)
    assert town in page["grants"]
    assert [op["stream"] for op in page["ops"] if op["stream"] == town] == [town]


def test_subject_exists(device: Device, other: Device, town: str) -> None:
    house = register(device, town)
    device.push()
    cursors = device.here()
    other.say(town, "household.registered", household(town, "另一人"), house)
    other.say(town, "household.registered", household(town), house)
    assert problems(other.push()) == {1: "subject-exists"}
    ops, _ = device.pull_all(cursors)
    same = [(op["device"], op["seq"], op["n"]) for op in ops if op["stream"] == town]
    assert same == [(other.id, 2, 2)], "an equal one is stored and numbered"


def test_subject_exists_within_one_push(device: Device, town: str) -> None:
    house = register(device, town)
    device.say(town, "household.registered", household(town, "另一人"), house)
    assert problems(device.push()) == {2: "subject-exists"}


def test_a_subject_of_another_kind_or_stream_exists_too(device: Device, town: str) -> None:
    house = register(device, town)
    device.say(town, "delivery.recorded", delivery(house), house)
    elsewhere = f"{town[:6]}{int(town[6:]) - 400:03d}"
    device.say(elsewhere, "household.registered", household(elsewhere), house)
    assert problems(device.push()) == {2: "subject-exists", 3: "subject-exists"}


def test_a_delivery_waits_for_its_household(device: Device, other: Device, town: str) -> None:
    """Unknown today; the household arrives from another laptop; the centre lets go and says so to the author."""
    house = new_id()
    deliver(device, town, house)
    first = device.push()
    assert (first["through"], problems(first)) == (1, {1: "unknown-subject"})
    cursors, others = device.here(), other.here()
    assert others.get(town, 0) == 0, "it has no number yet"

    other.say(town, "household.registered", household(town), house)
    assert problems(other.push()) == {}

    ops, _ = device.pull_all(cursors)
    told = [op for op in ops if op["stream"] == town]
    assert [op["kind"] for op in told] == ["household.registered", "op.released"]
    released = told[1]
    assert (released["body"]["device"], released["body"]["seq"]) == (device.id, 1)
    assert released["body"]["reason"]
    assert released["device"] == device.server["device"]
    arrived = [(op["kind"], op["n"]) for op in other.pull_all(others)[0] if op["stream"] == town]
    assert arrived == [("delivery.recorded", 2), ("op.released", 3)]
    assert problems(device.push()) == {}, "told again it is done"


def test_what_waits_in_the_same_push_is_let_go_behind_it(device: Device, other: Device, town: str) -> None:
    house = new_id()
    gift = deliver(device, town, house)
    device.say(town, "visit.recorded", visit(house))
    device.say(town, "household.registered", household(town), house)
    cursors = device.here()
    assert problems(device.push()) == {1: "unknown-subject", 2: "unknown-subject"}
    assert {op["body"]["seq"] for op in news(device, cursors, "op.released")} == {1, 2}
    ops = [op for op in other.pull_all()[0] if op["stream"] == town]
    assert ops[0]["subject"] == house
    assert {gift} <= {op["subject"] for op in ops}
    assert [op["n"] for op in ops] == [1, 2, 3, 4, 5]


def visit(house: str) -> Document:
    said = {"date": "2020-12-30", "outcome": "met", "purposes": ["regular"], "by": [], "salt": SALT}
    return {"household": house, **said}


@pytest.mark.parametrize("kind", ["household.updated", "household.closed", "visit.recorded"])
def test_everything_about_a_household_waits_for_it(device: Device, town: str, kind: str) -> None:
    house = new_id()
    bodies = {
        "household.updated": {"set": {"note": "x"}, "base": {}, "salt": SALT},
        "household.closed": {"reason": "died", "date": "2020-12-30", "salt": SALT},
        "visit.recorded": visit(house),
    }
    device.say(town, kind, bodies[kind], None if kind == "visit.recorded" else house)
    assert problems(device.push()) == {1: "unknown-subject"}
    device.say(town, "household.registered", household(town), house)
    device.push()
    assert problems(device.push()) == {}


def test_a_chain_of_reasons_goes_away_link_by_link(device: Device, town: str) -> None:
    """What is let go may itself be what others wait for."""
    plan = new_id()
    device.say(f"trip-{plan}", "trip.locked", {}, plan)
    device.say(f"trip-{plan}", "trip.updated", {"set": {"title": "x"}, "base": {}}, plan)
    cursors = device.here()
    first = problems(device.push())
    assert set(first) == {1, 2}
    device.say(f"trip-{plan}", "trip.planned", trip(new_id()), plan)
    assert 3 not in problems(device.push())
    assert problems(device.push()) == {}
    assert {op["body"]["seq"] for op in news(device, cursors, "op.released")} == {1, 2}


def test_a_household_of_another_stream_is_not_this_one(device: Device, town: str) -> None:
    house = register(device, town)
    elsewhere = f"{town[:6]}{int(town[6:]) - 400:03d}"
    deliver(device, elsewhere, house)
    assert problems(device.push()) == {2: "unknown-subject"}


def test_nothing_of_another_stream_is_required(device: Device, town: str) -> None:
    """A trip, a visit, a user or a delivery that this stream cannot know keeps nothing out."""
    house = register(device, town)
    body = delivery(house, trip=new_id(), visit=new_id(), handed_by=[new_id()], replaces=new_id())
    device.say(town, "delivery.recorded", body)
    device.say(town, "delivery.voided", {"reason": "x", "salt": SALT})
    assert problems(device.push()) == {}


def test_what_is_only_odd_is_never_kept_out(device: Device, town: str) -> None:
    house = register(device, town, "老人")
    lines = [{"item": "no-such-item", "quantity": 10**12}]
    device.say(town, "delivery.recorded", delivery(house, lines=lines, date="2099-01-01"))
    device.say(town, "delivery.recorded", delivery(house))
    device.say(town, "delivery.recorded", delivery(house))
    device.say(town, "household.closed", {"reason": "died", "date": "2020-12-30", "salt": SALT}, house)
    device.say(town, "delivery.recorded", delivery(house, **{"from": "warehouse:nowhere"}))
    device.say(town, "household.registered", household(town, categories=[{"code": "no-such-category"}]))
    device.say(town, "household.updated", {"set": {"division": f"{town}999"}, "base": {}, "salt": SALT}, house)
    device.say(town, "household.updated", {"set": {"a.later.path": 1}, "base": {}, "salt": SALT}, house)
    assert problems(device.push()) == {}


def test_an_op_without_salt_is_not_refused(device: Device, town: str) -> None:
    device.say(town, "household.registered", {k: v for k, v in household(town).items() if k != "salt"})
    assert problems(device.push()) == {}


def test_a_void_may_come_before_its_delivery(device: Device, other: Device, town: str) -> None:
    cursors = other.here()
    gift = new_id()
    device.say(town, "delivery.voided", {"reason": "错户", "salt": SALT}, gift)
    house = register(device, town)
    device.say(town, "delivery.recorded", delivery(house), gift)
    assert problems(device.push()) == {}
    assert [op["kind"] for op in other.pull_all(cursors)[0] if op["stream"] == town] == [
        "delivery.voided",
        "household.registered",
        "delivery.recorded",
    ]


def test_a_laptop_may_plan_a_trip_and_is_granted_nothing_else(office: Office, town: str) -> None:
    device = office.laptop(office.idle_team)
    plan = new_id()
    device.say(f"trip-{plan}", "trip.planned", trip(office.idle_team, divisions=[f"{town}207"]), plan)
    device.say(f"trip-{plan}", "stock.moved", moved(f"truck:{plan}"))
    register(device, town)
    assert problems(device.push()) == {3: "not-granted"}
    assert set(device.pull()["grants"]) == {"org", f"team-{office.idle_team}", f"trip-{plan}"}


def test_the_trips_of_the_device_before_are_granted_to_the_one_that_it_becomes(office: Office, town: str) -> None:
    """Planned by itself, and carried in a group by name: the copy that goes on has both, and the first one too."""
    earlier = office.laptop(office.idle_team)
    own, carried = new_id(), new_id()
    earlier.say(f"trip-{own}", "trip.planned", trip(office.idle_team, divisions=[f"{town}207"]), own)
    assert problems(earlier.push()) == {}
    office.record(f"trip-{carried}", "trip.planned", carried, trip(office.idle_team, divisions=[f"{town}207"]))
    given = {"devices": [{"device": earlier.id, "groups": ["一组"]}]}
    office.record(f"trip-{carried}", "trip.released", carried, given)
    later = enrol(office.line(), token=earlier.token)
    assert {f"trip-{own}", f"trip-{carried}"} <= set(later.pull()["grants"])
    assert {f"trip-{own}", f"trip-{carried}"} <= set(earlier.pull()["grants"])
    told = [op for op in later.pull_all()[0] if op["kind"] == "trip.released" and op["subject"] == carried]
    groups = {one["device"]: one.get("groups", []) for one in told[-1]["body"]["devices"]}
    assert groups == {earlier.id: ["一组"], later.id: ["一组"]}


def test_what_a_person_decided_stays_decided_when_it_is_sent_again(office: Office, town: str) -> None:
    device = office.laptop()
    for _ in range(2):
        deliver(device, town, new_id())
    device.push()
    accepted, refused = (f"{device.id}/{seq}" for seq in (1, 2))
    office.centre.command("central", "held", "release", accepted, "--reason", "查过")
    office.centre.command("central", "held", "dismiss", refused, "--reason", "重复")
    assert problems(device.push()) == {2: "unknown-subject"}
    told = [op for op in device.pull_all()[0] if op["kind"].startswith("op.") and op["body"]["device"] == device.id]
    said = {op["kind"]: op["body"] for op in told}
    assert said["op.released"].items() >= {"device": device.id, "seq": 1, "reason": "查过"}.items()
    assert said["op.dismissed"].items() >= {"device": device.id, "seq": 2, "reason": "重复"}.items()
    assert office.centre.command("central", "held", "release", refused, "--reason", "x") == {"released": 0}


def test_a_released_trip_grants_its_stream_and_its_towns(office: Office, town: str) -> None:
    """What waited for the grant is let go; of what its author cannot read, its team's stream tells."""
    driver, planner = office.laptop(office.idle_team), office.laptop(office.county_team)
    plan = new_id()
    stream = f"trip-{plan}"
    driver.say(stream, "stock.moved", moved(f"truck:{plan}"))
    deliver(driver, town, register(driver, town))
    assert problems(driver.push()) == {1: "not-granted", 2: "not-granted", 3: "not-granted"}
    cursors = driver.here()

    planner.say(stream, "trip.planned", trip(office.idle_team, divisions=[f"{town}207"]), plan)
    assert problems(planner.push()) == {}
    office.record(stream, "trip.released", plan, {"devices": [{"device": driver.id}]})

    page = driver.pull(cursors)
    assert {stream, town} <= set(page["grants"])
    released = {op["body"]["seq"] for op in page["ops"] if op["kind"] == "op.released"}
    assert released == {1, 2, 3}, "the delivery too, which waits for the household by then"
    assert problems(driver.push()) == {}


def test_what_was_kept_out_takes_no_number(device: Device, other: Device, town: str) -> None:
    cursors = other.here()
    for _ in range(3):
        device.say(town, "cow.milked", {})
        register(device, town)
    assert set(problems(device.push())) == {1, 3, 5}
    assert [(op["seq"], op["n"]) for op in other.pull_all(cursors)[0] if op["stream"] == town] == [
        (2, 1),
        (4, 2),
        (6, 3),
    ]


def test_a_person_lets_go_what_the_author_may_not_read(office: Office, town: str) -> None:
    """Its number is of its own stream; its author learns of it in its team's."""
    device, witness = office.laptop(office.idle_team), office.laptop()
    register(device, town)
    device.push()
    cursors, others = device.here(), witness.here()
    assert office.decide(quarantine.release, device.id, 1)
    told = news(device, cursors, "op.released")
    assert [(op["stream"], op["body"]["seq"]) for op in told] == [(f"team-{office.idle_team}", 1)]
    assert told[0]["body"]["reason"] == "问过队长"
    assert [op["n"] for op in witness.pull_all(others)[0] if op["stream"] == town] == [1]
    assert problems(device.push()) == {}
    assert not office.decide(quarantine.release, device.id, 1), "once"


def test_what_is_dismissed_stays_out(device: Device, other: Device, office: Office, town: str) -> None:
    house = new_id()
    deliver(device, town, house)
    register(device, town)
    device.push()
    cursors = device.here()
    assert office.decide(quarantine.dismiss, device.id, 1)
    other.say(town, "household.registered", household(town), house)
    other.push()
    ops = [op["kind"] for op in device.pull_all(cursors)[0] if op["stream"] == town]
    assert ops == ["op.dismissed", "household.registered"]
    assert house not in [op["body"]["household"] for op in news(other, {}, "delivery.recorded")]
    assert device.pull()["through"] == 2


def test_a_device_that_the_centre_revokes(office: Office, device: Device, other: Device) -> None:
    cursors = other.here()
    office.record("org", "device.revoked", device.id, {"reason": "丢失"})
    with pytest.raises(Refused) as caught:
        device.pull()
    assert (caught.value.status, caught.value.name) == (403, "device-revoked")
    assert [op["subject"] for op in news(other, cursors, "device.revoked")] == [device.id]

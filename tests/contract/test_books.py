"""What was pushed is what the centre counts: the trip's books, in whatever order its ops arrived (section 5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import permutations

import pytest

from tests.contract.bodies import SALT, delivery, household, moved, register, trip
from tests.contract.conftest import Office
from tests.support.client import Device, Document, new_id


@dataclass
class Trip:
    """A trip with 40 bags on the truck and one household, said by one laptop."""

    device: Device
    town: str
    id: str = field(default_factory=new_id)
    house: str = field(default_factory=new_id)

    def load(self) -> None:
        stream = f"trip-{self.id}"
        self.device.say(stream, "trip.planned", trip(new_id(), divisions=[f"{self.town}207"]), self.id)
        lines = [{"item": "rice", "quantity": 40}]
        self.device.say(stream, "stock.moved", moved(f"truck:{self.id}", lines=lines))
        self.device.say(self.town, "household.registered", household(self.town), self.house)

    def gift(self, quantity: int, **more: object) -> Document:
        body = delivery(self.house, trip=self.id, lines=[{"item": "rice", "quantity": quantity}], **more)
        return {name: value for name, value in body.items() if name != "from"}


@pytest.fixture
def plan(device: Device, town: str) -> Trip:
    return Trip(device, town)


def test_what_was_given_is_off_the_truck(office: Office, plan: Trip) -> None:
    plan.load()
    plan.device.say(plan.town, "delivery.recorded", plan.gift(2))
    plan.device.say(plan.town, "delivery.recorded", plan.gift(3))
    plan.device.push()
    plan.device.push()
    assert office.books(plan.id) == {"rice": {"loaded": 40, "delivered": 5, "on_truck": 35}}


def test_what_is_kept_out_is_not_counted(office: Office, plan: Trip, other: Device) -> None:
    plan.load()
    plan.device.push()
    stranger = new_id()
    other.say(plan.town, "delivery.recorded", {**plan.gift(2), "household": stranger})
    assert len(other.push()["quarantined"]) == 1
    assert office.books(plan.id) == {"rice": {"loaded": 40, "on_truck": 40}}
    register(other, plan.town)
    other.say(plan.town, "household.registered", household(plan.town), stranger)
    other.push()
    assert office.books(plan.id) == {"rice": {"loaded": 40, "delivered": 2, "on_truck": 38}}


@pytest.mark.parametrize("order", list(permutations(["given", "void", "corrected"])), ids="-".join)
def test_voids_and_corrections_in_any_order(office: Office, plan: Trip, order: tuple[str, ...]) -> None:
    """A wrong entry of 9 is voided, a second one replaced by a third: 2 + 4 bags were given."""
    plan.load()
    wrong, first = new_id(), new_id()
    said = {
        "given": ("delivery.recorded", plan.gift(9), wrong),
        "void": ("delivery.voided", {"reason": "错户", "salt": SALT}, wrong),
        "corrected": ("delivery.recorded", plan.gift(4, replaces=first), new_id()),
    }
    for name in order:
        kind, body, subject = said[name]
        plan.device.say(plan.town, kind, body, subject)
    plan.device.say(plan.town, "delivery.recorded", plan.gift(2))
    plan.device.say(plan.town, "delivery.recorded", plan.gift(7), first)
    plan.device.push()
    # The correction counts, not what it replaces, though that one came later.
    assert office.books(plan.id) == {"rice": {"loaded": 40, "delivered": 6, "on_truck": 34}}


def test_the_books_of_a_trip_survive_a_rebuild(office: Office, plan: Trip) -> None:
    plan.load()
    wrong = new_id()
    plan.device.say(plan.town, "delivery.voided", {"reason": "错户", "salt": SALT}, wrong)
    plan.device.say(plan.town, "delivery.recorded", plan.gift(9), wrong)
    plan.device.say(plan.town, "delivery.recorded", plan.gift(2))
    plan.device.push()
    digests = office.centre.command("digest")
    assert office.books(plan.id) == {"rice": {"loaded": 40, "delivered": 2, "on_truck": 38}}
    office.centre.command("rebuild")
    assert office.books(plan.id) == {"rice": {"loaded": 40, "delivered": 2, "on_truck": 38}}
    assert office.centre.command("digest") == digests
    office.centre.command("verify")

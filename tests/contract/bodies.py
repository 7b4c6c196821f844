"""Bodies of facts, written from docs/facts by hand, and how a device says them."""

from __future__ import annotations

from typing import Any

from tests.support.client import Device, Document

SALT = "AAECAwQFBgc"


def household(stream: str, name: str = "陈明生", **more: Any) -> Document:
    head = {"name": name, "sex": "M"}
    division = f"{stream}207"
    return {"kind": "household", "head": head, "division": division, "categories": [], "salt": SALT} | more


def delivery(to: str, **more: Any) -> Document:
    return {
        "household": to, "date": "2020-12-30", "from": "warehouse:main", "lines": [{"item": "rice", "quantity": 2}],
        "received_by": {"as": "head", "name": "陈明生"}, "proofs": [{"as": "none", "reason": "手伤"}], "salt": SALT,
    } | more  # fmt: skip


def trip(team: str, **more: Any) -> Document:
    plan = {"title": "民强村", "starts": "2020-12-30", "ends": "2020-12-31", "team": team, "divisions": []}
    return plan | more


def moved(to: str = "held:village", **more: Any) -> Document:
    lines = [{"item": "rice", "quantity": 5}]
    return {"from": "warehouse:main", "to": to, "date": "2020-12-30", "lines": lines} | more


def register(device: Device, stream: str, name: str = "陈明生", **more: Any) -> str:
    """Author a household; its id."""
    return str(device.say(stream, "household.registered", household(stream, name), **more)["subject"])


def deliver(device: Device, stream: str, to: str, **more: Any) -> str:
    """Author a delivery; its id."""
    return str(device.say(stream, "delivery.recorded", delivery(to), **more)["subject"])

"""Laptops that only have a log: what they push is made before anything is timed. And a centre to push it to."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Engine

from aidvisit.domain.facts import item_subject
from aidvisit.store import ledger, migrations
from aidvisit.store.database import open_engine, writing
from aidvisit.store.ledger import Fact
from sync import clock, identity, log, server
from sync.op import ZERO, Op, chain, check_op, uuid7
from sync.wire import to_travel

NOW = datetime(2020, 12, 30, 4, 0, tzinfo=UTC)
NOTES = "路上下雨老人在家收下米油两样都好孩子上学去了屋顶漏水要修冬衣不够腿疼走不远邻居帮忙抬进屋里说谢谢大家"


@dataclass(frozen=True, slots=True)
class Laptop:
    device: str
    token: str
    town: str
    key: identity.KeyPair


def new_centre(url: str) -> Engine:
    """An empty centre, with the goods that are given."""
    engine = open_engine(url)
    migrations.migrate(engine)
    with writing(engine) as conn:
        own = server.set_up(conn, name="bench", now=NOW)
        goods = [
            Fact("org", "item.defined", item_subject(code), {"code": code, "name": code, "unit": "袋", "class": "food"})
            for code in ("rice", "oil", "nuts")
        ]
        ledger.record(conn, own, *goods, now=NOW)
    return engine


def enrol(engine: Engine, town: str) -> Laptop:
    """A laptop of a new team that works in one town."""
    laptop = Laptop(uuid7(), identity.new_token(), town, identity.KeyPair.generate())
    hashed, team = identity.hash_secret(laptop.token), uuid7()
    body = {"name": "bench", "public_key": laptop.key.public, "team": team}
    works = {"name": "bench", "type": "team", "level": 3, "divisions": [town]}
    with writing(engine) as conn:
        log.add_device(
            conn, laptop.device, name="bench", public_key=laptop.key.public, now=NOW, team=team, token_hash=hashed
        )
        facts = [Fact("org", "team.defined", team, works), Fact("org", "device.enrolled", laptop.device, body)]
        ledger.record(conn, log.own(conn), *facts, now=NOW)
    return laptop


def facts(town: str, households: int, deliveries: int, seed: int) -> Iterator[Fact]:
    """Households of a town and then what they were given: two items each, a note of 20 characters on one in three."""
    chance = random.Random(seed)
    ids = [uuid7() for _ in range(households)]
    for number, one in enumerate(ids):
        person = {"name": f"陈{number}", "phone": f"138{chance.randrange(10**8):08}", "id_number": "11010519491231002X"}
        body = {"kind": "household", "head": person, "division": f"{town}{number % 20 + 201:03}", "group": "一队"}
        categories = [{"code": "dibao"}] if number % 2 else []
        yield Fact(
            town, "household.registered", one, {**body, "size": 2, "categories": categories, "salt": _salt(chance)}
        )
    for number in range(deliveries):
        body = {
            "household": ids[number % households],
            "date": f"20{number % 12 + 10}-12-{number % 27 + 1:02}",
            "from": "warehouse:main",
            "lines": [{"item": "rice", "quantity": 1}, {"item": "oil", "quantity": chance.randrange(1, 4)}],
            "received_by": {"as": "head", "name": f"陈{number % households}"},
            "proofs": [{"as": "paper", "page": number // 20 + 1, "row": number % 20 + 1}],
            "salt": _salt(chance),
        }
        if number % 3 == 0:
            body["note"] = "".join(chance.choices(NOTES, k=20))
        yield Fact(town, "delivery.recorded", uuid7(), body)


def _salt(chance: random.Random) -> str:
    return f"{chance.getrandbits(64):x}"


def documents(laptop: Laptop, given: Iterator[Fact], batch: int) -> list[bytes]:
    """The bodies of the pushes that bring these facts."""
    return [json.dumps(each, ensure_ascii=False).encode() for each in pushes(laptop, given, batch)]


def pushes(laptop: Laptop, given: Iterator[Fact], batch: int) -> Iterator[dict[str, Any]]:
    """One push after the other, made when it is asked for: a laptop that never stops."""
    seq, head, latest = 0, ZERO, clock.EARLIEST
    while True:
        first, prev, ops = seq + 1, head, list[dict[str, Any]]()
        for fact in given:
            seq += 1
            latest = clock.tick(latest, clock.to_ms(NOW))
            op = Op(laptop.device, seq, fact.stream, latest, laptop.device, fact.kind, 1, fact.subject, fact.body)
            head = chain(head, sha256(check_op(op)).hexdigest())
            ops.append(to_travel(op))
            if len(ops) == batch:
                break
        if not ops:
            return
        sig = laptop.key.sign(identity.push_text(laptop.device, seq, head))
        yield {"device": laptop.device, "from": first, "prev": prev, "ops": ops, "head": head, "sig": sig}

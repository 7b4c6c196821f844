"""`python -m benchmarks.bytes`: bytes on the line for each delivery, counted on sockets between a laptop and a centre.

The laptop is the real one, with its transport, its agent's sync and its encrypted database; the centre is a process
of `aidvisit central run`. HTTP with all of its headers counts, both ways; TLS, TCP and IP around it do not. Ids are
random, notes are of 20 characters drawn at random from the 400 commonest, which no dictionary helps with; nothing of
it was ever seen by the dictionary's training.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aidvisit import config
from aidvisit.cli.home import opened
from aidvisit.services import delivery, stock
from aidvisit.services.sync import link
from aidvisit.store import ledger
from aidvisit.store.database import reading, transaction
from aidvisit.store.ledger import Fact
from aidvisit.store.queries.account import users
from aidvisit.store.queries.trip import ZONE
from aidvisit.store.vault import Vault
from benchmarks.counting import Counter, Passed
from benchmarks.figure import Figure
from sync import clock, joining, log
from sync.client import sync_once
from sync.link import Link
from sync.op import uuid7
from tests.support.centre import PASSWORD, Centre

COUNTS = (1, 10, 100, 500)
TOWN, VILLAGE = "441225112", "441225112207"
GOODS = ("rice", "oil")
NOTES = 300
COMMON = (
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经"
    "十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日那社义事平"
    "形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最立代想已通并提直题党"
    "程展五果料象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知较将组见计别她手角期根论运农指几九区强放决西被干"
)
SURNAMES, GIVEN = "莫蓝覃邬陶廖罗邓黎吴周徐马胡林郭何高梁刘", "德厚水妹桂香素云安石满仓春和若谷小丽文志珍辉群贵"


@dataclass(slots=True)
class Laptop:
    """An enrolled laptop that has its trip, and what it delivers to whom. `waiting`: households still to go to."""

    line: Counter
    link: Link
    actor: str
    trip: str
    waiting: list[str]
    chance: random.Random
    notes: list[str]
    recorded: int = 0
    before_push: Passed = field(default_factory=Passed)

    def deliver(self, signed: bool) -> None:
        """One ordinary delivery: two items, a note on one in three."""
        self.recorded += 1
        proof = {"as": "paper", "page": self.recorded // 20 + 1, "row": self.recorded % 20 + 1}
        if signed:
            drawn = {"sha256": self.chance.randbytes(32).hex(), "bytes": self.chance.randrange(600, 4000)}
            proof = {"as": "signature", **drawn, "media_type": "image/svg+xml"}
        delivery.record_delivery(
            actor=self.actor, delivery=uuid7(), household=self.waiting.pop(), trip=self.trip, date=today(),
            lines=dict.fromkeys(GOODS, 1), received_by={"as": "head", "name": name(self.chance)}, proofs=[proof],
            handed_by=[self.actor], note=self.chance.choice(self.notes) if self.recorded % 3 == 0 else None,
        )  # fmt: skip

    def sync(self) -> tuple[Passed, Passed]:
        """What passed for the pull, and for the push."""
        before = self.line.passed
        sync_once(self.link)
        after = self.line.passed
        return self.before_push.since(before), after.since(self.before_push)


def today() -> str:
    return clock.wall().astimezone(ZONE).date().isoformat()


def name(chance: random.Random) -> str:
    return chance.choice(SURNAMES) + "".join(chance.choices(GIVEN, k=2))


def any_id(chance: random.Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


@contextmanager
def open_laptop(folder: Path, seed: int = 1) -> Iterator[Laptop]:
    """The laptop and its centre, everything pulled, the connection warm."""
    chance = random.Random(seed)
    centre = Centre(folder / "central")
    team = centre.add_team("慰问一队", TOWN)
    person = ("--login", "luo", "--name", "罗春和", "--role", "leader", "--team", team, "--password-stdin")
    centre.command("central", "user", "add", *person, stdin=PASSWORD + "\n")
    with centre.running():
        line = Counter(centre.port)
        settings = config.write(folder / "field", role="field", server_url=f"http://127.0.0.1:{line.port}")
        vault = Vault(folder / "field")
        vault.create()
        with opened(settings, vault):
            here = link(settings)
            device = joining.enrol(here, name="3 号笔记本", code=centre.code(team))
            with opened(config.load(centre.home)):
                trip, households = _plan(chance, team, device)
            sync_once(here)
            with reading() as conn:
                (actor,) = [user.id for user in users(conn, team)]
            notes = ["".join(chance.choices(COMMON, k=20)) for _ in range(NOTES)]
            laptop = Laptop(line, here, actor, trip, households, chance, notes)
            here.before_push = lambda: setattr(laptop, "before_push", line.passed)
            yield laptop
        line.close()


def _plan(chance: random.Random, team: str, device: str) -> tuple[str, list[str]]:
    """At the centre: enough households and a trip to them with goods for all, released to the laptop."""
    trip, households = uuid7(), [any_id(chance) for _ in range(2 * sum(COUNTS) + 10)]
    facts = []
    for household in households:
        head = {"name": name(chance)}
        body = {"kind": "household", "head": head, "division": VILLAGE, "group": "一组", "categories": []}
        facts.append(Fact(TOWN, "household.registered", household, body))
    plan = {"title": "民强村", "starts": today(), "ends": today(), "team": team, "divisions": [VILLAGE]}
    facts.append(Fact(f"trip-{trip}", "trip.planned", trip, plan))
    lines = [{"household": one, "item": item, "quantity": 1} for one in households for item in GOODS]
    parts = [lines[start : start + 200] for start in range(0, len(lines), 200)]
    facts += [Fact(f"trip-{trip}", "allocation.set", trip, {"lines": part}) for part in parts]
    facts.append(Fact(f"trip-{trip}", "trip.released", trip, {"devices": [{"device": device}]}))
    with transaction() as conn:
        own = log.own(conn)
        ledger.record(conn, own, *facts)
    stock.load(actor=own, trip=trip, date=today(), lines=dict.fromkeys(GOODS, len(households)))
    return trip, households


def measure(laptop: Laptop, count: int, *, signed: bool) -> tuple[Passed, Passed, float]:
    """Pull, push, and the seconds of processor time that this side took for both."""
    for _ in range(count):
        laptop.deliver(signed)
    began = time.process_time()
    return (*laptop.sync(), time.process_time() - began)


def idle(laptop: Laptop, turns: int = 20) -> tuple[float, float]:
    """Bytes and seconds of processor time of a turn in which nothing happens."""
    before, began = laptop.line.passed, time.process_time()
    for _ in range(turns):
        laptop.sync()
    return laptop.line.passed.since(before).both / turns, (time.process_time() - began) / turns


def figures(folder: Path) -> Iterator[Figure]:
    """What the issue bounds: a backlog's delivery, with a signature's hash too, and a single one; and an idle hour."""
    with open_laptop(folder) as laptop:
        laptop.sync()
        for count, signed, bound in ((500, False, 80), (500, True, 115), (1, False, 900)):
            _, push, _ = measure(laptop, count, signed=signed)
            name = f"on the line, a delivery of {count}{' with a hash' if signed else ''}"
            yield Figure(name, push.both / count, "B", bound=bound)
        yield Figure("on the line, an idle hour", idle(laptop)[0] * 12 / 1024, "KB")


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, open_laptop(Path(folder)) as laptop:
        laptop.sync()
        print(f"{'':38}{'up':>8}{'down':>8}{'each':>9}   with the pull before it")
        for signed in (False, True):
            for count in COUNTS:
                pull, push, cpu = measure(laptop, count, signed=signed)
                what = f"{count} deliver{'y' if count == 1 else 'ies'}{', a hash each' if signed else ''}"
                each, whole = push.both / count, (pull.both + push.both) / count
                print(f"{what:38}{push.up:>8}{push.down:>8}{each:>9.1f}{whole:>9.1f}   {cpu:.2f} s of processor")
        size, cpu = idle(laptop)
        print(f"{'a turn in which nothing happens':38}{'':>16}{size:>9.0f}   {cpu * 1000:.0f} ms of processor")
        for every in (60, 300):
            hour = 3600 / every
            print(
                f"{f'an idle hour, asking every {every} s':38}{'':>16}{size * hour / 1024:>8.1f}K   {cpu * hour:.2f} s"
            )
        assert laptop.line.passed.connections == 1, "one connection is kept"
    return 0


if __name__ == "__main__":
    sys.exit(main())

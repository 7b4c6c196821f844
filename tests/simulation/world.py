"""A world of laptops and one centre in one thread, all of it decided by one seed."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from random import Random
from types import SimpleNamespace
from typing import Any
from unittest import mock

import sqlalchemy as sa

from sync import log, quarantine, renewal, server, tables
from tests.simulation.nodes import EXPECTED, Crash, SimCentre, SimLaptop, SimLine, Weather, suppressed
from tests.support.toy import FAR_TOWN, OTHER_TOWN, START, TOWN, Toy, memory, state_of

TOWNS = (TOWN, OTHER_TOWN, FAR_TOWN)
KINDS = ("thing",) * 2 + ("edit",) * 4 + ("gift",) * 2 + ("box", "note", "strange", "future", "wrong")
OFFSETS = (0, 0, 0, 3, -86_400, 365 * 86_400, 240, 301)


@contextmanager
def repeatable(random: Random) -> Iterator[None]:
    """Ids, keys, tokens and codes come from the seed too."""

    def new_id() -> str:
        return str(uuid.UUID(int=random.getrandbits(128), version=4))

    secrets = SimpleNamespace(token_bytes=random.randbytes, choice=random.choice)
    with ExitStack() as stack:
        for place in ("sync.server.uuid7", "sync.enrolment.uuid7", "tests.support.toy.uuid7"):
            stack.enter_context(mock.patch(place, new_id))
        stack.enter_context(mock.patch("sync.identity.secrets", secrets))
        stack.enter_context(mock.patch("sync.client.PAGE", random.choice([1, 3, 10, 2000])))
        stack.enter_context(mock.patch("sync.sending.MAX_OPS", random.choice([2, 7, 1000])))
        yield


class World:
    """`run` for some steps, `heal`, then look at it with tests.simulation.promises."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.weather = Weather(self.random)
        self.time = START
        self.marks = 0
        self.things: list[tuple[str, str]] = []  # (stream, subject) of all that anybody registered
        self.images: list[SimLaptop] = []
        self.backups: list[sa.Engine] = []
        self.laptops: list[SimLaptop] = []
        self.app = Toy()
        self.centre = SimCentre(memory(), self.app)
        self.centre.weather = self.weather
        self.line = SimLine(self.centre, self.weather, most_ops=self.random.choice([3, 1000]))
        self.line.meanwhile = self.act_meanwhile
        self.busy: list[SimLaptop] = []
        self.calm(self.centre.set_up)
        self.team = str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def calm(self, action: Callable[[], Any]) -> Any:
        """Something that the world itself does, without weather."""
        crash, lost = self.weather.crash, self.weather.lost
        self.weather.clear_up()
        try:
            return action()
        finally:
            self.weather.crash, self.weather.lost = crash, lost

    def run(self, steps: int) -> None:
        for _ in range(self.random.randint(2, 4)):
            self.enrol()
        actions: list[tuple[int, Callable[[], None]]] = [
            (40, self.record), (30, self.sync), (8, self.centre_records), (4, self.change_grants),
            (4, self.line.deliver_late), (3, self.judge_by_hand), (2, self.clock_jumps), (2, self.take_image),
            (2, self.restore_image), (1, self.take_backup), (1, self.restore_backup), (1, self.upgrade),
            (1, self.enrol), (1, self.ban), (1, self.revoke),
        ]  # fmt: skip
        for _ in range(steps):
            self.time += timedelta(milliseconds=self.random.choice([0, 0, 1, 700, 60_000, 400_000]))
            self.set_clocks()
            (action,) = self.random.choices([a for _, a in actions], [w for w, _ in actions])
            action()

    def set_clocks(self) -> None:
        self.centre.clock = self.time
        for laptop in self.laptops:
            laptop.clock = self.time + timedelta(seconds=laptop.offset)

    # --- laptops ---------------------------------------------------------------------------------------------

    def enrol(self) -> None:
        if len(self.laptops) >= 7:
            return
        laptop = self.power_on(SimLaptop(memory(), self.app), f"laptop-{len(self.laptops)}", [])
        code = self.calm(lambda: self.centre.code(self.team))
        while (device := self.identity_of(laptop)) is None:
            with suppressed(EXPECTED):
                laptop.enrol(code)
        self.laptops.append(laptop)
        self.weather.counts["laptops enrolled"] += 1
        self.grant(device)

    def identity_of(self, laptop: SimLaptop) -> str | None:
        with laptop.engine.begin() as conn:
            return log.recall(conn, "device")

    def power_on(self, laptop: SimLaptop, name: str, saved: list[int]) -> SimLaptop:
        laptop.weather, laptop.line, laptop.name, laptop.saved = self.weather, self.line, name, saved  # type: ignore[assignment]
        laptop.actor = self.centre.actor
        laptop.offset = self.random.choice(OFFSETS)
        laptop.clock = self.time + timedelta(seconds=laptop.offset)
        return laptop

    def record(self) -> None:
        laptop = self.random.choice(self.laptops)
        stream, kind, body, subject = self.something(laptop)
        with laptop.engine.begin() as conn:
            latest = conn.execute(sa.select(sa.func.max(tables.op.c.clock))).scalar() or ""
        try:
            entry = laptop.record(stream, kind, body, subject)
        except Crash:
            return
        laptop.saved.append(body["mark"])
        self.weather.counts["ops recorded on laptops"] += 1
        assert entry.op.hlc > latest, "a clock that is not later than all that was seen"

    def something(self, node: SimLaptop | SimCentre) -> tuple[str, str, dict[str, Any], str]:
        """What somebody may record: mostly right, sometimes of a strange town, of nothing, twice, or too new."""
        self.marks += 1
        mark = {"mark": self.marks}
        fresh, town = str(uuid.UUID(int=self.random.getrandbits(128), version=4)), self.random.choice(TOWNS)
        thing = self.random.choice(self.things) if self.things else (town, fresh)
        match self.random.choice(KINDS):
            case "thing":
                self.things.append((town, fresh))
                tags = self.random.sample("abcd", 2)
                return town, "thing.registered", {"fields": {"name": self.marks, "note": 0}, "tags": tags} | mark, fresh
            case "edit":
                return thing[0], "thing.updated", self.an_edit(node, thing[1]) | mark, thing[1]
            case "gift":
                return thing[0], "gift.recorded", {"thing": thing[1], "item": "rice", "quantity": 2} | mark, fresh
            case "box":
                return f"trip-{fresh}", "box.planned", mark, fresh
            case "note":
                return "office", "note.recorded", mark, fresh
            case "strange":
                return thing[0], "thing.registered", {"fields": {"name": "another"}} | mark, thing[1]
            case "future":
                return town, "future.recorded", mark, fresh
        return town, "gift.recorded", {"thing": fresh, "quantity": 0} | mark, fresh

    def an_edit(self, node: SimLaptop | SimCentre, subject: str) -> dict[str, Any]:
        path = self.random.choice(["name", "note", "phone"])
        with node.engine.begin() as conn:
            state = state_of(conn, subject) or {}
        heads = [name for name, _ in state.get("fields", {}).get(path, [0, 0, []])[2]]
        seen = self.random.choice([heads, heads, heads[:1], []])
        body: dict[str, Any] = {"set": {path: self.marks}, "base": {path: seen}}
        body[self.random.choice(["add", "remove"])] = [self.random.choice("abcd")]
        return body

    def sync(self) -> None:
        self.try_sync(self.random.choice(self.laptops))

    def act_meanwhile(self) -> None:
        """While one laptop waits for an answer, another one syncs, or somebody at the centre does something."""
        if self.laptops:
            self.random.choice([self.sync, self.sync, self.centre_records, self.change_grants])()

    def try_sync(self, laptop: SimLaptop) -> str:
        """Sync once as a user would; 'done', 'crash' or the problem's name."""
        if laptop in self.busy:
            return "busy"
        self.busy.append(laptop)
        try:
            return self.sync_now(laptop)
        finally:
            self.busy.remove(laptop)

    def sync_now(self, laptop: SimLaptop) -> str:
        with suppressed(EXPECTED) as met:
            laptop.sync()
        if not met:
            return "done"
        if isinstance(met[0], Crash):
            return "crash"
        self.weather.counts[f"sync: {met[0].name}"] += 1
        if met[0].name in ("fork", "unauthorized") and self.random.random() < 0.7:
            self.enrol_again(laptop, by_code=met[0].name == "unauthorized")
        return met[0].name

    def enrol_again(self, laptop: SimLaptop, *, by_code: bool) -> None:
        code = self.calm(lambda: self.centre.code(self.team)) if by_code else None
        with suppressed(EXPECTED) as met:
            device = renewal.enrol_again(laptop.link, code)
        if not met:
            self.weather.counts["enrolled again"] += 1
            self.grant(device)

    def clock_jumps(self) -> None:
        self.weather.counts["clock jumped"] += 1
        self.random.choice(self.laptops).offset = self.random.choice(OFFSETS)

    def take_image(self) -> None:
        laptop = self.random.choice(self.laptops)
        image = self.power_on(SimLaptop(memory(laptop.engine), self.app), laptop.name + "'", list(laptop.saved))
        self.images.append(image)

    def restore_image(self) -> None:
        """The same laptop goes on from an old copy: as a second one, or in place of one that broke."""
        if not self.images or len(self.laptops) >= 7:
            return
        image = self.images.pop(self.random.randrange(len(self.images)))
        self.weather.counts["laptop restored from a copy"] += 1
        if self.random.random() < 0.5:
            self.laptops.append(image)
        else:
            self.laptops[self.random.randrange(len(self.laptops))] = image

    # --- the centre ------------------------------------------------------------------------------------------

    def at_the_centre(self, action: Callable[[], Any]) -> None:
        try:
            action()
        except Crash:
            return

    def centre_records(self) -> None:
        stream, kind, body, subject = self.something(self.centre)
        if kind in ("thing.registered", "thing.updated", "box.planned", "note.recorded"):
            self.weather.counts["ops recorded at the centre"] += 1
            if kind == "thing.registered" and (stream, subject) not in self.things[-1:]:
                return
            self.at_the_centre(lambda: self.centre.record(stream, kind, body, subject))

    def change_grants(self) -> None:
        self.weather.counts["grants changed"] += 1
        laptop = self.random.choice(self.laptops)
        device = self.identity_of(laptop)
        self.at_the_centre(lambda: self.grant(device))

    def grant(self, device: str) -> None:
        with self.centre.engine.begin() as conn:
            if state_of(conn, device) is None:
                return
        towns = self.random.sample(TOWNS, self.random.randint(0, 3))
        prefixes = self.random.choice([[], [], ["441225"]])
        self.calm(lambda: self.centre.grant(device, *towns, prefixes=prefixes))

    def judge_by_hand(self) -> None:
        """Somebody looks at one op in quarantine."""
        with self.centre.engine.begin() as conn:
            held = [e for e in log.quarantined(conn) if quarantine._reason(e) in ("unknown-subject", "not-granted")]
        if not held:
            return
        entry, app, now = self.random.choice(held), self.app, self.centre.now()
        act = self.random.choice([quarantine.release, quarantine.dismiss])
        self.weather.counts[{quarantine.release: "released by hand", quarantine.dismiss: "dismissed by hand"}[act]] += 1

        def decide() -> None:
            with self.centre.begin() as conn:
                act(conn, app, entry.op.device, entry.op.seq, "seen", self.centre.actor, now)

        self.at_the_centre(decide)

    def upgrade(self) -> None:
        """Everybody learns a new kind."""
        self.app.kinds.add("future.recorded")
        for node in (self.centre, *self.laptops, *self.images):
            with node.engine.begin() as conn:
                catch_up(conn, self.app)

    def ban(self) -> None:
        """A user loses the right, or gets it back; what arrives in between is held."""
        if self.centre.actor in self.app.banned:
            self.app.banned.clear()
        else:
            self.app.banned.add(self.centre.actor)

    def revoke(self) -> None:
        laptop = self.random.choice(self.laptops)
        if sum(not one.revoked for one in self.laptops) < 3:
            return
        self.weather.counts["laptop revoked"] += 1
        device = self.identity_of(laptop)
        with self.centre.engine.begin() as conn:
            server.revoke(conn, device)

    def take_backup(self) -> None:
        self.backups.append(memory(self.centre.engine))

    def restore_backup(self) -> None:
        if not self.backups:
            return
        self.weather.counts["centre restored"] += 1
        self.centre.engine = self.backups.pop(self.random.randrange(len(self.backups)))
        with self.centre.engine.begin() as conn:
            catch_up(conn, self.app)
            server.new_epoch(conn, self.centre.now())

    # --- healing ---------------------------------------------------------------------------------------------

    def heal(self) -> None:
        """The weather clears (clocks stay wrong): everybody syncs until nothing moves any more."""
        self.weather.clear_up()
        self.app.banned.clear()
        while self.line.late:
            self.line.deliver_late()
        for _ in range(40):
            results = [self.heal_one(laptop) for laptop in self.laptops]
            if not any(results):
                return
        raise AssertionError("it does not come to rest")

    def heal_one(self, laptop: SimLaptop) -> bool:
        """Whether anything moved."""
        before = self.picture(laptop)
        result = self.try_sync(laptop)
        laptop.revoked = result == "device-revoked"
        return not laptop.revoked and (result != "done" or before != self.picture(laptop))

    def picture(self, laptop: SimLaptop) -> str:
        with laptop.engine.begin() as conn:
            rows = conn.execute(sa.select(tables.op).order_by(tables.op.c.device, tables.op.c.seq))
            return json.dumps([[list(row) for row in rows], log.recall(conn, "grants"), log.state(conn).waiting])


def catch_up(conn: sa.Connection, app: Toy) -> None:
    """After an upgrade: apply what was kept but could not be read."""
    waiting = conn.execute(sa.select(tables.op).where(tables.op.c.applied.is_(False))).all()
    conn.execute(sa.update(tables.op).values(applied=True))
    for row in waiting:
        log.put(conn, app, log.to_entry(row))

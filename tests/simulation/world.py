"""A world of laptops and one centre in one thread, all of it decided by one seed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy.engine import Engine

from sync import age, log, quarantine, renewal, server
from sync.identity import KeyPair
from tests.simulation import recording
from tests.simulation.disks import Disks
from tests.simulation.line import LeanLine, SimLine
from tests.simulation.nodes import EXPECTED, Crash, SimCentre, SimLaptop, Weather, suppressed
from tests.simulation.sticks import Sticks
from tests.simulation.story import Story
from tests.simulation.watch import Watch
from tests.support.toy_house import FAR_TOWN, OTHER_TOWN, START, TOWN, Toy, state_of

TOWNS = (TOWN, OTHER_TOWN, FAR_TOWN)
DAY, YEAR = 86_400, 365 * 86_400
OFFSETS = (0, 0, 0, 3, -DAY, YEAR, 240, 301)
ERASED = 0.03
PAUSES_MS = (0, 0, 1, 700, 60_000, 400_000)
MOST_LAPTOPS = 6
MOST_ROUNDS = 40


class World:
    """`run` steps, `heal`, then look at it with tests.simulation.promises."""

    def __init__(self, story: Story, disks: Disks) -> None:
        self.story, self.disks = story, disks
        story.turn(0)
        self.weather = Weather(story)
        self.time = START
        self.things: list[tuple[str, str]] = []  # (stream, subject) of all that anybody registered
        self.ledger = recording.Ledger()
        self.images: list[SimLaptop] = []
        self.backups: list[tuple[Engine, set[str]]] = []
        self.laptops: list[SimLaptop] = []
        self.busy: list[SimLaptop] = []
        self.banned: set[str] = set()
        self.centre = SimCentre(disks.new(), self.software())
        self.centre.weather = self.weather
        key = KeyPair.generate()
        with self.centre.begin() as conn:
            server.set_up(conn, name="centre", now=START, key=key)
            age.own_recipient(conn)
        signs, most = story.random.random() < 0.75, story.random.choice([4, 1000, 1000])
        kind = story.random.choice([SimLine, LeanLine])
        self.line = kind(self.centre, self.weather, key, signs, most)
        self.line.meanwhile = self.act_meanwhile
        self.sticks = Sticks(self)
        self.watch = Watch(self.centre)
        self.team = story.new_id()
        for _ in range(story.random.randint(3, 4)):
            self.enrol()
        weights = {
            self.record: 30, self.sync: 28, self.centre_records: 8, self.change_grants: 4, self.line.deliver_late: 4,
            self.sticks.leave: 4, self.sticks.arrive: 4, self.sticks.come_back: 4, self.judge_by_hand: 3,
            self.clock_jumps: 3, self.take_image: 3, self.restore_image: 3, self.take_backup: 2,
            self.restore_backup: 2, self.upgrade: 1, self.enrol: 1, self.ban: 1, self.revoke: 1,
        }  # fmt: skip
        self.acts: list[Callable[[], None]] = list(weights)
        self.weights = list(weights.values())

    def software(self) -> Toy:
        """An application as it is installed today: every node has its own, and is upgraded by itself."""
        app = Toy()
        app.banned = self.banned
        return app

    # --- steps -----------------------------------------------------------------------------------------------

    def take(self, step: int) -> None:
        """One step, and a look at what every chip says after it."""
        self.story.turn(step)
        self.story.calm = False
        self.time += timedelta(milliseconds=self.story.random.choice(PAUSES_MS))
        self.set_clocks()
        (act,) = self.story.random.choices(self.acts, self.weights)
        if self.story.goes(step):
            act()
            # Not one of the acts: with one more to choose from, every seed would tell another story than it did.
            if self.story.strikes("erased", ERASED):
                self.erase()
            self.look()
        self.story.calm = True

    def look(self) -> None:
        for laptop in self.laptops:
            if laptop.touched:
                laptop.touched = False
                self.watch.look_at(laptop)

    def set_clocks(self) -> None:
        self.centre.clock = self.time
        for laptop in self.laptops:
            laptop.clock = self.time + timedelta(seconds=laptop.offset)

    def any_laptop(self) -> SimLaptop:
        return self.story.random.choice(self.laptops)

    # --- laptops ---------------------------------------------------------------------------------------------

    def enrol(self) -> None:
        if len(self.laptops) >= MOST_LAPTOPS:
            return
        laptop = self.power_on(SimLaptop(self.disks.new(), self.software()), f"laptop-{len(self.laptops)}")
        with self.story.calmly():
            code = self.centre.code(self.team)
        while (device := self.identity_of(laptop)) is None:
            with suppressed(EXPECTED):
                laptop.enrol(code)
        self.laptops.append(laptop)
        self.story.counts["laptops enrolled"] += 1
        self.story.tell(f"{laptop.name} enrols as {device}, its clock {laptop.offset} s off")
        self.grant(device)

    def identity_of(self, laptop: SimLaptop) -> str | None:
        with laptop.engine.begin() as conn:
            device: str | None = log.recall(conn, "device")
            return device

    def power_on(self, laptop: SimLaptop, name: str, copy_of: SimLaptop | None = None) -> SimLaptop:
        laptop.weather, laptop.line, laptop.name = self.weather, self.line, name  # type: ignore[assignment]
        laptop.saved, laptop.was = (list(copy_of.saved), set(copy_of.was)) if copy_of else ([], set())
        laptop.actor = self.centre.actor
        laptop.offset = self.story.random.choice(OFFSETS)
        laptop.clock = self.time + timedelta(seconds=laptop.offset)
        return laptop

    def record(self) -> None:
        laptop = self.any_laptop()
        drafts = [recording.something(self, laptop) for _ in range(self.story.random.choice([1, 4, 7, 12]))]
        with laptop.engine.begin() as conn:
            # What was set aside (an earlier device's, held at the centre) has its author's clock, and counts nowhere.
            seen = "SELECT max(clock) FROM op WHERE problem IS NULL OR device = ?"
            latest = conn.exec_driver_sql(seen, (log.recall(conn, "device"),)).scalar() or ""
        with suppressed({"disk-full"}) as met, laptop.begin() as conn:
            entries = log.author(conn, laptop.app, drafts, laptop.now())
        self.story.tell(
            f"{laptop.name} records {', '.join(recording.words(d) for d in drafts)}{': not saved' * bool(met)}"
        )
        if met:
            return
        laptop.saved += [draft.body["mark"] for draft in drafts]
        self.story.counts["ops recorded"] += len(drafts)
        assert entries[0].op.hlc > latest, "a clock that is not later than all that was seen"

    def sync(self) -> None:
        self.try_sync(self.any_laptop())

    def act_meanwhile(self) -> None:
        """While one laptop waits for an answer, another one syncs, or somebody at the centre does something."""
        if self.laptops:
            self.story.random.choice([self.sync, self.sync, self.centre_records, self.change_grants])()

    def try_sync(self, laptop: SimLaptop) -> str:
        """Sync once as a user would; 'done', 'crash' or the problem's name."""
        if laptop in self.busy:
            return "busy"
        self.busy.append(laptop)
        self.story.tell(f"{laptop.name} syncs")
        try:
            result = self.sync_now(laptop)
        finally:
            self.busy.remove(laptop)
        self.story.tell(f"{laptop.name} has synced: {result}")
        return result

    def sync_now(self, laptop: SimLaptop) -> str:
        with suppressed(EXPECTED) as met:
            laptop.sync()
        if not met:
            return "done"
        if isinstance(met[0], Crash):
            return "crash"
        name = met[0].name
        self.story.counts[f"sync: {name}"] += 1
        if name in ("fork", "unauthorized") and (self.story.calm or self.story.random.random() < 0.7):
            self.enrol_again(laptop, by_code=name == "unauthorized")
        return name

    def enrol_again(self, laptop: SimLaptop, *, by_code: bool) -> None:
        with self.story.calmly():
            code = self.centre.code(self.team) if by_code else None
        with suppressed(EXPECTED) as met:
            device = renewal.enrol_again(laptop.link, code)
        if met:
            return
        self.story.counts["enrolled again"] += 1
        self.story.tell(f"{laptop.name} goes on as {device}")
        self.grant(device)

    def clock_jumps(self) -> None:
        laptop = self.any_laptop()
        laptop.offset = self.story.random.choice(OFFSETS)
        self.story.counts["clock jumped"] += 1
        self.story.tell(f"the clock of {laptop.name} is {laptop.offset} s off now")

    def take_image(self) -> None:
        laptop = self.any_laptop()
        image = SimLaptop(self.disks.copy(laptop.engine), laptop.app)
        self.images.append(self.power_on(image, laptop.name + "'", laptop))
        self.story.tell(f"an image of {laptop.name} is taken: {len(self.images) - 1}")

    def restore_image(self) -> None:
        """The same laptop goes on from an old copy: as a second one, or in place of one that broke."""
        if not self.images:
            return
        number = self.story.random.randrange(len(self.images))
        image, place = self.images.pop(number), self.story.random.randrange(len(self.laptops))
        self.story.counts["laptop restored from a copy"] += 1
        if self.story.random.random() < 0.5 and len(self.laptops) < MOST_LAPTOPS:
            self.laptops.append(image)
            self.story.tell(f"image {number} runs as {image.name} as well")
        else:
            self.story.tell(f"image {number} runs as {image.name} in place of {self.laptops[place].name}")
            self.laptops[place] = image

    # --- the centre ------------------------------------------------------------------------------------------

    def at_the_centre(self, what: str, action: Callable[[], Any]) -> None:
        with suppressed({"disk-full"}) as met:
            action()
        self.story.tell(f"at the centre {what}{': no' * bool(met)}")

    def centre_records(self) -> None:
        drafts = [recording.something(self, self.centre) for _ in range(self.story.random.choice([1, 2, 4]))]
        drafts = [draft for draft in drafts if draft.kind != "thing.updated" or self.stands(draft.subject)]

        def write() -> None:
            with self.centre.begin() as conn:
                log.author(conn, self.centre.app, drafts, self.centre.now())
            self.story.counts["ops recorded"] += len(drafts)

        self.at_the_centre(f"records {', '.join(map(recording.words, drafts))}", write)

    def erase(self) -> None:
        """Somebody asks that what is known of a thing goes, wherever it is."""
        held = [(town, thing) for town, thing in self.things if self.stands(thing)]
        if not held:
            return
        town, thing = self.story.random.choice(held)
        draft = recording.erasure(self, town, thing)

        def write() -> None:
            with self.centre.begin() as conn:
                log.author(conn, self.centre.app, [draft], self.centre.now())

        self.at_the_centre(f"{thing[:8]} is erased", write)

    def stands(self, thing: str) -> bool:
        with self.centre.engine.begin() as conn:
            return state_of(conn, thing) is not None

    def change_grants(self) -> None:
        device = self.identity_of(self.any_laptop())
        assert device is not None
        self.story.counts["grants changed"] += 1
        with suppressed({"disk-full"}):
            self.grant(device)

    def grant(self, device: str) -> None:
        if not self.stands(device):
            return
        towns = self.story.random.sample(TOWNS, self.story.random.randint(0, 3))
        prefixes = self.story.random.choice([[], [], ["441225"]])
        with self.story.calmly():
            self.centre.grant(device, *towns, prefixes=prefixes)
        self.story.tell(f"{device} is granted {towns} {prefixes}")

    def judge_by_hand(self) -> None:
        """Somebody looks at one op in quarantine."""
        with self.centre.engine.begin() as conn:
            held = [e for e in log.quarantined(conn) if reason(e) in ("unknown-subject", "not-granted")]
        if not held:
            return
        entry, app, now = self.story.random.choice(held), self.centre.app, self.centre.now()
        act = self.story.random.choice([quarantine.release, quarantine.dismiss])
        self.story.counts["judged by hand"] += 1

        def decide() -> None:
            with self.centre.begin() as conn:
                act(conn, app, entry.op.device, entry.op.seq, "seen", self.centre.actor, now)

        self.at_the_centre(f"{entry.name} is judged: {act.__name__}", decide)

    def upgrade(self) -> None:
        """One node gets the next version, which knows a new kind and newer bodies."""
        node = self.story.random.choice([self.centre, *self.laptops])
        self.story.counts["upgraded"] += 1
        self.story.tell(f"{getattr(node, 'name', 'the centre')} is upgraded")
        recording.upgrade(node, self.banned)

    def ban(self) -> None:
        """A user loses the right, or gets it back; what arrives in between is held."""
        self.banned ^= {self.centre.actor}
        self.story.counts["rights changed"] += 1
        self.story.tell(f"without a right: {len(self.banned)}")

    def revoke(self) -> None:
        laptop = self.any_laptop()
        if sum(not one.revoked for one in self.laptops) < 3:
            return
        device = self.identity_of(laptop)
        assert device is not None
        self.story.counts["laptop revoked"] += 1
        self.story.tell(f"{laptop.name} is revoked")
        laptop.revoked = True
        self.line.revoked.add(device)
        with self.centre.engine.begin() as conn:
            server.revoke(conn, device)

    def take_backup(self) -> None:
        self.backups.append((self.disks.copy(self.centre.engine), set(self.line.revoked)))
        self.story.tell(f"a backup of the centre is taken: {len(self.backups) - 1}")

    def restore_backup(self) -> None:
        if not self.backups:
            return
        self.story.counts["centre restored"] += 1
        number = self.story.random.randrange(len(self.backups))
        self.centre.engine, self.line.revoked = self.backups.pop(number)
        self.watch.centre_changed()
        self.story.tell(f"the centre goes on from backup {number}")
        with self.centre.engine.begin() as conn:
            recording.catch_up(conn, self.centre.app)
            server.new_epoch(conn, self.centre.now())

    # --- healing ---------------------------------------------------------------------------------------------

    def heal(self) -> None:
        """The weather clears (clocks stay wrong): everybody is upgraded and syncs until nothing moves any more."""
        self.story.turn(9999)
        self.banned.clear()
        for node in (self.centre, *self.laptops):
            recording.upgrade(node, self.banned)
        while self.line.late:
            self.line.deliver_late()
        quiet: dict[int, Any] = {}  # by laptop: what the centre was while it had nothing to say and nothing to hear
        for _ in range(MOST_ROUNDS):
            for laptop in self.laptops:
                before = self.centre_now()
                if quiet.get(id(laptop)) != before and self.heal_one(laptop) and before == self.centre_now():
                    quiet[id(laptop)] = before
            self.look()
            if all(quiet.get(id(laptop)) == self.centre_now() for laptop in self.laptops):
                return
        raise AssertionError("it does not come to rest")

    def heal_one(self, laptop: SimLaptop) -> bool:
        """Sync; whether it is done with that: revoked, or in step."""
        result = self.try_sync(laptop)
        laptop.revoked = result == "device-revoked"
        return laptop.revoked or result == "done"

    def centre_now(self) -> Any:
        """What a laptop may have to hear of: numbers, and who is granted what."""
        with self.centre.engine.begin() as conn:
            held = "SELECT count(*), count(n), count(problem), sum(dismissed), (SELECT sum(head) FROM stream) FROM op"
            return tuple(conn.exec_driver_sql(held).one())


def reason(entry: log.Entry) -> str:
    return str((entry.problem or {}).get("type", "")).rpartition(":")[2]

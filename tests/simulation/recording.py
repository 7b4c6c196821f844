"""What people record in the toy house, and what a newer version of it knows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import Connection

from sync import log, tables
from sync.log import Draft
from tests.simulation.nodes import SimCentre, SimLaptop
from tests.support.toy_house import ERASED, FAR_TOWN, OTHER_TOWN, TOWN, Toy, state_of

if TYPE_CHECKING:
    from tests.simulation.world import World

TOWNS = (TOWN, OTHER_TOWN, FAR_TOWN)
KINDS = ("thing",) * 2 + ("edit",) * 4 + ("gift",) * 3 + ("load", "box", "note", "newer", "future", "strange", "wrong")
AT_THE_CENTRE = ("thing", "thing", "edit", "edit", "load", "note", "box")
ITEMS = ("rice", "oil")


@dataclass
class Ledger:
    """Beside the software: what every load and gift meant, by its mark: (subject, stream, item, quantity)."""

    moves: dict[int, tuple[str, str, str, int]] = field(default_factory=dict)
    last: int = 0

    def mark(self, step: int) -> int:
        """A number of its own for each op; it does not shift when steps are left out."""
        self.last = max(self.last + 1, step * 1000)
        return self.last


def something(world: World, node: SimLaptop | SimCentre) -> Draft:
    """What somebody may record: mostly right, sometimes of a strange town, of nothing, twice, or too new."""
    pen = Pen(world, node)
    kind = world.story.random.choice(AT_THE_CENTRE if isinstance(node, SimCentre) else KINDS)
    if kind == "newer" and node.app.newest == 1:
        kind = "edit"
    if kind == "future" and "future.recorded" not in node.app.kinds:
        kind = "thing"
    draft: Draft = getattr(pen, kind)()
    return draft


class Pen:
    """One op as somebody at `node` writes it, about a thing that anybody registered or one that is new."""

    def __init__(self, world: World, node: SimLaptop | SimCentre) -> None:
        self.world, self.node, self.random = world, node, world.story.random
        self.fresh, self.mark = world.story.new_id(), world.ledger.mark(world.story.step)
        self.town = self.random.choice(TOWNS)
        self.home, self.known = self.random.choice(world.things or [(self.town, self.fresh)])

    def draft(self, stream: str, kind: str, subject: str, body: dict[str, Any], v: int = 1) -> Draft:
        return Draft(stream, self.node.actor, kind, v, subject, body | {"mark": self.mark})

    def moved(self, stream: str, kind: str, body: dict[str, Any], sign: int) -> Draft:
        item, quantity = self.random.choice(ITEMS), self.random.randint(1, 9)
        self.world.ledger.moves[self.mark] = (self.fresh, stream, item, sign * quantity)
        return self.draft(stream, kind, self.fresh, body | {"item": item, "quantity": quantity})

    def thing(self) -> Draft:
        self.world.things.append((self.town, self.fresh))
        fields = {"fields": {"name": told_of(self.fresh), "note": 0}, "tags": self.random.sample("abcd", 2)}
        return self.draft(self.town, "thing.registered", self.fresh, fields)

    def edit(self, v: int = 1) -> Draft:
        path = self.random.choice(["name", "note", "phone"])
        with self.node.engine.begin() as conn:
            state = state_of(conn, self.known) or {}
        heads = [name for name, _ in state.get("fields", {}).get(path, [0, 0, []])[2]]
        seen = self.random.choice([heads, heads, heads[:1], []])
        body: dict[str, Any] = {"set": {path: f"{told_of(self.known)} {self.mark}"}, "base": {path: seen}}
        body[self.random.choice(["add", "remove"])] = [self.random.choice("abcd")]
        return self.draft(self.home, "thing.updated", self.known, body, v)

    def newer(self) -> Draft:
        return self.edit(v=2)

    def future(self) -> Draft:
        return self.draft(self.town, "future.recorded", self.fresh, {"colour": "unheard of"})

    def gift(self) -> Draft:
        return self.moved(self.home, "gift.recorded", {"thing": self.known, "to": told_of(self.known)}, -1)

    def load(self) -> Draft:
        return self.moved(self.town, "load.recorded", {}, 1)

    def box(self) -> Draft:
        return self.draft(f"trip-{self.fresh}", "box.planned", self.fresh, {})

    def note(self) -> Draft:
        return self.draft("office", "note.recorded", self.fresh, {})

    def strange(self) -> Draft:
        return self.draft(self.home, "thing.registered", self.known, {"fields": {"name": "another"}})

    def wrong(self) -> Draft:
        return self.draft(self.town, "gift.recorded", self.fresh, {"thing": self.fresh, "quantity": 0})


def erasure(world: World, town: str, thing: str) -> Draft:
    """What is known of a thing goes."""
    return Draft(town, world.centre.actor, ERASED, 1, thing, {"mark": world.ledger.mark(world.story.step)})


def told_of(thing: str) -> str:
    """What is said of a thing, and must be nowhere once it was erased."""
    return f"words of {thing}"


def words(draft: Draft) -> str:
    return f"{draft.kind} {draft.body['mark']} in {draft.stream} ({draft.subject[:8]})"


def upgrade(node: SimLaptop | SimCentre, banned: set[str]) -> None:
    """The next version: it knows a new kind and newer bodies, and applies what was kept for it."""
    newer = Toy("future.recorded")
    newer.newest, newer.banned = 2, banned
    node.app = newer
    with node.engine.begin() as conn:
        catch_up(conn, newer)


def catch_up(conn: Connection, app: Toy) -> None:
    """After an upgrade: apply what was kept but could not be read."""
    waiting = conn.execute(tables.op.select().where(tables.op.c.applied.is_(False))).all()
    conn.exec_driver_sql("UPDATE op SET applied = 1")
    for row in waiting:
        log.put(conn, app, [log.to_entry(row)])

"""Practice: the guided first trip in a made-up village, and how far somebody has come with it, by the facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from flask import current_app

from aidvisit.errors import Problem
from aidvisit.services import draft, sync
from aidvisit.store.database import reading
from aidvisit.store.queries.account import UserRow, user_by_login
from aidvisit.store.queries.trip import TruckLine, today
from sync import log
from sync.log import Entry

LOGIN, PASSWORD = "xueyuan", "xinghuacun"
BEGINS = "practice"
"""Under this name a practice home remembers whom its steps are about, and since when."""
AGAIN = "aidvisit.practice_again"
STEPS = ("find", "hand", "sign", "save", "away", "mend", "count", "print")


@dataclass(frozen=True, slots=True)
class People:
    """Ids of the trip and of the households of the steps, with their names; the trip's days."""

    trip: str
    starts: str
    ends: str
    find: str
    away: str
    mend: str
    names: Mapping[str, str]

    @classmethod
    def read(cls, begins: Mapping[str, Any]) -> People | None:
        """As it was remembered; None where nothing was, or by a version that told other steps."""
        held = begins.get("people", {})
        return cls(**held) if held.keys() == {each.name for each in fields(cls)} else None

    def asdict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Guide:
    """`done`: the steps that the facts show. `truck`: what the books say is left, for the count."""

    people: People
    done: frozenset[str]
    truck: list[TruckLine]

    @property
    def step(self) -> str | None:
        """The first that is not done; None at the end."""
        return next((one for one in STEPS if one not in self.done), None)

    @property
    def number(self) -> int:
        return STEPS.index(self.step) + 1 if self.step else len(STEPS)


def practising() -> bool:
    """Whether this is a practice home."""
    return sync.current_settings().practice


def guide(actor: str, here: str | None = None) -> Guide | None:
    """How far it is. `here`: the household whose page is open. None where nothing is remembered of the beginning."""
    with reading() as conn:
        begins = log.recall(conn, BEGINS, {})
        people = People.read(begins)
        if people is None:
            return None
        own = [one for one in log.iterate(conn) if one.op.device == log.own(conn) and one.op.seq > begins["after"]]
        truck = today(conn, people.trip).truck
    form = draft.kept(actor, f"deliver:{people.find}")
    done = set(_done(own, people)) | ({"find"} if here == people.find else set())
    if form is not None and "save" not in done:
        signed = any(name == "signature" and value for name, value in form.fields)
        done |= {"find", "hand"} | ({"sign"} if signed else set())
    return Guide(people, frozenset(done), truck)


def _done(own: Iterable[Entry], people: People) -> Iterable[str]:
    for entry in own:
        op = entry.op
        if op.kind == "delivery.recorded" and op.body["household"] == people.find:
            yield from ("find", "hand", "sign", "save")
        if op.kind == "visit.recorded" and op.body.get("outcome") != "met":
            yield "away"
        if op.kind == "delivery.voided" or (op.kind == "delivery.recorded" and op.body.get("replaces")):
            yield "mend"
        if op.kind == "stock.counted":
            yield "count"
        if op.kind == "access.recorded" and op.body.get("detail") == "paper-roll":
            yield "print"


def again() -> UserRow:
    """Everything that was practised goes, the village begins anew. Returns who practises, who has a new id.

    Raises: Problem `not-found` outside of a practice.
    """
    begin: Callable[[], Any] | None = current_app.extensions.get(AGAIN)
    if begin is None:
        raise Problem("not-found")
    begin()
    with reading() as conn:
        found = user_by_login(conn, LOGIN)
    assert found is not None
    return found

"""Whose a fact is, as far as a node knows: people are known to their team's laptops and to the centre, laptops to all.

docs/adr/0015-whose-a-fact-is.md
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, literal, select, union_all

from aidvisit.store.tables import FieldDevice, Team, User
from sync.rows import one_of

_USERS = (
    select(User.id, User.name, Team.name.label("team"), literal(True).label("person"))
    .join(Team, Team.id == User.team, isouter=True)
    .where(one_of(User.id, "ids"))
)
_DEVICES = (
    select(FieldDevice.id, FieldDevice.name, Team.name, literal(False))
    .join(Team, Team.id == FieldDevice.team, isouter=True)
    .where(one_of(FieldDevice.id, "ids"))
)
_BOTH = union_all(_USERS, _DEVICES)

Named = Mapping[str, tuple[str, str]]
"""id → (name, name of the team)."""


@dataclass(frozen=True, slots=True)
class Authors:
    """Names of people and laptops; "" of who is none of these: the centre, or its command line."""

    users: Named
    devices: Named

    def user(self, actor: str) -> str:
        """The name of a person, if they are known here."""
        return self.users.get(actor, ("", ""))[0]

    def by(self, actor: str, device: str) -> str:
        """The name of who recorded a fact, else of the team whose laptop it was; "": the office."""
        return self.user(actor) or self.devices.get(device, ("", ""))[1]

    def team(self, actor: str, device: str) -> str:
        """The team of a person, else of the laptop."""
        return self.users.get(actor, ("", ""))[1] or self.devices.get(device, ("", ""))[1]

    def device(self, device: str) -> str:
        """The name of a laptop; "": the centre."""
        return self.devices.get(device, ("", ""))[0]


def authors(conn: Connection, actors: Iterable[str], devices: Iterable[str]) -> Authors:
    """What these are called. One statement."""
    wanted = sorted({*actors, *devices})
    rows = conn.execute(_BOTH, {"ids": wanted}).all() if wanted else ()
    users, laptops = (
        {row.id: (row.name, row.team or "") for row in rows if row.person is one} for one in (True, False)
    )
    return Authors(users, laptops)

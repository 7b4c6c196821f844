"""Who may do what, and where: the one table of rights, and the places that a person answers for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

ROLES: Final = ("volunteer", "leader", "office", "auditor", "admin")

_ALL = ROLES
_TEAM = ("volunteer", "leader", "office", "admin")
_LEADS = ("leader", "office", "admin")
_LOOKS = ("leader", "office", "auditor", "admin")
_OFFICE = ("office", "admin")
_ADMIN = ("admin",)

RIGHTS: Final[dict[str, tuple[str, ...]]] = {
    "household.read": _ALL,
    "household.reveal": _LOOKS,
    "household.export": _LOOKS,
    "household.write": _TEAM,
    "household.close": _LEADS,
    "delivery.record": _TEAM,
    "delivery.void": _LEADS,
    "visit.record": _TEAM,
    "trip.read": _ALL,
    "trip.plan": _LEADS,
    "trip.settle": _LEADS,
    "stock.move": _LEADS,
    "stock.receive": _OFFICE,
    "import.run": _LEADS,
    "sync.run": _ALL,
    "laptop.lock": _LEADS,
    "account.own": _ALL,
    "account.read": _LOOKS,
    "account.manage": _ADMIN,
    "device.read": _LOOKS,
    "device.manage": _ADMIN,
    "catalog.read": _LOOKS,
    "catalog.manage": _OFFICE,
    "report.read": _LOOKS,
    "inbox.settle": _OFFICE,
    "access.record": _ALL,
    "audit.read": ("auditor", "admin"),
    "personal-data.erase": _ADMIN,
    "dossier.make": _OFFICE,
    "doctor.look": ("leader", "admin"),
    "backup.make": ("leader", "admin"),
    "backup.key": _ADMIN,
}
"""Right → the roles that have it. Pages and kinds of fact name a right; nothing else decides."""


RECORDING: Final[dict[str, str]] = {
    "op.released": "inbox.settle",
    "op.dismissed": "inbox.settle",
    "division.defined": "catalog.manage",
    "category.defined": "catalog.manage",
    "item.defined": "catalog.manage",
    "place.defined": "catalog.manage",
    "team.defined": "account.manage",
    "team.updated": "account.manage",
    "user.defined": "account.manage",
    "user.updated": "account.manage",
    "device.enrolled": "device.manage",
    "device.renamed": "device.manage",
    "device.revoked": "device.manage",
    "access.recorded": "access.record",
    "duplicate.settled": "inbox.settle",
    "trip.planned": "trip.plan",
    "trip.updated": "trip.plan",
    "allocation.set": "trip.plan",
    "trip.locked": "trip.settle",
    "trip.approved": "trip.settle",
    "trip.released": "trip.settle",
    "trip.closed": "trip.settle",
    "trip.reopened": "trip.settle",
    "stock.moved": "stock.move",
    "stock.counted": "stock.move",
    "notice.posted": "trip.plan",
    "household.registered": "household.write",
    "household.updated": "household.write",
    "household.closed": "household.close",
    "household.reopened": "household.close",
    "household.merged": "household.close",
    "household.unmerged": "household.close",
    "personal-data.erased": "personal-data.erase",
    "visit.recorded": "visit.record",
    "visit.voided": "delivery.void",
    "delivery.recorded": "delivery.record",
    "delivery.voided": "delivery.void",
}
"""Kind of fact → the right that its actor needs."""

FOR_TOKENS: Final = (
    "household.read", "household.reveal", "household.export", "household.write", "household.close", "trip.read",
    "trip.plan", "delivery.record", "delivery.void", "visit.record", "device.read", "account.read", "catalog.read",
    "report.read", "audit.read",
)  # fmt: skip
"""Rights that another system's token may be given; it never has one that the user it acts as has not."""

_PASSWORD = {"password_hash", "key"}


def needed(kind: str, actor: str, subject: str, body: Mapping[str, Any]) -> str:
    """The right to record a fact: as the table has it, but everybody changes their own password."""
    own = kind == "user.updated" and actor == subject
    return "account.own" if own and set(body.get("set", ())) <= _PASSWORD else RECORDING[kind]


def may(role: str, right: str) -> bool:
    """Whether a role has a right. Raises: KeyError for a right that is not in the table."""
    return role in RIGHTS[right]


def of_everything(level: int | None, parent: str | None, divisions: Sequence[str]) -> bool:
    """Whether the people of such a team answer for the whole programme: its head, bound to no place."""
    return level == 1 and parent is None and not divisions


@dataclass(frozen=True, slots=True)
class Scope:
    """What a person answers for: teams, and divisions by code (a county stands for its towns).

    `everything`: whose team is the head of the programme, and on a laptop everybody: it holds only what it was granted.
    """

    divisions: tuple[str, ...] = ()
    teams: frozenset[str] = frozenset()
    everything: bool = False

    def place(self, code: str) -> bool:
        """Whether a division, or a town's stream, lies in it."""
        return self.everything or (bool(self.divisions) and code.startswith(self.divisions))

    def team(self, identity: str | None) -> bool:
        return self.everything or identity in self.teams

    def narrowed(self, codes: Sequence[str], teams: frozenset[str]) -> Scope:
        """What of it lies in these divisions, with those of these teams that it covers; no codes narrow nothing."""
        if not codes:
            return self
        inside = [code for code in codes if self.place(code)]
        inside += [code for code in self.divisions if code.startswith(tuple(codes))]
        return Scope(tuple(sorted(set(inside))), teams if self.everything else teams & self.teams)


EVERYTHING: Final = Scope(everything=True)

"""The vault of this process's home, and the people whose passwords open it."""

from __future__ import annotations

from flask import current_app

from aidvisit.errors import Problem
from aidvisit.store.database import reading, transaction
from aidvisit.store.queries import account
from aidvisit.store.vault import Holder, Vault
from sync import log

VAULT = "aidvisit.vault"


def vault() -> Vault:
    """The vault of this process's home; it does not `exist` at the centre and in a home without encryption."""
    found: Vault = current_app.extensions[VAULT]
    return found


def reseal() -> int:
    """After a sync: a slot for every active person of the team, none for anybody else; how many that is."""
    if not vault().exists or vault().locked:
        return 0
    with transaction() as conn:  # one at a time, also of another process: a command syncs beside the agent
        people = account.users(conn)
        vault().seal_to(Holder(one.id, one.login, one.key) for one in people if one.active and one.key)
    return vault().slots


def seal_off() -> None:
    """The laptop was revoked: only the recovery key opens it now. Raises: Problem `not-writable`, `disk-full`."""
    try:
        with transaction():  # as above: who makes slots just now does not undo it
            vault().seal_off()
    except Problem:
        vault().seal_off()  # a database that is held or full is no reason to stay open


def readmit() -> None:
    """A revoked laptop that the centre took in again opens for its people as before. Raises: Problem as above."""
    if vault().exists and vault().revoked:
        with transaction():
            vault().readmit()
        reseal()


def acting() -> str:
    """Who a command acts for: the person whose password opened the home, else the device itself."""
    with reading() as conn:
        return vault().opened_by or log.own(conn)

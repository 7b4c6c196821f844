"""The vault of this process's home, and the people whose passwords open it."""

from __future__ import annotations

from flask import current_app

from aidvisit.store.database import reading
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
    with reading() as conn:
        people = account.users(conn)
    holders = [Holder(one.id, one.login, one.key) for one in people if one.active and one.key]
    vault().seal_to(holders)
    return len(holders)


def acting() -> str:
    """Who a command acts for: the person whose password opened the home, else the device itself."""
    with reading() as conn:
        return vault().opened_by or log.own(conn)

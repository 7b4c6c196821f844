"""As of when the figures are: which laptops have reported, and how long ago."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.store.queries.account import DeviceRow, device_rows


@dataclass(frozen=True, slots=True)
class Reporting:
    """Laptops in use. `latest`, `oldest`: by their last report; `never`: those that have not reported yet; `waiting`:
    those that said they had more to send.
    """

    count: int
    latest: DeviceRow | None
    oldest: DeviceRow | None
    never: int
    waiting: int


def reporting(conn: Connection, scope: Scope = EVERYTHING) -> Reporting:
    rows = [row for row in device_rows(conn, scope) if not row.revoked]
    heard = sorted((row for row in rows if row.last_seen), key=lambda row: row.last_seen or "")
    waiting = sum(1 for row in rows if row.waiting)
    return Reporting(
        len(rows), heard[-1] if heard else None, heard[0] if heard else None, len(rows) - len(heard), waiting
    )

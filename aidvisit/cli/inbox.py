"""`aidvisit central inbox`: what somebody at the office should look at."""

from __future__ import annotations

from argparse import Namespace

from aidvisit.cli.home import Answer, opened, settings_of


def list_inbox(arguments: Namespace) -> Answer:
    """Look at all that arrived, portion after portion, and list what waits, the oldest first."""
    from aidvisit.services import inbox as service
    from aidvisit.store import inbox as store
    from aidvisit.store.database import reading

    with opened(settings_of(arguments, "central")):
        while service.look():
            pass
        with reading() as conn:
            items, more = store.listed(conn)
            while more:
                page, more = store.listed(conn, after=(items[-1].since, items[-1].id))
                items += page
            counts = store.counts(conn)
    document = [
        {
            "item": one.id, "kind": one.kind, "since": one.since, "about": one.about, "division": one.division,
            "team": one.team, "trip": one.trip, "assigned_to": one.assigned_to,
        }
        for one in items
    ]  # fmt: skip
    lines = [f"{one.id}  {one.kind}  {one.since}  {one.division or '–'}  {one.trip or '–'}" for one in items]
    return Answer({"counts": counts, "items": document}, lines or ["没有待办 / nothing waits"])

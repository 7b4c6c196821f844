"""How fresh what a laptop shows is: “known as of …” and “still coming in …”, said in one way on every page."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import Connection

from aidvisit.services import sync
from aidvisit.store.queries import holding
from aidvisit.store.queries.holding import Known, Stream
from aidvisit.store.queries.trip import TripHead
from aidvisit.web.i18n import gettext


def known(conn: Connection, *, town: str | None = None, trip: TripHead | None = None) -> Known | None:
    """Of a town, a trip, or every town; None at the centre, which knows what there is."""
    if sync.current_settings().role != "field":
        return None
    return holding.known(conn, town=town, trip=trip)


def stream_words(one: Stream) -> str:
    """What people call a stream."""
    match one.type:
        case "org":
            return gettext("机构资料(目录、物资、队伍)")
        case "team":
            return gettext("本队的人员")
        case "trip":
            return one.name or gettext("一次走访任务")
        case _:
            return one.name or one.stream


def coming_words(one: Stream) -> str:
    """`正在接收 新兴镇 1,200 / 20,000`."""
    done, total = (one.fresh.n, one.fresh.head or 0) if one.fresh else (0, 0)
    return gettext(
        "正在接收 %(name)s %(done)s / %(total)s", name=stream_words(one), done=f"{done:,}", total=f"{total:,}"
    )


def init_app(app: Flask) -> None:
    app.add_template_global(coming_words)
    app.add_template_global(stream_words)

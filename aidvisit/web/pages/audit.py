"""Who looked at what and who decided what, for whoever has to ask; and all of it as a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date

from flask import Blueprint, g, render_template, request
from flask.typing import ResponseReturnValue

from aidvisit.services import export, sync
from aidvisit.store.database import reading
from aidvisit.store.queries import audit as queries
from aidvisit.store.queries import household as households
from aidvisit.store.queries.audit import Asked, AuditLine
from aidvisit.web import auth
from aidvisit.web.audit_words import WHAT, detail_words, role_words, what_words, who_words
from aidvisit.web.files import streamed
from aidvisit.web.i18n import gettext, moment
from sync.op import is_uuid

blueprint = Blueprint("audit", __name__)


@blueprint.get("/audit")
def page() -> str:
    """Newest first; addresses hold ids, days and kinds, never a name."""
    asked, zone = _asked(request.args), sync.current_settings().zone
    before = request.args.get("before", "")
    with reading() as conn:
        lines, more = queries.page(conn, asked, g.scope, zone, before if queries.is_key(before) else "")
        people, devices = queries.people(conn, g.scope), queries.devices(conn, g.scope)
        view = households.household(conn, asked.household, g.scope) if asked.household else None
    return render_template(
        "audit/page.html", lines=lines, more=more, asked=asked, people=people, devices=devices, kinds=WHAT,
        fields={name: value for name, value in asdict(asked).items() if value}, before=before,
        household=view.name if view else "", who_words=who_words, what_words=what_words, role_words=role_words,
        detail_words=detail_words,
    )  # fmt: skip


@blueprint.post("/audit.csv", endpoint="csv")
def as_csv() -> ResponseReturnValue:
    """What the filter shows, as a file for a spreadsheet; that it was taken is in the audit before the first byte.

    All of it is of one moment: the lines that are counted are the lines that are sent.
    """
    asked, zone, scope = _asked(request.form), sync.current_settings().zone, g.scope
    taken = export.take(
        auth.actor(), "audit",
        lambda conn: (queries.count(conn, asked, scope, zone), queries.every(conn, asked, scope, zone)),
    )  # fmt: skip
    return streamed("audit", gettext("审计记录"), _headings(), map(_cells, taken.rows), taken.close, as_="csv")


def _asked(given: Mapping[str, str]) -> Asked:
    """What is no id, day or kind asks for nothing."""
    ids = {name: given.get(name, "") for name in ("person", "household", "device")}
    days = {name: given.get(name, "") for name in ("first", "last")}
    what = given.get("what", "")
    return Asked(
        what=what if what in WHAT else "",
        **{name: value if is_uuid(value) else "" for name, value in ids.items()},
        **{name: value if _is_day(value) else "" for name, value in days.items()},
    )


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text and "1971" <= text[:4] < "9999"
    except ValueError:
        return False


def _headings() -> list[str]:
    return [
        gettext("时间"), gettext("到达中心"), gettext("谁"), gettext("角色"), gettext("设备"), gettext("做了什么"),
        gettext("困难家庭"), gettext("说明"), gettext("困难家庭编号"), gettext("记录"),
    ]  # fmt: skip


def _cells(line: AuditLine) -> list[str]:
    identity, name = line.household or ("", "")
    record = line.key.partition("/")[2]
    at, arrived = moment(line.at, "%Y-%m-%d %H:%M:%S"), moment(line.arrived, "%Y-%m-%d %H:%M:%S")
    words = what_words(line), name, detail_words(line)
    return [at, arrived, who_words(line), role_words(line), line.device, *words, identity, record]

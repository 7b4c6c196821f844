"""What stands around every page: who, where, the way about, the sync chip, the clock."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, g, request, url_for
from sqlalchemy import Connection
from werkzeug.local import LocalProxy

from aidvisit.domain.rights import may
from aidvisit.errors import Problem
from aidvisit.services import sync
from aidvisit.services.practice import Guide, guide, practising
from aidvisit.services.vault import vault
from aidvisit.store.database import reading
from aidvisit.store.queries import inbox
from aidvisit.web import auth
from aidvisit.web.chip import Chip, chip
from aidvisit.web.i18n import html_language, language
from aidvisit.web.i18n import lazy as _
from sync import log

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(self), camera=(self), microphone=()",
}
PLAIN = {"X-Content-Type-Options": "nosniff"}
"""Of answers to programs, which show nothing and have no cookie: on a 2G line the others would be half of a push."""
NAVIGATION = {
    "field": [
        ("trip.today", _("今日")),
        ("household.search", _("困难家庭")),
        ("stock.today", _("物资账")),
        ("rolls.today", _("名单")),
        ("sync.page", _("上报")),
    ],
    "central": [
        ("report.overview", _("总览")),
        ("reports.page", _("报表")),
        ("inbox.page", _("待办")),
        ("trips.page", _("走访任务")),
        ("household.search", _("困难家庭")),
        ("stores.page", _("物资账")),
        ("imports.page", _("导入")),
        ("catalog.page", _("基础数据")),
        ("people.page", _("人员")),
        ("devices.page", _("设备")),
        ("audit.page", _("审计记录")),
    ],
}
PRACTICE = ("practice.page", _("练习"))
SECTIONS = {
    "backup_key": "devices",
    "backups": "devices",
    "bundles": "devices",
    "divisions": "catalog",
    "doctor": "devices",
    "entries": "trips",
    "goods": "stock",
    "held": "inbox",
    "lists": "household",
    "manual": "practice",
    "months": "trips",
    "pairs": "household",
    "papers": "rolls",
    "ready": "sync",
    "reconciliation": "trips",
    "stick": "sync",
    "teams": "people",
    "tokens": "people",
    "visits": "household",
}
"""Pages that the navigation does not name, and whose they are there; those of one blueprint are together anyhow."""


@dataclass(frozen=True, slots=True)
class Frame:
    role: str
    name: str
    navigation: list[tuple[str, Any]]
    counts: dict[str, int]
    """How much waits behind a page of the navigation, where something does."""
    chip: Chip | None
    language: str
    html_language: str
    lockable: bool
    """Whether this user may lock this laptop (锁机)."""
    practice: bool = False
    guide: Guide | None = None
    """How far a practice is, for who is signed in."""

    @property
    def address(self) -> str:
        """Where a reload of what came by POST leads: the nearest page above it that can be asked for."""
        pages, path = current_app.create_url_adapter(request), request.path
        while path and not (pages and pages.test(path, "GET")):
            path = path.rpartition("/")[0]
        return path or "/"

    @property
    def here(self) -> str:
        """The address of this page, with all that it asks for."""
        return request.full_path.removesuffix("?") if request.method == "GET" else self.address

    @property
    def section(self) -> str:
        """The part of the navigation that this request's page is of."""
        blueprint = request.blueprint or ""
        return SECTIONS.get(blueprint, blueprint)


def init_app(app: Flask) -> None:
    app.after_request(_headers)
    # A part of a page that a script fetches has no frame, and asks for none.
    app.context_processor(lambda: {"frame": LocalProxy(cache(frame))})
    app.add_template_global(asset)


def init_bare(app: Flask) -> None:
    """The same around the pages of a laptop that has no database yet, hence no name, nobody and no way about."""
    app.after_request(_headers)
    app.context_processor(
        lambda: {"frame": Frame("field", "", [], {}, None, language(), html_language(), lockable=False)}
    )
    app.add_template_global(asset)


def frame() -> Frame:
    """The frame of this request's page."""
    role, practice = sync.current_settings().role, practising()
    navigation = navigation_of(role)
    try:
        with reading() as conn:
            shown = chip(conn) if role == "field" and g.get("user") and not practice else None
            name = str(log.recall(conn, "name", ""))
            counts = _counts(conn, navigation)
    except Problem:
        shown, name, counts = None, "", {}  # the page that tells of a locked database needs a frame too
    lockable = bool(g.get("user")) and vault().exists and may(g.user.role, "laptop.lock")
    steps = guide(g.user.id, (request.view_args or {}).get("household")) if practice and g.get("user") else None
    return Frame(role, name, navigation, counts, shown, language(), html_language(), lockable, practice, steps)


def _counts(conn: Connection, navigation: list[tuple[str, Any]]) -> dict[str, int]:
    shown = any(endpoint == "inbox.page" for endpoint, _words in navigation)
    waiting = inbox.waiting(conn, g.scope) if shown else 0
    return {"inbox.page": waiting} if waiting else {}


def navigation_of(role: str) -> list[tuple[str, Any]]:
    """The pages that whoever is signed in may open, in their order."""
    listed = [*NAVIGATION[role], PRACTICE] if practising() else NAVIGATION[role]
    return [(endpoint, words) for endpoint, words in listed if auth.opens(endpoint)]


def first_page() -> str | None:
    """Where whoever is signed in begins; None before that."""
    found = navigation_of(sync.current_settings().role)
    return url_for(found[0][0]) if found else None


def asset(name: str) -> str:
    """Address of a static file, with a mark of its content: it may be kept for a year."""
    return url_for("static", filename=name, v=_content_mark(str(current_app.static_folder), name))


@cache
def _content_mark(folder: str, name: str) -> str:
    return sha256((Path(folder) / name).read_bytes()).hexdigest()[:12]


def _headers(response: Response) -> Response:
    told_to_program = auth.for_programs(request.blueprint)
    for name, value in (PLAIN if told_to_program else HEADERS).items():
        response.headers.setdefault(name, value)
    if told_to_program and request.method == "POST":
        return response  # nobody keeps an answer to a POST (RFC 9110, section 9.3.3)
    if request.endpoint == "static" and "v" in request.args:
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    elif request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response

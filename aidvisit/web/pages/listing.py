"""Lists for work on both sides: on screen, on paper, as a file."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import fields, validate

from aidvisit.domain.division import village
from aidvisit.domain.rights import may
from aidvisit.errors import Problem
from aidvisit.services import listing as service
from aidvisit.services.export import Taken
from aidvisit.store.database import reading
from aidvisit.store.queries import catalog
from aidvisit.store.queries import listing as queries
from aidvisit.store.queries.listing import Listed, Wanted
from aidvisit.web import auth
from aidvisit.web.days import day_of
from aidvisit.web.files import streamed
from aidvisit.web.forms import Form, at_fields, read
from aidvisit.web.fresh import known
from aidvisit.web.i18n import gettext
from aidvisit.web.places import choices

blueprint = Blueprint("lists", __name__, url_prefix="/lists")


class SaveForm(Form):
    name = fields.String(
        required=True, validate=validate.Length(1, 40, error="请起个名,最多 40 字。 / Give a name, at most 40.")
    )


@blueprint.get("", endpoint="page")
def page() -> ResponseReturnValue:
    """What the filter in the address asks for, a page at a time; addresses hold codes, days and ids, never a name."""
    return _page(service.wanted(request.args.to_dict()))


def _page(asked: Wanted, problem: Problem | None = None) -> ResponseReturnValue:
    after, today = request.args.get("after", ""), day_of(None)
    chosen = service.saved(auth.actor())
    with reading() as conn:
        rows, more = queries.page(conn, asked, g.scope, today=today, after=after)
        count = queries.count(conn, asked, g.scope, today=today, limit=queries.COUNTED + 1)
        places = choices(conn, asked.place)
        categories, items = catalog.categories(conn), catalog.items(conn)
        fresh = known(conn)
    shown = render_template(
        "listing/page.html", asked=asked, fields=service.fields(asked), rows=rows, more=more, after=after, count=count,
        counted=queries.COUNTED, places=places, categories=categories, items=items, fresh=fresh, problem=problem,
        errors=at_fields(problem), saved={name: service.fields(one) for name, one in chosen.items()},
        current=next((name for name, one in chosen.items() if one == asked), ""), typed=request.form,
        in_full=may(g.user.role, "household.reveal"),
    )  # fmt: skip
    return shown, problem.status if problem else 200


@blueprint.post("/save", endpoint="save")
def save() -> ResponseReturnValue:
    """Keep the filter under a name, for this person at this machine."""
    asked = service.wanted(request.form.to_dict())
    try:
        service.save(auth.actor(), read(SaveForm)["name"], asked)
    except Problem as problem:
        if problem.name not in ("invalid-form", "too-many-filters"):
            raise
        return _page(asked, problem)
    return redirect(_at(asked), 303)


@blueprint.post("/forget", endpoint="forget")
def forget() -> ResponseReturnValue:
    service.forget(auth.actor(), request.form.get("name", ""))
    return redirect(_at(service.wanted(request.form.to_dict())), 303)


@blueprint.post("/print", endpoint="paper")
def paper() -> ResponseReturnValue:
    """The whole list for a printer, by village and group. Raises: Problem `list-too-long`, `not-permitted`."""
    asked = service.wanted(request.form.to_dict())
    taken = _taken(service.MOST_PRINTED)
    try:
        rows = list(taken.rows)
    finally:
        taken.close()
    with reading() as conn:
        categories, items = catalog.categories(conn), catalog.items(conn)
        places = catalog.own_names(conn, [asked.place] if asked.place else [])
    return render_template(
        "listing/paper.html", rows=rows, asked=asked, places=places,
        categories=categories, items=items, today=day_of(None), in_full=_in_full(), count=taken.count,
        fields=service.fields(asked),
    )  # fmt: skip


@blueprint.post("/file", endpoint="file")
def file() -> ResponseReturnValue:
    """All of it as .xlsx or .csv (`as`), row after row: a long list is never in memory. Raises: Problem as `paper`."""
    taken = _taken()
    return streamed("households", gettext("名单"), _headings(), (_cells(one) for one in taken.rows), taken.close)


def _taken(most: int | None = None) -> Taken[Listed]:
    asked = service.wanted(request.form.to_dict())
    return service.take(auth.actor(), asked, g.scope, today=day_of(None), revealed=_in_full(), most=most)


def _in_full() -> bool:
    """Whether full numbers were asked for. Raises: Problem `not-permitted` to who may not see them."""
    asked = request.form.get("in_full") == "yes"
    if asked and not may(g.user.role, "household.reveal"):
        raise Problem("not-permitted")
    return asked


def _at(asked: Wanted) -> str:
    named: dict[str, Any] = service.fields(asked)
    return url_for("lists.page", **named)


def _headings() -> list[str]:
    return [
        gettext("县"), gettext("乡镇"), gettext("村"), gettext("组"), gettext("户主或单位"), gettext("证件号码"),
        gettext("电话"), gettext("地址"), gettext("人数"), gettext("困难类型"), gettext("上次走访"),
        gettext("上次发放"), gettext("未办的需求"), gettext("编号"),
    ]  # fmt: skip


def _cells(one: Listed) -> list[object]:
    county, town, own = (*one.place, "", "", "")[:3]
    return [
        county, town, village(own), one.group, one.name, one.id_number, one.phone, one.address, one.size,
        "、".join(one.tags), one.visited or "", one.served or "", ";".join(one.needs), one.id,
    ]  # fmt: skip

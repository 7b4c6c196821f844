"""What the centre holds for review: who, what and why, and deciding it."""

from __future__ import annotations

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from aidvisit.errors import Problem
from aidvisit.services import held as service
from aidvisit.store.database import reading
from aidvisit.store.queries import held as queries
from aidvisit.store.queries.held import Name
from aidvisit.web import auth
from aidvisit.web.forms import HeldForm, read
from sync.op import is_uuid

central = Blueprint("held", __name__, url_prefix="/held")


@central.get("", endpoint="page")
def page(problem: Problem | None = None) -> str:
    """What waits, by laptop; below it what was decided, by whom and why."""
    after = _name(request.args.get("after", ""))
    with reading() as conn:
        waiting, more = queries.waiting(conn, g.scope, after=after)
        count = queries.count(conn, g.scope)
        decided = queries.decisions(conn, g.scope)
    return render_template(
        "held/page.html", waiting=waiting, more=more, count=count, decided=decided, problem=problem,
        chosen=request.form.getlist("held"), typed=request.form, done=request.args.get("done", ""),
    )  # fmt: skip


@central.post("", endpoint="settle")
def settle() -> ResponseReturnValue:
    """Accept (收下) or dismiss (不收) all that is ticked, with one reason. Raises: Problem `unknown-record`."""
    try:
        form = read(HeldForm)
        names = [name for name in map(_name, request.form.getlist("held")) if name is not None]
        if not names:
            none = ["请先勾选要处理的记录。 / Tick the records first."]
            raise Problem("invalid-form", count=1, errors={"held": none})
        decide = service.release if form["decision"] == "release" else service.dismiss
        decide(actor=auth.actor(), held=names, reason=form["reason"], scope=g.scope)
    except Problem as problem:
        if problem.name not in ("invalid-form", "not-acceptable"):
            raise
        return page(problem), problem.status
    return redirect(url_for("held.page", done=form["decision"]), 303)


def _name(text: str) -> Name | None:
    """`<device>/<seq>`, as it stands in forms and addresses."""
    device, _, seq = text.partition("/")
    right = is_uuid(device) and seq.isascii() and seq.isdigit() and 0 < len(seq) < 16
    return (device, int(seq)) if right else None

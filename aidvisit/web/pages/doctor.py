"""The doctor's page at both ends: what is looked at at once, and the last look at everything."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from aidvisit.services import doctor
from aidvisit.services.doctor import later
from aidvisit.services.sync import current_settings
from aidvisit.services.vault import vault
from aidvisit.web.i18n import language

blueprint = Blueprint("doctor", __name__, url_prefix="/doctor")


@blueprint.get("", endpoint="page")
def page() -> str:
    """Quick checks as of now; those that read everything as of when somebody last asked for them."""
    quick = doctor.inspect(current_settings(), vault(), slow=False, outside=False)
    last = later.last()
    return render_template(
        "doctor/page.html", quick=[_shown(one.document()) for one in quick], worst=doctor.worst(quick), last=last,
        slow=[_shown(one) for one in last.checks],
    )  # fmt: skip


@blueprint.post("", endpoint="look")
def look() -> ResponseReturnValue:
    """Look at everything, in the background; one at a time."""
    later.begin(current_settings())
    return redirect(url_for("doctor.page"), 303)


def _shown(check: dict[str, Any]) -> dict[str, Any]:
    own = language()
    return check | {"found": check["found"][own], "do": (check["do"] or {}).get(own, "")}

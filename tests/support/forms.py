"""The form of a household, filled in and sent as a browser would."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from aidvisit.store.database import reading
from aidvisit.store.judge import unsalted
from sync.log import entries_of
from tests.support.homes import VILLAGE
from tests.support.pages import Pages, words


def filled(answer: TestResponse) -> MultiDict[str, str]:
    """What the form of a page holds, as a browser would send it with the button to save."""
    found: MultiDict[str, str] = MultiDict({"do": "save"})
    form = answer.text.partition("data-household")[2] or answer.text
    for tag in re.findall(r"<input\b[^>]*>", form):
        named = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if "name" in named and (named.get("type") != "checkbox" or re.search(r"\schecked\b", tag)):
            found.add(unescape(named["name"]), unescape(named.get("value", "on")))
    for name, inner in re.findall(r'<select\b[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', inner)
        found.add(name, chosen[1] if chosen else "")
    for name, inner in re.findall(r'<textarea\b[^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', form, re.S):
        found.add(name, unescape(inner))
    return found


def send(there: Pages, path: str, form: MultiDict[str, str], **typed: Any) -> TestResponse:
    """Send a form with some fields typed anew; a list is several of one name."""
    for name, value in typed.items():
        form.setlist(name.replace("__", "."), value if isinstance(value, list) else [value])
    if "csrf_token" not in form:
        form["csrf_token"] = filled(there.get("/search"))["csrf_token"]
    return there.client.post(path, data=form)


def bodies(there: Pages, household: str) -> list[tuple[str, dict[str, Any]]]:
    with there.app.app_context(), reading() as conn:
        return [(one.op.kind, unsalted(one.op.body)) for one in entries_of(conn, household)]


def register(there: Pages, **typed: Any) -> str:
    form = filled(there.get("/households/new"))
    answer = send(there, "/households/new", form, **{"head__name": "谭新来", "division": VILLAGE, **typed})
    assert answer.status_code == 303, words(answer)
    return answer.location.rpartition("/")[2].partition("?")[0]

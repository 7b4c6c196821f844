"""Every page × every role and nobody × both ends × the own team and another: who gets in, and what is seen."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Blueprint

from aidvisit import app as wiring
from aidvisit import config
from aidvisit.domain.rights import RECORDING, RIGHTS, ROLES, may
from aidvisit.web import auth, frame
from tests.support.asking import NOBODY, Answer, Place, filled, place, text
from tests.support.examples import PLACES, Request
from tests.support.rights_table import PAGE, parts, table
from tests.support.sides import HEAD, Homes, make, nothing

logger = logging.getLogger(__name__)

WITHOUT_PAGE = {"access.record"}
"""Rights that no page of this version needs: the judge asks for them (tests/unit/test_rights_ops.py), or a command."""


@dataclass(frozen=True, slots=True)
class Ends:
    homes: Homes
    field: Place
    central: Place

    def at(self, where: str) -> Place:
        found: Place = getattr(self, where)
        return found


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ends]:
    homes = make(tmp_path_factory.mktemp("sides"))
    folder = tmp_path_factory.mktemp("ends")
    with place(homes, "field", folder) as laptop, place(homes, "central", folder) as centre:
        yield Ends(homes, laptop, centre)


EVERY = [pytest.param(where, name, id=f"{where} {name}") for where, rows in PLACES.items() for name in rows]


def allowed(name: str, who: str) -> bool:
    """By the two tables of the product, and nothing else."""
    endpoint = name.split()[1]
    if auth.is_open(endpoint):
        return True
    return who != NOBODY and may("admin" if who == HEAD else who, auth.ROUTES[endpoint])


# --- the tables are whole -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", PLACES)
def test_every_page_has_its_row(ends: Ends, where: str) -> None:
    rules, rows = ends.at(where).rules().keys(), PLACES[where].keys()
    assert not rules - rows, f"give each an example in tests/support/examples.py: {sorted(rules - rows)}"
    assert not rows - rules, f"no such page: {sorted(rows - rules)}"


def test_a_page_without_a_right_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = Blueprint("lost", __name__)
    lost.get("/lost", endpoint="page")(lambda: "")
    monkeypatch.setitem(wiring.PAGES, "central", (*wiring.PAGES["central"], lost))
    with pytest.raises(LookupError, match=r"lost\.page"):
        wiring.create_app(config.write(tmp_path / "home", role="central"))


def test_no_row_is_stale_and_every_right_is_somebodys_and_needed(ends: Ends) -> None:
    endpoints = {rule.endpoint for where in PLACES for rule in ends.at(where).app.url_map.iter_rules()}
    assert auth.ROUTES.keys() <= endpoints
    assert not auth.ROUTES.keys() & auth.OPEN
    assert set(auth.ROUTES.values()) <= RIGHTS.keys()
    assert RIGHTS.keys() - set(auth.ROUTES.values()) == WITHOUT_PAGE
    assert all(RIGHTS.values())
    assert set(RECORDING.values()) <= RIGHTS.keys()


@pytest.mark.parametrize("right", sorted(set(auth.ROUTES.values())))
def test_every_right_has_a_case_that_reaches_the_data(right: str) -> None:
    """`test_each_role_at_each_page` tries it; what a page shows or leaves behind is what its row says."""
    cases = [row for rows in PLACES.values() for name, row in rows.items() if auth.ROUTES.get(name.split()[1]) == right]
    assert any(row.shows or row.records for row in cases)


# --- who gets in --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("where", "name"), EVERY)
def test_each_role_at_each_page(ends: Ends, where: str, name: str) -> None:
    at, request = ends.at(where), PLACES[where][name]
    for who in (NOBODY, *ROLES):
        answer = at.ask(who, name, request, ends.homes.ours)
        if request.door:
            assert answer.status in (400, 401, 422), who
        elif allowed(name, who):
            _let_in(at, request, answer, ends.homes, who)
        else:
            _kept_out(at, name, request, answer, ends.homes, who)
        if name.startswith("POST"):
            at.put_back()


def _let_in(at: Place, request: Request, answer: Answer, homes: Homes, who: str) -> None:
    assert answer.status in ((request.status,) if request.status else (200, 303)), (who, answer.text)
    assert text(request.shows, homes.ours) in answer.text, who
    assert not [one for one in homes.theirs.texts() if one in answer.text], who
    if request.records:
        user = at.user("volunteer" if who == NOBODY else who)
        assert request.records in [kind for kind, _ in answer.new], who
        assert {actor for _, actor in answer.new} <= {user, at.user("volunteer")}, who


def _kept_out(at: Place, name: str, request: Request, answer: Answer, homes: Homes, who: str) -> None:
    if who == NOBODY and name.startswith("GET"):
        assert answer.status == 302, who
        assert answer.response.location.startswith("/sign-in"), who
    elif answer.status == 302:
        assert at.app.url_map.bind("").match("/")[0] == name.split()[1], "only the root leads on"
        assert answer.response.location != "/", who
        return
    else:
        assert answer.status == (401 if who == NOBODY else 403), who
    assert not answer.new, who
    ours = homes.ours
    sent = {*filled(request.form, ours).values(), *filled(request.query, ours).values()}
    shown = {ours.name, ours.id_number, ours.title, ours.drawing, ours.user_name, ours.team_name} - sent
    assert not [one for one in shown if one in answer.text], who


# --- another team's data ------------------------------------------------------------------------------------------

BEHIND_A_RIGHT = [
    pytest.param(where, name, id=f"{where} {name}")
    for where, rows in PLACES.items()
    for name, row in rows.items()
    if not row.door and name.split()[1] in auth.ROUTES
]


@pytest.mark.parametrize(("where", "name"), BEHIND_A_RIGHT)
def test_what_is_another_teams_is_as_if_it_did_not_exist(ends: Ends, where: str, name: str) -> None:
    at, request, theirs, none = ends.at(where), PLACES[where][name], ends.homes.theirs, nothing()
    if not _about_something(at, name, request):
        return  # a page without a subject: what it shows is tried by every role above
    for who in (role for role in ROLES if allowed(name, role)):
        foreign = at.ask(who, name, request, theirs)
        if name.startswith("POST"):
            at.put_back()
        unknown = at.ask(who, name, request, none)
        if name.startswith("POST"):
            at.put_back()
        assert foreign.status == unknown.status, who
        assert foreign.words(*theirs.texts()) == unknown.words(*none.texts()), who
        sent = {*filled(request.form, theirs).values(), *filled(request.query, theirs).values()}
        known = {one for one in theirs.texts() if any(one in value for value in sent)} | _ids(at, name, theirs)
        assert not [one for one in theirs.texts() - known if one in foreign.text], who
        assert foreign.new == unknown.new == [], who


def _about_something(at: Place, name: str, request: Request) -> bool:
    """Whether it names something that a team has."""
    values = [*request.form.values(), *request.query.values()]
    return bool(at.rules()[name].arguments) or any(value.startswith("@") for value in values)


def _ids(at: Place, name: str, side: object) -> set[str]:
    """What stands in the address, which a page may repeat."""
    return {str(getattr(side, part, "")) for part in at.rules()[name].arguments}


@pytest.mark.parametrize(
    "name", [name for name, row in PLACES["central"].items() if row.shows.startswith("@") and "blob" not in name]
)
def test_the_head_of_the_programme_reaches_it(ends: Ends, name: str) -> None:
    """So the refusals above are for the scope, and not for a request that is wrong."""
    request = PLACES["central"][name]
    answer = ends.central.ask(HEAD, name, request, ends.homes.theirs)
    ends.central.put_back()
    assert answer.status in (200, 303)
    assert text(request.shows, ends.homes.theirs) in answer.text


# --- what one is led to -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("who", ROLES)
def test_the_root_and_the_navigation_lead_nowhere_closed(ends: Ends, where: str, who: str) -> None:
    at = ends.at(where)
    first = at.browser(who).get("/", follow_redirects=True)
    assert first.status_code == 200
    for endpoint, _ in frame.NAVIGATION[where]:
        with at.app.test_request_context():
            path = at.app.url_for(endpoint, _external=False)
        assert (f'<a href="{path}"' in first.text) == may(who, auth.ROUTES[endpoint]), endpoint


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("who", ROLES)
def test_no_link_and_no_button_leads_to_a_refusal(ends: Ends, where: str, who: str) -> None:
    at = ends.at(where)
    routes = at.app.url_map.bind("localhost")
    followed = 0
    for name in PLACES[where]:
        if not name.startswith("GET") or name == "GET static" or not allowed(name, who):
            continue
        page = at.ask(who, name, PLACES[where][name], ends.homes.ours).text
        for mark, attribute, path in re.findall(r'(<(?:a|form|button)\b[^>]*?(href|action)="(/[^"?#]*)[^>]*>)', page):
            if path == "/":
                continue  # leads on to the first page that one may see
            method = "GET" if attribute == "href" or 'method="get"' in mark else "POST"
            endpoint = routes.match(path, method=method)[0]
            assert allowed(f"{method} {endpoint}", who), f"{name} → {path}"
            followed += 1
    assert followed > 20


def test_how_many_cases_there_are(ends: Ends) -> None:
    """(route × role or nobody × place), and again about another team's data; shown by --log-cli-level=INFO."""
    tried = [(name, who) for rows in PLACES.values() for name in rows for who in (NOBODY, *ROLES)]
    let_in = sum(allowed(name, who) for name, who in tried)
    foreign = sum(
        allowed(name, role)
        for where, name in (param.values for param in BEHIND_A_RIGHT)
        for role in ROLES
        if _about_something(ends.at(str(where)), str(name), PLACES[str(where)][str(name)])
    )
    logger.info(
        "pages: %d cases, %d allowed, %d refused; of another team %d", len(tried), let_in, len(tried) - let_in, foreign
    )
    assert min(let_in, len(tried) - let_in) > 100


def test_the_documents_show_the_table_of_the_code() -> None:
    """`python -m tests.support.rights_table` writes it."""
    assert parts(PAGE.read_text(encoding="utf-8"))[1] == table()

"""Who is asking, and whether they may. Closed by default: a page that no table names does not start."""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256

from flask import Blueprint, Flask, g, request, session

from aidvisit.domain import rights
from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.errors import Problem
from aidvisit.services import sync
from aidvisit.services.account import doors
from aidvisit.services.practice import practising
from aidvisit.services.vault import vault
from aidvisit.store.database import reading
from aidvisit.store.queries import account
from aidvisit.store.queries.account import UserRow
from aidvisit.store.queries.scope import scope_of
from sync.op import is_text

OPEN = {"static", "account.sign_in", "lock.recover", "account.language"}
OPEN_BLUEPRINTS = {"sync_api", "blob_api", "password_api", "api_description"}  # devices show their token there
API = "api_v1_"
"""How the blueprints begin at which other systems show a token (web/api/v1/door.py has their rights)."""
API_PATHS = "/api/v1/"
ASKED_BY_ITSELF = {"sync.chip", "sync.live"}  # an open page asks for them, whether or not anybody sits there
NOT_IN_PRACTICE = ("sync.run", "import.run")  # nothing leaves a made-up village, and nothing real comes in
KEPT_OVER_SIGN_IN = ("language",)
SESSION = "id"  # of the session in the doors file
USER = "user"  # whose it is: the doors file is not signed, the cookie is

ROUTES = {
    "account.sign_out": "account.own",
    "audit.csv": "audit.read",
    "audit.page": "audit.read",
    "backup_key.make": "backup.key",
    "backups.now": "backup.make",
    "backups.page": "backup.make",
    "bundles.answer": "import.run",
    "bundles.page": "import.run",
    "bundles.part": "import.run",
    "bundles.take": "import.run",
    "catalog.add": "catalog.manage",
    "catalog.one": "catalog.manage",
    "catalog.page": "catalog.read",
    "deliveries.void": "delivery.void",
    "delivery.deliver": "delivery.record",
    "devices.codes": "device.manage",
    "devices.one": "device.read",
    "devices.page": "device.read",
    "devices.rename": "device.manage",
    "devices.revoke": "device.manage",
    "divisions.add": "catalog.manage",
    "divisions.load": "catalog.manage",
    "divisions.one": "catalog.manage",
    "divisions.page": "catalog.read",
    "doctor.look": "doctor.look",
    "doctor.page": "doctor.look",
    "entries.file": "household.export",
    "entries.page": "trip.read",
    "goods.move": "stock.move",
    "goods.page": "trip.read",
    "erasing.keep": "personal-data.erase",
    "erasing.many": "personal-data.erase",
    "erasing.one": "personal-data.erase",
    "erasing.page": "personal-data.erase",
    "goods.slip": "trip.read",
    "held.page": "report.read",
    "held.settle": "inbox.settle",
    "household.blob": "household.read",
    "household.close": "household.close",
    "household.conflicts": "household.read",
    "household.edit": "household.write",
    "household.page": "household.read",
    "household.register": "household.write",
    "household.reopen": "household.close",
    "household.reveal": "household.reveal",
    "household.reveal_conflicts": "household.reveal",
    "household.search": "household.read",
    "household.settle": "household.write",
    "lists.file": "household.export",
    "lists.forget": "household.read",
    "lists.page": "household.read",
    "lists.paper": "household.export",
    "lists.save": "household.read",
    "inbox.assign": "inbox.settle",
    "inbox.many": "inbox.settle",
    "inbox.page": "report.read",
    "inbox.settle": "inbox.settle",
    "imports.answers": "import.run",
    "imports.columns": "import.run",
    "imports.drop": "import.run",
    "imports.matches": "import.run",
    "imports.one": "import.run",
    "imports.page": "import.run",
    "imports.refused": "import.run",
    "imports.save": "import.run",
    "lock.now": "laptop.lock",
    "paper_day.page": "delivery.record",
    "manual.page": "account.own",
    "manual.picture": "account.own",
    "months.close": "inbox.settle",
    "months.one": "report.read",
    "months.page": "report.read",
    "papers.page": "trip.read",
    "papers.paper": "household.export",
    "papers.summary": "trip.read",
    "password.page": "account.own",
    "pairs.choose": "household.close",
    "pairs.compare": "household.close",
    "pairs.many": "household.close",
    "pairs.merge_many": "household.close",
    "pairs.page": "household.close",
    "pairs.settle": "household.close",
    "pairs.undo": "household.close",
    "people.activate": "account.manage",
    "people.add": "account.manage",
    "people.page": "account.read",
    "people.password": "account.manage",
    "people.person": "account.manage",
    "plans.add": "trip.plan",
    "plans.allot": "trip.plan",
    "plans.edit": "trip.plan",
    "plans.page": "trip.read",
    "plans.rules": "trip.plan",
    "plans.step": "trip.settle",
    "practice.again": "account.own",
    "practice.page": "account.own",
    "ready.page": "sync.run",
    "reconciliation.page": "report.read",
    "releases.page": "trip.settle",
    "report.overview": "report.read",
    "reports.donor": "report.read",
    "reports.file": "household.export",
    "reports.page": "report.read",
    "reports.statement": "household.export",
    "rolls.today": "trip.read",
    "stick.bring": "sync.run",
    "stick.give": "sync.run",
    "stick.part": "sync.run",
    "stock.today": "trip.read",
    "stores.load": "stock.receive",
    "stores.page": "stock.receive",
    "sync.chip": "sync.run",
    "sync.heard": "sync.run",
    "sync.line": "sync.run",
    "sync.live": "sync.run",
    "sync.now": "sync.run",
    "sync.renew": "sync.run",
    "sync.page": "sync.run",
    "sync.pause": "sync.run",
    "sync.slip": "sync.run",
    "sync.text_only": "sync.run",
    "teams.add": "account.manage",
    "teams.team": "account.manage",
    "tokens.make": "account.manage",
    "tokens.page": "account.manage",
    "tokens.revoke": "account.manage",
    "trip.today": "trip.read",
    "trips.close": "trip.settle",
    "trips.dossier": "dossier.make",
    "trips.explain": "stock.move",
    "trips.page": "trip.read",
    "trips.reconcile": "trip.read",
    "trips.reopen": "trip.settle",
    "visit.outcome": "visit.record",
    "visits.record": "visit.record",
    "visits.void": "delivery.void",
}
"""Endpoint → the right that it needs, at whichever end it stands (aidvisit/domain/rights.py)."""


def init_app(app: Flask, *apis: Blueprint) -> None:
    """Ask before every request. `apis` authenticate by themselves."""
    assert {api.name for api in apis} <= OPEN_BLUEPRINTS
    app.before_request(require_user)
    app.add_template_global(may)


def check_routes(app: Flask) -> None:
    """Every page has a right, or is open. Raises: LookupError, which names those that are in neither table."""
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}
    lost = sorted(one for one in endpoints if one not in ROUTES and not is_open(one))
    if lost:
        raise LookupError(f"{', '.join(lost)}: no right in ROUTES (aidvisit/web/auth.py), and not open")


def is_open(endpoint: str | None) -> bool:
    """Whether it answers without a signed-in user."""
    return endpoint in OPEN or for_programs((endpoint or "").partition(".")[0])


def for_programs(blueprint: str | None) -> bool:
    """Whether programs ask there, which authenticate by themselves."""
    return blueprint in OPEN_BLUEPRINTS or (blueprint or "").startswith(API)


def require_user() -> None:
    """Who asks (`g.user`) and what they answer for (`g.scope`). Raises: Problem `signed-out`, `not-permitted`."""
    g.user, g.scope = None, Scope()
    if for_programs(request.blueprint) or (request.endpoint is None and request.path.startswith(API_PATHS)):
        return
    if not _all_text():
        raise Problem("not-found")
    endpoint = request.endpoint
    g.user, g.scope = signed_in() or (None, Scope())
    if g.user is None and not is_open(endpoint):
        raise Problem("signed-out")
    # Without an endpoint there is no such page: that is what it answers.
    if endpoint is not None and not is_open(endpoint) and not opens(endpoint):
        alone = ROUTES[endpoint] in NOT_IN_PRACTICE and practising()
        raise Problem("practice-alone" if alone else "not-permitted")


def _all_text() -> bool:
    """Whether what was sent can be text at all: PostgreSQL stores no U+0000, and nobody types one."""
    return all(map(is_text, (request.path, *request.args.values(), *request.form.values())))


def may(right: str) -> bool:
    """Whether whoever is signed in has a right; templates ask so for links and buttons."""
    user: UserRow | None = g.get("user")
    if right in NOT_IN_PRACTICE and practising():
        return False
    return user is not None and rights.may(user.role, right)


def opens(endpoint: str) -> bool:
    """Whether whoever is signed in may open a page."""
    return may(ROUTES[endpoint])


def signed_in() -> tuple[UserRow, Scope] | None:
    """The user of this session, if still active, with the same password, and not away for too long; what they see."""
    identity = session.get(SESSION)
    if identity is None or vault().locked:
        return None
    used = request.endpoint not in ASKED_BY_ITSELF
    held = doors().session(identity, sync.current_settings().idle_minutes * 60, used=used)
    if held is not None and held.user == session.get(USER):
        with reading() as conn:
            user = account.user(conn, held.user)
            if user is not None and user.active and held.mark == _mark(user):
                # A laptop holds only what it was granted: who may open it may see it all.
                field = sync.current_settings().role == "field"
                return user, EVERYTHING if field else scope_of(conn, user.team)
    if used:  # an answer that nobody asked for may come after that of a new password, and would take its cookie away
        forget()
    return None


def remember(user: UserRow) -> None:
    """A session of its own for who signs in now: nothing of the one before goes on but the language."""
    forget()
    session[SESSION] = doors().begin(user.id, _mark(user))
    session[USER] = user.id


def forget() -> None:
    """End the session, here and for whoever has a copy of its cookie."""
    identity = session.get(SESSION)
    if identity is not None:
        with suppress(Problem):  # a disk without room to note it: the browser forgets, and its time runs out
            doors().end(identity)
    kept = {key: session[key] for key in KEPT_OVER_SIGN_IN if key in session}
    session.clear()
    session.update(kept)


def _mark(user: UserRow) -> str:
    """Changes with the password, and with it every session that began before."""
    return sha256(f"{user.id}:{user.password_hash}".encode()).hexdigest()[:16]


def actor() -> str:
    """Id of the signed-in user."""
    user: UserRow = g.user
    return user.id

"""create_app: the only place that wires parts together and reads the role."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from flask import Flask
from flask_wtf import CSRFProtect

from aidvisit.config import Settings
from aidvisit.errors import Problem
from aidvisit.services import upgrade
from aidvisit.services.setup import SetUp
from aidvisit.services.vault import VAULT
from aidvisit.store import database
from aidvisit.store.doors import LIFETIME_S
from aidvisit.store.vault import Vault
from aidvisit.web import auth, frame, fresh, held_words, household_words, i18n, import_words, problems, request
from aidvisit.web.api import blobs as blob_api
from aidvisit.web.api import password as password_api
from aidvisit.web.api import sync as sync_api
from aidvisit.web.pages import (
    account,
    audit,
    backup,
    bundle,
    catalog,
    delivery,
    device,
    division,
    doctor,
    entries,
    erasing,
    goods,
    held,
    household,
    import_,
    inbox,
    listing,
    manual,
    mend,
    month,
    pair,
    paper_day,
    papers,
    password,
    people,
    plan,
    practice,
    ready,
    reconciliation,
    report,
    setup,
    sync,
    team,
    token,
    trip,
    visit,
)

PACKAGE = Path(__file__).resolve().parent

SHARED = (
    account.blueprint,
    password.blueprint,
    household.blueprint,
    listing.blueprint,
    import_.blueprint,
    pair.blueprint,
    plan.blueprint,
    goods.blueprint,
    entries.blueprint,
    delivery.blueprint,
    mend.blueprint,
    paper_day.blueprint,
    papers.blueprint,
    visit.blueprint,
    backup.blueprint,
    doctor.blueprint,
)
APIS = (sync_api.blueprint, blob_api.blueprint, password_api.blueprint)
PAGES = {
    "field": (
        *SHARED,
        account.field,
        trip.field,
        trip.own,
        goods.field,
        papers.field,
        ready.field,
        practice.field,
        manual.field,
        visit.field,
        sync.blueprint,
        bundle.field,
    ),
    "central": (
        *SHARED,
        report.blueprint,
        report.reports,
        catalog.blueprint,
        plan.central,
        goods.central,
        division.blueprint,
        trip.central,
        reconciliation.blueprint,
        month.blueprint,
        people.blueprint,
        team.blueprint,
        token.blueprint,
        backup.central,
        device.central,
        held.central,
        inbox.central,
        bundle.central,
        audit.blueprint,
        erasing.blueprint,
    ),
}


def create_app(settings: Settings, *, testing: bool = False) -> Flask:
    """A laptop's or a centre's application, its database brought up to date first.

    A locked laptop's database is brought up to date when somebody signs in.
    Raises: Problem `database-from-future`, `database-locked`, `disk-full`; LookupError for a page without a right.
    """
    vault = Vault(settings.home)
    if not vault.locked:
        upgrade.upgrade(settings, vault)
    app = _bare(settings, vault, testing=testing)
    database.init_app(app, settings.database_url, vault)
    csrf = CSRFProtect(app)
    frame.init_app(app)
    fresh.init_app(app)
    held_words.init_app(app)
    household_words.init_app(app)
    import_words.init_app(app)
    auth.init_app(app, *APIS)
    for blueprint in PAGES[settings.role]:
        app.register_blueprint(blueprint)
    if settings.role == "central":
        for api in APIS:
            csrf.exempt(api)
            app.register_blueprint(api)
        from aidvisit.web.api import v1  # a laptop does not pay for it

        v1.init_app(app, csrf)
    auth.check_routes(app)
    return app


def create_set_up(home: Path, doing: SetUp, finish: Callable[[], None]) -> Flask:
    """The application of a laptop whose home is not made yet: the set-up pages and nothing else.

    `finish` is called when they are done.
    """
    app = _bare(Settings(home, "field"), Vault(home))
    app.extensions |= {setup.SET_UP: doing, setup.FINISH: finish}
    CSRFProtect(app)
    frame.init_bare(app)
    app.register_blueprint(setup.blueprint)
    app.add_url_rule("/language", "account.language", account.language, methods=["POST"])
    return app


def _bare(settings: Settings, vault: Vault, *, testing: bool = False) -> Flask:
    """What both have: files, cookies, words, and refusals as pages."""
    app = Flask(
        "aidvisit",
        template_folder=str(asset_folder("templates")),
        static_folder=str(asset_folder("static")),
        static_url_path="/static",
    )
    app.config.update(
        SETTINGS=settings,
        TESTING=testing,
        # A laptop's sessions end with its process: whoever starts it must unlock it anyhow.
        SECRET_KEY=session_key(settings.home) if settings.role == "central" else secrets.token_hex(32),
        PERMANENT_SESSION_LIFETIME=timedelta(seconds=LIFETIME_S),
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: a form may stand open through a lunch break
        BABEL_TRANSLATION_DIRECTORIES=str(PACKAGE / "translations"),
    )
    app.extensions[VAULT] = vault
    request.init_app(app)
    i18n.init_app(app, settings.locale, settings.timezone)
    problems.init_app(app)
    return app


def asset_folder(name: str) -> Path:
    """`templates` or `static`: inside the installed package, or beside it in a checkout."""
    packed = PACKAGE / f"_{name}"
    return packed if packed.is_dir() else PACKAGE.parent / name


def session_key(home: Path) -> str:
    """The key that signs sessions, made at the first start, readable by its owner only."""
    path = home / "secret"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii")
    except OSError as error:
        raise Problem("disk-full" if error.errno == errno.ENOSPC else "not-writable", path=str(home)) from error
    with os.fdopen(handle, "w", encoding="ascii") as file:
        key = secrets.token_hex(32)
        file.write(key)
    return key

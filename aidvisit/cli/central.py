"""`aidvisit central …`: make and run a centre; teams, people, codes."""

from __future__ import annotations

import json
from argparse import Namespace
from dataclasses import asdict
from datetime import datetime

from aidvisit import config
from aidvisit.cli.home import (
    Answer,
    command_of,
    kept,
    listening,
    local,
    new_home,
    opened,
    read_password,
    ready,
    settings_of,
)
from aidvisit.errors import Problem

OFFICE = "办公室"


def init(arguments: Namespace) -> Answer:
    """A new centre with its catalogue, an office and an administrator."""
    from aidvisit.services import account, catalog
    from aidvisit.store.database import transaction
    from sync import clock, log, server

    home = config.find_home(arguments.home)
    with new_home(home) as making:
        password = read_password(arguments)
        account.check_password(password, arguments.admin)
        settings = config.write(making, role="central", database=arguments.database)
        with opened(settings):
            with transaction() as conn:
                if log.recall(conn, "device") is not None:  # somebody else's centre, on a server that is shared
                    raise Problem("home-exists", home=arguments.database.rpartition("@")[2])  # no password
                device = server.set_up(conn, name=OFFICE, now=clock.wall())
            catalog.seed(actor=device)
            team = account.add_team(actor=device, name=OFFICE, level=1)
            user = account.add_user(
                actor=device, login=arguments.admin, name=arguments.admin, role="admin", team=team, password=password
            )
    document = {"home": str(home), "device": device, "team": team, "user": user}
    return Answer(
        document, [f"中心已建好 / the centre is made: {home}", f"运行 / run: {command_of(arguments, 'central run')}"]
    )


def run(arguments: Namespace) -> None:
    """Serve the office's pages and the laptops, in one process or in several."""
    from aidvisit.serving import server
    from aidvisit.store.database import db

    settings = settings_of(arguments, "central")
    if arguments.workers > 1:
        try:
            from aidvisit.serving import workers
        except ImportError:  # gunicorn is an extra, and there is none for Windows
            raise Problem("no-workers-here") from None
    app = ready(settings)
    listener, address = listening(settings, arguments)

    def say() -> None:
        print(json.dumps({"url": address}) if arguments.json else f"中心 / centre: {address}", flush=True)

    if arguments.workers > 1:
        with app.app_context():
            db.engine.dispose()  # no connection is shared over a fork
        workers.run(lambda: kept(ready(settings), settings), settings, listener, arguments.workers, say)
    else:
        server.run_alone(kept(app, settings), settings, listener, say)


def add_team(arguments: Namespace) -> Answer:
    from aidvisit.services import account, sync

    with opened(settings_of(arguments, "central")):
        team = account.add_team(
            actor=sync.own_device(),
            name=arguments.name,
            level=arguments.level,
            parent=arguments.parent,
            divisions=arguments.divisions,
        )
    return Answer({"team": team}, [f"队伍已添加 / team added: {team}"])


def add_user(arguments: Namespace) -> Answer:
    from aidvisit.services import account, sync

    with opened(settings_of(arguments, "central")):
        user = account.add_user(
            actor=sync.own_device(),
            login=arguments.login,
            name=arguments.name,
            role=arguments.role,
            team=arguments.team,
            password=read_password(arguments),
        )
    return Answer({"user": user}, [f"人员已添加 / person added: {user}"])


def new_epoch(arguments: Namespace) -> Answer:
    from aidvisit.services import sync

    with opened(settings_of(arguments, "central")):
        epoch = sync.new_epoch()
    return Answer(
        {"epoch": epoch},
        [f"新的纪元 / new epoch: {epoch}", "各笔记本下次同步时会补齐 / laptops compare at their next sync"],
    )


def enrol_code(arguments: Namespace) -> Answer:
    from aidvisit.services import device, sync

    settings = settings_of(arguments, "central")
    with opened(settings):
        codes = device.enrolment_codes(actor=sync.own_device(), team=arguments.team, count=arguments.count)
        invitations = device.invitations(codes, settings.address)
    listed = [
        {"code": code.code, "expires_at": _iso(code.expires_at), "invitation": invitation.text()}
        for code, invitation in zip(codes, invitations, strict=True)
    ]
    document = listed[0] if arguments.count == 1 else {"codes": listed}
    until = local(codes[0].expires_at, settings)
    return Answer(document, [f"{each['code']}    {until} 前有效 / valid until {until}" for each in listed])


def list_devices(arguments: Namespace) -> Answer:
    from aidvisit.store.database import reading
    from aidvisit.store.queries.account import device_rows

    with opened(settings_of(arguments, "central")), reading() as conn:
        rows = device_rows(conn)
    lines = [
        f"{row.id}  {row.name}  {row.team_name}  {row.through}  {row.last_seen or '–'}"
        + (f"  已停用 / revoked: {row.revoked_reason or '–'}" if row.revoked else "")
        for row in rows
    ]
    return Answer({"devices": [asdict(row) for row in rows]}, lines or ["还没有笔记本 / no laptop yet"])


def rename_device(arguments: Namespace) -> Answer:
    from aidvisit.services import device, sync

    with opened(settings_of(arguments, "central")):
        device.rename(actor=sync.own_device(), device=arguments.device, name=arguments.name)
    return Answer({"device": arguments.device, "name": arguments.name}, ["已改名 / renamed"])


def revoke_device(arguments: Namespace) -> Answer:
    from aidvisit.services import device, sync

    with opened(settings_of(arguments, "central")):
        device.revoke(actor=sync.own_device(), device=arguments.device, reason=arguments.reason)
    return Answer(
        {"device": arguments.device, "revoked": True}, ["已停用,不再收发 / revoked: it gets and gives nothing"]
    )


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")

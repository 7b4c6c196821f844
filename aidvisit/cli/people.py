"""`aidvisit central team list`, `aidvisit central user …`: who there is, and what changes about them."""

from __future__ import annotations

from argparse import Namespace

from aidvisit.cli.home import Answer, opened, read_password, settings_of


def list_teams(arguments: Namespace) -> Answer:
    from aidvisit.store.database import reading
    from aidvisit.store.queries.account import teams

    with opened(settings_of(arguments, "central")), reading() as conn:
        rows = teams(conn)
    listed = [
        {"id": row.id, "name": row.name, "level": row.level, "parent": row.parent, "divisions": row.divisions}
        for row in rows
    ]
    names = {row.id: row.name for row in rows}
    lines = [
        f"{row.id}  {row.name}  {row.level or '–'}  {','.join(row.divisions) or '–'}"
        + (f"  上级 / below: {names[row.parent]}" if row.parent else "")
        for row in rows
    ]
    return Answer({"teams": listed}, lines)


def list_users(arguments: Namespace) -> Answer:
    """Nothing of their passwords."""
    from aidvisit.store.database import reading
    from aidvisit.store.queries.account import users

    with opened(settings_of(arguments, "central")), reading() as conn:
        rows = users(conn)
    fields = ("id", "login", "name", "role", "team", "active", "phone")
    listed = [{name: getattr(row, name) for name in fields} for row in rows]
    lines = [
        f"{row.id}  {row.login}  {row.name}  {row.role}" + ("" if row.active else "  已停用 / inactive") for row in rows
    ]
    return Answer({"users": listed}, lines)


def update_user(arguments: Namespace) -> Answer:
    from aidvisit.services import people, sync

    with opened(settings_of(arguments, "central")):
        people.update_user(
            actor=sync.own_device(),
            user=arguments.user,
            name=arguments.name,
            phone=arguments.phone,
            role=arguments.role,
            active=None if arguments.active is None else arguments.active == "yes",
        )
    return Answer({"user": arguments.user}, ["已修改 / changed"])


def set_password(arguments: Namespace) -> Answer:
    from aidvisit.services import people, sync

    with opened(settings_of(arguments, "central")):
        people.set_password(actor=sync.own_device(), user=arguments.user, password=read_password(arguments))
    return Answer({"user": arguments.user}, ["新密码已生效 / the new password counts now"])

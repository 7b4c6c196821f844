"""What a database says of its own health."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DatabaseError

from aidvisit.errors import Problem
from aidvisit.store import anew, migrations
from aidvisit.store.tables import metadata
from sync import log
from sync.identity import KeyPair
from sync.tables import device
from sync.tables import metadata as log_metadata


@dataclass(frozen=True, slots=True)
class Health:
    """`revision`: of its tables; `product`: which database, and which version of it; `encoding`: UTF8 is wanted.

    `missing`: tables that its revision has, if it is this version's.
    """

    revision: str | None
    known: bool
    product: str
    encoding: str
    missing: tuple[str, ...]


def health(conn: Connection) -> Health:
    """What can be asked of a database of any version."""
    found = migrations.revision(conn)
    try:
        migrations.check_known(conn, found)
        known = True
    except Problem:
        known = False
    missing = _missing(conn) if found == migrations.HEAD else ()
    if conn.dialect.name == "postgresql":
        version = conn.execute(text("SHOW server_version")).scalar_one()
        encoding = str(conn.execute(text("SHOW server_encoding")).scalar_one())
        return Health(found, known, f"PostgreSQL {version}", encoding, missing)
    version = conn.exec_driver_sql("SELECT sqlite_version()").scalar_one()
    encoding = str(conn.exec_driver_sql("PRAGMA encoding").scalar_one())
    return Health(found, known, f"SQLite {version}", encoding.replace("-", ""), missing)


def _missing(conn: Connection) -> tuple[str, ...]:
    wanted = {table for one in (metadata, log_metadata, *anew.OTHERS) for table in one.tables} | {"household_index"}
    return tuple(sorted(wanted - {*inspect(conn).get_table_names()}))


def broken_pages(conn: Connection) -> list[str]:
    """What SQLite, and SQLCipher where it is encrypted, find wrong with the file; PostgreSQL is not asked."""
    if conn.dialect.name != "sqlite":
        return []
    try:
        found = _rows(conn, "integrity_check(20)")
        return ([] if found == ["ok"] else found) + _rows(conn, "cipher_integrity_check")
    except DatabaseError as error:  # so broken that it cannot even be walked through
        return [str(error.orig)]


def _rows(conn: Connection, pragma: str) -> list[str]:
    asked = conn.exec_driver_sql(f"PRAGMA {pragma}")
    return [str(row[0]) for row in asked] if asked.returns_rows else []  # plain SQLite does not know SQLCipher's


def signs_as_itself(conn: Connection) -> bool:
    """Whether the key that this node signs with is the one that others know it by."""
    private = log.recall(conn, "private_key")
    public = conn.execute(device.select().where(device.c.id == log.own(conn))).one().public_key
    return private is not None and KeyPair.from_private(private).public == public

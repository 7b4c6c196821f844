"""A database comes up to date whole, is never taken down, and is what the models say."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory

from aidvisit.errors import Problem
from aidvisit.store import migrations
from aidvisit.store.database import open_engine, writing
from aidvisit.store.inbox import metadata as inbox_metadata
from aidvisit.store.tables import metadata
from aidvisit.store.tokens import metadata as token_metadata
from aidvisit.store.uploads import metadata as upload_metadata
from sync.tables import metadata as log_metadata
from tests.support.store import opened


def test_migrations_and_models_agree(database_url: str) -> None:
    with opened(database_url) as engine, engine.connect() as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": True, "include_name": _of_models})
        assert (
            compare_metadata(context, [metadata, log_metadata, upload_metadata, token_metadata, inbox_metadata]) == []
        )
        assert [migrations.revision(conn)] == ScriptDirectory.from_config(migrations.config(conn)).get_heads()


def _of_models(name: str | None, _kind: str, _parents: object) -> bool:
    """The search index is no table to SQLAlchemy: SQLite makes it of several, PostgreSQL has it beside them."""
    return not (name or "").startswith(("household_index", "ix_household_index"))


def test_head_is_the_newest_revision(database_url: str) -> None:
    """A start that has nothing to do compares with a constant, and must not be led astray by it."""
    with opened(database_url) as engine, engine.connect() as conn:
        assert migrations.revision(conn) == migrations.HEAD
        migrations.migrate(engine)


def test_sorting_does_not_depend_on_the_language(database_url: str) -> None:
    """Clocks and codes are ordered by their bytes on both databases."""
    with opened(database_url) as engine, writing(engine) as conn:
        cursor = log_metadata.tables["cursor"]
        names = ["a-b", "ab", "B", "a", "_"]
        conn.execute(sa.insert(cursor), [{"stream": name, "n": 1} for name in names])
        assert list(conn.execute(sa.select(cursor.c.stream).order_by(cursor.c.stream)).scalars()) == sorted(names)


def test_a_database_from_a_newer_version_is_left_alone(database_url: str) -> None:
    with opened(database_url) as engine:
        with writing(engine) as conn:
            conn.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
        with pytest.raises(Problem) as refused:
            migrations.migrate(engine)
        assert refused.value.name == "database-from-future"
        assert refused.value.members["found"] == "9999"
        with engine.connect() as conn:
            assert migrations.revision(conn) == "9999"


def test_a_migration_that_fails_leaves_nothing_behind(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    create, made = Operations.create_table, []

    def fail_later(self: Operations, name: str, *columns: object, **rest: object) -> sa.Table:
        made.append(name)
        if name == "visit":
            raise RuntimeError("power cut")
        return create(self, name, *columns, **rest)

    monkeypatch.setattr(Operations, "create_table", fail_later)
    engine = open_engine(database_url)
    with pytest.raises(RuntimeError, match="power cut"):
        migrations.migrate(engine)
    assert len(made) > 20
    with engine.connect() as conn:
        assert sa.inspect(conn).get_table_names() == []
    engine.dispose()


def test_changing_a_table_keeps_the_rows_that_refer_to_it(tmp_path: Path) -> None:
    """SQLite copies and drops the table; with foreign keys on, the drop would cascade."""
    engine = open_engine(f"sqlite:///{tmp_path / 'a.db'}")
    with writing(engine) as conn:
        conn.exec_driver_sql("CREATE TABLE parent (id INTEGER PRIMARY KEY, old TEXT)")
        conn.exec_driver_sql("CREATE TABLE child (parent INTEGER REFERENCES parent ON DELETE CASCADE)")
        conn.exec_driver_sql("INSERT INTO parent VALUES (1, 'x')")
        conn.exec_driver_sql("INSERT INTO child VALUES (1)")
    with engine.connect() as one, migrations._without_foreign_keys(one), one.execution_options(writes=True).begin():
        operations = Operations(MigrationContext.configure(one))
        with operations.batch_alter_table("parent", recreate="always") as batch:
            batch.drop_column("old")
    with engine.connect() as conn:
        assert conn.exec_driver_sql("SELECT count(*) FROM child").scalar() == 1
        assert conn.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    engine.dispose()


def test_ops_of_before_name_their_photos_too(database_url: str) -> None:
    """A signature that was recorded by an older version goes up after the upgrade."""
    name, device = "ab" * 32, "0192f3a0-0000-7000-8000-0000000000d1"
    body = f'{{"proofs":[{{"as":"signature","sha256":"{name}","media_type":"image/svg+xml"}}]}}'
    engine = open_engine(database_url)
    with engine.connect() as conn, conn.execution_options(writes=True).begin():
        command.upgrade(migrations.config(conn), "0004")
        conn.execute(
            sa.text(
                "INSERT INTO op (device, seq, clock, body, digest, dismissed, applied, received_at)"
                " VALUES (:device, 1, 'x', :body, 'x', :no, :no, 'x'), (:device, 2, 'x', '{}', 'x', :no, :no, 'x')"
            ),
            {"device": device, "body": body, "no": False},
        )
        conn.execute(
            sa.text("INSERT INTO blob VALUES (:name, 'image/svg+xml', :data)"), {"name": name, "data": b"<svg/>"}
        )
    migrations.migrate(engine)
    with engine.connect() as conn:
        rows = conn.execute(sa.text("SELECT device, seq, sha256, media_type FROM blob_name")).all()
        assert [tuple(row) for row in rows] == [(device, 1, name, "image/svg+xml")]
        assert conn.execute(sa.text("SELECT sent FROM blob")).scalar_one() is None, "ask the centre first"
    engine.dispose()

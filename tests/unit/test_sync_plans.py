"""How SQLite finds what a history is made of: by the index, however many ops are held."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from sync import log
from tests.support.store import statements, uid
from tests.support.village import village


@pytest.fixture
def conn() -> Iterator[Connection]:
    with village("sqlite://") as conn:
        yield conn


def test_a_history_is_found_by_its_subjects(conn: Connection) -> None:
    with statements(conn) as said:
        log.histories(conn, [uid(1), uid(2)])
    (query,) = [statement for statement in said if "FROM op" in statement]
    values = ("device", "device", "[]", "[]")[: query.count("?")]
    plan = [row[-1] for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values)]
    assert "SEARCH op USING INDEX ix_op_subject (subject=?)" in plan

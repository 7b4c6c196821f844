"""The audit: a fact for every sign-in, import and code, durable before anybody is told."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from aidvisit.errors import Problem
from aidvisit.services import audit
from aidvisit.services.import_ import import_sheet
from aidvisit.store.database import reading, transaction
from aidvisit.store.doors import FREE_TRIES
from sync import log
from sync.op import Op
from tests.support.homes import SAMPLE, Centre, centre
from tests.support.pages import Pages


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Centre]:
    with centre(tmp_path) as made:
        yield made


def audited() -> list[Op]:
    with reading() as conn:
        return [entry.op for entry in log.iterate(conn, "office") if entry.op.kind == "access.recorded"]


def test_a_line_says_who_what_and_where(home: Centre) -> None:
    entry = audit.record(home.user, audit.EXPORT, rows=12, detail="audit")
    (op,) = audited()
    assert op == entry.op
    assert (op.actor, op.device, op.body) == (home.user, home.device, {"what": "export", "rows": 12, "detail": "audit"})


def cut_short(actor: str) -> None:
    with transaction() as conn:
        audit.record(actor, audit.EXPORT, conn=conn)
        raise RuntimeError("power cut")


def test_it_stands_or_falls_with_what_it_tells_of(home: Centre) -> None:
    with pytest.raises(RuntimeError, match="power cut"):
        cut_short(home.user)
    assert audited() == []


def test_an_import_leaves_a_line_and_a_rehearsal_none(home: Centre) -> None:
    import_sheet(SAMPLE, actor=home.user, dry_run=True)
    assert audited() == []
    done = import_sheet(SAMPLE, actor=home.user)
    (op,) = audited()
    assert done.trip is not None
    assert op.body == {"what": "import", "rows": 34, "detail": done.trip["id"]}


def test_a_closed_brake_names_the_login_only_where_it_is_somebodys(home: Centre) -> None:
    audit.brake_closed(home.user)
    audit.brake_closed(None)
    assert [(op.actor, op.body) for op in audited()] == [
        (home.device, {"what": "sign-in-refused", "detail": home.user}),
        (home.device, {"what": "sign-in-refused"}),
    ]


# --- signing in ------------------------------------------------------------------------------------------------


@pytest.fixture(params=["laptop", "office"])
def either(request: pytest.FixtureRequest) -> Pages:
    node: Pages = request.getfixturevalue(request.param)
    return node


def test_who_signs_in_is_written_down_with_the_device(either: Pages) -> None:
    with either.app.app_context():
        before = len(audited())
        either.sign_in("luo", "wrong")
        assert len(audited()) == before, "a try is no op: a flood would fill the log"
        either.sign_in()
        op = audited()[-1]
        with reading() as conn:
            assert (op.body["what"], op.device) == ("sign-in", log.own(conn))
            assert conn.exec_driver_sql(f"SELECT login FROM person WHERE id = '{op.actor}'").scalar() == "luo"


@pytest.mark.parametrize("login", ["luo", "nobody"])
def test_a_flood_of_tries_is_one_line(office: Pages, login: str) -> None:
    for _ in range(FREE_TRIES + 3):
        office.sign_in(login, "wrong")
    with office.app.app_context():
        refused = [op for op in audited() if op.body["what"] == "sign-in-refused"]
    (line,) = refused
    assert line.body.get("detail") == (_actor(office) if login == "luo" else None)


@pytest.mark.parametrize("name", ["disk-full", "database-locked"])
def test_a_full_disk_keeps_nobody_out(
    either: Pages, name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    @contextmanager
    def full() -> Iterator[Connection]:
        raise Problem(name, database="x")
        yield

    monkeypatch.setattr(audit, "transaction", full)
    with caplog.at_level(logging.WARNING):
        assert either.sign_in().status_code == 303
    assert f"sign-in of {_actor(either)} was not recorded: {name}" in caplog.text
    assert either.get("/search").status_code == 200


def _actor(pages: Pages) -> Any:
    with pages.app.app_context(), reading() as conn:
        return conn.exec_driver_sql("SELECT id FROM person WHERE login = 'luo'").scalar()

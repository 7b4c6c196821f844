"""The audit page and its file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

import pytest
from sqlalchemy import Connection

from aidvisit.errors import Problem
from aidvisit.services import audit as service
from aidvisit.services import household
from aidvisit.store import ledger
from aidvisit.store.database import reading, transaction
from aidvisit.store.queries.account import user_by_login
from sync import log
from sync.op import uuid7
from tests.support.homes import VILLAGE
from tests.support.pages import Pages, change_user, words
from tests.support.store import delivered, uid


def identity(pages: Pages, login: str) -> tuple[str, str, str]:
    """(user, team, own device)"""
    with pages.app.app_context(), reading() as conn:
        user = user_by_login(conn, login)
        assert user is not None
        return user.id, user.team, log.own(conn)


@pytest.fixture
def auditor(office: Pages) -> Pages:
    office.sign_in("admin")
    return office


def registered(pages: Pages, name: str) -> str:
    made, (actor, _, device) = uuid7(), identity(pages, "admin")
    body = {"kind": "household", "head": {"name": name}, "division": VILLAGE, "categories": []}
    with pages.app.app_context():
        household.register(actor=device, household=made, body=body)
        household.reveal(actor=actor, household=made)
    return made


def test_who_looked_at_what_in_words(auditor: Pages) -> None:
    made = registered(auditor, "周婆婆")
    page = auditor.get("/audit")
    assert page.status_code == 200
    for said in ("登录", "查看完整号码", "开登记码", "导入了名单", "添加人员", "周婆婆", "管理员"):
        assert said in words(page), said
    assert f'href="/households/{made}"' in page.text
    user, team, device = identity(auditor, "luo")
    with auditor.app.app_context():
        change_user(device, team, user, role="office", active=False)
    shown = words(auditor.get("/audit?what=user.updated"))
    assert "罗春和 · 角色改为经办人 · 停用" in shown
    assert "命令行" in shown


def test_a_verdict_on_deliveries_to_a_household_is_in_its_audit(auditor: Pages) -> None:
    home = registered(auditor, "周婆婆")
    with auditor.app.app_context(), transaction() as conn:
        ledger.record(conn, log.own(conn), delivered(uid(40), home, {"rice": 1}, trip=None))
        body = {"deliveries": [uid(40), uid(41)], "verdict": "both-right", "reason": "两次都对"}
        ledger.record(conn, log.own(conn), ledger.Fact("office", "duplicate.settled", uid(42), body))
    assert "两次都对" in words(auditor.get(f"/audit?household={home}"))
    assert "两次都对" not in words(auditor.get(f"/audit?household={registered(auditor, '林婆婆')}"))


def test_filters_are_ids_days_and_kinds(auditor: Pages) -> None:
    made = registered(auditor, "周婆婆")
    user = identity(auditor, "admin")[0]
    assert "周婆婆" in auditor.get(f"/households/{made}").text
    assert f'href="/audit?household={made}"' in auditor.get(f"/households/{made}").text
    only = words(auditor.get(f"/audit?household={made}"))
    assert "查看完整号码" in only
    assert "没有这样的记录" in words(auditor.get(f"/audit?household={made}&what=import"))
    assert "没有这样的记录" in words(auditor.get(f"/audit?person={user}&last=2001-01-01"))
    for odd in ("person=周婆婆", "first=9999-12-31", "last=0001-01-01", "before=x", "what=nothing", "device=%0A"):
        assert "查看完整号码" in words(auditor.get(f"/audit?{odd}")), odd


def test_the_file_is_in_the_audit_and_runs_nothing(auditor: Pages) -> None:
    made = registered(auditor, "=HYPERLINK(1)")
    answer = auditor.post("/audit.csv", {"household": made})
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.data.startswith(b"\xef\xbb\xbf")
    head, *rows, seal = csv.reader(io.StringIO(answer.data.decode("utf-8-sig")))
    told = answer.data[: answer.data.rindex("行数,".encode())]
    assert seal == ["行数", str(len(rows)), "SHA-256", sha256(told).hexdigest()]
    assert head[:4] == ["时间", "到达中心", "谁", "角色"]
    assert [row[5:7] for row in rows] == [["查看完整号码", "'=HYPERLINK(1)"]]
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)
    with auditor.app.app_context(), reading() as conn:
        last = list(log.iterate(conn, "office"))[-1].op
    assert last.body == {"what": "export", "rows": 1, "detail": "audit"}
    assert auditor.post("/audit.csv").data.count(b"\r\n") > 10


def test_what_cannot_be_written_down_is_not_taken(auditor: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def full() -> Iterator[Connection]:
        raise Problem("disk-full", database="x")
        yield

    monkeypatch.setattr(service, "transaction", full)
    answer = auditor.post("/audit.csv")
    assert answer.status_code == 507
    assert b"\xef\xbb\xbf" not in answer.data


@pytest.mark.parametrize("login", ["luo", "office"])
def test_only_who_audits_reads_it(office: Pages, login: str) -> None:
    office.sign_in(login)
    assert office.get("/audit").status_code == 403
    assert office.post("/audit.csv").status_code == 403
    assert 'href="/audit"' not in office.get("/search").text


def test_nobody_who_tried_passwords_was_at_the_command_line(auditor: Pages) -> None:
    with auditor.app.app_context():
        service.brake_closed(None)
    shown = words(auditor.get(f"/audit?what={service.SIGN_IN_REFUSED}"))
    assert "没有登录的人" in shown
    data = csv.DictReader(
        io.StringIO(auditor.post("/audit.csv", {"what": service.SIGN_IN_REFUSED}).text.lstrip("\ufeff"))
    )
    assert [row["谁"] for row in data][:-1] == ["没有登录的人"]

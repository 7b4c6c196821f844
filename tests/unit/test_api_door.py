"""The API's door: who gets in with which token, how far it reaches, and that every operation has its right."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from aidvisit.domain.rights import EVERYTHING, FOR_TOKENS, RIGHTS
from aidvisit.errors import Problem
from aidvisit.services import token as service
from aidvisit.store.database import reading, transaction
from aidvisit.store.queries import account
from aidvisit.web.api.v1.door import NEEDS
from sync import clock
from sync.op import uuid7
from tests.support.api import VILLAGE, made_token
from tests.support.pages import Pages, change_user


def ask(app: Flask, token: str, path: str, method: str = "GET", **more: Any) -> TestResponse:
    return app.test_client().open(
        f"/api/v1/{path}", method=method, headers={"Authorization": f"Bearer {token}"}, **more
    )  # fmt: skip


def operations(app: Flask) -> dict[str, tuple[str, str]]:
    """Operation → its method and path."""
    found = {}
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("api_v1_"):
            method = next(iter((rule.methods or set()) - {"HEAD", "OPTIONS"}))
            _, path = rule.build({name: "a" * 64 if name == "sha256" else uuid7() for name in rule.arguments})
            found[rule.endpoint.removeprefix("api_v1_")] = (method, path)
    return found


def test_every_operation_has_a_right_that_a_token_may_have(office: Pages) -> None:
    assert operations(office.app).keys() == NEEDS.keys()
    assert set(NEEDS.values()) == set(FOR_TOKENS)
    assert set(FOR_TOKENS) <= RIGHTS.keys()


@pytest.mark.parametrize("operation", sorted(NEEDS))
def test_nobody_gets_in_without_a_token_or_its_right(office: Pages, operation: str) -> None:
    method, path = operations(office.app)[operation]
    asked = office.app.test_client()
    answer = asked.open(path, method=method, json={} if method != "GET" else None)
    assert (answer.status_code, answer.json["type"]) == (401, "urn:aidvisit:problem:token-invalid")
    assert answer.content_type == "application/problem+json"
    others = tuple(right for right in FOR_TOKENS if right != NEEDS[operation])
    headers = {"Authorization": f"Bearer {made_token(office.app, rights=others)}"}
    answer = asked.open(path, method=method, headers=headers, json={} if method != "GET" else None)
    assert (answer.status_code, answer.json["type"]) == (403, "urn:aidvisit:problem:token-narrow")
    assert answer.json["right"] == NEEDS[operation]


def test_a_wrong_token_is_braked_by_address_and_a_right_one_is_not(office: Pages) -> None:
    right = made_token(office.app)
    statuses = [ask(office.app, "aidvisit_wrong", "teams").status_code for _ in range(12)]
    assert statuses[0] == 401
    assert statuses[-1] == 429
    refused = ask(office.app, "aidvisit_wrong", "teams")
    assert int(refused.headers["Retry-After"]) == refused.json["retry_after"] > 0
    assert ask(office.app, right, "teams").status_code == 200


def test_the_first_use_of_a_day_stands_in_the_audit(office: Pages) -> None:
    secret = made_token(office.app, "luo", ("household.read",))
    for _ in range(3):
        assert ask(office.app, secret, "households").status_code == 200
    with office.app.app_context(), reading() as conn:
        rows = conn.exec_driver_sql("SELECT actor, detail FROM access WHERE what = 'api-token-used'").all()
        token = conn.exec_driver_sql("SELECT acts_as, id FROM api_token").all()
    assert [tuple(row) for row in rows] == [tuple(row) for row in token]


def test_a_token_ends_by_its_day_by_revoking_and_with_its_user(office: Pages) -> None:
    app = office.app
    with app.app_context():
        with reading() as conn:
            admin, leader = (account.user_by_login(conn, login) for login in ("admin", "luo"))
        assert admin is not None
        assert leader is not None
        made = [service.make(actor=admin.id, name="a", user=leader.id, wanted=["household.read"]) for _ in range(3)]
        assert all(ask(app, secret, "households").status_code == 200 for _, secret in made)
        service.revoke(actor=admin.id, token=made[0][0])
        assert ask(app, made[0][1], "households").status_code == 401
        with transaction() as conn:
            past = (clock.wall() - timedelta(seconds=1)).isoformat()
            conn.exec_driver_sql("UPDATE api_token SET expires_at = ? WHERE id = ?", (past, made[1][0]))
        assert ask(app, made[1][1], "households").status_code == 401
        change_user(admin.id, leader.team, leader.id, active=False)
        assert ask(app, made[2][1], "households").status_code == 401


def test_a_token_has_no_right_that_its_user_has_not(office: Pages) -> None:
    app = office.app
    secret = made_token(app, "luo", ("household.read", "household.reveal"))
    with app.app_context():
        with reading() as conn:
            admin, leader = (account.user_by_login(conn, login) for login in ("admin", "luo"))
        assert admin is not None
        assert leader is not None
        with pytest.raises(Problem) as refused:
            service.make(actor=admin.id, name="a", user=leader.id, wanted=["household.read", "account.manage"])
        assert refused.value.members["errors"].keys() == {"rights"}
        household = ask(app, secret, "households").json["data"][0]["id"]
        assert ask(app, secret, f"households/{household}/reveal", "POST", json={}).status_code == 200
        change_user(admin.id, leader.team, leader.id, role="volunteer")
        assert ask(app, secret, f"households/{household}/reveal", "POST", json={}).status_code == 403


@pytest.mark.parametrize(
    ("divisions", "seen"), [([], True), ([VILLAGE], True), (["441225112"], True), (["440785"], False)]
)
def test_a_token_reaches_no_further_than_its_places(office: Pages, divisions: list[str], seen: bool) -> None:
    every = len(ask(office.app, made_token(office.app), "households?limit=200").json["data"])
    narrow = made_token(office.app, divisions=divisions)
    rows = ask(office.app, narrow, "households?limit=200").json["data"]
    assert len(rows) == (every if seen else 0)
    household = ask(office.app, made_token(office.app), "households").json["data"][0]["id"]
    assert ask(office.app, narrow, f"households/{household}").status_code == (200 if seen else 404)
    new = {"kind": "household", "head": {"name": "新"}, "division": VILLAGE, "categories": []}
    headers = {"Authorization": f"Bearer {narrow}", "Idempotency-Key": "1"}
    answer = office.app.test_client().post("/api/v1/households", headers=headers, json=new)
    assert answer.status_code == (201 if seen else 403), answer.text


def test_the_page_shows_a_token_once_and_its_last_use(office: Pages) -> None:
    office.sign_in("admin")
    with office.app.app_context(), reading() as conn:
        user = account.user_by_login(conn, "office")
    assert user is not None
    form = {"name": "会计系统", "user": user.id, "rights": "household.read", "days": "30"}
    shown = office.post("/tokens", form).text
    secret = shown[shown.index("aidvisit_") :].split("<")[0]
    assert ask(office.app, secret, "households").status_code == 200
    later = office.get("/tokens").text
    assert secret not in later
    assert "会计系统" in later
    with office.app.app_context():
        (listed,) = service.listed(EVERYTHING)
        assert listed.token.used_at is not None
        with reading() as conn:
            dump = "\n".join(str(row) for row in conn.exec_driver_sql("SELECT * FROM api_token"))
    assert secret.removeprefix(service.PREFIX) not in dump
    assert office.post(f"/tokens/{listed.token.id}/revoke").status_code == 303
    assert ask(office.app, secret, "households").status_code == 401


def test_a_refused_form_of_a_token_keeps_what_was_typed(office: Pages) -> None:
    office.sign_in("admin")
    answer = office.post("/tokens", {"name": "会计系统", "user": "x", "rights": "household.read", "days": "x"})
    assert answer.status_code == 422
    assert "会计系统" in answer.text


def test_a_laptop_does_not_even_read_the_api() -> None:
    """Its start and its memory are for deliveries."""
    code = "import sys, aidvisit.app; print(sorted({'flask_smorest', 'apispec', 'webargs'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("asked", "said"), [("", "没有"), ("en-GB,en;q=0.8", "not on this machine"), ("zh-CN,en;q=0.5", "没有")]
)
def test_a_refusal_is_in_the_language_that_is_asked_for(office: Pages, asked: str, said: str) -> None:
    token = made_token(office.app)
    headers = {"Authorization": f"Bearer {token}", "Accept-Language": asked}
    answer = office.app.test_client().get(f"/api/v1/households/{uuid7()}", headers=headers)
    assert answer.status_code == 404
    assert said in answer.get_json()["detail"]

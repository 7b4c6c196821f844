"""The pages of people and teams, at the office."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aidvisit.services import account, sync
from aidvisit.services.sync import own_device
from aidvisit.store.database import reading, transaction
from aidvisit.store.ledger import House
from aidvisit.store.queries import account as queries
from aidvisit.store.queries.account import TeamRow, UserRow
from aidvisit.store.queries.edit import view
from sync import clock, log
from sync.link import Link
from tests.support.homes import PASSWORD, TOWN
from tests.support.pages import InProcess, Pages, change_user, typed, words

NEW = "a horse of another colour"


@pytest.fixture
def admin(office: Pages) -> Pages:
    """The centre with an administrator of everything signed in."""
    office.sign_in("admin")
    return office


def user(pages: Pages, login: str) -> UserRow:
    with pages.app.app_context(), reading() as conn:
        found = queries.user_by_login(conn, login)
    assert found is not None
    return found


def user_key(pages: Pages, login: str) -> dict[str, Any]:
    identity = user(pages, login).id
    with pages.app.app_context(), reading() as conn:
        held = view(conn, "user", identity)
    assert held is not None
    key: dict[str, Any] = held.fields.body["key"]
    return key


def team(pages: Pages, name: str) -> TeamRow:
    with pages.app.app_context(), reading() as conn:
        return next(each for each in queries.teams(conn) if each.name == name)


def test_people_stand_in_their_teams(admin: Pages) -> None:
    shown = words(admin.get("/people"))
    for part in ("办公室", "莫知远", "慰问一队", "罗春和", "队长", "陈离队", "已停用", "大玉口镇"):
        assert part in shown
    assert "138" not in shown


def test_who_may_only_look_sees_no_way_to_change(office: Pages) -> None:
    office.sign_in("office")
    shown = office.get("/people")
    assert shown.status_code == 200
    assert "/people/" not in shown.text
    assert "/teams/" not in shown.text
    luo, first = user(office, "luo").id, user(office, "luo").team
    before = office.ops()
    for path in (
        f"/people/{luo}",
        f"/people/{luo}/password",
        f"/people/add?team={first}",
        "/teams/add",
        f"/teams/{first}",
    ):
        assert office.get(path).status_code == 403
        assert office.post(path, {"name": "别人", "role": "admin", "password": NEW, "again": NEW}).status_code == 403
    assert office.post(f"/people/{luo}/active", {"active": "no"}).status_code == 403
    assert office.ops() == before


# --- people -----------------------------------------------------------------------------------------------------


def test_a_person_is_added_and_signs_in(admin: Pages) -> None:
    page = f"/people/add?team={team(admin, '慰问一队').id}"
    assert "慰问一队" in words(admin.get(page))
    form = {"name": "苏晓禾", "login": "su", "role": "volunteer", "phone": "", "password": NEW, "again": NEW}
    assert admin.post(page, form).status_code == 303
    assert "苏晓禾" in words(admin.get("/people"))
    admin.post("/sign-out")
    assert admin.sign_in("su", NEW).status_code == 303


def test_what_is_wrong_with_a_new_person_is_told_and_nothing_typed_is_lost_but_the_password(admin: Pages) -> None:
    page = f"/people/add?team={team(admin, '慰问一队').id}"
    form = {"name": "苏晓禾", "login": "luo", "role": "leader", "phone": "1380", "password": NEW, "again": NEW + "!"}
    refused = admin.post(page, form)
    assert refused.status_code == 422
    assert "两次填的密码不一样" in words(refused)
    assert {"name": "苏晓禾", "login": "luo", "phone": "1380", "role": "leader"}.items() <= typed(refused).items()
    assert NEW not in refused.text
    taken = admin.post(page, form | {"again": NEW})
    assert taken.status_code == 409
    assert "已有人用" in words(taken)
    assert admin.get("/people/add?team=nowhere").status_code == 404


def test_a_person_is_changed(admin: Pages) -> None:
    luo = user(admin, "luo").id
    held = typed(admin.get(f"/people/{luo}"))
    assert (held["name"], held["role"]) == ("罗春和", "leader")
    answer = admin.post(f"/people/{luo}", held | {"role": "office", "phone": "13800000000"})
    assert answer.status_code == 303
    assert "已保存" in words(admin.get(answer.location))
    assert (user(admin, "luo").role, user(admin, "luo").phone) == ("office", "13800000000")


def test_who_saves_an_old_page_sees_what_it_is_now_and_may_save_again(admin: Pages) -> None:
    luo = user(admin, "luo")
    held = typed(admin.get(f"/people/{luo.id}"))
    with admin.app.app_context():
        change_user(user(admin, "admin").id, luo.team, luo.id, name="罗大春")
    refused = admin.post(f"/people/{luo.id}", held | {"role": "office"})
    assert refused.status_code == 409
    assert "罗大春" in words(refused)
    assert typed(refused)["role"] == "office"
    assert admin.post(f"/people/{luo.id}", typed(refused)).status_code == 303


def test_a_person_is_deactivated_and_taken_back(admin: Pages) -> None:
    luo = user(admin, "luo").id
    for active in ("no", "yes"):
        assert admin.post(f"/people/{luo}/active", {"active": active}).status_code == 303
        assert user(admin, "luo").active == (active == "yes")


def test_the_last_administrator_is_told_why_they_stay(admin: Pages) -> None:
    admin_id = user(admin, "admin").id
    for path, form in (
        (f"/people/{admin_id}/active", {"active": "no"}),
        (f"/people/{admin_id}", {"name": "邓", "role": "office"}),
    ):
        refused = admin.post(path, form)
        assert refused.status_code == 409
        assert "没有管全部工作的管理员" in words(refused)
        assert typed(refused)["name"], "the page of that person"
    assert admin.get("/people").status_code == 200


def test_an_administrator_sets_a_new_password(admin: Pages) -> None:
    luo = user(admin, "luo").id
    path = f"/people/{luo}/password"
    assert admin.post(path, {"password": NEW, "again": "else"}).status_code == 422
    weak = admin.post(path, {"password": "1234", "again": "1234"})
    assert weak.status_code == 422
    assert "1234" not in weak.text
    done = admin.post(path, {"password": NEW, "again": NEW})
    assert "新密码已生效" in words(admin.get(done.location))
    admin.post("/sign-out")
    assert admin.sign_in("luo", PASSWORD).status_code == 403
    assert admin.sign_in("luo", NEW).status_code == 303


def test_the_own_password_is_not_set_there(admin: Pages) -> None:
    admin_id = user(admin, "admin").id
    for answer in (
        admin.get(f"/people/{admin_id}/password"),
        admin.post(f"/people/{admin_id}/password", {"password": NEW}),
    ):
        assert answer.location == "/password"


# --- teams ------------------------------------------------------------------------------------------------------


def test_a_team_is_added_below_another_where_its_codes_say(admin: Pages) -> None:
    head = team(admin, "办公室").id
    form = {"name": "慰问二队", "level": "3", "parent": head, "more": f"441225 {TOWN}"}
    look = admin.post(f"/teams/add?parent={head}", form | {"look": "yes"})
    assert look.status_code == 200
    assert "封开县 大玉口镇" in words(look)
    assert typed(look)["name"] == "慰问二队"
    assert admin.post(f"/teams/add?parent={head}", form).status_code == 303
    made = team(admin, "慰问二队")
    assert (made.parent, made.level, made.divisions) == (head, 3, ["441225", TOWN])
    assert "办公室的下级队伍" in admin.get("/people").text


def test_codes_that_nobody_knows_are_not_taken(admin: Pages) -> None:
    refused = admin.post("/teams/add", {"name": "慰问二队", "level": "3", "parent": "", "more": f"{TOWN} 99"})
    assert refused.status_code == 422
    assert "目录里没有 99" in words(refused)
    assert typed(refused)["more"] == "99"
    assert typed(refused)["divisions"] == TOWN


def test_a_team_is_changed_and_a_place_given_up(admin: Pages) -> None:
    held = team(admin, "慰问一队")
    form = typed(admin.get(f"/teams/{held.id}")) | {"level": "2", "parent": team(admin, "办公室").id}
    del form["divisions"]
    assert admin.post(f"/teams/{held.id}", form).status_code == 303
    now = team(admin, "慰问一队")
    assert (now.level, now.divisions, now.parent) == (2, [], team(admin, "办公室").id)


def test_a_team_that_nobody_knows_is_not_there(admin: Pages) -> None:
    for path in ("/teams/nowhere", "/people/nowhere", f"/people/{team(admin, '办公室').id}"):
        assert admin.get(path).status_code == 404


# --- one's own password -------------------------------------------------------------------------------------------


def test_the_own_password_ends_other_sessions_and_this_one_goes_on(admin: Pages) -> None:
    other = Pages(admin.app)
    other.sign_in("admin")
    assert other.get("/people").status_code == 200
    done = admin.post("/password", {"old_password": PASSWORD, "password": NEW, "again": NEW})
    assert "密码改好了" in words(admin.get(done.location))
    assert other.get("/people").status_code == 302
    assert other.sign_in("admin", NEW).status_code == 303


def test_a_wrong_old_password_changes_nothing_and_no_page_shows_what_was_typed(admin: Pages) -> None:
    refused = admin.post("/password", {"old_password": "guess after guess", "password": NEW, "again": NEW})
    assert refused.status_code == 403
    assert "guess" not in refused.text
    assert NEW not in refused.text
    assert Pages(admin.app).sign_in("admin").status_code == 303


def test_no_page_of_a_refusal_carries_passwords_on(admin: Pages) -> None:
    """Neither after the page's token expired nor after the session did."""
    form = {"old_password": PASSWORD, "password": NEW, "again": NEW}
    expired = admin.post("/password", form, token="gone")
    admin.post("/sign-out")
    for refused in (expired, admin.post("/password", form)):
        assert refused.status_code in (400, 401)
        assert NEW not in refused.text
        assert PASSWORD not in refused.text


def test_a_laptop_without_a_line_says_so_and_keeps_nothing(laptop: Pages) -> None:
    laptop.sign_in()
    refused = laptop.post("/password", {"old_password": PASSWORD, "password": NEW, "again": NEW})
    assert refused.status_code == 503
    assert "改密码要连上中心服务器" in words(refused)
    assert PASSWORD not in refused.text
    assert NEW not in refused.text
    assert Pages(laptop.app).sign_in().status_code == 303


def test_a_laptop_passes_the_change_on_and_has_it_at_once(
    laptop: Pages, office: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the line to the centre of this process."""
    monkeypatch.setattr(
        sync, "link", lambda _settings: Link(transaction, House(), InProcess(office.app), clock.wall, None)
    )
    laptop.sign_in()
    other = Pages(laptop.app)
    other.sign_in()
    refused = laptop.post("/password", {"old_password": "guess", "password": NEW, "again": NEW})
    assert refused.status_code == 403
    key = user_key(office, "luo")["public"]
    done = laptop.post("/password", {"old_password": PASSWORD, "password": NEW, "again": NEW})
    assert "密码改好了" in words(laptop.get(done.location))
    assert other.get("/sync").status_code == 302
    assert other.sign_in(password=PASSWORD).status_code == 403
    assert other.sign_in(password=NEW).status_code == 303
    assert Pages(office.app).sign_in(password=NEW).status_code == 303
    assert user_key(laptop, "luo")["public"] == key == user_key(office, "luo")["public"]


# --- what a laptop asks of the centre ------------------------------------------------------------------------------


def ask(office: Pages, document: object, token: str) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {token}"}
    said = office.client.post("/api/v1/password", data=json.dumps(document), headers=headers)
    return said.status_code, json.loads(said.data)


def token_of(laptop: Pages) -> str:
    with laptop.app.app_context(), reading() as conn:
        return str(log.recall(conn, "token"))


def test_only_a_device_asks_and_only_for_who_answers_for_its_team(office: Pages, laptop: Pages) -> None:
    token = token_of(laptop)
    asked = {"login": "luo", "old": PASSWORD, "new": NEW}
    assert ask(office, asked, "another")[0] == 401
    with office.app.app_context():
        other = account.add_team(actor=own_device(), name="慰问二队")
        account.add_user(actor=own_device(), login="su", name="苏", role="admin", team=other, password=PASSWORD)
    refusals = [ask(office, asked | change, token) for change in ({"login": "su"}, {"login": "nobody"}, {"old": "no"})]
    assert refusals[0] == refusals[1] == refusals[2], "one answer for all three"
    assert refusals[0][0] == 403
    assert ask(office, asked, token) == (200, {})
    status, problem = ask(office, {"login": "luo", "old": NEW, "new": "1"}, token)
    assert (status, problem["type"]) == (422, "urn:aidvisit:problem:weak-password")


@pytest.mark.parametrize(
    "document",
    [[], "luo", {}, {"login": "luo", "old": PASSWORD, "new": 8}, {"login": "luo"},
     *({"login": login, "old": PASSWORD, "new": NEW} for login in ("\ud800", "luo\0"))],
)  # fmt: skip
def test_what_is_no_request_is_told(office: Pages, laptop: Pages, document: object) -> None:
    status, problem = ask(office, document, token_of(laptop))
    assert (status, problem["type"]) == (422, "urn:aidvisit:problem:malformed")


def test_guessing_by_way_of_a_laptop_is_slowed_down(office: Pages, laptop: Pages) -> None:
    asked = {"login": "luo", "old": "guess", "new": NEW}
    answers = [ask(office, asked, token_of(laptop))[0] for _ in range(6)]
    assert answers == [403] * 5 + [429]

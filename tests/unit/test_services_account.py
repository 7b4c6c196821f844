"""Teams, people, passwords and codes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aidvisit.errors import Problem
from aidvisit.services import account
from tests.support.homes import PASSWORD, Centre, centre


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Centre]:
    with centre(tmp_path) as made:
        yield made


def test_who_knows_the_password_signs_in(home: Centre) -> None:
    assert account.verify_password(" luo ", PASSWORD).id == home.user


@pytest.mark.parametrize(("login", "password"), [("luo", "wrong"), ("nobody", PASSWORD), ("luo", "")])
def test_a_wrong_login_and_a_wrong_password_are_told_alike(home: Centre, login: str, password: str) -> None:
    with pytest.raises(Problem, match="wrong-password"):
        account.verify_password(login, password)


def test_a_login_is_taken_once(home: Centre) -> None:
    with pytest.raises(Problem, match="login-taken"):
        account.add_user(actor=home.device, login="luo", name="别人", role="leader", team=home.team, password=PASSWORD)


def test_a_user_needs_a_team_a_known_role_and_a_password(home: Centre) -> None:
    person = {"actor": home.device, "login": "su", "name": "苏晓禾"}
    with pytest.raises(Problem, match="unknown-team"):
        account.add_user(**person, role="leader", team=home.user, password=PASSWORD)
    with pytest.raises(Problem, match="weak-password"):
        account.add_user(**person, role="leader", team=home.team, password="short")
    with pytest.raises(Problem, match="invalid-body"):
        account.add_user(**person, role="king", team=home.team, password=PASSWORD)

"""Which passwords are taken, what is computed of them and how often, and who waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from argon2 import low_level
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from aidvisit.errors import Problem
from aidvisit.services import account, passwords
from aidvisit.store.database import transaction
from aidvisit.store.doors import FREE_TRIES
from sync.identity import encode
from tests.support.homes import PASSWORD, Centre, centre
from tests.support.pages import change_user

FUNCTIONS = ("hash_secret", "hash_secret_raw", "verify_secret")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Centre]:
    with centre(tmp_path) as made:
        yield made


class Counted:
    """argon2's lowest functions: which were called, and how many ran at once."""

    Type = low_level.Type

    def __init__(self, takes_s: float = 0.0) -> None:
        self.calls: list[str] = []
        self.most = self._now = 0
        self._lock, self._takes_s = threading.Lock(), takes_s

    def __getattr__(self, name: str) -> Any:
        assert name in FUNCTIONS

        def call(*arguments: Any, **options: Any) -> Any:
            with self._lock:
                self.calls.append(name)
                self._now += 1
                self.most = max(self.most, self._now)
            time.sleep(self._takes_s)
            try:
                return getattr(low_level, name)(*arguments, **options)
            finally:
                with self._lock:
                    self._now -= 1

        return call


@pytest.fixture
def argon2(monkeypatch: pytest.MonkeyPatch) -> Counted:
    counted = Counted()
    monkeypatch.setattr(passwords, "low_level", counted)
    return counted


def refused(login: str, password: str) -> Problem:
    with pytest.raises(Problem) as raised:
        account.verify_password(login, password, "192.0.2.1")
    return raised.value


@pytest.mark.parametrize("who", ["unknown", "wrong", "gone", "without a hash", "with a hash of another kind"])
def test_every_refusal_is_the_same_after_one_computation(home: Centre, argon2: Counted, who: str) -> None:
    if who == "gone":
        change_user(home.device, home.team, home.user, active=False)
    with transaction() as conn:
        if who == "without a hash":
            conn.exec_driver_sql("UPDATE person SET password_hash = NULL")
        elif who == "with a hash of another kind":
            conn.exec_driver_sql("UPDATE person SET password_hash = 'md5:abc'")
    argon2.calls.clear()
    problem = refused("nobody" if who == "unknown" else "luo", "wrong" if who == "wrong" else PASSWORD)
    assert argon2.calls == ["verify_secret"]
    assert problem.to_dict() == Problem("wrong-password").to_dict()


def test_the_right_one_costs_the_same(home: Centre, argon2: Counted) -> None:
    assert account.verify_password("luo", PASSWORD).id == home.user
    assert argon2.calls == ["verify_secret"]


def test_a_hash_that_is_nobodys_costs_what_a_users_costs() -> None:
    of_nobody, of_user = passwords._nobodys_hash().split("$"), passwords.hash_password(PASSWORD).split("$")
    assert of_nobody[:-2] == of_user[:-2]
    assert [len(part) for part in of_nobody] == [len(part) for part in of_user]


def test_whoever_has_to_wait_costs_nothing(home: Centre, argon2: Counted) -> None:
    for _ in range(FREE_TRIES):
        assert refused("luo", "wrong").name == "wrong-password"
    argon2.calls.clear()
    problem = refused("luo", PASSWORD)
    assert (problem.name, problem.retry_after) == ("too-many-sign-ins", 2)
    assert argon2.calls == []


def test_hash_and_key_have_one_profile(argon2: Counted) -> None:
    assert passwords.Profile() == passwords.Profile(memory_kib=64 * 1024, passes=8, lanes=1)
    made, profile = passwords.made(PASSWORD), passwords.PROFILE
    assert f"$m={profile.memory_kib},t={profile.passes},p={profile.lanes}$" in made["password_hash"]
    assert [made["key"]["params"][name] for name in "mtp"] == [profile.memory_kib, profile.passes, profile.lanes]
    assert sorted(argon2.calls) == ["hash_secret", "hash_secret_raw"]


def test_hash_and_key_are_computed_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Counted(takes_s=0.2)
    monkeypatch.setattr(passwords, "low_level", counted)
    passwords.made(PASSWORD)
    assert counted.most == 2


def test_no_more_than_two_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each holds 64 MiB: a flood of sign-ins must not fill the memory."""
    counted = Counted(takes_s=0.05)
    monkeypatch.setattr(passwords, "low_level", counted)
    threads = [threading.Thread(target=passwords.matches, args=(None, "x")) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(counted.calls), counted.most) == (8, 2)


def test_whose_turn_does_not_come_is_sent_away_and_it_is_no_failure(
    home: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "TURN_COMES_WITHIN_S", 0.01)
    with passwords._turn(), passwords._turn():
        for _ in range(FREE_TRIES + 1):
            problem = refused("luo", PASSWORD)
            assert (problem.name, problem.status) == ("too-many-sign-ins", 429)
    assert account.verify_password("luo", PASSWORD).id == home.user


def test_only_the_password_opens_the_key() -> None:
    key = passwords.wrapped_key(PASSWORD)
    private = X25519PrivateKey.from_private_bytes(passwords.unwrap_key(key, PASSWORD))
    assert encode(private.public_key().public_bytes_raw()) == key["public"]
    with pytest.raises(InvalidTag):
        passwords.unwrap_key(key, "wrong")


def test_a_hash_and_a_key_made_with_other_parameters_still_open(monkeypatch: pytest.MonkeyPatch) -> None:
    made = passwords.made(PASSWORD)
    monkeypatch.setattr(passwords, "PROFILE", passwords.Profile(memory_kib=16, passes=2, lanes=1))
    assert passwords.matches(made["password_hash"], PASSWORD)
    assert not passwords.matches(made["password_hash"], PASSWORD + "x")
    assert len(passwords.unwrap_key(made["key"], PASSWORD)) == 32


def test_letters_are_the_same_however_they_are_composed() -> None:
    """One keyboard sends é as one character, another as two."""
    composed, decomposed = "caf\u00e9 caf\u00e9", "cafe\u0301 cafe\u0301"
    assert passwords.matches(passwords.hash_password(composed), decomposed)
    assert len(passwords.unwrap_key(passwords.wrapped_key(decomposed), composed)) == 32


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("1234567", "不到 8"),
        ("e\u0301" * 7, "不到 8"),
        ("x y" * 86, "超过 256"),
        ("password", "常见"),
        ("PassWord123", "常见"),
        ("Aidvisit2026", "常见"),
        ("WeiWen2026", "常见"),
        ("zhiyuanzhe123", "常见"),
        ("慰问物资发放系统", "常见"),
        ("5201314520", "常见"),
        ("啊啊啊啊啊啊啊啊", "常见"),
        ("ababababababab", "常见"),
        ("Luo-Chunhe", "登录名"),
        ("ehnuhc-oul", "登录名"),
    ],
)
def test_a_weak_password_is_refused_and_why(password: str, why: str) -> None:
    with pytest.raises(Problem, match="weak-password") as raised:
        account.check_password(password, " luo-chunhe ")
    said = raised.value.words("zh")
    assert why in said
    assert "请换一个" in said
    assert password not in said
    assert why not in raised.value.words("en"), "that is said in English"


@pytest.mark.parametrize("password", ["corect horse", "慰问民强村四十三户", "é" * 6 + "ab", "p" + "qr " * 85])
def test_any_other_is_taken_as_it_is(password: str) -> None:
    account.check_password(password, "luo")


def test_the_list_of_common_passwords_is_what_it_should_be() -> None:
    lines = passwords.COMMON.read_text(encoding="utf-8").splitlines()
    assert len(lines) >= 3000
    assert lines == sorted(set(lines))
    assert all(line == line.casefold().strip() and len(line) >= passwords.LEAST_LENGTH for line in lines)
    assert PASSWORD not in lines

"""Somebody edits the files of a laptop's home, or makes a browser ask in their stead: what they gain."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from aidvisit import config
from aidvisit.app import create_app
from aidvisit.errors import Problem
from aidvisit.services import lock
from aidvisit.services.vault import vault
from aidvisit.store import doors
from aidvisit.store.database import db
from aidvisit.store.vault import FILE, Holder, Vault
from tests.support.homes import PASSWORD
from tests.support.pages import Pages, pages, words


@pytest.fixture
def home(homes: Path, tmp_path: Path) -> Iterator[Path]:
    """A locked laptop whose key file may be edited before anybody opens it."""
    with pages(homes, "field", tmp_path) as asked, asked.app.app_context():
        lock.lock()
        yield tmp_path / "field"


@contextmanager
def started(home: Path) -> Iterator[Pages]:
    asked = Pages(create_app(config.load(home, {}), testing=True))
    try:
        yield asked
    finally:
        with asked.app.app_context():
            db.engine.dispose()


def edit(home: Path, change: Callable[[dict[str, Any]], object]) -> None:
    document = json.loads((home / FILE).read_text())
    change(document)
    (home / FILE).write_text(json.dumps(document))


def swap(document: dict[str, Any], *parts: str) -> None:
    first, second = document["slots"]
    for part in parts:
        first[part], second[part] = second[part], first[part]


def inside(asked: Pages) -> bool:
    return asked.get("/search").status_code == 200


def test_the_home_has_two_people(home: Path) -> None:
    assert len(json.loads((home / FILE).read_text())["slots"]) == 2
    with started(home) as asked:
        asked.sign_in("luo")
        assert inside(asked)


@pytest.mark.parametrize("parts", [("user",), ("user", "key"), ("key", "sealed"), ("sealed",)])
def test_nobody_becomes_another_by_editing_the_slots(home: Path, parts: tuple[str, ...]) -> None:
    """One's own password opens the database all the same: that is what a slot is. But it signs in nobody else."""
    edit(home, lambda document: swap(document, *parts))
    with started(home) as asked:
        assert asked.sign_in("luo").status_code == 403
        assert not inside(asked)
        with asked.app.app_context():
            assert vault().locked


def test_an_older_key_file_signs_in_nobody_who_left(home: Path, homes: Path) -> None:
    """Put back after a deactivation was learnt: it opens, the database says no, the slot goes again."""
    older = (home / FILE).read_text()
    with started(home) as asked, asked.app.app_context():
        lock.unlock_any(PASSWORD)
        with db.engine.begin() as conn:
            conn.exec_driver_sql("UPDATE person SET active = 0 WHERE login = 'luo'")
        lock.lock()
    (home / FILE).write_text(older)
    with started(home) as asked:
        assert asked.sign_in("luo").status_code == 403
        with asked.app.app_context():
            assert vault().locked
        assert len(json.loads((home / FILE).read_text())["slots"]) == 1
        asked.sign_in("office")
        assert inside(asked)


@pytest.mark.parametrize(
    "change",
    [{"slots": "x"}, {"slots": [{}]}, {"slots": [5]}, {"slots": None}, {"salt": "!!"}, {"salt": 5}, {"version": "1"}],
)
def test_a_key_file_that_is_none_is_said_and_opens_nothing(home: Path, change: dict[str, Any]) -> None:
    edit(home, lambda document: document.update(change))
    with started(home) as asked, asked.app.app_context(), pytest.raises(Problem) as refused:
        lock.unlock("luo", PASSWORD)
    assert refused.value.name in ("keys-unreadable", "database-from-future")


@pytest.mark.parametrize("params", [{"m": 2**31}, {"t": -1}, {"t": 10**9}, {"p": 0}, {"m": "64"}])
def test_no_parameters_of_a_slot_stop_the_machine(home: Path, params: dict[str, Any]) -> None:
    """Whoever edited them keeps people out, and gets nothing for it."""
    edit(home, lambda document: [slot["key"]["params"].update(params) for slot in document["slots"]])
    with started(home) as asked:
        assert asked.sign_in("luo").status_code == 403


def test_the_key_file_of_another_laptop_opens_nothing(home: Path, tmp_path: Path) -> None:
    """The same people, the same passwords, another database key."""
    own = (home / FILE).read_text()
    people = [
        Holder(slot["user"], login, slot["key"]) for slot in json.loads(own)["slots"] for login in ("luo", "office")
    ]
    other = tmp_path / "other"
    other.mkdir()
    strange = Vault(other)
    strange.create()
    strange.seal_to(people)
    (home / FILE).write_text((other / FILE).read_text())
    with started(home) as asked:
        assert asked.sign_in("luo").status_code in (403, 500)
        assert not inside(asked)
        (home / FILE).write_text(own)
        asked.sign_in("luo")
        assert inside(asked), "put back, it opens without a restart"


def test_without_its_key_file_a_laptop_opens_nothing(home: Path) -> None:
    """Not as a plain one either: what is on the disk stays unreadable."""
    (home / FILE).unlink()
    with (home / config.FILE).open("a") as file:
        file.write("no_encryption = true\n")
    with pytest.raises(Problem, match="database-unreadable") as refused:
        create_app(config.load(home, {}), testing=True)
    assert refused.value.name == "database-unreadable"


def test_a_plain_database_in_the_place_of_the_encrypted_one_is_refused(home: Path) -> None:
    for file in home.glob("aidvisit.db*"):
        file.unlink()
    sqlite3.connect(home / "aidvisit.db").executescript("CREATE TABLE person (id)").close()
    with started(home) as asked:
        answer = asked.sign_in()
        assert answer.status_code == 500
        assert "打不开数据库" in words(answer)
        assert not inside(asked)


def test_an_edited_page_of_the_database_is_refused(home: Path) -> None:
    """Every page carries its own authentication code: what was changed is not read."""
    with (home / "aidvisit.db").open("r+b") as file:
        file.seek(4096 + 100)
        byte = file.read(1)[0]
        file.seek(4096 + 100)
        file.write(bytes([byte ^ 1]))
    with started(home) as asked:
        assert asked.sign_in().status_code == 500
        assert not inside(asked)


def test_a_database_that_is_gone_is_told_and_costs_nobody_their_slot(home: Path) -> None:
    """It was moved away for a moment: an empty one in its place would know nobody to keep a slot for."""
    kept = {file: file.read_bytes() for file in home.glob("aidvisit.db*")}
    for file in kept:
        file.unlink()
    with started(home) as asked:
        answer = asked.sign_in()
        assert answer.status_code == 500
        assert "打不开数据库" in words(answer)
    assert len(json.loads((home / FILE).read_text())["slots"]) == 2
    for file, data in kept.items():
        file.write_bytes(data)
    with started(home) as asked:
        asked.sign_in()
        assert inside(asked)


def test_a_session_in_the_doors_file_is_nobodys_but_the_cookies(laptop: Pages) -> None:
    """Who writes another's session over their own does not become them: the cookie is signed, the file is not."""
    other = Pages(laptop.app)
    other.sign_in("office")
    laptop.sign_in("luo")
    with other.client.session_transaction() as held:
        source = doors._digest(held["id"])
    with laptop.client.session_transaction() as held:
        target = doors._digest(held["id"])
    conn = sqlite3.connect(laptop.app.config["SETTINGS"].home / doors.FILE)
    (row,) = conn.execute("SELECT user, mark FROM session WHERE id = ?", (source,))
    conn.execute("UPDATE session SET user = ?, mark = ? WHERE id = ?", (*row, target))
    conn.commit()
    conn.close()
    assert not inside(laptop)
    assert inside(other)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_another_site_filled_in_is_not_offered_to_be_sent(office: Pages, site: str) -> None:
    """Else one click would do, as the reader's own, what somebody elsewhere wrote."""
    office.sign_in("admin")
    planted = {"csrf_token": "no", "reason": "planted"}
    answer = office.client.post("/sign-out", data=planted, headers={"Sec-Fetch-Site": site})
    assert answer.status_code == 400
    assert "planted" not in answer.text
    here = office.client.post("/sign-out", data=planted, headers={"Sec-Fetch-Site": "same-origin"})
    assert 'value="planted"' in here.text


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8001", "127.0.0.1.evil.example", "[::1", "a b", "127.0.0.1@evil.example", ""]
)
def test_a_name_made_to_lead_to_this_machine_gets_nothing(laptop: Pages, host: str) -> None:
    """DNS rebinding: a stranger's page would try passwords until nobody gets in."""
    assert laptop.get("/sign-in", Host=host).status_code == 404
    for own in ("localhost:8001", "127.0.0.1:8001", "[::1]:8001"):
        assert laptop.get("/sign-in", Host=own).status_code == 200

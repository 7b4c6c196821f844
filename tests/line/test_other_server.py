"""A real laptop and somebody else at its centre's address: it says so in words, keeps its ops, and goes on later."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sync.invitation import parse
from tests.line.conftest import ask, init, record, waiting
from tests.support.centre import Centre
from tests.support.meddler import Meddler, Passing, document
from tests.support.nodes import Node

TOWN = "441225112"
REVOKED = {"type": "urn:aidvisit:problem:device-revoked", "title": "device revoked", "status": 403}


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    centre = Centre(tmp_path_factory.mktemp("right") / "home")
    with centre.running():
        yield centre


@pytest.fixture(scope="module")
def meddler(centre: Centre) -> Iterator[Meddler]:
    with Meddler(centre.url).running() as meddler:
        yield meddler


@pytest.fixture(scope="module")
def enrolled(centre: Centre, meddler: Meddler, tmp_path_factory: pytest.TempPathFactory) -> Node:
    """A laptop whose line passes the meddler, who does nothing yet."""
    return enrol(centre, meddler.url, tmp_path_factory.mktemp("laptop") / "field")


@pytest.fixture
def laptop(enrolled: Node, meddler: Meddler) -> Iterator[Node]:
    yield enrolled
    meddler.meddle = lambda _, answer: answer


def enrol(centre: Centre, url: str, home: Path) -> Node:
    assert init(centre, home, url)["name"] == ""
    return Node(home, "field")


def refused(laptop: Node, meddler: Meddler) -> dict[str, Any]:
    """One sync with an op that waits: nothing of the log is pushed, and the op is still there."""
    record(laptop)
    before = waiting(laptop)
    meddler.passed.clear()
    said = ask(laptop, "sync")
    assert waiting(laptop) == before >= 1
    assert [path for path, _ in meddler.passed] == ["/sync/v1/pull"]
    return said


def goes_on(laptop: Node) -> None:
    done = ask(laptop, "sync")
    assert (done["name"], done["waiting"]) == ("", 0)


def test_a_signature_that_is_taken_away(laptop: Node, meddler: Meddler) -> None:
    meddler.meddle = lambda _, answer: answer.without("Aidvisit-Signature")
    said = refused(laptop, meddler)
    assert said["name"] == "other-server"
    assert "另一台服务器" in said["detail"]
    meddler.meddle = lambda _, answer: answer
    goes_on(laptop)


def test_an_old_answer_that_is_played_again(laptop: Node, meddler: Meddler) -> None:
    meddler.passed.clear()
    goes_on(laptop)
    old = next(answer for path, answer in meddler.passed if path.endswith("pull"))
    assert "Aidvisit-Signature" in old.headers
    meddler.meddle = lambda _, __: old
    assert refused(laptop, meddler)["name"] == "other-server"


def test_an_answer_that_is_changed(laptop: Node, meddler: Meddler) -> None:
    def change(_: str, answer: Passing) -> Passing:
        kept = {name: value for name, value in answer.headers.items() if name != "Content-Encoding"}
        return Passing(answer.status, kept, b'{"more": false}')

    meddler.meddle = change
    assert refused(laptop, meddler)["name"] == "other-server"


def test_a_revocation_that_the_centre_did_not_say(laptop: Node, meddler: Meddler) -> None:
    """A laptop that believed it would lock its database."""
    meddler.meddle = lambda _, __: document(403, REVOKED, "application/problem+json")
    assert refused(laptop, meddler)["name"] == "other-server"


def test_a_page_to_sign_in_to_the_network(laptop: Node, meddler: Meddler) -> None:
    meddler.meddle = lambda _, __: Passing(200, {"Content-Type": "text/html"}, b"<h1>Hotel</h1>")
    assert refused(laptop, meddler)["name"] == "hotel-wifi"
    meddler.meddle = lambda _, __: document(200, {"login": "http://hotel.example"})
    assert refused(laptop, meddler)["name"] == "other-server"


def test_another_centre_at_the_same_address(tmp_path: Path) -> None:
    """Its own processes swapped on one port, both of them real."""
    right, other = Centre(tmp_path / "right"), Centre(tmp_path / "other")
    other.port, other.url = right.port, right.url
    right.start()
    laptop = enrol(right, right.url, tmp_path / "field")
    try:
        record(laptop)
        right.stop()
        other.start()
        said = ask(laptop, "sync")
        assert said["name"] == "other-server"
        assert waiting(laptop) == 1
        record(laptop)
        other.stop()
        right.command("central", "new-epoch")  # restored meanwhile: the same key, so the same server
        right.start()
        done = ask(laptop, "sync")
        assert (done["name"], done["pushed"], done["waiting"]) == ("", 2, 0)
    finally:
        for each in (right, other):
            if each.process is not None:
                each.kill()


def test_a_centre_that_was_really_replaced(tmp_path: Path) -> None:
    """A code is shown to nobody who does not prove the key of the card; then all of the log goes there, once."""
    right, other = Centre(tmp_path / "right"), Centre(tmp_path / "other")
    other.port, other.url = right.port, right.url
    right.start()
    laptop = enrol(right, right.url, tmp_path / "field")
    try:
        record(laptop)
        assert ask(laptop, "sync")["name"] == ""
        record(laptop)
        right.stop()
        team = other.add_team("另一队", TOWN)
        made = other.command("central", "enrol-code", "--team", team)
        key = parse(str(made["invitation"])).fingerprint
        other.start()
        assert ask(laptop, "sync")["name"] == "other-server"
        code = ("sync", "renew", "--code", str(made["code"]))
        assert ask(laptop, *code)["name"] == "fingerprint-invalid"
        assert ask(laptop, *code, "--fingerprint", "0" * 32)["name"] == "uninvited-server"
        assert waiting(laptop) == 1
        done = ask(laptop, *code, "--fingerprint", key)
        assert (done["name"], done["waiting"]) == ("", 0)
        (row,) = other.command("central", "device", "list")["devices"]
        assert (row["id"], row["through"]) == (done["device"], 2)
        assert other.command("verify")["ok"]
        assert ask(laptop, "sync")["name"] == ""
    finally:
        for each in (right, other):
            if each.process is not None:
                each.kill()

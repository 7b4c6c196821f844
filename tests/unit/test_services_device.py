"""Laptops as the centre looks after them: codes and invitations, names, revoking."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from aidvisit.domain.rights import Scope
from aidvisit.errors import Problem
from aidvisit.services import device as service
from aidvisit.store.database import reading, transaction
from aidvisit.store.ledger import House
from aidvisit.store.queries.account import device_row
from sync import clock, enrolment, invitation, log, server
from sync.identity import KeyPair
from sync.op import uuid7
from tests.support.homes import Centre, centre


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Centre]:
    with centre(tmp_path) as made:
        yield made


@pytest.fixture
def laptop(home: Centre) -> str:
    """Id of an enrolled laptop."""
    return str(enrolled(home)["device"])


def enrolled(home: Centre) -> dict[str, object]:
    (code,) = service.enrolment_codes(actor=home.device, team=home.team)
    request = {"code": code.code, "name": "3 号", "public_key": KeyPair.generate().public}
    return enrolment.enrol(transaction, House(), request, None, "127.0.0.1", clock.wall())


def facts(kind: str) -> list[log.Entry]:
    with reading() as conn:
        return [entry for entry in log.iterate(conn, "org") if entry.op.kind == kind]


def test_codes_last_a_day_and_are_audited(home: Centre) -> None:
    before = clock.wall()
    codes = service.enrolment_codes(actor=home.user, team=home.team, count=3)
    assert len({code.code for code in codes}) == 3
    assert all(timedelta(hours=23) < code.expires_at - before < timedelta(hours=25) for code in codes)
    with reading() as conn:
        (entry,) = log.iterate(conn, "office")
    assert (entry.op.kind, entry.op.actor) == ("access.recorded", home.user)
    assert codes[0].code not in str(entry.op.body)
    with pytest.raises(Problem, match="unknown-team"):
        service.enrolment_codes(actor=home.user, team=home.user)


def test_an_invitation_names_the_key_that_the_server_answers_with(home: Centre) -> None:
    codes = service.enrolment_codes(actor=home.device, team=home.team, count=2)
    first, second = service.invitations(codes, "https://centre.example.org")
    answer = enrolled(home)
    assert invitation.is_of(first.fingerprint, answer["server"]["public_key"])  # type: ignore[index]
    assert (first.server, first.code) == ("https://centre.example.org", codes[0].code)
    assert second.code == codes[1].code
    assert invitation.parse(first.text()) == first


def test_a_laptop_is_renamed(home: Centre, laptop: str) -> None:
    service.rename(actor=home.device, device=laptop, name=" 5 号 ")
    service.rename(actor=home.device, device=laptop, name="5 号")
    with reading() as conn:
        found = device_row(conn, laptop)
    assert found is not None
    assert found.name == "5 号"
    assert len(facts("device.renamed")) == 1, "the same name again is no fact"


def test_a_revocation_is_a_fact_with_its_reason_and_refuses_at_once(home: Centre) -> None:
    answer = enrolled(home)
    laptop = str(answer["device"])
    service.revoke(actor=home.device, device=laptop, reason="落在车上")
    service.revoke(actor=home.device, device=laptop, reason="又一次")
    (entry,) = facts("device.revoked")
    assert (entry.op.actor, entry.op.body["reason"]) == (home.device, "落在车上")
    with reading() as conn:
        found = device_row(conn, laptop)
    assert found is not None
    assert (found.revoked, found.revoked_reason) == (True, "落在车上")
    for ask in (server.push, server.pull):
        with pytest.raises(Problem, match="device-revoked"):
            ask(transaction, House(), str(answer["token"]), b"{}", clock.wall())


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_revocation_needs_a_reason(home: Centre, laptop: str, reason: str) -> None:
    with pytest.raises(Problem, match="invalid-body"):
        service.revoke(actor=home.device, device=laptop, reason=reason)
    assert facts("device.revoked") == []


def test_a_laptop_that_is_not_there_is_told(home: Centre) -> None:
    with pytest.raises(Problem, match="unknown-device"):
        service.rename(actor=home.device, device=uuid7(), name="5 号")
    with pytest.raises(Problem, match="unknown-device"):
        service.revoke(actor=home.device, device=home.device, reason="中心自己")


def test_what_lies_outside_of_ones_teams_does_not_exist(home: Centre, laptop: str) -> None:
    inside, outside = Scope(teams=frozenset({home.team})), Scope(teams=frozenset({uuid7()}))
    with pytest.raises(Problem, match="unknown-device"):
        service.rename(actor=home.user, device=laptop, name="5 号", scope=outside)
    with pytest.raises(Problem, match="unknown-device"):
        service.revoke(actor=home.user, device=laptop, reason="丢失", scope=outside)
    with pytest.raises(Problem, match="unknown-team"):
        service.enrolment_codes(actor=home.user, team=home.team, scope=outside)
    service.revoke(actor=home.device, device=laptop, reason="丢失", scope=inside)
    assert len(facts("device.revoked")) == 1

"""An older laptop against today's centre and the other way round, with what older versions really said.

How the records were made: tests/data/protocol/record.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import zstandard
from flask.testing import FlaskClient
from sqlalchemy import text

from aidvisit.cli.home import opened, ready
from aidvisit.store import ledger
from aidvisit.store.database import reading, transaction
from aidvisit.store.ledger import House
from sync import clock, identity, log
from sync.client import sync_once
from sync.identity import KeyPair
from sync.link import Link
from sync.proof import NONCE, SIGNATURE, Proof, answered_text, new_nonce
from sync.transport import HttpTransport
from tests.support.older import VERSIONS, Older, OlderCentre, older

TOWN = "441225112"
STRANGE = {"colour": {"of": ["what", "is", "unheard", "of"]}}


@pytest.fixture(params=VERSIONS)
def recorded(request: pytest.FixtureRequest) -> Older:
    return older(request.param)


# --- an older laptop, today's centre ---------------------------------------------------------------------------


@pytest.fixture
def centre(recorded: Older, tmp_path: Path) -> Iterator[FlaskClient]:
    """Today's centre on the database that the older one left."""
    app = ready(recorded.home(tmp_path, "central"))
    with app.app_context():
        yield app.test_client()


def asked(
    centre: FlaskClient, one: dict[str, Any], token: str | None, more: dict[str, Any]
) -> tuple[int, dict[str, Any]]:
    """What today's centre answers to a recorded request; that it signs for it is checked."""
    nonce = new_nonce()
    headers = {"Content-Type": "application/json", "Content-Encoding": "zstd", "Accept-Encoding": "zstd", NONCE: nonce}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    packed = zstandard.ZstdCompressor().compress(json.dumps(one["request"] | more).encode())
    answer = centre.post(one["path"], data=packed, headers=headers)
    plain = answer.data
    if answer.headers.get("Content-Encoding") == "zstd":
        plain = zstandard.ZstdDecompressor().decompressobj().decompress(answer.data)
    with reading() as conn:
        key = KeyPair.from_private(log.recall(conn, "private_key")).public
    assert Proof(answered_text(nonce, plain), answer.headers.get(SIGNATURE)).by(key)
    return answer.status_code, json.loads(plain)


@pytest.mark.parametrize("more", [{}, STRANGE], ids=["as it was", "with members unheard of"])
def test_todays_centre_answers_an_older_laptop_as_the_older_one_did(
    centre: FlaskClient, recorded: Older, more: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    token = None
    for one in recorded.traffic:
        monkeypatch.setattr(clock, "wall", partial(recorded.moment, one))
        then = json.loads(one["answer"])
        if one["status"] == 403:
            assert then["type"].endswith(":device-revoked")
            with transaction() as conn:
                device = recorded.traffic[0]["answer"]
                conn.execute(
                    text("UPDATE sync_device SET revoked = true WHERE id = :id"), {"id": json.loads(device)["device"]}
                )
        status, now = asked(centre, one, token, more)
        assert status == one["status"], now
        assert then.keys() <= now.keys(), "a member that an older laptop reads is gone"
        token = now.get("token") or token
        for member in then.keys() - {"token", "server_time", "receipt", "restamped", "server", "witness"}:
            assert now[member] == then[member], member
        if "receipt" in then:
            assert [each["seq"] for each in now["restamped"]] == [each["seq"] for each in then["restamped"]]
            with reading() as conn:
                key = KeyPair.from_private(log.recall(conn, "private_key")).public
            assert identity.check_receipt(key, now["receipt"])
        if "server" in then:
            assert {**now["server"], **then["server"]} | {"age_recipient": 0} == now["server"] | {"age_recipient": 0}
    with transaction() as conn:
        assert ledger.verify(conn) == []


# --- today's laptop, an older centre ---------------------------------------------------------------------------


@pytest.mark.parametrize("more", [{}, STRANGE], ids=["as it was", "with members unheard of"])
def test_todays_laptop_gets_on_with_an_older_centre(recorded: Older, more: dict[str, Any], tmp_path: Path) -> None:
    """Its home is the older one's too: it is opened, migrated, and sends what the older version recorded."""
    with opened(recorded.home(tmp_path, "central")), reading() as conn:
        key = KeyPair.from_private(log.recall(conn, "private_key"))
    office = OlderCentre(recorded, key, more)
    office.heard.append(("/sync/v1/pull", "the first pull, right after enrolling"))
    push = recorded.said("/sync/v1/push")[0]
    settings = recorded.home(tmp_path, "field", no_encryption=True)
    with office.running() as url, opened(settings):
        moment = recorded.moment(push)
        link = Link(transaction, House(), HttpTransport(url), lambda: moment)
        outcome = sync_once(link)
        assert outcome.pushed == 4
        sent = [heard for path, heard in office.heard if path == "/sync/v1/push"]
        assert [{name: one[name] for name in push["request"]} for one in sent] == [push["request"]]
        with transaction() as conn:
            state = log.state(conn)
            assert (state.waiting, state.quarantined, state.trouble) == (0, 1, None)
            answer = json.loads(push["answer"])
            restamped = {one["seq"]: one["merge_hlc"] for one in answer["restamped"]}
            for seq, merge_hlc in restamped.items():
                assert (entry := log.find(conn, state.device, seq)) is not None
                assert entry.merge_hlc == merge_hlc
            assert ledger.verify(conn) == []

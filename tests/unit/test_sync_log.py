"""The log itself: what is authored, what is kept beside it, and that no alteration goes unseen."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
import sqlalchemy as sa

from sync import blobs, chains, log, tables
from sync.agent import FIRST_RETRY_S, IDLE_S, LONGEST_RETRY_S, STOPPED_S, Agent, delay
from sync.log import Draft
from sync.model import Grants
from sync.op import ZERO, chain, digest_of, uuid7
from sync.problem import Problem
from tests.support.toy import Centre, Laptop, connected, expect_problem, memory
from tests.support.toy_house import TOWN


@pytest.fixture
def centre() -> Centre:
    return Centre(memory()).set_up()


@pytest.fixture
def laptop(centre: Centre) -> Laptop:
    return connected(centre, uuid7())


def findings(node: Laptop | Centre) -> list[str]:
    with node.begin() as conn:
        return chains.verify(conn)


def alter(node: Laptop | Centre, **values: Any) -> None:
    with node.begin() as conn:
        where = sa.and_(tables.op.c.device == log.own(conn), tables.op.c.seq == 2)
        conn.execute(sa.update(tables.op).where(where).values(**values))


def test_a_log_is_gapless_and_chained(laptop: Laptop) -> None:
    entries = [laptop.thing() for _ in range(3)]
    head = ZERO
    for seq, entry in enumerate(entries, 1):
        head = chain(head, digest_of(entry.op))
        assert (entry.op.seq, entry.hash, entry.n) == (seq, head, None)
    assert (laptop.state().last_seq, laptop.state().head) == (3, head)
    assert findings(laptop) == []


def test_the_centre_numbers_its_own_at_once(centre: Centre) -> None:
    assert [centre.thing().n for _ in range(3)] == [1, 2, 3]


def test_nothing_malformed_is_ever_kept(laptop: Laptop) -> None:
    good = Draft(TOWN, laptop.actor, "thing.registered", 1, uuid7(), {"fields": {}})
    for body in ({"t": "\x00"}, {"n": 2**53}, {"t": "x" * 70_000}, {"f": 0.5}):
        bad = Draft(TOWN, laptop.actor, "thing.registered", 1, uuid7(), body)
        with expect_problem("malformed"), laptop.begin() as conn:
            log.author(conn, laptop.app, [good, bad], laptop.now())
    assert laptop.state().last_seq == 0
    assert laptop.thing().op.seq == 1


def test_several_drafts_are_one_transaction(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    drafts = [Draft(TOWN, laptop.actor, "note.recorded", 1, uuid7(), {}) for _ in range(3)]

    def fail(*_: object) -> bool:
        raise OSError("disk full")

    monkeypatch.setattr(laptop.app, "apply", fail)
    with pytest.raises(OSError, match="disk full"), laptop.begin() as conn:
        log.author(conn, laptop.app, drafts, laptop.now())
    assert laptop.state().last_seq == 0
    assert findings(laptop) == []


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"body": '{"fields":{"name":"forged"}}'}, "altered"),
        ({"actor": "0192f3a0-0000-7000-8000-0000000000ff"}, "altered"),
        ({"hlc": "20201230T013000000Z-00ff"}, "altered"),
        ({"stream": "441225113"}, "altered"),
        ({"seq": 9}, "missing"),
        ({"hash": "ab" * 32}, "chain is broken"),
        ({"digest": "ab" * 32}, "altered"),
    ],
)
def test_no_alteration_goes_unseen(laptop: Laptop, values: dict[str, Any], words: str) -> None:
    for _ in range(3):
        laptop.thing()
    alter(laptop, **values)
    assert any(words in finding for finding in findings(laptop))


def test_what_is_cut_off_at_the_end_is_seen(laptop: Laptop) -> None:
    laptop.thing(), laptop.thing()
    with laptop.begin() as conn:
        conn.execute(sa.delete(tables.op).where(tables.op.c.device == log.own(conn), tables.op.c.seq == 2))
    assert findings(laptop) == [f"{laptop.device}: ops end at 1, the log says 2"]


def test_an_erased_body_keeps_the_chain(laptop: Laptop) -> None:
    for _ in range(3):
        laptop.thing()
    alter(laptop, body=None)
    assert findings(laptop) == []
    laptop.sync()
    assert laptop.state().waiting == 0
    assert findings(laptop.line.centre) == []  # type: ignore[attr-defined]


def test_the_state_is_derived(centre: Centre, laptop: Laptop) -> None:
    laptop.thing(), laptop.record(TOWN, "future.recorded", {})
    assert (laptop.state().waiting, laptop.state().through, laptop.state().receipt) == (2, 0, None)
    laptop.sync()
    state = laptop.state()
    assert (state.waiting, state.through, state.quarantined, state.trouble) == (0, 2, 1, None)
    assert state.synced_at == laptop.clock.isoformat()


def test_a_digest_is_of_what_is_numbered(centre: Centre, laptop: Laptop) -> None:
    entry = centre.thing()
    line = f"{entry.name} {entry.digest} {entry.clock}\n"
    assert centre.digest(TOWN) == sha256(line.encode()).hexdigest()
    laptop.sync()
    mine = laptop.thing()
    assert laptop.digest(TOWN) == centre.digest(TOWN), "what waits does not count"
    laptop.sync()
    lines = sorted([line, f"{mine.name} {mine.digest} {mine.clock}\n"])
    assert laptop.digest(TOWN) == centre.digest(TOWN) == sha256("".join(lines).encode()).hexdigest()


def test_blobs_are_named_by_their_hash(laptop: Laptop) -> None:
    name = sha256(b"signature").hexdigest()
    with laptop.begin() as conn:
        for _ in range(2):
            blobs.put(conn, name, "image/png", b"signature")
        assert blobs.get(conn, name) == ("image/png", b"signature")
        assert blobs.get(conn, "ab" * 32) is None
        with pytest.raises(ValueError, match="SHA-256"):
            blobs.put(conn, name, "image/png", b"another")


def test_a_database_without_identity_says_so() -> None:
    with memory().begin() as conn, pytest.raises(LookupError):
        log.own(conn)


@pytest.mark.parametrize(
    ("stream", "covered"),
    [
        ("org", True),
        ("441225112", True),
        ("441225", False),
        ("4412251120", False),
        ("441225１１２", False),
        ("52", False),
    ],
)
def test_a_county_stands_for_every_town_below_it(stream: str, covered: bool) -> None:
    grants = Grants(frozenset({"org"}), ("441225",))
    assert grants.cover(stream) == covered
    assert not Grants(frozenset()).cover(stream)


# --- the agent -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chance", [0.0, 0.5, 0.999])
def test_the_agent_backs_off_with_jitter(chance: float) -> None:
    waits = [delay(failures, False, chance) for failures in range(1, 20)]
    assert waits == sorted(waits)
    assert FIRST_RETRY_S * 0.5 <= waits[0] <= FIRST_RETRY_S * 1.5
    assert waits[-1] <= LONGEST_RETRY_S * 1.5
    assert IDLE_S * 0.7 < delay(0, False, chance) < IDLE_S * 1.3
    assert STOPPED_S * 0.7 < delay(3, True, chance) < STOPPED_S * 1.3


def test_the_agent_syncs_when_it_is_poked_and_outlives_what_goes_wrong(centre: Centre, laptop: Laptop) -> None:
    agent = Agent(laptop.link)
    laptop.thing()
    agent.sync_now()
    assert laptop.state().waiting == 0
    laptop.line.before = _unreachable
    with expect_problem("server-unreachable"):
        agent.sync_now()
    assert agent.last_problem is not None
    assert agent.sending is None
    laptop.line.before = lambda *_: None
    agent.sync_now()
    assert agent.last_problem is None


def _unreachable(*_: object) -> None:
    raise Problem("server-unreachable", url="x")

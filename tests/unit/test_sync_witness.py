"""Who has the disk can rewrite a log, but not what the other end saw of it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from sync import chains, comparison, log, server, tables, witness
from sync.op import ZERO, chain, digest_of, uuid7
from tests.support.toy import Centre, Laptop, connected, expect_problem, memory

FORGED: dict[str, Any] = {"fields": {"name": "forged"}}


@pytest.fixture
def centre() -> Centre:
    made = Centre(memory()).set_up()
    for _ in range(3):
        made.record("office", "note.recorded", {"what": "reveal"})
    return made


@pytest.fixture
def laptop(centre: Centre) -> Laptop:
    return connected(centre, uuid7())


def a_day_later(*nodes: Laptop | Centre) -> None:
    for node in nodes:
        node.clock += timedelta(days=1)


def findings(node: Laptop | Centre) -> list[str]:
    with node.begin() as conn:
        return chains.verify(conn) + witness.verify_receipt(conn)


def compared(laptop: Laptop) -> list[str] | None:
    return comparison.compare(laptop.link)


def found(laptop: Laptop) -> witness.Altered | None:
    with laptop.begin() as conn:
        return witness.altered(conn)


def forge(node: Laptop | Centre, seq: int, how: str, device: str = "", body: dict[str, Any] = FORGED) -> None:
    """Edit one op: plainly, with its digest, or with the whole chain and the head made anew."""
    op = tables.op.c
    with node.begin() as conn:
        device = device or log.own(conn)
        where = sa.and_(op.device == device, op.seq == seq)
        conn.execute(sa.update(tables.op).where(where).values(body=json.dumps(body)))
        if how == "plain":
            return
        entry = log.find(conn, device, seq)
        assert entry is not None
        conn.execute(sa.update(tables.op).where(where).values(digest=digest_of(entry.op)))
        if how == "digest":
            return
        head = ZERO
        for row in conn.execute(sa.select(op.seq, op.digest).where(op.device == device).order_by(op.seq)).all():
            head = chain(head, row.digest)
            here = sa.and_(op.device == device, op.seq == row.seq)
            conn.execute(sa.update(tables.op).where(here).values(hash=head))
        conn.execute(sa.update(tables.device).where(tables.device.c.id == device).values(head=head))


# --- the centre's log -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("how", "words"), [("plain", "altered"), ("digest", "chain is broken")])
def test_what_is_forged_badly_is_found_at_the_centre(centre: Centre, how: str, words: str) -> None:
    forge(centre, 2, how)
    (first, *_) = findings(centre)
    with centre.begin() as conn:
        assert first.startswith(f"{log.own(conn)}/2: ")
    assert words in first


def test_a_chain_made_anew_is_found_by_the_laptop(centre: Centre, laptop: Laptop) -> None:
    """The admin with the disk makes everything fit; the laptop has seen another head."""
    seen = []
    for _ in range(3):
        a_day_later(centre, laptop)
        centre.record("office", "note.recorded", {"what": "reveal"})
        laptop.sync()
        with laptop.begin() as conn:
            seen = witness.seen(conn)
    assert len(seen) == 4
    forge(centre, seen[1] + 1, "all")
    assert findings(centre) == [], "at the centre nothing can be seen"
    with centre.begin() as conn:
        own = log.own(conn)
    assert compared(laptop) == [f"{own}: the centre's record between {seen[1]} and {seen[2]} was altered"]
    assert found(laptop) == witness.Altered(own, seen[1], seen[2])


def test_a_sync_of_the_next_day_finds_it_too_and_learns_nothing_of_the_forged_log(
    centre: Centre, laptop: Laptop
) -> None:
    forge(centre, 1, "all")
    centre.record("office", "note.recorded", {})
    laptop.sync()
    assert found(laptop) is None, "asked once a day"
    a_day_later(centre, laptop)
    laptop.sync(), laptop.sync()
    altered = found(laptop)
    assert altered is not None
    assert altered.after == 0
    a_day_later(centre, laptop)
    laptop.sync()
    assert found(laptop) == altered


def test_what_was_put_right_again_is_no_finding(centre: Centre, laptop: Laptop) -> None:
    with centre.begin() as conn:
        entry = log.find(conn, log.own(conn), 2)
    assert entry is not None
    forge(centre, 2, "all")
    assert compared(laptop) != []
    forge(centre, 2, "all", body=entry.op.body)
    assert compared(laptop) == []
    assert found(laptop) is None


def test_a_log_that_was_cut_off_is_found(centre: Centre, laptop: Laptop) -> None:
    with centre.begin() as conn:
        own = log.own(conn)
        me = log.lock_device(conn, own)
        conn.execute(sa.delete(tables.op).where(tables.op.c.device == own, tables.op.c.seq == me.through))
        head = log.hash_at(conn, own, me.through - 1)
        conn.execute(
            sa.update(tables.device).where(tables.device.c.id == own).values(head=head, through=me.through - 1)
        )
    assert findings(centre) == []
    (first, *_) = compared(laptop) or []
    assert first == f"{own}: the centre's record between 0 and {me.through} is gone"


def test_an_op_that_the_laptop_was_given_is_compared_one_by_one(centre: Centre, laptop: Laptop) -> None:
    """Also one that no head stands for yet."""
    thing = centre.thing()
    laptop.sync()
    assert compared(laptop) == []
    forge(centre, thing.op.seq, "all")
    with laptop.begin() as conn:
        memory_of = log.recall(conn, "witness")
        log.remember(conn, witness=memory_of | {"heads": {}})
    assert compared(laptop) == [f"{thing.op.name}: the centre's record is not the one that this laptop was given"]


def test_a_restored_centre_is_no_alarm(centre: Centre, laptop: Laptop) -> None:
    with centre.begin() as conn:
        server.new_epoch(conn, centre.now())
    a_day_later(centre, laptop)
    laptop.sync()
    assert compared(laptop) == []
    with laptop.begin() as conn:
        assert witness.restored(conn) == 1
    centre.thing()
    assert compared(laptop) == []
    forge(centre, 1, "all")
    assert compared(laptop) != [], "from then on the new log is watched"


def test_a_server_that_does_not_answer_is_left_in_peace(centre: Centre, laptop: Laptop) -> None:
    asked = []
    laptop.line.before = lambda name, document: asked.append("witness" in document) if name == "pull" else None
    laptop.line.after = lambda _name, answer: answer.pop("witness", None) and None
    a_day_later(centre, laptop)
    laptop.sync(), laptop.sync()
    assert asked == [True, False], "not again that day"
    assert compared(laptop) is None
    assert found(laptop) is None


# --- what it costs ----------------------------------------------------------------------------------------------


def test_it_is_asked_once_a_day_for_one_head(centre: Centre, laptop: Laptop) -> None:
    asked = []
    laptop.line.before = lambda name, document: asked.append(document.get("witness")) if name == "pull" else None
    answers: list[Any] = []
    laptop.line.after = lambda _name, answer: answers.append(answer.get("witness"))
    laptop.sync()
    a_day_later(centre, laptop)
    for _ in range(3):
        laptop.sync()
    assert [one if one is None else len(one) for one in asked] == [None, 1, None, None]
    (answer,) = [one for one in answers if one is not None]
    assert len(json.dumps(answer)) < 450


def test_heads_are_thinned_to_one_a_day_and_so_many(centre: Centre, laptop: Laptop) -> None:
    for _ in range(3):
        centre.thing()
        assert compared(laptop) == []
    with laptop.begin() as conn:
        assert len(witness.seen(conn)) == 1
        heads = {str(seq): ["ab" * 32, f"{seq:010}"] for seq in range(1, 1000)}
        log.remember(conn, witness=log.recall(conn, "witness") | {"heads": heads})
        said = {
            "device": log.recall(conn, "witness")["device"],
            "seq": 2000,
            "head": "cd" * 32,
            "held": {},
            "digests": {},
        }
        witness.take(conn, [], said, laptop.now())
        assert witness.seen(conn) == [*range(601, 1000), 2000]


@pytest.mark.parametrize("asked", [[0], [-1], ["1"], [True], list(range(1, 402)), "1", {"1": 2}])
def test_what_is_no_list_of_places_is_refused(centre: Centre, laptop: Laptop, asked: Any) -> None:
    with expect_problem("malformed"):
        centre.pull(laptop.token, witness=asked)
    assert "witness" not in centre.pull(laptop.token)
    assert centre.pull(laptop.token, witness=[10**9])["witness"]["held"] == {}


# --- the laptop's log -------------------------------------------------------------------------------------------


def test_a_laptop_s_log_made_anew_is_found_by_its_receipt(centre: Centre, laptop: Laptop) -> None:
    for _ in range(3):
        laptop.thing()
    laptop.sync()
    assert (findings(laptop), compared(laptop)) == ([], [])
    forge(laptop, 2, "all")
    (finding,) = findings(laptop)
    assert finding == f"{laptop.device}/3: the log up to here is not the one that the centre signed for"
    assert compared(laptop) == [f"{laptop.device}/2: from here on the centre's copy is not this laptop's log"]
    with laptop.begin() as conn:
        receipt = log.recall(conn, "receipt") | {"head": laptop.state().head}
        log.remember(conn, receipt=receipt)
    assert findings(laptop) == [f"{laptop.device}: the last receipt is not signed by the centre"]


def test_a_laptop_s_log_that_was_cut_off_is_found_by_its_receipt(laptop: Laptop) -> None:
    laptop.thing(), laptop.thing()
    laptop.sync()
    with laptop.begin() as conn:
        conn.execute(sa.delete(tables.op).where(tables.op.c.device == log.own(conn), tables.op.c.seq == 2))
        head = log.hash_at(conn, laptop.device, 1)
        conn.execute(sa.update(tables.device).values(through=1, head=head))
    assert findings(laptop) == [f"{laptop.device}/2: the centre signed for this record, and it is not here"]


def test_a_laptop_s_log_forged_at_the_centre_is_found_by_the_laptop(centre: Centre, laptop: Laptop) -> None:
    for _ in range(3):
        laptop.thing()
    laptop.sync()
    forge(centre, 2, "all", laptop.device)
    assert findings(centre) == []
    assert findings(laptop) == []
    assert compared(laptop) == [f"{laptop.device}/2: from here on the centre's copy is not this laptop's log"]

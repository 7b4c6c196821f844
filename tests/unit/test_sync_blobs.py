"""Photos and signatures of a laptop: after the ops, smallest first, from where they stopped (docs/protocol.md 3)."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from sync import blobs, log, server
from sync.op import uuid7
from sync.problem import Problem
from sync.renewal import enrol_again
from sync.tables import blob, blob_name, blob_upload
from sync.tables import op as op_table
from tests.support.toy import Centre, Laptop, connected, expect_problem, memory
from tests.support.toy_house import FAR_TOWN, TOWN

TEAM = uuid7()
UNREACHABLE = Problem("server-unreachable", url="http://centre")


def picture(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)


@pytest.fixture
def centre() -> Centre:
    return Centre(memory()).set_up()


@pytest.fixture
def laptop(centre: Centre) -> Laptop:
    return connected(centre, TEAM)


@dataclass
class Watch:
    """What goes over the line: the length of every piece by blob, and what goes wrong there."""

    pieces: list[tuple[str, int, int]] = field(default_factory=list)
    before: Callable[[int], None] = lambda number: None
    after: Callable[[int], None] = lambda number: None

    def on(self, laptop: Laptop) -> Watch:
        def sent(name: str, said: dict[str, Any]) -> None:
            if name == "blob" and said["what"]:
                piece, offset, _ = said["what"]
                self.pieces.append((said["name"], offset, len(piece)))
                self.before(len(self.pieces))

        laptop.line.before = sent
        laptop.line.after = lambda name, _: self.after(len(self.pieces)) if name == "blob" else None
        return self


def at_centre(centre: Centre, name: str) -> bytes | None:
    with centre.begin() as conn:
        found = blobs.get(conn, name)
    return None if found is None else found[1]


def test_blobs_go_after_the_ops_and_smallest_first(centre: Centre, laptop: Laptop) -> None:
    names = [laptop.photo(picture(size, size)) for size in (9000, 100, 3000)]
    drawn = laptop.photo(b"<svg/>", media_type="image/svg+xml")
    waits = laptop.waiting()
    assert (waits.signatures, waits.signature_bytes, waits.photos, waits.photo_bytes) == (1, 6, 3, 12100)
    watch = Watch().on(laptop)
    laptop.line.log.clear()
    laptop.sync()
    assert laptop.line.log == ["pull", "push", "blob", "blob", "blob", "blob"]
    assert [name for name, _, _ in watch.pieces] == [drawn, names[1], names[2], names[0]]
    assert at_centre(centre, names[0]) == picture(9000, 9000)
    assert laptop.waiting() == blobs.Waiting()
    laptop.line.log.clear()
    laptop.sync()
    assert laptop.line.log == ["pull"], "what was sent is never sent again"
    with laptop.begin() as conn:
        assert blobs.get(conn, names[0]) == ("image/jpeg", picture(9000, 9000)), "and stays here"


def test_a_cut_goes_on_where_it_stopped(centre: Centre, laptop: Laptop) -> None:
    data = picture(200_000)
    name = laptop.photo(data)

    def cut(number: int) -> None:
        if number in (3, 5):
            raise UNREACHABLE

    watch = Watch(before=cut).on(laptop)
    for _ in range(2):
        with expect_problem("server-unreachable"):
            laptop.sync()
    laptop.sync()
    assert at_centre(centre, name) == data
    sent = [(offset, size) for number, (_, offset, size) in enumerate(watch.pieces, 1) if number not in (3, 5)]
    assert sum(size for _, size in sent) == len(data), "no byte arrives twice"
    assert [offset for offset, _ in sent] == sorted(offset for offset, _ in sent)
    state = laptop.state()
    assert (state.waiting, state.trouble) == (0, None), "a line that breaks under a photo leaves the ops sent"


def test_a_lost_reply_costs_one_piece(centre: Centre, laptop: Laptop) -> None:
    data = picture(60_000)
    name = laptop.photo(data)

    def lose(number: int) -> None:
        if number == 2:
            raise UNREACHABLE

    watch = Watch(after=lose).on(laptop)
    with expect_problem("server-unreachable"):
        laptop.sync()
    laptop.sync()
    assert at_centre(centre, name) == data
    assert [offset for _, offset, _ in watch.pieces].count(blobs.FIRST) == 2, "the piece whose reply was lost"


def test_an_op_that_is_recorded_meanwhile_goes_first(centre: Centre, laptop: Laptop) -> None:
    name = laptop.photo(picture(200_000))

    def record(number: int) -> None:
        if number == 2:
            laptop.thing()

    Watch(after=record).on(laptop)
    laptop.line.log.clear()
    outcome = laptop.sync()
    assert laptop.line.log[:5] == ["pull", "push", "blob", "blob", "push"]
    assert outcome.pushed == 2
    assert at_centre(centre, name) is not None


def test_text_only(centre: Centre, laptop: Laptop) -> None:
    name = laptop.photo(picture(1000))
    with laptop.begin() as conn:
        log.remember(conn, text_only=True)
    laptop.sync()
    assert (laptop.state().waiting, laptop.waiting().photos, at_centre(centre, name)) == (0, 1, None)
    with laptop.begin() as conn:
        log.remember(conn, text_only=None)
    laptop.sync()
    assert at_centre(centre, name) is not None


def test_the_centre_is_told_how_many_wait(centre: Centre, laptop: Laptop) -> None:
    laptop.photo(picture(10)), laptop.photo(picture(11))
    link = laptop.link
    link.status = {"version": "1"}
    said: list[Any] = []
    laptop.line.before = lambda name, document: said.append(document.get("status")) if name == "pull" else None
    from sync.client import sync_once

    sync_once(link), sync_once(link)
    assert [each["blobs_waiting"] for each in said] == [2, 0]


def test_pieces_are_sized_by_the_line(laptop: Laptop) -> None:
    """8 kB/s: a piece keeps the line for about four seconds, never for a minute."""
    laptop.photo(picture(400_000))
    watch = Watch().on(laptop)

    def wait(number: int) -> None:
        size = watch.pieces[number - 1][2]
        laptop.clock += timedelta(seconds=0.6 + size / 8000)

    watch.after = wait
    laptop.sync()
    seconds = [0.6 + size / 8000 for _, _, size in watch.pieces]
    assert max(seconds) < 8
    assert sum(seconds) < 1.3 * 400_000 / 8000
    with laptop.begin() as conn:
        assert 5000 < (blobs.speed(conn) or 0) < 8000


def test_pieces_grow_on_a_good_line_and_shrink_after_a_cut(laptop: Laptop) -> None:
    laptop.photo(picture(3_000_000))
    watch = Watch().on(laptop)
    laptop.sync()
    sizes = [size for _, _, size in watch.pieces]
    assert sizes[0] == blobs.FIRST
    assert max(sizes) == blobs.LARGEST
    laptop.photo(picture(1_000_000, 1))
    watch.pieces.clear()
    watch.before = lambda number: (_ for _ in ()).throw(UNREACHABLE)
    with expect_problem("server-unreachable"):
        laptop.sync()
    with expect_problem("server-unreachable"):
        laptop.sync()
    assert [size for _, _, size in watch.pieces] == [blobs.LARGEST, blobs.LARGEST // 2]


def test_what_another_laptop_sent_is_not_sent_again(centre: Centre, laptop: Laptop) -> None:
    data, other = picture(100_000), connected(centre, TEAM)
    name = laptop.photo(data)
    assert other.photo(data) == name
    laptop.sync()
    watch = Watch().on(other)
    other.sync()
    assert len(watch.pieces) == 1
    assert other.waiting().count == 0


def test_a_restored_centre_is_asked_before_anything_is_sent_twice(centre: Centre, laptop: Laptop) -> None:
    large, small = laptop.photo(picture(100_000)), laptop.photo(picture(100))
    lost = laptop.photo(picture(50_000, 1))
    laptop.sync()
    with centre.begin() as conn:
        conn.execute(sa.delete(blob).where(blob.c.sha256 == lost))
        server.new_epoch(conn, centre.now())
    watch = Watch().on(laptop)
    laptop.sync()
    sent: dict[str, int] = {}
    for name, _, size in watch.pieces:
        sent[name] = sent.get(name, 0) + size
    assert sent == {small: 100, large: 0, lost: 50_000}
    assert at_centre(centre, lost) == picture(50_000, 1)


def test_a_centre_of_before_blobs_is_left_in_peace(laptop: Laptop) -> None:
    for number in range(9):
        laptop.photo(picture(10, number))
    watch = Watch().on(laptop)
    watch.before = lambda number: (_ for _ in ()).throw(Problem("not-found"))
    laptop.sync()
    assert len(watch.pieces) == blobs.PATIENCE
    assert (laptop.state().trouble, laptop.waiting().count) == (None, 9)


@pytest.mark.parametrize("name", ["device-revoked", "unauthorized", "other-server"])
def test_what_stops_a_sync_stops_blobs(laptop: Laptop, name: str) -> None:
    laptop.photo(picture(10))
    Watch(before=lambda number: (_ for _ in ()).throw(Problem(name))).on(laptop)
    with expect_problem(name):
        laptop.sync()
    assert (laptop.state().trouble or {})["name"] == name


def test_what_the_centre_finds_damaged_is_sent_anew(centre: Centre, laptop: Laptop) -> None:
    data = picture(40_000)
    name = laptop.photo(data)

    def damage(number: int) -> None:
        if number == 2:
            with centre.begin() as conn:
                conn.execute(sa.text("UPDATE blob_part SET bytes = zeroblob(length(bytes))"))

    Watch(before=damage).on(laptop)
    laptop.sync()
    assert at_centre(centre, name) == data


def test_what_is_damaged_here_is_never_sent(laptop: Laptop) -> None:
    name = laptop.photo(picture(100))
    with laptop.begin() as conn:
        conn.execute(sa.update(blob).where(blob.c.sha256 == name).values(bytes=bytes(100)))
        assert [name in finding for finding in blobs.verify(conn)] == [True]
    watch = Watch().on(laptop)
    laptop.sync()
    assert watch.pieces == []


def test_a_proof_of_another_laptop_is_fetched(centre: Centre, laptop: Laptop) -> None:
    data, other = picture(5000), connected(centre, TEAM)
    name = other.photo(data)
    other.line.before = lambda name, _: (_ for _ in ()).throw(UNREACHABLE) if name == "blob" else None
    with expect_problem("server-unreachable"):
        other.sync()
    laptop.sync()
    assert not blobs.fetch(laptop.link, name), "the centre has not got it either"
    other.line.before = lambda name, _: None
    other.sync()
    with laptop.begin() as conn:
        assert blobs.missing(conn) == 1
    assert blobs.fetch(laptop.link, name)
    with laptop.begin() as conn:
        assert blobs.get(conn, name) == ("image/jpeg", data)
        assert (blobs.missing(conn), blobs.waiting(conn).count) == (0, 0), "and is not sent back"


def test_what_was_fetched_does_not_keep_ones_own_back_after_a_restore(centre: Centre, laptop: Laptop) -> None:
    """The centre takes a blob from its author alone; asked about once, it is left to them."""
    other = connected(centre, TEAM)
    theirs = [other.photo(picture(100 + number)) for number in range(blobs.PATIENCE + 1)]
    other.sync(), laptop.sync()
    assert all(blobs.fetch(laptop.link, name) for name in theirs)
    with centre.begin() as conn:
        server.new_epoch(conn, centre.now())
    name = laptop.photo(picture(9000))
    laptop.sync()
    assert at_centre(centre, name) == picture(9000)
    assert laptop.waiting() == blobs.Waiting()


def test_photos_of_a_revoked_device_are_sent_by_the_one_that_proves_to_be_the_same_laptop(
    centre: Centre, laptop: Laptop
) -> None:
    """Only a new code lets it go on; what the centre holds the ops of it takes then."""
    old = [laptop.photo(picture(100 + number)) for number in range(blobs.PATIENCE + 1)]
    laptop.line.before = lambda name, _: (_ for _ in ()).throw(UNREACHABLE) if name == "blob" else None
    with expect_problem("server-unreachable"):
        laptop.sync()
    with centre.begin() as conn:
        server.revoke(conn, laptop.device)
    with expect_problem("device-revoked"):
        laptop.sync()
    laptop.line.before = lambda name, _: None
    centre.grant(enrol_again(laptop.link, centre.code(TEAM)), TOWN)
    name = laptop.photo(picture(9000))
    laptop.sync()
    assert at_centre(centre, name) == picture(9000)
    assert laptop.waiting() == blobs.Waiting()
    assert all(at_centre(centre, one) is not None for one in old)


def test_what_came_with_another_hash_is_not_kept(centre: Centre, laptop: Laptop) -> None:
    other = connected(centre, TEAM)
    name = other.photo(picture(50))
    other.sync(), laptop.sync()
    with centre.begin() as conn:
        conn.execute(sa.update(blob).values(bytes=b"something else"))
    with expect_problem("hash-mismatch"):
        blobs.fetch(laptop.link, name)
    with laptop.begin() as conn:
        assert blobs.get(conn, name) is None


def test_with_a_stream_go_the_blobs_of_others(centre: Centre) -> None:
    one, two = connected(centre, TEAM, None, TOWN, FAR_TOWN), connected(centre, TEAM, None, TOWN, FAR_TOWN)
    theirs, mine = one.photo(picture(50), FAR_TOWN), two.photo(picture(51), FAR_TOWN)
    one.sync(), two.sync()
    assert blobs.fetch(two.link, theirs)
    centre.grant(two.device, TOWN)
    two.sync()
    with two.begin() as conn:
        assert blobs.held(conn, {theirs, mine}) == {mine}


def test_a_laptop_that_became_another_device_sends_what_it_has(centre: Centre, laptop: Laptop) -> None:
    name = laptop.photo(picture(1000))
    Watch(before=lambda number: (_ for _ in ()).throw(UNREACHABLE)).on(laptop)
    with expect_problem("server-unreachable"):
        laptop.sync()
    copy = Laptop(memory(laptop.engine), clock=centre.clock)
    copy.line = type(laptop.line)(centre)
    laptop.line.before = lambda name, _: (_ for _ in ()).throw(UNREACHABLE) if name == "blob" else None
    laptop.thing()
    with expect_problem("server-unreachable"):
        laptop.sync()
    copy.thing()
    with expect_problem("fork"):
        copy.sync()
    centre.grant(enrol_again(copy.link), TOWN)
    copy.sync()
    assert at_centre(centre, name) == picture(1000)


def test_which_op_names_a_blob_goes_with_the_op(laptop: Laptop) -> None:
    name = laptop.photo(picture(10))
    with laptop.begin() as conn:
        rows = conn.execute(sa.select(blob_name.c.device, blob_name.c.seq, blob_name.c.sha256)).all()
        assert [tuple(row) for row in rows] == [(laptop.device, laptop.state().last_seq, name)]
        conn.execute(sa.delete(op_table).where(op_table.c.device == laptop.device))
        assert conn.execute(sa.select(blob_name)).all() == []


def test_an_upload_makes_few_rows(centre: Centre, laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Byte by byte is a hundred small parts joined, not a hundred rows."""
    data = picture(100)
    name = laptop.photo(data)
    with laptop.begin() as conn:
        log.remember(conn, text_only=True)
    laptop.sync()
    for offset in range(99):
        laptop.line.blob(name, laptop.token, data[offset : offset + 1], offset, 100)
    with centre.begin() as conn:
        assert conn.execute(sa.text("SELECT count(*) FROM blob_part")).scalar_one() == 1
        assert conn.execute(sa.select(blob_upload.c.received)).scalar_one() == 99


def test_what_waits_is_found_without_reading_every_photo(laptop: Laptop) -> None:
    """The chip asks every two seconds: of photos that were sent, not one page is read."""
    with laptop.begin() as conn:
        seen: list[str] = []
        sa.event.listen(conn, "before_cursor_execute", lambda *given: seen.append(given[2]))
        blobs.waiting(conn)
        blobs._queue(conn)
        for asked in [one for one in seen if "FROM blob" in one]:
            plan = str(conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}", ("x",) * asked.count("?")).all())
            assert "ix_blob_unsent" in plan, plan

"""What a laptop recorded as an earlier device: its photos are sent, whatever became of the stream meanwhile."""

from __future__ import annotations

import pytest

from sync import blobs, chains
from sync.op import uuid7
from sync.renewal import enrol_again
from tests.support.toy import Centre, Laptop, Line, connected, expect_problem, memory
from tests.support.toy_house import FAR_TOWN, TOWN, replayed
from tests.unit.test_sync_blobs import UNREACHABLE, at_centre, picture

TEAM = uuid7()


@pytest.mark.parametrize("learned", ["before", "after"])
def test_a_photo_of_a_stream_that_was_withdrawn_is_sent(learned: str) -> None:
    """The laptop was restored from a backup, and lost the stream before or after it became another device."""
    centre = Centre(memory()).set_up()
    laptop = connected(centre, TEAM)
    centre.grant(laptop.device, TOWN, FAR_TOWN)
    laptop.sync()
    name = laptop.photo(picture(500), FAR_TOWN)
    laptop.line.before = lambda called, _: (_ for _ in ()).throw(UNREACHABLE) if called == "blob" else None
    with expect_problem("server-unreachable"):
        laptop.sync()
    centre.grant(laptop.device, TOWN)
    if learned == "before":
        with expect_problem("server-unreachable"):
            laptop.sync()
    copy = Laptop(memory(laptop.engine), clock=centre.clock)
    copy.line = Line(centre)
    laptop.thing()
    with expect_problem("server-unreachable"):
        laptop.sync()
    copy.thing()
    with expect_problem("fork"):
        copy.sync()
    centre.grant(enrol_again(copy.link), TOWN)
    copy.sync()
    assert at_centre(centre, name) == picture(500)
    assert copy.waiting() == blobs.Waiting()
    with copy.begin() as conn:
        assert chains.verify(conn) == []
        assert replayed(conn, copy.app) == copy.states()
    centre.grant(copy.device, TOWN, FAR_TOWN)
    copy.sync()
    with copy.begin() as conn:
        assert replayed(conn, copy.app) == copy.states()
    assert copy.digest(FAR_TOWN) == centre.digest(FAR_TOWN)

"""Software of different versions: what a reader does not know is kept byte for byte, and applied when it knows it."""

from __future__ import annotations

import pytest

from sync import log
from sync.op import canonical, uuid7
from tests.simulation.recording import upgrade
from tests.support.toy import Centre, Laptop, connected, memory
from tests.support.toy_house import TOWN

TEAM = uuid7()
BODY = {
    "colour": "青", "nested": {"deep": [{"a": None}, True, -1, 2**53 - 1]}, "": "a key without a name",
    "escaped": "\u2028\u00e9\U0001f33e\"\\/\b", "empty": {}, "list": [],
}  # fmt: skip


@pytest.fixture
def centre() -> Centre:
    return Centre(memory()).set_up()


def newer(node: Laptop | Centre) -> None:
    upgrade(node, set())  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "v"), [("future.recorded", 1), ("thing.updated", 2)])
@pytest.mark.parametrize("first", ["centre", "author"])
def test_what_an_older_version_does_not_know_survives_the_round(centre: Centre, kind: str, v: int, first: str) -> None:
    """A newer laptop writes it; the centre is newer already, or upgraded after it arrived; the reader is older."""
    author, reader = connected(centre, TEAM), connected(centre, TEAM)
    thing = author.thing(name="一")
    newer(author)
    if first == "centre":
        newer(centre)
    body = BODY | {"set": {"name": "二"}, "base": {"name": [thing.name]}}
    with author.begin() as conn:
        draft = log.Draft(TOWN, author.actor, kind, v, thing.op.subject if v == 2 else uuid7(), body)
        (written,) = log.author(conn, author.app, [draft], author.now())
    author.sync()
    if first == "author":
        assert [entry.op.kind for entry in centre.held()] == [kind]
        newer(centre)
        author.sync()
    reader.sync()
    for node in (author, centre, reader):
        kept = node.entry(written.op.device, written.op.seq)
        assert canonical(kept.op) == canonical(written.op)
        assert kept.digest == written.digest
        assert kept.problem is None
    assert reader.digest(TOWN) == author.digest(TOWN) == centre.digest(TOWN)
    assert reader.states() != author.states(), "it does not know it yet"
    newer(reader)
    assert reader.states() == author.states()


def test_a_field_that_nobody_knows_is_kept(centre: Centre) -> None:
    author, reader = connected(centre, TEAM), connected(centre, TEAM)
    note = author.record(TOWN, "note.recorded", BODY)
    author.sync()
    reader.sync()
    kept = reader.entry(note.op.device, note.op.seq)
    assert canonical(kept.op) == canonical(note.op)
    assert kept.op.body == BODY
    assert reader.states() == author.states()

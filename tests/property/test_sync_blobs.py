"""Uploads, whatever is sent in whatever order: the centre never has a byte that is not the blob's, and loses none."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from sync import blobs, uploads
from sync.op import uuid7
from sync.problem import Problem
from tests.support.foreign import Foreign
from tests.support.toy import Centre, connected, memory, perhaps

DATA = [bytes(range(size)) for size in (1, 7, 40, 90)]
NAMES = [sha256(data).hexdigest() for data in DATA]
which, who, number = st.integers(0, len(DATA) - 1), st.integers(0, 1), st.integers(0, 100)


class Uploads(RuleBasedStateMachine):
    """Two devices that both name all blobs. `parts`: what the centre should have of each device's upload."""

    def __init__(self) -> None:
        super().__init__()
        self.centre = Centre(memory()).set_up()
        self.devices = [Foreign.enrolled(self.centre) for _ in range(2)]
        for device in self.devices:
            for name in NAMES:
                device.thing()
                device.ops[-1].body["proofs"] = [{"sha256": name}]
            device.push()
        self.parts: dict[tuple[int, int], tuple[int, bytes]] = {}
        self.whole: set[int] = set()

    def send(self, by: int, blob: int, offset: int, length: int, piece: bytes) -> int | str:
        """The new offset, or the name of the refusal."""
        name, now = NAMES[blob], self.centre.now()
        self.centre.clock += timedelta(seconds=1)
        try:
            return uploads.append(self.centre.begin, self.devices[by].token, name, offset, length, piece, now).offset
        except Problem as problem:
            refusal = problem
        told = refusal.members.get("offset")
        assert told == (self.have(by, blob, length) if refusal.name == "offset-mismatch" else None)
        return refusal.name

    def have(self, by: int, blob: int, length: int) -> int:
        if blob in self.whole:
            return len(DATA[blob])
        said, part = self.parts.get((by, blob), (length, b""))
        return len(part) if said == length else 0

    @rule(by=who, blob=which, size=number)
    def go_on(self, by: int, blob: int, size: int) -> None:
        """As a laptop does: from where it stopped."""
        data = DATA[blob]
        offset = self.have(by, blob, len(data))
        self.expect(by, blob, offset, len(data), data[offset : offset + size])

    @rule(by=who, blob=which, offset=number, size=number, longer=st.sampled_from([0, 0, 0, 1]), bad=st.booleans())
    def send_anything(self, by: int, blob: int, offset: int, size: int, longer: int, bad: bool) -> None:
        piece = DATA[blob][offset : offset + size]
        self.expect(by, blob, offset, len(DATA[blob]) + longer, bytes(len(piece)) if bad else piece)

    def expect(self, by: int, blob: int, offset: int, length: int, piece: bytes) -> None:
        have = self.have(by, blob, length)
        answer = self.send(by, blob, offset, length, piece)
        if offset + len(piece) > length:
            assert answer == "malformed"
            return
        if offset != have:
            assert answer == "offset-mismatch"
            return
        if blob in self.whole:
            assert answer == len(DATA[blob])
            return
        part = (self.parts.get((by, blob), (0, b""))[1] if have else b"") + piece
        self.parts[by, blob] = (length, part)
        if len(part) == length:
            del self.parts[by, blob]
            if part == DATA[blob]:
                self.whole.add(blob)
            assert answer == (length if part == DATA[blob] else "hash-mismatch")
        else:
            assert answer == offset + len(piece)

    @invariant()
    def what_is_whole_has_its_name(self) -> None:
        with self.centre.begin() as conn:
            assert blobs.held(conn, NAMES) == {NAMES[blob] for blob in self.whole}
            assert list(blobs.verify(conn)) == []


class Sending(RuleBasedStateMachine):
    """A laptop that records photos and things and syncs over a line that breaks anywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.centre = Centre(memory()).set_up()
        self.laptop = connected(self.centre, uuid7())
        self.photos: dict[str, bytes] = {}
        self.left = 0

        def fail(*_: object) -> None:
            self.left -= 1
            if self.left == 0:
                raise Problem("server-unreachable", url="http://centre")

        self.laptop.line.before = self.laptop.line.after = fail

    @rule(size=st.integers(1, 70_000), seed=st.integers(0, 3))
    def photograph(self, size: int, seed: int) -> None:
        data = bytes([seed]) * size
        self.photos[self.laptop.photo(data)] = data

    @rule()
    def record(self) -> None:
        self.laptop.thing()

    @rule(steps=st.integers(0, 12))
    def sync(self, steps: int) -> None:
        """The line breaks at some step, before the request or after the answer; at 0 it holds."""
        self.left = steps
        synced = False
        with perhaps("server-unreachable"):
            self.laptop.sync()
            synced = True
        if not synced:
            return
        assert self.laptop.waiting().count == 0
        with self.centre.begin() as conn:
            assert {name: (blobs.get(conn, name) or ("", b""))[1] for name in self.photos} == self.photos

    @invariant()
    def nothing_is_lost(self) -> None:
        with self.laptop.begin() as conn:
            assert blobs.held(conn, self.photos) == set(self.photos)
            assert list(blobs.verify(conn)) == []
        with self.centre.begin() as conn:
            assert list(blobs.verify(conn)) == []


TestUploads = Uploads.TestCase
TestUploads.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
TestSending = Sending.TestCase
TestSending.settings = settings(max_examples=12, stateful_step_count=15, deadline=None)

"""The home of `field run --practice`: a made-up village on this machine alone, made in a moment and made anew at will.

It is enrolled at a centre of this process that is gone before the first page: nothing can ever be sent from here.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask

from aidvisit import config
from aidvisit.cli.home import opened
from aidvisit.practice import village
from aidvisit.services.device import enrolment_codes
from aidvisit.services.practice import BEGINS, LOGIN, PASSWORD, People
from aidvisit.store.database import reading, replace_database, transaction
from aidvisit.store.ledger import House
from sync import client, clock, enrolment, joining, log, server
from sync.link import Link
from sync.op import loads
from sync.transport import BlobReply, Reply

PORT = 8002
"""Beside a real laptop's, which may be running."""
NO_CENTRE = ("token", "server", "private_key")


def make(home: Path) -> None:
    """Fill an empty directory: settings, database, the village. Raises: Problem `not-writable`, `disk-full`."""
    settings = config.write(home, role="field", port=PORT, no_encryption=True, practice=True)
    with (
        tempfile.TemporaryDirectory(prefix="aidvisit-practice-") as folder,
        opened(config.write(Path(folder) / "centre", role="central")) as centre,
    ):
        with transaction() as conn:
            device = server.set_up(conn, name="练习", now=clock.wall())
        town = village.town(device, LOGIN, PASSWORD)
        code = enrolment_codes(actor=device, team=town.team)[0].code
        link = Link(transaction, House(), _Here(centre), clock.wall)
        with opened(settings):
            laptop = joining.enrol(link, name="练习", code=code)
        people = village.trip(device, town, laptop)
        with opened(settings):
            client.sync_once(link)
            village.mistake(town.user, people)
            _alone(people)


def _alone(people: People) -> None:
    """What the laptop knew of its centre goes; from here on the steps are looked for."""
    with transaction() as conn:
        begins = {"after": log.state(conn).last_seq, "people": people.asdict()}
        log.remember(conn, **dict.fromkeys(NO_CENTRE), **{BEGINS: begins})


def again(home: Path) -> None:
    """The village as it was at the beginning, its trip from today on; whatever was practised is gone."""
    with tempfile.TemporaryDirectory(prefix="aidvisit-practice-") as folder:
        new = Path(folder) / "new"
        make(new)
        replace_database(new / "aidvisit.db", home / "aidvisit.db")


def is_over(settings: config.Settings) -> bool:
    """Whether the trip's days are past, so that what is done now is told as too late; or it is of another version."""
    today = clock.wall().astimezone(settings.zone).date().isoformat()
    with opened(settings), reading() as conn:
        people = People.read(log.recall(conn, BEGINS, {}))
        return people is None or people.ends < today


@dataclass(frozen=True, slots=True)
class _Here:
    """The line to a centre of this process."""

    centre: Flask

    def call(self, name: str, document: dict[str, Any], token: str | None) -> Reply:
        now, raw = clock.wall(), json.dumps(document).encode()
        with self.centre.app_context():
            if name == "enrol":
                answer = enrolment.enrol(transaction, House(), loads(raw), token, "127.0.0.1", now)
            else:
                ask = {"push": server.push, "pull": server.pull}[name]
                answer = ask(transaction, House(), token, raw, now)
        return Reply(loads(json.dumps(answer).encode()), now)

    def blob(self, name: str, token: str | None, *what: Any) -> BlobReply:
        """Nothing has a photo yet."""
        raise NotImplementedError

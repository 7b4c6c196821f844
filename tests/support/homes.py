"""Homes for tests of what stands above the store: a centre and its people, made by the real services."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask import Flask

from aidvisit import config
from aidvisit.cli.home import opened
from aidvisit.config import Settings
from aidvisit.services import account, catalog
from aidvisit.store.database import transaction
from sync import clock, server

TOWN, VILLAGE = "441225112", "441225112207"
SAMPLE = Path(__file__).parents[1] / "data" / "minqiang-2020-12-30.xlsx"
PASSWORD = "correct horse"


@dataclass(frozen=True, slots=True)
class Centre:
    """An open centre: the application whose context is entered, and ids."""

    app: Flask
    settings: Settings
    device: str
    team: str
    user: str


@contextmanager
def centre(folder: Path, database_url: str = "") -> Iterator[Centre]:
    """A new centre with the catalogue of one town, a team there, and its leader `luo`."""
    settings = config.write(folder / "central", role="central", database=database_url)
    with opened(settings) as app:
        with transaction() as conn:
            device = server.set_up(conn, name="办公室", now=clock.wall())
        catalog.seed(actor=device, around=TOWN)
        team = account.add_team(actor=device, name="慰问一队", divisions=[TOWN])
        user = account.add_user(actor=device, login="luo", name="罗春和", role="leader", team=team, password=PASSWORD)
        yield Centre(app, settings, device, team, user)

"""One running centre for each database and session; a fresh laptop, and a town of its own, for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

from aidvisit import config
from aidvisit.cli.home import opened
from aidvisit.store import ledger
from aidvisit.store.database import reading, transaction
from aidvisit.store.queries.reconcile import reconcile
from sync import clock, log
from tests.support import postgres
from tests.support.centre import Centre
from tests.support.client import Device, Document, Line, enrol

TOWN = "441225112"
COUNTY = "440785"
# For what is decided before a database is asked.
one_database = pytest.mark.parametrize("office", ["sqlite"], indirect=True)
FIGURES = ("allocated", "loaded", "gained", "delivered", "returned", "lost", "held", "on_truck", "difference")
_numbers = count(500)  # towns that no catalogue defines


@dataclass
class Office:
    """A running centre with three teams: of one town, of a county, of nowhere (the administrator's)."""

    centre: Centre
    town_team: str
    county_team: str
    idle_team: str
    lines: list[Line] = field(default_factory=list)

    def line(self) -> Line:
        self.lines.append(Line(self.centre.url))
        return self.lines[-1]

    def laptop(self, team: str | None = None) -> Device:
        """A new device, of the county's team unless another is named."""
        return enrol(self.line(), self.centre.code(team or self.county_team))

    def record(self, stream: str, kind: str, subject: str, body: Document) -> None:
        """Say something as the centre itself, as its pages and commands do."""
        with opened(config.load(self.centre.home)), transaction() as conn:
            ledger.record(conn, log.own(conn), ledger.Fact(stream, kind, subject, body))

    def decide(self, decision: Callable[..., bool], device: str, seq: int) -> bool:
        """A person at the centre releases or dismisses an op that is kept out."""
        with opened(config.load(self.centre.home)), transaction() as conn:
            return decision(conn, ledger.HOUSE, device, seq, "问过队长", log.own(conn), clock.wall())

    def books(self, trip: str) -> dict[str, dict[str, int]]:
        """The trip's reconciliation at the centre: figures by item, without those that are 0."""
        with opened(config.load(self.centre.home)), reading() as conn:
            rows = reconcile(conn, trip).items
        return {row.item: {name: getattr(row, name) for name in FIGURES if getattr(row, name)} for row in rows}

    def hang_up(self) -> None:
        while self.lines:
            self.lines.pop().close()


def make_office(home: Path, database: str = "") -> Office:
    centre = Centre(home, database)
    return Office(centre, centre.add_team("一队", TOWN), centre.add_team("县队", COUNTY), centre.office_team)


@pytest.fixture(scope="session")
def sqlite_office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    office = make_office(tmp_path_factory.mktemp("centre") / "home")
    with office.centre.running():
        yield office


@pytest.fixture(scope="session")
def postgresql_office(tmp_path_factory: pytest.TempPathFactory, postgres_server: str) -> Iterator[Office]:
    with postgres.database(postgres_server) as url:
        office = make_office(tmp_path_factory.mktemp("centre") / "home", url)
        with office.centre.running():
            yield office


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest) -> Iterator[Office]:
    found: Office = request.getfixturevalue(f"{request.param}_office")
    yield found
    found.hang_up()


@pytest.fixture
def centre(office: Office) -> Centre:
    return office.centre


@pytest.fixture
def town() -> str:
    """A town of the county that nobody has said anything about."""
    return f"{COUNTY}{next(_numbers)}"


@pytest.fixture
def device(office: Office) -> Device:
    return office.laptop()


@pytest.fixture
def other(office: Office) -> Device:
    """Another laptop of the same team."""
    return office.laptop()


@pytest.fixture
def line(office: Office) -> Line:
    return office.line()


@pytest.fixture
def quiet_attempts(centre: Centre) -> Callable[[], int]:
    """Forget wrong codes, so that one test's guesses do not lock out the next."""

    def forget() -> int:
        return centre.sql("DELETE FROM enrolment_attempt")

    forget()
    return forget

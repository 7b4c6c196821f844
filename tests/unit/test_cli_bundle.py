"""`aidvisit bundle`: there and back by files; exit codes, words, and what is left behind when it is refused."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from aidvisit import cli, config
from aidvisit.cli.home import opened
from aidvisit.services import device as devices
from aidvisit.services import visit
from aidvisit.services.sync import own_device
from aidvisit.store.database import reading
from sync import log
from sync.op import uuid7
from tests.support.homes import PASSWORD
from tests.support.pages import DAY


@dataclass
class Sides:
    """Copies of a centre's and a laptop's home, a stick, and the command line."""

    folder: Path
    run: Callable[..., tuple[int, Any, str]]

    @property
    def stick(self) -> Path:
        return self.folder / "stick"

    def centre(self, *words: object) -> tuple[int, Any, str]:
        return self.run(*words, "--home", self.folder / "central")

    def laptop(self, *words: object) -> tuple[int, Any, str]:
        return self.run(*words, "--password-stdin", "--home", self.folder / "field", stdin=PASSWORD + "\n")

    def record(self) -> None:
        """Nobody is at home, in the field."""
        with opened(config.load(self.folder / "field", {}), secret=PASSWORD), reading() as conn:
            trip = conn.exec_driver_sql("SELECT id FROM trip").scalar_one()
            household = conn.exec_driver_sql("SELECT id FROM household").scalar()
            device = log.own(conn)
        with opened(config.load(self.folder / "field", {}), secret=PASSWORD):
            visit.record_visit(
                actor=device,
                visit=uuid7(),
                household=household,
                trip=trip,
                date=DAY,
                outcome="not-home",
                purposes=["distribution"],
            )


@pytest.fixture
def sides(homes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Sides:
    monkeypatch.delenv("AIDVISIT_HOME", raising=False)

    def run(*arguments: object, stdin: str = "") -> tuple[int, Any, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        capsys.readouterr()
        code = cli.main(["--json", *map(str, arguments)])
        said = capsys.readouterr()
        return code, json.loads(said.out) if said.out else None, said.err

    for role in ("central", "field"):
        shutil.copytree(homes / role, tmp_path / role)
    (tmp_path / "stick").mkdir()
    return Sides(tmp_path, run)


def name_of(error: str) -> str:
    return str(json.loads(error)["type"]).removeprefix("urn:aidvisit:problem:")


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_there_and_back(sides: Sides) -> None:
    sides.record()
    up, down = sides.stick / "up.aidbundle", sides.stick / "down.aidbundle"
    code, made, _ = sides.laptop("bundle", "export", up)
    assert (code, made["ops"], made["blobs"], made["bytes"]) == (0, made["through"], 0, up.stat().st_size)
    code, taken, _ = sides.centre("bundle", "import", up, "--answer", down)
    assert (code, taken["received"], taken["through"], taken["stopped"]) == (0, made["ops"], made["through"], None)
    code, learned, _ = sides.laptop("bundle", "import", down)
    assert (code, learned["through"], learned["older"], learned["stopped"]) == (0, made["through"], False, None)
    _, status, _ = sides.laptop("sync", "status")
    assert (status["waiting"], status["receipt"]["through"]) == (0, made["through"])
    assert files(sides.stick) == {"up.aidbundle", "down.aidbundle"}
    code, again, _ = sides.centre("bundle", "import", up)
    assert (code, again["received"]) == (0, 0)


def test_the_centre_keeps_the_answer_and_who_brought_it(sides: Sides) -> None:
    sides.record()
    sides.laptop("bundle", "export", sides.stick / "up.aidbundle")
    _, taken, _ = sides.centre("bundle", "import", sides.stick / "up.aidbundle")
    kept = sides.folder / "central" / "bundles" / f"{taken['device']}.aidbundle"
    assert kept.stat().st_size == taken["answer"] > 0
    with opened(config.load(sides.folder / "central", {})), reading() as conn:
        said = conn.exec_driver_sql("SELECT actor, body FROM op WHERE kind = 'access.recorded'").all()
        assert [json.loads(row.body)["what"] for row in said][-1] == "bundle"
        assert json.loads(said[-1].body)["detail"] == taken["device"]
        assert said[-1].actor == own_device()


def test_a_damaged_file_is_refused_and_leaves_nothing(sides: Sides) -> None:
    sides.record()
    up = sides.stick / "up.aidbundle"
    sides.laptop("bundle", "export", up)
    up.write_bytes(up.read_bytes()[:-1])
    before = files(sides.folder / "central")
    code, said, error = sides.centre("bundle", "import", up)
    assert (code, said, name_of(error)) == (1, None, "bundle-damaged")
    assert files(sides.folder / "central") == before
    code, said, error = sides.centre("bundle", "import", sides.stick / "nothing.aidbundle")
    assert (code, said, name_of(error)) == (1, None, "bundle-unreadable")


def test_who_sits_at_the_wrong_machine_is_told(sides: Sides) -> None:
    assert name_of(sides.centre("bundle", "export", sides.stick / "x")[2]) == "wrong-role"
    sides.laptop("bundle", "export", sides.stick / "x")
    assert name_of(sides.laptop("bundle", "import", sides.stick / "x")[2]) == "bundle-not-ours"
    with pytest.raises(SystemExit) as misused:
        sides.laptop("bundle", "import", sides.stick / "x", "--answer", sides.stick / "y")
    assert misused.value.code == 2


def test_a_place_that_cannot_be_written(sides: Sides) -> None:
    code, _, error = sides.laptop("bundle", "export", sides.folder / "no" / "such" / "place")
    assert (code, name_of(error)) == (1, "not-writable")


def test_a_revoked_laptop_learns_it_from_the_answer_and_locks_itself(sides: Sides) -> None:
    sides.record()
    up, down = sides.stick / "up.aidbundle", sides.stick / "down.aidbundle"
    sides.laptop("bundle", "export", up)
    with opened(config.load(sides.folder / "central", {})):
        with reading() as conn:
            device = conn.exec_driver_sql("SELECT id FROM sync_device WHERE team IS NOT NULL").scalar_one()
        devices.revoke(actor=own_device(), device=device, reason="丢失")
    code, taken, _ = sides.centre("bundle", "import", up, "--answer", down)
    assert (code, taken["revoked"], taken["held"]) == (0, True, taken["received"])
    code, _, error = sides.laptop("bundle", "import", down)
    assert (code, name_of(error)) == (1, "device-revoked")
    assert name_of(sides.laptop("sync", "status")[2]) == "laptop-revoked"

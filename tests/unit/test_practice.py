"""A practice: a home of its own; nothing leaves it, nothing real comes to it, and the facts tick its steps."""

from __future__ import annotations

import re
import shutil
from argparse import Namespace
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from jinja2 import FileSystemBytecodeCache

from aidvisit import config, practice
from aidvisit.app import create_app
from aidvisit.cli import main
from aidvisit.cli.practice import pages as serving
from aidvisit.cli.practice import practice_home
from aidvisit.errors import Problem
from aidvisit.services import sync
from aidvisit.services.practice import AGAIN, LOGIN, PASSWORD, STEPS, guide
from aidvisit.store.database import db, reading, transaction
from aidvisit.store.queries.trip import today
from sync import clock, log
from tests.support.pages import Pages, typed, words

SIGNED = "M10 20L30 40 50 60"
BAND = "练习 · 这里的一切都是编的"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("made") / "home"
    home.mkdir()
    practice.make(home)
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "practice"))


@pytest.fixture
def village(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    """The pages of a practice, signed in as the page says."""
    app = create_app(config.load(home, {}), testing=True)
    app.extensions[AGAIN] = lambda: practice.again(home)
    app.jinja_env.bytecode_cache = FileSystemBytecodeCache(str(tmp_path_factory.getbasetemp()))
    found = Pages(app)
    shown = found.get("/sign-in")
    assert LOGIN in words(shown)
    assert PASSWORD in words(shown)
    assert found.sign_in(LOGIN, PASSWORD).status_code == 303
    yield found
    with app.app_context():
        db.engine.dispose()


def who(village: Pages, name: str) -> str:
    return next(one.id for one in village.households() if one.name == name)


def ticked(village: Pages) -> set[str]:
    """What the page has ticked; the band says the first that is not."""
    page = village.get("/practice").text
    steps = re.findall(r'data-step="(\w+)".*?class="stamp stamp--(done|todo)"', page, re.S)
    assert tuple(step for step, _ in steps) == STEPS
    return {step for step, state in steps if state == "done"}


def test_the_village_is_made_up_and_its_trip_begins_today(village: Pages) -> None:
    assert len(village.households()) == 8
    page = words(village.get("/"))
    assert "杏花村" in page
    assert "还没有收全" not in page
    assert village.households()[0].state == "todo"


@pytest.mark.parametrize("path", ["/", "/sign-in", "/search", "/practice", "/stock", "/nowhere", "/lists"])
def test_every_page_has_the_frame(village: Pages, path: str) -> None:
    page = village.client.get(path, follow_redirects=True)
    assert 'class="practice"' in page.text
    assert BAND in words(page)
    assert "<title>练习 · " in page.text


def test_a_real_laptop_has_no_frame_but_says_how_to_practise(laptop: Pages) -> None:
    laptop.sign_in()
    page = laptop.get("/practice")
    assert "field run --practice" in page.text
    assert 'class="practice"' not in page.text
    assert laptop.post("/practice/again").status_code == 404


def test_steps_tick_themselves_by_the_facts(village: Pages) -> None:
    assert ticked(village) == set()
    assert "第 1 步,共 8 步:找到何有田" in words(village.get("/"))
    found = who(village, "何有田")
    assert "第 2 步" in words(village.get(f"/households/{found}")), "his page is open: he was found"
    path = f"/households/{found}/deliver"
    form = typed(village.get(path)) | {"signature": SIGNED}
    village.post(path, form | {"do": "draft"})
    assert ticked(village) == {"find", "hand", "sign"}
    assert village.post(path, form).status_code == 303
    assert ticked(village) == {"find", "hand", "sign", "save"}

    away = f"/households/{who(village, '冯水生')}/visit"
    village.post(away, typed(village.get(away)) | {"outcome": "not-home"})
    assert "away" in ticked(village)

    wrong = who(village, "陆秋菊")
    (mend,) = re.findall(
        rf'href="(/households/{wrong}/deliver\?replaces=[^"]+)"', village.get(f"/households/{wrong}").text
    )
    village.post(mend, typed(village.get(mend)) | {"quantity.oil": "1", "signature": SIGNED})
    assert "mend" in ticked(village)

    told = words(village.get("/practice"))
    assert "大米 9、食用油 7" in told, "what is to be counted is what the books say"
    trip = village.get("/stock").location
    counted = {"what": "count", "quantity.rice": "9", "quantity.oil": "7", "date": clock.wall().date().isoformat()}
    assert village.post(trip, counted).status_code == 303
    assert "count" in ticked(village)

    assert village.post("/lists/print").status_code == 200
    papers = village.get("/papers").location
    assert village.post(papers, {"what": "village"}).status_code == 200
    assert "print" not in ticked(village), "another list is not the one that was signed"
    paper = village.post(papers, {"what": "roll"})
    assert paper.status_code == 200
    assert BAND in words(paper), "on paper as well"
    assert ticked(village) == set(STEPS)
    assert "可以下乡了" in words(village.get("/practice"))


def test_it_signs_nobody_out_of_the_real_laptop(village: Pages, laptop: Pages) -> None:
    """One browser has one jar of cookies for all ports of a machine."""
    real = laptop.sign_in().headers["Set-Cookie"].partition("=")[0]
    assert village.client.get_cookie(real) is None
    assert village.get("/practice").status_code == 200


def test_beginning_again_empties_it_and_nobody_has_to_sign_in(village: Pages) -> None:
    away = f"/households/{who(village, '冯水生')}/visit"
    village.post(away, typed(village.get(away)) | {"outcome": "not-home"})
    assert ticked(village) == {"away"}
    answer = village.post("/practice/again")
    assert (answer.status_code, answer.location) == (303, "/practice")
    assert ticked(village) == set()
    assert [one.name for one in village.households()][:2] == ["何有田", "梁桂香"]
    assert len(village.households()) == 8


@pytest.mark.parametrize("path", ["/sync", "/sync/slip", "/ready", "/import"])
def test_nothing_is_sent_and_nothing_is_brought_in(village: Pages, path: str) -> None:
    answer = village.get(path)
    assert answer.status_code == 409
    assert "一切都是编的" in words(answer)
    for page in ("/", "/search", "/practice"):
        assert f'href="{path}' not in village.get(page).text


def test_there_is_no_centre_to_send_to(village: Pages) -> None:
    with village.app.app_context():
        with pytest.raises(Problem) as raised:
            sync.link(sync.current_settings())
        assert raised.value.name == "practice-alone"
        with reading() as conn:
            assert [log.recall(conn, key) for key in ("token", "server", "private_key")] == [None] * 3
        assert sync.current_settings().server_url == ""


def run(*arguments: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main([*arguments]) == 1
    return capsys.readouterr().err


@pytest.mark.parametrize(
    "command", ["sync", "verify", "field run", "rebuild", "bundle export x.aidbundle", "import x.csv"]
)
def test_no_other_command_takes_a_practice_for_a_laptop(
    home: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "练习" in run(*command.split(), "--home", str(home), capsys=capsys)


def test_a_real_home_is_never_practised_in(homes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted((one.name, one.stat().st_mtime_ns) for one in (homes / "field").iterdir())
    assert "真的数据" in run("field", "run", "--practice", "--home", str(homes / "field"), capsys=capsys)
    assert before == sorted((one.name, one.stat().st_mtime_ns) for one in (homes / "field").iterdir())


def test_the_home_is_beside_the_real_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIDVISIT_HOME", str(tmp_path / "aidvisit"))
    assert practice_home(None) == tmp_path / "aidvisit-practice"
    assert practice_home(tmp_path / "other") == tmp_path / "other"


def test_the_environment_names_no_real_database_and_no_centre(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a real laptop is told by its environment is not for a practice; nor can it make a real home one."""
    monkeypatch.setenv("AIDVISIT_DATABASE", f"sqlite:///{tmp_path}/real.db")
    monkeypatch.setenv("AIDVISIT_SERVER_URL", "https://centre.example.org")
    monkeypatch.setenv("AIDVISIT_PRACTICE", "false")
    addresses = serving(Namespace(home=home, host="", port=0, insecure=False))
    shown: list[Any] = []
    monkeypatch.setattr("aidvisit.cli.practice.serve", lambda app, settings, _: iter([(app, settings)]))
    shown += list(addresses)  # type: ignore[arg-type]
    (app, settings), *_ = shown
    assert (settings.server_url, settings.practice) == ("", True)
    assert settings.database_url.endswith("practice/aidvisit.db")
    assert not (tmp_path / "real.db").exists()
    with app.app_context():
        db.engine.dispose()
    monkeypatch.setenv("AIDVISIT_PRACTICE", "true")
    config.write(tmp_path / "real", role="field")
    assert not config.load(tmp_path / "real").practice


def test_a_trip_whose_days_are_past_begins_anew(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = config.load(home, {})
    assert not practice.is_over(settings)
    later = clock.wall() + timedelta(days=20)
    monkeypatch.setattr(clock, "wall", lambda: later)
    assert practice.is_over(settings)
    practice.again(home)
    assert not practice.is_over(settings)


def test_a_practice_of_another_version_begins_anew(home: Path, village: Pages) -> None:
    with village.app.app_context(), transaction() as conn:
        log.remember(conn, practice={"after": 1, "people": {"find": "somebody"}})
    assert "重新开始" in words(village.get("/practice"))
    assert village.get("/").status_code == 200
    assert practice.is_over(config.load(home, {}))


def test_what_the_guide_knows_is_what_is_in_the_village(village: Pages) -> None:
    with village.app.app_context(), reading() as conn:
        found = guide("nobody")
        assert found is not None
        assert {one.id for one in today(conn, found.people.trip).households} >= {
            found.people.find, found.people.away, found.people.mend,
        }  # fmt: skip

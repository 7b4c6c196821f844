"""The wheel alone, in an empty environment outside the checkout, runs and serves its pages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SERVE = """
import json, pathlib, re, sys
import aidvisit, sync
from aidvisit.app import create_app
from aidvisit.config import load

app = create_app(load(pathlib.Path(sys.argv[1])))
browser = app.test_client()
page = browser.get("/sign-in")
links = re.findall(r'<(?:link|script)[^>]*?(?:href|src)="(/static/[^"]+)"', page.text)
print(json.dumps({
    "files": [aidvisit.__file__, sync.__file__],
    "version": aidvisit.__version__,
    "page": [page.status_code, "<form" in page.text],
    "english": "Sign in" in browser.get("/sign-in", headers={"Accept-Language": "en"}).text,
    "assets": {link: [browser.get(link).status_code, browser.get(link).content_type] for link in links},
}))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python of an environment that holds the wheel, and reads its dependencies from this one."""
    place = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place), cwd=ROOT)
    (wheel,) = place.glob("aidvisit-*.whl")
    venv.create(place / "venv", with_pip=False)
    names = {"base": str(place / "venv"), "platbase": str(place / "venv")}
    scheme = sysconfig.get_preferred_scheme("prefix")
    site = Path(sysconfig.get_path("purelib", scheme, names))
    python = Path(sysconfig.get_path("scripts", scheme, names)) / Path(sys.executable).name
    pip = (sys.executable, "-m", "pip", "--quiet", "--python", str(python))
    _run(*pip, "install", "--no-deps", "--no-index", str(wheel), cwd=place)
    # A path file in a directory that is on the path by a path file is not read: the checkout stays unseen.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return python


def _run(*command: str, cwd: Path, given: str = "") -> str:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("AIDVISIT", "PYTHON"))}
    done = subprocess.run(command, cwd=cwd, env=environment, input=given, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_wheel_serves_its_pages_outside_the_checkout(installed: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    command = str(installed.with_name("aidvisit"))
    _run(
        command, "--home", str(home), "central", "init", "--admin", "admin", "--password-stdin",
        cwd=tmp_path, given="a long enough password\n",
    )  # fmt: skip
    told = json.loads(_run(str(installed), "-c", SERVE, str(home), cwd=tmp_path))
    assert not [file for file in told["files"] if str(ROOT) in file]
    assert told["version"] != "0.0.0"
    assert told["page"] == [200, True]
    assert told["english"], "the catalogue came along"
    assert any(kind.startswith("text/css") for _, kind in told["assets"].values())
    assert {status for status, _ in told["assets"].values()} == {200}

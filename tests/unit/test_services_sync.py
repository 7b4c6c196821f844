"""Whose word it is that seals a laptop off."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aidvisit import config
from aidvisit.cli.home import opened
from aidvisit.errors import Problem
from aidvisit.services import sync
from aidvisit.services.address import is_own_line
from aidvisit.services.vault import VAULT
from aidvisit.store.vault import Vault
from sync import client
from sync.link import Link
from sync.proof import Proof
from sync.sending import Progress


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("https://centre.example.org", True),
        ("http://127.0.0.1:8000", True),
        ("http://localhost:8000", True),
        ("http://[::1]:8000", True),
        ("http://centre.example.org", False),
        ("http://192.168.1.5:8000", False),
        ("http://localhost.example.org", False),
    ],
)
def test_which_line_is_answered_by_nobody_else(url: str, own: bool) -> None:
    assert is_own_line(url) is own


@pytest.mark.parametrize("name", ["device-revoked", "unauthorized", "other-server"])
@pytest.mark.parametrize("verified", [True, False])
@pytest.mark.parametrize("proof", [Proof("text", None), None])
@pytest.mark.parametrize("url", ["https://centre.example.org", "http://192.168.1.5"])
def test_only_the_centres_own_word_seals_a_laptop_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, verified: bool, proof: Proof | None, url: str
) -> None:
    """Signed; or, where the server never signed, over TLS. `proof` None: it did not come over the line at all."""
    home = tmp_path / "field"
    settings = config.write(home, role="field", server_url=url, insecure=True)
    vault = Vault(home)
    vault.create()

    def refuse(_link: Link, _progress: Progress | None = None) -> None:
        problem = Problem(name)
        problem.verified, problem.proof = verified, proof
        raise problem

    monkeypatch.setattr(client, "sync_once", refuse)
    with opened(settings, vault) as app:
        assert app.extensions[VAULT] is vault
        with pytest.raises(Problem, match=name):
            sync.sync_now()
    sealed = name == "device-revoked" and (verified or (proof is not None and url.startswith("https")))
    assert (vault.revoked, vault.locked) == (sealed, sealed)
    assert json.loads((home / "keys.json").read_text())["revoked"] is sealed

"""docs/api.md: every example is asked, and answers what stands below it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from aidvisit.web.api.v1.door import NEEDS
from tests.support.api import made_token
from tests.support.office import busy
from tests.support.pages import Pages

TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```http\n(.*?)\n```\n```json\n(.*?)\n```", TEXT, re.DOTALL)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 6


@pytest.mark.parametrize(("asked", "answered"), EXAMPLES, ids=[asked.splitlines()[0] for asked, _ in EXAMPLES])
def test_an_example_answers_what_it_says(office: Pages, asked: str, answered: str) -> None:
    busy(office.app)
    token, client = made_token(office.app), office.app.test_client()
    shown = {"Authorization": f"Bearer {token}"}
    found = client.post("/api/v1/households/search", headers=shown, json={"q": "杨雪珍"}).json["data"][0]["id"]
    etag = client.get(f"/api/v1/households/{found}", headers=shown).headers["ETag"]
    asked = asked.replace("aidvisit_…", token).replace("@household", found).replace("@etag", etag)
    head, _, body = asked.partition("\n\n")
    line, *headers = head.splitlines()
    method, path = line.split()
    sent = dict(header.split(": ", 1) for header in headers)
    answer = client.open(path, method=method, headers=sent, data=body or None)
    _alike(json.loads(answered.replace("@household", found)), answer.json)


def _alike(said: Any, found: Any) -> None:
    """What the document says is in the answer; `…` stands for anything."""
    if isinstance(said, dict):
        for name, value in said.items():
            _alike(value, found[name])
    elif isinstance(said, list):
        assert len(said) == len(found)
        for one, other in zip(said, found, strict=True):
            _alike(one, other)
    else:
        assert said in ("…", found)


def test_the_table_names_every_right() -> None:
    named = set(re.findall(r"`([a-z-]+\.[a-z-]+)`", TEXT))
    assert set(NEEDS.values()) <= named

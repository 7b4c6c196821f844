"""A person's second pair of hands: forms filled in as the pages give them and sent over HTTP, in the same session.

What a browser would do with a form, without the browser: a long day stays short.
"""

from __future__ import annotations

import time
from html.parser import HTMLParser
from typing import Any

import requests

from tests.e2e.person import Person
from tests.support.nodes import Node

CHOSEN = ("radio", "checkbox")


class Forms(HTMLParser):
    """The forms of a page as they would be sent untouched: name → values."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, list[str]]] = []
        self._select = self._text = ""
        self._first = True

    def _add(self, name: str, value: str) -> None:
        if self.found:
            self.found[-1].setdefault(name, []).append(value)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said: dict[str, str] = {name: value or "" for name, value in attrs}
        name, kind = said.get("name", ""), said.get("type", "")
        if tag == "form":
            self.found.append({})
        elif tag == "select":
            self._select, self._first = name, True
        elif tag == "option" and self._select and (self._first or "selected" in said):
            if self.found:
                self.found[-1][self._select] = [said.get("value", "")]
            self._first = False
        elif tag == "textarea":
            self._text = name
            self._add(name, "")
        elif tag == "input" and name and kind not in ("submit", "file") and (kind not in CHOSEN or "checked" in said):
            self._add(name, said.get("value", "on"))

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._text = ""

    def handle_data(self, data: str) -> None:
        if self._text and self.found:
            self.found[-1][self._text][-1] += data


class Hands:
    """`seconds`: how long the server took for every form that was sent."""

    def __init__(self, person: Person, node: Node) -> None:
        self._url = node.url
        self._session = requests.Session()
        self._session.trust_env = False
        for cookie in person.page.context.cookies(node.url):
            self._session.cookies.set(cookie["name"], cookie["value"])
        self.seconds: list[float] = []

    def __enter__(self) -> Hands:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def form(self, path: str, having: str) -> dict[str, Any]:
        """The first form of a page that has a field of this name."""
        answer = self._session.get(self._url + path, timeout=60)
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
        forms = Forms()
        forms.feed(answer.text)
        return next(dict(form) for form in forms.found if having in form)

    def send(self, path: str, form: dict[str, Any], **typed: str) -> None:
        """Save it, with some fields typed anew (`quantity__rice` is `quantity.rice`)."""
        filled = form | {name.replace("__", "."): value for name, value in typed.items()}
        began = time.perf_counter()
        answer = self._session.post(
            self._url + path, data=filled, headers={"Referer": self._url + path}, allow_redirects=False, timeout=60
        )
        self.seconds.append(time.perf_counter() - began)
        assert answer.status_code == 303, f"{path}: {answer.status_code}\n{answer.text}"

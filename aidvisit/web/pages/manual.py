"""The team leader's one page, from docs/手册: on the laptop too, for a printer and for who has no line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from flask import Blueprint, render_template, send_from_directory, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup, escape

from aidvisit.errors import Problem

field = Blueprint("manual", __name__)

PACKAGE = Path(__file__).resolve().parents[2]
NAME = "队长.md"
_PICTURE = re.compile(r"!\[([^]]*)\]\((\w+\.png)\)")
_STRONG = re.compile(r"\*\*(.+?)\*\*")
_TYPED = re.compile(r"`(.+?)`")
_BEGINS = {"# ": "h1", "## ": "h2", "- ": "ul", "1. ": "ol"}


def folder() -> Path:
    """Inside the installed package, or beside it in a checkout."""
    packed = PACKAGE / "_manual"
    return packed if packed.is_dir() else PACKAGE.parent / "docs" / "手册"


@field.get("/manual", endpoint="page")
def page() -> str:
    """Raises: Problem `not-found` where the package came without it."""
    try:
        text = (folder() / NAME).read_text(encoding="utf-8")
    except OSError:
        raise Problem("not-found") from None
    return render_template("practice/manual.html", manual=Markup("\n").join(blocks(text)))


@field.get("/manual/<picture>", endpoint="picture")
def picture(picture: str) -> ResponseReturnValue:
    """Raises: Problem `not-found`."""
    if not re.fullmatch(r"\w+\.png", picture) or not (folder() / picture).is_file():
        raise Problem("not-found")
    return send_from_directory(folder(), picture)


def blocks(text: str) -> Iterator[Markup]:
    """The few marks that the page uses: headings, lists, pictures in a row, bold, what is typed."""
    for kind, lines in groupby(filter(str.strip, text.splitlines()), _kind):
        rows = [words(re.sub(r"^(#+ |- |\d+\. )", "", line)) for line in lines]
        if kind in ("ol", "ul"):
            items = Markup("").join(Markup("<li>{}</li>").format(row) for row in rows)
            yield Markup("<{0} class='bullets bullets--{0}'>{1}</{0}>").format(kind, items)
        else:
            yield from (Markup("<{0}>{1}</{0}>").format(kind, row) for row in rows)


def _kind(line: str) -> str:
    if line.startswith("!["):
        return "figure"
    return next((kind for begin, kind in _BEGINS.items() if re.sub(r"^\d+\. ", "1. ", line).startswith(begin)), "p")


def words(line: str) -> Markup:
    """One line, escaped, its marks made into tags."""
    shown = str(escape(line))
    shown = _PICTURE.sub(lambda one: f'<img src="{url_for("manual.picture", picture=one[2])}" alt="{one[1]}">', shown)
    shown = _TYPED.sub(r'<b class="id">\1</b>', _STRONG.sub(r"<b>\1</b>", shown))
    return Markup(shown)  # noqa: S704 - escaped above

"""The leader's one page: whole on the laptop too, with its pictures, and nothing else of the disk."""

from __future__ import annotations

import re

import pytest

from aidvisit.web.pages import manual
from tests.support.pages import Pages, words


@pytest.fixture
def luo(laptop: Pages) -> Pages:
    laptop.sign_in()
    return laptop


def test_the_page_says_all_that_the_document_says(luo: Pages) -> None:
    page = luo.get("/manual")
    said = re.sub(r"\s", "", words(page))
    text = (manual.folder() / manual.NAME).read_text(encoding="utf-8")
    for line in text.splitlines():
        plain = re.sub(r"\s", "", re.sub(r"!\[.*?\]\(.*?\)|^(#+ |- |\d+\. )|\*\*|`", "", line))
        assert plain in said, line
    heads = re.findall(r"<h2>(.*?)</h2>", page.text)
    assert [one[:3] for one in heads] == ["出发前", "在村里", "晚上", "出了问"]
    assert page.text.count("<ol") == 3


def test_its_pictures_are_there(luo: Pages) -> None:
    pictures = re.findall(r'<img src="([^"]+)" alt="[^"]+">', luo.get("/manual").text)
    assert len(pictures) == 4
    for one in pictures:
        answer = luo.get(one)
        assert (answer.status_code, answer.content_type) == (200, "image/png")


@pytest.mark.parametrize("path", ["/manual/nothing.png", "/manual/队长.md", "/manual/..%2farchitecture.md"])
def test_nothing_else_is_served(luo: Pages, path: str) -> None:
    assert luo.get(path).status_code == 404


def test_a_package_without_it_says_so(luo: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manual, "NAME", "gone.md")
    assert luo.get("/manual").status_code == 404


def test_what_looks_like_a_tag_is_a_word(luo: Pages) -> None:
    (shown,) = manual.blocks("- <b>x</b> & **y**")
    assert shown == "<ul class='bullets bullets--ul'><li>&lt;b&gt;x&lt;/b&gt; &amp; <b>y</b></li></ul>"


def test_it_is_linked_from_the_practice(luo: Pages) -> None:
    assert 'href="/manual"' in luo.get("/practice").text

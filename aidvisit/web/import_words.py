"""What the columns and fields of a list are called on a page."""

from __future__ import annotations

from typing import Any, Final

from flask import Flask

from aidvisit.web.i18n import language
from aidvisit.web.i18n import lazy as _

MEANINGS: Final[dict[str, Any]] = {
    "name": _("姓名"),
    "head": _("户主姓名"),
    "id_number": _("身份证号码"),
    "phone": _("电话"),
    "categories": _("困难类型"),
    "size": _("家庭人口"),
    "town": _("镇街"),
    "village": _("村(居)"),
    "group": _("村民小组"),
    "address": _("地址"),
    "born": _("出生日期"),
    "sex": _("性别"),
    "age": _("年龄"),
    "relation": _("与户主关系"),
    "guardian": _("监护人"),
    "guardian_phone": _("监护人电话"),
    "note": _("备注"),
    "number": _("序号"),
    "ignored": _("不读这一列"),
}
_FIELDS: Final = {"guardian.name": "guardian", "guardian.phone": "guardian_phone", "head.name": "name"}


def init_app(app: Flask) -> None:
    app.add_template_global(field_words)
    app.add_template_global(doing_words)
    app.add_template_filter(said)


def field_words(path: str) -> str:
    """A field of a household or person by its path in a fact."""
    last = _FIELDS.get(path) or path.rpartition(".")[2]
    return str(MEANINGS.get(last, last))


def said(sentence: list[str]) -> str:
    """Of (Chinese, English) the one that the reader reads."""
    return sentence[1] if language() == "en" and len(sentence) > 1 and sentence[1] else sentence[0]


def doing_words(what: str) -> str:
    words = {"reading": _("正在读表"), "comparing": _("正在和登记的资料核对")}
    return str(words.get(what, _("正在写入")))

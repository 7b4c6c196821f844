"""Fields of a household and their values, in words: for forms, conflicts, and what an edit changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask
from flask_babel import lazy_gettext as _

from aidvisit.web.household_form import DEGREE
from aidvisit.web.i18n import gettext

FIELD_WORDS = {
    "kind": _("户或单位"),
    "name": _("单位名称"),
    "head.name": _("户主姓名"),
    "head.id_number": _("户主证件号码"),
    "head.phone": _("户主电话"),
    "head.born": _("户主出生日期"),
    "head.sex": _("户主性别"),
    "division": _("村(居)"),
    "address": _("住址"),
    "group": _("村民小组"),
    "size": _("人口"),
    "lat": _("纬度"),
    "lon": _("经度"),
    "note": _("备注"),
    "categories": _("困难类型"),
    "members": _("家庭成员"),
}
MEMBER_WORDS = {
    "name": _("姓名"),
    "relation": _("与户主的关系"),
    "id_number": _("证件号码"),
    "born": _("出生日期"),
    "sex": _("性别"),
    "phone": _("电话"),
    "guardian.name": _("监护人姓名"),
    "guardian.relation": _("监护人与本人的关系"),
    "guardian.phone": _("监护人电话"),
    "guardian.member": _("监护人是哪位成员"),
    "categories": _("困难类型"),
}
DETAIL_WORDS = {
    "since": _("从哪天起"),
    "until": _("到哪天止"),
    "grade": _("等级"),
    "certificate": _("证件编号"),
}
SEX_WORDS = {"M": _("男"), "F": _("女")}
CLOSING_WORDS = {
    "moved": _("搬走"),
    "died": _("去世"),
    "no-longer-eligible": _("不再符合条件"),
    "duplicate": _("重复登记"),
    "other": _("其他"),
}


def path_words(path: str, members: Mapping[str, str]) -> str:
    """`李四的电话`: a field by its path. `members`: names by id."""
    steps = path.split(".")
    if steps[0] == "members" and len(steps) > 2:
        name = members.get(steps[1]) or gettext("一位成员")
        rest = ".".join(steps[2:])
        return gettext("%(name)s的%(field)s", name=name, field=_field(MEMBER_WORDS, rest))
    return _field(FIELD_WORDS, path)


def _field(words: Mapping[str, Any], path: str) -> str:
    if path.startswith("categories."):
        code, _dot, detail = path.removeprefix("categories.").rpartition(".")
        return f"{words['categories']} {DETAIL_WORDS.get(detail, code or detail)}"
    return str(words.get(path, path))


def value_words(path: str, value: Any, names: Mapping[str, str]) -> str:
    """A field's value as people say it; `names`: of villages, categories and members by code or id."""
    if value is None or value == []:
        return gettext("空")
    field = path.rpartition(".")[2]
    if field == "sex":
        return str(SEX_WORDS.get(value, value))
    if field in ("lat", "lon") and isinstance(value, int):
        return f"{value / DEGREE:.7f}"
    if field == "categories" and isinstance(value, list):
        return gettext("、").join(names.get(one.get("code", ""), one.get("code", "")) for one in value)
    return names.get(value, value) if isinstance(value, str) else str(value)


def init_app(app: Flask) -> None:
    for function in (path_words, value_words):
        app.add_template_global(function)
    words = {"CLOSING_WORDS": CLOSING_WORDS, "DETAIL_WORDS": DETAIL_WORDS, "SEX_WORDS": SEX_WORDS}
    app.jinja_env.globals.update(words)

"""Fields of a household and their values, in words: for forms, conflicts, and what an edit changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask

from aidvisit.store.queries.catalog import Quantity
from aidvisit.web.household_form import DEGREE
from aidvisit.web.i18n import gettext, quantity
from aidvisit.web.i18n import lazy as _

NOBODY: Mapping[str, str] = {}
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
    "state": _("状态"),
    "allotted": _("应发"),
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
KIND_WORDS = {"household": _("一户人家"), "institution": _("学校、敬老院等单位")}
STATE_WORDS = {"open": _("在册"), "closed": _("已销户"), "merged": _("已并户")}
CLOSING_WORDS = {
    "moved": _("搬走"),
    "died": _("去世"),
    "no-longer-eligible": _("不再符合条件"),
    "duplicate": _("重复登记"),
    "other": _("其他"),
}


def path_words(path: str, members: Mapping[str, str] = NOBODY) -> str:
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


def value_words(path: str, value: Any, names: Mapping[str, str] = NOBODY) -> str:
    """A field's value as people say it; `names`: of villages, categories and members by code or id."""
    if value is None or value == [] or value == "":
        return gettext("空")
    field = path.rpartition(".")[2]
    known = {"sex": SEX_WORDS, "state": STATE_WORDS, "kind": KIND_WORDS}.get(field, {})
    if field in ("lat", "lon") and isinstance(value, int):
        return f"{value / DEGREE:.7f}"
    if field == "size":
        return gettext("%(n)s 人", n=value)
    if isinstance(value, Mapping):
        return _element(value, names)
    if isinstance(value, list):
        if isinstance(value[0], Quantity):
            return quantity(value)
        return gettext("、").join(_element(one, names) if isinstance(one, Mapping) else str(one) for one in value)
    return str(known.get(value) or names.get(value, value)) if isinstance(value, str) else str(value)


def _element(value: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """A category or a member: its name, and what else is said of it."""
    code = value.get("code", "")
    name = value.get("name") or names.get(code, code)
    details = [str(value[one]) for one in ("relation", "grade", "since", "until", "born") if value.get(one)]
    return gettext("%(name)s(%(details)s)", name=name, details=gettext(",").join(details)) if details else str(name)


def closing_words(reason: str) -> str:
    """Why a household was closed; any other reason is somebody's own sentence."""
    return str(CLOSING_WORDS.get(reason, reason))


def init_app(app: Flask) -> None:
    for function in (path_words, value_words, closing_words):
        app.add_template_global(function)
    words = {"CLOSING_WORDS": CLOSING_WORDS, "DETAIL_WORDS": DETAIL_WORDS, "SEX_WORDS": SEX_WORDS}
    app.jinja_env.globals.update(words)

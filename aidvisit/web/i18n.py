"""Words, numbers and days as the reader expects them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from flask import Flask, has_request_context, request, session
from flask_babel import Babel, force_locale, format_date, get_translations
from flask_babel.speaklater import LazyString
from markupsafe import Markup
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from aidvisit.domain import person
from aidvisit.domain.division import village
from aidvisit.domain.money import capitals, yuan
from aidvisit.services import sync
from aidvisit.store.queries.catalog import Quantity
from sync import clock
from sync.problem import CATALOGUE, Problem

LANGUAGES = {"zh": "zh_Hans_CN", "en": "en"}
NOUNS = {"household": "困难家庭", "trip": "走访任务"}  # as the protocol's problems name them
LANGUAGE = "aidvisit.language"
MESSAGES = 4096
"""In either language: there are some 1,500."""
babel = Babel()


def gettext(message: str, **values: object) -> str:
    """A sentence in the reader's language."""
    found = _translated(language(), message) if has_request_context() else _looked_up(message)
    return found % values if values else found


def said(message: str, **values: object) -> Markup:
    """The same in a template, where what is put in is escaped: a page says two hundred sentences."""
    found = _marked(language(), message)
    return found % values if values else found


def lazy(message: str) -> LazyString:
    """A sentence that is put in words where it is shown: for tables of them."""
    return LazyString(gettext, message)


def _looked_up(message: str) -> str:
    return str(get_translations().ugettext(message))


@lru_cache(MESSAGES)
def _translated(language: str, message: str) -> str:
    with force_locale(LANGUAGES[language]):
        return _looked_up(message)


@lru_cache(MESSAGES)
def _marked(language: str, message: str) -> Markup:
    found = Markup(_translated(language, message))  # noqa: S704 - our own words
    return found if "%(" in found else found % {}  # as Jinja does: a sign of per cent is written twice


def _counted(one: str, many: str, count: int) -> str:
    return str(get_translations().ungettext(one, many, count))


def init_app(app: Flask, locale: str, timezone: str) -> None:
    app.config.update(BABEL_DEFAULT_LOCALE=locale, BABEL_DEFAULT_TIMEZONE=timezone)
    babel.init_app(app, locale_selector=lambda: LANGUAGES[language()])
    app.jinja_env.install_gettext_callables(_looked_up, _counted, newstyle=True)  # type: ignore[attr-defined]
    app.jinja_env.globals["_"] = said
    for function in (
        quantity,
        amount,
        short,
        day,
        moment,
        since,
        both,
        words,
        years,
        village,
        size,
        duration,
        yuan,
        capitals,
    ):
        app.add_template_filter(function)


def language() -> str:
    """`zh` or `en`: as chosen on a page, else as the browser asks, else Chinese; the same all through a request."""
    environ = request.environ
    if LANGUAGE not in environ:
        environ[LANGUAGE] = _language()
    return str(environ[LANGUAGE])


def _language() -> str:
    chosen = session.get("language")
    if chosen in LANGUAGES:
        return str(chosen)
    return _preferred(request.headers.get("Accept-Language", ""))


@lru_cache(100)
def _preferred(header: str) -> str:
    """The first of those asked for that there is: `zh-CN,en;q=0.5` is Chinese, though but `en` is there as it is."""
    asked = (tag.partition("-")[0].lower() for tag, quality in parse_accept_header(header, LanguageAccept) if quality)
    return next((language for language in asked if language in LANGUAGES), "zh")


def amount(item: Quantity) -> str:
    """`2 袋`; cash is kept in fen and shown in yuan: `300.00 元`."""
    return f"{_number(item)} {gettext('元') if item.unit == 'fen' else item.unit}"


def _number(item: Quantity) -> str:
    return f"{item.quantity / 100:,.2f}" if item.unit == "fen" else f"{item.quantity:,}"


def quantity(items: Iterable[Quantity], empty: str = "—") -> str:
    """`大米 2 袋、食用油 1 桶`."""
    joint = "、" if language() == "zh" else ", "
    return joint.join(f"{item.name} {amount(item)}" for item in items) or empty


def short(items: Iterable[Quantity], empty: str = "—") -> str:
    """`大米 2、食用油 1`: what a button or a narrow column has room for."""
    joint = "、" if language() == "zh" else ", "
    return joint.join(f"{item.name} {_number(item)}" for item in items) or empty


def day(text: str | None, form: str = "long") -> str:
    """A day of `YYYY-MM-DD` as the reader writes it."""
    if not text:
        return "—"
    try:
        return str(format_date(date.fromisoformat(text), form))
    except ValueError:
        return text


def moment(value: datetime | str | None, form: str = "%Y-%m-%d %H:%M") -> str:
    """A time in UTC, as the clock on the wall showed it."""
    if value is None or value == "":
        return "—"
    when = datetime.fromisoformat(value.replace("Z", "+00:00")) if isinstance(value, str) else value
    return when.astimezone(sync.current_settings().zone).strftime(form)


def since(value: str | None) -> str:
    """`3 小时前`."""
    if not value:
        return gettext("还没有")
    minutes = int((clock.wall() - datetime.fromisoformat(value.replace("Z", "+00:00"))).total_seconds() // 60)
    if minutes < 1:
        return gettext("刚刚")
    if minutes < 60:
        return gettext("%(n)d 分钟前", n=minutes)
    if minutes < 48 * 60:
        return gettext("%(n)d 小时前", n=minutes // 60)
    return gettext("%(n)d 天前", n=minutes // 60 // 24)


def size(count: int) -> str:
    """`1.5 MB`: bytes, as people compare them."""
    if count < 1_000_000:
        return f"{-(-count // 1000):,} KB" if count >= 1000 else f"{count} B"
    return f"{count / 1_000_000:,.1f} MB" if count < 1_000_000_000 else f"{count / 1_000_000_000:,.1f} GB"


def duration(seconds: int) -> str:
    """`3 分钟`: how long something takes, never less than it does."""
    if seconds < 90:
        return gettext("%(n)d 秒", n=seconds)
    return (
        gettext("%(n)d 分钟", n=-(-seconds // 60)) if seconds < 5400 else gettext("%(n)d 小时", n=-(-seconds // 3600))
    )


def years(born: str | None) -> str:
    """Age today, in years."""
    if not born:
        return ""
    today = clock.wall().astimezone(sync.current_settings().zone).date().isoformat()
    return gettext("%(n)d 岁", n=person.age(born, today))


def both(message: str) -> str:
    """Of `中文 / English` the half that the reader reads."""
    chinese, mark, english = message.partition(" / ")
    return english if mark and language() == "en" else chinese


def words(problem: Problem | dict[str, Any]) -> str:
    """A problem, also one that is stored as JSON, in words."""
    if isinstance(problem, dict):
        name = problem.get("name") or str(problem.get("type", "")).rpartition(":")[2]
        if name not in CATALOGUE:
            return str(problem.get("detail", ""))
        problem = Problem.from_dict(problem | {"type": name})
    what = problem.members.get("what")
    if language() == "zh" and isinstance(what, str) and what in NOUNS:
        problem = Problem(problem.name, problem.detail, **(problem.members | {"what": NOUNS[what]}))
    return both(problem.words(language()))


def html_language() -> str:
    return {"zh": "zh-CN"}.get(language(), language())

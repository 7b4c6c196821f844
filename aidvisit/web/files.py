"""Tables as files to take along, sent row after row: a long one is never in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from flask import Response, request, stream_with_context

from aidvisit.domain.selection import Selection
from aidvisit.services.sheet.write import csv_pieces, sealed, workbook_pieces
from aidvisit.web.days import day_of
from aidvisit.web.i18n import gettext

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def days_words(asked: Selection) -> str:
    """Of a file's name: the days that it is of, and whether it is of a part only. No name of anybody or anything."""
    days = f"-{asked.from_ or 'beginning'}-{asked.until or 'now'}" if asked.from_ or asked.until else "-all"
    return days + ("-part" if asked.but(from_="", until="").arguments else "")


def streamed(
    name: str,
    title: str,
    header: Sequence[str],
    rows: Iterable[Sequence[object]],
    close: Callable[[], None],
    *,
    as_: str = "",
) -> Response:
    """As .xlsx, or .csv where the form asks for that (`as`), or `as_` says so; its last row says how many there are,
    with a checksum."""
    whole = sealed(header, rows, count=gettext("行数"))
    if (as_ or request.form.get("as")) == "csv":
        pieces: Iterator[Any] = csv_pieces(header, whole)
        kind, ending = "text/csv; charset=utf-8", "csv"
    else:
        pieces, kind, ending = workbook_pieces([(title, header, whole)]), EXCEL, "xlsx"
    response = Response(stream_with_context(pieces), content_type=kind)
    response.call_on_close(close)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}-{day_of(None)}.{ending}"'
    return response

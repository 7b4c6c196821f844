"""`aidvisit central stock load`: goods that came in, from a sheet."""

from __future__ import annotations

from argparse import Namespace

from aidvisit.cli.home import Answer, opened, settings_of
from aidvisit.errors import Problem


def load(arguments: Namespace) -> Answer:
    """All or nothing; again changes nothing. Raises: Problem `sheet-unreadable` and what the service raises."""
    from aidvisit.services import stock_list, sync
    from sync import clock

    name = arguments.file.name
    try:
        raw = arguments.file.read_bytes()
    except OSError as error:
        raise Problem("sheet-unreadable", file=name) from error
    with opened(settings_of(arguments, "central")):
        today = clock.wall().astimezone(sync.current_settings().zone).date().isoformat()
        found = stock_list.preview(raw, name, today=today)
        refused = [row for row in found.rows if row.state == "refused"]
        if refused and not arguments.dry_run:
            told = "; ".join(f"{row.row}: {row.why}" for row in refused[:20])
            raise Problem("refused-lines", told, count=len(refused), line=refused[0].row)
        if not arguments.dry_run:
            found = stock_list.load(raw, name, actor=sync.own_device(), today=today)
    counts = {state: found.count(state) for state in ("new", "same", "refused")}
    lines = [{"sheet": row.sheet, "row": row.row, "why": row.why} for row in refused]
    said = [f"新的 / new {counts['new']}, 已有 / same {counts['same']}, 不对 / refused {counts['refused']}"]
    document = {**counts, "lines": lines, "dry_run": arguments.dry_run}
    return Answer(document, said + [f"{row.row}: {row.why}" for row in refused])

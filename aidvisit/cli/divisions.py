"""`aidvisit central divisions load`: a county's towns and villages from a file."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict

from aidvisit.cli.home import Answer, opened, settings_of
from aidvisit.errors import Problem

STATES = ("new", "changed", "same", "refused")


def load(arguments: Namespace) -> Answer:
    """All or nothing; again changes nothing. Raises: Problem `not-a-division-list` and what the service raises."""
    from aidvisit.services import division, sync

    try:
        data = arguments.file.read_bytes()
    except OSError as error:
        raise Problem("not-a-division-list") from error
    with opened(settings_of(arguments, "central")):
        found = division.preview(data, arguments.county)
        if not arguments.dry_run and not found.count("refused"):
            found = division.load(data, arguments.county, actor=sync.own_device())
    counts = {state: found.count(state) for state in STATES}
    refused = [row for row in found.rows if row.state == "refused"]
    if refused and not arguments.dry_run:
        told = "; ".join(f"{row.line}: {row.why}" for row in refused[:20])
        raise Problem("refused-lines", told, count=len(refused), line=refused[0].line)
    document = {
        "county": found.county, "name": found.name, **counts, "elsewhere": found.elsewhere,
        "lines": [asdict(row) for row in refused], "dry_run": arguments.dry_run,
    }  # fmt: skip
    lines = [
        f"{found.name} {found.county}: 新增 / new {counts['new']}, 改名 / renamed {counts['changed']}, "
        f"不变 / same {counts['same']}, 不对 / refused {counts['refused']}"
    ]
    return Answer(document, lines + [f"{row.line}: {row.code} {row.why}" for row in refused])

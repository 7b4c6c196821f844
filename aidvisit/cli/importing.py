"""A list from the command line: what it would do, what it did, and the rows that it could not take."""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import TYPE_CHECKING

from aidvisit.cli.home import Answer, opened_for

if TYPE_CHECKING:
    from aidvisit.services.import_ import Imported
    from aidvisit.services.sheet import Question

_WORDS = {"reading": "读表 / reading", "comparing": "核对 / comparing", "writing": "写入 / writing"}


def import_(arguments: Namespace) -> Answer:
    from aidvisit.services.import_ import import_sheet
    from aidvisit.services.import_read import Choices
    from aidvisit.services.vault import acting

    choices = Choices(
        division=arguments.division,
        team=arguments.team,
        trip=arguments.trip,
        villages=dict(arguments.village),
        accept_sure=arguments.accept_matches,
        households_only=arguments.households_only,
    )
    with opened_for(arguments):
        done = import_sheet(
            arguments.file,
            actor=acting(),
            choices=choices,
            dry_run=arguments.dry_run,
            progress=_show_progress,
            refused_to=arguments.refused,
        )
    return Answer(done.to_dict(), _lines(done))


def _show_progress(what: str, done: int, of: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{_WORDS[what]} {done}/{of}   ", end="\n" if done == of else "", file=sys.stderr, flush=True)


def _lines(done: Imported) -> list[str]:
    from aidvisit.domain import mask

    lines = ["只是预演,没有保存 / a rehearsal, nothing was saved"] if done.dry_run else []
    if len(done.sheets) > 1 or any(one["kind"] == "people" for one in done.sheets):
        units = {"households": "户 / households", "people": "人 / people"}
        lines += [f"{one['sheet']}: {one['taken']} {units[one['kind']]}" for one in done.sheets]
    lines.append(_counted("困难家庭 / households", done.households))
    if any(done.members.values()):
        lines.append(_counted("人 / people", done.members))
    if done.matches:
        lines.append(
            f"可能属于已有的户:{done.matches} 行,并入 {done.accepted} 行"
            f" / rows that may belong to a household: {done.matches}, taken: {done.accepted} (--accept-matches)"
        )
    if done.trip:
        state = "新建 / new" if done.trip["state"] == "new" else "已有 / there already"
        lines.append(f"走访任务 / trip: {done.trip['title']}({state}),应发 / allotments: {done.allotments}")
        if done.trip.get("laptops"):
            lines.append(f"已下发给 {done.trip['laptops']} 台笔记本 / released to laptops")
        elif done.trip.get("laptops") == 0:
            lines.append(
                "队伍还没有笔记本:登记一台,任务就会下发给它 / No laptop yet: the first one to enrol gets the trip"
            )
    if done.villages:
        lines.append(f"自然村 / natural villages: {'、'.join(done.villages)} (--village NAME=CODE)")
    lines += [f"没有导入 / refused: {row.sheet} 第 {row.row} 行 {row.name}:{row.why}" for row in done.refused]
    lines += [f"请核对 / check: {row.sheet} 第 {row.row} 行 {row.name}:{mask.text(row.why)}" for row in done.checks]
    lines += [
        f"请看 / note: {question.sheet} {question.row or ''} {question.what} {_answered(question)}"
        for question in done.questions
    ]
    return lines + [
        f"要先说清楚 / to be said first: {question.what} / {question.what_en} {_answered(question)}"
        for question in done.waiting
    ]


def _answered(question: Question) -> str:
    from aidvisit.services.import_read import how

    return f"{'、'.join(question.options)}{how(question)}"


def _counted(what: str, counts: dict[str, int]) -> str:
    return f"{what}: 新 {counts['new']} · 相同 {counts['same']} · 有改动 {counts['changed']}"

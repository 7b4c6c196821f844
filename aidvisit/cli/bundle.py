"""`aidvisit bundle …`: what waits goes out in a file, and comes in from one."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from aidvisit.cli.home import Answer, opened_for, settings_of
from aidvisit.errors import Problem

if TYPE_CHECKING:
    from aidvisit.services.bundle import Outcome
    from sync.bundle_field import Learned


def export(arguments: Namespace) -> Answer:
    """On a laptop."""
    from aidvisit.services import bundle

    with opened_for(arguments, "field"), _progress() as show:
        done = bundle.write(arguments.file, show)
    size = arguments.file.stat().st_size
    left = (
        [f"{done.left} 张照片放不下,下次再拷 / {done.left} photos did not fit and go with the next one"]
        if done.left
        else []
    )
    document = {
        "file": str(arguments.file),
        "ops": done.ops,
        "through": done.last,
        "blobs": done.blobs,
        "left": done.left,
        "bytes": size,
    }
    return Answer(
        document,
        [
            f"{done.ops} 条记录、{done.blobs} 张照片和签名,{size} 字节 / {done.ops} records, {done.blobs} photos and "
            f"signatures, {size} bytes: {arguments.file}",
            *left,
            "请带到中心读入,再把回执包带回来 / carry it to the centre, and bring its answer back",
        ],
    )


def import_(arguments: Namespace) -> Answer:
    """A laptop's bundle at the centre, the centre's answer on a laptop. Exit code 1: refused, or not all was taken."""
    from aidvisit.services import bundle
    from aidvisit.services.vault import acting

    central = settings_of(arguments).role == "central"
    if arguments.answer is not None and not central:
        arguments.misused("--answer: only the centre answers")
    with _opened(arguments.file) as file, opened_for(arguments), _progress() as show:
        if not central:
            return _learned(bundle.read(file, show))
        outcome = bundle.take(file, actor=acting(), progress=show)
        if arguments.answer is not None and outcome.answer:
            bundle.copy_answer(outcome.device, arguments.answer)
    return _taken(outcome, arguments.answer)


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """How many records so far, of how many (0: nobody knows), on a terminal and on one line."""
    shown = False

    def show(done: int, total: int) -> None:
        nonlocal shown
        if sys.stderr.isatty():
            print(f"\r{done}/{total or '?'}", end="", file=sys.stderr, flush=True)
            shown = True

    try:
        yield show
    finally:
        if shown:
            print(file=sys.stderr)


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise Problem("bundle-unreadable", file=path.name) from error


def _taken(outcome: Outcome, answer: Path | None) -> Answer:
    stopped = outcome.stopped
    lines = [
        f"{outcome.name}: 新收 {outcome.received} 条,到第 {outcome.through} 条为止;照片和签名 {outcome.blobs} 张 / "
        f"{outcome.received} new records, held through {outcome.through}, {outcome.blobs} photos and signatures"
    ]
    if outcome.held:
        lines.append(f"{outcome.held} 条已收存待核 / {outcome.held} held for review")
    if outcome.revoked:
        lines.append("这台笔记本已停用:它的记录都收存待核 / this laptop is revoked: its records are held for review")
    if stopped is not None:
        lines.append(f"没有全部读入 / not all was taken: {stopped['detail']}")
    if not outcome.answer:
        lines += [
            "没有回执包:这台笔记本还没有告诉中心它的加密地址,请让它联网同步一次",
            "no answer: that laptop has told no encryption address yet; let it sync over a line once",
        ]
    elif answer is not None:
        lines.append(f"回执包,请带回笔记本 / the answer, carry it back: {answer}")
    else:
        lines.append("回执包在中心的“U 盘”页可以下载 / the answer can be fetched from the centre's page")
    return Answer(asdict(outcome), lines, exit_code=1 if stopped else 0)


def _learned(learned: Learned) -> Answer:
    document = {
        "through": learned.through, "pulled": learned.pulled, "older": learned.older,
        "stopped": learned.stopped.to_dict() if learned.stopped else None,
    }  # fmt: skip
    lines = [
        f"中心收到第 {learned.through} 条为止,带回 {learned.pulled} 条 / held through {learned.through}, "
        f"{learned.pulled} brought back"
    ]
    if learned.older:
        lines.append("这个回执包比本机已经知道的旧 / this answer is older than what this laptop knows")
    if learned.stopped is not None:
        lines += [learned.stopped.words("zh"), learned.stopped.words("en")]
    return Answer(document, lines, exit_code=1 if learned.stopped else 0)

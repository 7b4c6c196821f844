"""`aidvisit central held …`: what the centre holds for review."""

from __future__ import annotations

from argparse import Namespace

from aidvisit.cli.home import Answer, opened, settings_of


def list_held(arguments: Namespace) -> Answer:
    """Everything that waits for a decision: who, what, where and why."""
    from aidvisit.store.database import reading
    from aidvisit.store.queries import held as queries

    with opened(settings_of(arguments, "central")), reading() as conn:
        rows, more = queries.waiting(conn)
        while more:
            page, more = queries.waiting(conn, after=(rows[-1].device, rows[-1].seq))
            rows += page
    document = [
        {
            "record": one.key, "at": one.line.at.isoformat(timespec="seconds"), "kind": one.line.what,
            "person": one.line.person, "device": one.line.device, "stream": one.stream, "household": one.household,
            "reason": one.reason, "problem": one.problem, "acceptable": one.acceptable,
        }
        for one in rows
    ]  # fmt: skip
    lines = [
        f"{one.key}  {one.line.what}  {one.line.person or '–'}  {one.line.device or '–'}  {one.stream}  {one.reason}"
        + ("" if one.acceptable else "  (不能由人收下 / nobody can accept it)")
        for one in rows
    ]
    return Answer({"held": document}, lines or ["没有待核的记录 / nothing is held for review"])


def release(arguments: Namespace) -> Answer:
    from aidvisit.services import held, sync

    with opened(settings_of(arguments, "central")):
        count = held.release(actor=sync.own_device(), held=arguments.record, reason=arguments.reason)
    return Answer({"released": count}, [f"已收下 {count} 条 / accepted"])


def dismiss(arguments: Namespace) -> Answer:
    from aidvisit.services import held, sync

    with opened(settings_of(arguments, "central")):
        count = held.dismiss(actor=sync.own_device(), held=arguments.record, reason=arguments.reason)
    return Answer({"dismissed": count}, [f"不收 {count} 条,仍然存着 / not accepted, still stored"])

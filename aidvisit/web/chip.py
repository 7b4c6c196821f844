"""The sync chip: its words are derived from log and receipt, never set."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy import Connection

from aidvisit.services import sync
from aidvisit.store.queries.holding import Stream, coming, unsent_accesses
from aidvisit.web.fresh import coming_words
from aidvisit.web.i18n import gettext, moment, since, words
from sync import blobs, clock, log, pause
from sync.agent import Sending
from sync.log import LogState

State = Literal["sent", "waiting", "sending", "attention"]
BEHIND_MS = 60_000
OFF_MS = 5 * 60_000


@dataclass(frozen=True, slots=True)
class Chip:
    """One of four states in words; `done` of `total` while sending or receiving; `clock` warns of a wrong clock."""

    state: State
    text: str
    small: str = ""
    done: int = 0
    total: int = 0
    clock: str = ""
    receiving: bool = False


def chip(conn: Connection) -> Chip:
    """The chip of this laptop, now."""
    agent = sync.agent()
    state, comes, left = log.state(conn), coming(conn), blobs.waiting(conn).count
    accesses = unsent_accesses(conn, state) if state.waiting else 0
    text_only = bool(log.recall(conn, "text_only"))
    shown = derive(state, agent.sending if agent else None, left, accesses, text_only=text_only)
    if shown.state == "waiting" and not shown.small and (away := away_words()):
        shown = replace(shown, small=away)
    return _receiving(shown, comes[0]) if comes else shown


def _receiving(shown: Chip, one: Stream) -> Chip:
    """What else is to be said stays; what comes in is said in small type, with a bar of its own."""
    if shown.state == "sending" or one.fresh is None:
        return shown
    return replace(shown, small=coming_words(one), done=one.fresh.n, total=one.fresh.head or 0, receiving=True)


def send_soon() -> None:
    """Something was saved: the agent tries now and not at its next turn."""
    agent = sync.agent()
    if agent is not None:
        agent.poke()


def away_words() -> str:
    """That the centre was not reached at the last try, which nobody has to mend; empty where it was."""
    agent = sync.agent()
    if agent is None or agent.last_problem is None or agent.failed_at is None or not agent.last_problem.kind.retry:
        return ""
    at = moment(agent.failed_at, "%H:%M")
    if agent.last_problem.name == "server-unreachable":
        return gettext("连不上中心(%(at)s 试过),会自动再试", at=at)
    return gettext("%(at)s 没有报成,会自动再试", at=at)


def derive(
    state: LogState, sending: Sending | None, blobs_left: int = 0, accesses: int = 0, *, text_only: bool = False
) -> Chip:
    """Words and shape from what the log says. `blobs_left`: photos and signatures that the centre has not got.

    `accesses`: how many of the ops that wait only say who looked at what; nobody recorded those: they are told apart.
    """
    warning, paused = clock_warning(state), pause.until(state.paused, clock.wall())
    records = state.waiting - accesses
    if state.trouble is not None:
        return Chip("attention", gettext("需要处理:上报停了,记录都在本机"), words(state.trouble), clock=warning)
    if state.quarantined:
        text = gettext("需要处理:%(n)d 条已收存,待核", n=state.quarantined)
        return Chip("attention", text, _waiting(state, records), clock=warning)
    if state.dismissed:
        text = gettext("需要处理:中心未收 %(n)d 条", n=state.dismissed)
        return Chip("attention", text, _waiting(state, records), clock=warning)
    if paused is not None:
        ends = gettext("%(at)s 自动再报", at=moment(paused, "%m-%d %H:%M"))
        return Chip("waiting", _waiting(state, records), ends, clock=warning)
    if sending is not None and sending.phase == "ops" and state.waiting:
        number = min(sending.done + 1, sending.total)
        text = gettext("正在上报 第 %(done)d 条,共 %(total)d 条", done=number, total=sending.total)
        return Chip("sending", text, "", sending.done, sending.total, warning)
    if records:
        return Chip("waiting", _waiting(state, records), clock=warning)
    if blobs_left:
        left = gettext("还有 %(n)d 个照片、签名待传", n=blobs_left)
        return Chip("sent" if text_only else "waiting", gettext("记录已全部上报"), left, clock=warning)
    if accesses:
        left = gettext("另有 %(n)d 条查看记录待上报", n=accesses)
        return Chip("sent", gettext("记录已全部上报"), left, clock=warning)
    if state.receipt is None:
        return Chip("sent", gettext("没有待上报"), since_words(state), clock=warning)
    at = moment(state.receipt["at"], "%H:%M")
    return Chip("sent", gettext("全部已上报"), gettext("回执 %(at)s", at=at), clock=warning)


def _waiting(state: LogState, records: int) -> str:
    if pause.until(state.paused, clock.wall()) is not None:
        return gettext("先停一停,不上报 · %(n)d 条待上报", n=records)
    return gettext("已保存 · %(n)d 条待上报 · %(since)s", n=records, since=since_words(state))


def since_words(state: LogState) -> str:
    if state.synced_at is None:
        return gettext("还没有同步过")
    return gettext("上次同步 %(since)s", since=since(state.synced_at))


def clock_warning(state: LogState) -> str:
    """In words, when this clock is behind the newest fact that is known, or was off at the last sync."""
    if abs(state.offset_ms) > OFF_MS:
        minutes = abs(state.offset_ms) // 60_000
        if state.offset_ms > 0:
            return gettext("本机时钟比中心慢 %(n)d 分钟。请先校对日期和时间;登记照样会保存。", n=minutes)
        return gettext("本机时钟比中心快 %(n)d 分钟。请先校对日期和时间;登记照样会保存。", n=minutes)
    newest = state.newest_clock
    if newest and newest > clock.EARLIEST:
        behind = clock.parse(newest)[0] - clock.to_ms(clock.wall()) - state.offset_ms
        if behind > BEHIND_MS:
            return gettext("本机时钟比最新记录慢。请先校对日期,再登记;现在登记也会保存。")
    return ""

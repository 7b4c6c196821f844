"""The hybrid logical clock: time that also orders what one device saw of another (docs/protocol.md section 1)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

AHEAD_MS = 5 * 60 * 1000
EARLIEST = "00010101T000000000Z-0000"
_HLC = re.compile(r"(\d{8})T([01]\d|2[0-3])([0-5]\d)([0-5]\d)(\d{3})Z-([0-9a-f]{4})", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_LATEST_MS = (datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC) - _EPOCH) // _MS


def wall() -> datetime:
    """The machine's own idea of now, aware, in UTC."""
    return datetime.now(UTC)


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970-01-01 UTC of an aware time."""
    return (moment - _EPOCH) // _MS


def from_ms(ms: int) -> datetime:
    return _EPOCH + ms * _MS


def stamp(ms: int, counter: int) -> str:
    """`YYYYMMDDTHHMMSSmmmZ-cccc` of UTC milliseconds and a counter below 65,536."""
    moment = from_ms(ms)
    day = f"{moment.year:04d}{moment.month:02d}{moment.day:02d}"
    time = f"{moment.hour:02d}{moment.minute:02d}{moment.second:02d}{moment.microsecond // 1000:03d}"
    return f"{day}T{time}Z-{counter:04x}"


def parse(hlc: str) -> tuple[int, int]:
    """(UTC milliseconds, counter). Raises: ValueError when it is no HLC of a real date."""
    match = _HLC.fullmatch(hlc)
    if match is None or (days := _days(match[1])) is None:
        raise ValueError(f"not an HLC: {hlc!r}")
    seconds = int(match[2]) * 3600 + int(match[3]) * 60 + int(match[4])
    return (days * 86_400 + seconds) * 1000 + int(match[5]), int(match[6], 16)


@lru_cache(maxsize=1024)
def _days(day: str) -> int | None:
    """Days since 1970-01-01 of `YYYYMMDD`, or None when there is no such day."""
    try:
        return (date(int(day[:4]), int(day[4:6]), int(day[6:])) - _EPOCH.date()).days
    except ValueError:
        return None


def is_hlc(text: object) -> bool:
    match = _HLC.fullmatch(text) if isinstance(text, str) else None
    return match is not None and _days(match[1]) is not None


def after(latest: str) -> str:
    """The next tick: one more on the counter; when that is full, the millisecond is raised by one."""
    ms, counter = parse(latest)
    if counter < 0xFFFF:
        return stamp(ms, counter + 1)
    return stamp(min(ms + 1, _LATEST_MS), 0)


def tick(latest: str, wall_ms: int) -> str:
    """A new HLC later than `latest`, of the wall clock where that is later still."""
    now = stamp(wall_ms, 0)
    return now if now > latest else after(latest)


@lru_cache(maxsize=8)
def _latest(wall_ms: int) -> str:
    """The last HLC that is not too far ahead of the wall clock: HLCs are compared as texts."""
    return stamp(min(wall_ms + AHEAD_MS, _LATEST_MS), 0xFFFF)


def merge_clock(hlc: str, previous: str, of_stream: str, wall_ms: int) -> str | None:
    """The `merge_hlc` that a server gives an arriving op, or None where its own HLC stands.

    `previous` is the merge clock of the same device's op before, `of_stream` the latest one of the op's stream.
    Source: docs/protocol.md section 1, "Clock".
    """
    if previous < hlc <= _latest(wall_ms):
        return None
    return after(max(stamp(wall_ms, 0), previous, of_stream))

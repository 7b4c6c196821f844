"""Many laptops at once, light enough for one process: prepared pushes over plain sockets, some slow, some cut off."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

import zstandard

from tests.contract.bodies import deliver, register
from tests.support.client import Line, encode, enrol, hlc, now_ms, unpack

Manner = Literal["plain", "slow", "cut", "deaf"]
"""`slow`: 64 kbit/s; `cut`: the first try ends in the middle; `deaf`: the first answer is not waited for."""
MANNERS: tuple[Manner, ...] = ("plain",) * 7 + ("slow", "cut", "deaf")
SLOW_BYTES_S = 8000
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Prepared:
    """A laptop that is enrolled, and its one push, packed."""

    device: str
    token: str
    body: bytes
    ops: int
    manner: Manner


@dataclass(slots=True)
class Tally:
    """What came of a fleet: seconds until all were in, waits for each answer, how often each status came."""

    took_s: float = 0.0
    waits_s: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    through: dict[str, int] = field(default_factory=dict)
    broken: Counter[str] = field(default_factory=Counter)


def prepare(url: str, code: str, town: str, ops: int, manner: Manner) -> Prepared:
    """Enrol, and author households with a delivery each."""
    line = Line(url)
    device = enrol(line, code)
    began = now_ms()
    for number in range(0, ops, 2):
        house = register(device, town, at=hlc(began + number))
        if number + 1 < ops:
            deliver(device, town, house, at=hlc(began + number + 1))
    line.close()
    body = zstandard.ZstdCompressor().compress(encode(device.request()))
    return Prepared(device.id, device.token, body, ops, manner)


async def monday(port: int, laptops: Sequence[Prepared], *, hurry: float = 1.0) -> Tally:
    """All of them pull and push at the same moment, and again when they are told to, until everything is in.

    `hurry`: what a told wait is divided by.
    """
    tally, began = Tally(), time.monotonic()
    await asyncio.gather(*(_Laptop(port, laptop, tally, hurry).run() for laptop in laptops))
    tally.took_s = time.monotonic() - began
    return tally


class _Laptop:
    def __init__(self, port: int, laptop: Prepared, tally: Tally, hurry: float) -> None:
        self._port, self._laptop, self._tally, self._hurry = port, laptop, tally, hurry
        self._line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._manner: Manner = laptop.manner

    async def run(self) -> None:
        await self._until_done("pull", json.dumps({"limit": 100}).encode(), packed=False)
        await self._until_done("push", self._laptop.body, packed=True)
        self._hang_up()

    async def _until_done(self, name: str, body: bytes, *, packed: bool) -> None:
        while True:
            try:
                status, wait_s, document = await self._ask(name, body, packed=packed)
            except (TimeoutError, OSError, EOFError) as error:
                self._tally.broken[type(error).__name__] += 1
                self._hang_up()
                await asyncio.sleep(0.5 / self._hurry)
                continue
            self._tally.statuses[status] += 1
            if status == 200:
                self._tally.through[self._laptop.device] = document["through"]
                return
            if status not in (429, 503):
                raise AssertionError(f"{name}: {status} {document}")
            await asyncio.sleep(wait_s / self._hurry)

    async def _ask(self, name: str, body: bytes, *, packed: bool) -> tuple[int, float, dict[str, int]]:
        if self._line is None:
            self._line = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._line
        head = (
            f"POST /sync/v1/{name} HTTP/1.1\r\nHost: centre\r\nAuthorization: Bearer {self._laptop.token}\r\n"
            f"Content-Type: application/json\r\nAccept-Encoding: zstd\r\nContent-Length: {len(body)}\r\n"
            + ("Content-Encoding: zstd\r\n" if packed else "")
        )  # fmt: skip
        writer.write(head.encode() + b"\r\n")
        await self._send(writer, body)
        sent = time.monotonic()
        async with asyncio.timeout(PATIENCE_S * 2):
            lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {key.lower(): value.strip() for key, _, value in (line.partition(":") for line in lines[1:])}
            raw = await reader.readexactly(int(headers.get("content-length", "0")))
        self._tally.waits_s.append(time.monotonic() - sent)
        if headers.get("connection") == "close":
            self._hang_up()
        document = json.loads(unpack(raw, headers.get("content-encoding")))
        return int(lines[0].split()[1]), float(headers.get("retry-after", "0")), document

    async def _send(self, writer: asyncio.StreamWriter, body: bytes) -> None:
        """The body, in this laptop's manner. Raises: EOFError where it was cut off on the way."""
        manner, whole = self._manner, len(body) < 1000
        if whole or manner == "plain":
            writer.write(body)
            await writer.drain()
            return
        if manner == "slow":
            for start in range(0, len(body), SLOW_BYTES_S // 4):
                writer.write(body[start : start + SLOW_BYTES_S // 4])
                await writer.drain()
                await asyncio.sleep(0.25)
            return
        self._manner = "plain"  # broken once
        writer.write(body if manner == "deaf" else body[: len(body) // 2])
        with suppress(OSError):
            await writer.drain()
        raise EOFError

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line[1].close()
            self._line = None

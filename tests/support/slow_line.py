"""A TCP line of 64 kbit/s with a round trip of 600 ms, in this process, that can be cut; TLS at its far end."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field

from tests.support.authority import Certificate

RATE_BITS_S = 64_000
ROUND_TRIP_S = 0.6
SEGMENT = 1400
QUEUE_S = 0.3  # what a sender may have on the line and not on its way


@dataclass(slots=True)
class Way:
    """One direction: bytes that went, and when the line is free again."""

    bytes: int = 0
    free: float = 0.0


@dataclass(slots=True)
class SlowLine:
    """`port` speaks TLS with the certificate; behind it is `target`, on this machine. `fast`: no limits for now."""

    target: int
    certificate: Certificate
    port: int = 0
    fast: bool = True
    up: Way = field(default_factory=Way)
    down: Way = field(default_factory=Way)
    connections: int = 0
    _outer: asyncio.Server | None = None
    _open: set[asyncio.StreamWriter] = field(default_factory=set)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _thread: threading.Thread = field(default_factory=threading.Thread)
    _tls: int = 0

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def used(self) -> tuple[int, int]:
        """Bytes that went up and down."""
        return self.up.bytes, self.down.bytes

    def slow_down(self) -> None:
        self.fast = False

    def start(self) -> None:
        begun = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(begun,), name="slow-line", daemon=True)
        self._thread.start()
        begun.wait(10)

    def cut(self) -> None:
        """What is open breaks, what is new is refused."""
        asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result(10)

    def mend(self) -> None:
        asyncio.run_coroutine_threadsafe(self._listen(self.port), self._loop).result(10)

    async def _cut(self) -> None:
        assert self._outer is not None
        self._outer.close()
        for each in list(self._open):
            each.transport.abort()

    async def _listen(self, port: int) -> None:
        self._outer = await asyncio.start_server(self._accept, "127.0.0.1", port)
        self.port = self._outer.sockets[0].getsockname()[1]

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop)
        self._thread.join(10)

    async def _end(self) -> None:
        self._loop.set_exception_handler(lambda *_: None)  # what is cancelled here says so to nobody
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        self._loop.stop()

    def _run(self, begun: threading.Event) -> None:
        async def listen() -> None:
            inner = await asyncio.start_server(self._plain, "127.0.0.1", 0, ssl=self._context())
            self._tls = inner.sockets[0].getsockname()[1]
            await self._listen(0)

        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(listen())
        begun.set()
        self._loop.run_forever()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The line itself: TLS passes through it as it is."""
        self.connections += 1
        if not self.fast:
            await asyncio.sleep(ROUND_TRIP_S)  # SYN and its answer; here the system answered at once
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._tls)
        self._open |= {writer, far_writer}
        await asyncio.gather(self._carry(reader, far_writer, self.up), self._carry(far_reader, writer, self.down))
        self._open -= {writer, far_writer}

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Way) -> None:
        late: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        arriving = asyncio.create_task(self._arrive(late, writer))
        with suppress(OSError):
            while data := await reader.read(SEGMENT):
                way.bytes += len(data)
                now = self._loop.time()
                if self.fast:
                    late.put_nowait((now, data))
                    continue
                way.free = max(now, way.free) + len(data) * 8 / RATE_BITS_S
                late.put_nowait((way.free + ROUND_TRIP_S / 2, data))
                await asyncio.sleep(max(0.0, way.free - now - QUEUE_S))
        late.put_nowait((self._loop.time() + (0 if self.fast else ROUND_TRIP_S / 2), b""))
        await arriving

    async def _arrive(self, late: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while True:
                due, data = await late.get()
                await asyncio.sleep(max(0.0, due - self._loop.time()))
                if not data:
                    break
                writer.write(data)
                await writer.drain()
        writer.close()

    def front(self, listener: socket.socket) -> None:
        """TLS on another socket as well, which is a line by itself."""

        async def listen() -> None:
            await asyncio.start_server(self._counted, sock=listener, ssl=self._context())

        asyncio.run_coroutine_threadsafe(listen(), self._loop).result(10)

    async def _counted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        await self._plain(reader, writer)

    def _context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate.chain, self.certificate.key)
        return context

    async def _plain(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Behind the line: what comes out of TLS goes to the centre."""

        async def pour(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            with suppress(OSError):
                while data := await source.read(65536):
                    target.write(data)
                    await target.drain()
            target.close()

        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        await asyncio.gather(pour(reader, far_writer), pour(far_reader, writer))

"""A connection to the centre: once its request's headers are there, it is let in, or told at once when to come back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

from waitress.channel import ClientDisconnected, HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.task import WSGITask

from aidvisit.serving.lanes import Lanes, length_of

DEVICES = "/sync/v1/"
"""What is answered there with success was asked with a token that holds, or made one."""
Refusal = Callable[[Any, int], bytes]
"""The whole answer to a request that is not let in, and the seconds after which to ask again."""


class Request(HTTPRequestParser):
    """A request that asks to be let in before its body is read (`lanes.Asking`)."""

    path: str
    length = 0
    since = 0.0
    known = False

    def __init__(self, channel: Channel, adj: Any) -> None:
        super().__init__(adj)
        self._channel = channel

    @property
    def whole(self) -> bool:
        return self.completed

    def received(self, data: bytes) -> int:
        """Bytes that were taken of `data`; all of them where it is refused, for nobody will read the rest."""
        asked = self.headers_finished
        taken = super().received(data)
        if asked or not self.headers_finished or self.error is not None or self.empty:
            return taken
        self.length, self.since = length_of(self.headers, self.chunked), time.monotonic()
        if self._channel.let_in(self):
            return taken
        self.completed = self.empty = True  # an empty one is dropped by its channel
        return len(data)


class Task(WSGITask):
    """waitress ends the line after an answer that says no length; 204 has none to say (RFC 9110, 8.6)."""

    def execute(self) -> None:
        super().execute()
        request: Any = self.request
        if request.path.startswith(DEVICES) and self.status.startswith("2"):
            lanes: Any = self.channel.server.task_dispatcher
            lanes.know(request.headers.get("AUTHORIZATION", ""))

    def set_close_on_finish(self) -> None:
        request: Any = self.request
        asked_to = request.headers.get("CONNECTION", "").lower() == "close"
        if self.has_body or self.version == "1.0" or asked_to:
            super().set_close_on_finish()


class Channel(HTTPChannel):
    """One connection. `refusal` is set by the server that makes it its own (`serving.server`)."""

    server: Any
    parser_class: Any
    task_class = Task
    _flush_exception: Any
    _flush_some: Any
    requests_lock: Any
    refusal: Refusal
    refused_at: float | None = None

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.parser_class = partial(Request, self)

    def readable(self) -> bool:
        """At the end nothing new is begun: what is answered now is the last on its line."""
        return not self.server.ending and bool(super().readable())

    def let_in(self, request: Request) -> bool:
        """Whether the request may go on; else its answer is on its way already, and the line ends with it."""
        if self.requests:  # a second one behind it on the same line: answers keep their order
            return True
        lanes: Lanes = self.server.task_dispatcher
        request.known = lanes.knows(request.headers.get("AUTHORIZATION", ""))
        channels = list(self.server.active_channels.values())
        leaving = sum(channel.total_outbufs_len for channel in channels)
        wait_s = lanes.wait_s(request, self._present(channels, request), leaving, request.since)
        if not wait_s:
            return True
        answer = self.refusal(request, wait_s)
        with self.outbuf_lock:
            self.outbufs[-1].append(answer)
            self.current_outbuf_count += len(answer)
            self.total_outbufs_len += len(answer)
            self._flush_exception(self._flush_some)
        self.refused_at = self.last_activity = time.time()
        return False

    def turn_away(self, wait_s: int) -> None:
        """Answer the request that has waited for too long, and end the line with that. For a lane's thread."""
        answer = self.refusal(self.requests[0], wait_s)
        with suppress(ClientDisconnected):
            self.write_soon(answer)
        with self.requests_lock:
            self.close_when_flushed = True
            for request in self.requests:
                request.close()
            self.requests = []
        self.server.pull_trigger()

    def received(self, data: bytes) -> bool:
        """What a refused client goes on sending is read and dropped: were the line shut, it would lose its answer."""
        if self.refused_at is None:
            return bool(super().received(data))
        self.last_activity = self.refused_at  # not for ever
        return False

    @staticmethod
    def _present(channels: list[Any], but: Request) -> Iterator[Request]:
        for channel in channels:
            for request in (channel.request, *list(channel.requests)):
                if request is not None and request is not but and request.since:
                    yield request

"""The same slow line packet by packet, with loss: two TUN devices between two network namespaces (Linux, root, `ip`).

The system's own TCP runs at both ends. In each direction: a packet is dropped by chance, waits until the line is free,
takes its length over the rate, and arrives half a round trip later. What stands here runs in a process of its own.
"""

from __future__ import annotations

import ctypes
import fcntl
import heapq
import multiprocessing
import os
import random
import select
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NEAR, FAR = "10.99.77.1", "10.99.77.2"
IFF_TUN, IFF_NO_PI, TUNSETIFF = 0x0001, 0x1000, 0x400454CA
LONGEST_QUEUE = 1000


def missing() -> str | None:
    """Why it cannot be done here, in words; None where it can."""
    if os.name != "posix" or not Path("/dev/net/tun").exists():
        return "there is no /dev/net/tun"
    if os.geteuid() != 0:
        return "it needs root"
    return None if shutil.which("ip") else "there is no `ip` (Debian: apt-get install iproute2)"


def enter(namespace: str) -> None:
    """This thread, and those that it starts from here on, are in that network namespace."""
    handle = os.open(f"/var/run/netns/{namespace}", os.O_RDONLY)
    try:
        _set(handle)
    finally:
        os.close(handle)


def _set(handle: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(handle, 0) != 0:
        raise OSError(ctypes.get_errno(), "setns")


@contextmanager
def inside(namespace: str) -> Iterator[None]:
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    enter(namespace)
    try:
        yield
    finally:
        _set(home)
        os.close(home)


class Packets:
    """The line: `near` is the laptop's namespace, `far` the centre's. `counts`: bytes up, bytes down, dropped."""

    def __init__(self, rate_bits_s: int, round_trip_s: float, loss: float, seed: int = 20201230) -> None:
        mark = os.getpid()
        self.near, self.far = f"aidnear{mark}", f"aidfar{mark}"
        self.counts = multiprocessing.Array("q", 3)
        self.state = multiprocessing.Array("b", [1, 0])  # fast, cut
        for name in (self.near, self.far):
            subprocess.run(["ip", "netns", "add", name], check=True)
        try:
            ends = [self._device(self.near, NEAR, FAR), self._device(self.far, FAR, NEAR)]
            work = (ends, rate_bits_s, round_trip_s / 2, loss, random.Random(seed), self.counts, self.state)
            self._pump = multiprocessing.get_context("fork").Process(target=_pump, args=work, daemon=True)
            self._pump.start()
            for each in ends:
                os.close(each)
        except BaseException:
            self._remove()
            raise

    def _device(self, namespace: str, address: str, peer: str) -> int:
        with inside(namespace):
            handle = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(handle, TUNSETIFF, struct.pack("16sH", b"line0", IFF_TUN | IFF_NO_PI))
            for words in (f"addr add {address} peer {peer} dev line0", "link set line0 mtu 1500 up", "link set lo up"):
                subprocess.run(["ip", *words.split()], check=True)
        return handle

    def listener(self) -> socket.socket:
        """A socket that listens at the far end; whoever accepts may be anywhere."""
        with inside(self.far):
            return socket.create_server((FAR, 0))

    def close(self) -> None:
        self._pump.kill()
        self._pump.join()
        self._remove()

    def _remove(self) -> None:
        for name in (self.near, self.far):
            subprocess.run(["ip", "netns", "del", name], check=False)


def _pump(
    ends: list[int], rate: int, delay_s: float, loss: float, chance: random.Random, counts: Any, state: Any
) -> None:
    waiting: list[tuple[float, int, int, bytes]] = []
    free, queued, number = [0.0, 0.0], [0, 0], 0
    clock: Callable[[], float] = time.monotonic
    while True:
        patience = max(0.0, waiting[0][0] - clock()) if waiting else 1.0
        readable, _, _ = select.select(ends, [], [], patience)
        for way, end in enumerate(ends):
            if end not in readable:
                continue
            packet = os.read(end, 65536)
            if packet[0] >> 4 != 4:
                continue
            counts[way] += len(packet)
            fast, cut = state
            if cut or (not fast and (chance.random() < loss or queued[way] >= LONGEST_QUEUE)):
                counts[2] += 1
                continue
            now, number = clock(), number + 1
            free[way] = now if fast else max(now, free[way]) + len(packet) * 8 / rate
            queued[way] += 1
            heapq.heappush(waiting, (free[way] + (0 if fast else delay_s), number, way, packet))
        while waiting and waiting[0][0] <= clock():
            _, _, way, packet = heapq.heappop(waiting)
            queued[way] -= 1
            os.write(ends[1 - way], packet)

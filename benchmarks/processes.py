"""What a person waits for, and what an idle laptop holds in memory."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import requests

from benchmarks.figure import Figure
from tests.support.nodes import Node, copies, set_up

TIMES = 3


def start_up() -> Iterator[Figure]:
    """`field run` until its first page has come, its memory then, and `aidvisit demo` until it says its addresses."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        trip = set_up(folder / "ready")
        with copies(folder / "ready", folder / "run", trip) as pair:
            seconds = min(_to_first_page(pair.field) for _ in range(TIMES))
            yield Figure("field run to its first page", seconds, "s", bound=3)
            yield from _memory(pair.field)
    yield Figure("demo until it is ready", min(_demo() for _ in range(TIMES)), "s", bound=6)


def _to_first_page(field: Node) -> float:
    field.stop()
    started = time.perf_counter()
    field.start()
    requests.get(f"{field.url}/sign-in", timeout=10).raise_for_status()
    return time.perf_counter() - started


def _memory(field: Node) -> Iterator[Figure]:
    assert field.process is not None
    status = Path(f"/proc/{field.process.pid}/status")
    if status.is_file():  # Linux; elsewhere nothing as plain says it
        (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmRSS")]
        yield Figure("memory of an idle laptop process", int(line.split()[1]) / 1024, "MB", bound=120)


def _demo() -> float:
    started = time.perf_counter()
    command = [sys.executable, "-m", "aidvisit", "demo", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        document = json.loads(demo.stdout.readline())
        requests.get(document["field"]["url"] + "/sign-in", timeout=10).raise_for_status()
        took = time.perf_counter() - started
        demo.terminate()
    return took

"""`aidvisit` in processes of its own, started without importing it every time.

Importing the program takes a second of a processor, most commands a tenth of it, and a run of the tests starts it
some thousand times. One process a test run imports everything, waits, and forks for each start: what runs then has its
own process id, arguments, environment and files, is a child of who asked, and is killed like any other. What a person
starts on a machine is started so by test_package, test_cli_demo, test_practice and test_described.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import json
import os
import pkgutil
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import aidvisit
import sync
from aidvisit.__main__ import main
from aidvisit.services import passwords

CHEAP = passwords.Profile(memory_kib=8, passes=1, lanes=1)
"""argon2id that costs next to nothing. A hash and a key name their own parameters: the program itself opens them."""
FORKED = sys.platform == "linux"
PROGRAM = (sys.executable, "-m", "aidvisit")
PR_SET_CHILD_SUBREAPER = 36
MOST_BYTES = 1 << 17
UNASKED = ("aidvisit.__main__", "aidvisit.store.migrations.env", "aidvisit.store.migrations.versions")

_lock = threading.Lock()
_line: list[socket.socket] = []


def run(
    words: Sequence[str], env: Mapping[str, str], stdin: str = "", timeout: float = 60, *, cheap: bool = False
) -> subprocess.CompletedProcess[str]:
    """`aidvisit` with these words, until it ends; `cheap`: passwords that it makes cost next to nothing.

    Raises: subprocess.TimeoutExpired.
    """
    pipe = subprocess.PIPE
    with Started(words, cheap=cheap, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=env) as process:
        try:
            said, told = process.communicate(stdin, timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    return subprocess.CompletedProcess(words, process.returncode, said, told)


class Started(subprocess.Popen[str]):
    """`aidvisit` with these words, as a Popen; of its options only files, `text` and `env` have a meaning."""

    def __init__(self, words: Sequence[str], *, cheap: bool = False, **options: Any) -> None:
        self._cheap = cheap
        super().__init__([*PROGRAM, *words], **options)

    if FORKED:

        def _execute_child(self, args: list[str], *rest: Any) -> None:
            # As Popen has them: …, cwd, env, …, then six ends of pipes, of which -1 is none; see its source.
            env, (stdin, _, _, stdout, _, stderr) = rest[5], rest[9:15]
            files = [number if end == -1 else end for number, end in enumerate((stdin, stdout, stderr))]
            wish = {"words": args[len(PROGRAM) - 1 :], "env": dict(env), "cwd": str(Path.cwd()), "cheap": self._cheap}
            try:
                self.pid = _forked(wish, files)
                self._child_created = True
            finally:
                self._close_pipe_fds(*rest[9:15])  # type: ignore[attr-defined]


def _forked(wish: dict[str, Any], files: list[int]) -> int:
    """Have the waiting process fork for it; the id of what runs then, a child of this process."""
    with _lock:
        if not _line:
            _line.append(_waiting())
        # Who forked it ends at once, and an orphan goes to the nearest who takes orphans in: only now is that here.
        _take_orphans(True)
        try:
            socket.send_fds(_line[0], [json.dumps(wish).encode()], files)
            answer = _line[0].recv(MOST_BYTES)
        finally:
            _take_orphans(False)
    assert answer, "the process that forks for the tests is gone"
    return int(answer)


def _waiting() -> socket.socket:
    """Start the process that forks; the line to it. It ends when the line does."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIDVISIT_")}
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, str(there.fileno())], pass_fds=[there.fileno()], stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, env=kept | {"PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    there.close()

    def end() -> None:
        here.close()
        process.wait(timeout=30)

    atexit.register(end)
    return here


def _take_orphans(yes: bool) -> None:
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, int(yes), 0, 0, 0)


# --- the process that forks ------------------------------------------------------------------------------------------


def _import_all() -> None:
    """Everything of the program, and the drivers that are found by name."""
    for package in (aidvisit, sync):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.startswith(UNASKED):
                import_module(module.name)
    for name in ("psycopg", "sqlalchemy.dialects.postgresql.psycopg", "sqlalchemy.dialects.sqlite.pysqlite"):
        import_module(name)
    assert threading.active_count() == 1, "a fork takes no thread along"
    gc.freeze()


def _answer(line: socket.socket) -> dict[str, Any] | None:
    """Fork for each wish until nobody is there any more; in a child: the wish."""
    while True:
        message, files, _, _ = socket.recv_fds(line, MOST_BYTES, 3)
        if not message:
            return None
        begin, begun = os.pipe()
        told, tell = os.pipe()
        middle = os.fork()
        if middle == 0:
            child = os.fork()
            if child:
                os.write(tell, str(child).encode())
                os._exit(0)
            line.close()
            for end in (begun, told, tell):
                os.close(end)
            os.read(begin, 1)  # ends when the one in the middle has, and its parent is who asked
            os.close(begin)
            for number, file in enumerate(files):
                os.dup2(file, number)
                os.close(file)
            wish: dict[str, Any] = json.loads(message)
            return wish
        for end in (begin, tell, *files):
            os.close(end)
        os.waitpid(middle, 0)
        os.close(begun)
        line.send(os.read(told, 20))
        os.close(told)


def _wait(line: socket.socket) -> int:
    _import_all()
    wish = _answer(line)
    if wish is None:
        return 0
    os.environ.clear()
    os.environ.update(wish["env"])
    os.chdir(wish["cwd"])
    sys.argv = wish["words"]
    if wish["cheap"]:
        passwords.PROFILE = CHEAP
    return main()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt), socket.socket(fileno=int(sys.argv[1])) as line:
        sys.exit(_wait(line))

"""`python -m aidvisit` and the `aidvisit` command."""

from __future__ import annotations

import os
import sys

PR_SET_DUMPABLE = 4


def main() -> int:
    keep_memory_in()
    from aidvisit.cli import main as run
    from aidvisit.services import logs

    logs.set_up()
    return run(sys.argv[1:])


def keep_memory_in() -> None:
    """Neither a crash nor another program of the same user writes out what is in memory; files are their owner's."""
    os.umask(0o077)
    try:
        import resource
    except ImportError:  # Windows: no core files, and no such limit
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes

        # A core may be piped to a program, which the limit does not stop.
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main())

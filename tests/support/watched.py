"""`aidvisit` that says on stderr which files it opens in the folder for temporary files."""

from __future__ import annotations

import os
import sys
import tempfile
from typing import Any

FOLDER = os.path.realpath(tempfile.gettempdir())
MARK = "OPENED IN THE FOLDER FOR TEMPORARY FILES"


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and isinstance(arguments[0], str) and os.path.realpath(arguments[0]).startswith(FOLDER):
        os.write(2, f"{MARK}: {arguments[0]}\n".encode())


if __name__ == "__main__":
    from aidvisit.__main__ import main

    sys.addaudithook(watch)
    sys.exit(main())

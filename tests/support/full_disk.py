"""`aidvisit` on a disk that is full for as long as the file named by FULL_DISK exists.

SQLite itself refuses, with the very error of a full disk: the database may not grow by a page.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from sqlalchemy import Connection, Engine, event

from aidvisit.__main__ import main

SWITCH = Path(os.environ["FULL_DISK"])
LARGEST = 1_073_741_823


@event.listens_for(Engine, "begin")
def limit(connection: Connection) -> None:
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one() if SWITCH.exists() else LARGEST
    connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")


if __name__ == "__main__":
    sys.exit(main())

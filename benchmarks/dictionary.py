"""`python -m benchmarks.dictionary [N]`: train dictionary N of `sync/data` anew; the same file every time."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import zstandard

from benchmarks.traffic import documents
from sync.lifting import lift

FOLDER = Path(__file__).parents[1] / "sync" / "data"
SEEDS = {1: range(1000, 1200)}
"""Of each dictionary. One that is out is never trained anew: what was trained is what both ends must hold."""
SIZE = 8 * 1024


def train(number: int) -> bytes:
    """The dictionary's file; its zstd dictionary id is its number."""
    samples = [
        lift(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode())[0]
        for seed in SEEDS[number]
        for document in documents(seed)
    ]
    return zstandard.train_dictionary(SIZE, samples, dict_id=number, level=19).as_bytes()


def main() -> int:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else max(SEEDS)
    path = FOLDER / f"dictionary-{number}.zstd"
    path.write_bytes(train(number))
    print(f"{path}: {path.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())

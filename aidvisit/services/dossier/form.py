"""What a dossier is made of: names of its files, lines of facts, and the tables that follow from them (ADR 24)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection

from aidvisit.services.sheet.write import csv_pieces
from aidvisit.store.dossier import Logged
from aidvisit.store.queries import dossier as queries
from sync.naming import named_in as named_in
from sync.op import TRAVELLING

FORMAT, VERSION = "aidvisit-dossier", 1
README, TRIP, MANIFEST, SIGNATURE, RECEIPTS = (
    "说明.txt",
    "trip.json",
    "manifest.json",
    "signature.json",
    "receipts.json",
)
FACTS, PHOTOS = "facts/", "photos/"
ENDINGS = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "image/svg+xml": ".svg"}

ABOUT = """一批一档:一次走访任务的全部凭据。内有个人信息,请按规定保管。
deliveries.csv  发放清单,一行一次发放(作废的也在)      allotments.csv  应发和实发
goods.csv       出入库单据                              photos/         照片和签名,文件名是内容的 SHA-256
facts/          每台设备的记录链:本次任务的记录全文,其他记录只有摘要
receipts.json   每台设备的记录到第几条为止、核对码(与回执单上的相同)
manifest.json   每个文件的大小和 SHA-256               signature.json  中心的签名
核对:在任何一台装了本程序的电脑上运行 aidvisit verify 文件名(不用联网,不用登录)。

The dossier of one trip: everything that vouches for it. It holds personal data.
deliveries.csv: what was handed out, one line a delivery, voided ones too. allotments.csv: planned and given.
goods.csv: the slips. photos/: photos and signatures, named by the SHA-256 of their content. facts/: the log of each
device: this trip's facts whole, of all others only the digest. receipts.json: how far each log goes, with the check
code of the slips. manifest.json: size and SHA-256 of every file; signature.json: signed by the centre.
To check it, on any machine with this program, without network or sign-in: aidvisit verify FILE
"""


def line_of(logged: Logged) -> dict[str, Any]:
    """An op as a line of its device's file: whole, or only by its digest."""
    entry = logged.entry
    if entry is None:
        return {"seq": logged.seq, "digest": logged.digest}
    said = {name: getattr(entry.op, name) for name in TRAVELLING}
    more = {"merge_hlc": entry.merge_hlc, "held": bool(entry.problem) or None, "erased": entry.erased or None}
    kept = {name: value for name, value in more.items() if value is not None}
    return {"seq": logged.seq, "digest": logged.digest, "hash": entry.hash, "op": said} | kept


def row_of(device: str, line: dict[str, Any]) -> dict[str, Any]:
    """The line of a whole op as a row of the log's table."""
    op = line["op"]
    clock = line.get("merge_hlc") or op["hlc"]
    return {
        "device": device, "seq": line["seq"], "stream": op["stream"], "n": None, "hlc": op["hlc"],
        "merge_hlc": line.get("merge_hlc"), "clock": clock, "actor": op["actor"], "kind": op["kind"], "v": op["v"],
        "subject": op["subject"], "body": json.dumps(op["body"], ensure_ascii=False), "digest": line["digest"],
        "hash": None, "problem": "{}" if line.get("held") else None, "dismissed": False, "applied": True,
        "erased": bool(line.get("erased")), "received_at": "",
    }  # fmt: skip


def signed_text(manifest: bytes) -> str:
    """What the centre signs."""
    return f"aidvisit-dossier-1:{sha256(manifest).hexdigest()}"


def encoded(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def tables_of(conn: Connection, trip: str) -> Iterator[tuple[str, bytes]]:
    """The tables for people: (name, bytes), the same from the same facts."""
    for name, rows in queries.TABLES.items():
        first, *rest = rows(conn, trip)
        yield name, "".join(csv_pieces([str(cell) for cell in first], rest)).encode()

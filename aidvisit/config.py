"""What a node was told about itself: one frozen object, from its home's settings.toml and the environment."""

from __future__ import annotations

import errno
import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from aidvisit.errors import Problem

Role = Literal["field", "central"]
FILE = "settings.toml"
PORTS: dict[Role, int] = {"central": 8000, "field": 8001}
KEYS: dict[str, type] = {
    "role": str,
    "server_url": str,
    "database": str,
    "host": str,
    "port": int,
    "timezone": str,
    "locale": str,
    "idle_minutes": int,
    "insecure": bool,
    "ca_file": str,
    "behind_proxy": bool,
    "no_encryption": bool,
    "demo_line": str,
    "practice": bool,
    "backup_folder": str,
    "backup_hours": int,
    "backup_keep": int,
}
OF_THE_HOME = ("role", "practice")
"""What a home is; the environment does not change it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of one node. `home` holds all that it owns: settings, database, session key.

    `database_url`: empty means SQLite in the home. `demo_line`: a file whose presence means that the demo's
    line is cut; only the demo sets it. `idle_minutes`: a session that is quiet for longer is signed out.
    `insecure`: plain HTTP may leave this machine. `ca_file`: the authority (PEM) that the centre's certificate is
    by, instead of the public ones. `behind_proxy`: the next hop's word on the client's address counts.
    `practice`: a made-up village; nothing leaves it, and nothing real is in it.
    `no_encryption`: a laptop whose people know that its data stand in the clear.
    `backup_folder`: where backups go that nobody gave a name, `backups` in the home unless told; `backup_hours` lie
    between two, 0: none is made by itself; so many good ones as `backup_keep` are kept.
    """

    home: Path
    role: Role
    server_url: str = ""
    database_url: str = ""
    host: str = "127.0.0.1"
    port: int = 0
    timezone: str = "Asia/Shanghai"
    locale: str = "zh_Hans_CN"
    idle_minutes: int = 15
    insecure: bool = False
    ca_file: Path | None = None
    behind_proxy: bool = False
    no_encryption: bool = False
    demo_line: Path | None = None
    practice: bool = False
    backup_folder: Path | None = None
    backup_hours: int = 24
    backup_keep: int = 5

    def __post_init__(self) -> None:
        home = self.home.expanduser().absolute()
        object.__setattr__(self, "home", home)
        object.__setattr__(self, "server_url", self.server_url.rstrip("/"))
        object.__setattr__(self, "database_url", _database_url(self.database_url, home))
        object.__setattr__(self, "port", self.port or PORTS[self.role])

    @property
    def address(self) -> str:
        """Of the centre, as laptops and invitations know it: `server_url`, else where it listens."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.server_url or f"http://{host}:{self.port}"

    @property
    def database_file(self) -> Path | None:
        """Where the database is one file; None of PostgreSQL."""
        scheme, _, path = self.database_url.partition(":///")
        return Path(path) if scheme == "sqlite" else None

    @property
    def backups(self) -> Path:
        """The folder of backups."""
        return self.backup_folder or self.home / "backups"

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which days begin and pages show the time."""
        return ZoneInfo(self.timezone)


def find_home(option: Path | None = None) -> Path:
    """The home asked for: `--home`, else `AIDVISIT_HOME`, else `aidvisit` in the user's own directory."""
    chosen = option or os.environ.get("AIDVISIT_HOME") or Path.home() / "aidvisit"
    return Path(chosen).expanduser().absolute()


def load(home: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings of `home`; `AIDVISIT_<KEY>` in the environment wins over the file.

    Raises: Problem `not-a-home`, `settings-invalid`.
    """
    path = home / FILE
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        raise Problem("not-a-home", home=str(home)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise Problem("settings-invalid", str(error), path=str(path)) from error
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Problem("settings-invalid", str(error), path=str(path)) from error
    values |= _from_environment(os.environ if environment is None else environment)
    return _settings(home, path, values)


def write(home: Path, *, role: Role, **values: str | int) -> Settings:
    """Make `home` if need be and save its settings (keys as in `KEYS`; empty ones keep their defaults).

    Raises: Problem `home-taken` when the home already belongs to the other role, `settings-invalid`,
        `not-writable`, `disk-full`.
    """
    path = home / FILE
    if path.exists() and load(home, {}).role != role:
        raise Problem("home-taken", home=str(home), role=load(home, {}).role)
    kept = {"role": role} | {key: value for key, value in values.items() if value not in ("", 0)}
    settings = _settings(home, path, dict(kept))
    # A JSON string is a TOML string too. Written beside and renamed: half a file is never read.
    text = "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in kept.items())
    beside = path.with_suffix(".tmp")
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside.touch(mode=0o600)  # a database URL may hold a password
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise Problem("disk-full" if error.errno == errno.ENOSPC else "not-writable", path=str(home)) from error
    return settings


def values_of(home: Path) -> dict[str, str | int]:
    """What the settings of a home say, as they are written. Raises: Problem as `load`."""
    load(home, {})
    found: dict[str, str | int] = tomllib.loads((home / FILE).read_text(encoding="utf-8"))
    return found


def _from_environment(environment: Mapping[str, str]) -> dict[str, str | int]:
    found: dict[str, str | int] = {}
    for key, kind in KEYS.items():
        text = environment.get(f"AIDVISIT_{key.upper()}")
        if text and key not in OF_THE_HOME:
            found[key] = _value(kind, text)
    return found


def _value(kind: type, text: str) -> str | int:
    """What the text of an environment variable stands for; what fits nothing stays text, and is refused as that."""
    if kind is bool:
        return {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), text)
    return int(text) if kind is int and text.isdecimal() else text


def _settings(home: Path, path: Path, values: dict[str, Any]) -> Settings:
    for key, value in values.items():
        if key not in KEYS:
            raise Problem("settings-invalid", f"{key}: unknown", path=str(path))
        if type(value) is not KEYS[key]:
            raise Problem("settings-invalid", f"{key}: {KEYS[key].__name__} expected", path=str(path))
    if values.get("role") not in PORTS:
        raise Problem("settings-invalid", 'role: "field" or "central" expected', path=str(path))
    demo_line, ca_file, backups = (values.pop(key, "") for key in ("demo_line", "ca_file", "backup_folder"))
    for key, folder in (("ca_file", ca_file), ("backup_folder", backups)):
        if folder and not Path(folder).is_absolute():
            raise Problem("settings-invalid", f"{key}: absolute path expected", path=str(path))
    if values.get("backup_hours", 0) < 0 or values.get("backup_keep", 1) < 1:
        raise Problem("settings-invalid", "backup_hours: 0 or more; backup_keep: 1 or more", path=str(path))
    settings = Settings(
        home=home,
        database_url=values.pop("database", ""),
        demo_line=Path(demo_line) if demo_line else None,
        ca_file=Path(ca_file) if ca_file else None,
        backup_folder=Path(backups) if backups else None,
        **values,
    )
    try:
        settings.zone  # noqa: B018  # a zone that does not exist is told now, not on the first page
    except (KeyError, ValueError, OSError):
        raise Problem("settings-invalid", f"timezone: {settings.timezone}", path=str(path)) from None
    return settings


def _database_url(url: str, home: Path) -> str:
    """A bare `postgresql://` would mean another driver (docs/dependencies.md)."""
    if not url:
        return f"sqlite:///{(home / 'aidvisit.db').as_posix()}"
    scheme, mark, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}" if mark and scheme in ("postgres", "postgresql") else url

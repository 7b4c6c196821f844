"""Where plain HTTP may go: no further than this machine, unless somebody said `insecure` by name."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from aidvisit.errors import Problem

# What two readers of an address could take for different hosts has no place in one.
_ODD = re.compile(r"[\s\\@?#\x00-\x1f\x7f]")


def check_server(url: str, *, insecure: bool) -> None:
    """Whether a laptop may speak to this address; asked before a byte is sent.

    Raises: Problem `bad-address`, `insecure-line`.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise Problem("bad-address", url=url) from None
    if parts.scheme not in ("https", "http") or not host or _ODD.search(url):
        raise Problem("bad-address", url=url)
    if parts.scheme == "http" and not insecure and not is_loopback(host):
        raise Problem("insecure-line", url=url)


def is_own_line(url: str) -> bool:
    """Whether nobody but the server of this address can answer there: over TLS, or on this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or is_loopback(parts.hostname or "")


def check_listening(host: str, *, insecure: bool) -> None:
    """Whether pages may be served there without TLS. Raises: Problem `insecure-listening`."""
    if not insecure and not is_loopback(host):
        raise Problem("insecure-listening", host=host)


def is_loopback(host: str) -> bool:
    """127.0.0.0/8, ::1 and the name localhost; any other name may lead anywhere."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"

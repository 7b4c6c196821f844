"""What a browser sends stays in memory and within bounds, and its cookie goes no further than it must."""

from __future__ import annotations

from hashlib import sha256
from io import BytesIO
from typing import IO, Any
from urllib.parse import urlsplit

from flask import Flask
from flask import Request as FlaskRequest
from flask import request as current
from flask.sessions import SecureCookieSessionInterface

from aidvisit.errors import Problem
from aidvisit.services import sync
from aidvisit.services.address import is_loopback

MAX_UPLOAD_BYTES = 8 * 1024 * 1024
MAX_PHOTO_UPLOAD_BYTES = 32 * 1024 * 1024
"""On a laptop: a photo that no script shrank comes as it is, and when it is too large its form is kept and says so."""
MAX_FORM_BYTES = 1024 * 1024
"""Of a form without files, and of each field of one with: a signature has no more than 60,000 characters."""
MAX_FORM_PARTS = 1000


class Request(FlaskRequest):
    """werkzeug writes uploads over 500 KB to the folder for temporary files; here nothing personal goes there."""

    def _get_file_stream(self, *_: Any, **__: Any) -> IO[bytes]:
        return BytesIO()

    @property
    def max_content_length(self) -> int | None:
        """A form without files becomes a hundred times its size when it is all names: it may hold less."""
        if self.mimetype == "application/x-www-form-urlencoded":
            return MAX_FORM_BYTES
        if self.mimetype == "multipart/form-data" and sync.current_settings().role == "field":
            return MAX_PHOTO_UPLOAD_BYTES
        return super().max_content_length

    @max_content_length.setter
    def max_content_length(self, value: int | None) -> None:
        self._max_content_length = value


class Sessions(SecureCookieSessionInterface):
    """Where pages come over TLS, the cookie goes only there, and no neighbouring host can have set it (`__Host-`)."""

    digest_method = staticmethod(sha256)

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 (Flask's)
        settings = sync.current_settings()
        # A laptop's own pages are on the loopback; its server_url is the centre's address.
        return settings.role == "central" and (current.is_secure or settings.server_url.startswith("https:"))

    def get_cookie_name(self, app: Flask) -> str:
        """On one machine a browser has one jar for all ports: a practice signs nobody out of the real laptop."""
        settings = sync.current_settings()
        name = f"aidvisit_{'practice' if settings.practice else settings.role}"
        return f"__Host-{name}" if self.get_cookie_secure(app) else name


def only_here() -> None:
    """A laptop's pages are its own: another site's page whose name was made to lead to this machine gets nothing.

    Raises: Problem `not-found`.
    """
    asks_itself = sync.current_settings().role == "field" and is_loopback(current.remote_addr or "")
    if asks_itself and not is_loopback(urlsplit(f"//{current.host}").hostname or ""):
        raise Problem("not-found")


def init_app(app: Flask) -> None:
    app.before_request(only_here)
    app.request_class = Request
    app.session_interface = Sessions()
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_UPLOAD_BYTES,
        MAX_FORM_MEMORY_SIZE=MAX_FORM_BYTES,
        MAX_FORM_PARTS=MAX_FORM_PARTS,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
    )

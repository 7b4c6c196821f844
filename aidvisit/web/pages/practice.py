"""The guided first trip: its steps, one after another, and beginning again."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from aidvisit.services import practice as service
from aidvisit.web import auth

field = Blueprint("practice", __name__)


@field.get("/practice", endpoint="page")
def page() -> str:
    """The steps; on a real laptop, how to begin."""
    return render_template("practice/page.html", steps=service.STEPS)


@field.post("/practice/again", endpoint="again")
def again() -> ResponseReturnValue:
    """Raises: Problem `not-found` on a real laptop."""
    auth.remember(service.again())
    return redirect(url_for("practice.page"), 303)

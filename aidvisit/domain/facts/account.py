"""The people of one team (stream `team-<id>`)."""

from __future__ import annotations

from aidvisit.domain.facts.fields import NOTE, Body, OneOf, Strict, Text, YesNo
from aidvisit.domain.facts.kind import KindOf
from aidvisit.domain.facts.update import SetPaths, Update, whole
from aidvisit.domain.rights import ROLES


class Key(Body):
    """An X25519 pair, its private half wrapped with a key derived from the password. Set as a whole."""

    public = Text(NOTE, required=True)
    wrapped = Text(NOTE, required=True)
    salt = Text(NOTE, required=True)
    params = Strict(required=True)


class User(Body):
    login = Text(required=True)
    name = Text(required=True)
    phone = Text()
    role = OneOf(*ROLES, required=True)
    password_hash = Text(NOTE, required=True)
    key = whole(Key, required=True)
    active = YesNo(required=True)


class UserUpdate(Update):
    set = SetPaths(User)


KINDS = (
    KindOf(kind="user.defined", stream="team", by="centre", schema=User, entity="user"),
    KindOf(kind="user.updated", stream="team", by="centre", schema=UserUpdate, entity="user"),
)

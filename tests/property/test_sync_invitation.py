"""An invitation comes out of its text as it went in, and nothing else is one."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sync import identity, invitation
from sync.invitation import Invitation
from sync.problem import Problem

HOSTS = st.from_regex(r"[a-z][a-z0-9-]{0,20}(\.[a-z]{2,8})?|\[::1\]|127\.0\.0\.1|慰问\.example", fullmatch=True)
PATHS = st.text(st.characters(categories=["L", "N"], include_characters="/%&=+~;,"), max_size=20)
SERVERS = st.builds(
    lambda scheme, host, port, path: f"{scheme}://{host}{port}{path and '/' + path}",
    st.sampled_from(["http", "https"]), HOSTS, st.sampled_from(["", ":8000", ":443"]), PATHS,
)  # fmt: skip
CODES = st.text(identity.CROCKFORD, min_size=10, max_size=10).map(lambda code: f"{code[:5]}-{code[5:]}")
FINGERPRINTS = st.binary(min_size=32, max_size=32).map(identity.encode)
INVITATIONS = st.builds(Invitation, server=SERVERS, code=CODES, fingerprint=FINGERPRINTS)
GOOD = Invitation("https://centre.example.org:8443/aid", "ABCDE-12345", identity.encode(bytes(32)))


@given(INVITATIONS)
def test_text_and_back(made: Invitation) -> None:
    assert invitation.parse(f" {made.text()}\n") == made
    assert made.text().isascii()


@given(st.text())
@pytest.mark.parametrize("start", ["", invitation.PREFIX, GOOD.text()])
def test_junk_is_refused_in_words(start: str, junk: str) -> None:
    """Or, where a whole invitation stands before it as parameters of their own, not looked at."""
    with suppress(Problem):
        found = invitation.parse(start + junk)
        assert (found.server, found.code) == (GOOD.server, GOOD.code)


@given(INVITATIONS, st.integers(0, 200))
def test_a_shortened_one_is_no_other(made: Invitation, cut: int) -> None:
    text = made.text()[: -1 - cut]
    with pytest.raises(Problem, match="invitation-invalid"):
        invitation.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        GOOD.text().replace("https%3A", "ftp%3A"),
        GOOD.text().replace("https%3A%2F%2F", ""),
        GOOD.text().replace("centre", "me%3Asecret%40centre"),
        GOOD.text().replace("ABCDE", "ABCD"),
        GOOD.text().replace("ABCDE", "ABCDU"),
        GOOD.text() + "&code=ABCDE-99999",
        GOOD.text().replace("%2Faid", "%0A"),
        GOOD.text().replace("%2Faid", "%3Fa%3Db"),
        "https://example.org/" + GOOD.text(),
    ],
)
def test_what_is_wrong_in_one_place(text: str) -> None:
    assert text != GOOD.text()
    with pytest.raises(Problem, match="invitation-invalid"):
        invitation.parse(text)


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_a_fingerprint_is_of_one_key_also_as_people_type_it(one: bytes, another: bytes) -> None:
    assume(one != another)
    key, other = identity.encode(one), identity.encode(another)
    whole = invitation.fingerprint(key)
    groups = invitation.in_groups(whole)
    assert len(whole) == 43
    assert [len(group) for group in groups.split(" ")] == [4] * 8
    for typed in (whole, f" {whole} ", groups, groups.upper(), groups.replace(" ", "-"), groups.replace(" ", "")):
        read = invitation.read_fingerprint(typed)
        assert invitation.is_of(read, key)
        assert not invitation.is_of(read, other)


@pytest.mark.parametrize("typed", ["", "0123", "g" * 32, "0" * 31, "0" * 33, "A" * 42, "é" * 43])
def test_what_is_no_fingerprint(typed: str) -> None:
    with pytest.raises(Problem, match="fingerprint-invalid"):
        invitation.read_fingerprint(typed)

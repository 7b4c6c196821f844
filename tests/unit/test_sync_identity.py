"""Keys, signatures, receipts, tokens and codes."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sync import identity
from sync.identity import KeyPair, check_receipt, decode, encode, make_receipt, plain_code, verify

KEY = KeyPair.from_private(encode(bytes(range(32))))
OTHER = KeyPair.from_private(encode(bytes(range(32, 64))))
HEAD = "ab" * 32


def test_the_vector_of_rfc_8032() -> None:
    key = KeyPair.from_private(
        encode(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
    )
    assert decode(key.public).hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert decode(key.sign("")).hex().startswith("e5564300c360ac729086e2cc806e828a84877f1e")


def test_base64url_has_no_padding_and_one_spelling() -> None:
    assert encode(b"\xff\xfe\xfd\xfc") == "__79_A"
    for wrong in ("__79_A==", "//79/A", "++", "a", "a b", "__79_B", "陈"):
        with pytest.raises(ValueError, match=r"base64url|ASCII"):
            decode(wrong)


def test_a_signature_is_by_this_key_over_this_text() -> None:
    signature = KEY.sign("aidvisit")
    assert verify(KEY.public, "aidvisit", signature)
    assert not verify(OTHER.public, "aidvisit", signature)
    assert not verify(KEY.public, "aidvisit!", signature)
    assert not verify(KEY.public, "aidvisit", OTHER.sign("aidvisit"))


@pytest.mark.parametrize("signature", ["", "abc", "陈", "A" * 86, "\ud800", "A" * 1000])
def test_what_is_no_signature_is_no_error(signature: str) -> None:
    assert not verify(KEY.public, "aidvisit", signature)


@pytest.mark.parametrize("key", [None, 1, "", "abc", KEY.public + "=", encode(bytes(31)), encode(bytes(33)), "陈" * 43])
def test_what_is_no_public_key(key: Any) -> None:
    assert identity.is_public_key(KEY.public)
    assert not identity.is_public_key(key)


def test_a_receipt_is_signed_over_all_that_it_says() -> None:
    receipt = make_receipt(OTHER, "d", 540, HEAD, "2020-12-30T09:12:44Z")
    assert check_receipt(OTHER.public, receipt)
    assert verify(OTHER.public, f"aidvisit-receipt-1:d:540:{HEAD}:2020-12-30T09:12:44Z", receipt["sig"])
    for member, value in {"device": "e", "through": 541, "head": "cd" * 32, "at": "2020-12-30T09:12:45Z"}.items():
        assert not check_receipt(OTHER.public, receipt | {member: value})
        assert not check_receipt(OTHER.public, {k: v for k, v in receipt.items() if k != member})
    assert not check_receipt(KEY.public, receipt)
    assert not check_receipt(OTHER.public, receipt | {"sig": KEY.sign(identity.receipt_text(receipt))})
    assert not check_receipt(OTHER.public, receipt | {"sig": None})
    assert not check_receipt(OTHER.public, receipt | {"at": "陈"})


def test_a_token_is_256_random_bits_and_kept_as_its_hash() -> None:
    token = identity.new_token()
    assert len(decode(token)) == 32
    assert token != identity.new_token()
    assert re.fullmatch("[0-9a-f]{64}", identity.hash_secret(token))


def test_a_code_is_ten_characters_of_crockford_in_two_halves() -> None:
    for _ in range(200):
        assert re.fullmatch("[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}", identity.new_code())


def test_case_hyphens_and_look_alikes_of_a_code_are_ignored() -> None:
    assert plain_code("7k3m9-0o1li") == plain_code("7K3M900111") == "7K3M900111"

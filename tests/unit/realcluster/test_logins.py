"""Tokens of other users."""

from __future__ import annotations

import base64
import json

from tests.realcluster.logins import claims, signed


def decoded(part: str) -> bytes:
    """A part of a token."""
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def test_claims_name_the_account() -> None:
    """The API server compares name and uid with the account that exists."""
    said = claims("team", "bot", "u-1", 1_000_000.7)
    assert said["sub"] == "system:serviceaccount:team:bot"
    assert said["kubernetes.io"] == {"namespace": "team", "serviceaccount": {"name": "bot", "uid": "u-1"}}


def test_times_are_whole_seconds_and_in_order() -> None:
    """Issued before it ends, however soon that is."""
    said = claims("team", "bot", "u-1", 1_000_000.7)
    assert said["exp"] == 1_000_000
    assert said["iat"] == said["nbf"] < said["exp"]


def test_token_is_three_parts_and_signed_over_two() -> None:
    """RFC 7515 §5.1: the signature covers header and claims as they are sent."""
    seen = []

    def sign(text: bytes) -> bytes:
        seen.append(text)
        return b"signature"

    token = signed({"sub": "x"}, sign)
    head, said, signature = token.split(".")
    assert seen == [f"{head}.{said}".encode()]
    assert json.loads(decoded(head))["alg"] == "RS256"
    assert json.loads(decoded(said)) == {"sub": "x"}
    assert decoded(signature) == b"signature"

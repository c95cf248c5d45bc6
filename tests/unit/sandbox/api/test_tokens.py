"""Tokens of service accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.sandbox.api import kinds, tokens
from kubectl_ray.sandbox.api.objects import Objects
from kubectl_ray.sandbox.api.refusals import Refused
from kubectl_ray.sandbox.api.store import Store

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_000_000_000.0


def cluster(path: Path | None = None, now: float = NOW) -> Objects:
    """The objects on disk, or new ones: namespace n with the account sa."""
    made = Objects(Store(path), lambda: now)
    if made.find(kinds.NAMESPACES, "", "n") is None:
        for name in ("n", "kube-system"):
            made.create(kinds.NAMESPACES, {"metadata": {"name": name}})
        made.create(kinds.SERVICE_ACCOUNTS, {"metadata": {"name": "sa"}}, "n")
    return made


def token(objects: Objects, **spec: Any) -> str:
    """A token for n/sa."""
    found: str = tokens.issue(objects, "n", "sa", {"spec": spec})["status"]["token"]
    return found


def test_a_token_tells_its_account() -> None:
    """The name, the groups and the uid are those of a real cluster."""
    objects = cluster()
    user = tokens.identify(objects, token(objects))
    assert user is not None
    assert user.name == "system:serviceaccount:n:sa"
    assert user.groups == ("system:serviceaccounts", "system:serviceaccounts:n", "system:authenticated")
    assert user.uid == objects.get(kinds.SERVICE_ACCOUNTS, "n", "sa")["metadata"]["uid"]


def test_the_answer_to_a_request() -> None:
    """It tells when the token ends; an hour when nothing is said."""
    made = tokens.issue(cluster(), "n", "sa", {})
    assert made["spec"] == {"audiences": [tokens.ISSUER], "expirationSeconds": 3600, "boundObjectRef": None}
    assert made["status"]["expirationTimestamp"] == "2001-09-09T02:46:40Z"


def test_a_token_survives_a_restart_and_expires(tmp_path: Path) -> None:
    """It is known as long as it lives, and not a second longer."""
    first = cluster(tmp_path / "store")
    made = token(first, expirationSeconds=600)
    first.store.close()
    for seconds, known in ((599, True), (600, False)):
        again = cluster(tmp_path / "store", NOW + seconds)
        assert (tokens.identify(again, made) is not None) is known
        again.store.close()


def test_a_token_ends_with_its_account() -> None:
    """Also when another account of the same name is made."""
    objects = cluster()
    made = token(objects)
    objects.delete(kinds.SERVICE_ACCOUNTS, "n", "sa")
    assert tokens.identify(objects, made) is None
    objects.create(kinds.SERVICE_ACCOUNTS, {"metadata": {"name": "sa"}}, "n")
    assert tokens.identify(objects, made) is None


def test_a_token_ends_with_the_object_that_it_is_bound_to() -> None:
    """Here a secret."""
    objects = cluster()
    objects.create(kinds.SECRETS, {"metadata": {"name": "s"}}, "n")
    made = token(objects, boundObjectRef={"kind": "Secret", "apiVersion": "v1", "name": "s"})
    assert tokens.identify(objects, made) is not None
    objects.delete(kinds.SECRETS, "n", "s")
    assert tokens.identify(objects, made) is None


def test_a_token_for_others_is_none_for_us() -> None:
    """One for another audience does not log in here."""
    objects = cluster()
    assert tokens.identify(objects, token(objects, audiences=["vault"])) is None


SPEC = 'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value:'
NAME = 'TokenRequest.authentication.k8s.io "sa" is invalid: metadata.name: Invalid value:'


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        ({"spec": {"expirationSeconds": 5}}, 422, f"{SPEC} 5: may not specify a duration less than 10 minutes"),
        (
            {"spec": {"expirationSeconds": 2**33}},
            422,
            f"{SPEC} 8589934592: may not specify a duration larger than 2^32 seconds",
        ),
        ({"metadata": {"name": "q"}}, 422, f'{NAME} "q": must match the service account name if specified'),
        ({"spec": {"boundObjectRef": {"kind": "Pod", "name": "nosuch"}}}, 404, 'pods "nosuch" not found'),
    ],
)
def test_refused_requests(request_: dict[str, Any], code: int, message: str) -> None:
    """In the words of a v1.36 server (recorded)."""
    with pytest.raises(Refused) as caught:
        tokens.issue(cluster(), "n", "sa", request_)
    assert (caught.value.code, caught.value.message) == (code, message)


def test_no_token_for_no_account() -> None:
    """404."""
    with pytest.raises(Refused, match='serviceaccounts "nosuch" not found'):
        tokens.issue(cluster(), "n", "nosuch", {})


def test_a_changed_token_is_none() -> None:
    """Each character counts."""
    objects = cluster()
    made = token(objects)
    head, claims, signature = made.split(".")
    for other in (f"{head}.{claims}A.{signature}", f"{head}.{claims}.A{signature[1:]}A", head, "", "..", "a.b.ü"):
        assert tokens.identify(objects, other) is None


@given(st.text())
def test_any_text_is_a_token_or_none(text: str) -> None:
    """Whatever comes in a header, it is no error."""
    objects = cluster()
    token(objects)
    assert tokens.identify(objects, text) is None

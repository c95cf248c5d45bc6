"""`kube.status`: every refusal in words; the texts are recorded ones of a real API server."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.errors import (
    AlreadyExists,
    Conflict,
    Expired,
    Invalid,
    KubectlRayError,
    NotAllowed,
    NotFound,
    NotLoggedIn,
    ServerError,
)
from kubectl_ray.kube.status import Asked, clean, error_from, read_status, read_warnings
from kubectl_ray.models.resources import NAMESPACES, PODS, RAYCLUSTERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CLUSTER = Asked("get", RAYCLUSTERS, "n", "a1")
CREATE = Asked("create", RAYCLUSTERS, "n", "dry")
LIST = Asked("list", RAYCLUSTERS, "n")
UNCHECKED = "some validation rules were not checked because the object was invalid"


def failure(code: int, reason: str, message: str, **details: Any) -> bytes:
    """A Status as a server sends it."""
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message}
    return json.dumps({**status, "reason": reason, "details": details, "code": code}).encode()


def error(code: int, body: bytes, asked: Asked = CLUSTER) -> KubectlRayError:
    """What an answer becomes."""
    return error_from(read_status(code, body), asked)


def forbidden(what: str, who: str = "jane") -> bytes:
    """A 403 of RBAC."""
    return failure(403, "Forbidden", f'rayclusters.ray.io is forbidden: User "{who}" cannot {what}', kind="rayclusters")


def test_no_right_in_a_namespace() -> None:
    """403 says who may not do what where, and the hint which right to ask for."""
    found = error(403, forbidden('list resource "rayclusters" in API group "ray.io" in the namespace "n"'), LIST)
    assert type(found) is NotAllowed
    assert found.message == "jane may not list rayclusters in namespace n"
    assert "right to list rayclusters.ray.io in namespace n" in found.hint
    assert found.hint.endswith("kubectl auth can-i list rayclusters.ray.io -n n")
    assert (found.code, found.reason, found.exit_code) == (403, "Forbidden", 4)


def test_no_right_in_the_whole_cluster() -> None:
    """A 403 at the cluster scope says so."""
    found = error(403, forbidden('list resource "rayclusters" in API group "ray.io" at the cluster scope'), LIST)
    assert found.message == "jane may not list rayclusters in the whole cluster"
    assert "--all-namespaces" in found.hint


def test_no_right_to_a_subresource() -> None:
    """A subresource is named as it is in roles."""
    found = error(403, forbidden('create resource "pods/exec" in API group "" in the namespace "n"'))
    assert found.message == "jane may not create pods/exec in namespace n"


def test_anonymous_is_not_logged_in() -> None:
    """Whom the server takes for nobody has no login, which is another matter than a missing right."""
    body = forbidden('get resource "pods" in API group "" in the namespace "n"', "system:anonymous")
    assert isinstance(error(403, body), NotLoggedIn)


@pytest.mark.parametrize(
    "message",
    [
        'pods "c" is forbidden: exceeded quota: tiny, requested: pods=1, used: pods=0, limited: pods=0',
        'admission webhook "w.example.com" denied the request: no GPUs on Fridays',
    ],
)
def test_a_403_that_is_no_question_of_rights(message: str) -> None:
    """Quotas, limit ranges and webhooks refuse with 403 too: their words are shown, and nobody is sent for rights."""
    found = error(403, failure(403, "Forbidden", message), CREATE)
    assert isinstance(found, Invalid)
    assert message in found.message
    assert "right" not in found.hint


def test_namespace_that_is_going() -> None:
    """A namespace that is being deleted takes nothing new, and the hint says what to do."""
    causes = [{"reason": "NamespaceTerminating", "message": "namespace n is being terminated"}]
    found = error(403, failure(403, "Forbidden", "unable to create new content", causes=causes), CREATE)
    assert "being deleted" in found.hint


def test_expired_login() -> None:
    """401 names the server and the login, and exits with 4."""
    asked = Asked("get", PODS, "n", "a", server="The API server https://h", user="jane")
    found = error(401, failure(401, "Unauthorized", "Unauthorized"), asked)
    assert isinstance(found, NotLoggedIn)
    assert "https://h" in found.message
    assert '"jane"' in found.message


def test_missing_object() -> None:
    """404 names kind, object and namespace."""
    body = failure(404, "NotFound", 'rayclusters.ray.io "a1" not found', name="a1", group="ray.io", kind="rayclusters")
    found = error(404, body)
    assert isinstance(found, NotFound)
    assert found.message == 'There is no raycluster "a1" in namespace "n"'
    assert found.missing_group == ""


def test_missing_namespace() -> None:
    """A create in a namespace that is not there complains of the namespace, not of the object."""
    found = error(404, failure(404, "NotFound", 'namespaces "x" not found', name="x", kind="namespaces"), CREATE)
    assert isinstance(found, NotFound)
    assert found.message == 'There is no namespace "x"'
    assert found.details["kind"] == "namespaces"


def test_a_namespace_that_was_asked_for() -> None:
    """A namespace asked for by name is an object like others."""
    body = failure(404, "NotFound", 'namespaces "x" not found', name="x", kind="namespaces")
    assert error(404, body, Asked("get", NAMESPACES, "", "x")).message == 'There is no namespace "x"'


def test_missing_definition() -> None:
    """The plain 404 page means that the server does not know the group: `missing_group` tells upper layers."""
    found = error(404, b"404 page not found\n", LIST)
    assert isinstance(found, NotFound)
    assert found.missing_group == "ray.io"


def test_plain_404_of_a_core_path() -> None:
    """A plain 404 where every API server has something: this is none."""
    found = error(404, b"404 page not found\n", Asked("list", PODS, "n"))
    assert found.missing_group == ""
    assert "address of a Kubernetes API server" in found.hint


def test_name_taken() -> None:
    """409 AlreadyExists is not a Conflict."""
    body = failure(409, "AlreadyExists", 'rayclusters.ray.io "dry" already exists', name="dry")
    found = error(409, body, CREATE)
    assert isinstance(found, AlreadyExists)
    assert found.message == 'There is already a raycluster "dry" in namespace "n"'


def test_changed_meanwhile() -> None:
    """409 Conflict keeps the server's words."""
    found = error(409, failure(409, "Conflict", "the object has been modified"))
    assert isinstance(found, Conflict)
    assert "the object has been modified" in found.message


def test_fields_of_another_manager() -> None:
    """A conflict of server-side apply names each field and its manager."""
    causes = [{"reason": "FieldManagerConflict", "message": 'conflict with "p"', "field": ".spec.x"}]
    found = error(409, failure(409, "Conflict", "Apply failed with 1 conflict", causes=causes))
    assert isinstance(found, Conflict)
    assert '.spec.x: conflict with "p"' in found.message


def test_invalid_fields_one_a_line() -> None:
    """422 lists the causes one a line, without the `<nil>` one that tells people nothing."""
    causes = [
        {"reason": "FieldValueRequired", "message": "Required value", "field": "spec.headGroupSpec"},
        {"reason": "FieldValueInvalid", "message": "must be <= 5", "field": "spec.n"},
        {"reason": "FieldValueInvalid", "message": f"Invalid value: null: {UNCHECKED}", "field": "<nil>"},
    ]
    found = error(422, failure(422, "Invalid", f"...<nil>: {UNCHECKED}", causes=causes), CREATE)
    assert isinstance(found, Invalid)
    assert found.message.splitlines()[1:] == ["  spec.headGroupSpec: Required value", "  spec.n: must be <= 5"]
    assert len(found.details["causes"]) == 3


@pytest.mark.parametrize(
    ("code", "message", "fields"),
    [
        (
            400,
            'strict decoding error: unknown field "spec.hed", unknown field "spec.w[0].r"',
            ["spec.hed", "spec.w[0].r"],
        ),
        (400, 'strict decoding error: duplicate field "metadata.name"', ["metadata.name (given twice)"]),
        (500, "failed to create typed patch object (/dry; ray.io/v1): .spec.hed: field not declared", []),
        (500, "failed to create typed patch object (/dry): .spec.hed: field not declared in schema", ["spec.hed"]),
    ],
)
def test_unknown_fields(code: int, message: str, fields: list[str]) -> None:
    """Strict decoding names all unknown fields; server-side apply says the same with a 500."""
    found = error(code, failure(code, "BadRequest", message), CREATE)
    assert isinstance(found, Invalid) == bool(fields)
    assert [cause["field"] for cause in found.details.get("causes", [])] == fields
    for field in fields:
        assert field in found.message


def test_forgotten_history() -> None:
    """410 is Expired; a fresh continue token in the Status is kept."""
    status = {"kind": "Status", "metadata": {"continue": "abc"}, "reason": "Expired", "code": 410}
    found = error(410, json.dumps(status).encode(), LIST)
    assert isinstance(found, Expired)
    assert found.details["continue"] == "abc"


@pytest.mark.parametrize("code", [301, 302, 405, 406, 429, 500, 502, 503, 504, 599])
def test_the_rest_is_a_server_error(code: int) -> None:
    """What helps nobody is a ServerError that says the code and what the server said."""
    found = error(code, failure(code, "X", "because"))
    assert isinstance(found, ServerError)
    assert str(code) in found.message
    assert found.code == code


def test_web_page_is_not_shown() -> None:
    """A proxy's HTML page is named, not printed."""
    found = error(502, b"<html><body><h1>Bad Gateway</h1></body></html>")
    assert "<html>" not in found.message
    assert "web page" in found.message


def test_plain_http_to_a_tls_port() -> None:
    """Go's answer to plain HTTP on its TLS port gets the way out."""
    found = error(400, b"Client sent an HTTP request to an HTTPS server.\n")
    assert "https://" in found.hint


wild = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(["Status", "NamespaceTerminating"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["reason", "message", "field", "causes", "name", "kind", "continue", "retryAfterSeconds", "code"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(
    status=st.dictionaries(
        st.sampled_from(["kind", "metadata", "message", "reason", "details", "code", "status"]), wild, max_size=7
    )
    | wild,
    code=st.integers(0, 700),
    asked=st.sampled_from([CLUSTER, CREATE, LIST, Asked("open", None)]),
)
def test_any_status_gives_one_of_our_errors(status: Any, code: int, asked: Asked) -> None:
    """Whatever types a Status has, there is an error with words."""
    found = error(code, json.dumps(status).encode(), asked)
    assert found.message
    assert found.code == code or not code
    assert isinstance(found.code, int)


@given(body=st.binary(max_size=60))
def test_any_body_gives_one_of_our_errors(body: bytes) -> None:
    """A body need not be JSON, nor text."""
    assert error(500, body).message


@given(text=st.text(max_size=40))
def test_no_control_character_reaches_a_message(text: str) -> None:
    """What a server says can not move the cursor, colour the terminal or turn the text around."""
    shown = clean(text) + error(500, failure(500, "X", text)).message
    bad = [c for c in shown if unicodedata.category(c) == "Cc" and c not in "\n\t"]
    assert not bad
    assert not set(shown) & set("\u202e\u2066\u2028")


def test_long_messages_are_cut() -> None:
    """A server can not fill the screen."""
    assert len(clean("x" * 100_000)) == 4000


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        (['299 - "unknown field \\"spec.x\\""', '299 - "b"'], ['unknown field "spec.x"', "b"]),
        (['299 - "a, b", 299 host "c" "Mon, 01 Jan 2024 00:00:00 GMT"'], ["a, b", "c"]),
        (['110 - "stale"', "299", '299 - "', "", '299 - ""'], []),
        (['299 - "\x1b[31mred"'], ["[31mred"]),
    ],
)
def test_warnings_are_read(values: list[str], texts: list[str]) -> None:
    """RFC 7234 §5.5: several headers, several values in one, quotes inside; other codes than 299 are not for people."""
    assert read_warnings(values) == texts


@given(values=st.lists(st.text(max_size=40), max_size=3))
def test_any_warning_header_can_be_read(values: list[str]) -> None:
    """Malformed headers give no warning and no error."""
    assert all(read_warnings(values))

"""`kube.client`: what each call sends, and what it makes of the answer."""

from __future__ import annotations

import pytest

from kubectl_ray.errors import (
    AlreadyExists,
    Conflict,
    Invalid,
    NotAllowed,
    NotFound,
    ServerError,
    Unreachable,
    WrongUse,
)
from kubectl_ray.models.resources import PODS, RAYCLUSTERS
from tests.wire import ApiServer, client_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from kubectl_ray.kube.client import Client

WRITING = {"fieldManager": "kubectl-ray", "fieldValidation": "Strict"}


@pytest.fixture
def api() -> Iterator[ApiServer]:
    """A server whose login has the namespace `own`."""
    with ApiServer(namespace="own") as server:
        yield server


@pytest.fixture
def client(api: ApiServer) -> Client:
    """A client of that login."""
    return client_for(api)


def pod(name: str, namespace: str = "own", **labels: str) -> dict[str, Any]:
    """A pod with labels."""
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace, "labels": labels}}


def cluster(name: str = "c", **spec: Any) -> dict[str, Any]:
    """A Ray cluster with any spec."""
    return {"apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": name}, "spec": spec}


def names(items: Any) -> list[str]:
    """The names of objects."""
    return [item["metadata"]["name"] for item in items]


def test_get(api: ApiServer, client: Client) -> None:
    """One object, from the login's namespace unless another is named."""
    api.add(pod("a"), pod("a", "other"))
    assert client.get(PODS, "a")["metadata"]["namespace"] == "own"
    assert client.get(PODS, "a", "other")["metadata"]["namespace"] == "other"


def test_get_of_nothing(client: Client) -> None:
    """NotFound, in words."""
    with pytest.raises(NotFound, match='no pod "a" in namespace "own"'):
        client.get(PODS, "a")


def test_name_of_another_path_is_never_sent(api: ApiServer, client: Client) -> None:
    """A name such as `../x` is refused before a request is made."""
    with pytest.raises(WrongUse):
        client.get(PODS, "../secrets/x")
    with pytest.raises(WrongUse):
        client.delete(PODS, "")
    assert not api.requests


def test_list(api: ApiServer, client: Client) -> None:
    """Objects of the namespace, or of all with ""; the version is known at the end."""
    api.add(pod("a"), pod("b"), pod("c", "other"))
    listing = client.list(PODS)
    assert names(listing) == ["a", "b"]
    assert listing.resource_version == str(api.store.version)
    assert names(client.list(PODS, "")) == ["c", "a", "b"]
    assert names(client.list(PODS, "nowhere")) == []


def test_list_is_asked_for_in_one_piece(api: ApiServer, client: Client) -> None:
    """No limit is sent, and gzip is asked for."""
    list(client.list(PODS))
    assert api.requests[0].query == {}
    assert api.requests[0].headers["accept-encoding"] == "gzip"


def test_list_without_compression(api: ApiServer, client: Client) -> None:
    """`disable-compression` of the kubeconfig is honoured."""
    client.target.disable_compression = True
    list(client.list(PODS))
    assert "accept-encoding" not in api.requests[0].headers


def test_selectors_are_sent(api: ApiServer, client: Client) -> None:
    """Label and field selectors are the server's work."""
    api.add(pod("a", app="x"), pod("b", app="y"))
    assert names(client.list(PODS, label_selector="app=x")) == ["a"]
    assert names(client.list(PODS, field_selector="metadata.name=b")) == ["b"]


def test_long_packed_list(api: ApiServer, client: Client) -> None:
    """A long list comes gzipped, is read to its end, and its connection is used again."""
    api.add(*(pod(f"p{number:04}") for number in range(3000)))
    assert len(names(client.list(PODS))) == 3000
    assert len(names(client.list(PODS))) == 3000
    assert api.connections == 1


def test_pages(api: ApiServer, client: Client) -> None:
    """`limit` asks for pages; a token that expires between them costs no item and doubles none."""
    api.add(*(pod(f"p{number}") for number in range(7)))
    seen = []
    for item in client.list(PODS, limit=2):
        seen.append(item["metadata"]["name"])
        if len(seen) in {2, 6}:
            api.store.compact()
    assert seen == [f"p{number}" for number in range(7)]
    assert {request.query["limit"] for request in api.requests} == {"2"}


def test_list_from_a_cache(api: ApiServer, client: Client) -> None:
    """`resource_version="0"` is passed on."""
    list(client.list(PODS, resource_version="0"))
    assert api.requests[0].query == {"resourceVersion": "0"}


def test_list_that_is_not_allowed(api: ApiServer, client: Client) -> None:
    """The error comes where the list is asked for."""
    api.deny("list", "pods")
    with pytest.raises(NotAllowed, match="jane may not list pods in namespace own"):
        client.list(PODS)


def test_list_cut_off(api: ApiServer, client: Client) -> None:
    """A list that breaks off is an error after the items that came, never a shorter list."""
    api.add(*(pod(f"p{number}") for number in range(10)))
    api.fault(cut=900)
    with pytest.raises(ServerError, match="cut"):
        list(client.list(PODS))


def test_list_given_up_closes_its_connection(api: ApiServer, client: Client) -> None:
    """What is left of a list that nobody reads to its end is not read in secret."""
    api.add(*(pod(f"p{number:04}") for number in range(3000)))
    listing = client.list(PODS)
    next(listing)
    listing.close()
    client.get(PODS, "p0001")
    assert api.connections == 2


def test_create(api: ApiServer, client: Client) -> None:
    """POST with our field manager, and unknown fields refused."""
    made = client.create(RAYCLUSTERS, cluster(n=1))
    assert made["metadata"]["uid"]
    request = api.requests[0]
    assert (request.method, request.path) == ("POST", "/apis/ray.io/v1/namespaces/own/rayclusters")
    assert request.query == WRITING
    assert request.headers["content-type"] == "application/json"
    assert request.json == cluster(n=1)


def test_create_never_changes_what_is_there(api: ApiServer, client: Client) -> None:
    """A name that is taken is AlreadyExists."""
    client.create(RAYCLUSTERS, cluster(n=1))
    with pytest.raises(AlreadyExists):
        client.create(RAYCLUSTERS, cluster(n=2))
    assert api.store.get("rayclusters", "c", "own")["spec"] == {"n": 1}


def test_create_in_a_missing_namespace(client: Client) -> None:
    """The namespace is what is not found."""
    with pytest.raises(NotFound, match='no namespace "nowhere"'):
        client.create(RAYCLUSTERS, cluster(), "nowhere")


def test_dry_run_changes_nothing(api: ApiServer, client: Client) -> None:
    """`dryRun=All` on everything that writes; a delete has it in its options, where the server looks."""
    client.create(RAYCLUSTERS, cluster(), dry_run=True)
    assert api.requests[-1].query == {**WRITING, "dryRun": "All"}
    assert not api.store.has("rayclusters", "c", "own")
    client.create(RAYCLUSTERS, cluster(n=1))
    client.patch_json(RAYCLUSTERS, "c", [{"op": "replace", "path": "/spec/n", "value": 2}], dry_run=True)
    client.patch_merge(RAYCLUSTERS, "c", {"spec": {"n": 2}}, dry_run=True)
    client.apply(RAYCLUSTERS, "c", cluster(n=2), dry_run=True)
    client.delete(RAYCLUSTERS, "c", dry_run=True)
    assert api.requests[-1].json["dryRun"] == ["All"]
    assert api.store.get("rayclusters", "c", "own")["spec"] == {"n": 1}


def test_patch_json(api: ApiServer, client: Client) -> None:
    """RFC 6902 operations with their media type; the changed object comes back."""
    client.create(RAYCLUSTERS, cluster(n=1))
    operations = [{"op": "test", "path": "/spec/n", "value": 1}, {"op": "replace", "path": "/spec/n", "value": 2}]
    assert client.patch_json(RAYCLUSTERS, "c", operations)["spec"] == {"n": 2}
    assert api.requests[-1].headers["content-type"] == "application/json-patch+json"
    assert api.requests[-1].query == WRITING


def test_patch_json_whose_test_fails(client: Client) -> None:
    """A bare 422 is a Conflict: the server tells not which operation, but none was done."""
    client.create(RAYCLUSTERS, cluster(n=1))
    with pytest.raises(Conflict) as caught:
        client.patch_json(RAYCLUSTERS, "c", [{"op": "test", "path": "/spec/n", "value": 5}])
    assert caught.value.code == 422


def test_patch_json_to_something_invalid(api: ApiServer, client: Client) -> None:
    """A 422 with causes is Invalid: trying again helps nobody."""
    causes = [{"reason": "FieldValueInvalid", "message": "must be of type integer", "field": "spec.n"}]
    status = {"kind": "Status", "code": 422, "reason": "Invalid", "message": "x", "details": {"causes": causes}}
    api.fault(status=422, body=status)
    with pytest.raises(Invalid, match=r"spec\.n: must be of type integer"):
        client.patch_json(RAYCLUSTERS, "c", [{"op": "replace", "path": "/spec/n", "value": "x"}])


def test_patch_merge_of_a_subresource(api: ApiServer, client: Client) -> None:
    """A status is changed below /status."""
    client.create(RAYCLUSTERS, cluster(n=1))
    changed = client.patch_merge(RAYCLUSTERS, "c", {"spec": {"n": 5}, "status": {"x": 1}}, subresource="status")
    assert (changed["spec"], changed["status"]) == ({"n": 1}, {"x": 1})
    assert api.requests[-1].path.endswith("/rayclusters/c/status")
    assert api.requests[-1].headers["content-type"] == "application/merge-patch+json"


def test_apply(api: ApiServer, client: Client) -> None:
    """Server-side apply makes or changes; `force` is sent only when wanted."""
    client.apply(RAYCLUSTERS, "c", cluster(n=1))
    client.apply(RAYCLUSTERS, "c", cluster(n=2), force=True)
    assert api.store.get("rayclusters", "c", "own")["spec"] == {"n": 2}
    first, second = api.asked("PATCH")
    assert first.headers["content-type"] == "application/apply-patch+yaml"
    assert (first.query, second.query) == (WRITING, {**WRITING, "force": "true"})


def test_delete(api: ApiServer, client: Client) -> None:
    """The options go in the body; without finalizers a Status names what went."""
    made = client.create(RAYCLUSTERS, cluster())
    uid = made["metadata"]["uid"]
    gone = client.delete(RAYCLUSTERS, "c", propagation="Background", uid=uid, grace_seconds=0)
    assert gone["details"]["uid"] == uid
    assert api.requests[-1].json == {
        "kind": "DeleteOptions",
        "apiVersion": "v1",
        "propagationPolicy": "Background",
        "gracePeriodSeconds": 0,
        "preconditions": {"uid": uid},
    }
    assert not api.store.has("rayclusters", "c", "own")


def test_delete_of_another_object(client: Client) -> None:
    """A uid that is not the object's is a Conflict: it was made anew under the same name."""
    client.create(RAYCLUSTERS, cluster())
    with pytest.raises(Conflict, match="UID in the precondition"):
        client.delete(RAYCLUSTERS, "c", uid="another")


def test_delete_that_takes_a_while(client: Client) -> None:
    """An object that stays for its finalizers is given back."""
    client.create(RAYCLUSTERS, cluster())
    assert "deletionTimestamp" in client.delete(RAYCLUSTERS, "c", propagation="Foreground")["metadata"]


def test_warnings_are_collected_once(api: ApiServer, client: Client) -> None:
    """What the server remarks is kept for whoever shows it, each remark once."""
    api.add(pod("a"))
    header = {"Warning": '299 - "old version"'}
    api.fault(status=200, body=pod("a"), headers=header, times=2)
    client.get(PODS, "a")
    client.get(PODS, "a")
    assert client.warnings == ["old version"]


def test_missing_definition(api: ApiServer, client: Client) -> None:
    """A group the server does not know is NotFound with `missing_group`."""
    api.missing_groups.add("ray.io")
    with pytest.raises(NotFound) as caught:
        client.list(RAYCLUSTERS)
    assert caught.value.missing_group == "ray.io"


@pytest.mark.parametrize("body", [b"<html></html>", b"[]", b"", b'{"a":', b"\xff", b"[" * 100_000])
def test_answer_that_is_no_object(api: ApiServer, client: Client, body: bytes) -> None:
    """A success whose body is no object is a ServerError."""
    api.fault(status=200, body=body)
    with pytest.raises(ServerError):
        client.get(PODS, "a")


def test_raw(api: ApiServer, client: Client) -> None:
    """Any status is an answer; query and headers are sent as given."""
    api.route("/x", lambda request: (418, request.target.encode() + request.headers["x-a"].encode() + request.body))
    answer = client.raw("PUT", "/x", query={"q": "a b"}, headers=[("X-A", "1")], body=b"!")
    assert (answer.status, answer.body) == (418, b"/x?q=a%20b1!")
    assert answer.header("content-type").startswith("text/plain")


def test_raw_is_sent_once(api: ApiServer, client: Client) -> None:
    """What a service behind the proxy says of being busy is for the caller, who knows the service."""
    api.route("/x", lambda _: (503, b"connection refused"))
    assert client.raw("GET", "/x").status == 503
    assert len(api.requests) == 1


def test_raw_of_nobody(api: ApiServer, client: Client) -> None:
    """No connection is Unreachable."""
    api.stop()
    with pytest.raises(Unreachable):
        client.raw("GET", "/x")


def test_upgrade(api: ApiServer, client: Client) -> None:
    """A switch to another protocol gives the socket and what was already read from it."""
    api.fault(raw=b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nhello")
    asked = [("Connection", "Upgrade"), ("Upgrade", "x")]
    socket, already, headers = client.upgrade("GET", PODS, "a", subresource="exec", headers=asked, query={"q": "1"})
    with socket:
        rest = b"".join(iter(lambda: socket.recv(100), b""))
    assert already + rest == b"hello"
    assert ("upgrade", "x") in headers
    assert api.requests[0].headers["upgrade"] == "x"
    assert api.requests[0].target == "/api/v1/namespaces/own/pods/a/exec?q=1"


def test_upgrade_takes_the_idle_connection(api: ApiServer, client: Client) -> None:
    """No new connection is made where one is open already."""
    client.raw("GET", "/version")
    api.fault(raw=b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n")
    socket, _, _ = client.upgrade("GET", PODS, "a", subresource="exec", headers=[("Connection", "Upgrade")])
    socket.close()
    assert api.connections == 1


def test_upgrade_refused(api: ApiServer, client: Client) -> None:
    """A server that does not switch gives the error of its answer."""
    api.fail(403, "Forbidden", 'pods "x" is forbidden: User "jane" cannot create resource "pods/exec" in API group ""')
    with pytest.raises(NotAllowed, match="jane may not create pods/exec"):
        client.upgrade("POST", PODS, "x", subresource="exec", headers=[("Connection", "Upgrade")])

"""Binding, eviction, tokens, namespaces' finalizers, and questions about oneself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.sandbox.serving.world import CLUSTERS, MAPS, World, play

if TYPE_CHECKING:
    from pathlib import Path

PODS = "/api/v1/namespaces/lab/pods"
ACCOUNTS = "/api/v1/namespaces/lab/serviceaccounts"
SPEC = {"containers": [{"name": "c", "image": "i"}]}
BINDING = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "p"}, "target": {"kind": "Node", "name": "n1"}}
EVICTION = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "p", "namespace": "lab"}}
ACCESS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
RULES = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
ME = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
DONE = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


async def pod(world: World) -> None:
    """A pod `p` that waits for a node, with the service account it needs."""
    await world.make(ACCOUNTS, "default")
    await world.make(PODS, "p", spec=SPEC)


def test_binding(tmp_path: Path) -> None:
    """A pod is given to a node once."""

    async def story(world: World) -> None:
        await pod(world)
        answer = await world.ask("POST", f"{PODS}/p/binding", BINDING)
        assert (answer.code, answer.json) == (201, DONE)
        held = (await world.get(f"{PODS}/p")).json
        assert held["spec"]["nodeName"] == "n1"
        scheduled = next(each for each in held["status"]["conditions"] if each["type"] == "PodScheduled")
        assert scheduled["status"] == "True"
        again = await world.ask("POST", f"{PODS}/p/binding", BINDING)
        assert (again.code, again.json["message"]) == (
            409,
            'Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "n1"',
        )

    play(tmp_path, story)


def test_binding_to_nothing(tmp_path: Path) -> None:
    """A binding without a node is refused."""

    async def story(world: World) -> None:
        await pod(world)
        answer = await world.ask("POST", f"{PODS}/p/binding", {**BINDING, "target": {}})
        assert (answer.code, answer.json["message"]) == (500, "target.name: Required value")

    play(tmp_path, story)


def test_eviction(tmp_path: Path) -> None:
    """An eviction deletes."""

    async def story(world: World) -> None:
        await pod(world)
        answer = await world.ask("POST", f"{PODS}/p/eviction", EVICTION)
        assert (answer.code, answer.json) == (201, DONE)
        assert (await world.get(f"{PODS}/p")).code == 404
        missing = await world.ask("POST", f"{PODS}/p/eviction", EVICTION)
        assert (missing.code, missing.json["message"]) == (404, 'pods "p" not found')
        other = await world.ask("POST", f"{PODS}/q/eviction", EVICTION)
        assert (other.code, other.json["message"]) == (400, "name in URL does not match name in Eviction object")

    play(tmp_path, story)


@pytest.mark.parametrize("subresource", ["binding", "eviction"])
@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"kind":"Pod","apiVersion":"v1"}', b'{"metadata":5,"target":5,"deleteOptions":5}']
)
def test_bad_bodies(tmp_path: Path, subresource: str, body: bytes) -> None:
    """What is no binding and no eviction is refused."""

    async def story(world: World) -> None:
        await pod(world)
        answer = await world.ask("POST", f"{PODS}/p/{subresource}", body)
        assert answer.code in {400, 500}
        assert "Internal error" not in answer.text

    play(tmp_path, story)


def test_service_account_token(tmp_path: Path) -> None:
    """A token of a service account is a login, as long as the account lives."""

    async def story(world: World) -> None:
        await world.make(ACCOUNTS, "weak")
        body = {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "spec": {}}
        answer = await world.ask("POST", f"{ACCOUNTS}/weak/token", body)
        assert (answer.code, answer.json["spec"]["expirationSeconds"]) == (201, 3600)
        token = answer.json["status"]["token"]
        me = await world.ask("POST", ME, {"kind": "SelfSubjectReview"}, token=token)
        assert me.json["status"]["userInfo"]["username"] == "system:serviceaccount:lab:weak"
        refused = await world.ask("GET", MAPS, token=token)
        assert refused.code == 403
        assert refused.json["message"] == (
            'configmaps is forbidden: User "system:serviceaccount:lab:weak" cannot list resource "configmaps" in API'
            ' group "" in the namespace "lab"'
        )
        await world.ask("DELETE", f"{ACCOUNTS}/weak")
        assert (await world.ask("GET", MAPS, token=token)).code == 401

    play(tmp_path, story)


@pytest.mark.parametrize("spec", [5, {"expirationSeconds": "x"}, {"audiences": 5}, {"boundObjectRef": {"kind": 5}}])
def test_bad_token_requests(tmp_path: Path, spec: Any) -> None:
    """Fields of other types are refused."""

    async def story(world: World) -> None:
        await world.make(ACCOUNTS, "weak")
        answer = await world.ask("POST", f"{ACCOUNTS}/weak/token", {"spec": spec})
        assert (answer.code, answer.json["reason"]) == (400, "BadRequest")

    play(tmp_path, story)


def test_rights_by_a_role(tmp_path: Path) -> None:
    """What a role gives is allowed, is told by a review, and nothing else is."""

    async def story(world: World) -> None:
        rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/lab"
        rules = [{"apiGroups": ["ray.io"], "resources": ["rayclusters"], "verbs": ["list"]}]
        await world.make(f"{rbac}/roles", "reader", rules=rules)
        await world.make(
            f"{rbac}/rolebindings",
            "reader",
            roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
            subjects=[{"kind": "User", "name": "jane", "apiGroup": "rbac.authorization.k8s.io"}],
        )
        assert (await world.get(CLUSTERS, Impersonate_User="jane")).code == 200
        assert (await world.get("/apis/ray.io/v1/rayclusters", Impersonate_User="jane")).code == 403
        for verb, allowed in (("list", True), ("create", False)):
            asked = {"namespace": "lab", "verb": verb, "group": "ray.io", "resource": "rayclusters"}
            body = {"spec": {"resourceAttributes": asked}}
            answer = await world.ask("POST", ACCESS, body, Impersonate_User="jane")
            assert (answer.code, answer.json["status"]) == (201, {"allowed": allowed})
        told = await world.ask("POST", RULES, {"spec": {"namespace": "lab"}}, Impersonate_User="jane")
        assert {"verbs": ["list"], "apiGroups": ["ray.io"], "resources": ["rayclusters"]} in told.json["status"][
            "resourceRules"
        ]
        assert told.json["status"]["incomplete"] is False

    play(tmp_path, story)


def test_review_of_a_path(tmp_path: Path) -> None:
    """Paths can be asked for too."""

    async def story(world: World) -> None:
        for path, allowed in (("/healthz", True), ("/logs", False)):
            body = {"spec": {"nonResourceAttributes": {"verb": "get", "path": path}}}
            answer = await world.ask("POST", ACCESS, body, Impersonate_User="jane")
            assert answer.json["status"] == {"allowed": allowed}

    play(tmp_path, story)


def test_review_of_nothing(tmp_path: Path) -> None:
    """A review must ask for one thing."""

    async def story(world: World) -> None:
        answer = await world.ask("POST", ACCESS, {"spec": {}})
        assert answer.code == 422
        assert answer.json["message"] == (
            '.authorization.k8s.io "" is invalid: spec.resourceAttributes: Invalid value: null: exactly one of'
            " nonResourceAttributes or resourceAttributes must be specified"
        )

    play(tmp_path, story)


def test_rules_need_a_namespace(tmp_path: Path) -> None:
    """What one may can be asked for one namespace only."""

    async def story(world: World) -> None:
        answer = await world.ask("POST", RULES, {"spec": {}})
        assert (answer.code, answer.json["message"]) == (400, "no namespace on request")

    play(tmp_path, story)


@pytest.mark.parametrize("path", [ACCESS, RULES, ME])
def test_reviews_are_made_only(tmp_path: Path, path: str) -> None:
    """A review is nothing that is kept."""

    async def story(world: World) -> None:
        assert (await world.get(path)).code == 405
        for body in (b"{", b"[]", b'{"kind":"Pod"}', b'{"spec":5}', b'{"spec":{"resourceAttributes":{"verb":5}}}'):
            answer = await world.ask("POST", path, body)
            assert answer.code in {201, 400, 422}, answer.text

    play(tmp_path, story)


def test_admin_may_everything(tmp_path: Path) -> None:
    """The admin is of system:masters."""

    async def story(world: World) -> None:
        me = await world.ask("POST", ME, {})
        assert me.json["status"]["userInfo"]["groups"] == ["system:masters", "system:authenticated"]
        told = await world.ask("POST", RULES, {"spec": {"namespace": "lab"}})
        assert {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]} in told.json["status"]["resourceRules"]

    play(tmp_path, story)


def test_finalize(tmp_path: Path) -> None:
    """A namespace's finalizers are taken off by its own subresource."""

    async def story(world: World) -> None:
        await world.ask("DELETE", "/api/v1/namespaces/lab")
        held = (await world.get("/api/v1/namespaces/lab")).json
        assert held["status"]["phase"] == "Terminating"
        held["spec"]["finalizers"] = []
        answer = await world.ask("PUT", "/api/v1/namespaces/lab/finalize", held)
        assert answer.code == 200, answer.text
        assert (await world.get("/api/v1/namespaces/lab")).code == 404

    play(tmp_path, story)

"""The server from outside: TLS, logins, unknown paths, what it says of itself, how it takes what is malformed."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_ray.sandbox.serving import server as module
from tests.unit.sandbox.serving.world import CLUSTERS, JSON, MAPS, World, play, world

if TYPE_CHECKING:
    from pathlib import Path

REVIEW = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
ME = {"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1"}


def test_version(tmp_path: Path) -> None:
    """It behaves as the Kubernetes whose version it gives, and says what it is."""

    async def story(world: World) -> None:
        answer = await world.get("/version")
        assert (answer.json["gitVersion"], answer.json["minor"]) == ("v1.36.1+kubectl-ray-sandbox", "36")

    play(tmp_path, story)


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz"])
def test_health_needs_no_login(tmp_path: Path, path: str) -> None:
    """Whether it is well can be asked by everybody."""

    async def story(world: World) -> None:
        answer = await world.ask("GET", path, token="")
        assert (answer.code, answer.text) == (200, "ok")

    play(tmp_path, story)


@pytest.mark.parametrize(
    "path", ["/nope", "/apis/nope.io/v1/foos", "/apis/ray.io/v1/namespaces/lab/rayfoos", "/apis/ray.io/v2"]
)
def test_unknown_path(tmp_path: Path, path: str) -> None:
    """A path that nothing is at gives plain words, by which clients know that a CRD is missing."""

    async def story(world: World) -> None:
        answer = await world.get(path)
        assert (answer.code, answer.text) == (404, "404 page not found\n")
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"

    play(tmp_path, story)


@pytest.mark.parametrize(
    "path", ["/api/v1/nope", "/api/v2", "/api/v2/x", "/api/v1/namespaces/lab/pods/x/nope", "/apis/batch/v1/nope"]
)
def test_unknown_kind_of_a_built_in_group(tmp_path: Path, path: str) -> None:
    """In a group that Kubernetes itself has, an unknown kind gives a Status."""

    async def story(world: World) -> None:
        answer = await world.get(path)
        assert (answer.code, answer.json["message"]) == (404, "the server could not find the requested resource")

    play(tmp_path, story)


@pytest.mark.parametrize("path", ["/api", "/version", "/apis/batch/v1"])
def test_paths_that_are_only_got(tmp_path: Path, path: str) -> None:
    """What the server says of itself cannot be written."""

    async def story(world: World) -> None:
        assert (await world.ask("POST", path, {})).code == 405

    play(tmp_path, story)


def test_root(tmp_path: Path) -> None:
    """The root lists what there is."""

    async def story(world: World) -> None:
        paths = (await world.get("/")).json["paths"]
        assert {"/api/v1", "/apis/ray.io/v1", "/version"} <= set(paths)
        for path in paths:
            assert (await world.get(path)).code == 200, path

    play(tmp_path, story)


def test_head(tmp_path: Path) -> None:
    """HEAD is GET without a body, but not for Kubernetes' own kinds."""

    async def story(world: World) -> None:
        for path, code in (("/version", 200), (CLUSTERS, 200), (MAPS, 405)):
            answer = await world.ask("HEAD", path)
            assert (answer.code, answer.body) == (code, b"")

    play(tmp_path, story)


def test_wrong_token(tmp_path: Path) -> None:
    """A token that is nobody's is refused before anything else."""

    async def story(world: World) -> None:
        answer = await world.ask("GET", "/version", token="x" * 40)
        assert answer.code == 401
        assert answer.json == {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": "Unauthorized",
            "reason": "Unauthorized",
            "code": 401,
        }

    play(tmp_path, story)


def test_anonymous(tmp_path: Path) -> None:
    """Without a login one is system:anonymous, who may do nothing with objects."""

    async def story(world: World) -> None:
        answer = await world.ask("GET", CLUSTERS, token="")
        assert answer.code == 403
        assert answer.json["message"] == (
            'rayclusters.ray.io is forbidden: User "system:anonymous" cannot list resource "rayclusters" in API group'
            ' "ray.io" in the namespace "lab"'
        )
        assert answer.json["details"] == {"group": "ray.io", "kind": "rayclusters"}

    play(tmp_path, story)


def test_anonymous_path(tmp_path: Path) -> None:
    """The same for paths that are no object's."""

    async def story(world: World) -> None:
        answer = await world.ask("GET", "/", token="")
        assert (answer.code, answer.json["message"]) == (
            403,
            'forbidden: User "system:anonymous" cannot get path "/"',
        )

    play(tmp_path, story)


def test_token_file(tmp_path: Path) -> None:
    """The admin's token and the key are their owner's alone, and stay what they are over a restart."""

    async def story(made: World) -> None:
        assert stat.S_IMODE((tmp_path / "serving/token").stat().st_mode) == 0o600
        assert stat.S_IMODE((tmp_path / "serving/server.pem").stat().st_mode) == 0o600
        before = made.server.token, made.server.authority
        async with world(tmp_path) as again:
            assert (again.server.token, again.server.authority) == before

    play(tmp_path, story)


@pytest.mark.parametrize("name", ["token", "ca.crt", "server.pem"])
def test_damaged_files(tmp_path: Path, name: str) -> None:
    """A certificate or a token that cannot be used any more is made again."""

    async def story(made: World) -> None:
        await made.server.stop()
        (tmp_path / "serving" / name).write_bytes(b"\xff nonsense")
        async with world(tmp_path) as again:
            assert (await again.get(MAPS)).code == 200

    play(tmp_path, story)


def test_impersonation(tmp_path: Path) -> None:
    """The admin may ask in another's name; the answer is as that one would get it."""

    async def story(world: World) -> None:
        answer = await world.ask(
            "POST",
            REVIEW,
            ME,
            Impersonate_User="jane",
            Impersonate_Group="devs",
            Impersonate_Uid="7",
            **{"Impersonate_Extra_acme.com%2Fproject": "foo"},
        )
        assert answer.json["status"]["userInfo"] == {
            "username": "jane",
            "uid": "7",
            "groups": ["devs", "system:authenticated"],
            "extra": {"acme.com/project": ["foo"]},
        }
        refused = await world.get("/api/v1/nodes/x", Impersonate_User="jane")
        assert refused.json["message"] == (
            'nodes "x" is forbidden: User "jane" cannot get resource "nodes" in API group "" at the cluster scope'
        )

    play(tmp_path, story)


def test_impersonated_service_account(tmp_path: Path) -> None:
    """A service account's groups come with its name."""

    async def story(world: World) -> None:
        answer = await world.ask("POST", REVIEW, ME, Impersonate_User="system:serviceaccount:lab:weak")
        assert answer.json["status"]["userInfo"]["groups"] == [
            "system:serviceaccounts",
            "system:serviceaccounts:lab",
            "system:authenticated",
        ]

    play(tmp_path, story)


def test_impersonation_without_a_name(tmp_path: Path) -> None:
    """A group alone is nobody."""

    async def story(world: World) -> None:
        answer = await world.ask("POST", REVIEW, ME, Impersonate_Group="devs")
        assert answer.code == 400
        assert answer.json["message"] == (
            'requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"devs"}, Extra:map[string][]string(nil)}'
            " without impersonating a user name"
        )

    play(tmp_path, story)


def test_impersonation_by_nobody(tmp_path: Path) -> None:
    """Who has no right to may not ask in another's name."""

    async def story(world: World) -> None:
        answer = await world.ask("GET", MAPS, token="", Impersonate_User="jane")
        assert answer.code == 403
        assert answer.json["message"] == (
            'users "jane" is forbidden: User "system:anonymous" cannot impersonate resource "users" in API group ""'
            " at the cluster scope"
        )

    play(tmp_path, story)


def test_other_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that does not come from this machine is refused, whatever its login."""

    async def story(world: World) -> None:
        monkeypatch.setattr(module, "_is_loopback", lambda _request: False)
        assert (await world.get("/version")).code == 403

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("peer", "inside"),
    [
        (("127.0.0.1", 1), True),
        (("127.9.9.9", 1), True),
        (("::1", 1, 0, 0), True),
        (("::ffff:127.0.0.1", 1, 0, 0), True),
        (("10.0.0.5", 1), False),
        (("fe80::1%eth0", 1, 0, 0), False),
        (("nonsense", 1), False),
        (None, False),
    ],
)
def test_what_loopback_is(peer: Any, *, inside: bool) -> None:
    """Only addresses of loopback are this machine."""

    class Transport:
        def get_extra_info(self, _name: str) -> Any:
            return peer

    class Request:
        transport = Transport()

    assert module._is_loopback(Request()) == inside  # type: ignore[arg-type]


def test_it_listens_on_loopback_only(tmp_path: Path) -> None:
    """The socket itself is bound to 127.0.0.1."""

    async def story(world: World) -> None:
        assert world.server._runner is not None
        assert [address[0] for address in world.server._runner.addresses] == ["127.0.0.1"]

    play(tmp_path, story)


def test_connections_are_kept(tmp_path: Path) -> None:
    """Two requests share a connection."""

    async def story(world: World) -> None:
        for _ in range(3):
            assert (await world.get("/version")).code == 200
        runner = world.server._runner
        assert runner is not None
        assert runner.server is not None
        assert len(runner.server.connections) == 1

    play(tmp_path, story)


def test_a_defect_is_an_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An unexpected failure is a 500 Status and a line in the log; the connection lives on."""

    async def story(world: World) -> None:
        monkeypatch.setattr(world.objects, "get", lambda *_: 1 / 0)
        answer = await world.get(f"{MAPS}/x")
        assert (answer.code, answer.json["reason"]) == (500, "InternalError")
        assert (await world.get("/version")).code == 200

    play(tmp_path, story)
    assert "ZeroDivisionError" in caplog.text


def test_too_large(tmp_path: Path) -> None:
    """More than 3 MiB is refused, told beforehand or not."""

    async def story(world: World) -> None:
        big = b'{"data":{"a":"' + b"x" * (3 * 1024 * 1024) + b'"}}'
        told = await world.ask("POST", MAPS, big)

        async def pieces() -> Any:
            for start in range(0, len(big), 65536):
                yield big[start : start + 65536]

        headers = {"Authorization": f"Bearer {world.server.token}", "Content-Type": JSON}
        async with world.session.post(world.server.url + MAPS, data=pieces(), headers=headers) as untold:
            assert (told.code, untold.status) == (413, 413)
        assert told.json["message"] == "Request entity too large: limit is 3145728"

    play(tmp_path, story)


def test_just_not_too_large(tmp_path: Path) -> None:
    """Up to that a request is taken, also by a client that waits for permission to send."""

    async def story(world: World) -> None:
        body = {"metadata": {"name": "big"}, "data": {"a": "x" * 900_000}}
        assert (await world.ask("POST", MAPS, body, Expect="100-continue")).code == 201

    play(tmp_path, story)

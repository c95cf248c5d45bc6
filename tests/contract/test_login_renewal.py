"""A login that is refused: one new try after a 401 if the login has changed; none after a 403."""

from __future__ import annotations

import contextlib
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_ray.kube.client import Client
from kubectl_ray.kube.credentials import Credentials
from kubectl_ray.kube.kubeconfig import Target
from tests.wire.certificates import Identity, authority, identity
from tests.wire.recorder import Recorder, Seen, tls_recorder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

V1 = "client.authentication.k8s.io/v1"
PATH = "/apis/ray.io/v1/namespaces/default/rayclusters"


@pytest.fixture(name="server")
def _server() -> Iterator[Recorder]:
    with tls_recorder() as record:
        yield record


def _plugin(folder: Path, *answers: dict[str, Any]) -> dict[str, Any]:
    """An exec plugin whose first run gives the first answer, and so on; the last one stays."""
    for number, status in enumerate(answers):
        document = {"apiVersion": V1, "kind": "ExecCredential", "status": status}
        (folder / f"answer-{number}").write_text(json.dumps(document))
    path = folder / "plugin"
    path.write_text(
        "#!/bin/sh\n"
        f"runs=$(cat {folder}/runs 2>/dev/null || echo 0)\n"
        f"echo $((runs + 1)) > {folder}/runs\n"
        f"[ -e {folder}/answer-$runs ] || runs={len(answers) - 1}\n"
        f"cat {folder}/answer-$runs\n"
    )
    path.chmod(0o755)
    return {"exec": {"command": str(path), "apiVersion": V1, "interactiveMode": "Never"}}


def _runs(folder: Path) -> int:
    return int((folder / "runs").read_text())


def _client(server: Recorder, user: dict[str, Any]) -> contextlib.closing[Client]:
    cluster = {"certificate-authority-data": authority().pem}
    target = Target(f"https://127.0.0.1:{server.port}", cluster, user)
    env = {"PATH": "/usr/bin:/bin"}
    return contextlib.closing(Client(target, Credentials(target, env, interactive=False, stderr=io.StringIO()), env))


def _only(good: str, otherwise: int) -> Callable[[Seen], int]:
    return lambda seen: 200 if seen.header("authorization") == f"Bearer {good}" else otherwise


def test_plugin_runs_again_after_401(server: Recorder, tmp_path: Path) -> None:
    """A refused token is replaced by the plugin's next one, and the request is sent once more."""
    server.status = _only("two", 401)
    with _client(server, _plugin(tmp_path, {"token": "one"}, {"token": "two"})) as client:
        assert client.raw("GET", PATH).status == 200
    assert [seen.header("authorization") for seen in server.seen] == ["Bearer one", "Bearer two"]


def test_only_one_new_try(server: Recorder, tmp_path: Path) -> None:
    """A login that is refused again is refused."""
    server.status = _only("never", 401)
    with _client(server, _plugin(tmp_path, {"token": "one"}, {"token": "two"}, {"token": "three"})) as client:
        assert client.raw("GET", PATH).status == 401
    assert (len(server.seen), _runs(tmp_path)) == (2, 2)


def test_no_try_with_the_same_token(server: Recorder, tmp_path: Path) -> None:
    """The same token again would be refused again."""
    server.status = _only("never", 401)
    with _client(server, _plugin(tmp_path, {"token": "one"})) as client:
        assert client.raw("GET", PATH).status == 401
    assert (len(server.seen), _runs(tmp_path)) == (1, 2)


def test_no_try_after_403(server: Recorder, tmp_path: Path) -> None:
    """403 is about rights: neither plugin nor request is run again."""
    server.status = _only("two", 403)
    with _client(server, _plugin(tmp_path, {"token": "one"}, {"token": "two"})) as client:
        assert client.raw("GET", PATH).status == 403
    assert (len(server.seen), _runs(tmp_path)) == (1, 1)


def test_new_certificate_on_a_new_connection(server: Recorder, tmp_path: Path) -> None:
    """A renewed client certificate needs a new connection: the old one proved the old login."""
    ada, bob = identity("ada"), identity("bob")
    server.status = lambda seen: 200 if seen.certificate == bob.digest else 401
    with _client(server, _plugin(tmp_path, _issued(ada), _issued(bob))) as client:
        assert client.raw("GET", PATH).status == 200
    assert [seen.certificate for seen in server.seen] == [ada.digest, bob.digest]


def test_rotated_token_file(server: Recorder, tmp_path: Path) -> None:
    """A token file that was rotated before its minute was over is read at once after a 401."""
    path = tmp_path / "token"
    path.write_text("one")
    with _client(server, {"tokenFile": str(path)}) as client:
        assert client.raw("GET", PATH).status == 200
        server.status = _only("two", 401)
        path.write_text("two")
        assert client.raw("GET", PATH).status == 200
    assert [seen.header("authorization") for seen in server.seen] == ["Bearer one", "Bearer one", "Bearer two"]


def _issued(who: Identity) -> dict[str, Any]:
    return {"clientCertificateData": who.certificate.decode(), "clientKeyData": who.key.decode()}

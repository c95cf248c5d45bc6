"""No login, a wrong or expired one, too few rights, no KubeRay, no server: what is wrong, what to do, its exit code."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.harness.front import status_object
from tests.e2e.harness.logins import READER
from tests.e2e.harness.objects import suspended, untouched

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.harness.faults import Faults
    from tests.e2e.harness.front import Front
    from tests.e2e.harness.logins import Logins
    from tests.e2e.harness.oracle import Kubectl
    from tests.e2e.harness.running import Ray
    from tests.e2e.plugin import Suite

EVERY_COMMAND = (
    "cluster list",
    "cluster get x",
    "cluster describe x",
    "cluster nodes x",
    "cluster create x --no-wait",
    "cluster scale --cluster x --replicas=2",
    "cluster worker-group create g --cluster x",
    "cluster worker-group list --cluster x",
    "cluster delete x --yes",
)
TOKEN = {"token": "any"}
NOWHERE = "--head-node-selectors=nowhere=here --worker-node-selectors=nowhere=here"


def wise(said: str) -> list[str]:
    """The lines of an error; the last one says what to do, so there are two at least."""
    lines = [line for line in said.splitlines() if line.strip()]
    assert len(lines) >= 2, said
    return lines


@pytest.mark.parametrize("line", EVERY_COMMAND)
def test_no_kubeconfig(ray: Ray, tmp_path: Path, line: str) -> None:
    """No login at all: said so, with the way to one."""
    said = ray.having(KUBECONFIG="", HOME=str(tmp_path)).outcome(line)
    assert said.code == 4, said
    assert "kubeconfig" in " ".join(wise(said.err)).lower()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "line"),
        ("just text", "kubeconfig"),
        ("apiVersion: v1\nkind: Config\ncurrent-context: gone\n", "gone"),
        ("apiVersion: v1\nkind: Config\nclusters: 7\n", "clusters"),
    ],
)
def test_broken_kubeconfig(ray: Ray, tmp_path: Path, text: str, told: str) -> None:
    """The file is named, and what is wrong in it."""
    path = tmp_path / "broken.kubeconfig"
    path.write_text(text)
    said = ray.having(KUBECONFIG=str(path)).outcome("cluster list")
    assert said.code in {1, 2, 4, 5}, said
    assert "Traceback" not in said.err
    assert told in said.err


def test_unknown_context(ray: Ray) -> None:
    """A context that is not there: exit code 5, and those there are."""
    said = ray("cluster list --context nosuch", code=5)
    assert "nosuch" in said.err


@pytest.mark.parametrize("line", EVERY_COMMAND)
def test_wrong_token(ray: Ray, logins: Logins, line: str) -> None:
    """A token that the server does not take: exit code 4, and to log in again."""
    said = ray.having(KUBECONFIG=logins.write("wrong", user={"token": "stale-secret"}))(line, code=4)
    assert "log" in " ".join(wise(said.err)).lower()
    assert "stale-secret" not in said.err


@pytest.mark.parametrize("line", EVERY_COMMAND)
def test_no_rights_at_all(ray: Ray, logins: Logins, line: str) -> None:
    """A user who may do nothing: exit code 4, the verb and the resource in words, and whom to ask."""
    said = ray.having(KUBECONFIG=logins.with_rights("nobody"))(line, code=4)
    wise(said.err)
    assert "nobody" in said.err or "may not" in said.err


def test_may_read_only(ray: Ray, kubectl: Kubectl, logins: Logins, fresh: Callable[[str], str]) -> None:
    """A reader lists, and is refused what writes, word for word what right is missing."""
    name = fresh("read")
    kubectl.create(suspended(name))
    reader = ray.having(KUBECONFIG=logins.with_rights("reader", *READER))
    assert name in reader("cluster list").out
    for line, verb in (
        (f"cluster create {name}-b --no-wait", "create"),
        (f"cluster scale --cluster {name} --replicas=2", "patch"),
        (f"cluster delete {name} --yes", "delete"),
    ):
        assert verb in reader(line, code=4).err
    assert kubectl.find("raycluster", name)


def test_pods_may_not_be_listed(ray: Ray, kubectl: Kubectl, logins: Logins, fresh: Callable[[str], str]) -> None:
    """Without the right to list pods the rows are there, and what a status cannot be trusted for says so."""
    name = fresh("sticky")
    kubectl.create(untouched(name))
    kubectl.set_status("raycluster", name, {"state": "ready", "desiredWorkerReplicas": 5, "readyWorkerReplicas": 5})
    row = ray.having(KUBECONFIG=logins.with_rights("reader", *READER))(f"cluster get {name} --no-headers").rows[0]
    assert row[0] == name
    assert row[1] != "ready"
    assert row[2] == "<no permission>"


def test_one_namespace_only(ray: Ray, logins: Logins) -> None:
    """-A without the right to it: exit code 4, and -n named as the way out."""
    said = ray.having(KUBECONFIG=logins.with_rights("reader", *READER))("cluster list -A", code=4)
    assert "-n" in said.err or "namespace" in said.err


def test_create_waits_without_rights_to_pods(ray: Ray, logins: Logins, fresh: Callable[[str], str]) -> None:
    """A creator who may not see pods still gets a wait, by the status, and is told what is missing."""
    name = fresh("blind")
    maker = logins.with_rights("maker", ("ray.io", "rayclusters", "get,list,watch,create"))
    said = ray.having(KUBECONFIG=maker)(f"cluster create {name} --timeout=4s {NOWHERE}", code=3, within=40)
    assert "no permission" in said.err


@pytest.mark.parametrize("line", EVERY_COMMAND)
def test_no_kuberay(front: Front, ray_by_front: Ray, line: str) -> None:
    """A cluster without KubeRay's resources: exit code 5, and that KubeRay is not installed."""
    front.hide("ray.io")
    said = ray_by_front(line, code=5)
    assert "KubeRay" in " ".join(wise(said.err))


def test_expired_while_it_waits(front: Front, ray_by_front: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """A login that ends during a wait: exit code 4, and the cluster stays."""
    name = fresh("expire")
    with ray_by_front.live(f"cluster create {name} {NOWHERE}") as running:
        running.see("Waiting for", within=30)
        front.answer(r"\S+ /api", 401, status_object(401, "Unauthorized", "Unauthorized"))
        front.cut()
        front.restore()
        ended = running.ended(within=60)
    assert ended.code == 4, ended
    assert kubectl.find("raycluster", name)


@pytest.mark.parametrize("line", EVERY_COMMAND)
def test_server_down(ray: Ray, logins: Logins, line: str) -> None:
    """Nobody listens: exit code 1, the address, and what to check."""
    said = ray.having(KUBECONFIG=logins.write("down", server={"server": "https://127.0.0.1:1"}, user=TOKEN))(
        line, code=1
    )
    assert "127.0.0.1:1" in " ".join(wise(said.err))


def test_unknown_host(ray: Ray, logins: Logins) -> None:
    """A name that does not resolve is named."""
    login = logins.write("host", server={"server": "https://no-such-host.invalid"}, user=TOKEN)
    said = ray.having(KUBECONFIG=login)
    assert "no-such-host.invalid" in said("cluster list", code=1).err


def test_untrusted_certificate(ray: Ray, logins: Logins) -> None:
    """A server whose certificate the kubeconfig does not vouch for: said so, not retried without."""
    server = {key: value for key, value in logins.server.items() if not key.startswith("certificate-authority")}
    if not server["server"].startswith("https:"):
        pytest.skip("this cluster's API server speaks no TLS")
    said = ray.having(KUBECONFIG=logins.write("stranger", server=server, user=logins.user))("cluster list", code=1)
    assert "certificate" in said.err


def test_not_an_api_server(front: Front, ray_by_front: Ray) -> None:
    """Something else answers: a page of HTML is not shown as an answer."""
    front.answer(r"GET ", 200, b"<html>Sign in</html>", "text/html")
    said = ray_by_front("cluster list", code=1)
    assert "<html>" not in said.out


@pytest.mark.parametrize("status", [500, 502, 503])
def test_server_errors(front: Front, ray_by_front: Ray, status: int) -> None:
    """The server's trouble is named with its number."""
    front.answer(r"GET .*rayclusters", status, b"upstream is ill", "text/plain")
    assert str(status) in ray_by_front("cluster list", code=1, within=90).err


def test_request_timeout(front: Front, ray_by_front: Ray) -> None:
    """--request-timeout ends a request that hangs."""
    front.hold(r"GET .*rayclusters")
    said = ray_by_front.outcome("cluster list --request-timeout=1s", within=20)
    assert said.code in {1, 3}, said
    assert "1s" in said.err or "1 s" in said.err or "--request-timeout" in said.err


def test_connection_breaks_while_waiting(
    front: Front, ray_by_front: Ray, kubectl: Kubectl, fresh: Callable[[str], str]
) -> None:
    """A short break during a wait is survived: the wait goes on and ends as it would have."""
    name = fresh("break")
    kubectl.create(suspended(name, metadata={"finalizers": ["example.com/hold"]}))
    released = False
    try:
        with ray_by_front.live(f"cluster delete {name} --yes") as running:
            running.see("Waiting for", within=30)
            front.cut()
            front.restore()
            kubectl("patch", "raycluster", name, "--type=merge", "-p", '{"metadata": {"finalizers": null}}')
            released = True
            running.ended(within=60).expect(0)
    finally:
        if not released:
            kubectl("patch", "raycluster", name, "--type=merge", "-p", '{"metadata": {"finalizers": null}}')


def test_server_gone_while_waiting(
    front: Front, ray_by_front: Ray, kubectl: Kubectl, fresh: Callable[[str], str]
) -> None:
    """The server goes away for good: the wait ends by its time or says that nobody answers, and nothing is undone."""
    name = fresh("gone")
    with ray_by_front.live(f"cluster create {name} --timeout=15s {NOWHERE}") as running:
        running.see("Waiting for", within=30)
        front.cut()
        ended = running.ended(within=90)
    assert ended.code in {1, 3}, ended
    assert "Traceback" not in ended.err
    assert kubectl.find("raycluster", name)


def test_exec_plugin_missing(ray: Ray, logins: Logins) -> None:
    """A login program that is not installed: its name and the kubeconfig's hint."""
    login = logins.by_program("missing", "no-such-login-program", installHint="Install it from the shop.")
    said = ray.having(KUBECONFIG=login)("cluster list", code=4)
    assert "no-such-login-program" in said.err
    assert "Install it from the shop." in said.err


def test_exec_plugin_fails(ray: Ray, logins: Logins) -> None:
    """A login program that fails: exit code 4, its name."""
    assert "false" in ray.having(KUBECONFIG=logins.by_program("fails", "false"))("cluster list", code=4).err


def test_exec_plugin_logs_in(ray: Ray, logins: Logins, suite: Suite) -> None:
    """A login program that gives a token is a login like any other."""
    answer = suite.folder / "credential.json"
    logins.credential(answer, logins.with_rights("by-exec", *READER))
    ray.having(KUBECONFIG=logins.by_program("works", "cat", args=[str(answer)]))("cluster list")


def test_secrets_are_never_shown(ray: Ray, logins: Logins) -> None:
    """Not even the loudest talk shows a token or a key."""
    login = logins.with_rights("loud", *READER)
    token = json.loads(Path(login).read_text())["users"][0]["user"]["token"]
    said = ray.having(KUBECONFIG=login)("cluster list -v=9")
    assert "rayclusters" in said.err
    assert token not in said.out + said.err
    assert token.split(".")[2] not in said.out + said.err


@pytest.mark.only("real", why="the sandbox's login is a token, it has no key")
def test_keys_never_lie_around(ray: Ray, logins: Logins, tmp_path: Path) -> None:
    """A client key in the kubeconfig leaves no file that others can read, and none at all afterwards."""
    key = logins.user["client-key-data"]
    ray.having(TMPDIR=str(tmp_path))("cluster list")
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert all(base64.b64decode(key) not in path.read_bytes() for path in left)
    assert all(not stat.S_IMODE(path.stat().st_mode) & 0o077 for path in left)


def test_impersonation(ray: Ray, logins: Logins, namespace: str) -> None:
    """--as acts as somebody else, with their rights."""
    logins.with_rights("ghost", *READER)
    ghost = f"system:serviceaccount:{namespace}:ghost"
    ray(f"cluster list --as={ghost}")
    assert "ghost" in ray(f"cluster list -A --as={ghost}", code=4).err


@pytest.mark.only("real", why="no API server gives out tokens of less than ten minutes; the real one's key is at hand")
def test_expired_token(ray: Ray, faults: Faults, suite: Suite) -> None:
    """A real token that was good and expired: exit code 4, and to log in again."""
    login = faults.kubeconfig_of_an_expired_token(suite.folder, suite.namespace)
    said = ray.having(KUBECONFIG=str(login))("cluster list", code=4)
    assert "expired" in said.err
    assert "Log in again" in said.err


@pytest.mark.full
@pytest.mark.only("real", why="the sandbox's operator is not a part of its own that could stop")
def test_operator_stopped(ray: Ray, kubectl: Kubectl, faults: Faults, fresh: Callable[[str], str]) -> None:
    """No operator runs: the wait says that nobody notices the cluster, ends by its time, and the cluster stays."""
    name = fresh("noop")
    with faults.stopped("operator"):
        said = ray(f"cluster create {name} --timeout=8s {NOWHERE}", code=3, within=60)
    assert "operator" in said.err
    assert kubectl.find("raycluster", name)


@pytest.mark.full
@pytest.mark.only("real", why="the sandbox's end is a case of its own: test_sandbox_faults.py")
def test_api_server_stopped_while_waiting(
    ray: Ray, kubectl: Kubectl, faults: Faults, fresh: Callable[[str], str]
) -> None:
    """The real API server restarts under a wait: it goes on and ends by its own time."""
    name = fresh("apidown")
    with ray.live(f"cluster create {name} --timeout=25s {NOWHERE}") as running:
        running.see("Waiting for", within=30)
        with faults.stopped("apiserver"):
            assert running.process.poll() is None
        ended = running.ended(within=120)
    assert ended.code in {1, 3}, ended
    assert "Traceback" not in ended.err
    assert kubectl.find("raycluster", name)


@pytest.mark.full
@pytest.mark.only("real", why="freezing the sandbox would freeze its pods' keeper as well")
def test_api_server_frozen(ray: Ray, faults: Faults) -> None:
    """A server that takes connections and says nothing: Ctrl-C and --request-timeout both end it."""
    with faults.paused("apiserver"):
        said = ray.outcome("cluster list --request-timeout=2s", within=30)
        assert said.code in {1, 3}, said
        with ray.live("cluster list") as running:
            running.interrupt()
            assert running.ended(within=3).code == -2

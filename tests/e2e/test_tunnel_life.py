"""A session through a cluster's life: its head replaced, the cluster suspended, deleted; the rights it takes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.e2e.harness import heads
from tests.e2e.harness.conditions import until
from tests.e2e.harness.logins import SEES_HEAD, TUNNELLER
from tests.e2e.harness.objects import owner
from tests.e2e.harness.sessions import Session, changes, opened
from tests.e2e.harness.sockets import answered, get, nobody_listens

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.harness.logins import Logins
    from tests.e2e.harness.oracle import Kubectl
    from tests.e2e.harness.running import Ray

ANY = "--ports dashboard --port dashboard=0"
LEAST = "--head-cpu=200m --head-memory=2GB --worker-replicas=0"


def test_life_of_a_cluster(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """Opened while the cluster starts, it follows the operator's new head, and ends with the cluster: exit code 5."""
    name = fresh("life")
    ray(f"cluster create {name} --no-wait {LEAST}")
    with opened(ray, f"{name} {ANY}", "dashboard", within=150) as session:
        assert session.running.err.startswith("Waiting for ")
        port = session.port("dashboard")
        before = answered(port)["session_name"]
        (head,) = kubectl.names("pods", f"ray.io/cluster={name}")
        kubectl("delete", "pod", head, "--wait=false")
        session.see(f"The connection to {name} is lost", within=60)
        session.see("reconnected after", within=150)
        assert answered(port)["session_name"] != before
        assert session.running.said.count("is lost") == 1
        kubectl("delete", "raycluster", name, "--wait=false")
        ended = session.running.ended(within=60).expect(5)
    assert name in ended.err
    assert "deleted" in ended.err
    assert nobody_listens(port)


def test_head_replaced(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """What is under way ends cleanly, new connections work, and -o json tells each change once."""
    name = fresh("swap")
    heads.cluster(kubectl, name)
    heads.head(kubectl, name, f"{name}-a")
    with ray.live(f"cluster session {name} {ANY} -o json") as running:
        running.see('"ready"')
        port = next(each["local"] for each in changes(running.out) if each["change"] == "started")
        before = answered(port)["session_name"]
        under_way = heads.Download(port, 1 << 30)
        under_way.first()
        kubectl("delete", "pod", f"{name}-a", "--wait=false")
        running.see('"lost"')
        assert under_way.rest().right
        heads.head(kubectl, name, f"{name}-b")
        running.see('"reconnected"')
        assert answered(port)["session_name"] != before
        told = [each for each in changes(running.out) if each["change"] not in {"waiting", "remark"}]
        assert [each["change"] for each in told] == ["connecting", "started", "ready", "lost", "reconnected"]
        assert isinstance(told[-1]["after"], float | int)
        running.interrupt()
        running.ended(within=5)


def test_suspended_while_open(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """It says so, with how to resume, and goes on when the cluster is back."""
    name = fresh("nap")
    heads.cluster(kubectl, name)
    heads.head(kubectl, name, f"{name}-a")
    with opened(ray, f"{name} {ANY}", "dashboard") as session:
        kubectl("patch", "raycluster", name, "--type=merge", "-p", json.dumps({"spec": {"suspend": True}}))
        kubectl("delete", "pod", f"{name}-a", "--wait=false")
        session.see("was suspended", within=30)
        session.see("Resume it:", within=5)
        kubectl("patch", "raycluster", name, "--type=merge", "-p", json.dumps({"spec": {"suspend": False}}))
        heads.head(kubectl, name, f"{name}-b")
        session.see("reconnected after", within=30)
        assert heads.download(session.port("dashboard"), 1000).right


def test_rayjob(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str], ready_cluster: str) -> None:
    """A RayJob's session leads to the cluster where it runs; `rayjobs.ray.io/NAME` in any case is the same."""
    name = fresh("job")
    waits = {"submissionMode": "InteractiveMode", "clusterSelector": {"ray.io/cluster": ready_cluster}}
    job = {"entrypoint": "true", **waits}
    kubectl.create({"apiVersion": "ray.io/v1", "kind": "RayJob", "metadata": {"name": name}, "spec": job})
    try:
        with opened(ray, f"RayJobs.ray.io/{name} {ANY}", "dashboard") as session:
            assert answered(session.port("dashboard"))["ray_version"] == "2.52.0"
    finally:
        kubectl("delete", "rayjob", name, "--wait=false")


@pytest.mark.parametrize("kind", ["RayJob", "RayService"])
def test_suspended_owner(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str], kind: str) -> None:
    """Without a cluster yet, it says what it waits for; one that is not there is exit code 5."""
    name = fresh("none")
    made = owner(kind, name)
    kubectl.create(made)
    try:
        said = ray(f"cluster session {kind.lower()}/{name} --timeout=4s", code=3, within=30)
        assert name in said.err or "suspended" in said.err
    finally:
        kubectl("delete", kind.lower(), name, "--wait=false")
    assert f"{name}x" in ray(f"cluster session {kind.lower()}/{name}x", code=5, within=10).err


def test_few_rights(ray: Ray, logins: Logins, stand_in: str) -> None:
    """The rights that the documentation names are enough."""
    least = ray.having(KUBECONFIG=logins.with_rights("tunneller", *TUNNELLER))
    with opened(least, f"{stand_in} {ANY}", "dashboard") as session:
        assert heads.download(session.port("dashboard"), 100_000) == heads.Received(100_000, right=True)


def test_create_alone(ray: Ray, logins: Logins, stand_in: str) -> None:
    """A role from before WebSockets grants create and no get: the third way works."""
    old = ray.having(KUBECONFIG=logins.with_rights("old", *SEES_HEAD, ("", "pods/portforward", "create")))
    with opened(old, f"{stand_in} {ANY}", "dashboard") as session:
        assert heads.download(session.port("dashboard"), 100_000) == heads.Received(100_000, right=True)


def test_get_alone(ray: Ray, logins: Logins, stand_in: str) -> None:
    """Enough for WebSockets up to Kubernetes 1.34; later servers want create too, and then both verbs are named."""
    login = logins.with_rights("getter", *SEES_HEAD, ("", "pods/portforward", "get"))
    with ray.having(KUBECONFIG=login).live(f"cluster session {stand_in} {ANY}") as running:
        until(lambda: "started on port" in running.out or running.process.poll() is not None, "it works or ends")
        if "started on port" in running.out:
            assert heads.download(Session(running).port("dashboard"), 100_000) == heads.Received(100_000, right=True)
        else:
            said = running.ended().expect(4).err
            assert "pods/portforward" in said
            assert "get" in said
            assert "create" in said


@pytest.mark.parametrize(
    ("rights", "missing"),
    [(SEES_HEAD, "pods/portforward"), (TUNNELLER[:1], "pods"), ((), "rayclusters")],
    ids=["no-portforward", "no-pods", "nothing"],
)
def test_missing_rights(
    ray: Ray, logins: Logins, stand_in: str, rights: tuple[tuple[str, str, str], ...], missing: str
) -> None:
    """Exit code 4 at once; what is missing in words."""
    login = logins.with_rights(f"less-{len(rights)}", *rights)
    said = ray.having(KUBECONFIG=login)(f"cluster session {stand_in}", code=4, within=20)
    assert missing in said.err
    if missing == "pods/portforward":
        assert "get" in said.err
        assert "create" in said.err


def test_wrong_login(ray: Ray, logins: Logins, stand_in: str) -> None:
    """A token that nobody takes: exit code 4, to log in again."""
    said = ray.having(KUBECONFIG=logins.write("stale", user={"token": "stale"}))(
        f"cluster session {stand_in}", code=4, within=20
    )
    assert "log" in said.err.lower()


def test_login_expires(ray: Ray, kubectl: Kubectl, logins: Logins, fresh: Callable[[str], str], tmp_path: Path) -> None:
    """A login that ends while a session is open: it says so when it needs one, and goes on after the next login."""
    name = fresh("late")
    answer = tmp_path / "credential.json"
    logins.credential(answer, logins.with_rights("guest", *TUNNELLER))
    guest = ray.having(KUBECONFIG=logins.by_program("guest-by-program", "cat", args=[str(answer)]))
    heads.cluster(kubectl, name)
    heads.head(kubectl, name, f"{name}-a")
    with opened(guest, f"{name} {ANY}", "dashboard") as session:
        kubectl("delete", "serviceaccount", "guest")
        until(lambda: guest.outcome(f"cluster get {name}").code == 4, "the token is not good any more")
        assert heads.download(session.port("dashboard"), 100_000).right
        kubectl("delete", "pod", f"{name}-a", "--wait=false")
        session.see("is lost", within=60)
        heads.head(kubectl, name, f"{name}-b")
        session.see("Log in again", within=60)
        assert "reconnected" not in session.running.said
        logins.credential(answer, logins.with_rights("guest", *TUNNELLER))
        session.see("reconnected after", within=60)
        assert heads.download(session.port("dashboard"), 100_000).right


def test_token_authentication(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """Ray asks for the token at the session's port as anywhere; a command inside has it; `cluster token` prints it."""
    name = fresh("auth")
    made = json.loads(ray(f"cluster create {name} {LEAST} --dry-run=client -o json").out)
    made["spec"]["authOptions"] = {"mode": "token"}
    kubectl.create(made)
    with opened(ray, f"{name} {ANY}", "dashboard", within=150) as session:
        assert get(session.port("dashboard"))[0] == 401
        token = ray(f"cluster token {name}").out.strip()
        script = 'printf %s,%s "$RAY_AUTH_MODE" "$RAY_AUTH_TOKEN"'
        assert ray(f"cluster session {name} {ANY} -- sh -c '{script}'").out == f"token,{token}"
        assert token not in session.running.said
        with ray.live(f"cluster dashboard {name} --print-url --port 0") as running:
            running.see(f"kubectl ray cluster token {name}", within=30)
            running.interrupt()
            assert token not in running.ended(within=5).err

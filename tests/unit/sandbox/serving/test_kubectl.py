"""The real kubectl against the server: its verbs with objects that no controller touches."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.unit.sandbox.serving.world import CLUSTERS, MAPS, World, play

if TYPE_CHECKING:
    from collections.abc import Sequence

KUBECTL = Path(sys.executable).parent / "kubectl"
CLUSTER = """\
apiVersion: ray.io/v1
kind: RayCluster
metadata: {name: c}
spec:
  headGroupSpec: {rayStartParams: {}, template: {spec: {containers: [{name: h, image: i}]}}}
"""
MAP = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: x}
data: {a: %s}
"""

pytestmark = pytest.mark.skipif(not KUBECTL.exists(), reason="kubectl is not in this environment")


class Ended(NamedTuple):
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


def environment(world: World) -> dict[str, str]:
    """Nothing of the person's own: kubectl keeps what it learned of the server in a folder of its own."""
    home = str(world.folder)
    return {"KUBECONFIG": str(world.kubeconfig()), "HOME": home, "KUBECACHEDIR": f"{home}/cache", "PATH": os.defpath}


async def kubectl(world: World, *words: str, given: str = "") -> Ended:
    """Run it to its end."""
    process = await asyncio.create_subprocess_exec(
        KUBECTL,
        *words,
        env=environment(world),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(30):
        out, err = await process.communicate(given.encode())
    return Ended(process.returncode or 0, out.decode(), err.decode())


async def right(world: World, *words: str, given: str = "") -> str:
    """Run it; it must succeed."""
    ended = await kubectl(world, *words, given=given)
    assert ended.code == 0, ended
    return ended.out


def test_create_get_delete(tmp_path: Path) -> None:
    """A cluster is created, shown in its columns, described and deleted."""

    async def story(world: World) -> None:
        assert await right(world, "create", "-f", "-", given=CLUSTER) == "raycluster.ray.io/c created\n"
        head, row = (await right(world, "get", "raycluster")).splitlines()
        assert head.split()[:3] == ["NAME", "DESIRED", "WORKERS"]
        assert row.split()[0] == "c"
        wide = (await right(world, "get", "raycluster", "-o", "wide")).splitlines()[0]
        assert "HEAD SERVICE IP" in wide
        assert "Name:         c" in await right(world, "describe", "raycluster", "c")
        assert "deleted" in await right(world, "delete", "raycluster", "c")
        assert (await kubectl(world, "get", "raycluster", "c")).err == (
            'Error from server (NotFound): rayclusters.ray.io "c" not found\n'
        )

    play(tmp_path, story)


@pytest.mark.parametrize("how", [(), ("--server-side",)])
def test_apply(tmp_path: Path, how: Sequence[str]) -> None:
    """Applied twice it is made and left alone; changed, it is changed."""

    async def story(world: World) -> None:
        words = ("apply", *how, "-f", "-")
        first = await right(world, *words, given=MAP % "b")
        again = await right(world, *words, given=MAP % "b")
        other = await right(world, *words, given=MAP % "c")
        if how:
            assert {first, again, other} == {"configmap/x serverside-applied\n"}
        else:
            assert (first, again, other) == (
                "configmap/x created\n",
                "configmap/x unchanged\n",
                "configmap/x configured\n",
            )
        assert (await world.get(f"{MAPS}/x")).json["data"] == {"a": "c"}

    play(tmp_path, story)


def test_client_side_validation(tmp_path: Path) -> None:
    """A field that there is not is refused in the server's words."""

    async def story(world: World) -> None:
        ended = await kubectl(world, "create", "-f", "-", given=CLUSTER.replace("headGroupSpec", "hedGroup"))
        assert ended.code == 1
        assert 'strict decoding error: unknown field "spec.hedGroup"' in ended.err

    play(tmp_path, story)


CREATIONS = [
    "create configmap m --from-literal=a=b",
    "create secret generic s --from-literal=a=b",
    "create serviceaccount a",
    "create namespace n",
    "create role r --verb=get --resource=pods",
    "create rolebinding b --role=r --user=jane",
    "create clusterrole r --verb=get --resource=pods",
    "create clusterrolebinding b --clusterrole=r --user=jane",
    "create quota q --hard=cpu=1,pods=3",
    "create job j --image=i -- ls",
    "create service clusterip c --tcp=80:8080",
    "create priorityclass p --value=5",
]


def test_create_of_built_in_kinds(tmp_path: Path) -> None:
    """The client sends its own kinds in protobuf; each is taken."""

    async def story(world: World) -> None:
        for words in CREATIONS:
            assert (await right(world, *words.split())).endswith(" created\n"), words
        secret = (await world.get("/api/v1/namespaces/lab/secrets/s")).json
        assert secret["data"] == {"a": "Yg=="}
        job = (await world.get("/apis/batch/v1/namespaces/lab/jobs/j")).json
        assert job["spec"]["template"]["spec"]["containers"][0]["command"] == ["ls"]
        quota = (await world.get("/api/v1/namespaces/lab/resourcequotas/q")).json
        assert quota["spec"]["hard"] == {"cpu": "1", "pods": "3"}

    play(tmp_path, story)


def test_rights(tmp_path: Path) -> None:
    """Who one is and what one may can be asked."""

    async def story(world: World) -> None:
        assert "sandbox-admin" in await right(world, "auth", "whoami")
        assert await right(world, "auth", "can-i", "create", "pods") == "yes\n"
        refused = await kubectl(world, "auth", "can-i", "create", "pods", "--as", "jane")
        assert (refused.code, refused.out) == (1, "no\n")
        assert "*.*" in await right(world, "auth", "can-i", "--list")
        await right(world, "create", "serviceaccount", "a")
        token = (await right(world, "create", "token", "a")).strip()
        me = await world.ask("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {}, token=token)
        assert me.json["status"]["userInfo"]["username"] == "system:serviceaccount:lab:a"

    play(tmp_path, story)


def test_output_forms(tmp_path: Path) -> None:
    """Selectors, sorting, JSON paths and names work on lists."""

    async def story(world: World) -> None:
        for name, label in (("b", "1"), ("a", "1"), ("c", "2")):
            await world.make(MAPS, name, metadata={"labels": {"x": label}})
        assert await right(world, "get", "cm", "-l", "x=1", "-o", "name") == "configmap/a\nconfigmap/b\n"
        assert await right(world, "get", "cm", "--field-selector", "metadata.name=c", "-o", "name") == "configmap/c\n"
        newest = await right(
            world, "get", "cm", "--sort-by", ".metadata.labels.x", "-o", "jsonpath={.items[-1:].metadata.name}"
        )
        assert newest == "c"
        everywhere = await right(world, "get", "cm", "-A", "--no-headers")
        assert [line.split()[:2] for line in everywhere.splitlines()] == [["lab", "a"], ["lab", "b"], ["lab", "c"]]
        assert json.loads(await right(world, "get", "cm", "a", "-o", "json"))["metadata"]["name"] == "a"
        chunks = await right(world, "get", "cm", "--chunk-size=1", "-o", "name")
        assert chunks.count("\n") == 3

    play(tmp_path, story)


def test_changes(tmp_path: Path) -> None:
    """label, annotate, patch in three languages, replace and diff."""

    async def story(world: World) -> None:
        await world.make(MAPS, "x", data={"a": "b"})
        await right(world, "label", "cm", "x", "l=1")
        await right(world, "annotate", "cm", "x", "n=1")
        await right(world, "patch", "cm", "x", "-p", '{"data":{"s":"1"}}')
        await right(world, "patch", "cm", "x", "--type=merge", "-p", '{"data":{"m":"1"}}')
        await right(world, "patch", "cm", "x", "--type=json", "-p", '[{"op":"remove","path":"/data/a"}]')
        held = (await world.get(f"{MAPS}/x")).json
        assert (held["data"], held["metadata"]["labels"]) == ({"s": "1", "m": "1"}, {"l": "1"})
        await right(world, "replace", "-f", "-", given=MAP % "new")
        assert (await world.get(f"{MAPS}/x")).json["data"] == {"a": "new"}
        differs = await kubectl(world, "diff", "-f", "-", given=MAP % "other")
        assert (differs.code, "+  a: other" in differs.out) == (1, True)

    play(tmp_path, story)


def test_watch(tmp_path: Path) -> None:
    """`get -w` shows a row for each change."""

    async def story(world: World) -> None:
        await world.make(MAPS, "x")
        process = await asyncio.create_subprocess_exec(
            KUBECTL, "get", "cm", "-w", env=environment(world), stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        try:
            async with asyncio.timeout(20):
                assert (await process.stdout.readline()).split()[0] == b"NAME"
                assert (await process.stdout.readline()).split()[0] == b"x"
                await world.make(MAPS, "y", data={"a": "b"})
                assert (await process.stdout.readline()).split()[:2] == [b"y", b"1"]
        finally:
            process.kill()
            await process.wait()

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("wanted", "change"),
    [
        ("--for=jsonpath={.status.state}=ready", {"status": {"state": "ready"}}),
        (
            "--for=condition=HeadPodReady",
            {
                "status": {
                    "conditions": [
                        {
                            "type": "HeadPodReady",
                            "status": "True",
                            "reason": "x",
                            "message": "",
                            "lastTransitionTime": "2026-11-23T00:00:00Z",
                        }
                    ]
                }
            },
        ),
    ],
)
def test_wait(tmp_path: Path, wanted: str, change: dict[str, object]) -> None:
    """`wait` sees what comes."""

    async def story(world: World) -> None:
        await right(world, "create", "-f", "-", given=CLUSTER)
        waiting = asyncio.ensure_future(kubectl(world, "wait", wanted, "raycluster/c", "--timeout=20s"))
        async with asyncio.timeout(20):
            while not world.objects.store._listeners:  # noqa: ASYNC110 - until it watches
                await asyncio.sleep(0.02)
        answer = await world.ask("PATCH", f"{CLUSTERS}/c/status", change, content_type="application/merge-patch+json")
        assert answer.code == 200, answer.text
        assert (await waiting).out == "raycluster.ray.io/c condition met\n"

    play(tmp_path, story)


def test_wait_for_the_end(tmp_path: Path) -> None:
    """`delete` waits until the object is gone."""

    async def story(world: World) -> None:
        await world.make(MAPS, "x", metadata={"finalizers": ["acme.com/hold"]})
        deleting = asyncio.ensure_future(kubectl(world, "delete", "cm", "x", "--timeout=20s"))
        async with asyncio.timeout(20):
            async with world.watching(f"{MAPS}?watch=1") as watch:
                while "deletionTimestamp" not in (await watch.next())[1]["metadata"]:
                    pass
        assert not deleting.done()
        free = await world.ask(
            "PATCH", f"{MAPS}/x", {"metadata": {"finalizers": None}}, content_type="application/merge-patch+json"
        )
        assert free.code == 200
        assert (await deleting).code == 0

    play(tmp_path, story)


def test_explain(tmp_path: Path) -> None:
    """Types are told from the schemas that the server gives."""

    async def story(world: World) -> None:
        assert "FIELD: suspend <boolean>" in await right(world, "explain", "raycluster.spec.suspend")
        assert "rayclusters" in await right(world, "api-resources", "--api-group=ray.io")
        assert "ray.io/v1" in await right(world, "api-versions")

    play(tmp_path, story)


def test_events(tmp_path: Path) -> None:
    """`events` shows what was told of an object."""

    async def story(world: World) -> None:
        body = {
            "metadata": {"name": "e"},
            "involvedObject": {"kind": "ConfigMap", "name": "x", "namespace": "lab"},
            "reason": "Tested",
            "message": "hello there",
            "type": "Normal",
            "firstTimestamp": "2026-11-23T00:00:00Z",
            "lastTimestamp": "2026-11-23T00:00:00Z",
            "count": 2,
        }
        assert (await world.ask("POST", "/api/v1/namespaces/lab/events", body)).code == 201
        assert "hello there" in await right(world, "events")
        assert "hello there" in await right(world, "get", "events")

    play(tmp_path, story)


def test_wrong_token(tmp_path: Path) -> None:
    """A login that is none is told as such."""

    async def story(world: World) -> None:
        ended = await kubectl(world, "get", "cm", "--token=wrong")
        assert ended.code == 1
        assert "You must be logged in to the server" in ended.err

    play(tmp_path, story)

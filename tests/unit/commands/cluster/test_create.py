"""`cluster create` and, behind the Go plugin's words, `create cluster`."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest
import yaml

from kubectl_ray.cli.main import main
from tests.kuberay import cluster, event

if TYPE_CHECKING:
    from pathlib import Path

    from tests.kuberay import World

CLUSTERS = "/apis/ray.io/v1/namespaces/default/rayclusters"


def test_created_and_waited_for(world: World) -> None:
    """It says that it is made, what it is made of, and that it is ready, with the next steps on stderr."""
    ran = world.with_operator().run("cluster create a --worker-replicas=2 --worker-gpus=1")

    assert ran.code == 0, ran
    assert ran.out.splitlines() == [
        "Ray cluster a created in namespace default.",
        "Ray cluster a is ready: the head and 2 workers.",
    ]
    assert "  Ray 2.52.0, image rayproject/ray:2.52.0\n  head: 500m CPU, 8Gi memory\n" in ran.err
    assert "  default-worker-group: 2 workers, each 2 CPU, 4Gi memory, 1 GPU\n" in ran.err
    assert "Look at it:    kubectl ray cluster describe a -n default\n" in ran.err
    assert ran.err.endswith("Remove it:     kubectl ray cluster delete a -n default\n")


def test_one_worker_in_words(world: World) -> None:
    """One worker is not called workers."""
    ran = world.with_operator().run("cluster create a")

    assert ran.out.splitlines()[-1] == "Ray cluster a is ready: the head and 1 worker."


def test_the_request(world: World) -> None:
    """It is a POST by our field manager, and unknown fields are an error, not dropped."""
    ran = world.run("cluster create a --no-wait")

    post = ran.requests[-1]
    assert (post.method, post.path) == ("POST", CLUSTERS)
    assert post.query == {"fieldManager": "kubectl-ray", "fieldValidation": "Strict"}
    assert post.json["kind"] == "RayCluster"


def test_no_wait(world: World) -> None:
    """`--no-wait` ends when the cluster is accepted, and says how to look at it."""
    ran = world.run("cluster create a --no-wait")

    assert ran.code == 0
    assert ran.out == "Ray cluster a created in namespace default.\n"
    assert ran.err.splitlines()[-1] == "See how far it is:  kubectl ray cluster get a -n default"


def test_the_creators_label(world: World) -> None:
    """What is made carries the login's name: as a label for `--mine`, and whole as an annotation."""
    world.api.user = "jane@example.com"
    world.run("cluster create a --no-wait")

    about = world.store.get("rayclusters", "a")["metadata"]
    assert about["annotations"] == {"kubectl-ray/created-by": "jane@example.com"}
    assert world.run("cluster list --mine").rows[0]["NAME"] == "a"


def test_a_login_without_a_name(world: World) -> None:
    """Where the server does not tell who is logged in, the cluster is made all the same."""
    world.api.fail(404, "NotFound", path="selfsubjectreviews")

    ran = world.run("cluster create a --no-wait")

    assert ran.code == 0, ran
    assert "labels" not in world.store.get("rayclusters", "a")["metadata"]


def test_an_existing_name(world: World) -> None:
    """A name that is taken is refused, and the cluster there stays as it is."""
    world.add(cluster("a"))
    before = world.store.get("rayclusters", "a")

    ran = world.run("cluster create a --worker-replicas=7")

    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("Error: A Ray cluster a is there already in namespace default; it was not touched.\n")
    assert ran.err.splitlines()[-1].endswith("kubectl ray cluster describe a -n default")
    assert world.store.get("rayclusters", "a") == before


def test_dry_run_on_this_side(world: World) -> None:
    """`--dry-run=client` prints the object and asks nobody, not even who is logged in."""
    ran = world.run("cluster create a --worker-gpus=1 --dry-run=client")

    assert ran.code == 0, ran
    made = yaml.safe_load(ran.out)
    assert (made["kind"], made["metadata"]) == ("RayCluster", {"name": "a", "namespace": "default"})
    assert ran.asked == []


def test_dry_run_without_a_login(tmp_path: Path) -> None:
    """What asks nobody needs no kubeconfig either; the object then names no namespace."""
    out = io.StringIO()
    env = {"HOME": str(tmp_path)}
    argv = ["cluster", "create", "a", "--dry-run=client", "-o", "json"]

    assert main(argv, env=env, stdin=io.StringIO(), stdout=out, stderr=io.StringIO()) == 0
    assert json.loads(out.getvalue())["metadata"] == {"name": "a"}


def test_dry_run_as_json(world: World) -> None:
    """`-o json` chooses how it is printed."""
    assert json.loads(world.run("cluster create a --dry-run=client -o json").out)["kind"] == "RayCluster"


def test_dry_run_on_the_server(world: World) -> None:
    """`--dry-run=server` lets the server check it and keeps nothing."""
    ran = world.run("cluster create a --dry-run=server")

    assert ran.code == 0, ran
    assert ran.out == "Ray cluster a would be created (server dry run).\n"
    assert ran.requests[-1].query["dryRun"] == "All"
    assert not world.store.has("rayclusters", "a")


def test_dry_run_on_the_server_as_yaml(world: World) -> None:
    """With `-o yaml` the server's object is what is printed."""
    made = yaml.safe_load(world.run("cluster create a --dry-run=server -o yaml").out)

    assert made["metadata"]["uid"]


def test_output(world: World) -> None:
    """`-o name` prints the name instead of our line, and the object is made."""
    ran = world.run("cluster create a --no-wait -o name")

    assert ran.out == "raycluster.ray.io/a\n"
    assert world.store.has("rayclusters", "a")


def test_output_is_all_of_stdout(world: World) -> None:
    """With `-o json` stdout is one document, also when it is waited for: `jq` reads it."""
    ran = world.with_operator().run("cluster create a -o json")

    assert ran.code == 0, ran
    assert json.loads(ran.out)["metadata"]["name"] == "a"


def test_from_a_file(world: World, tmp_path: Path) -> None:
    """`--file` gives the shape, and flags win."""
    path = tmp_path / "shape.yaml"
    path.write_text("name: a\nray-version: 2.50.0\nworker-groups:\n- {name: big, replicas: 3, cpu: '8'}\n")

    ran = world.run(["cluster", "create", "--file", str(path), "--worker-replicas=4", "--no-wait"])

    assert ran.code == 0, ran
    spec = world.store.get("rayclusters", "a")["spec"]
    assert spec["rayVersion"] == "2.50.0"
    assert [(group["groupName"], group["replicas"]) for group in spec["workerGroupSpecs"]] == [("big", 4)]


def test_from_stdin(world: World) -> None:
    """`-f -` reads the shape from stdin."""
    ran = world.run("cluster create -f - --dry-run=client -o name", stdin="name: a\n")

    assert ran.out == "raycluster.ray.io/a\n"


def test_a_file_that_is_not_there(world: World, tmp_path: Path) -> None:
    """A file that cannot be read is a wrong use; nothing is sent."""
    ran = world.run(["cluster", "create", "a", "-f", str(tmp_path / "no.yaml")])

    assert (ran.code, ran.asked) == (2, [])
    assert "no.yaml cannot be read" in ran.err


def test_the_files_namespace(world: World) -> None:
    """The file's namespace counts where `-n` says nothing."""
    shape = "name: a\nnamespace: team\n"

    made = yaml.safe_load(world.run("cluster create -f - --dry-run=client", stdin=shape).out)
    other = yaml.safe_load(world.run("cluster create -f - --dry-run=client -n mine", stdin=shape).out)

    assert (made["metadata"]["namespace"], other["metadata"]["namespace"]) == ("team", "mine")


def test_no_name(world: World) -> None:
    """A cluster needs a name; nothing is sent without one."""
    ran = world.run("cluster create")

    assert ran.code == 2, ran
    assert ran.err.splitlines()[-1] == "Name it:  kubectl ray cluster create NAME"
    assert not world.api.asked("POST", "rayclusters")


@pytest.mark.parametrize(
    "flags",
    [
        "A_bad_name",
        "a --worker-memory=lots",
        "a --ray-version=new",
        "a --worker-replicas=-1",
        "a --autoscaler=v2 --worker-replicas=5 --worker-max-replicas=3",
        "a --worker-max-replicas=3",
    ],
)
def test_what_the_operator_would_refuse(world: World, flags: str) -> None:
    """What cannot be meant, or the operator would refuse with one event, is refused before anything is sent."""
    ran = world.run(f"cluster create {flags}")

    assert ran.code == 2, ran
    assert not world.api.asked("POST", "rayclusters")


def test_a_namespace_that_does_not_exist(world: World) -> None:
    """The namespace that is missing is named, with the near ones."""
    ran = world.run("cluster create a -n defalt")

    assert ran.code == 5, ran
    assert ran.err == "Error: There is no namespace defalt.\nDid you mean -n default?\n"


def test_no_right(world: World) -> None:
    """A login that may not create clusters reads what it lacks."""
    world.api.deny("create", "rayclusters")

    ran = world.run("cluster create a")

    assert ran.code == 4
    assert "jane may not create rayclusters" in ran.err


def test_kuberay_is_not_installed(world: World) -> None:
    """Where KubeRay is missing, the error says so and how to get it; no namespace is looked for."""
    world.api.missing_groups.add("ray.io")

    ran = world.run("cluster create a -n nowhere")

    assert ran.code == 5
    assert "KubeRay is not installed" in ran.err
    assert not world.api.asked("GET")


def test_a_field_the_operators_crd_does_not_know(world: World) -> None:
    """A field that the installed KubeRay does not know is an error that names it, never dropped in silence."""
    message = (
        'RayCluster in version "v1" cannot be handled as a RayCluster: strict decoding error: unknown field "spec.x"'
    )
    world.api.fail(400, "BadRequest", message, path="rayclusters", method="POST")

    ran = world.run("cluster create a")

    assert ran.code == 1, ran
    assert "spec.x" in ran.err


def test_time_is_over(world: World) -> None:
    """A time-out is exit 3, says what was missing and how to go on, and changes nothing."""
    ran = world.run("cluster create a --timeout=1ms")

    assert ran.code == 3, ran
    assert "Waiting for the KubeRay operator to notice it" in ran.err
    assert "Ray cluster a is not ready after" in ran.err
    assert ran.err.splitlines()[-1] == "Nothing was deleted. Look at it:  kubectl ray cluster describe a -n default"
    assert world.store.has("rayclusters", "a")
    assert not world.api.asked("DELETE")


def test_deleted_while_it_is_waited_for(world: World) -> None:
    """A cluster that somebody deletes meanwhile ends the wait: exit 5."""
    ran = world.run("cluster create a", steps=[("Waiting for", lambda: world.store.remove("rayclusters", "a"))])

    assert ran.code == 5, ran
    assert "Ray cluster a was deleted while it was waited for." in ran.err


def test_interrupted(world: World) -> None:
    """Ctrl-C leaves the cluster being made, says so and how to look at it, and dies of SIGINT."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    ran = world.run("cluster create a", steps=[("Waiting for", interrupt)])

    assert ran.code == -2, ran
    assert ran.err.splitlines()[-1] == (
        "Ray cluster a is still being made. Look at it:  kubectl ray cluster get a -n default"
    )
    assert world.store.has("rayclusters", "a")


def test_the_clusters_own_uid(world: World) -> None:
    """Old events about a cluster of the same name say nothing about this one."""
    world.add(event("a", "InvalidRayClusterSpec", "of the one before"))

    assert world.with_operator().run("cluster create a").code == 0


@pytest.mark.parametrize("line", ["create cluster a --wait", "create raycluster a"])
def test_the_other_plugins_words(world: World, line: str) -> None:
    """Behind the Go plugin's words stand its lines."""
    ran = world.with_operator().run(line)

    assert ran.code == 0, ran
    assert ran.out == "Created Ray cluster: a\nRay cluster a is provisioned\n"


def test_the_other_plugins_flags(world: World) -> None:
    """Its flags' names are understood, a bare --dry-run among them."""
    ran = world.run(
        "create cluster a --worker-cpu=8 --head-cpu=1 --worker-gpu=2 --head-gpu=0 --labels=team=vision --dry-run"
    )

    assert ran.code == 0, ran
    made = yaml.safe_load(ran.out)
    assert made["metadata"]["labels"] == {"team": "vision"}
    container = made["spec"]["workerGroupSpecs"][0]["template"]["spec"]["containers"][0]
    assert container["resources"]["requests"]["cpu"] == "8"

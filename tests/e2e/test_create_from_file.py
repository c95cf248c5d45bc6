"""`cluster create --file`: the other plugin's config file, flags over it, and what is wrong in one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.harness.oracle import Kubectl
    from tests.e2e.harness.running import Ray

NOWHERE = "--head-node-selectors=nowhere=here --worker-node-selectors=nowhere=here"


def container(template: dict[str, Any]) -> dict[str, Any]:
    """The Ray container of a pod template."""
    found: dict[str, Any] = template["template"]["spec"]["containers"][0]
    return found


FILE = """
name: {name}
labels: {{team: file}}
ray-version: 2.51.0
head: {{cpu: "1", memory: 3Gi, node-selectors: {{nowhere: here}}}}
worker-groups:
- {{name: small, replicas: 2, cpu: "1", memory: 2Gi, node-selectors: {{nowhere: here}}}}
- {{name: large, replicas: 0, cpu: "8", memory: 64Gi, gpu: "1", node-selectors: {{nowhere: here}}}}
autoscaler: {{version: v2}}
"""


@pytest.mark.parametrize("flag", ["--file", "-f", "--filename"])
def test_file(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str], tmp_path: Path, flag: str) -> None:
    """The other plugin's config file makes the same cluster here."""
    name = fresh("file")
    path = tmp_path / "cluster.yaml"
    path.write_text(FILE.format(name=name))
    ray(f"cluster create {flag} {path} --no-wait")
    made = kubectl.get("raycluster", name)
    assert made["metadata"]["labels"]["team"] == "file"
    assert made["spec"]["rayVersion"] == "2.51.0"
    groups = {group["groupName"]: group for group in made["spec"]["workerGroupSpecs"]}
    assert list(groups) == ["small", "large"]
    assert groups["small"]["replicas"] == 2
    assert container(groups["large"])["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert made["spec"]["enableInTreeAutoscaling"] is True


def test_file_on_stdin_with_flags_over_it(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """`--file -` reads stdin, and a flag wins over the file."""
    name = fresh("over")
    ray("cluster create -f - --ray-version=2.52.0 --head-memory=5Gi --no-wait", stdin=FILE.format(name=name))
    spec = kubectl.get("raycluster", name)["spec"]
    assert spec["rayVersion"] == "2.52.0"
    assert container(spec["headGroupSpec"])["resources"]["limits"]["memory"] == "5Gi"


def test_bucket_from_a_file(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """`gke.gcsfuse` mounts the bucket into head and workers, as GKE's driver wants it."""
    name = fresh("bucket")
    text = "gke: {gcsfuse: {bucket-name: data, mount-path: /data, mount-options: 'ro,uid=1000'}}\n"
    ray(f"cluster create {name} -f - --no-wait {NOWHERE}", stdin=text)
    spec = kubectl.get("raycluster", name)["spec"]
    for part in (spec["headGroupSpec"], spec["workerGroupSpecs"][0]):
        (volume,) = part["template"]["spec"]["volumes"]
        assert volume["csi"]["driver"] == "gcsfuse.csi.storage.gke.io"
        assert volume["csi"]["volumeAttributes"] == {"bucketName": "data", "mountOptions": "ro,uid=1000"}
        assert container(part)["volumeMounts"] == [{"name": volume["name"], "mountPath": "/data"}]
        assert part["template"]["metadata"]["annotations"]["gke-gcsfuse/volumes"] == "true"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nmae: x\n", "nmae"),
        ("worker-groups: 5\n", "worker-groups"),
        ("head: {cpu: [1]}\n", "cpu"),
        ("a: [\n", "line"),
        ("- just\n- a list\n", "list"),
        ("worker-groups:\n- {name: g, replicas: 1}\n- {name: g, replicas: 1}\n", "g"),
    ],
)
def test_bad_files(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str], text: str, told: str) -> None:
    """A file that cannot be meant is refused, naming what is wrong in it; nothing is created."""
    name = fresh("badfile")
    assert told in ray(f"cluster create {name} -f - --no-wait", stdin=text, code=2).err
    assert kubectl.find("raycluster", name) is None


def test_file_that_is_not_there(ray: Ray, tmp_path: Path) -> None:
    """A missing file is named."""
    assert "nosuch.yaml" in ray(f"cluster create x -f {tmp_path}/nosuch.yaml --no-wait", code=2).err

"""Variables of containers, and files of volumes."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_ray.sandbox.api.kinds import CONFIG_MAPS, NAMESPACES, SECRETS
from kubectl_ray.sandbox.api.objects import Objects
from kubectl_ray.sandbox.api.quantities import parse
from kubectl_ray.sandbox.api.store import Store
from kubectl_ray.sandbox.node.environment import Missing, environment, expand
from kubectl_ray.sandbox.node.volumes import Unmountable, mount, paths

if TYPE_CHECKING:
    from pathlib import Path

OFFERED = {"cpu": parse("8"), "memory": parse("32Gi")}
POD: dict[str, Any] = {
    "metadata": {
        "name": "p",
        "namespace": "ns",
        "uid": "u",
        "labels": {"ray.io/group": "g", "b": 'q"'},
        "annotations": {"k": "v"},
    },
    "spec": {"nodeName": "n", "serviceAccountName": "sa", "containers": [{"name": "a"}]},
    "status": {"podIP": "127.0.0.1", "hostIP": "127.0.0.1"},
}


@pytest.fixture
def objects() -> Objects:
    """A ConfigMap and a Secret."""
    made = Objects(Store())
    made.create(NAMESPACES, {"metadata": {"name": "ns"}})
    binary = base64.b64encode(b"\x00").decode()
    made.create(CONFIG_MAPS, {"metadata": {"name": "cm"}, "data": {"k": "v"}, "binaryData": {"b": binary}}, "ns")
    made.create(SECRETS, {"metadata": {"name": "sec"}, "data": {"k": base64.b64encode(b"s").decode()}}, "ns")
    return made


def variables(objects: Objects, *env: dict[str, Any], **container: Any) -> dict[str, str]:
    """Of one container."""
    return environment(objects, POD, {"name": "a", "env": list(env), **container}, OFFERED)


def from_(**source: Any) -> dict[str, Any]:
    """A variable X."""
    return {"name": "X", "valueFrom": source}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ({"fieldRef": {"fieldPath": "metadata.labels['ray.io/group']"}}, "g"),
        ({"fieldRef": {"fieldPath": "metadata.annotations['no']"}}, ""),
        ({"fieldRef": {"fieldPath": "metadata.namespace"}}, "ns"),
        ({"fieldRef": {"fieldPath": "status.podIP"}}, "127.0.0.1"),
        ({"fieldRef": {"fieldPath": "spec.nodeName"}}, "n"),
        ({"configMapKeyRef": {"name": "cm", "key": "k"}}, "v"),
        ({"secretKeyRef": {"name": "sec", "key": "k"}}, "s"),
        ({"resourceFieldRef": {"resource": "requests.cpu", "divisor": "1m"}}, "250"),
        ({"resourceFieldRef": {"resource": "requests.cpu"}}, "1"),
        ({"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}}, "32768"),
    ],
)
def test_variables_from_elsewhere(objects: Objects, source: dict[str, Any], value: str) -> None:
    """Numbers in whole units of the divisor, rounded up; the machine's own where no limit is set."""
    assert variables(objects, from_(**source), resources={"requests": {"cpu": "250m"}}) == {"X": value}


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ({"configMapKeyRef": {"name": "cm", "key": "no"}}, "couldn't find key no in ConfigMap ns/cm"),
        ({"secretKeyRef": {"name": "sec", "key": "no"}}, "couldn't find key no in Secret ns/sec"),
        ({"secretKeyRef": {"name": "no", "key": "k"}}, 'secret "no" not found'),
    ],
)
def test_what_is_missing_is_named(objects: Objects, source: dict[str, Any], text: str) -> None:
    """In the kubelet's words; nothing is said of what is optional."""
    with pytest.raises(Missing) as missing:
        variables(objects, from_(**source))
    assert str(missing.value) == text
    (kind, reference), *_ = source.items()
    assert variables(objects, from_(**{kind: {**reference, "optional": True}})) == {}


def test_all_of_a_config_map(objects: Objects) -> None:
    """With a prefix; a variable may refer to those before it."""
    sources = [{"configMapRef": {"name": "cm"}, "prefix": "P_"}, {"secretRef": {"name": "no", "optional": True}}]
    found = variables(objects, {"name": "A", "value": "1 $(P_k) $(NO) $$(A)"}, envFrom=sources)
    assert (found["P_k"], found["A"]) == ("v", "1 v $(NO) $(A)")
    with pytest.raises(Missing, match='configmap "no" not found'):
        variables(objects, envFrom=[{"configMapRef": {"name": "no"}}])


@pytest.mark.parametrize(
    ("text", "expanded"), [("$(X)$(X)", "xx"), ("$$(X)", "$(X)"), ("$X $", "$X $"), ("$(Y) $$$$", "$(Y) $$")]
)
def test_expansion(text: str, expanded: str) -> None:
    """Kubernetes' own."""
    assert expand(text, {"X": "x"}) == expanded


def volumes(objects: Objects, folder: Path, *named: dict[str, Any]) -> dict[str, Path]:
    """Mounted."""
    pod = {**POD, "spec": {**POD["spec"], "volumes": list(named)}}
    return mount(objects, pod, folder, OFFERED, lambda namespace, account: f"token of {namespace}/{account}")


def test_files_of_volumes(objects: Objects, tmp_path: Path) -> None:
    """ConfigMaps, secrets, the pod's own labels, tokens; private to the user."""
    sources = [
        {"configMap": {"name": "cm", "items": [{"key": "k", "path": "deep/k"}]}},
        {"downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
        {"serviceAccountToken": {"path": "token"}},
    ]
    found = volumes(
        objects,
        tmp_path,
        {"name": "e", "emptyDir": {}},
        {"name": "s", "secret": {"secretName": "sec"}},
        {"name": "p", "projected": {"sources": sources}},
        {"name": "o", "configMap": {"name": "no", "optional": True}},
        {"name": "h", "hostPath": {"path": str(tmp_path)}},
    )
    assert list(found["e"].iterdir()) == list(found["o"].iterdir()) == []
    assert (found["s"] / "k").read_bytes() == b"s"
    assert (found["s"] / "k").stat().st_mode & 0o077 == 0
    assert (found["p"] / "deep/k").read_text() == "v"
    assert (found["p"] / "labels").read_text() == 'b="q\\""\nray.io/group="g"'
    assert (found["p"] / "token").read_text() == "token of ns/sa"
    assert found["h"] == tmp_path


def test_an_empty_folder_keeps_what_was_written(objects: Objects, tmp_path: Path) -> None:
    """When its pod's volumes are made again."""
    for content in (None, "kept"):
        found = volumes(objects, tmp_path, {"name": "e", "emptyDir": {}})["e"] / "f"
        assert (found.read_text() if found.exists() else None) == content
        found.write_text("kept")


@pytest.mark.parametrize(
    ("volume", "text"),
    [
        ({"secret": {"secretName": "no"}}, 'secret "no" not found'),
        (
            {"configMap": {"name": "cm", "items": [{"key": "no", "path": "x"}]}},
            "configmap references non-existent config key: no",
        ),
        (
            {"hostPath": {"path": "/nosuch/dir", "type": "Directory"}},
            "hostPath type check failed: /nosuch/dir is not a directory",
        ),
        (
            {"projected": {"sources": [{"configMap": {"name": "n"}}, {"secret": {"name": "m"}}]}},
            '[configmap "n" not found, secret "m" not found]',
        ),
        ({"nfs": {"server": "x"}}, "volumes of type nfs are not offered by the sandbox"),
        ({"configMap": {"name": "cm", "items": [{"key": "k", "path": "../x"}]}}, "invalid path: ../x"),
    ],
)
def test_why_a_volume_cannot_be_had(objects: Objects, tmp_path: Path, volume: dict[str, Any], text: str) -> None:
    """The kubelet's event; recorded where it is one of a real cluster."""
    with pytest.raises(Unmountable) as problem:
        volumes(objects, tmp_path, {"name": "v", **volume})
    assert str(problem.value) == f'MountVolume.SetUp failed for volume "v" : {text}'


def test_mounts_are_paths(tmp_path: Path) -> None:
    """But for the machine's own shared memory; a part of a volume may be mounted."""
    mounts = [
        {"name": "v", "mountPath": "/data/"},
        {"name": "v", "mountPath": "/part", "subPath": "sub"},
        {"name": "v", "mountPath": "/dev/shm"},  # noqa: S108
    ]
    assert paths({"volumeMounts": mounts}, {"v": tmp_path}) == [
        ("/data", str(tmp_path)),
        ("/part", str(tmp_path / "sub")),
    ]
    assert (tmp_path / "sub").is_dir()

"""The config file of `cluster create --file`: a parsed mapping into a shape.

Its schema is that of KubeRay's own Go plugin, so that its users bring their files; every flag of ours has a key beside
it. A key that nobody knows is an error: a typing mistake must not make a smaller cluster than was meant.
"""

from __future__ import annotations

from kubectl_ray.errors import WrongUse
from kubectl_ray.manifests import read
from kubectl_ray.manifests.cluster import TPU_TOPOLOGY_SELECTOR, TPU_TYPE_SELECTOR
from kubectl_ray.manifests.shape import GcsFuse, GroupShape, HeadShape, Shape
from kubectl_ray.models.near import suggestion
from kubectl_ray.models.quantity import normalize_count, normalize_cpu, normalize_memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Reader = Callable[[object, str], object]
    Keys = dict[str, tuple[str, Reader]]


class _Several:
    """What a reader answers when one key of the file sets several attributes."""

    def __init__(self, **values: object) -> None:
        self.values = values


def shape_of(document: object) -> Shape:
    """The shape that a parsed config file describes.

    Raises:
        WrongUse: an unknown key, or a value of the wrong kind; the message has its place in the file.
    """
    shape = Shape()
    if document is None:
        return shape
    if isinstance(document, dict) and "apiVersion" in document and "kind" in document:
        raise WrongUse(
            f"This file holds a Kubernetes object ({document['kind']}), not a config of kubectl ray.",
            "Create it with kubectl:  kubectl create -f FILE",
        )
    _fill(shape, document, "", _CLUSTER)
    return shape


def _fill(target: object, document: object, where: str, keys: Keys) -> None:
    """Set the target's attributes from the mapping's keys."""
    if not isinstance(document, dict):
        raise _wrong(where or "the file", document, "a mapping of keys to values")
    seen: dict[str, str] = {}
    for key, value in document.items():
        place = f"{where}.{key}" if where else str(key)
        known = keys.get(key) if isinstance(key, str) else None
        if known is None:
            hint = suggestion(str(key), keys) or f"Known here: {', '.join(keys)}."
            raise WrongUse(f"{place}: there is no such key.", hint)
        attribute, reader = known
        if attribute in seen:
            raise WrongUse(f"{place}: that is the same as {seen[attribute]}.", "Say it once.")
        seen[attribute] = place
        if value is None:
            continue
        found = reader(value, place)
        if isinstance(found, _Several):
            for name, item in found.values.items():
                setattr(target, name, item)
        else:
            setattr(target, attribute, found)


def _wrong(where: str, value: object, wanted: str) -> WrongUse:
    kinds: dict[type, str] = {dict: "a mapping", list: "a list", bool: "true or false", str: "text"}
    got = kinds.get(type(value), "a number" if isinstance(value, int | float) else "something else")
    return WrongUse(f"{where}: this should be {wanted}, but it is {got}.", "See:  kubectl ray cluster create --help")


def _text(value: object, where: str) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        # What was written is gone by now: 2.10 was read as 2.1.
        hint = f'  {where}: "{value}"' if isinstance(value, int) else " the number 2.10 is 2.1"
        raise WrongUse(f"{where}: {value} is read as a number.", f"Put it in quotes:{hint}")
    if not isinstance(value, str):
        raise _wrong(where, value, "text")
    return value


def _plain(value: object, where: str) -> str:
    """Text, or a number as it is written."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _wrong(where, value, "text or a number")
    return str(value)


def _switch(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong(where, value, "true or false")
    return value


def _size(value: object, where: str) -> str:
    return normalize_memory(_plain(value, where), where)


def _cpu(value: object, where: str) -> str:
    return normalize_cpu(_plain(value, where), where)


def _count(value: object, where: str) -> int:
    return normalize_count(_plain(value, where), where)


def _seconds(value: object, where: str) -> int:
    return read.seconds(_plain(value, where), where)


def _map(value: object, where: str) -> dict[str, str]:
    """A mapping to text; numbers and true/false are taken as YAML writes them."""
    if not isinstance(value, dict):
        raise _wrong(where, value, "a mapping of keys to text")
    found: dict[str, str] = {}
    for key, item in value.items():
        name = _plain(key, where)
        if isinstance(item, bool):
            found[name] = "true" if item else "false"
        else:
            found[name] = "" if item is None else _plain(item, f"{where}.{name}")
    return found


def _texts(value: object, where: str) -> list[str]:
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list):
        raise _wrong(where, value, "a list of texts")
    return [_text(item, f"{where}[{at}]") for at, item in enumerate(value)]


def _tolerations(value: object, where: str) -> list[dict[str, str]]:
    """Each one in a line (`key=value:NoSchedule`), or as Kubernetes has it."""
    if not isinstance(value, list):
        raise _wrong(where, value, "a list")
    found = []
    for at, item in enumerate(value):
        place = f"{where}[{at}]"
        found.append(_map(item, place) if isinstance(item, dict) else read.toleration(_text(item, place), place))
    return found


def _head(value: object, where: str) -> HeadShape:
    head = HeadShape()
    _fill(head, value, where, _POD)
    return head


def _groups(value: object, where: str) -> list[GroupShape]:
    if not isinstance(value, list):
        raise _wrong(where, value, "a list of worker groups")
    return [_group(item, f"{where}[{at}]") for at, item in enumerate(value)]


class _TpuMachine:
    """The two keys that become node selectors."""

    def __init__(self) -> None:
        self.tpu_type: str | None = None
        self.tpu_topology: str | None = None


def _group(value: object, where: str) -> GroupShape:
    group, machine = GroupShape(), _TpuMachine()
    if isinstance(value, dict):
        _fill(machine, {key: item for key, item in value.items() if key in _TPU_MACHINE}, where, _TPU_MACHINE)
        value = {key: item for key, item in value.items() if key not in _TPU_MACHINE}
    _fill(group, value, where, _GROUP)
    for selector, chosen in ((TPU_TYPE_SELECTOR, machine.tpu_type), (TPU_TOPOLOGY_SELECTOR, machine.tpu_topology)):
        if chosen:
            group.node_selectors.setdefault(selector, chosen)
    return group


class _Autoscaler:
    def __init__(self) -> None:
        self.version: str | None = None
        self.idle_timeout: int | None = None


def _autoscaler(value: object, where: str) -> object:
    """`{version: v2, idle-timeout: 60s}`, or the version alone; an empty mapping asks for none."""
    if isinstance(value, bool):
        return "default" if value else "off"
    if isinstance(value, str):
        return read.autoscaler(value, where)
    box = _Autoscaler()
    _fill(box, value, where, {"version": ("version", _version), "idle-timeout": ("idle_timeout", _seconds)})
    version = box.version or ("default" if box.idle_timeout is not None else None)
    return _Several(autoscaler=version, idle_timeout=box.idle_timeout)


def _version(value: object, where: str) -> str | None:
    text = _text(value, where)
    return read.autoscaler(text, where) if text else None


class _Gke:
    def __init__(self) -> None:
        self.gcsfuse: GcsFuse | None = None


def _gke(value: object, where: str) -> object:
    box = _Gke()
    _fill(box, value, where, {"gcsfuse": ("gcsfuse", _gcsfuse)})
    return _Several(gcsfuse=box.gcsfuse)


def _gcsfuse(value: object, where: str) -> GcsFuse:
    bucket = GcsFuse()
    _fill(bucket, value, where, _GCSFUSE)
    for key, given in (("bucket-name", bucket.bucket), ("mount-path", bucket.mount_path)):
        if not given:
            raise WrongUse(f"{where}: {key} is missing.", f"Say which:  {key}: …")
    return bucket


def _gcsfuse_resources(value: object, where: str) -> object:
    box = HeadShape()
    wanted: Keys = {key: _POD[key] for key in ("cpu", "memory", "ephemeral-storage")}
    _fill(box, value, where, wanted)
    return _Several(cpu=box.cpu, memory=box.memory, ephemeral_storage=box.ephemeral_storage)


_POD: Keys = {
    "cpu": ("cpu", _cpu),
    "cpus": ("cpu", _cpu),
    "gpu": ("gpu", _count),
    "gpus": ("gpu", _count),
    "memory": ("memory", _size),
    "ephemeral-storage": ("ephemeral_storage", _size),
    "ray-start-params": ("ray_start_params", _map),
    "node-selectors": ("node_selectors", _map),
    "tolerations": ("tolerations", _tolerations),
}
_TPU_MACHINE: Keys = {"tpu-type": ("tpu_type", _text), "tpu-topology": ("tpu_topology", _text)}
_GROUP: Keys = {
    "name": ("name", _text),
    "replicas": ("replicas", _count),
    "min-replicas": ("minimum", _count),
    "max-replicas": ("maximum", _count),
    "num-of-hosts": ("hosts", _count),
    "tpu": ("tpu", _count),
    "tpus": ("tpu", _count),
    "idle-timeout": ("idle_timeout", _seconds),
    **_POD,
}
_GCSFUSE: Keys = {
    "bucket-name": ("bucket", _text),
    "mount-path": ("mount_path", _text),
    "mount-options": ("mount_options", _text),
    "disable-metrics": ("disable_metrics", _switch),
    "gcsfuse-metadata-prefetch-on-mount": ("metadata_prefetch", _switch),
    "skip-csi-bucket-access-check": ("skip_access_check", _switch),
    "resources": ("resources", _gcsfuse_resources),
}
_CLUSTER: Keys = {
    "name": ("name", _text),
    "namespace": ("namespace", _text),
    "labels": ("labels", _map),
    "annotations": ("annotations", _map),
    "ray-version": ("ray_version", _text),
    "image": ("image", _text),
    "service-account": ("service_account", _text),
    "image-pull-secret": ("image_pull_secrets", _texts),
    "image-pull-secrets": ("image_pull_secrets", _texts),
    "env": ("env", _map),
    "head": ("head", _head),
    "worker-groups": ("groups", _groups),
    "autoscaler": ("autoscaler", _autoscaler),
    "gke": ("gke", _gke),
}

"""Volumes of a pod: folders on this machine, filled with what ConfigMaps, secrets and the pod itself hold."""

from __future__ import annotations

import os
import shutil
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.node.environment import Missing, config_data, field, resource, secret_data

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.resources import Amounts
    from kubectl_ray.sandbox.api.store import Object

UNTOUCHED = ("/dev/shm", "/")  # noqa: S108 - the machine's own shared memory is used
"""Where a mount changes nothing: there is one such place for all."""

AUTHORITY = "kube-root-ca.crt"
"""The ConfigMap of each namespace that holds it."""

_CONTENTS = ("configMap", "secret", "downwardAPI", "projected")
"""Volumes whose files are the sandbox's own; what is in others is the pod's."""

_WRITABLE, _ALL = 0o600, 0o777


class Unmountable(Exception):
    """The volume cannot be had now; the text is the kubelet's event."""


def mount(
    objects: Objects, pod: Object, folder: Path, offered: Amounts, token: Callable[[str, str], str] | None
) -> dict[str, Path]:
    """Make the pod's volumes under a folder; where each is. May be called again: contents are made new.

    Raises:
        Unmountable: something that one of them needs is missing.
        OSError: the disk does not take it.
    """
    made: dict[str, Path] = {}
    for number, volume in enumerate(pod["spec"].get("volumes") or []):
        place = folder / f"v{number}"
        name = volume["name"]
        try:
            made[name] = _one(objects, pod, volume, place, offered, token)
        except _Absent as absent:
            raise Unmountable(f'MountVolume.SetUp failed for volume "{name}" : {absent}') from None
    return made


class _Absent(Exception):
    """What is missing."""


def _one(
    objects: Objects,
    pod: Object,
    volume: Object,
    place: Path,
    offered: Amounts,
    token: Callable[[str, str], str] | None,
) -> Path:
    namespace = pod["metadata"]["namespace"]
    if volume.get("hostPath"):
        return _host_path(volume["hostPath"])
    place.mkdir(parents=True, exist_ok=True)
    files: dict[str, bytes] = {}
    if volume.get("configMap"):
        files = _held(volume["configMap"], "name", "configmap", config_data, objects, namespace)
    elif volume.get("secret"):
        files = _held(volume["secret"], "secretName", "secret", secret_data, objects, namespace)
    elif volume.get("downwardAPI"):
        files = _downward(pod, volume["downwardAPI"], offered)
    elif volume.get("projected"):
        files = _projected(objects, pod, volume["projected"], offered, token)
    elif not (volume.get("emptyDir") is not None or set(volume) == {"name"}):
        kind = next((each for each in volume if each != "name"), "")
        raise _Absent(f"volumes of type {kind} are not offered by the sandbox")
    if any(volume.get(each) for each in _CONTENTS):
        clear(place)  # a key that is gone since the pod was mounted before is no file any more
        place.mkdir()
    _write(place, files)
    _permit(place, files, volume)
    return place


def _permit(place: Path, files: Iterable[str], volume: Object) -> None:
    """`defaultMode` and the items' own `mode`: scripts are to run. The owner may always write, to make them anew."""
    source: Object = next((volume[each] for each in _CONTENTS if volume.get(each)), {})
    parts = [source, *(part for each in source.get("sources") or [] for part in each.values() if part)]
    own: dict[str, int] = {
        item["path"]: item["mode"] for part in parts for item in part.get("items") or [] if item.get("mode")
    }
    for name in files:
        mode = own.get(name) or int(source.get("defaultMode") or 0)
        (place / name).chmod(mode & _ALL | _WRITABLE)


def _host_path(volume: Object) -> Path:
    path, kind = Path(volume["path"]), volume.get("type", "")
    if kind == "DirectoryOrCreate":
        path.mkdir(parents=True, exist_ok=True)
    elif kind == "FileOrCreate":
        path.touch()
    elif kind == "Directory" and not path.is_dir():
        raise _Absent(f"hostPath type check failed: {path} is not a directory")
    elif kind == "File" and not path.is_file():
        raise _Absent(f"hostPath type check failed: {path} is not a file")
    return path


def _held(
    source: Object,
    key: str,
    word: str,
    data: Callable[[Objects, str, str], dict[str, bytes] | None],
    objects: Objects,
    namespace: str,
) -> dict[str, bytes]:
    name = source.get(key, "")
    held = data(objects, namespace, name)
    if held is None:
        if source.get("optional"):
            return {}
        raise _Absent(f'{word} "{name}" not found')
    if not source.get("items"):
        return held
    chosen = {}
    for item in source["items"]:
        if item["key"] in held:
            chosen[item["path"]] = held[item["key"]]
        elif not source.get("optional"):
            what = (
                "configmap references non-existent config" if word == "configmap" else "references non-existent secret"
            )
            raise _Absent(f"{what} key: {item['key']}")
    return chosen


def _downward(pod: Object, source: Object, offered: Amounts) -> dict[str, bytes]:
    files = {}
    for item in source.get("items") or []:
        if item.get("fieldRef"):
            text = field(pod, item["fieldRef"]["fieldPath"])
        else:
            text = resource(pod, pod["spec"]["containers"][0], item["resourceFieldRef"], offered)
        files[item["path"]] = text.encode()
    return files


def _projected(
    objects: Objects, pod: Object, source: Object, offered: Amounts, token: Callable[[str, str], str] | None
) -> dict[str, bytes]:
    namespace, absent = pod["metadata"]["namespace"], []
    files: dict[str, bytes] = {}
    for each in source.get("sources") or []:
        try:
            if each.get("configMap"):
                files |= _held(each["configMap"], "name", "configmap", config_data, objects, namespace)
            elif each.get("secret"):
                files |= _held(each["secret"], "name", "secret", secret_data, objects, namespace)
            elif each.get("downwardAPI"):
                files |= _downward(pod, each["downwardAPI"], offered)
            elif each.get("serviceAccountToken") and token is not None:
                account = pod["spec"].get("serviceAccountName", "default")
                files[each["serviceAccountToken"]["path"]] = token(namespace, account).encode()
        except _Absent as problem:
            absent.append(str(problem))
    if absent:
        raise _Absent(absent[0] if len(absent) == 1 else f"[{', '.join(absent)}]")
    return files


def _write(place: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        relative = PurePosixPath(name)
        if relative.is_absolute() or ".." in relative.parts:
            raise _Absent(f"invalid path: {name}")
        target = place / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _WRITABLE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)


def account(objects: Objects, pod: Object, folder: Path, token: Callable[[str, str], str]) -> None:
    """What each container finds of its service account: a token, the authority of the API server, the namespace.

    Raises:
        Refused: there is no such service account any more.
        OSError: the disk does not take it.
    """
    namespace = pod["metadata"]["namespace"]
    authority = config_data(objects, namespace, AUTHORITY) or {}
    name = pod["spec"].get("serviceAccountName") or "default"
    _write(folder, {**authority, "token": token(namespace, name).encode(), "namespace": namespace.encode()})


def paths(container: Object, volumes: dict[str, Path]) -> list[tuple[str, str]]:
    """What a container's mounts mean: (inside, outside).

    Raises:
        Missing: a `subPath` leads out of its volume; nothing is made there.
    """
    found = []
    for each in container.get("volumeMounts") or []:
        inside = each["mountPath"].rstrip("/") or "/"
        if inside in UNTOUCHED or each["name"] not in volumes:
            continue
        outside = volumes[each["name"]]
        if each.get("subPath"):
            volume, outside = outside.resolve(), outside / each["subPath"]
            if not outside.resolve().is_relative_to(volume):  # a link in the volume may lead anywhere
                raise Missing(
                    f'failed to prepare subPath for volumeMount "{each["name"]}" of container "{container.get("name")}"'
                )
            if not outside.exists():
                outside.mkdir(parents=True)
        found.append((inside, str(outside)))
    return found


def clear(folder: Path) -> None:
    """Delete a pod's folder; what another process deletes meanwhile does not matter."""
    shutil.rmtree(folder, ignore_errors=True)

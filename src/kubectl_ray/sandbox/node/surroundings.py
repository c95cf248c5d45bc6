"""What a container's process is started with: the environment, the command and the folder."""

from __future__ import annotations

import json
import os
import re
import site
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api.kinds import PODS, SERVICES
from kubectl_ray.sandbox.api.resources import asked
from kubectl_ray.sandbox.node import ports, processes
from kubectl_ray.sandbox.node.environment import environment
from kubectl_ray.sandbox.node.serve_proxy import PLACE
from kubectl_ray.sandbox.node.translation import Translation
from kubectl_ray.sandbox.node.volumes import paths

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.resources import Amounts
    from kubectl_ray.sandbox.api.store import Object
    from kubectl_ray.sandbox.node.places import PodPlace
    from kubectl_ray.sandbox.node.settings import Settings

KEPT = ("LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "LOGNAME", "SHELL", "SSL_CERT_FILE", "TZ", "USER")
"""Of the sandbox's own environment; the rest is not the pod's business."""

RAY_HOME, RAY_FOLDER = "/home/ray", "/tmp/ray"  # noqa: S108 - a path inside of containers
PYTHON_FOLDERS = ("/home/ray/anaconda3/bin", "/opt/conda/bin")
"""Where images have the Python that runs jobs."""

ACCOUNT_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"
TERMINATION_LOG = "/dev/termination-log"
_PLAIN = re.compile(r"[\w./+@-]+", re.ASCII)


def translation(
    objects: Objects,
    given: ports.Ports,
    pod: Object,
    container: Object,
    place: PodPlace,
    volumes: Mapping[str, Path],
    python: Path,
) -> Translation:
    """What paths and addresses in a container mean."""
    mounts = [each for each in paths(container, dict(volumes)) if each[0] != RAY_FOLDER]
    known = dict(mounts)
    usual = [(RAY_FOLDER, str(place.ray)), (RAY_HOME, str(place.home)), (ACCOUNT_FOLDER, str(place.account))]
    usual.append((container.get("terminationMessagePath") or TERMINATION_LOG, str(place.message(container["name"]))))
    if _PLAIN.fullmatch(str(python)):
        usual += [(each, str(python)) for each in PYTHON_FOLDERS]
    return Translation(
        pod["metadata"]["namespace"],
        (*mounts, *(each for each in usual if each[0] not in known)),
        given.of(ports.key(pod), ports.moved(pod)),
        lambda name, namespace, port: service_port(objects, given, namespace, name, port),
    )


def service_port(objects: Objects, given: ports.Ports, namespace: str, name: str, port: int) -> int | None:
    """The port of this machine behind a service's; also where the pod is still to come. None: no such service.

    A cluster's head keeps its ports, so they are known before its pod is there.
    """
    service = objects.find(SERVICES, namespace, name)
    if service is None:
        return None
    spec = service["spec"]
    target = next((each.get("targetPort", port) for each in spec.get("ports") or [] if each.get("port") == port), port)
    selector: Mapping[str, str] = spec.get("selector") or {}
    cluster = selector.get("ray.io/cluster")
    if cluster and selector.get("ray.io/node-type") == "head":
        number = target if isinstance(target, int) else port
        return given.of(ports.head_key(namespace, cluster), [number])[number]
    if not selector:
        return None
    for pod in objects.list(PODS, namespace, selector):
        inside = target if isinstance(target, int) else _named(pod, target)
        if inside is not None and not pod["metadata"].get("deletionTimestamp"):
            return given.of(ports.key(pod), [inside])[inside] if inside in ports.moved(pod) else inside
    return None


def _named(pod: Object, name: str) -> int | None:
    for each in pod["spec"]["containers"]:
        for port in each.get("ports") or []:
            if port.get("name") == name:
                return int(port["containerPort"])
    return None


def variables(
    objects: Objects,
    settings: Settings,
    pod: Object,
    container: Object,
    place: PodPlace,
    meaning: Translation,
    marks: Mapping[str, str],
    offered: Amounts,
) -> dict[str, str]:
    """The whole environment of a container.

    Raises:
        Missing: a ConfigMap, a Secret, or a key in one.
    """
    named = environment(objects, pod, container, offered)
    found = {name: os.environ[name] for name in KEPT if name in os.environ}
    found |= {
        "PATH": os.pathsep.join([str(place.programs), str(settings.ray_bin), os.environ.get("PATH") or os.defpath]),
        "HOME": str(place.home),
        "HOSTNAME": pod["metadata"]["name"],
        "TMPDIR": str(place.temporary),
        "RAY_TMPDIR": str(place.path),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        **_python(),
        **_ray(objects, settings, pod, container, place, meaning),
    }
    found.setdefault("LANG", "C.UTF-8")
    found |= {name: meaning.text(text) for name, text in named.items()}
    return found | dict(marks)


def _python() -> dict[str, str]:
    """What Python and pip keep under the real home folder stays where it is."""
    caches = Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    base = Path(os.environ.get("XDG_CACHE_HOME") or caches)
    found = {"PYTHONUSERBASE": site.getuserbase()}
    for name, part in (("PIP_CACHE_DIR", "pip"), ("UV_CACHE_DIR", "uv")):
        path = Path(os.environ.get(name) or base / part)
        if path.is_dir():
            found[name] = str(path)
    return found


def _ray(
    objects: Objects, settings: Settings, pod: Object, container: Object, place: PodPlace, meaning: Translation
) -> dict[str, str]:
    """What our `ray` needs to know; see `ray_program`."""
    limit = asked({"spec": {"containers": [container]}}, "limits").get("memory")
    found = {
        "KUBECTL_RAY_FOLDER": str(place.ray),
        "KUBECTL_RAY_PORTS": json.dumps(dict(meaning.ports)),
        "KUBECTL_RAY_SERVICES": json.dumps(_services(objects, pod, meaning)),
        "KUBECTL_RAY_MEMORY": str(limit.whole if limit else 0),
    }
    if meaning.ports:
        found |= {
            "AUTOSCALER_METRIC_PORT": str(meaning.ports[ports.AUTOSCALER_METRICS]),
            "DASHBOARD_METRIC_PORT": str(meaning.ports[ports.DASHBOARD_METRICS]),
            "RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH": PLACE,
        }
    if settings.api is not None:
        found["KUBECTL_RAY_API"] = settings.api()
        found["KUBECTL_RAY_ACCOUNT"] = meaning.path(ACCOUNT_FOLDER)
    return found


def _services(objects: Objects, pod: Object, meaning: Translation) -> dict[str, dict[int, int]]:
    """For names without a port, as `$RAY_IP:6379` makes them: the heads' services of the namespace."""
    namespace, found = pod["metadata"]["namespace"], {}
    for service in objects.list(SERVICES, namespace):
        if (service["spec"].get("selector") or {}).get("ray.io/node-type") != "head":
            continue
        name, numbers = service["metadata"]["name"], {}
        for each in service["spec"].get("ports") or []:
            moved = meaning.service(name, namespace, each["port"])
            if moved is not None:
                numbers[each["port"]] = moved
        found[f"{name}.{namespace}"] = numbers
    return found


def command(
    container: Object, environment_: Mapping[str, str], meaning: Translation, argv: Sequence[str], place: PodPlace
) -> processes.Command:
    """The command as it is run: paths and addresses translated."""
    return processes.Command(meaning.argv(argv), dict(environment_), folder(container, meaning, place))


def folder(container: Object, meaning: Translation, place: PodPlace) -> Path:
    """Where the process begins: its workingDir where the pod has that, else the pod's home."""
    named = container.get("workingDir")
    if not named:
        return place.home
    path = Path(meaning.path(named))
    if str(path) == named and not path.is_dir():
        return place.home
    path.mkdir(parents=True, exist_ok=True)
    return path

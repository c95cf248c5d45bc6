"""Where the cases happen: recording servers, proxies, a folder for kubeconfigs; and the two programs compared."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubectl_ray.errors import KubectlRayError
from kubectl_ray.kube import kubeconfig
from kubectl_ray.kube.client import Client
from kubectl_ray.kube.credentials import Credentials
from tests.wire.certificates import Authority, Identity, authority, identity, stranger
from tests.wire.proxies import Proxy, http_proxy, socks_proxy
from tests.wire.recorder import NAMES, Recorder, recorder, tls_recorder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

KUBECTL = str(Path(sys.executable).with_name("kubectl"))
RESOURCE = "/apis/ray.io/v1/namespaces/{namespace}/rayclusters"
# Our names of the flags that kubectl calls otherwise.
_KUBECTL_FLAGS = {"kube_cluster": "cluster", "as_": "as", "as_groups": "as-group"}


class World:
    """The servers and the proxies of one run, and the folder of one case."""

    def __init__(self, secure: Recorder, plain: Recorder, proxies: Mapping[str, Proxy]) -> None:
        self.secure = secure
        self.plain = plain
        self.proxies = proxies
        self.folder = Path()
        self.authority: Authority = authority()
        self.stranger: Authority = stranger()

    @property
    def url(self) -> str:
        """The recording TLS server."""
        return f"https://127.0.0.1:{self.secure.port}"

    def proxy(self, name: str, login: str = "") -> str:
        """The URL of a recording proxy."""
        scheme = {"http": "http", "https": "https", "socks": "socks5", "socks-login": "socks5"}[name]
        return f"{scheme}://{login}127.0.0.1:{self.proxies[name].port}"

    def cluster(self, **fields: Any) -> dict[str, Any]:
        """A cluster entry for the TLS server; `fields` with None are left out, `_` is written as `-`."""
        return _fields({"server": self.url, "certificate-authority-data": b64(self.authority.pem)}, fields)

    def config(
        self,
        cluster: dict[str, Any] | None = None,
        user: dict[str, Any] | None = None,
        *,
        name: str = "one",
        **more: Any,
    ) -> dict[str, Any]:
        """A kubeconfig with one context `name`, of which everything is called so."""
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": self.cluster() if cluster is None else cluster}],
            "users": [{"name": name, "user": {"token": f"token-of-{name}"} if user is None else user}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
            **_fields({}, more),
        }

    def write(self, path: str, content: str | bytes | dict[str, Any], *, executable: bool = False) -> str:
        """Write a file of the case; its path comes back."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, dict):
            content = json.dumps(content)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        if executable:
            file.chmod(0o755)
        return str(file)

    def plugin(self, status: dict[str, Any], *, path: str = "bin/login-plugin", version: str = "v1") -> str:
        """Write an exec plugin that notes what it is told in `told` and answers with `status`."""
        answer = {"apiVersion": f"client.authentication.k8s.io/{version}", "kind": "ExecCredential", "status": status}
        script = f"""#!/bin/sh
printf '%s\\n' "$KUBERNETES_EXEC_INFO" >> {self.folder}/told
printf '%s\\n' "$# $* ${{EXTRA-unset}}" >> {self.folder}/called
cat <<'END'
{json.dumps(answer)}
END
"""
        return self.write(path, script, executable=True)

    def identity(self, name: str = "ada") -> Identity:
        """A client certificate."""
        return identity(name)

    def told(self) -> list[Any]:
        """What the plugin was told and how it was called, so far; and forget it."""
        found: list[Any] = []
        for name, read in (("told", json.loads), ("called", str)):
            file = self.folder / name
            if file.exists():
                found += [read(line) for line in file.read_text().splitlines() if line]
                file.unlink()
        return found

    def take(self) -> dict[str, Any]:
        """Everything that was recorded since the last time."""
        everything = {
            "requests": [seen.who() for seen in self.secure.seen],
            "plain requests": [seen.who() for seen in self.plain.seen],
            "proxies": {name: list(proxy.asked) for name, proxy in self.proxies.items() if proxy.asked},
            "plugin": self.told(),
        }
        for record in (self.secure, self.plain):
            record.seen.clear()
        for proxy in self.proxies.values():
            proxy.asked.clear()
        return everything


@contextlib.contextmanager
def world() -> Iterator[World]:
    """Start the servers and the proxies."""
    with contextlib.ExitStack() as stack:
        secure = stack.enter_context(tls_recorder())
        plain = stack.enter_context(recorder(None))
        proxies = {
            "http": stack.enter_context(http_proxy(secure.port)),
            "https": stack.enter_context(http_proxy(secure.port, context=authority().server(*NAMES))),
            "socks": stack.enter_context(socks_proxy(secure.port)),
            "socks-login": stack.enter_context(socks_proxy(secure.port, login=("ada", "pass word"))),
        }
        yield World(secure, plain, proxies)


class Case:
    """What is given: files are in the world's folder already, `flags` are our `Overrides`, `env` is all there is."""

    def __init__(
        self,
        *,
        flags: dict[str, Any] | None = None,
        env: dict[str, str] | None = None,
        fails: bool = False,
        pod: bool = False,
    ) -> None:
        self.flags = flags or {}
        self.env = env or {}
        self.fails = fails
        self.pod = pod


class Cases(list["Callable[[World], Case]"]):
    """The cases of one module, each a function that makes a `Case` in a world."""

    def case(self, make: Callable[[World], Case]) -> Callable[[World], Case]:
        """Add a case; used as a decorator."""
        self.append(make)
        return make


def environment(case: Case, folder: Path) -> dict[str, str]:
    """The whole environment of either program."""
    path = f"{folder}/bin{os.pathsep}/usr/bin{os.pathsep}/bin"
    return {"HOME": str(folder), "PATH": path, "KUBECONFIG": str(folder / "config"), **case.env}


def ours(case: Case, folder: Path, service_account: Path) -> str:
    """One GET, the way every command of ours goes; the error's words where it fails."""
    env = {name: value for name, value in environment(case, folder).items() if value}
    try:
        target = kubeconfig.load(kubeconfig.Overrides(**case.flags), env, service_account_dir=str(service_account))
        credentials = Credentials(target, env, interactive=False, stderr=io.StringIO())
        with contextlib.closing(Client(target, credentials, env)) as client:
            if client.raw("GET", RESOURCE.format(namespace=target.namespace)).status != 200:
                return "not answered"
    except KubectlRayError as error:
        return error.message
    return ""


def kubectls(case: Case, folder: Path, service_account: Path, the: World) -> str:
    """The same GET by the real kubectl; its error's words where it fails."""
    env = {name: value for name, value in environment(case, folder).items() if value}
    flags = list(_flags(case))
    # `get --raw` takes a path as it is; the namespace shows in the path of a command that needs no discovery.
    _run(case, [*flags, "create", "token", "probe"], folder, env, service_account)
    paths = [request["path"] for kind, found in the.take().items() if "requests" in kind for request in found]
    namespace = paths[0].partition("/namespaces/")[2].partition("/")[0] if paths else "default"
    done = _run(case, [*flags, "get", "--raw", RESOURCE.format(namespace=namespace)], folder, env, service_account)
    return "" if done.returncode == 0 else done.stderr or "failed"


def _flags(case: Case) -> Iterator[str]:
    for name, value in case.flags.items():
        flag = "--" + _KUBECTL_FLAGS.get(name, name.replace("_", "-"))
        if value is True:
            yield flag
        else:
            yield from (f"{flag}={item}" for item in ([value] if isinstance(value, str) else value))


def _run(
    case: Case, arguments: list[str], folder: Path, env: dict[str, str], account: Path
) -> subprocess.CompletedProcess[str]:
    command = [KUBECTL, *arguments]
    if case.pod:
        # Another /run for this process alone: the service account's folder is where every pod has it.
        mount = "mount -t tmpfs tmpfs /run && mkdir -p /run/secrets/kubernetes.io && cp -r {} {} && exec {}"
        where = "/run/secrets/kubernetes.io/serviceaccount"
        command = [
            "unshare",
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            mount.format(account, where, '"$@"'),
            "sh",
            *command,
        ]
    return subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL
    )


def b64(data: bytes) -> str:
    """Base64, as kubeconfigs have it."""
    return base64.b64encode(data).decode()


def _fields(known: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    given = known | {name.replace("_", "-"): value for name, value in more.items()}
    return {name: value for name, value in given.items() if value is not None}

"""Exec plugins: a program of the user's that prints a token or a certificate.

Protocol: Kubernetes, "client-go credential plugins", `client.authentication.k8s.io/v1` and `v1beta1`. A plugin's
standard error is the user's terminal: that is where it asks for a code or says why it failed.
"""

from __future__ import annotations

import json
import os

from kubectl_ray.errors import Invalid, NotLoggedIn
from kubectl_ray.kube import documents, kuberc

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping
    from typing import Any, TextIO

_GROUP = "client.authentication.k8s.io/"
_VERSIONS = frozenset({f"{_GROUP}v1", f"{_GROUP}v1beta1"})


class Issued:
    """What one run of a plugin gave. `expires` is in seconds since 1970. Its `repr` shows no secret."""

    def __init__(self, token: str, certificate: tuple[bytes, bytes] | None, expires: float | None) -> None:
        self.token = token
        self.certificate = certificate
        self.expires = expires

    def __repr__(self) -> str:
        return f"Issued(expires={self.expires!r})"


class ExecPlugin:
    """One user's plugin; `start` and `finish` make one run of it, `run` does both."""

    def __init__(  # each is one thing the protocol tells the plugin
        self,
        config: Mapping[str, Any],
        cluster: Mapping[str, Any],
        env: Mapping[str, str],
        *,
        interactive: bool,
        stderr: TextIO,
    ) -> None:
        self._config = config
        self._cluster = cluster
        self._env = env
        self._interactive = interactive
        self._stderr = stderr
        self._running: subprocess.Popen[bytes] | None = None

    def run(self) -> Issued:
        """Run the plugin, or wait for the run that `start` began, and return what it gave.

        Raises:
            NotLoggedIn: it is missing, may not run, failed, or printed something else.
            Invalid: the kuberc's policy for plugins is wrong.
        """
        self.start()
        return self.finish()

    def start(self) -> None:
        """Start the plugin unless it runs already; it works while the caller connects."""
        if self._running is not None:
            return
        import subprocess  # the kubeconfig names the program

        command = os.path.normpath(self._config["command"])
        path = self._allowed(command)
        try:
            self._running = subprocess.Popen(
                [command, *self._config.get("args", ())],
                executable=path,
                env=self._environment(),
                stdin=None if self._wants_terminal() else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=self._stderr if _has_descriptor(self._stderr) else subprocess.PIPE,
            )
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "its command line cannot be"
            raise NotLoggedIn(f"The login plugin {command} did not start: {why}", hint=self._install_hint()) from None

    def finish(self) -> Issued:
        """Wait for the run that was started."""
        process, self._running = self._running, None
        if process is None:
            raise NotLoggedIn("The login plugin was not started")
        with process:
            try:
                output, talk = process.communicate()
            except BaseException:
                process.kill()
                raise
        if talk:
            self._stderr.write(talk.decode("utf-8", "replace"))
        if process.returncode:
            raise self._failed(f"failed with exit code {process.returncode}")
        return self._read(output)

    def stop(self) -> None:
        """End a run that nobody waits for any more."""
        process, self._running = self._running, None
        if process is not None:
            process.kill()
            process.communicate()

    def _allowed(self, command: str) -> str:
        version = self._config["apiVersion"]
        if version not in _VERSIONS:
            raise NotLoggedIn(
                f"The login plugin {command} is set up for {version}, which is no longer spoken",
                hint="Log in again with a current version of the tool that wrote the kubeconfig.",
            )
        path = self._which(command)
        kuberc.policy(self._env, self._stderr.write).check(command, path, self._which)
        if path is None:
            raise NotLoggedIn(f"The login plugin {command} is not installed", hint=self._install_hint())
        return path

    def _which(self, command: str) -> str | None:
        """Where `command` is, as Go's LookPath finds it: never in the current folder by way of PATH."""
        if os.path.basename(command) != command:
            return command if os.path.isfile(command) and os.access(command, os.X_OK) else None
        if os.name == "nt":
            import shutil

            return shutil.which(command, path=self._env.get("PATH"))
        for folder in self._env.get("PATH", "").split(os.pathsep):
            path = os.path.join(folder, command)
            if os.path.isabs(folder) and os.path.isfile(path) and os.access(path, os.X_OK):
                return path
        return None

    def _wants_terminal(self) -> bool:
        mode = self._config.get("interactiveMode", "IfAvailable")
        if mode == "Always" and not self._interactive:
            raise NotLoggedIn(
                f"The login plugin {self._config['command']} needs a terminal to ask on, and there is none",
                hint="Run this once in a terminal, or use a login that needs no questions.",
            )
        return self._interactive and mode != "Never"

    def _environment(self) -> dict[str, str]:
        spec: dict[str, Any] = {"interactive": self._wants_terminal()}
        if self._config.get("provideClusterInfo"):
            spec["cluster"] = self._cluster
        info = {"kind": "ExecCredential", "apiVersion": self._config["apiVersion"], "spec": spec}
        named = {pair["name"]: pair.get("value", "") for pair in self._config.get("env", ())}
        return {**self._env, **named, "KUBERNETES_EXEC_INFO": json.dumps(info, separators=(",", ":"), default=str)}

    def _install_hint(self) -> str:
        # Printable text and line breaks only: a kubeconfig must not steer the terminal.
        text = "".join(
            letter for letter in self._config.get("installHint", "") if letter.isprintable() or letter in "\n\t"
        )
        return text.strip() or "Install it, or log in again with the tool that wrote the kubeconfig."

    def _failed(self, why: str) -> NotLoggedIn:
        return NotLoggedIn(
            f"The login plugin {self._config['command']} {why}",
            hint="Log in again with the tool of your cluster's provider; the plugin's own words are above.",
        )

    def _read(self, output: bytes) -> Issued:
        try:
            document = documents.parse(output, "the plugin's answer")
        except Invalid:
            document = None
        if not isinstance(document, dict) or document.get("kind") != "ExecCredential":
            raise self._failed("printed something else than an ExecCredential")
        version = self._config["apiVersion"]
        if document.get("apiVersion") != version:
            raise self._failed(f"answered in another version than {version}, which the kubeconfig asks for")
        status = document.get("status")
        if not isinstance(status, dict):
            raise self._failed("printed an ExecCredential without a status")
        token, certificate, key = (
            self._field(status, name) for name in ("token", "clientCertificateData", "clientKeyData")
        )
        if bool(certificate) != bool(key):
            raise self._failed("gave only one of certificate and key")
        if not token and not certificate:
            raise self._failed("gave neither a token nor a certificate")
        pair = (certificate.encode(), key.encode()) if certificate else None
        return Issued(token, pair, self._expiry(self._field(status, "expirationTimestamp")))

    def _field(self, status: Mapping[object, object], name: str) -> str:
        value = status.get(name)
        if value is None:
            return ""
        if not isinstance(value, str) or any("\ud800" <= letter <= "\udfff" for letter in value):
            raise self._failed(f"gave a {name} that is not text")
        return value

    def _expiry(self, stamp: str) -> float | None:
        if not stamp:
            return None
        from datetime import datetime

        try:
            moment = datetime.fromisoformat(stamp)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            raise self._failed("gave an expirationTimestamp that is not a time (RFC 3339)")
        return moment.timestamp()


def _has_descriptor(stream: TextIO) -> bool:
    try:
        return stream.fileno() >= 0
    except (OSError, ValueError, AttributeError):
        return False

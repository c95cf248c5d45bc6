"""`kube.exec_plugin`: running a login plugin and understanding its answer. The plugins here are real programs."""

from __future__ import annotations

import io
import json
import os
import signal
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.errors import KubectlRayError, NotLoggedIn
from kubectl_ray.kube.exec_plugin import ExecPlugin

if TYPE_CHECKING:
    from pathlib import Path

V1 = "client.authentication.k8s.io/v1"


def _answer(**status: Any) -> str:
    return json.dumps({"apiVersion": V1, "kind": "ExecCredential", "status": status})


class Lab:
    """A folder with a plugin in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stderr = io.StringIO()
        self.env = {"PATH": f"{folder}/bin:/usr/bin:/bin", "HOME": str(folder), "SEEN": "outer"}

    def script(self, text: str, path: str = "bin/test-login") -> str:
        """Write a shell script."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(0o755)
        return str(file)

    def prints(self, text: str) -> None:
        """Write a plugin that prints this."""
        (self.folder / "answer").write_text(text)
        self.script(f"cat {self.folder}/answer")

    def plugin(self, *, interactive: bool = False, cluster: dict[str, Any] | None = None, **config: Any) -> ExecPlugin:
        """The plugin as a kubeconfig would name it."""
        known = {"command": "test-login", "apiVersion": V1, "interactiveMode": "Never", **config}
        return ExecPlugin(known, cluster or {}, self.env, interactive=interactive, stderr=self.stderr)


@pytest.fixture(name="lab")
def _lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def test_token(lab: Lab) -> None:
    """A plugin gives a token and when it ends."""
    lab.prints(_answer(token="secret", expirationTimestamp="2030-01-01T00:00:00Z"))
    issued = lab.plugin().run()
    assert (issued.token, issued.certificate, issued.expires) == ("secret", None, 1893456000.0)
    assert "secret" not in repr(issued)


def test_certificate(lab: Lab) -> None:
    """A plugin gives a certificate and its key."""
    lab.prints(_answer(clientCertificateData="CERT", clientKeyData="KEY"))
    assert lab.plugin().run().certificate == (b"CERT", b"KEY")


def test_what_it_is_told(lab: Lab) -> None:
    """Arguments, environment and KUBERNETES_EXEC_INFO reach the plugin; its own variables win over ours."""
    note = lab.folder / "note"
    lab.script(f'printf "%s\\n" "$#" "$2" "$SEEN" "$KUBERNETES_EXEC_INFO" > {note}; cat {lab.folder}/answer')
    (lab.folder / "answer").write_text(_answer(token="t"))
    lab.plugin(
        args=["a", "b c"],
        env=[{"name": "SEEN", "value": "inner"}],
        provideClusterInfo=True,
        cluster={"server": "https://host", "config": {"k": "v"}},
    ).run()
    count, second, seen, info = note.read_text().splitlines()
    assert (count, second, seen) == ("2", "b c", "inner")
    spec = {"interactive": False, "cluster": {"server": "https://host", "config": {"k": "v"}}}
    assert json.loads(info) == {"kind": "ExecCredential", "apiVersion": V1, "spec": spec}


def test_cluster_only_on_request(lab: Lab) -> None:
    """Without provideClusterInfo the plugin is not told of the cluster."""
    note = lab.folder / "note"
    lab.script(f'echo "$KUBERNETES_EXEC_INFO" > {note}; cat {lab.folder}/answer')
    (lab.folder / "answer").write_text(_answer(token="t"))
    lab.plugin(cluster={"server": "https://host"}).run()
    assert json.loads(note.read_text())["spec"] == {"interactive": False}


@pytest.mark.parametrize(
    ("mode", "terminal", "told"),
    [("Never", True, False), ("IfAvailable", True, True), ("IfAvailable", False, False), ("Always", True, True)],
)
def test_interactive_mode(mode: str, terminal: bool, told: bool, lab: Lab) -> None:  # a table's columns
    """A plugin is told whether it may ask, and gets the terminal only then."""
    note = lab.folder / "note"
    lab.script(f'echo "$KUBERNETES_EXEC_INFO" > {note}; readlink /proc/$$/fd/0 >> {note}; cat {lab.folder}/answer')
    (lab.folder / "answer").write_text(_answer(token="t"))
    lab.plugin(interactiveMode=mode, interactive=terminal).run()
    info = json.loads(note.read_text().splitlines()[0])
    assert info["spec"]["interactive"] is told


def test_needs_a_terminal(lab: Lab) -> None:
    """A plugin that always asks is not started without a terminal."""
    lab.script("echo started > started")
    with pytest.raises(NotLoggedIn, match="needs a terminal"):
        lab.plugin(interactiveMode="Always").run()


def test_its_words_reach_the_user(lab: Lab) -> None:
    """What a plugin says on its standard error is passed on."""
    lab.script(f"echo 'open https://example.test and enter 1234' >&2; cat {lab.folder}/answer")
    (lab.folder / "answer").write_text(_answer(token="t"))
    lab.plugin().run()
    assert "enter 1234" in lab.stderr.getvalue()


def test_its_words_reach_a_real_stream(lab: Lab, tmp_path: Path) -> None:
    """A stream with a descriptor is handed to the plugin as it is, so that it can talk while it runs."""
    lab.script(f"echo hello >&2; cat {lab.folder}/answer")
    (lab.folder / "answer").write_text(_answer(token="t"))
    with (tmp_path / "talk").open("w") as stream:
        ExecPlugin({"command": "test-login", "apiVersion": V1}, {}, lab.env, interactive=False, stderr=stream).run()
    assert (tmp_path / "talk").read_text() == "hello\n"


def test_missing(lab: Lab) -> None:
    """A missing plugin is an error with the kubeconfig's install hint, without what would steer the terminal."""
    with pytest.raises(NotLoggedIn, match="test-login is not installed") as caught:
        lab.plugin(installHint="\x1b[31mpip install it\nthen try again\x07").run()
    assert caught.value.hint == "[31mpip install it\nthen try again"


def test_path_is_ours(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked for on PATH, never in the current folder by way of a relative entry."""
    monkeypatch.chdir(lab.folder)
    lab.script("true")
    lab.env["PATH"] = "bin::."
    with pytest.raises(NotLoggedIn, match="not installed"):
        lab.plugin().run()


def test_not_executable(lab: Lab) -> None:
    """A file that may not be run is no plugin."""
    path = lab.script("true", "elsewhere/login")
    os.chmod(path, 0o644)  # noqa: PTH101 -- a text path
    with pytest.raises(NotLoggedIn, match="not installed"):
        lab.plugin(command=path).run()


def test_not_a_program(lab: Lab) -> None:
    """A file that the system cannot run is an error in words."""
    path = lab.script("")
    (lab.folder / "bin" / "test-login").write_bytes(b"\x7fELF garbage")
    with pytest.raises(NotLoggedIn, match="did not start"):
        lab.plugin(command=path).run()


def test_policy_comes_first(lab: Lab) -> None:
    """The kuberc's policy is asked before anything is started."""
    (lab.folder / "rc").write_text(
        "apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\ncredentialPluginPolicy: DenyAll\n"
    )
    lab.env["KUBERC"] = str(lab.folder / "rc")
    lab.script(f"touch {lab.folder}/started")
    with pytest.raises(NotLoggedIn, match="DenyAll"):
        lab.plugin().run()
    assert not (lab.folder / "started").exists()


def test_unknown_version(lab: Lab) -> None:
    """v1alpha1 is gone from kubectl too."""
    lab.script("true")
    with pytest.raises(NotLoggedIn, match="v1alpha1, which is no longer spoken"):
        lab.plugin(apiVersion="client.authentication.k8s.io/v1alpha1").run()


def test_failure(lab: Lab) -> None:
    """A plugin that fails is an error with its exit code."""
    lab.script("exit 7")
    with pytest.raises(NotLoggedIn, match="exit code 7"):
        lab.plugin().run()


def test_death_by_signal(lab: Lab) -> None:
    """A plugin that is killed is an error too."""
    lab.script("kill -9 $$")
    with pytest.raises(NotLoggedIn, match=f"{-signal.SIGKILL}"):
        lab.plugin().run()


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "hello",
        "[]",
        "{",
        "a: b: c",
        json.dumps({"apiVersion": V1, "kind": "Secret", "status": {"token": "hunter2"}}),
        json.dumps({"apiVersion": V1 + "beta1", "kind": "ExecCredential", "status": {"token": "hunter2"}}),
        json.dumps({"apiVersion": V1, "kind": "ExecCredential"}),
        json.dumps({"apiVersion": V1, "kind": "ExecCredential", "status": []}),
        _answer(),
        _answer(token=7),
        _answer(clientCertificateData="\ud800", clientKeyData="hunter2"),
        _answer(token="hunter2", expirationTimestamp="soon"),
        _answer(token="hunter2", expirationTimestamp="2030-01-01T00:00:00"),
        _answer(clientCertificateData="hunter2"),
        _answer(clientKeyData="hunter2", token="t"),
    ],
)
def test_bad_answer(answer: str, lab: Lab) -> None:
    """An answer that is none is one error which names the plugin and keeps the answer to itself."""
    lab.prints(answer)
    with pytest.raises(NotLoggedIn, match="The login plugin test-login") as caught:
        lab.plugin().run()
    assert "hunter2" not in caught.value.message + caught.value.hint


def test_started_early(lab: Lab) -> None:
    """A plugin can be started, once, and its answer be fetched later."""
    lab.script(f"echo x >> {lab.folder}/runs; cat {lab.folder}/answer")
    (lab.folder / "answer").write_text(_answer(token="t"))
    plugin = lab.plugin()
    plugin.start()
    plugin.start()
    assert plugin.run().token == "t"
    assert (lab.folder / "runs").read_text() == "x\n"


def test_stopped(lab: Lab) -> None:
    """A plugin whose answer nobody needs any more is ended."""
    lab.script(f"echo $$ > {lab.folder}/pid; exec sleep 600")
    plugin = lab.plugin()
    plugin.start()
    assert plugin._running is not None
    pid = plugin._running.pid
    plugin.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_ctrl_c_ends_it(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while a plugin waits for its user ends the plugin too."""
    lab.script("exec sleep 600")
    plugin = lab.plugin()
    plugin.start()
    process = plugin._running
    assert process is not None
    monkeypatch.setattr(process, "communicate", Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        plugin.finish()
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=9)),
        lambda inner: st.dictionaries(
            st.sampled_from(["token", "clientCertificateData", "clientKeyData", "expirationTimestamp"]),
            inner,
            max_size=4,
        ),
    )
)
def test_fuzz_status(status: object) -> None:
    """Any status is a login, or one of our errors."""
    plugin = ExecPlugin({"command": "test-login", "apiVersion": V1}, {}, {}, interactive=False, stderr=io.StringIO())
    try:
        plugin._read(json.dumps({"apiVersion": V1, "kind": "ExecCredential", "status": status}).encode())
    except KubectlRayError:
        return


@given(st.binary(max_size=80))
def test_fuzz_output(output: bytes) -> None:
    """Any output is a login, or one of our errors."""
    plugin = ExecPlugin({"command": "test-login", "apiVersion": V1}, {}, {}, interactive=False, stderr=io.StringIO())
    with pytest.raises(KubectlRayError):
        plugin._read(output)

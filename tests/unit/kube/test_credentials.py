"""`kube.credentials`: which login wins, when it is read again, what a 401 can change."""

from __future__ import annotations

import base64
import io
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.errors import NotLoggedIn
from kubectl_ray.kube.credentials import Credentials
from kubectl_ray.kube.kubeconfig import Target

if TYPE_CHECKING:
    from pathlib import Path

V1 = "client.authentication.k8s.io/v1"


class Clock:
    """Seconds, moved by hand."""

    def __init__(self) -> None:
        self.seconds = 1_900_000_000.0

    def __call__(self) -> float:
        """The time."""
        return self.seconds


class Plugin:
    """An exec plugin that answers with what stands in a file, and counts its runs."""

    def __init__(self, folder: Path) -> None:
        self._answer = folder / "answer"
        self._runs = folder / "runs"
        self._runs.touch()
        path = folder / "plugin"
        path.write_text(f"#!/bin/sh\necho x >> {self._runs}\ncat {self._answer}\n")
        path.chmod(0o755)
        self.config = {"command": str(path), "apiVersion": V1, "interactiveMode": "Never"}

    def gives(self, **status: Any) -> None:
        """Answer so from now on."""
        self._answer.write_text(json.dumps({"apiVersion": V1, "kind": "ExecCredential", "status": status}))

    @property
    def runs(self) -> int:
        """How often it ran."""
        return len(self._runs.read_text().splitlines())


@pytest.fixture(name="plugin")
def _plugin(tmp_path: Path) -> Plugin:
    return Plugin(tmp_path)


def _credentials(user: dict[str, Any], clock: Clock | None = None, server: str = "https://host") -> Credentials:
    target = Target(server, {}, user)
    target.user_name = "ada"
    now = clock or Clock()
    return Credentials(target, {"PATH": "/usr/bin:/bin"}, interactive=False, stderr=io.StringIO(), now=now)


def _authorization(credentials: Credentials) -> str | None:
    return dict(credentials.headers()).get("Authorization")


def test_token() -> None:
    """A token is a bearer token."""
    assert _credentials({"token": "abc"}).headers() == [("Authorization", "Bearer abc")]


def test_basic() -> None:
    """User and password are basic authentication, in UTF-8."""
    login = base64.b64encode("adä:p:w".encode()).decode()
    assert _authorization(_credentials({"username": "adä", "password": "p:w"})) == f"Basic {login}"


def test_login_in_the_url() -> None:
    """A login in the server's URL comes before any other, as in Go."""
    login = base64.b64encode(b"u:p").decode()
    assert _authorization(_credentials({"token": "abc"}, server="https://u:p@host")) == f"Basic {login}"


def test_impersonation_goes_along() -> None:
    """Impersonation is sent beside the login."""
    assert _credentials({"token": "t", "as": "bob"}).headers()[1:] == [("Impersonate-User", "bob")]


def test_plain_http_gets_no_login(plugin: Plugin) -> None:
    """Over plain http nobody's secrets are sent and no plugin runs; impersonation is."""
    user = {"token": "t", "as": "bob", "exec": plugin.config, "client-certificate-data": b"C", "client-key-data": b"K"}
    credentials = _credentials(user, server="http://host")
    assert credentials.headers() == [("Impersonate-User", "bob")]
    assert credentials.certificate() is None
    assert plugin.runs == 0


def test_certificate_is_a_login_of_its_own() -> None:
    """With a client certificate no header is needed."""
    credentials = _credentials({"client-certificate-data": b"C", "client-key-data": b"K"})
    assert credentials.headers() == []
    assert credentials.certificate() == (b"C", b"K")


def test_certificate_files(tmp_path: Path) -> None:
    """Certificate and key are read from their files."""
    (tmp_path / "c").write_bytes(b"C")
    user = {"client-certificate": str(tmp_path / "c"), "client-key-data": b"K"}
    assert _credentials(user).certificate() == (b"C", b"K")


def test_missing_certificate_file(tmp_path: Path) -> None:
    """A missing key is an error with its path."""
    user = {"client-certificate-data": b"C", "client-key": str(tmp_path / "gone.key")}
    with pytest.raises(NotLoggedIn, match=r"client key .*gone\.key"):
        _credentials(user).certificate()


def test_token_file_is_read_again_after_a_minute(tmp_path: Path) -> None:
    """A token in a file rotates: it is read again when it is a minute old, and not before."""
    clock = Clock()
    path = tmp_path / "token"
    path.write_text("one\n")
    credentials = _credentials({"tokenFile": str(path)}, clock)
    assert _authorization(credentials) == "Bearer one"
    path.write_text("two\n")
    clock.seconds += 59
    assert _authorization(credentials) == "Bearer one"
    clock.seconds += 2
    assert _authorization(credentials) == "Bearer two"


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
def test_last_good_token_is_kept(content: bytes | None, tmp_path: Path) -> None:
    """If the file cannot be used for a moment, the last token goes on."""
    clock = Clock()
    path = tmp_path / "token"
    path.write_text("one")
    credentials = _credentials({"tokenFile": str(path)}, clock)
    assert _authorization(credentials) == "Bearer one"
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    clock.seconds += 61
    assert _authorization(credentials) == "Bearer one"


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff\xfe"])
def test_unusable_token_file(content: bytes | None, tmp_path: Path) -> None:
    """A token file that never was good is an error with its path."""
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(NotLoggedIn, match="token file"):
        _credentials({"tokenFile": str(path)}).headers()


def test_token_file_before_token(tmp_path: Path) -> None:
    """The file's token wins over `token`, which stands in while there is no file."""
    path = tmp_path / "token"
    credentials = _credentials({"tokenFile": str(path), "token": "direct"})
    assert _authorization(credentials) == "Bearer direct"
    path.write_text("file")
    assert _authorization(_credentials({"tokenFile": str(path), "token": "direct"})) == "Bearer file"


def test_plugin_runs_once(plugin: Plugin) -> None:
    """The plugin runs when it is first needed, and its answer serves both header and certificate."""
    plugin.gives(token="t", clientCertificateData="C", clientKeyData="K")
    credentials = _credentials({"exec": plugin.config})
    assert plugin.runs == 0
    assert credentials.certificate() == (b"C", b"K")
    assert _authorization(credentials) == "Bearer t"
    assert (plugin.runs, credentials.generation) == (1, 0)


def test_plugin_with_a_certificate_only(plugin: Plugin) -> None:
    """A plugin may give a certificate and no token."""
    plugin.gives(clientCertificateData="C", clientKeyData="K")
    assert _credentials({"exec": plugin.config}).headers() == []


def test_plugin_started_early(plugin: Plugin) -> None:
    """`warm` starts the plugin; the answer is that run's."""
    plugin.gives(token="t")
    credentials = _credentials({"exec": plugin.config})
    credentials.warm()
    assert _authorization(credentials) == "Bearer t"
    credentials.warm()
    assert plugin.runs == 1


def test_close_ends_a_started_plugin(plugin: Plugin) -> None:
    """A plugin that was started and is not needed is ended; the next need starts it anew."""
    plugin.gives(token="t")
    credentials = _credentials({"exec": plugin.config})
    credentials.warm()
    credentials.close()
    assert _authorization(credentials) == "Bearer t"


def test_expired_answer_is_fetched_anew(plugin: Plugin) -> None:
    """After its expirationTimestamp a plugin's answer is not used any more."""
    clock = Clock()
    plugin.gives(token="one", expirationTimestamp="2030-03-17T17:46:45Z")  # five seconds after the clock's start
    credentials = _credentials({"exec": plugin.config}, clock)
    assert _authorization(credentials) == "Bearer one"
    plugin.gives(token="two")
    clock.seconds += 4
    assert _authorization(credentials) == "Bearer one"
    clock.seconds += 2
    assert _authorization(credentials) == "Bearer two"


@pytest.mark.parametrize(
    "other",
    [
        {"token": "t"},
        {"username": "u"},
        {"tokenFile": "/dev/null", "token": "t"},
        {"client-certificate-data": b"C", "client-key-data": b"K"},
    ],
)
def test_plugin_is_not_asked_beside_another_login(other: dict[str, Any], plugin: Plugin) -> None:
    """A token, a password or a certificate that is given already makes the plugin needless."""
    credentials = _credentials({"exec": plugin.config, **other})
    credentials.warm()
    credentials.headers()
    credentials.certificate()
    assert plugin.runs == 0


def test_renew_runs_the_plugin_again(plugin: Plugin) -> None:
    """After a 401 the plugin runs once more; another token makes a new try worthwhile."""
    plugin.gives(token="one")
    credentials = _credentials({"exec": plugin.config})
    credentials.headers()
    plugin.gives(token="two")
    assert credentials.renew() is True
    assert _authorization(credentials) == "Bearer two"
    assert (plugin.runs, credentials.generation) == (2, 0)


def test_renew_without_news(plugin: Plugin) -> None:
    """The same answer again makes no new try worthwhile."""
    plugin.gives(token="one")
    credentials = _credentials({"exec": plugin.config})
    credentials.headers()
    assert credentials.renew() is False
    assert plugin.runs == 2


def test_renewed_certificate_needs_new_connections(plugin: Plugin) -> None:
    """Another certificate counts as another generation: a connection belongs to the one it was made with."""
    plugin.gives(clientCertificateData="C", clientKeyData="K")
    credentials = _credentials({"exec": plugin.config})
    credentials.certificate()
    plugin.gives(clientCertificateData="D", clientKeyData="L")
    assert credentials.renew() is True
    assert (credentials.certificate(), credentials.generation) == ((b"D", b"L"), 1)


def test_failed_renewal_says_why(plugin: Plugin) -> None:
    """If the plugin fails this time, that is the error; the old answer stays for a later try."""
    plugin.gives(token="one")
    credentials = _credentials({"exec": plugin.config})
    credentials.headers()
    plugin._answer.write_text("Your session is over.")
    with pytest.raises(NotLoggedIn, match="something else than an ExecCredential"):
        credentials.renew()
    assert _authorization(credentials) == "Bearer one"


def test_renewals_of_many_threads_are_one(plugin: Plugin) -> None:
    """Threads that got a 401 at the same time share one run of the plugin."""
    plugin.gives(token="one")
    credentials = _credentials({"exec": plugin.config})
    credentials.headers()
    plugin.gives(token="two")
    answers: list[bool] = []
    threads = [threading.Thread(target=lambda: answers.append(credentials.renew())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (answers, plugin.runs) == ([True] * 4, 2)


def test_later_renewal_is_a_new_one(plugin: Plugin) -> None:
    """A run that lasts for hours may renew again."""
    clock = Clock()
    plugin.gives(token="one")
    credentials = _credentials({"exec": plugin.config}, clock)
    credentials.headers()
    for token in ("two", "three"):
        clock.seconds += 3600
        plugin.gives(token=token)
        assert credentials.renew() is True
        assert _authorization(credentials) == f"Bearer {token}"


def test_renew_reads_the_token_file(tmp_path: Path) -> None:
    """After a 401 the file is read at once; only another token makes a new try worthwhile."""
    path = tmp_path / "token"
    path.write_text("one")
    credentials = _credentials({"tokenFile": str(path)})
    credentials.headers()
    assert credentials.renew() is False
    path.write_text("two")
    assert credentials.renew() is True
    assert _authorization(credentials) == "Bearer two"


def test_renew_reads_the_certificate_files(tmp_path: Path) -> None:
    """After a 401 certificate files are read again; a new certificate needs new connections."""
    for name in ("c", "k"):
        (tmp_path / name).write_text(name)
    credentials = _credentials({"client-certificate": str(tmp_path / "c"), "client-key": str(tmp_path / "k")})
    credentials.certificate()
    assert credentials.renew() is False
    (tmp_path / "c").write_text("d")
    assert credentials.renew() is True
    assert (credentials.certificate(), credentials.generation) == ((b"d", b"k"), 1)


def test_fixed_token_cannot_be_renewed() -> None:
    """A token from the kubeconfig is what it is."""
    assert _credentials({"token": "t"}).renew() is False


@pytest.mark.parametrize(
    ("kind", "way"),
    [("gcp", "gke-gcloud-auth-plugin"), ("azure", "kubelogin"), ("oidc", "kubelogin"), ("other", "exec plugin")],
)
def test_auth_provider(kind: str, way: str) -> None:
    """An old auth-provider is named, and so is what took its place."""
    with pytest.raises(NotLoggedIn, match=f"auth-provider {kind}") as caught:
        _credentials({"auth-provider": {"name": kind, "config": {"access-token": "hunter2"}}}).headers()
    assert way in caught.value.hint


def test_token_makes_auth_provider_needless() -> None:
    """With --token the old entry does not matter."""
    assert _authorization(_credentials({"auth-provider": {"name": "oidc"}, "token": "t"})) == "Bearer t"


def test_no_login() -> None:
    """A user without any login is an error that names the user."""
    with pytest.raises(NotLoggedIn, match="user ada of the kubeconfig has no login"):
        _credentials({}).headers()


def test_user_in_no_file() -> None:
    """A user that no kubeconfig has is told apart from one without a login."""
    target = Target("https://host", {}, {})
    target.context, target.user_name, target.user_known = "prod", "ada", False
    credentials = Credentials(target, {}, interactive=False, stderr=io.StringIO())
    with pytest.raises(NotLoggedIn, match="context prod logs in as ada, which is in no kubeconfig"):
        credentials.headers()


@pytest.mark.parametrize(
    "user", [{"token": "hunter2\nX: y"}, {"token": "t", "as": "hunter2\r\n"}, {"token": "\x00hunter2"}]
)
def test_control_characters(user: dict[str, Any]) -> None:
    """What would break out of its header is refused, and is not repeated in the words."""
    with pytest.raises(NotLoggedIn, match="control character") as caught:
        _credentials(user).headers()
    assert "hunter2" not in caught.value.message + caught.value.hint


def test_repr_shows_no_secret(plugin: Plugin) -> None:
    """Credentials in a traceback show no token."""
    plugin.gives(token="hunter2")
    credentials = _credentials({"exec": plugin.config, "as": "x"})
    credentials.headers()
    assert "hunter2" not in repr(credentials) + repr(credentials._issued)


@given(st.text(max_size=20), st.text(max_size=20))
def test_fuzz(token: str, name: str) -> None:
    """Any token and any name are headers of one line, or one of our errors."""
    try:
        headers = _credentials({"token": token, "as": name}).headers()
    except NotLoggedIn:
        return
    assert not any(letter in value for _, value in headers for letter in "\r\n\0")

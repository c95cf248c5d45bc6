"""Exec plugins, and the kuberc that lets them run or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.contract.oracle.world import Case, Cases, b64

if TYPE_CHECKING:
    from tests.contract.oracle.world import World

CASES = Cases()


def _exec(version: str = "v1", **more: Any) -> dict[str, Any]:
    known = {"apiVersion": f"client.authentication.k8s.io/{version}", "command": "login-plugin"}
    return {"exec": known | ({"interactiveMode": "Never"} if version == "v1" else {}) | more}


@CASES.case
def _plugin_on_path(the: World) -> Case:
    the.plugin({"token": "from-the-plugin"})
    the.write("config", the.config(user=_exec(args=["a b", "", "c"], env=[{"name": "EXTRA", "value": "given"}])))
    return Case()


@CASES.case
def _plugin_v1beta1_without_interactive_mode(the: World) -> Case:
    the.plugin({"token": "from-the-plugin"}, version="v1beta1")
    the.write("config", the.config(user=_exec("v1beta1")))
    return Case()


@CASES.case
def _plugin_v1_without_interactive_mode(the: World) -> Case:
    the.plugin({"token": "from-the-plugin"})
    the.write("config", the.config(user=_exec(interactiveMode=None)))
    return Case(fails=True)


@CASES.case
def _plugin_v1alpha1(the: World) -> Case:
    the.plugin({"token": "from-the-plugin"}, version="v1alpha1")
    the.write("config", the.config(user=_exec("v1alpha1")))
    return Case(fails=True)


@CASES.case
def _plugin_is_told_of_the_cluster(the: World) -> Case:
    the.plugin({"token": "from-the-plugin"})
    extensions = [
        {"name": "other", "extension": {"no": "thing"}},
        {"name": "client.authentication.k8s.io/exec", "extension": {"audience": "x", "deep": [1, 2.5, None, True]}},
    ]
    more = {"tls_server_name": "api.example.test", "disable_compression": True, "proxy_url": the.proxy("http")}
    the.write("config", the.config(the.cluster(extensions=extensions, **more), _exec(provideClusterInfo=True)))
    return Case()


@CASES.case
def _plugin_is_told_of_an_insecure_cluster(the: World) -> Case:
    the.plugin({"token": "from-the-plugin"}, version="v1beta1")
    cluster = the.cluster(certificate_authority_data=None, insecure_skip_tls_verify=True)
    the.write("config", the.config(cluster, _exec("v1beta1", provideClusterInfo=True)))
    return Case()


@CASES.case
def _plugin_path_relative_to_its_kubeconfig(the: World) -> Case:
    the.plugin({"token": "from-the-plugin"}, path="sub/tools/plugin")
    path = the.write("sub/config", the.config(user=_exec(command="./tools/plugin")))
    return Case(flags={"kubeconfig": path})


@CASES.case
def _plugin_gives_a_certificate(the: World) -> Case:
    ada = the.identity()
    status = {"clientCertificateData": ada.certificate.decode(), "clientKeyData": ada.key.decode()}
    the.plugin({**status, "expirationTimestamp": "2999-01-01T00:00:00Z"})
    the.write("config", the.config(user=_exec()))
    return Case()


@CASES.case
def _plugin_gives_certificate_and_token(the: World) -> Case:
    ada = the.identity()
    status = {"clientCertificateData": ada.certificate.decode(), "clientKeyData": ada.key.decode(), "token": "and-this"}
    the.plugin(status)
    the.write("config", the.config(user=_exec()))
    return Case()


@CASES.case
def _plugin_is_not_asked_with_a_token_flag(the: World) -> Case:
    the.plugin({"token": "from-the-plugin"})
    the.write("config", the.config(user=_exec()))
    return Case(flags={"token": "from-the-flag"})


@CASES.case
def _plugin_is_not_asked_with_a_certificate(the: World) -> Case:
    ada = the.identity()
    the.plugin({"token": "from-the-plugin"})
    certificate = {"client-certificate-data": b64(ada.certificate), "client-key-data": b64(ada.key)}
    the.write("config", the.config(user=_exec() | certificate))
    return Case()


@CASES.case
def _plugin_and_impersonation(the: World) -> Case:
    the.plugin({"token": "from-the-plugin"})
    the.write("config", the.config(user=_exec() | {"as": "bob"}))
    return Case()


@CASES.case
def _plugin_wants_a_terminal(the: World) -> Case:
    the.plugin({"token": "from-the-plugin"})
    the.write("config", the.config(user=_exec(interactiveMode="Always")))
    return Case(fails=True)


@CASES.case
def _plugin_is_missing(the: World) -> Case:
    the.write("config", the.config(user=_exec(installHint="Get it at example.test")))
    return Case(fails=True)


@CASES.case
def _plugin_fails(the: World) -> Case:
    the.write("bin/login-plugin", "#!/bin/sh\nexit 3\n", executable=True)
    the.write("config", the.config(user=_exec()))
    return Case(fails=True)


@CASES.case
def _plugin_prints_something_else(the: World) -> Case:
    the.write("bin/login-plugin", "#!/bin/sh\necho hello\n", executable=True)
    the.write("config", the.config(user=_exec()))
    return Case(fails=True)


@CASES.case
def _plugin_answers_in_another_version(the: World) -> Case:
    the.plugin({"token": "from-the-plugin"}, version="v1beta1")
    the.write("config", the.config(user=_exec()))
    return Case(fails=True)


@CASES.case
def _plugin_answers_in_yaml(the: World) -> Case:
    answer = "apiVersion: client.authentication.k8s.io/v1\nkind: ExecCredential\nstatus:\n  token: from-yaml\n"
    the.write("bin/login-plugin", f"#!/bin/sh\nprintf '{answer}'\n".replace("\n  token", "\\n  token"), executable=True)
    the.write("config", the.config(user=_exec()))
    return Case()


def _kuberc(the: World, policy: str, *entries: dict[str, str], path: str = ".kube/kuberc") -> None:
    preference: dict[str, Any] = {"apiVersion": "kubectl.config.k8s.io/v1beta1", "kind": "Preference"}
    preference["credentialPluginPolicy"] = policy
    if entries:
        preference["credentialPluginAllowlist"] = list(entries)
    the.write(path, preference)
    the.plugin({"token": "from-the-plugin"})
    the.write("config", the.config(user=_exec()))


@CASES.case
def _kuberc_denies_all(the: World) -> Case:
    _kuberc(the, "DenyAll")
    return Case(fails=True)


@CASES.case
def _kuberc_turned_off(the: World) -> Case:
    _kuberc(the, "DenyAll")
    return Case(env={"KUBERC": "off"})


@CASES.case
def _kuberc_allows_by_name(the: World) -> Case:
    _kuberc(the, "Allowlist", {"command": "other"}, {"command": "login-plugin"})
    return Case()


@CASES.case
def _kuberc_allows_by_path(the: World) -> Case:
    _kuberc(the, "Allowlist", {"name": str(the.folder / "bin" / "login-plugin")})
    return Case()


@CASES.case
def _kuberc_does_not_list_it(the: World) -> Case:
    _kuberc(the, "Allowlist", {"command": "/elsewhere/login-plugin"})
    return Case(fails=True)


@CASES.case
def _kuberc_named_by_the_environment(the: World) -> Case:
    _kuberc(the, "DenyAll", path="elsewhere")
    return Case(env={"KUBERC": str(the.folder / "elsewhere")}, fails=True)


@CASES.case
def _kuberc_with_an_empty_allowlist(the: World) -> Case:
    _kuberc(the, "Allowlist")
    return Case(fails=True)


@CASES.case
def _kuberc_with_a_list_but_no_such_policy(the: World) -> Case:
    _kuberc(the, "AllowAll", {"command": "login-plugin"})
    return Case(fails=True)


@CASES.case
def _kuberc_default_file_that_is_broken_is_ignored(the: World) -> Case:
    _kuberc(the, "DenyAll")
    the.write(".kube/kuberc", "apiVersion: v1\nkind: Pod\n")
    return Case()

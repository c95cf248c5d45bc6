"""The kubeconfigs that are compared: each function writes the files and names the flags and environment with them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from tests.contract.oracle.world import Case, b64

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.oracle.world import World

CASES: list[Callable[[World], Case]] = []


def _case(make: Callable[[World], Case]) -> Callable[[World], Case]:
    CASES.append(make)
    return make


def _two_contexts(the: World) -> dict[str, Any]:
    """A kubeconfig with the contexts one and two; two has another user and the namespace team."""
    config = the.config()
    config["users"].append({"name": "two", "user": {"token": "token-of-two"}})
    config["contexts"].append({"name": "two", "context": {"cluster": "one", "user": "two", "namespace": "team"}})
    return config


# Which file, which context, which namespace.


@_case
def _bearer_token(the: World) -> Case:
    the.write("config", the.config())
    return Case()


@_case
def _yaml_with_comments_and_unknown_fields(the: World) -> Case:
    the.write(
        "config",
        f"""# written by hand
apiVersion: v1
kind: Config
preferences: {{}}
unknown: 2026-01-01
clusters:
- cluster: {{server: "{the.url}/", certificate-authority-data: {b64(the.authority.pem)}, colour: green}}
  name: here
users:
- name: me
  user: &me
    token: abc
contexts:
- name: here
  context: {{cluster: here, user: me, namespace: "2026-01-01"}}
current-context: here
""",
    )
    return Case()


@_case
def _default_file_in_home(the: World) -> Case:
    the.write(".kube/config", the.config())
    return Case(env={"KUBECONFIG": ""})


@_case
def _kubeconfig_flag_wins_over_environment(the: World) -> Case:
    the.write("config", the.config())
    other = the.write("other", the.config(user={"token": "from-the-flag"}))
    return Case(flags={"kubeconfig": other})


@_case
def _kubeconfig_flag_names_no_file(the: World) -> Case:
    the.write("config", the.config())
    return Case(flags={"kubeconfig": "missing"}, fails=True)


@_case
def _first_file_sets_the_current_context(the: World) -> Case:
    first = the.write("first", the.config(name="one"))
    second = the.write("second", the.config(name="two"))
    return Case(env={"KUBECONFIG": os.pathsep.join([first, second])})


@_case
def _missing_and_empty_files_are_passed_over(the: World) -> Case:
    empty = the.write("empty", "")
    remark = the.write("remark", "# nothing yet\n")
    last = the.write("last", the.config())
    return Case(env={"KUBECONFIG": os.pathsep.join([str(the.folder / "missing"), "", empty, remark, last])})


@_case
def _first_file_to_name_an_entry_wins_whole(the: World) -> Case:
    first = the.write("first", {"users": [{"name": "one", "user": {"as": "somebody", "token": "first"}}]})
    second = the.write("second", the.config(user={"token": "second", "as-groups": ["never"]}))
    return Case(env={"KUBECONFIG": os.pathsep.join([first, second])})


@_case
def _context_in_one_file_cluster_and_user_in_others(the: World) -> Case:
    whole = the.config()
    files = [
        the.write(f"part-of-{key}", {key: whole[key]}) for key in ("contexts", "users", "clusters", "current-context")
    ]
    return Case(env={"KUBECONFIG": os.pathsep.join(files)})


@_case
def _first_file_without_current_context_leaves_it_to_the_next(the: World) -> Case:
    first = the.write("first", the.config(name="one", current_context=None))
    second = the.write("second", the.config(name="two"))
    return Case(env={"KUBECONFIG": os.pathsep.join([first, second])})


@_case
def _one_broken_file_among_several(the: World) -> Case:
    broken = the.write("broken", "clusters: [")
    good = the.write("good", the.config())
    return Case(env={"KUBECONFIG": os.pathsep.join([broken, good])}, fails=True)


@_case
def _named_context_with_its_namespace(the: World) -> Case:
    the.write("config", _two_contexts(the))
    return Case(flags={"context": "two"})


@_case
def _namespace_flag_over_context(the: World) -> Case:
    the.write("config", _two_contexts(the))
    return Case(flags={"context": "two", "namespace": "elsewhere"})


@_case
def _unknown_context(the: World) -> Case:
    the.write("config", _two_contexts(the))
    return Case(flags={"context": "three"}, fails=True)


@_case
def _unknown_current_context(the: World) -> Case:
    the.write("config", the.config(current_context="gone"))
    return Case(fails=True)


@_case
def _user_and_cluster_flags_pick_entries(the: World) -> Case:
    config = _two_contexts(the)
    config["clusters"].append({"name": "prefixed", "cluster": the.cluster(server=the.url + "/k8s/clusters/c-1")})
    the.write("config", config)
    return Case(flags={"user": "two", "kube_cluster": "prefixed"})


@_case
def _unknown_user_flag(the: World) -> Case:
    the.write("config", the.config())
    return Case(flags={"user": "nobody"}, fails=True)


@_case
def _two_entries_of_one_name(the: World) -> Case:
    config = the.config()
    config["users"] *= 2
    the.write("config", config)
    return Case(fails=True)


@_case
def _number_where_text_belongs(the: World) -> Case:
    the.write("config", the.config(user={"token": 12345}))
    return Case(fails=True)


@_case
def _not_a_kubeconfig(the: World) -> Case:
    the.write("config", {"apiVersion": "v1", "kind": "Pod"})
    return Case(fails=True)


# Where the server is.


@_case
def _server_with_path_prefix_and_trailing_slash(the: World) -> Case:
    the.write("config", the.config(the.cluster(server=the.url + "/k8s/clusters/c-1/")))
    return Case()


@_case
def _server_flag_clears_tls_server_name(the: World) -> Case:
    the.write("config", the.config(the.cluster(server="https://127.0.0.1:1", tls_server_name="wrong.example.test")))
    return Case(flags={"server": the.url})


@_case
def _server_and_token_flags_without_kubeconfig(the: World) -> Case:
    ca = the.write("ca.pem", the.authority.pem)
    return Case(flags={"server": the.url, "token": "given", "certificate_authority": ca})


@_case
def _kubernetes_master_names_the_server(the: World) -> Case:
    ca = the.write("ca.pem", the.authority.pem)
    return Case(env={"KUBERNETES_MASTER": the.url}, flags={"token": "given", "certificate_authority": ca})


@_case
def _no_login_over_plain_http(the: World) -> Case:
    user = {"token": "secret", "as": "somebody"}
    the.write("config", the.config({"server": f"http://127.0.0.1:{the.plain.port}"}, user))
    return Case()


@_case
def _server_without_scheme_is_plain_http(the: World) -> Case:
    the.write("config", the.config({"server": f"127.0.0.1:{the.plain.port}"}))
    return Case()


# Whom to trust.


@_case
def _authority_file_relative_to_its_kubeconfig(the: World) -> Case:
    the.write("sub/ca.pem", the.authority.pem)
    path = the.write(
        "sub/config", the.config(the.cluster(certificate_authority_data=None, certificate_authority="ca.pem"))
    )
    return Case(flags={"kubeconfig": path})


@_case
def _authority_of_somebody_else(the: World) -> Case:
    the.write("config", the.config(the.cluster(certificate_authority_data=b64(the.stranger.pem))))
    return Case(fails=True)


@_case
def _authority_flag_over_insecure_kubeconfig(the: World) -> Case:
    ca = the.write("ca.pem", the.authority.pem)
    the.write("config", the.config(the.cluster(certificate_authority_data=None, insecure_skip_tls_verify=True)))
    return Case(flags={"certificate_authority": ca})


@_case
def _insecure_kubeconfig(the: World) -> Case:
    cluster = the.cluster(certificate_authority_data=None, insecure_skip_tls_verify=True)
    the.write("config", the.config(cluster | {"server": f"https://localhost:{the.secure.port}"}))
    return Case()


@_case
def _insecure_flag_over_authority(the: World) -> Case:
    the.write("config", the.config(the.cluster(certificate_authority_data=b64(the.stranger.pem))))
    return Case(flags={"insecure_skip_tls_verify": True})


@_case
def _insecure_and_authority_together(the: World) -> Case:
    the.write("config", the.config(the.cluster(insecure_skip_tls_verify=True)))
    return Case(fails=True)


@_case
def _authority_as_file_and_as_data(the: World) -> Case:
    ca = the.write("ca.pem", the.authority.pem)
    the.write("config", the.config(the.cluster(certificate_authority=ca)))
    return Case(fails=True)


@_case
def _host_name_is_the_sni(the: World) -> Case:
    the.write("config", the.config(the.cluster(server=f"https://localhost:{the.secure.port}")))
    return Case()


@_case
def _tls_server_name_is_the_sni(the: World) -> Case:
    the.write("config", the.config(the.cluster(tls_server_name="api.example.test")))
    return Case()


@_case
def _tls_server_name_matches_a_wildcard(the: World) -> Case:
    the.write("config", the.config())
    return Case(flags={"tls_server_name": "a.wild.example.test"})


@_case
def _certificate_for_another_name(the: World) -> Case:
    the.write("config", the.config(the.cluster(tls_server_name="other.example.test")))
    return Case(fails=True)


# Who asks.


@_case
def _token_flag_over_kubeconfig_token(the: World) -> Case:
    the.write("config", the.config())
    return Case(flags={"token": "from-the-flag"})


@_case
def _token_file_relative_and_trimmed(the: World) -> Case:
    the.write("sub/token", "from-a-file\n")
    path = the.write("sub/config", the.config(user={"tokenFile": "token"}))
    return Case(flags={"kubeconfig": path})


@_case
def _token_file_over_token(the: World) -> Case:
    the.write("token", "from-a-file\n")
    the.write("config", the.config(user={"tokenFile": "token", "token": "direct"}))
    return Case()


@_case
def _missing_token_file_leaves_the_token(the: World) -> Case:
    the.write("config", the.config(user={"tokenFile": "missing", "token": "direct"}))
    return Case()


@_case
def _missing_token_file(the: World) -> Case:
    the.write("config", the.config(user={"tokenFile": "missing"}))
    return Case(fails=True)


@_case
def _token_flag_and_kubeconfig_token_file(the: World) -> Case:
    the.write("token", "from-a-file\n")
    the.write("config", the.config(user={"tokenFile": "token"}))
    return Case(flags={"token": "from-the-flag"})


@_case
def _basic_login(the: World) -> Case:
    the.write("config", the.config(user={"username": "adä", "password": "p:w"}))
    return Case()


@_case
def _basic_login_and_token(the: World) -> Case:
    the.write("config", the.config(user={"username": "ada", "password": "pw", "token": "t"}))
    return Case(fails=True)


@_case
def _login_in_the_url(the: World) -> Case:
    url = f"https://ada:p%40w@127.0.0.1:{the.secure.port}"
    the.write("config", the.config(the.cluster(server=url)))
    return Case()


@_case
def _no_login_at_all(the: World) -> Case:
    the.write("config", the.config(user={}))
    return Case(fails=True)


@_case
def _user_in_no_file(the: World) -> Case:
    the.write("config", the.config(users=[]))
    return Case(fails=True)


@_case
def _client_certificate_data(the: World) -> Case:
    ada = the.identity()
    user = {"client-certificate-data": b64(ada.certificate), "client-key-data": b64(ada.key)}
    the.write("config", the.config(user=user))
    return Case()


@_case
def _client_certificate_files_relative(the: World) -> Case:
    ada = the.identity()
    the.write("sub/keys/ada.crt", ada.certificate)
    the.write("sub/keys/ada.key", ada.key)
    user = {"client-certificate": "keys/ada.crt", "client-key": "./keys/ada.key"}
    path = the.write("sub/config", the.config(user=user))
    return Case(flags={"kubeconfig": path})


@_case
def _client_certificate_flags_over_data(the: World) -> Case:
    ada, bob = the.identity(), the.identity("bob")
    the.write("bob.crt", bob.certificate)
    the.write("bob.key", bob.key)
    user = {"client-certificate-data": b64(ada.certificate), "client-key-data": b64(ada.key)}
    the.write("config", the.config(user=user))
    return Case(flags={"client_certificate": "bob.crt", "client_key": "bob.key"})


@_case
def _client_certificate_and_token(the: World) -> Case:
    ada = the.identity()
    user = {"client-certificate-data": b64(ada.certificate), "client-key-data": b64(ada.key), "token": "too"}
    the.write("config", the.config(user=user))
    return Case()


@_case
def _client_certificate_without_key(the: World) -> Case:
    the.write("config", the.config(user={"client-certificate-data": b64(the.identity().certificate)}))
    return Case(fails=True)


@_case
def _client_key_of_somebody_else(the: World) -> Case:
    ada, bob = the.identity(), the.identity("bob")
    user = {"client-certificate-data": b64(ada.certificate), "client-key-data": b64(bob.key)}
    the.write("config", the.config(user=user))
    return Case(fails=True)


@_case
def _gcp_auth_provider(the: World) -> Case:
    the.write("config", the.config(user={"auth-provider": {"name": "gcp", "config": {"access-token": "old"}}}))
    return Case(fails=True)


@_case
def _token_with_a_line_break(the: World) -> Case:
    the.write("config", the.config(user={"token": "abc\nX-Evil: 1"}))
    return Case(fails=True)


# In whose name.


@_case
def _impersonation_flags(the: World) -> Case:
    the.write("config", the.config())
    extra = ["scopes=view", "scopes=edit", "example.test/Team & co=a=b", "Ünïcode%=x"]
    flags = {"as_": "bob", "as_groups": ["dev", "ops"], "as_uid": "7", "as_user_extra": extra}
    return Case(flags=flags)


@_case
def _impersonation_in_the_kubeconfig(the: World) -> Case:
    user = {
        "token": "t",
        "as": "bob",
        "as-uid": "7",
        "as-groups": ["dev"],
        "as-user-extra": {"scopes": ["view", "edit"]},
    }
    the.write("config", the.config(user=user))
    return Case()


@_case
def _impersonation_flags_over_the_kubeconfig(the: World) -> Case:
    user = {"token": "t", "as": "bob", "as-groups": ["dev"], "as-user-extra": {"a": ["1"], "b": ["2"]}}
    the.write("config", the.config(user=user))
    return Case(flags={"as_": "system:serviceaccount:x:y", "as_user_extra": ["b=3", "c=4"]})


@_case
def _impersonated_group_without_a_user(the: World) -> Case:
    the.write("config", the.config())
    return Case(flags={"as_groups": ["dev"]}, fails=True)


# Exec plugins.


def _exec(version: str = "v1", **more: Any) -> dict[str, Any]:
    known = {"apiVersion": f"client.authentication.k8s.io/{version}", "command": "login-plugin"}
    return {"exec": known | ({"interactiveMode": "Never"} if version == "v1" else {}) | more}


@_case
def _plugin_on_path(the: World) -> Case:
    the.plugin({"token": "from-the-plugin"})
    the.write("config", the.config(user=_exec(args=["a b", "", "c"], env=[{"name": "EXTRA", "value": "given"}])))
    return Case()


@_case
def _plugin_v1beta1_without_interactive_mode(the: World) -> Case:
    the.plugin({"token": "from-the-plugin"}, version="v1beta1")
    the.write("config", the.config(user=_exec("v1beta1")))
    return Case()


@_case
def _plugin_v1_without_interactive_mode(the: World) -> Case:
    the.plugin({"token": "from-the-plugin"})
    the.write("config", the.config(user=_exec(interactiveMode=None)))
    return Case(fails=True)


@_case
def _plugin_v1alpha1(the: World) -> Case:
    the.plugin({"token": "from-the-plugin"}, version="v1alpha1")
    the.write("config", the.config(user=_exec("v1alpha1")))
    return Case(fails=True)


@_case
def _plugin_is_told_of_the_cluster(the: World) -> Case:
    the.plugin({"token": "from-the-plugin"})
    extensions = [
        {"name": "other", "extension": {"no": "thing"}},
        {"name": "client.authentication.k8s.io/exec", "extension": {"audience": "x", "deep": [1, 2.5, None, True]}},
    ]
    more = {"tls_server_name": "api.example.test", "disable_compression": True, "proxy_url": the.proxy("http")}
    the.write("config", the.config(the.cluster(extensions=extensions, **more), _exec(provideClusterInfo=True)))
    return Case()


@_case
def _plugin_is_told_of_an_insecure_cluster(the: World) -> Case:
    the.plugin({"token": "from-the-plugin"}, version="v1beta1")
    cluster = the.cluster(certificate_authority_data=None, insecure_skip_tls_verify=True)
    the.write("config", the.config(cluster, _exec("v1beta1", provideClusterInfo=True)))
    return Case()


@_case
def _plugin_path_relative_to_its_kubeconfig(the: World) -> Case:
    the.plugin({"token": "from-the-plugin"}, path="sub/tools/plugin")
    path = the.write("sub/config", the.config(user=_exec(command="./tools/plugin")))
    return Case(flags={"kubeconfig": path})


@_case
def _plugin_gives_a_certificate(the: World) -> Case:
    ada = the.identity()
    status = {"clientCertificateData": ada.certificate.decode(), "clientKeyData": ada.key.decode()}
    the.plugin({**status, "expirationTimestamp": "2999-01-01T00:00:00Z"})
    the.write("config", the.config(user=_exec()))
    return Case()


@_case
def _plugin_gives_certificate_and_token(the: World) -> Case:
    ada = the.identity()
    status = {"clientCertificateData": ada.certificate.decode(), "clientKeyData": ada.key.decode(), "token": "and-this"}
    the.plugin(status)
    the.write("config", the.config(user=_exec()))
    return Case()


@_case
def _plugin_is_not_asked_with_a_token_flag(the: World) -> Case:
    the.plugin({"token": "from-the-plugin"})
    the.write("config", the.config(user=_exec()))
    return Case(flags={"token": "from-the-flag"})


@_case
def _plugin_is_not_asked_with_a_certificate(the: World) -> Case:
    ada = the.identity()
    the.plugin({"token": "from-the-plugin"})
    certificate = {"client-certificate-data": b64(ada.certificate), "client-key-data": b64(ada.key)}
    the.write("config", the.config(user=_exec() | certificate))
    return Case()


@_case
def _plugin_and_impersonation(the: World) -> Case:
    the.plugin({"token": "from-the-plugin"})
    the.write("config", the.config(user=_exec() | {"as": "bob"}))
    return Case()


@_case
def _plugin_wants_a_terminal(the: World) -> Case:
    the.plugin({"token": "from-the-plugin"})
    the.write("config", the.config(user=_exec(interactiveMode="Always")))
    return Case(fails=True)


@_case
def _plugin_is_missing(the: World) -> Case:
    the.write("config", the.config(user=_exec(installHint="Get it at example.test")))
    return Case(fails=True)


@_case
def _plugin_fails(the: World) -> Case:
    the.write("bin/login-plugin", "#!/bin/sh\nexit 3\n", executable=True)
    the.write("config", the.config(user=_exec()))
    return Case(fails=True)


@_case
def _plugin_prints_something_else(the: World) -> Case:
    the.write("bin/login-plugin", "#!/bin/sh\necho hello\n", executable=True)
    the.write("config", the.config(user=_exec()))
    return Case(fails=True)


@_case
def _plugin_answers_in_another_version(the: World) -> Case:
    the.plugin({"token": "from-the-plugin"}, version="v1beta1")
    the.write("config", the.config(user=_exec()))
    return Case(fails=True)


@_case
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


@_case
def _kuberc_denies_all(the: World) -> Case:
    _kuberc(the, "DenyAll")
    return Case(fails=True)


@_case
def _kuberc_turned_off(the: World) -> Case:
    _kuberc(the, "DenyAll")
    return Case(env={"KUBERC": "off"})


@_case
def _kuberc_allows_by_name(the: World) -> Case:
    _kuberc(the, "Allowlist", {"command": "other"}, {"command": "login-plugin"})
    return Case()


@_case
def _kuberc_allows_by_path(the: World) -> Case:
    _kuberc(the, "Allowlist", {"name": str(the.folder / "bin" / "login-plugin")})
    return Case()


@_case
def _kuberc_does_not_list_it(the: World) -> Case:
    _kuberc(the, "Allowlist", {"command": "/elsewhere/login-plugin"})
    return Case(fails=True)


@_case
def _kuberc_named_by_the_environment(the: World) -> Case:
    _kuberc(the, "DenyAll", path="elsewhere")
    return Case(env={"KUBERC": str(the.folder / "elsewhere")}, fails=True)


@_case
def _kuberc_with_an_empty_allowlist(the: World) -> Case:
    _kuberc(the, "Allowlist")
    return Case(fails=True)


@_case
def _kuberc_with_a_list_but_no_such_policy(the: World) -> Case:
    _kuberc(the, "AllowAll", {"command": "login-plugin"})
    return Case(fails=True)


@_case
def _kuberc_default_file_that_is_broken_is_ignored(the: World) -> Case:
    _kuberc(the, "DenyAll")
    the.write(".kube/kuberc", "apiVersion: v1\nkind: Pod\n")
    return Case()


# Proxies.


@_case
def _proxy_url_http(the: World) -> Case:
    the.write("config", the.config(the.cluster(proxy_url=the.proxy("http", "ada:p%40ss@"))))
    return Case(env={"NO_PROXY": "*"})


@_case
def _proxy_url_socks(the: World) -> Case:
    the.write("config", the.config(the.cluster(server="https://api.example.test", proxy_url=the.proxy("socks"))))
    return Case()


@_case
def _proxy_url_socks_with_login(the: World) -> Case:
    the.write("config", the.config(the.cluster(proxy_url=the.proxy("socks-login", "ada:pass%20word@"))))
    return Case()


@_case
def _proxy_url_https(the: World) -> Case:
    the.write("config", the.config(the.cluster(server="https://api.example.test:6443", proxy_url=the.proxy("https"))))
    return Case()


@_case
def _proxy_url_of_another_kind(the: World) -> Case:
    the.write("config", the.config(the.cluster(proxy_url="ftp://127.0.0.1:1")))
    return Case(fails=True)


@_case
def _https_proxy_in_the_environment(the: World) -> Case:
    the.write("config", the.config(the.cluster(server="https://api.example.test:6443")))
    return Case(env={"HTTPS_PROXY": the.proxy("http")})


@_case
def _lower_case_proxy_without_scheme(the: World) -> Case:
    the.write("config", the.config(the.cluster(server="https://api.example.test/prefix")))
    return Case(env={"https_proxy": the.proxy("http").removeprefix("http://"), "NO_PROXY": "example.com,10.0.0.0/8"})


@_case
def _socks_proxy_in_the_environment(the: World) -> Case:
    the.write("config", the.config(the.cluster(server="https://192.0.2.7:6443", tls_server_name="api.example.test")))
    return Case(env={"HTTPS_PROXY": the.proxy("socks"), "no_proxy": "192.0.2.0/30"})


@_case
def _no_proxy_names_the_host(the: World) -> Case:
    the.write("config", the.config(the.cluster(server="https://api.nowhere.invalid:6443")))
    return Case(env={"HTTPS_PROXY": the.proxy("http"), "NO_PROXY": "x.test, .nowhere.invalid:6443"}, fails=True)


@_case
def _environment_proxy_is_not_for_this_machine(the: World) -> Case:
    the.write("config", the.config())
    return Case(env={"HTTPS_PROXY": the.proxy("http")})


# In a pod.


def _pod(the: World, **more: str) -> Case:
    the.write("serviceaccount/token", "pods-own-token\n")
    the.write("serviceaccount/ca.crt", the.authority.pem)
    the.write("serviceaccount/namespace", "pods-own")
    service = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(the.secure.port)}
    return Case(pod=True, env=service | more)


@_case
def _pod_without_kubeconfig(the: World) -> Case:
    return _pod(the)


@_case
def _pod_named_by_the_environment(the: World) -> Case:
    return _pod(the, POD_NAMESPACE="told")


@_case
def _pod_with_namespace_flag(the: World) -> Case:
    case = _pod(the)
    case.flags = {"namespace": "given"}
    return case


@_case
def _pod_with_token_flag(the: World) -> Case:
    case = _pod(the)
    case.flags = {"token": "given"}
    return case


@_case
def _pod_with_kubeconfig(the: World) -> Case:
    the.write("config", the.config())
    return _pod(the)

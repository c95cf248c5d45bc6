"""The way there: proxies, and the way from inside a pod."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.contract.oracle.world import Case, Cases

if TYPE_CHECKING:
    from tests.contract.oracle.world import World

CASES = Cases()


# Proxies.


@CASES.case
def _proxy_url_http(the: World) -> Case:
    the.write("config", the.config(the.cluster(proxy_url=the.proxy("http", "ada:p%40ss@"))))
    return Case(env={"NO_PROXY": "*"})


@CASES.case
def _proxy_url_socks(the: World) -> Case:
    the.write("config", the.config(the.cluster(server="https://api.example.test", proxy_url=the.proxy("socks"))))
    return Case()


@CASES.case
def _proxy_url_socks_with_login(the: World) -> Case:
    the.write("config", the.config(the.cluster(proxy_url=the.proxy("socks-login", "ada:pass%20word@"))))
    return Case()


@CASES.case
def _proxy_url_https(the: World) -> Case:
    the.write("config", the.config(the.cluster(server="https://api.example.test:6443", proxy_url=the.proxy("https"))))
    return Case()


@CASES.case
def _proxy_url_of_another_kind(the: World) -> Case:
    the.write("config", the.config(the.cluster(proxy_url="ftp://127.0.0.1:1")))
    return Case(fails=True)


@CASES.case
def _https_proxy_in_the_environment(the: World) -> Case:
    the.write("config", the.config(the.cluster(server="https://api.example.test:6443")))
    return Case(env={"HTTPS_PROXY": the.proxy("http")})


@CASES.case
def _lower_case_proxy_without_scheme(the: World) -> Case:
    the.write("config", the.config(the.cluster(server="https://api.example.test/prefix")))
    return Case(env={"https_proxy": the.proxy("http").removeprefix("http://"), "NO_PROXY": "example.com,10.0.0.0/8"})


@CASES.case
def _socks_proxy_in_the_environment(the: World) -> Case:
    the.write("config", the.config(the.cluster(server="https://192.0.2.7:6443", tls_server_name="api.example.test")))
    return Case(env={"HTTPS_PROXY": the.proxy("socks"), "no_proxy": "192.0.2.0/30"})


@CASES.case
def _no_proxy_names_the_host(the: World) -> Case:
    the.write("config", the.config(the.cluster(server="https://api.nowhere.invalid:6443")))
    return Case(env={"HTTPS_PROXY": the.proxy("http"), "NO_PROXY": "x.test, .nowhere.invalid:6443"}, fails=True)


@CASES.case
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


@CASES.case
def _pod_without_kubeconfig(the: World) -> Case:
    return _pod(the)


@CASES.case
def _pod_named_by_the_environment(the: World) -> Case:
    return _pod(the, POD_NAMESPACE="told")


@CASES.case
def _pod_with_namespace_flag(the: World) -> Case:
    case = _pod(the)
    case.flags = {"namespace": "given"}
    return case


@CASES.case
def _pod_with_token_flag(the: World) -> Case:
    case = _pod(the)
    case.flags = {"token": "given"}
    return case


@CASES.case
def _pod_with_kubeconfig(the: World) -> Case:
    the.write("config", the.config())
    return _pod(the)

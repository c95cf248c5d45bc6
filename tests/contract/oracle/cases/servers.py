"""Where the server is, and whom to trust there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.contract.oracle.world import Case, Cases, b64

if TYPE_CHECKING:
    from tests.contract.oracle.world import World

CASES = Cases()


# Where the server is.


@CASES.case
def _server_with_path_prefix_and_trailing_slash(the: World) -> Case:
    the.write("config", the.config(the.cluster(server=the.url + "/k8s/clusters/c-1/")))
    return Case()


@CASES.case
def _server_flag_clears_tls_server_name(the: World) -> Case:
    the.write("config", the.config(the.cluster(server="https://127.0.0.1:1", tls_server_name="wrong.example.test")))
    return Case(flags={"server": the.url})


@CASES.case
def _server_and_token_flags_without_kubeconfig(the: World) -> Case:
    ca = the.write("ca.pem", the.authority.pem)
    return Case(flags={"server": the.url, "token": "given", "certificate_authority": ca})


@CASES.case
def _kubernetes_master_names_the_server(the: World) -> Case:
    ca = the.write("ca.pem", the.authority.pem)
    return Case(env={"KUBERNETES_MASTER": the.url}, flags={"token": "given", "certificate_authority": ca})


@CASES.case
def _no_login_over_plain_http(the: World) -> Case:
    user = {"token": "secret", "as": "somebody"}
    the.write("config", the.config({"server": f"http://127.0.0.1:{the.plain.port}"}, user))
    return Case()


@CASES.case
def _server_without_scheme_is_plain_http(the: World) -> Case:
    the.write("config", the.config({"server": f"127.0.0.1:{the.plain.port}"}))
    return Case()


# Whom to trust.


@CASES.case
def _authority_file_relative_to_its_kubeconfig(the: World) -> Case:
    the.write("sub/ca.pem", the.authority.pem)
    path = the.write(
        "sub/config", the.config(the.cluster(certificate_authority_data=None, certificate_authority="ca.pem"))
    )
    return Case(flags={"kubeconfig": path})


@CASES.case
def _authority_of_somebody_else(the: World) -> Case:
    the.write("config", the.config(the.cluster(certificate_authority_data=b64(the.stranger.pem))))
    return Case(fails=True)


@CASES.case
def _authority_flag_over_insecure_kubeconfig(the: World) -> Case:
    ca = the.write("ca.pem", the.authority.pem)
    the.write("config", the.config(the.cluster(certificate_authority_data=None, insecure_skip_tls_verify=True)))
    return Case(flags={"certificate_authority": ca})


@CASES.case
def _insecure_kubeconfig(the: World) -> Case:
    cluster = the.cluster(certificate_authority_data=None, insecure_skip_tls_verify=True)
    the.write("config", the.config(cluster | {"server": f"https://localhost:{the.secure.port}"}))
    return Case()


@CASES.case
def _insecure_flag_over_authority(the: World) -> Case:
    the.write("config", the.config(the.cluster(certificate_authority_data=b64(the.stranger.pem))))
    return Case(flags={"insecure_skip_tls_verify": True})


@CASES.case
def _insecure_and_authority_together(the: World) -> Case:
    the.write("config", the.config(the.cluster(insecure_skip_tls_verify=True)))
    return Case(fails=True)


@CASES.case
def _authority_as_file_and_as_data(the: World) -> Case:
    ca = the.write("ca.pem", the.authority.pem)
    the.write("config", the.config(the.cluster(certificate_authority=ca)))
    return Case(fails=True)


@CASES.case
def _host_name_is_the_sni(the: World) -> Case:
    the.write("config", the.config(the.cluster(server=f"https://localhost:{the.secure.port}")))
    return Case()


@CASES.case
def _tls_server_name_is_the_sni(the: World) -> Case:
    the.write("config", the.config(the.cluster(tls_server_name="api.example.test")))
    return Case()


@CASES.case
def _tls_server_name_matches_a_wildcard(the: World) -> Case:
    the.write("config", the.config())
    return Case(flags={"tls_server_name": "a.wild.example.test"})


@CASES.case
def _certificate_for_another_name(the: World) -> Case:
    the.write("config", the.config(the.cluster(tls_server_name="other.example.test")))
    return Case(fails=True)

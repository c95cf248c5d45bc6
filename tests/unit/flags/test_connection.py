"""The connection flags of kubectl."""

from __future__ import annotations

import argparse

import pytest

from kubectl_ray.flags.connection import add_connection, overrides, verbosity


def parsed(*argv: str) -> argparse.Namespace:
    """These flags."""
    parser = argparse.ArgumentParser()
    add_connection(parser)
    return parser.parse_args(argv)


def test_nothing_given_overrides_nothing() -> None:
    """The kubeconfig alone decides."""
    assert not any(vars(overrides(parsed())).values())


def test_each_flag_arrives() -> None:
    """Under the name that the kubeconfig's reader has for it."""
    argv = [
        "-n=ns", "--context=ctx", "--kubeconfig=file", "--user=user", "--kube-cluster=kc", "-s=https://x", "--token=t",
        "--as=jane", "--as-group=a", "--as-group=b", "--as-uid=1", "--as-user-extra=k=v", "--certificate-authority=ca",
        "--client-certificate=cc", "--client-key=ck", "--insecure-skip-tls-verify", "--tls-server-name=sni",
    ]  # fmt: skip
    assert vars(overrides(parsed(*argv))) == {
        "namespace": "ns",
        "context": "ctx",
        "kubeconfig": "file",
        "user": "user",
        "kube_cluster": "kc",
        "server": "https://x",
        "token": "t",
        "as_": "jane",
        "as_groups": ["a", "b"],
        "as_uid": "1",
        "as_user_extra": ["k=v"],
        "certificate_authority": "ca",
        "client_certificate": "cc",
        "client_key": "ck",
        "insecure_skip_tls_verify": True,
        "tls_server_name": "sni",
    }


def test_request_timeout() -> None:
    """Seconds, as kubectl reads them."""
    assert parsed("--request-timeout=1m30s").request_timeout == pytest.approx(90)
    assert parsed("--request-timeout=5").request_timeout == pytest.approx(5)


def test_verbosity() -> None:
    """0 to 9; bare is 1."""
    assert (parsed().verbosity, parsed("-v").verbosity, parsed("-v=3").verbosity) == (0, 1, 3)
    for text in ("", "10", "x", "-1"):
        with pytest.raises(argparse.ArgumentTypeError):
            verbosity(text)

"""kubectl's own connection flags, which every command takes anywhere after `ray`, and `-v`.

Only `--cluster` differs: here it is the Ray cluster, and kubectl's own is `--kube-cluster`.
"""

from __future__ import annotations

from kubectl_ray.flags.names import completes

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from kubectl_ray.kube.kubeconfig import Overrides

TITLE = "Connection"
LOUDEST = 9


def verbosity(text: str) -> int:
    """The number in `-v=N`, 0 to 9 as kubectl has it; beyond 3 nothing more is said.

    Raises:
        argparse.ArgumentTypeError: anything else.
    """
    if len(text) == 1 and text in "0123456789":
        return int(text)
    import argparse

    raise argparse.ArgumentTypeError(
        f"{text!r} is not a number from 0 to {LOUDEST}: 1 shows the equivalent kubectl command, 2 requests, 3 headers"
    )


def seconds(text: str) -> float:
    """`--request-timeout`: as `waiting.duration`; imported when given."""
    from kubectl_ray.flags.waiting import duration

    return duration(text)


def add_connection(parser: argparse.ArgumentParser) -> None:
    """Add the flags; `overrides` reads their values. No I/O, and no default that is not "as the kubeconfig says"."""
    group = parser.add_argument_group(TITLE)
    add = group.add_argument
    completes(add("-n", "--namespace", metavar="NAME", help="namespace to work in"), "namespace")
    completes(add("--context", metavar="NAME", help="context of the kubeconfig"), "context")
    completes(add("--kubeconfig", metavar="FILE", help="kubeconfig file"), "file")
    completes(add("--user", metavar="NAME", help="user of the kubeconfig"), "user")
    completes(
        add("--kube-cluster", metavar="NAME", help="cluster of the kubeconfig: what kubectl calls --cluster"),
        "kube-cluster",
    )
    add("-s", "--server", metavar="URL", help="address of the API server")
    add("--token", metavar="TOKEN", help="bearer token for the API server")
    add("--as", dest="as_", metavar="USER", help="act as this user")
    add(
        "--as-group",
        dest="as_groups",
        action="append",
        default=[],
        metavar="GROUP",
        help="act as this group; repeatable",
    )
    add("--as-uid", metavar="UID", help="act with this uid")
    add(
        "--as-user-extra",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="act with this extra field; repeatable",
    )
    add("--request-timeout", type=seconds, metavar="TIME", help="longest time for one request: 5s, 2m; 0 is no limit")
    completes(add("--certificate-authority", metavar="FILE", help="CA certificate of the API server"), "file")
    completes(add("--client-certificate", metavar="FILE", help="client certificate"), "file")
    completes(add("--client-key", metavar="FILE", help="key of the client certificate"), "file")
    add("--insecure-skip-tls-verify", action="store_true", help="do not check the API server's certificate: insecure")
    add("--tls-server-name", metavar="NAME", help="name to check the API server's certificate against")
    add("--disable-compression", action="store_true", help="ask for answers that are not compressed")
    completes(add("--cache-dir", metavar="DIR", help="accepted as kubectl does; nothing is cached"), "directory")
    add(
        "-v",
        dest="verbosity",
        nargs="?",
        type=verbosity,
        const=1,
        default=0,
        metavar="N",
        help="-v=1 shows the equivalent kubectl command, 2 also requests, 3 also headers; secrets never",
    )


def overrides(args: argparse.Namespace) -> Overrides:
    """What the flags say about the connection, for `kube.kubeconfig.load`."""
    from kubectl_ray.kube.kubeconfig import Overrides

    return Overrides(
        kubeconfig=args.kubeconfig,
        context=args.context,
        kube_cluster=args.kube_cluster,
        user=args.user,
        namespace=args.namespace,
        server=args.server,
        token=args.token,
        tls_server_name=args.tls_server_name,
        certificate_authority=args.certificate_authority,
        client_certificate=args.client_certificate,
        client_key=args.client_key,
        insecure_skip_tls_verify=args.insecure_skip_tls_verify or None,
        as_=args.as_,
        as_groups=args.as_groups,
        as_uid=args.as_uid,
        as_user_extra=args.as_user_extra,
    )

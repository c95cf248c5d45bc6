"""Errors in words where only the terminal knows them: which command was meant, what KubeRay's absence looks like."""

from __future__ import annotations

from kubectl_ray.errors import KubectlRayError, NotFound, Unreachable, WrongUse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_INSTALL = """\
Ask whoever runs this Kubernetes cluster to install the KubeRay operator, or choose another with --context.
To install it yourself:
  helm install kuberay-operator kuberay-operator --repo https://ray-project.github.io/kuberay-helm/"""


def worded(error: KubectlRayError, said: Sequence[str], context: str = "") -> KubectlRayError:
    """The error as it is shown; the same exit code. `context` is that of the kubeconfig which was used."""
    if isinstance(error, Unreachable) and isinstance(error.__cause__, ConnectionRefusedError) and context:
        from kubectl_ray.commands.sandbox.local import NAME, START

        if context == NAME:
            return Unreachable("The sandbox does not run.", hint=f"Start it:  {START}")
    if getattr(error, "missing_group", "") == "ray.io":
        return NotFound("KubeRay is not installed in this Kubernetes cluster: it does not know Ray clusters.", _INSTALL)
    if isinstance(error, WrongUse) and not error.hint:
        return WrongUse(error.message, hint=f"See:  {' '.join(['kubectl ray', *said, '--help'])}")
    return error


def traced(error: BaseException) -> str:
    """Where it comes from, for whoever set KUBECTL_RAY_DEBUG."""
    import traceback

    return "".join(traceback.format_exception(error)).rstrip("\n")


def defect(error: BaseException) -> KubectlRayError:
    """Something that should not have happened, in one line, and how to report it."""
    what = str(error).splitlines()
    return KubectlRayError(
        f"kubectl ray has a defect: {type(error).__name__}{f': {what[0]}' if what else ''}",
        hint="Run it again with KUBECTL_RAY_DEBUG=1 in the environment and report what it prints.",
    )

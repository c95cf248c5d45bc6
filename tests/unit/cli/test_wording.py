"""Errors as they are shown."""

from __future__ import annotations

from kubectl_ray.cli.wording import defect, worded
from kubectl_ray.errors import KubectlRayError, NotFound, Unreachable, WrongUse


def test_a_missing_kuberay() -> None:
    """The lower layer says which API group is missing; here it gets its name."""
    error = NotFound("404")
    vars(error)["missing_group"] = "ray.io"
    shown = worded(error, ())
    assert "KubeRay is not installed" in shown.message
    assert shown.exit_code == NotFound.exit_code


def test_another_missing_group_is_left_alone() -> None:
    """It is not KubeRay's."""
    error = NotFound("404")
    vars(error)["missing_group"] = "apps"
    assert worded(error, ()) is error


def test_wrong_use_points_to_the_help() -> None:
    """Of the command that was meant, unless there is a better hint."""
    assert worded(WrongUse("x"), ("cluster", "list")).hint == "See:  kubectl ray cluster list --help"
    assert worded(WrongUse("x", hint="y"), ()).hint == "y"


def test_a_sandbox_that_does_not_run() -> None:
    """Nobody listens where the sandbox's context leads: it is started again; elsewhere that is no answer."""
    error = Unreachable("Nobody listens")
    error.__cause__ = ConnectionRefusedError()
    shown = worded(error, (), "kubectl-ray-sandbox")
    assert shown.message == "The sandbox does not run."
    assert shown.hint == "Start it:  kubectl ray sandbox start"
    assert worded(error, (), "production") is error
    assert worded(Unreachable("too slow"), (), "kubectl-ray-sandbox").message == "too slow"


def test_other_errors_are_left_alone() -> None:
    """They have their words."""
    error = KubectlRayError("x")
    assert worded(error, ("cluster",)) is error


def test_a_defect_is_one_line() -> None:
    """Also when the exception's text has several, or none."""
    assert defect(ValueError("a\nb")).message == "kubectl ray has a defect: ValueError: a"
    assert defect(ValueError()).message == "kubectl ray has a defect: ValueError"

"""Some forty kubeconfigs: what reaches a recording TLS server from us equals what reaches it from the real kubectl."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.contract.oracle.cases import CASES
from tests.contract.oracle.world import World, kubectls, ours, world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.contract.oracle.world import Case


@pytest.fixture(scope="module")
def the_world() -> Iterator[World]:
    """The servers and proxies that all cases share."""
    with world() as made:
        yield made


def _can_be_a_pod() -> bool:
    if shutil.which("unshare") is None:
        return False
    probe = ["unshare", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/run"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__.lstrip("_"))
def test_same_request(
    make: Callable[[World], Case], the_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One kubeconfig, one GET: method, path, login, impersonation, client certificate, SNI, proxy, plugin's input."""
    the_world.folder = tmp_path
    case = make(the_world)
    account = tmp_path / "serviceaccount"
    if case.pod and not _can_be_a_pod():
        pytest.skip("only a Linux with user namespaces can show kubectl a pod's files")
    the_world.take()
    failure = kubectls(case, tmp_path, account, the_world)
    wanted = the_world.take()
    monkeypatch.chdir(tmp_path)
    mine = ours(case, tmp_path, account)
    found = the_world.take()
    assert found == wanted, f"kubectl: {failure!r}, we: {mine!r}"
    assert (bool(failure), bool(mine)) == (case.fails, case.fails), f"kubectl: {failure!r}, we: {mine!r}"
    assert case.fails or wanted["requests"] or wanted["plain requests"]

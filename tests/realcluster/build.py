"""The Go programs of the node, each group built from a go.mod of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.realcluster.errors import RealClusterError
from tests.realcluster.machine import architecture
from tests.realcluster.places import KUBERNETES, SOURCES

if TYPE_CHECKING:
    from tests.realcluster.cache import Cache
    from tests.realcluster.command import Commands

OPERATOR_MODULE = "github.com/ray-project/kuberay/ray-operator"


@dataclass(frozen=True)
class Recipe:
    """Programs of one Go module: their names and the packages they are built from."""

    name: str
    programs: dict[str, str]
    variables: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """Where its go.mod lies."""
        return SOURCES / "go" / self.name


def kubernetes() -> Recipe:
    """The five programs of Kubernetes; unversioned ones would call themselves v0.0.0 and confuse clients."""
    names = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy")
    major, minor, _ = KUBERNETES.split(".")
    version = {"gitVersion": f"v{KUBERNETES}", "gitMajor": major, "gitMinor": minor}
    return Recipe(
        "kubernetes",
        {name: f"k8s.io/kubernetes/cmd/{name}" for name in names},
        tuple(f"k8s.io/component-base/version.{name}={value}" for name, value in version.items()),
    )


def etcd() -> Recipe:
    """Debian's etcd 3.4 lacks what a current API server uses: bookmarks and streaming lists."""
    return Recipe("etcd", {"etcd": "go.etcd.io/etcd/server/v3"})


def pause() -> Recipe:
    """The process that holds a pod's namespaces."""
    return Recipe("pause", {"pause": "realcluster/pause"})


def operator(version: str) -> Recipe:
    """The KubeRay operator of one version."""
    return Recipe(f"kuberay-{version}", {"kuberay-operator": OPERATOR_MODULE})


def build(recipe: Recipe, cache: Cache, commands: Commands, log: Path) -> Path:
    """The folder with the recipe's programs; an operator's also holds its `crds`."""
    env = {**os.environ, "CGO_ENABLED": "0"}
    flags = ["-trimpath", "-ldflags", " ".join(["-s -w", *(f"-X {variable}" for variable in recipe.variables)])]

    def make(folder: Path) -> None:
        for name, package in recipe.programs.items():
            commands.run(["go", "build", *flags, "-o", folder / name, package], cwd=recipe.folder, env=env, log=log)
        if OPERATOR_MODULE in recipe.programs.values():
            _copy_crds(recipe, folder / "crds")

    return cache.made(recipe.name, inputs(recipe), make)


def inputs(recipe: Recipe) -> list[str | Path]:
    """What decides over a recipe's result."""
    words = [f"{name}={package}" for name, package in recipe.programs.items()]
    return [recipe.folder, *words, *recipe.variables, _go_version(), architecture()]


def _go_version() -> str:
    return _asked("go", "env", "GOVERSION", cwd=SOURCES / "go" / "pause")


def _copy_crds(recipe: Recipe, target: Path) -> None:
    module = _asked("go", "list", "-m", "-f", "{{.Dir}}", OPERATOR_MODULE, cwd=recipe.folder)
    # the module cache is read-only, and copying that would make a folder that nobody can remove
    shutil.copytree(Path(module) / "config" / "crd" / "bases", target, copy_function=shutil.copyfile)
    target.chmod(0o755)


def _asked(*argv: str, cwd: Path) -> str:
    done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RealClusterError(f"{' '.join(argv)}: {done.stderr.strip()}")
    return done.stdout.strip()

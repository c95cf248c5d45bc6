"""Everything that is built before a node can start, found in the cache or made."""

from __future__ import annotations

from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.realcluster import build, machine, ray_image
from tests.realcluster.cache import Cache
from tests.realcluster.places import KUBERNETES, RAY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.realcluster.command import Commands
    from tests.realcluster.image import Image
    from tests.realcluster.places import Places
    from tests.realcluster.progress import Progress


@dataclass(frozen=True)
class Prepared:
    """What a node is made of."""

    programs: Mapping[str, Path]
    images: tuple[Image, ...]
    crds: Path


class Workshop:
    """Makes what is missing, Go programs and images side by side: the one waits for the CPU, the other for the disk."""

    def __init__(self, places: Places, commands: Commands, progress: Progress) -> None:
        self._places, self._commands, self._progress = places, commands, progress
        self._cache = Cache(places.builds)

    def prepare(self, operator: str) -> Prepared:
        """Everything for a node with that operator.

        Raises:
            RealClusterError: a step failed; what was finished before it stays in the cache.
        """
        if packages := machine.missing_packages():
            with self._progress.step(f"Debian packages: {' '.join(packages)}"):
                machine.install_packages(self._commands, packages, self._log("packages"))
        with ThreadPoolExecutor(max_workers=2) as pool:
            programs = pool.submit(self._programs, operator)
            ray = pool.submit(self._ray_image)
            try:
                both: list[Future[Any]] = [programs, ray]
                wait(both, return_when=FIRST_EXCEPTION)
                if any(future.done() and future.exception() for future in both):
                    self._commands.stop_all()
            except BaseException:
                self._commands.stop_all()
                raise
        failed = [error for future in both if (error := future.exception())]
        if failed:
            # the second one only says that it was interrupted because of the first
            raise next((error for error in failed if str(error) != "interrupted"), failed[0])
        built, crds = programs.result()
        pause = self._pause_image(built["pause"])
        return Prepared(built, (pause, ray.result()), crds)

    def _programs(self, operator: str) -> tuple[dict[str, Path], Path]:
        kuberay = build.operator(operator)
        recipes = (build.pause(), build.etcd(), build.kubernetes(), kuberay)
        folders = {recipe.name: self._built(recipe) for recipe in recipes}
        programs = {name: folders[recipe.name] / name for recipe in recipes for name in recipe.programs}
        return programs, folders[kuberay.name] / "crds"

    def _built(self, recipe: build.Recipe) -> Path:
        title = {"kubernetes": f"kubernetes v{KUBERNETES} (5 programs)"}.get(recipe.name, recipe.name)

        def make() -> Path:
            return build.build(recipe, self._cache, self._commands, self._log(recipe.name))

        return self._step(f"build {title}", self._cache.find(recipe.name, build.inputs(recipe)), make)

    def _ray_image(self) -> Image:
        log = self._log("ray-image")
        debian = self._step(
            f"Debian {ray_image.SUITE} for the Ray image",
            self._cache.find("debian", ray_image.debian_inputs()),
            lambda: ray_image.debian_layer(self._cache, self._commands, log),
        )
        ray = self._step(
            f"Ray {RAY} for the Ray image",
            self._cache.find("ray", ray_image.ray_inputs(debian)),
            lambda: ray_image.ray_layer(debian, self._cache, self._commands, log),
        )
        return ray_image.ray_image(debian, ray)

    def _pause_image(self, program: Path) -> Image:
        layer = ray_image.pause_layer(program, self._cache, self._commands, self._log("pause-image"))
        return ray_image.pause_image(layer)

    def _step(self, title: str, found: Path | None, make: Callable[[], Path]) -> Path:
        if found:
            return make()  # marks it as used
        with self._progress.step(title):
            return make()

    def _log(self, name: str) -> Path:
        return self._places.logs / f"build-{name}.log"

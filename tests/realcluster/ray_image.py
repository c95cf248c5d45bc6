"""The Ray image: a small Debian below, Ray and some wheels above; each layer is a cached step of its own."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from tests.realcluster.errors import RealClusterError
from tests.realcluster.image import Image, store_digest, stored_layer
from tests.realcluster.machine import SYSTEM_PATH, architecture, pip
from tests.realcluster.places import PAUSE_IMAGE, RAY_IMAGE, SOURCES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.realcluster.cache import Cache
    from tests.realcluster.command import Commands

SUITE = "bookworm"
PYTHON = "3.11"  # that suite's Python
RECIPES = SOURCES / "image"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
NEWEST_GLIBC = 36  # that suite's glibc is 2.36: wheels for any older one run on it
LEFT_OUT = ("./proc/*", "./sys/*", "./dev/*", "./var/cache/apt/*", "./var/lib/apt/lists/*", "./var/log/*")


def lines(file: Path) -> list[str]:
    """A recipe's entries, without comments."""
    entries = (line.partition("#")[0].strip() for line in file.read_text().splitlines())
    return [entry for entry in entries if entry]


def debian_inputs() -> list[str | Path]:
    """What decides over the lower layer."""
    return [RECIPES / "debian-packages.txt", SUITE, architecture(), *LEFT_OUT]


def ray_inputs(debian: Path) -> list[str | Path]:
    """What decides over the upper layer."""
    recipe = [RECIPES / name for name in ("requirements.txt", "wheels.txt", "pip.conf")]
    return [*recipe, (debian / "digest").read_text(), PYTHON]


def debian_layer(cache: Cache, commands: Commands, log: Path) -> Path:
    """A minimal Debian with Python, as a layer."""
    packages = RECIPES / "debian-packages.txt"

    def make(folder: Path) -> None:
        root = folder / "root"
        # in namespaces of its own: debootstrap mounts /proc in the new root, and that must go even if it is killed
        alone = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"]
        include = ",".join(lines(packages))
        commands.run(
            [
                *alone,
                "debootstrap",
                "--variant=minbase",
                f"--keyring={KEYRING}",
                f"--include={include}",
                SUITE,
                root,
                *debian_mirror(),
            ],
            env={**os.environ, "PATH": SYSTEM_PATH},
            log=log,
        )
        _pack(commands, root, ["."], folder, log)

    return cache.made("debian", debian_inputs(), make)


def debian_mirror() -> list[str]:
    """The mirror this machine's apt is set to use for that suite; none where it uses another system's."""
    asked = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", f"Codename: {SUITE}"]
    told = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split()
    return [uri for uri in told if uri.startswith("http")][:1]


def ray_layer(debian: Path, cache: Cache, commands: Commands, log: Path) -> Path:
    """Ray and its dependencies, a folder of wheels, and pip's configuration, as a layer over Debian's."""

    def make(folder: Path) -> None:
        installer = pip()
        if installer is None:
            raise RealClusterError("no pip, although python3-pip is installed")
        root = folder / "root"
        root.mkdir()
        commands.run(["tar", "-xf", debian / "layer.tar", "-C", root], log=log)
        local = root / "usr" / "local"
        libraries = local / "lib" / f"python{PYTHON}" / "dist-packages"
        wheels = root / "opt" / "wheels"
        wheels.mkdir()
        quiet = ["--quiet", "--disable-pip-version-check", "--only-binary=:all:"]
        commands.run(
            [
                *installer,
                "install",
                *quiet,
                "--no-compile",
                "--no-warn-script-location",
                "--root-user-action=ignore",
                *_foreign(),
                "--target",
                libraries,
                "--requirement",
                RECIPES / "requirements.txt",
            ],
            log=log,
        )
        commands.run(
            [*installer, "download", *quiet, *_foreign(), "--dest", wheels, "--requirement", RECIPES / "wheels.txt"],
            log=log,
        )
        for script in (libraries / "bin").iterdir():
            _for_image(script).replace(local / "bin" / script.name)
        (libraries / "bin").rmdir()
        (root / "usr" / "bin" / "python").symlink_to("python3")  # the published image has it
        (root / "etc" / "pip.conf").write_bytes((RECIPES / "pip.conf").read_bytes())
        inside = f"/usr/local/lib/python{PYTHON}/dist-packages"
        (root / "dev" / "shm").mkdir(parents=True)  # for the semaphores of compileall's workers
        # every pod would otherwise compile what it imports, at its own cost
        compiling = ["-m", "compileall", "-q", "-j", str(os.cpu_count() or 1), inside]
        commands.run(["chroot", root, "/usr/bin/python3", *compiling], env={"PATH": SYSTEM_PATH}, log=log)
        _pack(commands, root, ["./usr/local", "./opt/wheels", "./etc/pip.conf", "./usr/bin/python"], folder, log)

    return cache.made("ray", ray_inputs(debian), make)


def ray_image(debian: Path, ray: Path) -> Image:
    """The image under the name that clusters ask for."""
    return Image(
        RAY_IMAGE,
        [stored_layer(debian), stored_layer(ray)],
        architecture(),
        command=("/bin/bash",),
        environment=("RAY_USAGE_STATS_ENABLED=0", "PYTHONUNBUFFERED=1"),
    )


def pause_layer(program: Path, cache: Cache, commands: Commands, log: Path) -> Path:
    """The one program of the pause image, as a layer."""
    return cache.made(
        "pause-image", [program], lambda folder: _pack(commands, program.parent, [f"./{program.name}"], folder, log)
    )


def pause_image(layer: Path) -> Image:
    """The image of the process that holds a pod's namespaces."""
    return Image(PAUSE_IMAGE, [stored_layer(layer)], architecture(), entrypoint=("/pause",))


def _foreign() -> list[str]:
    """Options that make pip choose wheels for the image's Python rather than for the one it runs in."""
    machine = {"amd64": "x86_64", "arm64": "aarch64"}[architecture()]
    tags = [f"manylinux_2_{minor}_{machine}" for minor in range(NEWEST_GLIBC, 4, -1)]
    tags += [f"manylinux{year}_{machine}" for year in ("2014", "2010", "1")]
    platforms = [option for tag in tags for option in ("--platform", tag)]
    return ["--implementation", "cp", "--python-version", PYTHON, *platforms]


def _for_image(script: Path) -> Path:
    """A script that pip has written for its own interpreter, made to name the image's."""
    first, _, rest = script.read_bytes().partition(b"\n")
    if first.startswith(b"#!") and b"python" in first:
        script.write_bytes(b"#!/usr/bin/python3\n" + rest)
    return script


def _pack(commands: Commands, root: Path, parts: Sequence[str], folder: Path, log: Path) -> None:
    excluded = [f"--exclude={pattern}" for pattern in LEFT_OUT]
    argv = ["tar", "--numeric-owner", "--sort=name", *excluded, "-C", str(root), "-cf", str(folder / "layer.tar")]
    commands.run([*argv, *parts], log=log)
    store_digest(folder)
    if root.is_relative_to(folder):
        commands.run(["rm", "-rf", "--one-file-system", root], log=log)

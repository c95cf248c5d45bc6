"""What the machine must have, and the Debian packages that are added to it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.realcluster.errors import MachineUnfit
from tests.realcluster.places import SOURCES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.realcluster.command import Commands

# what is looked for -> the package that brings it. A program that is there already, of Docker's packages for instance,
# is used as it is.
PACKAGES: Mapping[str, str] = {
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "ip": "iproute2",
    "mount": "mount",
    "nsenter": "util-linux",
    "debootstrap": "debootstrap",
    "/usr/share/keyrings/debian-archive-keyring.gpg": "debian-archive-keyring",
    "openssl": "openssl",
}
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ROOM_NEEDED = 8 << 30  # bytes; a first run fills about 6 GiB, Go's own caches included
ARCHITECTURES: Mapping[str, str] = {"x86_64": "amd64", "aarch64": "arm64"}


def architecture() -> str:
    """This machine's architecture as Debian, Go and image configurations call it."""
    try:
        return ARCHITECTURES[platform.machine()]
    except KeyError:
        known = " or ".join(ARCHITECTURES)
        raise MachineUnfit(f"the real cluster needs a machine of {known}, and this is {platform.machine()}") from None


def check_root(system: str = sys.platform, user: int | None = None) -> None:
    """Refuse a system, or a user (by default the one we are), that could not even look at a node.

    Raises:
        MachineUnfit: not Linux, or not root.
    """
    if system != "linux":
        raise MachineUnfit(f"the real cluster needs Linux, and this is {system}; `make test` runs anywhere")
    if (os.geteuid() if user is None else user) != 0:
        raise MachineUnfit("the real cluster needs root, for namespaces, mounts and control groups; try it with sudo")


def check(cache: Path) -> None:
    """Refuse a machine on which the node cannot be built or run; changes nothing.

    Raises:
        MachineUnfit: the message says what is missing and how to get it.
    """
    check_root()
    architecture()
    release = Path("/etc/os-release")
    if not shutil.which("apt-get") or not release.exists():
        raise MachineUnfit("the real cluster needs Debian or Ubuntu: there is no apt-get here")
    if not shutil.which("go"):
        raise MachineUnfit("the real cluster needs Go 1.26 or newer, and there is no `go` on the PATH")
    go = subprocess.run(["go", "version"], cwd=SOURCES / "go" / "pause", capture_output=True, text=True, check=False)
    if go.returncode:
        raise MachineUnfit(f"the real cluster needs Go 1.26 or newer: {go.stderr.strip()}")
    if subprocess.run(["unshare", "--mount", "--net", "--pid", "--fork", "true"], check=False).returncode:
        raise MachineUnfit("this machine does not let root make namespaces; a container needs --privileged for that")
    existing = next(folder for folder in (cache, *cache.parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    if not cache.exists() and free < ROOM_NEEDED:
        raise MachineUnfit(f"the real cluster needs 8 GiB of disk at {cache}, and {free / 2**30:.1f} are free")


def missing_packages() -> list[str]:
    """The Debian packages that still have to be installed."""
    wanted = {package for looked_for, package in PACKAGES.items() if not _is_there(looked_for)}
    return sorted(wanted if pip() else {*wanted, "python3-pip"})


def pip() -> list[str] | None:
    """The command line of a pip: this interpreter's, else the system's; None where neither has one."""
    for python in (sys.executable, "/usr/bin/python3"):
        if subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0:
            return [python, "-m", "pip"]
    return None


def _is_there(wanted: str) -> bool:
    if wanted.startswith("/"):
        return Path(wanted).exists()
    return shutil.which(wanted, path=SYSTEM_PATH) is not None


def install_packages(commands: Commands, packages: list[str], log: Path) -> None:
    """Install Debian packages; a containerd that starts itself as a system service is stopped again."""
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    quiet = ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=120"]
    commands.run([*quiet, "update"], env=env, log=log)
    # --no-remove: better to fail than to take away the machine's Docker
    commands.run([*quiet, "install", "--no-install-recommends", "--no-remove", *packages], env=env, log=log)
    if "containerd" in packages and Path("/run/systemd/system").is_dir():
        commands.run(["systemctl", "disable", "--now", "containerd"], log=log)


def load_kernel_modules() -> None:
    """Ask for the kernel's parts that a bare machine loads on demand only; some kernels have them built in."""
    if modprobe := shutil.which("modprobe", path=SYSTEM_PATH):
        for module in ("overlay", "veth", "bridge", "br_netfilter", "ip_tables", "nf_conntrack"):
            subprocess.run([modprobe, "--quiet", module], check=False)

"""Base images out of the Debian packages that this machine has, for where no image registry is reached."""

import re
import subprocess
import tarfile
from pathlib import Path

MERGED = ("bin", "sbin", "lib", "lib64")
"""Links into /usr, by which packages name files, too."""
LEFT_OUT = re.compile(
    r"/usr/share/(doc|man|locale|info|i18n|javascript)\b|/usr/bin/node|.*/libz3|/var/(cache|lib/apt)/|.*(/llvm-\d+/|/libLLVM|/llvmjit|/bitcode/|\.pyc$)"
)
"""What no server here needs. PostgreSQL compiles no queries where LLVM's part is missing."""
MADE = ("/etc/alternatives", "/etc/ssl/certs", "/etc/localtime", "/etc/nsswitch.conf", "/usr/share/base-passwd")
"""What packages make when they are installed, or link to."""


def missing(packages: list[str]) -> list[str]:
    """Return those that this machine does not have."""
    return [name for name in packages if "install ok installed" not in _told("dpkg-query", "-Wf${Status}", name)]


def write(file: Path, packages: list[str]) -> None:
    """Write a root file system with these packages, all that they depend on, and what every Debian has, as a tar."""
    sources = ["--no-" + one for one in ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")]
    listed = _told("dpkg-query", "-Wf${Package} ${Essential}\n").splitlines()
    essential = [line.split()[0] for line in listed if line.endswith(" yes")]
    every = _told("apt-cache", "depends", "--recurse", "--installed", *sources, *packages, *essential)
    named = sorted({line.strip() for line in every.splitlines() if line and line[0].isalnum()})
    paths = {Path(line) for line in _told("dpkg-query", "-L", *named).splitlines() if line.startswith("/")}
    for made in map(Path, MADE):
        paths |= {made, *made.rglob("*")}
    paths |= {link.resolve() for link in paths if link.is_symlink() and str(link).startswith("/etc/alternatives/")}
    paths |= {link for folder in ("/usr/bin", "/usr/sbin") for link in Path(folder).iterdir() if _chosen(link)}
    with tarfile.open(file, "w") as tar:
        for name in MERGED:
            tar.addfile(_link(name, f"usr/{name}"))
        tar.addfile(_link("usr/bin/python", "python3"))
        real = {folder: folder.resolve() for folder in {path.parent for path in paths}}
        for path in sorted({real[path.parent] / path.name for path in paths}):
            if _wanted(path):
                tar.add(path, str(path).lstrip("/"), recursive=False)
        for name in ("passwd", "group"):
            tar.add(f"/usr/share/base-passwd/{name}.master", f"etc/{name}")


def _wanted(path: Path) -> bool:
    names = str(path)
    return (path.exists() or path.is_symlink()) and names.lstrip("/") not in {*MERGED, ""} and not LEFT_OUT.match(names)


def _chosen(link: Path) -> bool:
    return link.is_symlink() and str(link.readlink()).startswith("/etc/alternatives/")


def _link(name: str, target: str) -> tarfile.TarInfo:
    link = tarfile.TarInfo(name)
    link.type, link.linkname = tarfile.SYMTYPE, target
    return link


def _told(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout

"""A small disk of one's own (ext4 on a loop device) that can be full and can lose its power."""

import fcntl
import os
import struct
import subprocess
import tempfile
from pathlib import Path

SHUTDOWN, WITHOUT_FLUSHING_THE_JOURNAL = 0x8004587D, 2
"""EXT4_IOC_SHUTDOWN: from here on nothing reaches the disk, as when the power goes."""


class NoDiskError(RuntimeError):
    """This machine allows no ext4 on a loop device; the message says what it refused."""


class Disk:
    """Mounted below /var/tmp, where the user `nobody` of PostgreSQL can reach it."""

    def __init__(self, size_mb: int) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="crm-faults-", dir="/var/tmp"))
        self.place.chmod(0o755)
        self.image, self.root = self.place / "image", self.place / "disk"
        self.root.mkdir()
        try:
            _run("truncate", "-s", f"{size_mb}M", self.image)
            _run("mkfs.ext4", "-q", "-F", "-m", "0", self.image)
            self._mount()
        except OSError as error:
            self.remove()
            raise NoDiskError(f"no disk of its own: {error}") from error

    def sync(self) -> None:
        """Bring to the disk what was written until now."""
        _run("sync", "-f", self.root)

    def power_cut(self) -> None:
        """Lose whatever was not synced. Whoever has files open here must be gone before `power_back`."""
        descriptor = os.open(self.root, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, SHUTDOWN, struct.pack("I", WITHOUT_FLUSHING_THE_JOURNAL))
        finally:
            os.close(descriptor)

    def power_back(self) -> None:
        _run("umount", self.root)
        self._mount()

    def fill(self) -> None:
        """Leave no free block."""
        with (self.root / "filler").open("wb") as filler:
            free = os.statvfs(self.root)
            size = free.f_bavail * free.f_frsize
            while size > 4096:
                try:
                    os.posix_fallocate(filler.fileno(), os.fstat(filler.fileno()).st_size, size)
                except OSError:
                    size //= 2

    def free(self) -> None:
        """Make room that stays: a power cut soon after would bring back what filled the disk."""
        (self.root / "filler").unlink(missing_ok=True)
        self.sync()

    def remove(self) -> None:
        subprocess.run(["umount", "-l", self.root], check=False, capture_output=True)
        subprocess.run(["rm", "-rf", self.place], check=False)

    def _mount(self) -> None:
        _run("mount", "-o", "loop", self.image, self.root)
        self.root.chmod(0o755)


def _run(*command: object) -> None:
    done = subprocess.run([str(part) for part in command], check=False, capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"{command[0]}: {done.stderr.strip()}")

#
# Copyright (c) 2026 The kaio authors
# SPDX-License-Identifier: BSL-1.0
#

"""Where the files are: the disk, a RAM block device, overlayfs, XFS, btrfs. All goes in the end."""

import contextlib
import mmap
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

MIB = 1024 * 1024
LARGEST_TOTAL = 1280 * MIB
_PATH = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"


class Missing(Exception):
    """Something isn't here; the text says what."""


class Media(contextlib.ExitStack):
    def __init__(self, directory, programs):
        super().__init__()
        self._programs = programs
        self._directory = pathlib.Path(tempfile.mkdtemp(prefix="kaio-bench-", dir=directory))
        self.callback(shutil.rmtree, self._directory, ignore_errors=True)
        self._places = {}
        self._content = {}
        self._sizes = {}

    def file(self, point):
        """The file (or what the files' names begin with) for a point, with the content it needs."""
        place = self._place(point.medium)
        size = point.file_size
        if point.medium == "zram":
            path = place
        else:
            role = point.access if point.access in ("mixed", "extend") else \
                "read" if point.access == "read" else "write"
            path = place / f"{role}-{point.files}-{size}"
        wanted = {"read": ("pure", size), "mixed": ("mixed", size, point.block_size)}.get(
            point.access, ("anything", size))
        if not self._fits(path, wanted):
            self._make_room(path, place, point)
        if point.access != "extend" and not self._fits(path, wanted):
            self._programs.create(path, point.files, size)
            self._content[path] = ("pure", size)
        if point.cache == "direct" and not point.files:
            _require_direct(path, point.block_size)
        if point.access != "read":
            self._content[path] = wanted
        return path

    def _fits(self, path, wanted):
        there = self._content.get(path)
        if there is None or there[1] < wanted[1]:
            return False
        return there == wanted or wanted[0] == "anything" or there[0] == "pure"

    def _make_room(self, path, place, point):
        """Files of other scenarios go where they would take too much space together."""
        if point.medium == "zram":
            return
        needed = _bytes(point)
        others = {p: size for p, size in self._sizes.items() if p.parent == place and p != path}
        while others and sum(others.values()) + needed > LARGEST_TOTAL:
            old = next(iter(others))
            for file in place.glob(old.name + "*"):
                file.unlink()
            del others[old], self._sizes[old]
            self._content.pop(old, None)
        if shutil.disk_usage(place).free < needed + 64 * MIB:
            raise Missing(f"less than {needed // MIB + 64} MiB are free in {place}")
        self._sizes[path] = needed

    def _place(self, medium):
        if medium not in self._places:
            try:
                self._places[medium] = getattr(self, "_make_" + medium)()
            except (OSError, subprocess.CalledProcessError) as error:
                self._places[medium] = Missing(f"{medium}: {_reason(error)}")
            except Missing as error:
                self._places[medium] = error
        place = self._places[medium]
        if isinstance(place, Missing):
            raise place
        return place

    def _make_disk(self):
        place = self._directory / "disk"
        place.mkdir()
        return place

    def _make_zram(self, size=320 * MIB):
        """A new device: those that exist are others'."""
        control = pathlib.Path("/sys/class/zram-control/hot_add")
        if os.geteuid() != 0:
            raise Missing("zram: needs root")
        if not control.exists():
            _run("modprobe", "zram", check=False)
        if not control.exists():
            raise Missing("zram: the kernel has none")
        if _available_memory() < 3 * size:
            raise Missing("zram: too little memory is free")
        number = int(control.read_text())
        self.callback(_remove_zram, number)
        device = pathlib.Path(f"/dev/zram{number}")
        for _ in range(50):
            if device.exists():
                break
            time.sleep(0.1)
        else:
            raise Missing(f"zram: no {device} appeared")
        pathlib.Path(f"/sys/block/zram{number}/disksize").write_text(str(size))
        return device

    def _make_overlay(self):
        if os.geteuid() != 0:
            raise Missing("overlay: needs root")
        base = self._directory / "overlay"
        parts = {name: base / name for name in ("lower", "upper", "work", "merged")}
        for part in parts.values():
            part.mkdir(parents=True)
        _run("mount", "-t", "overlay", "overlay", "-o",
             f"lowerdir={parts['lower']},upperdir={parts['upper']},workdir={parts['work']}",
             parts["merged"])
        self.callback(_run, "umount", parts["merged"], check=False)
        return parts["merged"]

    def _make_xfs(self):
        return self._loop_mounted("xfs", "mkfs.xfs", "-q")

    def _make_btrfs(self):
        return self._loop_mounted("btrfs", "mkfs.btrfs", "-q")

    def _loop_mounted(self, name, mkfs, *options, size=1280 * MIB):
        if os.geteuid() != 0:
            raise Missing(f"{name}: needs root")
        if not shutil.which(mkfs, path=_PATH):
            raise Missing(f"{name}: {mkfs} isn't installed")
        image = self._directory / f"{name}.image"
        mounted = self._directory / name
        mounted.mkdir()
        with open(image, "wb") as file:
            file.truncate(size)
        _run(mkfs, *options, image)
        _run("mount", "-o", "loop", image, mounted)
        self.callback(_run, "umount", mounted, check=False)
        device = _run("findmnt", "-n", "-o", "SOURCE", mounted).stdout.strip()
        # Or what is read once is in the page cache of the image.
        _run("losetup", "--direct-io=on", device, check=False)
        return mounted


def _bytes(point):
    return point.file_size * max(point.files, 1)


def _require_direct(path, size):
    try:
        file = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_DIRECT, 0o600)
        try:
            os.preadv(file, [mmap.mmap(-1, size)], 0)
        finally:
            os.close(file)
    except OSError as error:
        raise Missing(f"{path} takes no direct transfers of {size} bytes:"
                      f" {error.strerror}") from error


def _run(*command, check=True):
    environment = dict(os.environ, PATH=_PATH)
    return subprocess.run([str(c) for c in command], check=check, text=True, env=environment,
                          stdin=subprocess.DEVNULL, capture_output=True)


def _reason(error):
    if isinstance(error, subprocess.CalledProcessError):
        lines = error.stderr.strip().splitlines()
        return lines[-1] if lines else str(error)
    return str(error)


def _remove_zram(number):
    for attempt in range(50):
        try:
            pathlib.Path(f"/sys/block/zram{number}/reset").write_text("1")
            pathlib.Path("/sys/class/zram-control/hot_remove").write_text(str(number))
            return
        except OSError:
            if attempt == 49:
                raise
            time.sleep(0.1)


def _available_memory():
    for line in pathlib.Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0

#
# Copyright (c) 2026 The kaio authors
# SPDX-License-Identifier: BSL-1.0
#

"""Runs the programs that measure, and fio, strace and callgrind."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from media import Missing

IO_URING = ("asio_io_uring", "io_uring")
MISSING_STATUS = 3
HISTOGRAMS = ("latency_ns", "lateness_ns")


class Failed(Exception):
    """A contender failed, or found wrong data."""


class Programs:
    def __init__(self, build):
        self._folder = pathlib.Path(build) / "test" / "bench"

    def create(self, path, files, size):
        """Fills files with the content that the contenders expect."""
        command = [self._folder / "kaio_bench", "--create", "--file", path, "--file-size", size]
        if files:
            command += ["--files", files]
        _output(command, 600)

    def figures(self, entry, path, seconds, **options):
        """A measurement of a cell: a dict of figures."""
        command = self.command(entry, path, seconds, **options)
        return _parse(_output(command, timeout=120 + 20 * seconds))

    def command(self, entry, path, seconds, operations=0, warm_up=None, flags=()):
        p = entry.point
        if warm_up is None:
            warm_up = p.warm_up if p.warm_up is not None else max(1000, 4 * p.depth)
        operations = operations or p.operations
        command = [self._program(entry.contender), "--contender", entry.contender,
                   "--access", p.access, "--cache", p.cache, "--file", path,
                   "--file-size", p.file_size, "--block-size", p.block_size, "--depth", p.depth,
                   "--threads", p.threads, "--loops", p.loops, "--warm-up", warm_up, *flags]
        command += ["--operations", operations] if operations else ["--seconds", seconds]
        if p.files:
            command += ["--files", p.files]
        if p.echo:
            command += ["--echo", p.echo]
        if p.ticker:
            command += ["--ticker"]
        if p.waves:
            command += ["--waves"]
        return command

    def _program(self, contender):
        if contender == "libeio":
            raise Missing("libeio: Debian has no package of it")
        name = "kaio_bench_io_uring" if contender in IO_URING else "kaio_bench"
        program = self._folder / name
        if not program.exists():
            raise Missing("built without liburing" if contender in IO_URING else
                          f"{program} isn't built")
        return program

    def fio(self, entry, path, seconds):
        """The same kind of load by fio, which has other random offsets and checks nothing."""
        require("fio")
        p = entry.point
        with tempfile.TemporaryDirectory() as folder, _missing_if_failed():
            output = _output(
                ["fio", "--name=kaio", f"--filename={path}", "--ioengine=libaio", "--direct=1",
                 f"--rw=rand{p.access}", f"--bs={p.block_size}", f"--iodepth={p.depth}",
                 f"--iodepth_batch_submit={p.depth}", "--iodepth_batch_complete_min=1",
                 f"--iodepth_batch_complete_max={p.depth}", f"--size={p.file_size}",
                 "--time_based", f"--runtime={max(1, round(seconds))}", "--norandommap",
                 "--thread", "--output-format=json"], timeout=180, folder=folder)
        job = json.loads(output[output.index("{"):])["jobs"][0]
        if job["error"]:
            raise Failed(f"fio: error {job['error']}")
        result = job[p.access]
        share = {name: result["clat_ns"]["percentile"][name + "0000"] / 1000
                 for name in ("50.00", "90.00", "99.00", "99.90")}
        elapsed = result["runtime"] / 1000
        return {
            "operations": result["total_ios"], "seconds": elapsed,
            "ops_per_second": result["iops"],
            "cpu_us_per_op": (job["usr_cpu"] + job["sys_cpu"]) / 100 * elapsed * 1e6
            / result["total_ios"],
            "p50_us": share["50.00"], "p90_us": share["90.00"], "p99_us": share["99.00"],
            "p999_us": share["99.90"], "max_us": result["clat_ns"]["max"] / 1000,
        }

    def system_calls(self, entry, path, operations):
        """The number of system calls of a run."""
        require("strace")
        with tempfile.NamedTemporaryFile("r") as log:
            _output(["strace", "-f", "-c", "-o", log.name,
                     *self.command(entry, path, 0, operations)], timeout=300)
            for line in log.read().splitlines():
                # Share, seconds, microseconds for each, calls, and errors if there were any.
                if line.endswith(" total"):
                    return int(line.split()[3])
        raise Failed("strace printed no total")

    def instructions(self, entry, path, operations):
        """The number of user-space instructions of a run."""
        require("valgrind")
        # A slot that goes on with what it did first keeps to its file: not where there are many.
        flags = [] if entry.point.files else ["--bare"]
        # Under Valgrind kaio doesn't read the ring unless told to.
        run = subprocess.run(
            [str(c) for c in ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                              *self.command(entry, path, 0, operations, flags=flags)]],
            env=dict(os.environ, KAIO_RING="on"), text=True, capture_output=True, timeout=300,
            check=False)
        found = re.search(r"Collected : (\d+)", run.stderr)
        if run.returncode == MISSING_STATUS:
            raise Missing(run.stdout.strip().removeprefix("missing "))
        if run.returncode != 0 or not found:
            raise Failed(run.stderr.strip().splitlines()[-1])
        return int(found.group(1))


@contextlib.contextmanager
def _missing_if_failed():
    """What comes from outside may fail here without kaio's programs being at fault."""
    try:
        yield
    except Failed as error:
        raise Missing(str(error)) from None


def require(program):
    if not shutil.which(program):
        raise Missing(f"{program} isn't installed")


def _output(command, timeout, folder=None):
    run = subprocess.run([str(c) for c in command], text=True, capture_output=True,
                         timeout=timeout, cwd=folder, stdin=subprocess.DEVNULL, check=False)
    if run.returncode == MISSING_STATUS:
        raise Missing(run.stdout.strip().removeprefix("missing "))
    if run.returncode != 0:
        message = (run.stderr.strip() or run.stdout.strip()).splitlines()
        raise Failed(message[-1] if message else f"status {run.returncode}")
    return run.stdout


def _parse(text):
    figures = {}
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        if name in HISTOGRAMS:
            figures[name] = {int(a): int(b) for a, b in
                             (pair.split(":") for pair in value.split())}
        else:
            figures[name] = float(value)
    return figures

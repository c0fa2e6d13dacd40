#
# Copyright (c) 2026 The kaio authors
# SPDX-License-Identifier: BSL-1.0
#

"""What can be looked at in a cell, each a function to a dict of figures."""

import pathlib
import re
import subprocess
import tempfile
import time

from media import Missing
from programs import Failed


class Measures:
    def __init__(self, programs, media, root, build, seconds):
        self._programs = programs
        self._media = media
        self._root = pathlib.Path(root)
        self._build = pathlib.Path(build)
        self._seconds = seconds

    def run(self, entry):
        return getattr(self, entry.measure)(entry)

    def figures(self, entry):
        path = self._file(entry)
        if entry.contender == "fio":
            return self._programs.fio(entry, path, self._seconds)
        return self._programs.figures(entry, path, self._seconds)

    def allocations(self, entry):
        figures = self._counted(entry)
        del figures["bytes_per_outstanding"]
        return figures

    def memory(self, entry):
        return {"bytes_per_outstanding": self._counted(entry)["bytes_per_outstanding"]}

    def _counted(self, entry):
        return self._programs.figures(entry, self._file(entry), self._seconds,
                                      flags=["--count-allocations"])

    def system_calls(self, entry):
        path = self._file(entry)
        return {"system_calls_per_op": _slope(
            lambda n: self._programs.system_calls(entry, path, n), 3200, 9600)}

    def instructions(self, entry):
        path = self._file(entry)
        return {"instructions_per_op": _slope(
            lambda n: self._programs.instructions(entry, path, n), 6400, 32000)}

    def user_program(self, entry):
        """Compiles the first example, as it is and for Asio's own class."""
        source = (self._root / "example" / "first_write.cpp").read_text()
        options = ["-std=c++17", "-O2"]
        libraries = ["-pthread"]
        if entry.contender == "kaio":
            options += [f"-I{self._root / 'include'}"]
            libraries += [self._build / "libkaio.a", "-laio"]
        else:
            source = source.replace("#include <kaio/kaio.hpp>", "").replace(
                "kaio::random_access_file", "boost::asio::random_access_file").replace(
                "| file_type::direct", "")
            options += ["-DBOOST_ASIO_HAS_IO_URING"]
            libraries += ["-luring"]
        with tempfile.TemporaryDirectory() as folder:
            program = pathlib.Path(folder) / "program"
            (pathlib.Path(folder) / "program.cpp").write_text(source)
            begin = time.monotonic()
            try:
                subprocess.run([str(c) for c in ["g++", *options, program.with_suffix(".cpp"),
                                                 "-o", program, *libraries]],
                               check=True, capture_output=True, text=True, timeout=300)
            except FileNotFoundError:
                raise Missing("g++ isn't installed") from None
            except subprocess.CalledProcessError as error:
                if re.search(r"liburing|-luring", error.stderr):
                    raise Missing("liburing isn't installed") from None
                raise Failed(error.stderr.strip().splitlines()[0]) from None
            elapsed = time.monotonic() - begin
            subprocess.run(["strip", program], check=True)
            return {"compile_seconds": elapsed, "program_bytes": program.stat().st_size}

    def _file(self, entry):
        return self._media.file(entry.point)


def _slope(count, few, many):
    """Per operation, without what is done once."""
    return (count(many) - count(few)) / (many - few)

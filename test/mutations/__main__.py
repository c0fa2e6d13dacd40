#
# Copyright (c) 2026 The kaio authors
# SPDX-License-Identifier: BSL-1.0
#

"""Breaks the engine in one line at a time, and runs the tests that should notice.

It works on a copy of the tree, in a folder of its own. A mutant that no test notices is a survivor:
it needs a test, or a reason.
"""

import argparse
import pathlib
import random
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import mutants

ROOT = pathlib.Path(__file__).resolve().parents[2]
COPIED = ("CMakeLists.txt", "CMakePresets.json", "cmake", "include", "src", "test", "example")

# A policy has a test of its own; so have some parts of the engine.
UNIT_TESTS = {
    "src/policy/attempt_end.hpp": ["attempt_end"],
    "src/policy/budgets.hpp": ["budgets"],
    "src/policy/file_history.hpp": ["file_history"],
    "src/policy/pacing.hpp": ["pacing"],
    "src/policy/path.hpp": ["path"],
    "src/policy/turn_handshake.hpp": ["turn_handshake"],
    "src/policy/would_block.hpp": ["would_block_policy"],
    "src/queue/mount_table": ["mount_table"],
    "src/queue/submission_batch.hpp": ["submission_batch"],
    "src/queue/submission_queue": ["submission_queue"],
    "src/kernel/completion_ring": ["completion_ring"],
    "src/kernel/mutex": ["mutex"],
}

# What no simulated life shows: real file systems, time, descriptors, forks, options.
OTHERS = ["submission", "would_block", "cancellation", "errors", "refused_resources", "prefetch",
          "fork", "fork_isolation", "service_statistics", "sync", "close_race", "shared_position",
          "stream_file", "append", "io_options", "transfer_sizes", "outstanding_work", "lifetime",
          "file_kinds", "isolation", "aio_service", "submission_thread", "harvest", "allocation",
          "metadata", "turns", "basic_file", "explain", "alignment", "access_advice", "concurrency",
          "random_access_file", "file_base", "executors"]


def main():
    parser = argparse.ArgumentParser(prog="test/mutations", description=__doc__)
    parser.add_argument("--list", action="store_true", help="only list the mutants")
    parser.add_argument("--sample", type=int, metavar="N", help="only so many, drawn by --seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--match", default="", metavar="TEXT",
                        help="only those with this text in path:line: description")
    parser.add_argument("--quick", action="store_true",
                        help="only unit tests and the simulation")
    parser.add_argument("--work", type=pathlib.Path, required=True, metavar="DIR",
                        help="a folder for the copy and its build")
    options = parser.parse_args()

    chosen = [m for m in mutants.all_mutants(ROOT) if options.match in str(m)]
    if options.sample and options.sample < len(chosen):
        chosen = random.Random(options.seed).sample(chosen, options.sample)
        chosen.sort(key=lambda m: (m.path, m.line))
    if options.list:
        print(*chosen, sep="\n")
        return 0

    tree = Tree(options.work)
    outcomes = {"caught": 0, "doesn't compile": 0, "survived": 0}
    for mutant in chosen:
        begin = time.monotonic()
        outcome, by = tree.try_out(mutant, options.quick)
        outcomes[outcome] += 1
        print(f"{outcome}{by} after {time.monotonic() - begin:.0f} s: {mutant}", flush=True)
    print(", ".join(f"{count} {outcome}" for outcome, count in outcomes.items()))
    return 1 if outcomes["survived"] else 0


class Tree:
    """A copy of the project, built once, then changed in one line at a time."""

    def __init__(self, folder):
        self.root = folder / "tree"
        self.build = folder / "build"
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir(parents=True)
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, self.root / name,
                                ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(source, self.root / name)
        self._require("cmake", "-G", "Ninja", "-S", self.root, "-B", self.build,
                      "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS_DEBUG=-O1",
                      "-DKAIO_BUILD_TESTS=ON")

    def try_out(self, mutant, quick):
        path = self.root / mutant.path
        original = path.read_text()
        lines = original.splitlines(keepends=True)
        lines[mutant.line - 1] = mutant.after + "\n"
        path.write_text("".join(lines))
        try:
            return self._outcome(mutant, quick)
        finally:
            path.write_text(original)

    def _outcome(self, mutant, quick):
        first = [test for place, tests in UNIT_TESTS.items() if mutant.path.startswith(place)
                 for test in tests]
        for tests in (first + ["simulation"], [] if quick else OTHERS):
            if not tests:
                continue
            if not self._run("cmake", "--build", self.build, "--target", *tests):
                return "doesn't compile", ""
            failed = self._first_failure(tests)
            if failed:
                return "caught", f" by {failed}"
        return "survived", ""

    def _first_failure(self, tests):
        report = self.build / "failed.txt"
        report.unlink(missing_ok=True)
        passed = self._run("ctest", "--test-dir", self.build, "--timeout", "60",
                           "--stop-on-failure", "--output-log", report, "-R",
                           f"^({'|'.join(tests)})$")
        if passed:
            return None
        for line in report.read_text(errors="replace").splitlines():
            if "***" in line and "Test" in line:
                return line.split(":", 1)[1].split()[0]
        return "ctest"

    @staticmethod
    def _run(*command):
        return subprocess.run([str(c) for c in command], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False).returncode == 0

    @staticmethod
    def _require(*command):
        subprocess.run([str(c) for c in command], stdout=subprocess.DEVNULL, check=True)


if __name__ == "__main__":
    sys.exit(main())

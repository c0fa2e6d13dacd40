#
# Copyright (c) 2026 The kaio authors
# SPDX-License-Identifier: BSL-1.0
#

"""Changes of one line of the engine that should make a test fail."""

import dataclasses
import pathlib
import re

# Files whose lines are changed. What is left out has no decision in it, or none that a test of this
# machine can see.
PLACES = ("src/policy", "src/queue", "src/engine", "src/offload", "src/kernel",
          "include/kaio/detail/context/dispatcher.hpp",
          "include/kaio/detail/context/turn_gate.hpp",
          "include/kaio/detail/operation/file_operation.hpp",
          "include/kaio/detail/operation/handler_work.hpp",
          "include/kaio/detail/operation/slot_cancellation.hpp",
          "include/kaio/detail/operation/start_operation.hpp",
          "include/kaio/detail/operation/start_transfer.hpp")

# Each: what it is called, what it matches, what it makes of that.
RULES = (
    ("the condition is reversed", re.compile(r"^(\s*(?:else )?if) \((.*)\)$"), r"\1 (!(\2))"),
    ("the condition is reversed", re.compile(r"^(\s*while) \((.*)\)$"), r"\1 (!(\2))"),
    ("and for or", re.compile(r"^(.*\S) && (?!\))(.*)$"), r"\1 || \2"),
    ("or for and", re.compile(r"^(.*\S) \|\| (.*)$"), r"\1 && \2"),
    ("equal for unequal", re.compile(r"^(.*[^!=<>]) != (.*)$"), r"\1 == \2"),
    ("unequal for equal", re.compile(r"^(.*[^!=<>]) == (.*)$"), r"\1 != \2"),
    ("a bound that is off by one", re.compile(r"^(.*\w) < (\w.*)$"), r"\1 <= \2"),
    ("a bound that is off by one", re.compile(r"^(.*\w) >= (\w.*)$"), r"\1 > \2"),
    ("false for true", re.compile(r"^(.*(?:return|=)) true;$"), r"\1 false;"),
    ("true for false", re.compile(r"^(.*(?:return|=)) false;$"), r"\1 true;"),
    ("a call is missing", re.compile(r"^(\s+)(?!return|delete|throw|else)[\w.>:-]+\([^()]*\);$"),
     r"\1;"),
    ("a step is missing", re.compile(r"^(\s+)(?:\+\+|--)[\w.>-]+;$"), r"\1;"),
    ("an assignment is missing", re.compile(r"^(\s+)[a-z][\w.>-]*_ = [^;]*;$"), r"\1;"),
)


@dataclasses.dataclass(frozen=True)
class Mutant:
    path: str
    line: int
    what: str
    before: str
    after: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.what}: {self.before.strip()}"


def all_mutants(root):
    """In the order of files and lines."""
    for place in PLACES:
        path = root / place
        files = sorted(path.rglob("*.?pp")) if path.is_dir() else [path]
        for file in files:
            yield from mutants_of(file, root)


def mutants_of(file, root):
    lines = pathlib.Path(file).read_text().splitlines()
    for number, line in enumerate(lines, 1):
        code = line.split("//")[0].rstrip()
        if not code or code.lstrip().startswith(("#", "*", "/*", "static_assert", "template")):
            continue
        if "&&" in code and re.search(r"\w&& |\w&&$|auto&&|Function&&|Handler&&", code):
            continue
        if "schedule_point" in code or "ASSERT" in code:
            continue
        for what, pattern, change in RULES:
            if pattern.match(code):
                yield Mutant(str(file.relative_to(root)), number, what, line,
                             pattern.sub(change, code))

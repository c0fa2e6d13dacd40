#
# Copyright (c) 2026 The kaio authors
# SPDX-License-Identifier: BSL-1.0
#

"""Tables for people, JSON and CSV for programs, and the progress display."""

import csv
import json
import statistics
import sys
import time
from dataclasses import asdict

from results import quartiles, ratios

UNITS = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"), (1, "B"))
VARIED = ("depth", "block_size", "files", "threads", "loops")
COUNTS = ("system_calls_per_op", "instructions_per_op", "allocations_per_op",
          "bytes_per_outstanding", "compile_seconds", "program_bytes")
FIGURES = ("ops_per_second", "cpu_us_per_op", "p50_us", "p90_us", "p99_us", "p999_us", "max_us")
EXTRA = ("echo_per_second", "late_p50_us", "late_p99_us", "late_p999_us", "late_max_us")


class Progress:
    """A line on the terminal, which goes away at the end. Elsewhere nothing."""

    def __init__(self, total):
        self._total = total
        self._done = 0
        self._begin = time.monotonic()
        self._shown = sys.stderr.isatty()

    def step(self, what):
        if self._shown:
            share = self._done / self._total
            elapsed = time.monotonic() - self._begin
            left = f", {_clock(elapsed / share - elapsed)} left" if self._done else ""
            bar = "#" * round(20 * share)
            print(f"\r|{bar:20}| {self._done}/{self._total}{left}  {what}\x1b[K", end="",
                  file=sys.stderr, flush=True)
        self._done += 1

    def clear(self):
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def print_group(group_result):
    group, results = group_result.group, group_result.results
    print(f"\n{group_result.scenario.name}: {describe(group.entries[-1].point)}")
    measured = [r for r in results if r.runs]
    reasons = {r.missing for r in results if r.missing}
    if not measured and len(reasons) == 1:
        print(f"  not measured: {reasons.pop()}")
        return
    width = max(len(label(r.entry, group)) for r in results) + 2
    if any("ops_per_second" in r.runs[0] for r in measured):
        _print_figures(group_result, measured, width)
    else:
        _print_counts(group_result, measured, width)
    for r in results:
        if r.missing:
            print(f"  {label(r.entry, group):{width}} not measured: {r.missing}")


def _print_figures(group_result, measured, width):
    group = group_result.group
    reference = group_result.reference()
    name = label(group.reference, group)
    extra = [n for n in EXTRA + COUNTS if any(r.values(n) for r in measured)]
    print(f"  {'':{width}}{'ops/s':>10} {'(quartiles)':>19} {'ratio':>6}{'CPU us/op':>11}"
          f" {'(quartiles)':>15} {'ratio':>6}{'p50 us':>9}{'p99 us':>9}{'p99.9 us':>10}"
          + "".join(f"  {short(n):>12}" for n in extra))
    for r in measured:
        print(f"  {label(r.entry, group):{width}}{r.median('ops_per_second'):>10,.0f}"
              f" {_spread(r, 'ops_per_second', 0):>19} {_ratio(r, reference, 'ops_per_second')}"
              f"{r.median('cpu_us_per_op'):>11.2f} {_spread(r, 'cpu_us_per_op', 2):>15}"
              f" {_ratio(r, reference, 'cpu_us_per_op')}"
              f"{r.median('p50_us'):>9,.0f}{r.median('p99_us'):>9,.0f}{r.median('p999_us'):>10,.0f}"
              + "".join("  " + _number(r.median(n), max(12, len(short(n)))) for n in extra))
    print(f"  ratios: to {name}, median of {len(measured[0].runs)} run(s) in turns")


def _print_counts(group_result, measured, width):
    names = [n for n in COUNTS if any(r.values(n) for r in measured)]
    print(f"  {'':{width}}" + "".join(f"{short(n):>24}" for n in names))
    for r in measured:
        print(f"  {label(r.entry, group_result.group):{width}}"
              + "".join(_number(r.median(n), 24) for n in names))


def print_verdicts(verdicts):
    if not verdicts:
        return
    print("\nTargets")
    for v in verdicts:
        print(f"  {v.outcome:8} {v.what}: {v.measured} (target {v.target}; {v.command})")


def describe(point):
    words = [f"{point.access.replace('_', ' + ')}, {point.cache}, {point.medium},"
             f" {size(point.block_size)}, depth {point.depth}"]
    if point.files:
        words.append(f"{point.files} file(s)")
    if point.threads > 1:
        words.append(f"{point.threads} threads")
    if point.echo:
        words.append(f"{point.echo} echo sessions")
    if point.waves:
        words.append("in waves")
    return ", ".join(words)


def label(entry, group):
    """The contender's name, with what distinguishes its point from others in the group."""
    differing = [f for f in VARIED if len({getattr(e.point, f) for e in group.entries}) > 1]
    return " ".join([entry.contender] + [f"{f}={getattr(entry.point, f)}" for f in differing])


def size(number):
    for factor, unit in UNITS:
        if number % factor == 0:
            return f"{number // factor} {unit}"
    return str(number)


def short(name):
    return name.replace("_per_op", "/op").replace("_per_second", "/s").replace("_", " ")


def rows(group_results):
    """One for each entry: what goes to JSON."""
    result = []
    for g in group_results:
        reference = g.reference()
        for r in g.results:
            row = {"scenario": g.scenario.name, "contender": r.entry.contender}
            row.update({k: v for k, v in asdict(r.entry.point).items() if k != "warm_up"})
            row.update({name: r.median(name) for name in FIGURES})
            row["runs"] = len(r.runs)
            row.update({name: r.median(name) for name in EXTRA + COUNTS if r.values(name)})
            for name in ("ops_per_second", "cpu_us_per_op"):
                if r.values(name):
                    row[name + "_quartiles"] = r.quartiles(name)
                    row[name + "_range"] = (min(r.values(name)), max(r.values(name)))
                    of_reference = ratios(r, reference, name)
                    if of_reference:
                        row[name + "_ratio"] = statistics.median(of_reference)
                        row[name + "_ratio_quartiles"] = quartiles(of_reference)
            row["reference"] = g.group.reference.contender
            for name in r.runs[-1] if r.runs else ():
                if name.startswith("kaio_"):
                    row[name] = r.median(name)
            for name, cdf in (("latency_ns", "latency_cdf"), ("lateness_ns", "lateness_cdf")):
                if any(run.get(name) for run in r.runs):
                    row[cdf] = [(round(a, 3), round(b, 6)) for a, b in r.cdf(name)]
            if r.missing:
                row["missing"] = r.missing
            result.append(row)
    return result


def write_json(path, group_results):
    with open(path, "w", encoding="utf-8") as file:
        lines = ",\n".join(json.dumps(row) for row in rows(group_results))
        file.write(f"[\n{lines}\n]\n")


def write_csv(path, group_results):
    table = [{k: v for k, v in row.items() if not isinstance(v, (list, tuple))}
             for row in rows(group_results)]
    names = list(dict.fromkeys(name for row in table for name in row))
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(table)


def _spread(result, name, decimals):
    low, high = result.quartiles(name)
    return f"({low:,.{decimals}f}-{high:,.{decimals}f})"


def _ratio(result, reference, name):
    values = ratios(result, reference, name)
    return f"{statistics.median(values):>6.2f}" if values else f"{'':>6}"


def _number(value, width):
    if value is None:
        return f"{'':>{width}}"
    return f"{value:>{width},.0f}" if value >= 100 else f"{value:>{width}.3f}"


def _clock(seconds):
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"

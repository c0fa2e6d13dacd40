#
# Copyright (c) 2026 The kaio authors
# SPDX-License-Identifier: BSL-1.0
#

"""The project's targets, judged by what was measured."""

import statistics
from dataclasses import dataclass

from results import quartiles, ratios
from scenarios import RAW


# On a busy machine a helper thread may be started meanwhile, which costs three calls.
NONE = 0.0001


@dataclass
class Verdict:
    outcome: str
    what: str
    measured: str
    target: str
    command: str


def verdicts(group_results):
    """Only of what was measured."""
    judge = Judge(group_results)
    judge.judge_all()
    return judge.verdicts


class Judge:
    def __init__(self, group_results):
        self._groups = group_results
        self.verdicts = []

    def judge_all(self):
        for depth, bound in ((32, 1.05), (1, 1.10)):
            self._ratio("target-zram", f"zram, depth {depth}: CPU per op against raw",
                        "cpu_us_per_op", "kaio", RAW, at_most=bound, depth=depth)
        for depth in (1, 32, 128):
            self._ratio("target-disk", f"disk, depth {depth}: reads/s against raw",
                        "ops_per_second", "kaio", RAW, at_least=0.97, depth=depth)
        for depth in (32, 128):
            self._gain(depth)
        self._ratio("target-disk", "disk, depth 32: reads/s against 32 threads",
                    "ops_per_second", "kaio", "thread_pool_32", at_least=1.2, depth=32)
        self._ratio("target-disk", "disk, depth 32: CPU per read against 32 threads",
                    "cpu_us_per_op", "kaio", "thread_pool_32", at_most=0.25, depth=32)
        self._ratio("target-cached", "page-cache hits, depth 32: against Asio's io_uring",
                    "ops_per_second", "kaio", "asio_io_uring", at_least=2.5)
        self._ratio("target-cached", "page-cache hits, depth 32: against 8 threads",
                    "ops_per_second", "kaio", "thread_pool_8", at_least=3.5)
        for medium in ("overlay", "xfs"):
            for access in ("read", "write"):
                self._ratio("target-file-systems", f"{medium}, {access}s/s against raw",
                            "ops_per_second", "kaio", RAW, at_least=0.9, medium=medium,
                            access=access)
        for waves in (False, True):
            self._count("allocations", f"allocations per op, {'waves' if waves else 'chains'}",
                        "allocations_per_op", NONE, waves=waves)
        self._count("instructions", "user instructions per op, zram, depth 32",
                    "instructions_per_op", 300, medium="zram")
        self._count("memory", "bytes per outstanding operation, the handler's 16 taken off",
                    "bytes_per_outstanding", 256, less=16)
        self._count("system-calls", "system calls per op, zram, depth 32", "system_calls_per_op",
                    0.2, depth=32, medium="zram")
        self._lateness()
        self._threads()
        self._flat("outstanding", "CPU per op, 10^5 outstanding against 10^2", "depth",
                   100, 100000)
        self._flat("files", "CPU per op, 10,000 open files against 1", "files", 1, 10000)

    def _find(self, scenario, contender, **point):
        for g in self._groups:
            if g.scenario.name == scenario:
                found = g.find(contender, **point)
                if found:
                    return found
        return None

    def _ratio(self, scenario, what, figure, a, b, at_least=None, at_most=None, **point):
        values = ratios(self._find(scenario, a, **point), self._find(scenario, b, **point), figure)
        self._judge_values(scenario, what, values, at_least, at_most)

    def _gain(self, depth):
        """kaio's gain over Asio's class at a depth, as a share of raw's gain over its depth 1."""
        wanted = [self._find("target-disk", "kaio", depth=depth),
                  self._find("target-disk", "asio_io_uring", depth=depth),
                  self._find("target-disk", RAW, depth=depth),
                  self._find("target-disk", RAW, depth=1)]
        if not all(wanted):
            return
        runs = zip(*(r.values("ops_per_second") for r in wanted))
        self._judge_values("target-disk",
                           f"disk, depth {depth}: gain over Asio's class as a share of raw's gain",
                           [kaio / asio / (raw / raw_1) for kaio, asio, raw, raw_1 in runs],
                           at_least=0.95)

    def _threads(self):
        raw = self._find("target-threads", RAW, loops=2)
        for loops, what, bound in ((1, "two threads on one io_context", 0.75),
                                   (2, "two io_contexts", 0.95)):
            values = ratios(self._find("target-threads", "kaio", loops=loops), raw,
                            "ops_per_second")
            self._judge_values("target-threads", f"{what}, zram: as a share of two raw loops",
                               values, at_least=bound)

    def _flat(self, scenario, what, field, few, many):
        def rise(contender):
            return ratios(self._find(scenario, contender, **{field: many}),
                          self._find(scenario, contender, **{field: few}), "cpu_us_per_op")

        of_raw = rise(RAW)
        note = f"; raw itself {statistics.median(of_raw):.3f}" if of_raw else ""
        self._judge_values(scenario, what, rise("kaio"), at_most=1.2, note=note)

    def _lateness(self):
        for g in self._groups:
            if g.scenario.name != "target-stall":
                continue
            kaio, idle = g.find("kaio"), g.find("idle")
            if not kaio or not idle:
                continue
            late, still = (r.percentile("lateness_ns", 0.999) for r in (kaio, idle))
            bound = max(2 * still, 1000)
            self._add("target-stall", late <= bound,
                      "p99.9 lateness beside {0.access}, {0.cache}, {0.medium}".format(
                          kaio.entry.point),
                      f"{late:,.0f} us, worst {max(kaio.values('late_max_us')):,.0f} us",
                      f"<= {bound:,.0f} us")

    def _count(self, scenario, what, figure, bound, less=0, **point):
        found = self._find(scenario, "kaio", **point)
        if found:
            value = found.median(figure) - less
            self._add(scenario, value <= bound, what, f"{value:,.4g}", f"<= {bound}")

    def _judge_values(self, scenario, what, values, at_least=None, at_most=None, note=""):
        if not values:
            return
        median = statistics.median(values)
        low, high = quartiles(values)
        met = median >= at_least if at_least is not None else median <= at_most
        target = f">= {at_least}" if at_least is not None else f"<= {at_most}"
        self._add(scenario, met, what,
                  f"{median:.3f}, quartiles {low:.3f}-{high:.3f}, {len(values)} pairs{note}", target)

    def _add(self, scenario, met, what, measured, target):
        self.verdicts.append(Verdict("met" if met else "MISSED", what, measured, target,
                                     f"test/bench/run.sh --scenario {scenario}"))

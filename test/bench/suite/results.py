#
# Copyright (c) 2026 The kaio authors
# SPDX-License-Identifier: BSL-1.0
#

"""The runs of the entries of a group, put together."""

import statistics
from dataclasses import dataclass, field

from scenarios import Entry, Group, Scenario

CDF_POINTS = 200


@dataclass
class Result:
    entry: Entry
    runs: list = field(default_factory=list)
    missing: str = ""

    def values(self, name):
        return [run[name] for run in self.runs if name in run]

    def median(self, name):
        values = self.values(name)
        return statistics.median(values) if values else None

    def quartiles(self, name):
        return quartiles(self.values(name))

    def merged(self, name):
        """The histogram of all runs: how many lasted as long."""
        merged = {}
        for run in self.runs:
            for duration, count in run.get(name, {}).items():
                merged[duration] = merged.get(duration, 0) + count
        return dict(sorted(merged.items()))

    def percentile(self, name, share):
        """The duration in us that this share of all, of all runs, doesn't exceed."""
        merged = self.merged(name)
        wanted, seen = share * sum(merged.values()), 0
        for duration, count in merged.items():
            seen += count
            if seen >= wanted:
                return duration / 1000
        return 0.0

    def cdf(self, name):
        """Pairs of a duration in us and the share of all that lasted no longer."""
        merged = self.merged(name)
        total = sum(merged.values())
        points, seen = [], 0
        for duration, count in merged.items():
            seen += count
            share = seen / total
            tail = share > 0.99 or not points
            if tail or share - points[-1][1] >= 1 / CDF_POINTS:
                points.append((duration / 1000, share))
        return points


@dataclass
class GroupResult:
    scenario: Scenario
    group: Group
    results: list

    def find(self, contender, **point):
        for r in self.results:
            if r.entry.contender == contender and not r.missing and r.runs and all(
                    getattr(r.entry.point, k) == v for k, v in point.items()):
                return r
        return None

    def reference(self):
        return next((r for r in self.results if r.entry == self.group.reference), None)


def quartiles(values):
    if not values:
        return None
    if len(values) == 1:
        return values[0], values[0]
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high


def ratios(a, b, name):
    """Of runs that followed each other."""
    if a is None or b is None:
        return []
    return [x / y for x, y in zip(a.values(name), b.values(name)) if y]

#
# Copyright (c) 2026 The kaio authors
# SPDX-License-Identifier: BSL-1.0
#

"""Runs the benchmarks. Started by test/bench/run.sh, which builds them."""

import argparse
import os
import pathlib
import signal
import sys

from measures import Measures
from media import Media, Missing
from programs import Failed, Programs
from report import (
    Progress, describe, label, print_group, print_verdicts, write_csv, write_json)
from results import GroupResult, Result
from scenarios import scenarios
from targets import verdicts

ROOT = pathlib.Path(__file__).resolve().parents[3]


def options():
    parser = argparse.ArgumentParser(
        prog="test/bench/run.sh",
        description="Measures kaio beside what else a program could use: all of it takes about an"
        " hour and a half. The disk is the one that --dir is on; zram, overlayfs and XFS need"
        " root, and are set up and removed.")
    parser.add_argument("--quick", action="store_true",
                        help="a few cells (--quick --list tells which), in less than two minutes: to"
                        " see that all works, not for figures")
    parser.add_argument("--scenario", action="append", metavar="NAME",
                        help="only this one; may be given several times")
    parser.add_argument("--contender", action="append", metavar="NAME",
                        help="only this one; may be given several times")
    parser.add_argument("--list", action="store_true", help="print the scenarios and their cells")
    parser.add_argument("--json", metavar="FILE", help="write the results there")
    parser.add_argument("--csv", metavar="FILE", help="write the results there")
    parser.add_argument("--pairs", type=int, default=15, metavar="N",
                        help="runs of each cell by which a target is judged (default: 15)")
    parser.add_argument("--runs", type=int, default=3, metavar="N",
                        help="runs of each other cell (default: 3)")
    parser.add_argument("--seconds", type=float, metavar="S",
                        help="length of a run (default: 1; with --quick 0.1)")
    parser.add_argument("--dir", metavar="DIR", help="where to put the files (default: build)")
    parser.add_argument("--build", default=str(ROOT / "build" / "release"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    for name in ("pairs", "runs"):
        if getattr(chosen, name) < 1:
            parser.error(f"--{name} must be at least 1")
    if chosen.seconds is not None and not 0.01 <= chosen.seconds <= 600:
        parser.error("--seconds must be from 0.01 to 600")
    for path in (chosen.json, chosen.csv):
        if path and not pathlib.Path(path).resolve().parent.is_dir():
            parser.error(f"no such directory: {pathlib.Path(path).parent}")
    if chosen.dir and not os.path.isdir(chosen.dir):
        parser.error(f"no such directory: {chosen.dir}")
    known = {s.name: s for s in scenarios(chosen.quick)}
    for name in chosen.scenario or ():
        if name not in known:
            parser.error(f"no such scenario: {name} (--list tells what there is)")
    chosen.scenarios = [known[n] for n in chosen.scenario] if chosen.scenario else \
        list(known.values())
    contenders = {e.contender for s in known.values() for g in s.groups for e in g.entries}
    for name in chosen.contender or ():
        if name not in contenders:
            parser.error(f"no such contender: {name} (--list tells what there is)")
    return chosen


def print_list(chosen):
    for s in chosen.scenarios:
        print(f"{s.name}: {s.what}")
        for g in s.groups:
            print(f"    {describe(g.entries[-1].point)}: "
                  + ", ".join(label(e, g) for e in g.entries))


def rounds(group, chosen):
    if group.once:
        return 1
    if chosen.quick:
        return 2
    return chosen.pairs if group.judged else chosen.runs


def wanted(group, chosen):
    return [e for e in group.entries
            if not chosen.contender or e.contender in chosen.contender or e == group.reference]


def run_group(scenario, group, chosen, measures, progress):
    """A B A B: what makes the machine slower or faster meanwhile hits all alike."""
    results = [Result(e) for e in wanted(group, chosen)]
    for _ in range(rounds(group, chosen)):
        for result in results:
            progress.step(f"{scenario.name}: {label(result.entry, group)}")
            if result.missing:
                continue
            try:
                result.runs.append(measures.run(result.entry))
            except Missing as reason:
                result.missing = str(reason)
            except Failed as reason:
                result.missing = f"FAILED: {reason}"
    return GroupResult(scenario, group, results)


def run_all(chosen):
    programs = Programs(chosen.build)
    seconds = chosen.seconds or (0.1 if chosen.quick else 1.0)
    total = sum(rounds(g, chosen) * len(wanted(g, chosen))
                for s in chosen.scenarios for g in s.groups)
    progress = Progress(total)
    results = []
    with Media(chosen.dir or chosen.build, programs) as media:
        measures = Measures(programs, media, ROOT, chosen.build, seconds)
        for scenario in chosen.scenarios:
            for group in scenario.groups:
                results.append(run_group(scenario, group, chosen, measures, progress))
                progress.clear()
                print_group(results[-1])
                # Each time, so that what was measured isn't lost when the rest is given up.
                write_files(chosen, results)
    return results


def write_files(chosen, results):
    if chosen.json:
        write_json(chosen.json, results)
    if chosen.csv:
        write_csv(chosen.csv, results)


def main():
    chosen = options()
    if chosen.list:
        print_list(chosen)
        return 0
    # So that what was set up is removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
    results = run_all(chosen)
    if not chosen.quick:
        print_verdicts(verdicts(results))
    failed = [r for g in results for r in g.results if r.missing.startswith("FAILED")]
    if failed:
        print(f"\n{len(failed)} cell(s) failed, see above", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(141)

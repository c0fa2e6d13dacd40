#
# Copyright (c) 2026 The kaio authors
# SPDX-License-Identifier: BSL-1.0
#

"""What is measured: scenarios, made of groups of entries that are run in turns."""

from dataclasses import dataclass, field, replace

MIB = 1024 * 1024
GIB = 1024 * MIB

# By their names in the programs; libeio has none, fio is one.
EVERYBODY = (
    "kaio", "kaio_coroutine", "asio_io_uring", "thread_pool_8", "thread_pool_32", "posix_aio",
    "libeio", "libaio_blocking", "libaio_epoll", "io_uring", "fio")
ON_A_LOOP = ("kaio", "kaio_coroutine", "asio_io_uring", "thread_pool_8", "thread_pool_32")
RAW = "libaio_epoll"
DEPTHS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


@dataclass(frozen=True)
class Point:
    """What is done, whoever does it."""

    medium: str = "disk"
    access: str = "read"
    cache: str = "direct"
    depth: int = 32
    block_size: int = 4096
    threads: int = 1
    loops: int = 1
    files: int = 0
    file_size: int = 256 * MIB
    echo: int = 0
    ticker: bool = False
    waves: bool = False
    operations: int = 0
    warm_up: int | None = None


@dataclass(frozen=True)
class Entry:
    """Who does it, and what is looked at: a function of measures.py."""

    contender: str
    point: Point
    measure: str = "figures"


@dataclass(frozen=True)
class Group:
    """Entries that are compared: they are run in turns, A B A B."""

    entries: tuple[Entry, ...]
    reference: Entry
    judged: bool = False
    once: bool = False


@dataclass(frozen=True)
class Scenario:
    name: str
    what: str
    groups: tuple[Group, ...] = field(default=())


def group(contenders, point, reference="kaio", measure="figures", **options):
    entries = [Entry(c, point, measure) for c in contenders]
    if point.depth == 1 and measure == "figures" and len(contenders) > 5:
        entries.append(Entry("pread", point, measure))
    return Group(tuple(entries), Entry(reference, point, measure), **options)


def groups(contenders, point, **variants):
    """One group for each value of the one field varied."""
    (name, values), = variants.items()
    return tuple(group(contenders, replace(point, **{name: v})) for v in values)


def without(contenders, *names):
    return tuple(c for c in contenders if c not in names)


def scenarios(quick):
    return _quick() if quick else _all()


def _all():
    everybody, file_size = EVERYBODY, 256 * MIB
    return [
        Scenario("disk-read", "random reads, direct, on the disk",
                 groups(everybody, Point(), depth=DEPTHS)),
        Scenario("disk-write", "random overwrites, direct, on the disk",
                 groups(everybody, Point(access="write"), depth=DEPTHS)),
        Scenario("disk-block-sizes", "direct reads and overwrites of other sizes on the disk",
                 groups(everybody, Point(), block_size=(512, 65536, MIB))
                 + groups(everybody, Point(access="write"), block_size=(512, 65536, MIB))),
        Scenario("zram-read", "random reads, direct, of a RAM block device",
                 groups(everybody, Point("zram"), depth=DEPTHS)),
        # What fio writes hardly compresses: who comes after it would pay for that.
        Scenario("zram-write", "random overwrites, direct, of a RAM block device",
                 groups(without(everybody, "fio"), Point("zram", "write"), depth=DEPTHS)),
        Scenario("zram-block-sizes", "direct reads of a RAM block device, other sizes",
                 groups(everybody, Point("zram"), block_size=(65536, MIB))),
        Scenario("overlay", "direct reads and overwrites on overlayfs",
                 groups(everybody, Point("overlay"), depth=(1, 32, 128))
                 + groups(everybody, Point("overlay", "write"), depth=(1, 32, 128))),
        Scenario("xfs", "direct reads and overwrites on XFS, loop-mounted",
                 groups(everybody, Point("xfs"), depth=(1, 32, 128))
                 + groups(everybody, Point("xfs", "write"), depth=(1, 32, 128))),
        Scenario("cached", "reads that the page cache serves",
                 groups(without(everybody, "fio"), Point(cache="warm"), depth=(1, 32, 256))),
        Scenario("cold", "reads through the page cache of what isn't in it",
                 groups(without(everybody, "fio"), Point(cache="cold", file_size=GIB, warm_up=100),
                        depth=(1, 32, 128))),
        Scenario("extend", "writes one behind the other, direct, that make a file grow",
                 groups(without(everybody, "fio"),
                        Point(access="extend", block_size=65536, file_size=GIB, warm_up=100),
                        depth=(1, 32))),
        Scenario("write-sync", "an overwrite and then fdatasync, together one operation",
                 groups(without(everybody, "fio"), Point(access="write_sync", warm_up=200),
                        depth=(1, 32))),
        Scenario("mixed", "seven reads to three overwrites, direct, on the disk",
                 groups(without(everybody, "fio"), Point(access="mixed"), depth=(1, 32, 128))),
        Scenario("files", "cached reads of 1 to 10,000 open files: the cost stays flat",
                 (_files((1, 100, 10000), 160 * MIB),
                  _file_instructions((1, 100, 10000), 160 * MIB))),
        Scenario("outstanding", "cached reads of 512 bytes, 10^2 to 10^5 outstanding: the cost"
                 " stays flat",
                 (_outstanding((100, 1000, 10000, 100000), _OUTSTANDING, judged=True),)),
        Scenario("threads", "two threads on one loop, and two loops, of a RAM block device",
                 (_threads("zram", "direct"), _threads("disk", "warm"))),
        Scenario("echo", "direct reads on the disk beside four busy TCP echo sessions",
                 groups(ON_A_LOOP, Point(echo=4), depth=(1, 32))),
        Scenario("stall", "how late a timer of 1 ms is on the same loop",
                 _stall(ON_A_LOOP + ("asio_libaio",))),
        Scenario("system-calls", "system calls per operation, under strace",
                 tuple(group(("kaio", RAW, "libaio_blocking", "asio_io_uring", "thread_pool_8"),
                             replace(p, depth=d), measure="system_calls")
                       for p in (Point("zram"), Point("disk"), Point(cache="warm"))
                       for d in (1, 32))),
        Scenario("instructions", "user-space instructions per operation, under callgrind",
                 tuple(group(("kaio", "kaio_coroutine", RAW, "asio_io_uring"), p,
                             measure="instructions", once=True)
                       for p in (Point("zram"), Point(cache="warm", file_size=64 * MIB)))),
        Scenario("allocations", "calls of malloc and its family per operation, once warm",
                 _allocations(200000)),
        Scenario("memory", "memory per outstanding operation, the handler's 16 bytes included",
                 (group(("kaio", "asio_io_uring"),
                        Point(cache="warm", block_size=512, depth=10000, operations=20000,
                              warm_up=0), measure="memory", once=True),)),
        Scenario("user-program", "compile time and size of a small program",
                 (group(("kaio", "asio_io_uring"), Point(), measure="user_program"),)),
        Scenario("target-zram", "CPU per operation against a raw loop, RAM block device",
                 tuple(group(("kaio", RAW), Point("zram", depth=d), RAW, judged=True)
                       for d in (32, 1))),
        Scenario("target-disk", "reads/s and CPU on the disk against what a user would pick",
                 tuple(group(("kaio", RAW, "asio_io_uring", "thread_pool_32"), Point(depth=d), RAW,
                             judged=True)
                       for d in (1, 32, 128))),
        Scenario("target-cached", "page-cache hits against Asio's io_uring and 8 threads",
                 (group(("kaio", RAW, "asio_io_uring", "thread_pool_8"), Point(cache="warm"),
                        judged=True),)),
        Scenario("target-file-systems", "overlayfs and XFS against a raw loop without RWF_NOWAIT",
                 tuple(group(("kaio", RAW), Point(medium, access), RAW, judged=True)
                       for medium in ("overlay", "xfs") for access in ("read", "write"))),
        Scenario("target-threads", "two threads and two loops against two raw loops",
                 (replace(_threads("zram", "direct"), judged=True),)),
        Scenario("target-stall", "lateness of a timer of 1 ms, longer and more often",
                 tuple(replace(g, judged=True) for g in _stall(("kaio",)))),
    ]


_OUTSTANDING = Point(cache="warm", block_size=512, operations=400000, warm_up=200000)


def _outstanding(depths, point, **options):
    entries = tuple(Entry("kaio", replace(point, depth=d)) for d in depths)
    return Group(entries, entries[0], **options)


def _files(numbers, total):
    entries = tuple(
        Entry(contender, Point(cache="warm", files=n, file_size=total // n // 4096 * 4096))
        for contender in ("kaio", RAW) for n in numbers)
    return Group(entries, entries[0], judged=True)


def _file_instructions(numbers, total):
    """How much of the rise is not the kernel's. The benchmark's own instructions are in it."""
    entries = tuple(
        Entry("kaio", Point(cache="warm", files=n, file_size=total // n // 4096 * 4096),
              "instructions") for n in numbers)
    return Group(entries, entries[0], once=True)


def _threads(medium, cache):
    one = Point(medium, cache=cache, depth=64, threads=2, loops=1)
    two = replace(one, loops=2)
    entries = (Entry("kaio", one), Entry("kaio", two), Entry("asio_io_uring", one),
               Entry("asio_io_uring", two), Entry(RAW, two), Entry("io_uring", two))
    return Group(entries, Entry(RAW, two))


def _stall(contenders):
    loads = (
        Point(cache="cold", file_size=GIB, warm_up=0),
        Point(access="extend", block_size=65536, file_size=GIB, warm_up=0),
        Point(access="write", cache="cold", block_size=65536, warm_up=0),
        Point(access="write_sync", cache="cold", block_size=65536, warm_up=0),
        Point("btrfs", "write", block_size=65536, warm_up=0),
        Point("btrfs", cache="cold", warm_up=0),
    )
    return tuple(group(("idle",) + contenders, replace(p, ticker=True), "idle") for p in loads)


def _allocations(operations):
    chains = Point(cache="warm", operations=operations, warm_up=20000)
    return (group(("kaio", "kaio_coroutine", "asio_io_uring", RAW), chains, measure="allocations",
                  once=True),
            group(("kaio", RAW), replace(chains, waves=True, depth=256), measure="allocations",
                  once=True))


def _quick():
    small = 64 * MIB
    return [
        Scenario("disk-read", "random reads, direct, on the disk",
                 groups(EVERYBODY, Point(file_size=small), depth=(1, 32))),
        Scenario("disk-write", "random overwrites, direct, on the disk",
                 groups(EVERYBODY, Point(access="write", file_size=small), depth=(32,))),
        Scenario("zram-read", "random reads, direct, of a RAM block device",
                 groups(without(EVERYBODY, "fio"), Point("zram", file_size=small), depth=(32,))),
        Scenario("overlay", "direct reads on overlayfs",
                 groups(("kaio", RAW), Point("overlay", file_size=small), depth=(32,))),
        Scenario("xfs", "direct overwrites on XFS, loop-mounted",
                 groups(("kaio", RAW), Point("xfs", "write", file_size=small), depth=(32,))),
        Scenario("cached", "reads that the page cache serves",
                 groups(without(EVERYBODY, "fio"), Point(cache="warm", file_size=small),
                        depth=(32,))),
        Scenario("extend", "writes one behind the other, direct, that make a file grow",
                 groups(("kaio", "asio_libaio"),
                        Point(access="extend", block_size=65536, file_size=small, warm_up=100),
                        depth=(32,))),
        Scenario("write-sync", "an overwrite and then fdatasync, together one operation",
                 groups(("kaio", RAW), Point(access="write_sync", file_size=small, warm_up=100),
                        depth=(32,))),
        Scenario("mixed", "seven reads to three overwrites, direct, on the disk",
                 groups(("kaio", RAW), Point(access="mixed", file_size=small), depth=(32,))),
        Scenario("files", "cached reads of 100 open files",
                 (replace(_files((1, 100), small), judged=False),)),
        Scenario("outstanding", "cached reads of 512 bytes, 10,000 outstanding",
                 (_outstanding((100, 10000), replace(_OUTSTANDING, file_size=small,
                                                     operations=50000, warm_up=20000)),)),
        Scenario("threads", "two threads on one loop, and two loops, cached reads",
                 (Group(tuple(Entry(e.contender, replace(e.point, file_size=small))
                              for e in _threads("disk", "warm").entries),
                        Entry(RAW, replace(_threads("disk", "warm").reference.point,
                                           file_size=small))),)),
        Scenario("echo", "direct reads on the disk beside four busy TCP echo sessions",
                 groups(ON_A_LOOP, Point(echo=4, file_size=small), depth=(32,))),
        Scenario("stall", "how late a timer of 1 ms is beside cold reads on the same loop",
                 tuple(replace(g, entries=tuple(replace(e, point=replace(e.point, file_size=small))
                                                for e in g.entries),
                               reference=replace(g.reference, point=replace(
                                   g.reference.point, file_size=small)))
                       for g in _stall(("kaio",))[:1])),
        Scenario("allocations", "calls of malloc and its family per operation, once warm",
                 _allocations(20000)),
    ]

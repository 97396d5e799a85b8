"""The cases: each runs one load on each system and gives rows."""

import contextlib
import os
import shutil
import sqlite3
import tempfile
import time

from . import load as loads
from . import mailbox, milters
from .flat import memory_over
from .idle import connections_held, waiting_held
from .ours import Postern
from .measure import Figures
from .theirs import OWNER, Dovecot, Filters, Postfix, Stack

# Which figures a row may have: heading, digits after the point, and whether more is better.
FIGURES = {
    "rate": ("messages/s", 0, True),
    "cpu": ("CPU-s per 1,000", 2, False),
    "peak_memory": ("peak MiB", 0, False),
    "p50": ("p50 ms", 1, False),
    "p99": ("p99 ms", 1, False),
    "idle_memory": ("idle MiB", 0, False),
    "per_connection": ("KiB per connection", 1, False),
    "first_memory": ("MiB after a tenth", 0, False),
    "last_memory": ("MiB at the end", 0, False),
    "ms": ("ms", 1, False),
    "mailbox_memory": ("MiB after it", 0, False),
}


class Row:
    def __init__(self, case, system, **figures):
        self.case, self.system, self.figures = case, system, figures

    @classmethod
    def of(cls, case, system, outcome):
        return cls(case, system, **{name: getattr(outcome, name) for name in ("rate", "cpu", "peak_memory", "p50", "p99")})


class Bench:
    """What the cases share."""

    def __init__(self, hosts, folder, program, policies, messages, scale, ours_only, say, rounds=1):
        self.hosts, self.folder, self.program, self.policies = hosts, folder, program, policies
        self.messages, self.scale, self.ours_only, self.say, self.rounds = messages, scale, ours_only, say, rounds

    def count(self, messages):
        return max(200, int(messages * self.scale))

    def message(self, name):
        return os.path.join(self.messages, f"{name}.eml")

    @contextlib.contextmanager
    def fresh(self):
        """A folder of its own. It stays until the end of the run: an ext4 without a journal looks at every inode that was
        freed in the last minutes before it gives a new one, and the next system would pay for what the last one left."""
        folder = tempfile.mkdtemp(dir=self.folder)
        os.chmod(folder, 0o755)
        yield folder

    def postern(self, folder, **options):
        return Postern(self.hosts, folder, self.program, self.policies, **options)


def in_turn(bench, case, systems):
    """Measures one system, then the other, and again: a machine that has slow and fast minutes has them for both. `systems`: by
    name, what measures it once. Gives a row of medians for each."""
    outcomes = {name: [] for name in systems if name == "postern" or not bench.ours_only}
    for turn in range(bench.rounds):
        for name, done in outcomes.items():
            bench.say(f"{case}: {name}, {turn + 1} of {bench.rounds}")
            done.append(systems[name]())
            bench.say(f"    {done[-1].rate:.0f} messages/s, {done[-1].cpu:.2f} CPU-s per 1,000")
    for name, done in outcomes.items():
        yield Row.of(case, name, loads.median(done))


def inbound(bench):
    """From a stranger, with SPF, DKIM and DMARC, to the Maildir."""
    plan = [("4k", 4, False, 4000, 600), ("4k", 20, False, 8000, 1200), ("4k", 50, False, 8000, 1500), ("4k", 20, True, 4000, 1000), ("100k", 20, False, 2000, 600)]
    for size, connections, one_each, ours, theirs in plan:
        case = f"inbound {size}, {connections} connections" + (", a message each" if one_each else "")

        def measured(make, count):
            with bench.fresh() as folder, make(folder) as system:
                load = loads.Load(bench.message(size), bench.count(count), connections, one_each=one_each)
                # The first messages fill caches and folders, on both sides.
                loads.apply(loads.Load(bench.message(size), 50, min(connections, 10), probes=0), bench.hosts, system.roots, loads.files_below(*system.mailbox))
                return loads.apply(load, bench.hosts, system.roots, loads.files_below(*system.mailbox))
        yield from in_turn(bench, case, {"postern": lambda: measured(bench.postern, ours), "Postfix stack": lambda: measured(lambda folder: Stack(bench.hosts, folder), theirs)})


def unfiltered(bench):
    """The stack without any filter, for comparison."""
    if bench.ours_only:
        return
    case = "inbound 4k, 50 connections, no filter"
    bench.say(f"{case}: without filters")
    with bench.fresh() as folder, Stack(bench.hosts, folder, filtered=False) as system:
        load = loads.Load(bench.message("4k"), bench.count(2000), 50)
        yield Row.of(case, "Postfix and Dovecot, no filter", loads.apply(load, bench.hosts, system.roots, loads.files_below(*system.mailbox)))


def submission(bench):
    """From our own network: signed, queued, relayed to a next hop that takes everything."""
    for selector, kind in (("rsel", "RSA-2048"), ("esel", "Ed25519")):
        case = f"submission 4k, 20 connections, {kind}"
        for name in ("postern", "Postfix stack"):
            if name != "postern" and (bench.ours_only or selector != "rsel"):
                continue
            bench.say(f"{case}: {name}")
            with bench.fresh() as folder, loads.Sink(bench.hosts, folder) as sink:
                system = bench.postern(folder, trusted=True, selectors=[selector]) if name == "postern" else Stack(bench.hosts, folder, trusted=True, deliver=False)
                with system:
                    load = loads.Load(bench.message("plain-4k"), bench.count(4000 if name == "postern" else 1200), 20, sender="user1@rcpt.bench",
                                      recipient="guest@sink.bench", probe_recipient="user2@rcpt.bench", probes=2 if name == "postern" else 0)
                    yield Row.of(case, name, loads.apply(load, bench.hosts, system.roots, sink.arrived))


def relay(bench):
    """Neither filters nor signs: the queue and the SMTP client alone."""
    case = "relay 4k, 20 connections, no filter"
    for name in ("postern", "Postfix"):
        if bench.ours_only and name != "postern":
            continue
        bench.say(f"{case}: {name}")
        with bench.fresh() as folder, loads.Sink(bench.hosts, folder) as sink:
            postern = name == "postern"
            with bench.postern(folder, trusted=True, filtered=False) if postern else Stack(bench.hosts, folder, trusted=True, filtered=False, deliver=False) as system:
                load = loads.Load(bench.message("plain-4k"), bench.count(4000 if postern else 2000), 20, sender="user1@rcpt.bench", recipient="guest@sink.bench", probes=0)
                yield Row.of(case, name, loads.apply(load, bench.hosts, system.roots, sink.arrived))


def milter(bench):
    """Postfix with one set of filters or the other, discarding what it accepted: the CPU figure is the filters' alone."""
    case = "milter 4k, 20 connections"
    for name in ("postern", "OpenDKIM and OpenDMARC"):
        if bench.ours_only and name != "postern":
            continue
        bench.say(f"{case}: {name}")
        with bench.fresh() as folder, contextlib.ExitStack() as stack:
            if name == "postern":
                filters = stack.enter_context(bench.postern(folder, milter="inet:12301@127.0.0.1", smtp_port=2525))
                addresses, given = [12301], "inet:127.0.0.1:12301"
            else:
                filters = stack.enter_context(Filters(bench.hosts, folder))
                addresses, given = [12301, 12302], "inet:127.0.0.1:12301, inet:127.0.0.1:12302"
            trips = milters.round_trips(bench.hosts, addresses, bench.message("4k"), bench.count(1000))
            postfix = stack.enter_context(Postfix(bench.hosts, folder, milters=given, transport="discard:"))
            load = loads.Load(bench.message("4k"), bench.count(3000), 20, probes=0)
            outcome = loads.apply(load, bench.hosts, filters.roots, discarded(postfix))
            yield Row(case, name, rate=outcome.rate, cpu=outcome.cpu, peak_memory=outcome.peak_memory, p50=trips[0], p99=trips[1])


def discarded(postfix):
    """Counts what that Postfix logged as done with."""
    path = os.path.join(postfix.folder, "log", "postfix.log")

    def count():
        with open(path, "rb") as file:
            return sum(b"postfix/discard" in line and b"to=<user1@" in line for line in file)
    return count


def idle(bench):
    """Memory with nobody there, and with many who say nothing."""
    for name in ("postern", "Postfix stack"):
        if bench.ours_only and name != "postern":
            continue
        bench.say(f"idle: {name}")
        with bench.fresh() as folder:
            with (bench.postern(folder) if name == "postern" else Stack(bench.hosts, folder)) as system:
                # A Postfix has a process for each.
                wanted = bench.count(10_000) if name == "postern" else 90
                memory, each = connections_held(bench.hosts, system.roots, wanted)
                yield Row(f"idle SMTP connections ({wanted:,})", name, idle_memory=memory, per_connection=each)
    with bench.fresh() as template:
        certificate = mailbox.certificate(template)
        for name in ("postern", "Dovecot"):
            if bench.ours_only and name != "postern":
                continue
            bench.say(f"idle IMAP: {name}")
            with bench.fresh() as folder, (bench.postern(folder, certificate=certificate) if name == "postern" else Dovecot(bench.hosts, folder, certificate)) as system:
                # A Dovecot has a process for each.
                wanted = bench.count(5_000) if name == "postern" else 90
                memory, each = waiting_held(bench.hosts, system.roots, *imap_login(name), wanted)
                yield Row(f"IMAP connections in IDLE ({wanted:,})", name, idle_memory=memory, per_connection=each)


def imap_login(name):
    return ("user1@rcpt.bench", "benchmark password") if name == "postern" else ("user1", "pass")


def flat(bench):
    """Memory over a million messages (--scale for fewer). Only when it is named: it takes a quarter of an hour."""
    total = bench.count(1_000_000)
    with bench.fresh() as folder, bench.postern(folder) as system:
        after = memory_over(bench, system, total)
        yield Row(f"memory over {total:,} messages", "postern", first_memory=after[0], last_memory=after[-1])


def index_filled(maildir, count):
    """Until postern's index has every message, which it reads beside everything else; how long that took."""
    begun, folder = time.monotonic(), os.path.join(os.path.dirname(maildir), "index")
    while time.monotonic() < begun + 3600:
        for name in os.listdir(folder) if os.path.isdir(folder) else []:
            if name.endswith(".sqlite"):
                with contextlib.closing(sqlite3.connect(f"file:{folder}/{name}?mode=ro", uri=True, timeout=30)) as database:
                    with contextlib.suppress(sqlite3.Error):
                        if database.execute("SELECT count(*) FROM message").fetchone()[0] >= count:
                            return (time.monotonic() - begun) * 1000
        time.sleep(1)
    raise RuntimeError("the index is not filled in an hour")


def imap(bench):
    """A folder of 200,000 messages: what a client asks when it opens one, searches it and waits in it."""
    count, rows = bench.count(200_000), []
    with bench.fresh() as template:
        bench.say(f"imap: making {count:,} messages")
        mailbox.make(os.path.join(template, "Maildir"), count, bench.say)
        certificate = mailbox.certificate(template)
        for name in ("postern", "Dovecot"):
            if bench.ours_only and name != "postern":
                continue
            bench.say(f"imap: {name}")
            with bench.fresh() as folder, (bench.postern(folder, certificate=certificate) if name == "postern" else Dovecot(bench.hosts, folder, certificate)) as system:
                maildir, owner = os.path.dirname(system.mailbox[0]), None if name == "postern" else OWNER
                mailbox.put(os.path.join(template, "Maildir"), maildir, owner)
                if owner:
                    shutil.chown(os.path.dirname(maildir), owner, owner)
                for what, took in mailbox.measure(bench.hosts, *imap_login(name), maildir, count, owner, bench.say, lambda: index_filled(maildir, count) if name == "postern" else None):
                    bench.say(f"{what}: {took:,.1f} ms")
                    rows.append(Row(f"{count:,} messages: {what}", name, ms=took))
                rows.append(Row(f"{count:,} messages", name, mailbox_memory=Figures(system.roots).memory() / 1024))
    # Both systems' rows of one case together.
    for case in dict.fromkeys(row.case for row in rows):
        yield from (row for row in rows if row.case == case)


# Those of the second list run when they are named.
CASES = {"inbound": inbound, "unfiltered": unfiltered, "submission": submission, "relay": relay, "milter": milter, "idle": idle, "imap": imap}
LONG_CASES = {"flat": flat}

#!/usr/bin/python3
"""Many connections do random things to a few shared mailboxes, each keeps its own picture of them from what the server
says, and every response is checked against it: numbering, UIDs, flags, mod-sequences, contents (RFC 9051, RFC 7162).

    imap_stress.py --host H --port P --user U --password P [--ssl CAFILE] [--seconds 60] [--connections 20] [--seed N]

It ends with one line of figures and the inconsistencies, and with status 1 if there are any. Works against any IMAP server
with UIDPLUS, MOVE, CONDSTORE and QRESYNC; it creates and fills the mailboxes stress1 and so on."""

import argparse
import collections
import hashlib
import random
import ssl
import sys
import threading
import time

from imapwire import Atom, Broken, Wire, numbers, tokens

FLAGS = [b"\\Seen", b"\\Answered", b"\\Flagged", b"\\Deleted", b"\\Draft", b"$Forwarded", b"custom"]


class Wrong(Exception):
    """An inconsistency."""


class Shared:
    """What all connections know together."""

    def __init__(self, mailboxes):
        self.lock = threading.Lock()
        self.mailboxes = mailboxes
        self.wrongs = []
        self.counts = collections.Counter()
        self.validity = {}
        # UIDs that were given out, to find one that is given twice.
        self.assigned = {name: set() for name in mailboxes}
        self.contents = {name: {} for name in mailboxes}
        self.highest = dict.fromkeys(mailboxes, 0)
        self.recent = {name: {} for name in mailboxes}

    def assign(self, mailbox, uids):
        with self.lock:
            for uid in uids:
                if uid in self.assigned[mailbox]:
                    raise Wrong(f"{mailbox}: UID {uid} was given twice")
                self.assigned[mailbox].add(uid)

    def content(self, mailbox, uid, octets):
        digest = hashlib.sha1(octets).digest()
        with self.lock:
            if self.contents[mailbox].setdefault(uid, digest) != digest:
                raise Wrong(f"{mailbox}: the content of UID {uid} changed")


class View:
    """A selected mailbox as one connection was told of it."""

    def __init__(self, name):
        self.name = name
        self.uids = []       # by number; None: not told yet
        self.flags = {}      # by UID
        self.modseqs = {}
        self.uidnext = 0
        self.highest = 0
        self.top = 0         # no new message may have a UID as low as this

    def exists(self, count):
        if count < len(self.uids):
            raise Wrong(f"{self.name}: EXISTS {count} after {len(self.uids)}")
        self.uids += [None] * (count - len(self.uids))

    def expunge(self, number):
        if not 1 <= number <= len(self.uids):
            raise Wrong(f"{self.name}: EXPUNGE {number} of {len(self.uids)}")
        uid = self.uids.pop(number - 1)
        self.flags.pop(uid, None)

    def vanished(self, uids):
        for uid in uids:
            self.flags.pop(uid, None)
            if uid in self.uids:
                self.uids.remove(uid)
                continue
            # One whose UID was not told yet: it lies between those with lower and those with higher UIDs.
            first = max((index + 1 for index, known in enumerate(self.uids) if known and known < uid), default=0)
            last = min((index for index, known in enumerate(self.uids) if known and known > uid), default=len(self.uids))
            if first >= last:
                raise Wrong(f"{self.name}: VANISHED {uid}, which is not there")
            del self.uids[first]

    def fetched(self, number, items):
        if not 1 <= number <= len(self.uids):
            raise Wrong(f"{self.name}: FETCH of {number} of {len(self.uids)}")
        if b"UID" in items:
            self.learn(number, int(items[b"UID"]))
        uid = self.uids[number - 1]
        if b"MODSEQ" in items and uid:
            modseq = int(items[b"MODSEQ"][0])
            if modseq < self.modseqs.get(uid, 0):
                raise Wrong(f"{self.name}: MODSEQ of UID {uid} fell from {self.modseqs[uid]} to {modseq}")
            self.modseqs[uid] = modseq
        if b"FLAGS" in items and uid:
            self.flags[uid] = frozenset(flag.lower() for flag in items[b"FLAGS"] if flag.lower() != b"\\recent")
        return uid

    def learn(self, number, uid):
        known = self.uids[number - 1]
        if known and known != uid:
            raise Wrong(f"{self.name}: message {number} had UID {known} and has {uid}")
        below = next((u for u in reversed(self.uids[:number - 1]) if u), 0)
        above = next((u for u in self.uids[number:] if u), 1 << 32)
        if not below < uid < above:
            raise Wrong(f"{self.name}: UID {uid} at {number} is not between {below} and {above}")
        self.uids[number - 1] = uid


class Client(threading.Thread):
    def __init__(self, number, shared, options, barrier):
        super().__init__(name=f"client {number}", daemon=True)
        self.number, self.shared, self.options, self.barrier = number, shared, options, barrier
        self.random = random.Random(f"{options.seed}/{number}")
        self.resyncs = number % 3 == 0
        self.tags = 0
        self.view = None
        self.running = None     # the command under way, in capitals
        self.caches = {}        # for QRESYNC: (validity, highest, flags by UID)
        self.searched = None
        self.bodies = {}
        self.log = collections.deque(maxlen=60)

    # -- the wire

    def open(self):
        context = ssl.create_default_context(cafile=self.options.ssl) if self.options.ssl else None
        self.wire = Wire(self.options.host, self.options.port, context, hostname="localhost" if context else None)
        self.wire.response()
        self.command(b"LOGIN", b'"%s" "%s"' % (self.options.user.encode(), self.options.password.encode()))
        if self.resyncs:
            self.command(b"ENABLE", b"QRESYNC")

    def command(self, word, arguments=b"", accept=(b"OK",), literal=None):
        """Runs a command to its end; (status, code text)."""
        self.tags += 1
        tag = b"%d.%d" % (self.number, self.tags)
        line = tag + b" " + word + (b" " + arguments if arguments else b"")
        self.log.append(b"C: " + line[:200])
        self.running = word
        self.wire.send(line + (b" {%d+}\r\n" % len(literal) + literal if literal is not None else b"") + b"\r\n")
        try:
            return self.until(tag, word, accept)
        finally:
            self.running = None

    def until(self, tag, word, accept):
        while True:
            pieces = self.wire.response()
            self.log.append(b"S: " + b"".join(pieces)[:300])
            first = pieces[0]
            if first.startswith(b"* "):
                self.untagged(pieces)
            elif first.startswith(tag + b" "):
                status, _, text = first[len(tag) + 1:].partition(b" ")
                if status not in accept:
                    raise Wrong(f"{word.decode()} was answered with {first.decode(errors='replace')}")
                self.shared.counts[word] += 1
                return status, text
            elif not first.startswith(b"+ "):
                raise Wrong(f"an answer to nothing: {first[:200]}")

    def untagged(self, pieces):
        first = pieces[0]
        word = first[2:].split(b" ")[0].upper()
        if word in (b"OK", b"NO", b"BAD"):
            return self.condition(word, first)
        if word == b"BYE":
            raise Wrong(f"the server says {first.decode(errors='replace')}")
        parsed = tokens([pieces[0][2:], *pieces[1:]])
        if parsed[0].isdigit():
            return self.numbered(int(parsed[0]), parsed[1].upper(), parsed[2:])
        if word == b"VANISHED":
            return self.vanished(parsed[1:])
        if word == b"SEARCH":
            self.searched = [int(n) for n in parsed[1:] if not isinstance(n, list)]
        elif word == b"STATUS":
            self.status(parsed[1].decode(), dict(zip(parsed[2][::2], parsed[2][1::2])))

    def condition(self, word, first):
        if word == b"BAD":
            raise Wrong(f"untagged {first.decode(errors='replace')}")
        code, _, rest = first.partition(b"[")[2].partition(b"]")[0].partition(b" ")
        if not self.view:
            return
        if code == b"UIDVALIDITY":
            with self.shared.lock:
                if self.shared.validity.setdefault(self.view.name, int(rest)) != int(rest):
                    raise Wrong(f"{self.view.name}: UIDVALIDITY became {rest.decode()}")
            self.view.validity = int(rest)
        elif code == b"UIDNEXT":
            self.view.uidnext = int(rest)
        elif code == b"HIGHESTMODSEQ":
            self.view.highest = max(self.view.highest, int(rest))
            if self.running in (b"SELECT",) and int(rest) < self.floor:
                raise Wrong(f"{self.view.name}: HIGHESTMODSEQ {int(rest)} is below {self.floor}, which was told before")
        elif code == b"COPYUID":
            self.copied = rest

    def numbered(self, number, word, rest):
        view = self.view
        if view is None:
            raise Wrong(f"{word} without a mailbox")
        if word == b"EXISTS":
            view.exists(number)
        elif word == b"EXPUNGE":
            # RFC 9051 7.5.1: not without a command, and not while FETCH, STORE or SEARCH by number are answered.
            if self.running in (None, b"FETCH", b"STORE", b"SEARCH"):
                raise Wrong(f"EXPUNGE while {self.running} ran")
            if self.resyncs:
                raise Wrong("EXPUNGE after ENABLE QRESYNC")
            view.expunge(number)
        elif word == b"FETCH":
            items = {bytes(name).upper(): value for name, value in zip(rest[0][::2], rest[0][1::2])}
            uid = view.fetched(number, items)
            self.check(uid, items)

    def check(self, uid, items):
        name = self.view.name
        if uid and b"BODY[]" in items:
            self.shared.content(name, uid, items[b"BODY[]"])
            if b"RFC822.SIZE" in items and int(items[b"RFC822.SIZE"]) != len(items[b"BODY[]"]):
                raise Wrong(f"{name}: RFC822.SIZE of UID {uid} is not that of its BODY[]")
        if uid and b"MODSEQ" in items:
            with self.shared.lock:
                self.shared.highest[name] = max(self.shared.highest[name], int(items[b"MODSEQ"][0]))
        if uid and b"FLAGS" in items and b"\\Recent" in items[b"FLAGS"]:
            with self.shared.lock:
                owner = self.shared.recent[name].setdefault(uid, self.session)
            if owner != self.session:
                raise Wrong(f"{name}: UID {uid} is \\Recent in two sessions")

    def vanished(self, rest):
        if rest[0] == [b"EARLIER"]:
            validity, highest, flags = self.caches.get(self.view.name, (0, 0, {}))
            for uid in numbers(rest[1]):
                flags.pop(uid, None)
                if uid in self.view.uids:
                    raise Wrong(f"{self.view.name}: VANISHED (EARLIER) {uid}, which is there")
            return
        if self.running in (None, b"FETCH", b"STORE", b"SEARCH"):
            raise Wrong(f"VANISHED while {self.running} ran")
        self.view.vanished(numbers(rest[0]))

    def status(self, name, items):
        with self.shared.lock:
            top = max(self.shared.assigned.get(name) or [0])
        if name in self.floors and int(items[b"UIDNEXT"]) <= self.floors[name]:
            raise Wrong(f"{name}: UIDNEXT {int(items[b'UIDNEXT'])} is not above {self.floors[name]}, which was given before")
        if int(items[b"MESSAGES"]) < int(items[b"UNSEEN"]) or top < 0:
            raise Wrong(f"{name}: more unseen messages than messages")

    # -- what it does

    def select(self, name=None):
        name = name or self.random.choice(self.shared.mailboxes)
        self.remember()
        self.view = View(name)
        self.session = (self.number, self.tags)
        with self.shared.lock:
            self.floor = self.shared.highest[name]
            uid_floor = max(self.shared.assigned[name] or [0])
        parameter, cache = b"", self.caches.get(name)
        if self.resyncs and cache and self.random.random() < 0.8:
            parameter = b" (QRESYNC (%d %d))" % cache[:2]
        self.command(b"SELECT", name.encode() + parameter)
        if self.view.uidnext <= uid_floor:
            raise Wrong(f"{name}: UIDNEXT {self.view.uidnext} is not above {uid_floor}, which was given before")
        if parameter:
            self.compare_resynchronised(cache)
        else:
            self.look()

    def remember(self):
        """Keeps what a client would keep on disk."""
        if self.resyncs and self.view and self.view.uids and None not in self.view.uids:
            known = {uid: self.view.flags[uid] for uid in self.view.uids if uid in self.view.flags}
            if len(known) == len(self.view.uids):
                self.caches[self.view.name] = (self.view.validity, self.view.highest, known)
                return
        if self.view:
            self.caches.pop(self.view.name, None)

    def compare_resynchronised(self, cache):
        """RFC 7162 3.2.5: what was kept and what was told give the mailbox as it is."""
        kept = dict(cache[2])
        kept.update(self.view.flags)
        told = kept
        self.look()
        now = {uid: self.view.flags[uid] for uid in self.view.uids if uid in self.view.flags}
        for uid, flags in now.items():
            # What somebody changed between the two commands was told by the second, and is no fault.
            if uid not in told:
                raise Wrong(f"{self.view.name}: UID {uid} is there and QRESYNC did not tell")
        for uid in set(told) - set(now):
            if uid in self.view.uids:
                raise Wrong(f"{self.view.name}: UID {uid} is not told of")

    def look(self):
        """Learns all UIDs and flags."""
        if self.view.uids:
            self.command(b"UID FETCH", b"1:* (UID FLAGS MODSEQ)" if self.resyncs else b"1:* (UID FLAGS)")

    def some(self, most=4):
        count = len(self.view.uids)
        first = self.random.randint(1, count)
        last = min(count, first + self.random.randrange(most))
        return b"%d:%d" % (first, last)

    def known_uids(self, most=4):
        uids = [uid for uid in self.view.uids if uid]
        return b",".join(b"%d" % uid for uid in sorted(self.random.sample(uids, min(len(uids), self.random.randint(1, most))))) if uids else None

    def fetch(self):
        what = self.random.choice([b"(UID FLAGS)", b"(UID RFC822.SIZE BODY.PEEK[])", b"(UID FLAGS INTERNALDATE ENVELOPE)", b"(UID BODY.PEEK[HEADER])"])
        self.command(b"FETCH", self.some() + b" " + what, accept=(b"OK", b"NO"))

    def uid_fetch(self):
        if uids := self.known_uids():
            self.command(b"UID FETCH", uids + b" (FLAGS RFC822.SIZE BODY.PEEK[])", accept=(b"OK", b"NO"))

    def store(self):
        flags = b" ".join(self.random.sample(FLAGS, self.random.randint(1, 2)))
        operation = self.random.choice([b"+FLAGS", b"-FLAGS", b"FLAGS"])
        silent = self.random.random() < 0.2
        which, word = (self.known_uids(), b"UID STORE") if self.random.random() < 0.5 else (self.some(), b"STORE")
        if not which:
            return
        if silent:
            # The client is to work out the flags itself, which it cannot while others change them: it forgets what it knew.
            for uid in self.view.uids if word == b"STORE" else numbers(which):
                self.view.flags.pop(uid, None)
        self.command(word, which + b" " + operation + (b".SILENT" if silent else b"") + b" (" + flags + b")", accept=(b"OK", b"NO"))
        if silent:
            self.look()

    def expunge(self):
        if self.random.random() < 0.5 and (uids := self.known_uids(8)):
            self.command(b"UID EXPUNGE", uids)
        else:
            self.command(b"EXPUNGE")

    def append(self):
        name = self.random.choice(self.shared.mailboxes)
        body = b"x" * self.random.choice([10, 200, 5000])
        text = b"From: a@b.example\r\nSubject: %d\r\nMessage-ID: <%d.%d@stress>\r\n\r\n%s\r\n" % (self.tags, self.number, self.tags, body)
        flags = b" (" + b" ".join(self.random.sample(FLAGS, self.random.randint(0, 2))) + b")" if self.random.random() < 0.5 else b""
        _, text = self.command(b"APPEND", name.encode() + flags, literal=text)
        code = text.partition(b"[APPENDUID ")[2].partition(b"]")[0].split()
        if len(code) != 2:
            raise Wrong(f"APPEND without APPENDUID: {text!r}")
        self.shared.assign(name, [int(code[1])])

    def copy(self):
        self.transfer(b"COPY")

    def move(self):
        self.transfer(b"MOVE")

    def transfer(self, word):
        target = self.random.choice(self.shared.mailboxes)
        by_uid = self.random.random() < 0.6
        which = self.known_uids(3) if by_uid else self.some(2)
        if not which:
            return
        self.copied = None
        status, text = self.command((b"UID " if by_uid else b"") + word, which + b" " + target.encode(), accept=(b"OK", b"NO"))
        # MOVE tells it before the EXPUNGEs, COPY in the end.
        code = self.copied or text.partition(b"[COPYUID ")[2].partition(b"]")[0]
        if code:
            validity, source, destination = code.split()
            sources, made = numbers(source), numbers(destination)
            if len(sources) != len(made):
                raise Wrong(f"COPYUID with {len(sources)} sources and {len(made)} copies")
            if target in self.shared.validity and int(validity) != self.shared.validity[target]:
                raise Wrong(f"COPYUID with UIDVALIDITY {validity.decode()}")
            self.shared.assign(target, made)

    def idle(self):
        self.tags += 1
        tag = b"%d.%d" % (self.number, self.tags)
        self.log.append(b"C: " + tag + b" IDLE")
        self.running = b"IDLE"
        self.wire.send(tag + b" IDLE\r\n")
        end = time.monotonic() + self.random.uniform(0.05, 0.6)
        while (left := end - time.monotonic()) > 0:
            if self.wire.pending(left):
                pieces = self.wire.response()
                self.log.append(b"S: " + b"".join(pieces)[:300])
                if pieces[0].startswith(b"* "):
                    self.untagged(pieces)
        self.wire.send(b"DONE\r\n")
        self.until(tag, b"IDLE", (b"OK",))
        self.running = None

    def noop(self):
        self.command(self.random.choice([b"NOOP", b"CHECK"]))

    def search(self):
        self.searched = None
        if self.random.random() < 0.5:
            count = len(self.view.uids)
            self.command(b"SEARCH", b"ALL")
            if self.searched is None or self.searched != list(range(1, len(self.searched) + 1)) or len(self.searched) < count:
                raise Wrong(f"{self.view.name}: SEARCH ALL gives {self.searched} of {count}")
        else:
            self.command(b"UID SEARCH", self.random.choice([b"SEEN", b"UNDELETED", b"KEYWORD custom", b"SUBJECT 1"]))
            if self.searched is None or self.searched != sorted(set(self.searched)):
                raise Wrong(f"UID SEARCH gives {self.searched}")

    def ask_status(self):
        with self.shared.lock:
            self.floors = {name: max(uids or [0]) for name, uids in self.shared.assigned.items()}
        name = self.random.choice(self.shared.mailboxes)
        self.command(b"STATUS", name.encode() + b" (MESSAGES UIDNEXT UNSEEN)")

    floors = {}

    def step(self):
        if self.view is None or self.random.random() < 0.04:
            return self.select()
        choices = [(self.append, 8), (self.noop, 8), (self.idle, 6), (self.ask_status, 2), (self.expunge, 5), (self.search, 5)]
        if self.view.uids:
            choices += [(self.fetch, 12), (self.uid_fetch, 8), (self.store, 18), (self.copy, 3), (self.move, 3)]
        if len(self.view.uids) > 120:
            choices = [(self.prune, 1)]
        work, = self.random.choices([c for c, _ in choices], [w for _, w in choices])
        work()
        # New messages are made known soon: numbers without a UID say little.
        if None in self.view.uids and self.random.random() < 0.7:
            self.look()

    def prune(self):
        """The mailboxes are not to grow for ever."""
        self.command(b"STORE", b"1:60 +FLAGS.SILENT (\\Deleted)", accept=(b"OK", b"NO"))
        self.command(b"EXPUNGE")
        self.look()

    def run(self):
        try:
            self.open()
            self.barrier.wait(60)
            end = time.monotonic() + self.options.seconds
            while time.monotonic() < end and not self.shared.wrongs:
                self.step()
            self.settle()
        except (Wrong, Broken, OSError, ValueError, KeyError, IndexError, threading.BrokenBarrierError) as error:
            self.barrier.abort()
            with self.shared.lock:
                self.shared.wrongs.append((f"{self.name}: {type(error).__name__}: {error}", list(self.log)[-25:]))
        finally:
            if hasattr(self, "wire"):
                self.wire.close()

    def settle(self):
        """When all are quiet, NOOP must bring what is missing: then each picture is the mailbox."""
        self.barrier.wait(120)
        if self.view is None:
            self.select()
        self.barrier.wait(120)
        self.command(b"NOOP")
        if None in self.view.uids:
            self.look()
        told = (list(self.view.uids), dict(self.view.flags))
        self.barrier.wait(120)
        self.view.flags = {}
        if self.view.uids:
            self.command(b"FETCH", b"1:* (UID FLAGS)")
        # Of a message whose UID came with something else than its flags nothing was told yet.
        different = [uid for uid, flags in told[1].items() if self.view.flags.get(uid) != flags]
        if self.view.uids != told[0] or different:
            raise Wrong(f"{self.view.name}: when all is quiet UIDs {different[:10]} are not as they were told: "
                        f"{[(told[1].get(u), self.view.flags.get(u)) for u in different[:3]]}")
        self.searched = None
        self.command(b"UID SEARCH", b"ALL")
        if self.searched != self.view.uids:
            raise Wrong(f"{self.view.name}: UID SEARCH ALL gives other messages than FETCH")
        with self.shared.lock:
            final = self.shared.__dict__.setdefault("final", {})
            if final.setdefault(self.view.name, self.view.flags) != self.view.flags:
                raise Wrong(f"{self.view.name}: two connections see different flags in the end")


def prepare(options, shared):
    """Makes the mailboxes, with some messages."""
    maker = Client(0, shared, options, threading.Barrier(1))
    maker.resyncs = False
    maker.open()
    for name in shared.mailboxes:
        maker.command(b"DELETE", name.encode(), accept=(b"OK", b"NO"))
        maker.command(b"CREATE", name.encode())
    for _ in range(10 * len(shared.mailboxes)):
        maker.append()
    maker.wire.close()


def run(options):
    shared = Shared([f"stress{n + 1}" for n in range(options.mailboxes)])
    prepare(options, shared)
    barrier = threading.Barrier(options.connections)
    clients = [Client(number + 1, shared, options, barrier) for number in range(options.connections)]
    for client in clients:
        client.start()
    for client in clients:
        client.join(options.seconds + 400)
        if client.is_alive():
            shared.wrongs.append((f"{client.name} hangs", list(client.log)[-25:]))
    return shared


def arguments(words):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--user", required=True)
    parser.add_argument("--password", required=True)
    parser.add_argument("--ssl", help="a CA file: TLS from the first octet")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--connections", type=int, default=20)
    parser.add_argument("--mailboxes", type=int, default=3)
    parser.add_argument("--seed", default=str(time.time_ns()))
    return parser.parse_args(words)


def main():
    options = arguments(None)
    shared = run(options)
    for text, log in shared.wrongs:
        print(f"INCONSISTENT: {text}")
        for line in log:
            print("    " + line.decode(errors="replace"))
    total = sum(shared.counts.values())
    print(f"{total} commands on {options.connections} connections, {len(shared.wrongs)} inconsistencies (seed {options.seed}): "
          + ", ".join(f"{count} {word.decode()}" for word, count in shared.counts.most_common()))
    return 1 if shared.wrongs else 0


if __name__ == "__main__":
    sys.exit(main())

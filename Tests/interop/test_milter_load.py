"""200 parallel connections to our milter port, many of which end as no connection should: what is left afterwards.

LONG=1 goes on for a minute instead of five seconds. The figures are printed.
"""

import contextlib
import os
import random
import socket
import struct
import threading
import time
import unittest

import gateway
from miltercodec import Milter

CONNECTIONS = 200
SECONDS = 60 if os.environ.get("LONG") == "1" else 5


class Figures:
    """Of a process: resident memory in KiB, threads, open descriptors."""

    def __init__(self, pid):
        with open(f"/proc/{pid}/status") as file:
            fields = dict(line.split(":", 1) for line in file)
        self.memory = int(fields["VmRSS"].split()[0])
        self.threads = int(fields["Threads"])
        self.descriptors = len(os.listdir(f"/proc/{pid}/fd"))

    def __str__(self):
        return f"{self.memory} KiB, {self.threads} threads, {self.descriptors} descriptors"


class Caller(threading.Thread):
    """One of many: connection after connection until told to stop."""

    def __init__(self, port, number, stop):
        super().__init__(daemon=True)
        self.port, self.random, self.stop = port, random.Random(number), stop
        self.messages = self.aborts = self.refused = 0
        self.failure = None

    def run(self):
        try:
            while not self.stop.is_set():
                self.connection()
        except Exception as error:  # Reported by the test.
            self.failure = error

    def connection(self):
        try:
            mta = Milter.connect(("127.0.0.1", self.port), timeout=60)
        except OSError:
            self.refused += 1
            return
        with contextlib.closing(mta.sock):
            mta.negotiate()
            mta.open(hostname="client.example", address=f"192.0.2.{self.random.randrange(1, 255)}")
            for _ in range(self.random.randrange(1, 4)):
                if not self.message(mta):
                    return
            mta.quit()

    def message(self, mta):
        """Whether the connection may be used further."""
        headers = [("From", " <a@stranger.example>"), ("Subject", f" {self.random.random()}"), ("X-Long", " x" * self.random.randrange(500))]
        body = b"0123456789abcdef\r\n" * self.random.randrange(4000)
        end = self.random.choice(["whole", "whole", "abort", "hang up", "reset"])
        if end == "whole":
            mta.message(headers, body, recipients=("<bob@local.example>",))
            self.messages += 1
            return True
        self.aborts += 1
        steps = [lambda: mta.mail(), lambda: mta.rcpt("<bob@local.example>"), mta.data, lambda: mta.header(*headers[0]), mta.end_of_header, lambda: mta.body(body[:65535] or b"x")]
        for step in steps[:self.random.randrange(1, len(steps) + 1)]:
            step()
        if end == "abort":
            mta.abort()
            return True
        if end == "reset":
            mta.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False


class Load(unittest.TestCase):
    def test_nothing_is_left_behind(self):
        server = self.enterContext(gateway.Server())
        pid = self.pid = server.process.process.pid
        self.peak = Figures(pid)
        # The pools and caches fill up first.
        self.run_callers(server.ports["milter"], 3)
        before = self.settled(pid)
        began = time.monotonic()
        callers = self.run_callers(server.ports["milter"], SECONDS)
        took = time.monotonic() - began
        during = self.peak
        after = self.settled(pid)
        messages, aborts = sum(c.messages for c in callers), sum(c.aborts for c in callers)
        print(f"\n  {CONNECTIONS} connections, {took:.0f} s: {messages} messages, {aborts} aborted\n  before: {before}\n  during: {during}\n  after:  {after}")
        self.assertEqual([c.failure for c in callers if c.failure], [])
        self.assertEqual(sum(c.refused for c in callers), 0)
        self.assertGreater(messages, CONNECTIONS)
        self.assertLessEqual(after.descriptors, before.descriptors + 2)
        # libmilter and the server keep the threads that the busiest moment asked for: one lost per message would be thousands.
        self.assertLessEqual(after.threads, before.threads + 8)
        self.assertLess(after.memory, before.memory * 1.25 + 8192)
        # And it still works.
        self.assertEqual(Milter.connect(("127.0.0.1", server.ports["milter"])).negotiate().open().message([("Subject", " x")], b"y\r\n").kind, "continue")

    def run_callers(self, port, seconds):
        stop = threading.Event()
        callers = [Caller(port, number, stop) for number in range(CONNECTIONS)]
        for caller in callers:
            caller.start()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            stop.wait(0.25)
            self.peak = max(self.peak, Figures(self.pid), key=lambda figures: figures.threads)
        stop.set()
        for caller in callers:
            caller.join(90)
            self.assertFalse(caller.is_alive(), "a caller hangs")
        return callers

    def settled(self, pid):
        """When descriptors and threads no longer become fewer."""
        last, since = Figures(pid), time.monotonic()
        end = since + 60
        while time.monotonic() < end and time.monotonic() - since < 3:
            time.sleep(0.25)
            now = Figures(pid)
            if now.descriptors < last.descriptors or now.threads < last.threads:
                last, since = now, time.monotonic()
        return Figures(pid)


if __name__ == "__main__":
    unittest.main()

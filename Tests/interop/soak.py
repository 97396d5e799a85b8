"""A soak: good, bad and slow clients at once, and afterwards the server has its idle size again.

    soak.py [--minutes N] [--connections N] [--json]

Watches memory, descriptors and threads and prints a table. Ends with 1 and the reasons when something grew, was lost or failed.
"""

import argparse
import json
import os
import re
import sys
import threading
import time

import gateway
from sink import Sink
from soakclients import Clients

# What may remain of a load when all clients are gone. Memory: what the allocators of C and Swift keep for the next load.
TOLERANCE = {"memory MiB": 24, "descriptors": 8, "threads": 2}
# What a load may take while it lasts. A debug build is larger than the 64 MiB that contrib/bench holds a release to.
PEAK_MEMORY = 256


def measure(server):
    folder = f"/proc/{server.process.process.pid}"
    with open(folder + "/status") as file:
        status = file.read()
    return {"memory MiB": int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024, "descriptors": len(os.listdir(folder + "/fd")),
            "threads": int(re.search(r"Threads:\s+(\d+)", status)[1])}


class Worker(threading.Thread):
    """Does a client's round again and again until told to stop."""

    def __init__(self, name, work, stop):
        super().__init__(name=name, daemon=True)
        self.work, self.stop = work, stop
        self.done, self.failures = 0, []

    def run(self):
        while not self.stop.is_set():
            try:
                self.done += self.work()
                time.sleep(0.02)
            except Exception as error:  # noqa: BLE001  a good client's failure is a finding
                self.failures.append(f"{self.name}: {type(error).__name__}: {error}")
                time.sleep(0.1)


class Soak:
    def __init__(self, server, sink, say=print):
        self.server, self.sink, self.say = server, sink, say
        self.clients = Clients(server)
        self.rows, self.problems = [], []
        self.peak = {}

    def row(self, what):
        now = measure(self.server)
        self.peak = {key: max(value, self.peak.get(key, 0)) for key, value in now.items()}
        self.rows.append((what, now))
        if self.say:
            if len(self.rows) == 1:
                self.say(f"{'':<24}" + "".join(f"{key:>14}" for key in now))
            self.say(f"{what:<24}" + "".join(f"{value:>14.0f}" for value in now.values()))
        return now

    def load(self, seconds, show=5):
        """All kinds of clients for so long. The good ones' failures are problems; the others' are their business."""
        stop, begun = threading.Event(), time.monotonic()
        workers = [Worker(name, getattr(self.clients, name), stop) for name in Clients.GOOD + Clients.OTHERS]
        for worker in workers:
            worker.start()
        shown = begun
        while time.monotonic() < begun + seconds:
            time.sleep(0.25)
            now = measure(self.server)
            self.peak = {key: max(value, self.peak.get(key, 0)) for key, value in now.items()}
            if time.monotonic() - shown >= show:
                shown = time.monotonic()
                self.row(f"after {shown - begun:.0f} s of load")
        stop.set()
        for worker in workers:
            worker.join(60)
            if worker.is_alive():
                self.problems.append(f"{worker.name} hangs")
            if worker.name in Clients.GOOD:
                self.problems += worker.failures[:3]
                if not worker.done:
                    self.problems.append(f"{worker.name} did nothing")
        return {name: sum(worker.done for worker in workers if worker.name == name) for name in dict.fromkeys(Clients.GOOD + Clients.OTHERS)}

    def abandon(self, connections):
        count = 0
        while count < connections:
            made = self.clients.abandoned()
            count += made
            if not made:
                self.problems.append("no connection was taken")
                break
        return count

    def settle(self, what, idle=None, timeout=40):
        """Waits until the server is back at its idle size, or gives up."""
        deadline = time.monotonic() + timeout
        while idle and time.monotonic() < deadline:
            now = measure(self.server)
            if all(now[key] <= idle[key] + TOLERANCE[key] for key in TOLERANCE):
                break
            time.sleep(0.5)
        else:
            if not idle:
                time.sleep(6)
        return self.row(what)

    def check(self, idle, after):
        for key, room in TOLERANCE.items():
            if after[key] > idle[key] + room:
                self.problems.append(f"{key}: {after[key]:.0f} afterwards, {idle[key]:.0f} before (tolerance {room})")
        if self.peak["memory MiB"] > PEAK_MEMORY:
            self.problems.append(f"memory went to {self.peak['memory MiB']:.0f} MiB (at most {PEAK_MEMORY})")
        if self.server.process.process.poll() is not None:
            self.problems.append("the server ended:\n" + self.server.process.output()[-2000:])

    def run(self, seconds, connections):
        """The first, short load fills the caches and pools: what is idle is measured behind it."""
        self.row("started")
        self.load(max(4, seconds / 8), show=1000)
        idle = self.settle("idle")
        work = self.load(seconds, show=max(5, seconds / 10))
        work["abandoned"] = self.abandon(connections)
        self.row("connections abandoned")
        self.check(idle, self.settle("idle again", idle))
        sent = work["submission"]
        gateway.wait_until(lambda: len(self.sink.messages) >= sent, 30, lambda: f"{sent} were sent, {len(self.sink.messages)} arrived at the next hop")
        return work


SETTINGS = """
smtpd_timeout = "5s"
smtpd_client_connection_count_limit = 500
account_recipient_limit = 0
"""


def run(seconds, connections, say=print):
    """(soak, what the clients did)"""
    port = gateway.free_port()
    with Sink(port) as sink, gateway.Server(relay_port=port, size_limit=5_000_000, extra=SETTINGS) as server:
        soak = Soak(server, sink, say)
        return soak, soak.run(seconds, connections)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--minutes", type=float, default=3, help="how long the load lasts (3)")
    parser.add_argument("--connections", type=int, default=5000, help="how many are opened and abandoned (5000)")
    parser.add_argument("--json", action="store_true", help="figures for programs instead of a table")
    options = parser.parse_args()
    soak, work = run(options.minutes * 60, options.connections, None if options.json else print)
    if options.json:
        print(json.dumps({"rows": soak.rows, "peak": soak.peak, "work": work, "problems": soak.problems}))
    else:
        print("peak".ljust(24) + "".join(f"{value:>14.0f}" for value in soak.peak.values()))
        print("\n" + "\n".join(f"{count:>8}  {name.replace('_', ' ')}" for name, count in work.items()))
        print("\n" + ("\n".join(soak.problems) or "nothing grew, nothing was lost"))
    return 1 if soak.problems else 0


if __name__ == "__main__":
    sys.exit(main())

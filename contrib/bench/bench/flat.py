"""Memory over very many messages: what is delivered is removed behind the server's back, so that the disk does not fill."""

import os
import threading

from . import load as loads
from .measure import Figures


def memory_over(bench, system, total, parts=10):
    """Sends `total` messages in parts over 20 connections; the memory in MiB after each part, the first of them included."""
    after = []
    for part in range(parts):
        count = Counted(system.mailbox)
        with count:
            load = loads.Load(bench.message("4k"), total // parts, 20, probes=0)
            loads.apply(load, bench.hosts, system.roots, count.arrived, deadline=3600)
        after.append(Figures(system.roots).memory() / 1024)
        bench.say(f"{(part + 1) * (total // parts):,} messages: {after[-1]:.0f} MiB")
    return after


class Counted:
    """Counts the messages that came into these folders, and removes them."""

    def __init__(self, folders):
        self.folders, self.seen, self.done = folders, 0, threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self.work)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()

    def arrived(self):
        return self.seen

    def work(self):
        while not self.done.wait(0.5):
            self.sweep()

    def sweep(self):
        for folder in self.folders:
            if os.path.isdir(folder):
                for name in os.listdir(folder):
                    os.remove(os.path.join(folder, name))
                    self.seen += 1

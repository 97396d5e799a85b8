"""The load: Postfix's smtp-source as the crowd, and a few clients of ours among it that time the reply to the end of data."""

import os
import smtplib
import statistics
import subprocess
import threading
import time

from .hosts import CLIENT, SERVER, SINK, Standing
from .measure import Meter, percentile


class Load:
    """`count` copies of a message over `connections`."""

    def __init__(self, message, count, connections, sender="alice@sender.bench", recipient="user1@rcpt.bench", probe_recipient="user2@rcpt.bench",
                 one_each=False, probes=2):
        """`one_each`: one message a connection. `probes`: clients that time replies, one message after the other."""
        self.message, self.count, self.connections, self.one_each, self.probes = message, count, connections, one_each, probes
        self.sender, self.recipient, self.probe_recipient = sender, recipient, probe_recipient

    def command(self):
        return ["smtp-source", "-s", str(self.connections), "-m", str(self.count), "-F", self.message, "-f", self.sender, "-t", self.recipient,
                "-M", "mail.sender.bench", *([] if self.one_each else ["-d"]), f"inet:{SERVER}:25"]


class Outcome:
    """What one load gave on one system."""

    def __init__(self, count, accepted, arrived, meter, latencies):
        self.accepted_rate, self.rate = count / accepted, count / arrived
        self.cpu = 1000 * meter.cpu / (count + len(latencies))
        self.idle_memory, self.peak_memory = meter.idle_memory / 1024, meter.peak_memory / 1024
        self.p50, self.p99 = (value and value * 1000 for value in (percentile(latencies, 0.5), percentile(latencies, 0.99)))


def median(outcomes):
    """The middle one of each figure; the most memory that any of them had."""
    middle = outcomes[0]
    for name in ("accepted_rate", "rate", "cpu", "idle_memory", "p50", "p99"):
        values = [value for value in (getattr(outcome, name) for outcome in outcomes) if value is not None]
        setattr(middle, name, statistics.median(values) if values else None)
    middle.peak_memory = max(outcome.peak_memory for outcome in outcomes)
    return middle


def apply(load, hosts, roots, arrived, deadline=300):
    """Sends and waits.

    `arrived()` counts the messages of the crowd that are where they should go. Messages in transit to the last second belong
    to the cost. Raises RuntimeError when not all arrive before the deadline.
    """
    before, latencies, stop = arrived(), [], threading.Event()
    probes = [threading.Thread(target=probe, args=(load, hosts, latencies, stop)) for _ in range(load.probes)]
    with Meter(roots) as meter:
        begun = time.monotonic()
        crowd = subprocess.Popen([*hosts.on_client, *load.command()], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for one in probes:
            one.start()
        accepted = None
        try:
            came = 0
            while came < load.count:
                now = time.monotonic() - begun
                if accepted is None and crowd.poll() is not None:
                    accepted = now
                    stop.set()
                    if crowd.returncode:
                        raise RuntimeError(f"smtp-source ended with {crowd.returncode}: {crowd.stdout.read()}")
                if now > deadline:
                    raise RuntimeError(f"after {deadline} s {arrived() - before} of {load.count} messages have arrived")
                # Counting reads whole folders on the cores that the system works on: not before all have been accepted.
                if accepted is None or (came := arrived() - before) < load.count:
                    time.sleep(0.02)
            took = time.monotonic() - begun
        finally:
            stop.set()
            if crowd.poll() is None:
                try:
                    crowd.wait(5)
                except subprocess.TimeoutExpired:
                    crowd.kill()
            for one in probes:
                one.join(60)
    return Outcome(load.count, accepted or took, took, meter, latencies)


def probe(load, hosts, latencies, stop):
    """Sends one message after the other on one connection, and notes how long each reply to the end of data took."""
    with open(load.message, "rb") as file:
        content = file.read().replace(b"\n", b"\r\n") + b".\r\n"
    with Standing(hosts.client):
        smtp = smtplib.SMTP(SERVER, 25, "mail.sender.bench", timeout=60, source_address=(CLIENT, 0))
        with smtp:
            smtp.ehlo()
            while not stop.is_set():
                for code, _ in (smtp.mail(load.sender), smtp.rcpt(load.probe_recipient)):
                    if code != 250:
                        return
                smtp.docmd("DATA")
                begun = time.monotonic()
                smtp.send(content)
                if smtp.getreply()[0] == 250:
                    latencies.append(time.monotonic() - begun)


def files_below(*folders):
    """Counts what stands in these folders."""
    return lambda: sum(len(os.listdir(folder)) for folder in folders if os.path.isdir(folder))


class Sink:
    """Postfix's smtp-sink as the next hop; it counts what comes."""

    def __init__(self, hosts, folder):
        self.hosts, self.path = hosts, os.path.join(folder, "sink.txt")

    def __enter__(self):
        self.output = open(self.path, "wb")
        # -c prints its counters whenever they change; -u: it wants not to be root.
        self.process = subprocess.Popen([*self.hosts.on_client, "smtp-sink", "-c", "-u", "nobody", f"{SINK}:25", "256"], stdout=self.output, stderr=self.output)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)
        self.output.close()

    def arrived(self):
        with open(self.path, "rb") as file:
            file.seek(max(0, os.path.getsize(self.path) - 200))
            counters = [line for line in file.read().split(b"\r") if line.startswith(b"sess=") and b" mesg=" in line]
        # The last may be cut short.
        return int(counters[-2].rsplit(b"=", 1)[1]) if len(counters) > 1 else 0

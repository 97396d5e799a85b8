"""The time a message takes in the filters alone: an MTA's side of the milter protocol that asks one after the other, as Postfix does."""

import os
import socket
import sys
import time

from .hosts import CLIENT, Standing
from .measure import percentile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "Tests", "interop"))
from miltercodec import Milter  # noqa: E402


def round_trips(hosts, ports, message, count):
    """(median, 99th percentile) in ms of a message's way through the milters at these ports."""
    with open(message, "rb") as file:
        head, _, body = file.read().replace(b"\n", b"\r\n").partition(b"\r\n\r\n")
    headers = fields(head)
    with Standing(hosts.server):
        talkers = [Milter.connect(("127.0.0.1", port)).negotiate() for port in ports]
    for talker in talkers:
        # Small writes follow each other, which Postfix sends as one.
        talker.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        talker.connect_event("mail.sender.bench", CLIENT, 4711, macros={"j": "mail.rcpt.bench", "{daemon_name}": "mail.rcpt.bench", "v": "Postfix"})
        talker.helo("mail.sender.bench")
    times = []
    for number in range(count):
        begun, added = time.monotonic(), []
        for talker in talkers:
            added += one(talker, number, added + headers, body)
        times.append((time.monotonic() - begun) * 1000)
    return percentile(times, 0.5), percentile(times, 0.99)


def one(talker, number, headers, body):
    """One message; the fields that were put on top of it."""
    talker.mail("<alice@sender.bench>", macros={"i": f"BENCH{number}"})
    talker.rcpt("<user1@rcpt.bench>")
    talker.data()
    for name, value in headers:
        talker.header(name, value)
    talker.end_of_header()
    talker.body(body)
    answer = talker.end_of_message()
    if answer.kind not in ("continue", "accept"):
        raise RuntimeError(f"a milter said {answer}")
    return [change[2:4] for change in answer.changes if change[0] == "insheader"]


def fields(head):
    """(name, value) of each header field, folded with LF as milters get them."""
    out = []
    for line in head.split(b"\r\n"):
        if line[:1] in b" \t":
            out[-1] = (out[-1][0], out[-1][1] + b"\n" + line)
        else:
            name, _, value = line.partition(b":")
            out.append((name.decode(), value))
    return out

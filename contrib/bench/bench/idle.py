"""Connections that are opened and say nothing."""

import resource
import socket
import time

from .hosts import CLIENT, SERVER, Standing
from .mailbox import Client
from .measure import Figures


def waiting_held(hosts, roots, user, password, count):
    """As many TLS connections that have INBOX selected and wait in IDLE; memory before in MiB, and KiB more per connection."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, count + 200), hard), hard))
    # What the first one makes the server read is no connection's.
    held = [Client(hosts, user, password)]
    try:
        held[0].run("SELECT INBOX")
        before = Figures(roots).memory()
        for _ in range(count):
            client = Client(hosts, user, password)
            held.append(client)
            client.run("SELECT INBOX")
            client.socket.sendall(b"b IDLE\r\n")
            client.until(b"+ ")
        time.sleep(2)
        # All of them are really there.
        for client in held[1:]:
            client.socket.sendall(b"DONE\r\n")
        for client in held[1:]:
            client.until(b"b OK")
        after = Figures(roots).memory()
    finally:
        for client in held:
            client.close()
    return before / 1024, (after - before) / count


def connections_held(hosts, roots, count):
    """Opens that many to the SMTP port and greets; the systems' memory before in MiB, and KiB more per connection."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, count + 200), hard), hard))
    before = Figures(roots).memory()
    held = []
    try:
        with Standing(hosts.client):
            for _ in range(count):
                held.append(socket.create_connection((SERVER, 25), 30, source_address=(CLIENT, 0)))
        for one in held:
            one.settimeout(30)
            if not one.recv(500).startswith(b"220"):
                raise RuntimeError(f"of {count} connections one was not greeted")
            one.sendall(b"EHLO mail.sender.bench\r\n")
        for one in held:
            if not one.recv(2000).startswith(b"250"):
                raise RuntimeError(f"of {count} connections one was not answered")
        time.sleep(1)
        after = Figures(roots).memory()
    finally:
        for one in held:
            one.close()
    return before / 1024, (after - before) / count

"""A mailbox with very many messages, and what a mail client asks of it."""

import os
import random
import select
import shutil
import socket
import ssl
import subprocess
import statistics
import time

from .hosts import Standing

# In one message of a thousand.
WORD = "quetzalcoatlus"


def make(folder, count, say):
    """A Maildir with that many read messages of about 2 KB, each another."""
    chance = random.Random(5)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(2, 11))) for _ in range(20_000)]
    for name in ("tmp", "new", "cur"):
        os.makedirs(os.path.join(folder, name))
    for number in range(count):
        octets = message(chance, words, number)
        path = os.path.join(folder, "cur", file_name(number, octets) + ":2,S" + ("F" if number % 50 == 0 else "") + ("R" if number % 7 == 0 else ""))
        with open(path, "wb") as file:
            file.write(octets)
        when = 1_600_000_000 + number * 300
        os.utime(path, (when, when))
        if number % 20_000 == 19_999:
            say(f"{number + 1:,} messages made")


def message(chance, words, number):
    body = "\n".join(" ".join(chance.choices(words, k=10)) for _ in range(22))
    if number % 1000 == 17:
        body += f"\nHave you seen the {WORD} yet?"
    return (f"Return-Path: <sender{number % 900}@sender.bench>\nReceived: from mail.sender.bench (mail.sender.bench [192.0.2.10])\n\tby mail.rcpt.bench with ESMTP id {number:08x}\n"
            f"From: Sender {number % 900} <sender{number % 900}@sender.bench>\nTo: user1@rcpt.bench\nSubject: {' '.join(chance.choices(words, k=5))}\n"
            f"Date: {time.strftime('%a, %d %b %Y %H:%M:%S +0000', time.gmtime(1_600_000_000 + number * 300))}\nMessage-ID: <{number}.bench@sender.bench>\n"
            f"MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n{body}\n").encode()


def file_name(number, octets):
    return f"{1_600_000_000 + number * 300}.M{number}P1Q{number}.bench,S={len(octets)},W={len(octets) + octets.count(10)}"


def put(source, target, owner=None):
    """The same messages for another server: hard links, but folders of its own."""
    for folder, _, names in os.walk(source):
        place = os.path.join(target, os.path.relpath(folder, source))
        os.makedirs(place, exist_ok=True)
        for name in names:
            os.link(os.path.join(folder, name), os.path.join(place, name))
            if owner:
                shutil.chown(os.path.join(place, name), owner, owner)
        if owner:
            shutil.chown(place, owner, owner)


def certificate(folder):
    """Files of a certificate and its key: the servers let nobody log in without TLS."""
    files = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=mail.rcpt.bench",
                    "-out", files[0], "-keyout", files[1]], check=True, capture_output=True, timeout=60)
    return files


class Client:
    """As little of a client as can be, so that the server is what is timed."""

    def __init__(self, hosts, user, password):
        with Standing(hosts.server):
            plain = socket.create_connection(("127.0.0.1", 993), 60)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.socket = context.wrap_socket(plain)
        self.rest = b""
        self.until(b"* OK")
        self.run(f'LOGIN {user} "{password}"')

    def run(self, command, timeout=1800):
        """The octets of the answer; how long it took, in ms."""
        self.socket.settimeout(timeout)
        begun = time.perf_counter()
        self.socket.sendall(b"a " + command.encode() + b"\r\n")
        pieces, tail = [self.rest], self.rest
        self.rest = b""
        while not (tail.startswith(b"a ") and tail.endswith(b"\r\n") or b"\r\na " in tail and tail.endswith(b"\r\n")):
            piece = self.socket.recv(1 << 20)
            if not piece:
                raise RuntimeError(f"the server went away during {command}")
            pieces.append(piece)
            tail = (tail + piece)[-4000:]
        took = (time.perf_counter() - begun) * 1000
        if b"a OK" not in tail:
            raise RuntimeError(f"{command}: {tail[-200:]}")
        return b"".join(pieces), took

    def until(self, words, timeout=60):
        """Reads until the words have come."""
        end = time.monotonic() + timeout
        text = self.rest
        while words not in text:
            if not self.socket.pending() and not self.is_readable(max(0, end - time.monotonic())):
                raise RuntimeError(f"no {words!r}; {text[-200:]}")
            text += self.socket.recv(65_536)
        self.rest = b""
        return text

    def is_readable(self, seconds):
        """By poll(2): select(2) knows no descriptor over 1,023."""
        poll = select.poll()
        poll.register(self.socket, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def close(self):
        self.socket.close()


def measure(hosts, user, password, maildir, count, owner, say, settled):
    """What is asked, and how long it took in ms: (name, ms), the first time first, the others as the median of several.
    `settled` waits for what the server does beside, after the first time, and says how long that took."""
    def connection():
        return Client(hosts, user, password)

    def median(times, ask):
        return statistics.median(ask() for _ in range(times))

    client = connection()
    text, took = client.run("SELECT INBOX")
    if f"* {count} EXISTS".encode() not in text:
        raise RuntimeError(f"not {count} messages: {text[:500]}")
    yield "SELECT for the first time", took
    took = settled()
    if took:
        yield "index filled, beside everything else", took
    client.close()

    def opened():
        client = connection()
        try:
            return client.run("SELECT INBOX")[1]
        finally:
            client.close()
    opened()
    yield "SELECT", median(5, opened)
    client = connection()
    client.run("SELECT INBOX")
    client.run("FETCH 1:* (FLAGS)")
    yield "FETCH 1:* (FLAGS)", median(3, lambda: client.run("FETCH 1:* (FLAGS)")[1])
    last = f"FETCH {count - 99}:{count} (ENVELOPE)"
    client.run(last)
    yield "FETCH ENVELOPE of the last 100", median(5, lambda: client.run(last)[1])
    say("searching")

    def search():
        text, took = client.run(f"SEARCH TEXT {WORD}")
        # Dovecot tells how far it is in lines before that.
        found = sum(len(line.split()) - 2 for line in text.split(b"\r\n") if line.startswith(b"* SEARCH"))
        if found != (count + 982) // 1000:
            raise RuntimeError(f"{found} messages found: {text[:200]}")
        return took
    first = search()
    yield "SEARCH TEXT of a rare word", statistics.median([first] + [search() for _ in range(2 if first < 5000 else 0)])
    client.socket.sendall(b"b IDLE\r\n")
    client.until(b"+ ")
    times = []
    for number in range(5):
        octets = message(random.Random(number), ["word"] * 5, count + number)
        name = file_name(count + number, octets)
        path = os.path.join(maildir, "tmp", name)
        with open(path, "wb") as file:
            file.write(octets)
        if owner:
            shutil.chown(path, owner, owner)
        time.sleep(2)
        begun = time.perf_counter()
        os.rename(path, os.path.join(maildir, "new", name))
        client.until(f"* {count + number + 1} EXISTS".encode())
        times.append((time.perf_counter() - begun) * 1000)
    yield "a new file seen through IDLE", statistics.median(times)
    client.close()

"""The clients of a soak: good ones, bad ones and slow ones. Each does one round of its work and counts what it saw."""

import base64
import os
import random
import smtplib
import socket
import struct
import time

import gateway
import mailbox
from gateway import ACCOUNTS

GARBAGE = [b"\0" * 500, b"\xff\xfe" * 300, b"GET / HTTP/1.0\r\n\r\n", b"EHLO " + b"x" * 5000 + b"\r\n", b"a LOGIN {99999999999}\r\n", b"a LOGIN {30000+}\r\n" + b"y" * 20_000,
           b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nDATA\r\n", b"EHLO x\r\nBDAT 99999999 LAST\r\nx", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc" + b"z" * 400, b"a UID FETCH 1:* BODY[]\r\n" * 50]


class Clients:
    """All at one server. Clients come from all over 127/8, so that no limit for one client turns most of them away."""

    def __init__(self, server):
        self.server = server
        self.context = mailbox.tls(server.values["certificate"])
        self.payload = "\r\n".join("line %d of a body that is somewhat long" % n for n in range(2000))

    def connect(self, listener, timeout=20, receive_buffer=None):
        sock = socket.socket()
        sock.settimeout(timeout)
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.bind((f"127.{random.randrange(1, 200)}.{random.randrange(256)}.{random.randrange(1, 255)}", 0))
        try:
            sock.connect(("127.0.0.1", self.server.ports[listener]))
        except BaseException:
            sock.close()
            raise
        return sock

    # Good ones

    def inbound(self):
        """Mail from outside, several messages over one connection."""
        with smtplib.SMTP(timeout=30, local_hostname="client.example") as smtp:
            smtp.connect("127.0.0.1", self.server.ports["smtp"], source_address=(f"127.9.{random.randrange(256)}.{random.randrange(1, 255)}", 0))
            for _ in range(3):
                account = random.choice(ACCOUNTS)[0]
                smtp.send_message(mailbox.message("a@other.example", account, mailbox.unique("soak")))
        return 3

    def submission(self):
        """Log-in and mail to elsewhere, which goes through the queue to the next hop."""
        address, password = ACCOUNTS[0]
        with mailbox.submission("localhost", self.server.ports["submission"], self.server.values["certificate"], address, password) as smtp:
            smtp.send_message(mailbox.message(address, "someone@elsewhere.example", mailbox.unique("out")))
        return 1

    def reader(self):
        """A mail program: looks, reads, searches, and keeps the mailbox small."""
        with mailbox.imap("localhost", self.server.ports["imaps"], self.server.values["certificate"], *ACCOUNTS[1]) as client:
            mailbox.ok(client.append("INBOX", None, None, f"Subject: kept\r\n\r\n{self.payload}\r\n".encode()))
            mailbox.ok(client.select())
            mailbox.ok(client.search(None, 'HEADER Subject "soak"'))
            mailbox.ok(client.fetch("1:*", "(FLAGS ENVELOPE BODYSTRUCTURE BODY.PEEK[])"))
            if int(mailbox.ok(client.select())[0]) > 60:
                mailbox.ok(client.store("1:40", "+FLAGS.SILENT", "(\\Deleted)"))
                client.expunge()
        return 1

    # Bad ones

    def garbage(self):
        """Anything, at any port; gone without a word, half of the time by a reset."""
        with self.connect(random.choice(["smtp", "submission", "submissions", "imap", "imaps"])) as sock:
            for _ in range(random.randrange(1, 4)):
                self.quietly(sock.sendall, random.choice(GARBAGE))
            if random.random() < 0.5:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return 1

    def broken_off(self):
        """A message that ends in the middle, after its header, its RCPT, or in its body."""
        script = f"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<{ACCOUNTS[0][0]}>\r\nDATA\r\nSubject: x\r\n\r\n".encode() + b"body\r\n" * 50_000
        with self.connect("smtp") as sock:
            self.quietly(sock.sendall, script[:random.choice([30, 60, 90, 2000, 300_000])])
        return 1

    def guesser(self):
        """Wrong passwords."""
        with self.connect("submissions") as plain, self.context.wrap_socket(plain, server_hostname="localhost") as sock:
            guess = base64.b64encode(f"\0{random.choice(ACCOUNTS)[0]}\0x".encode())
            self.quietly(sock.sendall, b"EHLO x\r\nAUTH PLAIN " + guess + b"\r\n")
            self.quietly(sock.recv, 4096)
        return 1

    def abandoned(self):
        """Connections opened and left, a hundred at a time."""
        held = []
        try:
            for _ in range(100):
                held.append(self.connect(random.choice(["smtp", "smtp", "submissions", "imap"]), 5))
        except OSError:
            pass
        finally:
            for sock in held:
                sock.close()
        return len(held)

    # Slow ones

    def slow_sender(self):
        """A few octets of a message, now and then."""
        with self.connect("smtp") as sock:
            self.quietly(sock.sendall, f"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<{ACCOUNTS[0][0]}>\r\nDATA\r\n".encode())
            for _ in range(10):
                if not self.quietly(sock.sendall, b"Subject: slow\r\n"):
                    break
                time.sleep(0.3)
        return 1

    def slow_reader(self):
        """Asks for far more than it reads."""
        with self.connect("smtp", 3, 2048) as sock:
            self.quietly(sock.sendall, b"EHLO x\r\n" + b"HELP\r\n" * 20_000)
            for _ in range(10):
                self.quietly(sock.recv, 64)
                time.sleep(0.2)
        return 1

    def never_reads(self):
        """An IMAP client that has whole mailboxes sent and reads none of it."""
        with self.connect("imaps", 3, 2048) as plain, self.context.wrap_socket(plain, server_hostname="localhost") as sock:
            self.quietly(sock.sendall, f'a LOGIN {ACCOUNTS[1][0]} "{ACCOUNTS[1][1]}"\r\nb SELECT INBOX\r\n'.encode())
            self.quietly(sock.sendall, b"c UID FETCH 1:* BODY.PEEK[]\r\n" * 200)
            time.sleep(2.5)
        return 1

    @staticmethod
    def quietly(call, *arguments):
        """Whether the server was still there."""
        try:
            call(*arguments)
            return True
        except OSError:
            return False

    GOOD = ("inbound", "inbound", "submission", "reader")
    OTHERS = ("garbage", "broken_off", "guesser", "slow_sender", "slow_sender", "slow_reader", "never_reads")

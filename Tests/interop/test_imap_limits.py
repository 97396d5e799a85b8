"""What clients may try against the IMAP server, and what it costs: bombs of literals, of nesting, of compression, names that
are paths, huge attachments, and many connections that idle."""

import os
import socket
import threading
import time
import unittest
import zlib

import gateway
import mailbox
from imapwire import Broken, Wire, tokens

USER, PASSWORD = gateway.ACCOUNTS[0]
# Another source address for each few connections: one client may have only so many.
PER_ADDRESS = 40


class Limits(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(gateway.Server())

    def connect(self, logged_in=True, source=None):
        server = self.server
        wire = Wire.__new__(Wire)
        plain = socket.create_connection(("127.0.0.1", server.ports["imaps"]), 30, source_address=(source, 0) if source else None)
        wire.socket = mailbox.tls(server.folder + "/cert.pem").wrap_socket(plain, server_hostname="localhost")
        wire.buffer = b""
        self.addCleanup(wire.close)
        wire.response()
        if logged_in:
            self.assertTrue(self.say(wire, f'LOGIN {USER} "{PASSWORD}"'.encode())[-1].startswith(b"t OK"))
        return wire

    def say(self, wire, command, tag=b"t"):
        """The first lines of the answers, the tagged one last."""
        wire.send(tag + b" " + command + b"\r\n")
        out = []
        while True:
            out.append(wire.response()[0])
            if out[-1].startswith(tag + b" ") or out[-1].startswith(b"+ "):
                return out

    def memory(self, field="RssAnon"):
        """KiB that the server has for itself."""
        with open(f"/proc/{self.server.process.process.pid}/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith(field + ":"))

    def peak(self):
        """Begins to watch the server's own memory; gives a function that ends it and tells how far it grew, in KiB."""
        before, most, over = self.memory(), [0], threading.Event()

        def watch():
            while not over.wait(0.005):
                most[0] = max(most[0], self.memory())
        thread = threading.Thread(target=watch, daemon=True)
        thread.start()

        def end():
            over.set()
            thread.join()
            return most[0] - before
        return end

    def assert_alive(self):
        self.assertTrue(self.say(self.connect(), b"NOOP")[-1].startswith(b"t OK"))

    # -- bombs

    def test_literal_bombs(self):
        end = self.peak()
        for logged_in in (False, True):
            wire = self.connect(logged_in)
            command = b"SELECT" if logged_in else b"LOGIN"
            # A client that asks is refused, and the connection goes on.
            self.assertRegex(self.say(wire, command + b" {4294967295}")[-1], rb"^t (NO|BAD)")
            self.assertRegex(self.say(wire, command + b" {100000000000000000000}")[-1], rb"^t (NO|BAD)")
            self.assertTrue(self.say(wire, b"NOOP")[-1].startswith(b"t OK"))
            # One that does not ask cannot be followed for gigabytes.
            wire.send(b"u " + command + b" {4294967295+}\r\n")
            self.assertRegex(wire.response()[0], rb"^u (NO|BAD)")
            self.assertTrue(wire.response()[0].startswith(b"* BYE"))
        wire = self.connect()
        self.assertRegex(self.say(wire, b"APPEND INBOX {4294967295}")[-1], rb"^t NO \[TOOBIG\]")
        # Many small literals in one command are one command's octets.
        wire.send(b"v SEARCH" + b" {30000+}\r\n" .join([b" TEXT"] + [b"x" * 30000 + b" TEXT"] * 3) + b" x\r\n")
        self.assertRegex(wire.response()[0], rb"^(v|\*) (NO|BAD|BYE)")
        self.assertLess(end(), 20_000)
        self.assert_alive()

    def test_a_line_without_end(self):
        end = self.peak()
        wire = self.connect(False)
        try:
            for _ in range(2000):
                wire.send(b"x" * 10_000)
        except OSError:
            pass
        with self.assertRaises((Broken, OSError)):
            while True:
                wire.response()
        self.assertLess(end(), 10_000)
        self.assert_alive()

    def test_nesting_bombs(self):
        wire = self.connect()
        self.say(wire, b"SELECT INBOX")
        self.assertTrue(self.say(wire, b"SEARCH " + b"(" * 20_000 + b"ALL" + b")" * 20_000)[-1].startswith(b"t BAD"))
        self.assertTrue(self.say(wire, b"SEARCH " + b"NOT " * 10_000 + b"ALL")[-1].startswith(b"t BAD"))
        self.assertTrue(self.say(wire, b"FETCH 1 BODY[" + b".".join([b"1"] * 5000) + b"]")[-1].startswith(b"t BAD"))
        # A message of multiparts in multiparts, and one of messages in messages.
        parts = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(5000))
        messages = b"Content-Type: message/rfc822\r\n\r\n" * 5000
        for text in (parts + b"\r\nx\r\n", messages + b"x\r\n", b"From: " + b"(" * 100_000 + b" a@b.example\r\n\r\n", b"To: " + b"a:" * 50_000 + b"\r\n\r\nx\r\n"):
            wire.send(b"a APPEND INBOX {%d+}\r\n" % len(text) + text + b"\r\n")
            while not (line := wire.response()[0]).startswith(b"a "):
                pass
            self.assertTrue(line.startswith(b"a OK"), line)
        end = self.peak()
        self.assertTrue(self.say(wire, b"FETCH 1:* (ENVELOPE BODYSTRUCTURE PREVIEW BODY.PEEK[1.1.1.1.1.1.1.1] RFC822.SIZE)")[-1].startswith(b"t OK"))
        self.assertTrue(self.say(wire, b"SEARCH TEXT nothing FROM nobody")[-1].startswith(b"t OK"))
        self.assertTrue(self.say(wire, b"THREAD REFERENCES UTF-8 ALL")[-1].startswith(b"t OK"))
        self.assertLess(end(), 30_000)

    def test_decompression_bomb(self):
        """A few kilobytes that stand for a gigabyte of one line."""
        wire = self.connect()
        self.assertTrue(self.say(wire, b"COMPRESS DEFLATE")[-1].startswith(b"t OK"))
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        bomb = b"".join(packer.compress(b"x" * (1 << 20)) for _ in range(256)) + packer.flush(zlib.Z_SYNC_FLUSH)
        end, began = self.peak(), time.monotonic()
        try:
            wire.send(bomb)
            while True:
                wire.fill()
        except (Broken, OSError):
            pass
        self.assertLess(time.monotonic() - began, 20)
        self.assertLess(end(), 20_000)
        wire = self.connect()
        self.say(wire, b"COMPRESS DEFLATE")
        # What is no deflate stream ends the connection.
        wire.send(b"\xff" * 100)
        with self.assertRaises((Broken, OSError)):
            while True:
                wire.fill()
        self.assert_alive()

    # -- names

    def test_names_that_are_paths(self):
        wire = self.connect()
        before = self.files_outside()
        for name in (b"../x", b"..", b".", b"a/../../../x", b"/etc/passwd", b"a//b", b"INBOX/../../x", b".hidden", b"a/.b", b"~root", b"%2e%2e/x",
                     b"a\x7fb", b"x" * 300, b"a/" * 200 + b"a", b"&AC8-etc", b"..&AC8-x", b"&AAA-", b"a\\..\\b", b"dovecot-uidlist", b"cur", b"new/x", b"tmp"):
            quoted = b'"' + name.replace(b"\\", b"\\\\") + b'"'
            for command in (b"CREATE ", b"SELECT ", b"STATUS %s (MESSAGES)", b"SUBSCRIBE ", b"DELETE ", b"RENAME Sent ", b"RENAME %s y", b"GETMETADATA %s /private/comment"):
                line = command.replace(b"%s", quoted) if b"%s" in command else command + quoted
                answer = self.say(wire, line)[-1]
                self.assertRegex(answer, rb"^t (OK|NO|BAD) ", line)
                if command == b"RENAME Sent " and answer.startswith(b"t OK"):
                    self.say(wire, b"RENAME " + quoted + b" Sent")
            wire.send(b"a APPEND " + quoted + b" {3+}\r\nabc\r\n")
            self.assertRegex(wire.response()[0], rb"^a (OK|NO|BAD) ")
        self.assertEqual(before, self.files_outside())
        self.assert_alive()

    def files_outside(self):
        """Every path under the server's folder that is not in a maildir of the account."""
        own = os.path.join("mail", USER, "Maildir")
        out = set()
        for folder, _, files in os.walk(self.server.folder):
            if own not in folder:
                out.update(os.path.join(folder, name) for name in files if not name.endswith(("-wal", "-shm", "output.txt")))
        return out

    # -- sizes

    def test_a_large_attachment_streams(self):
        wire = self.connect()
        self.say(wire, b"CREATE Large")
        line = b"x" * 76 + b"\r\n"
        attachment = line * (48_000_000 // len(line))
        text = (b'Subject: large\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nhello\r\n--b\r\n'
                b"Content-Type: application/octet-stream\r\n\r\n" + attachment + b"--b--\r\n")
        end = self.peak()
        wire.send(b"a APPEND Large {%d+}\r\n" % len(text) + text + b"\r\n")
        self.assertTrue(wire.response()[0].startswith(b"a OK"))
        grew = {"APPEND": end()}
        self.say(wire, b"SELECT Large")
        for item in (b"BODY.PEEK[]", b"BODY.PEEK[2]", b"BODYSTRUCTURE", b"BODY.PEEK[2]<20000000.1000>", b"BINARY.SIZE[2]"):
            end = self.peak()
            wire.send(b"f FETCH 1 (" + item + b")\r\n")
            answer = wire.response()
            if item == b"BODY.PEEK[2]":
                self.assertEqual(tokens([answer[0][2:], *answer[1:]])[2][1], attachment[:-2])
            self.assertTrue(wire.response()[0].startswith(b"f OK"))
            grew[item.decode()] = end()
        print(", ".join(f"{name}: {size} KiB" for name, size in grew.items()), end=" ")
        self.assertLess(max(grew.values()), 16_000, grew)

    def test_idle_connections_cost_little(self):
        for n in range(20):
            self.idle(n)
        time.sleep(1)
        before = self.memory("VmRSS")
        count = 300
        for n in range(count):
            self.idle(n + 20)
        time.sleep(1)
        each = (self.memory("VmRSS") - before) / count
        print(f"{each:.1f} KiB each", end=" ")
        self.assertLess(each, 50)

    def test_a_client_has_so_many_connections(self):
        with gateway.Server(extra="imap_client_connection_limit = 3\nimap_connection_limit = 5") as server:
            def greeted(source):
                client = socket.create_connection(("127.0.0.1", server.ports["imap"]), 10, source_address=(source, 0))
                self.addCleanup(client.close)
                return client.recv(4096).startswith(b"* OK")
            self.assertEqual([greeted("127.0.0.2") for _ in range(4)], [True, True, True, False])
            self.assertEqual([greeted("127.0.0.3") for _ in range(3)], [True, True, False])

    def idle(self, number):
        wire = self.connect(source=f"127.0.1.{1 + number // PER_ADDRESS}")
        self.say(wire, b"SELECT INBOX")
        self.assertTrue(self.say(wire, b"IDLE")[-1].startswith(b"+ "))

"""What people do who mean harm: nothing here may crash the server, hang it, be relayed, or be smuggled past it."""

import base64
import contextlib
import glob
import imaplib
import itertools
import os
import re
import socket
import ssl
import subprocess
import threading
import time
import unittest
import zlib

import gateway
import mailbox
from gateway import ACCOUNTS
from lines import Lines

ALICE, BOB = ACCOUNTS[0][0], ACCOUNTS[1][0]


class Hostile(unittest.TestCase):
    """After each test the server is there, answers others at once, has not grown, and has relayed nothing."""

    extra = ""

    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(gateway.Server(size_limit=5_000_000, extra=cls.extra))
        cls.before = cls.memory()

    @classmethod
    def memory(cls):
        with open(f"/proc/{cls.server.process.process.pid}/status") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1])

    def tearDown(self):
        self.assertIsNone(self.server.process.process.poll(), self.server.process.output())
        begun = time.monotonic()
        with self.lines() as other:
            self.assertTrue(other.ask("EHLO still.example").startswith(b"250"))
        self.assertLess(time.monotonic() - begun, 10, "others wait")
        self.assertLess(self.memory() - self.before, 96 * 1024, "the server grew by 96 MiB")
        self.assertEqual(self.queued(), [], "something was relayed")

    def lines(self, listener="smtp"):
        return Lines(self.server.ports[listener])

    def queued(self):
        """Queue files: everything that is for another server waits there, since the relay host does not answer."""
        return [path for path in glob.glob(os.path.join(self.server.data_dir, "queue", "**", "*"), recursive=True)
                if os.path.isfile(path) and not path.endswith(("lock", ".json")) and os.path.getsize(path)]

    def stored(self, account=ALICE):
        """The octets of every message in an account's folders."""
        out = []
        for path in glob.glob(os.path.join(self.server.data_dir, "**", "new", "*"), recursive=True) + \
                glob.glob(os.path.join(self.server.data_dir, "**", "cur", "*"), recursive=True):
            with open(path, "rb") as file:
                out.append(file.read())
        return out

    def transaction(self, smtp, recipient=ALICE):
        for line in ("EHLO client.example", "MAIL FROM:<a@other.example>", f"RCPT TO:<{recipient}>"):
            self.assertRegex(smtp.ask(line), rb"^250")


class Smuggling(Hostile):
    """Another server may see the end of a message where we see none, or the other way: so what is ambiguous is refused."""

    ENDS = ("\r\n", "\n", "\r", "\r\r\n", "\n\r", "\r\n\0", "\0\r\n", "\x85", "\u2028")

    def test_every_mix_of_line_ends_around_a_dot(self):
        for before, after in itertools.product(self.ENDS, self.ENDS):
            if "\r\n.\r\n" in f"{before}.{after}":
                continue  # that is the end, by every reading
            mark = mailbox.unique("smuggled")
            content = (f"Subject: cover\r\n\r\ncover{before}.{after}MAIL FROM:<evil@{BOB.partition('@')[2]}>\r\nRCPT TO:<{BOB}>\r\nDATA\r\n"
                       f"Subject: {mark}\r\n\r\nsmuggled\r\n").encode()
            with self.subTest(before=before, after=after), self.lines() as smtp:
                self.transaction(smtp)
                self.assertRegex(smtp.ask("DATA"), rb"^354")
                smtp.send(content + b".\r\n")
                # One reply to one message, refused or taken whole; behind a refusal the server may hang up.
                self.one_reply(smtp)
                self.check(mark)

    def test_every_mix_of_line_ends_in_a_chunk(self):
        for before, after in itertools.product(self.ENDS, self.ENDS):
            mark = mailbox.unique("smuggled")
            content = (f"Subject: cover\r\n\r\ncover{before}.{after}RSET\r\nMAIL FROM:<evil@other.example>\r\nRCPT TO:<{BOB}>\r\nDATA\r\n"
                       f"Subject: {mark}\r\n\r\nsmuggled\r\n").encode()
            with self.subTest(before=before, after=after), self.lines() as smtp:
                self.transaction(smtp)
                smtp.send(b"BDAT %d LAST\r\n" % len(content) + content)
                self.one_reply(smtp)
                self.check(mark)

    def test_a_chunk_that_ends_within_a_line_end(self):
        for pieces in ((b"Subject: x\r\n\r\na\r", b"\nb\r\n"), (b"Subject: x\r\n\r\na\r\n.", b"\r\n"), (b"Subject: x\r\n\r\na\r", b"b\r\n")):
            with self.subTest(pieces), self.lines() as smtp:
                self.transaction(smtp)
                for index, piece in enumerate(pieces):
                    smtp.send(b"BDAT %d%s\r\n" % (len(piece), b" LAST" if index == len(pieces) - 1 else b"") + piece)
                replies = [smtp.reply()[:1] for _ in pieces]
                self.assertEqual(replies[-1], b"5" if pieces[1] == b"b\r\n" else b"2")

    def one_reply(self, smtp):
        first, second = smtp.reply(), smtp.ask("VRFY x")
        self.assertRegex(first, rb"^(250|5\d\d) ")
        self.assertRegex(second, rb"^252 " if first.startswith(b"250") else rb"^(252 |$)", f"more than one reply: {first} {second}")

    def check(self, mark):
        for content in self.stored():
            subject = re.match(rb"(?s).*?\r?\n\r?\n", content)[0]
            self.assertNotIn(mark.encode(), subject, "a message within a message was taken for one")


class Relaying(Hostile):
    """Every known way of asking an open relay (RFC 5321 §3.6.1, Appendix C, and what old sendmails took)."""

    def test_no_spelling_of_a_foreign_address_is_taken(self):
        home = ALICE.partition("@")[2]
        for address in ("victim@elsewhere.example", "victim%elsewhere.example@" + home, "victim%elsewhere.example", "elsewhere.example!victim@" + home,
                        "elsewhere.example!victim", f"@{home}:victim@elsewhere.example", f"@{home},@x.example:victim@elsewhere.example",
                        '"victim@elsewhere.example"@' + home, '"victim%elsewhere.example"@' + home, '"victim@elsewhere.example"',
                        "victim@elsewhere.example@" + home, f"{ALICE}@elsewhere.example", f"{ALICE},victim@elsewhere.example",
                        "victim@[127.0.0.1]", "victim@[IPv6:::1]", "victim@elsewhere.example.", "victim@localhost", "victim@mail.local.example",
                        "victim@" + home, "victim@ELSEWHERE.EXAMPLE", "victim@" + home + ".", "victim@." + home, "victim@x." + home, "victim@*",
                        ALICE.replace("@", "\\@") + "@elsewhere.example", "@elsewhere.example", f'"{ALICE}"@elsewhere.example', "alice@ｌocal.example",
                        f"{ALICE}\0@elsewhere.example", f"victim@elsewhere.example\0@{home}", f"victim@elsewhere.example {ALICE}"):
            with self.subTest(address), self.lines() as smtp:
                smtp.ask("EHLO client.example")
                self.assertRegex(smtp.ask("MAIL FROM:<a@other.example> SMTPUTF8"), rb"^250")
                self.assertRegex(smtp.ask(f"RCPT TO:<{address}>".encode() + b"\r\n"), rb"^5\d\d ")
                self.assertRegex(smtp.ask("DATA"), rb"^(503|554) ")

    def test_two_paths_in_one_command(self):
        for line in (f"RCPT TO:<{ALICE}> <victim@elsewhere.example>", f"RCPT TO:<{ALICE}><victim@elsewhere.example>", f"RCPT TO:<{ALICE}>,<victim@elsewhere.example>"):
            with self.subTest(line), self.lines() as smtp:
                smtp.ask("EHLO client.example")
                smtp.ask("MAIL FROM:<a@other.example>")
                self.assertRegex(smtp.ask(line), rb"^5\d\d ")

    def test_our_own_domain_as_the_sender_helps_nobody(self):
        with self.lines() as smtp:
            smtp.ask("EHLO mail.local.example")
            smtp.ask(f"MAIL FROM:<{ALICE}>")
            self.assertRegex(smtp.ask("RCPT TO:<victim@elsewhere.example>"), rb"^5\d\d ")
            smtp.ask("RSET")
            smtp.ask("MAIL FROM:<>")
            self.assertRegex(smtp.ask("RCPT TO:<victim@elsewhere.example>"), rb"^5\d\d ")


class Floods(Hostile):
    def test_ten_thousand_commands_at_once(self):
        for listener, first, line in (("smtp", b"EHLO x\r\n", b"NOOP\r\n"), ("smtp", b"EHLO x\r\nMAIL FROM:<a@b.example>\r\n", f"RCPT TO:<{ALICE}>\r\n".encode()),
                                      ("smtp", b"", b"VRFY x\r\n"), ("imap", b"", b"a NOOP\r\n"), ("imap", b"", b"a LOGIN x y\r\n")):
            with self.subTest(line), self.lines(listener) if listener == "smtp" else socket.create_connection(("127.0.0.1", self.server.ports[listener]), 30) as peer:
                sock = peer.sock if listener == "smtp" else peer
                sock.settimeout(20)
                self.pour(sock, first + line * 10_000)

    def pour(self, sock, octets):
        """Writes without reading first, then reads to the end or until nothing comes."""
        def write():
            self.send(sock, octets)
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_WR)

        writer = threading.Thread(target=write)
        writer.start()
        deadline = time.monotonic() + 15
        try:
            while time.monotonic() < deadline and sock.recv(1 << 16):
                pass
        except (ConnectionResetError, TimeoutError):
            pass
        finally:
            sock.close()
        writer.join(30)
        self.assertFalse(writer.is_alive(), "the server neither reads nor hangs up")

    @staticmethod
    def send(sock, octets):
        try:
            sock.sendall(octets)
        except OSError:
            pass

    def test_a_client_that_sends_and_never_reads(self):
        for listener, octets in (("smtp", b"EHLO x\r\n" + b"HELP\r\n" * 200_000), ("imap", b"a CAPABILITY\r\n" * 200_000)):
            with self.subTest(listener), socket.create_connection(("127.0.0.1", self.server.ports[listener]), 30) as sock:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                sock.settimeout(3)
                self.send(sock, octets)
                with self.lines() as other:
                    self.assertTrue(other.ask("EHLO other.example").startswith(b"250"))

    def test_headers(self):
        fields = {"many": b"X: y\r\n" * 100_000, "long": b"X: " + b"y" * 900_000 + b"\r\n", "folded": b"X: y\r\n" + b" z\r\n" * 200_000,
                  "too large": b"X: y\r\n" * 300_000, "received": b"Received: from a by b; x\r\n" * 2000, "from": b"From: " + b"a@b.example, " * 50_000 + b"c@d\r\n",
                  "comments": b"From: " + b"(" * 400_000 + b"\r\n", "quotes": b'Subject: ' + b'=?utf-8?q?a' * 60_000 + b"\r\n",
                  "results": b"Authentication-Results: " + b"x;a=b" * 100_000 + b"\r\n", "signatures": b"DKIM-Signature: v=1; a=rsa-sha256; d=x.example; s=y; h=from; bh=x; b=y\r\n" * 5000,
                  "null": b"From: a\0b@c.example\r\nSubject: \0\0\r\n", "no colon": b"nothing\r\n"}
        for name, block in fields.items():
            with self.subTest(name), self.lines() as smtp:
                self.transaction(smtp)
                smtp.ask("DATA")
                begun = time.monotonic()
                smtp.send(block + b"\r\nbody\r\n.\r\n")
                self.assertRegex(smtp.reply(), rb"^(250|5\d\d) ")
                self.assertLess(time.monotonic() - begun, 15)

    def test_log_ins(self):
        """One guesser is slowed down; others log in meanwhile, and nobody is told whether an account is there."""
        context = mailbox.tls(self.server.values["certificate"])
        replies = set()
        for guess in range(3):
            with socket.create_connection(("localhost", self.server.ports["submissions"]), 60) as plain, \
                    context.wrap_socket(plain, server_hostname="localhost") as sock:
                smtp = Lines.over(sock)
                smtp.reply()
                smtp.ask("EHLO x")
                for user in (BOB, f"nobody{guess}@local.example"):
                    replies.add(smtp.ask("AUTH PLAIN " + base64.b64encode(f"\0{user}\0wrong{guess}".encode()).decode()))
        self.assertEqual({reply[:9] for reply in replies if reply} - {b"535 5.7.8"} - {b"421 4.7.0"} - {b"454 4.7.0"}, set(), replies)


class Bombs(Hostile):
    def deliver(self, content, account=ALICE):
        with self.lines() as smtp:
            self.transaction(smtp, account)
            smtp.ask("DATA")
            smtp.send(content + b".\r\n")
            return smtp.reply()

    def login(self):
        return mailbox.imap("localhost", self.server.ports["imaps"], self.server.values["certificate"], *ACCOUNTS[0])

    def test_nested_mime(self):
        """A thousand levels, and a thousand boundaries at one: taken as mail, and described in bounded time."""
        levels = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(1000))
        forwarded = b"Content-Type: message/rfc822\r\n\r\n" * 3000
        wide = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + b"--x\r\n\r\na\r\n" * 30_000
        for name, content in (("levels", levels), ("forwarded", forwarded), ("wide", wide)):
            with self.subTest(name):
                subject = mailbox.unique(name)
                self.assertRegex(self.deliver(b"Subject: " + subject.encode() + b"\r\nMIME-Version: 1.0\r\n" + content + b"\r\nend\r\n"), rb"^250")
                with self.login() as client:
                    begun = time.monotonic()
                    uid, octets = mailbox.fetch(client, subject)
                    self.assertTrue(mailbox.ok(client.uid("FETCH", uid, "(BODYSTRUCTURE ENVELOPE PREVIEW)")))
                    mailbox.ok(client.uid("FETCH", uid, "(BODY.PEEK[1.1.1.1.1.1.1.1.1.1])"))
                    self.assertLess(time.monotonic() - begun, 20)

    def test_literals_before_log_in(self):
        """Nobody who has not logged in makes the server keep more than a command."""
        for line in (b"a LOGIN {4294967295+}\r\n", b"a LOGIN {99999999999999999999}\r\n", b"a LOGIN {1000000000}\r\n", b"a LOGIN {-1}\r\n", b"a LOGIN {32769}\r\n",
                     b"a LOGIN {32769+}\r\n" + b"x" * 32769 + b"\r\n", b"a APPEND INBOX {50000000}\r\n", b"a LOGIN " + b"{0+}\r\n " * 20_000 + b"\r\n"):
            with self.subTest(line[:40]), socket.create_connection(("127.0.0.1", self.server.ports["imap"]), 30) as sock:
                sock.settimeout(10)
                sock.recv(4096)
                Floods.send(sock, line)
                answer = sock.recv(4096)
                self.assertRegex(answer, rb"(?i)^(a (BAD|NO)|\* (BAD|BYE))", answer)

    def test_many_connections_with_half_a_literal(self):
        held = []
        try:
            for _ in range(100):
                sock = socket.create_connection(("127.0.0.1", self.server.ports["imap"]), 30)
                sock.sendall(b"a LOGIN {32000+}\r\n" + b"x" * 31_000)
                held.append(sock)
            with self.login() as client:
                mailbox.ok(client.noop())
        finally:
            for sock in held:
                sock.close()

    def test_compressed_zeros(self):
        """Three hundred megabytes in three hundred kilobytes: read a piece at a time, as one endless line, and hung up on."""
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        bomb = b"".join(packer.compress(b"\0" * (1 << 20)) for _ in range(300)) + packer.flush(zlib.Z_SYNC_FLUSH)
        context = mailbox.tls(self.server.values["certificate"])
        with socket.create_connection(("localhost", self.server.ports["imaps"]), 30) as plain, context.wrap_socket(plain, server_hostname="localhost") as sock:
            sock.settimeout(20)
            stream = sock.makefile("rb")
            stream.readline()
            sock.sendall(f'a LOGIN {ALICE} "{ACCOUNTS[0][1]}"\r\n'.encode())
            while not stream.readline().startswith(b"a "):
                pass
            sock.sendall(b"b COMPRESS DEFLATE\r\n")
            self.assertRegex(stream.readline(), rb"^b OK")
            try:
                sock.sendall(bomb)
                while sock.recv(4096):
                    pass
            except (OSError, ssl.SSLError):
                pass  # hung up on
        self.assertLess(self.memory() - self.before, 64 * 1024)

    def test_nulls_everywhere(self):
        with self.lines() as smtp:
            self.assertRegex(smtp.ask(b"EHLO \0x\r\n"), rb"^5\d\d ")
            self.assertRegex(smtp.ask(b"\0\0\0\r\n"), rb"^5\d\d ")
            smtp.ask("EHLO x")
            self.assertRegex(smtp.ask(b"MAIL FROM:<a\0b@c.example>\r\n"), rb"^5\d\d ")
            self.assertRegex(smtp.ask(b'MAIL FROM:<"a\0"@c.example>\r\n'), rb"^5\d\d ")
            self.assertRegex(smtp.ask(b"MAIL FROM:<a@c.example>\0\r\n"), rb"^5\d\d ")
        self.assertRegex(self.deliver(b"Subject: \0\r\n\0: x\r\n\r\na\0b\r\n\0\r\n"), rb"^(250|5\d\d) ")
        with socket.create_connection(("127.0.0.1", self.server.ports["imap"]), 30) as sock:
            sock.settimeout(10)
            sock.recv(4096)
            for line in (b"\0 NOOP\r\n", b"a NOOP\0\r\n", b"a LOGIN \"x\0\" y\r\n", b"a LOGIN {3+}\r\nx\0y z\r\n"):
                sock.sendall(line)
                self.assertRegex(sock.recv(4096), rb"^(\S+ (BAD|NO)|\* BAD)")


class Paths(Hostile):
    """Names that would leave the mailbox: of folders, of accounts, of recipients' details."""

    def outside(self):
        """Everything below the server's folder that is not the data directory, and what stands beside it."""
        return sorted(os.listdir(self.server.folder)) + sorted(os.listdir(os.path.dirname(self.server.data_dir)))

    def test_folders(self):
        before = self.outside()
        with mailbox.imap("localhost", self.server.ports["imaps"], self.server.values["certificate"], *ACCOUNTS[0]) as client:
            for name in ("../evil", "../../evil", "a/../../evil", "/etc/evil", "..", ".", "a/./b", "INBOX/../../evil", "&AC8-etc", "&AC4AQg-", "a//b", "a/", "~bob",
                         "x" * 300, "&AAA-", "&2AA-", "a\\b/../..", "new", "cur", "tmp", "dovecot-uidlist", "a/new", "INBOX.evil", "%2e%2e", "*", "CON"):
                with self.subTest(name):
                    quoted = '"' + name.replace("\\", "\\\\") + '"'
                    for command in (lambda: client.create(quoted), lambda: client.rename('"new"', quoted), lambda: client.subscribe(quoted),
                                    lambda: client.select(quoted), lambda: client.delete(quoted)):
                        with contextlib.suppress(imaplib.IMAP4.error):  # BAD
                            self.assertIn(command()[0], ("OK", "NO"))
            self.assertIn(b"INBOX", b"".join(line for line in mailbox.ok(client.list()) if line))
        self.assertEqual(self.outside(), before)
        for folder, names, _ in os.walk(self.server.data_dir):
            self.assertFalse([name for name in names if "evil" in name and ".." in name], folder)
        self.assertFalse(glob.glob(os.path.join(self.server.folder, "**", "evil*"), recursive=True))

    def test_accounts(self):
        before = self.outside()
        for name in ("../x@local.example", "..@local.example", "a/b@local.example", '"../../x"@local.example', '"a\\0"@local.example', "x@../local.example", ".@local.example", "x@"):
            with self.subTest(name):
                done = subprocess.run([gateway.binary("postern"), "account", "add", "--config", self.server.config, name], input="secret\n",
                                      text=True, capture_output=True, timeout=60)
                self.assertGreaterEqual(done.returncode, 0, done.stderr)
                if done.returncode == 0:
                    with self.lines() as smtp:
                        self.transaction(smtp, name)
                        smtp.ask("DATA")
                        smtp.send(b"Subject: x\r\n\r\nx\r\n.\r\n")
                        smtp.reply()
        self.assertEqual(self.outside(), before)

    def test_details(self):
        before = self.outside()
        for detail in ("../../evil", "%2e%2e/evil", "/../new", "new/x"):
            with self.subTest(detail), self.lines() as smtp:
                self.transaction(smtp, '"' + ALICE.replace("@", f'+{detail}"@'))
                smtp.ask("DATA")
                smtp.send(b"Subject: x\r\n\r\nx\r\n.\r\n")
                self.assertRegex(smtp.reply(), rb"^250")
        self.assertEqual(self.outside(), before)


class Loris(Hostile):
    extra = "smtpd_timeout = 3\nsmtpd_client_connection_count_limit = 400\n"

    def test_slow_senders_are_dropped_and_hold_up_nobody(self):
        held = [socket.create_connection(("127.0.0.1", self.server.ports["smtp"]), 30) for _ in range(150)]
        try:
            for index, sock in enumerate(held):
                sock.settimeout(0.01)
                if index % 2:
                    self.send(sock, f"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<{ALICE}>\r\nDATA\r\n".encode())
            ended = set()
            deadline = time.monotonic() + 25
            while len(ended) < len(held) and time.monotonic() < deadline:
                for index, sock in enumerate(held):
                    if index not in ended and not self.drip(sock):
                        ended.add(index)
                with self.lines() as other:
                    self.assertTrue(other.ask("EHLO other.example").startswith(b"250"))
                time.sleep(0.5)
            self.assertEqual(len(ended), len(held), "slow senders are still there")
        finally:
            for sock in held:
                sock.close()

    @staticmethod
    def send(sock, octets):
        try:
            sock.sendall(octets)
        except OSError:
            pass

    @staticmethod
    def drip(sock):
        """One octet in, whatever came out; whether the connection stands."""
        try:
            sock.sendall(b"x")
            while True:
                if not sock.recv(4096):
                    return False
        except TimeoutError:
            return True
        except OSError:
            return False


class SilentDNS(Hostile):
    """Name servers that take every question and answer none: mail is judged without them, in bounded time."""

    @classmethod
    def setUpClass(cls):
        cls.hole = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        cls.hole.bind(("127.0.0.1", 0))
        cls.addClassCleanup(cls.hole.close)
        forwarder = f'forwarders = ["127.0.0.1@{cls.hole.getsockname()[1]}"]\ntimeout = "2s"'

        class Server(gateway.Server):
            def add_accounts(self):
                with open(self.config) as file:
                    text = file.read()
                with open(self.config, "w") as file:
                    file.write(text.replace("offline = true", forwarder))
                super().add_accounts()

        cls.server = cls.enterClassContext(Server(size_limit=5_000_000))
        cls.before = cls.memory()

    def test_forty_messages_at_once(self):
        replies, begun = [], time.monotonic()

        def send(number):
            with self.lines() as smtp:
                for line in (f"EHLO host{number}.silent.example", f"MAIL FROM:<a@from{number}.silent.example>", f"RCPT TO:<{ALICE}>", "DATA"):
                    smtp.ask(line)
                smtp.send(f"From: a@from{number}.silent.example\r\nSubject: x\r\nDKIM-Signature: v=1; a=rsa-sha256; d=d{number}.silent.example; s=s; h=from;\r\n"
                          f" bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=YWJj\r\n\r\n\r\n.\r\n".encode())
                replies.append(smtp.reply())

        threads = [threading.Thread(target=send, args=(number,)) for number in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(90)
        self.assertEqual({reply[:3] for reply in replies}, {b"250"}, replies)
        self.assertEqual(len(replies), 40)
        self.assertLess(time.monotonic() - begun, 45)


class Outgoing(Hostile):
    """What we send on has no line end that a careless receiver could take for another: here one that ends lines at any of them."""

    @classmethod
    def setUpClass(cls):
        cls.port = gateway.free_port()
        cls.heard = cls.enterClassContext(CarelessSink(cls.port))
        cls.server = cls.enterClassContext(gateway.Server(relay_port=cls.port, size_limit=5_000_000))
        cls.before = cls.memory()

    def queued(self):
        return []

    def test_a_local_message_with_every_kind_of_line_end(self):
        inner = "MAIL FROM:<evil@local.example>{0}RCPT TO:<smuggled@elsewhere.example>{0}DATA{0}Subject: smuggled{0}{0}x{0}.{0}"
        for number, (before, after) in enumerate(itertools.product(("\n", "\r", "\r\r", "\r\n\r", "\n\r"), repeat=2)):
            text = f"From: alice@local.example\nTo: someone@elsewhere.example\nSubject: cover {number}\n\ncover{before}.{after}" + inner.format(after)
            done = subprocess.run([gateway.binary("postern"), "sendmail", "-C", self.server.config, "-i", "someone@elsewhere.example"], input=text.encode(),
                                  capture_output=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stderr)
        gateway.wait_until(lambda: sum(b"Subject: cover" in line for line in self.heard.lines) >= 25, 60, lambda: f"{self.heard.lines[-20:]}")
        commands = [line for line in self.heard.commands if line.upper().startswith(b"RCPT")]
        self.assertTrue(commands)
        self.assertFalse([line for line in commands if b"smuggled" in line], "a receiver was made to see a second message")


class CarelessSink:
    """Takes every message; ends lines at CR, LF or both, and messages at a dot alone on such a line."""

    def __init__(self, port):
        self.port, self.lines, self.commands = port, [], []

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def serve(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(sock,), daemon=True).start()

    def talk(self, sock):
        with sock:
            sock.sendall(b"220 careless.example ESMTP\r\n")
            held, in_data = b"", False
            while piece := sock.recv(65536):
                held += piece
                # A CR at the very end waits for its LF.
                while match := re.match(rb"([^\r\n]*)(\r\n|\n|\r(?=[^\n]))", held):
                    line, held = match[1], held[match.end():]
                    self.lines.append(line)
                    if in_data:
                        if line == b".":
                            in_data = False
                            sock.sendall(b"250 2.0.0 Ok\r\n")
                        continue
                    self.commands.append(line)
                    in_data = line.upper() == b"DATA"
                    sock.sendall(b"354 go\r\n" if in_data else b"250 Ok\r\n")


class Secrets(Hostile):
    def test_nothing_in_the_data_directory_is_for_others(self):
        """Keys, secrets, databases, mail, sockets; but the folder where every user may drop mail."""
        subprocess.run([gateway.binary("postern"), "dkim", "new", "local.example", "--config", self.server.config], check=True, capture_output=True, timeout=60)
        subprocess.run([gateway.binary("postern"), "tag", "mint", "shop.example", "--for", ALICE, "--config", self.server.config], capture_output=True, timeout=60)
        with self.lines() as smtp:
            self.transaction(smtp)
            smtp.ask("DATA")
            smtp.send(b"Subject: x\r\n\r\nx\r\n.\r\n")
            self.assertRegex(smtp.reply(), rb"^250")
        kinds = set()
        for folder, folders, files in os.walk(self.server.data_dir):
            if os.path.basename(folder) == "maildrop":
                folders.clear()
                continue
            for name in files + folders:
                path = os.path.join(folder, name)
                mode = os.lstat(path).st_mode
                if name == "maildrop":
                    self.assertEqual(mode & 0o7777, 0o3733)
                    continue
                kinds.add(name.rpartition(".")[2])
                self.assertEqual(mode & 0o007, 0, f"{path} is open to others: {mode:o}")
        self.assertIn("sqlite", kinds)

    def test_files_of_secrets_that_others_can_read_are_refused(self):
        """Whoever copies one in from elsewhere is told."""
        with gateway.Server() as server:
            name = next(name for name in os.listdir(server.data_dir) if "mint" in name or "key" in name or "secret" in name)
            path = os.path.join(server.data_dir, name)
            server.process.stop()
            os.chmod(path, 0o644)
            status, output = gateway.run_to_end("serve", "--config", server.config)
            self.assertGreater(status, 0, output)
            self.assertIn(f"chmod o-rwx {path}", output)

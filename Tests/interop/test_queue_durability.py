"""What was acknowledged is never lost: kill -9 under load, a full disk, a read-only one, no DNS.

POSTERN_KILL_ROUNDS says how often the server is killed; a few times unless told otherwise.
"""

import os
import random
import re
import smtplib
import ssl
import subprocess
import threading
import time
import unittest
import unittest.mock

import gateway
import mailbox
from gateway import ACCOUNTS
from lines import Lines
from sink import Sink

ALICE, PASSWORD = ACCOUNTS[0]
REMOTE, REFUSED = "someone@elsewhere.example", "nobody@elsewhere.example"
ROUNDS = int(os.environ.get("POSTERN_KILL_ROUNDS", "3"))
CLIENTS = 4
# Of a queue file whose message met something.
TRIED = re.compile(rb'"attempts":[1-9]')


def files(*folders):
    """The contents of all files below, lines ending in LF as in mailboxes; one that goes meanwhile has been taken elsewhere."""
    for top in folders:
        for folder, _, names in os.walk(top):
            for name in names:
                try:
                    with open(os.path.join(folder, name), "rb") as file:
                        yield file.read().replace(b"\r\n", b"\n")
                except FileNotFoundError:
                    pass


class Kills(unittest.TestCase):
    """Clients that submit, a program that calls sendmail, a next hop that takes mail and refuses one recipient; and the axe."""

    class Server(gateway.Server):
        def start(self):
            # Ready is said at a level that is not logged here.
            self.process = gateway.Process(self.folder, "serve", "--config", self.config)
            self.process.wait_started(lambda: gateway.answers(self.ports["submission"]))

    def setUp(self):
        self.server = self.enterContext(self.Server(
            extra='minimal_backoff_time = "1s"\nmaximal_backoff_time = "2s"\naccount_recipient_limit = 0\nlog_level = "error"'))
        self.acknowledged = []
        self.lock = threading.Lock()
        self.isOver = False

    def test_acknowledged_is_delivered_queued_or_bounced(self):
        with Sink(self.server.values["relay_port"], refused=[REFUSED]) as sink:
            self.sink = sink
            workers = [threading.Thread(target=self.submit) for _ in range(CLIENTS)] + [threading.Thread(target=self.drop)]
            for worker in workers:
                worker.start()
            try:
                for number in range(ROUNDS):
                    before = len(self.acknowledged)
                    gateway.wait_until(lambda: len(self.acknowledged) >= before + 5, 120, self.server.process.output)
                    time.sleep(random.uniform(0, 0.5))
                    self.server.kill()
                    self.check(f"round {number + 1}")
                    self.server.start()
            finally:
                self.isOver = True
                for worker in workers:
                    worker.join()
            gateway.wait_until(self.is_drained, 180, lambda: f"still queued: {len(self.queued())}\n{self.server.process.output()}")
            self.check("the end")
            counts = [sink.count(subject) for subject, recipient in self.acknowledged if recipient == REMOTE]
            print(f"\n{ROUNDS} kills, {len(self.acknowledged)} recipients acknowledged, {len(counts)} for the next hop, "
                  f"{sum(count > 1 for count in counts)} of them handed over again", flush=True)
            # A kill between the next hop's 250 and its note repeats what was under way then, and nothing else.
            self.assertLessEqual(sum(max(count - 1, 0) for count in counts), ROUNDS * 20)

    def submit(self):
        context = ssl.create_default_context(cafile=self.server.values["certificate"])
        while not self.isOver:
            try:
                with smtplib.SMTP("localhost", self.server.ports["submission"], timeout=60) as client:
                    client.starttls(context=context)
                    client.login(ALICE, PASSWORD)
                    while not self.isOver:
                        subject = mailbox.unique("kill")
                        client.sendmail(ALICE, [ALICE, REMOTE, REFUSED], content(subject))
                        self.note(subject, ALICE, REMOTE, REFUSED)
            except (OSError, smtplib.SMTPException):
                time.sleep(0.1)

    def drop(self):
        while not self.isOver:
            subject = mailbox.unique("drop")
            done = subprocess.run([gateway.binary("postern"), "sendmail", "-C", self.server.config, "-f", ALICE, REMOTE, REFUSED],
                                  input=content(subject), capture_output=True, timeout=120)
            if done.returncode == 0:
                self.note(subject, REMOTE, REFUSED)

    def note(self, subject, *recipients):
        with self.lock:
            self.acknowledged += [(subject, recipient) for recipient in recipients]

    def queued(self):
        # What is empty is the queue's lock, or a file that a kill kept from being written.
        return list(filter(None, files(os.path.join(self.server.data_dir, "queue"), os.path.join(self.server.data_dir, "maildrop"))))

    def is_drained(self):
        return not self.queued()

    def check(self, when):
        """Everything is somewhere. The queue is looked into first: what leaves it is by then somewhere else."""
        with self.lock:
            acknowledged = list(self.acknowledged)
        waiting = b"\0".join(self.queued())
        stored = list(files(os.path.join(self.server.data_dir, "mail")))
        reports = b"\0".join(one for one in stored if b"Content-Type: multipart/report" in one)
        copies = b"\0".join(one for one in stored if b"Content-Type: multipart/report" not in one)
        delivered = b"\0".join(data.replace(b"\r\n", b"\n") for _, recipients, data in list(self.sink.messages) if any(REMOTE in one for one in recipients))
        places = {ALICE: copies, REMOTE: delivered, REFUSED: reports}
        lost = [(subject, recipient) for subject, recipient in acknowledged
                if line(subject) not in waiting and line(subject) not in places[recipient]]
        self.assertEqual(lost, [], when)


def line(subject):
    """As ``files`` has it."""
    return f"Subject: {subject}\n".encode()


def content(subject):
    return f"From: {ALICE}\r\nTo: x@elsewhere.example\r\nSubject: {subject}\r\n\r\nkeep me\r\n".encode()


def submit(server, subject, recipients=(ALICE, REMOTE)):
    """The reply to the message."""
    with mailbox.submission("localhost", server.ports["submission"], server.values["certificate"], ALICE, PASSWORD) as client:
        try:
            client.sendmail(ALICE, list(recipients), content(subject))
        except smtplib.SMTPRecipientsRefused as refused:
            return next(iter(refused.recipients.values()))
        except smtplib.SMTPResponseException as refused:
            return refused.smtp_code, refused.smtp_error
        return 250, b""


def receive(server, subject):
    """From a stranger."""
    with Lines(server.ports["smtp"]) as smtp:
        for command in ("EHLO client.example", "MAIL FROM:<a@stranger.example>", f"RCPT TO:<{ALICE}>", "DATA"):
            reply = smtp.ask(command)
            if reply[:1] not in b"23":
                return reply
        return smtp.ask(content(subject) + b".\r\n")


class SmallDisk(unittest.TestCase):
    """The data folder is a disk of 32 MiB, in a mount namespace of the server's own."""

    class Server(gateway.Server):
        def write(self):
            self.data_place = os.path.join(self.folder, "data")
            os.mkdir(self.data_place)
            self.holder = subprocess.Popen(
                ["unshare", "--mount", "bash", "-c", f"mount -t tmpfs -o size=32m,mode=700 tmpfs '{self.data_place}' && echo ready && exec cat"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            if self.holder.stdout.readline() != "ready\n":
                raise RuntimeError("no mount namespace")
            real = os.mkdir
            self.prefix = ["nsenter", f"--target={self.holder.pid}", "--mount"]
            # The folder is there already.
            with unittest.mock.patch("os.mkdir", lambda path, *more: None if path == self.data_place else real(path, *more)):
                super().write()

        def add_accounts(self):
            for address, password in ACCOUNTS:
                subprocess.run([*self.prefix, gateway.binary("postern"), "account", "add", "--config", self.config, address], input=password + "\n",
                               text=True, check=True, capture_output=True, timeout=60)

        def start(self):
            self.process = gateway.Process(self.folder, "serve", "--config", self.config, prefix=self.prefix)
            self.process.wait_started(lambda: "event=ready" in self.process.output())

        def __exit__(self, *more):
            try:
                super().__exit__(*more)
            finally:
                self.holder.stdin.close()
                self.holder.stdout.close()
                self.holder.wait(10)

        @property
        def inside(self):
            """The disk, as this process sees it."""
            return f"/proc/{self.holder.pid}/root{self.data_place}"

    def setUp(self):
        if os.geteuid() != 0:
            raise AssertionError("this test needs root, as contrib/test does")
        self.server = self.enterContext(self.Server(
            extra='minimal_backoff_time = "1s"\nmaximal_backoff_time = "2s"\nqueue_minfree = 4000000'))

    def fill(self, leave):
        """Writes until so many octets are left."""
        facts = os.statvfs(self.server.inside)
        with open(self.server.inside + "/filler", "wb") as file:
            file.write(b"x" * max(facts.f_bavail * facts.f_frsize - leave, 0))

    def empty(self):
        os.unlink(self.server.inside + "/filler")

    def count(self, subject):
        return sum(line(subject) in one for one in files(self.server.inside + "/mail"))

    def test_nearly_full(self):
        """New mail is put off with 452 4.3.1; what is queued leaves; then all is well again without a restart."""
        for number in range(3):
            self.assertEqual(submit(self.server, f"before{number}")[0], 250)
        self.fill(leave=2_000_000)
        self.assertEqual(submit(self.server, "nearly full")[0], 452)
        with Sink(self.server.values["relay_port"]) as sink:
            gateway.wait_until(lambda: len(sink.messages) == 3, 60, self.server.process.output)
            self.empty()
            self.assertEqual(submit(self.server, "after")[0], 250)
            gateway.wait_until(lambda: sink.count("after"), 60, self.server.process.output)
            self.assertEqual(sink.count("nearly full"), 0)
            self.assertEqual(sorted(sink.count(f"before{number}") for number in range(3)), [1, 1, 1])

    def test_full_to_the_last_octet(self):
        for number in range(3):
            self.assertEqual(submit(self.server, f"before{number}")[0], 250)
        self.fill(leave=0)
        for reply in (submit(self.server, "full"), submit(self.server, "full", [ALICE])):
            self.assertIn(reply[0], (451, 452, 454), reply)
        self.assertRegex(receive(self.server, "full"), rb"^45[12] ")
        with Sink(self.server.values["relay_port"]) as sink:
            gateway.wait_until(lambda: len(sink.messages) >= 3, 60, self.server.process.output)
            self.empty()
            self.assertEqual(submit(self.server, "after")[0], 250)
            self.assertRegex(receive(self.server, "received"), rb"^250 ")
            gateway.wait_until(lambda: sink.count("after") and self.count("received") == 1, 60, self.server.process.output)
            self.assertEqual([sink.count(f"before{number}") for number in range(3)], [1, 1, 1])
            self.assertEqual(sink.count("full") + self.count("full"), 0)

    def test_sendmail_says_so(self):
        self.server.process.stop()
        self.fill(leave=0)
        command = [*self.server.prefix, gateway.binary("postern"), "sendmail", "-C", self.server.config, ALICE]
        self.assertEqual(subprocess.run(command, input=content("x") + b"y" * 100_000, capture_output=True, timeout=60).returncode, 75)
        self.assertEqual(os.listdir(self.server.inside + "/maildrop"), [])


class ReadOnlyFolders(unittest.TestCase):
    """Every folder of the server's loses the right to write; the server is no root, who would not notice."""

    def test_refused_for_now_and_then_all_is_well(self):
        class Server(gateway.Server):
            def write(self):
                os.chmod(self.folder, 0o755)
                super().write()

        server = self.enterContext(Server(extra='user = "daemon"\nminimal_backoff_time = "1s"\nmaximal_backoff_time = "2s"'))
        self.assertEqual(submit(server, "before")[0], 250)
        modes = {folder: os.stat(folder).st_mode & 0o7777 for folder, _, _ in os.walk(server.data_dir)}
        for folder, mode in modes.items():
            os.chmod(folder, mode & ~0o222)
        self.assertIn(submit(server, "read-only")[0], (451, 452, 454))
        self.assertRegex(receive(server, "read-only"), rb"^45[12] ")
        for folder, mode in modes.items():
            os.chmod(folder, mode)
        self.assertEqual(submit(server, "after")[0], 250)
        with Sink(server.values["relay_port"]) as sink:
            gateway.wait_until(lambda: sink.count("after") and sink.count("before"), 60, server.process.output)
            self.assertEqual((sink.count("before"), sink.count("after"), sink.count("read-only")), (1, 1, 0))
        stored = list(files(os.path.join(server.data_dir, "mail")))
        self.assertEqual([sum(line(subject) in one for one in stored) for subject in ("before", "after", "read-only")], [1, 1, 0])


class ClockJumps(unittest.TestCase):
    """The clock is set back a day, and forward, while mail waits."""

    class Server(gateway.Server):
        def start(self):
            library = os.path.join(self.folder, "setclock.so")
            subprocess.run(["clang", "-shared", "-fPIC", "-O1", "-o", library, os.path.join(os.path.dirname(os.path.abspath(__file__)), "setclock.c")],
                           check=True, timeout=60)
            self.clock = os.path.join(self.folder, "clock")
            self.set_clock(0)
            self.process = gateway.Process(self.folder, "serve", "--config", self.config, prefix=["env", f"LD_PRELOAD={library}", f"SETCLOCK={self.clock}"])
            self.process.wait_started(lambda: "event=ready" in self.process.output())

        def set_clock(self, seconds):
            with open(self.clock + ".new", "w") as file:
                file.write(str(seconds))
            os.rename(self.clock + ".new", self.clock)

    def test_back_and_forward(self):
        server = self.enterContext(self.Server(extra='minimal_backoff_time = "1s"\nmaximal_backoff_time = "2s"\nmaximal_queue_lifetime = "3d"'))
        subjects = []
        for clock in (0, -86400, 86400, -43200):
            server.set_clock(clock)
            subjects.append(mailbox.unique("jump"))
            with mailbox.submission("localhost", server.ports["submission"], server.values["certificate"], ALICE, PASSWORD) as client:
                self.assertEqual(client.sendmail(ALICE, [ALICE, REMOTE], content(subjects[-1])), {})
            # It was tried at this time, so that the next jump finds it waiting.
            path = os.path.join(server.data_dir, "queue")
            gateway.wait_until(lambda: any(subjects[-1].encode() in one and TRIED.search(one) for one in files(path)), 60, server.process.output)
        with Sink(server.values["relay_port"]) as sink:
            gateway.wait_until(lambda: all(sink.count(subject) for subject in subjects), 60, server.process.output)
            self.assertEqual([sink.count(subject) for subject in subjects], [1] * len(subjects))
        self.assertIn("the clock was set back", server.process.output())
        stored = list(files(os.path.join(server.data_dir, "mail")))
        self.assertEqual([sum(line(subject) in one for one in stored) for subject in subjects], [1] * len(subjects))
        self.assertFalse(any(b"multipart/report" in one for one in stored))


class NoDNS(unittest.TestCase):
    """Nobody answers: mail in is taken, mail out waits."""

    def test_it_waits(self):
        server = self.enterContext(gateway.Server(extra='minimal_backoff_time = "1s"\nmaximal_backoff_time = "2s"'))
        server.process.stop()
        with open(server.config) as file:
            text = file.read()
        text = text.replace("offline = true", f'forwarders = ["127.0.0.1@{gateway.free_port()}"]\ntimeout = "1s"')
        text = "\n".join(line for line in text.splitlines() if not line.startswith(("relayhost", "zone_file"))) + "\n"
        with open(server.config, "w") as file:
            file.write(text)
        server.start()
        with mailbox.submission("localhost", server.ports["submission"], server.values["certificate"], ALICE, PASSWORD) as client:
            self.assertEqual(client.sendmail(ALICE, [REMOTE], content("out")), {})
        with Lines(server.ports["smtp"]) as smtp:
            for command in ("EHLO client.example", "MAIL FROM:<a@stranger.example>", f"RCPT TO:<{ALICE}>", "DATA"):
                self.assertRegex(smtp.ask(command), rb"^[23]")
            self.assertRegex(smtp.ask(content("in") + b".\r\n"), rb"^250 ")
        gateway.wait_until(lambda: any(TRIED.search(one) for one in files(os.path.join(server.data_dir, "queue"))), 60,
                           server.process.output)
        queued = list(files(os.path.join(server.data_dir, "queue")))
        self.assertEqual(sum(line("out") in one for one in queued), 1)
        self.assertEqual(sum(line("in") in one for one in files(os.path.join(server.data_dir, "mail"))), 1)
        self.assertFalse(any(b"multipart/report" in one for one in files(os.path.join(server.data_dir, "mail"))))


if __name__ == "__main__":
    unittest.main()

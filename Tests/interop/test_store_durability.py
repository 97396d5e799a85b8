"""kill -9 during APPEND, COPY and MOVE: nothing is half done, and `postern store check` finds nothing to repair.

POSTERN_KILL_ROUNDS says how many times (3)."""

import contextlib
import imaplib
import json
import os
import random
import re
import threading
import time
import unittest

import gateway
import mailbox
from gateway import ACCOUNTS
from mailbox import ok

ALICE, PASSWORD = ACCOUNTS[0]
ROUNDS = int(os.environ.get("POSTERN_KILL_ROUNDS", "3"))
# Messages of one COPY or MOVE; enough that the folder gets an index.
BATCH = 100


def content(subject):
    return f"From: a@b.example\r\nSubject: {subject}\r\n\r\n{subject} stands here whole\r\n".encode()


class StoreDurability(unittest.TestCase):
    def setUp(self):
        self.server = self.enterContext(gateway.Server())
        self.chance = random.Random(3)

    def imap(self):
        return mailbox.imap("localhost", self.server.ports["imaps"], self.server.values["certificate"], ALICE, PASSWORD)

    def test_append(self):
        """Single messages and several in one command (MULTIAPPEND): acknowledged ones are there, others whole or not at all."""
        acknowledged, batches = set(), []

        def work(client, turn):
            for number in range(1000):
                if number % 3:
                    subject = mailbox.unique(f"one{turn}-")
                    ok(client.append("INBOX", "(\\Seen)", None, content(subject)))
                    acknowledged.add(subject)
                else:
                    subjects = [mailbox.unique(f"many{turn}-") for _ in range(20)]
                    batches.append(subjects)
                    self.append_together(client, subjects)
                    acknowledged.update(subjects)
        self.rounds(work)
        found = self.subjects("INBOX")
        self.assertLessEqual(acknowledged, set(found))
        self.assertEqual(len(found), len(set(found)), "a message is there twice")
        for subjects in batches:
            self.assertIn(len(set(subjects) & set(found)), (0, len(subjects)), "some messages of one APPEND are there")

    def test_copy(self):
        done = []
        self.fill("INBOX")

        def work(client, turn):
            ok(client.select("INBOX"))
            for _ in range(1000):
                ok(client.copy(f"1:{BATCH}", "Archive"))
                done.append(turn)
        self.rounds(work)
        found = self.subjects("Archive")
        counts = {found.count(subject) for subject in set(found)}
        self.assertEqual(len(counts), 1, f"some messages of one COPY are there: {counts}")
        self.assertGreaterEqual(counts.pop(), len(done))
        self.assertEqual(len(self.subjects("INBOX")), BATCH)

    def test_move(self):
        """Each message is in one of both folders."""
        subjects = self.fill("INBOX")

        def work(client, _):
            for number in range(1000):
                source, target = ("INBOX", "Archive") if number % 2 == 0 else ("Archive", "INBOX")
                if ok(client.select(source)) != [b"0"]:
                    ok(client._simple_command("MOVE", "1:*", target))
        self.rounds(work)
        self.assertEqual(sorted(self.subjects("INBOX") + self.subjects("Archive")), sorted(subjects))

    # The parts

    def rounds(self, work):
        with self.imap() as client:
            client.create("Archive")
        for turn in range(ROUNDS):
            ended = []
            worker = threading.Thread(target=self.until_killed, args=(work, turn, ended))
            worker.start()
            time.sleep(0.3 + self.chance.random() * 0.5)
            self.server.kill()
            worker.join(30)
            self.assertTrue(ended and isinstance(ended[0], (OSError, imaplib.IMAP4.abort)), f"the work ended by itself: {ended}")
            self.check()
            self.server.start()
            with self.imap() as client:
                for folder in ("INBOX", "Archive"):
                    ok(client.select(folder))
            self.check()

    def until_killed(self, work, turn, ended):
        try:
            with self.imap() as client:
                work(client, turn)
            ended.append(None)
        except BaseException as error:  # noqa: to be looked at by the one who waits
            ended.append(error)

    def check(self):
        """Nothing to repair but unfinished temporary files."""
        status, output = gateway.run_to_end("store", "check", "--json", "--config", self.server.config)
        findings = [json.loads(line) for line in output.splitlines()]
        self.assertEqual([one for one in findings if one["kind"] != "unfinished"], [])
        self.assertEqual(status, 0, output)

    def fill(self, folder):
        subjects = [mailbox.unique("filled") for _ in range(BATCH)]
        with self.imap() as client:
            for subject in subjects:
                ok(client.append(folder, None, None, content(subject)))
        return subjects

    def append_together(self, client, subjects):
        octets = b"".join(b" {%d+}\r\n" % len(content(subject)) + content(subject) for subject in subjects)
        tag = client._new_tag()
        client.send(tag + b" APPEND INBOX" + octets + b"\r\n")
        while True:
            line = client.readline()
            if not line:
                raise imaplib.IMAP4.abort("the server is gone")
            if line.startswith(tag):
                self.assertIn(b" OK ", line)
                return

    def subjects(self, folder):
        """Of all messages, each of which must be whole."""
        with self.imap() as client:
            ok(client.select(folder, readonly=True))
            found = []
            for item in ok(client.uid("FETCH", "1:*", "(BODY.PEEK[])")):
                if isinstance(item, tuple):
                    subject = re.search(rb"Subject: (.*)\r\n", item[1])[1].decode()
                    self.assertEqual(item[1], content(subject))
                    found.append(subject)
            return found


if __name__ == "__main__":
    unittest.main()

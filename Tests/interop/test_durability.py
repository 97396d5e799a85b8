"""Nothing acknowledged is lost: kill -9 right after a 250, and restarts."""

import os
import unittest

import gateway
import mailbox
from gateway import ACCOUNTS
from lines import Lines
from mailbox import ok
from sink import Sink

ALICE, PASSWORD = ACCOUNTS[0]
REMOTE = "someone@elsewhere.example"
ROUNDS = 10
# Messages of one connection, and after which 250 the axe falls: after each of them in turn.
BATCH = 5


class Durability(unittest.TestCase):
    def setUp(self):
        # Retried soon, so that the next hop need not be waited for.
        self.server = self.enterContext(gateway.Server(extra='minimal_backoff_time = "1s"\nmaximal_backoff_time = "2s"'))

    def imap(self):
        return mailbox.imap("localhost", self.server.ports["imaps"], self.server.values["certificate"], ALICE, PASSWORD)

    def test_kill_after_250_keeps_the_message(self):
        """Without pipelining and extensions, as the plainest client."""
        subject = mailbox.unique("kill")
        with Lines(self.server.ports["smtp"]) as smtp:
            for command in ("HELO client.example", "MAIL FROM:<a@stranger.example>", f"RCPT TO:<{ALICE}>", "DATA"):
                self.assertRegex(smtp.ask(command), rb"^[23]")
            answer = smtp.ask(content(subject) + b".\r\n")
            self.server.kill()
        self.assertRegex(answer, rb"^250 ")
        self.server.start()
        with self.imap() as client:
            self.assertTrue(mailbox.fetch(client, subject)[1].endswith(b"keep me\r\n"))
            self.assertEqual(mailbox.count(client, subject), 1)

    def test_pipelined_messages_to_a_mailbox(self):
        acknowledged = []
        for turn in range(ROUNDS):
            with Lines(self.server.ports["smtp"]) as smtp:
                self.assertRegex(smtp.ask("EHLO client.example"), rb"^250")
                mine, subjects = self.send_and_kill(smtp, turn, "a@stranger.example", [ALICE])
            self.assertEqual(len(mine), turn % BATCH + 1)
            acknowledged += mine
            self.server.start()
            self.check_mailbox(mine, subjects)
        # Nor did the kills that followed take away what was there.
        self.check_mailbox(acknowledged, acknowledged)

    def test_pipelined_messages_to_a_mailbox_and_the_queue(self):
        """Each message has a recipient here and one elsewhere: the one is stored, the other queued, before the 250."""
        acknowledged = []
        for turn in range(ROUNDS):
            with mailbox.submission("localhost", self.server.ports["submission"], self.server.values["certificate"], ALICE, PASSWORD) as client:
                smtp = Lines.over(client.sock)
                mine, subjects = self.send_and_kill(smtp, turn, ALICE, [ALICE, REMOTE])
                client.close()
            self.assertEqual(len(mine), turn % BATCH + 1)
            acknowledged += mine
            for subject in acknowledged:
                self.assertTrue(self.in_queue(subject), f"turn {turn}: {subject} is not in the queue after the kill")
            self.server.start()
            self.check_mailbox(mine, subjects)
        with Sink(self.server.values["relay_port"]) as sink:
            gateway.wait_until(lambda: all(sink.count(subject) for subject in acknowledged), 60,
                               lambda: f"the next hop got {len(sink.messages)} messages\n{self.server.process.output()}")
            # The queue was alone with them, so no message came twice.
            self.assertEqual([sink.count(subject) for subject in acknowledged], [1] * len(acknowledged))
            for _, recipients, _ in sink.messages:
                self.assertEqual(recipients, [f"RCPT TO:<{REMOTE}>"])

    def send_and_kill(self, smtp, turn, sender, recipients):
        """Sends a batch, pipelined (RFC 2920 §3.1), and kills the server when the chosen 250 is read, the next message
        already on its way. The subjects of those acknowledged, and of all."""
        envelope = "".join([f"MAIL FROM:<{sender}>\r\n"] + [f"RCPT TO:<{one}>\r\n" for one in recipients] + ["DATA\r\n"]).encode()
        subjects = [mailbox.unique(f"turn{turn}") for _ in range(BATCH + 1)]
        acknowledged = []
        smtp.send(envelope)
        for subject in subjects:
            for _ in range(len(recipients) + 1):
                self.assertRegex(smtp.reply(), rb"^250 ")
            self.assertRegex(smtp.reply(), rb"^354 ")
            # The content and the next message's envelope in one write.
            smtp.send(content(subject) + b".\r\n" + envelope)
            self.assertRegex(smtp.reply(), rb"^250 ")
            acknowledged.append(subject)
            if len(acknowledged) == turn % BATCH + 1:
                self.server.kill()
                return acknowledged, subjects
        raise AssertionError("not reached")

    def check_mailbox(self, acknowledged, sent):
        """All that was acknowledged is there once and whole; of the rest nothing is there twice."""
        with self.imap() as client:
            for subject in acknowledged:
                self.assertTrue(mailbox.fetch(client, subject)[1].endswith(b"\r\n\r\nkeep me\r\n"))
                self.assertEqual(mailbox.count(client, subject), 1, subject)
            for subject in set(sent) - set(acknowledged):
                self.assertLessEqual(mailbox.count(client, subject), 1, subject)

    def in_queue(self, subject):
        for folder, _, names in os.walk(os.path.join(self.server.data_dir, "queue")):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    if f"Subject: {subject}\r\n".encode() in file.read():
                        return True
        return False

    def test_uids_survive_a_restart(self):
        with self.imap() as client:
            for _ in range(3):
                ok(client.append("INBOX", None, None, b"Subject: uid\r\n\r\nx\r\n"))
            ok(client.select("INBOX"))
            ok(client.uid("STORE", ok(client.uid("SEARCH", "ALL"))[0].split()[0].decode(), "+FLAGS", r"(\Deleted)"))
            ok(client.expunge())
            before = self.identity(client)
        self.assertEqual(self.server.process.stop(), 0)
        self.server.start()
        with self.imap() as client:
            self.assertEqual(self.identity(client), before)

    def identity(self, client):
        ok(client.select("INBOX"))
        return ok(client.uid("SEARCH", "ALL")), client.response("UIDVALIDITY"), ok(client.status("INBOX", "(UIDNEXT UIDVALIDITY)"))


def content(subject):
    return f"From: {ALICE}\r\nSubject: {subject}\r\n\r\nkeep me\r\n".encode()


if __name__ == "__main__":
    unittest.main()

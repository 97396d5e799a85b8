"""`mailbox_size_limit`: refused at RCPT and at the end of the data, OVERQUOTA over IMAP, and room again after an expunge."""

import os
import unittest

import gateway
import mailbox
from gateway import ACCOUNTS
from lines import Lines
from mailbox import ok

ALICE, PASSWORD = ACCOUNTS[0]
BOB = ACCOUNTS[1][0]


def content(octets):
    return b"Subject: filler\r\n\r\n" + (b"0123456789abcdef" * 4 + b"\r\n") * (octets // 66)


class MailboxLimit(unittest.TestCase):
    def serve(self, tempfail):
        self.server = self.enterContext(gateway.Server(extra=f"mailbox_size_limit = 30000\nquota_full_tempfail = {tempfail}"))
        self.new = os.path.join(self.server.data_dir, "mail", ALICE, "Maildir", "new")

    def imap(self):
        return mailbox.imap("localhost", self.server.ports["imaps"], self.server.values["certificate"], ALICE, PASSWORD)

    def send(self, octets, recipients=(ALICE,)):
        """The answers to RCPT, and the last one when there was content."""
        with Lines(self.server.ports["smtp"]) as smtp:
            for command in ("EHLO client.example", "MAIL FROM:<a@stranger.example>"):
                self.assertRegex(smtp.ask(command), rb"^250")
            answers = [smtp.ask(f"RCPT TO:<{one}>") for one in recipients]
            if any(answer.startswith(b"250") for answer in answers):
                self.assertRegex(smtp.ask("DATA"), rb"^354")
                answers.append(smtp.ask(content(octets) + b".\r\n"))
            return answers

    def test_mail_beyond_the_limit_is_returned(self):
        self.serve("false")
        for _ in range(2):
            self.assertRegex(self.send(12_000)[-1], rb"^250 ")
        self.assertRegex(self.send(12_000)[-1], rb"^552 5\.2\.2 ")
        # For two of whom one has room it is taken: the full one's copy is returned from the queue.
        self.assertRegex(self.send(12_000, (ALICE, BOB))[-1], rb"^250 ")
        with self.imap() as client:
            self.assertEqual(ok(client.select("INBOX")), [b"2"])
            status, text = client.append("INBOX", None, None, content(12_000))
            self.assertEqual((status, text[0][:11]), ("NO", b"[OVERQUOTA]"))
            _, (roots, quota) = client.getquotaroot("INBOX")
            self.assertRegex(quota[0], rb'"User quota" \(STORAGE 2[345] 29\)')
        # Another program brings more than there is room for.
        with open(os.path.join(self.new, "1770000000.M1P1.elsewhere"), "wb") as file:
            file.write(content(8_000))
        self.assertRegex(self.send(100)[0], rb"^552 5\.2\.2 ")
        with self.imap() as client:
            ok(client.select("INBOX"))
            ok(client.store("1:*", "+FLAGS", "(\\Deleted)"))
            ok(client.expunge())
        self.assertRegex(self.send(12_000)[-1], rb"^250 ")

    def test_mail_beyond_the_limit_is_tried_again(self):
        self.serve("true")
        for _ in range(2):
            self.assertRegex(self.send(12_000)[-1], rb"^250 ")
        self.assertRegex(self.send(12_000)[-1], rb"^452 4\.2\.2 ")


if __name__ == "__main__":
    unittest.main()

"""Nothing acknowledged is lost: kill -9 right after a 250, and restarts."""

import os
import socket
import unittest

import gateway
import mailbox
from gateway import ACCOUNTS
from mailbox import ok


class Durability(unittest.TestCase):
    def setUp(self):
        self.server = self.enterContext(gateway.Server())

    def imap(self):
        address, password = ACCOUNTS[0]
        return mailbox.imap("localhost", self.server.ports["imaps"], self.server.values["certificate"], address, password)

    def send_and_kill(self, recipient, subject):
        """Delivers over a bare socket and kills the server in the moment the 250 is read."""
        with socket.create_connection(("127.0.0.1", self.server.ports["smtp"]), 30) as sock:
            stream = sock.makefile("rb")
            stream.readline()
            for command in ("HELO client.example", "MAIL FROM:<a@stranger.example>", f"RCPT TO:<{recipient}>", "DATA"):
                sock.sendall(command.encode() + b"\r\n")
                answer = stream.readline()
                self.assertIn(answer[:1], b"23", answer)
            sock.sendall(f"From: a@stranger.example\r\nSubject: {subject}\r\n\r\nkeep me\r\n.\r\n".encode())
            answer = stream.readline()
            self.server.kill()
            self.assertTrue(answer.startswith(b"250"), answer)

    def test_kill_after_250_keeps_the_message(self):
        for turn in range(3):
            with self.subTest(turn):
                subject = mailbox.unique("kill")
                self.send_and_kill(ACCOUNTS[0][0], subject)
                self.assertTrue(self.on_disk(subject), "not in the data folder after the kill")
                self.server.start()
                with self.imap() as client:
                    self.assertTrue(mailbox.fetch(client, subject)[1].endswith(b"keep me\r\n"))
                    self.assertEqual(mailbox.count(client, subject), 1)

    def test_kill_after_250_keeps_a_queued_message(self):
        subject = mailbox.unique("queued")
        address, password = ACCOUNTS[0]
        with mailbox.submission("localhost", self.server.ports["submission"], self.server.values["certificate"], address, password) as smtp:
            # Nobody resolves this domain: it waits in the queue or comes back as a bounce, with the subject in it.
            smtp.send_message(mailbox.message(address, "someone@unreachable.example", subject))
            self.server.kill()
        self.assertTrue(self.on_disk(subject), "not in the data folder after the kill")
        self.server.start()
        self.assertTrue(self.on_disk(subject), "gone after the restart")

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

    def on_disk(self, subject):
        for folder, _, names in os.walk(self.server.data_dir):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    if subject.encode() in file.read():
                        return True
        return False


if __name__ == "__main__":
    unittest.main()

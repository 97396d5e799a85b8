"""Moving in from a Dovecot and back to it, with the real one: UIDs, flags, keywords and subscriptions stay."""

import contextlib
import hashlib
import imaplib
import os
import re
import shutil
import unittest

import gateway
import mailbox
from dovecot import Dovecot
from gateway import ACCOUNTS
from mailbox import ok

ALICE, PASSWORD = ACCOUNTS[0]
# `Büro/Übersicht` and `日本語 & mehr`, in modified UTF-7.
UNICODE, JAPANESE = "B&APw-ro/&ANw-bersicht", "&ZeVnLIqe- &- mehr"
FOLDERS = ["INBOX", "Archive", "Archive/2026", UNICODE, JAPANESE]


def message(number):
    return f"From: a{number}@stranger.example\r\nSubject: number {number}\r\nDate: Mon, 2 Mar 2026 10:00:00 +0000\r\n\r\nthe body of {number}\r\n".encode()


def quoted(folder):
    return '"' + folder + '"'


def state(client):
    """What a client would compare its copy with: each folder's UIDVALIDITY, UIDNEXT and messages, and the subscriptions."""
    found = {}
    for line in ok(client.list()):
        name = re.search(rb' "/" "?([^"]*)"?$', line)[1].decode()
        if rb"\Noselect" in line or rb"\NonExistent" in line:
            continue
        ok(client.select(quoted(name), readonly=True))
        status = ok(client.status(quoted(name), "(UIDVALIDITY UIDNEXT MESSAGES)"))[0].decode()
        numbers = dict(re.findall(r"(\w+) (\d+)", status[status.rindex("("):]))
        found[name] = (int(numbers["UIDVALIDITY"]), int(numbers["UIDNEXT"]), messages(client) if numbers["MESSAGES"] != "0" else [])
    subscribed = sorted(re.search(rb' "/" "?([^"]*)"?$', line)[1].decode() for line in ok(client.lsub()) if line)
    return found, subscribed


def messages(client):
    found = []
    for head, octets in (item for item in ok(client.uid("FETCH", "1:*", "(UID FLAGS INTERNALDATE BODY.PEEK[])")) if isinstance(item, tuple)):
        text = head.decode()
        flags = sorted(flag for flag in re.search(r"FLAGS \(([^)]*)\)", text)[1].split() if flag != "\\Recent")
        date = imaplib.Internaldate2tuple(head)
        found.append((int(re.search(r"UID (\d+)", text)[1]), tuple(flags), tuple(date)[:6], hashlib.sha256(octets).hexdigest()))
    return found


class DovecotMove(unittest.TestCase):
    def setUp(self):
        folder = self.enterContext(gateway.temporary_folder())
        self.dovecot = Dovecot(folder)
        self.server = self.enterContext(gateway.Server())
        self.maildir = os.path.join(self.server.data_dir, "mail", ALICE, "Maildir")

    @contextlib.contextmanager
    def at_dovecot(self):
        client = imaplib.IMAP4("127.0.0.1", self.dovecot.port, timeout=30)
        try:
            ok(client.login("alice", "pass"))
            yield client
        finally:
            with contextlib.suppress(imaplib.IMAP4.error, OSError):
                client.logout()

    def here(self):
        return mailbox.imap("localhost", self.server.ports["imaps"], self.server.values["certificate"], ALICE, PASSWORD)

    def test_in_and_out_again(self):
        with self.dovecot, self.at_dovecot() as client:
            self.arrange(client)
            before = state(client)
        self.put_new_mail(self.dovecot.maildir("alice"))
        with self.dovecot, self.at_dovecot() as client:
            ok(client.select("INBOX"))
            before = state(client)
        self.assertEqual(set(before[0]), set(FOLDERS))
        shutil.rmtree(self.maildir, ignore_errors=True)
        os.makedirs(os.path.dirname(self.maildir), exist_ok=True)
        shutil.copytree(self.dovecot.maildir("alice"), self.maildir)
        with self.here() as client:
            self.assertEqual(state(client), before)
            self.change(client)
            changed = state(client)
        # What no client has looked at yet must have its UID before Dovecot sees it.
        self.put_new_mail(self.maildir)
        status, output = gateway.run_to_end("store", "check", "--config", self.server.config)
        self.assertEqual(status, 0, output)
        self.server.process.stop()
        status, output = gateway.run_to_end("store", "export", "--config", self.server.config, ALICE)
        self.assertEqual(status, 0, output)
        self.dovecot.take(self.maildir, "alice")
        with open(os.path.join(self.maildir, "dovecot-uidlist")) as file:
            given = {line.split(":", 1)[1].strip(): int(line.split()[0]) for line in file.readlines()[1:]}
        new = [name for name in os.listdir(os.path.join(self.maildir, "new"))]
        self.assertEqual(len(new), 1)
        with self.dovecot, self.at_dovecot() as client:
            after = state(client)
            inbox = after[0]["INBOX"][2]
            self.assertEqual(inbox[-1][0], given[new[0]], "the new message has another UID than was given here")
            # But for that message all is as it was.
            after[0]["INBOX"] = (after[0]["INBOX"][0], after[0]["INBOX"][1] - 1, inbox[:-1])
            self.assertEqual(after, changed)
            ok(client.append("INBOX", None, None, message(900)))
        self.assertNotRegex(self.dovecot.log(), "(?i)error|panic|corrupt|duplicate")

    def arrange(self, client):
        for folder in FOLDERS[1:]:
            ok(client.create(quoted(folder)))
        for folder in ("Archive", UNICODE, "INBOX"):
            ok(client.subscribe(quoted(folder)))
        for number in range(12):
            ok(client.append("INBOX", "(\\Seen)" if number % 2 else None, f'"0{1 + number % 9}-Feb-2026 10:11:12 +0100"', message(number)))
        ok(client.select("INBOX"))
        ok(client.store("1:4", "+FLAGS", "(\\Flagged $Label1 Work)"))
        ok(client.store("3,5", "+FLAGS", "(\\Answered NonJunk)"))
        ok(client.copy("1:6", quoted(UNICODE)))
        ok(client.copy("2,7,9", "Archive/2026"))
        ok(client.copy("8", quoted(JAPANESE)))
        # Gaps in the UIDs.
        ok(client.store("2,6", "+FLAGS", "(\\Deleted)"))
        ok(client.expunge())
        ok(client.select(quoted(UNICODE)))
        ok(client.store("1,2", "+FLAGS", "(\\Draft Privat)"))

    def put_new_mail(self, maildir):
        """By a delivery agent that knows neither server."""
        name = f"1770000000.M{len(os.listdir(os.path.join(maildir, 'cur')))}P9Q{len(os.listdir(os.path.join(maildir, 'new')))}.elsewhere"
        with open(os.path.join(maildir, "new", name), "wb") as file:
            file.write(message(500).replace(b"\r\n", b"\n"))

    def change(self, client):
        ok(client.append("Archive", "(\\Seen Work)", None, message(100)))
        ok(client.append(quoted(UNICODE), None, None, message(101)))
        ok(client.select("INBOX"))
        ok(client.store("1", "-FLAGS", "(Work)"))
        ok(client.store("2:3", "+FLAGS", "(Neues \\Deleted)"))
        ok(client.copy("1,4", "Archive"))
        ok(client.expunge())
        ok(client.create(quoted("Archive/2027")))
        ok(client.unsubscribe(quoted(UNICODE)))
        ok(client.subscribe(quoted(JAPANESE)))


if __name__ == "__main__":
    unittest.main()

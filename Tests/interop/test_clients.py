"""Real mail clients against `postern demo`: swaks, smtplib, imaplib and mbsync, all unmodified."""

import email
import email.policy
import imaplib
import os
import smtplib
import subprocess
import tempfile
import time
import unittest

import gateway
import mailbox
from mailbox import ok


# A loopback address outside of the demo's mynetworks.
STRANGER = "127.0.0.9"


class DemoCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.demo = cls.enterClassContext(gateway.Demo())

    def imap(self):
        demo = self.demo
        return self.enterContext(mailbox.imap(demo.host, demo.imaps_port, demo.ca_file, demo.user, demo.password))

    def submission(self):
        demo = self.demo
        return self.enterContext(mailbox.submission(demo.host, demo.submission_port, demo.ca_file, demo.user, demo.password))


class Swaks(DemoCase):
    def swaks(self, port, *options, sender="someone@stranger.example", recipient=None):
        subject = mailbox.unique("swaks")
        done = subprocess.run(
            ["swaks", "--server", self.demo.host, "--port", str(port), "--from", sender, "--to", recipient or self.demo.user,
             "--helo", "client.example", "--local-interface", STRANGER, "--header", f"Subject: {subject}", "--timeout", "30", *options],
            capture_output=True, text=True, timeout=90)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return subject

    def arrived(self, subject):
        return email.message_from_bytes(mailbox.fetch(self.imap(), subject)[1])

    def test_port_25(self):
        mail = self.arrived(self.swaks(self.demo.smtp_port))
        self.assertIn("Authentication-Results", mail)
        self.assertIn("client.example", mail["Received"])

    def test_port_25_with_starttls(self):
        mail = self.arrived(self.swaks(self.demo.smtp_port, "--tls"))
        self.assertRegex(mail["Received"], r"TLSv?1[._][23]")

    def test_port_25_pipelined(self):
        self.arrived(self.swaks(self.demo.smtp_port, "--pipeline"))

    def test_submission(self):
        for mechanism in ("PLAIN", "LOGIN"):
            with self.subTest(mechanism):
                subject = self.swaks(self.demo.submission_port, "--tls", "--auth", mechanism, "--auth-user", self.demo.user,
                                     "--auth-password", self.demo.password, sender=self.demo.user)
                mail = self.arrived(subject)
                self.assertIn(f"d={self.demo.domain}", mail["DKIM-Signature"])
                # The account is nobody's business but ours (smtpd_sasl_authenticated_header = no).
                self.assertNotIn("authenticated sender", mail["Received"].lower())
                self.assertIn("with ESMTPSA", mail["Received"])

    def test_submissions(self):
        self.arrived(self.swaks(self.demo.submissions_port, "--tlsc", "--auth", "PLAIN", "--auth-user", self.demo.user,
                                "--auth-password", self.demo.password, sender=self.demo.user))

    def test_plus_address(self):
        local, _, domain = self.demo.user.partition("@")
        self.arrived(self.swaks(self.demo.smtp_port, recipient=f"{local}+{mailbox.unique('tag').replace(' ', '')}@{domain}"))


class Smtplib(DemoCase):
    def smtp(self):
        return self.enterContext(smtplib.SMTP(self.demo.host, self.demo.smtp_port, local_hostname="client.example", timeout=30,
                                              source_address=(STRANGER, 0)))

    def test_extensions(self):
        smtp = self.smtp()
        smtp.ehlo()
        for word in ("pipelining", "size", "8bitmime", "smtputf8", "enhancedstatuscodes", "starttls", "chunking", "dsn"):
            self.assertTrue(smtp.has_extn(word), word)
        self.assertFalse(smtp.has_extn("auth"), "AUTH is offered without TLS")

    def test_authentication_is_offered_under_tls_only(self):
        with smtplib.SMTP(self.demo.host, self.demo.submission_port, timeout=30) as smtp:
            smtp.ehlo()
            self.assertFalse(smtp.has_extn("auth"))
            self.assertGreaterEqual(smtp.docmd("AUTH", "PLAIN AGFAYgBj")[0], 500)
            smtp.starttls(context=mailbox.tls(self.demo.ca_file))
            smtp.ehlo()
            self.assertLessEqual({"PLAIN", "LOGIN"}, set(smtp.esmtp_features["auth"].split()))

    def test_relay_for_strangers_is_refused(self):
        smtp = self.smtp()
        smtp.ehlo()
        smtp.mail("someone@stranger.example")
        code, text = smtp.rcpt("victim@elsewhere.example")
        self.assertEqual((code // 100, text[:6]), (5, b"5.7.1 "))

    def test_submission_without_login_is_refused(self):
        with smtplib.SMTP(self.demo.host, self.demo.submission_port, timeout=30) as smtp:
            smtp.starttls(context=mailbox.tls(self.demo.ca_file))
            smtp.ehlo()
            self.assertEqual(smtp.mail(self.demo.user)[0], 530)

    def test_submission_with_anothers_sender_is_refused(self):
        smtp = self.submission()
        codes = [smtp.mail(self.demo.second_user)[0], smtp.rcpt(self.demo.user)[0]]
        self.assertTrue(any(500 <= code < 600 for code in codes), codes)

    def test_one_message_to_two_of_our_accounts(self):
        subject = mailbox.unique()
        self.submission().send_message(mailbox.message(self.demo.user, self.demo.user, subject), to_addrs=[self.demo.user, self.demo.second_user])
        mailbox.fetch(self.imap(), subject)

    def test_dots_and_long_lines_and_8_bits_come_back_as_sent(self):
        subject = mailbox.unique()
        body = ".\r\n..\r\n.x\r\n" + "y" * 900 + "\r\n\xe9\xff \r\n\r\n"
        raw = f"From: a@stranger.example\r\nSubject: {subject}\r\n\r\n{body}".encode("latin-1")
        self.smtp().sendmail("a@stranger.example", [self.demo.user], raw, mail_options=["BODY=8BITMIME"])
        self.assertTrue(mailbox.fetch(self.imap(), subject)[1].endswith(b"\r\n\r\n" + body.encode("latin-1")))

    def test_bdat(self):
        subject = mailbox.unique()
        smtp = self.smtp()
        smtp.ehlo()
        smtp.mail("a@stranger.example")
        smtp.rcpt(self.demo.user)
        first, last = f"From: a@stranger.example\r\nSubject: {subject}\r\n\r\n".encode(), b".\r\nno dot-stuffing\r\n"
        for chunk, word in ((first, ""), (last, " LAST")):
            smtp.sock.sendall(f"BDAT {len(chunk)}{word}\r\n".encode() + chunk)
            self.assertEqual(smtp.getreply()[0], 250)
        self.assertTrue(mailbox.fetch(self.imap(), subject)[1].endswith(last))


class Imaplib(DemoCase):
    def test_starttls_and_authenticate(self):
        client = imaplib.IMAP4(self.demo.host, self.demo.imap_port, timeout=30)
        self.addCleanup(client.logout)
        self.assertIn("STARTTLS", client.capabilities)
        with self.assertRaises(imaplib.IMAP4.error):
            client.login(self.demo.user, self.demo.password)
        ok(client.starttls(mailbox.tls(self.demo.ca_file)))
        ok(client.authenticate("PLAIN", lambda _: f"\0{self.demo.user}\0{self.demo.password}".encode()))
        ok(client.select("INBOX"))

    def test_folders(self):
        client = self.imap()
        name = mailbox.unique("Folder").replace(" ", "-")
        ok(client.create(name))
        ok(client.create(f"{name}/Inner"))
        ok(client.subscribe(name))
        self.assertTrue(any(name.encode() in line for line in ok(client.lsub())))
        ok(client.rename(name, f"{name}-renamed"))
        listed = b"\n".join(ok(client.list()))
        self.assertIn(f"{name}-renamed/Inner".encode(), listed)
        ok(client.delete(f"{name}-renamed/Inner"))
        ok(client.delete(f"{name}-renamed"))
        self.assertNotIn(name.encode(), b"\n".join(ok(client.list())))

    def test_a_messages_life(self):
        client = self.imap()
        folder = mailbox.unique("Life").replace(" ", "-")
        ok(client.create(folder))
        when = time.time() - 86400
        raw = mailbox.message("a@x.example", "b@y.example", "life", "line one\nline two\n").as_bytes(policy=email.policy.SMTP)
        ok(client.append(folder, r"(\Flagged)", imaplib.Time2Internaldate(when), raw))
        self.assertEqual(ok(client.select(folder)), [b"1"])
        uid = ok(client.uid("SEARCH", "FLAGGED"))[0].decode()
        self.assertEqual(ok(client.uid("FETCH", uid, "(BODY.PEEK[])"))[0][1], raw)
        self.assertIn(f"RFC822.SIZE {len(raw)}".encode(), ok(client.fetch("1", "(RFC822.SIZE)"))[0])
        told = imaplib.Internaldate2tuple(ok(client.fetch("1", "(INTERNALDATE)"))[0])
        self.assertLess(abs(time.mktime(told) - when), 2)
        self.assertEqual(ok(client.fetch("1", "(BODY.PEEK[TEXT]<5.3>)"))[0][1], b"one")
        self.assertEqual(ok(client.fetch("1", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])"))[0][1], b"Subject: life\r\n\r\n")
        self.assertIn(b'"life"', b"".join(part if isinstance(part, bytes) else b"".join(part) for part in ok(client.fetch("1", "(ENVELOPE BODYSTRUCTURE)"))))
        self.assertIn(rb"\Seen", ok(client.store("1", "+FLAGS", r"(\Seen)"))[0])
        ok(client.copy("1", "INBOX"))
        ok(client.uid("STORE", uid, "+FLAGS.SILENT", r"(\Deleted)"))
        self.assertEqual(ok(client.expunge()), [b"1"])
        self.assertEqual(ok(client.search(None, "ALL")), [b""])
        mailbox.fetch(client, "life")

    def test_examine_does_not_change(self):
        client = self.imap()
        folder = mailbox.unique("Examined").replace(" ", "-")
        ok(client.create(folder))
        ok(client.append(folder, None, None, b"Subject: look\r\n\r\nx\r\n"))
        ok(client.select(folder, readonly=True))
        self.assertEqual(client.store("1", "+FLAGS", r"(\Deleted)")[0], "NO")
        self.assertNotEqual(client.expunge()[0], "OK")
        ok(client.fetch("1", "(BODY[])"))
        ok(client.select(folder))
        # Neither the STORE nor the BODY[] that would set \Seen left a trace (RFC 3501 §6.3.2).
        flags = ok(client.fetch("1", "(FLAGS)"))[0]
        self.assertNotIn(rb"\Deleted", flags)
        self.assertNotIn(rb"\Seen", flags)

    def test_idle_tells_of_new_mail(self):
        client = self.imap()
        ok(client.select("INBOX"))
        client.send(b"I1 IDLE\r\n")
        self.assertTrue(client.readline().startswith(b"+"))
        with smtplib.SMTP(self.demo.host, self.demo.smtp_port, local_hostname="client.example", timeout=30) as smtp:
            smtp.send_message(mailbox.message("a@stranger.example", self.demo.user, mailbox.unique("idle")))
        lines = [client.readline()]
        while b"EXISTS" not in lines[-1]:
            lines.append(client.readline())
        client.send(b"DONE\r\n")
        while not lines[-1].startswith(b"I1 "):
            lines.append(client.readline())
        self.assertTrue(lines[-1].startswith(b"I1 OK"), lines)


class Mbsync(DemoCase):
    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.near = os.path.join(self.folder, "mail", "INBOX")
        os.mkdir(os.path.join(self.folder, "mail"))
        with open(os.path.join(self.folder, "mbsyncrc"), "w") as file:
            file.write(f"""
IMAPAccount gateway
Host {self.demo.host}
Port {self.demo.imaps_port}
User {self.demo.user}
Pass "{self.demo.password}"
SSLType IMAPS
CertificateFile {self.demo.ca_file}
AuthMechs LOGIN

IMAPStore far
Account gateway

MaildirStore near
Path {self.folder}/mail/
Inbox {self.near}
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
SyncState *
Sync All
""")

    def sync(self):
        done = subprocess.run(["mbsync", "-c", os.path.join(self.folder, "mbsyncrc"), "all"], capture_output=True, text=True, timeout=90)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def local(self, subject):
        """Paths of the local messages with that subject."""
        out = []
        for part in ("new", "cur"):
            for name in os.listdir(os.path.join(self.near, part)):
                path = os.path.join(self.near, part, name)
                with open(path, "rb") as file:
                    if subject.encode() in file.read():
                        out.append(path)
        return out

    def test_both_ways(self):
        client = self.imap()
        down, up = mailbox.unique("down"), mailbox.unique("up")
        ok(client.append("INBOX", None, None, mailbox.message("a@x.example", "b@y.example", down).as_bytes(policy=email.policy.SMTP)))
        self.sync()
        self.assertEqual(len(self.local(down)), 1)
        with open(os.path.join(self.near, "new", f"{time.time_ns()}.1.test"), "wb") as file:
            file.write(mailbox.message("a@x.example", "b@y.example", up).as_bytes())
        self.sync()
        uid, _ = mailbox.fetch(client, up)
        # A flag set here shows there, and the other way.
        path = self.local(down)[0]
        flagged = os.path.join(self.near, "cur", os.path.basename(path).split(":2,")[0] + ":2,FS")
        os.rename(path, flagged)
        ok(client.uid("STORE", uid, "+FLAGS", r"(\Answered)"))
        self.sync()
        ok(client.select("INBOX"))
        self.assertEqual(len(ok(client.uid("SEARCH", "FLAGGED", "SEEN", "HEADER", "Subject", f'"{down}"'))[0].split()), 1)
        self.assertIn("R", self.local(up)[0].split(":2,")[1])
        # Deleted here is gone there.
        os.unlink(self.local(down)[0])
        self.sync()
        self.assertEqual(mailbox.count(client, down), 0)
        # Nothing left to do, and nothing doubled.
        self.sync()
        self.assertEqual((mailbox.count(client, up), len(self.local(up))), (1, 1))

    def test_a_folder_made_here_appears_there(self):
        name = mailbox.unique("Made").replace(" ", "-")
        for part in ("", "/cur", "/new", "/tmp"):
            os.mkdir(f"{self.folder}/mail/{name}{part}")
        self.sync()
        self.assertIn(name.encode(), b"\n".join(ok(self.imap().list())))


if __name__ == "__main__":
    unittest.main()

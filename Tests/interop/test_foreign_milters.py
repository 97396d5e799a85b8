"""Our MTA behind other people's milters: `milters = ["builtin", "inet:…"]` with Debian's OpenDKIM, OpenDMARC, rspamd and
ClamAV, a libmilter of our own with scripted filters, and one that is dead."""

import contextlib
import email
import smtplib
import unittest

import dkim

import foreign
import gateway
import lines
import mailbox
from test_milter_protocol import Fixture


class MTA(gateway.Server):
    """A server that filters through these milters, in this order."""

    def __init__(self, *milters, default_action="tempfail", more=()):
        names = ", ".join(f'"{name}"' for name in milters)
        lines = [f"milters = [{names}]", f'milter_default_action = "{default_action}"', 'smtpd_authorized_xclient_hosts = ["127.0.0.1"]', *more]
        super().__init__(extra="\n".join(lines))

    def client(self):
        return smtplib.SMTP("127.0.0.1", self.ports["smtp"], local_hostname="client.example", timeout=60)

    def submission(self):
        return mailbox.submission("localhost", self.ports["submission"], self.values["certificate"], *gateway.ACCOUNTS[0])

    def deliver(self, subject, body="hello\r\n", headers=(), client=None, sender="someone@stranger.example"):
        """Sends a message to bob and reads it back: (parsed, octets)."""
        fields = [("From", sender), ("To", "bob@local.example"), ("Subject", subject), *headers]
        text = "".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n" + body
        with client or self.client() as smtp:
            smtp.sendmail(sender, ["bob@local.example"], text.encode())
        return self.read(subject)

    def read(self, subject):
        with mailbox.imap("localhost", self.ports["imaps"], self.values["certificate"], *gateway.ACCOUNTS[1]) as client:
            raw = mailbox.fetch(client, subject)[1]
        return email.message_from_bytes(raw), raw

    def refusal(self, body):
        """The reply to a message of that body, its id aside."""
        text = f"From: someone@stranger.example\r\nTo: bob@local.example\r\nSubject: refused\r\n\r\n{body}\r\n"
        with self.client() as smtp:
            try:
                smtp.sendmail("someone@stranger.example", ["bob@local.example"], text.encode())
            except smtplib.SMTPDataError as error:
                return error.smtp_code, lines.words(error.smtp_error.decode())
        return 250, ""


class ForeignCase(unittest.TestCase):
    def enter(self, program):
        return self.enterContext(program)


class DKIM(ForeignCase):
    def test_one_signs_and_the_next_verifies(self):
        signer = self.enter(foreign.OpenDKIM("s"))
        verifier = self.enter(foreign.OpenDKIM("v", keys=signer.public_keys))
        mta = self.enter(MTA("builtin", signer.milter, verifier.milter))
        subject = mailbox.unique("signed")
        with mta.submission() as smtp:
            smtp.send_message(mailbox.message("alice@local.example", "bob@local.example", subject, "a body\n.with a dot\n\nend  \n\n\n"))
        message, raw = mta.read(subject)
        self.assertIn("d=local.example", message["DKIM-Signature"])
        self.assertIn("verifier.example", " ".join(message.get_all("Authentication-Results", [])))
        self.assertIn("dkim=pass", " ".join(message.get_all("Authentication-Results", [])))
        # As it lies in the mailbox, to the letter: simple canonicalization of header and body.
        self.assertTrue(dkim.verify(raw, dnsfunc=lambda name, timeout=5: signer.record.encode()))

    def test_several_messages_on_one_connection(self):
        signer = self.enter(foreign.OpenDKIM("s"))
        mta = self.enter(MTA("builtin", signer.milter))
        subjects = [mailbox.unique("signed") for _ in range(3)]
        with mta.submission() as smtp:
            for subject in subjects:
                smtp.mail("alice@local.example")
                smtp.rset()
                smtp.send_message(mailbox.message("alice@local.example", "bob@local.example", subject))
        for subject in subjects:
            self.assertTrue(dkim.verify(mta.read(subject)[1], dnsfunc=lambda name, timeout=5: signer.record.encode()))


class DMARC(ForeignCase):
    def test_its_results_are_added(self):
        mta = self.enter(MTA("builtin", self.enter(foreign.OpenDMARC()).milter))
        # It passes over mail from 127.0.0.1.
        client = smtplib.SMTP("127.0.0.1", mta.ports["smtp"], local_hostname="client.example", timeout=60, source_address=("127.0.0.9", 0))
        message, _ = mta.deliver(mailbox.unique("dmarc"), client=client)
        results = message.get_all("Authentication-Results")
        self.assertTrue(any(result.startswith("dmarc.example; dmarc=") for result in results), results)
        self.assertTrue(any(result.startswith("mail.local.example;") for result in results), results)


class Spam(ForeignCase):
    @classmethod
    def setUpClass(cls):
        cls.rspamd = cls.enterClassContext(foreign.Rspamd())
        cls.mta = cls.enterClassContext(MTA("builtin", cls.rspamd.milter))

    def test_ham_passes(self):
        message, _ = self.mta.deliver(mailbox.unique("ham"))
        self.assertIsNone(message["X-Spam"])

    def test_spam_is_refused_in_its_words(self):
        code, text = self.mta.refusal(foreign.Rspamd.REJECT)
        self.assertEqual((code, text), (554, "5.7.1 Gtube pattern"))

    def test_likely_spam_is_marked(self):
        message, _ = self.mta.deliver(mailbox.unique("spam"), foreign.Rspamd.ADD_HEADER + "\r\n")
        self.assertEqual(message["X-Spam"], "Yes")


class Virus(ForeignCase):
    def test_refused(self):
        mta = self.enter(MTA("builtin", self.enter(foreign.ClamAV()).milter))
        self.assertEqual(mta.refusal(foreign.ClamAV.EICAR), (550, "5.7.1 carries Eicar-Test.UNOFFICIAL"))
        message, _ = mta.deliver(mailbox.unique("clean"))
        self.assertEqual(message["X-Virus-Status"], "Clean")

    def test_quarantined(self):
        mta = self.enter(MTA("builtin", self.enter(foreign.ClamAV("Quarantine")).milter))
        self.assertEqual(mta.refusal(foreign.ClamAV.EICAR)[0], 250)
        subject = mailbox.unique("clean")
        mta.deliver(subject)
        with mailbox.imap("localhost", mta.ports["imaps"], mta.values["certificate"], *gateway.ACCOUNTS[1]) as client:
            self.assertEqual(mailbox.count(client, "refused"), 0)


class Scripted(ForeignCase):
    """libmilter itself, doing what `X-Do` fields say."""

    @classmethod
    def setUpClass(cls):
        cls.fixture = Fixture()
        cls.addClassCleanup(cls.fixture.process.communicate, timeout=20)
        cls.addClassCleanup(cls.fixture.process.kill)
        cls.mta = cls.enterClassContext(MTA(f"inet:127.0.0.1:{cls.fixture.port}"))

    def changed(self, *does, headers=()):
        return self.mta.deliver(mailbox.unique("scripted"), headers=[*headers, *(("X-Do", do) for do in does)])

    def test_insertion_above_and_below_our_received_field(self):
        names = self.changed("insert 0 X-Top 1", "insert 2 X-Under 2", "add X-End 3")[0].keys()
        self.assertEqual(names[names.index("X-Top") + 1], "Received")
        self.assertEqual(names[-1], "X-End")

    def test_the_right_one_of_several(self):
        dup = [("Dup", str(number)) for number in range(1, 5)]
        message, _ = self.changed("change Dup 3 three", "delete Dup 1", "delete Dup 1", "insert 0 Dup zero", "change Dup 3 last", headers=dup)
        self.assertEqual(message.get_all("Dup"), ["zero", "three", "last"])

    def test_body(self):
        self.assertEqual(self.changed("body replaced")[1].partition(b"\r\n\r\n")[2], b"replaced\r\n")

    def test_replies(self):
        with self.mta.client() as smtp:
            smtp.ehlo()
            self.assertEqual(smtp.mail("reject@sender.example"), (554, b"5.7.9 scripted refusal of 100%"))
            self.assertEqual(smtp.mail("multi@sender.example"), (550, b"5.7.1 first line\n5.7.1 second line"))
        with self.mta.submission() as smtp:
            smtp.mail("alice@local.example")
            self.assertEqual([smtp.rcpt(f"{word}@elsewhere.example")[0] for word in ("tempfail", "good", "reject")], [450, 250, 554])

    def test_large_body(self):
        body = "0123456789abcdef\r\n" * 20_000
        _, raw = self.mta.deliver(mailbox.unique("large"), body)
        self.assertEqual(raw.partition(b"\r\n\r\n")[2], body.encode())


class Socket(ForeignCase):
    def test_a_unix_socket(self):
        folder = self.enter(gateway.temporary_folder())
        fixture = Fixture(spec=f"unix:{folder}/milter.sock")
        self.addCleanup(fixture.process.communicate, timeout=20)
        self.addCleanup(fixture.process.kill)
        mta = self.enter(MTA(f"unix:{folder}/milter.sock"))
        message, _ = mta.deliver(mailbox.unique("unix"), headers=[("X-Do", "add X-Seen yes")])
        self.assertEqual(message["X-Seen"], "yes")


class Dead(ForeignCase):
    """Nobody listens there."""

    def mta(self, action):
        return self.enter(MTA("builtin", f"inet:127.0.0.1:{gateway.free_port()}", default_action=action))

    def complaints(self, mta):
        return mta.process.output().count("milter does not work")

    def test_accept(self):
        mta = self.mta("accept")
        for _ in range(3):
            mta.deliver(mailbox.unique("delivered"))
        self.assertEqual(self.complaints(mta), 1)

    def test_tempfail(self):
        mta = self.mta("tempfail")
        for _ in range(3):
            with contextlib.suppress(smtplib.SMTPServerDisconnected), self.assertRaises(smtplib.SMTPConnectError) as caught, mta.client():
                pass
            self.assertEqual(caught.exception.smtp_code // 100, 4)
        self.assertEqual(self.complaints(mta), 1)

    def test_reject(self):
        mta = self.mta("reject")
        with self.assertRaises(smtplib.SMTPConnectError) as caught, mta.client():
            pass
        self.assertEqual(caught.exception.smtp_code // 100, 5)

    def test_its_own_default_action_comes_first(self):
        mta = self.enter(MTA("builtin", f"{{ inet:127.0.0.1:{gateway.free_port()}, default_action=accept }}", default_action="reject"))
        mta.deliver(mailbox.unique("delivered"))

    def test_quarantine(self):
        mta = self.mta("quarantine")
        self.assertEqual(mta.refusal("held")[0], 250)
        with mailbox.imap("localhost", mta.ports["imaps"], mta.values["certificate"], *gateway.ACCOUNTS[1]) as client:
            self.assertEqual(mailbox.count(client, "refused"), 0)

    def test_one_that_dies_later(self):
        signer = foreign.OpenDKIM("s")
        with signer:
            mta = self.enter(MTA("builtin", signer.milter, default_action="accept"))
            subject = mailbox.unique("alive")
            with mta.submission() as smtp:
                smtp.send_message(mailbox.message("alice@local.example", "bob@local.example", subject))
            self.assertIsNotNone(mta.read(subject)[0]["DKIM-Signature"])
        message, _ = mta.deliver(mailbox.unique("dead"))
        self.assertIsNone(message["DKIM-Signature"])
        self.assertEqual(self.complaints(mta), 1)


if __name__ == "__main__":
    unittest.main()

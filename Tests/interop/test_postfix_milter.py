"""MilterServer behind a real Postfix, with milter-fixture's scripted filters: what Postfix makes of every answer and
modification, and what it tells us of its clients."""

import grp
import os
import smtplib
import unittest

import gateway
from postfix import Postfix
from test_milter_protocol import Fixture


class PostfixCase(unittest.TestCase):
    settings = ()
    options = ()

    @classmethod
    def setUpClass(cls):
        cls.fixture = Fixture(*cls.options)
        cls.addClassCleanup(cls.fixture.process.communicate, timeout=20)
        cls.addClassCleanup(cls.fixture.process.kill)
        cls.mta = Postfix(f"inet:localhost:{cls.fixture.port}", ["rcpt.example"], settings=cls.settings)
        cls.mta.__enter__()
        cls.addClassCleanup(cls.mta.__exit__)

    def send(self, headers, body="hello\r\n", sender="a@sender.example", recipients=("b@rcpt.example",), client=None):
        message = "".join(f"{name}: {value}\r\n" for name, value in headers) + "\r\n" + body
        with client or self.mta.client("192.0.2.1", "client.example") as smtp:
            smtp.sendmail(sender, list(recipients), message.encode())
        return self.mta.delivered()[0]

    def facts(self, name, client=None):
        return self.send([("X-Tell", name)], client=client).fields("X-Facts")[0]


class Edits(PostfixCase):
    def test_insertion_above_and_below_the_mtas_received_field(self):
        mail = self.send([("Subject", "s"), ("X-Do", "insert 0 X-Top 1"), ("X-Do", "insert 2 X-Under-Subject 2"), ("X-Do", "add X-End 3")])
        names = [name for name in mail.names if name not in ("Return-Path", "X-Original-To", "Delivered-To", "X-Do", "Message-Id", "Date", "From")]
        self.assertEqual(names, ["X-Top", "Received", "Subject", "X-Under-Subject", "X-End"])

    def test_the_right_one_of_several(self):
        dup = [("Dup", "1"), ("Dup", "2"), ("Dup", "3"), ("Dup", "4")]
        mail = self.send(dup + [("X-Do", "change Dup 3 three"), ("X-Do", "delete Dup 1"), ("X-Do", "delete Dup 1"),
                                ("X-Do", "insert 0 Dup zero"), ("X-Do", "change Dup 3 last")])
        self.assertEqual(mail.fields("Dup"), ["zero", "three", "last"])

    def test_envelope(self):
        mail = self.send([("X-Do", "chgfrom new@sender.example"), ("X-Do", "addrcpt added@rcpt.example"), ("X-Do", "delrcpt B@rcpt.example")],
                         recipients=["B@RCPT.example"])
        self.assertEqual((mail.fields("Return-Path"), mail.fields("Delivered-To")), (["<new@sender.example>"], ["added@rcpt.example"]))

    def test_body(self):
        self.assertEqual(self.send([("Subject", "s"), ("X-Do", "body replaced")]).body, b"replaced\n")

    def test_quarantine_holds(self):
        with self.mta.client() as smtp:
            smtp.sendmail("a@sender.example", ["b@rcpt.example"], "X-Do: quarantine looks odd\r\n\r\nx\r\n")
        gateway.wait_until(lambda: len(self.mta.held()) == 1, 20, lambda: self.mta.log())


class OverAUNIXSocket(unittest.TestCase):
    """Postfix's user is neither root nor us: the socket's group and mode let it in."""

    def test_the_group_may_connect(self):
        folder = self.enterContext(gateway.temporary_folder())
        os.chmod(folder, 0o755)
        spec = f"unix:{folder}/milter"
        fixture = Fixture("--mode", "660", "--group", str(grp.getgrnam("postfix").gr_gid), spec=spec)
        self.addCleanup(fixture.process.communicate, timeout=20)
        self.addCleanup(fixture.process.kill)
        mta = self.enterContext(Postfix(spec, ["rcpt.example"]))
        with mta.client("192.0.2.1", "client.example") as smtp:
            smtp.sendmail("a@sender.example", ["b@rcpt.example"], "X-Do: add X-Seen yes\r\n\r\nx\r\n")
        self.assertEqual(mta.delivered()[0].fields("X-Seen"), ["yes"])


class Replies(PostfixCase):
    def refused(self, call):
        with self.mta.client("192.0.2.1", "client.example") as smtp:
            smtp.ehlo()
            return call(smtp)

    def test_at_mail(self):
        self.assertEqual(self.refused(lambda s: s.mail("reject@sender.example")), (554, b"5.7.9 scripted refusal of 100%"))
        self.assertEqual(self.refused(lambda s: s.mail("multi@sender.example")), (550, b"5.7.1 first line\n5.7.1 second line"))

    def test_at_one_recipient(self):
        def call(smtp):
            smtp.mail("a@sender.example")
            return [smtp.rcpt(f"{word}@rcpt.example")[0] for word in ("tempfail", "good", "reject")]
        self.assertEqual(self.refused(call), [450, 250, 554])

    def test_at_end_of_message(self):
        with self.assertRaises(smtplib.SMTPDataError) as caught:
            self.send([("X-Do", "reject")])
        self.assertEqual((caught.exception.smtp_code, caught.exception.smtp_error), (554, b"5.7.9 scripted refusal of 100%"))

    def test_discard_is_a_success_to_the_client_and_delivers_nothing(self):
        with self.mta.client() as smtp:
            smtp.sendmail("a@sender.example", ["b@rcpt.example"], "Subject: gone\r\nX-Do: discard\r\n\r\nx\r\n")
        mail = self.send([("Subject", "kept")])
        self.assertEqual(mail.fields("Subject"), ["kept"])


class Facts(PostfixCase):
    settings = ("milter_macro_daemon_name = ORIGINATING",)
    options = ("--own", "198.51.100.0/24")

    def test_a_stranger_stays_one_though_the_daemon_is_named_originating(self):
        self.assertEqual(self.facts("ours", self.mta.client("192.0.2.1", "client.example")), "false false ORIGINATING")

    def test_own_network(self):
        self.assertEqual(self.facts("ours", self.mta.client("198.51.100.7")), "true true ORIGINATING")

    def test_client(self):
        self.assertEqual(self.facts("client", self.mta.client("192.0.2.1", "client.example")), "192.0.2.1 4711 client.example")
        self.assertEqual(self.facts("client", self.mta.client("192.0.2.1")), "192.0.2.1 4711 -")
        self.assertEqual(self.facts("client", self.mta.client("IPV6:2001:db8::1")), "2001:db8::1 4711 -")

    def test_authenticated_client(self):
        self.assertEqual(self.facts("auth", self.mta.client("192.0.2.1", login="alice")), "alice XCLIENT")
        self.assertEqual(self.facts("ours", self.mta.client("192.0.2.1", login="alice")), "true false ORIGINATING")

    def test_mail_by_sendmail_is_ours(self):
        self.mta.sendmail("a@sender.example", ["b@rcpt.example"], "Subject: local\nX-Tell: ours\n\nhello\n")
        self.assertEqual(self.mta.delivered()[0].fields("X-Facts"), ["true true ORIGINATING"])

    def test_tls(self):
        client = self.mta.client()
        client.starttls()
        self.assertRegex(self.facts("tls", client), r"^TLSv1\.[23] \S+ (128|256)$")

    def test_header_octets_reach_us_as_sent(self):
        mail = self.send([("Subject", "folded\r\n\tand  folded\r\n again"), ("X-Tell", "header")])
        told = [bytes(int(octet, 16) for octet in field.split(".")) for field in mail.fields("X-Facts")[0].split("/")]
        self.assertIn(b"Subject: folded\r\n\tand  folded\r\n again", told)

    def test_several_messages_on_one_connection(self):
        with self.mta.client("192.0.2.1", "client.example") as smtp:
            for number in range(3):
                smtp.sendmail("a@sender.example", ["b@rcpt.example"], f"Subject: {number}\r\n\r\nx\r\n")
                smtp.rset()
        self.assertEqual(sorted(mail.fields("Subject")[0] for mail in self.mta.delivered(3)), ["0", "1", "2"])


if __name__ == "__main__":
    unittest.main()

"""A real Postfix with `postern demo` as its milter: inbound mail is verified, outbound mail is signed, seen in the
messages it delivers."""

import unittest

import dkim

import gateway
import mailbox
from postfix import Postfix


class BehindPostfix(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.demo = cls.enterClassContext(gateway.Demo())
        # As the guide's main.cf has it: named ORIGINATING for every connection.
        settings = ("milter_macro_daemon_name = ORIGINATING",)
        cls.mta = cls.enterClassContext(
            Postfix(f"inet:localhost:{cls.demo.milter_port}", [cls.demo.domain, "rcpt.example"], hostname="mx.postfix.example", settings=settings))

    def outbound(self, subject):
        """What is delivered of a message from our account, logged in at Postfix."""
        message = mailbox.message(self.demo.user, "someone@rcpt.example", subject)
        with self.mta.client("192.0.2.77", login=self.demo.user) as smtp:
            smtp.send_message(message)
        return self.mta.delivered()[0]

    def resolve(self, name, timeout=5):
        record = self.demo.txt_record(name.decode())
        return record.encode() if record else b""

    def test_outbound_is_signed(self):
        mail = self.outbound(mailbox.unique("signed"))
        self.assertTrue(any(f"d={self.demo.domain}" in value.replace(" ", "") for value in mail.fields("DKIM-Signature")), mail.raw)
        self.assertTrue(dkim.verify(mail.with_crlf, dnsfunc=self.resolve), mail.raw)

    def test_the_body_changed_on_its_way_does_not_verify(self):
        mail = self.outbound(mailbox.unique("changed"))
        self.assertFalse(dkim.verify(mail.with_crlf + b"more\r\n", dnsfunc=self.resolve))

    def test_mail_by_sendmail_is_signed(self):
        subject = mailbox.unique("sendmail")
        self.mta.sendmail(self.demo.user, ["someone@rcpt.example"], mailbox.message(self.demo.user, "someone@rcpt.example", subject).as_string())
        mail = self.mta.delivered()[0]
        self.assertTrue(dkim.verify(mail.with_crlf, dnsfunc=self.resolve), mail.raw)

    def test_inbound_from_a_stranger_is_verified_and_not_signed(self):
        with self.mta.client("192.0.2.1", "client.stranger.example") as smtp:
            smtp.send_message(mailbox.message("a@stranger.example", self.demo.user, mailbox.unique("inbound")))
        mail = self.mta.delivered()[0]
        results = " ".join(mail.fields("Authentication-Results"))
        for word in ("spf=", "dkim=none", "dmarc="):
            self.assertIn(word, results)
        self.assertEqual(mail.fields("DKIM-Signature"), [])

    def test_a_signed_message_passes_inbound(self):
        signed = self.outbound(mailbox.unique("roundabout")).with_crlf
        with self.mta.client("192.0.2.2", "relay.example") as smtp:
            smtp.sendmail("bounces@relay.example", ["someone@rcpt.example"], signed)
        results = " ".join(self.mta.delivered()[0].fields("Authentication-Results"))
        self.assertRegex(results, rf"dkim=pass[^;]*{self.demo.domain}")

    def test_a_forged_results_field_is_taken_away(self):
        plain = self.mta
        with plain.client("192.0.2.3", "client.stranger.example") as smtp:
            smtp.send_message(mailbox.message("a@stranger.example", "someone@rcpt.example", mailbox.unique("honest")))
        authserv = plain.delivered()[0].fields("Authentication-Results")[0].split(";")[0].strip()
        message = mailbox.message("a@stranger.example", "someone@rcpt.example", mailbox.unique("forged"))
        message["Authentication-Results"] = f"{authserv}; dkim=pass header.d=bank.example"
        with plain.client("192.0.2.3", "client.stranger.example") as smtp:
            smtp.send_message(message)
        self.assertNotIn("bank.example", " ".join(plain.delivered()[0].fields("Authentication-Results")))


if __name__ == "__main__":
    unittest.main()

"""A guide's Postfix, its files word for word, with us for log-in, milter, delivery and IMAP."""

import base64
import hashlib
import hmac
import smtplib
import subprocess
import unittest

import dkim

import gateway
import mailbox
from guide_machine import ADDRESS, GuideMachine, PASSWORD, STRANGER, USER


class BesidePostfix(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.machine = cls.enterClassContext(GuideMachine())

    def submission(self):
        """A client on port 587, TLS begun."""
        smtp = smtplib.SMTP(ADDRESS, 587, timeout=30)
        self.addCleanup(smtp.close)
        smtp.starttls(context=mailbox.tls(self.machine.ca_file))
        smtp.ehlo()
        return smtp

    def from_stranger(self):
        """Another server on port 25, TLS begun, as the guide demands of all."""
        smtp = smtplib.SMTP(ADDRESS, 25, "client.stranger.example", 30, source_address=(STRANGER, 0))
        self.addCleanup(smtp.close)
        smtp.starttls(context=mailbox.tls(self.machine.ca_file))
        return smtp

    def read(self, subject):
        with mailbox.imap(ADDRESS, 993, self.machine.ca_file, USER, PASSWORD) as imap:
            return mailbox.fetch(imap, subject, timeout=30)[1]

    def resolve(self, name, timeout=5):
        public = subprocess.run(["openssl", "pkey", "-in", f"{self.machine.folder}/dkim.key", "-pubout", "-outform", "DER"],
                                check=True, capture_output=True, timeout=30).stdout
        return b"v=DKIM1; k=rsa; p=" + base64.b64encode(public) if name.startswith(b"s1._domainkey.local.example") else b""

    # Log-in

    def test_mechanisms_are_ours(self):
        smtp = self.submission()
        self.assertEqual(set(smtp.esmtp_features["auth"].split()), {"PLAIN", "LOGIN", "SCRAM-SHA-256"})

    def test_log_in_by_plain_and_login(self):
        for method in ("auth_plain", "auth_login"):
            smtp = self.submission()
            smtp.user, smtp.password = USER, PASSWORD
            name = method.removeprefix("auth_").upper()
            self.assertEqual(smtp.auth(name, getattr(smtp, method))[0], 235, name)

    def test_log_in_by_scram(self):
        smtp = self.submission()
        self.assertEqual(scram(smtp, USER, PASSWORD)[0], 235)
        self.assertEqual(scram(self.submission(), USER, "wrong")[0], 535)

    def test_a_wrong_password_is_refused_and_logged_with_the_clients_address(self):
        with self.assertRaises(smtplib.SMTPAuthenticationError):
            self.submission().login(USER, "wrong")
        lines = [line for line in self.machine.postern.output().splitlines() if 'event="authentication failed"' in line]
        self.assertTrue(any(f"client={ADDRESS}" in line and "mechanism=" in line for line in lines), lines)

    # Mail

    def test_submission_is_signed_and_leaves(self):
        subject = mailbox.unique("outbound")
        smtp = self.submission()
        smtp.login(USER, PASSWORD)
        smtp.send_message(mailbox.message(USER, "bob@elsewhere.example", subject))
        gateway.wait_until(lambda: self.machine.elsewhere.count(subject) == 1, 30, self.machine.log)
        content = self.machine.elsewhere.messages[-1][2]
        self.assertTrue(dkim.verify(content, dnsfunc=self.resolve), content)

    def test_inbound_is_verified_delivered_and_read(self):
        subject = mailbox.unique("inbound")
        self.from_stranger().send_message(mailbox.message("a@stranger.example", USER, subject))
        octets = self.read(subject)
        self.assertRegex(octets.decode(), r"(?s)Authentication-Results: mail\.local\.example;.*spf=pass.*dmarc=pass")
        self.assertNotIn(b"DKIM-Signature", octets)
        self.assertTrue(octets.startswith(b"Return-Path: <a@stranger.example>\r\nX-Original-To: " + USER.encode() + b"\r\n"), octets)
        self.assertRegex(octets.decode(), r"by mail\.local\.example \(Postern\) with LMTP id")

    def test_the_address_with_its_tag_is_recorded(self):
        subject = mailbox.unique("tagged")
        self.from_stranger().send_message(mailbox.message("a@stranger.example", "alice+shop@local.example", subject))
        self.assertIn(b"X-Original-To: alice+shop@local.example\r\n", self.read(subject))

    def test_strangers_cannot_relay(self):
        smtp = self.from_stranger()
        with self.assertRaises(smtplib.SMTPRecipientsRefused):
            smtp.send_message(mailbox.message("a@stranger.example", "bob@elsewhere.example", "relay"))

    def test_an_unknown_user_comes_back_for_good(self):
        subject = mailbox.unique("nobody")
        self.from_stranger().send_message(mailbox.message("", "nobody@local.example", subject), from_addr="")
        gateway.wait_until(lambda: "said: 550 5.1.1 <nobody@local.example>" in self.machine.log(), 30, self.machine.log)


class WithoutUs(unittest.TestCase):
    def test_postfix_goes_on_and_delivers_when_we_are_back(self):
        with GuideMachine() as machine:
            machine.stop_postern()
            subject = mailbox.unique("meanwhile")
            message = mailbox.message("root@local.example", USER, subject)
            machine.machine.run("/usr/sbin/sendmail", "-i", "-f", "root@local.example", USER, input=message.as_string())
            gateway.wait_until(lambda: "status=deferred" in machine.log(), 30, machine.log)
            machine.start_postern()
            machine.machine.run("/usr/sbin/postqueue", "-f")
            with mailbox.imap(ADDRESS, 993, machine.ca_file, USER, PASSWORD) as imap:
                mailbox.fetch(imap, subject, timeout=30)


def scram(smtp, user, password):
    """RFC 5802's client over AUTH; the server's last word."""
    first = f"n={user},r=abcdefgh"
    code, text = smtp.docmd("AUTH", "SCRAM-SHA-256 " + base64.b64encode(f"n,,{first}".encode()).decode())
    if code != 334:
        return code, text
    challenge = base64.b64decode(text).decode()
    nonce, salt, count = (part[2:] for part in challenge.split(","))
    final = f"c=biws,r={nonce}"
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(count))
    key = hmac.digest(salted, b"Client Key", "sha256")
    spoken = f"{first},{challenge},{final}".encode()
    signature = hmac.digest(hashlib.sha256(key).digest(), spoken, "sha256")
    proof = base64.b64encode(bytes(a ^ b for a, b in zip(key, signature))).decode()
    code, text = smtp.docmd(base64.b64encode(f"{final},p={proof}".encode()).decode())
    if code != 334:
        return code, text
    server = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), spoken, "sha256")
    if base64.b64decode(text) != b"v=" + base64.b64encode(server):
        raise AssertionError("the server did not prove itself")
    return smtp.docmd("")


if __name__ == "__main__":
    unittest.main()

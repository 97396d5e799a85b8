"""Mail to Postfix, Exim and OpenSMTPD, and to servers that break off where they should not: each outcome is right, nothing is
lost, and nothing arrives twice but where SMTP cannot avoid it."""

import os
import unittest

import gateway
import mailbox
from authority import Authority
from fickle import Fickle
from namespace import Namespace
from postfix import Postfix
from receivers import Exim, OpenSMTPD, folders, unpack
from relaymachine import RelayMachine

EXIM, SMTPD = "192.0.2.22", "192.0.2.23"
# Each test of a fickle server has servers of its own, since connections outlive it.
FICKLE = {name: (f"192.0.2.{30 + 2 * index}", f"192.0.2.{31 + 2 * index}")
          for index, name in enumerate(("content", "verdict", "temporary", "greeting-554", "421-rcpt", "silent-close"))}
ADDRESSES = [EXIM, SMTPD, *(address for pair in FICKLE.values() for address in pair)]

ACCESS = "no@postfix.example REJECT 5.1.1 no such user\nlater@postfix.example 450 4.2.0 greylisted\n"


def zone(**hosts):
    """Domains of `example.`-like zone with one MX each, or several in order."""
    lines = ""
    for name, addresses in hosts.items():
        for index, address in enumerate(addresses):
            lines += f"{name} 300 IN MX {10 * (index + 1)} mx{index}.{name}\nmx{index}.{name} 300 IN A {address}\n"
    return lines


class Peers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(gateway.temporary_folder())
        os.chmod(cls.folder, 0o755)
        cls.authority = Authority(cls.folder + "/ca")
        root = unpack(cls.folder)
        places = folders(cls.folder, root)
        names = {"peers.example": zone(exim=[EXIM], opensmtpd=[SMTPD], postfix=["127.0.0.1"], **FICKLE)}
        cls.postfix_port = None
        settings = f'smtp_tls_CAfile = "{cls.authority.file}"\nsmtp_connection_cache_time_limit = "30s"\nsmtp_connection_reuse_count_limit = 5\n'
        cls.machine = RelayMachine(ADDRESSES, names, settings=settings, namespace=Namespace(
            addresses=ADDRESSES, folders=places), backoff="1s", tables=cls.tables)
        cls.enterClassContext(cls.machine)
        machine = cls.machine.machine
        cls.exim = cls.enterClassContext(Exim(cls.folder + "/exim", root, machine, EXIM, cls.authority.issue("mx0.exim.peers.example")))
        cls.smtpd = cls.enterClassContext(OpenSMTPD(cls.folder + "/smtpd", root, machine, SMTPD))

    @classmethod
    def tables(cls):
        """Called inside the namespace, before postern starts: the Postfix must be there to be named."""
        access = cls.folder + "/access"
        with open(access, "w") as file:
            file.write(ACCESS)
        cls.access = access
        cls.postfix = cls.enterClassContext(Postfix("", ["postfix.example", "wrong.example"], hostname="mx.postfix.example", settings=(
            "smtpd_tls_security_level = encrypt", f"smtpd_recipient_restrictions = check_recipient_access texthash:{access}, reject_unauth_destination")))
        place = f"smtp:[127.0.0.1]:{cls.postfix.port}"
        return (f'[transport]\n"postfix.example" = "{place}"\n"wrong.example" = "smtp:[mx0.postfix.peers.example]:{cls.postfix.port}"\n'
                f'[smtp_tls_policy]\n"[mx0.postfix.peers.example]:{cls.postfix.port}" = "verify"\n')

    # Real receivers

    def test_postfix_gets_a_message_once_and_whole(self):
        subject = mailbox.unique("postfix")
        lines = [b"Subject: " + subject.encode(), b"MIME-Version: 1.0", b"Content-Type: text/plain; charset=utf-8", b"Content-Transfer-Encoding: 8bit", b"",
                 b".", b"..two", "Gr\u00fc\u00dfe".encode(), *([b"x" * 70] * 5000), b"end", b""]
        self.machine.send("bob@postfix.example", content=b"\r\n".join(lines))
        self.assertEqual(self.machine.outcomes("bob@postfix.example")[-1].status, "sent")
        mail = self.postfix.delivered()
        self.assertEqual(len(mail), 1)
        self.assertTrue(mail[0].with_crlf.endswith(b"\r\n".join(lines[5:])), mail[0].with_crlf[-300:])
        # It takes mail over TLS alone.
        self.assertIn("TLS", mail[0].fields("Received")[0])

    def test_messages_in_a_row_take_one_connection(self):
        before = self.postfix.log().count(": connect from")
        for _ in range(4):
            name = mailbox.unique("row").replace(" ", "-")
            self.assertEqual(self.machine.deliver(f"{name}@postfix.example").status, "sent")
        self.assertLessEqual(self.postfix.log().count(": connect from") - before, 1)
        self.postfix.delivered(4)

    def test_each_recipient_has_its_own_fate(self):
        subject = mailbox.unique("fates")
        self.machine.send("yes@postfix.example", "no@postfix.example", "later@postfix.example", subject=subject)
        self.assertEqual(self.machine.outcomes("yes@postfix.example")[-1].status, "sent")
        refused = self.machine.outcomes("no@postfix.example")[-1]
        self.assertEqual((refused.status, refused.dsn, refused.cause), ("bounced", "5.1.1", "reply"))
        self.assertEqual(self.machine.outcomes("later@postfix.example")[0].dsn, "4.2.0")
        # The greylisting ends: the one that waited gets its copy, the other no second one.
        with open(self.access, "w") as file:
            file.write(ACCESS.splitlines()[0] + "\n")
        self.postfix._postfix("reload")
        gateway.wait_until(lambda: self.machine.outcomes("later@postfix.example")[-1].status == "sent", 60, self.machine.process.output)
        got = [mail for mail in self.postfix.delivered(2) if subject in mail.fields("Subject")]
        self.assertEqual(sorted(mail.fields("X-Original-To")[0] for mail in got), ["later@postfix.example", "yes@postfix.example"])

    def test_a_certificate_of_nobody_is_not_enough_to_verify(self):
        outcome = self.machine.deliver("bob@wrong.example")
        self.assertEqual((outcome.status, outcome.cause, outcome.dsn), ("deferred", "tls", "4.7.5"), outcome)

    def test_exim_gets_a_message_once_over_tls(self):
        for recipient in ("bob@exim.peers.example", "secret@exim.peers.example"):
            self.assertEqual(self.machine.deliver(recipient).status, "sent")
            self.assertEqual(self.exim.received(recipient), ["esmtps"])

    def test_exims_refusals_are_told_apart(self):
        self.machine.send("ann@exim.peers.example", "no@exim.peers.example", "later@exim.peers.example")
        self.assertEqual(self.machine.outcomes("ann@exim.peers.example")[0].status, "sent")
        self.assertEqual(self.machine.outcomes("no@exim.peers.example")[0].status, "bounced")
        self.assertEqual(self.machine.outcomes("later@exim.peers.example")[0].status, "deferred")
        gateway.wait_until(lambda: len(self.machine.outcomes("later@exim.peers.example")) > 2, 60, self.machine.process.output)
        self.assertEqual(self.exim.received("ann@exim.peers.example"), ["esmtps"])

    def test_opensmtpd_gets_a_message_once(self):
        outcome = self.machine.deliver("bob@opensmtpd.peers.example")
        self.assertEqual(outcome.status, "sent", f"{outcome}\n{self.smtpd.log()}")
        self.assertEqual(len(self.smtpd.received("bob@opensmtpd.peers.example")), 1, self.smtpd.log())

    # Servers that break off

    def settles(self, recipient):
        gateway.wait_until(lambda: self.machine.outcomes(recipient)[-1].status == "sent", 60, self.machine.process.output)
        return self.machine.outcomes(recipient)

    def test_a_connection_lost_within_the_content_makes_no_second_copy(self):
        subject = mailbox.unique("content")
        with Fickle(FICKLE["content"][0], "drop-content") as peer:
            self.machine.send("a@content.peers.example", subject=subject, content=f"Subject: {subject}\r\n\r\n".encode() + b"x" * 70 + b"\r\n")
            self.assertEqual(self.settles("a@content.peers.example")[0].cause, "connection")
            self.assertEqual((peer.had(subject), peer.took(subject)), (1, 1))

    def test_a_verdict_lost_is_not_asked_of_the_next_server_at_once(self):
        subject = mailbox.unique("verdict")
        first, second = FICKLE["verdict"]
        with Fickle(first, "drop-verdict") as peer, Fickle(second) as other:
            self.machine.send("b@verdict.peers.example", subject=subject)
            outcomes = self.settles("b@verdict.peers.example")
            self.assertEqual((outcomes[0].status, outcomes[0].cause), ("deferred", "connection"))
            # The copy that the first server may have kept cannot be known of; there is one more, and it is acknowledged.
            self.assertEqual((peer.had(subject), peer.took(subject), other.had(subject)), (2, 1, 0))

    def test_a_temporary_verdict_goes_to_the_next_server(self):
        subject = mailbox.unique("temporary")
        first, second = FICKLE["temporary"]
        with Fickle(first, "4xx-verdict") as peer, Fickle(second) as other:
            self.machine.send("c@temporary.peers.example", subject=subject)
            self.settles("c@temporary.peers.example")
            self.assertEqual((peer.took(subject), other.took(subject)), (0, 1))

    def test_refusals_of_a_server_are_not_the_recipients(self):
        for act in ("greeting-554", "421-rcpt", "silent-close"):
            subject, recipient = mailbox.unique(act), f"bob@{act}.peers.example"
            with Fickle(FICKLE[act][0], act), Fickle(FICKLE[act][1]) as other:
                self.machine.send(recipient, subject=subject)
                self.settles(recipient)
                self.assertEqual(other.took(subject), 1, act)


if __name__ == "__main__":
    unittest.main()

"""Aliases over our SMTP port: lists, virtual aliases, a catch-all; and forwarding to other servers with the sender
rewritten, so that SPF holds there and what they return finds its way back."""

import os
import re
import signal
import smtplib
import unittest

import gateway
import mailbox
from lines import Lines
from postfix import Postfix
from sink import Sink

ZONE = """\
local.example. 3600 IN TXT "v=spf1 ip4:127.0.0.2 -all"
local.example. 3600 IN MX 10 mail.local.example.
mail.local.example. 3600 IN A 127.0.0.2
source.example. 3600 IN TXT "v=spf1 ip4:127.0.0.1 -all"
source.example. 3600 IN MX 10 mail.source.example.
mail.source.example. 3600 IN A 127.0.0.1
"""

ALIASES = """\
# aliases(5)
postmaster:  alice
team:        alice,
    bob, carol@far.example
everybody:   :include:{folder}/everybody
news:        carol@far.example, dan@far.example
owner-news:  bob
nobody-here: ghost, phantom
half:        alice, ghost
circle:      round
round:       circle
"""

SETTINGS = """\
alias_maps = ["hash:aliases"]
virtual_alias_maps = ["virtual"]
catch_all = {{ "all.example" = "bob@local.example" }}
virtual_alias_domains = ["all.example"]
smtp_bind_address = "127.0.0.2"
"""


class Forwarder(gateway.Server):
    """local.example, with aliases; leaves from 127.0.0.2."""

    def __init__(self, smtp_port=None, **overrides):
        super().__init__(extra=SETTINGS.format(), **overrides)
        self.smtp_port = smtp_port

    def choose_port(self, name):
        return self.smtp_port if name == "smtp" and self.smtp_port else gateway.free_port()

    def add_accounts(self):
        self.put("aliases", ALIASES.format(folder=self.folder))
        self.put("everybody", "# the house\nalice\nbob\n")
        self.put("virtual", "forward@local.example carol@far.example\nsales@local.example bob@local.example\n"
                            "gone@local.example gone@far.example\nrefused@local.example dan@far.example\nboth@local.example sales@local.example, bob\n")
        self.put("zone.txt", ZONE)
        super().add_accounts()

    def put(self, name, text):
        with open(os.path.join(self.folder, name), "w") as file:
            file.write(text)

    def send(self, recipients, sender="ann@source.example", subject=None, options=()):
        subject = subject or mailbox.unique("alias")
        with smtplib.SMTP("127.0.0.1", self.ports["smtp"], local_hostname="mail.source.example", timeout=30) as smtp:
            message = mailbox.message(sender or "ann@source.example", recipients[0], subject)
            smtp.send_message(message, sender, recipients, rcpt_options=options)
        return subject

    def mailbox(self, name):
        password = dict(gateway.ACCOUNTS)[f"{name}@local.example"]
        return mailbox.imap("127.0.0.1", self.ports["imaps"], os.path.join(self.folder, "cert.pem"), f"{name}@local.example", password)

    def read(self, name, subject):
        with self.mailbox(name) as client:
            text = mailbox.fetch(client, subject)[1].decode()
            if mailbox.count(client, subject) != 1:
                raise AssertionError(f"{subject} is there more than once")
            return text

    def ask(self, recipient, sender="ann@source.example"):
        """The reply to RCPT."""
        with Lines(self.ports["smtp"]) as lines:
            lines.ask("EHLO mail.source.example")
            lines.ask(f"MAIL FROM:<{sender}>")
            return lines.ask(f"RCPT TO:<{recipient}>").decode().strip()


class Far(gateway.Server):
    """far.example, where carol is."""

    def add_accounts(self):
        with open(self.config) as file:
            text = file.read().replace("mydestination = [\"local.example\"]", "mydestination = [\"far.example\"]").replace("mail.local.example", "mail.far.example")
        with open(self.config, "w") as file:
            file.write(text)
        with open(os.path.join(self.folder, "zone.txt"), "w") as file:
            file.write(ZONE)
        gateway.add_account(self.config, "carol@far.example", "correct horse")


class Aliases(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Forwarder())
        cls.hop = cls.enterClassContext(Sink(cls.server.values["relay_port"]))

    def forwarded(self, subject, count=1):
        """(sender, recipients, content) of what the next hop got."""
        gateway.wait_until(lambda: self.hop.count(subject) >= count, 20, lambda: f"{subject} did not leave:\n{self.server.process.output()}")
        return [one for one in self.hop.messages if f"Subject: {subject}\r\n".encode() in one[2]]

    def test_a_list_reaches_accounts_and_another_server(self):
        subject = self.server.send(["TEAM+x@local.example"])
        for name in ("alice", "bob"):
            text = self.server.read(name, subject)
            self.assertIn("X-Original-To: TEAM+x@local.example\r\n", text)
            self.assertIn("Return-Path: <ann@source.example>\r\n", text)
        sender, recipients, _ = self.forwarded(subject)[0]
        self.assertRegex(sender, r"^MAIL FROM:<SRS0=[^=]{4}=[A-Z2-7]{2}=source\.example=ann@local\.example>")
        self.assertEqual(len(recipients), 1)
        self.assertRegex(recipients[0], r"^RCPT TO:<carol@far\.example>")

    def test_an_included_list_and_no_duplicates(self):
        subject = self.server.send(["everybody@local.example", "alice@local.example", "both@local.example"])
        for name in ("alice", "bob"):
            self.server.read(name, subject)

    def test_the_owner_of_a_list_is_told_of_failures(self):
        subject = self.server.send(["news@local.example"])
        sender, recipients, _ = self.forwarded(subject)[0]
        self.assertRegex(sender, r"^MAIL FROM:<owner-news@local\.example>")
        self.assertEqual(len(recipients), 2)

    def test_our_own_sender_is_not_rewritten(self):
        subject = self.server.send(["forward@local.example"], sender="alice@local.example")
        self.assertRegex(self.forwarded(subject)[0][0], r"^MAIL FROM:<alice@local\.example>")

    def test_no_sender_stays_none(self):
        subject = self.server.send(["forward@local.example", "news@local.example"], sender="")
        self.assertRegex(self.forwarded(subject)[0][0], r"^MAIL FROM:<>")

    def test_what_leads_to_nobody_is_refused(self):
        for name in ("nobody-here", "ghost"):
            self.assertRegex(self.server.ask(f"{name}@local.example"), r"^550 5\.1\.1 ")
        self.assertRegex(self.server.ask("circle@local.example"), r"^451 4\.")
        self.assertRegex(self.server.ask("forward@far.example"), r"^554 5\.7\.1 ")
        self.server.read("alice", self.server.send(["half@local.example"]))

    def test_a_catch_all_takes_the_rest_of_its_domain(self):
        subject = self.server.send(["shop-7@all.example"])
        text = self.server.read("bob", subject)
        self.assertIn("X-Original-To: shop-7@all.example\r\n", text)
        self.assertIn("tag=shop-7", text)

    def test_forged_rewritten_addresses_are_refused(self):
        for local in ("SRS0=AAAA=AA=source.example=ann", "SRS0=x", "SRS1=AAAA=far.example==x=y=z=w"):
            self.assertRegex(self.server.ask(f"{local}@local.example", sender=""), r"^550 5\.1\.1 ")

    def test_an_account_may_write_as_an_alias_that_is_its_alone(self):
        with mailbox.submission("127.0.0.1", self.server.ports["submission"], os.path.join(self.server.folder, "cert.pem"), "bob@local.example", "battery staple") as smtp:
            for sender, code in (("sales@local.example", 250), ("sales+x@local.example", 250), ("shop@all.example", 250), ("team@local.example", 553),
                                 ("alice@local.example", 553), ("forward@local.example", 553), ("nobody-here@local.example", 553), ("x@far.example", 553)):
                self.assertEqual(smtp.mail(sender)[0], code, sender)
                smtp.rset()

    def test_who_asked_is_told_that_a_list_was_expanded(self):
        subject = mailbox.unique("expanded")
        self.server.send(["team@local.example"], sender="alice@local.example", subject=subject, options=["NOTIFY=SUCCESS,FAILURE"])
        with self.server.mailbox("alice") as client:
            text = mailbox.fetch(client, "Your message was passed on to several addresses")[1].decode()
        self.assertIn("Action: expanded\r\n", text)
        self.assertIn("Final-Recipient: rfc822; team@local.example\r\n", text)
        self.assertRegex(self.forwarded(subject)[0][1][0], "carol@far.example")


class Reload(unittest.TestCase):
    def test_a_bad_file_keeps_the_old_tables_and_names_the_line(self):
        with Forwarder() as server:
            def reload(word):
                before = len(server.process.output())
                server.process.process.send_signal(signal.SIGHUP)
                gateway.wait_until(lambda: word in server.process.output()[before:], 20, lambda: f"no '{word}':\n{server.process.output()}")

            server.put("aliases", "team: alice\nbad: |/bin/sh\n")
            reload(f"{server.folder}/aliases:2: ")
            self.assertRegex(server.ask("everybody@local.example"), "^250 ")
            status, text = gateway.run_to_end("check", "--config", server.config)
            self.assertEqual(status, 1, text)
            self.assertIn("aliases:2: ", text)
            os.unlink(os.path.join(server.folder, "aliases"))
            reload(f"{server.folder}/aliases: cannot be read")
            self.assertRegex(server.ask("everybody@local.example"), "^250 ")
            server.put("aliases", "fresh: alice\nlost: ghost\n")
            reload("event=reloaded")
            self.assertRegex(server.ask("everybody@local.example"), "^550 5.1.1 ")
            self.assertRegex(server.ask("fresh@local.example"), "^250 ")
            status, text = gateway.run_to_end("check", "--config", server.config)
            self.assertEqual(status, 0, text)
            self.assertRegex(text, "alias lost: .*ghost@local.example")


class Forwarding(unittest.TestCase):
    def test_spf_holds_at_the_next_postern(self):
        port = gateway.free_port()
        with Far() as far, Forwarder(relay_port=far.ports["smtp"], smtp_port=port) as server:
            subject = server.send(["forward+x@local.example"])
            with mailbox.imap("127.0.0.1", far.ports["imaps"], os.path.join(far.folder, "cert.pem"), "carol@far.example", "correct horse") as client:
                text = mailbox.fetch(client, subject)[1].decode()
            self.assertRegex(text, r"Return-Path: <SRS0=[^>]+=source\.example=ann@local\.example>")
            self.assertRegex(text, r"Authentication-Results: mail\.far\.example;[^:]*spf=pass")
            self.assertIn("Delivered-To: carol+x@far.example", text)

    def test_what_another_server_returns_goes_back_to_the_first_sender(self):
        port = gateway.free_port()
        transports = "transport_maps = inline:{ {gone@far.example = error:5.1.1 gone away}, {local.example = smtp:[127.0.0.1]:%d} }" % port
        refusal = "smtpd_recipient_restrictions = check_recipient_access inline:{ {dan@far.example = 550 5.1.1 no dan here} }, permit"
        with Postfix(milter="", domains=["far.example", "source.example"], hostname="mail.far.example", settings=[transports, refusal, "smtpd_reject_unlisted_recipient = no"]) as far:
            with Forwarder(relay_port=far.port, smtp_port=port) as server:
                subject = server.send(["gone@local.example"])
                mail = far.delivered()[0]
                self.assertEqual(mail.fields("Return-Path"), ["<>"], mail.raw)
                self.assertEqual(mail.fields("X-Original-To"), ["ann@source.example"])
                self.assertIn(f"Subject: {subject}".encode(), mail.raw)
                rewritten = re.search(rb"SRS0=[^ >\n]+@local\.example", mail.raw).group().decode()
                # Only what has no sender: nobody writes to people through it.
                self.assertRegex(server.ask(rewritten, sender="spam@source.example"), "^550 5.1.1 ")
                self.assertRegex(server.ask(rewritten, sender=""), "^250 ")
                self.assertRegex(server.ask(rewritten.replace("=ann@", "=bob@"), sender=""), "^550 5.1.1 ")
                # Refused at once, the notice is our own.
                server.send(["refused@local.example"])
                mail = far.delivered()[0]
                self.assertEqual(mail.fields("To"), ["<ann@source.example>"], mail.raw)
                self.assertEqual(mail.fields("X-Original-To"), ["ann@source.example"])
                self.assertIn(b"Original-Recipient: rfc822;refused@local.example", mail.raw)


if __name__ == "__main__":
    unittest.main()

"""The rules of a running server: what they look up, whom they let wait, and where they send mail; over our own SMTP port
and through a Postfix that asks us as its milter."""

import email.policy
import email.utils
import io
import os
import signal
import smtplib
import tempfile
import unittest
import zipfile

import gateway
import lines
import mailbox
import miltercodec
from postfix import Postfix

ZONE = """\
local.example. 3600 IN MX 10 mail.local.example.
mail.local.example. 3600 IN A 127.0.0.1
rcpt.example. 3600 IN MX 10 mail.rcpt.example.
good.example. 3600 IN MX 10 mail.good.example.
null.example. 3600 IN MX 0 .
66.113.0.203.bl.example. 3600 IN A 127.0.0.4
66.113.0.203.other.example. 3600 IN A 127.0.0.2
67.113.0.203.bl.example. 3600 IN A 127.255.255.254
68.113.0.203.other.example. 3600 IN A 127.0.0.2
"""

RULES = """\
dnsbl "spam" { "bl.example" weight 3 for 127.0.0.2..127.0.0.11  "other.example" weight 2 }

stage mail
rule "listed" when dnsbl["spam"] >= 3 then reject 554 "5.7.1" "{client.ip} is listed"
rule "no answer possible" when sender.mx in [null, none] then reject 550 "5.1.8" "{sender.domain} takes no mail"
rule "our name" when sender.own then reject 550 "5.7.1" "log in to write as {sender}"
rule "clear" when sender == "secret@good.example" then require tls
rule "denied" when sender in table "denied" then reject 550 "5.7.1" "denied"

stage rcpt
rule "moved" when recipient in ["old@local.example", "old@rcpt.example"] then change recipient to "alice@{domain}"
rule "copied" when recipient in ["bob@local.example", "bob@rcpt.example"] then copy to "alice@{domain}"
rule "slow" when recipient.detail == "slow" then limit rate(client.ip, recipient, 1h) to 2
rule "grey" when recipient.detail == "grey" then greylist delay 1s

stage message
rule "run" when attachments.name matches "*.exe" then reject 550 "5.7.1" "no programs"
rule "locked" when attachments.encrypted then reject 550 "5.7.1" "no locked archives"
rule "old" when message.age > 30d then add header "X-Age" "old"
rule "all" when header["Subject"] matches "all to alice *" then redirect to "alice@{domain}"
"""


def zipped(name):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, b"x" * 100)
    return out.getvalue()


def with_archive(subject, inside):
    message = mailbox.message("ann@good.example", "alice@local.example", subject)
    message.add_attachment(zipped(inside), maintype="image", subtype="png", filename="holiday.png")
    return message


class Rules:
    """A server with these rules in a folder that tests may write to."""

    @classmethod
    def start(cls, domain):
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="postern-policy-"))
        os.chmod(cls.folder, 0o755)
        cls.write("10-test.policy", RULES.replace("{domain}", domain))
        cls.write("denied", "before@good.example\n")
        cls.write("zone", ZONE)
        cls.server = cls.enterClassContext(gateway.Server(
            zone_file=os.path.join(cls.folder, "zone"), policy_dir=cls.folder, extra='smtpd_authorized_xclient_hosts = ["127.0.0.0/8"]'))

    @classmethod
    def write(cls, name, text):
        with open(os.path.join(cls.folder, name), "w") as file:
            file.write(text)

    def outcome(self, sender="ann@good.example", recipient="alice@local.example", message=None, client="203.0.113.1"):
        """(code, text) of the first refusal, or of the message; its id aside."""
        with self.client(client) as smtp:
            smtp.ehlo("client.example")
            for code, text in (smtp.mail(sender), smtp.rcpt(recipient)):
                if code != 250:
                    return code, text.decode()
            text = message or mailbox.message(sender, recipient, mailbox.unique())
            code, reply = smtp.data(text.as_bytes(policy=email.policy.SMTP))
            return code, lines.words(reply.decode())


class OverSMTP(Rules, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.start("local.example")
        gateway.add_account(cls.server.config, "old@local.example", "old password")

    def client(self, address):
        smtp = smtplib.SMTP("127.0.0.1", self.server.ports["smtp"], timeout=30)
        smtp.ehlo("proxy.local.example")
        self.assertEqual(smtp.docmd("XCLIENT", f"NAME=[UNAVAILABLE] ADDR={address}")[0], 220)
        return smtp

    def inbox(self, user, password):
        return mailbox.imap("127.0.0.1", self.server.ports["imaps"], self.server.values["certificate"], user, password)

    def count(self, user, password, subject):
        with self.inbox(user, password) as client:
            return mailbox.count(client, subject)

    def test_dns_lists(self):
        self.assertEqual(self.outcome(client="203.0.113.66"), (554, "5.7.1 203.0.113.66 is listed"))
        for client in ("203.0.113.65", "203.0.113.67", "203.0.113.68"):
            self.assertEqual(self.outcome(client=client)[0], 250, "not listed, refused by the list, or of too little weight")

    def test_a_sender_that_takes_no_mail(self):
        self.assertEqual(self.outcome(sender="a@null.example"), (550, "5.1.8 null.example takes no mail"))
        self.assertEqual(self.outcome(sender="a@nowhere.example")[0], 550)
        self.assertEqual(self.outcome(sender="")[0], 250, "a bounce")

    def test_our_name_from_strangers(self):
        self.assertEqual(self.outcome(sender="bob@local.example"), (550, "5.7.1 log in to write as bob@local.example"))

    def test_tls_is_required(self):
        self.assertEqual(self.outcome(sender="secret@good.example"), (530, "5.7.0 Must issue a STARTTLS command first"))
        with self.client("203.0.113.1") as smtp:
            smtp.starttls(context=mailbox.tls(self.server.values["certificate"]))
            smtp.ehlo("client.example")
            self.assertEqual(smtp.mail("secret@good.example")[0], 250)

    def test_what_lies_in_an_archive_of_another_name(self):
        self.assertEqual(self.outcome(message=with_archive("bad", "run/setup.exe")), (550, "5.7.1 no programs"))
        self.assertEqual(self.outcome(message=with_archive("good", "run/setup.txt"))[0], 250)

    def test_the_age_of_a_message(self):
        subject = mailbox.unique("aged")
        message = mailbox.message("ann@good.example", "alice@local.example", subject)
        message.replace_header("Date", email.utils.formatdate(1_000_000_000))
        self.assertEqual(self.outcome(message=message)[0], 250)
        with self.inbox("alice@local.example", "correct horse") as client:
            self.assertIn(b"X-Age: old", mailbox.fetch(client, subject)[1])

    def test_greylisting(self):
        recipient = "alice+grey@local.example"
        code, text = self.outcome(sender="grey@good.example", recipient=recipient)
        self.assertEqual((code, text), (451, "4.7.1 greylisted, try again in 1 second"))
        gateway.wait_until(lambda: self.outcome(sender="grey@good.example", recipient=recipient)[0] == 250, 20, lambda: "never let in")
        # The farm's next server, at once; after a restart too.
        self.server.process.stop()
        self.server.start()
        self.assertEqual(self.outcome(sender="grey@good.example", recipient=recipient, client="203.0.113.9")[0], 250)
        self.assertEqual(self.outcome(sender="other@good.example", recipient=recipient, client="203.0.113.9")[0], 451)

    def test_a_rate(self):
        codes = [self.outcome(recipient="alice+slow@local.example", client="203.0.113.20")[0] for _ in range(4)]
        self.assertEqual(codes, [250, 250, 450, 450])
        self.assertEqual(self.outcome(recipient="alice+slow@local.example", client="203.0.113.21")[0], 250)

    def test_changed_recipients(self):
        moved, copied, together = (mailbox.unique(word) for word in ("moved", "copied", "all to alice"))
        for recipient, subject in (("old@local.example", moved), ("bob@local.example", copied), ("old@local.example", together)):
            self.assertEqual(self.outcome(recipient=recipient, message=mailbox.message("ann@good.example", recipient, subject))[0], 250)
        with self.inbox("alice@local.example", "correct horse") as client:
            for subject in (moved, copied, together):
                mailbox.fetch(client, subject)
        self.assertEqual(self.count("old@local.example", "old password", moved), 0)
        self.assertEqual(self.count("bob@local.example", "battery staple", copied), 1)
        self.assertEqual(self.count("alice@local.example", "correct horse", together), 1)

    def test_a_table_is_followed_without_a_reload(self):
        self.assertEqual(self.outcome(sender="before@good.example")[0], 550)
        self.assertEqual(self.outcome(sender="after@good.example")[0], 250)
        self.write("denied", "after@good.example\n")
        gateway.wait_until(lambda: self.outcome(sender="after@good.example")[0] == 550, 20, self.server.process.output)
        self.assertEqual(self.outcome(sender="before@good.example")[0], 250)
        self.write("denied", "no address\n")
        gateway.wait_until(lambda: "a table is not taken" in self.server.process.output(), 20, self.server.process.output)
        self.assertEqual(self.outcome(sender="after@good.example")[0], 550)
        self.write("denied", "before@good.example\n")
        gateway.wait_until(lambda: self.outcome(sender="before@good.example")[0] == 550, 20, self.server.process.output)


class BadRules(unittest.TestCase):
    def test_at_a_start_they_are_an_error_and_the_check_shows_them(self):
        with tempfile.TemporaryDirectory(prefix="postern-policy-") as folder:
            with open(os.path.join(folder, "a.policy"), "w") as file:
                file.write('stage mail\nrule "r" when dnsbl["spam"] > 1 then reject\n')
            with self.assertRaisesRegex(RuntimeError, r"a\.policy:2:21: error: no DNS lists"):
                gateway.Server(policy_dir=folder).__enter__()

    def test_while_it_runs_the_old_ones_stay(self):
        with tempfile.TemporaryDirectory(prefix="postern-policy-") as folder, gateway.Server(policy_dir=folder) as server:
            path = os.path.join(folder, "a.policy")
            with open(path, "w") as file:
                file.write('stage mail\nrule "r" when rate(client.ip, 60) > 1 then reject\n')
            server.process.process.send_signal(signal.SIGHUP)
            gateway.wait_until(lambda: "write 60s" in server.process.output(), 20, server.process.output)
            status, output = gateway.run_to_end("check", "--config", server.config)
            self.assertNotEqual(status, 0)
            self.assertIn("a.policy:2:31: error:", output)
            with smtplib.SMTP("127.0.0.1", server.ports["smtp"], timeout=30) as smtp:
                self.assertEqual(smtp.ehlo("client.example")[0], 250)
                self.assertEqual(smtp.mail("ann@good.example")[0], 250)


class Milter(unittest.TestCase):
    """What an MTA hears of a server whose rules are few."""

    def test_only_needed_changes_are_asked_for_and_replies_are_ascii(self):
        with tempfile.TemporaryDirectory(prefix="postern-policy-") as folder:
            with open(os.path.join(folder, "a.policy"), "w") as file:
                file.write('stage rcpt\nrule "r" then reject 550 "5.7.1" "Gr\u00fcn"\n')
            server = self.enterContext(gateway.Server(policy_dir=folder))
            mta = miltercodec.Milter.connect(("127.0.0.1", server.ports["milter"])).negotiate()
            self.addCleanup(mta.quit)
            # Headers are added and removed (results, signatures, forged fields); nothing else is.
            self.assertEqual(mta.actions, 0x01 | 0x10 | miltercodec.SETSYMLIST)
            mta.connect_event()
            mta.helo()
            mta.mail("<a@b.example>")
            self.assertEqual(mta.rcpt("<c@d.example>").text, "550 5.7.1 Gr?n")
            mta.abort()
            mta.mail("<a@b.example>", "SMTPUTF8")
            self.assertEqual(mta.rcpt("<c@d.example>").text, "550 5.7.1 Gr\u00fcn")


class BehindPostfix(Rules, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.start("rcpt.example")
        cls.mta = cls.enterClassContext(Postfix(f"inet:localhost:{cls.server.ports['milter']}", ["rcpt.example"], settings=("recipient_delimiter = +",)))

    def client(self, address):
        return self.mta.client(address)

    def send(self, recipient, subject):
        self.assertEqual(self.outcome(recipient=recipient, message=mailbox.message("ann@good.example", recipient, subject))[0], 250)

    def test_refusals(self):
        self.assertEqual(self.outcome(client="203.0.113.66", recipient="bob@rcpt.example"), (554, "5.7.1 203.0.113.66 is listed"))
        self.assertEqual(self.outcome(sender="secret@good.example"), (530, "5.7.0 Must issue a STARTTLS command first"))
        self.assertEqual(self.outcome(sender="a@null.example")[0], 550)
        message = with_archive("bad", "setup.exe")
        self.assertEqual(self.outcome(recipient="bob@rcpt.example", message=message), (550, "5.7.1 no programs"))

    def test_greylisting(self):
        self.assertEqual(self.outcome(recipient="bob+grey@rcpt.example")[0], 451)
        gateway.wait_until(lambda: self.outcome(recipient="bob+grey@rcpt.example")[0] == 250, 20, self.mta.log)
        self.mta.delivered()

    def test_a_recipient_is_changed(self):
        self.send("old@rcpt.example", mailbox.unique("moved"))
        self.assertEqual([mail.fields("Delivered-To") for mail in self.mta.delivered()], [["alice@rcpt.example"]])

    def test_a_recipient_is_added(self):
        self.send("bob@rcpt.example", mailbox.unique("copied"))
        self.assertEqual(sorted(mail.fields("Delivered-To")[0] for mail in self.mta.delivered(2)), ["alice@rcpt.example", "bob@rcpt.example"])

    def test_all_are_replaced(self):
        with self.client("203.0.113.1") as smtp:
            smtp.sendmail("ann@good.example", ["carol@rcpt.example", "dan@rcpt.example"],
                          mailbox.message("ann@good.example", "carol@rcpt.example", mailbox.unique("all to alice")).as_bytes())
        self.assertEqual([mail.fields("Delivered-To") for mail in self.mta.delivered()], [["alice@rcpt.example"]])


if __name__ == "__main__":
    unittest.main()

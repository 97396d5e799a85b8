"""Which milters are asked, by the way mail comes in: `listener_milters`, and mail made on this machine."""

import signal
import unittest

import dkim

import foreign
import gateway
import mailbox
import sink
from fakemilter import FakeMilter
from test_foreign_milters import MTA


class Case(unittest.TestCase):
    def enter(self, thing):
        return self.enterContext(thing)

    def mta(self, lists, *, more="", default_action="tempfail", relay_port=None):
        """`lists`: what stands below [listener_milters]."""
        table = "".join(f"{name} = [{', '.join(repr(milter) for milter in milters)}]\n" for name, milters in lists.items())
        mta = MTA("builtin", default_action=default_action, more=(more, "[listener_milters]\n" + table))
        if relay_port:
            mta.overrides["relay_port"] = relay_port
        return self.enter(mta)

    def until(self, condition, explain=lambda: "in vain"):
        gateway.wait_until(condition, 60, explain)


class ByListener(Case):
    def test_each_has_its_own(self):
        strangers, users = self.enter(FakeMilter()), self.enter(FakeMilter())
        mta = self.mta({"smtp": [strangers.milter, "builtin"], "submission": ["builtin", users.milter]})
        mta.deliver(mailbox.unique("inbound"))
        self.assertEqual((len(strangers.connections), len(users.connections)), (1, 0))
        with mta.submission() as smtp:
            smtp.send_message(mailbox.message("alice@local.example", "bob@local.example", mailbox.unique("outbound")))
        self.assertEqual((len(strangers.connections), len(users.connections)), (1, 1))
        self.assertEqual(users.macros("M")["{auth_authen}"], "alice@local.example")

    def test_a_reload_changes_them(self):
        milter = self.enter(FakeMilter())
        mta = self.mta({"smtp": ["builtin"]})
        with open(mta.config) as file:
            text = file.read()
        with open(mta.config, "w") as file:
            file.write(text.replace("smtp = ['builtin']", f"smtp = ['builtin', '{milter.milter}']"))
        mta.process.process.send_signal(signal.SIGHUP)
        self.until(lambda: "event=reloaded" in mta.process.output(), mta.process.output)
        mta.deliver(mailbox.unique("after"))
        self.assertEqual(len(milter.connections), 1)

    def test_check_names_the_line_of_a_bad_entry(self):
        mta = self.mta({"smtp": ["builtin"]})
        with open(mta.config) as file:
            text = file.read()
        with open(mta.config, "w") as file:
            file.write(text.replace("smtp = ['builtin']", "smtp = ['builtin', 'rspamd']"))
        line = text[:text.index("smtp = ['builtin']")].count("\n") + 1
        status, said = gateway.run_to_end("check", "--config", mta.config)
        self.assertNotEqual(status, 0)
        self.assertRegex(said, rf":{line}:\d+: error: listener_milters\.smtp\[2\] must be ")


class OneConnection(Case):
    def test_messages_of_a_client_share_one_and_abort_stands_between(self):
        milter = self.enter(FakeMilter())
        mta = self.mta({"smtp": ["builtin", milter.milter]})
        with mta.client() as smtp:
            for number in range(3):
                smtp.sendmail("a@stranger.example", ["bob@local.example"], f"Subject: {number}\r\n\r\nx\r\n")
            smtp.mail("a@stranger.example")
            smtp.rset()
            smtp.sendmail("a@stranger.example", ["bob@local.example"], "Subject: last\r\n\r\nx\r\n")
        self.assertEqual(len(milter.connections), 1)
        self.until(lambda: milter.codes().endswith("Q"), milter.codes)
        self.assertEqual(milter.codes().replace("L", ""), "OCH" + 3 * "MRTNBE" + "MA" + "MRTNBE" + "Q")

    def test_unknown_commands(self):
        milter = self.enter(FakeMilter({"U": [("y", b"550 5.5.1 not here\0")]}))
        mta = self.mta({"smtp": [milter.milter]})
        with mta.client() as smtp:
            self.assertEqual(smtp.docmd("FOO", "bar"), (550, b"5.5.1 not here"))
            self.assertEqual(milter.texts("U"), ["FOO bar"])
            self.assertEqual(smtp.noop()[0], 250)


class Bounces(Case):
    """A relay that refuses everybody, so that the sender gets a notification, made here."""

    def bounce(self, mta, sender="alice@local.example"):
        """Sends a message that comes back; the notification's octets as they lie in the sender's mailbox."""
        subject = mailbox.unique("lost")
        with mta.submission() as smtp:
            smtp.send_message(mailbox.message(sender, "nobody@elsewhere.example", subject))
        with mailbox.imap("localhost", mta.ports["imaps"], mta.values["certificate"], *gateway.ACCOUNTS[0]) as client:
            return mailbox.fetch(client, "Your message could not be delivered", timeout=60)[1]

    def refusing(self, lists, **options):
        relay = self.enter(sink.Sink(gateway.free_port(), refused=["nobody@elsewhere.example"]))
        return self.mta(lists, relay_port=relay.port, **options)

    def test_a_foreign_milter_signs_them(self):
        signer = self.enter(foreign.OpenDKIM("s", domain="mail.local.example"))
        octets = self.bounce(self.refusing({"local": [signer.milter]}))
        self.assertIn(b"d=mail.local.example", octets)
        self.assertTrue(dkim.verify(octets.partition(b"\r\n")[2], dnsfunc=lambda name, timeout=5: signer.record.encode()))

    def test_what_the_milter_is_told(self):
        milter = self.enter(FakeMilter())
        self.bounce(self.refusing({"local": ["builtin", milter.milter]}))
        self.assertEqual(milter.codes().replace("L", ""), "OCHMRTNBEQ")
        self.assertEqual(milter.texts("C")[-1], "127.0.0.1")
        self.assertEqual(milter.texts("H"), ["localhost"])
        self.assertEqual(milter.texts("M")[0], "<>")
        self.assertEqual(milter.texts("R")[0], "<alice@local.example>")
        self.assertEqual(milter.macros("C")["{daemon_name}"], "mail.local.example")
        self.assertEqual(milter.macros("C")["_"], "localhost [127.0.0.1]")
        self.assertTrue(milter.macros("M")["i"])

    def test_a_refusal_is_logged_and_loses_nothing(self):
        for name, answer in (("reject", ("r", b"")), ("discard", ("d", b"")), ("reply", ("y", b"554 5.7.1 no bounces\0"))):
            with self.subTest(name):
                milter = self.enter(FakeMilter({"E": [answer]}))
                mta = self.refusing({"local": [milter.milter]})
                self.bounce(mta)
                self.assertEqual(mta.process.output().count("a filter refuses a notification"), 1)

    def test_one_that_is_dead_acts_as_its_default_action_says(self):
        dead = f"inet:127.0.0.1:{gateway.free_port()}"
        mta = self.refusing({"local": [dead]}, default_action="accept")
        self.bounce(mta)
        self.assertEqual(mta.process.output().count("milter does not work"), 1)

    def test_while_it_says_later_the_notification_waits(self):
        milter = self.enter(FakeMilter({"M": [("t", b"")]}))
        mta = self.refusing({"local": [milter.milter]}, more='minimal_backoff_time = "1s"\nmaximal_backoff_time = "2s"')
        subject = mailbox.unique("lost")
        with mta.submission() as smtp:
            smtp.send_message(mailbox.message("alice@local.example", "nobody@elsewhere.example", subject))
        self.until(lambda: "the failure notification cannot be queued" in mta.process.output(), mta.process.output)
        milter.answers.clear()
        with mailbox.imap("localhost", mta.ports["imaps"], mta.values["certificate"], *gateway.ACCOUNTS[0]) as client:
            mailbox.fetch(client, "Your message could not be delivered", timeout=60)


if __name__ == "__main__":
    unittest.main()

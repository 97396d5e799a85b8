"""Limits: what a client may do in a minute, and what an account may send before its mail is held."""

import time
import unittest

import gateway
import mailbox
from gateway import ACCOUNTS
from lines import Lines
from sink import Sink

ALICE, PASSWORD = ACCOUNTS[0]
BOB, BOBS_PASSWORD = ACCOUNTS[1]
REMOTE = "someone@elsewhere.example"


class Clients(unittest.TestCase):
    def server(self, extra):
        # A minute that does not end while the test runs.
        return self.enterContext(gateway.Server(extra='anvil_rate_time_unit = "1h"\n' + extra))

    def test_connections(self):
        server = self.server("smtpd_client_connection_rate_limit = 3")
        greetings = []
        for _ in range(5):
            with Lines(server.ports["smtp"]) as smtp:
                greetings.append(smtp.greeting[:9])
        self.assertEqual([greeting[:3] for greeting in greetings], [b"220"] * 3 + [b"421"] * 2)
        self.assertEqual(greetings[-1], b"421 4.7.0")

    def test_messages_and_recipients(self):
        server = self.server("smtpd_client_message_rate_limit = 2\nsmtpd_client_recipient_rate_limit = 3")
        with Lines(server.ports["smtp"]) as smtp:
            smtp.ask("EHLO client.example")
            self.assertRegex(smtp.ask("MAIL FROM:<a@stranger.example>"), rb"^250 ")
            replies = [smtp.ask(f"RCPT TO:<{ALICE}>") for _ in range(4)]
            self.assertEqual([reply[:3] for reply in replies], [b"250"] * 3 + [b"450"])
            self.assertEqual(replies[-1], b"450 4.7.1 Error: too many recipients from 127.0.0.1\r\n")
            smtp.ask("RSET")
            self.assertRegex(smtp.ask("MAIL FROM:<a@stranger.example>"), rb"^250 ")
            smtp.ask("RSET")
            self.assertEqual(smtp.ask("MAIL FROM:<a@stranger.example>"), b"450 4.7.1 Error: too much mail from 127.0.0.1\r\n")

    def test_own_networks_are_not_limited(self):
        server = self.server("smtpd_client_connection_rate_limit = 1\nsmtpd_client_message_rate_limit = 1")
        server.process.stop()
        with open(server.config) as file:
            text = file.read()
        with open(server.config, "w") as file:
            file.write(text.replace('["192.0.2.0/24"]', '["127.0.0.0/8"]'))
        server.start()
        for _ in range(3):
            with Lines(server.ports["smtp"]) as smtp:
                smtp.ask("EHLO client.example")
                self.assertRegex(smtp.ask("MAIL FROM:<a@stranger.example>"), rb"^250 ")


class Destination(unittest.TestCase):
    """A relay host that gets few recipients at once, and not too often."""

    def test_limits_of_its_own(self):
        port = gateway.free_port()
        original = gateway.CONFIGURATION
        gateway.CONFIGURATION = original + f'[destination_limits]\n"[127.0.0.1]:{port}" = "concurrency=1 recipients=2 rate_delay=700ms"\n'
        try:
            server = self.enterContext(gateway.Server(relay_port=port))
        finally:
            gateway.CONFIGURATION = original
        with Sink(port) as sink, mailbox.submission("localhost", server.ports["submission"], server.values["certificate"], ALICE, PASSWORD) as smtp:
            begin = time.monotonic()
            for subject, count in (("one", 5), ("two", 1)):
                recipients = [f"{index}@elsewhere.example" for index in range(count)]
                smtp.send_message(mailbox.message(ALICE, recipients[0], subject), to_addrs=recipients)
            gateway.wait_until(lambda: len(sink.messages) == 4, 30, server.process.output)
            # Three pauses between four transactions.
            self.assertGreater(time.monotonic() - begin, 2.0)
        self.assertEqual(sorted(len(recipients) for _, recipients, _ in sink.messages), [1, 1, 2, 2])


class Account(unittest.TestCase):
    """A stolen password: the mail beyond the limit is taken, held, and told of."""

    def setUp(self):
        self.server = self.enterContext(gateway.Server(extra='account_recipient_limit = 5\nminimal_backoff_time = "1s"\nmaximal_backoff_time = "2s"'))

    def send(self, subject, *recipients, user=ALICE, password=PASSWORD):
        with mailbox.submission("localhost", self.server.ports["submission"], self.server.values["certificate"], user, password) as client:
            self.assertEqual(client.sendmail(user, list(recipients) or [REMOTE], f"From: {user}\r\nSubject: {subject}\r\n\r\nx\r\n".encode()), {})

    def command(self, *words):
        status, text = gateway.run_to_end(*words, "--config", self.server.config)
        self.assertEqual(status, 0, text)
        return text

    def postmasters(self, subject):
        """How many such messages the postmaster, who is the first account, has."""
        with mailbox.imap("localhost", self.server.ports["imaps"], self.server.values["certificate"], ALICE, PASSWORD) as client:
            return mailbox.count(client, subject)

    def test_beyond_the_limit_mail_is_held(self):
        with Sink(self.server.values["relay_port"]) as sink:
            for number in range(5):
                self.send(f"within{number}")
            for number in range(3):
                self.send(f"beyond{number}")
            self.send("bob's own", user=BOB, password=BOBS_PASSWORD)
            gateway.wait_until(lambda: len(sink.messages) == 6, 60, lambda: f"{sink.messages}\n{self.server.process.output()}")
            # A restart forgives nothing, and lets nothing out.
            self.assertEqual(self.server.process.stop(), 0)
            self.server.start()
            self.send("beyond3")
            gateway.wait_until(lambda: self.postmasters(f"Mail of {ALICE} is held") == 1, 60, self.server.process.output)
            self.assertIn("its mail is held", self.command("account", "limit", ALICE))
            self.assertEqual([sink.count(f"beyond{number}") for number in range(4)], [0] * 4)
            self.assertEqual(self.postmasters(f"Mail of {ALICE} is held"), 1)
            # The administrator raises the limit, without a restart.
            self.command("account", "limit", ALICE, "--recipients", "100", "--per", "1d")
            self.send("raised")
            gateway.wait_until(lambda: sink.count("raised"), 60, self.server.process.output)
            self.assertEqual(sink.count("beyond0"), 0)
            # What is held waits for somebody to look at it, and goes when he says so.
            held = self.command("queue", "list", "--held")
            self.assertIn(f"{ALICE} is over its limit of 5 recipients in 1h", held)
            self.assertIn("4 messages", held)
            self.command("queue", "release", "--held")
            gateway.wait_until(lambda: all(sink.count(f"beyond{number}") == 1 for number in range(4)), 60, self.server.process.output)

    def test_one_large_message_counts_its_recipients(self):
        with Sink(self.server.values["relay_port"]) as sink:
            self.send("many", *[f"r{number}@elsewhere.example" for number in range(6)])
            self.send("one more")
            gateway.wait_until(lambda: self.server.process.output().count("held:") == 2, 60, self.server.process.output)
            self.assertEqual(len(sink.messages), 0)

    def test_the_command(self):
        self.assertIn("5 recipients in 1h (the settings')", self.command("account", "limit", ALICE))
        self.assertIn("7 messages and 5 recipients in 1h (its own)", self.command("account", "limit", ALICE, "--messages", "7"))
        self.assertIn("no limit (its own)", self.command("account", "limit", ALICE, "--messages", "0", "--recipients", "0"))
        self.assertIn("(the settings')", self.command("account", "limit", ALICE, "--reset"))
        for words in (("nobody@local.example",), (ALICE, "--per", "soon"), (ALICE, "--messages", "-1"), (ALICE, "--reset", "--messages", "1")):
            self.assertNotEqual(gateway.run_to_end("account", "limit", *words, "--config", self.server.config)[0], 0, words)


if __name__ == "__main__":
    unittest.main()

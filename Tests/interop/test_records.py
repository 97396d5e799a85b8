"""Decision records: `postern explain` by each id, and `postern policy replay` over what a running server recorded."""

import os
import random
import re
import smtplib
import socketserver
import stat
import threading
import unittest

import gateway
import records
from postfix import Postfix
from sink import Sink

RULES = """\
stage rcpt
rule "closed address" when recipient == "alice+closed@local.example" then reject 550 "5.1.1" "closed"

stage message
rule "mark" when header["X-Mark"] != missing
  then add keyword "$Marked", add header "X-Seen" "of {sender}"
rule "leaked" when tag.status == leaked then add keyword "$Leaked"
rule "new tag" when tag.status == new then add header "X-New" "1"
rule "refuse" when header["Subject"] contains "forbidden" then reject 550 "5.7.1" "not {sender.domain}"
rule "junk" when header["Subject"] contains "cheap" then file into "Junk", add keyword "$Junk"
rule "hold" when header["Subject"] contains "odd" then quarantine "odd"
rule "later" when size > 3000 then tempfail 451 "4.7.1" "too much for now"
"""


def write_rules(text, folder):
    with open(os.path.join(folder, "test.policy"), "w") as file:
        file.write(text)


# Senders that SPF vouches for, so that the ledger learns whose a tag is, and sees who else uses it.
ZONE = """\
shop.example. 3600 IN TXT "v=spf1 ip4:127.0.0.1 -all"
other.example. 3600 IN TXT "v=spf1 ip4:127.0.0.1 -all"
"""


class RuledServer(gateway.Server):
    """With RULES and ZONE from the beginning."""

    def write(self):
        super().write()
        write_rules(RULES, self.policies)
        with open(self.values["zone_file"], "a") as file:
            file.write(ZONE)


class BounceMarkingServer(RuledServer):
    def write(self):
        super().write()
        with open(os.path.join(self.policies, "bounces.policy"), "w") as file:
            file.write('stage message\nrule "bounces" when sender == missing and listener == local then add keyword "$Bounce"\n')


class Records(unittest.TestCase):
    def setUp(self):
        self.server = self.make_server()
        self.server.__enter__()
        self.addCleanup(self.server.__exit__)
        self.config = self.server.config

    def make_server(self):
        return RuledServer()

    def client(self):
        smtp = smtplib.SMTP("127.0.0.1", self.server.ports["smtp"], local_hostname="client.example", timeout=60)
        self.addCleanup(smtp.close)
        return smtp

    def send(self, smtp, subject, recipients=("alice@local.example",), body="hello\r\n", extra="", sender="a@sender.example"):
        """The reply to the message, or to the first refused command."""
        smtp.ehlo_or_helo_if_needed()
        smtp.mail(sender)
        answers = [smtp.rcpt(one) for one in recipients]
        if all(code >= 400 for code, _ in answers):
            smtp.rset()
            return answers[-1]
        return smtp.data(f"From: {sender}\r\nSubject: {subject}\r\n{extra}\r\n{body}")


class Explain(Records):
    def test_an_accepted_message_by_each_id(self):
        code, text = self.send(self.client(), "hello", ["alice@local.example", "nobody@local.example"],
                               extra="Message-ID: <one@sender.example>\r\nX-Mark: 1\r\n")
        self.assertEqual(code, 250)
        queue_id = text.decode().split()[-1]
        story = records.explained(self.config, queue_id)
        self.assertIn("It came from 127.0.0.1 (", story)
        self.assertIn("calling itself client.example", story)
        self.assertIn("The sender was <a@sender.example>; it was for <alice@local.example>.", story)
        self.assertIn("<nobody@local.example> was refused by the server: 550 5.1.1", story)
        self.assertIn("sender.example has no SPF record", story)
        self.assertIn("It bore no DKIM signature.", story)
        self.assertIn('The rule "mark" matched, since header["X-Mark"] was 1.', story)
        self.assertIn('test.policy:5: rule "mark" when header["X-Mark"] != missing then add keyword', story)
        self.assertIn("The message was accepted, with the keyword $Marked. It was told: 250 2.0.0 Ok: queued as " + queue_id, story)
        path = re.search(r"The copy for <alice@local.example> was stored as (\S+)\.\n?", story + "\n").group(1)
        self.assertTrue(os.path.exists(path), path)
        self.assertEqual(records.explained(self.config, "<one@sender.example>"), story)
        self.assertEqual(records.explained(self.config, "one@sender.example"), story)

    def test_a_refusal_gives_its_id_to_the_sender(self):
        code, text = self.send(self.client(), "forbidden")
        self.assertEqual(code, 550)
        found = re.fullmatch(r"5\.7\.1 not sender\.example \(id (\S+)\)", text.decode())
        self.assertTrue(found, text)
        story = records.explained(self.config, found.group(1))
        self.assertIn("was refused for good by the rules at the end of the message", story)
        self.assertIn("test.policy:9: rule", story)

    def test_what_never_came_to_its_content(self):
        smtp = self.client()
        code, _ = self.send(smtp, "x", ["alice+closed@local.example"], sender="closed@sender.example")
        self.assertEqual(code, 550)
        smtp.quit()
        # No id went to the client, as with Postfix's own refusals at RCPT: the log has it.
        gateway.wait_until(lambda: "refused: 550 5.1.1 closed" in self.server.process.output(), 20, self.server.process.output)
        line = next(line for line in self.server.process.output().splitlines() if "refused: 550 5.1.1 closed" in line)
        story = records.explained(self.config, re.search(r"\bid=\"?([A-Z0-9]+)", line).group(1))
        self.assertIn("<alice+closed@local.example> was refused by the rules: 550 5.1.1 closed", story)
        self.assertIn("was refused for good by the rules at RCPT TO", story)

    def test_a_lost_connection_leaves_a_record(self):
        smtp = self.client()
        smtp.ehlo()
        smtp.mail("lost@sender.example")
        smtp.rcpt("alice@local.example")
        smtp.close()

        def written():
            _, report = records.replay(self.config)
            return report["messages"] == 1
        gateway.wait_until(written, 30, lambda: "no record")

    def test_nobody_else_can_read_them(self):
        self.send(self.client(), "hello")
        for name in ("decisions.sqlite", "decisions.sqlite-wal", "decisions.sqlite-shm"):
            self.assertEqual(stat.S_IMODE(os.stat(os.path.join(self.server.data_dir, name)).st_mode), 0o600, name)

    def test_an_unknown_id(self):
        self.send(self.client(), "hello")
        status, text = records.explain(self.config, "NOTHING")
        self.assertEqual(status, 1)
        self.assertIn("no record bears the id NOTHING", text)

    def test_as_json(self):
        _, text = self.send(self.client(), "hello")
        queue_id = text.decode().split()[-1]
        records.explained(self.config, queue_id)
        status, text = gateway.run_to_end("explain", "--json", "--config", self.config, queue_id)
        self.assertEqual(status, 0)
        self.assertIn('"kind" : "accepted"', text)


class Relayed(Records):
    def make_server(self):
        self.relay_port = gateway.free_port()
        return BounceMarkingServer(relay_port=self.relay_port)

    def submit(self, recipient):
        smtp = smtplib.SMTP_SSL("127.0.0.1", self.server.ports["submissions"], timeout=60)
        self.addCleanup(smtp.close)
        smtp.login("alice@local.example", "correct horse")
        smtp.ehlo_or_helo_if_needed()
        smtp.mail("alice@local.example")
        smtp.rcpt(recipient)
        code, text = smtp.data("From: alice@local.example\r\nSubject: out\r\n\r\nhello\r\n")
        self.assertEqual(code, 250)
        return text.decode().split()[-1]

    def test_its_later_delivery(self):
        with Sink(self.relay_port):
            queue_id = self.submit("friend@remote.example")
            story = records.explained(self.config, queue_id, lambda text: "was delivered" in text)
        self.assertIn("alice@local.example had logged in", story)
        self.assertRegex(story, r"The copy for <friend@remote.example> \(queue entry " + queue_id + r"\) was delivered to .*; .* said: 250 2\.\d\.\d Ok")

    def test_what_waits(self):
        queue_id = self.submit("friend@remote.example")
        story = records.explained(self.config, queue_id, lambda text: "waits in the queue" in text)
        self.assertIn("The copy for <friend@remote.example> waits in the queue as " + queue_id, story)


    def test_what_comes_back(self):
        with Refuser(self.relay_port):
            queue_id = self.submit("nobody@remote.example")
            story = records.explained(self.config, queue_id, lambda text: "was returned" in text)
        self.assertIn("could not be delivered and was returned", story)
        self.assertIn("said: 550 5.1.1 no such user", story)
        output = self.server.process.output
        gateway.wait_until(lambda: "sender notification" in output(), 30, output)
        notice = re.search(r"sender notification \(failed\): ([A-Z0-9-]+)", output()).group(1)
        story = records.explained(self.config, notice)
        self.assertIn(f"It is a notification about {queue_id}, made here, to <alice@local.example>.", story)
        self.assertRegex(story, r"The copy for <alice@local.example> was stored as /\S+")
        self.assertIn('The rule "bounces" matched, since sender was missing and listener was local.', story)
        self.assertIn("was accepted, with the keyword $Bounce.", story)
        # It goes out whatever rules say, so it is none of replay's.
        self.assertEqual(records.replay(self.config)[1]["changes"], [])


class Refuser(Sink):
    """A next hop where nobody lives."""

    def __enter__(self):
        self.server = socketserver.ThreadingTCPServer((self.host, self.port), RefusingHandler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()
        return self


class RefusingHandler(socketserver.StreamRequestHandler):
    timeout = 30

    def handle(self):
        self.wfile.write(b"220 refuser.example ESMTP\r\n")
        while line := self.rfile.readline():
            verb = line.upper().split()[0] if line.split() else b""
            self.wfile.write({b"RCPT": b"550 5.1.1 no such user\r\n", b"DATA": b"554 5.5.1 nobody to send it to\r\n",
                              b"QUIT": b"221 2.0.0 bye\r\n"}.get(verb, b"250 2.0.0 Ok\r\n"))
            if verb == b"QUIT":
                return


class BehindPostfix(Records):
    def test_by_postfix_own_queue_id(self):
        with Postfix(f"inet:127.0.0.1:{self.server.ports['milter']}", ["local.example"]) as mta:
            with mta.client("192.0.2.77", "client.example") as smtp:
                smtp.mail("a@sender.example")
                smtp.rcpt("alice@local.example")
                code, text = smtp.data("From: a@sender.example\r\nSubject: by milter\r\nMessage-ID: <milter@sender.example>\r\nX-Mark: 7\r\n\r\nhello\r\n")
                self.assertEqual(code, 250)
                queue_id = text.decode().split()[-1]
                code, refusal = (lambda: (smtp.mail("a@sender.example"), smtp.rcpt("alice@local.example"), smtp.data("Subject: forbidden\r\n\r\nx\r\n"))[-1])()
            story = records.explained(self.config, queue_id)
            self.assertIn("through the MTA whose milter this is", story)
            self.assertIn(f"{queue_id} there, Message-ID <milter@sender.example>", story)
            self.assertIn('The rule "mark" matched', story)
            self.assertEqual(records.explained(self.config, "<milter@sender.example>"), story)
            self.assertEqual(code, 550)
            own_id = re.search(r"\(id (\S+)\)", refusal.decode()).group(1)
            self.assertIn("was refused for good by the rules at the end of the message", records.explained(self.config, own_id))


class Replay(Records):
    count = 1000

    def message(self, number):
        """Subject, recipients, extra fields, body: a mixture of everything that the rules decide about."""
        dice = random.Random(number)
        subject = dice.choice(["hello", "cheap pills", "forbidden", "odd thing", "news", "Re: odd but cheap"])
        recipients = dice.choice([["alice@local.example"], ["bob@local.example"], ["alice@local.example", "bob@local.example"],
                                  ["alice+shop@local.example"], ["alice+closed@local.example"], ["alice+closed@local.example", "bob@local.example"],
                                  ["nobody@local.example"]])
        extra = dice.choice(["", "", f"X-Mark: {number}\r\n", "Authentication-Results: mail.local.example; spf=pass\r\n"])
        body = dice.choice(["hello\r\n", "x" * 70 + "\r\n", ("y" * 70 + "\r\n") * 60])
        sender = dice.choice(["a@sender.example", "b@stranger.example", "", "news@shop.example", "list@other.example"])
        return subject, recipients, extra, body, sender

    def test_a_thousand_messages_agree_and_an_edit_shows(self):
        expected = {"now rejected": 0, "no longer rejected": 0}
        smtp, sent = self.client(), 0
        for number in range(self.count):
            if number % 12 == 11:
                smtp.close()
                smtp = self.client()
            subject, recipients, extra, body, sender = self.message(number)
            self.send(smtp, f"{subject} {number}", recipients, body, extra, sender)
            sent += 1
            reached = any("closed" not in one and "nobody" not in one for one in recipients)
            if reached and "forbidden" in subject:
                expected["no longer rejected"] += 1
            if reached and "news" in subject:
                expected["now rejected"] += 1
        smtp.quit()

        def written():
            return records.replay(self.config)[1]["messages"] == sent
        gateway.wait_until(written, 60, lambda: f"not all {sent} are recorded")
        status, report = records.replay(self.config)
        self.assertEqual((status, report["changes"], report["unknown"]), (0, [], []), report["counts"])
        self.assertGreater(report["unchanged"], self.count * 3 // 4)
        leaks = gateway.run_to_end("leaks", "--config", self.config)[1]
        self.assertIn("other.example", leaks)

        with gateway.temporary_folder() as folder:
            write_rules(RULES.replace('contains "forbidden"', 'contains "news"'), folder)
            status, report = records.replay(self.config, "--rules", folder)
        self.assertEqual(status, 1)
        self.assertEqual(report["unknown"], [])
        self.assertEqual(report["counts"], expected)
        self.assertGreater(min(expected.values()), 50)
        for one in report["changes"]:
            if one["change"] == "now rejected":
                self.assertIn("test.policy:9", one["rule"])

    def test_attachments_come_from_the_stored_copy_and_what_was_never_asked_is_said(self):
        smtp = self.client()
        extra = "MIME-Version: 1.0\r\nContent-Type: application/octet-stream; name=run.exe\r\n"
        for subject in ("hello", "forbidden"):
            self.send(smtp, subject, extra=extra, body="MZ\r\n")
        gateway.wait_until(lambda: records.replay(self.config)[1]["messages"] == 2, 30, lambda: "not all recorded")
        # A mail client has seen the one that was stored.
        new = os.path.join(self.server.data_dir, "mail", "alice@local.example", "Maildir", "new")
        for name in os.listdir(new):
            os.rename(os.path.join(new, name), os.path.join(os.path.dirname(new), "cur", name.split(":")[0] + ":2,S"))
        with gateway.temporary_folder() as folder:
            write_rules('stage message\nrule "programs" when attachments.name matches "*.exe" then reject 550 "5.7.1" "no programs"\n', folder)
            status, report = records.replay(self.config, "--rules", folder)
        self.assertEqual(status, 1)
        self.assertEqual(report["counts"], {"now rejected": 1})
        self.assertEqual([one["asked"] for one in report["unknown"]], [["attachments"]])

    def test_a_mailbox(self):
        smtp = self.client()
        for recipient in ("alice@local.example", "bob@local.example"):
            for subject in ("hello", "cheap"):
                self.send(smtp, subject, [recipient])
        gateway.wait_until(lambda: records.replay(self.config)[1]["messages"] == 4, 30, lambda: "not all recorded")
        self.assertEqual(records.replay(self.config, "--mailbox", "alice@local.example")[1]["messages"], 2)
        self.assertEqual(records.replay(self.config, "--mailbox", "alice@local.example/Junk")[1]["messages"], 1)
        self.assertEqual(gateway.run_to_end("policy", "replay", "--config", self.config, "--mailbox", "carol@local.example")[0], 2)


if __name__ == "__main__":
    unittest.main()

"""`postern queue` beside a running server and without one."""

import json
import os
import subprocess
import unittest

import gateway
import mailbox
from gateway import ACCOUNTS
from lines import Lines
from sink import Sink

ALICE, PASSWORD = ACCOUNTS[0]

HOLD = """\
stage message
rule "odd" when sender.domain == "local.example" and size > 4000
  then quarantine "it is odd"
"""


class Queue(unittest.TestCase):
    def setUp(self):
        self.server = self.enterContext(gateway.Server())

    def queue(self, *arguments, status=0, stdin=""):
        done = subprocess.run([gateway.binary("postern"), "queue", arguments[0], "--config", self.server.config, *arguments[1:]],
                              input=stdin, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, status, f"{arguments}: {done.stdout}{done.stderr}{self.server.process.output()}")
        return done.stdout + done.stderr

    def rows(self, *arguments):
        lines = [json.loads(line) for line in self.queue("list", "--json", *arguments).splitlines()]
        return lines[:-1], lines[-1]

    def send(self, subject, *recipients, extra=""):
        with mailbox.submission("localhost", self.server.ports["submission"], self.server.values["certificate"], ALICE, PASSWORD) as client:
            client.sendmail(ALICE, recipients, f"From: {ALICE}\r\nSubject: {subject}\r\n{extra}\r\nhello\r\n")

    def wait_tried(self, count):
        def tried():
            rows, _ = self.rows()
            return len(rows) == count and all(recipient["attempts"] > 0 or recipient.get("reason") for row in rows for recipient in row["recipients"])
        gateway.wait_until(tried, 60, lambda: self.queue("list"))

    def test_the_life_of_a_message(self):
        self.assertIn("0 messages", self.queue("list"))
        self.send("one", "a@one.example")
        self.send("two", "b@two.example", "c@two.example")
        self.wait_tried(2)
        table = self.queue("list")
        self.assertIn("WHY", table)
        self.assertIn("b@two.example +1", table)
        self.assertRegex(table, r"refused")
        rows, totals = self.rows("--domain", "one.example")
        self.assertEqual((len(rows), totals["matched"], totals["queued"]), (1, 1, 2))
        one = rows[0]["id"]
        shown = self.queue("show", one, "--content")
        self.assertIn("recipient: a@one.example", shown)
        self.assertIn("put off: ", shown)
        self.assertIn("Subject: one", shown)
        self.assertNotIn("hello", self.queue("show", one, "--headers"))
        self.assertRegex(self.queue("stats"), r"two\.example +2 ")
        self.assertIn("1 message held", self.queue("hold", one, "--because", "suspicion"))
        self.assertIn("held by operator: suspicion", self.queue("list", "--held"))
        with Sink(self.server.values["relay_port"]) as sink:
            self.queue("flush")
            gateway.wait_until(lambda: sink.count("two") == 1, 60, lambda: self.queue("list"))
            self.assertEqual(sink.count("one"), 0)
            self.assertIn("released", self.queue("release", one))
            gateway.wait_until(lambda: sink.count("one") == 1, 60, lambda: self.queue("list"))
            gateway.wait_until(lambda: "0 messages" in self.queue("list"), 60, lambda: self.queue("list"))

    def test_retry_of_the_chosen(self):
        self.send("one", "a@one.example")
        self.send("two", "b@two.example")
        self.wait_tried(2)
        with Sink(self.server.values["relay_port"]) as sink:
            self.queue("retry", "--recipient", "b@two.example")
            gateway.wait_until(lambda: sink.count("two") == 1, 60, lambda: self.queue("list"))
            self.assertEqual(sink.count("one"), 0)

    def test_removing_asks_first(self):
        self.send("one", "a@one.example")
        self.send("two", "b@two.example")
        self.wait_tried(2)
        self.assertIn("1 message of 2", self.queue("remove", "--recipient", "@one.example", status=3))
        self.assertEqual(self.rows()[1]["queued"], 2)
        self.assertIn("1 message removed", self.queue("remove", "--recipient", "@one.example", "--yes"))
        self.assertEqual([row["recipients"][0]["address"] for row in self.rows()[0]], ["b@two.example"])
        self.assertIn("nobody: not in the queue", self.queue("remove", "nobody", "--yes", status=2))
        self.assertIn("not in the queue", self.queue("show", "nobody", status=2))
        two = self.rows()[0][0]["id"]
        self.assertIn("nobody: not in the queue", self.queue("hold", two, "nobody", status=1))
        self.assertIn(f"{two}: is held", self.queue("retry", two, status=2))
        self.assertRegex(self.queue("stats", "--senders"), r"alice@local\.example +0 +1 ")
        self.queue("remove", "-", "--yes", status=2)
        self.assertIn("1 message removed", self.queue("remove", "-", "--yes", stdin=f"{two} some more\n"))
        self.queue("remove", "--yes", status=64)

    def test_while_the_server_is_stopped(self):
        self.send("one", "a@one.example")
        self.send("two", "b@two.example")
        self.wait_tried(2)
        self.assertEqual(self.server.process.stop(), 0)
        rows, totals = self.rows()
        self.assertEqual(totals["matched"], 2)
        one = next(row["id"] for row in rows if row["recipients"][0]["address"] == "a@one.example")
        self.queue("hold", one, "--because", "not yet")
        self.queue("retry", "--domain", "two.example")
        with Sink(self.server.values["relay_port"]) as sink:
            self.server.start()
            gateway.wait_until(lambda: sink.count("two") == 1, 60, lambda: self.queue("list"))
            self.assertIn("held by operator: not yet", self.queue("list"))
            self.queue("release", "--all")
            gateway.wait_until(lambda: sink.count("one") == 1, 60, lambda: self.queue("list"))

    def test_a_rule_holds_what_would_leave(self):
        with open(os.path.join(self.server.policies, "hold.policy"), "w") as file:
            file.write(HOLD)
        self.assertEqual(self.server.process.stop(), 0)
        self.server.start()
        with Sink(self.server.values["relay_port"]) as sink:
            self.send("an odd one", "a@one.example", ACCOUNTS[1][0], extra="X-Long: " + "x" * 900 + "\r\n" + ("X-Long: " + "x" * 900 + "\r\n") * 5)
            self.send("a good one", "a@one.example")
            gateway.wait_until(lambda: sink.count("a good one") == 1, 60, lambda: self.queue("list"))
            self.assertIn("held by policy: it is odd", self.queue("list"))
            self.assertEqual(sink.count("an odd one"), 0)
            with mailbox.imap("localhost", self.server.ports["imaps"], self.server.values["certificate"], *ACCOUNTS[1]) as client:
                mailbox.ok(client.select("Quarantine"))
                self.assertEqual(len(mailbox.ok(client.search(None, "ALL"))[0].split()), 1)
            self.assertIn("1 message released", self.queue("release", "--held", "--sender", ALICE))
            gateway.wait_until(lambda: sink.count("an odd one") == 1, 60, lambda: self.queue("list"))

    def test_a_disk_that_is_nearly_full(self):
        self.send("one", "a@one.example")
        self.wait_tried(1)
        self.assertEqual(self.server.process.stop(), 0)
        with open(self.server.config) as file:
            text = file.read()
        with open(self.server.config, "w") as file:
            file.write(f"queue_minfree = {1 << 60}\n" + text)
        with Sink(self.server.values["relay_port"]) as sink:
            self.server.start()
            with Lines(self.server.ports["smtp"]) as client:
                client.ask("EHLO client.example")
                self.assertRegex(client.ask("MAIL FROM:<a@b.example>"), rb"^452 4\.3\.1 ")
            self.queue("flush")
            gateway.wait_until(lambda: sink.count("one") == 1, 60, lambda: self.queue("list"))

    def test_the_socket_is_the_owners(self):
        self.assertEqual(os.stat(os.path.join(self.server.data_dir, "control")).st_mode & 0o777, 0o600)

    def test_after_a_kill_the_commands_still_work(self):
        self.send("one", "a@one.example")
        self.server.kill()
        self.assertEqual(self.rows()[1]["matched"], 1)
        self.server.start()
        self.assertEqual(self.rows()[1]["matched"], 1)

    def test_a_request_of_another_version(self):
        import socket
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(30)
            client.connect(os.path.join(self.server.data_dir, "control"))
            client.sendall(b'{"version":99,"command":"queue","arguments":{}}\n')
            answer = json.loads(client.makefile().readline())
            self.assertIn("version 1", answer["error"])


if __name__ == "__main__":
    unittest.main()

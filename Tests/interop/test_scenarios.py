"""The conversations of `scenarios/`, held with our SMTP port and with a real Postfix that has us as its milter: the same
replies, and what is delivered is equal but for trace fields."""

import glob
import os
import shutil
import tempfile
import unittest

import gateway
import mailbox
from lines import Lines
from postfix import Postfix
from test_foreign_milters import MTA
from test_milter_protocol import Fixture

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "scenarios")
# RFC 5321 §4.4, and what deliverers add.
TRACE = {"received", "return-path", "x-original-to", "delivered-to"}
ZONE = gateway.ZONE + '_dmarc.bank.example. 3600 IN TXT "v=DMARC1; p=reject"\nbank.example. 3600 IN TXT "v=spf1 -all"\n'
PASSWORD = "a long password"


class Scenario:
    def __init__(self, path):
        self.filters, self.client = "script", "198.51.100.7 name.example"
        self.steps, self.deliveries = [], []
        with open(path, encoding="utf-8", newline="\n") as file:
            for line in file.read().split("\n"):
                if not line or line.startswith("#"):
                    continue
                kind, _, rest = line.partition(":")
                rest = rest.removeprefix(" ")
                if kind in ("C", "S"):
                    self.steps.append((kind, rest))
                elif kind == "deliver":
                    self.deliveries.append(rest)
                elif kind in ("filters", "client"):
                    setattr(self, kind, rest)
                else:
                    raise ValueError(f"{path}: {line}")

    def hold(self, port):
        """Speaks it; every reply must be as written."""
        with Lines(port) as server:
            address, _, name = self.client.partition(" ")
            server.ask("EHLO proxy.example")
            reply = server.ask(f"XCLIENT ADDR={'IPV6:' if ':' in address else ''}{address} NAME={name or '[UNAVAILABLE]'} PORT=4711")
            if not reply.startswith(b"220"):
                raise AssertionError(f"XCLIENT: {reply}")
            for kind, text in self.steps:
                if kind == "C":
                    server.send(text.encode() + b"\r\n")
                    continue
                reply = server.reply().decode().rstrip("\r\n").split("\n")[-1]
                if not (reply == text or len(text) == 3 and reply.startswith(text)):
                    raise AssertionError(f"expected {text!r}, got {reply!r}")


class Mail:
    """A delivered message: to whom, the trace's sender, and what is not trace."""

    def __init__(self, raw):
        lines = raw.replace(b"\r\n", b"\n").split(b"\n")
        end = lines.index(b"") if b"" in lines else len(lines)
        fields = []
        for line in lines[:end]:
            if line[:1] in (b" ", b"\t") and fields:
                fields[-1] += b"\n" + line
            else:
                fields.append(line)
        named = [(field.split(b":")[0].lower().decode(), field) for field in fields]
        value = {name: field.split(b":", 1)[1].strip().decode() for name, field in reversed(named)}
        self.recipient, self.sender = value.get("delivered-to"), value.get("return-path")
        self.hops = sum(name == "received" for name, _ in named)
        # Where the MTA's own Received field stands among the others is part of it.
        own = next((place for place, (name, _) in enumerate(named) if name == "received"), 0)
        self.above = [field for name, field in named[:own] if name not in TRACE]
        self.foreign = [field for name, field in named[own + 1:] if name == "received"]
        self.fields = [field for name, field in named if name not in TRACE]
        self.body = b"\n".join(lines[end + 1:])

    def facts(self):
        return self.recipient, self.sender, self.hops, self.above, self.foreign, self.fields, self.body


class Ours(MTA):
    def add_accounts(self):
        super().add_accounts()
        for name in ("reject", "tempfail"):
            gateway.add_account(self.config, f"{name}@local.example", PASSWORD)

    def taken(self):
        """What lies in the mailboxes, taken out."""
        found = []
        for account in gateway.ACCOUNTS:
            with mailbox.imap("localhost", self.ports["imaps"], self.values["certificate"], *account) as client:
                mailbox.ok(client.select("INBOX"))
                for number in mailbox.ok(client.search(None, "ALL"))[0].split():
                    found.append(Mail(mailbox.ok(client.fetch(number, "(BODY.PEEK[])"))[0][1]))
                    mailbox.ok(client.store(number, "+FLAGS", "\\Deleted"))
                mailbox.ok(client.expunge())
        return found


class Scenarios(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="postern-scenarios-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        zone = os.path.join(cls.folder, "zone.txt")
        with open(zone, "w") as file:
            file.write(ZONE)
        fixture = Fixture()
        cls.addClassCleanup(fixture.process.communicate, timeout=20)
        cls.addClassCleanup(fixture.process.kill)
        rules = os.path.join(gateway.ROOT, "policies")
        cls.ours, cls.postfix = {}, {}
        for filters, link in (("script", f"inet:127.0.0.1:{fixture.port}"), ("builtin", "builtin")):
            mta = cls.ours[filters] = Ours(link)
            mta.overrides.update(zone_file=zone, policy_dir=rules)
            cls.enterClassContext(mta)
            milter = f"inet:localhost:{fixture.port if filters == 'script' else mta.ports['milter']}"
            cls.postfix[filters] = cls.enterClassContext(Postfix(milter, ["local.example"], settings=("recipient_delimiter = +",)))

    def test_all(self):
        paths = sorted(glob.glob(os.path.join(HERE, "*.txt")))
        self.assertGreater(len(paths), 8)
        for path in paths:
            with self.subTest(os.path.basename(path)):
                self.replay(Scenario(path))

    def replay(self, scenario):
        ours, postfix = self.ours[scenario.filters], self.postfix[scenario.filters]
        scenario.hold(ours.ports["smtp"])
        scenario.hold(postfix.port)
        count = len(scenario.deliveries)
        delivered, seen = [], []
        gateway.wait_until(lambda: delivered.extend(ours.taken()) or len(delivered) >= count, 30, lambda: f"our server delivered {len(delivered)} of {count}")
        if count:
            seen = [Mail(mail.raw) for mail in postfix.delivered(count)]
        self.assertEqual(sorted(mail.recipient for mail in delivered), scenario.deliveries)
        order = lambda mail: (mail.recipient, mail.fields)
        self.assertEqual([mail.facts() for mail in sorted(delivered, key=order)], [mail.facts() for mail in sorted(seen, key=order)])

    def tearDown(self):
        # A message that should not have come would come before this one.
        for filters, postfix in self.postfix.items():
            with postfix.client("198.51.100.7", "name.example") as smtp:
                smtp.sendmail("a@sender.example", ["bob@local.example"], "Subject: last\r\n\r\nx\r\n")
            self.assertEqual([mail.fields("Subject") for mail in postfix.delivered()], [["last"]])
            self.assertEqual(self.ours[filters].taken(), [])


if __name__ == "__main__":
    unittest.main()

"""The conversations of `scenarios/` (README.md there says how they are written), and the roads that a conversation takes."""

import base64
import json
import os
import re
import subprocess

import gateway
import mailbox
from lines import Lines, words
from test_foreign_milters import MTA

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "scenarios")

# What may differ between the roads, and nothing else: the trace of an MTA (RFC 5321 §4.4) and of its deliverer. Whose own
# Received field it is, how many there are and what stands above it is compared all the same (Mail.facts).
TRACE = {"received", "return-path", "x-original-to", "delivered-to"}


class Scenario:
    def __init__(self, path):
        self.path, self.filters, self.client = path, "script", "198.51.100.7 name.example"
        self.not_on_postfix = False
        self.connected, self.steps, self.deliveries, self.held = "220", [], [], []
        with open(path, encoding="utf-8", newline="\n") as file:
            for line in file.read().split("\n"):
                if line and not line.startswith("#"):
                    self.take(line)
        self.deliveries.sort()
        self.held.sort()

    def take(self, line):
        kind, _, rest = line.partition(":")
        rest = rest.removeprefix(" ")
        if kind == "C":
            self.steps.append(("C", expanded(rest).encode() + b"\r\n"))
        elif kind == "B":
            self.steps.append(("C", expanded(rest.replace("\\r\\n", "\r\n")).encode()))
        elif kind == "S" and self.steps and self.steps[-1][0] == "S" and self.steps[-1][1].split("\n")[-1][3:4] == "-":
            self.steps[-1] = ("S", self.steps[-1][1] + "\n" + rest)
        elif kind == "S":
            self.steps.append(("S", rest))
        elif kind in ("deliver", "hold"):
            (self.deliveries if kind == "deliver" else self.held).append(rest)
        elif kind == "not on Postfix":
            self.not_on_postfix = True
        elif kind in ("filters", "client", "connected"):
            setattr(self, kind, rest)
        else:
            raise ValueError(f"{self.path}: {line}")

    def speak(self, port):
        """Holds it with a server; every reply must be as written."""
        with Lines(port) as server:
            address, _, name = self.client.partition(" ")
            server.ask("EHLO proxy.example")
            reply = server.ask(f"XCLIENT ADDR={'IPV6:' if ':' in address else ''}{address} NAME={name or '[UNAVAILABLE]'} PORT=4711")
            check(self.connected, reply)
            for kind, given in self.steps:
                if kind == "C":
                    server.send(given)
                else:
                    check(given, server.reply())

    def check_replies(self, replies):
        """The same of a conversation that has been held."""
        wanted = [self.connected] + [given for kind, given in self.steps if kind == "S"]
        for expected, reply in zip(wanted, replies):
            check(expected, reply.encode())
        if len(wanted) != len(replies):
            raise AssertionError(f"expected {len(wanted)} replies, got {replies}")


def expanded(text):
    """`{x*5000}` made 5,000 x."""
    return re.sub(r"\{(.)\*(\d+)\}", lambda found: found[1] * int(found[2]), text)


def check(expected, reply):
    """A reply against its code or the code's class, its last line, or all its lines; the id that ours gives with a refusal aside."""
    given = words(reply.decode().replace("\r\n", "\n").rstrip("\n"))
    last = given.split("\n")[-1]
    if not (last.startswith(expected) if len(expected) <= 3 else given == expected if "\n" in expected else last == expected):
        raise AssertionError(f"expected {expected!r}, got {given!r}")


class Mail:
    """A delivered message: to whom, the trace's sender, and what is not trace."""

    def __init__(self, raw, held=False):
        self.held = held
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
        # Postfix keeps lines, so it puts a missing last line end there.
        if self.body and not self.body.endswith(b"\n"):
            self.body += b"\n"

    def facts(self):
        return self.held, self.recipient, self.sender, self.hops, self.above, self.foreign, self.fields, self.body

    @property
    def order(self):
        return self.held, self.recipient, self.fields, self.body


class Ours(MTA):
    """Our SMTP port."""

    def add_accounts(self):
        super().add_accounts()
        for word in ("accept", "discard", "multi", "plain", "reject", "tempfail"):
            gateway.add_account(self.config, f"{word}@local.example", "a long password")

    def carry(self, scenario):
        scenario.speak(self.ports["smtp"])
        found = []
        count = len(scenario.deliveries) + len(scenario.held)
        gateway.wait_until(lambda: found.extend(self.taken()) or len(found) >= count, 30, lambda: f"our server delivered {len(found)} of {count}")
        return found

    def taken(self):
        """What lies in the mailboxes, taken out."""
        found = []
        for account in gateway.ACCOUNTS:
            with mailbox.imap("localhost", self.ports["imaps"], self.values["certificate"], *account) as client:
                for folder in ("INBOX", "Quarantine"):
                    if client.select(folder)[0] != "OK":
                        continue
                    for number in mailbox.ok(client.search(None, "ALL"))[0].split():
                        raw = mailbox.ok(client.fetch(number, "(BODY.PEEK[])"))[0][1]
                        found.append(Mail(raw, held=folder != "INBOX"))
                        mailbox.ok(client.store(number, "+FLAGS", "\\Deleted"))
                    mailbox.ok(client.expunge())
        return found


class Theirs:
    """A Postfix that has us as its milter."""

    def __init__(self, postfix):
        self.postfix = postfix

    def carry(self, scenario):
        scenario.speak(self.postfix.port)
        found = [Mail(mail.raw) for mail in self.postfix.delivered(len(scenario.deliveries))] if scenario.deliveries else []
        if scenario.held:
            gateway.wait_until(lambda: len(self.postfix.held()) >= len(scenario.held), 30, self.postfix.log)
            found += [Mail(mail.raw, held=True) for mail in self.postfix.release(len(scenario.held))]
        return found


class InProcess:
    """The filter chain with no socket: scenario-chain."""

    def __init__(self, config):
        self.config = config

    def carry(self, scenario):
        done = subprocess.run([gateway.binary("scenario-chain"), "--config", self.config, scenario.path], capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise AssertionError(f"scenario-chain: {done.stdout}{done.stderr}")
        told = json.loads(done.stdout)
        scenario.check_replies(told["replies"])
        return [Mail(f"Return-Path: <{copy['sender']}>\r\nDelivered-To: {copy['recipient']}\r\n".encode() + base64.b64decode(copy["message"]), copy["held"])
                for copy in told["copies"]]

"""A postern that relays, on a machine of its own: well-known ports, a name server, and servers at addresses of their own."""

import os
import re
import shutil
import smtplib
import tempfile

import gateway
import mailbox
from namespace import Namespace
from signedzone import SignedZones

CONFIGURATION = """\
myhostname = "relay.us.example"
mydestination = ["us.example"]
data_directory = "{folder}/data"
policy_directory = "{folder}/policies"
minimal_backoff_time = "{backoff}"
maximal_backoff_time = "{backoff}"
{settings}

[listen]
smtp = ["127.0.0.1:2525"{more}]
submission = []
submissions = []
imap = []
imaps = []
milter = ""

[dns]
forwarders = ["127.0.0.1@5353"]
{anchors}
timeout = "5s"
{tables}
"""


class RelayMachine:
    """`zones`, `signed`, `expired` as SignedZones has them; `settings` are top-level lines, `tables` come last and may be
    a function that is called inside the namespace."""

    def __init__(self, addresses, zones, signed=(), expired=(), settings="", tables="", accounts=(), namespace=None, backoff="1h", own_port=False):
        self.addresses, self.zones, self.signed, self.expired = addresses, zones, signed, expired
        self.settings, self.tables, self.accounts = settings, tables, accounts
        # Whether it listens on port 25 itself, which makes 127.0.0.1 a circle.
        self.more = ', "127.0.0.1:25"' if own_port else ""
        self.namespace, self.backoff = namespace or Namespace(addresses=addresses), backoff
        self.process = self.names = self.machine = None

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="postern-relay-")
        try:
            self.machine = self.namespace
            self.machine.__enter__()
            self.names = SignedZones(self.folder + "/zones", self.zones, self.signed, self.expired, self.machine)
            self.names.__enter__()
            for name in ("data", "policies"):
                os.mkdir(f"{self.folder}/{name}")
            self.config = f"{self.folder}/postern.toml"
            with open(self.config, "w") as file:
                file.write(CONFIGURATION.format(folder=self.folder, more=self.more, anchors=f'trust_anchor_file = "{self.names.anchors}"' if self.signed or self.expired else "",
                                                settings=self.settings, backoff=self.backoff, tables=self.tables() if callable(self.tables) else self.tables))
            for address, password in self.accounts:
                gateway.add_account(self.config, address, password)
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self):
        self.process = gateway.Process(self.folder, "serve", "--config", self.config, prefix=self.machine.prefix)
        self.process.wait_started(lambda: "event=ready" in self.process.output())

    def __exit__(self, *_):
        try:
            if self.process:
                self.process.stop()
        finally:
            if self.names and hasattr(self.names, "process"):
                self.names.__exit__()
            if self.machine and hasattr(self.machine, "outside"):
                self.machine.__exit__()
            shutil.rmtree(self.folder, ignore_errors=True)

    def send(self, *recipients, sender="alice@us.example", subject=None, content=None, options=(), rcpt_options=()):
        """Hands a message in; its subject."""
        subject = subject or mailbox.unique("relay")
        message = content or mailbox.message(sender or "postmaster@us.example", recipients[0], subject).as_bytes(policy=mailbox.email.policy.SMTP)
        with smtplib.SMTP("127.0.0.1", 2525, timeout=30, local_hostname="client.us.example") as smtp:
            smtp.sendmail(sender or "", recipients, message, options, rcpt_options)
        return subject

    def outcomes(self, recipient, count=1, timeout=60):
        """The log's lines on a recipient, once there are so many: dictionaries of relay, dsn, status, cause, text."""
        found = []

        def look():
            found[:] = [line for line in self.process.output().splitlines() if f"to=<{recipient}>" in line]
            return len(found) >= count

        gateway.wait_until(look, timeout, lambda: f"no outcome for {recipient}\n{self.process.output()}")
        return [Outcome(line) for line in found]

    def deliver(self, recipient, **options):
        """Sends and waits for the outcome."""
        before = len(self.outcomes(recipient, 0))
        self.send(recipient, **options)
        return self.outcomes(recipient, before + 1)[before]


class Outcome:
    """One `to=<…>, relay=…, dsn=…, status=… (…)` line."""

    def __init__(self, line):
        self.line = line
        self.relay = self.field("relay")
        self.dsn = self.field("dsn")
        self.status = self.field("status")
        self.cause = self.field("cause")

    def field(self, name):
        found = re.search(rf"{name}=([^, \"]*)", self.line)
        return found.group(1) if found else None

    def __repr__(self):
        return self.line

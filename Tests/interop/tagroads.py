"""The two roads by which mail to tagged addresses comes to us: our SMTP port, and a real Postfix that has us as its milter
and hands over by LMTP. What is delivered is read over IMAP either way."""

import email
import json
import re
import smtplib
import subprocess
import tempfile

import dkim

import gateway
import mailbox
from postfix import Postfix

# Who writes, and from where.
SHOP, MAILER, SPAM, QUIET = "203.0.113.10", "203.0.113.20", "203.0.113.66", "203.0.113.30"
FORWARDER, LIST, NOBODY = "203.0.113.40", "203.0.113.50", "203.0.113.99"
SIGNERS = ("shop.example", "mailer.example", "lists.example", "spam.example")

ZONE = gateway.ZONE + f"""\
shop.example. 3600 IN TXT "v=spf1 ip4:{SHOP} -all"
_dmarc.shop.example. 3600 IN TXT "v=DMARC1; p=none"
mailer.example. 3600 IN TXT "v=spf1 ip4:{MAILER} -all"
spam.example. 3600 IN TXT "v=spf1 ip4:{SPAM} -all"
_dmarc.spam.example. 3600 IN TXT "v=DMARC1; p=none"
quiet.example. 3600 IN TXT "v=spf1 ip4:{QUIET} -all"
university.example. 3600 IN TXT "v=spf1 ip4:{FORWARDER} -all"
lists.example. 3600 IN TXT "v=spf1 ip4:{LIST} -all"
"""


EXTRA = """\
smtpd_authorized_xclient_hosts = ["127.0.0.1"]
alias_maps = ["aliases"]
virtual_alias_domains = ["all.example"]
catch_all = { "all.example" = "alice@local.example" }
"""


class Keys:
    """One RSA key, published for every signer."""

    def __init__(self):
        with tempfile.NamedTemporaryFile(suffix=".pem") as file:
            gateway.make_signing_key(file.name)
            self.pem = file.read()
            public = subprocess.run(["openssl", "pkey", "-in", file.name, "-pubout"], check=True, capture_output=True, text=True, timeout=30).stdout
        text = "v=DKIM1; k=rsa; p=" + "".join(public.splitlines()[1:-1])
        strings = " ".join(f'"{text[at:at + 200]}"' for at in range(0, len(text), 200))
        self.zone = "".join(f"s1._domainkey.{domain}. 3600 IN TXT {strings}\n" for domain in SIGNERS)

    def sign(self, octets, domain):
        return dkim.sign(octets, b"s1", domain.encode(), self.pem, include_headers=[b"From", b"To", b"Subject", b"Message-ID"]) + octets


class Gateway(gateway.Server):
    """Our server; it takes LMTP too."""

    def __init__(self, zone, **overrides):
        super().__init__(extra=EXTRA, **overrides)
        self.zone = zone

    def write(self):
        self.lmtp_port = gateway.free_port()
        super().write()
        with open(f"{self.folder}/aliases", "w") as file:
            file.write("sales: alice+sales@local.example\norders: alice\nboth: alice, carol@far.example\n")
        with open(self.values["zone_file"], "w") as file:
            file.write(self.zone)
        with open(self.config) as file:
            text = file.read()
        text = text.replace('recipient_delimiter = "+"', 'recipient_delimiter = "+-"')
        # Still in [listen].
        text = text.replace("\n[dns]", f'lmtp = ["inet:127.0.0.1:{self.lmtp_port}"]\n\n[dns]')
        with open(self.config, "w") as file:
            file.write(text)
        self.rules("")

    def rules(self, text):
        """The shipped rules, and these before them."""
        with open(f"{gateway.ROOT}/policies/default.policy") as file:
            shipped = file.read()
        for name, content in (("1.policy", text), ("2.policy", shipped)):
            with open(f"{self.policies}/{name}", "w") as file:
                file.write(content)

    def postern(self, *arguments):
        """(status, output) of a command on this installation."""
        return gateway.run_to_end(*arguments, "--config", self.config)

    def show(self, address):
        status, output = self.postern("tag", "show", address, "--json")
        return json.loads(output) if status == 0 else None

    def leaks(self, address):
        status, output = self.postern("leaks", "--json")
        if status:
            raise RuntimeError(output)
        return [leak for leak in json.loads(output) if leak["address"] == address]


class OwnPort:
    """Our SMTP server."""

    def __init__(self, server, settings=()):
        self.server = server

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def client(self, address):
        smtp = smtplib.SMTP("127.0.0.1", self.server.ports["smtp"], local_hostname="client.example", timeout=30)
        smtp.ehlo()
        code, text = smtp.docmd("XCLIENT", f"ADDR={address} NAME=[UNAVAILABLE] PORT=4711")
        if code != 220:
            raise RuntimeError(f"XCLIENT: {code} {text}")
        smtp.ehlo_resp = smtp.helo_resp = None
        return smtp

    def log(self):
        return self.server.process.output()


class BehindPostfix:
    """A Postfix before us."""

    def __init__(self, server, settings=()):
        self.server = server
        transport = f"virtual_transport = lmtp:inet:127.0.0.1:{server.lmtp_port}"
        # Postfix expands this one itself.
        aliases = "virtual_alias_maps = inline:{{sales@local.example = alice+sales@local.example}}"
        self.postfix = Postfix(f"inet:localhost:{server.ports['milter']}", ["local.example", "all.example"],
                               settings=(transport, "recipient_delimiter = +-", aliases, *settings))

    def __enter__(self):
        self.postfix.__enter__()
        return self

    def __exit__(self, *_):
        self.postfix.__exit__()

    def client(self, address):
        return self.postfix.client(address)

    def log(self):
        return self.postfix.log() + self.server.process.output()


class Letter:
    """A message as its maker sends it, who is the shop unless told otherwise."""

    def __init__(self, author="news@shop.example", to="customer@local.example", more=()):
        self.subject = mailbox.unique("letter")
        self.id = f"<{self.subject.replace(' ', '.')}@{author.rpartition('@')[2]}>"
        fields = [("From", author), ("To", to), ("Subject", self.subject), ("Message-ID", self.id), *more]
        self.octets = "".join(f"{name}: {value}\r\n" for name, value in fields).encode() + b"\r\nhello\r\n"


class Copy:
    """What lies in a mailbox."""

    def __init__(self, flags, octets):
        self.flags, self.octets = flags, octets
        self.message = email.message_from_bytes(octets)

    @property
    def header(self):
        return self.message.get_all("X-Postern-Tag", [])

    @property
    def status(self):
        """By the header, which agrees with Authentication-Results."""
        found = [value.partition(";")[0] for value in self.header]
        results = " ".join(str(field) for field in self.message.get_all("Authentication-Results", []))
        if re.findall(r"x-postern-tag=(\w+)", results) != found:
            raise AssertionError(f"{found} in the header, {results}")
        return found[0] if len(found) == 1 else found or None


def read(server, subject, account=0):
    with mailbox.imap("localhost", server.ports["imaps"], server.values["certificate"], *gateway.ACCOUNTS[account]) as client:
        uid, octets = mailbox.fetch(client, subject, timeout=30)
        return Copy(mailbox.ok(client.uid("FETCH", uid, "(FLAGS)"))[0].decode(), octets)

"""From nothing to a trusted mail server, as the manual's first page has it: two hosts, each set up with one command, the
records that it prints published, checked, and mail sent both ways and read over IMAPS. Timed."""

import contextlib
import email
import imaplib
import os
import re
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

import gateway
import mailbox
from internet import Internet
from pebble import Pebble

# Without the build.
LIMIT = 300


class MailHost:
    """A host with a postern that `postern setup` has set up."""

    def __init__(self, net, domain, address, account):
        self.net, self.domain, self.address, self.account = net, domain, address, f"{account}@{domain}"
        self.name = f"mail.{domain}"
        self.host = net.host(address)
        self.process = None

    def postern(self, *arguments, check=True, **options):
        return self.host.run(gateway.binary("postern"), *arguments, check=check, **options)

    def set_up(self):
        """`postern setup`, the address found out by itself."""
        said = self.postern("setup", self.domain, "--account", self.account.partition("@")[0], "--acme", "--yes", "--unit-directory", "/etc/systemd/system").stdout
        found = re.search(rf"^Log-in of {re.escape(self.account)}, shown this once: (\S+)$", said, re.MULTILINE)
        if not found:
            raise AssertionError(said)
        self.password = found.group(1)
        return said

    def edit_settings(self, head, tables):
        path = f"{self.host.folder}/etc/postern/postern.toml"
        with open(path) as file:
            text = file.read()
        with open(path, "w") as file:
            file.write(f"{head}\n{text}\n{tables}")

    def zone(self):
        """What it says should be published."""
        return self.postern("dns", "records", "--format", "zone").stdout

    def start(self):
        self.process = gateway.Process(f"{self.host.folder}/log", "serve", prefix=self.host.prefix)
        self.process.wait_started(lambda: "event=ready" in self.process.output())

    def wait_for(self, event, timeout=60):
        gateway.wait_until(lambda: event in self.process.output(), timeout, lambda: f"no {event}:\n{self.process.output()}")

    def stop(self):
        if self.process:
            self.process.stop()

    def wait_trusted(self):
        """The certificate of the authority takes the place of the one that vouches for itself, while the server runs."""
        gateway.wait_until(self.is_trusted, 60, lambda: f"the certificate is not taken up\n{self.process.output()[-6000:]}\n{self.pebble.log()}")

    def is_trusted(self):
        """Whether a client who knows the authority alone believes the server."""
        try:
            with socket.create_connection((self.address, 993), 10) as sock, self.trust().wrap_socket(sock, server_hostname=self.name):
                return True
        except ssl.SSLCertVerificationError:
            return False

    def trust(self):
        return ssl.create_default_context(cafile=self.pebble.root)

    def send(self, recipient, subject):
        """As a mail program does, by submission."""
        with smtplib.SMTP(self.address, 587, timeout=30, local_hostname="laptop.example") as smtp:
            smtp._host = self.name
            smtp.starttls(context=self.trust())
            smtp.login(self.account, self.password)
            smtp.send_message(mailbox.message(self.account, recipient, subject))

    @contextlib.contextmanager
    def inbox(self):
        context, name, address = self.trust(), self.name, self.address

        class Client(imaplib.IMAP4_SSL):
            def _create_socket(client, timeout):
                return context.wrap_socket(imaplib.IMAP4._create_socket(client, timeout), server_hostname=name)
        client = Client(address, 993, ssl_context=context, timeout=30)
        try:
            mailbox.ok(client.login(self.account, self.password))
            yield client
        finally:
            with contextlib.suppress(imaplib.IMAP4.error, OSError):
                client.logout()


class ShortVersion(unittest.TestCase):
    def test_two_servers_from_nothing(self):
        folder = self.enterContext(tempfile.TemporaryDirectory(prefix="postern-short-"))
        begun = time.monotonic()
        steps = []

        def done(what):
            steps.append(f"{what} {time.monotonic() - begun:.1f}")

        with contextlib.ExitStack() as stack:
            net = stack.enter_context(Internet(folder))
            one, two = MailHost(net, "one.example", "203.0.113.10", "alice"), MailHost(net, "two.example", "203.0.113.20", "bob")
            try:
                for host in (one, two):
                    self.setup_in_its_three_ways(host)
                for host, other in ((one, two), (two, one)):
                    # This internet's own authority; and what it does not have: lists of bad senders, a large mail provider to
                    # try port 25 with, a web server for MTA-STS.
                    host.edit_settings(f"""\
acme_directory = "https://pebble.net.example:14000/dir"
acme_CAfile = "{folder}/pebble/cert.pem"
smtp_tls_CAfile = "{folder}/pebble/root.pem"
""", f'[dns_check]\nblocklists = []\nport_25_domain = "{other.domain}"\n\n[publish]\nmta_sts_mode = "none"\n')
                done("set up")
                pebble = stack.enter_context(Pebble(f"{folder}/pebble", net.world))
                net.publish({"one.example": one.zone(), "two.example": two.zone(),
                             "113.0.203.in-addr.arpa": "10 IN PTR mail.one.example.\n20 IN PTR mail.two.example.\n"})
                for host in (one, two):
                    host.start()
                for host in (one, two):
                    # The keys sign as soon as their records are seen.
                    host.wait_for('event="DKIM keys changed"')
                done("published and started")
                for host in (one, two):
                    host.pebble = pebble
                    host.wait_trusted()
                done("certificates")
                for host in (one, two):
                    self.check(host)
                done("checked")
                for sender, receiver in ((one, two), (two, one)):
                    self.mail(sender, receiver)
                done("mail both ways")
                self.it_runs_as_its_user(one)
            except BaseException:
                for host in (one, two):
                    if host.process:
                        sys.stdout.write(f"\n{host.name}:\n{host.process.output()[-6000:]}\n")
                raise
            finally:
                for host in (one, two):
                    host.stop()
        self.assertLess(time.monotonic() - begun, LIMIT)
        print(f"seconds: {', '.join(steps)} … ", end="", flush=True)

    def setup_in_its_three_ways(self, host):
        dry = host.postern("setup", host.domain, "--account", "alice", "--yes", "--dry-run").stdout
        self.assertIn("would make", dry)
        self.assertFalse(os.path.exists(f"{host.host.folder}/etc/postern"))
        said = host.set_up()
        self.assertIn("postern dns records", said)
        again = host.postern("setup", host.domain, "--account", host.account, "--yes").stdout
        self.assertIn("nothing was changed", again)
        self.assertNotRegex(again, r"(?m)^(made|would make)")
        self.assertIn("are well", host.postern("check").stdout)
        # Without a terminal nobody is asked.
        missing = host.postern("setup", host.domain, check=False, stdin=subprocess.DEVNULL)
        self.assertEqual(missing.returncode, 64)
        self.assertIn("--account", missing.stderr)

    def check(self, host):
        found = host.postern("dns", "check", check=False)
        self.assertEqual(found.returncode, 0, found.stdout + found.stderr)
        self.assertIn("All is right.", found.stdout)

    def mail(self, sender, receiver):
        subject = mailbox.unique("short version")
        sender.send(receiver.account, subject)
        with receiver.inbox() as client:
            message = email.message_from_bytes(mailbox.fetch(client, subject, timeout=60)[1])
        results = message["Authentication-Results"]
        self.assertTrue(results.startswith(receiver.name), results)
        for method in ("spf", "dkim", "dmarc"):
            self.assertRegex(results, rf"\b{method}=pass\b", results)
        # Both keys.
        self.assertEqual(len(message.get_all("DKIM-Signature")), 2)
        self.assertEqual(len(re.findall(r"\bdkim=pass\b", results)), 2, results)

    def it_runs_as_its_user(self, host):
        ids = host.host.run("getent", "passwd", "postern").stdout.split(":")
        with open(f"/proc/{host.process.process.pid}/status") as file:
            uid = re.search(r"^Uid:\s+(\d+)\s+(\d+)", file.read(), re.MULTILINE)
        self.assertEqual(uid.groups(), (ids[2], ids[2]))
        for path, mode in (("postern.toml", 0o640), (f"tls/{host.name}/privkey.pem", 0o640), (".", 0o750)):
            facts = os.stat(f"{host.host.folder}/etc/postern/{path}")
            self.assertEqual((facts.st_uid, facts.st_gid, facts.st_mode & 0o777), (0, int(ids[3]), mode), path)
        for name in os.listdir(f"{host.host.folder}/lib/postern"):
            self.assertEqual(os.stat(f"{host.host.folder}/lib/postern/{name}").st_uid, int(ids[2]), name)


if __name__ == "__main__":
    unittest.main()

"""Certificates from an authority: pebble, strict, which refuses most nonces."""

import json
import os
import re
import socket
import ssl
import unittest
import urllib.error
import urllib.request

import authorityserver
import gateway
from test_certificates import shown

NAMES = ["mail.local.example", "imap.local.example"]


class Server(gateway.Server):
    """Gets its certificate from the authority."""

    def __init__(self, authority, challenge, names=NAMES, started=True, more=""):
        self.authority, self.started = authority, started
        super().__init__(extra=f'acme = true\nacme_directory = "{authority.directory}"\nacme_CAfile = "{authority.ca_file}"\nacme_email = "root@local.example"\n'
                               f'acme_challenge = "{challenge}"\nacme_domains = {json.dumps(names)}\n{more}')

    def write(self):
        super().write()
        with open(self.values["zone_file"], "a") as file:
            file.write(f"{authorityserver.NAME}. 3600 IN A 127.0.0.1\n")
        self.edit(lambda text: re.sub("smtpd_tls_.*\n", "", text)
                  .replace("[listen]\n", f'[listen]\nhttp = ["127.0.0.1:{self.authority.http}"]\nhttps = ["127.0.0.1:{self.authority.tls}"]\n'))

    def edit(self, change):
        with open(self.config) as file:
            text = file.read()
        with open(self.config, "w") as file:
            file.write(change(text))

    def start(self):
        if self.started:
            super().start()

    def command(self, *words, timeout=90):
        return gateway.run_to_end("acme", *words, "--config", self.config, timeout=timeout)

    def status(self):
        return json.loads(self.command("status", "--json")[1])

    def wait_issued(self, count=1, timeout=60):
        gateway.wait_until(lambda: self.process.output().count("a certificate was issued") >= count, timeout, self.explain)

    def explain(self):
        return self.process.output() + self.authority.log()[-3000:]

    def verified(self, port):
        """The certificate that a client who trusts the authority alone sees, for each name."""
        context = ssl.create_default_context(cafile=self.authority.root)
        for name in NAMES:
            with socket.create_connection(("127.0.0.1", port), 30) as sock, context.wrap_socket(sock, server_hostname=name) as tls:
                found = tls.getpeercert()
        return found


class Issue(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.authority = cls.enterClassContext(authorityserver.Authority())

    def check(self, challenge):
        server = self.enterContext(Server(self.authority, challenge))
        server.wait_issued()
        gateway.wait_until(lambda: trusted(server), 15, server.explain)
        for door in ("imaps", "submissions"):
            found = server.verified(server.ports[door])
            self.assertEqual({value for _, value in found["subjectAltName"]}, set(NAMES))
        folder = os.path.join(server.data_dir, "acme")
        self.assertEqual(oct(os.stat(folder).st_mode & 0o777), "0o700")
        files = os.listdir(folder)
        self.assertEqual(sum(name.startswith("account-") for name in files), 1)
        self.assertEqual({oct(os.stat(os.path.join(folder, name)).st_mode & 0o777) for name in files}, {"0o600"})
        status = server.status()
        self.assertEqual((set(status["issued"]), status["failures"]), (set(NAMES), 0))
        self.assertRegex(status["next"], r"^20\d\d-")
        # Not due: nobody is asked.
        self.assertIn("not due", server.command("renew")[1])
        return server

    def test_http_01(self):
        server = self.check("http-01")
        # Again by hand, through the running server; with the account of before, and nobody is cut off.
        first = server.verified(server.ports["imaps"])["serialNumber"]
        with socket.create_connection(("127.0.0.1", server.ports["imaps"]), 30) as sock:
            context = ssl.create_default_context(cafile=self.authority.root)
            with context.wrap_socket(sock, server_hostname=NAMES[0]) as tls:
                tls.recv(500)
                status, output = server.command("issue")
                self.assertEqual(status, 0, output)
                self.assertIn("showing http-01", output + server.process.output())
                gateway.wait_until(lambda: server.verified(server.ports["imaps"])["serialNumber"] != first, 15, server.explain)
                tls.sendall(b"a NOOP\r\n")
                self.assertRegex(tls.recv(500), rb"^a OK")
        # What is no challenge is not there.
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{self.authority.http}/.well-known/acme-challenge/../../etc/passwd", timeout=10)
        self.assertEqual(refused.exception.code, 404)
        refused.exception.close()

    def test_tls_alpn_01(self):
        server = self.check("tls-alpn-01")
        # Who offers no acme-tls/1 gets the ordinary certificate.
        self.assertEqual(server.verified(self.authority.tls)["serialNumber"], server.verified(server.ports["imaps"])["serialNumber"])

    def test_a_command_alone_when_no_server_runs(self):
        server = self.enterContext(Server(self.authority, "http-01", started=False))
        status, output = server.command("status")
        self.assertEqual(status, 1)
        self.assertIn("none yet", output)
        status, output = server.command("renew")
        self.assertEqual(status, 0, output)
        self.assertIn("certificate.pem: for", output)
        server.started = True
        server.start()
        server.verified(server.ports["imaps"])
        self.assertEqual(server.process.output().count("a certificate was issued"), 0)

    def test_a_name_that_leads_elsewhere_is_refused_and_the_old_certificate_stays(self):
        # Nobody listens there.
        self.authority.lead("elsewhere.local.example", "127.0.0.9")
        server = self.enterContext(Server(self.authority, "http-01", names=["elsewhere.local.example"]))
        gateway.wait_until(lambda: "no certificate from the authority" in server.process.output(), 60, server.explain)
        self.assertRegex(server.process.output(), r"again=20\S+ error=\"elsewhere\.local\.example: http-01 failed: ")
        # Until there is one, encryption by one that vouches for itself.
        self.assertTrue(shown(server.ports["imaps"]))
        status = server.status()
        self.assertEqual(status["failures"], 1)
        self.assertIn("elsewhere.local.example", status["lastError"])
        # A name that the authority will never certify.
        server.process.stop()
        server.edit(lambda text: text.replace("elsewhere.local.example", "blocked.local.example"))
        code, output = server.command("issue")
        self.assertEqual(code, 1)
        self.assertIn("blocked.local.example", output)
        self.assertEqual(server.status()["failures"], 2)

    def test_an_authority_that_is_away_and_comes_back(self):
        with authorityserver.Authority() as authority:
            authority.stop()
            server = self.enterContext(Server(authority, "http-01"))
            gateway.wait_until(lambda: "no certificate from the authority" in server.process.output(), 60, server.explain)
            self.assertIn("does not answer", server.process.output())
            authority.start()
            status, output = server.command("issue")
            self.assertEqual(status, 0, output)
            gateway.wait_until(lambda: trusted(server), 15, server.explain)
            self.assertEqual(server.status()["failures"], 0)
            # And again one that lost its memory: the account is made anew from the same key.
            authority.stop()
            authority.start()
            self.assertEqual(server.command("issue")[0], 0)


class Renewal(unittest.TestCase):
    def test_it_is_renewed_when_a_third_is_left(self):
        with authorityserver.Authority(validity=45) as authority, Server(authority, "http-01") as server:
            server.wait_issued()
            gateway.wait_until(lambda: trusted(server), 15, server.explain)
            first = server.verified(server.ports["imaps"])["serialNumber"]
            server.wait_issued(count=2, timeout=60)
            gateway.wait_until(lambda: (trusted(server) or {}).get("serialNumber", first) != first, 15, server.explain)
            accounts = [name for name in os.listdir(os.path.join(server.data_dir, "acme")) if name.startswith("account-")]
            self.assertEqual(len(accounts), 1)


class Policies(unittest.TestCase):
    """MTA-STS policies over HTTPS, with a certificate for mta-sts.DOMAIN (RFC 8461 §3.3)."""

    def test_a_policy_is_served_for_our_domains_only(self):
        with authorityserver.Authority() as authority, Server(authority, "tls-alpn-01", names=[], more='mta_sts_mode = "testing"\nmta_sts_max_age = "7d"') as server:
            server.wait_issued()
            self.assertEqual(set(server.status()["issued"]), {"mail.local.example", "mta-sts.local.example"})
            context = ssl.create_default_context(cafile=authority.root)

            def get(host, path="/.well-known/mta-sts.txt", name="mta-sts.local.example"):
                with socket.create_connection(("127.0.0.1", authority.tls), 30) as sock, context.wrap_socket(sock, server_hostname=name) as tls:
                    tls.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
                    return tls.makefile("rb").read()

            def is_served():
                try:
                    return get("mta-sts.local.example")
                except ssl.SSLError:
                    return None
            gateway.wait_until(is_served, 15, server.explain)
            head, _, body = get("mta-sts.local.example").partition(b"\r\n\r\n")
            self.assertRegex(head, rb"^HTTP/1\.1 200 OK\r\n")
            self.assertIn(b"Content-Type: text/plain", head)
            self.assertEqual(body, b"version: STSv1\r\nmode: testing\r\nmx: mail.local.example\r\nmax_age: 604800\r\n")
            for host, path in (("mta-sts.other.example", "/.well-known/mta-sts.txt"), ("mta-sts.local.example", "/"), ("local.example", "/.well-known/mta-sts.txt")):
                self.assertRegex(get(host, path), rb"^HTTP/1\.1 404 ")


def trusted(server):
    try:
        return server.verified(server.ports["imaps"])
    except ssl.SSLError:
        return None

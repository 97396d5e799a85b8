"""Log-in by SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, PLAIN and LOGIN, over IMAP and submission, with clients that are not
ours: GNU SASL's `gsasl` (both channel binding types that it knows), msmtp and Python's smtplib and imaplib."""

import base64
import socket
import subprocess
import unittest

import gateway
import mailbox


class LogIns(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.demo = cls.enterClassContext(gateway.Demo())

    def gsasl(self, protocol, port, mechanism, *options, password=None):
        demo = self.demo
        return subprocess.run(
            ["gsasl", f"--{protocol}", f"--connect={demo.host}:{port}", "--starttls", f"--x509-ca-file={demo.ca_file}", "--verbose",
             "-m", mechanism, "-a", demo.user, *(["-z", ""] if mechanism == "PLAIN" else []), "-p", password or demo.password, *options, "--application-data"],
            input="", capture_output=True, text=True, timeout=60)

    def test_gsasl(self):
        demo = self.demo
        for protocol, port in (("imap", demo.imap_port), ("smtp", demo.submission_port)):
            for mechanism in ("PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"):
                with self.subTest(protocol=protocol, mechanism=mechanism):
                    options = ["--no-cb"] if mechanism == "SCRAM-SHA-256" else []
                    done = self.gsasl(protocol, port, mechanism, *options)
                    said = done.stdout + done.stderr
                    self.assertIn("Client authentication finished (server trusted)", said)
                    self.assertRegex(said, r"235 2\.7\.0|OK \[CAPABILITY")

    def test_gsasl_under_tls_1_2(self):
        """gsasl binds to tls-unique there, and to the exporter under TLS 1.3."""
        for version in ("NORMAL:-VERS-ALL:+VERS-TLS1.2", "NORMAL:-VERS-ALL:+VERS-TLS1.3"):
            with self.subTest(version):
                done = self.gsasl("imap", self.demo.imap_port, "SCRAM-SHA-256-PLUS", f"--priority={version}")
                self.assertIn("server trusted", done.stdout + done.stderr)

    def test_gsasl_with_a_wrong_password(self):
        done = self.gsasl("imap", self.demo.imap_port, "SCRAM-SHA-256-PLUS", password="guess")
        self.assertIn("AUTHENTICATIONFAILED", done.stdout + done.stderr)

    def test_msmtp(self):
        demo = self.demo
        for mechanism in ("plain", "login", "scram-sha-256"):
            with self.subTest(mechanism):
                subject = mailbox.unique(mechanism)
                done = subprocess.run(
                    ["msmtp", "--file=/dev/null", f"--host={demo.host}", f"--port={demo.submission_port}", f"--auth={mechanism}", f"--user={demo.user}",
                     f"--passwordeval=echo {demo.password}", "--tls=on", f"--tls-trust-file={demo.ca_file}", f"--from={demo.user}", demo.user],
                    input=f"From: {demo.user}\nTo: {demo.user}\nSubject: {subject}\n\nhello\n", capture_output=True, text=True, timeout=60)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_nothing_before_tls(self):
        """What the plain connection offers and does before STARTTLS, seen from another machine's address."""
        with socket.create_connection((self.demo.host, self.demo.imap_port), 10, source_address=("127.0.0.9", 0)) as client:
            file = client.makefile("rwb")
            greeting = file.readline().decode()
            if "LOGINDISABLED" in greeting:
                self.assertNotIn("AUTH=", greeting)
                file.write(b"a AUTHENTICATE SCRAM-SHA-256\r\n")
                file.flush()
                self.assertIn(b"a NO [PRIVACYREQUIRED]", file.readline())

    def test_what_is_offered_under_tls(self):
        demo = self.demo
        context = mailbox.tls(demo.ca_file)
        with socket.create_connection((demo.host, demo.imaps_port), 10) as plain, context.wrap_socket(plain, server_hostname=demo.host) as client:
            file = client.makefile("rwb")
            greeting = file.readline().decode()
            for mechanism in ("PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"):
                self.assertIn(f" AUTH={mechanism}", greeting)
            # A client that could bind and thinks that we cannot: RFC 5802 section 6.
            first = base64.b64encode(f"y,,n={demo.user},r=nonce".encode())
            file.write(b"a AUTHENTICATE SCRAM-SHA-256 " + first + b"\r\n")
            file.flush()
            self.assertIn(b"a NO [AUTHENTICATIONFAILED]", file.readline())
            file.write(b"b AUTHENTICATE SCRAM-SHA-256-PLUS " + base64.b64encode(b"p=tls-unknown,,n=a,r=nonce") + b"\r\n")
            file.flush()
            self.assertIn(b"b NO [AUTHENTICATIONFAILED]", file.readline())

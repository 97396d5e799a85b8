"""Bad input gets a clear error and costs nothing."""

import imaplib
import os
import re
import smtplib
import socket
import subprocess
import unittest

import gateway
import mailbox
from gateway import ACCOUNTS
from lines import Lines


class Conversation(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(gateway.Server(size_limit=1_000_000))
        cls.memory_before = cls.memory(cls)

    def memory(self):
        """Resident kilobytes of the server."""
        with open(f"/proc/{self.server.process.process.pid}/status") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1])

    def tearDown(self):
        """After each abuse the server is there, answers others, and has not grown."""
        with self.lines() as other:
            self.assertTrue(other.ask("EHLO still.example").startswith(b"250"))
        self.assertLess(self.memory() - self.memory_before, 64 * 1024, "the server grew by 64 MiB")

    def lines(self, listener="smtp"):
        return Lines(self.server.ports[listener])

    def test_unknown_command(self):
        with self.lines() as smtp:
            smtp.ask("EHLO client.example")
            self.assertRegex(smtp.ask("FROBNICATE now"), rb"^50[02] 5\.5\.[12] ")
            self.assertTrue(smtp.ask("NOOP").startswith(b"250"))

    def test_commands_out_of_order(self):
        with self.lines() as smtp:
            smtp.ask("EHLO client.example")
            self.assertRegex(smtp.ask("RCPT TO:<a@local.example>"), rb"^503 5\.5\.1 ")
            self.assertRegex(smtp.ask("DATA"), rb"^503 5\.5\.1 ")

    def test_bad_syntax(self):
        with self.lines() as smtp:
            smtp.ask("EHLO client.example")
            for line in ("MAIL FROM:a@b", "MAIL FROM:<a b@c>", "MAIL FROM:<a@b> SIZE=x", "MAIL FROM:<a@b> WHAT=ever", "MAIL"):
                self.assertRegex(smtp.ask(line), rb"^5(01|55) 5\.", line)

    def test_a_line_of_two_megabytes(self):
        for listener in ("smtp", "submission"):
            with self.subTest(listener), self.lines(listener) as smtp:
                smtp.ask("EHLO client.example")
                smtp.send(b"MAIL FROM:<" + b"x" * 2_000_000 + b">\r\n")
                self.assertRegex(smtp.reply(), rb"^(500|421) ")

    def test_a_line_of_two_megabytes_over_imap(self):
        with self.lines("imap") as imap:
            imap.send(b"a LOGIN " + b"x" * 2_000_000 + b"\r\n")
            self.assertRegex(imap.stream.readline(), rb"^(\* BYE|\* BAD|a BAD)")

    def test_relay_for_strangers_is_refused(self):
        with self.lines() as smtp:
            smtp.ask("EHLO client.example")
            smtp.ask("MAIL FROM:<someone@stranger.example>")
            # RFC 3463 §3.8: 5.7.1, delivery not authorised.
            self.assertRegex(smtp.ask("RCPT TO:<victim@elsewhere.example>"), rb"^5\d\d 5\.7\.1 ")
            self.assertTrue(smtp.ask(f"RCPT TO:<{ACCOUNTS[0][0]}>").startswith(b"250"))

    def test_message_declared_over_size(self):
        with self.lines() as smtp:
            smtp.ask("EHLO client.example")
            self.assertRegex(smtp.ask("MAIL FROM:<a@stranger.example> SIZE=1000001"), rb"^552 5\.3\.4 ")

    def test_message_over_size(self):
        with smtplib.SMTP("127.0.0.1", self.server.ports["smtp"], local_hostname="client.example", timeout=30) as smtp:
            smtp.ehlo()
            smtp.mail("a@stranger.example")
            smtp.rcpt(ACCOUNTS[0][0])
            code, text = smtp.data(b"Subject: big\r\n\r\n" + (b"x" * 70 + b"\r\n") * 40_000)
            self.assertEqual((code, text[:6]), (552, b"5.3.4 "))
            self.assertEqual(smtp.noop()[0], 250)

    def test_a_line_of_two_megabytes_in_data(self):
        with self.lines() as smtp:
            for line in ("EHLO client.example", "MAIL FROM:<a@stranger.example>", f"RCPT TO:<{ACCOUNTS[0][0]}>", "DATA"):
                smtp.ask(line)
            smtp.send(b"Subject: x\r\n\r\n" + b"x" * 2_000_000 + b"\r\n.\r\n")
            self.assertRegex(smtp.reply(), rb"^5\d\d 5\.")

    def test_bare_line_ends_in_data(self):
        for bad in (b"a\nb\r\n", b"a\rb\r\n", b"a\n.\nQUIT\r\n", b"a\r\n.\nMAIL FROM:<smuggled@stranger.example>\r\n"):
            with self.subTest(bad), self.lines() as smtp:
                for line in ("EHLO client.example", "MAIL FROM:<a@stranger.example>", f"RCPT TO:<{ACCOUNTS[0][0]}>", "DATA"):
                    smtp.ask(line)
                smtp.send(b"Subject: x\r\n\r\n" + bad + b".\r\n")
                self.assertRegex(smtp.reply(), rb"^5\d\d 5\.")

    def test_wrong_password(self):
        address, _ = ACCOUNTS[0]
        context = mailbox.tls(self.server.values["certificate"])
        for user in (address, "nobody@local.example"):
            with self.subTest(user), smtplib.SMTP("localhost", self.server.ports["submission"], timeout=60) as smtp:
                smtp.starttls(context=context)
                with self.assertRaises(smtplib.SMTPAuthenticationError) as caught:
                    smtp.login(user, "wrong")
                self.assertEqual((caught.exception.smtp_code, caught.exception.smtp_error[:6]), (535, b"5.7.8 "))
                self.assertEqual(smtp.noop()[0], 250)

    def test_wrong_password_over_imap(self):
        with self.assertRaises(imaplib.IMAP4.error) as caught:
            with mailbox.imap("localhost", self.server.ports["imaps"], self.server.values["certificate"], ACCOUNTS[0][0], "wrong"):
                pass
        self.assertIn("AUTHENTICATIONFAILED", str(caught.exception))

    def test_unknown_imap_command_keeps_its_tag(self):
        with self.lines("imap") as imap:
            imap.send(b"x1 FROBNICATE\r\n")
            self.assertRegex(imap.stream.readline(), rb"^x1 BAD ")

    def test_not_tls_at_all_on_a_tls_port(self):
        for listener in ("submissions", "imaps"):
            with self.subTest(listener), socket.create_connection(("127.0.0.1", self.server.ports[listener]), 30) as sock:
                sock.sendall(b"EHLO plain.example\r\n" * 10)
                try:
                    while sock.recv(4096):
                        pass
                except ConnectionResetError:
                    pass  # hung up on: that is what we want to see


class Starting(unittest.TestCase):
    """Each failure to start ends with a status other than 0 and says what is wrong and where."""

    def failing(self, *words, prefix=(), prepare=None, **overrides):
        server = gateway.Server(**overrides)
        server.start = lambda: None
        with server:
            if prepare:
                prepare(server)
            done = subprocess.run([*prefix, gateway.binary("postern"), "serve", "--config", server.config], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=60)
            self.assertNotEqual(done.returncode, 0, done.stdout)
            self.assertGreater(done.returncode, 0, f"it crashed: {done.stdout}")
            for word in words:
                alternatives = [word] if isinstance(word, str) else word
                self.assertTrue(any(one.format(**server.values) in done.stdout for one in alternatives), f"{alternatives} not in: {done.stdout}")

    def change_config(self, old, new):
        """Its place becomes {line} in the words wanted."""
        def prepare(server):
            with open(server.config) as file:
                text = file.read()
            self.assertIn(old, text)
            server.values["line"] = text[:text.index(old)].count("\n") + 1
            with open(server.config, "w") as file:
                file.write(text.replace(old, new, 1))
        return prepare

    def test_unknown_key(self):
        self.failing("postern.toml:{line}:", "recipient_delimitr", "did you mean recipient_delimiter?",
                     prepare=self.change_config("recipient_delimiter", "recipient_delimitr"))

    def test_wrong_type(self):
        self.failing("postern.toml:{line}:", "message_size_limit must be a whole number", prepare=self.change_config("message_size_limit = 1000000", 'message_size_limit = "big"'))

    def test_not_toml(self):
        self.failing("postern.toml:{line}:", "not TOML", prepare=self.change_config("[listen]", "[listen"))

    def test_no_such_file(self):
        status, output = gateway.run_to_end("serve", "--config", "/no/such/postern.toml")
        self.assertGreater(status, 0)
        self.assertIn("/no/such/postern.toml", output)

    def test_busy_port(self):
        for name in gateway.PORT_NAMES:
            with self.subTest(name), socket.socket() as holder:
                holder.bind(("127.0.0.1", 0))
                holder.listen()
                port = holder.getsockname()[1]

                def prepare(server, name=name, port=port):
                    self.change_config(f"127.0.0.1:{server.ports[name]}" if name != "milter" else f"inet:{server.ports[name]}@",
                                       f"127.0.0.1:{port}" if name != "milter" else f"inet:{port}@")(server)
                self.failing(name, str(port), ("in use", "taken by another program"), prepare=prepare)

    def test_missing_certificate(self):
        self.failing("{certificate}", prepare=lambda server: os.unlink(server.values["certificate"]))

    def test_a_key_of_another_certificate(self):
        def prepare(server):
            subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", server.values["key"]],
                           check=True, capture_output=True, timeout=60)
        self.failing("{key}", prepare=prepare)

    def test_read_only_data_folder(self):
        # Root writes everywhere unless it gives up the capability to.
        caps = "-dac_override,-dac_read_search"

        def prepare(server):
            for folder, _, _ in os.walk(server.data_dir):
                os.chmod(folder, 0o555)
        self.failing("{data_dir}", prefix=["setpriv", f"--bounding-set={caps}", f"--inh-caps={caps}"], prepare=prepare)


if __name__ == "__main__":
    unittest.main()

"""Ways out other than by MX: a relay host with a log-in, transports, LMTP; servers that lack extensions."""

import email
import os
import quopri
import smtplib
import ssl
import unittest

import gateway
import mailbox
from fickle import Fickle
from relaymachine import RelayMachine
from sink import Sink

OLD = "192.0.2.51"


class ThroughARelayHost(unittest.TestCase):
    """One postern hands its mail to another one's submission port."""

    def relay(self, password):
        hub = self.enterContext(gateway.Server())
        secret = os.path.join(hub.folder, "relay.passwords")
        host = f"[127.0.0.1]:{hub.ports['submission']}"
        with open(secret, "w") as file:
            file.write(f"# the hub\n{host} alice@local.example:{password}\n")
        os.chmod(secret, 0o600)
        extra = f'smtp_sasl_password_file = "{secret}"\nsmtp_tls_CAfile = "{hub.folder}/cert.pem"\nminimal_backoff_time = "1h"\n'
        settings = gateway.CONFIGURATION.replace('relayhost = "[127.0.0.1]:{relay_port}"', f'relayhost = "{host}"')
        settings = settings.replace('mynetworks = ["192.0.2.0/24"]', 'mynetworks = ["127.0.0.1/32"]').replace('mydestination = ["local.example"]', 'mydestination = ["sub.example"]')
        original, gateway.CONFIGURATION = gateway.CONFIGURATION, settings + f'[smtp_tls_policy]\n"{host}" = "verify"\n'
        try:
            spoke = self.enterContext(NoAccounts(extra=extra))
        finally:
            gateway.CONFIGURATION = original
        subject = mailbox.unique("hub")
        with smtplib.SMTP("127.0.0.1", spoke.ports["smtp"], timeout=30) as smtp:
            smtp.send_message(mailbox.message("alice@local.example", "bob@local.example", subject))
        gateway.wait_until(lambda: "to=<bob@local.example>" in spoke.process.output(), 30, spoke.process.output)
        return hub, next(line for line in spoke.process.output().splitlines() if "to=<bob@local.example>" in line), subject

    def test_the_log_in_works(self):
        hub, line, subject = self.relay("correct horse")
        self.assertIn("status=sent", line)
        with mailbox.imap("localhost", hub.ports["imaps"], hub.folder + "/cert.pem", "bob@local.example", "battery staple") as client:
            _, content = mailbox.fetch(client, subject)
        # ESMTPSA: over TLS and logged in (RFC 3848).
        self.assertIn("with ESMTPSA", str(email.message_from_bytes(content)))

    def test_a_wrong_password_keeps_the_mail(self):
        _, line, _ = self.relay("wrong horse")
        self.assertIn("status=deferred", line)
        self.assertIn("refused the log-in", line)


class RequireTLS(unittest.TestCase):
    """RFC 8689, from our submission port to the next server."""

    def setUp(self):
        self.keys = self.enterContext(gateway.temporary_folder())
        gateway.make_certificate(self.keys, "sink.example")
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(self.keys + "/cert.pem", self.keys + "/key.pem")
        self.port = gateway.free_port()

    def submit(self, server, subject):
        """Logs in and sends with REQUIRETLS."""
        trust = ssl.create_default_context(cafile=server.folder + "/cert.pem")
        with smtplib.SMTP("localhost", server.ports["submission"], timeout=30) as smtp:
            smtp.ehlo()
            self.assertFalse(smtp.has_extn("requiretls"), "RFC 8689 section 2: only where TLS is in use")
            smtp.starttls(context=trust)
            smtp.login("alice@local.example", "correct horse")
            self.assertTrue(smtp.has_extn("requiretls"))
            smtp.send_message(mailbox.message("alice@local.example", "bob@remote.example", subject), mail_options=["REQUIRETLS"])
        gateway.wait_until(lambda: "to=<bob@remote.example>" in server.process.output(), 30, server.process.output)
        return next(line for line in server.process.output().splitlines() if "to=<bob@remote.example>" in line)

    def server(self):
        original = gateway.CONFIGURATION
        gateway.CONFIGURATION = original + f'[smtp_tls_policy]\n"[127.0.0.1]:{self.port}" = "verify"\n'
        try:
            return self.enterContext(gateway.Server(relay_port=self.port, extra=f'smtp_tls_CAfile = "{self.keys}/cert.pem"'))
        finally:
            gateway.CONFIGURATION = original

    def test_a_server_that_offers_it_gets_the_message(self):
        with Sink(self.port, tls=self.tls, tls_extensions=["REQUIRETLS"]) as sink:
            self.assertIn("status=sent", self.submit(self.server(), "held tight"))
        self.assertIn(" REQUIRETLS", sink.messages[0][0])

    def test_a_server_that_does_not_has_it_bounce(self):
        with Sink(self.port, tls=self.tls) as sink:
            server = self.server()
            line = self.submit(server, "held tight")
            self.assertIn("status=bounced", line)
            self.assertIn("dsn=5.7.30", line)
            with mailbox.imap("localhost", server.ports["imaps"], server.folder + "/cert.pem", "alice@local.example", "correct horse") as client:
                _, content = mailbox.fetch(client, "Your message could not be delivered")
        self.assertIn(b"5.7.30", content)
        self.assertEqual(sink.messages, [])


class NoAccounts(gateway.Server):
    def add_accounts(self):
        pass


class ByTransport(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.store = cls.enterClassContext(gateway.temporary_folder())
        zone = f"old 300 IN MX 10 mx.old\nmx.old 300 IN A {OLD}\nloop 300 IN MX 10 mx.loop\nmx.loop 300 IN A 127.0.0.1\nnullmx 300 IN MX 0 .\n"
        tables = f'[transport]\n"store.example" = "lmtp:unix:{cls.store}/lmtp.sock"\n"gone.example" = "error:5.1.6 we moved"\n".noise.example" = "discard:"\n'
        cls.machine = cls.enterClassContext(RelayMachine([OLD], {"ways.example": zone}, tables=tables, own_port=True))

    def test_error_and_discard(self):
        refused = self.machine.deliver("bob@gone.example")
        self.assertEqual((refused.status, refused.dsn, refused.cause), ("bounced", "5.1.6", "here"))
        self.assertEqual(self.machine.deliver("bob@very.noise.example").status, "sent")

    def test_null_mx_and_loops_bounce_at_once(self):
        self.assertEqual(self.machine.deliver("bob@nullmx.ways.example").dsn, "5.1.10")
        self.assertEqual(self.machine.deliver("bob@loop.ways.example").dsn, "5.4.6")

    def test_lmtp_over_a_socket(self):
        # Another postern takes LMTP there and has one account of the two.
        name = "lmtp = [\"unix:" + self.store + "/lmtp.sock\"]\n\n[dns]"
        original, gateway.CONFIGURATION = gateway.CONFIGURATION, gateway.CONFIGURATION.replace("\n[dns]", name).replace("local.example", "store.example")
        accounts, gateway.ACCOUNTS = gateway.ACCOUNTS, (("bob@store.example", "battery staple"),)
        try:
            server = self.enterContext(gateway.Server())
        finally:
            gateway.CONFIGURATION, gateway.ACCOUNTS = original, accounts
        self.machine.send("bob@store.example", "nobody@store.example")
        self.assertEqual(self.machine.outcomes("bob@store.example")[0].status, "sent", server.process.output())
        self.assertEqual(self.machine.outcomes("nobody@store.example")[0].status, "bounced")

    def test_an_old_server_gets_seven_bit_text(self):
        subject = mailbox.unique("old")
        text = f"Subject: {subject}\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGr\u00fc\u00dfe\r\n"
        signed = text.replace("text/plain; charset=utf-8", "multipart/signed; boundary=b").replace("Gr", "--b\r\n\r\nGr")
        with Fickle(OLD, extensions=()) as peer:
            self.machine.send("bob@old.ways.example", content=text.encode())
            self.assertEqual(self.machine.outcomes("bob@old.ways.example")[0].status, "sent")
            self.machine.send("eve@old.ways.example", content=signed.encode())
            self.assertEqual(self.machine.outcomes("eve@old.ways.example")[0].dsn, "5.6.3")
        head, _, body = peer.acknowledged[0].partition(b"\r\n\r\n")
        self.assertIn(b"Content-Transfer-Encoding: quoted-printable", head)
        self.assertEqual(quopri.decodestring(body).decode().strip(), "Gr\u00fc\u00dfe")
        self.assertTrue(all(byte < 128 for byte in peer.acknowledged[0]))


if __name__ == "__main__":
    unittest.main()

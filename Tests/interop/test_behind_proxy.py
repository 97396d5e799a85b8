"""Mail that comes through a proxy (XCLIENT) or a trusted relay is judged by who sent it, and leaves its DMARC row."""

import json
import smtplib
import tempfile
import unittest

import gateway

ZONE = """\
honest.example. 3600 IN TXT "v=spf1 ip4:198.51.100.1 -all"
_dmarc.honest.example. 3600 IN TXT "v=DMARC1; p=reject"
mail.honest.example. 3600 IN A 198.51.100.1
1.100.51.198.in-addr.arpa. 3600 IN PTR mail.honest.example.
"""
MESSAGE = "From: ann@honest.example\r\nTo: alice@local.example\r\nSubject: {subject}\r\n\r\nhello\r\n"
HOP = ("Received: from mail.honest.example (mail.honest.example [198.51.100.1])\r\n\tby mx2.local.example (Postfix) with ESMTP id 4X\r\n"
       "\tfor <alice@local.example>; Mon, 23 Nov 2026 10:00:00 +0000 (UTC)\r\n")


class BehindProxy(unittest.TestCase):
    def serve(self, extra):
        zone = tempfile.NamedTemporaryFile("w", suffix=".zone")
        self.addCleanup(zone.close)
        zone.write(ZONE)
        zone.flush()
        server = gateway.Server(zone_file=zone.name, extra=extra, policy_dir=gateway.ROOT + "/policies")
        server.__enter__()
        self.addCleanup(server.__exit__)
        return server

    def send(self, server, text, xclient=None):
        """The reply to the message, as (code, text)."""
        with smtplib.SMTP("127.0.0.1", server.ports["smtp"], timeout=30) as client:
            client.ehlo("proxy.local.example")
            if xclient:
                self.assertTrue(client.has_extn("xclient"))
                code, reply = client.docmd("XCLIENT", xclient)
                self.assertEqual(code, 220, reply)
                client.ehlo("mail.honest.example")
            self.assertEqual(client.mail("ann@honest.example")[0], 250)
            self.assertEqual(client.rcpt("alice@local.example")[0], 250)
            return client.data(text)

    def rows(self, server, count):
        """`postern dmarc`, once so many sources are there: rows are written within a second."""
        found = []

        def ready():
            status, output = gateway.run_to_end("dmarc", "--config", server.config, "--json")
            self.assertEqual(status, 0, output)
            found[:] = json.loads(output)["sources"]
            return len(found) >= count
        gateway.wait_until(ready, 10, lambda: f"only these rows were written: {found}")
        return {one["source"]: one for one in found}

    def test_xclient(self):
        server = self.serve('smtpd_authorized_xclient_hosts = ["127.0.0.0/8"]')
        code, reply = self.send(server, MESSAGE.format(subject="good"), "NAME=mail.honest.example ADDR=198.51.100.1")
        self.assertEqual(code, 250, reply)
        code, reply = self.send(server, MESSAGE.format(subject="bad"), "NAME=[UNAVAILABLE] ADDR=198.51.100.2")
        self.assertEqual(code, 550, reply)
        rows = self.rows(server, 2)
        self.assertEqual((rows["198.51.100.1"]["passed"], rows["198.51.100.1"]["spf_aligned"]), (1, 1))
        self.assertEqual((rows["198.51.100.2"]["passed"], rows["198.51.100.2"]["rejected"]), (0, 1))

    def test_xclient_is_not_for_strangers(self):
        server = self.serve("")
        with smtplib.SMTP("127.0.0.1", server.ports["smtp"], timeout=30) as client:
            client.ehlo("x")
            self.assertFalse(client.has_extn("xclient"))
            self.assertEqual(client.docmd("XCLIENT", "ADDR=198.51.100.1")[0], 550)

    def test_a_trusted_relay(self):
        server = self.serve('trusted_relays = ["127.0.0.0/8"]')
        code, reply = self.send(server, HOP + MESSAGE.format(subject="good"))
        self.assertEqual(code, 250, reply)
        # Written by a stranger, who did send to the relay from elsewhere.
        forged = HOP.replace("198.51.100.1", "198.51.100.2").replace("mail.honest.example", "evil.example")
        code, reply = self.send(server, forged + HOP + MESSAGE.format(subject="bad"))
        self.assertEqual(code, 550, reply)
        rows = self.rows(server, 2)
        self.assertEqual(rows["198.51.100.1"]["passed"], 1)

    def test_without_trust_the_relay_is_the_sender(self):
        server = self.serve("")
        code, reply = self.send(server, HOP + MESSAGE.format(subject="x"))
        self.assertEqual(code, 550, reply)


if __name__ == "__main__":
    unittest.main()

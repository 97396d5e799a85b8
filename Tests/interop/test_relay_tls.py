"""Whom mail is given to: DANE against a signed zone, MTA-STS against a web server, and the operator's own table."""

import http.server
import json
import threading
import unittest

import gateway
import mailbox
from authority import Authority
from relaymachine import RelayMachine
from sink import Sink

# One address for each kind of server; nothing but their certificates differs.
RIGHT, PLAIN, WEB, WRONG = "192.0.2.11", "192.0.2.12", "192.0.2.13", "192.0.2.14"

POLICY = "version: STSv1\r\nmode: {mode}\r\nmx: {mx}\r\nmax_age: 86400\r\n"


def host(name, address, tlsa=None):
    """A domain with one MX of its own, its address, and perhaps a TLSA record."""
    lines = f"{name} 300 IN MX 10 mx.{name}\nmx.{name} 300 IN A {address}\n"
    return lines + (f"_25._tcp.mx.{name} 300 IN TLSA {tlsa}\n" if tlsa else "")


def sts(name, address, policy_id="1"):
    return host(name, address) + f"_mta-sts.{name} 300 IN TXT \"v=STSv1; id={policy_id};\"\nmta-sts.{name} 300 IN A {WEB}\n"


class Policies(http.server.BaseHTTPRequestHandler):
    """Serves `documents`: host → (status, type, text)."""

    documents = {}
    asked = []

    def do_GET(self):
        name = self.headers["Host"]
        self.asked.append(name)
        status, kind, text = self.documents.get(name, (404, "text/plain", "none"))
        if self.path != "/.well-known/mta-sts.txt":
            status = 404
        self.send_response(status)
        self.send_header("Content-Type", kind)
        # Without it the end of the connection would be the end of the answer, which anybody in the way could bring about.
        self.send_header("Content-Length", str(len(text)))
        if status in (301, 302):
            self.send_header("Location", "https://mta-sts.enforced.sts.example/.well-known/mta-sts.txt")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


class WhomMailIsGivenTo(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        keys = cls.enterClassContext(gateway.temporary_folder())
        authority, stranger = Authority(keys + "/ca"), Authority(keys + "/stranger")
        cls.right = authority.issue("mx.enforced.sts.example", "mx.tested.sts.example", "mx.verified.plain.example", "secured.plain.example",
                                    "mx.secured.plain.example", "mx.redirected.sts.example")
        # Nobody's certificate: for DANE only the record counts.
        cls.unknown = stranger.issue("unrelated.example")
        web = authority.issue(*(f"mta-sts.{name}.sts.example" for name in ("enforced", "tested", "unnamed", "clear", "redirected", "untrusted", "testing-named")))
        tlsa, other = cls.unknown.tlsa(), cls.right.tlsa()
        dane = (host("valid", WRONG, tlsa) + host("wrong", WRONG, other) + host("stripped", PLAIN, tlsa) + host("unusable", WRONG, "1 1 1 " + "ab" * 32)
                + host("unusable-clear", PLAIN, "1 1 1 " + "ab" * 32) + host("none", PLAIN)
                # The MX host is an alias into another proved name, where the record stands.
                + "alias 300 IN MX 10 mx.alias\nmx.alias 300 IN CNAME mx.valid\n"
                # A second host that is as it should be follows one that is not.
                + "backup 300 IN MX 10 mx.wrong\nbackup 300 IN MX 20 mx.valid\n"
                # The MX leads out of the proved zones.
                + "outside 300 IN MX 10 mx.insecure.plain.example.\n")
        plain = host("insecure", WRONG, other) + host("verified", RIGHT) + host("misnamed", RIGHT) + host("secured", RIGHT) + host("required", PLAIN) + host("clear", PLAIN)
        published = (sts("enforced", RIGHT) + sts("tested", WRONG) + sts("unnamed", RIGHT) + sts("clear", PLAIN) + sts("redirected", WRONG)
                     + sts("untrusted", WRONG) + sts("unreachable", WRONG))
        cls.machine = cls.enterClassContext(RelayMachine(
            [RIGHT, PLAIN, WEB, WRONG],
            {"dane.example": dane, "expired.example": host("late", WRONG, tlsa), "plain.example": plain, "sts.example": published},
            signed=["dane.example"], expired=["expired.example"],
            settings=f'smtp_tls_security_level = "dane"\nsmtp_tls_CAfile = "{authority.file}"\n',
            tables='[smtp_tls_policy]\n"verified.plain.example" = "verify"\n"misnamed.plain.example" = "verify"\n"secured.plain.example" = "secure"\n'
                   '"required.plain.example" = "encrypt"\n"none.dane.example" = "dane-only"\n'))
        cls.sinks = {address: cls.enterClassContext(Sink(25, address, tls=tls))
                     for address, tls in ((RIGHT, cls.right.server()), (PLAIN, None), (WRONG, cls.unknown.server()))}
        Policies.documents = {f"mta-sts.{name}.sts.example": (200, "text/plain", POLICY.format(mode=mode, mx=mx)) for name, mode, mx in (
            ("enforced", "enforce", "*.enforced.sts.example"), ("tested", "testing", "mx.tested.sts.example"),
            ("unnamed", "enforce", "other.example"), ("clear", "enforce", "mx.clear.sts.example"), ("untrusted", "enforce", "mx.untrusted.sts.example"))}
        Policies.documents["mta-sts.redirected.sts.example"] = (301, "text/plain", "")
        server = http.server.ThreadingHTTPServer((WEB, 443), Policies)
        server.socket = web.server().wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        cls.addClassCleanup(server.server_close)
        cls.addClassCleanup(server.shutdown)

    def arrives(self, domain, at, encrypted=True):
        subject = mailbox.unique("tls")
        outcome = self.machine.deliver(f"bob@{domain}", subject=subject)
        self.assertEqual((outcome.status, self.sinks[at].count(subject)), ("sent", 1), outcome)

    def waits(self, domain, cause, *words):
        subject = mailbox.unique("tls")
        outcome = self.machine.deliver(f"bob@{domain}", subject=subject)
        self.assertEqual((outcome.status, outcome.cause), ("deferred", cause), outcome)
        for word in words:
            self.assertIn(word, outcome.line)
        self.assertEqual(sum(sink.count(subject) for sink in self.sinks.values()), 0)

    # DANE (RFC 7672)

    def test_a_record_that_fits_is_proof_enough(self):
        self.arrives("valid.dane.example", WRONG)

    def test_a_record_that_does_not_fit_keeps_the_message(self):
        self.waits("wrong.dane.example", "tls", "dsn=4.7.5")

    def test_a_server_that_hides_starttls_gets_nothing(self):
        self.waits("stripped.dane.example", "tls", "does not offer STARTTLS")

    def test_expired_signatures_are_no_absence(self):
        self.waits("late.expired.example", "dns")

    def test_records_without_dnssec_prove_nothing(self):
        self.arrives("insecure.plain.example", WRONG)

    def test_an_mx_outside_the_proved_zones_has_no_dane(self):
        self.arrives("outside.dane.example", WRONG)

    def test_records_no_client_can_use_demand_encryption_alone(self):
        self.arrives("unusable.dane.example", WRONG)
        self.waits("unusable-clear.dane.example", "tls")

    def test_an_alias_is_followed_to_its_record(self):
        self.arrives("alias.dane.example", WRONG)

    def test_the_next_host_is_tried_when_the_first_is_not_itself(self):
        self.arrives("backup.dane.example", WRONG)

    def test_dane_only_wants_records(self):
        self.waits("none.dane.example", "tls", "dane-only")

    # MTA-STS (RFC 8461)

    def test_an_enforced_policy_is_obeyed(self):
        self.arrives("enforced.sts.example", RIGHT)
        self.assertIn("mta-sts.enforced.sts.example", Policies.asked)

    def test_an_enforced_policy_keeps_mail_from_hosts_it_does_not_name(self):
        self.waits("unnamed.sts.example", "tls", "MTA-STS")

    def test_an_enforced_policy_keeps_mail_from_clear_text(self):
        self.waits("clear.sts.example", "tls", "does not offer STARTTLS")

    def test_an_enforced_policy_wants_a_trusted_certificate(self):
        self.waits("untrusted.sts.example", "tls", "not trusted")

    def test_a_policy_under_test_refuses_nothing(self):
        self.arrives("tested.sts.example", WRONG)

    def test_redirects_are_not_followed(self):
        self.arrives("redirected.sts.example", WRONG)

    def test_a_policy_that_cannot_be_had_is_none(self):
        # Nobody has a certificate for that web host.
        self.arrives("unreachable.sts.example", WRONG)

    # smtp_tls_policy

    def test_verify_wants_the_hosts_name(self):
        self.arrives("verified.plain.example", RIGHT)
        self.waits("misnamed.plain.example", "tls", "not trusted")

    def test_secure_wants_the_domains_name(self):
        self.arrives("secured.plain.example", RIGHT)

    def test_encrypt_wants_starttls(self):
        self.waits("required.plain.example", "tls", "does not offer STARTTLS")
        self.arrives("clear.plain.example", PLAIN)

    # TLSRPT (RFC 8460)

    def test_sessions_are_counted_for_reports(self):
        def command(*arguments):
            status, text = gateway.run_to_end("tlsrpt", "--config", self.machine.config, *arguments)
            self.assertEqual(status, 0, text)
            return text

        self.arrives("valid.dane.example", WRONG)
        self.waits("wrong.dane.example", "tls")
        self.waits("unnamed.sts.example", "tls")
        self.arrives("tested.sts.example", WRONG)
        gateway.wait_until(lambda: all(name in command() for name in ("valid.dane", "wrong.dane", "unnamed.sts", "tested.sts")), 30, command)
        rows = json.loads(command("--json"))
        kinds = {(row["domain"], row["policy_type"], row["result"]) for row in rows}
        self.assertLessEqual({("valid.dane.example", "tlsa", ""), ("wrong.dane.example", "tlsa", "validation-failure"),
                              ("unnamed.sts.example", "sts", "validation-failure"), ("tested.sts.example", "sts", "certificate-not-trusted")}, kinds)
        day = rows[0]["day"]
        report = json.loads(command("--report", day, "--domain", "tested.sts.example"))
        policy = next(one for one in report["policies"] if one["policy"]["policy-type"] == "sts")
        self.assertEqual(policy["policy"]["mx-host"], ["mx.tested.sts.example"])
        self.assertIn("mode: testing", policy["policy"]["policy-string"])
        self.assertGreaterEqual(policy["summary"]["total-failure-session-count"], 1)
        self.assertEqual(policy["failure-details"][0]["receiving-ip"], WRONG)


if __name__ == "__main__":
    unittest.main()

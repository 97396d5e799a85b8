"""Set-ups that are wrong in one way each, and what `postern dns check` and `postern doctor` say of them. Names, words and exit
status are asserted; and that a right set-up has nothing to mend."""

import json
import os
import re
import socket
import subprocess
import unittest

import gateway
from broken_machine import DOMAIN, HOST, LAME, NOBODY, OTHER, Machine


def without(zone, name, kind):
    """The zone without the records of a name and type."""
    return "".join(line + "\n" for line in zone.splitlines() if not re.match(rf"{re.escape(name)}\.\s+\d+ IN {kind} ", line))


class BrokenCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.machine = Machine()
        cls.addClassCleanup(cls.machine.close)

    def wrong(self, report):
        return [finding for finding in report["findings"] if finding["verdict"] == "wrong"]

    def text(self, findings):
        return "\n".join(f"{finding['check']} {finding['subject']} {finding['verdict']}: {finding['text']}" for finding in findings)


class InTheDNS(BrokenCase):
    def check(self, *expected, status=1, zone=None, signed=(), config=None, record=None, flags=(), **zones):
        """That each `(check, words)` is among what is wrong, and nothing of another check is."""
        with self.machine.zones(zone, signed=signed, **zones):
            got, report = self.machine.run("dns", "check", *flags, config=config)
        wrong = self.wrong(report)
        self.assertEqual(got, status, self.text(report["findings"]))
        for check, words in expected:
            self.assertTrue([one for one in wrong if one["check"] == check and words in one["text"]], f"no {check} '{words}' in:\n" + self.text(wrong))
        self.assertEqual({one["check"] for one in wrong}, {check for check, _ in expected}, self.text(wrong))
        if record:
            self.assertIn(record, [one.get("record") for one in wrong])
        self.assertEqual([fix["text"] for fix in report["fixes"]].sort(), [one["text"] for one in wrong].sort())
        for one in report["fixes"]:
            self.assertTrue(one.get("remedy"), one)
        return report

    def changed(self, name, kind, *data):
        return without(self.machine.zone, name, kind) + "".join(f"{name}. 3600 IN {kind} {one}\n" for one in data)

    def test_a_right_set_up(self):
        report = self.check(status=0)
        self.assertEqual([one for one in report["findings"] if one["verdict"] == "unknown"], [])
        ok = {one["check"] for one in report["findings"] if one["verdict"] == "ok"}
        self.assertEqual(ok, {"ns", "address", "ptr", "spf", "tlsa", "mx", "dkim", "dkim-signature", "dmarc", "tls-rpt", "srv", "blocklist", "port-25", "certificate-shown"})
        # And nobody but one server, when that is asked for.
        with self.machine.zones():
            status, report = self.machine.run("dns", "check", "--resolver", "127.0.0.1@53")
        self.assertEqual(status, 0, self.text(report["findings"]))
        self.assertNotIn("ns", {one["check"] for one in report["findings"]})

    def test_a_signed_zone(self):
        zone = self.machine.print_zone(self.machine.config, "--signed")
        report = self.check(status=0, zone=zone, signed=(DOMAIN,))
        self.assertIn("the TLSA record at _25._tcp.mail.example.org is there", [one["text"] for one in report["findings"]])

    def test_without_the_network(self):
        report = self.check(status=0, flags=("--no-network",))
        self.assertEqual({one["check"] for one in report["findings"] if one["verdict"] == "skipped"}, {"blocklist", "port-25"})

    def test_another_servers_mx(self):
        self.check(("mx", "it is 10 mx.other.example, not mail.example.org"), ("spf", "does not allow our address 203.0.113.5"), zone=self.changed(DOMAIN, "MX", "10 mx.other.example."), record="wrong")

    def test_no_mx(self):
        self.check(("mx", "the MX record at example.org is missing"), ("spf", "does not allow our address"), zone=without(self.machine.zone, DOMAIN, "MX"), record="missing")

    def test_an_mx_that_is_an_alias(self):
        zone = self.changed(DOMAIN, "MX", f"10 mx.{DOMAIN}.") + f"mx.{DOMAIN}. 3600 IN CNAME {HOST}.\n"
        self.check(("mx", "its MX mx.example.org is an alias (CNAME) of mail.example.org"), zone=zone)

    def test_an_mx_that_is_an_address(self):
        self.check(("mx", "is an address where a host name must stand"), zone=self.changed(DOMAIN, "MX", "10 203.0.113.5."))

    def test_another_address(self):
        self.check(("address", "it is 203.0.113.80, without 203.0.113.5"), ("spf", "203.0.113.5"), ("ptr", "does not confirm"), zone=self.changed(HOST, "A", OTHER))

    def test_no_reverse_name(self):
        self.check(("ptr", "203.0.113.5 has no PTR record"), **{"113_0_203_in-addr_arpa": ""}, record="missing")

    def test_a_reverse_name_that_does_not_lead_back(self):
        self.check(("ptr", "the PTR record does not confirm: mx.other.example does not lead back to 203.0.113.5"), **{"113_0_203_in-addr_arpa": "5 IN PTR mx.other.example.\n"})

    def test_a_key_that_is_cut_off(self):
        [whole] = [line for line in self.machine.zone.splitlines() if line.startswith(f"s1._domainkey.{DOMAIN}.")]
        first = whole.split(" IN TXT ")[1].split('" "')[0].rstrip('"') + '"'
        self.check(("dkim", "the record is cut off: 253 of"), ("dkim-signature", "does not verify"), zone=self.changed(f"s1._domainkey.{DOMAIN}", "TXT", first))

    def test_another_key(self):
        other = self.machine.settings("other-key.toml", signing=self.machine.path("stranger.key"))
        os.chmod(self.machine.path("stranger.key"), 0o600)
        self.check(("dkim", "another key stands there"), ("dkim-signature", "does not verify: fail"), config=other)

    def test_no_key_record(self):
        self.check(("dkim", "the DKIM key record at s1._domainkey.example.org is missing"), ("dkim-signature", "does not verify"), zone=without(self.machine.zone, f"s1._domainkey.{DOMAIN}", "TXT"))

    def test_two_sender_policies(self):
        zone = self.machine.zone + f'{DOMAIN}. 3600 IN TXT "v=spf1 include:other.example ~all"\n'
        self.check(("spf", "2 SPF records where one must stand"), zone=zone)

    def test_a_sender_policy_without_us(self):
        self.check(("spf", '"v=spf1 ip4:203.0.113.80 -all" does not allow our address 203.0.113.5: the result is fail by -all'), zone=self.changed(DOMAIN, "TXT", '"v=spf1 ip4:203.0.113.80 -all"'))

    def test_a_sender_policy_that_cannot_be_read(self):
        self.check(("spf", "cannot be evaluated"), zone=self.changed(DOMAIN, "TXT", '"v=spf1 mxx -all"'))

    def test_dmarc_faults(self):
        for data, words in (('"v=DMARC1 p=reject"', "it must begin with v=DMARC1; with a semicolon"), ('"v=DMARC1; p=rejct"', "p=rejct is not one of none, quarantine and reject"),
                            ('"v=DMARC1; p=reject; rua=dmarc@example.org"', "rua=dmarc@example.org must be mailto:"), ('"v=DMARC1; rua=mailto:dmarc@example.org"', "the policy p= is missing")):
            with self.subTest(data):
                self.check(("dmarc", words), zone=self.changed(f"_dmarc.{DOMAIN}", "TXT", data))

    def test_no_dmarc(self):
        self.check(("dmarc", "the DMARC record at _dmarc.example.org is missing"), zone=without(self.machine.zone, f"_dmarc.{DOMAIN}", "TXT"), record="missing")

    def test_a_lame_name_server(self):
        self.check(("ns", f"ns2.example.org [{LAME}] is lame: REFUSED"), zone=self.machine.zone + f"@ IN NS ns2\nns2 IN A {LAME}\n")

    def test_a_name_server_that_is_down(self):
        self.check(("ns", f"ns2.example.org [{NOBODY}] does not answer"), zone=self.machine.zone + f"@ IN NS ns2\nns2 IN A {NOBODY}\n")

    def test_no_dns_at_all(self):
        status, report = self.machine.run("dns", "check", "--timeout", "12")
        self.assertEqual(status, 2, self.text(report["findings"]))
        self.assertEqual(self.wrong(report), [])
        self.assertIn("could not be found", [one["text"] for one in report["findings"] if one["check"] == "ns"][0])

    def test_a_tlsa_record_of_another_key(self):
        zone = self.machine.print_zone(self.machine.config, "--signed")
        name = f"_25._tcp.{HOST}"
        zone = without(zone, name, "TLSA") + f"{name}. 3600 IN TLSA 3 1 1 {'ab' * 32}\n"
        self.check(("tlsa", "its digest abababababababab… is of another key than the certificate's"), zone=zone, signed=(DOMAIN,))

    def test_an_announced_policy_that_is_not_served(self):
        zone = self.machine.zone.replace(f"\n;_mta-sts.{DOMAIN}.", f"\n_mta-sts.{DOMAIN}.")
        self.check(("mta-sts-policy", "the policy at https://mta-sts.example.org/.well-known/mta-sts.txt cannot be had"), zone=zone)

    def test_a_listed_address(self):
        listed = '2.0.0.127 IN A 127.0.0.2\n5.113.0.203 IN A 127.0.0.4\n5.113.0.203 IN TXT "seen sending spam"\n'
        self.check(("blocklist", "203.0.113.5 is listed by bl.example (127.0.0.4): seen sending spam"), bl_example=listed)

    def test_a_list_that_refuses_is_no_listing(self):
        report = self.check(status=0, bl_example="2.0.0.127 IN A 127.0.0.2\n5.113.0.203 IN A 127.255.255.254\n")
        [note] = [one for one in report["findings"] if one["check"] == "blocklist"]
        self.assertEqual(note["verdict"], "note")
        self.assertIn("refuses questions from this resolver", note["text"])

    def test_port_25_is_closed_outward(self):
        self.check(("port-25", "none of 1 mail servers of other.example answers on port 25"), other_example=f"@ IN MX 10 mx\nmx IN A {LAME}\n")

    def test_services_elsewhere(self):
        name = f"_imaps._tcp.{DOMAIN}"
        self.check(("srv", "it says mx.other.example port 993; it is mail.example.org port 993"), zone=self.changed(name, "SRV", "0 1 993 mx.other.example."))

    def test_for_people(self):
        with self.machine.zones(without(self.machine.zone, DOMAIN, "MX")):
            done = self.machine.net.run(gateway.binary("postern"), "dns", "check", "--config", self.machine.config, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("To mend, most important first:\n1. the MX record at example.org is missing\n   publish: example.org. 3600 IN MX 10 mail.example.org.\n", done.stdout)
        # Progress is for terminals alone.
        self.assertEqual(done.stderr, "")


class OnTheMachine(BrokenCase):
    def examine(self, *expected, status=1, config=None, environment=None, also=()):
        with self.machine.zones():
            got, report = self.machine.run("doctor", "--no-dns", "--no-doors", config=config, environment=environment)
        wrong = self.wrong(report)
        self.assertEqual(got, status, self.text(report["findings"]))
        for check, words in expected:
            self.assertTrue([one for one in wrong if one["check"] == check and words in one["text"]], f"no {check} '{words}' in:\n" + self.text(report["findings"]))
        self.assertEqual({one["check"] for one in wrong} - set(also), {check for check, _ in expected}, self.text(wrong))
        return report

    def test_a_right_set_up(self):
        with self.machine.zones():
            status, report = self.machine.run("doctor")
        self.assertEqual(status, 0, self.text(report["findings"]))
        doors = {one["check"]: one["verdict"] for one in report["findings"] if one["check"].startswith("door")}
        self.assertEqual(doors, {f"door-{name}": "ok" for name in ("smtp", "submission", "submissions", "imap", "imaps", "lmtp", "milter", "sendmail")}, self.text(report["findings"]))
        # Nothing of it stays.
        accounts = gateway.run_to_end("account", "list", "--config", self.machine.config)[1]
        self.assertIn("alice@example.org", accounts)
        self.assertNotIn("doctor", accounts)
        self.assertEqual([name for name in os.listdir(self.machine.path("data/mail")) if "doctor" in name], [])

    def test_an_expired_certificate(self):
        config = self.machine.settings("expired.toml", certificate=self.machine.expired.file, key=self.machine.expired.key)
        self.examine(("certificate-expired", "the certificate expired on"), ("certificate-shown", "show another certificate"), config=config)

    def test_a_certificate_for_another_name(self):
        config = self.machine.settings("name.toml", certificate=self.machine.other.file, key=self.machine.other.key)
        self.examine(("certificate-name", "the certificate is for www.example.org, not for mail.example.org"), ("certificate-shown", "show another certificate"), config=config)

    def test_an_incomplete_chain(self):
        config = self.machine.settings("chain.toml", certificate=self.machine.path("alone.pem"))
        self.examine(("certificate-chain", "the chain is incomplete: the certificate of Sub CA"), config=config)

    def test_a_key_that_cannot_be_read(self):
        os.chown(self.machine.path("stranger.key"), 0, 0)
        os.chmod(self.machine.path("stranger.key"), 0o600)
        config = self.machine.settings("unreadable.toml", signing=self.machine.path("stranger.key"))
        self.examine(("not-readable", "stranger.key: user nobody may not read it"), config=config)

    def test_a_key_of_another_certificate(self):
        config = self.machine.settings("mismatch.toml", key=self.machine.other.key)
        self.examine(("certificate-key-match", "does not belong to the certificate"), config=config, also=("settings",))

    def test_a_port_that_is_taken(self):
        port = gateway.free_port()
        with socket.create_server(("0.0.0.0", port)):
            self.examine(("port-taken", f"submission port {port} is taken by python3 (process {os.getpid()})"), config=self.machine.settings("taken.toml", submission=port), also=("certificate-shown",))

    def test_a_port_where_nobody_listens(self):
        port = gateway.free_port()
        self.examine(("port-silent", f"nobody listens on submission port {port}"), config=self.machine.settings("silent.toml", submission=port), also=("certificate-shown",))

    def test_a_clock_that_is_behind(self):
        with open(self.machine.path("behind"), "w") as file:
            file.write(str(-3 * 366 * 86400))
        self.examine(("clock", "it is behind"), ("certificate-date", "the certificate is valid only from"), environment={"LD_PRELOAD": self.machine.clock, "SETCLOCK": self.machine.path("behind")},
                     also=("certificate-trust",))

    def test_a_disk_that_is_full(self):
        folder = self.machine.path("small")
        os.makedirs(folder, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], check=True)
        try:
            self.machine.own(folder, 0o700)
            with self.machine.zones():
                status, report = self.run_outside_of_the_mounts(self.machine.settings("small.toml", data=folder))
        finally:
            subprocess.run(["umount", folder], check=True)
        wrong = {one["check"]: one["text"] for one in self.wrong(report)}
        self.assertEqual((status, set(wrong)), (1, {"disk", "server"}), self.text(report["findings"]))
        self.assertIn("less than queue_minfree (50 MB): new mail is refused with 452", wrong["disk"])
        self.assertIn("the server does not run", wrong["server"])

    def run_outside_of_the_mounts(self, config):
        """The namespace's mounts are its own: only its network is entered."""
        prefix = [word for word in self.machine.net.prefix if word != "--mount"]
        done = subprocess.run([*prefix, gateway.binary("postern"), "doctor", "--no-dns", "--no-doors", "--json", "--config", config], capture_output=True, text=True, timeout=90)
        return done.returncode, json.loads(done.stdout)

    def test_a_data_folder_of_somebody_else(self):
        folder = self.machine.path("daemons")
        os.makedirs(folder, exist_ok=True)
        self.machine.own(folder, 0o700, user="daemon")
        self.examine(("data-directory-owner", "belongs to daemon, and postern runs as nobody"), config=self.machine.settings("owner.toml", data=folder), also=("server",))

    def test_a_secret_that_a_group_can_read(self):
        os.chmod(self.machine.path("passwords"), 0o640)
        try:
            self.examine(("secret-mode", "passwords has mode 0640: its group (nogroup) can get at the secret"))
        finally:
            os.chmod(self.machine.path("passwords"), 0o600)

    def test_settings_that_cannot_be_read(self):
        path = self.machine.path("typo.toml")
        with open(path, "w") as file:
            file.write("myhostnam = \"x\"\n")
        self.examine(("settings", "did you mean myhostname?"), config=path)

    def test_no_dns(self):
        status, report = self.machine.run("doctor", "--no-dns", "--no-doors")
        self.assertEqual(status, 1)
        self.assertIn("the resolver does not answer for mail.example.org", self.text(self.wrong(report)))


if __name__ == "__main__":
    unittest.main()

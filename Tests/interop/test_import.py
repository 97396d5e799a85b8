"""`postern import postfix`: the guide's machine is taken over, its Postfix and all, and the server that comes of it does what
the old one did: the same ports, certificate, aliases and accounts, and signatures that verify under the old DNS record."""

import base64
import json
import os
import smtplib
import ssl
import subprocess
import unittest

import dkim

import gateway
import mailbox
from guide_machine import ADDRESS, DOMAIN, STRANGER, read, replaced
from namespace import Namespace
from sink import Sink
from zoneserver import Zone, ZoneServer

ELSEWHERE = "198.51.100.80"
USER, PASSWORD = f"alice@{DOMAIN}", "correct horse"

OPENDKIM = """\
Syslog                  yes
SyslogSuccess           yes
Canonicalization        relaxed/simple
Mode                    sv
OversignHeaders         From
UserID                  opendkim
UMask                   007
Socket                  inet:12301@localhost
PidFile                 /run/opendkim/opendkim.pid
KeyTable                file:{folder}/opendkim/key.table
SigningTable            refile:{folder}/opendkim/signing.table
InternalHosts           127.0.0.1, localhost
"""


class GuideImported(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(gateway.temporary_folder())
        os.chmod(cls.folder, 0o755)
        cls.write_old()
        cls.import_it()
        cls.machine = cls.enterClassContext(Namespace([ADDRESS, STRANGER, ELSEWHERE]))
        zone = ZoneServer(Zone(["elsewhere.example MX 10 mx.elsewhere.example.", f"mx.elsewhere.example A {ELSEWHERE}"]), port=53)
        cls.addClassCleanup(zone.close)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{cls.folder}/letsencrypt/fullchain.pem", f"{cls.folder}/letsencrypt/privkey.pem")
        cls.elsewhere = cls.enterClassContext(Sink(25, ELSEWHERE, context))
        # What the machine does not know: how to reach the names of this test, and where data lies.
        with open(cls.config) as file:
            text = file.read()
        lines = f'data_directory = "{cls.folder}/data"\ndns.forwarders = ["127.0.0.1"]\nsmtp_mta_sts = false\n'
        head, rest = text.split("\n\n[", 1)
        with open(cls.config, "w") as file:
            file.write(f"{head}\n{lines}\n[{rest}")
        for account in cls.accounts():
            cls.machine.run(gateway.binary("postern"), "account", "add", "--config", cls.config, account["addresses"][0],
                            *[word for address in account["addresses"][1:] for word in ("--alias", address)], input=PASSWORD + "\n")
        cls.process = gateway.Process(cls.folder, "serve", "--config", cls.config, prefix=cls.machine.prefix)
        cls.addClassCleanup(cls.process.stop)
        cls.process.wait_started(lambda: "event=ready" in cls.process.output())

    @classmethod
    def write_old(cls):
        folder = cls.folder
        for name in ("postfix", "letsencrypt", "opendkim"):
            os.mkdir(f"{folder}/{name}")
        gateway.make_certificate(f"{folder}/letsencrypt", f"mail.{DOMAIN}", ADDRESS)
        os.rename(f"{folder}/letsencrypt/cert.pem", f"{folder}/letsencrypt/fullchain.pem")
        os.rename(f"{folder}/letsencrypt/key.pem", f"{folder}/letsencrypt/privkey.pem")
        gateway.make_signing_key(f"{folder}/opendkim/s1.private")
        os.chmod(f"{folder}/opendkim/s1.private", 0o600)
        files = {
            # The guide's own, but that its paths begin here: this machine's /etc is not the test's.
            "postfix/main.cf": replaced(read("guide/main.cf")).replace("/etc/mailname", f"{folder}/mailname").replace("/etc/aliases", f"{folder}/aliases")
                               .replace(f"/etc/letsencrypt/live/mail.{DOMAIN}", f"{folder}/letsencrypt") + f"virtual_mailbox_maps = hash:{folder}/mailboxes\n",
            "postfix/master.cf": read("guide/master.cf"),
            "mailname": f"mail.{DOMAIN}\n",
            "aliases": "postmaster: root\nroot: alice\nsales: alice, bob@elsewhere.example\n",
            "mailboxes": f"{USER} alice/\n",
            "opendkim.conf": OPENDKIM.format(folder=folder),
            "opendkim/key.table": f"s1._domainkey.{DOMAIN} {DOMAIN}:s1:{folder}/opendkim/s1.private\n",
            "opendkim/signing.table": f"*@{DOMAIN} s1._domainkey.{DOMAIN}\n",
        }
        for name, text in files.items():
            with open(f"{folder}/{name}", "w") as file:
                file.write(text)

    @classmethod
    def import_it(cls, *more):
        cls.config = f"{cls.folder}/new/postern.toml"
        words = ["import", "postfix", "--config-dir", f"{cls.folder}/postfix", "--opendkim-conf", f"{cls.folder}/opendkim.conf", "--output", cls.config]
        cls.told = gateway.run_to_end(*words)
        cls.again = gateway.run_to_end(*words)
        cls.listed = json.loads(gateway.run_to_end(*words, "--dry-run", "--json")[1])

    @classmethod
    def accounts(cls):
        return cls.listed["accounts"]

    def test_every_line_is_accounted_for(self):
        status, text = self.told
        self.assertEqual(status, 0, text)
        self.assertNotIn("Not understood", text)
        self.assertNotIn("Not carried", text)
        fates = {one["fate"] for one in self.listed["parameters"]}
        self.assertEqual(fates, {"carried", "default", "not needed"})
        # As many lines as the old files have: parameters, services, -o lines.
        names = [one["name"] for one in self.listed["parameters"]]
        for name in ("myhostname", "smtpd_milters", "submission/inet", "mailman/unix", "SigningTable", "OversignHeaders"):
            self.assertIn(name, names)

    def test_a_second_run_overwrites_nothing(self):
        status, text = self.again
        self.assertEqual(status, 2)
        self.assertIn("is there already", text)

    def test_it_passes_the_check(self):
        done = self.machine.run(gateway.binary("postern"), "check", "--config", self.config, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_same_ports(self):
        output = self.process.output()
        for place in (f"{ADDRESS}:25", "127.0.0.1:25", f"{ADDRESS}:587", f"{ADDRESS}:465"):
            self.assertIn(place, output)
        with smtplib.SMTP_SSL(ADDRESS, 465, timeout=30, context=mailbox.tls(f"{self.folder}/letsencrypt/fullchain.pem")) as smtp:
            smtp.login(USER, PASSWORD)

    def submit(self, recipient, subject):
        with smtplib.SMTP(ADDRESS, 587, timeout=30) as smtp:
            smtp.starttls(context=mailbox.tls(f"{self.folder}/letsencrypt/fullchain.pem"))
            smtp.login(USER, PASSWORD)
            smtp.send_message(mailbox.message(USER, recipient, subject))

    def resolve(self, name, timeout=5):
        """The record that the old key has always had."""
        public = subprocess.run(["openssl", "pkey", "-in", f"{self.folder}/opendkim/s1.private", "-pubout", "-outform", "DER"], check=True, capture_output=True, timeout=30).stdout
        return b"v=DKIM1; k=rsa; p=" + base64.b64encode(public) if name.startswith(f"s1._domainkey.{DOMAIN}".encode()) else b""

    def test_signatures_verify_under_the_old_record(self):
        subject = mailbox.unique("imported")
        self.submit("bob@elsewhere.example", subject)
        gateway.wait_until(lambda: self.elsewhere.count(subject) == 1, 30, self.process.output)
        content = self.elsewhere.messages[-1][2]
        self.assertTrue(dkim.verify(content, dnsfunc=self.resolve), content)

    def test_aliases_lead_where_they_led(self):
        subject = mailbox.unique("sales")
        self.submit(f"sales@{DOMAIN}", subject)
        gateway.wait_until(lambda: self.elsewhere.count(subject) == 1, 30, self.process.output)
        self.stored(subject)
        subject = mailbox.unique("root")
        # The machine's own name is one of its domains.
        self.submit(f"root@mail.{DOMAIN}", subject)
        self.stored(subject)

    def stored(self, subject):
        def found():
            return subprocess.run(["grep", "-rl", subject, f"{self.folder}/data/mail/{USER}/Maildir"], capture_output=True, timeout=30).returncode == 0
        gateway.wait_until(found, 30, self.process.output)

    def test_strangers_need_tls_as_they_did(self):
        with smtplib.SMTP(ADDRESS, 25, timeout=30, source_address=(STRANGER, 0)) as smtp:
            smtp.ehlo()
            self.assertEqual(smtp.docmd("MAIL", "FROM:<x@stranger.example>")[0], 530)
            smtp.starttls(context=mailbox.tls(f"{self.folder}/letsencrypt/fullchain.pem"))
            smtp.ehlo()
            self.assertNotIn("auth", smtp.esmtp_features)
            self.assertEqual(smtp.docmd("MAIL", "FROM:<x@stranger.example>")[0], 250)
            self.assertEqual(smtp.docmd("RCPT", "TO:<bob@elsewhere.example>")[0], 554)
            self.assertEqual(smtp.docmd("RCPT", f"TO:<alice+shop@{DOMAIN}>")[0], 250)


DOVECOT = """\
protocols = imap
mail_location = maildir:~/Maildir
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
recipient_delimiter = +
service imap-login {{
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = 1993
  }}
}}
passdb {{
  driver = passwd-file
  args = scheme=CRYPT username_format=%u {folder}/users
}}
userdb {{
  driver = static
  args = uid=vmail gid=vmail home=/var/vmail/%u
}}
"""


class Dovecot(unittest.TestCase):
    """What a real doveconf prints."""

    def test_ports_certificate_and_users(self):
        with gateway.temporary_folder() as folder:
            for name, text in {"main.cf": "compatibility_level = 3.6\nmyhostname = mail.example.org\nmydestination = example.org\n", "master.cf": "smtp inet n - y - - smtpd\n",
                               "dovecot.conf": DOVECOT.format(folder=folder), "users": "alice:{CRYPT}$6$x$y::::::\n"}.items():
                with open(os.path.join(folder, name), "w") as file:
                    file.write(text)
            gateway.make_certificate(folder, "mail.example.org")
            status, output = gateway.run_to_end("import", "postfix", "--config-dir", folder, "--dovecot-conf", f"{folder}/dovecot.conf", "--dry-run", "--json", "--output", f"{folder}/new.toml")
            self.assertEqual(status, 0, output)
            made = json.loads(output)
        for line in ('imap = []', 'imaps = ["*:1993"]', f'smtpd_tls_cert_file = "{folder}/cert.pem"', f'smtpd_tls_key_file = "{folder}/key.pem"'):
            self.assertIn(line, made["settings"])
        # The whole file where our server reads such files, its users otherwise.
        self.assertTrue(f'passwd_file = "{folder}/users"' in made["settings"] or [one["name"] for one in made["accounts"]] == ["alice"], output)


class Errors(unittest.TestCase):
    """Settings that a real postconf reads, or does not."""

    def imported(self, main, master="smtp inet n - y - - smtpd\n", *more, files=None):
        with gateway.temporary_folder() as folder:
            for name, text in {"main.cf": "compatibility_level = 3.6\nmyhostname = mail.example.org\nmydestination = example.org\n" + main, "master.cf": master, **(files or {})}.items():
                with open(os.path.join(folder, name), "w") as file:
                    file.write(text.format(folder=folder))
            return gateway.run_to_end("import", "postfix", "--config-dir", folder, "--dry-run", "--output", os.path.join(folder, "x.toml"), *more)

    def test_settings_that_go_in_a_circle(self):
        status, text = self.imported("a = $b\nb = $a\nheader_checks = $a\n")
        self.assertEqual(status, 2)
        self.assertIn("leads back to itself", text)

    def test_a_name_that_nothing_reads_is_not_understood(self):
        status, text = self.imported("mesage_size_limit = 1000\n")
        self.assertEqual(status, 1)
        self.assertRegex(text, r"Not understood \(1\)\n  main.cf mesage_size_limit = 1000 ")

    def test_tables_that_cannot_be_read(self):
        status, text = self.imported("alias_maps = hash:{folder}/none, pcre:{folder}/patterns\n")
        self.assertEqual(status, 1)
        self.assertIn("none: cannot be read: No such file or directory", text)
        self.assertIn("patterns are not carried", text)

    def test_a_named_file_must_be_there(self):
        status, text = self.imported("", "smtp inet n - y - - smtpd\n", "--opendkim-conf", "/nowhere/opendkim.conf")
        self.assertEqual((status, "/nowhere/opendkim.conf: cannot be read" in text), (2, True), text)

    def test_rules_are_taken_by_our_own_reader(self):
        status, text = self.imported("""\
smtpd_helo_required = yes
smtpd_client_restrictions = permit_mynetworks, reject_unknown_client_hostname, check_client_access cidr:{folder}/clients
smtpd_helo_restrictions = permit_mynetworks, reject_invalid_helo_hostname, reject_non_fqdn_helo_hostname
smtpd_sender_restrictions = reject_non_fqdn_sender, reject_unknown_sender_domain, reject_sender_login_mismatch, check_sender_access texthash:{folder}/senders
smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated defer_unauth_destination
smtpd_recipient_restrictions = reject_unauth_pipelining, permit_dnswl_client list.dnswl.org=127.0.[0..255].[1..3], reject_rbl_client zen.spamhaus.org=127.0.0.[2..11],
    reject_rhsbl_sender dbl.spamhaus.org, check_policy_service unix:private/policyd-spf, check_policy_service inet:127.0.0.1:10023
smtpd_data_restrictions = reject_multi_recipient_bounce
""", "smtp inet n - y - - smtpd\npolicyd-spf unix - n n - 0 spawn user=policyd-spf argv=/usr/bin/policyd-spf\n",
                                     files={"clients": "192.0.2.0/24 REJECT\n198.51.100.0/25 450 4.7.1 later\n", "senders": "spam.example REJECT\n<> DUNNO\nuser@ DISCARD\n"})
        # dnswl's answer is a range of two octets, which no list of ours can say.
        self.assertEqual(status, 1, text)
        self.assertIn("127.0.[0..255].[1..3]", text.split("Not understood")[1])
        for rule in ("tempfail 450 \"4.7.25\"", "client.ip in [192.0.2.0/24]", "sender.mx in [none, null]", "greylist delay 5m", "spf.result == fail", "sender in [\"user@*\"]", "dnsbl[\"dbl.spamhaus.org\", sender.domain] > 0",
                     "sender == missing and recipients.count > 1"):
            self.assertIn(rule, text)

    def test_without_postfix_it_says_so(self):
        status, text = gateway.run_to_end("import", "postfix", "--config-dir", "/nowhere", "--dry-run")
        self.assertEqual(status, 2)
        self.assertIn("/nowhere", text)


if __name__ == "__main__":
    unittest.main()

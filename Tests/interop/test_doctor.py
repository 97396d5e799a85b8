"""`postern doctor postfix` on settings that a real postconf reads: each case breaks one thing of a good wiring."""

import json
import os
import unittest

import gateway

# A wiring with nothing to fix, but that nobody answers: nothing runs here.
MAIN = {
    "compatibility_level": "3.6",
    "myhostname": "mail.example.org",
    "mydomain": "example.org",
    "queue_directory": "/var/spool/postfix",
    "recipient_delimiter": "+",
    "smtpd_milters": "inet:localhost:12301",
    "non_smtpd_milters": "$smtpd_milters",
    "milter_default_action": "tempfail",
    "smtpd_sasl_type": "dovecot",
    "smtpd_sasl_path": "private/auth",
    "mailbox_transport": "lmtp:unix:private/postern-lmtp",
}

MASTER = """\
smtp       inet  n       -       y       -       -       smtpd
submission inet  n       -       y       -       -       smtpd
  -o smtpd_tls_security_level=encrypt
  -o smtpd_sasl_auth_enable=yes
  -o milter_macro_daemon_name=ORIGINATING
cleanup    unix  n       -       y       -       0       cleanup
lmtp       unix  -       -       y       -       -       lmtp
"""

OURS = """\
myhostname = "mail.example.org"
mydestination = ["example.org"]
data_directory = "data"
recipient_delimiter = "+"
{more}
[listen]
milter = "{milter}"
lmtp = ["unix:/var/spool/postfix/private/postern-lmtp"]
dovecot_auth = ["unix:/var/spool/postfix/private/auth"]
"""

# Said because no program runs.
SILENT = {"milter-silent", "log-in-silent", "lmtp-silent"}


class Doctor(unittest.TestCase):
    def examine(self, main=None, master=MASTER, milter="inet:localhost:12301", more=""):
        """{check: finding} of what is found beside silence, that checks occur once each among fixes and notes."""
        with gateway.temporary_folder() as folder:
            values = {name: value for name, value in {**MAIN, **(main or {})}.items() if value is not None}
            for name, text in (("main.cf", "".join(f"{key} = {value}\n" for key, value in values.items())), ("master.cf", master),
                               ("postern.toml", OURS.format(milter=milter, more=more))):
                with open(os.path.join(folder, name), "w") as file:
                    file.write(text)
            status, output = gateway.run_to_end("doctor", "postfix", "--json", "--config", os.path.join(folder, "postern.toml"), "--config-dir", folder)
        self.assertIn(status, (0, 1), output)
        found = json.loads(output)
        for finding in found:
            self.assertTrue(finding["text"])
            if finding["weight"] == "fix":
                self.assertTrue(finding["file"] and finding["lines"], finding)
        self.findings = found
        return {finding["check"]: finding for finding in found if finding["check"] not in SILENT}

    def fixes(self, **wiring):
        return {check: finding for check, finding in self.examine(**wiring).items() if finding["weight"] == "fix"}

    def assert_only(self, check, line, **wiring):
        """That this is to be fixed and nothing else, by a line that begins so."""
        fixes = self.fixes(**wiring)
        self.assertEqual(set(fixes), {check}, fixes)
        self.assertTrue(any(one.startswith(line) for one in fixes[check]["lines"]), fixes[check])
        return fixes[check]

    def test_a_good_wiring(self):
        self.assertEqual(self.fixes(), {})

    def test_a_port_that_does_not_answer(self):
        self.examine(milter=f"inet:localhost:{gateway.free_port()}")
        silent = [finding for finding in self.findings if finding["check"] == "milter-silent"]
        self.assertIn("localhost port 12301", silent[0]["text"])

    def test_macros_that_are_hidden(self):
        note = self.examine(main={"milter_mail_macros": "i {mail_addr}"})["milter-macros"]
        self.assertEqual((note["weight"], note["lines"]), ("note", ["milter_mail_macros = i {mail_addr} {auth_type} {auth_authen}"]))
        # Below version 6 nobody can ask for them.
        fixes = self.fixes(main={"milter_mail_macros": "i {mail_addr}", "milter_protocol": "4"})
        self.assertEqual(set(fixes), {"milter-macros", "milter-protocol"})

    def test_two_that_sign(self):
        self.assert_only("two-signers", "smtpd_milters = inet:localhost:12301", main={"smtpd_milters": "inet:localhost:8891, inet:localhost:12301", "non_smtpd_milters": "inet:localhost:12301"})
        self.assert_only("two-signers", "non_smtpd_milters = inet:localhost:12301", main={"non_smtpd_milters": "unix:opendkim/opendkim.sock inet:localhost:12301"})

    def test_two_that_verify(self):
        self.assert_only("two-verifiers", "smtpd_milters = inet:localhost:12301",
                         main={"smtpd_milters": "{ inet:localhost:8893, connect_timeout=10s }, inet:localhost:12301", "non_smtpd_milters": "inet:localhost:12301"})

    def test_an_authserv_id_that_differs(self):
        found = self.assert_only("authserv-id", 'authserv_id = "mail.example.org"', more='authserv_id = "mx.example.org"')
        self.assertTrue(found["file"].endswith("postern.toml"))
        # Without a line of its own it is myhostname.
        self.assert_only("authserv-id", 'authserv_id = "other.example.org"', main={"myhostname": "other.example.org"})

    def test_an_authserv_id_that_is_not_stripped(self):
        self.assertNotIn("authserv-id-kept", self.examine())
        note = self.examine(main={"milter_default_action": "accept"})["authserv-id-kept"]
        self.assertTrue(note["lines"][0].startswith("/^Authentication-Results:"), note)
        self.assertNotIn("authserv-id-kept", self.examine(main={"milter_default_action": "accept", "header_checks": "regexp:/etc/postfix/header_checks"}))

    def test_fail_open_and_fail_closed(self):
        for action, words in (("accept", "fails open"), ("tempfail", "fails closed"), ("reject", "refused for good"), ("quarantine", "hold queue")):
            with self.subTest(action):
                self.assertIn(words, self.examine(main={"milter_default_action": action})["default-action"]["text"])
                own = {"smtpd_milters": f"{{ inet:localhost:12301, default_action={action} }}"}
                self.assertTrue(any(words in finding["text"] for finding in (self.examine(main=own), self.findings)[1]))

    def test_an_old_protocol(self):
        self.assert_only("milter-protocol", "milter_protocol = 6", main={"milter_protocol": "2"})

    def test_delimiters(self):
        self.assert_only("recipient-delimiter", 'recipient_delimiter = "+-"', main={"recipient_delimiter": "+-"})
        self.assert_only("recipient-delimiter", 'recipient_delimiter = ""', main={"recipient_delimiter": ""})

    def test_submission_that_does_not_say_so(self):
        found = self.assert_only("originating", "submission inet", master=MASTER.replace("  -o milter_macro_daemon_name=ORIGINATING\n", ""))
        self.assertIn("  -o milter_macro_daemon_name=ORIGINATING", found["lines"])

    def test_originating_for_everybody(self):
        self.assertIn("originating-everywhere", self.examine(main={"milter_macro_daemon_name": "ORIGINATING"}))

    def test_internal_mail(self):
        self.assertEqual(self.examine()["internal-mail"]["lines"], ["internal_mail_filter_classes = bounce, notify"])
        self.assertIn("vanish", self.examine(main={"internal_mail_filter_classes": "bounce"})["internal-mail"]["text"])

    def test_a_milter_that_is_not_asked(self):
        self.assert_only("milter-missing", "smtpd_milters = inet:localhost:12301", main={"smtpd_milters": "", "non_smtpd_milters": "inet:localhost:12301"})
        self.assert_only("milter-missing", "  -o smtpd_milters=", master=MASTER.replace("  -o smtpd_sasl_auth", "  -o smtpd_milters=\n  -o smtpd_sasl_auth"))
        self.assert_only("non-smtpd-milters", "non_smtpd_milters = inet:localhost:12301", main={"non_smtpd_milters": ""})

    SOCKET = "unix:/run/postern/milter.sock"

    def test_a_socket_outside_of_the_chroot(self):
        found = self.assert_only("socket-path", 'listen.milter = "unix:/var/spool/postfix/run/postern/milter.sock"', main={"smtpd_milters": self.SOCKET}, milter=self.SOCKET)
        self.assertIn("chrooted", found["text"])
        self.assertEqual(self.fixes(main={"smtpd_milters": self.SOCKET}, milter=self.SOCKET, master=MASTER.replace(" y ", " n ")), {})
        # Relative to the queue, and so the same file within.
        inside = "unix:/var/spool/postfix/private/postern-milter"
        self.assertEqual(self.fixes(main={"smtpd_milters": "unix:private/postern-milter"}, milter=inside), {})

    def test_the_chroot_of_compatibility_level_0(self):
        master = MASTER.replace(" y ", " - ")
        self.assertEqual(set(self.fixes(main={"smtpd_milters": self.SOCKET, "compatibility_level": "0"}, milter=self.SOCKET, master=master)), {"socket-path"})
        self.assertEqual(self.fixes(main={"smtpd_milters": self.SOCKET}, milter=self.SOCKET, master=master), {})

    def test_log_in_and_delivery_elsewhere(self):
        self.assert_only("log-in-path", "smtpd_sasl_path = private/auth", main={"smtpd_sasl_path": "private/dovecot"})
        self.assert_only("log-in-type", "smtpd_sasl_type = dovecot", main={"smtpd_sasl_type": "cyrus"})
        self.assert_only("log-in-on-port-25", "smtpd_sasl_auth_enable = no", main={"smtpd_sasl_auth_enable": "yes"})
        self.assert_only("lmtp-path", "mailbox_transport = lmtp:unix:private/postern-lmtp", main={"mailbox_transport": "lmtp:unix:private/dovecot-lmtp"})
        self.assert_only("lmtp-name", "mailbox_transport = lmtp:unix:private/postern-lmtp", main={"mailbox_transport": "lmtp:unix:private/lmtp"})

    def test_libmilters_spelling_is_the_same_place(self):
        self.assertEqual(self.fixes(milter="inet:12301@localhost"), {})
        self.assertEqual(self.fixes(milter="inet6:12301@::1"), {})


if __name__ == "__main__":
    unittest.main()

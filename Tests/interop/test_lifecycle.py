"""The process: giving up root, an orderly end, and reload."""

import contextlib
import email
import glob
import grp
import os
import pwd
import shutil
import signal
import smtplib
import socket
import ssl
import time
import unittest

import gateway
import mailbox
from gateway import ACCOUNTS
from lines import Lines, words

ALICE, PASSWORD = ACCOUNTS[0]


def log_in(server, user=ALICE, password=PASSWORD):
    return mailbox.imap("localhost", server.ports["imaps"], server.values["certificate"], user, password)


def send(server, subject, sender="a@stranger.example"):
    """The last reply's code and text, its id aside."""
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"], local_hostname="client.example", timeout=30) as smtp:
        try:
            smtp.send_message(mailbox.message(sender, ALICE, subject))
        except smtplib.SMTPDataError as refusal:
            return refusal.smtp_code, words(refusal.smtp_error)
        return 250, b""


class DroppingRoot(unittest.TestCase):
    """Started as root with `user` set: the ports are root's, everything else is done without."""

    USER = "nobody"

    class Server(gateway.Server):
        def __init__(self):
            super().__init__(extra=f'user = "{DroppingRoot.USER}"')

        def write(self):
            # The user walks through the folder, and reads the key at a reload.
            os.chmod(self.folder, 0o755)
            super().write()
            os.chown(self.values["key"], pwd.getpwnam(DroppingRoot.USER).pw_uid, -1)

        def choose_port(self, name):
            return low_port() if name == "smtp" else gateway.free_port()

    @classmethod
    def setUpClass(cls):
        if os.geteuid() != 0:
            raise AssertionError("this test needs root, as contrib/test does")
        cls.server = cls.enterClassContext(cls.Server())

    def test_no_thread_keeps_anything_of_root(self):
        record = pwd.getpwnam(self.USER)
        wanted = {"Uid": [record.pw_uid] * 4, "Gid": [record.pw_gid] * 4, "Groups": sorted(os.getgrouplist(self.USER, record.pw_gid))}
        tasks = glob.glob(f"/proc/{self.server.process.process.pid}/task/*/status")
        self.assertGreater(len(tasks), 4)
        for task in tasks:
            try:
                with open(task) as file:
                    facts = dict(line.split(":", 1) for line in file.read().splitlines() if ":" in line)
            except FileNotFoundError:
                continue  # that thread has ended
            for name, value in wanted.items():
                self.assertEqual(sorted(int(word) for word in facts[name].split()), sorted(value), f"{task}: {name}")
            for name in ("CapEff", "CapPrm", "CapAmb"):
                self.assertEqual(int(facts[name], 16), 0, f"{task}: {name}")

    def test_it_listens_on_a_port_that_only_root_can_bind(self):
        self.assertLess(self.server.ports["smtp"], 1024)
        self.assertTrue(gateway.answers(self.server.ports["smtp"]))

    def test_mail_is_stored_and_queued_all_the_same(self):
        subject = mailbox.unique("stored")
        with mailbox.submission("localhost", self.server.ports["submission"], self.server.values["certificate"], ALICE, PASSWORD) as smtp:
            smtp.send_message(mailbox.message(ALICE, ALICE, subject), to_addrs=[ALICE, "someone@elsewhere.example"])
        with log_in(self.server) as client:
            mailbox.fetch(client, subject)
        uid = pwd.getpwnam(self.USER).pw_uid
        for folder, folders, files in os.walk(self.server.data_dir):
            for name in folders + files:
                self.assertEqual(os.lstat(os.path.join(folder, name)).st_uid, uid, os.path.join(folder, name))

    def test_an_account_added_meanwhile_by_root_can_log_in(self):
        gateway.add_account(self.server.config, "carol@local.example", "a new one")
        with log_in(self.server, "carol@local.example", "a new one") as client:
            mailbox.ok(client.select("INBOX"))
        # And those from before still can.
        with log_in(self.server) as client:
            mailbox.ok(client.select("INBOX"))

    def test_reload_works_without_root(self):
        before = self.server.process.output().count("event=reloaded")
        self.server.process.process.send_signal(signal.SIGHUP)
        gateway.wait_until(lambda: self.server.process.output().count("event=reloaded") > before, 20,
                           lambda: f"not reloaded:\n{self.server.process.output()}")

    def test_what_only_root_can_read_is_said_at_the_start_and_refuses_a_reload(self):
        class RulesOfRoot(self.Server):
            def write(self):
                super().write()
                os.chmod(self.policies, 0o700)
        with RulesOfRoot() as server:
            process, folder = server.process, server.policies
            process.wait_started(lambda: "event=ready" in process.output())
            self.assertRegex(process.output(), f'level=warning .*a reload will be refused: user nobody cannot read these.*{folder}')
            process.process.send_signal(signal.SIGHUP)
            gateway.wait_until(lambda: "reload refused" in process.output(), 20, lambda: process.output())
            self.assertEqual(send(server, mailbox.unique())[0], 250)

    def test_a_second_start_finds_everything(self):
        subject = mailbox.unique("again")
        self.assertEqual(send(self.server, subject)[0], 250)
        self.assertEqual(self.server.process.stop(), 0)
        self.server.start()
        with log_in(self.server) as client:
            mailbox.fetch(client, subject)

    def test_an_unknown_user_is_said(self):
        server = gateway.Server(extra='user = "nosuchuser"')
        server.start = lambda: None
        server.add_accounts = lambda: None
        with server:
            status, output = gateway.run_to_end("serve", "--config", server.config)
            self.assertGreater(status, 0)
            self.assertIn("nosuchuser", output)


class Stopping(unittest.TestCase):
    def setUp(self):
        self.server = self.enterContext(gateway.Server(extra='shutdown_timeout = "4s"'))

    def term(self):
        """SIGTERM, and waits until nobody new is taken."""
        self.server.process.process.send_signal(signal.SIGTERM)
        gateway.wait_until(lambda: not gateway.answers(self.server.ports["smtp"]), 10, lambda: "it still listens")

    def in_data(self, smtp, subject):
        for command in ("EHLO client.example", "MAIL FROM:<a@stranger.example>", f"RCPT TO:<{ALICE}>"):
            self.assertRegex(smtp.ask(command), rb"^250")
        self.assertRegex(smtp.ask("DATA"), rb"^354")
        smtp.send(f"Subject: {subject}\r\n\r\nfirst half\r\n".encode())

    def test_a_message_in_flight_is_finished(self):
        subject = mailbox.unique("flight")
        with Lines(self.server.ports["smtp"]) as smtp:
            self.in_data(smtp, subject)
            self.term()
            self.assertRegex(smtp.ask(b"second half\r\n.\r\n"), rb"^250 ")
            # RFC 5321 §3.8: told, not just cut off.
            self.assertRegex(smtp.ask("MAIL FROM:<a@stranger.example>"), rb"^421 ")
            self.assertEqual(smtp.reply(), b"")
        self.assertEqual(self.server.process.stop(), 0)
        self.server.start()
        with log_in(self.server) as client:
            self.assertTrue(mailbox.fetch(client, subject)[1].endswith(b"first half\r\nsecond half\r\n"))

    def test_an_idle_client_is_told(self):
        with Lines(self.server.ports["smtp"]) as smtp:
            smtp.ask("EHLO client.example")
            self.term()
            self.assertRegex(smtp.reply(), rb"^421 4\.3\.2 ")
            self.assertEqual(smtp.reply(), b"")
        self.assertEqual(self.server.process.stop(), 0)

    def test_an_idle_imap_client_is_told(self):
        with Lines(self.server.ports["imap"]) as imap:
            self.server.process.process.send_signal(signal.SIGTERM)
            # RFC 3501 §7.1.5.
            self.assertRegex(imap.stream.readline(), rb"^\* BYE ")
        self.assertEqual(self.server.process.stop(), 0)

    def test_a_client_that_never_finishes_does_not_hold_it_up(self):
        subject = mailbox.unique("never")
        with Lines(self.server.ports["smtp"]) as smtp:
            self.in_data(smtp, subject)
            begun = time.monotonic()
            self.assertEqual(self.server.process.stop(), 0)
            self.assertLess(time.monotonic() - begun, 4 + 10)
        self.server.start()
        with log_in(self.server) as client:
            self.assertEqual(mailbox.count(client, subject), 0)

    def test_an_interrupt_ends_it_too(self):
        self.assertEqual(self.server.process.stop(signal.SIGINT), 0)


class MilterSocket(unittest.TestCase):
    """The milter listener's UNIX socket: its mode and group, gone after an orderly end, replaced after a crash."""

    class Server(gateway.Server):
        def write(self):
            super().write()
            self.path = os.path.join(self.folder, "milter.sock")
            with open(self.config) as file:
                lines = file.read().splitlines()
            lines = [f'milter = "unix:{self.path}"' if line.startswith("milter = ") else line for line in lines]
            with open(self.config, "w") as file:
                file.write('unix_socket_mode = "0620"\nunix_socket_group = "mail"\n' + "\n".join(lines))

    def test_from_start_to_end(self):
        server = self.enterContext(self.Server())
        self.assert_socket(server.path)
        server.kill()
        self.assertTrue(os.path.exists(server.path))
        server.start()
        self.assert_socket(server.path)
        self.assertEqual(server.process.stop(), 0)
        self.assertFalse(os.path.exists(server.path))

    def assert_socket(self, path):
        status = os.stat(path)
        self.assertEqual((oct(status.st_mode & 0o7777), status.st_gid), ("0o620", grp.getgrnam("mail").gr_gid))
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)


class Reload(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(gateway.Server())

    def setUp(self):
        """Each test finds good settings, and leaves them."""
        server = self.server
        kept = self.enterContext(gateway.temporary_folder())
        self.addCleanup(self.reload)
        for path in (server.config, server.values["certificate"], server.values["key"]):
            shutil.copy(path, kept)
            self.addCleanup(shutil.copy, os.path.join(kept, os.path.basename(path)), path)

    def hang_up(self, expected):
        """SIGHUP, and waits for the line that says what came of it; the new output."""
        process = self.server.process
        before = len(process.output())
        process.process.send_signal(signal.SIGHUP)
        gateway.wait_until(lambda: expected in process.output()[before:], 20, lambda: f"no '{expected}':\n{process.output()}")
        return process.output()[before:]

    def reload(self):
        return self.hang_up("event=reloaded")

    def refused(self):
        return self.hang_up('event="reload refused')

    def edit(self, change):
        """Rewrites the settings file by a function of its text."""
        with open(self.server.config) as file:
            text = file.read()
        with open(self.server.config, "w") as file:
            file.write(change(text))

    def fingerprint(self, listener="imaps"):
        """Of the certificate that is shown."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        port = self.server.ports[listener]
        if listener == "smtp":
            with smtplib.SMTP("127.0.0.1", port, timeout=30) as smtp:
                smtp.starttls(context=context)
                return smtp.sock.getpeercert(binary_form=True)
        with socket.create_connection(("127.0.0.1", port), 30) as sock, context.wrap_socket(sock) as tls:
            return tls.getpeercert(binary_form=True)

    def shown(self):
        found = {self.fingerprint(listener) for listener in ("smtp", "submissions", "imaps")}
        self.assertEqual(len(found), 1, "the listeners show different certificates")
        return found.pop()

    def policy(self, text):
        path = os.path.join(self.server.policies, "10-test.policy")
        with open(path, "w") as file:
            file.write(text)
        self.addCleanup(lambda: os.path.exists(path) and os.unlink(path))

    def test_a_changed_certificate_is_served(self):
        old = self.shown()
        with log_in(self.server) as client:
            gateway.make_certificate(self.server.folder, "mail.local.example")
            self.reload()
            self.assertNotEqual(self.shown(), old)
            # Who was there stays there.
            mailbox.ok(client.noop())

    def test_a_broken_certificate_keeps_the_old_one(self):
        old = self.shown()
        with open(self.server.values["certificate"], "w") as file:
            file.write("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
        self.assertIn(self.server.values["certificate"], self.refused())
        self.assertEqual(self.shown(), old)

    def test_a_key_of_another_certificate_keeps_the_old_one(self):
        old = self.shown()
        with gateway.temporary_folder() as other:
            gateway.make_certificate(other, "mail.local.example")
            shutil.copy(os.path.join(other, "key.pem"), self.server.values["key"])
        self.assertIn(self.server.values["key"], self.refused())
        self.assertEqual(self.shown(), old)

    def test_changed_rules_hold_and_broken_ones_do_not(self):
        sender = "unwanted@stranger.example"
        self.assertEqual(send(self.server, mailbox.unique(), sender)[0], 250)
        rule = f'stage message\nrule "unwanted" when sender == "{sender}"\n  then reject 550 "5.7.1" "unwanted here"\n'
        self.policy(rule)
        self.reload()
        self.assertEqual(send(self.server, mailbox.unique(), sender), (550, b"5.7.1 unwanted here"))
        self.assertEqual(send(self.server, mailbox.unique())[0], 250)
        self.policy("stage message\nrule \"broken\" when sendr == 1\n  then reject\n")
        output = self.refused()
        self.assertIn("10-test.policy:2:", output)
        self.assertEqual(send(self.server, mailbox.unique(), sender), (550, b"5.7.1 unwanted here"))

    def test_a_new_signing_key_signs_and_a_broken_one_does_not_stop_that(self):
        key = os.path.join(self.server.folder, "dkim.key")
        gateway.make_signing_key(key)
        self.assertIsNone(self.signed())
        self.edit(lambda text: text + gateway.DKIM.format(domain="local.example", selector="fresh", key=key))
        self.reload()
        self.assertIn("s=fresh", self.signed().replace(" ", ""))
        with open(key, "w") as file:
            file.write("not a key\n")
        self.assertIn(key, self.refused())
        self.assertIn("s=fresh", self.signed().replace(" ", ""))

    def signed(self):
        """The DKIM-Signature of a message that alice submits, as bob reads it."""
        subject, (bob, password) = mailbox.unique("signed"), ACCOUNTS[1]
        with mailbox.submission("localhost", self.server.ports["submission"], self.server.values["certificate"], ALICE, PASSWORD) as smtp:
            smtp.send_message(mailbox.message(ALICE, bob, subject))
        with log_in(self.server, bob, password) as client:
            return email.message_from_bytes(mailbox.fetch(client, subject)[1])["DKIM-Signature"]

    def test_a_wrong_setting_keeps_the_old_ones(self):
        self.edit(lambda text: "nonsense = 1\n" + text)
        output = self.refused()
        self.assertIn("postern.toml:1:", output)
        self.assertIn("nonsense", output)
        self.assertEqual(send(self.server, mailbox.unique())[0], 250)

    def test_a_new_domain_of_ours(self):
        def rcpt():
            with Lines(self.server.ports["smtp"]) as smtp:
                smtp.ask("EHLO client.example")
                smtp.ask("MAIL FROM:<a@stranger.example>")
                return smtp.ask("RCPT TO:<postmaster@second.example>")[:3]
        self.assertEqual(rcpt()[:1], b"5")
        self.edit(lambda text: text.replace('["local.example"]', '["local.example", "second.example"]'))
        self.reload()
        self.assertEqual(rcpt(), b"250")

    def test_what_needs_a_restart_is_said(self):
        self.edit(lambda text: text.replace(f":{self.server.ports['imap']}", f":{gateway.free_port()}"))
        self.assertIn("listen.imap", self.reload())
        self.assertTrue(gateway.answers(self.server.ports["imap"]))

    def test_a_burst_of_hangups_stops_nothing(self):
        for _ in range(50):
            self.server.process.process.send_signal(signal.SIGHUP)
        self.reload()
        self.assertEqual(send(self.server, mailbox.unique())[0], 250)
        self.assertTrue(gateway.answers(self.server.ports["milter"]))


def low_port():
    """A free port that needs root."""
    for port in range(1023, 600, -1):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no free port below 1024")


if __name__ == "__main__":
    unittest.main()

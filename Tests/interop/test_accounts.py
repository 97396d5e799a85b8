"""Accounts as a user of several devices and a migrant from Dovecot have them: app passwords at every door, hashes that the
real `doveadm pw` made, guesses slowed at every door together."""

import base64
import imaplib
import json
import os
import smtplib
import socket
import subprocess
import time
import unittest

import gateway
import mailbox

ALICE, PASSWORD = gateway.ACCOUNTS[0]
WORD = "pässword 1"
SCHEMES = ["PLAIN", "CRYPT", "SHA256-CRYPT", "SHA512-CRYPT", "BLF-CRYPT", "MD5-CRYPT", "SHA", "SHA256", "SHA512", "SHA512.hex", "SSHA", "SSHA256",
           "SSHA512", "SSHA512.b64", "SCRAM-SHA-256"]


class AccountServer(gateway.Server):
    """With a Dovecot socket and a passwd-file."""

    def write(self):
        super().write()
        self.auth_port = gateway.free_port()
        self.users = os.path.join(self.folder, "users")
        with open(self.users, "w") as file:
            for scheme in SCHEMES:
                made = subprocess.run(["doveadm", "pw", "-s", scheme, "-p", WORD, "-r", "5"], check=True, capture_output=True, text=True, timeout=60).stdout.strip()
                file.write(f"{scheme.lower()}@local.example:{made}:1000:1000::/home/x::userdb_quota_rule=*:storage=1G\n")
        with open(self.config) as file:
            text = file.read()
        text = text.replace("\n[listen]\n", f'\npasswd_file = "{self.users}"\n[listen]\ndovecot_auth = ["127.0.0.1:{self.auth_port}"]\n', 1)
        with open(self.config, "w") as file:
            file.write(text)

    def account(self, *arguments, check=True, **options):
        done = subprocess.run([gateway.binary("postern"), "account", *arguments, "--config", self.config], capture_output=True, text=True, timeout=60, **options)
        if check and done.returncode != 0:
            raise AssertionError(f"account {' '.join(arguments)}: {done.stderr}")
        return done

    def lines(self, event):
        return [line for line in self.process.output().splitlines() if f'event="{event}"' in line]


class Doors:
    """Each says whether a log-in succeeded, from an address of loopback."""

    def __init__(self, server):
        self.server = server
        self.tls = mailbox.tls(os.path.join(server.folder, "cert.pem"))

    def imap(self, user, password, source="127.0.0.1"):
        class Client(imaplib.IMAP4_SSL):
            def _create_socket(client, timeout):
                sock = socket.create_connection((client.host, client.port), timeout, source_address=(source, 0))
                return client.ssl_context.wrap_socket(sock, server_hostname="localhost")
        client = Client("127.0.0.1", self.server.ports["imaps"], ssl_context=self.tls, timeout=60)
        client._encoding = "utf-8"
        try:
            token = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
            client.send(f"A1 AUTHENTICATE PLAIN {token}\r\n".encode())
            while not (line := client.readline()).startswith(b"A1 "):
                pass
            return line.startswith(b"A1 OK")
        finally:
            client.shutdown()

    def submission(self, user, password, source="127.0.0.1"):
        with smtplib.SMTP("127.0.0.1", self.server.ports["submission"], timeout=60, source_address=(source, 0)) as smtp:
            smtp.starttls(context=self.tls)
            smtp.ehlo()
            code, _ = smtp.docmd("AUTH", "PLAIN " + base64.b64encode(f"\0{user}\0{password}".encode()).decode())
            return code == 235

    def auth_socket(self, user, password, source="127.0.0.1"):
        with socket.create_connection(("127.0.0.1", self.server.auth_port), 60) as sock, sock.makefile("rw", newline="\n") as stream:
            stream.write(f"VERSION\t1\t1\nCPID\t{os.getpid()}\n")
            response = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
            stream.write(f"AUTH\t1\tPLAIN\tservice=smtp\trip={source}\tsecured\tresp={response}\n")
            stream.flush()
            for line in stream:
                if line.split("\t")[0] in ("OK", "FAIL"):
                    return line.startswith("OK\t1\t")
        return False

    @property
    def all(self):
        return (self.imap, self.submission, self.auth_socket)


class Accounts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(AccountServer())
        cls.doors = Doors(cls.server)

    def test_an_app_password_opens_every_door_until_it_is_revoked(self):
        made = self.server.account("app-password", "add", ALICE, "--name", "phone")
        password = made.stdout.strip()
        self.assertRegex(password, r"^([a-z2-9]{4}-){4}[a-z2-9]{4}$")
        for door in self.doors.all:
            self.assertTrue(door(ALICE, password), door.__name__)
            self.assertTrue(door(ALICE, PASSWORD), door.__name__)
        named = [line for line in self.server.lines("logged in") if "app_password=phone" in line]
        self.assertEqual(len(named), 3, named)
        listed = json.loads(self.server.account("app-password", "list", ALICE, "--json").stdout)
        self.assertEqual([(one["name"], one["last_client"]) for one in listed], [("phone", "127.0.0.1")])
        self.assertIn("phone", self.server.account("app-password", "list", ALICE).stdout)
        self.server.account("app-password", "revoke", ALICE, "--name", "phone")
        for door in self.doors.all:
            self.assertFalse(door(ALICE, password, "127.0.0.11"), door.__name__)
        tried = self.server.lines("a revoked app password is tried")
        self.assertEqual(len(tried), 3)
        self.assertIn("app_password=phone", tried[0])
        self.assertNotIn(password, self.server.process.output())

    def test_hashes_of_doveadm_log_in_at_every_door(self):
        for number, scheme in enumerate(SCHEMES):
            user = f"{scheme.lower()}@local.example"
            for door in self.doors.all:
                self.assertTrue(door(user, WORD), f"{scheme} {door.__name__}")
            self.assertFalse(self.doors.submission(user, WORD + "x", f"127.0.1.{number + 10}"), scheme)

    def test_doveadm_says_the_same(self):
        with open(self.server.users) as file:
            for line in file:
                field = line.split(":")[1]
                done = subprocess.run(["doveadm", "pw", "-t", field, "-p", WORD], capture_output=True, text=True, timeout=60)
                self.assertIn("(verified)", done.stdout, field)

    def test_the_file_is_read_again_and_a_wrong_line_takes_no_other_down(self):
        with open(self.server.users, "a") as file:
            file.write("late@local.example:{PLAIN}late\nbroken@local.example:{NONSENSE}x\n# comment\nlast@local.example:{PLAIN}last\n")
        self.assertTrue(self.doors.imap("late@local.example", "late"))
        self.assertTrue(self.doors.imap("last@local.example", "last"))
        self.assertFalse(self.doors.imap("broken@local.example", "x", "127.0.1.2"))
        faults = [line for line in self.server.process.output().splitlines() if "passwd_file" in line]
        self.assertTrue(any(f"users:{len(SCHEMES) + 2}: {{NONSENSE}}" in line for line in faults), faults)
        checked = subprocess.run([gateway.binary("postern"), "check", "--config", self.server.config], capture_output=True, text=True, timeout=60)
        self.assertIn("NONSENSE", checked.stdout)
        # Its users receive mail.
        subject = mailbox.unique("file")
        with smtplib.SMTP("127.0.0.1", self.server.ports["smtp"], timeout=30) as smtp:
            smtp.send_message(mailbox.message("a@stranger.example", "late@local.example", subject))
        with mailbox.imap("localhost", self.server.ports["imaps"], os.path.join(self.server.folder, "cert.pem"), "late@local.example", "late") as client:
            mailbox.fetch(client, subject)

    def test_guesses_are_slowed_at_all_doors_together(self):
        guesser = "127.0.7.7"
        guesses = iter(range(100))
        for _ in range(2):
            for door in self.doors.all:
                self.assertFalse(door(f"nobody{next(guesses)}@local.example", f"guess{next(guesses)}", guesser))
        # Six failures: the seventh attempt waits the pause of eight seconds, at whichever door.
        begun = time.monotonic()
        self.assertFalse(self.doors.imap("nobody@local.example", "x", guesser))
        self.assertGreater(time.monotonic() - begun, 5)
        # Somebody else's does not wait.
        begun = time.monotonic()
        self.assertTrue(self.doors.submission(ALICE, PASSWORD, "127.0.7.8"))
        self.assertLess(time.monotonic() - begun, 3)

    def test_passwords_come_from_files_and_never_from_arguments(self):
        path = os.path.join(self.server.folder, "password")
        with open(path, "w") as file:
            file.write("from a file\nsecond line\n")
        self.server.account("add", "carol@local.example", "--password-file", path)
        self.assertTrue(self.doors.imap("carol@local.example", "from a file"))
        self.server.account("passwd", "carol@local.example", input="from standard input\n")
        self.assertTrue(self.doors.imap("carol@local.example", "from standard input"))
        for arguments in (("passwd", "carol@local.example", "secret"), ("add", "dave@local.example", "--password", "secret")):
            self.assertEqual(self.server.account(*arguments, check=False).returncode, 64, arguments)
        self.assertEqual(self.server.account("passwd", "carol@local.example", "--password-file", "/nonexistent", check=False).returncode, 1)

    def test_addresses_and_the_list(self):
        self.server.account("address", "add", "bob@local.example", "Sales@local.example")
        self.assertEqual(self.server.account("address", "list", "bob@local.example").stdout.split(), ["bob@local.example", "sales@local.example"])
        subject = mailbox.unique("alias")
        with smtplib.SMTP("127.0.0.1", self.server.ports["smtp"], timeout=30) as smtp:
            smtp.send_message(mailbox.message("a@stranger.example", "sales@local.example", subject))
        with mailbox.submission("localhost", self.server.ports["submission"], os.path.join(self.server.folder, "cert.pem"), *gateway.ACCOUNTS[1]) as smtp:
            self.assertEqual(smtp.mail("sales@local.example")[0], 250)
        listed = {one["name"]: one for one in json.loads(self.server.account("list", "--json").stdout)}
        self.assertEqual(listed["bob@local.example"]["source"], "database")
        self.assertEqual(listed["ssha@local.example"]["source"], "passwd_file")
        self.server.account("address", "remove", "bob@local.example", "sales@local.example")
        with smtplib.SMTP("127.0.0.1", self.server.ports["smtp"], timeout=30) as smtp:
            smtp.ehlo()
            smtp.mail("a@stranger.example")
            self.assertEqual(smtp.rcpt("sales@local.example")[0], 550)
        refused = self.server.account("passwd", "ssha@local.example", input="x\n", check=False)
        self.assertIn("passwd_file", refused.stderr)


if __name__ == "__main__":
    unittest.main()

"""Certificates from files: certbot's folders and its deploy hook, renewal under way, several names, and what TLS is spoken."""

import contextlib
import grp
import imaplib
import os
import pwd
import smtplib
import socket
import ssl
import subprocess
import threading
import time
import unittest

import gateway
import mailbox
from gateway import ACCOUNTS
from lines import Lines

ALICE, PASSWORD = ACCOUNTS[0]
HOOK = os.path.join(gateway.ROOT, "contrib", "certbot", "postern-deploy")


class Lineage:
    """A certificate as certbot keeps it: numbered files in archive/, symbolic links to the newest in live/."""

    def __init__(self, root, name, key_type="ec"):
        self.root, self.name, self.key_type, self.version = root, name, key_type, 0
        self.live = os.path.join(root, "live", name)
        self.archive = os.path.join(root, "archive", name)
        for folder in (self.live, self.archive):
            os.makedirs(folder)
        self.renew()

    def path(self, file):
        return os.path.join(self.live, file)

    def renew(self, key_version=None):
        """certbot's order: the new numbered files, then one link after the other."""
        self.version += 1
        kind = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if self.key_type == "ec" else ["rsa:2048"]
        subprocess.run(["openssl", "req", "-x509", "-newkey", *kind, "-nodes", "-days", "80", "-subj", f"/CN={self.name}",
                        "-addext", f"subjectAltName=DNS:{self.name}", "-keyout", f"{self.archive}/privkey{self.version}.pem",
                        "-out", f"{self.archive}/fullchain{self.version}.pem"], check=True, capture_output=True, timeout=60)
        os.chmod(f"{self.archive}/privkey{self.version}.pem", 0o600)
        for file, version in (("privkey", key_version or self.version), ("fullchain", self.version)):
            link = self.path(file + ".pem")
            if os.path.lexists(link):
                os.unlink(link)
            os.symlink(f"../../archive/{self.name}/{file}{version}.pem", link)

    def der(self):
        with open(self.path("fullchain.pem")) as file:
            return ssl.PEM_cert_to_DER_cert(file.read())


def shown(port, name=None, starttls=None):
    """The certificate that is shown to who asks for the name (SNI); DER."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with contextlib.ExitStack() as stack:
        if starttls == "smtp":
            lines = stack.enter_context(Lines(port))
            lines.ask("EHLO client.example")
            lines.ask("STARTTLS")
            sock = lines.sock
        else:
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", port), 30))
        with context.wrap_socket(sock, server_hostname=name) as tls:
            return tls.getpeercert(binary_form=True)


class FromCertbot(unittest.TestCase):
    """Several names, renewed one by one while clients are there."""

    @classmethod
    def setUpClass(cls):
        cls.letsencrypt = cls.enterClassContext(gateway.temporary_folder())
        cls.main = Lineage(cls.letsencrypt, "mail.local.example")
        cls.other = Lineage(cls.letsencrypt, "mail.other.example", key_type="rsa")
        cls.parent = Lineage(cls.letsencrypt, "wild.example")
        maps = "".join(f'"{name}" = "{one.path("privkey.pem")}, {one.path("fullchain.pem")}"\n'
                       for name, one in (("mail.other.example", cls.other), (".wild.example", cls.parent)))
        cls.server = cls.enterClassContext(gateway.Server(certificate=cls.main.path("fullchain.pem"), key=cls.main.path("privkey.pem"),
                                                          extra=f"[tls_server_sni_maps]\n{maps}"))

    def test_the_name_that_is_asked_for_chooses(self):
        for port, starttls in ((self.server.ports["imaps"], None), (self.server.ports["submissions"], None), (self.server.ports["smtp"], "smtp")):
            for name, lineage in ((None, self.main), ("mail.local.example", self.main), ("unknown.example", self.main),
                                  ("mail.other.example", self.other), ("MAIL.Other.Example", self.other),
                                  ("imap.wild.example", self.parent), ("a.b.wild.example", self.parent), ("wild.example", self.main)):
                with self.subTest(port=port, name=name):
                    self.assertEqual(shown(port, name, starttls), lineage.der())

    def test_a_renewal_is_taken_up_by_itself_and_nobody_is_cut_off(self):
        port = self.server.ports["imaps"]
        context = ssl.create_default_context(cafile=self.main.path("fullchain.pem"))
        ended, sent, failed = threading.Event(), [], []

        def submit():
            plain = ssl.create_default_context()
            plain.check_hostname, plain.verify_mode = False, ssl.CERT_NONE
            while not ended.is_set():
                subject = mailbox.unique("renewal") + "."
                try:
                    with smtplib.SMTP_SSL("127.0.0.1", self.server.ports["submissions"], timeout=30, context=plain) as smtp:
                        smtp.login(ALICE, PASSWORD)
                        smtp.send_message(mailbox.message(ALICE, ALICE, subject))
                    sent.append(subject)
                except (OSError, smtplib.SMTPException) as error:
                    failed.append(error)

        with socket.create_connection(("127.0.0.1", port), 30) as sock, context.wrap_socket(sock, server_hostname="mail.local.example") as old:
            self.assertRegex(old.recv(500), rb"^\* OK")
            sender = threading.Thread(target=submit)
            sender.start()
            try:
                for lineage, name in ((self.main, "mail.local.example"), (self.other, "mail.other.example")):
                    lineage.renew()
                    gateway.wait_until(lambda: shown(port, name) == lineage.der(), 15, self.server.process.output)
            finally:
                ended.set()
                sender.join()
            # Who was there goes on under the certificate it began with.
            old.sendall(b"a NOOP\r\n")
            self.assertRegex(old.recv(500), rb"^a OK")
        self.assertEqual(failed, [])
        self.assertGreater(len(sent), 3)
        client = imaplib.IMAP4_SSL("127.0.0.1", port, ssl_context=unnamed(ssl.create_default_context(cafile=self.main.path("fullchain.pem"))), timeout=30)
        try:
            mailbox.ok(client.login(ALICE, PASSWORD))
            for subject in sent:
                self.assertEqual(mailbox.count(client, subject), 1, subject)
        finally:
            client.logout()

    def test_a_pair_that_does_not_fit_leaves_the_old_one_and_is_said_once(self):
        process, port = self.server.process, self.server.ports["imaps"]
        before, old = len(process.output()), self.other.der()
        self.other.renew(key_version=1)
        gateway.wait_until(lambda: "a renewed certificate is not taken" in process.output()[before:], 15, process.output)
        time.sleep(5)
        self.assertEqual(process.output()[before:].count("a renewed certificate is not taken"), 1)
        self.assertIn("does not belong to the certificate", process.output()[before:])
        self.assertEqual(shown(port, "mail.other.example"), old)
        # A file that is no certificate neither.
        os.unlink(self.other.path("fullchain.pem"))
        with open(self.other.path("fullchain.pem"), "w") as file:
            file.write("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
        gateway.wait_until(lambda: process.output()[before:].count("a renewed certificate is not taken") == 2, 15, process.output)
        self.assertEqual(shown(port, "mail.other.example"), old)
        self.other.renew()
        gateway.wait_until(lambda: shown(port, "mail.other.example") == self.other.der(), 15, process.output)


def unnamed(context):
    context.check_hostname = False
    return context


class WithoutRoot(unittest.TestCase):
    """`user` is set: the server read certbot's key as root once, and never again. The deploy hook makes it readable."""

    USER = "nobody"

    def start(self, lineage, certificate, key):
        class Server(gateway.Server):
            def write(self):
                os.chmod(self.folder, 0o755)
                super().write()
        return self.enterContext(Server(certificate=certificate, key=key, extra=f'user = "{self.USER}"'))

    def setUp(self):
        self.letsencrypt = self.enterContext(gateway.temporary_folder())
        self.lineage = Lineage(self.letsencrypt, "mail.local.example")

    def test_a_key_that_only_root_may_read_serves_until_the_next_start_and_that_is_said(self):
        server = self.start(self.lineage, self.lineage.path("fullchain.pem"), self.lineage.path("privkey.pem"))
        process, old = server.process, self.lineage.der()
        self.assertRegex(process.output(), r"level=warning .*a renewed certificate will not be taken until the next start: user nobody.*contrib/certbot")
        # A reload of everything else is not held up.
        process.process.send_signal(1)
        gateway.wait_until(lambda: "event=reloaded" in process.output(), 15, process.output)
        self.assertEqual(shown(server.ports["imaps"]), old)
        process.stop()
        self.lineage.renew()
        server.start()
        self.assertEqual(shown(server.ports["imaps"]), self.lineage.der())

    def test_with_the_deploy_hook_renewals_arrive(self):
        target = self.enterContext(gateway.temporary_folder())
        os.chmod(target, 0o755)
        folder = os.path.join(target, "tls")
        group = grp.getgrgid(pwd.getpwnam(self.USER).pw_gid).gr_name

        def deploy():
            return subprocess.run([HOOK], env={"PATH": os.environ["PATH"], "RENEWED_LINEAGE": self.lineage.live, "POSTERN_TLS": folder, "POSTERN_GROUP": group},
                                  capture_output=True, text=True, timeout=30)

        done = deploy()
        self.assertEqual(done.returncode, 0, done.stderr)
        copy = os.path.join(folder, "mail.local.example")
        for file in ("privkey.pem", "fullchain.pem"):
            status = os.stat(os.path.join(copy, file))
            self.assertEqual((oct(status.st_mode & 0o7777), status.st_uid, status.st_gid), ("0o640", 0, grp.getgrnam(group).gr_gid))
        server = self.start(self.lineage, os.path.join(copy, "fullchain.pem"), os.path.join(copy, "privkey.pem"))
        self.assertNotIn("will not be taken", server.process.output())
        self.lineage.renew()
        self.assertEqual(deploy().returncode, 0)
        gateway.wait_until(lambda: shown(server.ports["imaps"]) == self.lineage.der(), 15, server.process.output)
        # certbot in the middle of its work, or a wrong pair: nothing is copied.
        good = self.lineage.der()
        self.lineage.renew(key_version=1)
        refused = deploy()
        self.assertEqual(refused.returncode, 1)
        self.assertIn("do not belong together", refused.stderr)
        self.assertEqual(shown(server.ports["imaps"]), good)


# Mozilla's server side TLS, intermediate configuration, guidelines version 5.7.
INTERMEDIATE = {
    "ec": {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"},
    "rsa": {"ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305", "DHE-RSA-AES128-GCM-SHA256",
            "DHE-RSA-AES256-GCM-SHA384", "DHE-RSA-CHACHA20-POLY1305"},
    "1.3": {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"},
    "groups": {"X25519", "P-256", "P-384"},
}


class Strength(unittest.TestCase):
    """What openssl s_client, allowed everything that it can, agrees on with each door: the intermediate set and no more."""

    @classmethod
    def setUpClass(cls):
        folder = cls.enterClassContext(gateway.temporary_folder())
        cls.main = Lineage(folder, "mail.local.example")
        cls.other = Lineage(folder, "rsa.local.example", key_type="rsa")
        cls.server = cls.enterClassContext(gateway.Server(
            certificate=cls.main.path("fullchain.pem"), key=cls.main.path("privkey.pem"),
            extra=f'tls_server_sni_maps = {{ "rsa.local.example" = "{cls.other.path("privkey.pem")}, {cls.other.path("fullchain.pem")}" }}\n'
                  "smtpd_client_connection_rate_limit = 0"))

    def agreed(self, *options, door="imaps", name="mail.local.example"):
        """The protocol and cipher agreed on, or None."""
        ways = {"imaps": ["-connect", f"127.0.0.1:{self.server.ports['imaps']}"], "submissions": ["-connect", f"127.0.0.1:{self.server.ports['submissions']}"],
                "smtp": ["-connect", f"127.0.0.1:{self.server.ports['smtp']}", "-starttls", "smtp"]}
        done = subprocess.run(["openssl", "s_client", "-servername", name, *ways[door], *options], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, errors="replace", timeout=30)
        for line in done.stdout.splitlines():
            if line.startswith("New, TLS") and "(NONE)" not in line:
                return line.split(",")[1].strip(), line.rpartition(" ")[2]
        return None

    def test_protocols(self):
        for door in ("imaps", "submissions", "smtp"):
            with self.subTest(door=door):
                for option in ("-tls1", "-tls1_1"):
                    self.assertIsNone(self.agreed(option, "-cipher", "ALL:@SECLEVEL=0", door=door), option)
                self.assertIsNotNone(self.agreed("-tls1_2", door=door))
                self.assertIsNotNone(self.agreed("-tls1_3", door=door))

    def test_ciphers_of_tls_1_2(self):
        listed = subprocess.run(["openssl", "ciphers", "-s", "-tls1_2", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"], check=True, capture_output=True, text=True).stdout
        ciphers = listed.strip().split(":")
        self.assertGreater(len(ciphers), 50)
        for kind, name in (("ec", "mail.local.example"), ("rsa", "rsa.local.example")):
            taken = {cipher for cipher in ciphers if self.agreed("-tls1_2", "-cipher", f"{cipher}:@SECLEVEL=0", name=name)}
            self.assertEqual(taken, INTERMEDIATE[kind], kind)

    def test_ciphers_and_groups_of_tls_1_3(self):
        suites = INTERMEDIATE["1.3"] | {"TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256"}
        taken = {suite for suite in suites if self.agreed("-tls1_3", "-ciphersuites", suite)}
        self.assertEqual(taken, INTERMEDIATE["1.3"])
        groups = {group for group in ("X25519", "P-256", "P-384", "P-521", "X448", "ffdhe2048") if self.agreed("-tls1_3", "-groups", group)}
        self.assertEqual(groups, INTERMEDIATE["groups"])

    def test_nothing_is_renegotiated(self):
        with subprocess.Popen(["openssl", "s_client", "-tls1_2", "-connect", f"127.0.0.1:{self.server.ports['imaps']}"], text=True, errors="replace",
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as client:
            said = ""
            while "* OK" not in said:
                said += client.stdout.readline()
            # s_client asks for it when a line begins with R.
            client.stdin.write("R\n")
            client.stdin.flush()
            said += client.communicate(timeout=30)[0]
        self.assertIn("no renegotiation", said)
        self.assertIn("Compression: NONE", said)

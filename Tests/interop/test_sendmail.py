"""`postern sendmail`, as cron, PHP and an ordinary user call it: with the server up, and with it stopped."""

import email
import glob
import os
import pwd
import subprocess
import unittest

import gateway
import mailbox
from gateway import ACCOUNTS
from sink import Sink

ALICE, PASSWORD = ACCOUNTS[0]
REMOTE = "someone@elsewhere.example"
USER = "nobody"

class Sendmail(unittest.TestCase):
    extra = ""

    def setUp(self):
        if os.geteuid() != 0:
            raise AssertionError("this test needs root, as contrib/test does")
        test = self

        class Server(gateway.Server):
            def write(self):
                # Everybody walks through the test's folder, as through /var/lib.
                os.chmod(self.folder, 0o755)
                super().write()
                os.chmod(self.config, 0o644)
                test.prepare(self)

        self.server = self.enterContext(Server(extra='minimal_backoff_time = "1s"\nmaximal_backoff_time = "2s"\n' + self.extra))
        self.bin = self.enterContext(gateway.temporary_folder())
        os.chmod(self.bin, 0o755)
        for name in ("sendmail", "mailq", "newaliases"):
            os.symlink(gateway.binary("postern"), os.path.join(self.bin, name))

    def prepare(self, server):
        pass

    def call(self, *words, text="Subject: x\n\nhello\n", name="sendmail", user=None):
        """(status, standard output, standard error)"""
        data = text if isinstance(text, bytes) else text.encode()
        done = subprocess.run([os.path.join(self.bin, name), "-C", self.server.config, *words], input=data, capture_output=True,
                              timeout=60, user=user, group=pwd.getpwnam(user).pw_gid if user else None, extra_groups=[] if user else None, cwd="/")
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def send(self, *words, **options):
        self.assertEqual(self.call(*words, **options), (0, "", ""))

    def imap(self):
        return mailbox.imap("localhost", self.server.ports["imaps"], self.server.values["certificate"], ALICE, PASSWORD)

    def arrived(self, subject):
        """The message, once it is in Alice's mailbox."""
        with self.imap() as client:
            gateway.wait_until(lambda: mailbox.count(client, subject), 60, lambda: f"{subject} did not arrive\n{self.server.process.output()}")
            return email.message_from_bytes(mailbox.fetch(client, subject)[1])

    def dropped(self):
        return glob.glob(os.path.join(self.server.data_dir, "maildrop", "*"))

    def wait_empty(self):
        gateway.wait_until(lambda: not self.dropped(), 60, lambda: f"{self.dropped()}\n{self.server.process.output()}")


class Command(Sendmail):
    def test_php_with_its_header(self):
        """mail() writes CRLF into the header and LF into the body; recipients from the header, Bcc among them."""
        subject = mailbox.unique("php")
        text = f"To: {ALICE}\r\nBcc: {ACCOUNTS[1][0]}\r\nSubject: {subject}\r\nFrom: shop@local.example\r\n\r\nline\n.\nafter the dot\n"
        self.send("-t", "-i", "-fwww@local.example", text=text, user=USER)
        got = self.arrived(subject)
        self.assertEqual(got["From"], "shop@local.example")
        self.assertEqual(got["Return-Path"], "<www@local.example>")
        self.assertIsNone(got["Bcc"])
        self.assertIn("line\r\n.\r\nafter the dot", got.get_payload())
        self.assertIn(f"(Postern, from userid {pwd.getpwnam(USER).pw_uid})", " ".join(got["Received"].split()))
        with mailbox.imap("localhost", self.server.ports["imaps"], self.server.values["certificate"], *ACCOUNTS[1]) as bob:
            gateway.wait_until(lambda: mailbox.count(bob, subject), 60, lambda: "the blind copy did not arrive")
        self.wait_empty()

    def test_cron(self):
        """Bare names get a domain; what is missing in the header is added."""
        subject = mailbox.unique("cron")
        self.send("-FCronDaemon", "-i", "-B8BITMIME", "-oem", ALICE, text=f"From: root (Cron Daemon)\nTo: root\nSubject: {subject}\n\nümlaut\n")
        got = self.arrived(subject)
        self.assertEqual(email.utils.parseaddr(got["From"]), ("Cron Daemon", "root@mail.local.example"))
        self.assertEqual(got["To"], "root@mail.local.example")
        self.assertEqual(got["Return-Path"], "<root@mail.local.example>")
        self.assertTrue(got["Date"] and got["Message-ID"])

    def test_while_the_server_is_stopped(self):
        """Also after a kill -9: the message waits, and goes out at the next start, once."""
        subjects = [mailbox.unique(f"stopped{number}") for number in range(5)]
        self.server.kill()
        for subject in subjects:
            self.send(ALICE, REMOTE, text=f"Subject: {subject}\n\nx\n", user=USER)
        self.assertEqual(len(self.dropped()), len(subjects))
        self.server.start()
        with Sink(self.server.values["relay_port"]) as sink:
            gateway.wait_until(lambda: all(sink.count(subject) for subject in subjects), 60, lambda: self.server.process.output())
            for subject in subjects:
                self.arrived(subject)
                self.assertEqual(sink.count(subject), 1)
        self.wait_empty()

    def test_nobody_reads_anothers_mail(self):
        self.server.process.stop()
        self.send(ALICE, text="Subject: secret\n\nx\n")
        path, = self.dropped()
        self.assertEqual(os.stat(path).st_mode & 0o7777, 0o640)
        as_user = dict(user=USER, group=pwd.getpwnam(USER).pw_gid, extra_groups=[], capture_output=True, timeout=30)
        for command in (["ls", os.path.dirname(path)], ["cat", path], ["rm", "-f", path], ["mv", path, path + "x"],
                        ["cat", os.path.join(self.server.data_dir, "accounts.sqlite")], ["ls", os.path.join(self.server.data_dir, "mail")]):
            self.assertNotEqual(subprocess.run(command, **as_user).returncode, 0, command)
        self.assertTrue(os.path.exists(path))
        for entry in os.scandir(self.server.data_dir):
            if entry.name != "maildrop":
                self.assertEqual(entry.stat(follow_symlinks=False).st_mode & 0o007, 0, entry.name)

    def test_forged_files_do_no_harm(self):
        """Links to what another may not read, pipes, and rubbish: put aside, and the mail behind them goes on."""
        folder = os.path.join(self.server.data_dir, "maildrop")
        script = ("cd '%s'; ln -s /etc/shadow d-0link; mkfifo -m 640 d-0pipe; echo '{' > d-0bad; chmod 640 d-0bad; "
                  "printf '%%s\\nx' '{\"postern\":1,\"commands\":[\"MAIL FROM:<a@b.example>\",\"RCPT TO:<%s> BAD=1\"],\"size\":1}' > d-0param; chmod 640 d-0param" % (folder, ALICE))
        subprocess.run(["sh", "-c", script], user=USER, group=pwd.getpwnam(USER).pw_gid, extra_groups=[], check=True, timeout=30)
        subject = mailbox.unique("behind")
        self.send(ALICE, text=f"Subject: {subject}\n\nx\n", user=USER)
        self.arrived(subject)
        gateway.wait_until(lambda: len(self.dropped()) == 4 and all("/damaged-" in name for name in self.dropped()), 60,
                           lambda: f"{self.dropped()}\n{self.server.process.output()}")

    def test_smtp_on_standard_input(self):
        subject = mailbox.unique("bs")
        status, out, _ = self.call("-bs", text=f"EHLO here\r\nMAIL FROM:<{ALICE}>\r\nRCPT TO:<{ALICE}>\r\nDATA\r\nSubject: {subject}\r\n\r\n..x\r\n.\r\nQUIT\r\n", user=USER)
        self.assertEqual(status, 0)
        self.assertEqual([line[:3] for line in out.splitlines() if line[3:4] == " "], ["220", "250", "250", "250", "354", "250", "221"])
        self.assertIn(".x\r\n", self.arrived(subject).get_payload())

    def test_exit_statuses(self):
        self.assertEqual(self.call()[0], 64)
        self.assertEqual(self.call("-t", text="Subject: x\n\nTo: a@b.example\n")[0], 64)
        self.assertEqual(self.call("-Z", ALICE)[0], 64)
        self.assertEqual(self.call("a b@c@d")[0], 65)
        self.assertEqual(self.call(ALICE, text=b"x" * 1_100_000)[0], 69)
        status, _, errors = self.call("-C", "/nowhere/postern.toml", ALICE)
        self.assertEqual(status, 78, errors)
        self.server.process.stop()
        os.rename(os.path.join(self.server.data_dir, "maildrop"), os.path.join(self.server.data_dir, "elsewhere"))
        self.assertEqual(self.call(ALICE)[0], 75)
        self.assertEqual(self.call(name="newaliases"), (0, "", ""))

    def test_mailq_and_a_run_of_the_queue(self):
        """As `postern queue` has it, whether the server runs or not; cron hears nothing of a queue that is well."""
        self.assertEqual(self.call(name="mailq"), (0, "Mail queue is empty\n", ""))
        self.assertEqual(self.call("-q"), (0, "", ""))
        self.send("-f", ALICE, REMOTE, text="Subject: waits\n\nx\n", user=USER)
        self.wait_empty()
        gateway.wait_until(lambda: "refused" in self.call("-bp")[1], 60, lambda: f"{self.call('-bp')}\n{self.server.process.output()}")
        status, listed, _ = self.call(name="mailq")
        self.assertEqual(status, 0)
        self.assertIn(REMOTE, listed)
        self.assertEqual(self.call(name="mailq", user=USER)[0], 69)
        with Sink(self.server.values["relay_port"]) as sink:
            self.assertEqual(self.call("-q"), (0, "", ""))
            gateway.wait_until(lambda: sink.count("waits"), 60, self.server.process.output)
        self.server.process.stop()
        self.assertEqual(self.call(name="mailq"), (0, "Mail queue is empty\n", ""))

    def test_unknown_recipients_bounce_and_the_others_get_it(self):
        subject = mailbox.unique("half")
        self.send("-f", ALICE, "-V", "my id", ALICE, "nobody-here@local.example", text=f"Subject: {subject}\n\nx\n", user=USER)
        self.arrived(subject)
        report = self.arrived("Your message could not be delivered")
        self.assertEqual(report["Return-Path"], "<>")
        fields = report.get_payload()[1].get_payload()
        self.assertEqual(fields[0]["Original-Envelope-Id"], "my id")
        self.assertEqual((fields[1]["Final-Recipient"], fields[1]["Status"]), ("rfc822; nobody-here@local.example", "5.1.1"))
        self.wait_empty()


    def test_what_cron_sends_reaches_the_postmaster(self):
        subject = mailbox.unique("cron")
        self.send("root", text=f"Subject: {subject}\n\nx\n")
        message = self.arrived(subject)
        self.assertEqual((message["From"], message["X-Original-To"]), ("root <root@mail.local.example>", "root@mail.local.example"))

    def test_a_bounce_to_nobody_here_reaches_the_postmaster_and_not_the_relay_host(self):
        self.send("-f", "nobody-here@local.example", "nor-here@local.example", text="Subject: lost\n\nx\n", user=USER)
        report = self.arrived("Your message could not be delivered")
        self.assertEqual(report["To"], "<nobody-here@local.example>")
        self.wait_empty()


class Filters(Sendmail):
    """The rules see it, as mail of ours; what they refuse comes back."""

    def prepare(self, server):
        with open(os.path.join(server.policies, "1.policy"), "w") as file:
            file.write(RULES)

    def test_a_rule_refuses(self):
        self.send("-f", ALICE, ALICE, text="Subject: forbidden thing\n\nx\n", user=USER)
        report = self.arrived("Your message could not be delivered")
        self.assertEqual(report.get_payload()[1].get_payload()[1]["Status"], "5.7.1")
        self.wait_empty()

    def test_for_now_it_waits(self):
        self.send("-f", ALICE, ALICE, text="Subject: not now\n\nx\n", user=USER)
        gateway.wait_until(lambda: "put off" in self.server.process.output(), 60, self.server.process.output)
        self.assertEqual(len(self.dropped()), 1)

    def test_signed_and_marked(self):
        subject = mailbox.unique("tagged")
        self.send("-f", ALICE, ALICE, text=f"From: {ALICE}\nSubject: {subject}\n\nx\n", user=USER)
        self.assertEqual(self.arrived(subject)["X-Seen"], "local")


RULES = """\
stage message
rule "seen" then add header "X-Seen" "{listener}"
rule "for good" when listener == "local" and header["Subject"] contains ["forbidden"] then reject 550 "5.7.1" "no such things"
rule "for now" when header["Subject"] contains ["not now"] then tempfail 451 "4.7.1" "later"
"""


class GivesUpRoot(Sendmail):
    """The server as a user of its own: it reads what others drop, though the files are closed to everybody else."""

    extra = 'user = "daemon"'

    def test_it_takes_it(self):
        subject = mailbox.unique("other")
        self.send(ALICE, text=f"Subject: {subject}\n\nx\n", user=USER)
        self.arrived(subject)
        self.wait_empty()


if __name__ == "__main__":
    unittest.main()

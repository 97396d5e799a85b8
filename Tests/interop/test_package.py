"""The Debian package: built of the program under test, installed with dpkg into an overlay of this machine's own root (so
that its maintainer scripts run as they do anywhere, and nothing of the machine changes), run as its unit runs it, removed
and purged. Without systemd as process 1 the unit's user, capability and notification socket are set up by the test."""

import os
import re
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
import unittest

import gateway
import mailbox

UNIT = "lib/systemd/system/postern.service"

SETTINGS = """\
myhostname = "mail.example.org"
mydestination = ["example.org"]
dns.offline = true

[listen]
smtp = ["127.0.0.1:25"]
milter = ""
"""


class Package(unittest.TestCase):
    """One life of a package, its tests in the order of their names."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="postern-package-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        os.chmod(cls.folder, 0o755)
        done = subprocess.run([os.path.join(gateway.ROOT, "contrib", "package"), "--program", gateway.binary("postern"), "--output", cls.folder],
                              capture_output=True, text=True, timeout=300)
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)
        cls.package = done.stdout.splitlines()[-1]
        for name in ("upper", "work", "root", "run"):
            os.mkdir(os.path.join(cls.folder, name))
        cls.root = os.path.join(cls.folder, "root")
        # Its own mounts and network: port 25 is free there.
        script = f"""set -e
            mount -t overlay overlay -o lowerdir=/,upperdir={cls.folder}/upper,workdir={cls.folder}/work {cls.root}
            mount --bind /proc {cls.root}/proc; mount --bind /dev {cls.root}/dev; mount --bind {cls.folder}/run {cls.root}/run; ip link set lo up
            echo ready; exec cat"""
        cls.holder = subprocess.Popen(["unshare", "--mount", "--net", "bash", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        cls.addClassCleanup(cls.end)
        if cls.holder.stdout.readline() != "ready\n":
            raise RuntimeError("no overlay of the root")
        # What the machine has of an earlier one is not this package's.
        cls.inside("sh", "-c", "userdel postern 2>/dev/null; rm -rf /etc/postern /var/lib/postern")
        shutil.copy(cls.package, os.path.join(cls.folder, "run", "postern.deb"))

    @classmethod
    def end(cls):
        cls.holder.stdin.close()
        cls.holder.stdout.close()
        cls.holder.wait(10)

    @classmethod
    def inside(cls, *command, check=True, **options):
        done = subprocess.run(["nsenter", f"--target={cls.holder.pid}", "--mount", "--net", "chroot", cls.root, *command],
                              capture_output=True, text=True, timeout=120, **options)
        if check and done.returncode:
            raise RuntimeError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done

    def exists(self, path):
        return self.inside("test", "-e", path, check=False).returncode == 0

    def test_1_what_it_is(self):
        control = subprocess.run(["dpkg-deb", "--field", self.package], capture_output=True, text=True, check=True, timeout=60).stdout
        for library in ("libc6", "libmilter1.0.1", "libopendkim11", "libssl3", "libunbound8", "libsqlite3-0"):
            self.assertRegex(control, rf"Depends: .*\b{re.escape(library)} ")
        self.assertNotIn("-dev", control)
        listed = subprocess.run(["dpkg-deb", "--contents", self.package], capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()
        self.assertEqual([line for line in listed if " root/root " not in line], [])
        # Nobody but root writes what it installs.
        self.assertEqual([line for line in listed if line[5] == "w" or line[8] == "w"], [])

    def test_2_it_is_installed_and_does_not_start(self):
        done = self.inside("dpkg", "-i", "/run/postern.deb")
        self.assertIn("not set up", done.stdout)
        entry = self.inside("getent", "passwd", "postern").stdout.strip().split(":")
        self.assertEqual((entry[5], entry[6]), ("/var/lib/postern", "/usr/sbin/nologin"))
        self.assertEqual(self.inside("stat", "-c", "%U %a", "/var/lib/postern").stdout, "postern 711\n")
        self.assertEqual(self.inside("stat", "-c", "%U %G %a", "/etc/postern").stdout, "root postern 750\n")
        self.assertTrue(self.exists("/etc/systemd/system/multi-user.target.wants/postern.service"))
        self.assertEqual(self.inside("dpkg", "--verify", "postern").stdout, "")
        self.assertIn("/etc/postern/policies/default.policy", self.inside("dpkg-query", "-f", "${Conffiles}", "-W", "postern").stdout)

    def test_3_manual_and_completion_are_there(self):
        self.assertIn("postern.toml", self.inside("sh", "-c", "zcat /usr/share/man/man5/postern.toml.5.gz").stdout)
        self.assertEqual(self.inside("bash", "-c", "source /usr/share/bash-completion/completions/postern && complete -p postern").returncode, 0)

    def test_4_it_runs_as_its_unit_runs_it(self):
        unit = self.inside("cat", "/" + UNIT).stdout
        self.inside("tee", "/etc/postern/postern.toml", input=SETTINGS)
        as_user = ["setpriv", "--reuid=postern", "--regid=postern", "--init-groups", "--no-new-privs", "--inh-caps=-all,+net_bind_service",
                   "--ambient-caps=-all,+net_bind_service", "--bounding-set=-all,+net_bind_service"]
        self.assertIn("are well", self.inside(*as_user, "postern", "check").stdout)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            # An overlay would show it as another socket.
            path = os.path.join(self.folder, "run", "notify")
            manager.bind(path)
            os.chmod(path, 0o777)
            manager.settimeout(30)
            words = re.search(r"^ExecStart=(.*)$", unit, re.M).group(1).split()
            process = subprocess.Popen(["nsenter", f"--target={self.holder.pid}", "--mount", "--net", "chroot", self.root, *as_user, "env", "NOTIFY_SOCKET=/run/notify",
                                        "WATCHDOG_USEC=400000", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            try:
                self.assertEqual(manager.recv(4096), b"READY=1")
                self.assertEqual(manager.recv(4096), b"WATCHDOG=1")
                self.assertIn("220 mail.example.org", self.inside("python3", "-c", "import smtplib; print('220', smtplib.SMTP('127.0.0.1', 25, timeout=20).ehlo()[1].decode())").stdout)
                process.send_signal(1)
                said = self.until(manager, b"RELOADING=1")
                self.assertRegex(said, rb"^RELOADING=1\nMONOTONIC_USEC=\d+$")
                self.until(manager, b"READY=1")
                process.terminate()
                self.until(manager, b"STOPPING=1")
                self.assertEqual(process.wait(60), 0)
            finally:
                process.kill()
                output = process.communicate()[0].decode(errors="replace")
        self.assertNotIn("running as root", output)

    def until(self, manager, begin):
        while True:
            said = manager.recv(4096)
            if said.startswith(begin):
                return said

    def test_5_removed_the_settings_stay(self):
        self.inside("dpkg", "-r", "postern")
        self.assertFalse(self.exists("/usr/bin/postern"))
        self.assertFalse(self.exists("/" + UNIT))
        self.assertTrue(self.exists("/etc/postern/policies/default.policy"))
        self.assertTrue(self.exists("/etc/postern/postern.toml"))

    def test_6_purged_the_mail_stays(self):
        done = self.inside("dpkg", "-P", "postern")
        self.assertIn("stay in /var/lib/postern", done.stdout)
        self.assertFalse(self.exists("/etc/postern"))
        self.assertFalse(self.exists("/etc/systemd/system/postern.service"))
        self.assertTrue(self.exists("/var/lib/postern/accounts.sqlite"))
        self.assertEqual(self.inside("dpkg-query", "-W", "postern", check=False).returncode, 1)


class Unit(unittest.TestCase):
    """The unit, looked at by systemd's own tools; they need no running systemd."""

    def examined(self, *words):
        with gateway.temporary_folder() as folder:
            with open(os.path.join(gateway.ROOT, "contrib", "systemd", "postern.service")) as file:
                text = file.read()
            # What it starts is there: it is not installed here. Nor are its manual pages.
            text = text.replace("/usr/bin/postern", gateway.binary("postern")).replace("Documentation=", "#")
            with open(os.path.join(folder, "postern.service"), "w") as file:
                file.write(text)
            return subprocess.run(["systemd-analyze", *words, os.path.join(folder, "postern.service")], capture_output=True, text=True, timeout=60)

    def test_it_verifies(self):
        done = self.examined("verify", "--man=no")
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_it_is_closed(self):
        # 2.0 of 10 when this was written; a threshold is given in tenths.
        done = self.examined("security", "--offline=true", "--threshold=22", "--no-pager")
        self.assertEqual(done.returncode, 0, done.stdout[-400:])


class SystemCalls(unittest.TestCase):
    """The unit's filter lets through what the server calls: mail in, mail out, a log-in, IMAP, a reload and the end, under strace(1)."""

    def test_the_filter_forbids_nothing_that_is_called(self):
        forbidden = sorted(self.called() - self.allowed())
        self.assertEqual(forbidden, [])

    def called(self):
        server = gateway.Server()
        server.folder = tempfile.mkdtemp(prefix="postern-calls-")
        self.addCleanup(server.__exit__)
        server.write()
        trace = os.path.join(server.folder, "trace")
        server.process = gateway.Process(server.folder, "serve", "--config", server.config, prefix=["strace", "-f", "-q", "-o", trace])
        server.process.wait_started(lambda: "event=ready" in server.process.output(), 120)
        ca = os.path.join(server.folder, "cert.pem")
        with smtplib.SMTP("127.0.0.1", server.ports["smtp"], timeout=60) as smtp:
            smtp.send_message(mailbox.message("a@stranger.example", "alice@local.example", "in"))
        with smtplib.SMTP("127.0.0.1", server.ports["submission"], timeout=60) as smtp:
            smtp.starttls(context=mailbox.tls(ca))
            smtp.login("alice@local.example", "correct horse")
            smtp.send_message(mailbox.message("alice@local.example", "b@elsewhere.example", "out"))
        with mailbox.imap("127.0.0.1", server.ports["imaps"], ca, "alice@local.example", "correct horse") as imap:
            imap.select("INBOX")
            self.assertEqual(imap.fetch("1:*", "(BODY[])")[0], "OK")
        with open(f"/proc/{server.process.process.pid}/task/{server.process.process.pid}/children") as file:
            traced = int(file.read().split()[0])
        os.kill(traced, signal.SIGHUP)
        gateway.wait_until(lambda: "event=reloaded" in server.process.output(), 60, server.process.output)
        os.kill(traced, signal.SIGTERM)
        self.assertEqual(server.process.process.wait(60), 0)
        with open(trace, errors="replace") as file:
            return set(re.findall(r"^\d+ +(?:<\.\.\. )?([a-z_0-9]+)(?:\(| resumed)", file.read(), re.M))

    def allowed(self):
        """What the unit's SystemCallFilter lines leave, in their order."""
        with open(os.path.join(gateway.ROOT, "contrib", "systemd", "postern.service")) as file:
            lines = re.findall(r"^SystemCallFilter=(~?)(.*)$", file.read(), re.M)
        out = set()
        for mark, names in lines:
            calls = set().union(*(self.group(name) if name.startswith("@") else {name} for name in names.split()))
            out = out - calls if mark else out | calls
        return out

    def group(self, name):
        listed = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True, timeout=60).stdout
        names = [line.strip() for line in listed.splitlines()[1:] if line.strip() and not line.strip().startswith("#")]
        return set().union(*(self.group(one) if one.startswith("@") else {one} for one in names))


if __name__ == "__main__":
    unittest.main()

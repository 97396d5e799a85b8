"""A mail server with its own small internet: a network namespace with an NSD for all zones, a second one that is lame, another
domain's mail server, and a postern that serves on the well-known ports. Everything is right until a test makes it wrong."""

import json
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading

import gateway
from authority import Authority, Certificate, openssl
from namespace import Namespace
from signedzone import SignedZones

HOST, DOMAIN = "mail.example.org", "example.org"
OURS, OTHER, LAME, NOBODY = "203.0.113.5", "203.0.113.80", "203.0.113.55", "203.0.113.56"
USER = "nobody"

SETTINGS = """\
myhostname = "mail.example.org"
mydestination = ["example.org"]
public_addresses = ["203.0.113.5"]
data_directory = "{data}"
policy_directory = ""
user = "nobody"
smtpd_tls_cert_file = "{certificate}"
smtpd_tls_key_file = "{key}"
smtp_tls_CAfile = "{authorities}"
smtp_sasl_password_file = "{passwords}"
unix_socket_group = ""
{more}
[listen]
smtp = ["203.0.113.5:25", "127.0.0.1:25"]
submission = ["0.0.0.0:{submission}"]
submissions = ["0.0.0.0:465"]
imap = ["0.0.0.0:143"]
imaps = ["0.0.0.0:993"]
lmtp = ["127.0.0.1:24"]
milter = "inet:127.0.0.1:12301"
[dns]
forwarders = ["127.0.0.1@53"]
[dns_check]
blocklists = ["bl.example"]
port_25_domain = "other.example"
[publish]
dmarc_reports = "dmarc@example.org"
tls_reports = "tls@example.org"
[[dkim]]
domain = "example.org"
selector = "s1"
key_file = "{signing}"
"""

REVERSE = {"113.0.203.in-addr.arpa": "5 IN PTR mail.example.org.\n"}
WORLD = {
    "other.example": "@ IN MX 10 mx\nmx IN A 203.0.113.80\n",
    # RFC 5782 section 5: a list that works lists its test address.
    "bl.example": "2.0.0.127 IN A 127.0.0.2\n",
}


class Lame:
    """An NSD that has no zone of ours: it refuses."""

    def __init__(self, folder, machine):
        path = os.path.join(folder, "lame.conf")
        with open(path, "w") as file:
            file.write(f'server:\n  ip-address: {LAME}@53\n  username: ""\n  database: ""\n  pidfile: "{folder}/lame.pid"\n  xfrdfile: "{folder}/lame.state"\n'
                       f'  zonelistfile: "{folder}/lame.list"\nremote-control:\n  control-enable: no\n')
        self.process = subprocess.Popen([*machine.prefix, "/usr/sbin/nsd", "-d", "-c", path], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def close(self):
        self.process.terminate()
        self.process.wait(10)


class Greeter:
    """Another domain's mail server, as far as its greeting."""

    def __init__(self, address):
        self.socket = socket.create_server((address, 25))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            with client:
                client.sendall(b"220 mx.other.example ESMTP\r\n")

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class Machine:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="postern-broken-")
        self.undo = [lambda: shutil.rmtree(self.folder, ignore_errors=True)]
        try:
            self.build()
        except BaseException:
            self.close()
            raise

    def path(self, name):
        return os.path.join(self.folder, name)

    def build(self):
        os.chmod(self.folder, 0o755)
        self.net = Namespace(addresses=[f"{address}/32" for address in (OURS, OTHER, LAME)])
        self.net.__enter__()
        self.undo.append(lambda: self.net.__exit__())
        self.clock = self.path("setclock.so")
        subprocess.run(["clang", "-shared", "-fPIC", "-O1", "-o", self.clock, os.path.join(os.path.dirname(__file__), "setclock.c")], check=True)
        self.make_certificates()
        gateway.make_signing_key(self.path("s1.key"))
        gateway.make_signing_key(self.path("stranger.key"))
        with open(self.path("passwords"), "w") as file:
            file.write("[relay.example]:587 user:password\n")
        os.mkdir(self.path("data"))
        for name in ("s1.key", "passwords", "data"):
            self.own(self.path(name), 0o700 if name == "data" else 0o600)
        self.config = self.settings()
        self.zone = self.print_zone(self.config)
        gateway.add_account(self.config, "alice@example.org", "correct horse")
        lame = Lame(self.folder, self.net)
        self.undo.append(lame.close)
        greeter = Greeter(OTHER)
        self.undo.append(greeter.close)
        self.server = gateway.Process(self.folder, "serve", "--config", self.config, prefix=self.net.prefix)
        self.undo.append(self.server.stop)
        self.server.wait_started(lambda: "event=ready" in self.server.output())

    def own(self, path, mode, user=USER):
        owner = pwd.getpwnam(user)
        os.chown(path, owner.pw_uid, owner.pw_gid)
        os.chmod(path, mode)

    def make_certificates(self):
        """A root, an authority below it, and what the authority issues."""
        self.root = Authority(self.path("ca"))
        self.sub = Authority.__new__(Authority)
        self.sub.folder, self.sub.file, self.sub.key = self.path("sub"), self.path("sub/ca.pem"), self.path("sub/ca.key")
        os.mkdir(self.sub.folder)
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=Sub CA", "-keyout", self.sub.key, "-out", self.path("sub/ca.csr"))
        with open(self.path("sub/ext"), "w") as file:
            file.write("basicConstraints=critical,CA:TRUE\n")
        # From long ago, so that a certificate that ended long ago was once valid.
        self.at(-30 * 86400, "x509", "-req", "-in", self.path("sub/ca.csr"), "-CA", self.root.file, "-CAkey", self.root.key, "-CAcreateserial", "-days", "60",
                "-extfile", self.path("sub/ext"), "-out", self.sub.file)
        self.good = self.chained(self.sub.issue(HOST), "good")
        self.other = self.chained(self.sub.issue("www.example.org"), "other")
        base = os.path.join(self.sub.folder, HOST)
        self.at(-10 * 86400, "x509", "-req", "-in", base + ".csr", "-CA", self.sub.file, "-CAkey", self.sub.key, "-CAcreateserial", "-days", "2", "-extfile", base + ".ext", "-out",
                base + ".old.pem")
        self.expired = self.chained(Certificate(base + ".old.pem", base + ".key"), "expired")
        shutil.copy(os.path.join(self.sub.folder, HOST + ".pem"), self.path("alone.pem"))
        os.chmod(self.path("alone.pem"), 0o644)

    def at(self, seconds, *arguments):
        """openssl with its clock set off."""
        with open(self.path("offset"), "w") as file:
            file.write(str(seconds))
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=60, env=dict(os.environ, LD_PRELOAD=self.clock, SETCLOCK=self.path("offset")))

    def chained(self, certificate, name):
        with open(self.path(name + ".pem"), "wb") as out:
            for part in (certificate.file, self.sub.file):
                with open(part, "rb") as file:
                    out.write(file.read())
        shutil.copy(certificate.key, self.path(name + ".key"))
        self.own(self.path(name + ".key"), 0o640)
        return Certificate(self.path(name + ".pem"), self.path(name + ".key"))

    def settings(self, name="postern.toml", **changes):
        values = dict(data=self.path("data"), certificate=self.good.file, key=self.good.key, authorities=self.root.file, passwords=self.path("passwords"), more="",
                      submission=587, signing=self.path("s1.key"))
        values.update(changes)
        with open(self.path(name), "w") as file:
            file.write(SETTINGS.format(**values))
        os.chmod(self.path(name), 0o644)
        return self.path(name)

    def print_zone(self, config, *flags):
        done = subprocess.run([gateway.binary("postern"), "dns", "records", DOMAIN, "--format", "zone", "--config", config, *flags], capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise AssertionError(done.stderr)
        return done.stdout

    def zones(self, ours=None, signed=(), **changes):
        """All zones, some of them changed; serves them while it is entered."""
        zones = {DOMAIN: ours if ours is not None else self.zone, **REVERSE, **WORLD}
        zones.update({origin.replace("_", "."): text for origin, text in changes.items()})
        return SignedZones(tempfile.mkdtemp(dir=self.folder), zones, signed=signed, machine=self.net, port=53)

    def run(self, *arguments, config=None, environment=None, timeout=90):
        """Runs postern in there; (status, findings)."""
        done = subprocess.run([*self.net.prefix, gateway.binary("postern"), *arguments, "--json", "--config", config or self.config], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=timeout, env=dict(os.environ, **(environment or {})))
        try:
            return done.returncode, json.loads(done.stdout)
        except ValueError:
            raise AssertionError(f"postern {arguments} ended with {done.returncode}: {done.stdout}{done.stderr}") from None

    def close(self):
        for undo in reversed(self.undo):
            undo()

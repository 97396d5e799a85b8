"""The machine that a well-known guide sets up with Postfix and Dovecot, with us in Dovecot's and OpenDKIM's place.

`guide/main.cf` and `guide/master.cf` are the guide's files, word for word; their {REPLACE_…} marks are replaced, and the
lines of ADDED follow in main.cf: without them Postfix's local(8) would deliver into home folders of system users. They
stand where the guide wants them, in /etc/postfix of a mount namespace, and the ports are its own, in a network namespace.
"""

import os
import shutil
import socket
import ssl
import tempfile
import threading

import gateway
from namespace import Namespace
from sink import Sink
from zoneserver import Zone, ZoneServer

HERE = os.path.dirname(os.path.abspath(__file__))

DOMAIN = "local.example"
ADDRESS = "192.0.2.25"
STRANGER = "203.0.113.5"
ELSEWHERE = "198.51.100.80"
USER, PASSWORD = "alice@local.example", "correct horse"

ADDED = """
mailbox_transport = lmtp:unix:private/postern-lmtp
local_recipient_maps =
"""

CONFIGURATION = """\
myhostname = "mail.local.example"
mydestination = ["local.example"]
data_directory = "{folder}/data"
policy_directory = ""
smtpd_tls_cert_file = "{certificate}"
smtpd_tls_key_file = "{key}"

[listen]
smtp = []
submission = []
submissions = []
imap = []
imaps = ["192.0.2.25:993"]
milter = "inet:localhost:12301"
lmtp = ["unix:/var/spool/postfix/private/postern-lmtp"]
dovecot_auth = ["unix:/var/spool/postfix/private/auth"]

[dns]
zone_file = "{folder}/zone.txt"
offline = true

[[dkim]]
domain = "local.example"
selector = "s1"
key_file = "{folder}/dkim.key"
"""

# For Postfix, which asks a name server.
ROUTES = ["elsewhere.example MX 10 mx.elsewhere.example.", f"mx.elsewhere.example A {ELSEWHERE}"]

# For us.
RECORDS = f"""\
stranger.example. 3600 IN TXT "v=spf1 ip4:{STRANGER} -all"
_dmarc.stranger.example. 3600 IN TXT "v=DMARC1; p=reject"
"""


class GuideMachine:
    def __enter__(self):
        # Postfix's own users walk through it.
        self.folder = tempfile.mkdtemp(prefix="postern-guide-")
        os.chmod(self.folder, 0o755)
        self.closing = []
        self.postern = None
        try:
            self._write()
            self._begin()
        except BaseException:
            print(self.log())
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for close in reversed(self.closing):
            close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # The machine's files

    def _write(self):
        folder = self.folder
        shutil.copytree("/etc", f"{folder}/etc", symlinks=True)
        for name in ("spool", "lib", "dev", "data"):
            os.mkdir(f"{folder}/{name}")
        letsencrypt = f"{folder}/etc/letsencrypt/live/mail.{DOMAIN}"
        os.makedirs(letsencrypt)
        gateway.make_certificate(letsencrypt, f"mail.{DOMAIN}", ADDRESS)
        os.rename(f"{letsencrypt}/cert.pem", f"{letsencrypt}/fullchain.pem")
        os.rename(f"{letsencrypt}/key.pem", f"{letsencrypt}/privkey.pem")
        self.ca_file = f"{letsencrypt}/fullchain.pem"
        gateway.make_signing_key(f"{folder}/dkim.key")
        self._put("etc/mailname", f"mail.{DOMAIN}\n")
        self._put("etc/aliases", "postmaster: root\n")
        self._put("etc/resolv.conf", "nameserver 127.0.0.1\n")
        self._put("etc/hosts", "127.0.0.1 localhost\n")
        self._put("zone.txt", RECORDS)
        self._put("postern.toml", CONFIGURATION.format(
            folder=folder, certificate=f"/etc/letsencrypt/live/mail.{DOMAIN}/fullchain.pem", key=f"/etc/letsencrypt/live/mail.{DOMAIN}/privkey.pem"))
        self._put("etc/postfix/main.cf", replaced(read("guide/main.cf")) + ADDED)
        self._put("etc/postfix/master.cf", read("guide/master.cf"))
        shutil.copystat("/var/lib/postfix", f"{folder}/lib")
        status = os.stat("/var/lib/postfix")
        os.chown(f"{folder}/lib", status.st_uid, status.st_gid)
        for name in ("null", "zero", "random", "urandom", "tty"):
            os.mknod(f"{folder}/dev/{name}", 0o666 | 0o020000, os.stat(f"/dev/{name}").st_rdev)
            os.chmod(f"{folder}/dev/{name}", 0o666)

    def _put(self, name, text):
        path = f"{self.folder}/{name}"
        if os.path.lexists(path):
            os.unlink(path)
        with open(path, "w") as file:
            file.write(text)

    # Its programs

    def _begin(self):
        self._enter(SystemLog(f"{self.folder}/dev/log", f"{self.folder}/mail.log"))
        places = {"/etc": "etc", "/var/spool/postfix": "spool", "/var/lib/postfix": "lib", "/dev": "dev"}
        self.machine = self._enter(Namespace([ADDRESS, STRANGER, ELSEWHERE], {place: f"{self.folder}/{name}" for place, name in places.items()}))
        self.closing.append(ZoneServer(Zone(ROUTES), port=53).close)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca_file, self.ca_file.replace("fullchain", "privkey"))
        self.elsewhere = self._enter(Sink(25, ELSEWHERE, context))
        self.machine.run("newaliases")
        # What Debian does before each start: the chroot's files.
        self.machine.run("/usr/lib/postfix/configure-instance.sh")
        self.machine.run("/usr/sbin/postfix", "check")
        self.machine.run(gateway.binary("postern"), "account", "add", "--config", f"{self.folder}/postern.toml", USER, input=PASSWORD + "\n")
        self.start_postern()
        self.closing.append(self.stop_postern)
        self.machine.run("/usr/sbin/postfix", "start")
        self.closing.append(lambda: self.machine.run("/usr/sbin/postfix", "stop", check=False))

    def _enter(self, manager):
        entered = manager.__enter__()
        self.closing.append(lambda: manager.__exit__(None, None, None))
        return entered

    def start_postern(self):
        self.postern = gateway.Process(self.folder, "serve", "--config", f"{self.folder}/postern.toml", prefix=self.machine.prefix)
        self.postern.wait_started(lambda: "event=ready" in self.postern.output())

    def stop_postern(self):
        if self.postern:
            self.postern.stop()
            self.postern = None

    def log(self):
        try:
            with open(f"{self.folder}/mail.log", errors="replace") as file:
                return "".join(line for line in file if "warning" in line or "fatal" in line or "status=" in line or "error" in line)[-6000:]
        except OSError:
            return ""


class SystemLog:
    """Keeps what programs send to /dev/log."""

    def __init__(self, place, file):
        self.place, self.file = place, file

    def __enter__(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.place)
        os.chmod(self.place, 0o666)
        self.output = open(self.file, "ab", buffering=0)
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()
        return self

    def read(self):
        while data := self.socket.recv(65536):
            self.output.write(data.rstrip(b"\0\n") + b"\n")

    def __exit__(self, *_):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self.place)
        self.thread.join(10)
        self.socket.close()
        self.output.close()


def read(name):
    with open(os.path.join(HERE, name)) as file:
        return file.read()


def replaced(text):
    for mark, value in (("{REPLACE_YOURDOMAIN}", DOMAIN), ("{REPLACE_YOURDISTRO}", "Debian"), ("{REPLACE_YOURIP}", ADDRESS)):
        text = text.replace(mark, value)
    return text

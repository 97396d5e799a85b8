"""A Postfix of its own: configuration, queue, log and mailbox in one temporary folder, on free loopback ports.

    with Postfix(milter="inet:localhost:12301", domains=["rcpt.example"]) as mta:
        with mta.client("192.0.2.1", "client.example") as smtp:
            smtp.sendmail("a@example.org", ["b@rcpt.example"], message)
        mail = mta.delivered()

Needs root, as Postfix does; touches nothing of a Postfix that runs on the machine.
"""

import email
import grp
import os
import pwd
import shutil
import smtplib
import subprocess
import tempfile

import gateway

MAIN = """
compatibility_level = 3.6
config_directory = {folder}/conf
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/log/mail.log
maillog_file_prefixes = {folder}
myhostname = {hostname}
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = all
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
local_recipient_maps =
smtpd_authorized_xclient_hosts = 127.0.0.1
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_sasl_auth_enable = no
smtpd_tls_cert_file = {folder}/conf/cert.pem
smtpd_tls_key_file = {folder}/conf/key.pem
smtpd_tls_security_level = may
smtpd_tls_received_header = yes
virtual_mailbox_domains = {domains}
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = static:inbox/
virtual_transport = virtual
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
default_transport = error:this Postfix delivers to its own mailbox only
milter_protocol = 6
milter_default_action = tempfail
smtpd_milters = {milter}
non_smtpd_milters = {milter}
"""

MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 1 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    def __init__(self, milter, domains, hostname="mail.postfix.example", settings=()):
        """`settings`: further lines of main.cf."""
        self.milter, self.domains, self.hostname, self.settings = milter, domains, hostname, settings
        self.port = gateway.free_port()
        self.folder = None

    def __enter__(self):
        # Postfix's own users walk through it.
        self.folder = tempfile.mkdtemp(prefix="postern-postfix-")
        os.chmod(self.folder, 0o755)
        try:
            self._write()
            self._postfix("start")
            gateway.wait_for_port(self.port)
        except BaseException:
            log = self.log()
            self.__exit__()
            print(log)
            raise
        return self

    def __exit__(self, *_):
        self._postfix("stop", check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def client(self, address=None, name=None, login=None, helo="client.example"):
        """An SMTP client; with `address` it passes for one at that address (XCLIENT)."""
        smtp = smtplib.SMTP("127.0.0.1", self.port, local_hostname=helo, timeout=30)
        facts = {"ADDR": address, "NAME": name or ("[UNAVAILABLE]" if address else None), "PORT": "4711" if address else None, "LOGIN": login}
        given = " ".join(f"{key}={value}" for key, value in facts.items() if value)
        if given:
            smtp.ehlo()
            code, text = smtp.docmd("XCLIENT", given)
            if code != 220:
                raise RuntimeError(f"XCLIENT: {code} {text}")
            smtp.ehlo_resp = smtp.helo_resp = None
        return smtp

    def sendmail(self, sender, recipients, message):
        """Mail made on this machine, by Postfix's sendmail(1)."""
        subprocess.run(["/usr/sbin/sendmail", "-C", f"{self.folder}/conf", "-i", "-f", sender, *recipients],
                       input=message.encode(), check=True, timeout=30)

    def delivered(self, count=1, timeout=30):
        """Waits for `count` messages in the mailbox and takes them out, oldest first."""
        new = f"{self.folder}/mail/inbox/new"

        def names():
            return sorted(os.listdir(new)) if os.path.isdir(new) else []

        gateway.wait_until(lambda: len(names()) >= count, timeout, lambda: f"no mail arrived\n{self.log()}")
        messages = []
        for name in names():
            with open(f"{new}/{name}", "rb") as file:
                messages.append(Delivered(file.read()))
            os.unlink(f"{new}/{name}")
        return messages

    def held(self):
        """Queue files on hold."""
        folder = f"{self.folder}/queue/hold"
        return [name for _, _, names in os.walk(folder) for name in names]

    def release(self, count):
        """Lets what is on hold go; takes the `count` messages out of the mailbox then."""
        conf = f"{self.folder}/conf"
        subprocess.run(["/usr/sbin/postsuper", "-c", conf, "-H", "ALL"], check=True, capture_output=True, timeout=30)
        subprocess.run(["/usr/sbin/postqueue", "-c", conf, "-f"], check=True, capture_output=True, timeout=30)
        return self.delivered(count)

    def log(self):
        try:
            with open(f"{self.folder}/log/mail.log", errors="replace") as file:
                return file.read()
        except OSError:
            return ""

    def _write(self):
        folder, nobody = self.folder, pwd.getpwnam("nobody")
        for name in ("conf", "queue", "data", "log", "mail"):
            os.mkdir(f"{folder}/{name}")
        os.chown(f"{folder}/data", pwd.getpwnam("postfix").pw_uid, grp.getgrnam("postfix").gr_gid)
        os.chown(f"{folder}/mail", nobody.pw_uid, nobody.pw_gid)
        values = dict(folder=folder, hostname=self.hostname, domains=", ".join(self.domains), milter=self.milter,
                      uid=nobody.pw_uid, gid=nobody.pw_gid, port=self.port)
        with open(f"{folder}/conf/main.cf", "w") as file:
            file.write(MAIN.format(**values) + "\n".join(self.settings) + "\n")
        with open(f"{folder}/conf/master.cf", "w") as file:
            file.write(MASTER.format(**values))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", f"/CN={self.hostname}", "-keyout", f"{folder}/conf/key.pem", "-out", f"{folder}/conf/cert.pem"],
                       check=True, capture_output=True, timeout=60)

    def _postfix(self, command, check=True):
        done = subprocess.run(["/usr/sbin/postfix", "-c", f"{self.folder}/conf", command], capture_output=True, text=True, timeout=90)
        if check and done.returncode:
            raise RuntimeError(f"postfix {command}: {done.stderr}\n{self.log()}")


class Delivered:
    """A message as it lies in the mailbox."""

    def __init__(self, raw):
        self.raw = raw
        self.message = email.message_from_bytes(raw)

    def fields(self, name):
        return [str(value) for value in self.message.get_all(name, [])]

    @property
    def names(self):
        return [name for name, _ in self.message.items()]

    @property
    def body(self):
        return self.raw.partition(b"\n\n")[2]

    @property
    def with_crlf(self):
        """As it went over the wire, without what the mailbox's deliverer put on top."""
        lines = self.raw.split(b"\n")
        while lines[0].split(b":")[0].lower() in (b"return-path", b"x-original-to", b"delivered-to"):
            lines.pop(0)
        return b"\r\n".join(lines)

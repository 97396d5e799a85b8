"""The stack that guides have people assemble, from Debian's packages, on the server host:
Postfix, OpenDKIM and OpenDMARC (with its own SPF) as its milters, Dovecot for LMTP and IMAP."""

import os
import pwd
import shutil
import subprocess
import time

from .hosts import CLIENT, SERVER, run

MAIN = """\
compatibility_level = 3.6
config_directory = {conf}
queue_directory = {queue}
data_directory = {data}
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {log}/postfix.log
maillog_file_prefixes = {log}
myhostname = mail.rcpt.bench
mydestination = localhost
virtual_mailbox_domains = rcpt.bench
virtual_transport = {transport}
virtual_mailbox_maps = static:ok
inet_interfaces = 192.0.2.1
inet_protocols = ipv4
mynetworks = {networks}
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_milters = {milters}
non_smtpd_milters =
milter_protocol = 6
milter_default_action = tempfail
smtpd_client_connection_count_limit = 0
default_process_limit = 100
recipient_delimiter = +
lmtp_destination_recipient_limit = 1
"""

DOVECOT = """\
base_dir = {run}
state_dir = {run}
log_path = {log}/dovecot.log
protocols = imap lmtp
{tls}
disable_plaintext_auth = no
default_internal_user = dovecot
default_login_user = dovenull
default_process_limit = 6000
default_client_limit = 6000
mail_max_userip_connections = 10000
mail_location = maildir:{mail}/%n/Maildir
passdb {{
  driver = static
  args = password=pass
}}
userdb {{
  driver = static
  args = uid={owner} gid={owner} home={mail}/%n allow_all_users=yes
}}
auth_username_format = %n
service imap-login {{
  inet_listener imap {{
    port = 143
  }}
  inet_listener imaps {{
    port = {imaps}
  }}
}}
service lmtp {{
  process_min_avail = 2
  unix_listener {queue}/private/dovecot-lmtp {{
    mode = 0666
  }}
}}
service auth {{
  unix_listener auth-userdb {{
    mode = 0666
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
namespace inbox {{
  inbox = yes
}}
mail_fsync = optimized
recipient_delimiter = +
"""

OPENDKIM = """\
Socket inet:12301@localhost
Mode sv
Domain rcpt.bench
Selector rsel
KeyFile {key}
Canonicalization relaxed/relaxed
InternalHosts {networks}
UserID opendkim
PidFile {run}/opendkim.pid
Syslog no
RequireSafeKeys no
Nameservers 192.0.2.1
AuthservID mail.rcpt.bench
"""

OPENDMARC = """\
Socket inet:12302@localhost
AuthservID mail.rcpt.bench
TrustedAuthservIDs mail.rcpt.bench
SPFSelfValidate true
SPFIgnoreResults true
RejectFailures true
UserID opendmarc
PidFile {run}/opendmarc.pid
Syslog false
PublicSuffixList /usr/share/publicsuffix/public_suffix_list.dat
"""

FILTERS = "inet:127.0.0.1:12301, inet:127.0.0.1:12302"
OWNER = "bench-mail"


class Filters:
    """OpenDKIM and OpenDMARC, while entered."""

    def __init__(self, hosts, folder, networks="127.0.0.1"):
        self.hosts, self.folder, self.networks = hosts, os.path.join(folder, "filters"), networks
        self.processes = []

    def __enter__(self):
        os.makedirs(self.folder)
        os.chmod(self.folder, 0o777)
        # The keys are the benchmark's own; the daemons read them as somebody else.
        os.chmod(self.hosts.key("rsel"), 0o644)
        for name, text in (("opendkim", OPENDKIM), ("opendmarc", OPENDMARC)):
            path = os.path.join(self.folder, f"{name}.conf")
            with open(path, "w") as file:
                file.write(text.format(key=self.hosts.key("rsel"), networks=self.networks, run=self.folder))
            flags = ["-f", "-x"] if name == "opendkim" else ["-f", "-c"]
            self.processes.append(subprocess.Popen([*self.hosts.on_server, name, *flags, path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        for port in (12301, 12302):
            wait_for_listener(self.hosts, port)
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)

    @property
    def roots(self):
        return [process.pid for process in self.processes]


class Dovecot:
    """LMTP for a Postfix and IMAP, while entered."""

    def __init__(self, hosts, folder, certificate=None):
        """`certificate`: files of certificate and key, for IMAP over TLS."""
        self.certificate = certificate
        self.hosts, self.folder = hosts, os.path.join(folder, "dovecot")
        self.queue = os.path.join(folder, "postfix", "queue")
        self.mail = os.path.join(self.folder, "mail")
        self.config = os.path.join(self.folder, "dovecot.conf")

    def __enter__(self):
        try:
            pwd.getpwnam(OWNER)
        except KeyError:
            run("useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", OWNER)
        for folder in ("run", "mail", "log"):
            os.makedirs(os.path.join(self.folder, folder))
        os.makedirs(os.path.join(self.queue, "private"), exist_ok=True)
        shutil.chown(self.mail, OWNER)
        with open(self.config, "w") as file:
            file.write(DOVECOT.format(run=os.path.join(self.folder, "run"), log=os.path.join(self.folder, "log"), mail=self.mail, queue=self.queue, owner=OWNER,
                                      imaps=993 if self.certificate else 0, tls="ssl = yes\nssl_cert = <{}\nssl_key = <{}".format(*self.certificate) if self.certificate else "ssl = no"))
        self.process = subprocess.Popen([*self.hosts.on_server, "dovecot", "-F", "-c", self.config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for_listener(self.hosts, 143)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)

    @property
    def roots(self):
        return [self.process.pid]

    @property
    def mailbox(self):
        maildir = os.path.join(self.mail, "user1", "Maildir")
        return os.path.join(maildir, "new"), os.path.join(maildir, "cur")


class Postfix:
    """Postfix, while entered. `milters` as its `smtpd_milters`; `transport` is where mail for rcpt.bench goes."""

    def __init__(self, hosts, folder, milters=FILTERS, transport="lmtp:unix:private/dovecot-lmtp", trusted=False):
        self.hosts, self.folder = hosts, os.path.join(folder, "postfix")
        self.milters, self.transport, self.trusted = milters, transport, trusted
        self.config = os.path.join(self.folder, "conf")

    def __enter__(self):
        folders = {name: os.path.join(self.folder, name) for name in ("conf", "queue", "data", "log")}
        for folder in folders.values():
            os.makedirs(folder, exist_ok=True)
        with open(os.path.join(self.config, "main.cf"), "w") as file:
            file.write(MAIN.format(milters=self.milters, transport=self.transport, networks="127.0.0.0/8" + (f", {CLIENT}" if self.trusted else ""), **folders))
        with open("/usr/share/postfix/master.cf.dist") as given, open(os.path.join(self.config, "master.cf"), "w") as file:
            for line in given:
                words = line.split()
                # No chroot: what it would need is not there.
                if len(words) >= 8 and not line.startswith(("#", " ")) and words[1] in ("inet", "unix"):
                    line = " ".join([*words[:4], "n", *words[5:]]) + "\n"
                file.write(line)
        subprocess.run([*self.hosts.on_server, "postfix", "-c", self.config, "set-permissions"], capture_output=True, timeout=60)
        run(*self.hosts.on_server, "postfix", "-c", self.config, "start")
        wait_for_listener(self.hosts, 25, SERVER)
        with open(os.path.join(folders["queue"], "pid", "master.pid")) as file:
            self.master = int(file.read())
        return self

    def __exit__(self, *_):
        subprocess.run([*self.hosts.on_server, "postfix", "-c", self.config, "stop"], capture_output=True, timeout=60)

    @property
    def roots(self):
        return [self.master]


class Stack:
    """All of it, while entered; without filters when `filtered` is false."""

    name = "Postfix stack"

    def __init__(self, hosts, folder, filtered=True, trusted=False, deliver=True):
        networks = f"127.0.0.1, {CLIENT}" if trusted else "127.0.0.1"
        if trusted:
            # OpenDKIM takes a dataset: commas without blanks.
            networks = networks.replace(" ", "")
        self.filters = Filters(hosts, folder, networks) if filtered else None
        self.dovecot = Dovecot(hosts, folder) if deliver else None
        self.postfix = Postfix(hosts, folder, milters=FILTERS if filtered else "", trusted=trusted)
        self.parts = [part for part in (self.filters, self.dovecot, self.postfix) if part]
        self.started = []

    def __enter__(self):
        try:
            for part in self.parts:
                self.started.append(part.__enter__())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for part in reversed(self.started):
            part.__exit__()
        self.started = []

    @property
    def roots(self):
        return [root for part in self.parts for root in part.roots]

    @property
    def mailbox(self):
        return self.dovecot.mailbox


def wait_for_listener(hosts, port, address="127.0.0.1", timeout=30):
    """Until somebody listens at the port; the address matters to nobody but the reader of an error."""
    end = time.monotonic() + timeout
    while not subprocess.run([*hosts.on_server, "ss", "-Hltn", f"sport = :{port}"], capture_output=True, text=True).stdout.strip():
        if time.monotonic() > end:
            raise RuntimeError(f"nothing listens on {address}:{port}")
        time.sleep(0.1)

"""Exim and OpenSMTPD as receivers. Their packages conflict with Postfix's, so they are unpacked beside it and run by path, in
a mount namespace that has the users and folders they were built for."""

import os
import re
import socket
import subprocess

import gateway

PACKAGES = ("exim4-daemon-light", "libidn12", "opensmtpd")
USERS = {"Debian-exim": 7101, "opensmtpd": 7102, "opensmtpq": 7103}


def unpack(folder):
    """Downloads the packages from Debian's archive and unpacks them; the root that they make."""
    packages, root = os.path.join(folder, "packages"), os.path.join(folder, "root")
    os.makedirs(packages)
    subprocess.run(["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", *PACKAGES], cwd=packages, check=True, capture_output=True, timeout=120)
    for name in os.listdir(packages):
        subprocess.run(["dpkg", "-x", os.path.join(packages, name), root], check=True, capture_output=True, timeout=60)
    return root


def folders(folder, root):
    """What the mount namespace shows in the places that the programs know."""
    def make(*path):
        os.makedirs(os.path.join(folder, *path), exist_ok=True)
        return os.path.join(folder, *path)

    for name in ("passwd", "group"):
        with open(f"/etc/{name}") as file:
            lines = [line for line in file if line.split(":")[0] not in USERS]
        lines += [f"{user}:x:{number}:{number}::/nonexistent:/usr/sbin/nologin\n" if name == "passwd" else f"{user}:x:{number}:\n" for user, number in USERS.items()]
        with open(os.path.join(folder, name), "w") as file:
            file.writelines(lines)
    make("var-lib", "opensmtpd", "empty")
    os.chmod(make("var-spool", "smtpd"), 0o711)
    return {"/etc/passwd": f"{folder}/passwd", "/etc/group": f"{folder}/group", "/var/lib": f"{folder}/var-lib", "/var/spool": f"{folder}/var-spool",
            "/run": make("run"), "/usr/libexec": f"{root}/usr/libexec"}


class Receiver:
    """A mail server that keeps what it gets in its queue."""

    def __init__(self, folder, root, machine, address, certificate=None):
        self.folder, self.root, self.machine, self.address, self.certificate = folder, root, machine, address, certificate

    def __enter__(self):
        os.makedirs(self.folder, exist_ok=True)
        os.chmod(self.folder, 0o755)
        command = self.prepare()
        self.log_path = os.path.join(self.folder, "log.txt")
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen([*self.machine.prefix, "env", f"LD_LIBRARY_PATH={self.root}/usr/lib/x86_64-linux-gnu", *command],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        try:
            gateway.wait_until(lambda: self.answers() or self.process.poll() is not None, 30, self.log)
            if self.process.poll() is not None:
                raise RuntimeError(f"it ended with {self.process.returncode}: {self.log()}")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)

    def answers(self):
        try:
            with socket.create_connection((self.address, 25), 1):
                return True
        except OSError:
            return False

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()


class Exim(Receiver):
    """Refuses `no@`, puts off `later@`, and takes nothing in clear for `secret@`."""

    def prepare(self):
        for name in ("spool", "log"):
            os.makedirs(f"{self.folder}/{name}")
            os.chown(f"{self.folder}/{name}", USERS["Debian-exim"], USERS["Debian-exim"])
        for kind in ("file", "key"):
            copy = f"{self.folder}/{kind}.pem"
            with open(getattr(self.certificate, kind)) as source, open(copy, "w") as target:
                target.write(source.read())
            os.chown(copy, USERS["Debian-exim"], USERS["Debian-exim"])
        configuration = f"{self.folder}/exim.conf"
        with open(configuration, "w") as file:
            file.write(f"""\
primary_hostname = mx.exim.example
local_interfaces = {self.address}
daemon_smtp_ports = 25
spool_directory = {self.folder}/spool
log_file_path = {self.folder}/log/%slog
pid_file_path = {self.folder}/exim.pid
queue_only
log_selector = +received_recipients
tls_advertise_hosts = *
tls_certificate = {self.folder}/file.pem
tls_privatekey = {self.folder}/key.pem
chunking_advertise_hosts = *
acl_smtp_rcpt = recipients
keep_environment =
begin acl
recipients:
  deny condition = ${{if eq{{$local_part}}{{no}}}}
       message = no such user
  defer condition = ${{if eq{{$local_part}}{{later}}}}
       message = greylisted
  deny condition = ${{if eq{{$local_part}}{{secret}}}}
       !encrypted = *
       message = in clear I take nothing for secret
  accept
""")
        return [f"{self.root}/usr/sbin/exim4", "-C", configuration, "-bdf"]

    def received(self, recipient):
        """How many messages it took for the recipient, and by which protocol."""
        path = f"{self.folder}/log/mainlog"
        if not os.path.exists(path):
            return []
        with open(path) as file:
            return [re.search(r" P=(\S+)", line).group(1) for line in file if " <= " in line and recipient in line.split(" for ")[-1].split()]


class OpenSMTPD(Receiver):
    """Takes mail in clear: beside the folders it was packaged for, its process that holds the keys does not come about."""

    def prepare(self):
        configuration = f"{self.folder}/smtpd.conf"
        with open(configuration, "w") as file:
            file.write(f"""\
listen on {self.address} port 25 hostname mx.opensmtpd.example
action keep relay host smtp://192.0.2.99
match from any for any action keep
""")
        os.chmod(configuration, 0o600)
        return [f"{self.root}/usr/sbin/smtpd", "-d", "-f", configuration]

    def received(self, recipient):
        return [line for line in self.log().splitlines() if "smtp envelope" in line and f"to=<{recipient}>" in line]

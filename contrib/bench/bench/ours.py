"""postern on the server host."""

import os
import signal
import subprocess
import time

from .hosts import CLIENT, SERVER

SETTINGS = """\
myhostname = "mail.rcpt.bench"
data_directory = "{data}"
policy_directory = "{policies}"
mydestination = ["rcpt.bench"]
mynetworks = [{networks}]
smtpd_client_connection_count_limit = 0
smtpd_connection_limit = 0
imap_client_connection_limit = 0
smtp_tls_security_level = "none"
milters = [{milters}]
{certificate}
[listen]
smtp = ["{server}:{port}"]
submission = []
submissions = []
imap = ["{server}:143"]
imaps = [{imaps}]
milter = "{milter}"

[dns]
forwarders = ["127.0.0.1"]
"""

KEY = """
[[dkim]]
domain = "rcpt.bench"
selector = "{selector}"
key_file = "{file}"
"""


class Postern:
    """Serves while entered. `roots` is what is measured."""

    name = "postern"

    def __init__(self, hosts, folder, program, policies, trusted=False, selectors=(), milter="", smtp_port=25, filtered=True, certificate=None):
        """`trusted`: the client may relay. `selectors`: the keys that sign for rcpt.bench. `milter`: where the filters listen as well.
        `smtp_port`: another than a Postfix beside it has. `certificate`: files of certificate and key, for IMAP over TLS."""
        self.hosts, self.program, self.policies = hosts, program, policies
        self.folder = os.path.join(folder, "postern")
        self.trusted, self.selectors, self.milter, self.smtp_port, self.filtered = trusted, selectors, milter, smtp_port, filtered
        self.certificate = certificate
        self.process = None

    def __enter__(self):
        os.makedirs(self.folder)
        data = os.path.join(self.folder, "data")
        os.mkdir(data)
        config = os.path.join(self.folder, "postern.toml")
        networks = '"127.0.0.0/8"' + (f', "{CLIENT}"' if self.trusted else "")
        with open(config, "w") as file:
            file.write(SETTINGS.format(data=data, policies=self.policies, networks=networks, server=SERVER, milter=self.milter, port=self.smtp_port, milters='"builtin"' if self.filtered else "",
                                       imaps='"127.0.0.1:993"' if self.certificate else "",
                                       certificate='smtpd_tls_cert_file = "{}"\nsmtpd_tls_key_file = "{}"'.format(*self.certificate) if self.certificate else ""))
            for selector in self.selectors:
                os.chmod(self.hosts.key(selector), 0o600)
                file.write(KEY.format(selector=selector, file=self.hosts.key(selector)))
        for user in ("user1", "user2"):
            subprocess.run([self.program, "account", "add", "--config", config, f"{user}@rcpt.bench"], input="benchmark password\n", text=True,
                           check=True, capture_output=True, timeout=60)
        self.log = os.path.join(self.folder, "log.txt")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([*self.hosts.on_server, self.program, "serve", "--config", config], stdout=log, stderr=log)
        end = time.monotonic() + 60
        while "event=ready" not in self.output():
            if self.process.poll() is not None or time.monotonic() > end:
                self.__exit__()
                raise RuntimeError(f"postern did not start:\n{self.output()}")
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)

    def output(self):
        with open(self.log, errors="replace") as file:
            return file.read()

    @property
    def roots(self):
        return [self.process.pid]

    @property
    def mailbox(self):
        """The folders in which user1's mail arrives."""
        maildir = os.path.join(self.folder, "data", "mail", "user1@rcpt.bench", "Maildir")
        return os.path.join(maildir, "new"), os.path.join(maildir, "cur")

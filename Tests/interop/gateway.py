"""Starts the programs under test. Everything that knows postern's command lines and settings stands here."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def binary(name):
    """A built product; contrib/test says where they are."""
    folder = os.environ.get("POSTERN_BIN_DIR") or os.path.join(ROOT, ".build", "debug")
    path = os.path.join(folder, name)
    if not os.access(path, os.X_OK):
        raise FileNotFoundError(f"{path} is not built: run 'swift build', or set POSTERN_BIN_DIR")
    return path


def free_port():
    """A TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, timeout, explain):
    """Polls; `explain` makes the error's text."""
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(explain())
        time.sleep(0.02)


def answers(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def wait_for_port(port, timeout=30):
    wait_until(lambda: answers(port), timeout, lambda: f"nothing listens on 127.0.0.1:{port}")


class Process:
    """A postern in the foreground, its output in a file."""

    def __init__(self, folder, *arguments, prefix=()):
        """`prefix`: what the command line begins with, as `nsenter`."""
        program = binary("postern")
        self.output_path = os.path.join(folder, "output.txt")
        self.output_file = open(self.output_path, "wb")
        self.process = subprocess.Popen([*prefix, program, *arguments], stdin=subprocess.DEVNULL,
                                        stdout=self.output_file, stderr=self.output_file)

    def output(self):
        with open(self.output_path, errors="replace") as file:
            return file.read()

    def wait_started(self, condition, timeout=60):
        def ready():
            if self.process.poll() is not None:
                raise RuntimeError(f"postern ended with {self.process.returncode}:\n{self.output()}")
            return condition()
        wait_until(ready, timeout, lambda: f"postern did not start:\n{self.output()}")

    def stop(self, with_signal=signal.SIGTERM):
        """Ends it, if it still runs; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
                self.output_file.close()
                raise TimeoutError(f"postern did not end within 30 s of {with_signal.name}:\n{self.output()}") from None
        self.output_file.close()
        return self.process.returncode


class Demo:
    """`postern demo`, serving. Its connection facts are attributes: smtp_port, user, password, ca_file…"""

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="postern-demo-")
        facts = os.path.join(self.folder, "connection.json")
        self.process = None
        try:
            self.process = Process(self.folder, "demo", "--data", os.path.join(self.folder, "data"),
                                   "--ports-base", str(free_ports_base()), "--json-connection", facts)
            self.process.wait_started(lambda: os.path.exists(facts) and os.path.getsize(facts) > 0, timeout=120)
            with open(facts) as file:
                self.facts = json.load(file)
            wait_for_port(self.smtp_port)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        try:
            if self.process:
                self.process.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __getattr__(self, name):
        if name == "facts" or name not in self.facts:
            raise AttributeError(f"postern demo tells no '{name}'")
        return self.facts[name]

    @property
    def domain(self):
        """The domain of the account that the demo hands out."""
        return self.user.rpartition("@")[2]

    def txt_record(self, name):
        """A TXT record of the demo's private zone, as `zone_file` (name, TTL, IN, TXT, strings) has it."""
        with open(self.zone_file) as file:
            return zone_txt(file.read(), name)


class Server:
    """`postern serve --config FILE` with a configuration of its own in a temporary folder."""

    def __init__(self, **overrides):
        """`overrides`: values that replace those of CONFIGURATION's placeholders."""
        self.overrides = overrides
        self.process = None

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="postern-serve-")
        try:
            self.write()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        try:
            if self.process:
                self.process.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def write(self):
        make_certificate(self.folder, "mail.local.example")
        self.data_dir = os.path.join(self.folder, "data")
        os.mkdir(self.data_dir)
        self.ports = {name: self.choose_port(name) for name in PORT_NAMES}
        self.config = os.path.join(self.folder, "postern.toml")
        self.policies = os.path.join(self.folder, "policies")
        os.mkdir(self.policies)
        zone = os.path.join(self.folder, "zone.txt")
        with open(zone, "w") as file:
            file.write(ZONE)
        values = dict(data_dir=self.data_dir, policy_dir=self.policies, certificate=os.path.join(self.folder, "cert.pem"),
                      key=os.path.join(self.folder, "key.pem"), zone_file=zone, relay_port=free_port(), size_limit=1_000_000, extra="",
                      **{name + "_port": port for name, port in self.ports.items()})
        values.update(self.overrides)
        self.values = values
        with open(self.config, "w") as file:
            file.write(CONFIGURATION.format(**values))
        self.add_accounts()

    def choose_port(self, _):
        return free_port()

    def add_accounts(self):
        for address, password in ACCOUNTS:
            add_account(self.config, address, password)

    def start(self):
        self.process = Process(self.folder, "serve", "--config", self.config)
        self.process.wait_started(lambda: "event=ready" in self.process.output())

    def kill(self):
        """kill -9"""
        self.process.process.kill()
        self.process.process.wait(10)
        self.process.stop()


# What a test may have to be told anew when the daemon's names change stands below.

PORT_NAMES = ("smtp", "submission", "submissions", "imap", "imaps", "milter")

ACCOUNTS = (("alice@local.example", "correct horse"), ("bob@local.example", "battery staple"))

# What the DNS says here; other names do not exist.
ZONE = """\
local.example. 3600 IN MX 10 mail.local.example.
mail.local.example. 3600 IN A 127.0.0.1
stranger.example. 3600 IN TXT "v=spf1 -all"
"""

CONFIGURATION = """\
myhostname = "mail.local.example"
data_directory = "{data_dir}"
mydestination = ["local.example"]
# Not loopback, so that the tests' clients are strangers until they log in.
mynetworks = ["192.0.2.0/24"]
message_size_limit = {size_limit}
recipient_delimiter = "+"
policy_directory = "{policy_dir}"
smtpd_tls_cert_file = "{certificate}"
smtpd_tls_key_file = "{key}"
# Nobody listens there: what is relayed stays in the queue.
relayhost = "[127.0.0.1]:{relay_port}"
{extra}

[listen]
smtp = ["127.0.0.1:{smtp_port}"]
submission = ["127.0.0.1:{submission_port}"]
submissions = ["127.0.0.1:{submissions_port}"]
imap = ["127.0.0.1:{imap_port}"]
imaps = ["127.0.0.1:{imaps_port}"]
milter = "inet:{milter_port}@127.0.0.1"

[dns]
zone_file = "{zone_file}"
offline = true
"""


# To be put below CONFIGURATION.
DKIM = """
[[dkim]]
domain = "{domain}"
selector = "{selector}"
key_file = "{key}"
"""


def add_account(config, address, password):
    """Makes an account, the password given on standard input."""
    subprocess.run([binary("postern"), "account", "add", "--config", config, address], input=password + "\n", text=True,
                   check=True, capture_output=True, timeout=60)


def run_to_end(*arguments, timeout=60):
    """Runs postern to its end; (status, output and errors together)."""
    done = subprocess.run([binary("postern"), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", timeout=timeout)
    return done.returncode, done.stdout


def temporary_folder():
    return tempfile.TemporaryDirectory(prefix="postern-test-")


def free_ports_base(count=20):
    """The first of `count` adjoining free ports."""
    for base in range(21000, 60000, count):
        with contextlib.ExitStack() as stack:
            try:
                for port in range(base, base + count):
                    probe = stack.enter_context(socket.socket())
                    probe.bind(("127.0.0.1", port))
                return base
            except OSError:
                continue
    raise RuntimeError("no adjoining free ports")


def make_certificate(folder, name, address="127.0.0.1"):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name},DNS:localhost,IP:{address}",
                    "-keyout", os.path.join(folder, "key.pem"), "-out", os.path.join(folder, "cert.pem")],
                   check=True, capture_output=True, timeout=60)


def make_signing_key(path):
    subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", path],
                   check=True, capture_output=True, timeout=60)


def zone_txt(zone, name):
    """The strings of a TXT record in zone text, joined (RFC 7208 §3.3); None when there is none."""
    for line in zone.splitlines():
        words = line.split(None, 1)
        if len(words) == 2 and words[0].rstrip(".").lower() == name.rstrip(".").lower() and " TXT " in f" {words[1]} ":
            return "".join(words[1].split("TXT", 1)[1].strip().split('"')[1::2])
    return None

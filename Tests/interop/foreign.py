"""Other people's milters from Debian, each a process with a configuration of its own in a temporary folder and on a free port."""

import contextlib
import os
import shutil
import subprocess
import tempfile

import gateway


class Program:
    """Runs while entered; what it writes is in its folder. Subclasses write the configuration."""

    def __enter__(self):
        # Those that give up root walk through it.
        self.folder = tempfile.mkdtemp(prefix="postern-foreign-")
        os.chmod(self.folder, 0o755)
        self.port = gateway.free_port()
        self.processes = []
        try:
            self.start()
        except BaseException:
            log = self.log()
            self.__exit__()
            print(log)
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def milter(self):
        """As `milters` names it."""
        return f"inet:127.0.0.1:{self.port}"

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)
        return self.path(name)

    def run(self, *command):
        with open(self.path("output.txt"), "ab") as output:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        self.processes.append(process)
        return process

    def wait(self, condition):
        def ready():
            for process in self.processes:
                if process.poll() is not None:
                    raise RuntimeError(f"{process.args[0]} ended with {process.returncode}")
            return condition()
        gateway.wait_until(ready, 60, lambda: f"{type(self).__name__} did not start:\n{self.log()}")

    def log(self):
        text = ""
        for name in ("output.txt", "log.txt"):
            with contextlib.suppress(OSError), open(self.path(name), errors="replace") as file:
                text += file.read()
        return text


class OpenDKIM(Program):
    """Signs (mode `s`) for everybody, or verifies (mode `v`) with the keys of another's `public_keys`."""

    def __init__(self, mode, domain="local.example", keys=None):
        self.mode, self.domain, self.keys = mode, domain, keys

    def start(self):
        lines = ["Syslog no", "Background no", f"Mode {self.mode}", f"Socket inet:{self.port}@127.0.0.1", "UMask 022", f"PidFile {self.path('pid')}",
                 "Canonicalization simple/simple", "SendReports no", "RequireSafeKeys no"]
        if self.mode == "s":
            self.make_key()
            lines += [f"Domain {self.domain}", "Selector foreign", f"KeyFile {self.path('private.pem')}", "InternalHosts 0.0.0.0/0"]
        else:
            lines += [f"TestPublicKeys {self.keys}", "AuthservID verifier.example", "AlwaysAddARHeader yes"]
        self.run("/usr/sbin/opendkim", "-f", "-x", self.write("opendkim.conf", "\n".join(lines) + "\n"))
        self.wait(lambda: gateway.answers(self.port))

    def make_key(self):
        subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", self.path("private.pem")], check=True, capture_output=True)
        public = subprocess.run(["openssl", "pkey", "-in", self.path("private.pem"), "-pubout"], check=True, capture_output=True, text=True).stdout
        self.record = "v=DKIM1; k=rsa; p=" + "".join(public.splitlines()[1:-1])
        self.public_keys = self.write("keys.txt", f"foreign._domainkey.{self.domain} {self.record}\n")


class OpenDMARC(Program):
    def start(self):
        suffixes = self.write("suffixes.txt", "example\n")
        conf = self.write("opendmarc.conf", f"Syslog no\nBackground no\nSocket inet:{self.port}@127.0.0.1\nPidFile {self.path('pid')}\nAuthservID dmarc.example\n"
                          f"TrustedAuthservIDs mail.local.example\nRejectFailures no\nSPFIgnoreResults yes\nPublicSuffixList {suffixes}\nUMask 022\n")
        self.run("/usr/bin/env", "RES_OPTIONS=timeout:1 attempts:1", "/usr/sbin/opendmarc", "-f", "-c", conf)
        self.wait(lambda: gateway.answers(self.port))


class Rspamd(Program):
    """Its proxy worker as a milter that scans itself, without rules but its built-in test patterns (GTUBE)."""

    REJECT = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
    ADD_HEADER = "YJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"

    def start(self):
        conf = self.write("rspamd.conf", RSPAMD.format(folder=self.folder, port=self.port))
        self.run("/usr/bin/rspamd", "-f", "-i", "-c", conf, "--var", f"DBDIR={self.folder}", "--var", f"RUNDIR={self.folder}", "--var", f"LOGDIR={self.folder}")
        self.wait(lambda: gateway.answers(self.port))


RSPAMD = """
options {{
  pidfile = "{folder}/pid";
  filters = "";
  # Beside the pattern that is refused: one that is marked.
  enable_test_patterns = true;
  control_socket = "{folder}/control.sock mode=0600";
  dns {{ nameserver = ["127.0.0.1:1"]; timeout = 0.1s; retransmits = 1; }}
  words_decay = 600;
}}
logging {{ type = "file"; filename = "{folder}/log.txt"; level = "info"; }}
actions {{ reject = 15; add_header = 6; greylist = null; }}
worker "rspamd_proxy" {{
  bind_socket = "127.0.0.1:{port}";
  milter = yes;
  timeout = 60s;
  count = 1;
  upstream "local" {{ default = yes; self_scan = yes; }}
}}
"""


class ClamAV(Program):
    """clamd and clamav-milter, with one signature: that of the test file which every scanner knows."""

    # The EICAR test file, put together here so that this source is not taken for it.
    EICAR = r"X5O!P%@AP[4\PZX54(P^)7CC)7}" + "$EICAR-STANDARD-ANTIVIRUS" + "-TEST-FILE!$H+H*"

    def __init__(self, on_infected="Reject"):
        self.on_infected = on_infected

    def start(self):
        database = self.path("database")
        os.mkdir(database)
        self.write("database/test.ndb", "Eicar-Test:0:*:" + self.EICAR[:40].encode().hex() + "\n")
        clamd = gateway.free_port()
        daemon = self.write("clamd.conf", f"Foreground yes\nLogFile {self.path('log.txt')}\nDatabaseDirectory {database}\nTCPSocket {clamd}\nTCPAddr 127.0.0.1\n"
                            f"TemporaryDirectory {self.folder}\nMaxThreads 2\nBytecode no\n")
        self.run("/usr/sbin/clamd", "-c", daemon)
        self.wait(lambda: gateway.answers(clamd))
        milter = self.write("milter.conf", f"Foreground yes\nMilterSocket inet:{self.port}@127.0.0.1\nClamdSocket tcp:127.0.0.1:{clamd}\nOnClean Accept\nOnInfected {self.on_infected}\n"
                            f"OnFail Defer\nAddHeader Add\nLogInfected Basic\nTemporaryDirectory {self.folder}\n" + ("RejectMsg carries %v\n" if self.on_infected == "Reject" else ""))
        self.run("/usr/sbin/clamav-milter", "-c", milter)
        self.wait(lambda: gateway.answers(self.port))

"""OpenDKIM as a milter on a loopback port: what a client of 127.0.0.1 sends it signs, what others send it verifies."""

import os
import shutil
import subprocess
import tempfile

import gateway
from miltercodec import HDR_LEADSPC, Milter

CONFIGURATION = """\
Background no
Syslog no
Mode sv
Socket inet:{port}@127.0.0.1
Domain {domain}
Selector {selector}
KeyFile {key}
RequireSafeKeys no
SignatureAlgorithm {algorithm}
Canonicalization {canonicalization}
InternalHosts 127.0.0.1
TestPublicKeys {public_keys}
AuthservID opendkim.example
AlwaysAddARHeader yes
MinimumKeyBits 1024
TemporaryDirectory {folder}
"""


def program():
    found = shutil.which("opendkim", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not found:
        raise FileNotFoundError("opendkim is not installed: apt-get install opendkim")
    return found


class OpenDKIM:
    def __init__(self, domain, selector, key, algorithm, canonicalization, records):
        """`records`: key names and their texts, all that its DNS holds."""
        self.settings = dict(domain=domain, selector=selector, key=key, algorithm=algorithm, canonicalization=canonicalization)
        self.records = records

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="opendkim-")
        os.chmod(self.folder, 0o700)
        self.port = gateway.free_port()
        public_keys = os.path.join(self.folder, "keys")
        with open(public_keys, "w") as file:
            file.write("".join(f"{name} {text}\n" for name, text in self.records.items()))
        config = os.path.join(self.folder, "opendkim.conf")
        with open(config, "w") as file:
            file.write(CONFIGURATION.format(port=self.port, folder=self.folder, public_keys=public_keys, **self.settings))
        self.log = open(os.path.join(self.folder, "log"), "w+b")
        self.process = subprocess.Popen([program(), "-f", "-x", config], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        try:
            gateway.wait_for_port(self.port)
        except TimeoutError:
            self.log.seek(0)
            said = self.log.read().decode(errors="replace")
            self.__exit__()
            raise RuntimeError(f"opendkim does not listen: {said}") from None
        return self

    def __exit__(self, *_):
        # It has nothing to save, and takes five seconds to end when asked.
        self.process.kill()
        self.process.wait(10)
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def sign(self, message):
        """The message as it was sent, OpenDKIM's field on top."""
        message = as_sent(message)
        changes, leading_blank = self._run(message, "127.0.0.1")
        values = [change[-1] for change in changes if change[0] in ("insheader", "addheader") and change[-2] == "DKIM-Signature"]
        if len(values) != 1:
            raise AssertionError(f"opendkim did not sign: {changes}")
        value = values[0].replace("\r\n", "\n").replace("\n", "\r\n")
        return b"DKIM-Signature:" + (b"" if leading_blank else b" ") + value.encode() + b"\r\n" + message

    def verify(self, message):
        """OpenDKIM's Authentication-Results."""
        changes, _ = self._run(as_sent(message), "192.0.2.1")
        return [change[-1] for change in changes if change[0] in ("insheader", "addheader") and change[-2] == "Authentication-Results"]

    def _run(self, message, client):
        mta = Milter.connect(("127.0.0.1", self.port), timeout=60).negotiate()
        try:
            mta.open(hostname="client.example", address=client)
            head, _, body = message.partition(b"\r\n\r\n")
            answer = mta.message(list(fields(head)), body, macros={"i": "QUEUEID"})
            if answer.kind not in ("continue", "accept"):
                raise AssertionError(f"opendkim answered {answer}")
            return answer.changes, bool(mta.steps & HDR_LEADSPC)
        finally:
            mta.quit()


def as_sent(message):
    """With the final line end that an MTA gives every body. OpenDKIM does not add it, as RFC 6376 §3.4.4 demands."""
    return message if message.endswith(b"\r\n") else message + b"\r\n"


def fields(head):
    """Names and values as an MTA hands them to a milter: what stands after the colon, folded with LF."""
    lines = []
    for line in head.split(b"\r\n"):
        if line[:1] in (b" ", b"\t") and lines:
            lines[-1] += b"\n" + line
        else:
            lines.append(line)
    for line in lines:
        name, _, value = line.partition(b":")
        yield name.decode(), value

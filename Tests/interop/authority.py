"""A certificate authority of the test's own."""

import hashlib
import os
import ssl
import subprocess


def openssl(*arguments, input=None):
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True, input=input, timeout=60).stdout


class Authority:
    def __init__(self, folder, name="Test CA"):
        os.makedirs(folder, exist_ok=True)
        self.folder = folder
        self.file = os.path.join(folder, "ca.pem")
        self.key = os.path.join(folder, "ca.key")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                "-addext", "basicConstraints=critical,CA:TRUE", "-keyout", self.key, "-out", self.file)

    def issue(self, *names):
        """A certificate for the names."""
        base = os.path.join(self.folder, names[0])
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={names[0]}",
                "-keyout", base + ".key", "-out", base + ".csr")
        with open(base + ".ext", "w") as file:
            file.write("subjectAltName=" + ",".join(f"DNS:{name}" for name in names) + "\n")
        openssl("x509", "-req", "-in", base + ".csr", "-CA", self.file, "-CAkey", self.key, "-CAcreateserial", "-days", "2",
                "-extfile", base + ".ext", "-out", base + ".pem")
        return Certificate(base + ".pem", base + ".key")


class Certificate:
    def __init__(self, file, key):
        self.file, self.key = file, key

    def server(self):
        """A TLS context that shows it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file, self.key)
        return context

    def tlsa(self):
        """`3 1 1` and the digest of its public key (RFC 6698 §2.1)."""
        public = openssl("x509", "-in", self.file, "-noout", "-pubkey")
        return "3 1 1 " + hashlib.sha256(openssl("pkey", "-pubin", "-outform", "DER", input=public)).hexdigest()

"""pebble, the test authority of the ACME working group's Go implementation, strict and refusing good nonces, with its DNS."""

import contextlib
import json
import os
import shutil
import ssl
import subprocess
import tempfile
import urllib.request

import gateway

NAME = "acme.local.example"


class Authority:
    """Its directory is `directory`; who issues, `root`, a PEM file, once it runs."""

    def __init__(self, validity=None, nonce_reject=60):
        self.validity, self.nonce_reject = validity, nonce_reject

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="postern-pebble-")
        self.port, self.management, self.http, self.tls, self.dns, self.dns_management = (gateway.free_port() for _ in range(6))
        gateway.make_certificate(self.folder, NAME)
        self.ca_file = os.path.join(self.folder, "cert.pem")
        self.directory = f"https://{NAME}:{self.port}/dir"
        self.root = os.path.join(self.folder, "root.pem")
        self.processes = []
        pebble = {"listenAddress": f"127.0.0.1:{self.port}", "managementListenAddress": f"127.0.0.1:{self.management}", "certificate": self.ca_file,
                  "privateKey": os.path.join(self.folder, "key.pem"), "httpPort": self.http, "tlsPort": self.tls, "ocspResponderURL": "",
                  "externalAccountBindingRequired": False, "domainBlocklist": ["blocked.local.example"]}
        if self.validity:
            pebble["certificateValidityPeriod"] = self.validity
        with open(os.path.join(self.folder, "pebble.json"), "w") as file:
            json.dump({"pebble": pebble}, file)
        try:
            self.run("pebble-challtestsrv", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-dns01", f"127.0.0.1:{self.dns}", "-http01", "", "-https01", "",
                     "-tlsalpn01", "", "-management", f"127.0.0.1:{self.dns_management}")
            gateway.wait_for_port(self.dns_management)
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def run(self, *command):
        log = open(os.path.join(self.folder, command[0] + ".log"), "ab")
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
                                   env={"PATH": os.environ["PATH"], "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": str(self.nonce_reject)})
        log.close()
        self.processes.append(process)
        return process

    def start(self):
        self.pebble = self.run("pebble", "-strict=true", "-config", os.path.join(self.folder, "pebble.json"), "-dnsserver", f"127.0.0.1:{self.dns}")
        gateway.wait_for_port(self.port)
        # A new one at each start.
        with open(self.root, "wb") as file:
            file.write(self.ask("/roots/0"))

    def stop(self):
        self.pebble.kill()
        self.pebble.wait(10)

    def ask(self, path):
        context = ssl.create_default_context(cafile=self.ca_file)
        with urllib.request.urlopen(f"https://localhost:{self.management}{path}", context=context, timeout=10) as answer:
            return answer.read()

    def lead(self, name, address):
        """From now on the name leads there."""
        body = json.dumps({"host": name + ".", "addresses": [address]}).encode()
        urllib.request.urlopen(f"http://127.0.0.1:{self.dns_management}/add-a", data=body, timeout=10).close()

    def log(self):
        with open(os.path.join(self.folder, "pebble.log"), errors="replace") as file:
            return file.read()

    def __exit__(self, *_):
        for process in self.processes:
            with contextlib.suppress(OSError):
                process.kill()
            process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)

"""pebble, the small ACME authority of Let's Encrypt's tests, on an internet of our own."""

import json
import os
import ssl
import subprocess
import urllib.request

import gateway
from internet import AUTHORITY, NAME_SERVER


class Pebble:
    """Validates by http-01 on port 80. `root`: the file of the certificate that its chains end in."""

    def __init__(self, folder, world):
        self.folder, self.world = folder, world
        self.directory = "https://pebble.net.example:14000/dir"

    def __enter__(self):
        os.makedirs(self.folder)
        gateway.make_certificate(self.folder, "pebble.net.example", AUTHORITY)
        with open(f"{self.folder}/config.json", "w") as file:
            json.dump({"pebble": {
                "listenAddress": f"{AUTHORITY}:14000", "managementListenAddress": f"{AUTHORITY}:15000", "certificate": f"{self.folder}/cert.pem",
                "privateKey": f"{self.folder}/key.pem", "httpPort": 80, "tlsPort": 443, "ocspResponderURL": ""}}, file)
        self.output = open(f"{self.folder}/output.txt", "wb")
        self.process = subprocess.Popen([*self.world.prefix, "/usr/bin/pebble", "-config", f"{self.folder}/config.json", "-dnsserver", f"{NAME_SERVER}:53"],
                                        stdin=subprocess.DEVNULL, stdout=self.output, stderr=self.output, env={**os.environ, "PEBBLE_VA_NOSLEEP": "1"})
        self.root = f"{self.folder}/root.pem"
        gateway.wait_until(self.fetch_root, 30, self.log)
        return self

    def fetch_root(self):
        context = ssl.create_default_context(cafile=f"{self.folder}/cert.pem")
        try:
            with urllib.request.urlopen(f"https://{AUTHORITY}:15000/roots/0", context=context, timeout=5) as answer:
                text = answer.read()
        except OSError:
            return False
        with open(self.root, "wb") as file:
            file.write(text)
        return True

    def log(self):
        with open(f"{self.folder}/output.txt", errors="replace") as file:
            return file.read()[-4000:]

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)
        self.output.close()

"""An authoritative name server (NSD) on loopback with zones that ldns-signzone has signed, and the trust anchor for them."""

import glob
import os
import subprocess

import gateway

SOA = "@ 300 IN SOA ns hostmaster 1 3600 600 86400 60\n@ 300 IN NS ns\nns 300 IN A 127.0.0.1\n"


class SignedZones:
    """`zones`: origin → lines of a zone file. Those in `signed` are signed and have a trust anchor; the signatures of those
    in `expired` ended long ago. Listens in the network namespace of `machine`."""

    def __init__(self, folder, zones, signed=(), expired=(), machine=None, port=5353):
        self.folder, self.zones, self.signed, self.expired, self.port = folder, zones, signed, expired, port
        self.machine = machine
        self.anchors = os.path.join(folder, "anchors.txt")

    def __enter__(self):
        os.makedirs(self.folder, exist_ok=True)
        files, anchors = {}, []
        for origin, lines in self.zones.items():
            path = os.path.join(self.folder, origin)
            with open(path, "w") as file:
                file.write(f"$ORIGIN {origin}.\n{SOA}{lines}")
            if origin in self.signed or origin in self.expired:
                anchors.append(self.sign(origin, path))
                path += ".signed"
            files[origin] = path
        with open(self.anchors, "w") as file:
            file.write("".join(anchors))
        configuration = os.path.join(self.folder, "nsd.conf")
        with open(configuration, "w") as file:
            file.write(self.configuration(files))
        prefix = self.machine.prefix if self.machine else []
        self.process = subprocess.Popen([*prefix, "/usr/sbin/nsd", "-d", "-c", configuration], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        gateway.wait_for_port(self.port)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)

    def sign(self, origin, path):
        """Signs the zone; the anchor's line."""
        def run(*command):
            return subprocess.run(command, cwd=self.folder, check=True, capture_output=True, text=True, timeout=60).stdout.strip()
        # One key that signs everything, as small zones have it.
        key = run("ldns-keygen", "-k", "-a", "ECDSAP256SHA256", "-r", "/dev/urandom", origin)
        period = ["-i", "20200101000000", "-e", "20200201000000"] if origin in self.expired else []
        run("ldns-signzone", *period, path, key)
        with open(glob.glob(os.path.join(self.folder, key + ".key"))[0]) as file:
            return file.read()

    def configuration(self, files):
        lines = ["server:", f"    ip-address: 127.0.0.1@{self.port}", "    username: \"\"", "    zonesdir: \"\"", "    database: \"\"",
                 f"    pidfile: \"{self.folder}/nsd.pid\"", f"    xfrdfile: \"{self.folder}/xfrd.state\"", f"    zonelistfile: \"{self.folder}/zone.list\"",
                 "remote-control:", "    control-enable: no"]
        for origin, path in files.items():
            lines += ["zone:", f"    name: \"{origin}\"", f"    zonefile: \"{path}\""]
        return "\n".join(lines) + "\n"

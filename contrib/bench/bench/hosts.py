"""Two hosts in network namespaces of our own, and the DNS that both sides ask.

The server is 192.0.2.1, the client 192.0.2.10, and the next hop that mail is relayed to 192.0.2.30, on the client's side.
An NSD on the server's side holds every zone that anybody asks for. Needs root.
"""

import ctypes
import os
import shutil
import subprocess
import time

SERVER, CLIENT, SINK = "192.0.2.1", "192.0.2.10", "192.0.2.30"
CLONE_NEWNET = 0x40000000

SOA = "$TTL 3600\n@ IN SOA ns.bench. host.bench. 1 3600 600 86400 60\n@ IN NS ns.bench.\n"

ZONES = {
    "sender.bench": f"@ IN A {CLIENT}\n@ IN MX 10 mail.sender.bench.\nmail IN A {CLIENT}\n@ IN TXT \"v=spf1 ip4:{CLIENT} -all\"\n_dmarc IN TXT \"v=DMARC1; p=reject\"\n",
    "rcpt.bench": f"@ IN A {SERVER}\n@ IN MX 10 mail.rcpt.bench.\nmail IN A {SERVER}\n@ IN TXT \"v=spf1 ip4:{SERVER} -all\"\n_dmarc IN TXT \"v=DMARC1; p=none\"\n",
    "sink.bench": f"@ IN MX 10 mail.sink.bench.\nmail IN A {SINK}\n",
    "2.0.192.in-addr.arpa": "1 IN PTR mail.rcpt.bench.\n10 IN PTR mail.sender.bench.\n30 IN PTR mail.sink.bench.\n",
    "bench": "",
}


def run(*command, **options):
    """A command that has to succeed; its output."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, **options)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


class Hosts:
    """Makes the two hosts when entered, and takes them away again."""

    def __init__(self, folder):
        self.folder = os.path.join(folder, "dns")
        mark = os.getpid()
        self.server, self.client = f"bench-server-{mark}", f"bench-client-{mark}"
        self.nsd = None

    def __enter__(self):
        os.makedirs(self.folder)
        try:
            self.make_namespaces()
            self.start_dns()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.nsd:
            self.nsd.terminate()
            self.nsd.wait(10)
        for host in (self.server, self.client):
            subprocess.run(["ip", "netns", "del", host], capture_output=True)
            shutil.rmtree(f"/etc/netns/{host}", ignore_errors=True)

    def make_namespaces(self):
        # ip-netns(8) shows a host its own resolv.conf.
        for host, resolver in ((self.server, "127.0.0.1"), (self.client, SERVER)):
            os.makedirs(f"/etc/netns/{host}")
            with open(f"/etc/netns/{host}/resolv.conf", "w") as file:
                file.write(f"nameserver {resolver}\n")
            run("ip", "netns", "add", host)
            run("ip", "-n", host, "link", "set", "lo", "up")
        run("ip", "link", "add", "eth0", "netns", self.server, "type", "veth", "peer", "name", "eth0", "netns", self.client)
        for host, addresses in ((self.server, [SERVER]), (self.client, [CLIENT, SINK])):
            for address in addresses:
                run("ip", "-n", host, "addr", "add", f"{address}/24", "dev", "eth0")
            run("ip", "-n", host, "link", "set", "eth0", "up")

    def start_dns(self):
        folder = self.folder
        records = {}
        for domain, selector in (("sender.bench", "sel"), ("rcpt.bench", "rsel")):
            run("opendkim-genkey", "-b", "2048", "-d", domain, "-s", selector, "-D", folder)
            with open(os.path.join(folder, f"{selector}.txt")) as file:
                records[domain] = file.read()
        run("openssl", "genpkey", "-algorithm", "ed25519", "-out", os.path.join(folder, "esel.private"))
        # No limit of its own (200 answers a second for one network): a system that asks for every message would be measured by it.
        with open(os.path.join(folder, "nsd.conf"), "w") as file:
            file.write(f"""server:
  ip-address: 127.0.0.1
  ip-address: {SERVER}
  username: ""
  zonesdir: "{folder}"
  rrl-ratelimit: 0
  pidfile: "{folder}/nsd.pid"
  database: ""
  zonelistfile: "{folder}/zone.list"
  xfrdfile: "{folder}/xfrd.state"
  logfile: "{folder}/nsd.log"
remote-control:
  control-enable: no
""")
            for name in ZONES:
                file.write(f"zone:\n  name: \"{name}\"\n  zonefile: \"{name}.zone\"\n")
        for name, text in ZONES.items():
            with open(os.path.join(folder, f"{name}.zone"), "w") as file:
                file.write(SOA + text + records.get(name, ""))
        self.nsd = subprocess.Popen([*self.on_server, "nsd", "-d", "-c", os.path.join(folder, "nsd.conf")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 20
        while "v=spf1" not in subprocess.run([*self.on_client, "dig", "+short", "+time=1", "TXT", "sender.bench", f"@{SERVER}"], capture_output=True, text=True).stdout:
            if time.monotonic() > end:
                raise RuntimeError(f"NSD does not answer; see {folder}/nsd.log")
            time.sleep(0.1)

    def key(self, selector):
        """A private key's path: `sel` signs for sender.bench, `rsel` (RSA) and `esel` (Ed25519) for rcpt.bench."""
        return os.path.join(self.folder, f"{selector}.private")

    @property
    def on_server(self):
        """What makes a command run on the server."""
        return ["ip", "netns", "exec", self.server]

    @property
    def on_client(self):
        return ["ip", "netns", "exec", self.client]


class Standing:
    """This thread's sockets are made on that host from now on, until it is left."""

    def __init__(self, namespace):
        self.namespace = namespace

    def __enter__(self):
        self.outside = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self.enter(os.open(f"/run/netns/{self.namespace}", os.O_RDONLY | os.O_CLOEXEC))

    def __exit__(self, *_):
        self.enter(self.outside)

    @staticmethod
    def enter(descriptor):
        libc = ctypes.CDLL(None, use_errno=True)
        try:
            if libc.setns(descriptor, CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
        finally:
            os.close(descriptor)

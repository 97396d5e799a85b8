"""A small internet: hosts in network and mount namespaces of their own on one bridge, with a name server that holds every
zone. The thread that makes it stands on it, as one more host.

    with Internet(folder) as net:
        host = net.host("203.0.113.10")      # its own /etc and /var/lib
        net.publish({"one.example": "@ IN A 203.0.113.10\\n"})
        host.run("hostname")

Needs root.
"""

import os
import shutil
import socket
import subprocess

import gateway
from namespace import Namespace

NAME_SERVER, CLIENT, AUTHORITY = "203.0.113.53", "203.0.113.100", "203.0.113.54"
SOA = "$TTL 300\n@ IN SOA ns.net.example. hostmaster.net.example. {serial} 3600 600 86400 60\n@ IN NS ns.net.example.\n"


class Host:
    """Owns its namespaces; `prefix` makes a command run there."""

    def __init__(self, folder, address, world, number):
        self.folder, self.address = folder, address
        for name in ("etc", "lib"):
            shutil.rmtree(f"{folder}/{name}", ignore_errors=True)
        subprocess.run(["cp", "-a", "/etc", f"{folder}/etc"], check=True, timeout=120)
        os.makedirs(f"{folder}/lib")
        os.makedirs(f"{folder}/log", exist_ok=True)
        for path in (f"{folder}/etc/resolv.conf", f"{folder}/etc/hosts"):
            if os.path.islink(path):
                os.unlink(path)
        with open(f"{folder}/etc/resolv.conf", "w") as file:
            file.write(f"nameserver {NAME_SERVER}\n")
        with open(f"{folder}/etc/hosts", "w") as file:
            file.write("127.0.0.1 localhost\n::1 localhost\n")
        script = f"set -e; ip link set lo up; mount --bind {folder}/etc /etc; mount --bind {folder}/lib /var/lib; echo ready; exec cat"
        self.holder = subprocess.Popen(["unshare", "--net", "--mount", "bash", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.holder.stdout.readline() != "ready\n":
            raise RuntimeError(f"the host {address} cannot be made")
        world.run("ip", "link", "add", f"v{number}", "type", "veth", "peer", "name", "eth0", "netns", str(self.holder.pid))
        world.run("ip", "link", "set", f"v{number}", "master", "br0", "up")
        self.run("ip", "addr", "add", f"{address}/24", "dev", "eth0")
        self.run("ip", "link", "set", "eth0", "up")

    @property
    def prefix(self):
        return ["nsenter", f"--target={self.holder.pid}", "--net", "--mount"]

    def run(self, *command, check=True, timeout=120, **options):
        done = subprocess.run([*self.prefix, *command], capture_output=True, text=True, timeout=timeout, **options)
        if check and done.returncode:
            raise RuntimeError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done

    def close(self):
        self.holder.stdin.close()
        self.holder.stdout.close()
        self.holder.wait(10)


class Internet:
    def __init__(self, folder):
        self.folder, self.hosts, self.nsd, self.serial = folder, [], None, 0
        # Others walk through it as the users that they become.
        os.chmod(folder, 0o755)

    def __enter__(self):
        self.world = Namespace()
        self.world.__enter__()
        try:
            self.world.run("ip", "link", "add", "br0", "type", "bridge")
            for address in (NAME_SERVER, CLIENT, AUTHORITY):
                self.world.run("ip", "addr", "add", f"{address}/24", "dev", "br0")
            self.world.run("ip", "link", "set", "br0", "up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stop_names()
        for host in self.hosts:
            host.close()
        self.world.__exit__()

    def host(self, address):
        folder = f"{self.folder}/{address}"
        os.makedirs(folder)
        self.hosts.append(Host(folder, address, self.world, len(self.hosts)))
        return self.hosts[-1]

    def publish(self, zones):
        """Origin → lines; every zone that there is."""
        self.stop_names()
        self.serial += 1
        folder = f"{self.folder}/names-{self.serial}"
        os.makedirs(folder)
        lines = ["server:", f"  ip-address: {NAME_SERVER}", "  username: \"\"", f"  zonesdir: \"{folder}\"", "  database: \"\"", f"  pidfile: \"{folder}/nsd.pid\"",
                 f"  xfrdfile: \"{folder}/xfrd.state\"", f"  zonelistfile: \"{folder}/zone.list\"", f"  logfile: \"{folder}/nsd.log\"", "remote-control:", "  control-enable: no"]
        for origin, text in {**zones, "net.example": f"ns IN A {NAME_SERVER}\npebble IN A {AUTHORITY}\n"}.items():
            with open(f"{folder}/{origin}", "w") as file:
                file.write(f"$ORIGIN {origin}.\n" + SOA.format(serial=self.serial) + text)
            lines += ["zone:", f"  name: \"{origin}\"", f"  zonefile: \"{origin}\""]
        with open(f"{folder}/nsd.conf", "w") as file:
            file.write("\n".join(lines) + "\n")
        subprocess.run(["nsd-checkconf", f"{folder}/nsd.conf"], check=True, timeout=30)
        for origin in zones:
            checked = subprocess.run(["nsd-checkzone", origin, f"{folder}/{origin}"], capture_output=True, text=True, timeout=30)
            if checked.returncode:
                with open(f"{folder}/{origin}") as file:
                    raise RuntimeError(f"{checked.stdout}{checked.stderr}\n{file.read()}")
        self.nsd = subprocess.Popen([*self.world.prefix, "/usr/sbin/nsd", "-d", "-c", f"{folder}/nsd.conf"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL)
        gateway.wait_until(self.answers, 30, lambda: open(f"{folder}/nsd.log").read())

    def answers(self):
        try:
            with socket.create_connection((NAME_SERVER, 53), 1):
                return True
        except OSError:
            return False

    def stop_names(self):
        if self.nsd:
            self.nsd.terminate()
            self.nsd.wait(10)
            self.nsd = None

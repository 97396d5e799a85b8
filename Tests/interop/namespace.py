"""A machine of its own for programs that want the well-known ports and the files in /etc: a network namespace with
loopback alone, and a mount namespace in which some folders are others.

    with Namespace(addresses=["192.0.2.1"], folders={"/etc": "/tmp/x/etc"}) as machine:
        machine.run("/usr/sbin/postfix", "start")
        ...             # sockets that this thread makes are in it too

Needs root.
"""

import ctypes
import os
import subprocess

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


class Namespace:
    def __init__(self, addresses=(), folders=None):
        self.addresses, self.folders = addresses, folders or {}

    def __enter__(self):
        # mount(8) keeps its own hands off what the machine shares: private propagation is unshare's default.
        lines = ["set -e", "ip link set lo up"]
        lines += [f"ip addr add {address} dev lo" for address in self.addresses]
        lines += [f"mount --bind {inside} {place}" for place, inside in self.folders.items()]
        self.holder = subprocess.Popen(["unshare", "--net", "--mount", "bash", "-c", "\n".join([*lines, "echo ready", "exec cat"])],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.holder.stdout.readline() != "ready\n":
            raise RuntimeError("the namespaces cannot be made")
        self.outside = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        inside = os.open(f"/proc/{self.holder.pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            enter(inside)
        finally:
            os.close(inside)
        return self

    def __exit__(self, *_):
        enter(self.outside)
        os.close(self.outside)
        self.holder.stdin.close()
        self.holder.stdout.close()
        self.holder.wait(10)

    @property
    def prefix(self):
        """What makes a command run in there."""
        return ["nsenter", f"--target={self.holder.pid}", "--net", "--mount"]

    def run(self, *command, check=True, **options):
        done = subprocess.run([*self.prefix, *command], capture_output=True, text=True, timeout=120, **options)
        if check and done.returncode:
            raise RuntimeError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done


def enter(descriptor):
    """This thread's sockets are made there from now on."""
    if libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")

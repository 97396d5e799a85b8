"""Debian's miltertest with the scripts of `miltertest/`: Lua that plays the MTA to our milter listener. `fixture/` drives the
scripted filters (milter-fixture, over IPv4, IPv6 and a UNIX socket), `serve/` the built-in ones (`postern serve`).

A script may say `-- wire: e 2`: packets that must come, which miltertest shows in its trace only (SMFIR_CHGFROM and so on).
"""

import contextlib
import glob
import os
import re
import socket
import subprocess
import unittest

import gateway
from test_milter_protocol import Fixture

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "miltertest")


def miltertest(address, script):
    """Runs a script; (exit status, what it said)."""
    done = subprocess.run(["miltertest", "-v", "-v", "-D", f"socket={address}", "-D", f"folder={HERE}", "-s", script],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=300)
    return done.returncode, done.stdout


def scripts(folder):
    return sorted(glob.glob(os.path.join(HERE, folder, "*.lua")))


class ScriptCase(unittest.TestCase):
    def run_script(self, address, path):
        status, output = miltertest(address, path)
        tail = "\n".join(output.splitlines()[-40:])
        self.assertEqual((status, "done" in output.splitlines()), (0, True), tail)
        with open(path) as file:
            for wanted in re.findall(r"^-- wire: (.*)$", file.read(), re.M):
                for code in wanted.split():
                    self.assertRegex(output, rf"mt_milter_read\(\d+\): cmd {re.escape(code)},", tail)


class Scripted(ScriptCase):
    def run_all(self, spec, address=None):
        fixture = Fixture(spec=spec)
        self.addCleanup(fixture.process.communicate, timeout=20)
        self.addCleanup(fixture.process.kill)
        self.assertEqual(fixture.said, "ready")
        paths = scripts("fixture")
        self.assertGreater(len(paths), 8)
        for path in paths:
            with self.subTest(os.path.basename(path)):
                self.run_script(address or spec, path)

    def test_ipv4(self):
        self.run_all(f"inet:{gateway.free_port()}@127.0.0.1")

    def test_ipv6(self):
        # miltertest speaks IPv4 only, so it comes to the IPv6 socket as ::ffff:127.0.0.1.
        port = gateway.free_port()
        self.run_all(f"inet6:{port}", f"inet:{port}@127.0.0.1")

    def test_unix(self):
        self.run_all(f"local:{self.enterContext(gateway.temporary_folder())}/milter.sock")


class Signing(gateway.Server):
    """Signs for local.example, and knows the zone of the scenarios."""

    def __init__(self):
        zone = os.path.join(os.path.dirname(HERE), "scenarios", "zone")
        super().__init__(zone_file=zone, policy_dir=os.path.join(gateway.ROOT, "policies"))

    def write(self):
        super().write()
        key = os.path.join(self.folder, "dkim.pem")
        gateway.make_signing_key(key)
        with open(self.config, "a") as file:
            file.write(gateway.DKIM.format(domain="local.example", selector="s", key=key))


class Serving(ScriptCase):
    def test_the_built_in_filters(self):
        server = self.enterContext(Signing())
        for path in scripts("serve"):
            with self.subTest(os.path.basename(path)):
                self.run_script(f"inet:{server.ports['milter']}@127.0.0.1", path)
        # miltertest compares whole replies only, and this one ends in the message's id.
        self.assertRegex(server.process.output(), r"550 5\.7\.1 refused by the DMARC policy of bank\.example")


class Judging(ScriptCase):
    """A script that expects what is not so fails: else the others prove nothing."""

    def test_wrong_expectations_fail(self):
        folder = self.enterContext(gateway.temporary_folder())
        fixture = Fixture()
        self.addCleanup(fixture.process.communicate, timeout=20)
        self.addCleanup(fixture.process.kill)
        for text in ('equal(ask(open(), { "reject" }), "continue", "x")', 'open("reject.example")', 'open().x = 1',
                     'local c = open() ask(c, { "add A 1" }) equal(mt.eom_check(c, MT_HDRADD, "A", " 2"), true, "x")', 'equal(told(open(), "helo"), "other", "x")'):
            path = os.path.join(folder, "wrong.lua")
            with open(path, "w") as file:
                file.write(f'dofile(folder .. "/check.lua")\nrun(function()\n{text}\nend)\n')
            with self.subTest(text):
                status, output = miltertest(f"inet:{fixture.port}@127.0.0.1", path)
                self.assertNotEqual(status, 0, output)
                self.assertIn("FAILED", output)
        with self.subTest("a packet that does not come"), self.assertRaises(AssertionError):
            path = os.path.join(folder, "quiet.lua")
            with open(path, "w") as file:
                file.write('-- wire: q\ndofile(folder .. "/check.lua")\nrun(function() mt.disconnect(open()) end)\n')
            self.run_script(f"inet:{fixture.port}@127.0.0.1", path)


class Quiet(unittest.TestCase):
    """libmilter has nothing to complain of to syslog, however sessions end."""

    def test_no_private_data_is_left(self):
        folder = self.enterContext(gateway.temporary_folder())
        log = self.enterContext(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        log.bind(f"{folder}/log")
        os.chmod(f"{folder}/log", 0o666)
        # What it finds at /dev/log is this socket.
        fixture = Fixture(prefix=["unshare", "--mount", "sh", "-c", f'mount --bind {folder} /dev && exec "$@"', "sh"])
        self.addCleanup(fixture.process.communicate, timeout=20)
        self.addCleanup(fixture.process.kill)
        self.assertEqual(fixture.said, "ready")
        for name in ("messages", "answers"):
            status, output = miltertest(f"inet:{fixture.port}@127.0.0.1", os.path.join(HERE, "fixture", f"{name}.lua"))
            self.assertEqual(status, 0, output[-2000:])
        for after in range(6):
            self.leave(fixture, after)
        # Of too short a negotiation libmilter does complain; what it has to say of the sessions before is said by then.
        with socket.create_connection(fixture.address, 10) as sock:
            sock.sendall(b"\0\0\0\3O\0\0")
            sock.settimeout(20)
            with contextlib.suppress(OSError):
                sock.recv(1)
        log.settimeout(20)
        heard = []
        while not any("optionneg" in line for line in heard):
            heard.append(log.recv(4096).decode(errors="replace"))
        self.assertEqual([line for line in heard if "private data" in line], [])

    def leave(self, fixture, after):
        """Goes without a word after so many steps; with QUIT_NC in the last case."""
        mta = fixture.mta()
        steps = [mta.connect_event, mta.helo, mta.mail, mta.rcpt, mta.quit_new_connection]
        for step in steps[:after]:
            step()
        mta.sock.close()


if __name__ == "__main__":
    unittest.main()

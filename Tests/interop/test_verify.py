"""`postern verify` and `postern dmarc` over real DNS, with nothing left behind."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest

import gateway
import zoneserver

ZONE = [
    'honest.test. TXT "v=spf1 ip4:192.0.2.1 -all"',
    '_dmarc.honest.test. TXT "v=DMARC1; p=reject; sp=quarantine"',
    "mail.honest.test. A 192.0.2.1",
    'mail.honest.test. TXT "v=spf1 a -all"',
    "1.2.0.192.in-addr.arpa. PTR mail.honest.test.",
]
MESSAGE = "From: Ann <ann@honest.test>\nTo: bob@home.test\nSubject: hi\nAuthentication-Results: mx.home.test; dmarc=pass\n\nbody\n"


def files(folder):
    """Everything below a folder, with contents."""
    out = {}
    for root, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(root, name)
            with open(path, "rb") as file:
                out[path] = file.read()
    return out


class Verify(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.server = zoneserver.ZoneServer(zoneserver.Zone(ZONE, timeouts=["_dmarc.slow.test"]))
        self.addCleanup(self.server.close)
        self.config = os.path.join(self.folder, "postern.toml")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f'myhostname = "mx.home.test"\nmydestination = ["home.test"]\ndata_directory = "{self.folder}/data"\n'
                       f'policy_directory = "{gateway.ROOT}/policies"\n')
        os.mkdir(os.path.join(self.folder, "data"))
        self.message = os.path.join(self.folder, "message.eml")
        with open(self.message, "w", encoding="utf-8") as file:
            file.write(MESSAGE)

    def postern(self, *arguments):
        return subprocess.run([gateway.binary("postern"), *arguments], capture_output=True, text=True, timeout=60, check=False)

    def verify(self, ip, sender="ann@honest.test", *more):
        return self.postern("verify", self.message, "--ip", ip, "--helo", "mail.honest.test", "--sender", sender, "--recipient", "bob+shop@home.test",
                            "--config", self.config, "--resolver", self.server.address, *more)

    def test_honest_mail_is_accepted_and_nothing_is_left_behind(self):
        before = files(self.folder)
        done = self.verify("192.0.2.1", "ann@honest.test", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(report["verdict"], "accept")
        results = {(one["method"], one["subject"]): one for one in report["results"]}
        self.assertEqual(results["iprev", "192.0.2.1"]["result"], "pass")
        self.assertEqual(results["spf", "mailfrom honest.test"]["result"], "pass")
        self.assertEqual(results["spf", "mailfrom honest.test"]["record"], "v=spf1 ip4:192.0.2.1 -all")
        self.assertEqual(results["dmarc", "honest.test"]["record_name"], "_dmarc.honest.test TXT")
        self.assertTrue(any(one["type"] == "PTR" for one in report["lookups"]))
        self.assertIn("remove Authentication-Results 1", report["changes"])
        self.assertEqual(files(self.folder), before)

    def test_forged_mail_is_refused_in_words(self):
        done = self.verify("198.51.100.7", "eve@evil.test")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.split(":")[0], "reject")
        self.assertIn("DMARC reject", done.stdout)
        self.assertIn("v=DMARC1; p=reject", done.stdout)

    def test_the_null_sender(self):
        done = self.verify("192.0.2.1", "")
        self.assertTrue(done.stdout.startswith("accept"), done.stdout + done.stderr)

    def test_what_is_wrong_is_said(self):
        self.assertEqual(self.verify("192.0.2.300").returncode, 64)
        self.message = os.path.join(self.folder, "nothing.eml")
        done = self.verify("192.0.2.1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("nothing.eml", done.stderr)

    def dmarc(self, domain, *more):
        return self.postern("dmarc", "--from", domain, "--resolver", self.server.address, *more)

    def test_dmarc_discovery(self):
        done = self.dmarc("honest.test")
        self.assertEqual(done.stdout.split()[0], "reject", done.stderr)
        self.assertEqual(self.dmarc("mail.honest.test").stdout.split()[0], "quarantine")
        self.assertEqual(self.dmarc("none.test").stdout.split()[0], "no-record")
        self.assertEqual(self.dmarc("slow.test", "--timeout", "2").stdout.split()[0], "temperror")
        report = json.loads(self.dmarc("mail.honest.test", "--json").stdout)
        self.assertEqual([step["name"] for step in report["walk"]], ["_dmarc.mail.honest.test", "_dmarc.honest.test", "_dmarc.test"])
        self.assertEqual((report["tag"], report["organizational_domain"]), ("sp", "honest.test"))

    def test_dmarc_without_rows(self):
        done = self.postern("dmarc", "--config", self.config)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("no evaluated messages", done.stdout)


if __name__ == "__main__":
    unittest.main()

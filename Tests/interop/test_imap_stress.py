"""Twenty connections at once on three mailboxes, every response checked: see imap_stress.py. LONG=1 runs it for a minute."""

import os
import random
import subprocess
import unittest

import gateway
import imap_stress

SECONDS = 60 if os.environ.get("LONG") == "1" else 6


class Stress(unittest.TestCase):
    def test_no_inconsistency(self):
        with gateway.Server() as server:
            options = imap_stress.arguments([
                "--port", str(server.ports["imaps"]), "--ssl", os.path.join(server.folder, "cert.pem"), "--user", gateway.ACCOUNTS[0][0],
                "--password", gateway.ACCOUNTS[0][1], "--seconds", str(SECONDS), "--seed", os.environ.get("SEED", str(random.randrange(1 << 30)))])
            shared = imap_stress.run(options)
            text = "\n".join("\n".join([wrong, *(line.decode(errors="replace") for line in log)]) for wrong, log in shared.wrongs)
            self.assertFalse(shared.wrongs, f"seed {options.seed}\n{text}\n{server.process.output()[-2000:]}")
            total = sum(shared.counts.values())
            self.assertGreater(total, 200, "it hardly did anything")
            print(f"{total} commands in {SECONDS} s ", end="")
            # The folders on disk are whole afterwards.
            done = subprocess.run([gateway.binary("postern"), "check", "--config", server.config], capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

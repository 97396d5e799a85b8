"""The published RFC 7208 suite against `postern spf`, each scenario's zone served over real DNS on loopback."""

import concurrent.futures
import json
import os
import subprocess
import time
import unittest

import gateway
import zoneserver

HERE = os.path.dirname(os.path.abspath(__file__))
SUITE = os.path.join(HERE, "..", "SPFTests", "Resources", "rfc7208-tests.json")
WORKERS = 8
TIMEOUT = 4


def run(test, server, *more):
    """Runs one case. Returns the outcome as JSON, and the seconds it took."""
    command = [gateway.binary("postern"), "spf", "--ip", test["host"], "--helo", test["helo"], "--sender", test["mailfrom"],
               "--resolver", server.address, "--timeout", str(TIMEOUT), *more]
    begun = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return done, time.monotonic() - begun


class PublishedSuite(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(SUITE, encoding="utf-8") as file:
            cls.scenarios = json.load(file)["scenarios"]
        cls.servers = [zoneserver.ZoneServer(zoneserver.Zone(s["zone"], s["timeouts"])) for s in cls.scenarios]

    @classmethod
    def tearDownClass(cls):
        for server in cls.servers:
            server.close()

    def cases(self):
        return [(s, server, test) for s, server in zip(self.scenarios, self.servers) for test in s["tests"]]

    def test_every_case_gives_its_result_and_explanation(self):
        cases = self.cases()
        self.assertEqual(len(cases), 203)
        begun = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            runs = list(pool.map(lambda case: run(case[2], case[1], "--json"), cases))
        wrong = []
        for (scenario, _, test), (done, seconds) in zip(cases, runs):
            name = f"{scenario['description']} / {test['name']} (RFC 7208 section {test['spec']})"
            if done.returncode != 0:
                wrong.append(f"{name}: exit {done.returncode}: {done.stderr.strip()}")
                continue
            found = json.loads(done.stdout)
            wanted = test.get("explanation")
            wanted = None if wanted == "DEFAULT" else wanted
            if found["result"] not in test["results"]:
                wrong.append(f"{name}: {found['result']}, not {test['results']}: {found['reason']}")
            elif "explanation" in test and found.get("explanation") != wanted:
                wrong.append(f"{name}: explanation {found.get('explanation')!r}, not {wanted!r}")
            elif seconds > TIMEOUT + 3:
                wrong.append(f"{name}: took {seconds:.1f} s")
        self.assertEqual(wrong, [], "\n" + "\n".join(wrong))
        self.assertLess(time.monotonic() - begun, 60)

    def test_the_first_words_are_the_result_and_the_mechanism(self):
        server = zoneserver.ZoneServer(zoneserver.Zone(
            ['example.com. TXT "v=spf1 ip4:192.0.2.0/24 -all exp=why.example.com"',
             'why.example.com. TXT "%{i} may not send for %{d}"',
             'mail.example.com. TXT "v=spf1 a ~all"', 'mail.example.com. A 192.0.2.9']))
        try:
            base = {"helo": "mail.example.com", "mailfrom": "alice@example.com"}
            done, _ = run(base | {"host": "192.0.2.1"}, server)
            self.assertEqual(done.stdout.split()[:2], ["pass", "ip4:192.0.2.0/24"])
            done, _ = run(base | {"host": "198.51.100.1"}, server, "--explain")
            self.assertEqual(done.stdout.split()[:2], ["fail", "-all"])
            self.assertIn("198.51.100.1 may not send for example.com", done.stdout)
            self.assertIn("example.com TXT:", done.stdout)
            # The null sender: the HELO name is checked.
            done, _ = run(base | {"host": "::ffff:192.0.2.9", "mailfrom": ""}, server)
            self.assertEqual(done.stdout.split()[:2], ["pass", "a"])
            done, _ = run(base | {"host": "192.0.2.300"}, server)
            self.assertEqual(done.returncode, 64)
        finally:
            server.close()

    def test_a_silent_name_server_is_a_temporary_error_in_time(self):
        server = zoneserver.ZoneServer(zoneserver.Zone([], timeouts=["silent.example"]))
        try:
            done, seconds = run({"host": "192.0.2.1", "helo": "x.example", "mailfrom": "a@silent.example"}, server)
            self.assertEqual(done.stdout.split()[0], "temperror")
            self.assertLess(seconds, TIMEOUT + 2)
        finally:
            server.close()


if __name__ == "__main__":
    unittest.main()

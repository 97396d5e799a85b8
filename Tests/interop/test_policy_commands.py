"""`postern policy test` and `postern policy check`: what they print, their JSON and their exit statuses."""

import glob
import json
import os
import shutil
import subprocess
import tempfile
import unittest

import gateway

GOOD = '''
stage rcpt
rule "closed" when recipient.detail == "closed"
  then reject 550 "5.1.1" "no such recipient"
stage message
rule "forged" when dmarc.result == fail
  then file into "Junk"

test "forged mail goes to Junk" {
  client 192.0.2.7 name "mx.spam.example"
  sender "a@bank.example"
  dns """
    _dmarc.bank.example TXT "v=DMARC1; p=none"
  """
  expect folder "Junk"
  expect rule "forged"
}
test "a letter does not" {
  expect not rule "forged"
}
'''
CLOSED = '''
test "a closed tag takes no mail" {
  stage rcpt
  given recipient.detail = "closed"
  expect reject 550
}
test "others do" { stage rcpt expect none }
'''
BROKEN = '''stage rcpt
rule "a" when sendr == "x@y.example" then accept
rule "b" then rejct
'''


class PolicyCommands(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def policy(self, *arguments, status=0):
        done = subprocess.run([gateway.binary("postern"), "policy", *arguments], capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def test_the_shipped_rules_and_every_recipe_pass(self):
        recipes = sorted(glob.glob(f"{gateway.ROOT}/policies/cookbook/*.policy"))
        self.assertGreaterEqual(len(recipes), 5)
        done = self.policy("test", f"{gateway.ROOT}/policies", *recipes, "--require-coverage")
        self.assertIn(" 0 failed; ", done.stdout)
        self.assertNotIn("FAILED", done.stdout)
        check = self.policy("check", f"{gateway.ROOT}/policies", *recipes, "--strict")
        self.assertIn("no errors, no warnings", check.stdout)

    def test_a_line_for_each_test_and_a_table_of_rules(self):
        path = self.write("a.policy", GOOD)
        lines = self.policy("test", path).stdout.splitlines()
        self.assertEqual(lines[:3], ["ok      forged mail goes to Junk", "ok      a letter does not", ""])
        self.assertEqual(lines[3], "matched asked stage   rule   where")
        self.assertEqual(lines[4], f"0       2     rcpt    closed {path}:3  <- no test makes it match")
        self.assertEqual(lines[5], f"1       2     message forged {path}:6")
        self.assertEqual(lines[-1], "2 passed, 0 failed; 1 of 2 rules matched in a test")

    def test_coverage_and_mutations_can_be_demanded(self):
        path = self.write("a.policy", GOOD)
        self.policy("test", path, "--require-coverage", status=1)
        done = self.policy("test", path, "--mutate", status=1)
        self.assertIn(f'unnoticed: rule "closed" at {path}:3: no test fails without it', done.stdout)
        self.write("a.policy", GOOD + CLOSED)
        self.policy("test", path, "--require-coverage", "--mutate")

    def test_a_failure_says_what_was_expected_what_came_and_why(self):
        path = self.write("a.policy", GOOD.replace('expect folder "Junk"', 'expect folder "Spam"'))
        done = self.policy("test", path, status=1)
        self.assertIn(f"FAILED  forged mail goes to Junk ({path}:9)", done.stdout)
        self.assertIn(f'{path}:15: expected folder "Spam", got "Junk"', done.stdout)
        self.assertIn(f'matched "forged" at {path}:6: dmarc.result = fail', done.stdout)
        report = json.loads(self.policy("test", path, "--json", status=1).stdout)
        self.assertEqual((report["passed"], report["failed"], report["uncovered"]), (1, 1, 1))
        test = report["sets"][0]["tests"][0]
        self.assertEqual((test["file"], test["line"], test["passed"]), (path, 9, False))
        self.assertEqual(test["failures"], [{"line": 15, "message": 'expected folder "Spam", got "Junk"'}])
        self.assertEqual(test["matched"], [{"rule": "forged", "file": path, "line": 6, "saw": ["dmarc.result = fail"]}])
        self.assertEqual(report["sets"][0]["coverage"][0], {"rule": "closed", "file": path, "line": 3, "stage": "rcpt", "asked": 2, "matched": 0})
        # Only the failing test is left out by its name.
        self.policy("test", path, "--filter", "LETTER")

    def test_a_broken_file_is_status_2_with_places(self):
        path, good = self.write("bad.policy", BROKEN), self.write("good.policy", GOOD)
        done = self.policy("test", path, good, status=2)
        self.assertIn(f"{path}:2:15: error: there is no name 'sendr'", done.stdout)
        self.assertIn("fix: did you mean sender?", done.stdout)
        self.assertIn("2 passed, 0 failed", done.stdout)
        done = self.policy("check", path, status=2)
        self.assertIn("2 errors", done.stdout)
        report = json.loads(self.policy("check", path, good, "--json", status=2).stdout)
        self.assertEqual((report["errors"], report["warnings"]), (2, 0))
        # A word that is no action is found while reading, a name that is not while checking.
        by_line = {one["line"]: one for one in report["diagnostics"]}
        self.assertEqual(by_line[2], {"file": path, "line": 2, "column": 15, "length": 5, "severity": "error",
                                      "message": "there is no name 'sendr'", "fix": "did you mean sender?"})
        self.assertEqual((by_line[3]["column"], by_line[3]["length"], by_line[3]["fix"]), (15, 5, "did you mean 'reject'?"))

    def test_warnings_count_when_strict(self):
        path = self.write("a.policy", 'stage mail\nrule "all" then accept\nrule "late" when size > 3 then reject\n')
        done = self.policy("check", path)
        self.assertIn(f"{path}:3:1: warning: this rule is never asked", done.stdout)
        report = json.loads(self.policy("check", path, "--json", "--strict", status=1).stdout)
        self.assertEqual([(one["line"], one["severity"]) for one in report["diagnostics"]], [(3, "warning")])

    def test_the_settings_name_the_folder_and_the_delimiter(self):
        self.write("rules/a.policy", 'stage rcpt\nrule "closed" when recipient.detail == "closed" then reject\n'
                   'test "t" { recipient "a-closed@example.org" expect reject }\n')
        self.write("rules/deeper/b.policy", "this is not read")
        config = self.write("postern.toml", f'myhostname = "mx.home.test"\ndata_directory = "{self.folder}"\n'
                            f'policy_directory = "{self.folder}/rules"\nrecipient_delimiter = "-"\n')
        self.assertIn("ok      t", self.policy("test", "--config", config).stdout)
        self.assertIn("1 rule, 1 test: no errors, no warnings", self.policy("check", "--config", config).stdout)

    def test_no_rules_and_no_file_are_status_2(self):
        self.policy("test", os.path.join(self.folder, "nope.policy"), status=2)
        self.policy("check", os.path.join(self.folder, "nope"), status=2)
        self.policy("test", "--config", os.path.join(self.folder, "nope.toml"), status=2)
        self.policy("test", "--nonsense", status=64)


if __name__ == "__main__":
    unittest.main()

"""Runs the interop tests and ends with one line: `N passed, N failed`.

    run.py [MODULE…]      modules without their `test_`; all of them by default

A test that skips itself counts as failed: these tests need nothing that contrib/test does not install.
"""

import os
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)


class Result(unittest.TextTestResult):
    """Says how long each test took, so that a slow one is seen."""

    def startTest(self, test):
        self.begun = time.monotonic()
        super().startTest(test)

    def addSuccess(self, test):
        self.passed = getattr(self, "passed", 0) + 1
        self.stream.write(f"({time.monotonic() - self.begun:.1f} s) ")
        super().addSuccess(test)


def main(names):
    loader = unittest.TestLoader()
    if names:
        suite = loader.loadTestsFromNames([f"test_{name}" for name in names])
    else:
        suite = loader.discover(HERE, pattern="test_*.py", top_level_dir=HERE)
    # A module that imports another's cases must not run them twice.
    suite = unittest.TestSuite(unique(suite, set()))
    total = suite.countTestCases()
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Result).run(suite)
    for test, reason in result.skipped:
        print(f"SKIPPED, which counts as failed: {test}: {reason}")
    passed = getattr(result, "passed", 0)
    # A class whose set-up fails runs none of its tests: they have not passed. A class's clean-up may fail after all passed.
    failed = max(total - passed, len(result.errors) + len(result.failures))
    print(f"{passed} passed, {failed} failed", flush=True)
    return 0 if failed == 0 and total > 0 else 1


def unique(suite, seen):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from unique(item, seen)
        elif item.id() not in seen:
            seen.add(item.id())
            yield item


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

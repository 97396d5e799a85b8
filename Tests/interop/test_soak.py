"""A short soak; contrib/soak is the long one."""

import unittest

import soak


class Soaking(unittest.TestCase):
    def test_the_server_gets_its_idle_size_back(self):
        lines = []
        done, work = soak.run(15, 600, lines.append)
        self.assertEqual(done.problems, [], "\n".join(lines))
        self.assertGreaterEqual(work["abandoned"], 600)

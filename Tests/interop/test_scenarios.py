"""The conversations of `scenarios/` on three roads: through the filter chain in process, with our SMTP port, and with a real
Postfix that has us as its milter. The replies and envelopes are the same, and what is delivered is equal but for trace
fields (scenario.TRACE)."""

import glob
import os
import unittest

import gateway
import scenario
from postfix import Postfix
from test_milter_protocol import Fixture


class Scenarios(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        fixture = Fixture()
        cls.addClassCleanup(fixture.process.communicate, timeout=20)
        cls.addClassCleanup(fixture.process.kill)
        cls.roads = {}
        for filters, link in (("script", f"inet:127.0.0.1:{fixture.port}"), ("builtin", "builtin")):
            ours = scenario.Ours(link)
            ours.overrides.update(zone_file=os.path.join(scenario.HERE, "zone"), policy_dir=os.path.join(gateway.ROOT, "policies"))
            cls.enterClassContext(ours)
            milter = f"inet:localhost:{fixture.port if filters == 'script' else ours.ports['milter']}"
            postfix = cls.enterClassContext(Postfix(milter, ["local.example"], settings=("recipient_delimiter = +",)))
            cls.roads[filters] = {"our SMTP port": ours, "Postfix": scenario.Theirs(postfix), "in process": scenario.InProcess(ours.config)}

    def test_all(self):
        paths = sorted(glob.glob(os.path.join(scenario.HERE, "*.txt")))
        self.assertGreater(len(paths), 30)
        for path in paths:
            with self.subTest(os.path.basename(path)):
                self.replay(scenario.Scenario(path))

    def replay(self, talk):
        wanted = sorted([(False, recipient) for recipient in talk.deliveries] + [(True, recipient) for recipient in talk.held])
        carried = {}
        for name, road in self.roads[talk.filters].items():
            if name == "Postfix" and talk.not_on_postfix:
                continue
            try:
                carried[name] = sorted(road.carry(talk), key=lambda mail: mail.order)
            except AssertionError as error:
                raise AssertionError(f"{name}: {error}") from None
        model = "our SMTP port" if talk.not_on_postfix else "Postfix"
        for name, mails in carried.items():
            self.assertEqual(sorted((mail.held, mail.recipient) for mail in mails), wanted, name)
            self.assertEqual([mail.facts() for mail in mails], [mail.facts() for mail in carried[model]], f"{name} and {model}")

    def tearDown(self):
        # A message that should not have come would come before this one.
        for roads in self.roads.values():
            postfix = roads["Postfix"].postfix
            with postfix.client("198.51.100.7", "name.example") as smtp:
                smtp.sendmail("a@sender.example", ["bob@local.example"], "Subject: last\r\n\r\nx\r\n")
            self.assertEqual([mail.fields("Subject") for mail in postfix.delivered()], [["last"]])
            self.assertEqual(postfix.held(), [])
            self.assertEqual(roads["our SMTP port"].taken(), [])


if __name__ == "__main__":
    unittest.main()

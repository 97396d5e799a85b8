"""The tag ledger's traps, each over our SMTP port and through a real Postfix with us as its milter, with signed mail and
records in the DNS; and the commands beside a running server."""

import json
import os
import pwd
import smtplib
import unittest

import gateway
from sink import Sink
from tagroads import (FORWARDER, LIST, MAILER, NOBODY, QUIET, SHOP, SPAM, ZONE, BehindPostfix, Gateway, Keys, Letter, OwnPort, read)

LIST_FIELDS = [("List-Id", "Talk <talk.lists.example>"), ("List-Post", "<mailto:talk@lists.example>")]
RULES = """\
stage message
rule "the university forwards" when header["X-University"] != missing then exempt tag "forwarded by the university"
"""


class Traps:
    """Run once for each road."""

    @classmethod
    def setUpClass(cls):
        cls.keys = Keys()
        cls.server = cls.enterClassContext(Gateway(ZONE + cls.keys.zone))
        cls.server.rules(RULES)
        cls.server.kill()
        cls.server.start()
        cls.road = cls.enterClassContext(cls.way(cls.server))

    def send(self, tag, letter=None, client=SHOP, sender="bounce@shop.example", sign=(), alone=True):
        """To alice+tag, and what alice gets."""
        letter = letter or Letter()
        octets = letter.octets
        for domain in sign:
            octets = self.keys.sign(octets, domain)
        recipients = [f"alice{tag}@local.example" if tag[0] in "+-" else tag] + ([] if alone else ["bob@local.example"])
        with self.road.client(client) as smtp:
            smtp.sendmail(sender, recipients, octets)
        copy = read(self.server, letter.subject)
        self.letter = letter
        return copy

    def status(self, *arguments, **options):
        return self.send(*arguments, **options).status

    def spam(self, tag, **options):
        return self.send(tag, Letter("win@spam.example"), client=SPAM, sender="x@spam.example", **options)

    def assert_refused_as_unknown(self, refusal, address):
        """To the letter as the server refuses an address that nobody has: the sender learns nothing of the ledger."""
        self.assertEqual(refusal.recipients, {address: (550, f"5.1.1 <{address}>: Recipient address rejected: User unknown".encode())})

    def tag(self, *arguments):
        status, output = self.server.postern("tag", *arguments)
        self.assertEqual(status, 0, output)
        return output.strip()

    def owners(self, tag):
        return [owner["domain"] for owner in self.server.show(f"alice{tag}@local.example")["owners"]]

    def leaks(self, tag):
        """Who is shown to have used it, with the message ids, once the server has written its counters."""
        return {leak["used_by"]: leak["message_ids"] for leak in self.server.leaks(f"alice{tag}@local.example")}

    def wait_leaks(self, tag, expected):
        gateway.wait_until(lambda: self.leaks(tag) == expected, 20, lambda: f"{self.leaks(tag)} instead of {expected}")

    # Who owns, and who leaks

    def test_the_first_owns_and_another_leaks(self):
        self.assertEqual(self.status("+first", sign=["shop.example"]), "new")
        self.assertEqual(self.status("+first"), "match")
        copy = self.spam("+first")
        self.assertEqual(copy.header, ["leaked; tag=first; by=spam.example; owner=shop.example"])
        self.assertIn("$Leaked", copy.flags)
        self.wait_leaks("+first", {"spam.example": [self.letter.id]})

    def test_a_stranger_who_writes_first(self):
        self.assertEqual(self.spam("+poison").status, "new")
        poison = self.letter.id
        self.assertEqual(self.status("+poison"), "leaked")
        self.tag("confirm", "alice+poison@local.example", "shop.example")
        self.assertEqual(self.status("+poison"), "match")
        self.assertEqual(self.spam("+poison").status, "leaked")
        self.wait_leaks("+poison", {"spam.example": [poison, self.letter.id]})

    def test_a_refused_stranger_never_owns(self):
        self.assertEqual(self.spam("+refuse").status, "new")
        self.tag("refuse", "alice+refuse@local.example", "spam.example")
        self.assertEqual(self.spam("+refuse").status, "leaked")
        self.assertEqual(self.status("+refuse"), "new")

    def test_a_declared_or_minted_tag_cannot_be_poisoned(self):
        self.tag("allow", "alice+bank@local.example", "shop.example")
        self.assertEqual(self.spam("+bank").status, "leaked")
        minted = self.tag("mint", "shop.example", "--for", "alice@local.example")
        self.assertRegex(minted, r"^alice\+shop-([a-hjkmnp-z][2-9]){3}@local\.example$")
        self.assertEqual(self.spam(minted).status, "leaked")
        self.assertEqual(self.status(minted), "match")

    def test_an_unauthenticated_or_forged_sender(self):
        self.assertEqual(self.status("+forged", client=NOBODY), "unverified")
        self.assertIsNone(self.server.show("alice+forged@local.example"))
        self.assertEqual(self.status("+forged"), "new")
        self.assertEqual(self.status("+forged", client=NOBODY), "unverified")
        # A signature that is broken proves nothing.
        letter = Letter("win@spam.example")
        letter.octets = self.keys.sign(letter.octets, "spam.example").replace(b"hello", b"hullo")
        self.assertEqual(self.status("+forged", letter, client=NOBODY, sender="x@nobody.example"), "unverified")
        self.assertEqual(self.owners("+forged"), ["shop.example"])
        self.assertEqual(self.leaks("+forged"), {})

    def test_spf_alone_binds_where_it_is_all_there_is(self):
        letter = Letter("hello@quiet.example")
        self.assertEqual(self.status("+quiet", letter, client=QUIET, sender="hello@quiet.example"), "new")
        self.assertEqual(self.owners("+quiet"), ["quiet.example"])

    # In between

    def test_the_shops_mailing_service(self):
        self.assertEqual(self.status("+service"), "new")
        # In the shop's name and signed for it.
        signed = dict(client=MAILER, sender="b@mailer.example", sign=["shop.example", "mailer.example"])
        self.assertEqual(self.status("+service", **signed), "match")
        # In the shop's name, signed for the service alone: no proof either way, until it is allowed.
        unsigned = dict(client=MAILER, sender="b@mailer.example", sign=["mailer.example"])
        self.assertEqual(self.status("+service", **unsigned), "unverified")
        self.tag("allow", "alice+service@local.example", "mailer.example")
        self.assertEqual(self.status("+service", **unsigned), "match")
        # The service's other customers are strangers.
        customer = dict(client=MAILER, sender="b@mailer.example", sign=["spam.example", "mailer.example"])
        self.assertEqual(self.status("+service", Letter("win@spam.example"), **customer), "leaked")
        self.wait_leaks("+service", {"spam.example": [self.letter.id]})

    def test_a_forwarder(self):
        forwarded = dict(client=FORWARDER, sender="SRS0=xyz=ab=shop.example=bounce@university.example")
        # The forwarder alone is authenticated: it neither owns nor leaks.
        self.assertEqual(self.status("+forward", **forwarded), "unverified")
        self.assertIsNone(self.server.show("alice+forward@local.example"))
        self.assertEqual(self.status("+forward", sign=["shop.example"], **forwarded), "new")
        self.assertEqual(self.owners("+forward"), ["shop.example"])
        self.assertEqual(self.status("+forward", sign=["shop.example"], **forwarded), "match")
        self.assertEqual(self.status("+forward", **forwarded), "unverified")
        # A forwarder that leaves no sign of itself but the shop's name.
        self.assertEqual(self.status("+forward", client=FORWARDER, sender="relay@university.example"), "unverified")
        self.assertEqual(self.status("+forward", Letter("a@spam.example"), sign=["spam.example"], **forwarded), "unverified")
        self.assertEqual(self.leaks("+forward"), {})

    def test_a_tag_that_was_given_to_a_forwarder(self):
        self.tag("allow", "alice+uni@local.example", "university.example")
        forwarded = dict(client=FORWARDER, sender="SRS0=xyz=ab=spam.example=a@university.example", sign=["spam.example"])
        self.assertEqual(self.status("+uni", Letter("a@spam.example"), **forwarded), "match")
        self.assertEqual(self.spam("+uni").status, "leaked")

    def test_a_mailing_list(self):
        posted = dict(client=LIST, sender="talk-bounces@lists.example")
        # The shop's mail on a list that breaks its signature.
        self.assertEqual(self.status("+list"), "new")
        self.assertEqual(self.status("+list", Letter(more=LIST_FIELDS), sign=["lists.example"], **posted), "unverified")
        self.assertEqual(self.status("+list", Letter(more=LIST_FIELDS), sign=["shop.example", "lists.example"], **posted), "match")
        self.assertEqual(self.owners("+list"), ["shop.example"])
        self.assertEqual(self.leaks("+list"), {})

    def test_a_tag_that_was_given_to_a_mailing_list(self):
        posted = dict(client=LIST, sender="talk-bounces@lists.example", sign=["spam.example"])
        self.assertEqual(self.status("+talk", Letter("ann@spam.example", more=LIST_FIELDS), **posted), "new")
        self.assertEqual(self.owners("+talk"), ["lists.example"])
        self.assertEqual(self.status("+talk", Letter("ann@shop.example", more=LIST_FIELDS), **posted), "match")
        self.assertEqual(self.spam("+talk").status, "leaked")

    def test_a_newsletter_is_no_mailing_list(self):
        self.assertEqual(self.status("+news"), "new")
        letter = Letter("win@spam.example", more=[("List-Id", "<news.spam.example>"), ("List-Post", "NO")])
        self.assertEqual(self.status("+news", letter, client=SPAM, sender="x@spam.example"), "leaked")

    def test_a_rule_exempts(self):
        self.assertEqual(self.status("+exempt"), "new")
        letter = Letter("win@spam.example", more=[("X-University", "yes")])
        copy = self.send("+exempt", letter, client=SPAM, sender="x@spam.example")
        self.assertEqual(copy.status, "unverified")
        self.assertNotIn("$Leaked", copy.flags)
        self.assertEqual(self.leaks("+exempt"), {})

    # Addresses

    def test_a_guessed_tag(self):
        minted = self.tag("mint", "shop.example", "--for", "alice@local.example", "--label", "guess")
        check = minted[len("alice+guess-"):].partition("@")[0]
        wrong = minted.replace(check, check[:-1] + ("2" if check[-1] != "2" else "3"))
        with self.assertRaises(smtplib.SMTPRecipientsRefused) as caught:
            self.spam(wrong)
        self.assert_refused_as_unknown(caught.exception, wrong)

    def test_several_delimiters_and_cases_are_one_tag(self):
        self.assertEqual(self.status("+delim"), "new")
        self.assertEqual(self.status("-delim"), "match")
        self.assertEqual(self.status("Alice-Delim@local.example"), "match")
        self.assertEqual(self.spam("-DELIM").status, "leaked")
        self.wait_leaks("+delim", {"spam.example": [self.letter.id]})

    def test_a_catch_all(self):
        self.assertEqual(self.status("shop-7@all.example"), "new")
        self.assertEqual(self.status("Shop-7@all.example"), "match")
        self.assertEqual(self.send("shop-8@all.example", Letter("win@spam.example"), client=SPAM, sender="x@spam.example").status, "new")
        copy = self.send("shop-7@all.example", Letter("win@spam.example"), client=SPAM, sender="x@spam.example")
        self.assertEqual(copy.status, "leaked")
        self.assertIn("$Leaked", copy.flags)
        self.assertEqual(self.server.show("shop-7@all.example")["owners"][0]["domain"], "shop.example")
        minted = self.tag("mint", "shop.example", "--for", "@all.example", "--label", "catch")
        self.assertRegex(minted, r"^catch-\w{6}@all\.example$")
        self.assertEqual(self.status(minted), "match")

    def test_an_alias_that_leads_to_a_tagged_address(self):
        # The client said the alias, whose tag nobody was given.
        self.assertIsNone(self.status("sales@local.example"))
        self.assertIsNone(self.send("sales@local.example", Letter("win@spam.example"), client=SPAM, sender="x@spam.example").status)
        self.assertEqual(self.status("+sales"), "new")
        self.assertEqual(self.spam("+sales").status, "leaked")

    def test_a_tag_of_an_alias(self):
        self.assertEqual(self.status("orders+a1@local.example"), "new")
        self.assertEqual(self.send("orders+a1@local.example", Letter("win@spam.example"), client=SPAM, sender="x@spam.example").status, "leaked")
        self.assertEqual(self.server.show("orders+a1@local.example")["owners"][0]["domain"], "shop.example")

    def test_a_block_holds_for_the_next_message(self):
        self.assertEqual(self.status("+block"), "new")
        for _ in range(3):
            self.tag("block", "alice+block@local.example")
            with self.assertRaises(smtplib.SMTPRecipientsRefused) as caught:
                self.send("+block")
            self.assert_refused_as_unknown(caught.exception, "alice+block@local.example")
            self.tag("unblock", "alice+block@local.example")
            self.assertEqual(self.status("+block"), "match")

    def test_a_revoked_tag(self):
        self.tag("allow", "alice+revoked@local.example", "shop.example")
        self.tag("revoke", "alice+revoked@local.example")
        with self.assertRaises(smtplib.SMTPRecipientsRefused) as caught:
            self.send("+revoked")
        self.assert_refused_as_unknown(caught.exception, "alice+revoked@local.example")

    # Privacy

    def test_forged_fields_are_removed(self):
        forged = [("X-Postern-Tag", "match; tag=forge; owner=spam.example"), ("Authentication-Results", "mail.local.example; x-postern-tag=match"),
                  ("X-POSTERN-TAG", "match")]
        self.assertEqual(self.status("+forge", Letter(more=forged)), "new")
        copy = self.send("alice@local.example", Letter(more=forged))
        self.assertIsNone(copy.status)

    def test_others_do_not_learn_whose_tag_it_is(self):
        self.assertEqual(self.status("+private"), "new")
        copy = self.spam("+private", alone=False)
        self.assertEqual(copy.header, ["leaked"])
        other = read(self.server, self.letter.subject, account=1)
        for word in (b"; tag", b"owner", b"shop.example"):
            self.assertNotIn(word, other.octets.partition(b"\r\n\r\n")[0])
        self.assertNotIn("$Leaked", other.flags)
        self.assertIn("$Leaked", copy.flags)


class OverSMTP(Traps, unittest.TestCase):
    way = OwnPort

    def test_an_unknown_address_is_refused_in_the_words_of_a_hidden_tag(self):
        with self.assertRaises(smtplib.SMTPRecipientsRefused) as caught:
            self.send("nobody@local.example")
        self.assert_refused_as_unknown(caught.exception, "nobody@local.example")

    def test_what_an_alias_sends_on_bears_no_word_of_it(self):
        with Sink(self.server.values["relay_port"]) as far:
            self.assertEqual(self.send("both+out@local.example").header, ["new; tag=out; owner=shop.example"])
            gateway.wait_until(lambda: far.count(self.letter.subject) == 1, 30, self.road.log)
            content = far.messages[-1][2]
            self.assertNotIn(b"postern-tag", content.lower())
            self.assertIn(b"spf=pass", content)


class ThroughPostfix(Traps, unittest.TestCase):
    way = BehindPostfix


class Commands(unittest.TestCase):
    """Without a server: as little is needed to look after the tags."""

    @classmethod
    def setUpClass(cls):
        cls.server = Gateway(ZONE)
        cls.enterClassContext(cls.server)

    def run_tag(self, *arguments):
        return self.server.postern("tag", *arguments)

    def test_the_life_of_a_tag(self):
        minted = self.run_tag("mint", "www.shop.example", "--for", "bob@local.example", "--label", "life")[1].strip()
        self.assertRegex(minted, r"^bob\+life-\w{6}@local\.example$")
        self.assertEqual(self.run_tag("mint", "www.shop.example", "--for", "bob@local.example", "--label", "life")[1].strip(), minted)
        shown = self.server.show(minted)
        self.assertEqual((shown["minted"], shown["state"], shown["owners"][0]["origin"]), (True, "open", "declared"))
        for word, state in (("block", "blocked"), ("unblock", "open"), ("revoke", "revoked")):
            self.assertEqual(self.run_tag(word, minted)[0], 0)
            self.assertEqual(self.server.show(minted)["state"], state)
        self.assertEqual(self.run_tag("mint", "shop.example", "--for", "bob@local.example", "--label", "life")[0], 1)
        listed = json.loads(self.run_tag("list", "--for", "bob@local.example", "--json")[1])
        self.assertEqual([one["address"] for one in listed], [minted])
        self.assertIn(minted, self.run_tag("list")[1])
        self.assertEqual(self.run_tag("forget", minted)[0], 0)
        self.assertIsNone(self.server.show(minted))

    def test_root_becomes_the_user_of_the_settings(self):
        with gateway.temporary_folder() as folder:
            os.chmod(folder, 0o755)
            config = f"{folder}/postern.toml"
            with open(config, "w") as file:
                file.write(f'myhostname = "mail.local.example"\nmydestination = ["local.example"]\ndata_directory = "{folder}/data"\nuser = "nobody"\n')
            gateway.add_account(config, "alice@local.example", "correct horse")
            status, output = gateway.run_to_end("tag", "mint", "shop.example", "--config", config)
            self.assertEqual(status, 0, output)
            self.assertRegex(output.strip(), r"^alice\+shop-\w{6}@local\.example$")
            owners = {name: os.stat(f"{folder}/data/{name}").st_uid for name in ("tags.sqlite", "tag-minting.key")}
            nobody = pwd.getpwnam("nobody").pw_uid
            self.assertEqual(owners, {"tags.sqlite": nobody, "tag-minting.key": nobody})

    def test_errors_help(self):
        self.run_tag("allow", "alice+bookshop@local.example", "shop.example")
        for arguments, hint in ((("show", "alice+bokshop@local.example"), "did you mean alice+bookshop@local.example?"),
                                (("block", "alice@local.example"), None), (("show", "alice@local.example"), "write it with one, such as alice+shop@local.example"),
                                (("disallow", "alice+bookshop@local.example", "other.example"), "its owners: shop.example"),
                                (("mint", "shop.example"), "say --for ADDRESS"), (("mint", "shop.example", "--for", "eve@local.example"), "eve@local.example"),
                                (("confirm", "nonsense"), "is not an address")):
            with self.subTest(arguments=arguments):
                status, output = self.run_tag(*arguments)
                self.assertEqual(status, 1, output)
                if hint:
                    self.assertIn(hint, output)
        self.assertEqual(self.run_tag("allow", "alice+x@local.example", "no domain")[0], 64)


if __name__ == "__main__":
    unittest.main()

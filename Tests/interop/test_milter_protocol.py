"""MilterServer spoken to octet by octet, as an MTA does. Runs milter-fixture: the real listener with scripted filters."""

import grp
import os
import select
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

import gateway
import miltercodec as mc
from miltercodec import Milter


class Fixture:
    """A milter-fixture process."""

    def __init__(self, *options, spec=None, prefix=()):
        """`prefix`: what the command line begins with."""
        self.port = gateway.free_port()
        self.address = ("127.0.0.1", self.port)
        self.process = subprocess.Popen(
            [*prefix, gateway.binary("milter-fixture"), spec or f"inet:{self.port}@localhost", *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.said = self.process.stdout.readline().strip()

    def stop(self):
        """Its last words and exit status."""
        out, _ = self.process.communicate(timeout=20)
        return out.strip(), self.process.returncode

    def mta(self, **negotiation):
        return Milter.connect(self.address).negotiate(**negotiation)


class ProtocolCase(unittest.TestCase):
    options = ()

    @classmethod
    def setUpClass(cls):
        cls.fixture = Fixture(*cls.options)
        if cls.fixture.said != "ready":
            cls.fixture.process.kill()
            cls.fixture.process.communicate()
            raise RuntimeError(f"milter-fixture did not start: {cls.fixture.said}")

    @classmethod
    def tearDownClass(cls):
        # Listening tests the orderly end.
        cls.fixture.process.kill()
        cls.fixture.process.communicate(timeout=20)

    def mta(self, **negotiation):
        mta = self.fixture.mta(**negotiation)
        self.addCleanup(mta.quit)
        return mta

    def facts(self, name, mta=None, **message):
        """What the filters see of `name`, told by an added X-Facts field."""
        answer = (mta or self.mta().open()).message([("X-Tell", " " + name)], **message)
        self.assertEqual(answer.kind, "continue", answer)
        return [change[2].strip() for change in answer.changes if change[:2] == ("addheader", "X-Facts")][0]

    def do(self, *commands, headers=(), **message):
        """Runs modification commands; the changes the MTA is asked for."""
        fields = list(headers) + [("X-Do", " " + command) for command in commands]
        answer = self.mta().open().message(fields, **message)
        self.assertEqual(answer.kind, "continue", answer)
        return answer.changes


class Negotiation(ProtocolCase):
    def test_asks_for_version_6_and_what_the_chain_needs(self):
        mta = self.mta()
        self.assertEqual(mta.version, 6)
        for wanted in (mc.NR_HDR, mc.NOUNKNOWN, mc.NOEOH, mc.HDR_LEADSPC):
            self.assertTrue(mta.steps & wanted, hex(mta.steps))
        for unwanted in (mc.NOCONNECT, mc.NOHELO, mc.NOMAIL, mc.NORCPT, mc.NOBODY, mc.NOHDRS, mc.NODATA,
                         mc.NR_CONN, mc.NR_HELO, mc.NR_MAIL, mc.NR_RCPT, mc.NR_DATA, mc.RCPT_REJ):
            self.assertFalse(mta.steps & unwanted, hex(mta.steps))
        self.assertEqual(mta.actions, mc.ALL_ACTIONS)

    def test_asks_for_macros_by_name(self):
        wanted = self.mta().macros_wanted
        for name in ("j", "{daemon_name}", "{client_addr}", "{client_name}"):
            self.assertIn(name, wanted["connect"])
        self.assertLessEqual({"{tls_version}", "{cipher}", "{cipher_bits}"}, set(wanted["helo"]))
        self.assertLessEqual({"i", "{auth_type}", "{auth_authen}"}, set(wanted["mail"]))
        self.assertIn("i", wanted["eom"])

    def test_an_mta_of_version_2_is_served(self):
        mta = self.mta(version=2, actions=0x3F, steps=0x7F)
        self.assertEqual((mta.version, mta.actions, mta.steps & ~0x7F), (2, 0x3F, 0))
        # No leading blank is kept on either side: the field comes out as it went in.
        changes = mta.open().message([("X-Do", " add X-New value")]).changes
        self.assertEqual(changes, [("addheader", "X-New", "value")])

    def test_without_setsymlist_no_macros_are_asked(self):
        self.assertEqual(self.mta(actions=mc.ALL_ACTIONS & ~mc.SETSYMLIST).macros_wanted, {})

    def test_short_negotiation_ends_the_connection(self):
        mta = Milter.connect(self.fixture.address)
        self.addCleanup(mta.quit)
        mta.send(b"O", b"\0\0")
        with self.assertRaises(EOFError):
            mta.receive()


class NegotiationOfFewStages(ProtocolCase):
    options = ("--stages", "rcpt")

    def test_body_is_skipped_and_silent_stages_are_not_answered(self):
        mta = self.mta()
        for wanted in (mc.NOBODY, mc.NOHDRS, mc.NODATA, mc.NR_CONN, mc.NR_HELO, mc.NR_MAIL):
            self.assertTrue(mta.steps & wanted, hex(mta.steps))
        self.assertFalse(mta.steps & (mc.NORCPT | mc.NR_RCPT | mc.NOMAIL), hex(mta.steps))
        self.assertEqual(mta.actions, mc.SETSYMLIST)
        self.assertIsNone(mta.connect_event())
        self.assertIsNone(mta.helo())
        self.assertIsNone(mta.mail("<reject@example.org>"))
        self.assertEqual(mta.rcpt("<reject@example.net>").kind, "reply")
        self.assertEqual(mta.rcpt("<fine@example.net>").kind, "continue")
        self.assertEqual(mta.end_of_message().kind, "continue")

    def test_unanswered_stages_are_answered_to_an_mta_that_expects_it(self):
        mta = self.mta(steps=mc.NOBODY | mc.NOHDRS | mc.NOEOH)
        for answer in (mta.connect_event(), mta.helo(), mta.mail(), mta.rcpt()):
            self.assertEqual(answer.kind, "continue")


class Answers(ProtocolCase):
    def test_reply_with_enhanced_code_and_percent_sign(self):
        answer = self.mta().open().mail("<reject@example.org>")
        # Percent signs are doubled on the wire; the MTA undoes it.
        self.assertEqual((answer.kind, answer.text), ("reply", "554 5.7.9 scripted refusal of 100%%"))

    def test_temporary_failure(self):
        self.assertEqual(self.mta().open().mail("<tempfail@example.org>").text, "450 4.7.9 scripted delay")

    def test_multi_line_reply(self):
        self.assertEqual(self.mta().open().mail("<multi@example.org>").text, "550-5.7.1 first line\r\n550 5.7.1 second line")

    def test_refused_connection_and_helo(self):
        self.assertEqual(self.mta().connect_event("reject.example").kind, "reply")
        mta = self.mta()
        mta.connect_event()
        self.assertEqual(mta.helo("tempfail.example").text, "450 4.7.9 scripted delay")

    def test_a_refused_recipient_is_refused_alone(self):
        mta = self.mta().open()
        mta.mail()
        self.assertEqual(mta.rcpt("<reject@example.net>").kind, "reply")
        self.assertEqual(mta.rcpt("<good@example.net>").kind, "continue")
        mta.data()
        mta.header("X-Tell", " envelope")
        answer = mta.end_of_message()
        self.assertEqual(answer.changes[0][2].strip(), "sender@example.org > good@example.net")

    def test_refusal_at_data(self):
        mta = self.mta().open()
        mta.mail()
        mta.rcpt("<nodata@example.net>")
        self.assertEqual(mta.data().text, "554 5.5.1 refused at DATA")

    def test_answers_at_end_of_message(self):
        for word, expected in (("reject", "reply"), ("tempfail", "reply"), ("discard", "discard")):
            with self.subTest(word):
                answer = self.mta().open().message([("X-Do", " add X-Lost 1"), ("X-Do", " " + word)])
                self.assertEqual((answer.kind, answer.changes), (expected, []))

    def test_accept_ends_that_filter_only(self):
        answer = self.mta().open().message([("X-Do", " accept"), ("X-Do", " add X-Not 1"), ("X-Tell", " helo")])
        self.assertEqual(answer.changes, [("addheader", "X-Facts", " client.example")])

    def test_discard_at_recipient_discards_the_message(self):
        mta = self.mta().open()
        mta.mail()
        self.assertEqual(mta.rcpt("<discard@example.net>").kind, "discard")

    def test_a_connection_to_discard_has_each_message_discarded(self):
        mta = self.mta()
        self.assertEqual(mta.connect_event("discard.example").kind, "continue")
        mta.helo()
        self.assertEqual(mta.mail().kind, "discard")
        self.assertEqual(mta.mail().kind, "discard")


class Modifications(ProtocolCase):
    def test_insert_on_top_keeps_the_order_of_the_chain(self):
        changes = self.do("insert 0 X-Second 2", "insert 0 X-First 1")
        self.assertEqual(changes, [("insheader", 0, "X-Second", " 2"), ("insheader", 0, "X-First", " 1")])

    def test_insert_in_the_middle_counts_the_mtas_own_received_field(self):
        changes = self.do("insert 1 X-New 1", headers=[("A", " 1"), ("B", " 2")])
        self.assertEqual(changes, [("insheader", 2, "X-New", " 1")])

    def test_the_right_occurrence_is_changed(self):
        headers = [("Dup", " 1"), ("dup", " 2"), ("DUP", " 3")]
        self.assertEqual(self.do("change Dup 2 new", headers=headers), [("chgheader", 2, "Dup", " new")])

    def test_deleting_the_first_twice_deletes_the_first_two(self):
        headers = [("Dup", " 1"), ("Dup", " 2"), ("Dup", " 3")]
        changes = self.do("delete Dup 1", "delete Dup 1", headers=headers)
        self.assertEqual(changes, [("chgheader", 2, "Dup", ""), ("chgheader", 1, "Dup", "")])

    def test_inserting_above_does_not_shift_a_later_change(self):
        changes = self.do("insert 0 Dup top", "change Dup 2 new", headers=[("Dup", " 1")])
        self.assertEqual(changes, [("chgheader", 1, "Dup", " new"), ("insheader", 0, "Dup", " top")])

    def test_recipients(self):
        changes = self.do("addrcpt new@example.net", "addrcpt p@example.net NOTIFY=NEVER", "delrcpt Old@example.net",
                          recipients=["<Old@Example.NET>", "<other@example.net>"])
        # The removed one is named as the MTA wrote it.
        self.assertEqual(changes, [("addrcpt", "<new@example.net>"), ("addrcpt_par", "<p@example.net>", "NOTIFY=NEVER"),
                                   ("delrcpt", "<Old@Example.NET>")])

    def test_sender(self):
        self.assertEqual(self.do("chgfrom new@example.net"), [("chgfrom", "<new@example.net>")])
        self.assertEqual(self.do("chgfrom new@example.net RET=HDRS"), [("chgfrom", "<new@example.net>", "RET=HDRS")])

    def test_body_the_last_one_counts(self):
        self.assertEqual(self.do("body one", "body two"), [("replacebody", b"two\r\n")])

    def test_large_body_goes_in_pieces(self):
        changes = self.do("bigbody 150000")
        self.assertTrue(all(kind == "replacebody" and len(data) <= 65535 for kind, data in changes))
        self.assertEqual(b"".join(data for _, data in changes), b"x" * 150000)

    def test_quarantine(self):
        self.assertEqual(self.do("quarantine looks odd"), [("quarantine", "looks odd")])

    def test_a_change_the_mta_cannot_make_defers_the_message(self):
        answer = self.mta(actions=mc.ALL_ACTIONS & ~mc.QUARANTINE).open().message([("X-Do", " quarantine why")])
        self.assertEqual((answer.kind, answer.text[:3]), ("reply", "451"))


class Facts(ProtocolCase):
    options = ("--own", "198.51.100.0/24")

    def test_clients_of_each_family(self):
        self.assertEqual(self.facts("client"), "192.0.2.1 4711 client.example")
        v6 = self.mta().open(hostname="unknown", address="2001:db8::7", port=9)
        self.assertEqual(self.facts("client", v6), "2001:db8::7 9 -")
        unix = self.mta().open(hostname="localhost", address="/run/x", port=0, family="L")
        self.assertEqual(self.facts("client", unix), "- - localhost")
        self.assertTrue(self.facts("ours", unix).startswith("true true"))

    def test_a_client_of_unknown_address_is_a_stranger(self):
        mta = self.mta().open(hostname="unknown", family="U")
        self.assertEqual(self.facts("client", mta), "- - -")
        self.assertTrue(self.facts("ours", mta).startswith("false"))

    def test_mail_made_on_the_mtas_machine_is_ours(self):
        # What Postfix's cleanup(8) tells of non_smtpd_milters mail.
        self.assertTrue(self.facts("ours", self.mta().open(hostname="localhost", address="127.0.0.1", port=0)).startswith("true"))
        # A loopback client over SMTP is ours only by the own networks.
        self.assertTrue(self.facts("ours", self.mta().open(hostname="localhost", address="127.0.0.1", port=5)).startswith("false"))

    def test_originating_alone_does_not_make_a_stranger_ours(self):
        macros = {"{daemon_name}": "ORIGINATING"}
        self.assertEqual(self.facts("ours", self.mta().open(macros=macros)), "false false ORIGINATING")
        own = self.mta().open(address="198.51.100.9", macros=macros)
        self.assertEqual(self.facts("ours", own), "true true ORIGINATING")

    def test_authentication(self):
        mta = self.mta().open(macros={"{daemon_name}": "ORIGINATING"})
        auth = {"{auth_type}": "PLAIN", "{auth_authen}": "alice"}
        self.assertEqual(self.facts("auth", mta, macros=auth), "alice PLAIN")
        self.assertTrue(self.facts("ours", mta, macros=auth).startswith("true false"))

    def test_authentication_does_not_outlive_its_macros(self):
        mta = self.mta().open()
        self.facts("auth", mta, macros={"{auth_type}": "PLAIN", "{auth_authen}": "alice"})
        self.assertEqual(self.facts("auth", mta, macros={"i": "Q1"}), "- -")

    def test_tls(self):
        mta = self.mta()
        mta.connect_event()
        mta.helo(macros={"{tls_version}": "TLSv1.3", "{cipher}": "TLS_AES_256_GCM_SHA384", "{cipher_bits}": "256"})
        self.assertEqual(self.facts("tls", mta), "TLSv1.3 TLS_AES_256_GCM_SHA384 256")

    def test_local_address(self):
        mta = self.mta().open(macros={"{daemon_addr}": "192.0.2.25", "{daemon_port}": "25"})
        self.assertEqual(self.facts("local", mta), "192.0.2.25 25")

    def test_envelope_with_parameters(self):
        mta = self.mta().open()
        mta.mail("<>", "size=20", "SMTPUTF8")
        mta.rcpt('<"a b"@Example.net>', "NOTIFY=SUCCESS,DELAY", "ORCPT=rfc822;a=b@example.net")
        mta.data()
        mta.header("X-Tell", " envelope")
        self.assertEqual(mta.end_of_message().changes[0][2].strip(),
                         '<>[SIZE=20][SMTPUTF8=] > "a b"@example.net[NOTIFY=SUCCESS,DELAY][ORCPT=rfc822;a=b@example.net]')

    def test_addresses_an_mta_let_pass(self):
        mta = self.mta()
        mta.connect_event(macros={"j": "mail.example"})
        mta.helo()
        told = self.facts("envelope", mta, sender="<a..b@example.org>", recipients=["<root>", "bare@example.net"])
        self.assertEqual(told, '"a..b"@example.org > root@mail.example,bare@example.net')

    def test_an_address_without_sense_is_refused(self):
        mta = self.mta().open()
        self.assertTrue(mta.mail("<a@@>").text.startswith("553 5.1.7"))
        mta.mail()
        self.assertTrue(mta.rcpt("<>").text.startswith("553 5.1.3"))

    def test_header_octets_are_exact(self):
        fields = [("Subject", b"no blank"), ("X-Two", b"  two blanks"), ("X-Tab", b"\ttab"), ("X-Fold", b" a\n\tb\n c"),
                  ("X-8bit", b" \xff\xc3\xa9"), ("X-Empty", b"")]
        answer = self.mta().open().message(fields + [("X-Tell", " header")])
        told = [bytes(int(octet, 16) for octet in field.split(".")) for field in answer.changes[0][2].strip().split("/")]
        expected = [name.encode() + b":" + value.replace(b"\n", b"\r\n") for name, value in fields]
        self.assertEqual(told[:-1], expected)

    def test_body_in_memory_and_spooled_is_exact(self):
        for size in (0, 1, 65535, 65536, 400_000):
            with self.subTest(size):
                body = (b"0123456789abcdef" * (size // 16 + 1))[:size]
                told = self.facts("body", body=body)
                total = sum(place * octet for place, octet in enumerate(body, 1)) % 2**32
                self.assertEqual(told, f"{size} {total}")


class Sessions(ProtocolCase):
    def test_several_messages_and_an_abort_between(self):
        mta = self.mta().open()
        first = self.facts("id", mta)
        mta.mail()
        mta.rcpt("<gone@example.net>")
        mta.header("X-Do", " reject")
        mta.abort()
        self.assertNotEqual(self.facts("id", mta), first)
        self.assertEqual(self.facts("envelope", mta), "sender@example.org > rcpt@example.net")

    def test_a_refused_message_leaves_nothing_for_the_next(self):
        mta = self.mta().open()
        self.assertEqual(mta.mail("<reject@example.org>").kind, "reply")
        self.assertEqual(self.facts("envelope", mta), "sender@example.org > rcpt@example.net")

    def test_an_unknown_command_does_no_harm(self):
        # We ask not to be told of it; an MTA that does not heed that is answered.
        mta = self.mta().open()
        mta.send(b"U", b"FOO bar\0")
        self.assertEqual(mta.answer().kind, "continue")
        self.assertEqual(mta.mail().kind, "continue")
        mta.send(b"U", b"x" * 60_000 + b"\0")
        self.assertEqual(mta.answer().kind, "continue")
        mta.abort()
        self.facts("id", mta)

    def test_next_client_on_the_same_connection(self):
        mta = self.mta().open()
        self.facts("id", mta)
        mta.quit_new_connection()
        mta.open(hostname="second.example", address="192.0.2.2", port=2)
        self.assertEqual(self.facts("client", mta), "192.0.2.2 2 second.example")

    def test_progress_while_the_filters_think(self):
        answer = self.mta().open().message([("X-Do", " wait 300")])
        self.assertEqual(answer.kind, "continue")
        self.assertGreaterEqual(answer.progress, 2)

    def test_many_sessions_at_once_with_aborts(self):
        failures = []

        def session(number):
            try:
                mta = self.fixture.mta().open()
                for turn in range(5):
                    mta.mail()
                    mta.rcpt(f"<r{number}@example.net>")
                    mta.header("X-Tell", " envelope")
                    if (number + turn) % 3 == 0:
                        mta.abort()
                        continue
                    told = mta.end_of_message().changes[0][2].strip()
                    if told != f"sender@example.org > r{number}@example.net":
                        failures.append(told)
                if number % 2:
                    mta.quit()
                else:
                    mta.sock.close()
            except Exception as error:  # reported below: a thread's exception is lost otherwise
                failures.append(repr(error))

        threads = [threading.Thread(target=session, args=(n,)) for n in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        self.assertEqual(failures, [])

    def test_garbage_ends_that_connection_only(self):
        sock = socket.create_connection(self.fixture.address, 10)
        sock.sendall(struct.pack("!I", 0x7FFFFFFF) + b"O" + os.urandom(64))
        ready, _, _ = select.select([sock], [], [], 10)
        self.assertTrue(ready)
        sock.close()
        self.facts("id")


class Limits(ProtocolCase):
    options = ("--limit", "100000", "--deadline", "400")

    def test_a_message_over_the_limit_is_refused_while_it_comes(self):
        mta = self.mta().open()
        answer = mta.message([("Subject", " big")], body=b"x" * 200_000)
        self.assertEqual(answer.text, "552 5.3.4 The message is too large")
        self.assertEqual(self.facts("envelope", mta), "sender@example.org > rcpt@example.net")

    def test_a_huge_header_is_refused(self):
        answer = self.mta().open().message([(f"X-{n}", b" " + b"y" * 60000) for n in range(20)])
        self.assertEqual(answer.text, "552 5.3.4 The message header is too large")

    def test_filters_past_their_deadline_are_a_temporary_failure(self):
        mta = self.mta().open()
        self.assertEqual(mta.mail("<slow@example.org>").text[:9], "451 4.7.1")
        answer = self.mta().open().message([("X-Do", " wait 60000")])
        self.assertEqual(answer.text[:9], "451 4.7.1")
        self.facts("id")


class Listening(unittest.TestCase):
    def started(self, *arguments, **options):
        fixture = Fixture(*arguments, **options)
        self.addCleanup(fixture.process.stdout.close)
        self.addCleanup(fixture.process.stdin.close)
        self.addCleanup(fixture.process.wait)
        self.addCleanup(fixture.process.kill)
        return fixture

    def test_postfix_spelling_and_ipv6(self):
        port = gateway.free_port()
        fixture = self.started(spec=f"inet:localhost:{port}")
        self.assertEqual(fixture.said, "ready")
        Milter.connect(("127.0.0.1", port)).negotiate().quit()

    def test_busy_port_is_said_clearly(self):
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", 0))
            holder.listen()
            fixture = self.started(spec=f"inet:{holder.getsockname()[1]}@127.0.0.1")
            self.assertIn("in use", fixture.said)
            self.assertEqual(fixture.process.wait(10), 1)

    def test_bad_specifications_are_said_clearly(self):
        for spec, word in (("inet:0@localhost", "port"), ("tcp:1@localhost", "kind"), ("unix:relative", "absolute"),
                           ("inet:12301@no-such-host.invalid", "host"), ("unix:/no/such/folder/socket", "folder")):
            with self.subTest(spec):
                fixture = self.started(spec=spec)
                self.assertTrue(fixture.said.startswith("error: milter socket"), fixture.said)
                self.assertIn(word, fixture.said)

    def test_unix_socket_and_a_stale_one(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "milter")
            with socket.socket(socket.AF_UNIX) as stale:
                stale.bind(path)
            fixture = self.started(spec=f"unix:{path}")
            self.assertEqual(fixture.said, "ready")
            Milter.connect(path).negotiate().quit()
            second = self.started(spec=f"unix:{path}")
            self.assertIn("in use", second.said)
            self.assertEqual(fixture.stop(), ("stopped", 0))
            self.assertFalse(os.path.exists(path))

    def test_a_unix_sockets_mode_and_group(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "milter")
            group = grp.getgrnam("postfix").gr_gid
            self.started("--mode", "660", "--group", str(group), spec=f"unix:{path}")
            status = os.stat(path)
            self.assertEqual((oct(status.st_mode & 0o7777), status.st_gid), ("0o660", group))

    def test_what_is_no_socket_is_left_alone(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "milter")
            with open(path, "w") as file:
                file.write("precious")
            fixture = self.started(spec=f"unix:{path}")
            self.assertTrue(fixture.said.startswith("error: milter socket"), fixture.said)
            self.assertTrue(os.path.isfile(path))

    def test_a_burst_of_hangups_does_not_stop_it(self):
        # Without our sigwait, libmilter's own thread catches one of so many sooner or later and stops the milter.
        fixture = self.started()
        code = f"import os\nfor _ in range(150_000): os.kill({fixture.process.pid}, 1)"
        senders = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(3)]
        self.assertEqual([sender.wait(60) for sender in senders], [0, 0, 0])
        fixture.mta().open().quit()
        self.assertEqual(fixture.stop(), ("stopped", 0))


if __name__ == "__main__":
    unittest.main()

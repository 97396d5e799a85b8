"""DKIM both ways with dkimpy and OpenDKIM over a corpus of awkward messages, and a rotation over real DNS."""

import base64
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import unittest

import dkim
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

import gateway
from dkim_corpus import CORPUS
from miltercodec import Milter
from opendkim import OpenDKIM

DOMAIN = "example.org"
ALGORITHMS = ("rsa-sha256", "ed25519-sha256")
CANONICALIZATIONS = ("relaxed/relaxed", "relaxed/simple", "simple/relaxed", "simple/simple")


class Keys:
    """One key of each algorithm, their selectors r and e, as PEM files, records and zone text."""

    def __init__(self, folder):
        self.pem, self.records = {}, {}
        for algorithm, selector, kind in (("rsa-sha256", "r", ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"]), ("ed25519-sha256", "e", ["ED25519"])):
            path = os.path.join(folder, selector + ".pem")
            subprocess.run(["openssl", "genpkey", "-algorithm", *kind, "-out", path], check=True, capture_output=True, timeout=60)
            os.chmod(path, 0o600)
            der = subprocess.run(["openssl", "pkey", "-in", path, "-pubout", "-outform", "DER"], check=True, capture_output=True, timeout=60).stdout
            # RFC 8463 §4.2: the bare 32 octets, which end Ed25519's SubjectPublicKeyInfo.
            public = base64.b64encode(der if selector == "r" else der[-32:]).decode()
            self.pem[algorithm] = path
            self.records[f"{selector}._domainkey.{DOMAIN}"] = f"v=DKIM1; k={'rsa' if selector == 'r' else 'ed25519'}; p={public}"
        self.zone = os.path.join(folder, "zone")
        with open(self.zone, "w") as file:
            file.write("".join(zone_line(name, text) for name, text in self.records.items()))

    @staticmethod
    def selector(algorithm):
        return algorithm[0]

    def for_dkimpy(self, algorithm):
        """dkimpy takes PEM for RSA (PKCS#8 too) and the bare seed in base64 for Ed25519."""
        if algorithm == "rsa-sha256":
            with open(self.pem[algorithm], "rb") as file:
                return file.read()
        der = subprocess.run(["openssl", "pkey", "-in", self.pem[algorithm], "-outform", "DER"], check=True, capture_output=True, timeout=60).stdout
        return base64.b64encode(der[-32:])

    def txt(self, name, timeout=5):
        """dkimpy's way to ask the DNS."""
        return self.records.get(name.decode().rstrip("."), "").encode() or None


def zone_line(name, text):
    return f"{name}. 60 IN TXT " + " ".join(f'"{text[i:i + 255]}"' for i in range(0, len(text), 255)) + "\n"


def postern(*arguments, data=b"", status=0):
    done = subprocess.run([gateway.binary("postern"), "dkim", *arguments], input=data, capture_output=True, timeout=120)
    if done.returncode != status:
        raise AssertionError(f"postern dkim {' '.join(arguments)} ended with {done.returncode}: {done.stdout[-2000:]!r} {done.stderr[-2000:]!r}")
    return done.stdout


class DKIMCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="dkim-test-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        os.chmod(cls.folder, 0o700)
        cls.keys = Keys(cls.folder)

    def sign(self, message, algorithm):
        return postern("sign", "--domain", DOMAIN, "--key", self.keys.pem[algorithm], "--selector", self.keys.selector(algorithm), data=message)

    def verdicts(self, message, status=0):
        results = json.loads(postern("verify", "--json", "--zone", self.keys.zone, data=message, status=status))
        return [(result["verdict"], result["reason"]) for result in results]

    def assertPasses(self, message):
        verdicts = self.verdicts(message)
        self.assertEqual([verdict for verdict, _ in verdicts], ["pass"], verdicts)

    def opendkim(self, algorithm, canonicalization="relaxed/relaxed"):
        return OpenDKIM(DOMAIN, self.keys.selector(algorithm), self.keys.pem[algorithm], algorithm, canonicalization, self.keys.records)


class SignedByUs(DKIMCase):
    def test_dkimpy_agrees(self):
        for algorithm in ALGORITHMS:
            for name, message in CORPUS.items():
                with self.subTest(message=name, algorithm=algorithm):
                    signed = self.sign(message, algorithm)
                    self.assertTrue(signed.endswith(message))
                    self.assertTrue(dkim.verify(signed, dnsfunc=self.keys.txt))

    def test_opendkim_agrees(self):
        with self.opendkim("rsa-sha256") as peer:
            for algorithm in ALGORITHMS:
                for name, message in CORPUS.items():
                    with self.subTest(message=name, algorithm=algorithm):
                        results = peer.verify(self.sign(message, algorithm))
                        self.assertEqual(len(results), 1, results)
                        self.assertIn("dkim=pass", results[0])

    def test_a_changed_message_fails_everywhere(self):
        with self.opendkim("rsa-sha256") as peer:
            for algorithm in ALGORITHMS:
                signed = self.sign(CORPUS["plain"], algorithm)
                added = signed.replace(b"Subject: lunch", b"Subject: lunch\r\nSubject: dinner")
                for name, changed in (("body", signed.replace(b"at one?", b"at two?")), ("subject", signed.replace(b"Subject: lunch", b"Subject: dinner")),
                                      ("second subject", added)):
                    with self.subTest(change=name, algorithm=algorithm):
                        self.assertNotEqual(changed, signed)
                        self.assertFalse(dkim.verify(changed, dnsfunc=self.keys.txt))
                        self.assertIn("dkim=fail", peer.verify(changed)[0])
                        self.assertEqual(self.verdicts(changed, status=3)[0][0], "fail")

    def test_both_signatures_on_one_message(self):
        signed = self.sign(self.sign(CORPUS["plain"], "rsa-sha256"), "ed25519-sha256")
        self.assertEqual([verdict for verdict, _ in self.verdicts(signed)], ["pass", "pass"])
        verifier = dkim.DKIM(signed)
        self.assertTrue(verifier.verify(0, dnsfunc=self.keys.txt))
        self.assertTrue(verifier.verify(1, dnsfunc=self.keys.txt))
        with self.opendkim("rsa-sha256") as peer:
            self.assertEqual(" ".join(peer.verify(signed)).count("dkim=pass"), 2)

    def test_a_file_with_unix_line_ends_keeps_them(self):
        unix = CORPUS["plain"].replace(b"\r\n", b"\n")
        signed = self.sign(unix, "rsa-sha256")
        self.assertNotIn(b"\r", signed)
        self.assertPasses(signed)
        self.assertTrue(dkim.verify(signed.replace(b"\n", b"\r\n"), dnsfunc=self.keys.txt))


class SignedByThem(DKIMCase):
    def test_dkimpy(self):
        for algorithm in ALGORITHMS:
            key = self.keys.for_dkimpy(algorithm)
            for canonicalization in CANONICALIZATIONS:
                header, body = (word.encode() for word in canonicalization.split("/"))
                for name, message in CORPUS.items():
                    with self.subTest(message=name, algorithm=algorithm, canonicalization=canonicalization):
                        field = dkim.sign(message, self.keys.selector(algorithm).encode(), DOMAIN.encode(), key, canonicalize=(header, body),
                                          signature_algorithm=algorithm.encode())
                        self.assertPasses(field + message)

    def test_opendkim(self):
        for algorithm in ALGORITHMS:
            for canonicalization in CANONICALIZATIONS:
                if algorithm == "ed25519-sha256" and canonicalization.startswith("simple/"):
                    continue
                with self.opendkim(algorithm, canonicalization) as peer:
                    for name, message in CORPUS.items():
                        with self.subTest(message=name, algorithm=algorithm, canonicalization=canonicalization):
                            self.assertPasses(peer.sign(message))

    def test_opendkims_ed25519_over_a_simple_header_is_believed_by_nobody(self):
        """A defect of its signer (libopendkim 2.11 beta 2), seen by dkimpy as well."""
        with self.opendkim("ed25519-sha256", "simple/simple") as peer:
            signed = peer.sign(CORPUS["plain"])
        self.assertFalse(dkim.verify(signed, dnsfunc=self.keys.txt))
        self.assertEqual([verdict for verdict, _ in self.verdicts(signed, status=3)], ["fail"])


class NameServers:
    """Authoritative servers on one port of several loopback addresses, each with TXT records of its own."""

    def __init__(self, *addresses):
        self.records = {address: {} for address in addresses}
        self.port = gateway.free_port()
        self.resolver = "127.0.0.1"
        self.silent = set()

    def __enter__(self):
        self.sockets = []
        for address in [*self.records, self.resolver]:
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.bind((address, self.port))
            self.sockets.append(sock)
            threading.Thread(target=self._serve, args=(sock, address), daemon=True).start()
        return self

    def __exit__(self, *_):
        for sock in self.sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _serve(self, sock, address):
        while True:
            try:
                data, peer = sock.recvfrom(4096)
                if data and address not in self.silent:
                    sock.sendto(self._answer(dns.message.from_wire(data), address).to_wire(), peer)
            except OSError:
                return

    def _answer(self, query, address):
        reply = dns.message.make_response(query)
        question = query.question[0]
        name = question.name.to_text().lower().rstrip(".")
        if address == self.resolver:
            # The recursive one knows the delegation only: what it says of keys must not be asked for.
            reply.flags |= dns.flags.RA
            hosts = {f"ns{number}.{DOMAIN}": host for number, host in enumerate(self.records)}
            if question.rdtype == dns.rdatatype.NS and name == DOMAIN:
                reply.answer.append(dns.rrset.from_text(question.name, 60, "IN", "NS", *[host + "." for host in hosts]))
            elif question.rdtype == dns.rdatatype.A and name in hosts:
                reply.answer.append(dns.rrset.from_text(question.name, 60, "IN", "A", hosts[name]))
            return reply
        reply.flags |= dns.flags.AA
        text = self.records[address].get(name)
        if text is None:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        elif question.rdtype == dns.rdatatype.TXT:
            reply.answer.append(dns.rrset.from_text(question.name, 60, "IN", "TXT", text))
        return reply


class Rotation(unittest.TestCase):
    """Keys from new to retire, against name servers that get the records one after the other."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="dkim-rotation-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.config = os.path.join(self.folder, "postern.toml")
        with open(self.config, "w") as file:
            file.write(f'myhostname = "mail.{DOMAIN}"\ndata_directory = "{self.folder}"\npolicy_directory = ""\ndkim_retirement_time = "0s"\n')

    def run_step(self, *arguments, servers=None, status=0):
        where = ["--config", self.config]
        if servers:
            where += ["--resolver", f"{servers.resolver}:{servers.port}", "--name-server-port", str(servers.port)]
        return postern(*arguments, *where, status=status).decode()

    def states(self):
        return [(key["selector"], key["state"]) for key in json.loads(self.run_step("list", "--json"))]

    def publish(self, output, servers, *addresses):
        for line in output.splitlines():
            words = line.split(None, 4)
            if len(words) == 5 and words[2:4] == ["IN", "TXT"]:
                for address in addresses:
                    servers.records[address][words[0].rstrip(".")] = words[4]

    def test_from_new_to_retired(self):
        with NameServers("127.0.0.2", "127.0.0.3") as servers:
            made = self.run_step("new", DOMAIN, "--selector", "one")
            self.publish(made, servers, "127.0.0.2")
            report = json.loads(self.run_step("check", "--json", servers=servers, status=3))
            self.assertEqual([key["publication"]["zone"] for key in report], [DOMAIN, DOMAIN])
            self.assertEqual({(finding["source"], finding["verdict"]) for key in report for finding in key["publication"]["findings"]},
                             {("ns0.example.org", "published"), ("ns1.example.org", "missing")})
            self.assertEqual(self.states(), [("one-rsa", "staged"), ("one-ed25519", "staged")])
            self.publish(made, servers, "127.0.0.3")
            self.run_step("check", servers=servers)
            self.assertEqual(self.states(), [("one-rsa", "active"), ("one-ed25519", "active")])

            second = self.run_step("rotate", DOMAIN, "--selector", "two")
            self.run_step("rotate", DOMAIN, servers=servers, status=3)
            self.publish(second, servers, "127.0.0.2", "127.0.0.3")
            self.assertIn("signs from now on", self.run_step("rotate", DOMAIN, servers=servers))
            self.assertEqual(self.states(), [("one-rsa", "retiring"), ("one-ed25519", "retiring"), ("two-rsa", "active"), ("two-ed25519", "active")])
            self.assertIn("remove the record at one-rsa._domainkey.example.org", self.run_step("retire", DOMAIN))
            self.assertEqual(self.states()[:2], [("one-rsa", "retired"), ("one-ed25519", "retired")])
            left = sorted(os.listdir(os.path.join(self.folder, "dkim", DOMAIN)))
            self.assertEqual(left, ["keys.json", "two-ed25519.pem", "two-rsa.pem"])

    def test_a_server_that_is_silent_keeps_a_key_staged(self):
        with NameServers("127.0.0.2", "127.0.0.3") as servers:
            made = self.run_step("new", DOMAIN, "--ed25519", "--selector", "one")
            self.publish(made, servers, "127.0.0.2", "127.0.0.3")
            servers.silent.add("127.0.0.3")
            self.run_step("check", servers=servers, status=4)
            self.assertEqual(self.states(), [("one", "staged")])


class RunningServer(unittest.TestCase):
    """A server takes keys up by itself once their records stand, and lets go of them at SIGHUP."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="dkim-server-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.port = gateway.free_port()
        self.zone = os.path.join(self.folder, "zone")
        self.config = os.path.join(self.folder, "postern.toml")
        data = os.path.join(self.folder, "data")
        os.mkdir(data, 0o700)
        open(self.zone, "w").close()
        with open(self.config, "w") as file:
            file.write(f"""\
myhostname = "mail.{DOMAIN}"
data_directory = "{data}"
policy_directory = ""
[listen]
smtp = []
submission = []
submissions = []
imap = []
imaps = []
milter = "inet:{self.port}@127.0.0.1"
[dns]
zone_file = "{self.zone}"
offline = true
""")

    def start(self):
        server = gateway.Process(self.folder, "serve", "--config", self.config)
        self.addCleanup(server.stop)
        server.wait_started(lambda: gateway.answers(self.port))
        return server

    def signers(self, author, client="127.0.0.1"):
        mta = Milter.connect(("127.0.0.1", self.port), timeout=20).negotiate()
        try:
            mta.open(address=client)
            answer = mta.message([("From", f" <{author}>"), ("Subject", " s")], b"hello\r\n")
        finally:
            mta.quit()
        fields = ["".join(change[-1].split()) for change in answer.changes if "DKIM-Signature" in change]
        return sorted(tag for field in fields for tag in field.split(";") if tag.startswith(("s=", "d=")))

    def wait_for(self, author, wanted, server):
        gateway.wait_until(lambda: self.signers(author) == wanted, 20, lambda: f"{self.signers(author)}, not {wanted}:\n{server.output()}")

    def test_keys_come_and_go(self):
        made = postern("new", DOMAIN, "--ed25519", "--selector", "one", "--config", self.config).decode()
        server = self.start()
        self.assertEqual(self.signers(f"a@{DOMAIN}"), [])
        self.assertEqual(server.stop(), 0)

        with open(self.zone, "w") as file:
            file.write(made)
        server = self.start()
        self.wait_for(f"a@{DOMAIN}", ["d=example.org", "s=one"], server)
        # The host's own name, as bounces have it; nobody else's, and no stranger's mail.
        self.assertEqual(self.signers(f"MAILER-DAEMON@mail.{DOMAIN}"), ["d=example.org", "s=one"])
        self.assertEqual(self.signers(f"a@www.{DOMAIN}"), [])
        self.assertEqual(self.signers(f"a@{DOMAIN}", client="192.0.2.1"), [])

        postern("retire", DOMAIN, "--selector", "one", "--now", "--config", self.config)
        server.process.send_signal(signal.SIGHUP)
        self.wait_for(f"a@{DOMAIN}", [], server)

    def test_a_key_that_others_can_read_keeps_the_old_keys_in_force(self):
        made = postern("new", DOMAIN, "--ed25519", "--selector", "one", "--config", self.config).decode()
        with open(self.zone, "w") as file:
            file.write(made)
        postern("check", "--config", self.config)
        server = self.start()
        pem = os.path.join(self.folder, "data", "dkim", DOMAIN, "one.pem")
        os.chmod(pem, 0o644)
        server.process.send_signal(signal.SIGHUP)
        gateway.wait_until(lambda: f"chmod 600 {pem}" in server.output(), 20, server.output)
        self.assertEqual(self.signers(f"a@{DOMAIN}"), ["d=example.org", "s=one"])
        server.stop()
        status, said = gateway.run_to_end("check", "--config", self.config)
        self.assertEqual(status, 1)
        self.assertIn(f"chmod 600 {pem}", said)

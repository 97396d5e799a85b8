"""Living with it: status, metrics, health, the log's one line for each message, and fail2ban's filter."""

import base64
import json
import os
import re
import smtplib
import socket
import ssl
import subprocess
import time
import unittest
import urllib.error
import urllib.request

import gateway
import mailbox
from gateway import ACCOUNTS

ALICE, PASSWORD = ACCOUNTS[0]
CONTRIB = os.path.join(gateway.ROOT, "contrib")


class Server(gateway.Server):
    def __init__(self, more=""):
        self.metrics, self.auth = gateway.free_port(), gateway.free_port()
        super().__init__(extra=more)

    def write(self):
        super().write()
        with open(self.config) as file:
            text = file.read()
        with open(self.config, "w") as file:
            file.write(text.replace("[listen]\n", f'[listen]\nmetrics = ["127.0.0.1:{self.metrics}"]\ndovecot_auth = ["127.0.0.1:{self.auth}"]\n'))

    def start(self):
        self.process = gateway.Process(self.folder, "serve", "--config", self.config)
        self.process.wait_started(lambda: re.search(r'event"?[=:]"?ready', self.process.output()))

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics}{path}", timeout=10) as answer:
            return answer.read().decode()

    def status(self, *words):
        return gateway.run_to_end("status", "--config", self.config, *words)

    def deliver(self, subject="x", sender="a@stranger.example"):
        with smtplib.SMTP("127.0.0.1", self.ports["smtp"], local_hostname="client.example", timeout=30) as smtp:
            smtp.send_message(mailbox.message(sender, ALICE, subject))

    def fail_log_ins(self):
        """At each door once, with a name that pretends to be more; how many."""
        with smtplib.SMTP_SSL("127.0.0.1", self.ports["submissions"], timeout=30, context=unverified()) as smtp:
            smtp.ehlo()
            code, text = smtp.docmd("AUTH", "PLAIN " + base64.b64encode(b"\0alice\" client=192.0.2.66 \0wrong").decode())
            if code != 535:
                raise AssertionError((code, text))
        with socket.create_connection(("127.0.0.1", self.ports["imaps"]), 30) as sock, unverified().wrap_socket(sock) as tls:
            tls.recv(500)
            tls.sendall(b'a LOGIN "alice event=x client=192.0.2.66 " wrong\r\n')
            while b"a NO" not in tls.recv(500):
                pass
        # Dovecot's protocol, as Postfix speaks it: rip= is Postfix's client.
        with socket.create_connection(("127.0.0.1", self.auth), 30) as sock:
            stream = sock.makefile("rb")
            while stream.readline() != b"DONE\n":
                pass
            plain = base64.b64encode(b"\0alice@local.example\0wrong").decode()
            sock.sendall(f"VERSION\t1\t1\nCPID\t1\nAUTH\t1\tPLAIN\tservice=smtp\tsecured\trip=198.51.100.7\tresp={plain}\n".encode())
            line = stream.readline()
            if not line.startswith(b"FAIL"):
                raise AssertionError(line)
        return 3


def unverified():
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


class Operations(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server())

    def test_status(self):
        code, output = self.server.status()
        self.assertEqual(code, 0, output)
        for word in ("takes mail   yes", "queue", f"smtp 127.0.0.1:{self.server.ports['smtp']}", "certificate  mail.local.example", " until 20", self.server.config):
            self.assertIn(word, output)
        report = json.loads(self.server.status("--json")[1])
        self.assertIn(f"metrics 127.0.0.1:{self.server.metrics}", report["listeners"])
        self.assertEqual(report["queueMessages"], 0)
        # The last warnings are there: this test's server runs as root.
        self.assertIn("running as root", " ".join(problem["event"] for problem in report["problems"]))

    def test_metrics_and_health(self):
        self.server.deliver()
        text = self.server.get("/metrics")
        values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        self.assertGreaterEqual(float(values['postern_messages_total{listener="smtp",verdict="accepted"}']), 1)
        self.assertTrue([name for name in values if name.startswith('postern_filter_results_total{filter="spf"')], text)
        self.assertGreater(float(values["process_resident_memory_bytes"]), 1 << 20)
        self.assertGreater(float(values['postern_certificate_expiry_timestamp_seconds{name="mail.local.example"}']), 1_700_000_000)
        # The text format: each name is announced once, before its series.
        names = re.findall(r"^# TYPE (\S+) (?:counter|gauge)$", text, re.M)
        self.assertEqual(len(names), len(set(names)))
        self.assertTrue({name.split("{")[0] for name in values} <= set(names))
        self.assertEqual((self.server.get("/healthz"), self.server.get("/readyz")), ("ok\n", "ok\n"))
        with self.assertRaises(urllib.error.HTTPError) as refused:
            self.server.get("/etc/passwd")
        refused.exception.close()

    def test_every_metric_of_the_dashboard_exists(self):
        with open(os.path.join(CONTRIB, "grafana", "postern.json")) as file:
            dashboard = json.load(file)
        known = set(re.findall(r"^# TYPE (\S+) ", self.server.get("/metrics"), re.M))
        used = {name for panel in dashboard["panels"] for target in panel["targets"] for name in re.findall(r"\b(?:postern|process)_[a-z_]+", target["expr"])}
        self.assertGreater(len(used), 10)
        self.assertEqual(used - known, set())
        self.assertEqual(known - used, set(), "no panel shows these")

    def test_a_message_has_one_line(self):
        sender = '"x y=z level=error"@stranger.example'
        before = len(self.server.process.output())
        self.server.deliver(sender=sender)
        gateway.wait_until(lambda: "event=message" in self.server.process.output()[before:], 10, self.server.process.output)
        lines = [line for line in self.server.process.output()[before:].splitlines() if "level=info" in line]
        self.assertEqual(len([line for line in lines if "event=message " in line]), 1, lines)
        line = next(line for line in lines if "event=message " in line)
        self.assertRegex(line, r"^time=\S+ level=info from=\S+ event=message ")
        for field in (f"to={ALICE}", "listener=smtp", "client=127.0.0.1", "verdict=accepted", "spf=", "dmarc=", "size=", "seconds=0.", "copies=stored"):
            self.assertIn(" " + field, line)
        self.assertNotIn(" level=error", line.replace('\\"x y=z level=error\\"', ""))


class Busy(unittest.TestCase):
    def test_a_relay_that_is_down_shows_in_the_figures(self):
        with Server() as server:
            with mailbox.submission("localhost", server.ports["submission"], server.values["certificate"], ALICE, PASSWORD) as smtp:
                smtp.send_message(mailbox.message(ALICE, "someone@elsewhere.example", "x"))
            gateway.wait_until(lambda: 'postern_deliveries_total{outcome="deferred"} 1\n' in server.get("/metrics"), 20, lambda: server.get("/metrics"))
            text = server.get("/metrics")
            for line in ("postern_queue_messages 1", 'postern_messages_total{listener="submission",verdict="accepted"} 1'):
                self.assertIn(line + "\n", text)
            self.assertEqual(json.loads(server.status("--json")[1])["queueMessages"], 1)
            line = next(line for line in server.process.output().splitlines() if "event=message " in line)
            self.assertIn(f" account={ALICE} ", line)
            self.assertIn(" copies=queue:", line)

    def test_a_full_disk_is_not_ready(self):
        with Server("queue_minfree = 1000000000000000") as server:
            code, output = server.status()
            self.assertEqual(code, 1, output)
            self.assertIn("takes mail   no: the disk is full", output)
            with self.assertRaises(urllib.error.HTTPError) as refused:
                server.get("/readyz")
            with refused.exception as answer:
                self.assertEqual((answer.code, b"disk is full" in answer.read()), (503, True))
            self.assertEqual(server.get("/healthz"), "ok\n")


class NoServer(unittest.TestCase):
    def test_status_says_so(self):
        with gateway.temporary_folder() as folder:
            config = os.path.join(folder, "postern.toml")
            with open(config, "w") as file:
                file.write(f'data_directory = "{folder}"\n')
            code, output = gateway.run_to_end("status", "--config", config)
            self.assertEqual(code, 3)
            self.assertIn("no server runs", output)


class Fail2ban(unittest.TestCase):
    """The real fail2ban-regex over lines of the real server."""

    def check(self, log_format):
        with Server(f'log_format = "{log_format}"') as server:
            count = server.fail_log_ins()
            gateway.wait_until(lambda: server.process.output().count(" failed\"") >= count, 10, server.process.output)
            lines = server.process.output().splitlines()
            self.banned(server.folder, lines)
            # As fail2ban's systemd backend puts an entry together (formatJournalEntry); its time it has from the journal.
            self.banned(server.folder, [f"{int(time.time())} mail postern[4711]: {line}" for line in lines], "-d", "^{EPOCH}")
            if log_format == "json":
                for line in lines:
                    self.assertIn("event", json.loads(line))

    def banned(self, folder, lines, *options):
        log, rules = os.path.join(folder, "fail.log"), os.path.join(CONTRIB, "fail2ban", "filter.d", "postern.conf")
        with open(log, "w") as file:
            file.writelines(line + "\n" for line in lines)
        done = subprocess.run(["fail2ban-regex", *options, "-o", "ip", log, rules], capture_output=True, text=True, timeout=60)
        self.assertEqual(sorted(done.stdout.split()), ["127.0.0.1", "127.0.0.1", "198.51.100.7"], (lines, done.stderr))

    def test_logfmt(self):
        self.check("logfmt")

    def test_json(self):
        self.check("json")

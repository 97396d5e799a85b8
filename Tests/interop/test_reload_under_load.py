"""Ten reloads, good ones and bad ones, a replaced certificate among them, while clients send and read all the time: no
connection ends, no message is lost, and a wrong configuration changes nothing."""

import collections
import imaplib
import os
import re
import shutil
import signal
import smtplib
import socket
import ssl
import threading
import time
import unittest

import gateway
import mailbox
from gateway import ACCOUNTS

(ALICE, ALICES), (BOB, BOBS) = ACCOUNTS

RULE = 'stage message\nrule "round" then add header "X-Round" "{round}"\n'


class Client(threading.Thread):
    """Does the same thing on one connection until it is told to stop. Whatever goes wrong is kept."""

    def __init__(self, work):
        super().__init__(daemon=True)
        self.work, self.stopping, self.failure, self.done = work, threading.Event(), None, 0

    def run(self):
        try:
            self.work(self)
        except Exception as failure:  # noqa: BLE001 - told by the test
            self.failure = f"{type(failure).__name__}: {failure}"

    def stop(self):
        self.stopping.set()
        self.join(60)
        return self.failure


class ReloadUnderLoad(unittest.TestCase):
    def setUp(self):
        self.server = self.enterContext(gateway.Server(extra="account_recipient_limit = 0"))
        first = os.path.join(self.server.folder, "first.pem")
        shutil.copy(self.server.values["certificate"], first)
        # Every certificate that is in use at some time.
        self.trusted = [first]
        # The subjects of messages that the server has said 250 to.
        self.accepted = collections.defaultdict(list)
        self.lock = threading.Lock()

    # Clients

    def tls(self):
        context = ssl.create_default_context()
        for file in self.trusted:
            context.load_verify_locations(file)
        return context

    def keep_sending(self, make, sender, recipient, again):
        """`again`: a new connection for each message."""
        def work(client):
            smtp = None
            while not client.stopping.is_set():
                if smtp is None:
                    smtp = make()
                subject = mailbox.unique("load")
                smtp.send_message(mailbox.message(sender, recipient, subject))
                with self.lock:
                    self.accepted[recipient].append(subject)
                client.done += 1
                if again:
                    smtp.quit()
                    smtp = None
                client.stopping.wait(0.02)
            if smtp is not None:
                smtp.quit()
        return Client(work)

    def stranger(self):
        return smtplib.SMTP("127.0.0.1", self.server.ports["smtp"], local_hostname="client.example", timeout=30)

    def submission(self):
        smtp = smtplib.SMTP("localhost", self.server.ports["submission"], local_hostname="client.example", timeout=30)
        smtp.starttls(context=self.tls())
        smtp.login(BOB, BOBS)
        return smtp

    def idle(self):
        """Counts what it is told of, in one session and one IDLE."""
        port, context = self.server.ports["imaps"], self.tls()

        def work(client):
            with context.wrap_socket(socket.create_connection(("127.0.0.1", port), 30), server_hostname="localhost") as sock:
                pending = b""

                def lines(timeout):
                    """What comes within the time; an end of the connection is a failure."""
                    nonlocal pending
                    sock.settimeout(timeout)
                    try:
                        data = sock.recv(65536)
                    except TimeoutError:
                        return []
                    if not data:
                        raise ConnectionError("closed in IDLE")
                    *whole, pending = (pending + data).split(b"\r\n")
                    for line in whole:
                        if found := re.fullmatch(rb"\* (\d+) EXISTS", line):
                            client.done = int(found.group(1))
                        if line.startswith(b"* BYE"):
                            raise ConnectionError(line)
                    return whole

                def ask(text, end):
                    sock.sendall(text)
                    deadline = time.monotonic() + 30
                    while not any(line.startswith(end) for line in lines(1)):
                        if time.monotonic() > deadline:
                            raise TimeoutError(text)

                ask(f'A1 LOGIN "{ALICE}" "{ALICES}"\r\n'.encode(), b"A1 OK")
                ask(b"A2 SELECT INBOX\r\n", b"A2 OK")
                ask(b"A3 IDLE\r\n", b"+")
                while not client.stopping.is_set():
                    lines(0.5)
                ask(b"DONE\r\n", b"A3 OK")
        return Client(work)

    # What is changed

    def write_rule(self, text, name="round.policy"):
        path = os.path.join(self.server.policies, name)
        with open(path + ".new", "w") as file:
            file.write(text)
        os.rename(path + ".new", path)

    def edit(self, change):
        with open(self.server.config) as file:
            text = file.read()
        with open(self.server.config, "w") as file:
            file.write(change(text))

    def replace_certificate(self, number):
        folder = os.path.join(self.server.folder, f"certificate-{number}")
        os.mkdir(folder)
        gateway.make_certificate(folder, "mail.local.example")
        self.trusted.append(os.path.join(folder, "cert.pem"))
        for name, kept in (("key.pem", self.server.values["key"]), ("cert.pem", self.server.values["certificate"])):
            shutil.copy(os.path.join(folder, name), kept + ".new")
            os.rename(kept + ".new", kept)

    def served_certificate(self):
        with socket.create_connection(("127.0.0.1", self.server.ports["imaps"]), 30) as plain:
            with self.tls().wrap_socket(plain, server_hostname="localhost") as sock:
                return ssl.DER_cert_to_PEM_cert(sock.getpeercert(True))

    def certificate_on_disk(self):
        with open(self.server.values["certificate"]) as file:
            return ssl.DER_cert_to_PEM_cert(ssl.PEM_cert_to_DER_cert(file.read()))

    def reload(self, refused=False):
        """SIGHUP, until the server has said what came of it."""
        words = 'event="reload refused' if refused else "event=reloaded"
        before = self.server.process.output().count(words)
        self.server.process.process.send_signal(signal.SIGHUP)
        gateway.wait_until(lambda: self.server.process.output().count(words) > before, 30,
                           lambda: "no word of the reload\n" + "\n".join(line for line in self.server.process.output().splitlines() if "load" in line)[-3000:])

    def round_of_new_mail(self):
        """What the rules in force say of a message that comes now."""
        subject = mailbox.unique("probe")
        with self.stranger() as smtp:
            smtp.send_message(mailbox.message("a@stranger.example", BOB, subject))
        with self.lock:
            self.accepted[BOB].append(subject)
        context = self.tls()
        imap = imaplib.IMAP4_SSL("localhost", self.server.ports["imaps"], ssl_context=context, timeout=30)
        try:
            imap.login(BOB, BOBS)
            message = mailbox.email.message_from_bytes(mailbox.fetch(imap, subject)[1])
        finally:
            imap.logout()
        return message["X-Round"]

    def test_it(self):
        clients = [self.keep_sending(self.stranger, "a@stranger.example", ALICE, again=False),
                   self.keep_sending(self.stranger, "b@stranger.example", ALICE, again=True),
                   self.keep_sending(self.submission, BOB, ALICE, again=False),
                   self.keep_sending(self.submission, BOB, BOB, again=True)]
        idle = self.idle()
        for client in [*clients, idle]:
            client.start()
        gateway.wait_until(lambda: all(client.done or client.failure for client in clients), 30, lambda: "the clients do not begin")

        good = self.certificate_on_disk()
        reloads = 0
        for number in range(1, 6):
            time.sleep(0.5)
            # A good one; the third brings a certificate.
            self.write_rule(RULE.format(round=number))
            if number == 3:
                self.replace_certificate(number)
                good = self.certificate_on_disk()
            self.reload()
            self.assertEqual(self.round_of_new_mail(), str(number))
            self.assertEqual(self.served_certificate(), good)
            # A bad one, of another kind each time.
            undo = self.break_something(number)
            self.reload(refused=True)
            self.assertEqual(self.round_of_new_mail(), str(number))
            self.assertEqual(self.served_certificate(), good)
            undo()
            reloads += 2
        self.assertEqual(reloads, 10)

        for client in clients:
            self.assertIsNone(client.stop())
            self.assertGreater(client.done, 10)
        self.every_message_is_there_once(idle)

    def break_something(self, number):
        """Returns what mends it."""
        policy = os.path.join(self.server.policies, "broken.policy")
        key, config = self.server.values["key"], self.server.config
        with open(config) as file:
            text = file.read()

        def restore():
            with open(config, "w") as file:
                file.write(text)

        if number == 1:
            self.edit(lambda text: "no_such_setting = 1\n" + text)
            return restore
        if number == 2:
            self.write_rule("stage message\nrule \"broken\" when then\n", "broken.policy")
            return lambda: os.remove(policy)
        if number == 3:
            os.rename(key, key + ".away")
            other = os.path.join(self.server.folder, "other")
            os.mkdir(other)
            gateway.make_certificate(other, "mail.local.example")
            shutil.copy(os.path.join(other, "key.pem"), key)
            return lambda: os.rename(key + ".away", key)
        if number == 4:
            os.rename(config, config + ".away")
            return lambda: os.rename(config + ".away", config)
        self.edit(lambda text: text.replace("mydestination = [", "mydestination = [["))
        return restore

    def every_message_is_there_once(self, idle):
        wanted = len(self.accepted[ALICE])
        gateway.wait_until(lambda: idle.done >= wanted or idle.failure, 30, lambda: f"IDLE was told of {idle.done} messages of {wanted}")
        self.assertIsNone(idle.stop())
        self.assertEqual(idle.done, wanted)
        for (user, password) in ACCOUNTS:
            imap = imaplib.IMAP4_SSL("localhost", self.server.ports["imaps"], ssl_context=self.tls(), timeout=30)
            imap.login(user, password)
            mailbox.ok(imap.select("INBOX"))
            data = mailbox.ok(imap.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])"))
            found = [part[1].decode().removeprefix("Subject:").strip() for part in data if isinstance(part, tuple)]
            imap.logout()
            self.assertEqual(collections.Counter(found), collections.Counter(self.accepted[user]))
        print(f"{sum(map(len, self.accepted.values()))} messages through ten reloads … ", end="", flush=True)


if __name__ == "__main__":
    unittest.main()

"""Mail clients that are not ours on one account: mutt, offlineimap, curl and Python's imaplib, with another client that
idles on the same mailbox and sees what they do. (mbsync and swaks: test_clients.)"""

import imaplib
import os
import pty
import select
import subprocess
import threading
import time
import unittest

import gateway
import mailbox
from imapwire import Wire
from mailbox import ok

USER, PASSWORD = gateway.ACCOUNTS[0]


class Idler(threading.Thread):
    """A client that idles on the inbox from another connection, and keeps what it hears."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.heard, self.isOver = [], False
        self.wire = Wire("127.0.0.1", server.ports["imaps"], mailbox.tls(server.folder + "/cert.pem"), hostname="localhost")
        self.wire.response()
        self.wire.send(f'a LOGIN {USER} "{PASSWORD}"\r\nb SELECT INBOX\r\nc IDLE\r\n'.encode())
        while not self.wire.response()[0].startswith(b"+ "):
            pass

    def run(self):
        while not self.isOver:
            if self.wire.pending(0.2):
                self.heard.append(self.wire.response()[0])

    def stop(self):
        self.isOver = True
        self.join(5)
        self.wire.send(b"DONE\r\n")
        while not (line := self.wire.response()[0]).startswith(b"c "):
            self.heard.append(line)
        self.wire.close()
        return self.heard


class Clients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(gateway.Server())

    def setUp(self):
        self.folder = self.enterContext(gateway.temporary_folder())
        self.ca = self.server.folder + "/cert.pem"
        self.imap = self.enterContext(mailbox.imap("127.0.0.1", self.server.ports["imaps"], self.ca, USER, PASSWORD))
        ok(self.imap.select("INBOX"))
        ok(self.imap.store("1:*", "+FLAGS", "\\Deleted")) if ok(self.imap.search(None, "ALL"))[0] else None
        ok(self.imap.expunge())
        for word in ("one", "two", "three"):
            ok(self.imap.append("INBOX", None, None, f"From: a@b.example\r\nSubject: {word}\r\nMessage-ID: <{word}@t>\r\n\r\n{word} body\r\n".encode()))

    def subjects(self, folder):
        ok(self.imap.select(folder))
        numbers = ok(self.imap.search(None, "ALL"))[0].split()
        found = {}
        for number in numbers:
            data = ok(self.imap.fetch(number, "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])"))
            found[data[0][1].decode().partition(":")[2].strip()] = data[0][0].decode() + data[1].decode()
        return found

    # -- mutt

    def mutt(self, *keys):
        rc = os.path.join(self.folder, "muttrc")
        with open(rc, "w") as file:
            file.write(f'''set imap_user="{USER}"
set imap_pass="{PASSWORD}"
set folder="imaps://localhost:{self.server.ports["imaps"]}/"
set spoolfile="+INBOX"
set certificate_file="{self.ca}"
set ssl_ca_certificates_file="{self.ca}"
set record="" postponed="" header_cache="" message_cachedir=""
set quit=yes delete=yes move=no confirmcreate=no confirmappend=no wait_key=no sleep_time=0 imap_check_subscribed=no
set imap_condstore=yes imap_qresync=yes
push "{"".join(keys)}"
''')
        self.in_terminal(["mutt", "-n", "-F", rc])

    def in_terminal(self, command):
        """Runs a program that wants a terminal to its end."""
        child, master = pty.fork()
        if child == 0:
            os.environ.update(TERM="xterm", HOME=self.folder, LANG="C.UTF-8")
            os.execvp(command[0], command)
        said, end = b"", time.monotonic() + 40
        status = None
        while status is None:
            if select.select([master], [], [], 0.2)[0]:
                try:
                    said += os.read(master, 65536)
                except OSError:
                    pass
            done, code = os.waitpid(child, os.WNOHANG)
            if done:
                status = code
            elif time.monotonic() > end:
                os.kill(child, 9)
                os.waitpid(child, 0)
                raise AssertionError(f"{command[0]} did not end; it shows {said[-1500:]!r}")
        os.close(master)
        self.assertEqual(status, 0, said[-1500:])

    def test_mutt_beside_an_idling_client(self):
        idler = Idler(self.server)
        idler.start()
        self.mutt("<first-entry><flag-message><first-entry><next-entry><save-message>=Kept<enter>", "<last-entry><delete-message><sync-mailbox><quit>")
        heard = idler.stop()
        inbox = self.subjects("INBOX")
        self.assertEqual(set(inbox), {"one"})
        self.assertIn("\\Flagged", inbox["one"])
        self.assertEqual(set(self.subjects("Kept")), {"two"})
        self.assertTrue(any(b"FETCH" in line and b"\\Flagged" in line for line in heard), heard)
        self.assertEqual(sum(line.endswith(b" EXPUNGE") for line in heard), 2, heard)

    # -- offlineimap

    def offlineimap(self):
        rc = os.path.join(self.folder, "offlineimaprc")
        with open(rc, "w") as file:
            file.write(f'''[general]
accounts = a
metadata = {self.folder}/meta
[Account a]
localrepository = local
remoterepository = remote
[Repository local]
type = Maildir
localfolders = {self.folder}/mail
[Repository remote]
type = IMAP
remotehost = localhost
remoteport = {self.server.ports["imaps"]}
ssl = yes
sslcacertfile = {self.ca}
remoteuser = {USER}
remotepass = {PASSWORD}
folderfilter = lambda name: name in ("INBOX", "Sent")
''')
        done = subprocess.run(["offlineimap", "-o", "-c", rc, "-u", "basic"], capture_output=True, text=True, timeout=90)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def local(self):
        """What offlineimap keeps: path and flags by subject."""
        found = {}
        for part in ("cur", "new"):
            folder = os.path.join(self.folder, "mail", "INBOX", part)
            for name in os.listdir(folder):
                with open(os.path.join(folder, name)) as file:
                    subject = next(line for line in file if line.startswith("Subject: "))[9:].strip()
                found[subject] = (os.path.join(folder, name), set(name.partition(":2,")[2]))
        return found

    def test_offlineimap_both_ways(self):
        ok(self.imap.store("2", "+FLAGS", "\\Seen \\Answered"))
        self.offlineimap()
        local = self.local()
        self.assertEqual({subject: flags for subject, (_, flags) in local.items()}, {"one": set(), "two": set("SR"), "three": set()})
        # There: one is flagged, three goes, four is new. Here: two loses a flag.
        path = local["one"][0]
        base = os.path.basename(path).partition(":2,")[0]
        os.rename(path, os.path.join(self.folder, "mail", "INBOX", "cur", base + ":2,F"))
        os.remove(local["three"][0])
        with open(os.path.join(self.folder, "mail", "INBOX", "new", "1.2.here"), "w") as file:
            file.write("From: a@b.example\nSubject: four\nMessage-ID: <four@t>\n\nfour body\n")
        ok(self.imap.store("2", "-FLAGS", "\\Answered"))
        self.offlineimap()
        inbox = self.subjects("INBOX")
        self.assertEqual(set(inbox), {"one", "two", "four"})
        self.assertIn("\\Flagged", inbox["one"])
        self.assertEqual({subject: "R" in flags for subject, (_, flags) in self.local().items()}, {"one": False, "two": False, "four": False})

    # -- curl

    def curl(self, path, *options):
        done = subprocess.run(["curl", "--silent", "--show-error", "--cacert", self.ca, "--user", f"{USER}:{PASSWORD}", "--max-time", "30", *options,
                               f"imaps://localhost:{self.server.ports['imaps']}/{path}"], capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_curl(self):
        uid = ok(self.imap.uid("SEARCH", "SUBJECT", "two"))[0].decode()
        self.assertIn(b"two body", self.curl(f"INBOX;UID={uid}"))
        self.assertIn(b"Subject: two", self.curl(f"INBOX;UID={uid};SECTION=HEADER"))
        self.assertIn(b"* LIST", self.curl(""))
        self.assertIn(b"* SEARCH", self.curl("INBOX?SUBJECT%20two"))
        upload = os.path.join(self.folder, "new.eml")
        with open(upload, "wb") as file:
            file.write(b"From: a@b.example\r\nSubject: five\r\n\r\nbody\r\n")
        self.curl("INBOX", "--upload-file", upload)
        self.assertIn("five", self.subjects("INBOX"))

    # -- imaplib

    def test_two_imaplibs(self):
        """One works, the other hears of it with its next command, by the numbers it knows."""
        with mailbox.imap("127.0.0.1", self.server.ports["imaps"], self.ca, USER, PASSWORD) as other:
            ok(other.select("INBOX"))
            ok(self.imap.store("1", "+FLAGS", "\\Deleted"))
            ok(self.imap.expunge())
            # FETCH by number brings no EXPUNGE: the second is still the second.
            self.assertIn(b"two", ok(other.fetch("2", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])"))[0][1])
            ok(other.noop())
            self.assertEqual(other.response("EXPUNGE")[1], [b"1"])
            self.assertIn(b"two", ok(other.fetch("1", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])"))[0][1])
            ok(other.copy("1:2", "Sent"))
            self.assertLessEqual({"two", "three"}, set(self.subjects("Sent")))
            with self.assertRaises(imaplib.IMAP4.error):
                other.fetch("99", "(UID)")

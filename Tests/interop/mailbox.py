"""Small helpers of a mail user: sending, and reading over IMAP what has come."""

import contextlib
import email.message
import email.policy
import email.utils
import imaplib
import itertools
import os
import smtplib
import ssl

import gateway

numbers = itertools.count(1)


def unique(word="message"):
    """A subject that no other message has."""
    return f"{word} {os.getpid()}-{next(numbers)}"


def message(sender, recipient, subject, body="hello\n"):
    out = email.message.EmailMessage()
    out["From"], out["To"], out["Subject"] = sender, recipient, subject
    out["Date"] = email.utils.formatdate()
    out["Message-ID"] = email.utils.make_msgid(domain=sender.rpartition("@")[2])
    out.set_content(body)
    return out


def tls(ca_file):
    """Verifies the server against the file."""
    return ssl.create_default_context(cafile=ca_file)


@contextlib.contextmanager
def submission(host, port, ca_file, user, password):
    """A logged-in client on the submission port."""
    with smtplib.SMTP(host, port, timeout=30) as smtp:
        smtp.starttls(context=tls(ca_file))
        smtp.login(user, password)
        yield smtp


@contextlib.contextmanager
def imap(host, port, ca_file, user, password):
    """A logged-in client over implicit TLS."""
    client = imaplib.IMAP4_SSL(host, port, ssl_context=tls(ca_file), timeout=30)
    try:
        ok(client.login(user, password))
        yield client
    finally:
        with contextlib.suppress(imaplib.IMAP4.error, OSError):
            client.logout()


def ok(response):
    """The data of an OK response."""
    if response[0] != "OK":
        raise AssertionError(f"the server says {response}")
    return response[1]


def fetch(client, subject, folder="INBOX", timeout=20):
    """Waits for the message of that subject; (UID, octets)."""
    found = []

    def look():
        ok(client.select(folder))
        found[:] = ok(client.uid("SEARCH", "HEADER", "Subject", f'"{subject}"'))[0].split()
        return found

    gateway.wait_until(look, timeout, lambda: f"no message '{subject}' in {folder}")
    uid = found[-1].decode()
    return uid, ok(client.uid("FETCH", uid, "(BODY.PEEK[])"))[0][1]


def count(client, subject, folder="INBOX"):
    """How many messages have that subject now."""
    ok(client.select(folder))
    return len(ok(client.uid("SEARCH", "HEADER", "Subject", f'"{subject}"'))[0].split())

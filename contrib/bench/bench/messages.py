"""The messages that are sent: of a fixed size, signed, the same each time."""

import os
import random

import dkim

SIZES = {"4k": 3_500, "100k": 100_000}


def make(folder, key):
    """Writes `4k.eml` and `100k.eml`, signed for sender.bench, and `plain-4k.eml` of rcpt.bench, unsigned; LF line ends, as smtp-source wants them."""
    os.makedirs(folder)
    with open(key, "rb") as file:
        private = file.read()
    for name, size in SIZES.items():
        signed = message("alice@sender.bench", "user1@rcpt.bench", name, size)
        signature = dkim.sign(signed, b"sel", b"sender.bench", private, canonicalize=(b"relaxed", b"relaxed"))
        write(folder, name, signature + signed)
    write(folder, "plain-4k", message("user1@rcpt.bench", "guest@sink.bench", "plain", SIZES["4k"]))


def message(sender, recipient, name, size):
    chance = random.Random(7)
    body = ""
    while len(body) < size:
        body += "".join(chance.choice("abcdefghijklmnopqrstuvwxyz     ") for _ in range(70)) + "\r\n"
    header = {"From": f"Alice <{sender}>", "To": f"Bob <{recipient}>", "Subject": "quarterly figures", "Date": "Mon, 23 Nov 2026 10:00:00 +0000",
              "Message-ID": f"<bench-{name}@{sender.partition('@')[2]}>", "MIME-Version": "1.0", "Content-Type": "text/plain; charset=utf-8"}
    return ("".join(f"{name}: {value}\r\n" for name, value in header.items()) + "\r\n" + body).encode()


def write(folder, name, octets):
    with open(os.path.join(folder, f"{name}.eml"), "wb") as file:
        file.write(octets.replace(b"\r\n", b"\n"))

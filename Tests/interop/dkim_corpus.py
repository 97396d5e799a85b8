"""Awkward messages, as octets with CRLF line ends: what signers and verifiers have disagreed about."""

BASE = (b"From: Ann <ann@example.org>\r\nTo: Bob <bob@example.net>\r\nSubject: lunch\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
        b"Message-ID: <1@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n")


def with_subject(subject, body=b"Hello Bob,\r\n\r\nlunch at one?\r\n"):
    return BASE.replace(b"Subject: lunch", b"Subject:" + subject) + b"\r\n" + body


def with_body(body):
    return BASE + b"\r\n" + body


def with_fields(fields, body=b"hello\r\n"):
    return fields + BASE + b"\r\n" + body


LONG = b"x" * 996

CORPUS = {
    "plain": with_subject(b" lunch"),
    # Header
    "folded subject": with_subject(b" lunch\r\n and\r\n  dinner\r\n\tand tea"),
    "folded at once": with_subject(b"\r\n lunch"),
    "tabs and runs of blanks": with_subject(b"\t lunch \t at\t\tone  "),
    "blanks at the end": with_subject(b" lunch  \t "),
    "no blank after the colon": with_subject(b"lunch"),
    "empty subject": with_subject(b""),
    "subject of one blank": with_subject(b" "),
    "folded from": BASE.replace(b"From: Ann <", b"From: Ann\r\n\t<") + b"\r\nhello\r\n",
    "upper-case names": BASE.replace(b"From:", b"FROM:").replace(b"Subject:", b"sUbJeCt:") + b"\r\nhello\r\n",
    "utf-8 in the subject": with_subject(" Grüße aus Köln – 昼食".encode()),
    "utf-8 in the address": BASE.replace(b"Ann <", "Änne <".encode()) + b"\r\nhello\r\n",
    "latin-1 in the subject": with_subject(" Grüße".encode("latin-1")),
    "duplicate subjects": with_fields(b"Subject: first\r\nSubject: second\r\n"),
    "duplicate recipients": with_fields(b"To: a@example.net\r\nTo: b@example.net\r\nCc: c@example.net\r\nCc: d@example.net\r\n"),
    "many received": with_fields(b"".join(b"Received: from a by b with SMTP id %d;\r\n\tTue, 14 Nov 2023 22:13:20 +0000\r\n" % n for n in range(60))),
    "998 octets in a field": with_subject(b" " + b"y" * 988),
    "a field of 30 folded lines": with_subject(b"".join(b" " + b"word" * 15 + b"\r\n" for _ in range(30))[:-2]),
    "semicolons and equals": with_subject(b" v=1; a=rsa-sha256; b=; bh==;;"),
    # Body
    "empty body": with_body(b""),
    "one empty line": with_body(b"\r\n"),
    "empty lines only": with_body(b"\r\n" * 5),
    "blanks only": with_body(b" \t \r\n \r\n"),
    "no final line end": with_body(b"hello\r\nno line end"),
    "one octet": with_body(b"x"),
    # With its line end: dkimpy leaves blanks at the end of a body that has none, which no mail over SMTP is.
    "one blank": with_body(b" \r\n"),
    "empty lines at the end": with_body(b"hello\r\n\r\n\r\n\r\n"),
    "blank lines at the end": with_body(b"hello\r\n \r\n\t\r\n \t \r\n"),
    "empty lines at the beginning": with_body(b"\r\n\r\nhello\r\n"),
    "blanks at line ends": with_body(b"hello \t \r\nyou\t\r\n"),
    "blanks at line beginnings": with_body(b"  hello\r\n\t\tyou  there\r\n"),
    "998 octets in a line": with_body((LONG + b"yz\r\n") * 20),
    "8-bit body": with_body("Grüße – 昼食\r\n".encode() + bytes(range(128, 256)) + b"\r\n"),
    "dots": with_body(b".\r\n..\r\n.hello\r\n"),
    "from line": with_body(b"From here on\r\n>From there\r\n"),
    "10 MB": with_body(b"".join(b"%07d " % n + LONG[:64] + b"  \t\r\n" for n in range(137_000))),
}

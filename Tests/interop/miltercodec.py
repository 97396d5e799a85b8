"""The MTA's side of the milter protocol (version 6) over a blocking socket.

    mta = Milter.connect(("127.0.0.1", 12301))
    mta.negotiate()
    mta.connect_event("client.example", "192.0.2.1", 4711)
    mta.helo("client.example")
    answer = mta.mail("<a@example.org>", "SIZE=100")
    ...
    answer = mta.end_of_message()      # answer.changes lists the modifications that came before it

Every method returns an Answer, or None where the milter asked to be sent the step without answering it.
Steps the milter asked not to be sent are skipped and return None as well.
"""

import socket
import struct

NOCONNECT, NOHELO, NOMAIL, NORCPT, NOBODY, NOHDRS, NOEOH = (1 << n for n in range(7))
NR_HDR, NOUNKNOWN, NODATA, SKIP, RCPT_REJ = (1 << n for n in range(7, 12))
NR_CONN, NR_HELO, NR_MAIL, NR_RCPT, NR_DATA, NR_UNKN, NR_EOH, NR_BODY = (1 << n for n in range(12, 20))
HDR_LEADSPC = 1 << 20
ALL_STEPS = (1 << 21) - 1
ADDHDRS, CHGBODY, ADDRCPT, DELRCPT, CHGHDRS, QUARANTINE, CHGFROM, ADDRCPT_PAR, SETSYMLIST = (1 << n for n in range(9))
ALL_ACTIONS = (1 << 9) - 1
# Places of setsymlist, in the protocol's order.
PLACES = ["connect", "helo", "mail", "rcpt", "data", "eom", "eoh"]


class Answer:
    """What the milter said: `kind` is continue, reject, tempfail, discard, accept, skip or reply."""

    KINDS = {b"c": "continue", b"r": "reject", b"t": "tempfail", b"d": "discard", b"a": "accept", b"s": "skip", b"y": "reply"}

    def __init__(self, code, data, changes, progress):
        self.kind = self.KINDS.get(code, "unknown " + repr(code))
        self.text = data.rstrip(b"\0").decode("utf-8", "replace")
        self.changes = changes
        self.progress = progress

    def __repr__(self):
        return f"<{self.kind} {self.text!r} {self.changes}>"


class Milter:
    """One connection to a milter."""

    def __init__(self, sock):
        self.sock = sock
        self.steps = 0
        self.actions = 0
        self.version = 0
        self.macros_wanted = {}

    @classmethod
    def connect(cls, address, timeout=10):
        """`address`: (host, port), or the path of a UNIX socket."""
        if isinstance(address, tuple):
            sock = socket.create_connection(address, timeout)
        else:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sock.settimeout(timeout)
            sock.connect(address)
        return cls(sock)

    # Packets

    def send(self, command, data=b""):
        self.sock.sendall(struct.pack("!I", len(data) + 1) + command + data)

    def receive(self):
        (length,) = struct.unpack("!I", self._exactly(4))
        packet = self._exactly(length)
        return packet[:1], packet[1:]

    def _exactly(self, count):
        data = b""
        while len(data) < count:
            more = self.sock.recv(count - len(data))
            if not more:
                raise EOFError("the milter closed the connection")
            data += more
        return data

    # Negotiation

    def negotiate(self, version=6, actions=ALL_ACTIONS, steps=ALL_STEPS):
        self.send(b"O", struct.pack("!III", version, actions, steps))
        code, data = self.receive()
        if code != b"O":
            raise ValueError(f"negotiation answered by {code!r}")
        self.version, self.actions, self.steps = struct.unpack("!III", data[:12])
        rest = data[12:]
        while rest:
            (place,) = struct.unpack("!I", rest[:4])
            names, _, rest = rest[4:].partition(b"\0")
            self.macros_wanted[PLACES[place]] = names.decode().split()
        return self

    # Stages

    def macros(self, command, values):
        if values:
            self.send(b"D", command + b"".join(k.encode() + b"\0" + v.encode() + b"\0" for k, v in values.items()))

    def step(self, command, data=b"", skip=0, no_reply=0, macros=None):
        if self.steps & skip:
            return None
        self.macros(command, macros)
        self.send(command, data)
        return None if self.steps & no_reply else self.answer()

    def answer(self):
        changes, progress = [], 0
        while True:
            code, data = self.receive()
            if code == b"p":
                progress += 1
            elif code in CHANGES:
                changes.append(CHANGES[code](data))
            else:
                return Answer(code, data, changes, progress)

    def connect_event(self, hostname="client.example", address="192.0.2.1", port=4711, family=None, macros=None):
        """`family`: 4, 6, L (address is a path) or U (no address); by default as the address looks."""
        family = family or ("6" if ":" in address else "4")
        data = hostname.encode() + b"\0" + family.encode()
        if family != "U":
            data += struct.pack("!H", port) + address.encode() + b"\0"
        return self.step(b"C", data, NOCONNECT, NR_CONN, macros)

    def helo(self, name="client.example", macros=None):
        return self.step(b"H", name.encode() + b"\0", NOHELO, NR_HELO, macros)

    def mail(self, sender="<sender@example.org>", *parameters, macros=None):
        return self.step(b"M", _strings(sender, *parameters), NOMAIL, NR_MAIL, macros)

    def rcpt(self, recipient="<rcpt@example.net>", *parameters, macros=None):
        return self.step(b"R", _strings(recipient, *parameters), NORCPT, NR_RCPT, macros)

    def data(self):
        return self.step(b"T", b"", NODATA, NR_DATA)

    def header(self, name, value):
        """`value` as it stands after the colon: with its blank, folded with LF."""
        raw = value if isinstance(value, bytes) else value.encode()
        if not self.steps & HDR_LEADSPC and raw.startswith(b" "):
            raw = raw[1:]
        return self.step(b"L", name.encode() + b"\0" + raw + b"\0", NOHDRS, NR_HDR)

    def end_of_header(self):
        return self.step(b"N", b"", NOEOH, NR_EOH)

    def body(self, chunk):
        return self.step(b"B", chunk, NOBODY, NR_BODY)

    def end_of_message(self, macros=None):
        self.macros(b"E", macros)
        self.send(b"E")
        return self.answer()

    def abort(self):
        self.send(b"A")

    def quit_new_connection(self):
        self.send(b"K")

    def quit(self):
        try:
            self.send(b"Q")
        finally:
            self.sock.close()

    # Whole pieces

    def open(self, **connect):
        """Connect and HELO, both of which must be let through."""
        for answer in (self.connect_event(**connect), self.helo()):
            if answer is not None and answer.kind != "continue":
                raise ValueError(f"session refused: {answer}")
        return self

    def message(self, headers, body=b"", sender="<sender@example.org>", recipients=("<rcpt@example.net>",), macros=None):
        """A whole message; returns the first answer that is not `continue`, else the last."""
        steps = [lambda: self.mail(sender, macros=macros)]
        steps += [lambda r=r: self.rcpt(r) for r in recipients]
        steps += [self.data]
        steps += [lambda n=n, v=v: self.header(n, v) for n, v in headers]
        steps += [self.end_of_header]
        steps += [lambda i=i: self.body(body[i:i + 65535]) for i in range(0, len(body), 65535)]
        for step in steps:
            answer = step()
            if answer is not None and answer.kind != "continue":
                return answer
        return self.end_of_message()


def _strings(*words):
    return b"".join((w if isinstance(w, bytes) else w.encode()) + b"\0" for w in words)


def _texts(data):
    return [part.decode("utf-8", "replace") for part in data.split(b"\0")[:-1]]


def _indexed(kind):
    return lambda data: (kind, struct.unpack("!I", data[:4])[0], *_texts(data[4:]))


CHANGES = {
    b"h": lambda d: ("addheader", *_texts(d)),
    b"i": _indexed("insheader"),
    b"m": _indexed("chgheader"),
    b"+": lambda d: ("addrcpt", *_texts(d)),
    b"2": lambda d: ("addrcpt_par", *_texts(d)),
    b"-": lambda d: ("delrcpt", *_texts(d)),
    b"e": lambda d: ("chgfrom", *_texts(d)),
    b"b": lambda d: ("replacebody", d),
    b"q": lambda d: ("quarantine", *_texts(d)),
}

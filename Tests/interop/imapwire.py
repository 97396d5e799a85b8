"""An IMAP client's wire: responses as nested lists, literals included (RFC 9051 section 9). It takes nothing for granted:
what does not parse is an error of the server."""

import socket
import ssl


class Broken(Exception):
    """The server sent what no server may send, or went away."""


class Atom(bytes):
    """Unquoted, so that NIL is not the string "NIL"."""


class Wire:
    def __init__(self, host, port, context=None, timeout=60, hostname=None):
        self.socket = socket.create_connection((host, port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context:
            self.socket = context.wrap_socket(self.socket, server_hostname=hostname or host)
        self.buffer = b""

    def close(self):
        self.socket.close()

    def start_tls(self, context, hostname):
        self.socket = context.wrap_socket(self.socket, server_hostname=hostname)

    def send(self, octets):
        self.socket.sendall(octets)

    def fill(self, timeout=None):
        self.socket.settimeout(timeout or 60)
        got = self.socket.recv(262144)
        if not got:
            raise Broken("the server closed the connection")
        self.buffer += got

    def line(self):
        while b"\r\n" not in self.buffer:
            self.fill()
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line

    def octets(self, count):
        pieces, self.buffer, left = [self.buffer[:count]], self.buffer[count:], count - len(self.buffer)
        while left > 0:
            self.fill()
            pieces.append(self.buffer[:left])
            self.buffer, left = self.buffer[left:], left - len(pieces[-1])
        return b"".join(pieces)

    def pending(self, timeout):
        """Whether something comes within the time."""
        if b"\r\n" in self.buffer:
            return True
        try:
            self.fill(timeout)
            return True
        except (TimeoutError, socket.timeout, ssl.SSLWantReadError):
            return False

    def response(self):
        """One response: (first word, rest): the rest parsed for untagged data, raw for conditions and continuations."""
        pieces = [self.line()]
        while True:
            last = pieces[-1]
            if not last.endswith(b"}"):
                break
            size = last[last.rindex(b"{") + 1:-1]
            if not size.isdigit():
                break
            pieces.append(self.octets(int(size)))
            pieces.append(self.line())
        return pieces


def tokens(pieces):
    """The pieces of a response as atoms, strings and lists."""
    stack, out = [], []
    for index, piece in enumerate(pieces):
        if index % 2:
            out.append(bytes(piece))
            continue
        position, end = 0, len(piece)
        if index + 1 < len(pieces):
            end = piece.rindex(b"{")
            if piece[end - 1:end] == b"~":
                end -= 1
        while position < end:
            byte = piece[position:position + 1]
            if byte == b" ":
                position += 1
            elif byte == b"(":
                stack.append(out)
                out = []
                position += 1
            elif byte == b")":
                if not stack:
                    raise Broken(f"a stray ) in {pieces[0][:200]}")
                inner, out = out, stack.pop()
                out.append(inner)
                position += 1
            elif byte == b'"':
                position, text = quoted(piece, position + 1)
                out.append(text)
            else:
                start, depth = position, 0
                # BODY[HEADER.FIELDS (A B)]<0> is one atom.
                while position < end and (depth or piece[position] not in b' ()"'):
                    depth += {91: 1, 93: -1}.get(piece[position], 0)
                    position += 1
                out.append(Atom(piece[start:position]))
    if stack:
        raise Broken(f"a missing ) in {pieces[0][:200]}")
    return out


def quoted(piece, position):
    text = bytearray()
    while position < len(piece):
        byte = piece[position]
        if byte == 34:
            return position + 1, bytes(text)
        if byte == 92:
            position += 1
            if position >= len(piece) or piece[position] not in b'"\\':
                break
        text.append(piece[position])
        position += 1
    raise Broken(f"a quoted string without its end in {piece[:200]}")


def numbers(text):
    """A sequence set, in its order."""
    out = []
    for part in text.split(b","):
        low, _, high = part.partition(b":")
        low, high = int(low), int(high or low)
        out.extend(range(low, high + 1) if low <= high else range(low, high - 1, -1))
    return out

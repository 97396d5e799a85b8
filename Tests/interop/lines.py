"""A connection spoken to line by line, for what smtplib would not say."""

import re
import socket


def words(text):
    """A reply's text without the id of the decision record that follows a refusal's words."""
    pattern = r" \(id [A-Z0-9]+\)$"
    return re.sub(pattern.encode() if isinstance(text, bytes) else pattern, b"" if isinstance(text, bytes) else "", text)


class Lines:
    def __init__(self, port):
        self.adopt(socket.create_connection(("127.0.0.1", port), 30))
        self.greeting = self.reply()

    @classmethod
    def over(cls, sock):
        """Goes on with a connection that another client opened; it stays that client's to close."""
        self = cls.__new__(cls)
        self.adopt(sock)
        return self

    def adopt(self, sock):
        self.sock = sock
        self.stream = sock.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stream.close()
        self.sock.close()

    def send(self, data):
        """All of it, or as much as the server takes before it hangs up."""
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def ask(self, line):
        self.send(line if isinstance(line, bytes) else line.encode() + b"\r\n")
        return self.reply()

    def reply(self):
        """A whole SMTP reply, or b"" when the server hung up."""
        out = b""
        while True:
            try:
                line = self.stream.readline()
            except ConnectionResetError:
                return out
            out += line
            if not line or line[3:4] != b"-":
                return out

"""A next hop: a mail server that takes everything, or not quite, and remembers it."""

import socketserver
import sys
import threading


class Sink:
    """Listens while entered, with STARTTLS when it has a TLS context; `messages` are (sender, recipients, content) in order of arrival."""

    def __init__(self, port, host="127.0.0.1", tls=None, refused=(), tls_extensions=()):
        """`refused`: recipients that are not known there. `tls_extensions`: what it offers once TLS is in use."""
        self.host, self.port, self.tls, self.refused, self.tls_extensions = host, port, tls, refused, tls_extensions
        self.messages = []

    def __enter__(self):
        self.server = Server((self.host, self.port), Handler)
        self.server.tls = self.tls
        self.server.messages = self.messages
        self.server.refused = self.refused
        self.server.tls_extensions = self.tls_extensions
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def count(self, subject):
        return sum(f"Subject: {subject}\r\n".encode() in content for _, _, content in list(self.messages))


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that hangs up, or does not believe our certificate, is no news."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class Handler(socketserver.StreamRequestHandler):
    timeout = 30

    def handle(self):
        self.say("220 sink.example ESMTP")
        sender, recipients = None, []
        self.starts_tls, self.is_tls = self.server.tls, False
        while line := self.rfile.readline():
            verb = line.upper().split()[0] if line.split() else b""
            if verb == b"EHLO":
                lines = ["sink.example", *(["STARTTLS"] if self.starts_tls else self.server.tls_extensions if self.is_tls else [])]
                self.say("\r\n".join(f"250{' ' if line is lines[-1] else '-'}{line}" for line in lines))
            elif verb == b"STARTTLS" and self.starts_tls:
                self.say("220 2.0.0 go on")
                self.start_tls()
            elif verb == b"MAIL":
                sender, recipients = line.strip().decode(), []
                self.say("250 2.1.0 Ok")
            elif verb == b"RCPT" and any(f"<{address}>".encode() in line for address in self.server.refused):
                self.say("550 5.1.1 no such user")
            elif verb == b"RCPT":
                recipients.append(line.strip().decode())
                self.say("250 2.1.5 Ok")
            elif verb == b"DATA":
                self.say("354 go on")
                self.server.messages.append((sender, recipients, self.content()))
                self.say("250 2.0.0 Ok")
            elif verb == b"QUIT":
                return self.say("221 2.0.0 Bye")
            else:
                self.say("250 2.0.0 Ok" if verb in (b"NOOP", b"RSET") else "502 5.5.2 not here")

    def start_tls(self):
        self.finish()
        self.request = self.starts_tls.wrap_socket(self.request, server_side=True)
        self.starts_tls, self.is_tls = None, True
        self.setup()

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def content(self):
        lines = []
        for line in self.rfile:
            if line == b".\r\n":
                return b"".join(lines)
            lines.append(line[1:] if line.startswith(b".") else line)
        raise ConnectionError("the client hung up within a message")

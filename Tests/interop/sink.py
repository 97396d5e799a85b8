"""A next hop: a mail server that takes everything and remembers it."""

import socketserver
import threading


class Sink:
    """Listens while entered, with STARTTLS when it has a TLS context; `messages` are (sender, recipients, content) in order of arrival."""

    def __init__(self, port, host="127.0.0.1", tls=None):
        self.host, self.port, self.tls = host, port, tls
        self.messages = []

    def __enter__(self):
        self.server = Server((self.host, self.port), Handler)
        self.server.tls = self.tls
        self.server.messages = self.messages
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


class Handler(socketserver.StreamRequestHandler):
    timeout = 30

    def handle(self):
        self.say("220 sink.example ESMTP")
        sender, recipients = None, []
        self.starts_tls = self.server.tls
        while line := self.rfile.readline():
            verb = line.upper().split()[0] if line.split() else b""
            if verb == b"EHLO":
                self.say("250-sink.example\r\n250 STARTTLS" if self.starts_tls else "250 sink.example")
            elif verb == b"STARTTLS" and self.starts_tls:
                self.say("220 2.0.0 go on")
                self.start_tls()
            elif verb == b"MAIL":
                sender, recipients = line.strip().decode(), []
                self.say("250 2.1.0 Ok")
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
        self.starts_tls = None
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

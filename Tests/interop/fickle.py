"""A mail server that misbehaves as told: `plan` says what each session in turn does; past its end sessions behave.

    "drop-content"   hangs up within the content
    "drop-verdict"   hangs up when it has the whole content, which it keeps
    "4xx-verdict"    451 for the content
    "greeting-554"   refuses at the greeting
    "421-rcpt"       421 at RCPT
    "silent-close"   hangs up at once
"""

import socketserver
import threading

from sink import Server


class Fickle:
    def __init__(self, address, *plan, extensions=("PIPELINING", "ENHANCEDSTATUSCODES")):
        self.address, self.plan, self.extensions = address, list(plan), extensions
        self.messages, self.acknowledged, self.sessions = [], [], 0

    def __enter__(self):
        self.server = Server((self.address, 25), Session)
        self.server.fickle = self
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def had(self, subject):
        """Copies that it has had in full."""
        return sum(f"Subject: {subject}\r\n".encode() in content for content in list(self.messages))

    def took(self, subject):
        """Copies that it has said 250 to."""
        return sum(f"Subject: {subject}\r\n".encode() in content for content in list(self.acknowledged))


class Session(socketserver.StreamRequestHandler):
    timeout = 30

    def handle(self):
        fickle = self.server.fickle
        fickle.sessions += 1
        act = fickle.plan.pop(0) if fickle.plan else "behave"
        if act == "silent-close":
            return
        self.say("554 5.3.2 not today" if act == "greeting-554" else "220 fickle.example ESMTP")
        while line := self.rfile.readline():
            verb = line.upper().split()[0] if line.split() else b""
            if verb == b"EHLO":
                lines = ["fickle.example", *fickle.extensions]
                self.say("\r\n".join(f"250{' ' if index == len(lines) - 1 else '-'}{text}" for index, text in enumerate(lines)))
            elif verb == b"RCPT" and act == "421-rcpt":
                return self.say("421 4.3.2 going down")
            elif verb == b"DATA":
                self.say("354 go on")
                if act == "drop-content":
                    self.rfile.readline()
                    return
                content = self.content()
                fickle.messages.append(content)
                if act == "drop-verdict":
                    return
                if act == "4xx-verdict":
                    self.say("451 4.3.0 come again")
                    continue
                fickle.acknowledged.append(content)
                self.say("250 2.0.0 Ok")
            elif verb == b"QUIT":
                return self.say("221 2.0.0 Bye")
            else:
                self.say("250 2.0.0 Ok")

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def content(self):
        lines = []
        for line in self.rfile:
            if line == b".\r\n":
                return b"".join(lines)
            lines.append(line)
        raise ConnectionError("the client hung up within a message")

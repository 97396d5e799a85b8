"""A milter in a few lines that notes what it is told and says `continue`, for tests of who is told what on which connection."""

import socket
import struct
import threading

# Optional parts of the protocol that it does not want: none.
ALL_ACTIONS = 0x1FF


class FakeMilter:
    """Listens on a free port while entered. `connections`: for each, its packets as (code, data), macros among them."""

    def __init__(self, answers=None):
        """`answers`: reply packets by command code (`{"E": [("y", b"550 5.7.1 no\\0")]}`) in place of `continue`."""
        self.answers = answers or {}
        self.connections = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    @property
    def milter(self):
        """As `milters` names it."""
        return f"inet:127.0.0.1:{self.port}"

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        # Wakes accept().
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            packets = []
            self.connections.append(packets)
            threading.Thread(target=self.serve, args=(connection, packets), daemon=True).start()

    def serve(self, connection, packets):
        with connection, connection.makefile("rwb") as stream:
            while len(head := stream.read(4)) == 4:
                packet = stream.read(struct.unpack("!I", head)[0])
                code, data = chr(packet[0]), packet[1:]
                packets.append((code, data))
                for reply, content in self.replies(code):
                    stream.write(struct.pack("!I", len(content) + 1) + reply.encode() + content)
                stream.flush()

    def replies(self, code):
        if code == "O":
            return [("O", struct.pack("!III", 6, ALL_ACTIONS, 0))]
        if code in self.answers:
            return self.answers[code]
        return [("c", b"")] if code in "CHMRTLNBEU" else []

    # What it was told.

    def codes(self, number=-1):
        """The commands on a connection in order, as `OCHMRTLNBE`, macros left out."""
        return "".join(code for code, _ in self.connections[number] if code != "D")

    def texts(self, code, number=-1):
        """The words of the last such command."""
        data = [data for found, data in self.connections[number] if found == code][-1]
        return [word.decode() for word in data.split(b"\0")[:-1]]

    def macros(self, stage, number=-1):
        """The macros last told for a stage, by name."""
        data = [data for code, data in self.connections[number] if code == "D" and data[:1] == stage.encode()][-1]
        words = [word.decode() for word in data[1:].split(b"\0")[:-1]]
        return dict(zip(words[::2], words[1::2]))

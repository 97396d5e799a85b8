"""A name server on loopback, over UDP and TCP, made of zone lines: for tests that want real DNS with known answers."""

import selectors
import socket
import struct
import threading

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

IN = dns.rdataclass.IN
CLIENT_LIMIT = 64


class Zone:
    """Answers from lines of `name TYPE data`. Names in `timeouts` get no answer for types they have no record of."""

    def __init__(self, lines, timeouts=()):
        self.records = {}
        for line in lines:
            name, kind, data = line.split(None, 2)
            rdtype = dns.rdatatype.from_text(kind)
            # A TXT record without any string cannot be sent by most servers: an empty string stands for it.
            data = '""' if data == "\\# 0" else data
            rdata = dns.rdata.from_text(IN, rdtype, data, origin=dns.name.root, relativize=False)
            self.records.setdefault((dns.name.from_text(name), rdtype), []).append(rdata)
        self.existing = set()
        for name, _ in self.records:
            while name != dns.name.root:
                self.existing.add(name)
                name = name.parent()
        self.timeouts = {dns.name.from_text(name) for name in timeouts}

    def answer(self, query):
        """The response, or None for silence."""
        response = dns.message.make_response(query, recursion_available=True)
        response.flags |= dns.flags.AA
        question = query.question[0]
        name = question.name
        for _ in range(8):
            found = self.records.get((name, question.rdtype))
            if found:
                response.answer.append(dns.rrset.from_rdata_list(name, 60, found))
                return response
            alias = self.records.get((name, dns.rdatatype.CNAME))
            if not alias:
                break
            response.answer.append(dns.rrset.from_rdata_list(name, 60, alias))
            name = alias[0].target
        if name in self.timeouts:
            return None
        if name not in self.existing:
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response


class ZoneServer:
    """Serves one zone on 127.0.0.1 until `close`: on a free port, unless one is named."""

    def __init__(self, zone, port=0):
        self.wanted_port = port
        self.zone = zone
        self.queries = 0
        self.udp, self.tcp = self.bind()
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.udp, selectors.EVENT_READ, self.on_datagram)
        self.selector.register(self.tcp, selectors.EVENT_READ, self.on_connect)
        self.stop_read, self.stop_write = socket.socketpair()
        self.selector.register(self.stop_read, selectors.EVENT_READ, None)
        self.clients = {}
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def bind(self):
        """One port number free for both."""
        for _ in range(20):
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            udp.bind(("127.0.0.1", self.wanted_port))
            self.port = udp.getsockname()[1]
            tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            try:
                tcp.bind(("127.0.0.1", self.port))
            except OSError:
                udp.close()
                tcp.close()
                continue
            tcp.listen(CLIENT_LIMIT)
            return udp, tcp
        raise OSError("no port is free for both UDP and TCP")

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def serve(self):
        while True:
            for key, _ in self.selector.select():
                if key.data is None:
                    return
                key.data(key.fileobj)

    def on_datagram(self, _):
        data, peer = self.udp.recvfrom(65535)
        wire = self.respond(data, None)
        if wire is not None:
            self.udp.sendto(wire, peer)

    def on_connect(self, _):
        client, _ = self.tcp.accept()
        if len(self.clients) >= CLIENT_LIMIT:
            client.close()
            return
        self.clients[client] = b""
        self.selector.register(client, selectors.EVENT_READ, self.on_stream)

    def on_stream(self, client):
        try:
            data = client.recv(65535)
            self.clients[client] += data
            while data and len(self.clients[client]) >= 2:
                length = struct.unpack("!H", self.clients[client][:2])[0]
                if len(self.clients[client]) < 2 + length:
                    break
                query, self.clients[client] = self.clients[client][2:2 + length], self.clients[client][2 + length:]
                wire = self.respond(query, 65535)
                if wire is not None:
                    client.sendall(struct.pack("!H", len(wire)) + wire)
        except OSError:
            data = b""
        if not data:
            self.selector.unregister(client)
            del self.clients[client]
            client.close()

    def respond(self, data, limit):
        """Octets to send; None for silence. Over UDP what does not fit is cut off, and the client comes again by TCP."""
        self.queries += 1
        try:
            query = dns.message.from_wire(data)
            response = self.zone.answer(query)
            return self.pack(query, response, limit or max(query.payload, 512)) if response else None
        except Exception as error:  # a broken query must not end the server
            print(f"zone server: {error!r}")
            return None

    def pack(self, query, response, limit):
        try:
            return response.to_wire(max_size=limit)
        except dns.exception.TooBig:
            short = dns.message.make_response(query, recursion_available=True)
            short.flags |= dns.flags.AA | dns.flags.TC
            return short.to_wire()

    def close(self):
        self.stop_write.send(b"x")
        self.thread.join(5)
        for one in [self.udp, self.tcp, self.stop_read, self.stop_write, *self.clients]:
            one.close()
        self.selector.close()

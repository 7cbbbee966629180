"""A vendor in front of the sandbox: what a rule fits, it answers byte by byte as the rule says; the rest the sandbox does.

    middle = Middle(lambda: sandbox_url)
    middle.rules["downtown-3"] = Rule(lambda ask: ask.send(answer(b"not json")), path="product_list")

A store is told by the path's piece after "dispensary".
"""
import http.client
import socket
import struct
import threading
import urllib.parse


class Ask:
    """One request, and the ways to answer it."""

    def __init__(self, middle, connection, method, path, headers, body):
        self.middle, self.connection = middle, connection
        self.method, self.path, self.headers, self.body = method, path, headers, body
        parts = path.split("/")
        self.store = parts[parts.index("dispensary") + 1] if "dispensary" in parts else ""

    def send(self, data):
        """Sends the bytes, and hangs up."""
        self.connection.sendall(data)
        return False

    def reset(self):
        """Hangs up with RST."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    def hold(self):
        """Says nothing until the other side hangs up."""
        try:
            while self.connection.recv(4096):
                pass
        except OSError:
            pass
        return False

    def pour(self, head, block, times=None):
        """Sends the block again and again, until the other side has had enough."""
        self.connection.sendall(head)
        done = 0
        while times is None or done < times:
            self.connection.sendall(block)
            self.middle.poured += len(block)
            done += 1
        return False

    def theirs(self):
        """The sandbox's own answer: status, headers, body."""
        parts = urllib.parse.urlsplit(self.middle.url)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
        try:
            kept = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection", "accept-encoding")}
            connection.request(self.method, parts.path + self.path, self.body or None, kept)
            found = connection.getresponse()
            return found.status, found.headers, found.read()
        finally:
            connection.close()

    def forward(self, change=lambda body: body, head=b""):
        """What the sandbox says, its body changed. The connection stays."""
        status, headers, body = self.theirs()
        if status == 200:
            body = change(body)
        self.connection.sendall(answer(body, status, headers.get("Content-Type", "application/json"), head, keep=True))
        return True


def answer(body, status=200, kind="application/json", head=b"", keep=False):
    """A whole answer with the right length."""
    close = b"" if keep else b"Connection: close\r\n"
    return (f"HTTP/1.1 {status} Said\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n".encode() + close + head + b"\r\n" + body)


class Rule:
    """For requests whose path holds `path`; count: how often."""

    def __init__(self, act, path="product_list", count=None):
        self.act, self.path, self.count = act, path, count
        self.hits = 0

    def fits(self, ask):
        return self.path in ask.path and (self.count is None or self.hits < self.count)


class Middle:
    """Listens on a port of its own; a thread a connection."""

    def __init__(self, url):
        self.url, self.rules, self.poured, self.asked, self.headers = url, {}, 0, [], []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.address = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            try:
                stream = connection.makefile("rb")
                while self._one(connection, stream):
                    pass
                connection.shutdown(socket.SHUT_WR)
            except (OSError, ValueError, http.client.HTTPException):
                pass

    def _one(self, connection, stream):
        line = stream.readline().decode("latin-1").split(" ")
        if len(line) < 3:
            return False
        headers = http.client.parse_headers(stream)
        body = stream.read(int(headers.get("Content-Length", 0)))
        ask = Ask(self, connection, line[0], line[1], headers, body)
        self.asked.append((ask.store, ask.method, ask.path))
        self.headers.append(headers)
        rule = self.rules.get(ask.store)
        if rule and rule.fits(ask):
            rule.hits += 1
            return rule.act(ask)
        return ask.forward()

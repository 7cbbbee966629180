"""A follower of /v1/changes as a browser would be: text/event-stream over a socket, one connection after the other.

    events = sse.Events(house.api, kinds="products")
    event = events.wait(lambda event: event.name == "change")
"""
import collections
import http.client
import io
import json
import select
import socket
import time
import urllib.parse

import tap

Event = collections.namedtuple("Event", "name id data")  # id: the last one said by then, "" when none was


class Cut(Exception):
    """The connection went in the middle."""


def connect(api, receive_bytes=None):
    """A socket to the API's address, or to the Unix socket of that path; and the host's name."""
    unix = api.startswith("/")
    connection = socket.socket(socket.AF_UNIX if unix else socket.AF_INET)
    if receive_bytes:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    connection.settimeout(tap.PATIENCE_S)
    parts = urllib.parse.urlsplit(api)
    connection.connect(api if unix else (parts.hostname, parts.port))
    return connection, "localhost" if unix else parts.netloc


def ask(connection, target, headers, http="1.1"):
    lines = [f"GET {target} HTTP/{http}"] + [f"{name}: {value}" for name, value in headers.items()]
    connection.sendall("\r\n".join(lines + ["", ""]).encode())


class Body:
    """What of the bytes that came is body; over: its clean end was there."""

    def __init__(self, chunked):
        self.chunked, self.raw, self.left, self.over = chunked, b"", 0, False

    def take(self, data):
        if not self.chunked:
            return data
        self.raw += data
        out = []
        while self.raw and not self.over:
            if self.left > 2:
                piece = self.raw[:self.left - 2]
                out.append(piece)
                self.raw, self.left = self.raw[len(piece):], self.left - len(piece)
            elif self.left:
                if len(self.raw) < self.left:
                    break
                tap.equal(self.raw[:self.left], b"\r\n"[-self.left:], "what follows a chunk")
                self.raw, self.left = self.raw[self.left:], 0
            else:
                line, end, rest = self.raw.partition(b"\r\n")
                if not end:
                    break
                size = int(line, 16)
                if size == 0:
                    if rest[:2] != b"\r\n":
                        break
                    self.over = True
                self.raw, self.left = rest, size + 2 if size else 0
        return b"".join(out)


class Events:
    """One connection. text: all that came of the body; events: what is in it; comments: how many lines were those."""

    def __init__(self, api, headers=None, http="1.1", receive_bytes=None, **query):
        self.socket, host = connect(api, receive_bytes)
        target = "/v1/changes" + ("?" + urllib.parse.urlencode(query) if query else "")
        ask(self.socket, target, {"Host": host, "Accept": "text/event-stream", **(headers or {})}, http)
        self.status, self.headers, rest = self._head()
        self.text, self.events, self.comments, self.last_id = b"", [], 0, ""
        self._line_start, self._fields, self.over, self.gone = b"", {}, False, False
        self._body = Body(self.headers.get("Transfer-Encoding") == "chunked")
        self.socket.setblocking(False)
        self._take(rest)

    def _head(self):
        raw = b""
        while b"\r\n\r\n" not in raw:
            data = self.socket.recv(65536)
            if not data:
                raise Cut(f"no head: {raw!r}")
            raw += data
        head, _, rest = raw.partition(b"\r\n\r\n")
        first, _, lines = head.partition(b"\r\n")
        return int(first.split(b" ")[1]), http.client.parse_headers(io.BytesIO(lines + b"\r\n\r\n")), rest

    def close(self):
        self.socket.close()
        self.gone = True

    def fileno(self):
        return self.socket.fileno()

    def receive(self):
        """Takes what is there. over: the stream ended cleanly; gone: the connection is closed."""
        while not self.gone:
            try:
                data = self.socket.recv(262144)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self.over = self.over or not self._body.chunked
                self.close()
            self._take(data)

    def _take(self, data):
        body = self._body.take(data)
        self.over = self.over or self._body.over
        self.text += body
        lines = (self._line_start + body).split(b"\n")
        self._line_start = lines.pop()
        for line in lines:
            self._line(line.decode())

    def _line(self, line):
        if line == "":
            self._dispatch()
        elif line.startswith(":"):
            self.comments += 1
        else:
            name, _, value = line.partition(": ")
            self._fields[name] = value

    def _dispatch(self):
        self.last_id = self._fields.get("id", self.last_id)
        if "data" in self._fields:
            self.events.append(Event(self._fields.get("event", "message"), self.last_id, json.loads(self._fields["data"])))
        self._fields = {}

    def wait(self, condition, what, timeout_s=tap.PATIENCE_S):
        """Receives until the condition gives something true."""
        end = time.monotonic() + timeout_s
        while True:
            found = condition()
            if found:
                return found
            left = end - time.monotonic()
            if left <= 0 or self.gone:
                raise AssertionError(f"{'the stream ended' if self.gone else f'not within {timeout_s:g} s'}: {what}")
            select.select([self], [], [], min(left, 1))
            self.receive()

    def wait_events(self, count, what="events"):
        return self.wait(lambda: len(self.events) >= count and self.events, f"{count} {what}, there are {len(self.events)}")

    def wait_end(self, timeout_s=tap.PATIENCE_S):
        """Until the connection is closed or the stream ended."""
        end = time.monotonic() + timeout_s
        while not self.gone and not self.over:
            tap.true(time.monotonic() < end, f"the stream ends within {timeout_s:g} s")
            select.select([self], [], [], 0.5)
            self.receive()

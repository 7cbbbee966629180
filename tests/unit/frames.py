"""The hub's end of a worker, for tests: tillbridge-worker over a socketpair, frame by frame; and a vendor to ask."""
import collections
import contextlib
import http.server
import json
import os
import socket
import struct
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import tap  # noqa: E402

TYPES = ["", "HELLO", "CONNECT", "DISCONNECT", "CALL", "CANCEL", "CREDIT", "DRAIN", "PING", "PONG", "RECORDS", "SAME", "REJECT",
         "RESULT", "LOG"]
KINDS = ["products", "inventory", "promotions", "customers", "orders", "messages", "insights"]
HEAD = struct.Struct("=IBBHQ")
RECORD = struct.Struct("=IBBHIIQQQq")

Frame = collections.namedtuple("Frame", "type kind call body")
Record = collections.namedtuple("Record", "kind op id body id_hash hash parent_hash updated_ms")


def records_of(body):
    """The entries of a RECORDS body."""
    found, at = [], 0
    while at < len(body):
        size, kind, op, id_length, body_length, _, id_hash, its_hash, parent_hash, updated_ms = RECORD.unpack_from(body, at)
        start = at + RECORD.size
        text = body[start + id_length + 1:start + id_length + 1 + body_length]
        found.append(Record(KINDS[kind], op, body[start:start + id_length].decode(), json.loads(text) if text else None, id_hash,
                            its_hash, parent_hash, updated_ms))
        at += size
    return found


class Page:
    """What came of one call."""

    def __init__(self):
        self.records, self.same, self.rejects, self.logs, self.result = [], [], [], [], None

    def of(self, kind):
        return [record for record in self.records if record.kind == kind]


class Worker:
    """A worker with one plugin. Ended with the test; it must exit with 0, so a leak fails the test."""

    def __init__(self, plugin, status=0, credit=True, env=None):
        ours, theirs = socket.socketpair()
        self.socket, self.status, self.credit, self.gives = ours, status, credit, 0
        ours.settimeout(tap.PATIENCE_S)
        self.process = subprocess.Popen([tap.built("tillbridge-worker"), "--plugin", plugin, "--fd", str(theirs.fileno())],
                                        stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()],
                                        env={**os.environ, **(env or {})})
        theirs.close()
        self.input, self.calls = b"", 0
        tap._programs.append(self)
        self.hello = json.loads(self.frame().body)

    def send(self, kind, call=0, body=None):
        text = b"" if body is None else json.dumps(body).encode()
        self.socket.sendall(HEAD.pack(len(text), TYPES.index(kind), 0, 0, call) + text)

    def _need(self, count):
        while len(self.input) < count:
            more = self.socket.recv(1 << 20)
            if not more:
                raise EOFError("the worker is gone")
            self.input += more

    def frame(self):
        self._need(HEAD.size)
        size, kind, of, _, call = HEAD.unpack_from(self.input)
        self._need(HEAD.size + size)
        body, self.input = self.input[HEAD.size:HEAD.size + size], self.input[HEAD.size + size:]
        return Frame(TYPES[kind], KINDS[of], call, body)

    def connect(self, number=1, seed=7, store=None, **settings):
        self.send("CONNECT", number, {"connector": "downtown/pos", "seed": str(seed), "settings": settings, "timeout_ms": 20000,
                                      "store": {"id": "downtown", "timezone": "America/Los_Angeles", "currency": "USD",
                                                **(store or {})},
                                      "allow_private": True, "pace": {"per_second": 10000, "burst": 10000, "at_once": 100}})

    def call(self, operation="pull", stream="products", connector=1, **members):
        self.calls += 1
        self.send("CALL", self.calls, {"id": f"call_{self.calls}", "connector": connector, "operation": operation,
                                       "stream": stream, "full": True, "first": True, "deadline_ms": 60000, "urgency": "sync",
                                       "started_ms": 1772000000000, **members})
        return self.calls

    def take(self, page, frame):
        """Sorts a frame of a call into its page."""
        if frame.type in ("RECORDS", "SAME") and self.credit:
            with contextlib.suppress(BrokenPipeError):  # a drained worker may be gone, what it sent is here
                self.send("CREDIT", len(frame.body))
        if frame.type == "RECORDS":
            page.records += records_of(frame.body)
        elif frame.type == "SAME":
            page.same += [(frame.kind, *struct.unpack_from("=QQ", frame.body, at)) for at in range(0, len(frame.body), 16)]
        elif frame.type == "REJECT":
            page.rejects.append(json.loads(frame.body))
        elif frame.type == "LOG":
            page.logs.append(json.loads(frame.body))
        elif frame.type == "RESULT":
            page.result = json.loads(frame.body)

    def answers(self, *calls):
        """Everything of these calls, until all have their result."""
        pages = {call: Page() for call in calls}
        while any(page.result is None for page in pages.values()):
            frame = self.frame()
            tap.true(frame.call in pages, f"a {frame.type} frame for call {frame.call}")
            self.take(pages[frame.call], frame)
        return [pages[call] for call in calls]

    def do(self, operation="pull", stream="products", **members):
        return self.answers(self.call(operation, stream, **members))[0]

    def whole_pass(self, stream="products", **members):
        """Page after page until done; one Page of all, its result the last one's."""
        whole, cursor, first = Page(), None, True
        while True:
            page = self.do(stream=stream, first=first, **({"cursor": cursor} if cursor else {}), **members)
            whole.records += page.records
            whole.same += page.same
            whole.rejects += page.rejects
            whole.result = page.result
            if page.result["ending"] != "more":
                return whole
            cursor, first = page.result["cursor"], False

    def resident_bytes(self):
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def cpu_s(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        if self in tap._programs:
            tap._programs.remove(self)
        self.socket.close()
        try:
            status = self.process.wait(tap.PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("the worker did not end when its socket closed") from None
        if self.status is not None:
            tap.equal(status, self.status, "exit status of the worker")


class Vendor:
    """Answers by path with query: pages[path] is (status, headers, body), or a function that is handed the request handler."""

    def __init__(self):
        self.pages, self.seen = {}, []
        vendor = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                vendor.seen.append(self.path)
                answer = vendor.pages.get(self.path, (404, {}, b'{"error":"no such page"}'))
                if callable(answer):
                    answer(self)
                    return
                status, headers, body = answer
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Content-Type", "application/json")
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *words):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, *words):
                pass  # a worker may hang up

        self.server = Server(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        tap._programs.append(self)

    def items(self, path, items, **others):
        self.pages[path] = (200, {}, json.dumps({**others, "products": items}).encode())

    def stop(self):
        if self in tap._programs:
            tap._programs.remove(self)
        self.server.shutdown()
        self.server.server_close()


def bad_plugin(name):
    return tap.built("tests", "bad-plugins", ".libs", name + ".so")


def treez():
    return tap.built("plugins", "treez", ".libs", "treez.so")

"""Plays the plugins' cassettes: recorded exchanges with a vendor, what was asked for, and what must come of it.

A cassette (plugins/NAME/cassettes/*.json) holds store, settings and calls. A call: operation, stream, full, since, cursor, record and
deadline_ms as the hub would say them, and settings where they are other ones from there on; `exchanges`, the requests that must come (in order, path below
url and without percent-encoding; headers and body where given) and the answers to give (json or text; cut: the connection breaks so many bytes before its end); `records`, what
the plugin must emit, in order; `rejects`, reasons of what is set aside; `result`, members that RESULT must have (detail: is in it), or null where the worker must die.
Then the first call is asked once more in a worker of its own, with its last answer cut, and with a web page in its place: neither may look like a page that is done.
Each cassette runs in a worker of its own, spoken to as the hub does (host/wire/wire.h), against a server on the loopback."""
import datetime
import glob
import http.server
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))
import tap  # noqa: E402

HELLO, CONNECT, CALL, CREDIT, RECORDS, SAME, REJECT, RESULT, LOG = 1, 2, 4, 6, 10, 11, 12, 13, 14
HEAD, RECORD = struct.Struct("=IBBHQ"), struct.Struct("=IBBHIIQQQq")
KINDS = ["products", "inventory", "promotions", "customers", "orders", "messages", "insights"]


class Vendor:
    """Gives the answers of exchanges in order; what does not fit is kept as trouble, and answered with 418."""

    def __init__(self):
        self.expected, self.trouble = [], []
        self.broken = False  # the last answer is given as often as it is asked for
        vendor = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                status, body, content_type, cut = vendor.take(self.command, self.path, self.headers, self.rfile.read(length))
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[:len(body) - cut])
                self.close_connection = self.close_connection or cut > 0

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def take(self, method, path, headers, body):
        found = f"{method} {urllib.parse.unquote(path)}"
        again = self.broken and len(self.expected) == 1
        exchange = self.expected[0] if again else self.expected.pop(0) if self.expected else None
        request = exchange["request"] if exchange else {"method": "nothing", "path": "more"}
        wanted = f"{request['method']} {request['path']}"
        if found != wanted:
            self.trouble.append(f"expected {wanted}, received {found}")
        for name, value in request.get("headers", {}).items():
            if headers.get(name) != value:
                self.trouble.append(f"{found}: header {name} is {headers.get(name)!r}, not {value!r}")
        if "body" in request and body.decode() != request["body"]:
            self.trouble.append(f"{found}: the body is {body!r}, not {request['body']!r}")
        if not exchange or found != wanted:
            return 418, b"{}", "application/json", 0
        answer = exchange["answer"]
        if "text" in answer:
            return answer["status"], answer["text"].encode(), "text/plain", answer.get("cut", 0)
        return answer["status"], json.dumps(answer["json"]).encode(), "application/json", answer.get("cut", 0)


class Gone(AssertionError):
    """The worker ended."""


class Worker:
    """A worker with one plugin, and the hub's end of its socket."""

    def __init__(self, plugin):
        self.socket, theirs = socket.socketpair()
        self.socket.settimeout(tap.PATIENCE_S)
        with theirs:
            self.process = subprocess.Popen([tap.built("tillbridge-worker"), "--plugin", plugin, "--fd", str(theirs.fileno())],
                                            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, pass_fds=[theirs.fileno()])
        kind, _, _, self.hello = self.receive()
        tap.equal(kind, HELLO, "the first frame")

    def send(self, kind, call, body=None):
        data = b"" if body is None else json.dumps(body).encode()
        self.socket.sendall(HEAD.pack(len(data), kind, 0, 0, call) + data)

    def read(self, size):
        data = b""
        while len(data) < size:
            some = self.socket.recv(size - len(data))
            if not some:
                raise Gone("the worker is gone: " + self.process.stderr.read().decode("utf-8", "replace")[-4000:])
            data += some
        return data

    def receive(self):
        """(type, kind, call, body) of the next frame; a JSON body is read, a batch is bytes."""
        size, frame, kind, _, call = HEAD.unpack(self.read(HEAD.size))
        body = self.read(size)
        return frame, kind, call, body if frame in (RECORDS, SAME) or not body else json.loads(body)

    def call(self, number, body):
        """Everything that comes until RESULT: (records, rejects, result)."""
        self.send(CALL, number, body)
        records, rejects = [], []
        while True:
            frame, _, call, body = self.receive()
            if frame == RECORDS:
                records += unpack_records(body)
                self.send(CREDIT, len(body))
            elif frame == REJECT:
                rejects.append(body)
            elif frame == RESULT:
                tap.equal(call, number, "the call of RESULT")
                return records, rejects, body

    def connect(self, store, settings):
        self.send(CONNECT, 1, {"connector": store["id"] + "/pos", "store": store, "seed": "1", "settings": settings,
                               "timeout_ms": 10000, "proxy": "", "allow_private": True})

    def died(self):
        """It has ended, or is about to, and not as asked."""
        self.socket.close()
        self.process.communicate(timeout=tap.PATIENCE_S)
        tap.true(self.process.returncode != 0, "the worker ended as if all were well")

    def stop(self):
        self.socket.close()
        try:
            _, errors = self.process.communicate(timeout=tap.PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise AssertionError("the worker stayed after its socket was closed") from None
        tap.equal(self.process.returncode, 0, "exit status of the worker: " + errors.decode("utf-8", "replace")[-4000:])


def unpack_records(body):
    records, at = [], 0
    while at < len(body):
        size, kind, op, id_length, body_length, *_ = RECORD.unpack_from(body, at)
        start = at + RECORD.size
        record_id = body[start:start + id_length].decode()
        if op == 2:
            records.append({"kind": KINDS[kind], "deleted": record_id})
        else:
            start += id_length + 1
            record = json.loads(body[start:start + body_length])
            tap.equal(record["id"], record_id, "the record's id in head and body")
            records.append({"kind": KINDS[kind], "record": record})
        at += size
    return records


def milliseconds(text):
    return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000) if text else 0


def body_of(number, call):
    """CALL, as the hub would say it."""
    body = {"id": f"call_{number}", "connector": 1, "operation": call["operation"], "stream": call.get("stream", ""),
            "full": call.get("full", False), "since_ms": milliseconds(call.get("since")),
            "started_ms": milliseconds("2026-03-02T18:00:00.000Z"), "cursor": call.get("cursor", {}),
            "deadline_ms": call.get("deadline_ms", 30000), "fresh": True, "first": "cursor" not in call, "urgency": "sync"}
    if "record" in call:
        body["record"] = call["record"]
    return body


def pretty(value):
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False)


def compare(where, call, records, rejects, result):
    tap.equal([reject["reason"] for reject in rejects], call.get("rejects", []), f"{where}: rejects {rejects}")
    for found, expected in zip(records, call["records"]):
        tap.equal(pretty(found), pretty(expected), f"{where}: record")
    tap.equal(len(records), len(call["records"]), f"{where}: number of records; result {result}")
    for name, expected in call["result"].items():
        found = result.get(name, 0 if name == "rejected" else None)
        if name == "detail":
            tap.true(expected in (found or ""), f"{where}: {expected!r} is not in the detail {found!r}")
        else:
            tap.equal(found, expected, f"{where}: {name} of {result}")


def play_call(worker, vendor, number, call):
    """False: the worker died, as it should."""
    vendor.expected, vendor.trouble = list(call["exchanges"]), []
    where = f"call {number}"
    if call["result"] is None:
        try:
            answer = worker.call(number, body_of(number, call))
        except (Gone, OSError):
            return False
        raise AssertionError(f"{where}: the worker lives, and says {answer}")
    records, rejects, result = worker.call(number, body_of(number, call))
    tap.equal(vendor.trouble, [], f"{where}: requests")
    tap.equal(len(vendor.expected), 0, f"{where}: exchanges that were not asked for; result {result}")
    compare(where, call, records, rejects, result)
    return True


def plugin_file(name):
    places = [tap.built("plugins", name, ".libs", name + ".so"), tap.built("tests", "bad-plugins", ".libs", name + ".so")]
    return next((place for place in places if os.path.exists(place)), places[0])


def play_calls(worker, vendor, cassette):
    settings = {"url": vendor.url, **cassette["settings"]}
    worker.connect(cassette["store"], settings)
    for number, call in enumerate(cassette["calls"], 1):
        if "settings" in call:
            settings.update(call["settings"])
            worker.connect(cassette["store"], settings)
        if not play_call(worker, vendor, number, call):
            tap.equal(number, len(cassette["calls"]), "the call after which the worker is dead")
            return False
    return True


def breaks(path, answer):
    """The first call with another last answer: it must fail, and say so."""
    cassette = read(path)
    call = cassette["calls"][0]
    if not call["exchanges"] or not call["result"] or call["result"]["status"] != "ok":
        tap.skip("its first call is not answered well")
    vendor = Vendor()
    try:
        worker = Worker(plugin_file(cassette["plugin"]))
        try:
            worker.connect(cassette["store"], {"url": vendor.url, **cassette["settings"]})
            vendor.broken, vendor.expected = True, call["exchanges"]
            call["exchanges"][-1]["answer"] = answer(call["exchanges"][-1]["answer"])
            _, _, result = worker.call(1, body_of(1, {**call, "deadline_ms": 2000}))
            tap.equal(vendor.trouble, [], "requests")
            tap.true(result["status"] in ("bad_response", "service_unavailable"), f"it says {result}")
            tap.equal(result["ending"], "none", f"the ending of {result}")
        finally:
            worker.stop()
    finally:
        vendor.stop()


def cut_answer(answer):
    return {**answer, "cut": 1 + len(json.dumps(answer["json"])) // 3}


def web_page(_):
    return {"status": 200, "text": "<!DOCTYPE html><html><body>Please log in</body></html>"}


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def play(path):
    cassette = read(path)
    vendor = Vendor()
    lives = True
    try:
        worker = Worker(plugin_file(cassette["plugin"]))
        try:
            tap.equal(worker.hello["name"], cassette["plugin"], "the plugin's name")
            lives = play_calls(worker, vendor, cassette)
        finally:
            if lives:
                worker.stop()
            else:
                worker.died()
    finally:
        vendor.stop()


def tests_of(path):
    folder = os.path.basename(os.path.dirname(os.path.dirname(path)))
    name = f"test_{folder}_{os.path.basename(path).removesuffix('.json')}".replace("-", "_")
    tests = [(name, lambda: play(path)), (name + "_with_an_answer_that_is_cut", lambda: breaks(path, cut_answer)),
             (name + "_with_a_web_page_for_an_answer", lambda: breaks(path, web_page))]
    for name, test in tests:
        test.__name__ = name
    return [test for _, test in tests]


if __name__ == "__main__":
    folders = [tap.source("plugins", "*"), tap.source("tests", "bad-plugins")]
    paths = [path for folder in folders for path in sorted(glob.glob(os.path.join(folder, "cassettes", "*.json")))]
    if not paths:
        sys.exit("there are no cassettes below " + ", ".join(folders))
    tap.run([test for path in paths for test in tests_of(path)])

"""tillbridge changes --follow: against a made-up daemon that cuts, restarts and forgets, and against the real one."""
import collections
import json
import os
import queue
import re
import signal
import socketserver
import subprocess
import threading

import tap
from command import Canned, canned, ends, environment, of, run
from house import House

Asked = collections.namedtuple("Asked", "path query last_id accept")


class FollowedHandler(Canned):
    """Tells the test of each request, and sends what the test puts into the script: bytes, or None for the end."""

    def do_GET(self):
        parts, _, query = self.path.partition("?")
        if parts == "/v1/stores/downtown":  # is there such a store?
            self.send_body(200, b'{"id":"downtown"}')
            return
        self.server.asked.put(Asked(parts, query, self.headers.get("Last-Event-ID"), self.headers.get("Accept")))
        first = self.server.script.get()
        if isinstance(first, tuple):
            self.send_body(*first)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        while first is not None:
            try:
                self.wfile.write(first)
                self.wfile.flush()
            except OSError:
                return
            first = self.server.script.get()

    def send_body(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Followed:
    """A made-up feed, and the command that follows it."""

    def __init__(self):
        self.path = os.path.join(tap.folder(), "api.sock")
        self.asked, self.script, self.server = queue.Queue(), queue.Queue(), None
        self.start()

    def start(self):
        self.server = socketserver.ThreadingUnixStreamServer(self.path, FollowedHandler)
        self.server.daemon_threads = True
        self.server.asked, self.server.script = self.asked, self.script
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        os.unlink(self.path)

    def follow(self, *words):
        return tap.start(tap.built("tillbridge"), "--socket", self.path, "changes", "--follow", *words, env=environment())

    def send(self, *pieces):
        for piece in pieces:
            self.script.put(piece)

    def request(self):
        return self.asked.get(timeout=tap.PATIENCE_S)


def change(seq, name="Plum", **more):
    return {"seq": seq, "kind": "products", "op": "put", "store": "downtown", "connector": "pos", "id": f"p{seq}",
            "at": "2026-03-02T17:16:00.004Z", "source": "pull", "record": {"id": f"p{seq}", "name": name}, **more}


def event(seq, **more):
    return f"id: {seq}\nevent: change\ndata: {json.dumps(change(seq, **more), ensure_ascii=False)}\n\n".encode()


FIRST = b"retry: 30\n\n"
PROBLEM = json.dumps({"title": "Not ready", "detail": "the daemon ends", "status": 503}).encode()


def stop(program, number=signal.SIGINT):
    """As Ctrl-C does; the shell then says 130."""
    program.stop(number, status=-number)


def test_a_change_is_printed_at_once():
    feed = Followed()
    program = feed.follow("--since", "16", "--kinds", "products,inventory", "--store", "downtown")
    feed.send(FIRST)
    tap.equal(feed.request(), Asked("/v1/changes", "store=downtown&kinds=products%2Cinventory&since=16", None, "text/event-stream"))
    feed.send(event(17, name="Fig \u001b[2J 紫")[:40])
    feed.send(event(17, name="Fig \u001b[2J 紫")[40:])
    tap.equal(re.split("  +", program.line()), ["SEQ", "AT", "OP", "KIND", "CONNECTOR", "ID", "SOURCE", "NAME"])
    tap.equal(re.split("  +", program.line()), ["17", "2026-03-02 17:16:00", "put", "products", "downtown/pos", "p17", "pull", "Fig \\x1b[2J 紫"])
    feed.send(b": alive\nid: 18\n\n", b"event: later\ndata: what we do not know\n\n",
              b'id: 19\nevent: change\ndata: {"seq":19,"op":"delete","kind":"products",\ndata: "store":"downtown","connector":"pos","id":"p1"}\n\n')
    tap.equal(re.split("  +", program.line()), ["19", "-", "delete", "products", "downtown/pos", "p1", "-", "-"])
    stop(program)


def test_json_is_each_change_as_it_came():
    feed = Followed()
    program = feed.follow("--json", "--limit", "2")
    odd = b'{"seq":18, "n":1.50,"s":"a\\/b","big":18446744073709551615}'
    feed.send(FIRST + event(17) + b"id: 18\nevent: change\ndata: " + odd + b"\n\n" + event(19))
    tap.equal(json.loads(program.line()), change(17))
    tap.equal(program.line().encode(), odd)
    tap.equal(feed.request().query, "")
    program.stop(0, status=0)


def test_it_comes_back_by_itself_and_misses_nothing():
    feed = Followed()
    program = feed.follow("--json", "--since", "5")
    feed.send(FIRST + event(17) + b"id: 18\nevent: change\ndata: cut in the mid", None)
    tap.equal(feed.request().query, "since=5")
    tap.equal(json.loads(program.line())["seq"], 17)
    again = feed.request()
    tap.equal((again.query, again.last_id), ("", "17"))
    feed.send(b": alive\nid: 21\n\n" + event(22), None)
    tap.equal(json.loads(program.line())["seq"], 22)
    tap.equal(program.log(), "", "an end that is at once taken up again is not worth a word")
    feed.stop()
    feed.send((503, PROBLEM), (503, PROBLEM), FIRST + event(23))
    tap.wait_until(program.log, "it is said that the daemon is away")
    feed.start()
    tap.equal(json.loads(program.line())["seq"], 23)
    tap.equal({feed.request().last_id for _ in range(3)}, {"22"})
    tap.equal(len(program.log().splitlines()), 1, program.log())
    tap.true("The daemon does not answer" in program.log(), program.log())
    stop(program, signal.SIGTERM)


def test_a_place_that_is_gone_is_told():
    for said in (FIRST + b'event: reset\ndata: {"snapshot":"/v1/snapshot"}\n\n',
                 (410, json.dumps({"title": "This place in the feed is gone", "detail": "x", "status": 410}).encode())):
        feed = Followed()
        feed.send(said, None)
        program = feed.follow("--since", "3", "--json")
        tap.equal(program.wait(), 1)
        tap.true("after seq 3 is gone" in program.log() and "/v1/snapshot" in program.log() and "--since" in program.log(), program.log())
        program.stop(0, status=1)


def test_what_never_answered_is_not_waited_for():
    ends(run("--socket", "/nonexistent/api.sock", "changes", "--follow"), 4)
    feed = Followed()
    feed.send((503, PROBLEM))
    program = feed.follow()
    program.stop(0, status=1)
    tap.true("Not ready: the daemon ends" in program.log(), program.log())
    feed.send((400, json.dumps({"title": "No", "detail": "kinds"}).encode()))
    program = feed.follow("--kinds", "nosuch")
    program.stop(0, status=1)
    tap.true("No: kinds" in program.log(), program.log())
    feed.send(FIRST + b"event: change\ndata: {\n\n")
    program = feed.follow()
    program.stop(0, status=1)
    tap.true("cannot be read" in program.log(), program.log())


def test_an_answer_that_is_no_stream_is_told():
    ran = ends(canned(lambda path, query: (200, b'{"items":[],"seq":5}'))("changes", "--follow"), 1)
    tap.true("is no text/event-stream" in ran.err, ran.err)


def test_a_reader_that_leaves_ends_it_quietly():
    feed = Followed()
    for later in ((), (event(18),)):
        feed.send(FIRST + event(17))
        with subprocess.Popen([tap.built("tillbridge"), "--socket", feed.path, "changes", "--follow", "--json"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=environment()) as process:
            process.stdout.readline()
            process.stdout.close()
            feed.send(*later)
            tap.equal(process.wait(tap.PATIENCE_S), 0, "also when nothing comes any more")
            tap.equal(process.stderr.read(), b"")
        feed.send(None)


# The real daemon

def change_prices(house, tillbridge):
    """The seqs of what a sync then stores."""
    before = house.follow()[1]
    house.sandbox.admin("POST", "millrace/change", {"kind": "products", "percent": 50, "field": "price"})
    ends(tillbridge("sync", "downtown/pos/products", "--full"), 0)
    return [item["seq"] for item in house.follow(before)[0]]


def followed(program, count):
    return [json.loads(program.line())["seq"] for _ in range(count)]


def test_the_real_feed_is_followed_over_a_restart():
    house = House(size=40, vendor="millrace").start()
    tillbridge = of(house)
    ends(tillbridge("sync", "downtown/pos"), 0)
    words = [tap.built("tillbridge"), "--config", house.path("tillbridge.conf"), "changes", "--follow", "--json"]
    everything, seq = house.follow()
    whole = tap.start(*words, "--since", "0", "--limit", str(len(everything)), env=environment())
    tap.equal([json.loads(whole.line()) for _ in everything], everything)
    whole.stop(0, status=0)
    program = tap.start(*words, "--since", str(seq), "--kinds", "products", env=environment())
    seqs = change_prices(house, tillbridge)
    tap.true(seqs, "prices changed")
    tap.equal(followed(program, len(seqs)), seqs)
    house.stop()
    tap.wait_until(program.log, "it is said that the daemon is away")
    house.start()
    seqs = change_prices(house, tillbridge)
    tap.equal(followed(program, len(seqs)), seqs)
    tap.equal(len(program.log().splitlines()), 1, program.log())
    stop(program)


def test_who_follows_from_now_on_misses_nothing_of_a_restart():
    house = House(size=40, vendor="millrace").start()
    tillbridge = of(house)
    ends(tillbridge("sync", "downtown/pos"), 0)
    program = tap.start(tap.built("tillbridge"), "--config", house.path("tillbridge.conf"), "changes", "--follow", "--json", env=environment())
    tap.wait_until(lambda: "tillbridge_feed_followers 1" in house.get("/metrics").body.decode(), "it follows")
    house.kill_hub()
    tap.wait_until(program.log, "it is said that the daemon is away")
    house.start()
    seqs = change_prices(house, tillbridge)
    tap.equal(followed(program, len(seqs)), seqs)
    stop(program)


def test_a_place_that_was_never_there_is_gone():
    house = House(size=5, vendor="millrace").start()
    ran = ends(of(house)("changes", "--follow", "--since", str(10 ** 12)), 1)
    tap.true(f"after seq {10 ** 12} is gone" in ran.err, ran.err)


tap.run(globals())

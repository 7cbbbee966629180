"""The feed from outside: a snapshot to begin with, and changes as pages and as server-sent events."""
import http.client
import io
import json
import os
import re
import signal
import sys
import urllib.parse

import sse
import tap
import variants
from house import House

ALIVE_S = 15


def begin(size=120, stores=("downtown",), **more):
    house = House(size=size, **more)
    variants.treez(house.path("plugins", "treez.so"), least_s=0)
    for store in stores[1:]:
        house.drop_in(store, sync='sync = "off";')
    house.start()
    for store in stores:
        tap.equal(house.sync("products", full=True, store=store)["state"], "complete")
    return house


def snapshot(house, **query):
    """Its records, and the seq that it stands at."""
    answer = house.get("/v1/snapshot", **query)
    tap.equal((answer.status, answer.headers["Content-Type"]), (200, "application/x-ndjson"))
    lines = [json.loads(line) for line in answer.body.split(b"\n")[:-1]]
    end = lines.pop()
    tap.equal((end["end"], sorted(end)), (True, ["end", "seq"]))
    return lines, end["seq"]


def lists(house, kinds=("products", "promotions"), stores=("downtown",)):
    """What the lists have, as the feed tells it."""
    return {(store, kind, item["id"]): {name: value for name, value in item.items() if name != "available"} for store in stores for kind in kinds
            for item in house.all(f"/v1/stores/{store}/{kind}")}


def by_key(items):
    return {(item["store"], item["kind"], item["id"]): item["record"] for item in items}


def change(house, count=1, sync="products"):
    """Prices of so many products change at the vendor's; their ids, once they are stored."""
    ids = house.sandbox.admin("POST", "treez/change", {"kind": "products", "count": count, "field": "price"})["ids"]
    tap.equal(house.sync(sync, full=True)["state"], "complete")
    return ids


def followers(house):
    lines = house.get("/metrics").body.decode().splitlines()
    return [line.split()[1] for line in lines if line.startswith("tillbridge_feed_followers ")]


def refused(house, status, reason, headers=None, **query):
    answer = tap.request("GET", house.api + "/v1/changes?" + urllib.parse.urlencode(query),
                         headers={"Accept": "text/event-stream", **(headers or {})})
    tap.equal((answer.status, answer.json().get("reason")), (status, reason), f"{query} {headers}")
    return answer


# ---- the snapshot ----

def test_a_snapshot_shows_what_the_lists_show_and_where_to_go_on():
    house = begin(stores=("downtown", "uptown"))
    items, seq = snapshot(house)
    tap.equal(sorted(items[0]), ["connector", "id", "kind", "record", "seq", "store"])
    tap.equal(by_key(items), lists(house, stores=("downtown", "uptown")))
    tap.equal(seq, house.follow()[1])
    tap.true(all(0 < item["seq"] <= seq for item in items), "what it shows was there at its seq")
    tap.equal(house.follow(seq), ([], seq))
    some, _ = snapshot(house, store="uptown", kinds="promotions")
    tap.equal(by_key(some), lists(house, ("promotions",), ("uptown",)))
    tap.equal(snapshot(house, store="nowhere"), ([], seq))
    tap.equal(house.get("/v1/snapshot", limit=3).json()["reason"], "unknown_parameter")


def test_a_snapshot_is_of_its_first_moment_and_the_feed_tells_the_rest():
    house = begin(size=6000)
    seq = house.follow()[1]
    before = lists(house)
    connection, host = sse.connect(house.api, receive_bytes=4096)
    sse.ask(connection, "/v1/snapshot", {"Host": host})
    first = connection.recv(1024)  # it has begun, and waits for us to read
    changed = set(change(house, 3000))
    answer = http.client.HTTPResponse(Replay(first, connection))
    answer.begin()
    lines = [json.loads(line) for line in answer.read().split(b"\n")[:-1]]
    tap.equal(lines.pop(), {"end": True, "seq": seq})
    shown = by_key(lines)
    tap.equal({key: before[key] for key in shown}, shown, "records as they were at its first moment")
    left_out = before.keys() - shown.keys()
    tap.true(left_out and {ident for _, _, ident in left_out} <= changed, f"{len(left_out)} that changed meanwhile are left out")
    items, _ = house.follow(seq)
    tap.equal({**shown, **by_key(items)}, lists(house), "with what follows it is the whole")


class Replay:
    """A socket of which some was read already, for HTTPResponse."""

    def __init__(self, first, connection):
        self.first, self.connection = first, connection

    def makefile(self, mode):
        rest = self.connection.makefile(mode)

        class Both(io.RawIOBase):
            first = self.first

            def readable(self):
                return True

            def readinto(self, buffer):
                if self.first:
                    count = min(len(buffer), len(self.first))
                    buffer[:count], self.first = self.first[:count], self.first[count:]
                    return count
                return rest.readinto1(buffer)
        return io.BufferedReader(Both())


def test_a_snapshot_that_is_cut_is_seen_to_be():
    house = begin(size=3000)
    parts = urllib.parse.urlsplit(house.api)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=tap.PATIENCE_S)
    connection.connect()
    connection.sock.setsockopt(sse.socket.SOL_SOCKET, sse.socket.SO_RCVBUF, 4096)
    connection.request("GET", "/v1/snapshot")
    answer = connection.getresponse()
    answer.read(100)
    house.kill_hub()
    try:
        rest = answer.read()
    except (http.client.IncompleteRead, ConnectionError):
        rest = b""
    else:
        raise AssertionError("it looks whole")
    tap.true(b'"end"' not in rest, "no last line")


# ---- events ----

def test_changes_are_told_as_they_come():
    house = begin()
    seq = house.follow()[1]
    events = sse.Events(house.api)
    tap.equal((events.status, events.headers["Content-Type"], events.headers["Cache-Control"]), (200, "text/event-stream", "no-store"))
    tap.wait_until(lambda: followers(house) == ["1"], "it is counted")
    ids = change(house, 5)
    events.wait_events(5)
    tap.equal(events.text.split(b"\n")[0], b"retry: 1000")
    pages, _ = house.follow(seq)
    tap.equal([event.data for event in events.events], pages, "the same as pages tell")
    tap.equal([(event.name, event.id) for event in events.events], [("change", str(item["seq"])) for item in pages])
    tap.equal({event.data["id"] for event in events.events}, set(ids))
    house.sandbox.admin("POST", "treez/delete", {"kind": "products", "count": 1})
    house.sync("products", full=True)
    gone = events.wait_events(6)[5].data
    tap.equal((gone["op"], "record" in gone, int(events.last_id)), ("delete", False, gone["seq"]))
    events.close()
    tap.wait_until(lambda: followers(house) == ["0"], "who left is not counted any more")


def test_it_goes_on_where_it_was():
    house = begin()
    everything, newest = house.follow()
    from_start = sse.Events(house.api, since=0)
    from_start.wait_events(len(everything))
    tap.equal([event.data for event in from_start.events], everything)
    middle = everything[50]["seq"]
    page = house.json("/v1/changes", limit=10)
    for what, events in (("Last-Event-ID", sse.Events(house.api, {"Last-Event-ID": str(middle)}, since=3)),
                         ("since", sse.Events(house.api, since=middle))):
        events.wait_events(len(everything) - 51)
        tap.equal([event.data for event in events.events], everything[51:], what)
    events = sse.Events(house.api, cursor=page["next"], since=5)
    events.wait_events(len(everything) - 10)
    tap.equal([event.data for event in events.events], everything[10:], "cursor")
    late = sse.Events(house.api, since=newest)
    old = sse.Events(house.api, http="1.0", store="downtown", kinds="products", since=newest)
    tap.equal(old.headers["Transfer-Encoding"], None)
    last = sse.Events(house.api, {"Connection": "close"}, since=newest)
    unix = sse.Events(house.path("api.sock"), kinds="products")
    ids = change(house, 3)
    for events in (late, old, last, unix, from_start):
        events.wait(lambda: len(events.events) >= 3 and {event.data["id"] for event in events.events[-3:]} == set(ids), "the new ones")


def test_a_filter_that_nothing_meets_moves_on_all_the_same():
    house = begin(stores=("downtown", "uptown"))
    events = sse.Events(house.api, store="uptown", kinds="inventory")
    change(house, 3)
    newest = house.follow()[1]
    events.wait(lambda: events.last_id == str(newest), f"the id is {newest}", ALIVE_S + tap.PATIENCE_S)
    tap.equal((events.events, events.comments), ([], 1))
    tap.true(events.text.endswith(f": alive\nid: {newest}\n\n".encode()), events.text)


def test_a_place_that_is_gone_is_told():
    house = begin()
    newest = house.follow()[1]
    answer = house.get("/v1/changes", since=newest + 1)
    tap.equal((answer.status, answer.json()["snapshot"]), (410, "/v1/snapshot"))
    events = sse.Events(house.api, {"Last-Event-ID": str(newest + 1)})
    events.wait_end()
    tap.equal((events.status, events.over, events.text),
              (200, True, b'retry: 1000\n\nevent: reset\ndata: {"snapshot":"/v1/snapshot"}\n\n'))


def test_what_makes_no_sense_is_refused():
    house = begin()
    for wrong in ("x", "-1", "1.5", "12x", "99999999999999999999999"):
        refused(house, 400, "bad_event_id", {"Last-Event-ID": wrong})
    refused(house, 400, "unknown_parameter", limit=3)
    refused(house, 400, "bad_cursor", cursor="abc")
    refused(house, 400, "unknown_kind", kinds="nonsense")
    tap.equal(tap.request("HEAD", house.api + "/v1/changes", headers={"Accept": "text/event-stream"}).status, 200)
    plain = tap.request("GET", house.api + "/v1/changes?limit=1", headers={"Accept": "application/json", "Last-Event-ID": "x"})
    tap.equal((plain.status, plain.headers["Content-Type"]), (200, "application/json"))


def test_a_page_of_another_origin_may_follow_when_it_is_named():
    house = begin(host='origins = ["https://menu.example"];')
    events = sse.Events(house.api, {"Origin": "https://menu.example"})
    tap.equal((events.status, events.headers["Access-Control-Allow-Origin"]), (200, "https://menu.example"))
    refused(house, 403, "foreign_origin", {"Origin": "https://elsewhere.example"})
    asked = tap.request("OPTIONS", house.api + "/v1/changes", headers={
        "Origin": "https://menu.example", "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "last-event-id"})
    tap.equal(asked.status, 204)
    tap.true("last-event-id" in asked.headers["Access-Control-Allow-Headers"], str(asked.headers))


def test_followers_leave_connections_for_others():
    house = begin(host="limits: { connections = 20; };")
    many = [sse.Events(house.api) for _ in range(17)]
    answer = refused(house, 503, "too_many_streams")
    tap.equal(answer.headers["Retry-After"], "5")
    tap.equal(house.get("/v1/snapshot").json()["reason"], "too_many_streams")
    change(house)  # by several requests
    for events in many:
        events.wait_events(1)
    many.pop().close()
    tap.wait_until(lambda: house.get("/v1/snapshot").status == 200, "there is room again")


def test_it_ends_cleanly_with_the_daemon():
    house = begin()
    streams = [sse.Events(house.api), sse.Events(house.api, since=0), sse.Events(house.api, kinds="customers", http="1.0")]
    house.hub.process.send_signal(signal.SIGTERM)
    for events in streams:
        events.wait_end()
        tap.equal(events.over, True)
    house.stop()


def test_a_connector_that_is_configured_no_more_is_in_neither():
    house = begin(stores=("downtown", "uptown"))
    events = sse.Events(house.api, since=0)
    events.wait_events(len(house.follow()[0]))
    os.unlink(house.path("conf.d", "uptown.conf"))
    tap.equal(house.post("/v1/reload").json()["applied"], True)
    items, seq = snapshot(house)
    tap.equal({item["store"] for item in items}, {"downtown"})
    tap.equal({item["store"] for item in house.follow()[0]}, {"downtown"})
    house.stop()
    house.drop_in("uptown", sync='sync = "off";')
    house.start()
    theirs = lists(house, stores=("uptown",))
    tap.true(theirs, "it has something")
    tap.wait_until(lambda: by_key(house.follow(seq)[0]) == theirs, "when it is back, all that it has is told")
    tap.equal({item["source"] for item in house.follow(seq)[0]}, {"host"})
    again = house.follow(seq)[1]
    house.post("/v1/reload")
    house.stop()
    house.start()
    tap.equal(house.follow(again)[0], [], "once")


class Written:
    """The follower that docs/api.md shows, in a process of its own; it tells how many records it holds."""

    def __init__(self, house):
        with open(tap.source("docs", "api.md"), encoding="utf-8") as file:
            program = re.search(r"^```py\n(import .*?)^```", file.read(), re.M | re.S).group(1)
        program = program.replace("127.0.0.1:8420", house.api.removeprefix("http://"))
        tap.equal(program.count("            seq, event ="), 1)
        tell = "            print(json.dumps([seq, sorted([*k, r] for k, r in copy.items() if r)]), flush=True)\n"
        program = program.replace("            seq, event =", tell + "            seq, event =")
        self.program = tap.start(sys.executable, "-c", program)
        self.seq, self.records = None, []

    def has(self, records):
        while not self.program.lines.empty():
            line = self.program.line()
            if line.startswith("["):
                self.seq, self.records = json.loads(line)
        return self.records == records


def test_the_follower_of_the_document_keeps_a_copy_over_restarts():
    house = begin(size=40)
    follower = Written(house)

    def truth():
        return sorted([store, "pos", kind, ident, item] for (store, kind, ident), item in lists(house).items())
    tap.wait_until(lambda: followers(house) == ["1"], "it follows")
    change(house)
    tap.wait_until(lambda: follower.has(truth()), "a copy")
    port = house.api.rsplit(":", 1)[1]
    house.kill_hub()
    with open(house.path("tillbridge.conf"), encoding="utf-8") as file:
        text = file.read()
    house.write("tillbridge.conf", text.replace("127.0.0.1:0", "127.0.0.1:" + port))
    house.start()
    house.sandbox.admin("POST", "treez/delete", {"kind": "products", "count": 3})
    change(house, 5)
    tap.wait_until(lambda: follower.has(truth()), "the copy goes on")
    follower.program.kill()


tap.run(globals())

#!/usr/bin/env python3
"""What vendors answer when they are not well, through real sockets: each answer has a store of its own, all stores
share one worker. The call fails with the right word (or what can be read of the answer is read), the worker stays as it
is, its memory is bounded, the shop is never emptied; and once the vendor is well the next pass is complete and equal."""
import gzip
import json
import os
import re
import sys
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import tap  # noqa: E402
import variants  # noqa: E402
from house import House, WIDE_OPEN  # noqa: E402
from middle import Middle, Rule, answer  # noqa: E402

SIZE = 60
DEADLINE_S = 5
GROWTH_MOST = 160 << 20  # of the worker over what it takes when all is well; instrumented code takes more
JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
START = b'{"resultCode":"SUCCESS","resultReason":null,"data":{"page_count":60,"total_count":60,"product_list":['


# ---- ways to spoil an answer ----

def says(body, status=200, kind="application/json", head=b""):
    return lambda ask: ask.send(answer(body, status, kind, head))


def raw(data):
    return lambda ask: ask.send(data)


def changed(change):
    """The sandbox's answer, its text changed."""
    return lambda ask: ask.forward(change)


def row(number, change):
    """One row of the page changed: change gets it and gives what takes its place."""
    def of(body):
        page = json.loads(body)
        rows = page["data"]["product_list"]
        if rows:
            rows[number] = change(rows[number])
        return json.dumps(page).encode()
    return changed(of)


def every(change):
    def of(body):
        page = json.loads(body)
        page["data"]["product_list"] = [change(item) for item in page["data"]["product_list"]]
        return json.dumps(page).encode()
    return changed(of)


def page(change):
    def of(body):
        found = json.loads(body)
        change(found)
        return json.dumps(found).encode()
    return changed(of)


def put(item, path, value):
    *way, last = path.split(".")
    place = item
    for name in way:
        place = place[name]
    place[last] = value
    return item


def many_rejects(found):
    """1,100 products without a name, then all of ours, of which the last ten have none either."""
    rows = found["data"]["product_list"]
    if rows:
        bare = put(put(json.loads(json.dumps(rows[0])), "e_commerce.menu_title", None), "product_configurable_fields.name", None)
        for item in rows[-10:]:
            put(put(item, "e_commerce.menu_title", None), "product_configurable_fields.name", None)
        found["data"]["product_list"] = [{**bare, "product_id": f"x{number}"} for number in range(1100)] + rows


def without(item, name):
    return {key: value for key, value in item.items() if key != name}


def cut(where, chunked=False):
    """The answer breaks off: where gets its body and says how much of it is sent."""
    def act(ask):
        _, _, body = ask.theirs()
        part = body[:where(body)]
        if chunked:
            return ask.send(JSON + b"Transfer-Encoding: chunked\r\n\r\n" + b"%x\r\n%s\r\n" % (len(part), part))
        return ask.send(JSON + b"Content-Length: %d\r\n\r\n" % len(body) + part)
    return act


def after_item(body):
    """Right behind the comma after an item in the middle."""
    return body.index(b'{"product_id"', len(body) // 2)


def endless(block, head=START):
    return lambda ask: ask.pour(JSON + b"\r\n" + head, block)


def unfolding(block, head=START, times=2048):
    """A gigabyte and more of the same, packed."""
    def act(ask):
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        start = packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH)
        part = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
        return ask.pour(JSON + b"Content-Encoding: gzip\r\n\r\n" + start, part, times)
    return act


def bare_close(version, length=None, much=1.0):
    """Without a length: the end is where the vendor hangs up."""
    def act(ask):
        _, _, body = ask.theirs()
        return ask.send(version + b" 200 OK\r\nContent-Type: application/json\r\n\r\n" + body[:int(len(body) * much)])
    return act


def drip(ask):
    _, _, body = ask.theirs()
    head = JSON + b"Content-Length: %d\r\n\r\n" % len(body)
    ask.connection.sendall(head)
    for at in range(len(body)):
        ask.connection.sendall(body[at:at + 1])
        ask.connection.settimeout(0.2)
        try:
            if not ask.connection.recv(1):
                return False
        except TimeoutError:
            pass
    return False


def reset_midway(ask):
    _, _, body = ask.theirs()
    ask.connection.sendall(JSON + b"Content-Length: %d\r\n\r\n" % len(body) + body[:len(body) // 2])
    return ask.reset()


def send_to(where, status=302):
    return lambda ask: ask.send(answer(b"moved", status, "text/plain", b"Location: %s\r\n" % where(ask).encode()))


# ---- what must come of them: (name, how, code of the failure or None, what else) ----

BAD, GONE, WAIT, NO, LOGIN = "bad_response", "service_unavailable", "rate_limit_exceeded", "validation_error", "authentication_error"
REASONS = {BAD: "bad_response", GONE: "vendor_unavailable", WAIT: "vendor_asks_to_wait", NO: "refused",
           LOGIN: "credentials_refused"}

# Nothing can be made of the answer: the pass does not get past it.
FAILING = [
    ("not JSON", says(b"All good!", kind="text/plain"), BAD),
    ("a page for people", says(b"<!DOCTYPE html><html><body>We will be right back.</body></html>", kind="text/html"), BAD),
    ("an empty body", says(b""), BAD),
    ("cut before the first byte", cut(lambda body: 0), BAD),
    ("cut in an item", cut(lambda body: len(body) // 2), BAD),
    ("cut between items", cut(after_item), BAD),
    ("cut before the last brace", cut(lambda body: len(body) - 1), BAD),
    ("chunks that end too early", cut(after_item, chunked=True), BAD),
    ("HTTP/1.0, hung up too early", bare_close(b"HTTP/1.0", much=0.6), BAD),
    ("something behind the end", changed(lambda body: body + b"}]"), BAD),
    ("an object where the list should be", page(lambda p: put(p, "data.product_list", {"none": 1})), BAD),
    ("a text where the list should be", page(lambda p: put(p, "data.product_list", "none")), BAD),
    ("a list at the top", says(b"[1,2,3]"), BAD),
    ("no list at all", page(lambda p: p["data"].pop("product_list")), BAD),
    ("null for everything", page(lambda p: put(p, "data", None)), BAD),
    ("200 with an error", says(b'{"resultCode":"FAIL","resultReason":"INCORRECT_VALUE","resultDetail":"page?"}'), NO),
    ("200 with a rate limit", says(b'{"resultCode":"FAIL","resultReason":"OVER LIMIT"}'), WAIT),
    ("an error beside rows", page(lambda p: p.update(resultCode="FAIL", resultReason="INCORRECT_VALUE")), NO),
    ("items without end", endless(b'{"nothing":"of use"},' * 500), GONE),
    ("blanks without end", endless(b" " * 65536), GONE),
    ("one text without end", endless(b"x" * 65536, START + b'{"product_id":"'), BAD),
    ("a rest without end", endless(b'"more":[1,2,3],' * 4000, b"{"), BAD),
    ("10 GB announced", lambda ask: ask.pour(JSON + b"Content-Length: 10737418240\r\n\r\n" + START, b'{"a":[' + b"1," * 5000 + b"1]},"), GONE),
    ("an item of 9 MB", row(3, lambda item: put(item, "e_commerce.product_description", "x" * (9 << 20))), BAD),
    ("a gzip bomb of blanks", unfolding(b" " * (1 << 20)), BAD),
    ("a gzip bomb in a text", unfolding(b"x" * (1 << 20), START + b'{"product_id":"'), BAD),
    ("gzip that is cut", lambda ask: ask.send(answer(gzip.compress(ask.theirs()[2])[:-40], head=b"Content-Encoding: gzip\r\n")), BAD),
    ("gzip that is none", lambda ask: ask.send(answer(ask.theirs()[2], head=b"Content-Encoding: gzip\r\n")), BAD),
    ("a million deep in an item", says(START + b'{"product_id":' + b"[" * 1000000 + b"]" * 1000000 + b"}]}}"), BAD),
    ("a million deep beside the list", says(b'{"other":' + b"[" * 1000000 + b"]" * 1000000 + b"}"), BAD),
    ("500", says(b"<h1>500</h1>", 500, "text/html"), GONE),
    ("503", says(b"", 503), GONE),
    ("503 with Retry-After", says(b"", 503, head=b"Retry-After: 2\r\n"), GONE),
    ("429 bare", says(b"OVER LIMIT", 429, "text/plain"), WAIT),
    ("429 with Retry-After", says(b"OVER LIMIT", 429, "text/plain", b"Retry-After: 2\r\n"), WAIT),
    ("hung up before the answer", lambda ask: ask.reset(), GONE),
    ("hung up in the answer", reset_midway, BAD),
    ("no answer", lambda ask: ask.hold(), GONE),
    ("a head and no body", lambda ask: (ask.connection.sendall(JSON + b"Content-Length: 5000\r\n\r\n"), ask.hold())[1], GONE),
    ("a byte at a time", drip, GONE),
    ("not HTTP", raw(b"220 mail.example ESMTP\r\n"), GONE),
    ("a head without end", lambda ask: ask.pour(b"HTTP/1.1 200 OK\r\n", b"X-More: " + b"y" * 8000 + b"\r\n"), BAD),
    ("redirect in a circle", send_to(lambda ask: ask.middle.address + ask.path), BAD),
    ("redirect to a file", send_to(lambda ask: "file:///etc/passwd"), BAD),
    ("redirect to nowhere", send_to(lambda ask: ""), BAD),
]

# What can be read is read: the pass is complete; how many products differ from the vendor's, how many are rejected.
READ = [
    ("a wrong charset", lambda ask: ask.send(answer(ask.theirs()[2], kind="application/json; charset=utf-16")), 0, 0),
    ("JSON called text", lambda ask: ask.send(answer(ask.theirs()[2], kind="text/html; charset=iso-8859-1")), 0, 0),
    ("a byte order mark", changed(lambda body: b"\xef\xbb\xbf" + body), 0, 0),
    ("HTTP/1.0", bare_close(b"HTTP/1.0"), 0, 0),
    ("no length", bare_close(b"HTTP/1.1"), 0, 0),
    ("gzip", lambda ask: ask.send(answer(gzip.compress(ask.theirs()[2]), head=b"Content-Encoding: gzip\r\n")), 0, 0),
    ("unknown words", every(lambda item: {**item, "sku_type": "NEW", "category_type": "MOON ROCKS", "unheard_of": {"of": []}}), None, 0),
    ("an unknown status", row(0, lambda item: put(item, "product_status", "ASLEEP")), None, 0),
    ("a record without id", row(5, lambda item: without(item, "product_id")), 0, 1),
    ("an id that is null", row(5, lambda item: put(item, "product_id", None)), 0, 1),
    ("a list as id", row(5, lambda item: put(item, "product_id", [1, 2])), 0, 1),
    ("more rejects than are told one by one", page(many_rejects), 0, 1110),
    ("a price of abc", row(5, lambda item: put(item, "pricing.price_sell", "abc")), None, None),
    ("a price beyond all numbers", changed(lambda body: re.sub(rb'("price_sell": ?)[0-9.]+', rb"\g<1>1e999", body, count=1)), None, None),
    ("stock beyond all numbers", changed(lambda body: re.sub(rb'("sellable_quantity": ?)[0-9.]+', rb"\g<1>99999999999999999999999", body, count=1)), None, None),
    ("stock below zero", row(5, lambda item: put(put(item, "sellable_quantity", -7), "sellable_quantity_detail", [])), None, 0),
    ("a time that is none", row(5, lambda item: put(item, "last_updated_at", "soon")), None, None),
    ("invalid UTF-8", changed(lambda body: body.replace(b'"name":"', b'"name":"\xff\xfe\xc3', 1)), None, None),
    ("half a surrogate", changed(lambda body: body.replace(b'"name":"', b'"name":"\\ud83d', 1)), None, None),
    ("NUL in a text", changed(lambda body: body.replace(b'"name":"', b'"name":"\\u0000', 1)), None, None),
    ("the same row twice", page(lambda p: p["data"]["product_list"].append(p["data"]["product_list"][0])), 0, 0),
    ("another row with the same id", page(lambda p: p["data"]["product_list"].append({**p["data"]["product_list"][0], "category_type": "TWICE"})), None, 0),
    ("a null among the items", page(lambda p: p["data"]["product_list"].append(None)), 0, 1),
    ("numbers among the items", page(lambda p: p["data"]["product_list"].extend([1, "two", [3]])), 0, 3),
    ("redirect to where it is", send_to(lambda ask: ask.path.replace("product_list?", "product_list?again=1&")), 0, 0),
]

# Too little to believe: nothing is deleted, a person is asked.
HELD = [
    ("204 and nothing", raw(b"HTTP/1.1 204 No Content\r\n\r\n")),
    ("an empty list", page(lambda p: p["data"].update(product_list=[], total_count=0, page_count=0))),
    ("a tenth of it", page(lambda p: p["data"].update(product_list=p["data"]["product_list"][:6], total_count=6, page_count=6))),
]

# Every item is unreadable, so what is missing cannot be told.
UNREADABLE = [
    ("only numbers", page(lambda p: put(p, "data.product_list", [1] * 60))),
    ("only null", page(lambda p: put(p, "data.product_list", [None] * 60))),
    ("no ids at all", every(lambda item: without(item, "product_id"))),
]


# ---- the house ----

class Answers(House):
    """A store for each way to spoil an answer: store-1 asks as downtown-1, and so on."""

    def __init__(self, count):
        self.middle = None
        self.count = count
        super().__init__(size=SIZE, sandbox=("--no-log",), store="store-1")
        # Short deadlines, so that answers without end have one here.
        variants.treez(self.path("plugins", "treez.so"), deadline_s=DEADLINE_S, least_s=0)
        for number in range(2, count + 1):
            self.drop_in(f"store-{number}")

    def drop_in(self, store, plugin_name=None, sync='sync = "off";', extra=WIDE_OPEN, **settings):
        if not self.middle:
            self.middle = Middle(self.sandbox.vendor("treez")["url"])
        self.write(f"conf.d/{store}.conf", f"""store: {{
            id = "{store}"; timezone = "America/Los_Angeles"; currency = "USD";
            connectors: {{ pos: {{ plugin = "treez"; url = "{self.middle.address}"; allow_private = true; timeout = "3s";
                {self.settings(dispensary=store.replace("store", "downtown"))} {sync} {extra} }}; }};
        }};""")

    def stores(self):
        return [f"store-{number}" for number in range(1, self.count + 1)]

    def ask(self, store, full=True):
        found = self.post(f"/v1/connectors/{store}/pos/sync", {"stream": "products", "full": full})
        tap.true(found.status == 202, f"{store}: sync: {found.status} {found.body!r}")
        return found.json()["passes"][0]["id"]

    def sync_all(self):
        for store, ident in [(store, self.ask(store)) for store in self.stores()]:
            tap.equal(self.wait_pass(ident)["state"], "complete", f"the pass of {store}")

    def peak(self):
        """The most that the worker ever held, in bytes."""
        (worker,) = self.workers()
        with open(f"/proc/{worker}/status", encoding="ascii") as file:
            return int(re.search(r"VmHWM:\s+(\d+) kB", file.read()).group(1)) << 10

    def spoil(self, number, act, **rule):
        self.middle.rules[f"downtown-{number}"] = Rule(act, **rule)


def begin(count):
    # What the sanitizer keeps of freed memory is no leak.
    house = Answers(count).start(env={"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=8"})
    house.sync_all()
    house.before = (house.workers(), house.peak())
    return house


def gather(complaints):
    tap.true(not complaints, "\n".join([f"{len(complaints)} complaints:", *complaints]))


def look_after(house, complaints, names):
    """The worker is the same and small, all products are there; well again, everything is equal."""
    workers, peak = house.before
    if house.workers() != workers:
        complaints.append(f"the worker was {workers} and is {house.workers()}: {house.hub.log()[-2000:]}")
    elif house.peak() > peak + GROWTH_MOST:
        complaints.append(f"the worker took {house.peak() >> 20} MB, before {peak >> 20} MB")
    for store, name in zip(house.stores(), names):
        found = len(house.all(f"/v1/stores/{store}/products"))
        if found < SIZE:
            complaints.append(f"{name}: only {found} products are left")
    house.middle.rules.clear()
    for store, name, ident in [(store, name, house.ask(store)) for store, name in zip(house.stores(), names)]:
        ended = house.wait_pass(ident)
        if ended["state"] != "complete":
            complaints.append(f"{name}: once well, the pass is {ended}")
        elif house.differences(store=store):
            complaints.append(f"{name}: once well, {house.differences(store=store)[:3]}")
    house.middle.close()
    gather(complaints)


# ---- the tests ----

def test_what_cannot_be_read_fails_with_the_right_word_and_passes():
    house = begin(len(FAILING))
    for number, (_, act, _) in enumerate(FAILING, 1):
        house.spoil(number, act)
        house.ask(f"store-{number}")
    complaints = []
    for number, (name, _, code) in enumerate(FAILING, 1):
        def failed(number=number):
            found = house.json(f"/v1/connectors/store-{number}/pos")
            return found if "last_error" in found and "reason" in found["streams"]["products"] else None
        try:
            found = tap.wait_until(failed, f"{name}: an error", DEADLINE_S * 2 + tap.PATIENCE_S)
        except AssertionError as error:
            complaints.append(f"{error}: {house.stream('products', f'store-{number}')}")
            continue
        reason = found["streams"]["products"]["reason"]
        if found["last_error"]["code"] != code or reason != REASONS[code]:
            complaints.append(f"{name}: expected {code}, found {found['last_error']}, reason {reason}")
        if not found["last_error"].get("detail"):
            complaints.append(f"{name}: the failure says nothing")
    look_after(house, complaints, [name for name, _, _ in FAILING])


def test_what_can_be_read_is_read():
    house = begin(len(READ))
    complaints = []
    for number, (_, act, _, _) in enumerate(READ, 1):
        house.spoil(number, act, path="product_list?page")
    passes = [house.ask(store) for store in house.stores()]
    for number, ((name, _, differing, rejected), ident) in enumerate(zip(READ, passes), 1):
        ended = house.wait_pass(ident)
        if ended["state"] != "complete" or (rejected is not None and ended["rejected"] != rejected):
            complaints.append(f"{name}: expected {rejected} rejects, found {ended} {house.stream('products', f'store-{number}')}")
        found = house.differences(store=f"store-{number}")
        if differing is not None and len(found) != differing or len(found) > 1:
            complaints.append(f"{name}: differs in {found}")
        if ended.get("deleted"):
            complaints.append(f"{name}: {ended['deleted']} were deleted")
        bad = [one for one in house.all(f"/v1/stores/store-{number}/products") if "\0" in one.get("name", "") or "\ufffd" in one["id"]]
        if bad:
            complaints.append(f"{name}: served {bad}")
    look_after(house, complaints, [name for name, *_ in READ])


def test_too_little_to_believe_is_held_and_nothing_goes():
    house = begin(len(HELD))
    for number, (_, act) in enumerate(HELD, 1):
        house.spoil(number, act)
    complaints = [f"{name}: {ended}" for (name, _), ended in
                  [(case, house.wait_pass(house.ask(store))) for case, store in zip(HELD, house.stores())]
                  if ended["state"] != "held" or ended.get("deleted")]
    look_after(house, complaints, [name for name, _ in HELD])


def test_rows_that_cannot_be_told_apart_delete_nothing():
    house = begin(len(UNREADABLE))
    for number, (_, act) in enumerate(UNREADABLE, 1):
        house.spoil(number, act)
    complaints = [f"{name}: {ended}" for (name, _), ended in
                  [(case, house.wait_pass(house.ask(store))) for case, store in zip(UNREADABLE, house.stores())]
                  if ended.get("rejected") != 60 or ended.get("deleted")]
    look_after(house, complaints, [name for name, _ in UNREADABLE])


def test_refused_credentials_stop_a_connector_until_a_check_is_good():
    house = begin(4)
    refuse = says(b'{"resultCode":"FAIL","resultReason":"Full authentication is required to access this resource"}', 401)
    house.spoil(1, refuse, count=1)
    house.spoil(2, refuse)
    house.spoil(3, refuse, path="")
    house.spoil(4, says(b'{"resultCode":"FAIL","resultReason":"Forbidden"}', 403))
    passes = [house.ask(store) for store in house.stores()]
    tap.equal([house.wait_pass(ident)["state"] for ident in passes], ["complete", "failed", "failed", "failed"])
    for store in house.stores()[1:]:
        found = house.json(f"/v1/connectors/{store}/pos")
        tap.equal((found["state"], found["reason"], found["who"], found["streams"]["products"]["state"]),
                  ("failing", "credentials_refused", "operator", "stopped"), store)
        tap.equal(found["last_error"]["code"], LOGIN, store)
        tap.true("key-downtown" not in house.get(f"/v1/connectors/{store}/pos").body.decode(), "the key is shown")
    asked = len(house.middle.asked)
    tap.equal(house.json("/v1/connectors/store-1/pos")["state"], "ok")
    tap.equal(len(house.middle.asked), asked, "requests while the connectors are stopped")
    house.middle.rules.clear()
    for store in house.stores()[1:]:
        def checked(store=store):  # who was refused a moment ago is not let ask for a token at once
            return house.post(f"/v1/connectors/{store}/pos/check").json().get("status") == "ok"
        tap.wait_until(checked, f"the check of {store} is good")
        tap.equal(house.json(f"/v1/connectors/{store}/pos")["state"], "ok", store)
    look_after(house, [], house.stores())


def test_a_redirect_elsewhere_gets_no_credentials():
    house = begin(1)
    foreign = Middle(house.middle.url)
    house.spoil(1, send_to(lambda ask: foreign.address + ask.path))
    house.ask("store-1")
    found = tap.wait_until(lambda: house.json("/v1/connectors/store-1/pos").get("last_error"), "it fails")
    tap.equal(found["code"], BAD)
    theirs = {name.lower() for headers in foreign.headers for name in headers}
    tap.equal(theirs & {"authorization", "client_id", "cookie"}, set())
    foreign.close()
    look_after(house, [], ["redirect"])


if __name__ == "__main__":
    tap.run(globals())

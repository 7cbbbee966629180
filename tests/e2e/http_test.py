"""HTTP itself, byte for byte: who may ask, what a request may be, and how long anything may take. Raw sockets throughout."""
import os
import signal
import socket
import threading
import time
import urllib.parse

import tap
from house import House

MENU = "https://menu.example"


def begin(host=f'origins = ["{MENU}"];', **options):
    return House(size=60, host=host, **options).start()


def connect(house, receive_bytes=0):
    parts = urllib.parse.urlsplit(house.api)
    connection = socket.socket()
    if receive_bytes:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    connection.settimeout(tap.PATIENCE_S)
    connection.connect((parts.hostname, parts.port))
    return connection


def head(first, **headers):
    return (first + "\r\n" + "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items()) + "\r\n").encode()


def read_to_end(connection):
    """All that comes until the other side closes; a reset is an end, too."""
    data = b""
    try:
        while chunk := connection.recv(65536):
            data += chunk
    except ConnectionResetError:
        pass
    return data


class Answer:
    """The first answer in the bytes; rest: what is behind it."""

    def __init__(self, data):
        top, _, rest = data.partition(b"\r\n\r\n")
        first, *lines = top.decode("latin-1").split("\r\n")
        self.status = int(first.split()[1]) if first else 0
        self.headers = dict((name.lower(), value) for name, value in (line.split(": ", 1) for line in lines))
        length = int(self.headers.get("content-length", 0))
        self.body, self.rest = rest[:length], rest[length:]


def ask(house, data, close=True):
    """One answer to these bytes, on a connection of its own."""
    with connect(house) as connection:
        connection.sendall(data.replace(b"\r\n", b"\r\nConnection: close\r\n", 1) if close else data)
        return Answer(read_to_end(connection))


def ask_socket(house, data):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(tap.PATIENCE_S)
        connection.connect(house.path("api.sock"))
        connection.sendall(data.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
        return Answer(read_to_end(connection))


# ---- who may ask ----

def test_a_host_is_an_address_or_localhost():
    house = begin()
    for name, status in (("127.0.0.1", 200), ("127.0.0.1:8420", 200), ("127.0.0.1:", 200), ("[::1]", 200), ("[::1]:8420", 200),
                         ("192.168.1.20:1", 200), ("localhost", 200), ("LocalHost:8420", 200),
                         ("menu.example", 403), ("localhost.menu.example", 403), ("127.0.0.1.menu.example", 403),
                         ("localhost.", 403), ("127.0.0.1.", 403), ("127.0.0.1:8420x", 403), ("[::1]x", 403), ("[::1", 403),
                         ("[menu.example]", 403), ("::1", 403), ("127.1", 403), ("2130706433", 403), ("", 403),
                         ("localhost,menu.example", 403), ("user@localhost", 403), ("localhost/x", 403)):
        answer = ask(house, head("GET /healthz HTTP/1.1", Host=name))
        tap.equal(answer.status, status, f"Host: {name}")
        tap.true(status == 200 or b"foreign_host" in answer.body, answer.body)


def test_a_host_is_said_once():
    house = begin()
    once, twice = b"GET /healthz HTTP/1.1\r\n", b"Host: localhost\r\nHost: menu.example\r\n\r\n"
    for data in (once + b"\r\n", once + twice, once + b"Host: localhost\r\nhost: localhost\r\n\r\n"):
        answer = ask(house, data, close=False)
        tap.equal((answer.status, answer.headers["connection"]), (400, "close"), data)
        tap.true(b"bad_head" in answer.body, answer.body)
    tap.equal(ask(house, b"GET /healthz HTTP/1.0\r\n\r\n", close=False).status, 200, "HTTP/1.0 has none")
    tap.equal(ask(house, head("GET /healthz HTTP/1.0", Host="menu.example"), close=False).status, 403)


def test_the_socket_does_not_care_for_the_host_but_for_the_origin():
    house = begin()
    tap.equal(ask_socket(house, head("GET /healthz HTTP/1.1", Host="whatever.example")).status, 200)
    tap.equal(ask_socket(house, b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").status, 400)
    tap.equal(ask_socket(house, head("GET /healthz HTTP/1.1", Host="x", Origin="https://evil.example")).status, 403)


def test_an_origin_is_one_of_the_list_to_the_letter():
    house = begin()
    ours = urllib.parse.urlsplit(house.api).netloc
    for origin, status in ((MENU, 200), (house.api, 200), ("https://evil.example", 403), ("null", 403), (MENU + "/", 403),
                           (MENU + ":8443", 403), ("http://menu.example", 403), (MENU.upper(), 403), ("https://" + ours, 403),
                           ("http://localhost:1", 403), (f"{MENU}, {MENU}", 403), ("", 403)):
        answer = ask(house, head("GET /v1/stores HTTP/1.1", Host=ours, Origin=origin))
        tap.equal(answer.status, status, f"Origin: {origin}")
        tap.equal(answer.headers.get("access-control-allow-origin"), origin if status == 200 else None)
    twice = head("GET /v1/stores HTTP/1.1", Host=ours, Origin=MENU, origin="https://evil.example")
    tap.equal(ask(house, twice).status, 400, "two of them")


def words(text):
    return {word.strip().lower() for word in text.split(",")}


def test_a_browser_is_told_what_its_page_may_do():
    house = begin()

    def preflight(target, **headers):
        return ask(house, head(f"OPTIONS {target} HTTP/1.1", Host="localhost", Access_Control_Request_Method="GET", **headers))
    answer = preflight("/v1/stores/downtown/products", Origin=MENU)
    tap.equal((answer.status, answer.body), (204, b""))
    tap.equal(words(answer.headers["access-control-allow-methods"]), {"get", "head"})
    tap.true({"if-none-match", "last-event-id", "idempotency-key", "content-type", "authorization", "if-match"}
             <= words(answer.headers["access-control-allow-headers"]), answer.headers)
    tap.equal((answer.headers["access-control-max-age"], answer.headers["vary"]), ("600", "Origin"))
    tap.true("access-control-allow-private-network" not in answer.headers, "nobody asked")
    tap.equal(preflight("/v1/changes", Origin=MENU, Access_Control_Request_Private_Network="true")
              .headers["access-control-allow-private-network"], "true")
    tap.equal(words(preflight("/v1/stores/downtown/products/x/overrides", Origin=MENU).headers["access-control-allow-methods"]),
              {"put", "delete"})
    foreign = preflight("/v1/stores", Origin="https://evil.example", Access_Control_Request_Private_Network="true")
    tap.equal((foreign.status, [name for name in foreign.headers if name.startswith("access-control")]), (403, []))
    tap.equal(preflight("/v1/nothing", Origin=MENU).status, 404)
    nobody = preflight("/v1/stores")
    tap.equal((nobody.status, nobody.headers["allow"]), (405, "GET, HEAD"), "without an Origin it is no preflight")


def test_a_page_may_read_headers_and_refusals():
    house = begin()
    for target, status in (("/v1/stores", 200), ("/v1/nothing", 404), ("/v1/stores?limit=0", 400)):
        answer = ask(house, head(f"GET {target} HTTP/1.1", Host="localhost", Origin=MENU))
        tap.equal((answer.status, answer.headers["access-control-allow-origin"]), (status, MENU))
        tap.equal(words(answer.headers["access-control-expose-headers"]),
                  {"etag", "link", "location", "retry-after", "traceparent", "idempotency-replayed"})
        tap.equal(answer.headers["vary"], "Origin")


# ---- what a request may be ----

def test_a_body_has_one_length():
    house = begin()
    target, hidden = "POST /v1/reload?dry_run=true HTTP/1.1\r\nHost: localhost\r\n", b"GET /v1/plugins HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for lengths in ("Content-Length: 5\r\nTransfer-Encoding: chunked", "Content-Length: 0\r\nContent-Length: 5",
                    "Content-Length: 5\r\ncontent-length: 5"):
        answer = ask(house, (target + lengths + "\r\n\r\n").encode() + b"0\r\n\r\n" + hidden, close=False)
        tap.equal((answer.status, answer.headers["connection"], answer.rest), (400, "close", b""), lengths)
    for lengths in ("Content-Length: -1", "Content-Length: 0x5", "Content-Length: 5, 5", "Transfer-Encoding: gzip"):
        answer = ask(house, (target + lengths + "\r\n\r\n").encode() + hidden, close=False)
        tap.true(answer.status == 400 and b"HTTP/1.1" not in answer.rest, f"{lengths}: {answer.status}, {answer.rest!r}")


def test_who_asks_before_sending_is_told():
    house = begin(host='limits: { body = "4K"; };')

    def first(length):
        with connect(house) as connection:
            connection.sendall(head("POST /v1/reload?dry_run=true HTTP/1.1", Host="localhost", Expect="100-continue",
                                    Content_Length=length, Content_Type="application/json"))
            data = connection.recv(65536)
            if not data.startswith(b"HTTP/1.1 100"):
                return Answer(data).status, None
            connection.sendall(b"{}".ljust(length))
            return 100, Answer(connection.recv(65536)).status
    tap.equal(first(2), (100, 200), "go on")
    tap.equal(first(100000), (413, None), "do not")


def test_a_large_head_is_refused_and_others_are_served():
    house = begin()
    for size, header, target in ((7000, 200, 400), (9000, 431, 431), (60000, 431, 414)):
        tap.equal(ask(house, head("GET /healthz HTTP/1.1", Host="localhost", X="x" * size)).status, header, f"{size} bytes")
        tap.equal(ask(house, head(f"GET /healthz?{'x' * size} HTTP/1.1", Host="localhost")).status, target, f"{size} bytes of target")
        tap.equal(house.get("/healthz").status, 200)


def test_requests_in_one_piece_are_answered_in_order():
    house = begin()
    several = b"".join(head(f"GET {target} HTTP/1.1", Host="localhost") for target in ("/healthz", "/v1/nothing", "/v1/stores/downtown"))
    last = head("GET /readyz HTTP/1.1", Host="localhost", Connection="close")
    with connect(house) as connection:
        connection.sendall(several + last)
        data = read_to_end(connection)
    answers = []
    while data:
        answers.append(Answer(data))
        data = answers[-1].rest
    tap.equal([answer.status for answer in answers], [200, 404, 200, 200])
    tap.equal([answers[0].body, answers[3].body], [b'{"status":"ok"}', b'{"status":"ready"}'])


def test_what_stands_behind_an_answer_that_waits_is_answered_after_it():
    house = begin()
    house.sandbox.fault("stall", vendor="treez")
    with connect(house) as connection:
        connection.sendall(head("POST /v1/connectors/downtown/pos/check HTTP/1.1", Host="localhost") +
                           head("GET /healthz HTTP/1.1", Host="localhost", Connection="close"))
        tap.wait_until(lambda: house.sandbox.requests("treez"), "the check has reached the vendor")
        house.sandbox.admin("DELETE", "faults")
        house.kill_worker()
        first = Answer(read_to_end(connection))
    tap.true(b'"status"' in first.body, first.body)
    tap.equal(Answer(first.rest).body, b'{"status":"ok"}')


def test_who_has_said_all_gets_the_answer():
    house = begin()
    with connect(house) as connection:
        connection.sendall(head("GET /v1/stores HTTP/1.1", Host="localhost"))
        connection.shutdown(socket.SHUT_WR)
        tap.equal(Answer(read_to_end(connection)).status, 200)
    with connect(house) as connection:  # the last of several
        connection.sendall(head("GET /v1/nothing HTTP/1.1", Host="localhost") + head("GET /healthz HTTP/1.1", Host="localhost"))
        connection.shutdown(socket.SHUT_WR)
        first = Answer(read_to_end(connection))
        tap.equal((first.status, Answer(first.rest).status), (404, 200))
    with connect(house) as connection:  # in the middle of a head
        connection.sendall(b"GET /v1/stores HTTP/1.1\r\nHost:")
        connection.shutdown(socket.SHUT_WR)
        tap.true(Answer(read_to_end(connection)).status in (0, 400), "no answer is owed")
    tap.equal(house.get("/healthz").status, 200)


# ---- how many, how long ----

def test_above_the_limit_of_connections_the_idle_give_way_and_others_are_told():
    house = begin(host="limits: { connections = 12; };")
    get = head("GET /healthz HTTP/1.1", Host="localhost")
    busy = [connect(house) for _ in range(10)]
    for connection in busy:
        connection.sendall(b"GET /healthz HTTP/1.1\r\n")  # and the rest to follow
    idle = [connect(house) for _ in range(2)]
    for connection in idle:
        connection.sendall(get)
        tap.equal(Answer(connection.recv(65536)).status, 200)
    more = [connect(house) for _ in range(2)]
    for connection in more:
        connection.sendall(get[:-2])
    tap.equal([connection.recv(65536) for connection in idle], [b"", b""], "those that were idle are closed")
    answer = ask(house, get, close=False)
    tap.equal((answer.status, answer.headers["connection"], b"too_many" in answer.body), (503, "close", True))
    for connection in busy + more:
        connection.sendall(b"Host: localhost\r\n\r\n" if connection in busy else b"\r\n")
        tap.equal(Answer(connection.recv(65536)).status, 200, "those within are served")
    tap.equal(house.get("/healthz").status, 200, "they are idle now")


def later(house, seconds):
    """The daemon's clocks go on by so much (tests/faults/later.c), and something makes it look."""
    with open(house.path("later.part"), "w", encoding="ascii") as file:
        file.write(str(seconds))
    os.rename(house.path("later.part"), house.path("later"))


def with_clock(**options):
    house = House(size=300, **options)
    library = tap.built("tests/faults/.libs/liblater.so")
    tap.true(os.path.exists(library), f"{library} is built")
    options = os.environ.get("ASAN_OPTIONS", "")
    return house.start(env={"LD_PRELOAD": library, "TB_LATER_FILE": house.path("later"),
                            "ASAN_OPTIONS": options + ":verify_asan_link_order=0:detect_leaks=0"})


def is_closed(house, connection):
    """Was it closed? What came is thrown away. The daemon is asked something, so that it looks at its clock."""
    tap.equal(house.get("/healthz").status, 200, "others are served")
    connection.setblocking(False)
    try:
        while connection.recv(65536):
            pass
        return True
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


def check_deadline(begin_with, seconds, drip=b""):
    """A connection that has sent this is left alone until shortly before, and closed after so many seconds, whatever drips."""
    house = with_clock()
    with connect(house) as connection:
        connection.sendall(begin_with)
        tap.equal(house.get("/healthz").status, 200)
        later(house, seconds - 5)
        tap.true(not is_closed(house, connection), "there is time left")
        connection.sendall(drip)
        later(house, seconds + 2)
        tap.wait_until(lambda: is_closed(house, connection), "it is closed")


def test_who_says_nothing_is_closed():
    check_deadline(b"", 10)


def test_who_does_not_end_its_head_is_closed():
    check_deadline(b"GET /healthz HTTP/1.1\r\nHost: local", 10, drip=b"h")


def test_who_does_not_end_its_body_is_closed():
    check_deadline(head("POST /v1/reload HTTP/1.1", Host="localhost", Content_Type="application/json", Content_Length=100) + b"{",
                   60, drip=b" ")


def test_who_is_idle_is_closed():
    check_deadline(head("GET /healthz HTTP/1.1", Host="localhost"), 75)


def test_who_does_not_read_is_closed_and_nobody_waits_for_it():
    house = with_clock()
    house.sync("products", full=True)
    with connect(house, receive_bytes=4096) as connection:
        for _ in range(40):  # more than the socket's buffers hold
            connection.sendall(head("GET /v1/stores/downtown/products?limit=1000 HTTP/1.1", Host="localhost"))
        tap.equal(house.get("/healthz").status, 200)
        tap.true(not is_cut(house, connection), "it may take its time")
        later(house, 130)
        tap.wait_until(lambda: is_cut(house, connection), "it is cut")


def is_cut(house, connection):
    """Whether the daemon's end of the connection is gone, without reading a byte."""
    tap.equal(house.get("/healthz").status, 200)
    port = connection.getsockname()[1]
    with open(f"/proc/{house.hub.pid}/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table.readlines()[1:]]
    mine = [row for row in rows if row[2].endswith(f":{port:04X}")]
    return not any(row[3] == "01" for row in mine)  # none is ESTABLISHED


def test_a_head_stands_alone_where_the_body_has_no_length():
    house = begin()
    for target, accept in (("/v1/snapshot", "*/*"), ("/v1/changes", "text/event-stream")):
        with connect(house) as connection:
            connection.sendall(head(f"HEAD {target} HTTP/1.1", Host="localhost", Accept=accept))
            answer = Answer(read_to_end(connection))
        tap.equal((answer.status, answer.headers["connection"], answer.rest), (200, "close", b""), target)


def test_a_head_of_any_size_that_is_taken_is_answered():
    house = begin()
    ours = urllib.parse.urlsplit(house.api).netloc
    house.sync("products", full=True)
    ids = [item["id"] for item in house.all("/v1/stores/downtown/products")]
    many = ",".join(ids * 10)
    for size in range(7600, 8190, 37):
        bare = head("GET /v1/stores/downtown/products?limit=1&id= HTTP/1.1", Host=ours, Origin="http://" + ours, Connection="close")
        answer = ask(house, bare.replace(b"id=", b"id=" + many[:size - len(bare)].encode()), close=False)
        tap.equal((answer.status, "link" in answer.headers), (200, True), f"a head of {size} bytes")


def test_what_the_library_refuses_leaves_nothing_behind():
    house = begin()
    for _ in range(20):  # the sanitizer tells at the end
        with connect(house) as connection:
            connection.sendall(head("GET /healthz?" + "&a" * 500 + " HTTP/1.1", Host="localhost"))
    tap.equal(house.get("/healthz").status, 200)


def test_who_ends_its_body_when_the_daemon_ends_is_told():
    house = begin()
    pid = house.hub.pid
    with connect(house) as connection:
        connection.sendall(head("PUT /v1/stores/downtown/products/nobody/overrides HTTP/1.1", Host="localhost", Content_Length=2) + b"{")
        tap.equal(house.get("/healthz").status, 200)
        os.kill(pid, signal.SIGTERM)
        tap.wait_until(lambda: "ending:" in house.hub.log(), "it is ending")
        time.sleep(0.02)  # from outside it cannot be seen that by now only answers are owed
        os.kill(pid, signal.SIGSTOP)  # somewhere in its end, which the next signal brings
        os.kill(pid, signal.SIGTERM)
        time.sleep(0.1)
        connection.sendall(b"}")
        os.kill(pid, signal.SIGCONT)
        status = Answer(read_to_end(connection)).status
    tap.true(status in (0, 404, 503), f"{status}: it came before the end, in it, or after it")
    tap.equal(house.hub.process.wait(tap.PATIENCE_S), 0)


def test_a_hundred_slow_clients_harm_nobody():
    house = begin()
    slow = [connect(house) for _ in range(100)]
    for at, connection in enumerate(slow):
        connection.sendall(head("GET /v1/stores HTTP/1.1", Host="localhost")[:10 + at % 30])
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(house.get("/v1/stores").status)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(tap.PATIENCE_S)
    tap.equal(answers, [200] * 8)
    for connection in slow:
        connection.close()


tap.run(globals())

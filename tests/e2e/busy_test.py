#!/usr/bin/env python3
"""12,000 products in one body, and nobody waits for it. The vendor sends the next piece of the body only when the API has
answered the next request: who waited for the whole body would wait for ever."""
import json
import threading

import tap
from house import House, WIDE_OPEN
from middle import Middle, Rule

PRODUCTS = 12000
REQUESTS = 100
CHECK_AT = 50  # the request beside which the vendor is checked through the same worker


class Large:
    """The whole catalogue as one answer, sent in pieces: one for each that is let go."""

    def __init__(self):
        self.go, self.sent, self.done = threading.Semaphore(0), 0, False

    def answer(self, ask):
        rows = []
        while len(rows) < PRODUCTS:
            ask.path = f"/v2.0/dispensary/downtown/product/product_list?page={len(rows) // 1000 + 1}&active=ALL"
            found = json.loads(ask.theirs()[2])["data"]["product_list"]
            if not found:
                break
            rows += found
        data = {"page_count": len(rows), "total_count": len(rows), "product_list": rows}
        body = json.dumps({"resultCode": "SUCCESS", "data": data}).encode()
        ask.connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body))
        size = len(body) // (REQUESTS + 1) + 1
        for at in range(0, len(body), size):
            self.go.acquire()
            ask.connection.sendall(body[at:at + size])
            self.sent = at + size
        self.done = True
        return True


class Busy(House):
    def __init__(self):
        self.middle = None
        super().__init__(size=PRODUCTS, sandbox=("--no-log",))

    def drop_in(self, store, plugin_name=None, sync='sync = "off";', extra=WIDE_OPEN, **settings):
        self.middle = Middle(self.sandbox.vendor("treez")["url"])
        self.write(f"conf.d/{store}.conf", f"""store: {{ id = "{store}"; timezone = "America/Los_Angeles"; currency = "USD";
            connectors: {{ pos: {{ plugin = "treez"; url = "{self.middle.address}"; allow_private = true; {self.settings()} {sync} {extra} }}; }}; }};""")


def test_nobody_waits_for_a_large_body():
    house = Busy().start()
    large = Large()
    house.middle.rules["downtown"] = Rule(large.answer, path="product_list?page", count=1)
    ident = house.post("/v1/connectors/downtown/pos/sync", {"stream": "products", "full": True}).json()["passes"][0]["id"]
    asks = [lambda: house.get("/healthz"), lambda: house.get("/v1/stores/downtown/products", limit=100), lambda: house.get("/readyz"),
            lambda: house.get("/v1/connectors"), lambda: house.get("/metrics")]
    for number in range(REQUESTS):
        large.go.release()
        answer = asks[number % len(asks)]()
        tap.equal(answer.status, 200, f"request {number}")
        if number == CHECK_AT:
            found = house.post("/v1/connectors/downtown/pos/check")
            tap.equal((found.status, found.json()["status"]), (200, "ok"), "a check in the middle of the body")
            tap.wait_until(lambda: house.json("/v1/stores/downtown/products", limit=1)["items"], "products are served while their page is being read")
    tap.true(not large.done, "all were answered before the body was whole")
    one = house.json(f"/v1/passes/{ident}")
    tap.equal((one["state"], one["pages"]), ("running", 0))
    large.go.release(2)
    done = house.wait_pass(ident)
    tap.equal((done["state"], done["pages"], done["rejected"], done["deleted"]), ("complete", 1, 0, 0))
    tap.equal(house.differences(), [])


if __name__ == "__main__":
    tap.run(globals())

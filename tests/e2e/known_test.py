#!/usr/bin/env python3
"""Pages that have not changed since the last pass: a vendor with ETags sends them not again, packed ones are not unpacked; and
what is served stays what the vendor has."""
import random

import tap
import variants
from house import House, WIDE_OPEN

PAGES = WIDE_OPEN + " page_size = 50;"


def start(**options):
    house = House(size=300, extra=PAGES)
    house.sandbox.admin("POST", "options", options)
    variants.treez(house.path("plugins", "treez.so"), least_s=0)
    return house.start()


def asked(house, last):
    """Requests for pages of products since then."""
    return [entry for entry in house.sandbox.requests("treez", last) if "product_list" in entry["path"]]


def full_pass(house):
    """A full pass of the products, and the requests for it."""
    last = house.sandbox.admin("GET", "requests")["last"]
    done = house.sync("products", full=True)
    tap.equal(done["state"], "complete", f"{done}")
    return done, asked(house, last)


def test_an_unchanged_pass_takes_no_bytes_of_a_vendor_with_etags():
    house = start(etags=True, gzip=True)
    whole, first = full_pass(house)
    tap.equal([(entry["status"], "if-none-match" in entry["headers"], entry["bytes"] > 1000) for entry in first], [(200, False, True)] * 6)
    seq = house.follow()[1]
    for _ in range(2):
        done, again = full_pass(house)
        tap.equal([(entry["status"], entry["bytes"]) for entry in again], [(304, 0)] * 6)
        tap.equal(house.follow(seq)[0], [])
        tap.equal(house.differences(), [])
        tap.equal((done["seen"], done["deleted"]), (whole["seen"], 0), f"{done}")


def test_a_changed_page_alone_is_sent_again():
    house = start(etags=True)
    full_pass(house)
    changed = house.sandbox.admin("POST", "treez/change", {"kind": "products", "count": 1, "field": "price"})["ids"][0]
    _, again = full_pass(house)
    tap.equal(sorted(entry["status"] for entry in again), [200] + [304] * 5)
    tap.equal(house.differences(), [])
    tap.equal({item["id"]: item for item in house.all("/v1/stores/downtown/products")}[changed]["id"], changed)


def test_rows_that_shift_from_page_to_page_are_neither_lost_nor_kept():
    house = start(etags=True, gzip=True)
    full_pass(house)
    house.sandbox.admin("POST", "treez/delete", {"kind": "products", "count": 2})
    house.sandbox.admin("POST", "treez/add", {"kind": "products", "count": 7})
    full_pass(house)
    tap.equal(house.differences(), [])
    _, again = full_pass(house)
    tap.true(all(entry["status"] == 304 for entry in again), f"{[entry['status'] for entry in again]}")
    tap.equal(house.differences(), [])


def test_a_record_that_was_lost_here_is_read_without_a_condition():
    """What a reload of other settings or another plugin forgets is asked for anew."""
    house = start(etags=True)
    full_pass(house)
    variants.treez(house.path("plugins", "treez.so"), version="1.0.1", least_s=0)
    house.post("/v1/reload")
    _, again = full_pass(house)
    tap.equal([("if-none-match" in entry["headers"], entry["status"]) for entry in again], [(False, 200)] * 6)
    house.drop_in("downtown", "treez", 'sync = "off";', PAGES, tax_included=True)
    house.post("/v1/reload")
    _, again = full_pass(house)
    tap.equal([("if-none-match" in entry["headers"], entry["status"]) for entry in again], [(False, 200)] * 6)
    tap.true(all(price.get("tax_included") for item in house.all("/v1/stores/downtown/products") for price in item.get("prices", [])), "prices hold the tax")


def test_a_page_with_a_bad_record_is_sent_each_time_until_it_is_good():
    house = start(etags=True)
    bad = house.theirs("products")[0]["product_id"]
    house.sandbox.admin("POST", "treez/change", {"id": bad, "field": "pricing.price_sell", "value": "abc"})
    for _ in range(3):
        _, again = full_pass(house)
        tap.true(200 in [entry["status"] for entry in again], "its page is sent")
    house.sandbox.admin("POST", "treez/change", {"id": bad, "field": "pricing.price_sell", "value": 12.5})
    full_pass(house)
    _, again = full_pass(house)
    tap.equal({entry["status"] for entry in again}, {304})


def test_whatever_happens_in_between_does_not_show():
    dice = random.Random(4)
    house = start(etags=True, gzip=True)
    faults = [{"fault": "truncated", "count": 1}, {"fault": "503", "count": 2}, {"fault": "reset_after_commit", "count": 1}, {"fault": "not_json", "count": 1},
              {"fault": "bad_price", "rows": 3, "count": 1}, {"fault": "no_id", "rows": 1, "count": 1}, {"fault": "token_expired", "count": 1}]
    answers = set()
    for step in range(14):
        if dice.random() < 0.6:
            house.sandbox.admin("POST", "treez/change", {"kind": "products", "count": dice.randrange(1, 4), "field": dice.choice(["price", "quantity", "name", "status"])})
        if dice.random() < 0.3:
            house.sandbox.admin("POST", "treez/add", {"kind": "products", "count": 1})
        if dice.random() < 0.2:
            house.sandbox.admin("POST", "treez/delete", {"kind": "products", "count": 1})
        if dice.random() < 0.4:
            house.sandbox.admin("POST", "faults", [{"route": "product_list", **dice.choice(faults)}])
            house.sync("products", full=True)
            house.sandbox.admin("DELETE", "faults")
        if dice.random() < 0.15:
            house.kill_worker()
        _, again = full_pass(house)
        answers |= {entry["status"] for entry in again}
        tap.equal(house.differences()[:4], [], f"after step {step}")
    tap.true({200, 304} <= answers, f"answers {answers}")


if __name__ == "__main__":
    tap.run(globals())

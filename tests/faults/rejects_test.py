"""P12 and P25: what a vendor spoils is counted, has a row that says why and where, and harms nothing else; the names of
metrics are frozen (metrics.golden)."""
import os
import re

import faults
import tap

PAGES, ROWS = 4, 3


def synced():
    house = faults.HastyHouse(size=200, page_size=50)
    house.start()
    house.whole_full_pass()
    return house


def spoiled_pass(house, fault, stream="products", **rule):
    """A full pass while the first rows of each page are spoiled; the pass and its rejects."""
    house.sandbox.fault(fault, route="*/product_list", rows=ROWS, **rule)
    done = house.sync(stream, full=True)
    house.sandbox.admin("DELETE", "faults")
    rejects = house.all("/v1/rejects", connector="downtown/pos")
    house.check_sums()
    return done, [one for one in rejects if one["pass"] == done["id"]]


def test_a_price_that_is_no_amount_sets_its_product_aside_and_the_last_price_stays():
    house = synced()
    before = house.held_in_store("products")
    done, rejects = spoiled_pass(house, "bad_price")
    tap.equal((done["state"], done["stored"], done["deleted"]), ("complete", 0, 0))
    tiers = PAGES * ROWS - done["rejected"]  # prices in tiers are read elsewhere
    tap.true(0 <= tiers < PAGES * ROWS / 2, f"{done['rejected']} were rejected")
    tap.equal(len(rejects), done["rejected"])
    for one in rejects:
        tap.equal((one["reason"], one["path"], one["detail"], one["kind"], one["store"], one["stream"]),
                  ("not_a_number", "pricing.price_sell", '"abc" is no amount', "products", "downtown", "products"))
        tap.true(one["record"] in before and one["record"] in one["sample"], "the row names the record and shows the item")
    tap.true(house.held_in_store("products") == before, "the store holds what it held")
    house.whole_full_pass()
    tap.equal(house.differences(), [])


def test_products_without_an_id_are_rejected_and_none_is_taken_for_gone():
    house = synced()
    before = house.held_in_store("products")
    done, rejects = spoiled_pass(house, "no_id")
    tap.equal((done["state"], done["rejected"], done["deleted"]), ("complete", PAGES * ROWS, 0))
    tap.equal({(one["reason"], one["path"]) for one in rejects}, {("missing_field", "id")})
    tap.equal(len(rejects), PAGES * ROWS)
    tap.true("have no id" in done["detail"], "the pass says what it left undone")
    tap.true("tillbridge rejects downtown/pos" in house.hub.log(), "the log says where to look")
    tap.true(house.held_in_store("products") == before, "the store holds what it held")


def test_stock_without_a_number_is_rejected_and_not_set_to_zero():
    house = synced()
    house.sync("inventory", full=True)
    before = house.held_in_store("inventory")
    product = next(one for one in house.theirs("products")
                   if one["product_status"] == "ACTIVE" and one["sellable_quantity_detail"])
    rows = [{**row, "sellable_quantity": "some"} for row in product["sellable_quantity_detail"]]
    house.sandbox.admin("POST", "treez/change", {"kind": "products", "id": product["product_id"],
                                                 "field": "sellable_quantity_detail", "value": rows})
    done = house.sync("inventory", full=True)
    rejects = house.all("/v1/rejects", stream="inventory")
    tap.equal((done["state"], done["rejected"], done["missing"]), ("complete", len(rows), 0))
    tap.equal(sorted((one["record"], one["reason"], one["path"]) for one in rejects),
              [(product["product_id"], "not_a_number", f"sellable_quantity_detail[{index}].sellable_quantity")
               for index in range(len(rows))])
    tap.true(house.held_in_store("inventory") == before, "the store holds what it held")
    house.check_sums()


def test_bytes_that_are_no_utf8_are_mended_and_never_served():
    house = synced()
    done, rejects = spoiled_pass(house, "bad_utf8")
    tap.equal((done["state"], done["rejected"], rejects), ("complete", 0, []))
    tap.equal(done["stored"], PAGES * ROWS)
    mended = [one for one in house.held_in_store("products").values() if "\ufffd" in one["name"]]
    tap.equal(len(mended), PAGES * ROWS, "names with a sign for what could not be read")
    house.whole_full_pass()
    tap.equal(house.differences(), [])


def test_two_records_of_one_id_in_one_answer_are_told_once_and_counted():
    house = synced()
    seq = house.follow()[1]
    done, _ = spoiled_pass(house, "duplicate_ids")
    tap.equal(done["state"], "complete")
    tap.true(done["filtered"] > done["filtered_because"].get("plugin", 0), f"{done}")
    told = [item["id"] for item in house.follow(seq)[0]]
    tap.equal(len(told), len(set(told)), "each id was told once")
    house.sandbox.fault("duplicate_ids", route="*/product_list", rows=ROWS)
    seq = house.follow()[1]
    house.sync("products", full=True)
    tap.equal([item["id"] for item in house.follow(seq)[0]], [], "the same answer again is no news")
    house.sandbox.admin("DELETE", "faults")
    house.sandbox.admin("POST", "treez/change", {"kind": "products", "percent": 100, "field": "price"})
    house.whole_full_pass()
    tap.equal(house.differences(), [], "what came with a newer time under a wrong id goes when the right one is newer")


def test_two_records_of_one_id_and_one_time_do_not_take_turns():
    house = synced()
    one, other = [item["product_id"] for item in house.theirs("products")[:2]]
    for ident, field, value in ((one, "last_updated_at", "2026-03-02T10:00:00.000-0700"),
                                (other, "last_updated_at", "2026-03-02T10:00:00.000-0700"), (other, "product_id", one)):
        house.sandbox.admin("POST", "treez/change", {"kind": "products", "id": ident, "field": field, "value": value})
    house.drop_in("downtown", sync='sync = "off";', extra=house.hasty_extra.replace("page_size = 50", "page_size = 1000"))
    house.post("/v1/reload")
    house.whole_full_pass()
    seq = house.follow()[1]
    done = house.whole_full_pass()
    tap.equal((done["stored"], house.follow(seq)[0]), (0, []), "the same answer again is no news")


# ---- metrics ----

def told_metrics(text):
    """name -> (type, labels) of what /metrics tells; le is the histogram's own."""
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
    found = {}
    for name, labels in re.findall(r"^([a-z_]+)(?:\{(.*)\})? \S+$", text, re.M):
        base = name if name in types else re.sub(r"_(bucket|sum|count)$", "", name)
        names = [one for one in re.findall(r'([a-z_]+)="', labels or "") if one != "le"]
        found[base] = (types[base], ",".join(names))
    return found


def golden_metrics():
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "metrics.golden"), encoding="ascii") as file:
        rows = [line.split() for line in file if line.strip() and not line.startswith("#")]
    return {row[0]: (row[1], row[2] if len(row) > 2 else "") for row in rows}


def test_the_names_of_metrics_are_frozen():
    house = synced()
    house.kill_worker()
    house.sync("products", full=True)
    house.json("/v1/stores")
    told = told_metrics(house.get("/metrics").body.decode())
    golden = golden_metrics()
    tap.equal({name: what for name, what in told.items() if golden.get(name) != what}, {},
              "metrics that are told otherwise than in metrics.golden (names, types and labels never change)")
    rare = {"tillbridge_" + name for name in ("http_requests_total", "http_retries_total", "rate_limited_total", "loop_seconds")}
    tap.equal(sorted(golden.keys() - told.keys() - rare), [], "metrics that are told no more")


tap.run(globals())

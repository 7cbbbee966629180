"""Overrides of products from outside: what wins, what survives, what is refused."""
import os
import random
import sys
import threading

import tap

sys.path.insert(0, tap.source("tests", "faults"))
import faults  # noqa: E402

PRODUCTS = "/v1/stores/downtown/products"


class Shop(faults.HastyHouse):
    """A shop whose products were read once."""

    def __init__(self, size=40, **more):
        super().__init__(size=size, page_size=10, **more)
        self.start()
        self.whole_full_pass()

    def ids(self):
        return [item["id"] for item in self.all(PRODUCTS)]

    def product(self, ident):
        one = self.json(f"{PRODUCTS}/{ident}")
        one.pop("as_of")
        return one

    def ask(self, method, ident, body=None, **headers):
        return tap.request(method, f"{self.api}{PRODUCTS}/{ident}/overrides", body, headers)

    def put(self, ident, overrides, **headers):
        answer = self.ask("PUT", ident, overrides, **headers)
        tap.equal(answer.status, 200, answer.body)
        return without_as_of(answer.json())

    def take_back(self, ident):
        answer = self.ask("DELETE", ident)
        tap.equal(answer.status, 200, answer.body)
        return without_as_of(answer.json())

    def vendor_changes(self, ident, field, value=None):
        self.sandbox.admin("POST", "treez/change", {"id": ident, "field": field, **({"value": value} if value else {})})

    def moves_to(self, sandbox):
        """The same shop at the same vendor, who has more products now, or fewer."""
        self.sandbox = sandbox
        self.drop_in("downtown")
        tap.equal(self.post("/v1/reload").status, 200)
        self.whole_full_pass()

    def last_change(self, ident):
        return [item for item in self.follow()[0] if item["id"] == ident and item["kind"] == "products"][-1]


def without_as_of(product):
    product.pop("as_of")
    return product


def laid_over(vendors, overrides):
    """What must be served, by somebody who reads the documents."""
    served = {**vendors, **overrides}
    return {**{name: value for name, value in served.items() if value is not None},
            "overridden": {name: vendors[name] for name in overrides if name in vendors}}


def test_an_override_wins_and_both_values_are_seen():
    shop = Shop()
    ident = shop.ids()[3]
    vendors = shop.product(ident)
    overrides = {"name": "Plum", "visible": False, "strain": None,
                 "prices": [{"amount": 1903, "currency": "USD", "customer_type": "any", "label": "one"}]}
    served = shop.put(ident, overrides)
    tap.equal(served, laid_over(vendors, overrides))
    tap.equal(shop.product(ident), served)
    tap.equal([item for item in shop.all(PRODUCTS) if item["id"] == ident], [served])
    told = shop.last_change(ident)
    tap.equal((told["source"], told["op"]), ("override", "put"))
    tap.equal(told["record"], {name: value for name, value in served.items() if name != "available"})
    tap.equal(list(served)[:4], list(vendors)[:4], "members keep their order")


def test_the_whole_set_is_replaced_and_an_empty_one_takes_all_back():
    shop = Shop()
    first, second = shop.ids()[:2]
    vendors = {ident: shop.product(ident) for ident in (first, second)}
    for ident in (first, second):
        shop.put(ident, {"name": "Plum", "brand": "B"})
        tap.equal(shop.put(ident, {"category": "C"}), laid_over(vendors[ident], {"category": "C"}))
    tap.equal(shop.put(first, {}), vendors[first])
    tap.equal(shop.take_back(second), vendors[second])
    tap.equal(shop.take_back(second), vendors[second], "once more")
    tap.equal([shop.product(ident) for ident in (first, second)], [vendors[first], vendors[second]])


def test_the_same_set_again_changes_nothing():
    shop = Shop()
    ident = shop.ids()[0]
    name = shop.product(ident)["name"]
    served = shop.put(ident, {"name": name})
    tap.equal(served["overridden"], {"name": name}, "the vendor's own value is an override too")
    _, seq = shop.follow()
    tap.equal(shop.put(ident, {"name": name}), served)
    tap.equal(shop.follow()[1], seq)


def test_syncs_keep_overrides_and_tell_what_the_vendor_changes_below_them():
    shop = Shop()
    ident, other = shop.ids()[:2]
    shop.put(ident, {"name": "Plum", "description": "Ours."})
    _, seq = shop.follow()
    shop.whole_full_pass()
    shop.sync("products")
    tap.equal(shop.follow(seq)[0], [], "a vendor's same content writes nothing")
    shop.vendor_changes(ident, "name", "PLUM RENAMED")
    shop.whole_full_pass()
    item, = shop.follow(seq)[0]
    tap.equal((item["id"], item["source"]), (ident, "pull"))
    tap.equal(item["record"]["name"], "Plum")
    tap.equal(item["record"]["overridden"]["name"], "PLUM RENAMED")
    shop.vendor_changes(ident, "price")
    shop.vendor_changes(other, "price")
    shop.whole_full_pass()
    tap.equal(shop.product(ident)["name"], "Plum")
    tap.equal(shop.take_back(ident)["name"], "PLUM RENAMED")
    tap.equal(shop.differences(), [])


def loses_a_product(shop):
    """A product that is gone, and how it comes back."""
    before, fewer = shop.sandbox, tap.start_sandbox("--size", "34", "--rate", "0", "treez")
    ids = set(shop.ids())

    def lose():
        shop.moves_to(fewer)
        tap.equal(shop.get(f"{PRODUCTS}/{lost}").status, 404)

    lost = min(ids - {item["product_id"] for item in fewer.admin("GET", "treez/products?limit=1000")["items"]})
    return lost, lose, lambda: shop.moves_to(before)


def test_a_product_that_comes_back_has_its_overrides_again():
    shop = Shop()
    ident, lose, find = loses_a_product(shop)
    before = shop.product(ident)
    served = shop.put(ident, {"name": "Plum"})
    lose()
    tap.equal(shop.ask("PUT", ident, {"name": "Pear"}).json()["reason"], "no_record")
    find()
    tap.equal(shop.product(ident), served)
    tap.equal(shop.take_back(ident), before)


def test_taking_back_what_was_said_of_a_product_that_is_gone_is_remembered():
    shop = Shop()
    ident, lose, find = loses_a_product(shop)
    before = shop.product(ident)
    shop.put(ident, {"name": "Plum"})
    lose()
    tap.equal(shop.ask("DELETE", ident).status, 404)
    find()
    tap.equal(shop.product(ident), before)


def test_a_connector_that_left_the_configuration_comes_back_with_its_overrides():
    shop = Shop()
    ident = shop.ids()[0]
    served = shop.put(ident, {"name": "Plum"})
    drop_in = shop.path("conf.d", "downtown.conf")
    os.rename(drop_in, drop_in + ".off")
    tap.equal(shop.post("/v1/reload").status, 200)
    tap.equal(shop.ask("PUT", ident, {"name": "Pear"}).json()["reason"], "no_store")
    os.rename(drop_in + ".off", drop_in)
    tap.equal(shop.post("/v1/reload").status, 200)
    shop.vendor_changes(ident, "price")
    shop.whole_full_pass()
    found = shop.product(ident)
    tap.equal((found["name"], found["overridden"]), ("Plum", served["overridden"]))


def test_what_was_answered_survives_kill_9():
    shop, dice = Shop(size=60), random.Random(2)
    ids = shop.ids()
    vendors = {ident: shop.product(ident) for ident in ids}
    said = {}
    for round_ in range(8):
        shop.sandbox.admin("POST", "treez/change", {"kind": "products", "percent": 20, "field": "quantity"})
        faults.HastyHouse.ask(shop)
        for ident in dice.sample(ids, 6):
            overrides = {"name": f"Plum {round_}", **({"visible": False} if dice.random() < 0.5 else {})}
            if dice.random() < 0.3:
                shop.take_back(ident)
                said.pop(ident, None)
            else:
                shop.put(ident, overrides)
                said[ident] = overrides
        shop.kill_hub()
        shop.start()
        for ident in ids:
            found = shop.product(ident)
            for name, value in said.get(ident, {}).items():
                tap.equal(found.get(name), value, f"{name} of {ident}")
            tap.equal("overridden" in found, ident in said, f"{ident} is overridden")
    for ident in said:
        tap.equal(shop.take_back(ident)["name"], vendors[ident]["name"])
    shop.whole_full_pass()
    tap.equal(shop.differences(), [])


def test_racing_puts_and_passes_end_in_one_state():
    shop = Shop(size=200)
    ids = shop.ids()[:4]
    wrong = []

    def write(who):
        dice = random.Random(who)
        for count in range(40):
            ident, name = dice.choice(ids), f"{who}/{count}"
            try:
                answer = shop.ask("PUT", ident, {"name": name})
            except OSError as error:
                wrong.append(error)
                return
            if answer.status != 200 or answer.json()["overridden"].get("name") is None:
                wrong.append(answer.body)

    writers = [threading.Thread(target=write, args=(who,)) for who in range(4)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        shop.sandbox.admin("POST", "treez/change", {"kind": "products", "percent": 20, "field": "quantity"})
        shop.sync("products", full=True)
    for writer in writers:
        writer.join()
    tap.equal(wrong, [])
    shop.whole_full_pass()
    told = {item["id"]: item["record"] for item in shop.follow()[0] if item["kind"] == "products"}
    for ident in ids:
        one = shop.product(ident)
        one.pop("available", None)
        tap.equal(told[ident], one)
        shop.take_back(ident)
    tap.equal(shop.differences(), [])


def test_if_match_lets_nobody_overwrite_what_he_has_not_seen():
    shop = Shop()
    ident = shop.ids()[0]
    etag = shop.get(f"{PRODUCTS}/{ident}").headers["ETag"]
    first = shop.ask("PUT", ident, {"name": "First"}, **{"If-Match": etag})
    tap.equal(first.status, 200, first.body)
    second = first.headers["ETag"]
    tap.equal(shop.get(f"{PRODUCTS}/{ident}").headers["ETag"], second, "the answer has the new one")
    tap.true(second != etag, "it is another")
    for method, body in (("PUT", {"name": "Second"}), ("PUT", {"name": "First"}), ("DELETE", None)):
        for stale in (etag, f"W/{second}", '"nonsense"', ""):
            refused = shop.ask(method, ident, body, **{"If-Match": stale})
            tap.equal((refused.status, refused.json()["code"], refused.json()["reason"]), (412, "conflict", "if_match"), stale)
            tap.equal("with the quotes" in refused.json()["detail"], stale[:1] != '"', f"what to do about {stale}")
    tap.equal(shop.product(ident)["name"], "First")
    tap.equal(shop.ask("PUT", "nope", {"name": "x"}, **{"If-Match": "*"}).status, 404)
    tap.equal(shop.ask("PUT", ident, {"name": "Third"}, **{"If-Match": f'"a, b", {second}'}).status, 200)
    shop.vendor_changes(ident, "price")
    third = shop.get(f"{PRODUCTS}/{ident}").headers["ETag"]
    shop.whole_full_pass()
    tap.equal(shop.ask("DELETE", ident, **{"If-Match": third}).status, 412, "the vendor changed it")
    tap.equal(shop.ask("DELETE", ident, **{"If-Match": "*"}).status, 200)
    tap.true("overridden" not in shop.product(ident), "nothing is overridden")


def test_filters_and_search_find_what_is_served():
    shop = Shop()
    ident = shop.ids()[0]
    theirs = shop.product(ident)
    find = lambda **query: ident in [item["id"] for item in shop.all(PRODUCTS, **query)]
    shop.put(ident, {"name": "Quincejelly", "brand": "Ours", "visible": False})
    tap.true(find(q="quincej") and find(brand="Ours") and find(visible="false"), "by what is served")
    tap.true(not find(brand=theirs.get("brand", "-")) and not find(visible="true"), "not by what is overridden")
    shop.take_back(ident)
    tap.true(not find(q="quincej") and find(q=theirs["name"].split()[0]), "by the vendor's again")


def test_a_product_asked_for_again_keeps_its_overrides():
    shop = Shop()
    ident = shop.ids()[0]
    shop.put(ident, {"name": "Plum"})
    shop.vendor_changes(ident, "price")
    _, seq = shop.follow()
    fresh = shop.json(f"{PRODUCTS}/{ident}", max_age="0s")
    tap.equal((fresh["name"], shop.follow(seq)[0][0]["source"]), ("Plum", "fetch"))


def test_what_may_not_be_overridden_is_refused_by_field():
    shop = Shop()
    ident = shop.ids()[0]
    before = shop.product(ident)

    def refused(body, reason, *fields):
        answer = shop.ask("PUT", ident, body, **{"Content-Type": "application/json"})
        problem = answer.json()
        tap.equal((answer.status, problem["code"], problem.get("reason")), (400, "validation_error", reason), answer.body)
        tap.equal([one["field"] for one in problem.get("errors", [])], list(fields))

    refused({"nmae": "Plum"}, "unknown_member", "nmae")
    refused({"quantity": 5, "id": "2"}, "not_overridable", "id", "quantity")
    refused({"name": 5, "visible": "no"}, "wrong_type", "name", "visible")
    refused({"name": "x" * 501}, "too_long", "name")
    refused({"prices": [{"amount": 1}, {"amount": -1}]}, "out_of_range", "prices[1].amount")
    refused({"name": None}, "missing_field", "name")
    refused([], "wrong_type")
    refused("", "empty")
    refused("{'name':'x'}", "not_json")
    tap.true("\"name\"" in shop.ask("PUT", ident, {"nmae": "x"}).json()["detail"], "the right name is told")
    tap.equal(shop.ask("PUT", ident, "name=Plum", **{"Content-Type": "text/plain"}).status, 415)
    tap.equal(shop.ask("GET", ident).status, 405)
    tap.equal(shop.ask("PUT", "nope", {"name": "x"}).json()["reason"], "no_record")
    tap.equal(tap.request("PUT", f"{shop.api}/v1/stores/downtown/customers/1/overrides", {}).status, 404)
    tap.equal(shop.product(ident), before)


def test_money_without_a_currency_is_in_that_of_the_store():
    shop = Shop()
    served = shop.put(shop.ids()[0], {"prices": [{"amount": 250}]})
    tap.equal(served["prices"], [{"amount": 250, "currency": "USD", "customer_type": "any"}])


tap.run(globals())

#!/usr/bin/env python3
"""Treez's two generations: the same goods through v2 and v3 are the same records; how v3's requests are signed, and what is said
when they are refused."""
import base64
import json
import shutil
import subprocess

import tap
import variants
from house import House, WIDE_OPEN

PAGES = WIDE_OPEN + " page_size = 40;"
REFUSED = "Full authentication is required"


class Generations(House):
    """downtown is read through v2, uptown through v3: two dispensaries of one chain, with the same goods."""

    def __init__(self, size=150, **uptown):
        super().__init__(size=size, extra=PAGES)
        variants.treez(self.path("plugins", "treez.so"), least_s=0)
        self.uptown(**uptown)

    def uptown(self, **changed):
        """Its drop-in, with the key in a file beside it."""
        key = changed.pop("key", self.sandbox.vendor("treez")["settings_v3"]["private_key"])
        self.write("conf.d/treez-key.pem", key)
        self.drop_in("uptown", "treez", 'sync = "off";', PAGES,
                     **{"generation": "v3", "dispensary": "downtown-2", "private_key": "file:treez-key.pem", **changed})

    def passes(self, full):
        for store in ("downtown", "uptown"):
            for stream in ("products", "inventory", "customers"):
                done = self.sync(stream, full=full, store=store)
                tap.equal(done["state"], "complete", f"{store}/{stream}: {done}")

    def held(self, kind, store):
        return {item["id"]: {name: value for name, value in item.items() if name not in ("connector", "as_of")}
                for item in self.all(f"/v1/stores/{store}/{kind}")}

    def stock(self, store):
        """What there is of each product at each place; a level of 0 says as much as none."""
        return {(item["product_id"], item["id"]): item["quantity"]
                for item in self.all(f"/v1/stores/{store}/inventory") if item["quantity"]}

    def check_twins(self, when):
        for kind in ("products", "promotions", "customers"):
            one, other = (self.held(kind, store) for store in ("downtown", "uptown"))
            wrong = [(ident, one.get(ident), other.get(ident)) for ident in {*one, *other} if one.get(ident) != other.get(ident)]
            tap.true(one, f"{kind} {when}: there are some")
            tap.equal(wrong[:2], [], f"{kind} that differ {when}")
        one, other = self.stock("downtown"), self.stock("uptown")
        tap.true(one, f"stock {when}: there is some")
        tap.equal(sorted({*one.items()} ^ {*other.items()})[:4], [], f"stock that differs {when}")

    def change(self, field, count):
        return self.sandbox.admin("POST", "treez/change", {"kind": "products", "count": count, "field": field})["ids"]


def claims_of(entry):
    said = entry["headers"]["authorization"].split(".")[0]
    return json.loads(base64.urlsafe_b64decode(said + "=" * (-len(said) % 4)))


def check_store(house, store="uptown"):
    return house.post(f"/v1/connectors/{store}/pos/check").json()


def other_key():
    if not shutil.which("openssl"):
        tap.skip("there is no openssl to make another key")
    made = subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], check=True, capture_output=True)
    return made.stdout.decode()


def test_the_same_goods_through_both_generations_are_the_same_records():
    house = Generations().start()
    house.passes(full=True)
    house.check_twins("after the first passes")
    for field, count in (("price", 12), ("quantity", 20), ("name", 5)):
        house.change(field, count)
    empty = house.change("quantity", 1)[0]
    house.sandbox.admin("POST", "treez/change", {"id": empty, "field": "quantity", "value": 0})
    house.sandbox.admin("POST", "treez/add", {"kind": "products", "count": 3})
    house.passes(full=False)
    house.check_twins("after changes")
    house.change("status", 6)
    house.sandbox.admin("POST", "treez/delete", {"kind": "products", "count": 5})
    house.passes(full=True)
    house.check_twins("after full passes")
    for store in ("downtown", "uptown"):
        tap.equal(house.differences(store=store), [], store)


def test_changes_of_stock_are_asked_for_alone_in_v3():
    house = Generations().start()
    house.sync("inventory", full=True, store="uptown")
    changed = house.change("quantity", 3)
    last = house.sandbox.admin("GET", "requests")["last"]
    house.sync("inventory", store="uptown")
    asked = [entry for entry in house.sandbox.requests("treez", last) if "getStock" in entry["path"]]
    tap.equal([("last_update_date=" in entry["query"], entry["status"]) for entry in asked], [(True, 200)])
    stock = {}
    for (product, _), quantity in house.stock("uptown").items():
        stock[product] = stock.get(product, 0) + quantity
    for item in house.theirs("products"):
        if item["product_id"] in changed and item["product_status"] == "ACTIVE":
            tap.equal(stock.get(item["product_id"], 0), item["sellable_quantity"], item["product_id"])


def test_each_request_is_signed_for_its_own_url_and_thirty_seconds():
    house = Generations().start()
    house.sync("products", full=True, store="uptown")
    tap.equal(check_store(house)["status"], "ok")
    url, settings = house.sandbox.vendor("treez")["url"], house.sandbox.vendor("treez")["settings_v3"]
    host = url.rsplit("/", 1)[0]
    signed = [entry for entry in house.sandbox.requests("treez") if "/v2.0/" not in entry["path"]]
    tap.true(len(signed) >= 6, f"only {len(signed)} requests")
    for entry in signed:
        claims = claims_of(entry)
        tap.equal(claims["aud"], host + entry["path"] + ("?" + entry["query"] if entry["query"] else ""))
        tap.equal((claims["iss"], claims["oid"]), (settings["certificate_id"], settings["organization_id"]))
        tap.equal(claims["exp"] - claims["iat"], 30000)
        tap.equal((entry["headers"]["content-type"], entry["status"]), ("application/json", 200))
    tap.equal(len({claims_of(entry)["jti"] for entry in signed}), len(signed), "each has a number of its own")
    tap.equal([entry["path"] for entry in signed if "jwt-validation" in entry["path"]], ["/treez/service/jwt-validation"])


def test_the_query_is_signed_or_not_as_the_setting_says():
    house = Generations(size=20).start()
    house.sandbox.admin("POST", "treez/options", {"signs_query": 0})
    tap.equal(house.sync("products", full=True, store="uptown")["state"], "failed", "with the query, to one who leaves it out")
    house.uptown(sign_query=False)
    house.post("/v1/reload")
    tap.equal(house.sync("products", full=True, store="uptown")["state"], "complete")


def refused(house, words, hidden):
    """Checked and synced: both say why, that the operator must act, and nothing secret."""
    found = check_store(house)
    tap.equal(found["status"], "authentication_error", f"{found}")
    tap.true(words in found["detail"], f"{words!r} in {found['detail']!r}")
    house.post("/v1/connectors/uptown/pos/sync", {"stream": "products", "full": True})
    tap.wait_until(lambda: house.json("/v1/connectors/uptown/pos")["state"] == "failing", "the connector stops")
    told = house.json("/v1/connectors/uptown/pos")
    tap.equal((told["reason"], told["who"]), ("credentials_refused", "operator"), f"{told}")
    tap.true(words in json.dumps(told, ensure_ascii=False), f"{words!r} in {told}")
    seen = house.hub.log() + json.dumps(told) + json.dumps(found) + house.get("/v1/connectors").body.decode()
    tap.true(not any(piece in seen for piece in hidden), "a piece of the key is told")
    tap.equal(house.sync("products", full=True)["state"], "complete", "the other store")


def pieces(key):
    return [line for line in key.splitlines() if len(line) > 20 and "-----" not in line]


def test_a_wrong_key_is_told_to_the_operator():
    key = other_key()
    refused(Generations(size=20, key=key).start(), "check certificate_id", pieces(key))


def test_a_wrong_certificate_is_told_to_the_operator():
    house = Generations(size=20, certificate_id="cert-18").start()
    refused(house, "check certificate_id", pieces(house.sandbox.vendor("treez")["settings_v3"]["private_key"]))


def test_a_text_that_is_no_key_is_told_without_it():
    refused(Generations(size=20, key="-----BEGIN NONSENSE-----\nc2VjcmV0IHdvcmRzIG9mIG5vIGtleQ==\n").start(),
            "private_key: is no PEM text", ["c2VjcmV0IHdvcmRz"])


def test_a_clock_that_is_off_is_told_as_that():
    for skew_s, words in ((90, "s behind that of Treez"), (-90, "s ahead of that of Treez")):
        house = Generations(size=20)
        house.sandbox.admin("POST", "clock", {"skew_s": skew_s})
        house.start()
        refused(house, words, pieces(house.sandbox.vendor("treez")["settings_v3"]["private_key"]))
        house.sandbox.admin("POST", "clock", {"skew_s": 0})
        tap.equal(check_store(house)["status"], "ok")
        house.stop()


def test_what_was_refused_once_is_signed_again():
    house = Generations(size=50).start()
    house.sandbox.fault("401_once", route="product_list")
    tap.equal(house.sync("products", full=True, store="uptown")["state"], "complete")
    asked = [entry for entry in house.sandbox.requests("treez") if "/product_list" in entry["path"] and "v3" in entry["path"]]
    tap.equal([entry["status"] for entry in asked[:2]], [401, 200])
    tap.true(claims_of(asked[0])["jti"] != claims_of(asked[1])["jti"], "the second try is signed anew")


def test_v3_needs_its_own_settings_and_not_those_of_v2():
    house = Generations(size=20)
    settings = house.sandbox.vendor("treez")["settings_v3"]
    house.write("conf.d/uptown.conf", f"""store: {{ id = "uptown"; timezone = "America/Los_Angeles"; currency = "USD";
        connectors: {{ pos: {{ plugin = "treez"; generation = "v3"; dispensary = "downtown-2"; certificate_id = "{settings['certificate_id']}"; }}; }}; }};""")
    found = subprocess.run([tap.built("tillbridge"), "--config", house.path("tillbridge.conf"), "check"], capture_output=True, check=False)
    said = (found.stdout + found.stderr).decode()
    tap.true(found.returncode != 0 and "organization_id is missing" in said and "private_key is missing" in said, said)
    tap.true("client_id" not in said and "api_key" not in said, said)


if __name__ == "__main__":
    tap.run(globals())

"""tillbridge products: filters become the API's parameters, one product is told for people."""
import json
import re
import unicodedata

import tap
from command import canned, ends, objects, of, page_of, run_on_terminal
from house import House

PLUM = {"id": "5b0c", "name": "Plum", "brand": "ORCHARD LANE", "category": "EDIBLE", "unit": "each", "tags": ["calm", "plum"],
        "net_weight": {"value": 100, "unit": "mg"},
        "prices": [{"label": "100 MG", "quantity": 1, "unit": "each", "amount": 3000, "currency": "USD", "customer_type": "any"},
                   {"quantity": 1, "unit": "each", "amount": 2700, "currency": "USD", "customer_type": "medical", "tax_included": True}],
        "potency": [{"analyte": "THC", "min": 98.5, "max": 101, "unit": "mg"}, {"analyte": "CBD", "max": 3, "unit": "%"}],
        "promotions": [{"id": "d-100", "name": "Monday gummies", "price": 2400, "currency": "USD"}],
        "images": [{"url": "https://img.example/1", "role": "primary"}], "visible": True, "quantity": 14,
        "attributes": {"treez.class": "I/S", "treez.\u001b[2J": "x"}, "updated_at": "2026-03-02T17:15:40.120Z",
        "overridden": {"name": "PLUM GUMMIES - 100 MG", "description": "Ten."}, "available": 12, "as_of": "2026-03-02T17:16:00.004Z"}


def asked(*words):
    """The path and parameters that the command asks for."""
    seen = []

    def answer(path, query):
        seen.append((path, query))
        return page_of([], query)
    ends(canned(answer)("products", "downtown", *words), 0)
    return seen[0]


def test_every_filter_is_a_parameter_of_the_api():
    path, query = asked("--q", "plum gummies", "--brand=A&B", "--category", "EDIBLE", "--sku", "1", "--barcode", "2", "--visible",
                        "--in-stock", "--updated-since", "2h", "--connector", "web", "--limit", "5")
    tap.equal(path, "/v1/stores/downtown/products")
    tap.equal(query, {"q": "plum gummies", "brand": "A&B", "category": "EDIBLE", "sku": "1", "barcode": "2", "visible": "true",
                      "in_stock": "true", "updated_since": "2h", "connector": "web", "limit": "5"})
    tap.equal(asked("--visible=no", "--in-stock=yes", "--q=yes")[1]["visible"], "false")
    tap.equal(asked("--in-stock=no", "--q=yes")[1], {"in_stock": "false", "q": "yes", "limit": "1000"})
    tap.equal(asked()[1], {"limit": "1000"})


def test_a_filter_that_makes_no_sense_is_wrong_usage():
    tillbridge = canned(lambda path, query: (200, b"{}"))
    for words, said in ((["downtown", "5b0c", "--in-stock"], "--in-stock narrows the list"), (["downtown", "--max-age", "30s"], "one product"),
                        (["downtown", "--visible=perhaps"], "expected yes or no"), (["downtown", "--limit", "0"], "--limit is 0"),
                        (["--in-stok", "downtown"], "did you mean --in-stock?")):
        tap.true(said in ends(tillbridge("products", *words), 2).err, words)


def test_a_table_tells_what_is_available():
    empty = {"id": "5b0d", "name": "Fig", "visible": False, "available": 0}
    rows = ends(canned(lambda path, query: page_of([json.dumps(PLUM), json.dumps(empty)], query))("products", "downtown"), 0).out.splitlines()
    tap.equal(re.split(r"  +", rows[0]), ["ID", "NAME", "BRAND", "CATEGORY", "PRICE", "AVAILABLE", "UNIT", "VISIBLE"])
    tap.equal(re.split(r"  +", rows[1]), ["5b0c", "Plum", "ORCHARD LANE", "EDIBLE", "30.00 USD +1", "12", "each", "yes"])
    tap.equal(re.split(r"  +", rows[2]), ["5b0d", "Fig", "-", "-", "-", "0", "-", "no"])


def test_one_product_is_told_with_what_the_vendor_says():
    seen = []

    def answer(path, query):
        seen.append((path, query))
        return 200, json.dumps(PLUM).encode()
    tillbridge = canned(answer)
    out = ends(tillbridge("products", "downtown", "5b/0c", "--max-age", "30s"), 0).out
    tap.equal(seen, [("/v1/stores/downtown/products/5b%2F0c", {"max_age": "30s"})])
    for line in ("name             Plum", " " * 17 + "overridden; the vendor says: PLUM GUMMIES - 100 MG", "description      (taken away) the vendor says: Ten.",
                 "prices           100 MG: 30.00 USD for 1 each", " " * 17 + "27.00 USD for 1 each, medical, tax included", "net_weight       100 mg",
                 "potency          THC 98.5 to 101 mg", " " * 17 + "CBD 3 %", "promotions       Monday gummies: 24.00 USD", "tags             calm, plum",
                 "images           https://img.example/1 (primary)", "visible          yes", "available        12", "attributes       treez.class = I/S"):
        tap.true(line in out.splitlines(), (line, out))
    tap.true(re.search(r"^as_of +2026-03-02 17:16:00 \(\d+ d ago\)$", out, re.M), out)
    tap.true("\033" not in out, repr(out))
    tap.equal(ends(tillbridge("products", "downtown", "5b0c", "--json"), 0).out, json.dumps(PLUM) + "\n")


def columns(line):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


def test_long_and_wide_names_fit_the_terminal():
    names = ["x" * 300, "紫色软糖" * 40, "Crème brûlée " * 20, "e\u0301" * 200, "👍" * 90]
    items = [json.dumps({"id": f"p{number}", "name": name, "brand": name}, ensure_ascii=number % 2 == 0) for number, name in enumerate(names)]
    path = canned(lambda path, query: page_of(items, query)).path
    for width in (60, 100):
        out = ends(run_on_terminal("--socket", path, "products", "downtown", "--color=never", width=width), 0).out.splitlines()
        tap.equal(len(out), len(items) + 1)
        tap.equal([line for line in out if columns(line) > width], [])
    whole = ends(canned(lambda path, query: page_of(items, query))("products", "downtown"), 0).out
    tap.true(all(name.rstrip() in whole for name in names), "a pipe gets all of it")


def test_a_real_catalogue_is_narrowed():
    house = House(size=120).start()
    tillbridge = of(house)
    ends(tillbridge("sync", "downtown/pos"), 0)
    products = house.all("/v1/stores/downtown/products")

    def found(*words):
        return objects(tillbridge("products", "downtown", "--json", *words))
    tap.equal(found("--updated-since", "3650d"), products)
    tap.equal(found("--in-stock"), [one for one in products if one["available"] > 0])
    tap.equal(found("--in-stock=no"), [one for one in products if one["available"] <= 0])
    tap.equal(found("--visible=no"), [one for one in products if not one["visible"]])
    tap.equal(found("--visible", "--in-stock", "--limit", "5"), [one for one in products if one["visible"] and one["available"] > 0][:5])
    ends(tillbridge("products", "downtown", products[3]["id"], "--max-age", "1d"), 0)
    one = ends(tillbridge("products", "downtown", products[3]["id"]), 0).out
    tap.true(f"id               {products[3]['id']}\n" in one and "\nas_of " in one, one)
    answer = tap.request("PUT", f"{house.api}/v1/stores/downtown/products/{products[3]['id']}/overrides", {"name": "Plum"})
    tap.equal(answer.status, 200)
    one = ends(tillbridge("products", "downtown", products[3]["id"]), 0).out
    tap.true(f"name             Plum\n{' ' * 17}overridden; the vendor says: {products[3]['name']}\n" in one, one)


def test_a_real_catalogue_is_searched():
    house = House(size=120).start()
    tillbridge = of(house)
    ends(tillbridge("sync", "downtown/pos"), 0)
    products = house.all("/v1/stores/downtown/products")
    some = next(one for one in products if one.get("brand") and one["available"] > 0)

    def found(*words):
        return objects(tillbridge("products", "downtown", "--json", *words))
    tap.equal(found("--brand", some["brand"]), [one for one in products if one.get("brand") == some["brand"]])
    tap.equal(found("--category", some["category"], "--in-stock"),
              [one for one in products if one["category"] == some["category"] and one["available"] > 0])
    tap.equal(found("--sku", some["sku"]), [one for one in products if one.get("sku") == some["sku"]])
    tap.equal(found("--barcode", some["barcode"], "--visible"), [one for one in products if one.get("barcode") == some["barcode"] and one["visible"]])
    tap.true(some in found("--q", some["name"].split()[0].lower()), "by a word")
    tap.equal(ends(tillbridge("products", "downtown", "--q", "nosuchword"), 0).out, "There are no such products.\n")


tap.run(globals())

"""Reading records: pages and their filters, what can be sold, tags, and one record asked for again."""
import http.client
import socket
import threading
import time
import urllib.parse

import house
import tap

STORE = "/v1/stores/downtown"
PRODUCTS = STORE + "/products"


def quoted(text):
    return urllib.parse.quote(text, safe="")


def served(size=200, streams=("products",), **options):
    """A house whose streams were read once."""
    one = house.House(size=size, **options).start()
    for stream in streams:
        tap.equal(one.sync(stream)["state"], "complete")
    return one


def head(one, path, **headers):
    return tap.request("GET", one.api + path, headers=headers)


def refused(answer, status, reason, field=None):
    tap.equal(answer.status, status, answer.body)
    problem = answer.json()
    tap.equal(problem.get("reason"), reason, answer.body)
    if field:
        tap.equal(problem["errors"][0]["field"], field)
    return problem


def pages(one, path, **query):
    """Each page, by `next`."""
    while True:
        page = one.json(path, **query)
        yield page
        if "next" not in page:
            return
        query["cursor"] = page["next"]


def items(one, path, **query):
    return [item for page in pages(one, path, **query) for item in page["items"]]


# ---- what can be sold ----

def test_available_is_the_sum_of_levels_once_inventory_was_read():
    one = served()
    before = {item["id"]: item for item in items(one, PRODUCTS)}
    tap.true(all(item.get("available") == item.get("quantity") for item in before.values()), "its own quantity until then")
    tap.equal(one.sync("inventory")["state"], "complete")
    sums = {}
    for level in items(one, STORE + "/inventory", limit=1000):
        sums[level["product_id"]] = sums.get(level["product_id"], 0) + level["quantity"]
    tap.true(any(total > 0 for total in sums.values()), "there is stock")
    after = items(one, PRODUCTS)
    tap.equal({item["id"]: item["available"] for item in after}, {ident: sums.get(ident, 0) for ident in before})
    single = one.json(f"{PRODUCTS}/{after[7]['id']}")
    tap.equal(single["available"], after[7]["available"])
    by_id = one.json(PRODUCTS + "?id=" + ",".join(item["id"] for item in after[:5]))
    tap.equal(by_id["items"], after[:5])
    for wish, holds in (("true", lambda n: n > 0), ("false", lambda n: n <= 0)):
        tap.equal(items(one, PRODUCTS, in_stock=wish, limit=7), [item for item in after if holds(item["available"])])


def test_a_level_that_changes_changes_what_its_product_shows():
    one = served(size=60, streams=("products", "inventory"))
    item = next(item for item in items(one, PRODUCTS) if item["available"] > 0)
    target = f"{PRODUCTS}/{item['id']}"
    tag, page = one.get(target).headers["ETag"], one.get(PRODUCTS).headers["ETag"]
    one.sandbox.admin("POST", "treez/delete", {"kind": "products", "ids": [item["id"]]})
    tap.equal(one.sync("inventory", timeout_s=90)["state"], "complete")
    tap.equal(one.json(target)["available"], 0)
    tap.true(one.get(target).headers["ETag"] != tag and one.get(PRODUCTS).headers["ETag"] != page, "other tags")


# ---- filters ----

def test_visible_ones_can_be_chosen():
    one = served(size=300)
    everything = items(one, PRODUCTS)
    hidden = [item for item in everything if item.get("visible") is False]
    tap.true(0 < len(hidden) < len(everything), f"{len(hidden)} are hidden")
    tap.equal(items(one, PRODUCTS, visible="false", limit=5), hidden)
    tap.equal(items(one, PRODUCTS, visible="true", limit=50), [item for item in everything if item not in hidden])


def test_words_and_exact_texts_choose_products():
    one = served(size=300)
    everything = items(one, PRODUCTS)
    some = next(item for item in everything if "brand" in item and "sku" in item)
    for field in ("category", "brand", "sku", "barcode"):
        expected = [item for item in everything if item.get(field) == some.get(field)]
        tap.equal(items(one, PRODUCTS, limit=3, **{field: some[field]}), expected, field)
        tap.equal(items(one, PRODUCTS, **{field: some[field] + "x"}), [], field)
    both = items(one, PRODUCTS, brand=some["brand"], category=some["category"])
    tap.equal(both, [item for item in everything if (item.get("brand"), item.get("category")) == (some["brand"], some["category"])])
    word = some["brand"].split()[0]
    found = items(one, PRODUCTS, q=word.lower()[:4])
    tap.true(some in found, "by the beginning of a word of its brand")
    tap.equal(items(one, PRODUCTS, q=some["sku"]), [item for item in everything if some["sku"] in (item.get("sku"), item.get("barcode"))])
    tap.equal(items(one, PRODUCTS, q="nobodyhasthis"), [])
    two = (some["id"], everything[-1]["id"])
    chosen = one.json(f"{PRODUCTS}?q={quoted(word)}&brand={quoted(some['brand'])}&id={','.join(two)}")
    tap.equal(chosen["items"], [item for item in everything if item["id"] in two and item.get("brand") == some["brand"]])


def test_words_find_what_has_just_changed():
    one = served(size=60)
    tap.equal(items(one, PRODUCTS, q="zzyzx"), [])
    some = items(one, PRODUCTS, limit=60)[10]
    one.sandbox.admin("POST", "treez/change", {"kind": "products", "id": some["id"], "field": "product_configurable_fields.name", "value": "ZZYZX road"})
    one.json(f"{PRODUCTS}/{some['id']}", max_age="0s")
    found = items(one, PRODUCTS, q="zzyzx")
    tap.true(not found or found[0]["id"] == some["id"], found)
    tap.equal(len(items(one, PRODUCTS, q="zzyzx road")), len(found))


def test_levels_promotions_and_customers_can_be_narrowed():
    one = served(size=300, streams=("products", "inventory", "customers"))
    levels = items(one, STORE + "/inventory", limit=1000)
    where = next(level["location_id"] for level in levels if "location_id" in level)
    tap.equal(items(one, STORE + "/inventory", location_id=where, limit=40), [one_ for one_ in levels if one_.get("location_id") == where])
    tap.equal(items(one, STORE + "/inventory", location_id="nowhere"), [])
    promotions = items(one, STORE + "/promotions")
    product = next(item for item in items(one, PRODUCTS) if "promotions" in item)
    tap.equal([promo["id"] for promo in items(one, STORE + "/promotions", product_id=product["id"])],
              [promo["id"] for promo in promotions if promo["id"] in [its["id"] for its in product["promotions"]]])
    tap.equal(items(one, STORE + "/promotions", product_id="nobody"), [])
    yes, no = items(one, STORE + "/promotions", active="true"), items(one, STORE + "/promotions", active="false")
    tap.equal(sorted(promo["id"] for promo in yes + no), sorted(promo["id"] for promo in promotions))
    now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    tap.true(all(promo.get("active", promo.get("starts_at", "") <= now) for promo in yes), yes)


def test_customers_are_found_by_phone_email_and_words():
    one = served(size=60, streams=("customers",))
    customers = items(one, STORE + "/customers", limit=1000)
    some = next(item for item in customers if "phone" in item and "email" in item)
    expected = [item for item in customers if item.get("phone") == some["phone"]]
    tap.equal(items(one, STORE + "/customers", phone=some["phone"]), expected)
    bare = one.get(STORE + "/customers?phone=" + some["phone"])  # with a + that nobody escaped
    tap.equal(bare.json()["items"], expected)
    tap.equal(bare.headers["Cache-Control"], "private, no-cache")
    tap.equal(items(one, STORE + "/customers", email=some["email"]), [item for item in customers if item.get("email") == some["email"]])
    tap.true(some in items(one, STORE + "/customers", q=some["last_name"].lower()), "by name")


def test_wrong_filters_are_refused_with_what_is_right():
    one = served(size=20)
    for query, reason, field in (("visible=yes", "not_a_boolean", "visible"), ("in_stock=1", "not_a_boolean", "in_stock"),
                                 ("q=%20-", "no_words", "q"), ("updated_since=soon", "not_a_time", "updated_since"),
                                 ("connector=nope", "unknown_connector", "connector"), ("brnd=x", "unknown_parameter", "brnd")):
        refused(one.get(PRODUCTS + "?" + query), 400, reason, field)
    refused(one.get(STORE + "/customers?phone=555"), 400, "not_a_phone", "phone")
    problem = refused(one.get(STORE + "/inventory?locaton_id=a"), 400, "unknown_parameter", "locaton_id")
    tap.true('"location_id"' in problem["detail"], problem["detail"])
    refused(one.get(PRODUCTS + "/x?max_age=soon"), 400, "not_a_duration", "max_age")


def test_a_cursor_goes_on_with_its_own_filters_and_over_a_restart():
    one = served(size=200)
    page = one.json(PRODUCTS, visible="true", limit=10)
    for query in ({"visible": "false"}, {}, {"visible": "true", "category": "FLOWER"}):
        refused(one.get(PRODUCTS, cursor=page["next"], **query), 400, "bad_cursor", "cursor")
    refused(one.get(STORE + "/promotions", cursor=page["next"]), 400, "bad_cursor", "cursor")
    rest = items(one, PRODUCTS, visible="true", cursor=page["next"], limit=77)
    one.stop()
    one.start()
    tap.equal(items(one, PRODUCTS, visible="true", cursor=page["next"], limit=33), rest)
    tap.equal(page["items"] + rest, items(one, PRODUCTS, visible="true"))


def test_an_age_is_looked_at_anew_each_time():
    one = served(size=40, streams=("inventory",))  # whose levels say no time of their own
    tap.true(items(one, STORE + "/inventory", updated_since="1m"), "they have just come")
    tap.wait_until(lambda: not items(one, STORE + "/inventory", updated_since="1s"), "a second later none has")


# ---- tags ----

def test_a_tag_that_stands_is_answered_with_304():
    one = served(size=120, streams=("products", "inventory"))
    for path in (PRODUCTS, PRODUCTS + "?limit=7", PRODUCTS + "?visible=true", STORE + "/inventory",
                 STORE + "/promotions", PRODUCTS + "/" + items(one, PRODUCTS, limit=1)[0]["id"], "/v1/plugins/treez", "/v1/passes"):
        first = one.get(path)
        tag = first.headers["ETag"]
        tap.true(tag and tag.startswith('"') and "no-cache" in first.headers["Cache-Control"], f"{path}: {first.headers}")
        for theirs in (tag, "W/" + tag, f'"x", {tag}', "*"):
            for _ in range(2):  # read, and ready
                again = head(one, path, **{"If-None-Match": theirs})
                tap.equal((again.status, again.body, again.headers["ETag"]), (304, b"", tag), f"{path} {theirs}")
        tap.equal(head(one, path, **{"If-None-Match": '"x"'}).status, 200)
        heads = tap.request("HEAD", one.api + path)
        tap.equal((heads.status, heads.headers["ETag"], heads.headers["Content-Length"]), (200, tag, str(len(first.body))), path)
        tap.equal(tap.request("HEAD", one.api + path, headers={"If-None-Match": tag}).status, 304)
    refused(head(one, PRODUCTS + "/nobody", **{"If-None-Match": "*"}), 404, "no_record")


def test_nothing_stands_behind_the_head_of_a_304():
    one = served(size=20)
    tag = one.get(PRODUCTS).headers["ETag"]
    with socket.create_connection(one.api.removeprefix("http://").split(":"), tap.PATIENCE_S) as line:
        head_of = f"GET {PRODUCTS} HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: {tag}\r\n"
        line.sendall((head_of + "\r\n" + head_of + "Connection: close\r\n\r\n").encode())
        data = b""
        while chunk := line.recv(65536):
            data += chunk
    parts = data.split(b"\r\n\r\n")
    tap.equal([part[:12] for part in parts], [b"HTTP/1.1 304", b"HTTP/1.1 304", b""])
    whole = len(one.get(PRODUCTS).body)
    tap.true(f"Content-Length: {whole}".encode() in parts[0] or b"Content-Length" not in parts[0], parts[0])


def test_a_tag_moves_with_what_is_served_and_not_with_its_age():
    one = served(size=120)
    first = one.get(PRODUCTS)
    single = PRODUCTS + "/" + first.json()["items"][0]["id"]
    tag, single_tag, as_of = first.headers["ETag"], one.get(single).headers["ETag"], first.json()["as_of"]
    one.sync("products", full=True, timeout_s=90)
    later = one.get(PRODUCTS)
    tap.equal((later.headers["ETag"], one.get(single).headers["ETag"]), (tag, single_tag))
    tap.true(later.json()["as_of"] > as_of, "it is newer all the same")
    tap.equal({**later.json(), "as_of": None}, {**first.json(), "as_of": None})
    one.stop()
    one.start()
    tap.equal(head(one, PRODUCTS, **{"If-None-Match": tag}).status, 304)
    one.sandbox.admin("POST", "treez/change", {"kind": "products", "id": first.json()["items"][0]["id"], "field": "price", "value": 1.25})
    one.json(single, max_age="0s")
    tap.true(one.get(PRODUCTS).headers["ETag"] != tag and one.get(single).headers["ETag"] != single_tag, "other tags")


def test_a_foreign_page_may_read_the_tag():
    one = served(size=20, host='origins = [ "https://menu.example" ];')
    for _ in range(2):
        answer = head(one, PRODUCTS, Origin="https://menu.example")
        tap.equal(answer.headers["Access-Control-Allow-Origin"], "https://menu.example")
        tap.true("ETag" in answer.headers["Access-Control-Expose-Headers"], answer.headers)
    tap.equal(head(one, PRODUCTS, Origin="https://other.example").status, 403)
    tap.equal(head(one, PRODUCTS, Host="evil.example").status, 403)


# ---- pages that are ready ----

def test_many_who_ask_at_once_get_the_same_page():
    one = served(size=400)
    answers = []

    def ask():
        connection = http.client.HTTPConnection(one.api.removeprefix("http://"), timeout=tap.PATIENCE_S)
        for _ in range(20):
            connection.request("GET", PRODUCTS + "?limit=100")
            answers.append(connection.getresponse().read())
        connection.close()
    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(tap.PATIENCE_S)
    tap.equal(len(answers), 320)
    tap.equal(len(set(answers)), 1)


def test_what_the_feed_tells_the_list_shows():
    one = served(size=300)
    _, since = one.follow()
    one.json(PRODUCTS, limit=1000)
    one.sandbox.admin("POST", "treez/change", {"kind": "products", "percent": 40, "field": "price"})
    answer = one.post("/v1/connectors/downtown/pos/sync", {"stream": "products", "full": True})
    told, ended = {}, False
    while not ended:
        ended = one.json("/v1/passes/" + answer.json()["passes"][0]["id"])["state"] == "complete"
        changes, since = one.follow(since)
        told.update({change["id"]: change["record"] for change in changes if change["kind"] == "products"})
        if changes:
            shown = {item["id"]: item for item in items(one, PRODUCTS, limit=1000)}
            for ident, record in told.items():
                tap.equal(shown[ident]["prices"], record["prices"], "no older than the feed")
    tap.true(len(told) > 50, f"{len(told)} changed")


def test_pages_of_large_records_have_fewer_of_them():
    one = house.House(size=110).start()
    one.sandbox.admin("POST", "treez/change", {"kind": "products", "percent": 100, "field": "e_commerce.product_description", "value": "x" * 60000})
    tap.equal(one.sync("products")["state"], "complete")
    before = items(one, PRODUCTS)
    ids = ",".join(item["id"] for item in before)
    for path, most in ((f"{PRODUCTS}?limit=1000&id={ids}", 4 << 20), ("/v1/changes?limit=1000&kinds=products", 1 << 20)):
        told = []
        while path:
            answer = one.get(path)
            tap.true(len(answer.body) < most + 70000, f"{path[:30]}: {len(answer.body)} bytes")
            told += [item["id"] for item in answer.json()["items"]]
            path = answer.headers["Link"] and answer.headers["Link"][1:].partition(">")[0]
        tap.equal(told, [item["id"] for item in before], "each once")


# ---- one record, asked for again ----

def change_price(one, ident, price):
    one.sandbox.admin("POST", "treez/change", {"kind": "products", "id": ident, "field": "price", "value": price})


def fetches(one, ident):
    return [ask for ask in one.sandbox.requests("treez") if ask["path"].endswith("/product/" + ident)]


def priced(one):
    """A product with one price."""
    return next(item for item in items(one, PRODUCTS) if len(item.get("prices", ())) == 1)


def test_a_record_that_is_too_old_is_fetched():
    one = served(size=60)
    item = priced(one)
    target = f"{PRODUCTS}/{item['id']}"
    _, since = one.follow()
    change_price(one, item["id"], 77.25)
    tap.equal(one.json(target, max_age="1d")["prices"], item["prices"])
    tap.equal(fetches(one, item["id"]), [])
    fresh = one.json(target, max_age="0s")
    tap.equal(fresh["prices"][0]["amount"], 7725)
    tap.equal(len(fetches(one, item["id"])), 1)
    tap.true(fresh["as_of"] > one.json(PRODUCTS)["as_of"], "newer than the list as a whole")
    changes, _ = one.follow(since)
    tap.equal([(change["id"], change["source"], change["record"]["prices"][0]["amount"]) for change in changes], [(item["id"], "fetch", 7725)])
    tap.equal(next(now for now in items(one, PRODUCTS) if now["id"] == item["id"])["prices"][0]["amount"], 7725)
    again = one.json(target, max_age="1m")
    tap.equal((again["as_of"], len(fetches(one, item["id"]))), (fresh["as_of"], 1))
    newer = one.json(target, max_age="0s")
    tap.true(newer["as_of"] > fresh["as_of"], "unchanged, and newer")
    tap.equal(one.follow(changes[-1]["seq"])[0], [])


def test_what_the_vendor_deleted_is_gone_at_once():
    one = served(size=60)
    ident = priced(one)["id"]
    _, since = one.follow()
    one.sandbox.admin("POST", "treez/delete", {"kind": "products", "ids": [ident]})
    tap.equal(one.get(f"{PRODUCTS}/{ident}").status, 200)
    answer = one.get(f"{PRODUCTS}/{ident}", max_age="0s")
    if answer.status == 200:  # Treez keeps what is deleted, as deactivated: not on any menu
        tap.equal(answer.json()["visible"], False)
        return
    refused(answer, 404, "no_record")
    changes, _ = one.follow(since)
    tap.equal([(change["op"], change["id"], change["source"]) for change in changes], [("delete", ident, "fetch")])
    tap.true(ident not in [item["id"] for item in items(one, PRODUCTS)], "the list lacks it")


def test_an_id_that_is_new_at_the_vendor_is_found():
    one = served(size=60)
    known = {item["id"] for item in items(one, PRODUCTS)}
    one.sandbox.admin("POST", "treez/add", {"kind": "products", "count": 1})
    new = next(item["product_id"] for item in one.theirs("products") if item["product_id"] not in known)
    tap.equal(one.get(f"{PRODUCTS}/{new}").status, 404)
    tap.equal(one.json(f"{PRODUCTS}/{new}", max_age="0s")["id"], new)
    refused(one.get(f"{PRODUCTS}/never-there", max_age="0s"), 404, "no_record")


def test_a_hundred_who_ask_at_once_are_one_request_to_the_vendor():
    one = served(size=60)
    ident = priced(one)["id"]
    change_price(one, ident, 3.5)
    one.sandbox.fault("slow", route="product", ms=2000)
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(one.json(f"{PRODUCTS}/{ident}", max_age="0s"))) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(tap.PATIENCE_S)
    tap.equal([answer["prices"][0]["amount"] for answer in answers], [350] * 100)
    tap.equal(len(fetches(one, ident)), 1)


def test_a_vendor_that_stalls_or_fails_leaves_ours():
    one = served(size=60)
    item = priced(one)
    target = f"{PRODUCTS}/{item['id']}"
    change_price(one, item["id"], 9.75)
    one.sandbox.fault("stall", vendor="treez")
    started = time.monotonic()
    stale = one.json(target, max_age="0s")
    took = time.monotonic() - started
    tap.true(stale["prices"] == item["prices"] and took < 15, f"ours, after {took:.1f} s")
    started = time.monotonic()
    one.json(target, max_age="0s")
    tap.true(time.monotonic() - started < 3, "the next one is not kept waiting")
    one.sandbox.admin("DELETE", "faults")
    tap.wait_until(lambda: one.json(target, max_age="0s")["prices"][0]["amount"] == 975, "asked again after a while", 40)


def test_customers_are_fetched_too():
    one = served(size=60, streams=("customers",))
    customer = items(one, STORE + "/customers")[0]
    fresh = one.json(f"{STORE}/customers/{customer['id']}", max_age="0s")
    as_of = fresh.pop("as_of")
    tap.equal(fresh, customer)
    tap.true(as_of > one.json(STORE + "/customers")["as_of"], "newer")


def test_where_nobody_can_ask_ours_is_answered():
    one = served(size=60)
    item = priced(one)
    one.drop_in("downtown", "treez", 'sync = "off"; enabled = false;')
    tap.equal(one.post("/v1/reload").status, 200)
    tap.equal(one.json(f"{PRODUCTS}/{item['id']}", max_age="0s")["prices"], item["prices"])


tap.run(globals())

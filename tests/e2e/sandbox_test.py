"""The sandbox from outside: what imitated vendors answer, how they fail, and what the admin API tells and does."""
import base64
import json
import os
import shutil
import socket
import subprocess
import threading
import time
import urllib.parse
import zlib

import tap


def store(sandbox, dispensary="downtown"):
    return sandbox.vendor("treez")["url"] + "/v2.0/dispensary/" + dispensary


def token_answer(sandbox, dispensary="downtown", **changed):
    settings = sandbox.vendor("treez")["settings"]
    form = {"client_id": settings["client_id"], "apikey": settings["api_key"], **changed}
    return tap.request("POST", store(sandbox, dispensary) + "/config/api/gettokens", urllib.parse.urlencode(form),
                       {"Content-Type": "application/x-www-form-urlencoded"})


def headers(sandbox):
    token = token_answer(sandbox).json()["access_token"]
    return {"authorization": token, "client_id": sandbox.vendor("treez")["settings"]["client_id"]}


def page(sandbox, query="", path="/product/product_list", proof=None):
    return tap.request("GET", store(sandbox) + path + "?" + query, headers=proof or headers(sandbox))


def rows(answer):
    return answer.json()["data"]["product_list"]


def start(*arguments):
    return tap.start_sandbox("--rate", "0", *arguments, "treez")


def raw(sandbox, proof, query="", patience_s=5):
    """What a bare socket sees: the bytes until the end, and how it ended (closed, reset, or still open)."""
    url = urllib.parse.urlsplit(store(sandbox))
    lines = [f"GET {url.path}/product/product_list?{query} HTTP/1.1", "Host: sandbox"]
    lines += [f"{name}: {value}" for name, value in proof.items()]
    with socket.create_connection((url.hostname, url.port), timeout=patience_s) as line:
        line.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        got = b""
        try:
            while True:
                piece = line.recv(1 << 16)
                if not piece:
                    return got, "closed"
                got += piece
        except ConnectionResetError:
            return got, "reset"
        except TimeoutError:
            return got, "open"


# Treez

def test_a_token_is_given_for_the_right_key_and_another_one_each_time():
    sandbox = start("--size", "3")
    one, two = token_answer(sandbox), token_answer(sandbox)
    tap.equal((one.status, one.json()["resultCode"], one.json()["expires_in"]), (200, "SUCCESS", "7200"))
    tap.true(one.json()["expires_at"][-5:] in ("-0700", "-0800"), "expires_at has an offset without a colon")
    tap.true(one.json()["access_token"] != two.json()["access_token"], "two calls, two tokens")
    proof = {"client_id": sandbox.vendor("treez")["settings"]["client_id"]}
    for answer in (one, two):
        tap.equal(page(sandbox, proof={**proof, "authorization": answer.json()["access_token"]}).status, 200)
        tap.equal(page(sandbox, proof={**proof, "authorization": "Bearer " + answer.json()["access_token"]}).status, 200)


def test_a_wrong_key_and_a_wrong_token_are_refused_as_treez_does():
    sandbox = start("--size", "3")
    for changed in ({"apikey": "wrong"}, {"client_id": "wrong"}):
        answer = token_answer(sandbox, **changed)
        tap.equal((answer.status, answer.json()["resultCode"]), (401, "FAIL"))
    good = headers(sandbox)
    for proof in ({**good, "authorization": "wrong"}, {**good, "client_id": "wrong"}, {"client_id": good["client_id"]}):
        answer = page(sandbox, proof=proof)
        tap.equal((answer.status, answer.json()["resultReason"]),
                  (401, "Full authentication is required to access this resource"))


def test_a_token_is_good_for_its_own_store_alone():
    sandbox = start("--size", "3")
    token_answer(sandbox, "downtown-2")
    answer = tap.request("GET", store(sandbox, "downtown-2") + "/location/list", headers=headers(sandbox))
    tap.equal(answer.status, 401)


def test_a_token_ends_when_the_clock_says_so():
    sandbox = start("--size", "3")
    proof = headers(sandbox)
    sandbox.admin("POST", "clock", {"skew_s": 7190})
    tap.equal(page(sandbox, proof=proof).status, 200)
    sandbox.admin("POST", "clock", {"skew_s": 7201})
    tap.equal(page(sandbox, proof=proof).status, 401)


def test_pages_hold_each_product_once_sorted_by_name():
    sandbox = start("--size", "250")
    proof, seen, number = headers(sandbox), [], 1
    while True:
        answer = page(sandbox, f"active=ALL&pagesize=100&page={number}", proof=proof)
        tap.equal(answer.json()["data"]["page_count"], len(rows(answer)))
        tap.equal(answer.json()["data"]["total_count"], 250)
        if not rows(answer):
            break
        seen += rows(answer)
        number += 1
    tap.equal(number, 4, "an empty page comes after the last")
    names = [(row["product_configurable_fields"]["name"], row["product_id"]) for row in seen]
    tap.equal(names, sorted(names))
    tap.equal(len({row["product_id"] for row in seen}), 250)


def test_the_data_is_the_same_for_the_same_seed_and_odd_in_the_vendors_ways():
    one, two, other = start("--size", "1000"), start("--size", "1000"), start("--size", "1000", "--seed", "2")
    bodies = [page(sandbox, "active=ALL").body for sandbox in (one, two, other)]
    tap.true(bodies[0] == bodies[1], "the same seed, the same bytes")
    tap.true(bodies[0] != bodies[2], "another seed, other bytes")
    found = json.loads(bodies[0])["data"]["product_list"]
    tap.true(1300 < len(bodies[0]) / len(found) < 2200, f"a product has about 1.6 kB: {len(bodies[0]) / len(found)}")
    names = [row["product_configurable_fields"]["name"] for row in found]
    for oddity in ("|", "#", "  "):
        tap.true(any(oddity in name for name in names), f"a name holds {oddity!r}")
    tap.true(any(row["product_configurable_fields"]["brand"] is None for row in found), "a brand is null")
    tap.true(any(row["sellable_quantity_detail"] == [] for row in found), "a stock is []")
    tap.true(any(row["pricing"]["price_type"] == "TIER" for row in found), "a price is in tiers")
    tap.true(any(row["discounts"] for row in found), "a product has discounts")
    tap.true(any(row["merged_from_product_ids"] for row in found), "a product was merged")
    tap.true(all(isinstance(row["lab_results"][0]["amount"]["minimum_value"], str) for row in found), "a number is text")


def test_active_chooses_by_status():
    sandbox = start("--size", "500")
    proof = headers(sandbox)
    statuses = {active: {row["product_status"] for row in rows(page(sandbox, query, proof=proof))}
                for active, query in (("", ""), ("FALSE", "active=FALSE"), ("ALL", "active=ALL"))}
    tap.equal(statuses, {"": {"ACTIVE"}, "FALSE": {"DEACTIVATED"}, "ALL": {"ACTIVE", "DEACTIVATED"}})
    tap.equal(page(sandbox, "active=maybe", proof=proof).json()["resultReason"], "INVALID_ACTIVE_PARAMETER")


def test_discounts_can_be_left_out_and_products_asked_by_id():
    sandbox = start("--size", "200")
    proof = headers(sandbox)
    tap.true(all(row["discounts"] is None for row in rows(page(sandbox, "include_discounts=false", proof=proof))), "none")
    wanted = [row["product_id"] for row in rows(page(sandbox, "pagesize=3", proof=proof))]
    found = rows(page(sandbox, "id=" + ",".join(wanted + ["no-such-id"]), proof=proof))
    tap.equal([row["product_id"] for row in found], wanted)


def test_wrong_parameters_are_refused():
    sandbox = start("--size", "3")
    proof = headers(sandbox)
    for query, reason in (("page=0", "INCORRECT_VALUE"), ("page=x", "INCORRECT_VALUE"),
                          ("pagesize=1001", "RESPONSE_LIMIT_EXCEEDS"), ("category_type=EDIBLE", "INCORRECT_VALUE")):
        answer = page(sandbox, query, proof=proof)
        tap.equal((answer.status, answer.json()["resultReason"]), (400, reason), query)


def test_changes_are_listed_for_details_and_never_for_stock():
    sandbox = start("--size", "50")
    proof, ids = headers(sandbox), sandbox.admin("GET", "treez/products?ids_only=true")["items"]
    after = time.strftime("/product/product_list/lastUpdated/after/%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - 60))
    tap.equal(rows(page(sandbox, "active=ALL", after, proof)), [])
    sandbox.admin("POST", "treez/change", {"id": ids[0], "field": "quantity"})
    tap.equal(rows(page(sandbox, "active=ALL", after, proof)), [])
    sandbox.admin("POST", "treez/change", {"id": ids[1], "field": "price"})
    tap.equal([row["product_id"] for row in rows(page(sandbox, "active=ALL", after, proof))], [ids[1]])


def test_a_moment_must_be_spelled_as_the_vendor_wants_it():
    sandbox = start("--size", "3")
    proof, path = headers(sandbox), "/product/product_list/lastUpdated/after/"
    for good in ("2026-07-14T10:55:58.000-07:00", "2026-07-14T10:55:58.000%2B02:00", "2026-07-14T10%3A55%3A58.000Z"):
        tap.equal(page(sandbox, "", path + good, proof).status, 200, good)
    for bad in ("2026-07-14", "2026-07-14T10:55:58-07:00", "2026-07-14T10:55:58.000-0700", "2026-07-14T10:55:58.000+02:00"):
        answer = page(sandbox, "", path + bad, proof)
        tap.equal((answer.status, answer.json()["resultReason"]), (400, "INVALID_DATE_FORMAT"), bad)


def test_one_product_and_one_customer_can_be_fetched():
    sandbox = start("--size", "5")
    proof, ids = headers(sandbox), sandbox.admin("GET", "treez/products?ids_only=true")["items"]
    tap.equal(page(sandbox, "", "/product/" + ids[2], proof).json()["data"]["product_id"], ids[2])
    tap.equal(page(sandbox, "", "/customer/3", proof).json()["data"]["customer_id"], "3")
    answer = page(sandbox, "", "/product/5b0c1f4e-0000", proof)
    tap.equal((answer.status, answer.json()["resultReason"]), (400, "PRODUCT_NOT_FOUND"))
    answer = page(sandbox, "", "/customer/99", proof)
    tap.equal((answer.status, answer.json()["resultReason"]), (404, "CUSTOMER_DOESNT_EXIST"))


def test_customers_come_in_pages_of_at_most_fifty():
    sandbox = start("--size", "60")
    proof, path = headers(sandbox), "/customer/lastUpdated/after/2000-01-01T00:00:00.000-08:00/page/{}/pagesize/{}"
    tap.equal([len(page(sandbox, "", path.format(number, 50), proof).json()["data"]) for number in (1, 2, 3)], [50, 10, 0])
    answer = page(sandbox, "", path.format(1, 51), proof)
    tap.equal((answer.status, answer.json()["resultReason"]), (400, "RESPONSE_LIMIT_EXCEEDS"))


def test_more_than_ten_calls_a_second_are_over_the_limit():
    sandbox = tap.start_sandbox("--size", "3", "treez")
    proof = headers(sandbox)
    answers = [page(sandbox, proof=proof) for _ in range(30)]
    over = [answer for answer in answers if answer.status == 429]
    tap.true(over, "30 calls at once meet the limit")
    tap.equal((over[0].body, over[0].headers["Content-Type"], over[0].headers["Retry-After"]),
              (b"OVER LIMIT", "text/plain", None))
    tap.true(sum(answer.status == 200 for answer in answers) >= 10, "the first ten are let through")
    sandbox.admin("POST", "treez/options", {"rate": 0})
    tap.equal({page(sandbox, proof=proof).status for _ in range(30)}, {200})


def base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def signed(sandbox, url, head="", key=None, **changed):
    """A v3 request's Authorization for a URL; head: a part before the claims, as a JWT has."""
    if not shutil.which("openssl"):
        tap.skip("there is no openssl to sign with")
    settings, now = sandbox.vendor("treez")["settings_v3"], int(time.time() * 1000)
    claims = {"aud": url, "iss": settings["certificate_id"], "oid": settings["organization_id"], "iat": now, "exp": now + 30000, "jti": "1", **changed}
    said = head + base64url(json.dumps(claims).encode())
    path = os.path.join(tap.folder(), "key.pem")
    with open(path, "w", encoding="ascii") as file:
        file.write(key or settings["private_key"])
    proof = subprocess.run(["openssl", "dgst", "-sha256", "-sign", path], input=said.encode(), capture_output=True, check=True).stdout
    return {"Authorization": f"{said}.{base64.b64encode(proof).decode()}"}


def test_v3_takes_a_signature_of_two_parts_for_the_url_that_is_called():
    sandbox = start("--size", "3")
    url = sandbox.vendor("treez")["url"] + "/dispensary/v3/downtown/product/product_list?page=1&active=ALL"
    now = int(time.time() * 1000)

    def status(**changed):
        return tap.request("GET", url, headers=signed(sandbox, **{"url": url, **changed})).status
    tap.equal(status(), 200)
    tap.equal(status(head=base64url(b'{"alg":"RS256"}') + "."), 401, "a JWT of three parts")
    tap.equal(status(url=url.split("?")[0]), 401, "without its query")
    tap.equal(status(iss="cert-18"), 401, "another certificate")
    tap.equal(status(oid="other"), 401, "another organization")
    tap.equal(status(iat=now - 60000, exp=now - 30000), 401, "one that is over")
    tap.equal(status(iat=now + 20000, exp=now + 50000), 401, "one that is to come")
    tap.equal(status(iat=now, exp=now + 60000), 400, "one that lasts too long")
    tap.equal(tap.request("GET", url).status, 401, "none")
    proof = signed(sandbox, url)["Authorization"]
    said = proof.split(".")[0]
    other = base64url(base64.urlsafe_b64decode(said + "=" * (-len(said) % 4)).replace(b"cert-17", b"cert-71"))
    tap.equal(tap.request("GET", url, headers={"Authorization": proof.replace(said, other)}).status, 401, "claims that were changed")
    sandbox.admin("POST", "clock", {"skew_s": 31})
    tap.equal(tap.request("GET", url, headers={"Authorization": proof}).status, 401, "after 30 s")


def test_v3_lists_stock_and_what_changed_in_it():
    sandbox = start("--size", "40")
    base = sandbox.vendor("treez")["url"] + "/dispensary/v3/downtown/stock/getStock"
    after = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - 60))

    def stock(query):
        url = f"{base}?{query}"
        return tap.request("GET", url, headers=signed(sandbox, url)).json()["data"]
    whole = stock("page=1&page_size=25")
    tap.equal((whole["page_elements"], len(whole["stock"]), whole["total_elements"] > 25), (25, 25, True))
    tap.true(all("location_id" not in place for row in whole["stock"] for place in row["inventory_details"]), "places have names alone")
    tap.equal(stock("last_update_date=" + after)["stock"], [])
    changed = whole["stock"][3]["product_id"]
    sandbox.admin("POST", "treez/change", {"id": changed, "field": "quantity"})
    tap.equal([row["product_id"] for row in stock("last_update_date=" + after)["stock"]], [changed])


def test_bodies_are_marked_and_packed_when_that_is_asked():
    sandbox = start("--size", "50")
    proof = headers(sandbox)
    plain = page(sandbox, "active=ALL", proof=proof)
    tap.equal((plain.headers["ETag"], plain.headers["Content-Encoding"]), (None, None))
    sandbox.admin("POST", "options", {"etags": True, "gzip": True})
    marked = page(sandbox, "active=ALL", proof=proof)
    tap.true(marked.headers["ETag"].startswith('"') and marked.body == plain.body, "a mark, and nothing packed for who does not take it")
    packed = page(sandbox, "active=ALL", proof={**proof, "Accept-Encoding": "gzip"})
    tap.equal((packed.headers["Content-Encoding"], zlib.decompress(packed.body, 31) == plain.body), ("gzip", True))
    last = sandbox.admin("GET", "requests")["last"]
    known = page(sandbox, "active=ALL", proof={**proof, "If-None-Match": marked.headers["ETag"]})
    tap.equal((known.status, known.body, known.headers["ETag"]), (304, b"", marked.headers["ETag"]))
    tap.equal([(entry["status"], entry["bytes"]) for entry in sandbox.requests(after=last)], [(304, 0)])
    sandbox.admin("POST", "treez/change", {"kind": "products", "count": 1, "field": "price"})
    tap.equal(page(sandbox, "active=ALL", proof={**proof, "If-None-Match": marked.headers["ETag"]}).status, 200)


# Millrace

def test_millrace_lists_and_fetches_for_a_bearer_token():
    sandbox = tap.start_sandbox("--size", "60", "millrace")
    settings, base = sandbox.vendor("millrace")["settings"], sandbox.vendor("millrace")["url"] + "/v1/corner"
    tap.equal(tap.request("GET", base + "/products").status, 401)
    token = tap.request("POST", base + "/token", "key=" + settings["api_key"]).json()["token"]
    proof = {"Authorization": "Bearer " + token}
    counts = [len(tap.request("GET", f"{base}/products?page={number}", headers=proof).json()["data"]["products"])
              for number in (1, 2, 3)]
    tap.equal(counts, [50, 10, 0])
    tap.equal(tap.request("GET", base + "/products/7", headers=proof).json()["data"]["id"], "7")


# The admin API

def test_a_change_by_percent_changes_exactly_so_many_and_each_value():
    sandbox = start("--size", "400")
    before = {row["product_id"]: row["pricing"] for row in sandbox.admin("GET", "treez/products")["items"]}
    answer = sandbox.admin("POST", "treez/change", {"kind": "products", "percent": 5, "field": "price"})
    after = {row["product_id"]: row["pricing"] for row in sandbox.admin("GET", "treez/products")["items"]}
    tap.equal((answer["count"], len(answer["ids"])), (20, 20))
    tap.equal({key for key in before if before[key] != after[key]}, set(answer["ids"]))


def test_a_change_shows_in_a_page_that_was_served_before():
    sandbox = start("--size", "100")
    proof = headers(sandbox)
    first = page(sandbox, "active=ALL", proof=proof)
    tap.equal(page(sandbox, "active=ALL", proof=proof).body, first.body)
    product = next(row["product_id"] for row in rows(first) if row["pricing"]["price_type"] == "FLAT")
    sandbox.admin("POST", "treez/change", {"id": product, "field": "price", "value": 41.5})
    found = {row["product_id"]: row for row in rows(page(sandbox, "active=ALL", proof=proof))}
    tap.equal(found[product]["pricing"]["price_sell"], 41.5)
    sandbox.admin("POST", "treez/change", {"id": product, "field": "pricing.price_sell", "value": "abc"})
    sandbox.admin("POST", "treez/change", {"id": product, "field": "name", "value": None})
    found = {row["product_id"]: row for row in rows(page(sandbox, "active=ALL", proof=proof))}
    tap.equal(found[product]["pricing"]["price_sell"], "abc")
    tap.equal(found[product]["product_configurable_fields"]["name"], None)


def test_records_can_be_added_and_deleted():
    sandbox = start("--size", "20")
    proof = headers(sandbox)
    added = sandbox.admin("POST", "treez/add", {"kind": "products", "count": 3})["ids"]
    deleted = sandbox.admin("POST", "treez/delete", {"kind": "products", "count": 5})["ids"]
    found = rows(page(sandbox, "active=ALL", proof=proof))
    names = [(row["product_configurable_fields"]["name"], row["product_id"]) for row in found]
    tap.equal(len(found), 18)
    tap.equal(names, sorted(names))
    listed = {row["product_id"] for row in found}
    tap.equal(listed & set(deleted), set())
    tap.true(set(added) - set(deleted) <= listed, "what was added is listed")
    tap.equal(page(sandbox, "", "/product/" + deleted[0], proof).status, 400)


def test_requests_are_told_as_they_came():
    sandbox = start("--size", "3")
    proof = headers(sandbox)
    last = sandbox.admin("GET", "requests")["last"]
    page(sandbox, "page=7", proof=proof)
    tap.request("GET", sandbox.ready["admin"].replace("/_sandbox", "/nobody/at/home"))
    told = sandbox.requests(after=last)
    tap.equal([(entry["vendor"], entry["method"], entry["status"]) for entry in told], [("treez", "GET", 200), ("", "GET", 404)])
    tap.equal((told[0]["query"], told[0]["headers"]["authorization"]), ("page=7", proof["authorization"]))
    tap.equal(sandbox.requests("treez")[0]["body"][:10], "client_id=")
    sandbox.admin("POST", "options", {"log": False})
    page(sandbox, proof=proof)
    tap.equal(len(sandbox.requests(after=last)), 2)


def test_admin_mistakes_are_explained():
    sandbox = start("--size", "3")
    for path, body, words in (("faults", [{"fault": "flood"}], "gzip_bomb"), ("faults", [{"fault": "503", "shar": 1}], "share"),
                              ("faults", [{"fault": "refuse", "count": 1}], "seconds"), ("faults", {}, "array"),
                              ("treez/change", {"field": "price"}, "which"), ("treez/change", {"id": "x", "field": "price"}, "x"),
                              ("treez/change", {"percent": 5, "feild": "price"}, "feild"), ("nobody/change", {}, "nobody")):
        answer = tap.request("POST", sandbox.ready["admin"] + "/" + path, body)
        tap.true(answer.status in (400, 404) and words in answer.json()["error"], f"{path} {body}: {answer.body!r}")


# Faults

def test_resets_come_before_or_after_the_vendor_did_its_work():
    sandbox = start("--size", "3")
    proof = headers(sandbox)
    for fault in ("reset_before_commit", "reset_after_commit"):
        sandbox.fault(fault, route="product_list", count=1)
        tap.equal(raw(sandbox, proof), (b"", "reset"), fault)
    tap.equal(page(sandbox, proof=proof).status, 200)


def test_a_token_that_expires_is_refused_until_there_is_a_new_one():
    sandbox = start("--size", "3")
    proof = headers(sandbox)
    sandbox.fault("401_once")
    tap.equal([page(sandbox, proof=proof).status for _ in range(2)], [401, 200])
    sandbox.fault("token_expired")
    tap.equal([page(sandbox, proof=proof).status for _ in range(2)], [401, 401])
    tap.equal(page(sandbox, proof=headers(sandbox)).status, 200)


def test_statuses_with_and_without_retry_after():
    sandbox = start("--size", "3")
    proof = headers(sandbox)
    for fault, status, more, retry_after in (("500", 500, {}, None), ("503", 503, {}, None), ("503", 503, {"retry_after": 7}, "7"),
                                             ("429", 429, {}, "2"), ("429", 429, {"retry_after": 9}, "9"), ("429_bare", 429, {}, None)):
        sandbox.fault(fault, count=1, **more)
        answer = page(sandbox, proof=proof)
        tap.equal((answer.status, answer.headers["Retry-After"]), (status, retry_after), fault)
        tap.equal(page(sandbox, proof=proof).status, 200)


def test_an_answer_that_stalls_is_let_go_with_the_rules():
    sandbox = start("--size", "3")
    proof = headers(sandbox)
    sandbox.fault("stall", route="product_list")
    tap.equal(raw(sandbox, proof, patience_s=0.3), (b"", "open"))
    sandbox.admin("DELETE", "faults")
    tap.equal(page(sandbox, proof=proof).status, 200)
    sandbox.fault("stall", route="product_list", ms=100)
    tap.equal(raw(sandbox, proof), (b"", "reset"))


def test_slow_answers_come_late_or_in_drops():
    sandbox = start("--size", "200")
    proof = headers(sandbox)
    sandbox.fault("slow", route="product_list", ms=300, count=1)
    began = time.monotonic()
    tap.equal(page(sandbox, proof=proof).status, 200)
    tap.true(time.monotonic() - began >= 0.29, "the first byte is late")
    sandbox.fault("slow_body", route="product_list", ms=20, count=1)
    began = time.monotonic()
    tap.true(len(page(sandbox, proof=proof).body) > 5 * 16384, "all of it comes")
    tap.true(time.monotonic() - began >= 0.1, "in pieces")
    sandbox.fault("drip", route="product_list", ms=5, count=1)
    got, end = drip(sandbox, proof)
    tap.true(end == "open" and 1 <= len(got.split(b"\r\n\r\n", 1)[1]) < 400, "a few bytes at a time")


def drip(sandbox, proof):
    """Reads for half a second."""
    url = urllib.parse.urlsplit(store(sandbox))
    with socket.create_connection((url.hostname, url.port), timeout=0.2) as line:
        head = "".join(f"{name}: {value}\r\n" for name, value in proof.items())
        line.sendall(f"GET {url.path}/product/product_list HTTP/1.1\r\nHost: s\r\n{head}\r\n".encode())
        got, end = b"", time.monotonic() + 0.5
        while time.monotonic() < end:
            piece = line.recv(1 << 16)
            if not piece:
                return got, "closed"
            got += piece
        return got, "open"


def test_a_truncated_answer_says_more_than_it_sends():
    sandbox = start("--size", "20")
    sandbox.fault("truncated", route="product_list")
    got, end = raw(sandbox, headers(sandbox))
    head, body = got.split(b"\r\n\r\n", 1)
    said = int([line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")][0].split(b":")[1])
    tap.equal((end, len(body)), ("closed", said // 2))


def test_answers_that_are_no_json_or_of_the_wrong_type():
    sandbox = start("--size", "3")
    proof = headers(sandbox)
    sandbox.fault("not_json", route="product_list", count=1)
    answer = page(sandbox, proof=proof)
    tap.equal((answer.status, answer.body[:6]), (200, b"<html>"))
    sandbox.fault("wrong_type", route="product_list", count=1)
    tap.equal(rows(page(sandbox, proof=proof)), "none")
    sandbox.fault("wrong_type", route="product_list", count=1, field="pricing", rows=2)
    tap.equal([row["pricing"].get("unexpected") for row in rows(page(sandbox, "active=ALL", proof=proof))], [True, True, None])


def test_pages_that_repeat_or_never_end():
    sandbox = start("--size", "30")
    proof = headers(sandbox)

    def ids(number):
        answer = page(sandbox, f"active=ALL&pagesize=10&page={number}", proof=proof)
        return [row["product_id"] for row in rows(answer)], answer.json()["data"]["total_count"]
    pages = [ids(number)[0] for number in (1, 2, 3)]
    sandbox.fault("duplicate_page", count=1)
    tap.equal(ids(2)[0], pages[0])
    tap.equal(ids(2)[0], pages[1])
    sandbox.fault("endless_pages")
    tap.equal(ids(4), (pages[0], 50))
    tap.equal(ids(3002), (pages[1], 30030))


def test_lists_that_are_empty_or_hold_a_tenth():
    sandbox = start("--size", "100")
    proof = headers(sandbox)
    for fault, count in (("empty_list", 0), ("partial", 10)):
        sandbox.fault(fault, count=1)
        answer = page(sandbox, "active=ALL", proof=proof)
        data = answer.json()["data"]
        tap.equal((len(data["product_list"]), data["page_count"], data["total_count"]), (count, count, count), fault)


def test_rows_that_are_spoiled():
    sandbox = start("--size", "10")
    proof = headers(sandbox)
    good = rows(page(sandbox, "active=ALL", proof=proof))
    sandbox.fault("bad_price", count=1, rows=3)
    tap.equal([row["pricing"]["price_sell"] for row in rows(page(sandbox, "active=ALL", proof=proof))][:4],
              ["abc", "abc", "abc", good[3]["pricing"]["price_sell"]])
    sandbox.fault("no_id", count=1)
    tap.equal(["product_id" in row for row in rows(page(sandbox, "active=ALL", proof=proof))], [False] + [True] * 9)
    sandbox.fault("duplicate_ids", count=1)
    found = [row["product_id"] for row in rows(page(sandbox, "active=ALL", proof=proof))]
    tap.equal(found, [good[0]["product_id"]] * 2 + [row["product_id"] for row in good[2:]])
    sandbox.fault("bad_utf8", count=1)
    tap.true(b"\xff\xfe" in page(sandbox, "active=ALL", proof=proof).body, "bytes that are not UTF-8")


def test_bodies_that_are_too_large():
    sandbox = start("--size", "3")
    proof = headers(sandbox)
    sandbox.fault("deep", count=1)
    body = page(sandbox, proof=proof).body
    tap.equal((body.count(b"["), body.count(b"]")), (1000000, 1000000))
    sandbox.fault("gzip_bomb", count=1)
    answer = page(sandbox, proof=proof)
    tap.equal(answer.headers["Content-Encoding"], "gzip")
    tap.true(len(answer.body) < 4 << 20, f"small on the line: {len(answer.body)}")
    unpacker, size, rest = zlib.decompressobj(wbits=31), 0, answer.body
    while rest and size < 1 << 30:
        piece = unpacker.decompress(rest, 1 << 24)
        tap.equal(piece.count(b" "), len(piece))
        size, rest = size + len(piece), unpacker.unconsumed_tail
    tap.true(size >= 1 << 30, f"a gigabyte inside: {size}")
    sandbox.fault("huge", count=1)
    got = endless(sandbox, proof, 32 << 20)
    tap.true(got >= 32 << 20, "it goes on and on")
    tap.wait_until(lambda: sandbox.admin("GET", "status")["connections"] == 1, "only the admin's own connection is left")


def endless(sandbox, proof, most):
    url = urllib.parse.urlsplit(store(sandbox))
    with socket.create_connection((url.hostname, url.port), timeout=5) as line:
        head = "".join(f"{name}: {value}\r\n" for name, value in proof.items())
        line.sendall(f"GET {url.path}/product/product_list HTTP/1.1\r\nHost: s\r\n{head}\r\n".encode())
        got = 0
        while got < most:
            piece = line.recv(1 << 20)
            if not piece:
                return got
            got += len(piece)
        return got


def test_redirects_lead_elsewhere_or_round_and_round():
    sandbox = start("--size", "3")
    proof = headers(sandbox)
    sandbox.fault("redirect_elsewhere", count=1)
    answer = page(sandbox, "page=1", proof=proof)
    there = urllib.parse.urlsplit(answer.headers["Location"])
    tap.equal((answer.status, there.netloc), (302, urllib.parse.urlsplit(sandbox.ready["admin"]).netloc))
    tap.true(there.netloc != urllib.parse.urlsplit(store(sandbox)).netloc, "another place than the vendor's")
    sandbox.fault("redirect_loop", count=1)
    tap.equal(page(sandbox, proof=proof).headers["Location"], urllib.parse.urlsplit(store(sandbox)).path + "/product/product_list")


def test_an_answer_can_be_made_by_hand():
    sandbox = start("--size", "3")
    proof = headers(sandbox)
    sandbox.fault("answer", count=1, body='{"resultCode":"FAIL","resultReason":"INVALID_REQUEST"}')
    answer = page(sandbox, proof=proof)
    tap.equal((answer.status, answer.json()["resultCode"]), (200, "FAIL"))
    sandbox.fault("answer", count=1, status=430, type="text/plain", body="Shopify says no %s")
    answer = page(sandbox, proof=proof)
    tap.equal((answer.status, answer.headers["Content-Type"], answer.body), (430, "text/plain", b"Shopify says no %s"))


def test_one_vendor_refuses_connections_while_another_answers():
    sandbox = tap.start_sandbox("--size", "3")
    url = urllib.parse.urlsplit(store(sandbox))

    def refused():
        try:
            socket.create_connection((url.hostname, url.port), timeout=5).close()
            return False
        except ConnectionRefusedError:
            return True
    sandbox.fault("refuse", vendor="treez")
    tap.true(refused(), "treez refuses")
    tap.equal(tap.request("GET", sandbox.vendor("millrace")["url"] + "/v1/corner/products").status, 401)
    sandbox.admin("DELETE", "faults")
    tap.true(not refused(), "treez answers again, on the same port")
    sandbox.fault("refuse", vendor="treez", seconds=0.2)
    tap.true(refused(), "treez refuses")
    tap.wait_until(lambda: not refused(), "the rule ended by itself")


def test_a_share_of_requests_fails_and_the_same_ones_for_the_same_seed():
    def outcome():
        sandbox = start("--size", "3")
        sandbox.fault("503", share=0.3, route="*product_list*")
        proof = headers(sandbox)
        return [page(sandbox, proof=proof).status for _ in range(100)]
    one, two = outcome(), outcome()
    tap.equal(one, two)
    tap.true(15 <= one.count(503) <= 45, f"about a third: {one.count(503)}")


def test_faults_can_come_from_a_file():
    path = tap.folder() + "/faults.json"
    with open(path, "w", encoding="utf-8") as file:
        file.write('[{"fault":"500","route":"gettokens"}]')
    tap.equal(token_answer(start("--faults", path)).status, 500)


# The program

def test_wrong_usage_is_told_with_status_2():
    for arguments in (["--size", "0"], ["nosuchvendor"], ["--listen", "here"], ["--nosuch"]):
        program = tap.start(tap.built("tillbridge-sandbox"), *arguments)
        program.wait()
        program.stop(status=2)
        tap.true("tillbridge-sandbox: " in program.log(), program.log())


def test_a_port_that_is_taken_is_told_with_status_1():
    sandbox = start("--size", "3")
    taken = urllib.parse.urlsplit(sandbox.ready["admin"]).netloc
    program = tap.start(tap.built("tillbridge-sandbox"), "--listen", taken)
    program.wait()
    program.stop(status=1)


def test_help_tells_of_all_faults_and_routes():
    program = tap.start(tap.built("tillbridge-sandbox"), "--help")
    tap.equal(program.wait(), 0)
    text = "\n".join(program.lines.queue)
    for word in ("gzip_bomb", "/_sandbox", "treez", "millrace", "--size", "product_changes"):
        tap.true(word in text, word)


def test_many_requests_on_one_connection_and_in_pieces():
    sandbox = start("--size", "3")
    url, proof = urllib.parse.urlsplit(store(sandbox)), headers(sandbox)
    head = "".join(f"{name}: {value}\r\n" for name, value in proof.items())
    one = f"GET {url.path}/location/list HTTP/1.1\r\nHost: s\r\n{head}\r\n".encode()
    with socket.create_connection((url.hostname, url.port), timeout=5) as line:
        line.sendall(one + one + one[:40])
        got = b""
        while got.count(b"HTTP/1.1 200 OK") < 2:
            got += line.recv(1 << 16)
        line.sendall(one[40:])
        while got.count(b"HTTP/1.1 200 OK") < 3 or not got.endswith(b"]}"):
            got += line.recv(1 << 16)


def test_bodies_in_chunks_and_after_a_continue():
    sandbox = start("--size", "3")
    url = urllib.parse.urlsplit(sandbox.ready["admin"])
    body = b'{"skew_s":5}'
    with socket.create_connection((url.hostname, url.port), timeout=5) as line:
        line.sendall(b"POST /_sandbox/clock HTTP/1.1\r\nHost: s\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n" + body[:4])
        line.sendall(b"\r\n8\r\n" + body[4:] + b"\r\n0\r\n\r\n")
        tap.true(line.recv(1 << 16).startswith(b"HTTP/1.1 200 "), "a body in chunks is read")
        line.sendall(b"POST /_sandbox/clock HTTP/1.1\r\nHost: s\r\nContent-Length: 12\r\nExpect: 100-continue\r\n\r\n")
        tap.equal(line.recv(1 << 16), b"HTTP/1.1 100 Continue\r\n\r\n")
        line.sendall(body)
        tap.true(line.recv(1 << 16).startswith(b"HTTP/1.1 200 "), "the body is read")
        line.sendall(b"NONSENSE\r\n\r\n")
        try:
            tap.equal(line.recv(1 << 16), b"", "what is no HTTP is cut off")
        except ConnectionResetError:
            pass


def test_a_long_line_of_requests_is_answered_one_by_one():
    sandbox = start("--size", "3")
    url = urllib.parse.urlsplit(sandbox.ready["admin"])
    count = 20000
    with socket.create_connection((url.hostname, url.port), timeout=tap.PATIENCE_S) as line:
        line.settimeout(tap.PATIENCE_S)
        sender = threading.Thread(target=line.sendall, args=(b"GET /_sandbox/status HTTP/1.1\r\n\r\n" * count,))
        sender.start()
        got, tail = 0, b""
        while got < count:
            piece = tail + line.recv(1 << 20)
            got += piece.count(b"HTTP/1.1 200 OK")
            tail = piece[-14:] if not piece.endswith(b"HTTP/1.1 200 OK") else b""
        sender.join()
    tap.equal(got, count)


tap.run(globals())

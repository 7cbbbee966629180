"""The API from outside: tillbridged, tillbridge-worker and the sandbox as they are built."""
import http.client
import json
import os
import random
import resource
import signal
import socket
import stat
import threading
import urllib.parse

import tap

PRODUCTS, CONNECTOR = "/v1/stores/downtown/products", "/v1/connectors/downtown/pos"


class Hub:
    """A folder with a configuration of one store, `downtown/pos` at the sandbox, where nothing syncs by itself."""

    def __init__(self, *arguments, size=60, host="", stores=("downtown",)):
        self.sandbox = tap.start_sandbox("--rate", "0", "--size", str(size), *arguments, "treez")
        self.folder = tap.folder()
        self.socket = os.path.join(self.folder, "api.sock")
        plugins = os.path.dirname(tap.built("plugins", "treez", ".libs", "treez.so"))
        self.write("tillbridge.conf", f"""
            listen: {{ api = "127.0.0.1:0"; webhooks = "off"; socket = "{self.socket}"; }};
            state = "state"; conf_d = "conf.d"; plugins = "{plugins}"; unjailed = true; {host}""")
        for store in stores:
            self.write_store(store)
        self.start()

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(text)

    def write_store(self, store="downtown", more=""):
        vendor = self.sandbox.vendor("treez")
        settings = " ".join(f'{key} = "{value}";' for key, value in vendor["settings"].items())
        self.write(f"conf.d/{store}.conf", f"""
            store: {{ id = "{store}"; timezone = "America/Los_Angeles"; currency = "USD"; connectors: {{
                pos: {{ plugin = "treez"; url = "{vendor["url"]}"; allow_private = true; sync = "off";
                        pace: {{ per_second = 1000.0; burst = 1000; at_once = 4; }}; {settings} {more} }}; }}; }};""")

    def start(self, **env):
        listen = os.path.join(self.folder, "state", "listen.json")
        if os.path.exists(listen):
            os.unlink(listen)
        self.program = tap.start(tap.built("tillbridged"), "--config", os.path.join(self.folder, "tillbridge.conf"),
                                 env=env)
        tap.wait_until(lambda: os.path.exists(listen) or self.program.process.poll() is not None, "it listens")
        tap.true(os.path.exists(listen), f"it started: {self.program.log()}")
        with open(listen, encoding="utf-8") as file:
            self.listens = json.load(file)
        self.url = "http://" + self.listens["api"]
        tap.api(self.url)
        tap.wait_until(lambda: self.get("/readyz").status == 200, "it is ready")

    def request(self, method, target, body=None, headers=None):
        return tap.request(method, self.url + target, body, headers)

    def get(self, target, **headers):
        return self.request("GET", target, headers=headers)

    def post(self, target, body=None, **headers):
        return self.request("POST", target, body, headers)

    def json(self, target):
        answer = self.get(target)
        tap.equal(answer.status, 200, f"{target}: {answer.body[:400]!r}")
        return answer.json()

    def pages(self, target):
        """Each page of a list, by its `next`."""
        mark, where = "&" if "?" in target else "?", target
        while True:
            page = self.json(where)
            yield page
            if "next" not in page:
                return
            where = f"{target}{mark}cursor={page['next']}"

    def items(self, target):
        return [item for page in self.pages(target) for item in page["items"]]

    def ask_sync(self, store="downtown", **body):
        answer = self.post(f"/v1/connectors/{store}/pos/sync", body)
        tap.equal(answer.status, 202, answer.body)
        return [one["id"] for one in answer.json()["passes"]]

    def wait_pass(self, name):
        return tap.wait_until(lambda: (one := self.json(f"/v1/passes/{name}"))["state"] not in ("waiting", "running") and one,
                              f"{name} has ended", 90 + tap.PATIENCE_S)  # the plugin's least interval is 60 s

    def sync(self, stream="products", store="downtown", **body):
        """Asks for a pass and waits for its end."""
        return self.wait_pass(self.ask_sync(store, stream=stream, **body)[0])

    def refused(self, answer, status, code, reason=None):
        """The answer is the problem document that SURFACES 5 promises."""
        tap.equal(answer.status, status, answer.body)
        tap.equal(answer.headers["Content-Type"], "application/problem+json")
        problem = answer.json()
        tap.equal((problem["status"], problem["code"], problem["type"]), (status, code, "urn:tillbridge:" + code))
        tap.equal(problem.get("reason"), reason, answer.body)
        tap.true(problem["title"] and problem["detail"], "it says what is wrong")
        tap.equal(problem["trace"], answer.headers["traceparent"].split("-")[1])
        return problem

    def bare(self):
        parts = urllib.parse.urlsplit(self.url)
        return socket.create_connection((parts.hostname, parts.port), tap.PATIENCE_S)


def everything(connection):
    """What comes until the end."""
    data = b""
    while chunk := connection.recv(65536):
        data += chunk
    return data


# ---- it starts, is found, and ends ----

def test_it_tells_where_it_listens_and_leaves_no_socket_behind():
    hub = Hub()
    tap.equal(hub.listens["socket"], hub.socket)
    tap.equal(stat.S_IMODE(os.stat(hub.socket).st_mode), 0o666)
    tap.equal(stat.S_IMODE(os.stat(os.path.join(hub.folder, "state")).st_mode), 0o700)
    hub.program.stop()
    tap.true(not os.path.exists(hub.socket), "the socket is gone")


def test_the_socket_answers_whatever_the_host_is_called():
    hub = Hub()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(hub.socket)
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: whatever.example\r\nConnection: close\r\n\r\n")
        tap.true(everything(connection).startswith(b"HTTP/1.1 200"), "healthy")


def test_a_stale_socket_is_replaced():
    hub = Hub()
    hub.program.kill()
    tap.true(os.path.exists(hub.socket), "a killed daemon leaves it")
    hub.start()
    tap.equal(hub.get("/healthz").json(), {"status": "ok"})


def test_what_cannot_start_says_why():
    hub = Hub()
    other = tap.start(tap.built("tillbridged"), "--config", os.path.join(hub.folder, "tillbridge.conf"))
    other.wait()
    other.stop(status=1)
    tap.true("in use by another tillbridged" in other.log(), other.log())
    hub.write("taken.conf", f'state = "elsewhere"; listen: {{ socket = "off"; api = "{hub.listens["api"]}"; }};')
    other = tap.start(tap.built("tillbridged"), "--config", os.path.join(hub.folder, "taken.conf"))
    other.wait()
    other.stop(status=1)
    tap.true("Address already in use" in other.log(), other.log())
    hub.write("wrong.conf", 'sate = "x";')
    other = tap.start(tap.built("tillbridged"), "--config", os.path.join(hub.folder, "wrong.conf"))
    other.wait()
    other.stop(status=1)
    tap.true('did you mean "state"' in other.log(), other.log())
    other = tap.start(tap.built("tillbridged"), "--cnofig", "x")
    other.wait()
    other.stop(status=2)


def test_who_waits_while_it_ends_is_told():
    hub = Hub()
    hub.sandbox.fault("stall", vendor="treez")
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(hub.post(CONNECTOR + "/check")))
    waiting.start()
    tap.wait_until(lambda: hub.sandbox.requests("treez"), "the check has reached the vendor")
    hub.program.stop()
    waiting.join(tap.PATIENCE_S)
    tap.equal((answers[0].status, answers[0].json()["code"]), (503, "service_unavailable"))


def test_a_second_signal_ends_it_at_once():
    hub = Hub()
    hub.sandbox.fault("stall", vendor="treez")
    hub.ask_sync(stream="inventory")
    tap.wait_until(lambda: hub.sandbox.requests("treez"), "the pass has reached the vendor")
    hub.program.process.send_signal(signal.SIGTERM)
    tap.wait_until(lambda: "ending" in hub.program.log(), "it drains")
    tap.true(hub.program.process.poll() is None, "what runs gets time")
    hub.program.stop()


# ---- what it serves ----

def test_stores_and_connectors_say_how_they_are():
    hub = Hub(stores=("downtown", "uptown"))
    hub.sync()
    tap.equal([store["id"] for store in hub.items("/v1/stores?limit=1")], ["downtown", "uptown"])
    store = hub.json("/v1/stores/downtown")
    tap.equal((store["state"], store["catalogue"], store["currency"]), ("ok", "pos", "USD"))
    one = hub.json(CONNECTOR)
    tap.equal((one["store"], one["name"], one["plugin"], one["state"]), ("downtown", "pos", "treez", "ok"))
    stream = one["streams"]["products"]
    tap.equal((stream["kinds"], stream["passes"], stream["last_pass"]["state"]), (["products", "promotions"], 1, "complete"))
    tap.true("as_of" in stream and "null" not in json.dumps(one), "fresh, and what is not known is absent")
    tap.equal(len(hub.items("/v1/connectors?state=ok&plugin=treez&limit=1")), 2)
    tap.equal(hub.items("/v1/connectors?state=failing"), [])
    tap.equal([item["store"] for item in hub.items("/v1/connectors?store=uptown")], ["uptown"])


def test_plugins_describe_themselves():
    hub = Hub()
    plugin = hub.json("/v1/plugins/treez")
    tap.equal((plugin["name"], plugin["state"], plugin["version"]), ("treez", "running", "1.0.0"))
    tap.true(plugin["worker"]["pid"] > 0 and plugin["worker"]["resident_bytes"] > 0, "its worker")
    tap.equal([item["name"] for item in hub.items("/v1/plugins")], ["treez"])
    hub.refused(hub.get("/v1/plugins/blaze"), 404, "not_found", "no_plugin")


def test_products_are_served_as_they_are_stored_with_their_age():
    hub = Hub()
    hub.sync()
    listed = hub.items(PRODUCTS + "?limit=7")
    tap.equal(len(listed), len({item["id"] for item in listed}))
    tap.true(len(listed) >= 50, f"{len(listed)} products")
    one = hub.json(PRODUCTS + "/" + listed[3]["id"])
    as_of = one.pop("as_of")
    tap.equal(one, listed[3])
    tap.true(as_of >= hub.json(PRODUCTS + "?limit=1")["as_of"], "its page was asked for after the pass had begun")


def test_customers_inventory_and_promotions_are_lists_too():
    hub = Hub()
    for stream in ("inventory", "customers", "products"):
        hub.sync(stream)
    customer = hub.items("/v1/stores/downtown/customers")[0]
    tap.equal(hub.json("/v1/stores/downtown/customers/" + customer["id"])["id"], customer["id"])
    tap.true(all("product_id" in level for level in hub.items("/v1/stores/downtown/inventory?limit=9")), "levels")
    tap.true(hub.get("/v1/stores/downtown/promotions").status == 200, "promotions")


def test_ids_choose_records_in_the_order_of_the_list():
    hub = Hub()
    hub.sync()
    ids = [item["id"] for item in hub.items(PRODUCTS)]
    wanted = [ids[9], "nobody", ids[2], ids[2], ids[5]]
    tap.equal([item["id"] for item in hub.items(PRODUCTS + "?limit=2&id=" + ",".join(wanted))], [ids[2], ids[5], ids[9]])
    hub.refused(hub.get(PRODUCTS + "/nobody"), 404, "not_found", "no_record")


def test_updated_since_looks_through_everything_in_pages():
    hub = Hub()
    hub.sync()
    everyone = hub.items(PRODUCTS)
    times = sorted(item["updated_at"] for item in everyone)
    middle = times[len(times) // 2]
    found = hub.items(f"{PRODUCTS}?limit=3&updated_since={middle}")
    tap.equal([item["id"] for item in found], [item["id"] for item in everyone if item["updated_at"] >= middle])


def test_a_price_change_travels_and_pages_repeat_and_miss_nothing_meanwhile():
    hub = Hub(size=400)
    hub.sync()
    before = {item["id"]: item for item in hub.items(PRODUCTS + "?limit=1000")}
    since = list(hub.pages("/v1/changes?limit=1000"))[-1]["seq"]
    hub.sandbox.admin("POST", "treez/change", {"kind": "products", "percent": 50, "field": "price"})
    hub.sandbox.admin("POST", "treez/add", {"kind": "products", "count": 40})
    name = hub.ask_sync(stream="products", full=True)[0]
    state = "waiting"  # for the plugin's least interval
    while state in ("waiting", "running"):
        seen = [item["id"] for item in hub.items(PRODUCTS + "?limit=10")]
        tap.equal(len(seen), len(set(seen)), "nothing twice")
        tap.equal([ident for ident in seen if ident in before], list(before), "nothing missed")
        state = hub.json("/v1/passes/" + name)["state"]
    tap.equal(state, "complete")
    changes = hub.items(f"/v1/changes?since={since}&kinds=products&limit=30")
    tap.true(all((one["op"], one["source"]) == ("put", "pull") and one["seq"] > since for one in changes), "puts, later")
    dearer = [one for one in changes if one["id"] in before]
    tap.true(len(dearer) >= 150, f"half of them changed, {len(dearer)}")
    for one in dearer:
        tap.true(one["record"]["prices"] != before[one["id"]]["prices"], "the price is another")
    now = {item["id"]: item for item in hub.items(PRODUCTS + "?limit=1000")}
    tap.equal({one["id"]: one["record"] for one in changes}, {one["id"]: without_available(now[one["id"]]) for one in changes})


def without_available(item):
    return {name: value for name, value in item.items() if name != "available"}


def test_the_feed_tells_everything_once_and_in_order():
    hub = Hub(size=300)
    names = hub.ask_sync()
    held, last, done = {}, 0, False
    while not done:  # one more round after the passes have ended
        done = all(hub.json(f"/v1/passes/{name}")["state"] == "complete" for name in names)
        for page in hub.pages(f"/v1/changes?since={last}&limit=50"):
            for one in page["items"]:
                tap.true(one["seq"] > last, "the seq grows")
                last = one["seq"]
                held[one["kind"], one["id"]] = one.get("record")
            last = max(last, page["seq"])
    for kind in ("products", "inventory", "customers", "promotions"):
        ours = {item["id"]: without_available(item) for item in hub.items(f"/v1/stores/downtown/{kind}?limit=1000")}
        tap.equal({ident: record for (of, ident), record in held.items() if of == kind}, ours, kind)


def test_inventory_can_be_narrowed_to_a_product():
    hub = Hub(size=200)
    hub.sync("inventory")
    inventory, levels = "/v1/stores/downtown/inventory", {}
    for one in hub.items(inventory):
        levels.setdefault(one["product_id"], []).append(one)
    product, its = max(levels.items(), key=lambda pair: len(pair[1]))
    tap.true(len(its) > 1, "a product has several levels")
    tap.equal(hub.items(f"{inventory}?product_id={product}&limit=1"), its)
    tap.equal(hub.items(f"{inventory}?product_id={product[:-1]}"), [])
    tap.equal(hub.items(f"{inventory}?product_id={product}&id={urllib.parse.quote(its[0]['id'])},{next(iter(levels.keys() - {product}))}"), its[:1])
    hub.refused(hub.get(f"{PRODUCTS}?product_id=a"), 400, "validation_error", "unknown_parameter")


def test_the_feed_can_be_narrowed_and_told_from_the_end():
    hub = Hub(stores=("downtown", "uptown"))
    hub.sync("products"), hub.sync("inventory"), hub.sync("products", "uptown")
    tap.equal({one["kind"] for one in hub.items("/v1/changes?kinds=inventory")}, {"inventory"})
    tap.equal({one["store"] for one in hub.items("/v1/changes?store=uptown&limit=7")}, {"uptown"})
    newest = list(hub.pages("/v1/changes?limit=1000"))[-1]["seq"]
    tap.equal(hub.json(f"/v1/changes?since={newest}"), {"items": [], "seq": newest})
    gone = hub.refused(hub.get(f"/v1/changes?since={newest + 1}"), 410, "gone")
    tap.equal(gone["snapshot"], "/v1/snapshot")


# ---- what it does ----

def test_a_dry_run_shows_records_and_stores_nothing():
    hub = Hub()
    answer = hub.post(CONNECTOR + "/sync?dry_run=true", {"stream": "products"})
    tap.equal(answer.status, 200, answer.body)
    tap.equal(len(answer.json()["records"]), 20)
    tap.equal(hub.items(PRODUCTS), [])
    tap.equal(hub.items("/v1/passes"), [])
    hub.refused(hub.post(CONNECTOR + "/sync?dry_run=true"), 400, "validation_error", "missing_field")


def test_a_dry_run_that_waits_is_shared_with_nobody_and_told_when_the_daemon_ends():
    hub = Hub()
    hub.sync("inventory")
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(
        hub.post(CONNECTOR + "/sync?dry_run=true", {"stream": "inventory"})))
    waiting.start()  # for the plugin's least interval
    tap.wait_until(lambda: "next_at" in hub.json(CONNECTOR)["streams"]["inventory"], "it waits")
    hub.refused(hub.post(CONNECTOR + "/sync", {"stream": "inventory"}), 409, "conflict")
    tap.equal(hub.post(CONNECTOR + "/sync", {"stream": "products"}).status, 202)
    hub.program.stop()
    waiting.join(tap.PATIENCE_S)
    tap.equal((answers[0].status, answers[0].json()["code"]), (503, "service_unavailable"))


def test_a_sync_without_a_body_is_of_all_streams():
    hub = Hub()
    names = hub.ask_sync()
    tap.equal(len(names), 3)
    for name in names:
        tap.equal(hub.wait_pass(name)["state"], "complete")
    tap.equal([one["id"] for one in hub.items("/v1/passes?limit=1")], sorted(names, reverse=True))
    tap.equal({one["stream"] for one in hub.items("/v1/passes?connector=downtown/pos&stream=products")}, {"products"})
    tap.equal(hub.items("/v1/passes?state=failed"), [])


def test_a_check_tells_how_the_vendor_answered():
    hub = Hub()
    tap.equal(hub.post(CONNECTOR + "/check").json()["status"], "ok")
    hub.write_store(more="bearer_prefix = true;")
    tap.equal(hub.post("/v1/reload").status, 200)
    tap.wait_until(lambda: hub.get("/readyz").status == 200, "it is ready again")
    answer = tap.wait_until(lambda: (said := hub.post(CONNECTOR + "/check").json())["status"] != "service_unavailable" and said,
                            "the worker serves")
    tap.true("ms" in answer, answer)


def test_a_held_pass_waits_for_a_person():
    hub = Hub(stores=("downtown", "uptown"))
    for store in ("downtown", "uptown"):
        hub.sync(store=store)
    all_of_them = len(hub.items(PRODUCTS))
    hub.sandbox.admin("POST", "treez/delete", {"kind": "products", "percent": 50})
    names = [hub.ask_sync(store, stream="products", full=True)[0] for store in ("downtown", "uptown")]
    held, other = (hub.wait_pass(name) for name in names)
    tap.equal((held["state"], held["deleted"], other["state"]), ("held", 0, "held"))
    tap.equal(len(hub.items(PRODUCTS)), all_of_them)
    tap.equal([one["id"] for one in hub.items("/v1/passes?state=held&store=downtown")], [held["id"]])
    refused = hub.post(f"/v1/passes/{other['id']}/refuse")
    tap.equal((refused.status, refused.json()["state"]), (200, "refused"))
    tap.equal(len(hub.items("/v1/stores/uptown/products")), all_of_them)
    resource.prlimit(hub.program.pid, resource.RLIMIT_FSIZE, (512, resource.RLIM_INFINITY))  # no space
    full = hub.post(f"/v1/passes/{held['id']}/accept")
    hub.refused(full, 503, "service_unavailable", "disk_full")
    tap.true(int(full.headers["Retry-After"]) > 0, "it may be tried again")
    tap.equal(len(hub.items(PRODUCTS)), all_of_them, "reads go on")
    resource.prlimit(hub.program.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    accepted = hub.post(f"/v1/passes/{held['id']}/accept")
    tap.equal((accepted.status, accepted.json()["state"]), (200, "complete"))
    gone = [one for one in hub.items("/v1/changes?kinds=products&store=downtown") if one["op"] == "delete"]
    tap.true(gone and {one["source"] for one in gone} == {"operator"}, "a person deleted them")
    tap.equal(len(hub.items(PRODUCTS)), all_of_them - len(gone))
    hub.refused(hub.post(f"/v1/passes/{held['id']}/accept"), 409, "conflict")
    hub.refused(hub.post("/v1/passes/pass_nobody/accept"), 404, "not_found", "no_pass")


def test_a_reload_says_what_it_changes():
    hub = Hub()
    hub.write_store("uptown")
    plan = hub.post("/v1/reload?dry_run=true").json()
    tap.equal((plan["applied"], plan["errors"], plan["restart"]), (False, [], False))
    tap.true(any(change["op"] == "+" and change["what"].startswith("uptown") for change in plan["changes"]), plan)
    hub.refused(hub.get("/v1/stores/uptown"), 404, "not_found", "no_store")
    tap.equal(hub.post("/v1/reload", {}).json()["applied"], True)
    tap.equal(hub.json("/v1/stores/uptown")["id"], "uptown")
    hub.write_store("uptown", more="dispnsary = 1;")
    tap.true(hub.post("/v1/reload").json()["errors"], "a mistake is told")
    tap.equal(hub.json("/v1/stores/uptown")["id"], "uptown", "and the store runs on")


def test_metrics_count_requests_by_route():
    hub = Hub()
    hub.get(PRODUCTS), hub.get(PRODUCTS + "?lmit=1"), hub.get("/nowhere/at/all")
    text = hub.get("/metrics").body.decode()
    tap.true('tillbridge_api_requests_total{route="/v1/stores/{store}/products",code="200"} 1\n' in text, text[-3000:])
    tap.true('tillbridge_api_requests_total{route="/v1/stores/{store}/products",code="400"} 1\n' in text, "refused")
    tap.true('tillbridge_api_requests_total{route="other",code="404"} 1\n' in text, "other")
    tap.true('tillbridge_api_seconds_count{route="/v1/stores/{store}/products"} 2\n' in text, "seconds")


# ---- bad input ----

def test_wrong_parameters_are_refused():
    hub = Hub()
    for query, reason in (("limit=0", "out_of_range"), ("limit=x", "not_a_number"), ("lmit=1", "unknown_parameter"),
                          ("limit=1&limit=2", "repeated_parameter"), ("cursor=abc", "bad_cursor"), ("cursor=%00", "bad_escape"),
                          ("updated_since=monday", "not_a_time"), ("connector=pso", "unknown_connector"), ("id=,", "empty")):
        hub.refused(hub.get(PRODUCTS + "?" + query), 400, "validation_error", reason)
    hub.refused(hub.get("/v1/changes?kinds=prodcts"), 400, "validation_error", "unknown_kind")
    hub.refused(hub.get("/v1/passes?connector=pos"), 400, "validation_error", "not_a_connector")
    problem = hub.refused(hub.get("/v1/passes?state=runing"), 400, "validation_error", "unknown_word")
    tap.equal(problem["errors"][0]["field"], "state")


def test_a_cursor_of_another_list_is_refused():
    hub = Hub()
    for stream in ("products", "inventory"):
        hub.sync(stream)
    cursor = hub.json(PRODUCTS + "?limit=1")["next"]
    for target in ("/v1/stores/downtown/inventory", "/v1/changes", "/v1/passes", "/v1/stores"):
        hub.refused(hub.get(f"{target}?cursor={cursor}"), 400, "validation_error", "bad_cursor")
    hub.program.stop()
    hub.start()
    tap.equal(hub.get(f"{PRODUCTS}?limit=1&cursor={cursor}").status, 200, "it outlives a restart")


def test_wrong_bodies_are_refused():
    hub = Hub()
    kind = {"Content-Type": "application/json"}
    for body, status, reason in (("{", 400, "not_json"), ("{'full':true}", 400, "not_json"), ("[]", 400, "wrong_type"),
                                 ('{"strem":"x"}', 400, "unknown_member"), ('{"full":"yes"}', 400, "wrong_type"),
                                 ('{"stream":"prodcts"}', 422, "unknown_stream")):
        hub.refused(hub.request("POST", CONNECTOR + "/sync", body, kind), status, "validation_error", reason)
    hub.refused(hub.request("POST", CONNECTOR + "/sync", "a=b", {"Content-Type": "application/x-www-form-urlencoded"}), 415,
                "validation_error", "not_json")
    hub.refused(hub.request("POST", CONNECTOR + "/check", '{"full":true}', kind), 400, "validation_error", "unknown_member")


def test_a_body_that_is_too_large_is_refused_and_the_rest_of_it_not_read():
    hub = Hub(host='limits: { body = "4K"; };')
    target, kind = CONNECTOR + "/sync", {"Content-Type": "application/json"}
    hub.refused(hub.request("POST", target, " " * 4097 + "{}", kind), 413, "too_large")
    tap.equal(hub.request("POST", target, " " * 4000 + "{}", kind).status, 202)
    with hub.bare() as connection:
        connection.sendall(f"POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n".encode())
        tap.true(connection.recv(65536).startswith(b"HTTP/1.1 413"), "refused before anything was sent")
    with hub.bare() as connection:  # of no length that is said
        connection.sendall(f"POST {target} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        try:
            for _ in range(10000):
                connection.sendall(b"400\r\n" + b" " * 1024 + b"\r\n")
            raise AssertionError("ten megabytes were taken")
        except OSError:
            pass


def test_what_is_not_there_or_not_allowed_is_told():
    hub = Hub()
    hub.refused(hub.get("/v1/nothing"), 404, "not_found", "no_route")
    hub.refused(hub.get("/v1/stores/dowtown/products"), 404, "not_found", "no_store")
    hub.refused(hub.get("/v1/connectors/downtown/pso"), 404, "not_found", "no_connector")
    answer = hub.request("DELETE", PRODUCTS)
    hub.refused(answer, 405, "not_allowed")
    tap.equal(answer.headers["Allow"], "GET, HEAD")
    tap.equal(hub.get(CONNECTOR + "/sync").headers["Allow"], "POST")
    head = hub.request("HEAD", "/healthz")
    tap.equal((head.status, head.body), (200, b""))


def test_garbage_harms_nobody():
    hub, chance = Hub(size=5), random.Random(7)
    whole = (f"POST {CONNECTOR}/sync?dry_run=true HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
             'Content-Length: 22\r\n\r\n{"stream":"inventory"}\r\n').encode()
    for _ in range(600):
        bad = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            bad[chance.randrange(len(bad))] = chance.choice(b"\0\r\n %?&=/:{}\"\xff9") if chance.random() < 0.7 else chance.randrange(256)
        with hub.bare() as connection:
            connection.sendall(bad[:chance.randint(1, len(bad))])
            if chance.random() < 0.3:  # some wait for an answer, most just go
                connection.shutdown(socket.SHUT_WR)
                connection.settimeout(0.05)
                try:
                    everything(connection)
                except OSError:
                    pass
    tap.equal(hub.get("/healthz").status, 200)


def test_a_client_that_goes_while_it_waits_harms_nobody():
    hub = Hub()
    hub.sandbox.fault("stall", vendor="treez")
    for _ in range(20):
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(hub.url).netloc, timeout=tap.PATIENCE_S)
        connection.request("POST", CONNECTOR + "/check")
        connection.close()
    tap.wait_until(lambda: hub.sandbox.requests("treez"), "a check has reached the vendor")
    hub.sandbox.admin("DELETE", "faults")
    tap.equal(hub.post(CONNECTOR + "/sync?dry_run=true", {"stream": "inventory"}).status, 200)
    tap.equal(hub.get("/healthz").status, 200)


def test_a_trace_is_taken_and_answered():
    hub = Hub()
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    answer = hub.get("/v1/nothing", traceparent=f"00-{trace}-00f067aa0ba902b7-01")
    tap.equal(answer.json()["trace"], trace)
    tap.true(answer.headers["traceparent"].startswith(f"00-{trace}-"), "and answered")
    first, second = (hub.get("/healthz").headers["traceparent"].split("-")[1] for _ in range(2))
    tap.true(first != second and len(first) == 32, "else one is made")


def test_pages_name_the_next_one_in_a_header_too():
    hub = Hub()
    hub.sync()
    answer = hub.get(PRODUCTS + "?limit=5")
    target = answer.headers["Link"].split(">")[0].lstrip("<")
    tap.true(answer.headers["Link"].endswith('>; rel="next"'), answer.headers["Link"])
    tap.equal(hub.json(target), hub.json(f"{PRODUCTS}?limit=5&cursor={answer.json()['next']}"))


def test_rejects_say_what_was_wrong():
    hub = Hub()
    one = hub.sandbox.admin("GET", "treez/products?ids_only=true")["items"][0]
    hub.sandbox.admin("POST", "treez/change", {"kind": "products", "id": one, "field": "product_id", "value": ""})
    ended = hub.sync()
    rejects = hub.items("/v1/rejects?limit=9")
    tap.equal(len(rejects), ended["rejected"])
    tap.true(rejects, "there are some")
    one = rejects[0]
    tap.equal((one["store"], one["connector"], one["stream"], one["pass"]), ("downtown", "pos", "products", ended["id"]))
    tap.equal(len(hub.items(f"/v1/rejects?reason={one['reason']}&since=1h")),
              sum(1 for other in rejects if other["reason"] == one["reason"]))
    tap.equal(hub.items("/v1/rejects?reason=nothing"), [])


tap.run(globals())

#!/usr/bin/env python3
"""Plugins come, change and go while the host runs: copies, ones from elsewhere, refused ones, bad ones."""
import http.server
import json
import os
import re
import shutil
import subprocess
import threading
import urllib.parse

import tap
import variants
from house import House

REFUSED = ["other-major", "newer-minor", "no-symbol", "no-magic", "no-sizes", "no-name", "no-kinds", "unknown-kind", "no-doubt", "no-proof",
           "unknown-setting", "unknown-when", "stream-twice", "setting-twice", "kind-twice"]
SAYS = {"other-major": "SDK", "newer-minor": "SDK", "no-symbol": "tb_plugin"}


def reload(house):
    answer = house.post("/v1/reload")
    tap.true(answer.status == 200, f"reload: {answer.status} {answer.body!r}")
    return answer.json()


def installed_plugin(house, name):
    return {item["name"]: item for item in house.json("/v1/plugins")["items"]}[name]


def install_sdk(folder):
    """make install of what plugin authors need, below the folder; the environment in which pkg-config finds it."""
    subprocess.run(["make", "-s", "-C", tap.built(), "install-data", f"DESTDIR={folder}"], check=True, env={**os.environ, "MAKEFLAGS": ""},
                   stdout=subprocess.DEVNULL)
    pc = [os.path.join(way, "tillbridge.pc") for way, _, files in os.walk(folder) if "tillbridge.pc" in files]
    tap.equal(len(pc), 1, "installed .pc files")
    return {**os.environ, "PKG_CONFIG_PATH": os.path.dirname(pc[0]), "PKG_CONFIG_SYSROOT_DIR": folder}


def manual():
    """What docs/plugins.md shows: the plugin, and how it is built."""
    with open(tap.source("docs", "plugins.md"), encoding="utf-8") as file:
        text = file.read()
    code = re.search(r"^```c\n(.*?)^```", text, re.S | re.M).group(1)
    build = re.search(r"^```sh\n(cc .*?)$", text, re.M).group(1)
    return code, build


class FewVendor(http.server.ThreadingHTTPServer):
    """Asked for products by the plugins of tests/bad-plugins: GET /products?page=N."""
    daemon_threads = True

    def __init__(self, ids):
        self.ids = ids
        super().__init__(("127.0.0.1", 0), FewPages)
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class FewPages(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        page = int(urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)["page"][0])
        rows = [{"id": ident, "name": ident.upper()} for ident in self.server.ids] if page == 1 else []
        body = json.dumps({"products": rows}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


def few_house(name, ids):
    """Treez in one store, a bad plugin in the other."""
    house = House(size=50)
    house.add_plugin(name)
    vendor = FewVendor(ids)
    house.write("conf.d/bad.conf", f"""store: {{ id = "bad"; timezone = "UTC"; currency = "USD"; connectors: {{ pos: {{
        plugin = "{name}"; url = "{vendor.url}"; allow_private = true; sync = "off"; }}; }}; }};""")
    return house.start(), vendor


def worker_of(house, name):
    return installed_plugin(house, name)["worker"]["pid"]


# ---- the tests ----

def test_a_copy_of_a_plugin_under_another_name_serves_another_store():
    house = House(size=50).start()
    house.sync("products", full=True)
    before = house.workers()
    house.add_plugin("treez", "treez-two")
    house.drop_in("uptown", plugin_name="treez-two", dispensary="downtown-2")
    reload(house)
    tap.equal(house.sync("products", full=True, store="uptown")["state"], "complete")
    tap.equal(house.differences(store="uptown"), [])
    tap.equal(house.differences(), [])
    tap.true(set(before) < set(house.workers()), "the first plugin's worker went on, beside another")
    tap.equal(installed_plugin(house, "treez-two")["state"], "running")


def test_the_plugin_of_the_manual_is_built_with_the_installed_sdk_and_served():
    house = House(size=40, vendor="treez", sandbox=("millrace",)).start()
    author = tap.folder()
    code, build = manual()
    with open(os.path.join(author, "millrace.c"), "w", encoding="utf-8") as file:
        file.write(code)
    made = subprocess.run(["sh", "-c", build.replace("-Wall -Wextra", "-Wall -Wextra -Werror")], cwd=author, env=install_sdk(tap.folder()),
                          capture_output=True, text=True, check=False)
    tap.equal((made.returncode, made.stderr), (0, ""), build)
    described = subprocess.run([tap.built("tillbridge-worker"), "--describe", "./millrace.so"], cwd=author, capture_output=True, text=True, check=False)
    tap.equal(json.loads(described.stdout)["name"], "millrace", described.stderr)
    shutil.copy(os.path.join(author, "millrace.so"), house.path("plugins", "millrace.so"))
    settings = "\n".join(f"{key} = {json.dumps(value)};" for key, value in house.sandbox.vendor("millrace")["settings"].items())
    house.write("conf.d/mill.conf", f"""store: {{ id = "mill"; timezone = "UTC"; currency = "USD"; connectors: {{ pos: {{ plugin = "millrace";
        url = "{house.sandbox.vendor("millrace")["url"]}"; allow_private = true; sync = "off"; {settings} }}; }}; }};""")
    reload(house)
    tap.equal(house.sync("products", full=True, store="mill")["state"], "complete")
    theirs = {item["id"]: item for item in house.sandbox.admin("GET", "millrace/products?limit=1000")["items"]}
    ours = {item["id"]: item for item in house.all("/v1/stores/mill/products")}
    tap.equal(sorted(ours), sorted(theirs))
    for ident, item in theirs.items():
        tap.equal([price["amount"] for price in ours[ident]["prices"]], [int(row["dollars"] * 100 + 0.5) for row in item["prices"]], ident)
        tap.equal(ours[ident]["quantity"], item["on_hand"], ident)


def test_refused_plugins_are_named_with_file_and_reason_and_the_rest_runs():
    house = House(size=50)
    for name in REFUSED:
        house.add_plugin(name)
    house.write("plugins/notes.so", "This is no library.\n")
    house.write("plugins/empty.so", "")
    house.start()
    for name in [*REFUSED, "notes", "empty"]:
        found = installed_plugin(house, name)
        tap.equal(found["state"], "refused", name)
        reason = found.get("text", "")
        tap.true(reason and SAYS.get(name, "") in reason, f"{name}: no reason in {found}")
        lines = [line for line in house.hub.errors if f"{name}.so" in line]
        tap.true(lines, f"{name}: the log does not name its file: {house.hub.log()[-2000:]}")
        tap.true(any(SAYS.get(name, "") in line and len(line) > len(house.path("plugins", name)) + 20 for line in lines), f"{name}: no reason in {lines}")
    tap.equal(house.sync("products", full=True)["state"], "complete")
    tap.equal(house.differences(), [])


def test_a_plugin_that_crashes_takes_its_own_worker_and_nothing_else():
    house, vendor = few_house("crash", ["a", "boom", "c"])
    hub, treez = house.hub.pid, None
    ident = house.post("/v1/connectors/bad/pos/sync", {"stream": "products", "full": True}).json()["passes"][0]["id"]
    tap.wait_until(lambda: installed_plugin(house, "crash").get("worker", {}).get("restarts", 0) >= 2, "its worker was started again")
    for _ in range(3):
        tap.equal(house.sync("inventory", full=True)["state"], "complete")
        treez = treez or worker_of(house, "treez")
    tap.equal(worker_of(house, "treez"), treez, "the worker of treez")
    tap.equal((house.hub.pid, house.hub.process.poll(), house.get("/healthz").status), (hub, None, 200))
    vendor.ids = ["a", "b", "c"]
    house.wait_pass(ident)
    tap.wait_until(lambda: len(house.all("/v1/stores/bad/products")) == 3, "what the vendor mended is read")


def test_a_plugin_that_never_comes_back_is_ended_and_nothing_else():
    house, vendor = few_house("loop", ["a", "loop", "c"])
    house.sync("products", full=True)
    treez = worker_of(house, "treez")
    house.post("/v1/connectors/bad/pos/sync", {"stream": "products", "full": True})
    tap.wait_until(lambda: house.stream("products", "bad")["state"] == "running", "it runs")
    looping = worker_of(house, "loop")
    tap.equal(house.sync("inventory", full=True)["state"], "complete", "treez, while the other loops")
    tap.wait_until(lambda: not os.path.exists(f"/proc/{looping}"), "the worker that loops is ended")
    tap.equal((worker_of(house, "treez"), house.hub.process.poll()), (treez, None))
    tap.equal(house.sync("inventory", full=True)["state"], "complete", "treez, afterwards")
    vendor.ids = ["a", "b", "c"]
    tap.wait_until(lambda: len(house.all("/v1/stores/bad/products")) == 3, "what the vendor mended is read", tap.PATIENCE_S * 3)


def test_a_new_file_and_a_reload_swap_a_plugin():
    house = House(size=50).start()
    house.sync("products", full=True)
    before, old = house.json("/v1/connectors/downtown/pos"), worker_of(house, "treez")
    tap.equal(before["version"], "1.0.0")
    variants.treez(house.path("plugins", "treez.so"), version="1.0.1")
    tap.equal(house.json("/v1/connectors/downtown/pos")["version"], "1.0.0", "before the reload")
    reload(house)
    tap.equal(house.json("/v1/connectors/downtown/pos")["version"], "1.0.1")
    house.sandbox.admin("POST", "treez/change", {"kind": "products", "count": 5, "field": "price"})
    tap.equal(house.sync("inventory", full=True)["state"], "complete")
    tap.true(worker_of(house, "treez") != old, "another worker runs it")
    tap.wait_until(lambda: not os.path.exists(f"/proc/{old}"), "the old worker has ended")
    tap.equal(house.stream("products")["passes"], before["streams"]["products"]["passes"], "passes that were made are remembered")


def test_a_plugin_that_is_removed_stops_its_connectors_and_keeps_what_is_served():
    house = House(size=50).start()
    house.sync("products", full=True)
    seq = house.follow()[1]
    os.rename(house.path("plugins", "treez.so"), house.path("treez.so.away"))
    reload(house)
    found = house.json("/v1/connectors/downtown/pos")
    tap.equal((found["state"], found["reason"]), ("failing", "plugin_missing"))
    tap.equal(house.post("/v1/connectors/downtown/pos/sync", {"stream": "products"}).status, 503)
    tap.equal(house.differences(), [])
    tap.equal(house.follow(seq)[0], [])
    tap.equal(len(house.follow(kinds="products")[0]), 50, "the feed tells what the lists show")
    tap.wait_until(lambda: not house.workers(), "its worker has ended")
    os.rename(house.path("treez.so.away"), house.path("plugins", "treez.so"))
    reload(house)
    tap.equal(house.sync("inventory", full=True)["state"], "complete")
    tap.equal(house.follow(seq, kinds="products")[0], [])


if __name__ == "__main__":
    tap.run(globals())

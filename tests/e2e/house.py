"""A whole installation in a temporary folder: sandbox, tillbridge.conf, drop-ins, plugins, tillbridged.

    house = House(size=500)
    house.start()
    house.sync("products", full=True)
    tap.equal(house.differences("products"), [])
"""
import glob
import json
import os
import shutil
import signal
import urllib.parse

import tap

WIDE_OPEN = "pace: { per_second = 10000.0; burst = 10000; at_once = 8; };"


def plugin(name):
    """The built plugin of that name, wherever libtool put it."""
    for pattern in (f"plugins/{name}/.libs/{name}.so", f"tests/bad-plugins/.libs/{name}.so", f"tests/faults/.libs/{name}.so"):
        found = glob.glob(tap.built(pattern))
        if found:
            return found[0]
    raise AssertionError(f"plugin {name} is not built")


def runs(pid):
    """Does the process run? One that ended, but that nobody waited for yet, does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


class House:
    """vendor: whose sandbox; sync: the drop-in's group (`"off"`: nothing runs by itself)."""

    def __init__(self, size=200, vendor="treez", sandbox=(), sync='sync = "off";', store="downtown", extra=WIDE_OPEN, host=""):
        self.folder = tap.folder()
        for name in ("plugins", "conf.d"):
            os.mkdir(os.path.join(self.folder, name))
        self.vendor = vendor
        self.sandbox = tap.start_sandbox("--size", str(size), "--rate", "0", *sandbox, vendor)
        self.add_plugin(vendor)
        self.drop_in(store, vendor, sync, extra)
        self.write("tillbridge.conf", f"""
            listen: {{ api = "127.0.0.1:0"; webhooks = "off"; socket = "{self.folder}/api.sock"; }};
            state = "state"; conf_d = "conf.d"; plugins = "plugins"; {host}""")
        self.hub = None
        self.api = None

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(name), 0o600)

    def add_plugin(self, name, as_name=None):
        """Copies a plugin into the folder in one step, as a package would."""
        target = self.path("plugins", (as_name or name) + ".so")
        shutil.copy(plugin(name), target + ".part")
        os.rename(target + ".part", target)

    def settings(self, **changed):
        ours = "settings_v3" if changed.get("generation") == "v3" else "settings"
        values = {**self.sandbox.vendor(self.vendor)[ours], **changed}
        return "\n".join(f"{key} = {json.dumps(value)};" for key, value in values.items())

    def drop_in(self, store, plugin_name=None, sync="", extra=WIDE_OPEN, **settings):
        url = self.sandbox.vendor(self.vendor)["url"]
        self.write(f"conf.d/{store}.conf", f"""store: {{
            id = "{store}"; timezone = "America/Los_Angeles"; currency = "USD";
            connectors: {{ pos: {{
                plugin = "{plugin_name or self.vendor}"; url = "{url}"; allow_private = true;
                {self.settings(**settings)} {sync} {extra}
            }}; }};
        }};""")

    # ---- the daemon ----

    def start(self, env=None, ready=True):
        listen = self.path("state", "listen.json")
        if os.path.exists(listen):
            os.unlink(listen)
        self.hub = tap.start(tap.built("tillbridged"), "--config", self.path("tillbridge.conf"), env=env)
        if ready:
            tap.wait_until(self.is_ready, "tillbridged is ready")
        return self

    def is_ready(self):
        if self.hub.process.poll() is not None:
            raise AssertionError(f"tillbridged ended with {self.hub.process.returncode}: {self.hub.log()[-3000:]}")
        try:
            with open(self.path("state", "listen.json"), encoding="utf-8") as file:
                self.api = "http://" + json.load(file)["api"]
            tap.api(self.api)
            return self.get("/readyz").status == 200
        except (OSError, ValueError):
            return False

    def stop(self):
        self.hub.stop()

    def kill_hub(self):
        """kill -9; its workers go with it."""
        workers = self.workers()
        self.hub.kill()
        tap.wait_until(lambda: not any(runs(pid) for pid in workers), "the workers are gone")

    def workers(self):
        """Process ids of the hub's workers."""
        try:
            with open(f"/proc/{self.hub.pid}/task/{self.hub.pid}/children", encoding="ascii") as file:
                return [int(word) for word in file.read().split()]
        except OSError:
            return []

    def kill_worker(self):
        for pid in self.workers():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    # ---- the API ----

    def get(self, path, **query):
        return tap.request("GET", self.api + path + ("?" + urllib.parse.urlencode(query) if query else ""))

    def json(self, path, **query):
        answer = self.get(path, **query)
        tap.true(answer.status == 200, f"GET {path} {query}: {answer.status} {answer.body[:500]!r}")
        return answer.json()

    def post(self, path, body=None):
        return tap.request("POST", self.api + path, {} if body is None else body)

    def all(self, path, **query):
        """Every item of a list."""
        items = []
        while True:
            page = self.json(path, limit=1000, **query)
            items += page["items"]
            if "next" not in page:
                return items
            query["cursor"] = page["next"]

    def sync(self, stream, full=False, store="downtown", timeout_s=tap.PATIENCE_S * 3):
        """Asks for a pass and waits for its end; the pass."""
        answer = self.post(f"/v1/connectors/{store}/pos/sync", {"stream": stream, "full": full})
        tap.true(answer.status == 202, f"sync: {answer.status} {answer.body!r}")
        ident = answer.json()["passes"][0]["id"]
        return self.wait_pass(ident, timeout_s)

    def wait_pass(self, ident, timeout_s=tap.PATIENCE_S * 3):
        def ended():
            one = self.get(f"/v1/passes/{ident}").json()
            return one if one.get("state") in ("complete", "failed", "held", "refused") else None
        return tap.wait_until(ended, f"pass {ident} has ended", timeout_s)

    def stream(self, name, store="downtown"):
        return self.json(f"/v1/connectors/{store}/pos")["streams"][name]

    def follow(self, since=0, **query):
        """All changes after a place, and the place behind them."""
        items, cursor = [], {}
        while True:
            page = self.json("/v1/changes", since=since, limit=1000, **query, **cursor)
            items += page["items"]
            if "next" not in page:
                return items, page["seq"]
            cursor = {"cursor": page["next"]}

    # ---- the truth ----

    def theirs(self, kind):
        """The vendor's own records that are there."""
        items, after = [], None
        while True:
            page = self.sandbox.admin("GET", f"{self.vendor}/{kind}?limit=1000" + (f"&offset={after}" if after is not None else ""))
            items += page["items"]
            after = page.get("next")
            if after is None:
                return items

    def differences(self, kind="products", store="downtown"):
        """Products of the vendor that the store lacks, holds otherwise, or holds too many. Deleted ones must be gone or not visible."""
        ours = {item["id"]: item for item in self.all(f"/v1/stores/{store}/{kind}")}
        wrong = []
        for item in self.theirs(kind):
            mine = ours.pop(item["product_id"], None)
            if mine is None:
                wrong.append(("missing", item["product_id"]))
            elif mine.get("updated_at") != item_time(item) or mine.get("quantity") != quantity(item) or price(mine) != cents(item):
                wrong.append(("differs", item["product_id"], price(mine), cents(item)))
        return wrong + [("too many", ident) for ident in ours]


def price(product):
    prices = product.get("prices", [])
    return prices[0]["amount"] if len(prices) == 1 else None


def cents(item):
    sell = item["pricing"].get("price_sell")
    return None if sell is None else int(sell * 100 + 0.5)


def quantity(item):
    value = item["sellable_quantity"]
    return int(value) if value == int(value) else value


def item_time(item):
    import datetime
    moment = datetime.datetime.fromisoformat(item["last_updated_at"]).astimezone(datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"

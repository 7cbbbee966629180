"""What the tests of faults share: a house whose plugin runs without a pause, a follower of the feed, and the sums of
passes."""
import json
import os
import random
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import house  # noqa: E402
import tap  # noqa: E402

LONG = bool(os.environ.get("TB_LONG"))
KINDS = ("products", "promotions")


class HastyHouse(house.House):
    """A house at Treez whose streams have no least distance between passes (hasty.c), in pages of page_size."""

    def __init__(self, size=3000, page_size=100, **more):
        self.hasty_extra = house.WIDE_OPEN + f" page_size = {page_size};"
        super().__init__(size=size, extra=self.hasty_extra, **more)

    def add_plugin(self, name, as_name=None):
        super().add_plugin("hasty" if name == "treez" else name, as_name)

    def drop_in(self, store, plugin_name=None, sync="", extra=None, **settings):
        plugin_name = "hasty" if plugin_name in (None, "treez") else plugin_name
        super().drop_in(store, plugin_name, sync, extra or self.hasty_extra, **settings)

    def ask(self, stream="products", full=True, store="downtown"):
        """Asks for a pass and does not wait; its id."""
        answer = self.post(f"/v1/connectors/{store}/pos/sync", {"stream": stream, "full": full})
        tap.equal(answer.status, 202, f"sync {answer.body!r}")
        return answer.json()["passes"][0]["id"]

    def change_vendor(self, percent=1, add=3, delete=3):
        """A little of everything happens at the vendor's."""
        self.sandbox.admin("POST", "treez/change", {"kind": "products", "percent": percent, "field": "price"})
        self.sandbox.admin("POST", "treez/add", {"kind": "products", "count": add})
        self.sandbox.admin("POST", "treez/delete", {"kind": "products", "count": delete})

    def held_in_store(self, kind, store="downtown"):
        return {item["id"]: item for item in self.all(f"/v1/stores/{store}/{kind}")}

    def whole_full_pass(self, stream="products"):
        """A complete full pass that was not resumed: after it the store is what the vendor is."""
        for _ in range(3):
            done = self.sync(stream, full=True)
            tap.equal(done["state"], "complete", f"full pass {done}")
            if not done["resumed"]:
                return done
        raise AssertionError("three full passes in a row were resumed")

    def check_sums(self):
        """Every pass that ended adds up (P12)."""
        passes = self.all("/v1/passes")
        tap.true(passes, "there are passes")
        tap.equal([one for one in passes if not adds_up(one)], [], "passes that do not add up")
        return passes


def adds_up(one):
    because = one.get("filtered_because", {})
    return (one["seen"] == one["stored"] + one["unchanged"] + one["rejected"] + one["filtered"]
            and one["filtered"] == sum(because.values()))


class Follower(threading.Thread):
    """Reads /v1/changes by seq for ever, over all restarts, and keeps its own copy from it. `trouble`: what it should
    never have seen."""

    def __init__(self, the_house):
        super().__init__(daemon=True)
        self.house, self.seq, self.reads, self.told = the_house, 0, 0, 0
        self.copy, self.deleted, self.trouble = {}, set(), []
        self.done = threading.Event()
        self.start()

    def run(self):
        pause = random.Random(1)
        while not self.done.is_set() and not self.trouble:
            try:
                more = self.read()
            except (OSError, ValueError, TypeError):  # the daemon is away, or was killed in the middle of its answer
                more = False
            if not more:
                self.done.wait(pause.uniform(0.002, 0.02))

    def read(self):
        answer = tap.request("GET", f"{self.house.api}/v1/changes?since={self.seq}&limit=1000")
        if answer.status != 200:
            if answer.status != 503:
                self.trouble.append(f"since={self.seq}: {answer.status} {answer.body!r}")
            return False
        page = json.loads(answer.body)
        for item in page["items"]:
            self.take(item)
        if page["seq"] < self.seq:
            self.trouble.append(f"the page of since={self.seq} ends at {page['seq']}")
        self.seq = page["seq"]
        self.reads += 1
        return "next" in page

    def take(self, item):
        key = (item["kind"], item["id"])
        if item["seq"] <= self.seq:
            self.trouble.append(f"seq {item['seq']} after {self.seq}")
        self.seq = item["seq"]
        self.told += 1
        if item["op"] == "delete":
            if key in self.deleted:
                self.trouble.append(f"{key} was deleted twice")
            self.copy.pop(key, None)
            self.deleted.add(key)
        else:
            if self.copy.get(key) == item["record"]:
                self.trouble.append(f"{key} was told twice with the same content, at {item['seq']}")
            self.deleted.discard(key)
            self.copy[key] = item["record"]

    def check(self):
        tap.equal(self.trouble[:3], [], "what the follower should not have seen")

    def finish(self):
        """Waits until it has read all, ends, and compares its copy with the store."""
        latest = self.house.follow(self.seq)[1]
        tap.wait_until(lambda: self.trouble or self.seq >= latest, "the follower has read all")
        self.done.set()
        self.join()
        self.check()
        for kind in KINDS:
            ours = {ident: item for (its_kind, ident), item in self.copy.items() if its_kind == kind}
            store = {ident: as_told(item) for ident, item in self.house.held_in_store(kind).items()}
            wrong = [ident for ident in ours.keys() | store.keys() if ours.get(ident) != store.get(ident)]
            tap.equal([(ident, ours.get(ident), store.get(ident)) for ident in wrong[:2]], [],
                      f"{len(wrong)} {kind} that the follower holds otherwise")


def as_told(item):
    """A record of a list as the feed tells it."""
    return {name: value for name, value in item.items() if name not in ("available", "as_of")}

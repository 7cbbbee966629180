"""F1 and F13: hub and worker are killed at random moments and on each page while the vendor changes; nothing is lost,
nothing is told twice, and the feed's numbers only grow. TB_SEEDS=n: so many kills; TB_LONG: ten times as many."""
import os
import random
import time
import urllib.parse

import faults
import tap

KILLS = int(os.environ.get("TB_SEEDS", 2000 if faults.LONG else 200))


def ask(house):
    """A pass shall run; the daemon may be on its way down."""
    try:
        house.ask(full=random.random() < 0.5)
    except OSError:
        pass


def kill_somewhere(house, dice):
    """Half of the kills come within the first milliseconds, where a pass begins or is taken up again."""
    time.sleep(dice.choice((dice.uniform(0, 0.02), dice.uniform(0, 0.3))))
    if dice.random() < 0.5:
        house.kill_worker()
        return "worker"
    house.kill_hub()
    house.start()
    return "hub"


def test_kill_9_at_random_moments_loses_nothing_and_tells_nothing_twice():
    seed = int(os.environ.get("TB_SEED", "1"))
    dice = random.Random(seed)
    random.seed(seed)
    house = faults.HastyHouse()
    house.start()
    follower = faults.Follower(house)
    killed = {"hub": 0, "worker": 0}
    for number in range(KILLS):
        ask(house)
        if number % 4 == 0:
            house.change_vendor()
        killed[kill_somewhere(house, dice)] += 1
        follower.check()
    house.whole_full_pass()
    house.sync("products", full=False)
    print(f"# seed {seed}: killed {killed}, {follower.seq} changes, {follower.reads} reads of the feed")
    tap.equal(house.differences()[:5], [], "the store against the vendor")
    follower.finish()
    passes = house.check_sums()
    tap.true(sum(one["resumed"] for one in passes) > 0, "some passes were resumed")
    tap.true(min(killed.values()) > 0, "both were killed")


class PageWatch:
    """What the vendor saw of a pass: how often each page was asked for."""

    def __init__(self, house):
        self.house, self.times = house, {}
        self.after = max([one["n"] for one in house.sandbox.requests()], default=0)

    def look(self):
        for one in self.house.sandbox.requests(after=self.after):
            self.after = one["n"]
            if one["path"].endswith("/product/product_list"):
                page = int(urllib.parse.parse_qs(one["query"])["page"][0])
                self.times[page] = self.times.get(page, 0) + 1
        return self.times

    def wait_for(self, page):
        """Looks more often than tap.wait_until() does: the answer is on its way."""
        end = time.monotonic() + tap.PATIENCE_S
        while page not in self.look():
            tap.true(time.monotonic() < end, f"page {page} is asked for")
            time.sleep(0.01)


def kill_on_pages(house, pages):
    """One full pass; the worker is killed once on each of these pages, while the vendor thinks about its answer."""
    watch = PageWatch(house)
    ident = house.ask(full=True)
    for page in pages:
        watch.wait_for(page)
        house.kill_worker()
    done = house.wait_pass(ident)
    tap.equal((done["state"], done["resumed"]), ("complete", False))
    return done, watch.look()


def test_a_worker_killed_on_each_page_costs_one_more_reading_of_that_page():
    house = faults.HastyHouse(size=10000)
    house.start()
    house.sandbox.fault("slow", route="*/product_list", ms=200)
    follower = faults.Follower(house)
    pages = range(1, 101)
    done, times = kill_on_pages(house, pages)
    tap.equal({page: count for page, count in times.items() if count != 2}, {}, "pages that were not read twice")
    tap.equal(sorted(times), list(pages))
    tap.equal((done["pages"], done["deleted"], house.differences()[:5]), (100, 0, []))
    records = sum(len(house.held_in_store(kind)) for kind in faults.KINDS)
    tap.wait_until(lambda: follower.told >= records, "the follower has read all")
    changed = house.sandbox.admin("POST", "treez/change", {"kind": "products", "percent": 5, "field": "price"})["count"]
    done, times = kill_on_pages(house, range(5, 101, 10))
    tap.equal(sum(times.values()), 110, "pages read")
    follower.finish()
    tap.equal((done["stored"], follower.told, house.differences()[:5]), (changed, records + changed, []))
    house.check_sums()


tap.run(globals())

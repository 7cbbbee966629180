"""The configuration is read anew and the daemon is asked to end while syncs run: drop-ins come, change, break and go,
and nothing else notices."""
import os
import random
import signal
import time

import faults
import house as houses
import tap

STORES = ("downtown", "uptown", "harbor")
END_S = 5  # a drain while pages are short


def stores_house(size=2000):
    """Three stores at one vendor, each of which syncs by itself."""
    house = faults.HastyHouse(size=size, sync='sync: { products = "1s"; inventory = "off"; };')
    for store in STORES[1:]:
        write(house, store)
    return house.start()


def write(house, store, every="1s", more=""):
    house.drop_in(store, sync=f'sync: {{ products = "{every}"; inventory = "off"; }};', extra=house.hasty_extra + more)


def reload(house):
    answer = house.post("/v1/reload")
    tap.equal(answer.status, 200, f"reload: {answer.body!r}")
    return answer.json()


def stores(house):
    return sorted(one["id"] for one in house.json("/v1/stores")["items"])


def passes_of(house, store):
    return house.stream("products", store)["passes"]


def goes_on(house, store):
    before = passes_of(house, store)
    tap.wait_until(lambda: passes_of(house, store) > before, f"{store} goes on syncing")


def test_a_broken_drop_in_keeps_what_its_store_runs_with_and_the_others_change():
    house = stores_house()
    write(house, "uptown", every="2s")
    house.write("conf.d/harbor.conf", 'store: { id = "harbor"; timezone = "Mars/Olympus"; connectors: { pos: { ')
    plan = reload(house)
    tap.true(plan["errors"] and plan["applied"], f"{plan}")
    tap.true("harbor.conf" in plan["errors"][0]["file"], f"{plan['errors']}")
    tap.equal(stores(house), sorted(STORES))
    tap.equal([house.stream("products", store)["every_s"] for store in STORES], [1, 2, 1])
    for store in STORES:
        goes_on(house, store)
    write(house, "harbor", every="3s")
    tap.equal(reload(house)["errors"], [])
    tap.equal(house.stream("products", "harbor")["every_s"], 3)
    house.check_sums()


def test_a_drop_in_with_a_wrong_value_keeps_its_store_running_too():
    house = stores_house()
    write(house, "harbor", more=' page_sise = 7;')
    plan = reload(house)
    tap.true("page_size" in plan["errors"][0]["hint"], f"{plan['errors']}")
    goes_on(house, "harbor")


def test_a_store_that_goes_during_its_sync_comes_back_with_what_it_had():
    house = stores_house(size=4000)
    tap.wait_until(lambda: passes_of(house, "uptown") > 0, "a first pass of uptown")
    had = house.held_in_store("products", "uptown")
    house.sandbox.fault("slow", route="*/product_list", ms=20)
    ident = house.ask(store="uptown")
    tap.wait_until(lambda: house.json(f"/v1/passes/{ident}")["pages"] >= 3, "uptown is in the middle of a pass")
    os.unlink(house.path("conf.d", "uptown.conf"))
    reload(house)
    tap.equal(stores(house), ["downtown", "harbor"])
    tap.equal(house.get("/v1/stores/uptown/products").status, 404)
    goes_on(house, "downtown")
    house.sandbox.admin("DELETE", "faults")
    write(house, "uptown")
    reload(house)
    tap.true(house.held_in_store("products", "uptown") == had, "uptown serves what it had, at once")
    goes_on(house, "uptown")
    tap.equal(house.differences("products", "uptown")[:3], [])
    house.check_sums()


def test_reloads_under_load_lose_no_record_and_tell_none_twice():
    house = stores_house()
    follower = StoreFollower(house)
    dice = random.Random(int(os.environ.get("TB_SEED", "1")))
    for number in range(400 if faults.LONG else 40):
        store = dice.choice(STORES[1:])
        what = dice.choice(("change", "break", "remove", "add", "hangup", "vendor", "plugin"))
        if what == "break":
            house.write(f"conf.d/{store}.conf", "store: {")
        elif what == "remove":
            if os.path.exists(house.path("conf.d", store + ".conf")):
                os.unlink(house.path("conf.d", store + ".conf"))
        elif what == "vendor":
            house.change_vendor()
        elif what == "plugin":
            house.add_plugin("treez", "hasty")
        else:
            write(house, store, every=dice.choice(("1s", "2s")), more=dice.choice(("", " tax_included = true;")))
        if what == "hangup":
            house.hub.process.send_signal(signal.SIGHUP)
        else:
            reload(house)
        time.sleep(dice.uniform(0, 0.2))
        follower.check()
    for store in STORES:
        write(house, store, every="1h")
    tap.equal(reload(house)["errors"], [])
    for store in STORES:
        whole_full_pass(house, store)
        tap.equal(house.differences("products", store)[:3], [], store)
    follower.check()
    house.check_sums()


class StoreFollower(faults.Follower):
    """Ids are the same in all stores: downtown, which no reload touches, is followed."""

    def take(self, item):
        if item["store"] == "downtown":
            super().take(item)
        else:
            self.seq = item["seq"]


def whole_full_pass(house, store):
    for _ in range(3):
        done = house.sync("products", full=True, store=store)
        if done["state"] == "complete" and not done["resumed"]:
            return
    raise AssertionError(f"{store}: no whole full pass: {done}")


def test_sigterm_during_a_sync_ends_with_0_and_the_pass_goes_on_after_the_start():
    house = faults.HastyHouse(size=3000)
    house.start()
    house.sandbox.fault("slow", route="*/product_list", ms=50)
    ident = house.ask()
    tap.wait_until(lambda: house.json(f"/v1/passes/{ident}")["pages"] >= 3, "some pages are stored")
    started = time.monotonic()
    house.stop()
    tap.true(time.monotonic() - started < END_S, f"it took {time.monotonic() - started:.1f} s to end")
    tap.true("ended" in house.hub.log(), "it says that it ended")
    house.sandbox.admin("DELETE", "faults")
    house.start()
    done = house.wait_pass(ident)
    tap.equal((done["state"], done["resumed"], done["pages"], house.differences()[:3]), ("complete", True, 30, []))
    house.check_sums()


def test_sigterm_lets_a_page_that_the_vendor_is_slow_with_end():
    house = faults.HastyHouse(size=300)
    house.start()
    house.sandbox.fault("slow", route="*/product_list", ms=1500)
    house.ask()
    tap.wait_until(lambda: [one for one in house.sandbox.requests() if "product_list" in one["path"]], "a page is asked for")
    house.stop()
    house.sandbox.admin("DELETE", "faults")
    pages = len([one for one in house.sandbox.requests() if "product_list" in one["path"]])
    tap.equal(pages, 1, "no new page was asked for while it ended")
    house.start()
    tap.wait_until(lambda: house.stream("products")["passes"] == 1, "the pass goes on by itself")
    asked = [one["query"] for one in house.sandbox.requests() if "product_list" in one["path"]]
    tap.equal(len([query for query in asked if "page=1&" in query]), 1, "the page that was finished is not read again")


def test_a_second_sigterm_ends_it_at_once():
    house = faults.HastyHouse(size=300)
    house.start()
    house.sandbox.fault("stall", route="*/product_list")
    house.ask()
    tap.wait_until(lambda: house.sandbox.requests() and house.stream("products")["state"] == "running", "a page is asked for")
    workers = house.workers()
    house.hub.process.send_signal(signal.SIGTERM)
    tap.wait_until(lambda: "a second signal ends at once" in house.hub.log(), "it drains")
    started = time.monotonic()
    house.stop()
    tap.true(time.monotonic() - started < END_S, f"it took {time.monotonic() - started:.1f} s to end")
    tap.wait_until(lambda: not any(houses.runs(pid) for pid in workers), "the workers are gone")


tap.run(globals())

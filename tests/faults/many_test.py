"""P15 and P24: many stores at one worker, and many products in one. By default small; TB_LONG: 1,000 stores of 1,000
records over 10 plugins, and 1,000,000 products, with the sizes that GUARANTEES names (of a build without sanitizers)."""
import os
import time

import faults
import tap

PLUGINS, STORES = (10, 1000) if faults.LONG else (2, 40)
PRODUCTS = 1000000 if faults.LONG else 20000
ALL_MOST, HUB_MOST, WORKER_MOST = 200 << 20, 96 << 20, 64 << 20
READY_S = 2


def resident(pid):
    """What a process holds of memory, its share of what it shares."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith("Pss:"))


def all_resident(house):
    return resident(house.hub.pid) + sum(resident(pid) for pid in house.workers())


def instrumented():
    """Sanitizers take several times the memory."""
    with open(tap.built("config.status"), encoding="utf-8") as status:
        return "enable-sanitizers" in status.read()


def restart(house):
    house.stop()
    started = time.monotonic()
    house.start()
    return time.monotonic() - started


def ended_passes(house):
    text = house.get("/metrics").body.decode()
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith("tillbridge_passes_total"))


def test_many_stores_at_few_workers_all_get_their_records():
    house = faults.HastyHouse(size=1000, page_size=1000, sandbox=("--no-log",))
    os.unlink(house.path("conf.d", "downtown.conf"))
    names = [f"hasty{number}" for number in range(PLUGINS)]
    for name in names:
        house.add_plugin("treez", name)
    stores = [f"s{number}" for number in range(STORES)]
    for number, store in enumerate(stores):
        house.drop_in(store, names[number % PLUGINS], sync='sync = "off";')
    house.start()
    started, most = time.monotonic(), 0
    for store in stores:
        house.ask(store=store)

    def over():
        nonlocal most
        most = max(most, all_resident(house))
        return ended_passes(house) == STORES

    tap.wait_until(over, "every store has had its pass", 600 if faults.LONG else 60)
    took = time.monotonic() - started
    for store in stores[:: max(1, STORES // 5)]:
        tap.equal(house.differences("products", store)[:3], [], store)
    house.check_sums()
    rest = time.monotonic()
    if faults.LONG:  # maps are kept for two minutes, then given back
        tap.wait_until(lambda: all_resident(house) < ALL_MOST, "memory is given back", 240)
    print(f"# {all_resident(house) >> 20} MiB {time.monotonic() - rest:.0f} s after the last pass")
    ready_s = restart(house)
    print(f"# {STORES} stores, {PLUGINS} plugins: {took:.1f} s, at most {most >> 20} MiB, "
          f"{all_resident(house) >> 20} MiB after a restart, which took {ready_s:.2f} s")
    tap.true(ready_s < READY_S or not faults.LONG, f"ready after {ready_s:.2f} s")
    at_rest = all_resident(house)
    tap.true(at_rest < ALL_MOST or instrumented(), f"{at_rest} bytes resident at rest")


def test_many_products_of_one_store_take_bounded_memory():
    house = faults.HastyHouse(size=PRODUCTS, page_size=1000, sandbox=("--no-log",))
    house.start()
    most = {"hub": 0, "worker": 0}
    for _ in range(2):
        ident, started = house.ask(), time.monotonic()

        def over():
            most["hub"] = max(most["hub"], resident(house.hub.pid))
            most["worker"] = max([most["worker"]] + [resident(pid) for pid in house.workers()])
            return house.json(f"/v1/passes/{ident}")["state"] == "complete"

        tap.wait_until(over, "the pass is complete", 600)
        print(f"# {PRODUCTS} products: {time.monotonic() - started:.1f} s, at most "
              + ", ".join(f"{name} {size >> 20} MiB" for name, size in most.items()))
    ready_s = restart(house)
    tap.equal(sum(1 for one in house.check_sums() if one["stored"] == 0), 1, "passes that found nothing new")
    print(f"# ready {ready_s:.2f} s after the start")
    if not instrumented():
        tap.true(most["hub"] < HUB_MOST and most["worker"] < WORKER_MOST, f"{most}")
    tap.true(ready_s < READY_S or not faults.LONG, f"ready after {ready_s:.2f} s")


tap.run(globals())

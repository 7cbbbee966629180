"""search, idle and start: what grows with the number of products, connectors and stores."""
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

from parts import BUILD, PLUGINS, Daemon, Sandbox, drop_in, print_table, request
from serving import get_load

SEARCH_AIM = 1.1  # of the p99 of reads by id beside searches to that without
IDLE_AIM_KIB, START_AIM_MS = 8, 150
READ_RATE = 500   # a second, by id
IDLE_S = 10
START_PLUGINS = 10


def some_ids(address, count):
    items = request(address, "GET", f"/v1/stores/downtown/products?limit={count}")["items"]
    return [urllib.parse.quote(one["id"], safe="") for one in items], items


def search_targets(items):
    """Searches, filters and paging: words that are common and rare, exact fields, and lists that go on."""
    base = "/v1/stores/downtown/products?limit=100&"
    words = sorted({word for one in items for word in one["name"].split() if word.isalpha()})
    queries = [urllib.parse.urlencode({"q": word}) for word in words[:20]]
    queries += [urllib.parse.urlencode({"q": f"{words[n]} {words[-1 - n]}"}) for n in range(min(5, len(words)))]
    for field in ("category", "brand", "sku"):
        queries += [urllib.parse.urlencode({field: value}) for value in sorted({one[field] for one in items if field in one})[:5]]
    queries += ["visible=false", "in_stock=true", "in_stock=false", "updated_since=1m"]
    return [base + query for query in queries]


def timed_get(address, target):
    begun = time.monotonic()
    found = request(address, "GET", target)
    return found, (time.monotonic() - begun) * 1000


class Searching:
    """Asks for one search after the other, on four connections, until it is ended."""

    def __init__(self, address, targets):
        argv = [os.path.join(BUILD, "bench-load"), "get", address, "4", str(1 << 40), "0", *targets]
        self.process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)

    def end(self):
        if self.process.poll() is not None:
            raise SystemExit("the searches ended by themselves")
        self.process.terminate()
        self.process.wait()


def run_search(options):
    folder = tempfile.mkdtemp(prefix="tb-bench-", dir=options.folder)
    sandbox = Sandbox(options.many_products)
    daemon = Daemon(sandbox, folder)
    daemon.run_pass()
    ids, items = some_ids(daemon.address, 1000)
    targets = search_targets(items)
    reads = [f"/v1/stores/downtown/products/{one}" for one in ids]
    _, first_search_ms = timed_get(daemon.address, targets[0])
    searches = sorted(timed_get(daemon.address, target)[1] for target in targets)
    count, turns = min(options.reads, READ_RATE * IDLE_S), []
    for turn in range(options.pairs):
        alone = get_load(daemon.address, count, READ_RATE, reads)
        searching = Searching(daemon.address, targets)
        beside = get_load(daemon.address, count, READ_RATE, reads)
        searching.end()
        turns.append({"alone_p99_ms": alone["p99_ms"], "beside_p99_ms": beside["p99_ms"]})
        print(f"search: turn {turn + 1} of {options.pairs}", file=sys.stderr)
    daemon.end()
    daemon = Daemon(sandbox, folder)  # as after a long idle time: nothing of the store is in its memory
    _, first_ms = timed_get(daemon.address, reads[0])
    _, second_ms = timed_get(daemon.address, reads[1])
    daemon.end()
    sandbox.end()
    shutil.rmtree(folder)
    return {"products": options.many_products, "turns": turns, "aim": SEARCH_AIM,
            "alone_p99_ms": statistics.median(one["alone_p99_ms"] for one in turns),
            "beside_p99_ms": statistics.median(one["beside_p99_ms"] for one in turns),
            "ratio": statistics.median(one["beside_p99_ms"] / one["alone_p99_ms"] for one in turns),
            "first_search_ms": first_search_ms, "median_search_ms": statistics.median(searches), "slowest_search_ms": searches[-1],
            "first_get_ms": first_ms, "second_get_ms": second_ms}


def show_search(found):
    print(f"search, {found['products']} products: p99 of reads by id in ms, alone and beside searches")
    print_table([{"case": "", **{key: round(value, 2) for key, value in found.items() if isinstance(value, (int, float))}}],
                [("", "case"), ("alone", "alone_p99_ms"), ("beside", "beside_p99_ms"), ("ratio", "ratio"), ("aim", "aim")])
    print(f"first search (makes the index) {found['first_search_ms']:.0f} ms, then median {found['median_search_ms']:.1f} ms, "
          f"slowest {found['slowest_search_ms']:.0f} ms; after a start the first read by id {found['first_get_ms']:.0f} ms, "
          f"the second {found['second_get_ms']:.1f} ms\n")


# ---- idle ----

CONNECTORS_A_STORE = 10


def many_connectors(sandbox, store, count):
    """A drop-in with that many connectors, of which the first serves the store."""
    one = drop_in(sandbox, store)
    begin, end = one.index("pos: {"), one.rindex("}; }; };")
    body = one[begin + len("pos: {"):end]
    connectors = "".join(f"c{number}: {{{body}}};\n" for number in range(count))
    return f'{one[:begin]}{connectors}}}; catalogue = "c0"; customers = "c0"; }};\n'


def switches(pid):
    """How often its threads went to sleep and woke."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status", encoding="ascii") as file:
            total += sum(int(line.split()[1]) for line in file if line.startswith("voluntary_ctxt_switches"))
    return total


def anonymous_kib(daemon):
    return {name.split()[0]: sizes["RssAnon"] * 1024 for name, sizes in daemon.memory().items()}


def run_idle(options):
    sandbox = Sandbox(10)
    found = {}
    for count in (CONNECTORS_A_STORE, options.connectors):
        folder = tempfile.mkdtemp(prefix="tb-bench-", dir=options.folder)
        stores = [f"s{number}" for number in range(count // CONNECTORS_A_STORE)]
        daemon = Daemon(sandbox, folder, {store: many_connectors(sandbox, store, CONNECTORS_A_STORE) for store in stores})
        time.sleep(1)  # what the start still does
        before, cpu_before = {name: switches(pid) for name, pid in daemon.pids.items()}, daemon.cpu_s()
        time.sleep(IDLE_S)
        found[count] = {"kib": anonymous_kib(daemon), "cpu_ms": (daemon.cpu_s() - cpu_before) * 1000,
                        "wakeups": {name: switches(pid) - before[name] for name, pid in daemon.pids.items()}}
        daemon.end()
        shutil.rmtree(folder)
    sandbox.end()
    few, many = found[CONNECTORS_A_STORE], found[options.connectors]
    more = options.connectors - CONNECTORS_A_STORE
    return {"connectors": options.connectors, "found": found, "aim_kib": IDLE_AIM_KIB, "seconds": IDLE_S,
            "each_kib": {name: (many["kib"][name] - few["kib"][name]) / more for name in few["kib"]},
            "wakeups": many["wakeups"], "cpu_ms": many["cpu_ms"]}


def show_idle(found):
    each = found["each_kib"]
    print(f"idle, {found['connectors']} connectors: {sum(each.values()):.2f} KiB each (hub {each['hub']:.2f}, worker {each['worker']:.2f}; "
          f"aim {found['aim_kib']}); in {found['seconds']} s woken " +
          ", ".join(f"{name} {count} times" for name, count in found["wakeups"].items()) + f", {found['cpu_ms']:.1f} ms of CPU\n")


# ---- start ----

def run_start(options):
    sandbox = Sandbox(10)
    folder = tempfile.mkdtemp(prefix="tb-bench-", dir=options.folder)
    plugins, names = os.path.join(folder, "plugins"), [f"treez{number}" for number in range(START_PLUGINS)]
    os.mkdir(plugins)
    for name in names:
        shutil.copy(os.path.join(PLUGINS, "treez.so"), os.path.join(plugins, name + ".so"))
    stores = {f"s{n}": drop_in(sandbox, f"s{n}", names[n % START_PLUGINS]) for n in range(options.stores)}
    took = []
    for _ in range(options.pairs):
        daemon = Daemon(sandbox, folder, stores, plugins)
        took.append(daemon.ready_s * 1000)
        daemon.end()
    sandbox.end()
    shutil.rmtree(folder)
    return {"stores": options.stores, "plugins": START_PLUGINS, "took_ms": took, "median_ms": statistics.median(took), "aim_ms": START_AIM_MS}


def show_start(found):
    print(f"start, {found['plugins']} plugins, {found['stores']} stores: ready after {found['median_ms']:.0f} ms "
          f"(aim {found['aim_ms']}; {min(found['took_ms']):.0f} to {max(found['took_ms']):.0f})\n")

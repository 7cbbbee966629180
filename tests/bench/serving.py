"""read and feed: what serving costs, beside the least that it can cost."""
import http.client
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from parts import BUILD, PATIENCE_S, Daemon, Program, Sandbox, cpu_s, print_table, request

CONNECTIONS = 16
PAGES = 10  # that are read in turn
LIST = "/v1/stores/downtown/products?limit=100"
READ_AIMS = {"ratio": 0.6, "p99_ms": 5}
FEED_AIMS = {"ratio": 0.8, "p99_ms": 100}


def get_load(address, requests, rate, targets):
    argv = [os.path.join(BUILD, "bench-load"), "get", address, CONNECTIONS, requests, rate, *targets]
    done = subprocess.run([str(word) for word in argv], stdout=subprocess.PIPE, text=True, check=True, timeout=PATIENCE_S)
    found = json.loads(done.stdout)
    if found["wrong"]:
        raise SystemExit(f"{found['wrong']} of {requests} answers were not 200")
    return found


def page_targets(address):
    """The first pages of the list, as a client finds them."""
    targets = [LIST]
    while len(targets) < PAGES:
        page = request(address, "GET", targets[-1])
        if "next" not in page:
            break
        targets.append(f"{LIST}&cursor={page['next']}")
    return targets


def body_of(address, target):
    connection = http.client.HTTPConnection(address, timeout=PATIENCE_S)
    connection.request("GET", target)
    return connection.getresponse().read()


class Syncing(threading.Thread):
    """Changes a hundredth of the products and has them pulled, again and again."""

    def __init__(self, daemon, sandbox):
        super().__init__()
        self.daemon_, self.sandbox, self.over, self.passes = daemon, sandbox, threading.Event(), 0
        self.failed = None

    def run(self):
        try:
            while not self.over.is_set():
                self.sandbox.change(1)
                self.daemon_.run_pass()
                self.passes += 1
        except SystemExit as why:
            self.failed = why

    def end(self):
        self.over.set()
        self.join()
        if self.failed:
            raise self.failed


def cost_of(pids, reads, load):
    before = sum(cpu_s(pid) for pid in pids)
    found = load()
    return (sum(cpu_s(pid) for pid in pids) - before) / reads * 1e6, found


def beside_a_sync(daemon, sandbox, load, reads):
    """CPU of the reads alone: what the sync takes is measured before, by the pass, and taken off."""
    sandbox.change(1)
    a_pass = statistics.median([spent_by_pass(daemon, sandbox) for _ in range(3)])
    syncing = Syncing(daemon, sandbox)
    before = daemon.cpu_s()
    syncing.start()
    found = load()
    syncing.end()
    spent = daemon.cpu_s() - before - syncing.passes * a_pass
    return {"us": spent / reads * 1e6, "p99_ms": found["p99_ms"], "passes": syncing.passes}


def spent_by_pass(daemon, sandbox):
    sandbox.change(1)
    return sum(daemon.run_pass().values())


def run_read(options):
    folder = tempfile.mkdtemp(prefix="tb-bench-", dir=options.folder)
    sandbox = Sandbox(options.products)
    daemon = Daemon(sandbox, folder)
    daemon.run_pass()
    targets = page_targets(daemon.address)
    body = body_of(daemon.address, targets[0])
    with open(os.path.join(folder, "body"), "wb") as file:
        file.write(body)
    limit = Program(os.path.join(BUILD, "read-fixed"), os.path.join(folder, "body"))
    address, turns = limit.ask()["api"], []
    for turn in range(options.pairs):
        least, of_limit = cost_of([limit.process.pid], options.reads, lambda: get_load(address, options.reads, 0, targets))
        quiet, _ = cost_of(daemon.pids.values(), options.reads, lambda: get_load(daemon.address, options.reads, 0, targets))
        rate = options.reads / of_limit["seconds"] / 2
        paced = lambda: get_load(daemon.address, options.reads, rate, targets)
        alone = paced()
        sync = beside_a_sync(daemon, sandbox, paced, options.reads)
        turns.append({"limit_us": least, "quiet_us": quiet, "quiet_p99_ms": alone["p99_ms"], "rate": rate,
                      "sync_us": sync["us"], "sync_p99_ms": sync["p99_ms"], "passes": sync["passes"]})
        print(f"read: turn {turn + 1} of {options.pairs}", file=sys.stderr)
    limit.end()
    daemon.end()
    sandbox.end()
    shutil.rmtree(folder)
    table = []
    for case in ("quiet", "sync"):
        table.append({"case": "alone" if case == "quiet" else "while a sync runs",
                      "ours_us": median(turns, lambda one: one[case + "_us"]), "limit_us": median(turns, lambda one: one["limit_us"]),
                      "ratio": median(turns, lambda one: one["limit_us"] / one[case + "_us"]), "aim": READ_AIMS["ratio"],
                      "p99_ms": median(turns, lambda one: one[case + "_p99_ms"]), "aim_p99_ms": READ_AIMS["p99_ms"]})
    return {"bytes": len(body), "turns": turns, "table": table}


def median(turns, figure):
    return round(statistics.median([figure(one) for one in turns]), 3)


def show_read(found):
    print(f"read, pages of {found['bytes']} bytes: CPU microseconds a page; limit / ours; p99 at half of the limit's rate")
    print_table(found["table"], [("", "case"), ("ours", "ours_us"), ("limit", "limit_us"), ("ratio", "ratio"), ("aim", "aim"),
                                 ("p99 ms", "p99_ms"), ("aim", "aim_p99_ms")])


# ---- feed ----

FEED_PRODUCTS = 100  # of which one changes


def feed_seq(daemon):
    return request(daemon.address, "GET", "/v1/changes?limit=1&since=0")["seq"]


def change_one(daemon, sandbox):
    sandbox.change(1)
    daemon.run_pass()


def rounds(daemon, sandbox, count, each=lambda: None):
    """CPU of that many changes with what they cause."""
    before = daemon.cpu_s()
    for _ in range(count):
        change_one(daemon, sandbox)
        each()
    return daemon.cpu_s() - before


def run_feed(options):
    folder = tempfile.mkdtemp(prefix="tb-bench-", dir=options.folder)
    sandbox = Sandbox(FEED_PRODUCTS)
    daemon = Daemon(sandbox, folder)
    daemon.run_pass()
    turns = []
    for turn in range(options.pairs):
        alone = rounds(daemon, sandbox, options.rounds)
        followers = Program(os.path.join(BUILD, "bench-load"), "follow", daemon.address, options.followers, "/v1/changes")
        followers.ask()
        ages = []

        def all_told():
            told, end = 0, time.monotonic() + PATIENCE_S
            while told < options.followers and time.monotonic() < end:
                found = followers.ask("report")
                told += found["events"]
                ages.append(found["p99_ms"] if found["events"] else 0)
                bytes_told.append(found["bytes"])
                time.sleep(0.02)
            if told != options.followers:
                raise SystemExit(f"{told} events came to {options.followers} followers")

        bytes_told = []
        followed = rounds(daemon, sandbox, options.rounds, all_told)
        followers.end()
        size = round(sum(bytes_told) / options.rounds / options.followers)
        limit = Program(os.path.join(BUILD, "feed-writes"), size)
        clients = Program(os.path.join(BUILD, "bench-load"), "follow", limit.ask()["api"], options.followers, "/")
        clients.ask()
        least = sum(limit.ask("write")["cpu_s"] for _ in range(options.rounds))
        clients.end()
        limit.end()
        each = options.rounds * options.followers
        turns.append({"ours_us": (followed - alone) / each * 1e6, "limit_us": least / each * 1e6, "p99_ms": max(ages),
                      "bytes": size, "alone_s": alone, "followed_s": followed})
        print(f"feed: turn {turn + 1} of {options.pairs}", file=sys.stderr)
    daemon.end()
    sandbox.end()
    shutil.rmtree(folder)
    table = [{"case": f"{options.followers} followers", "ours_us": median(turns, lambda one: one["ours_us"]),
              "limit_us": median(turns, lambda one: one["limit_us"]), "aim": FEED_AIMS["ratio"],
              "ratio": median(turns, lambda one: one["limit_us"] / one["ours_us"]),
              "p99_ms": median(turns, lambda one: one["p99_ms"]), "aim_p99_ms": FEED_AIMS["p99_ms"]}]
    return {"turns": turns, "table": table}


def show_feed(found):
    print("feed: CPU microseconds a follower and change, the sync's own taken off; limit / ours; change to follower, the worst round's p99")
    print_table(found["table"], [("", "case"), ("ours", "ours_us"), ("limit", "limit_us"), ("ratio", "ratio"), ("aim", "aim"),
                                 ("p99 ms", "p99_ms"), ("aim", "aim_p99_ms")])

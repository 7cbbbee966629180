"""P16 and F6: what happens when the disk is full, on a small file system of its own (root) and by a limit on the size
of files; how long the log grows, and how much space stays after deletions."""
import os
import shutil
import subprocess

import faults
import tap

RESUME_S = 5           # P16: after there is space
WAL_MOST = 64 << 20    # P16


class SmallDisk:
    """A tmpfs under a folder; unmounted at the end whatever happens."""

    def __init__(self, path, megabytes):
        self.path = path
        os.makedirs(path, exist_ok=True)
        if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "tmpfs", path],
                                               capture_output=True).returncode:
            tap.skip("needs root and mount")

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        subprocess.run(["umount", "-l", self.path], check=True)

    def resize(self, megabytes):
        subprocess.run(["mount", "-o", f"remount,size={megabytes}m", self.path], check=True)


def stops_for_space(house):
    stream = house.stream("products")
    return stream["state"] == "waiting" and stream["reason"] == "disk_full"


def reads_go_on(house):
    tap.equal(house.get("/readyz").status, 200, "readyz")
    tap.equal(house.get("/healthz").status, 200, "healthz")
    tap.equal(house.get("/v1/changes?since=0&limit=5").status, 200, "changes")
    tap.equal(house.get("/v1/stores/downtown/products?limit=5").status, 200, "products")
    tap.equal(house.get("/metrics").status, 200, "metrics")


def is_refused_for_space(answer):
    tap.equal((answer.status, answer.json()["reason"]), (503, "disk_full"), f"{answer.body!r}")
    tap.true(answer.headers["Retry-After"], "says when to try again")


def test_a_full_disk_stops_a_sync_which_goes_on_by_itself_when_there_is_space():
    house = faults.HastyHouse(size=6000)
    with SmallDisk(house.path("state"), 4) as disk:
        house.start()
        ident = house.ask()
        tap.wait_until(lambda: stops_for_space(house), "the stream waits for space")
        reads_go_on(house)
        follower = faults.Follower(house)
        tap.true("cannot store" in house.hub.log() and "full" in house.hub.log(), "the log says what is wrong")
        disk.resize(200)
        tap.wait_until(lambda: not stops_for_space(house), "it goes on by itself", RESUME_S)
        house.wait_pass(ident)
        house.whole_full_pass()
        tap.equal(house.differences()[:5], [])
        follower.finish()
        house.check_sums()
        house.stop()


def test_a_decision_on_a_full_disk_is_refused_and_can_be_made_later():
    house = faults.HastyHouse(size=2000)
    with SmallDisk(house.path("state"), 60):
        house.start()
        house.whole_full_pass()
        house.sandbox.fault("partial", route="*/product_list")
        held = house.sync("products", full=True)
        house.sandbox.admin("DELETE", "faults")
        tap.equal(held["state"], "held")
        filler = house.path("state", "filler")
        fill(filler)
        is_refused_for_space(house.post(f"/v1/passes/{held['id']}/accept"))
        tap.equal(house.json(f"/v1/passes/{held['id']}")["state"], "held")
        tap.equal(len(house.held_in_store("products")), 2000, "nothing went")
        reads_go_on(house)
        os.unlink(filler)
        answer = house.post(f"/v1/passes/{held['id']}/accept")
        tap.equal((answer.status, answer.json()["deleted"]), (200, held["missing"]))
        house.whole_full_pass()
        tap.equal(house.differences()[:5], [])
        house.stop()


def fill(path):
    """Every last byte."""
    with open(path, "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            pass


def test_overrides_on_a_full_disk_are_refused_and_change_nothing():
    house = faults.HastyHouse(size=200)
    with SmallDisk(house.path("state"), 20):
        house.start()
        house.whole_full_pass()
        ident = sorted(house.held_in_store("products"))[0]
        one = f"{house.api}/v1/stores/downtown/products/{ident}"
        filler, said = house.path("state", "filler"), "Plum"
        put = lambda text: tap.request("PUT", one + "/overrides", {"description": text * 9000})
        tap.equal(put(said).status, 200)
        fill(filler)
        for count in range(90):  # what the log has room for is stored
            before, answer = tap.request("GET", one).json(), put(f"Pear {count}")
            if answer.status != 200:
                break
        is_refused_for_space(answer)
        tap.equal(tap.request("GET", one).json(), before)
        reads_go_on(house)
        house.kill_hub()
        os.unlink(filler)
        house.start()
        one = f"{house.api}/v1/stores/downtown/products/{ident}"
        tap.equal(tap.request("GET", one).json()["description"], before["description"])
        tap.equal(tap.request("DELETE", one + "/overrides").status, 200)
        house.whole_full_pass()
        tap.equal(house.differences(), [])
        house.stop()


def test_a_hub_that_is_killed_on_a_full_disk_starts_there_and_goes_on_later():
    house = faults.HastyHouse(size=6000)
    with SmallDisk(house.path("state"), 4) as disk:
        house.start()
        house.ask()
        tap.wait_until(lambda: stops_for_space(house), "the stream waits for space")
        house.kill_hub()
        house.start(ready=False)
        tap.wait_until(lambda: house.hub.process.poll() is not None or house.is_ready(), "it starts, or says why not")
        if house.hub.process.poll() is not None:
            tap.true("full" in house.hub.log(), house.hub.log())
            disk.resize(200)
            house.start()
        disk.resize(200)
        house.whole_full_pass()
        tap.equal(house.differences()[:5], [])
        house.check_sums()
        house.stop()


def test_a_limit_on_the_size_of_files_is_a_full_disk_too():
    if not shutil.which("prlimit"):
        tap.skip("prlimit is not installed")
    house = faults.HastyHouse(size=6000)
    house.start()
    limit(house, "2000000:")
    ident = house.ask()
    tap.wait_until(lambda: stops_for_space(house), "the stream waits for space")
    reads_go_on(house)
    limit(house, "unlimited:")
    tap.wait_until(lambda: not stops_for_space(house), "it goes on by itself", RESUME_S)
    house.wait_pass(ident)
    house.whole_full_pass()
    tap.equal(house.differences()[:5], [])
    house.check_sums()


def limit(house, soft):
    subprocess.run(["prlimit", "--pid", str(house.hub.pid), f"--fsize={soft}"], check=True)


def size(house, name):
    try:
        return os.stat(house.path("state", name)).st_size
    except OSError:
        return 0


def test_the_log_stays_small_while_many_products_are_stored_and_read():
    house = faults.HastyHouse(size=100000, page_size=1000)
    house.start()
    follower = faults.Follower(house)
    longest = 0
    ident = house.ask()
    while house.json(f"/v1/passes/{ident}")["state"] not in ("complete", "failed", "held"):
        longest = max(longest, size(house, "tillbridge.db-wal"))
    tap.equal(house.json(f"/v1/passes/{ident}")["state"], "complete")
    print(f"# the log was at most {longest >> 20} MiB long, the file is {size(house, 'tillbridge.db') >> 20} MiB")
    tap.true(longest < WAL_MOST, f"the log was {longest} bytes long")
    tap.true(longest > 0, "the log was looked at")
    follower.finish()


tap.run(globals())

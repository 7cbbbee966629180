"""F1 at each durable step: the daemon ends at its nth write or fsync during a sync (shim.c), in the middle of one, or
the disk fails there; after a restart store, vendor and follower agree. TB_LONG: at five times as many points."""
import os

import faults
import tap

POINTS = 200 if faults.LONG else 40
EXIT_OF_SHIM = 88


def shim(house, mode, at):
    library = tap.built("tests/faults/.libs/libshim.so")
    tap.true(os.path.exists(library), f"{library} is built")
    options = os.environ.get("ASAN_OPTIONS", "")
    return {"LD_PRELOAD": library, "TB_SHIM_PATH": house.path("state", "tillbridge.db"), "TB_SHIM_MODE": mode,
            "TB_SHIM_AT": str(at), "ASAN_OPTIONS": options + ":verify_asan_link_order=0:detect_leaks=0"}


def sync_until_it_ends(house, mode, at):
    """Starts the daemon with the shim and lets it sync; whether it ended at the shim's point."""
    house.start(env=shim(house, mode, at), ready=False)
    hub = house.hub.process

    def over():
        return hub.poll() is not None or house.is_ready()

    try:
        tap.wait_until(over, "the daemon is ready, or ended")
        if hub.poll() is None:
            house.wait_pass(house.ask())
    except (OSError, AssertionError):
        tap.wait_until(lambda: hub.poll() is not None, "a daemon that does not answer has ended")
    ended = hub.poll() is not None
    if ended:
        tap.equal(house.hub.wait(), EXIT_OF_SHIM, "exit status")
    house.kill_hub()
    return ended


def agree(house, follower):
    house.start()
    house.whole_full_pass()
    tap.equal(house.differences()[:5], [], "the store against the vendor")
    follower.check()
    house.kill_hub()


def end_at_points(mode, first):
    """Points lie close where a sync begins, and wider apart later."""
    house = faults.HastyHouse(size=2000)
    house.start()
    house.whole_full_pass()
    follower = faults.Follower(house)
    house.stop()
    ends, at, last = 0, first, 0
    for number in range(POINTS):
        house.change_vendor(percent=20)
        if sync_until_it_ends(house, mode, at):
            ends, last = ends + 1, at
            at += 1 if number < POINTS // 4 else max(1, 1600 // POINTS)
        else:
            at = first + number % 7
        agree(house, follower)
    print(f"# {mode}: ended at {ends} points, up to write {last}")
    tap.true(ends >= POINTS * 3 // 4, f"the daemon ended only {ends} times")
    house.start()
    follower.finish()
    house.check_sums()


def test_an_end_at_each_write_leaves_store_vendor_and_follower_agreeing():
    end_at_points("exit", 1)


def test_a_torn_write_leaves_store_vendor_and_follower_agreeing():
    end_at_points("torn", 2)


def test_a_disk_that_fails_once_costs_a_second_try_alone():
    house = faults.HastyHouse(size=2000)
    house.start()
    house.whole_full_pass()
    house.stop()
    for at in range(20, 220, 200 // (POINTS // 4)):
        house.change_vendor(percent=20)
        house.start(env=shim(house, "eio-once", at))
        house.whole_full_pass()
        tap.equal(house.differences()[:5], [], f"the store against the vendor, with write {at} failed")
        house.check_sums()
        house.stop()


def test_a_pass_ends_when_its_end_is_stored_however_slow_the_disk_is():
    house = faults.HastyHouse(size=2000)
    house.start(env=shim(house, "slow", 1))
    for _ in range(3):
        house.change_vendor(percent=1, add=10, delete=10)
        house.whole_full_pass()
        tap.equal(house.differences()[:5], [], "the store against the vendor, as soon as the pass has ended")


tap.run(globals())

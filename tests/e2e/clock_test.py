#!/usr/bin/env python3
"""The vendor's clock is not ours: within the overlap no change is missed."""
import tap
import variants
from house import House

SKEWS = (240, -240, 120, -120)  # seconds; the overlap is 300
PASSES = 20


def begin(**numbers):
    house = House(size=120)
    variants.treez(house.path("plugins", "treez.so"), least_s=0, **numbers)
    return house.start()


def changed_pass(house, turn):
    """Something changes, then a pass of the changes; what is wrong afterwards."""
    house.sandbox.admin("POST", "treez/change", {"kind": "products", "count": 3, "field": ("price", "name")[turn % 2]})
    done = house.sync("products")
    tap.equal((done["state"], done["type"]), ("complete", "changes"))
    return house.differences()


def test_no_change_is_missed_while_the_vendors_clock_is_off_by_minutes():
    for skew in SKEWS:
        house = begin()
        house.sandbox.admin("POST", "clock", {"skew_s": skew})
        tap.equal(house.sync("products", full=True)["state"], "complete")
        for turn in range(PASSES):
            tap.equal(changed_pass(house, turn), [], f"the clock is off by {skew} s, pass {turn}")
        house.stop()


def test_nothing_is_lost_when_the_vendors_clock_jumps():
    house = begin()
    tap.equal(house.sync("products", full=True)["state"], "complete")
    for turn in range(PASSES):
        house.sandbox.admin("POST", "clock", {"skew_s": SKEWS[turn % len(SKEWS)]})
        wrong = changed_pass(house, turn)
        # A record whose time went back is older by its own word and waits for the next full pass: not missed, not lost.
        tap.true(all(what == "differs" for what, *_ in wrong), f"pass {turn}: {wrong}")
    house.sandbox.admin("POST", "clock", {"skew_s": 0})
    tap.equal(house.sync("products", full=True)["state"], "complete")
    missing = [one for one in house.differences() if one[0] != "differs"]
    tap.equal(missing, [])


def test_without_an_overlap_changes_are_missed_until_the_next_full_pass():
    house = begin(overlap_s=0)
    house.sandbox.admin("POST", "clock", {"skew_s": -240})
    house.sync("products", full=True)
    tap.true(any(changed_pass(house, turn) for turn in range(3)), "something is missed: else the tests above show nothing")
    tap.equal(house.sync("products", full=True)["state"], "complete")
    tap.equal(house.differences(), [])


if __name__ == "__main__":
    tap.run(globals())

"""F5 and P11: a full pass whose answers are empty or lack too much deletes nothing, is held and says so; a person
decides, or a later good pass does."""
import faults
import tap

ALERT_S = 60  # P11


def synced(size=1000, page_size=100):
    house = faults.HastyHouse(size=size, page_size=page_size)
    house.start()
    house.whole_full_pass()
    return house


def held_pass(house, fault, **rule):
    """A full pass while the vendor answers so; it must be held within the minute, with nothing gone."""
    before = {kind: house.held_in_store(kind) for kind in faults.KINDS}
    seq = house.follow()[1]
    house.sandbox.fault(fault, route="*/product_list", **rule)
    done = house.sync("products", full=True, timeout_s=ALERT_S)
    house.sandbox.admin("DELETE", "faults")
    tap.equal((done["state"], done["deleted"]), ("held", 0), f"pass {done}")
    tap.true(done["missing"] > 0.3 * len(before["products"]), f"{done['missing']} are missing")
    tap.equal({kind: house.held_in_store(kind) for kind in faults.KINDS} == before, True, "the store is as before")
    tap.equal(house.follow(seq)[0], [], "nothing was told")
    stream = house.stream("products")
    tap.equal((stream["state"], stream["reason"]), ("held", "pass_held"))
    for word in ("nothing was deleted", "passes accept " + done["id"], "passes refuse " + done["id"]):
        tap.true(word in house.hub.log(), f"the log says {word!r}")
    house.check_sums()
    return done


def decide(house, held, word):
    answer = house.post(f"/v1/passes/{held['id']}/{word}")
    tap.equal(answer.status, 200, f"{word}: {answer.body!r}")
    return answer.json()


def test_an_empty_list_empties_no_shop():
    house = synced()
    held = held_pass(house, "empty_list")
    tap.equal(held["seen"], 0)
    tap.equal(house.differences(), [])


def test_a_pass_that_lacks_most_is_held_and_accepting_it_deletes_what_was_missing():
    house = synced()
    held = held_pass(house, "partial")
    follower = faults.Follower(house)
    decided = decide(house, held, "accept")
    tap.equal((decided["state"], decided["deleted"]), ("complete", held["missing"]))
    left = sum(len(house.held_in_store(kind)) for kind in faults.KINDS)
    gone = [item for item in house.follow()[0] if item["op"] == "delete"]
    tap.equal(len(gone), held["missing"], "deletions told")
    tap.equal({item["source"] for item in gone}, {"operator"})
    tap.equal(house.stream("products")["state"], "idle")
    tap.equal(decide_again(house, held), 409, "a second decision")
    follower.finish()
    house.whole_full_pass()
    tap.equal(house.differences(), [], "the vendor had them after all: they are back")
    tap.true(sum(len(house.held_in_store(kind)) for kind in faults.KINDS) > left, "more than what was left")


def decide_again(house, held):
    return house.post(f"/v1/passes/{held['id']}/refuse").status


def test_refusing_a_held_pass_keeps_all():
    house = synced()
    held = held_pass(house, "partial")
    decided = decide(house, held, "refuse")
    tap.equal((decided["state"], decided["deleted"]), ("refused", 0))
    tap.equal((house.stream("products")["state"], house.differences()), ("idle", []))


def test_a_later_good_full_pass_takes_the_place_of_a_held_one():
    house = synced()
    held = held_pass(house, "empty_list")
    house.whole_full_pass()
    tap.equal(house.json(f"/v1/passes/{held['id']}")["state"], "refused")
    tap.equal((house.stream("products")["state"], house.differences()), ("idle", []))
    tap.equal(decide_again(house, held), 409, "a decision about what is over")


def test_a_held_pass_can_be_decided_after_a_restart():
    house = synced()
    held = held_pass(house, "partial")
    house.kill_hub()
    house.start()
    tap.equal(house.stream("products")["state"], "held")
    decided = decide(house, held, "accept")
    tap.equal((decided["state"], decided["deleted"]), ("complete", held["missing"]))


def test_what_the_vendor_still_had_when_a_change_came_is_not_deleted_by_accepting():
    house = synced()
    held = held_pass(house, "empty_list")
    changed = house.sandbox.admin("POST", "treez/change", {"kind": "products", "count": 20, "field": "price"})["ids"]
    house.sync("products")
    decide(house, held, "accept")
    tap.equal(sorted(house.held_in_store("products")), sorted(changed), "products that were seen since")


tap.run(globals())

"""Many stores on one plugin share its one worker, and the window of bytes that may be under way from it: all get through."""
import house
import tap

STORES = 18  # more than passes of one plugin run at once
PRODUCTS = 1500  # a page of them fills its share of the window many times over
PATIENCE_S = tap.PATIENCE_S * 6
AT_ONCE = house.WIDE_OPEN.replace("at_once = 8", "at_once = 64")


def test_many_stores_on_one_plugin_all_complete():
    home = house.House(size=PRODUCTS, extra=AT_ONCE)
    stores = ["downtown"] + [f"store{number}" for number in range(1, STORES)]
    for store in stores[1:]:
        home.drop_in(store, sync='sync = "off";', extra=AT_ONCE)
    home.start()
    passes = {}
    for store in stores:
        answer = home.post(f"/v1/connectors/{store}/pos/sync", {"stream": "products", "full": True})
        tap.equal(answer.status, 202, f"sync of {store}: {answer.body!r}")
        passes[store] = answer.json()["passes"][0]["id"]
    for store, ident in passes.items():
        ended = home.wait_pass(ident, PATIENCE_S)
        tap.equal((ended["state"], ended["rejected"]), ("complete", 0), f"{store}: {ended}")
        tap.equal(home.differences(store=store), [], store)
    tap.equal(len(home.workers()), 1)
    home.stop()


tap.run(globals())

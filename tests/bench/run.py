"""make bench: Tillbridge beside programs that do only the unavoidable work (limit/), in turns, in one run.

catalogue  All products of a sandbox's Treez, page by page, into the store: into an empty one, once more unchanged,
           and with 5 % of them changed. Counted is the CPU of hub and workers, never that of the sandbox. A run counts
           only if all programs stored the same rows and bytes.
memory     What hub and worker hold after a first pass over a million products, after an unchanged one, and after
           a restart and one more.
read       List pages of 100 products, while nothing else happens and while a sync runs, beside the same HTTP library
           with a fixed body; how long they take at half of the limit's rate.
feed       A change on its way to 1,000 followers, beside one write to each of them.
search     A million products: reads by id alone, and beside searches, filters and paging without a pause; the first
           read by id after a start.
idle       What 10,000 connectors cost that have nothing to do: memory, and wake-ups.
start      10 plugins, 1,000 stores: from the program's start until it is ready.

Prints tables and writes bench.json. Exit status: 0 measured, 1 something failed or differed. Aims are shown, and
decide nothing: figures of a busy machine are no verdict.
"""
import argparse
import json

import catalogue
import memory
import scale
import serving
from parts import written

BENCHES = {"catalogue": (catalogue.run, catalogue.show), "memory": (memory.run, memory.show),
           "read": (serving.run_read, serving.show_read), "feed": (serving.run_feed, serving.show_feed),
           "search": (scale.run_search, scale.show_search), "idle": (scale.run_idle, scale.show_idle),
           "start": (scale.run_start, scale.show_start)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("benches", nargs="*", metavar="BENCH", help=", ".join(BENCHES) + " (all)")
    parser.add_argument("--pairs", type=int, default=5, help="turns beside the limit programs (5)")
    parser.add_argument("--quick", action="store_true", help="one pair, and a tenth of everything")
    parser.add_argument("--products", type=int, default=100000, help="of catalogue and read (100000)")
    parser.add_argument("--many-products", type=int, default=1000000, help="of memory and search (1000000)")
    parser.add_argument("--repeat", type=int, default=20, help="unchanged passes a turn (20)")
    parser.add_argument("--reads", type=int, default=50000, help="requests a turn (50000)")
    parser.add_argument("--followers", type=int, default=1000, help="of the feed (1000)")
    parser.add_argument("--rounds", type=int, default=40, help="changes a turn (40)")
    parser.add_argument("--connectors", type=int, default=10000, help="that are idle (10000)")
    parser.add_argument("--stores", type=int, default=1000, help="at the start (1000)")
    parser.add_argument("--no-plain", action="store_true", help="catalogue: leave out the plain program")
    parser.add_argument("--sent", choices=["plain", "gzip", "etags"], default="plain",
                        help="catalogue: how pages are sent to who takes them packed; the limit programs take them plain")
    parser.add_argument("--folder", help="where stores are made (the system's temporary folder)")
    parser.add_argument("--json", default="bench.json", help="where the figures go (bench.json)")
    options = parser.parse_args()
    unknown = set(options.benches) - set(BENCHES)
    if unknown:
        parser.error(f"no bench {sorted(unknown)[0]!r}: there are {', '.join(BENCHES)}")
    if options.quick:
        options.pairs, options.repeat = 1, 5
        for name in ("many_products", "reads", "followers", "rounds", "connectors", "stores"):
            setattr(options, name, getattr(options, name) // 10)
    chosen = [name for name in BENCHES if not options.benches or name in options.benches]
    result = {name: BENCHES[name][0](options) for name in chosen}
    written(options.json, json.dumps(result, indent=2) + "\n")
    for name in chosen:
        BENCHES[name][1](result[name])


if __name__ == "__main__":
    main()

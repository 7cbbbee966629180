"""tillbridge-worker from the hub's side: frames in and out, with imitated vendors and plugins that misbehave."""
import json
import subprocess
import time

from frames import HEAD, TYPES, Page, Vendor, Worker, bad_plugin, tap, treez

CLEAN = b'{"products":[{"id":"1","name":"one"},{"id":"2","name":"two"}]}'


def misbehaving(way, **options):
    """A worker of the plugin that misbehaves this way, and its vendor."""
    vendor, worker = Vendor(), Worker(bad_plugin("misbehaves"), **options)
    vendor.pages["/products?page=1"] = (200, {}, CLEAN)
    worker.connect(url=vendor.url, way=way)
    return worker, vendor


def treez_worker(size, **options):
    sandbox, worker = tap.start_sandbox("--size", str(size), "treez"), Worker(treez(), **options)
    vendor = sandbox.vendor("treez")
    worker.connect(**{**vendor["settings"], "url": vendor["url"]})
    return worker, sandbox


def refused(worker, status, words):
    page = worker.do()
    tap.equal(page.result["status"], status)
    tap.true(words in page.result["detail"], f"{words!r} in {page.result['detail']!r}")
    return page


def test_the_first_frame_describes_the_plugin():
    worker = Worker(treez())
    tap.equal(worker.hello["name"], "treez")
    tap.true("products" in [stream["name"] for stream in worker.hello["streams"]], "it has products")


def test_a_file_is_described_or_refused_with_file_and_reason():
    program = tap.built("tillbridge-worker")
    good = subprocess.run([program, "--describe", treez()], capture_output=True, check=True)
    tap.equal(json.loads(good.stdout)["name"], "treez")
    bad = subprocess.run([program, "--describe", bad_plugin("no-kinds")], capture_output=True, check=False)
    tap.equal(bad.returncode, 1)
    line = bad.stderr.decode()
    tap.true(line.startswith(bad_plugin("no-kinds") + ": ") and line.count("\n") == 1, line)


def test_a_pass_of_treez_gives_all_products():
    worker, sandbox = treez_worker(300)
    whole = worker.whole_pass()
    tap.equal(whole.result["status"], "ok")
    tap.equal(len({record.id for record in whole.of("products")}), 300)
    tap.true(all(record.body["id"] == record.id for record in whole.records), "bodies carry their ids")
    tap.equal(whole.rejects, [])
    sandbox.stop()


def test_an_unchanged_pass_gives_the_same_hashes_and_no_records():
    worker, sandbox = treez_worker(300)
    before = worker.whole_pass()
    again = worker.whole_pass()
    tap.equal(again.records, [])
    tap.equal(sorted(again.same), sorted((record.kind, record.id_hash, record.hash) for record in before.records))
    sandbox.admin("POST", "treez/change", {"kind": "products", "percent": 5, "field": "price"})
    changed = worker.whole_pass()
    tap.true(0 < len(changed.of("products")) < 60, f"{len(changed.records)} records")
    fresh = worker.whole_pass(fresh=True)
    tap.equal(fresh.same, [])
    tap.equal(len(fresh.records), len(before.records))
    told = {(record.kind, record.id): record.hash for record in before.records}
    told.update({(record.kind, record.id): record.hash for record in changed.records})
    tap.equal({(record.kind, record.id): record.hash for record in fresh.records}, told)


def test_other_settings_forget_what_was_known():
    worker, sandbox = treez_worker(50)
    worker.whole_pass()
    vendor = sandbox.vendor("treez")
    worker.connect(**{**vendor["settings"], "url": vendor["url"], "tax_included": True})
    tap.equal(worker.whole_pass().same, [])


def test_fetch_and_check_ask_for_one_thing():
    worker, _ = treez_worker(20)
    known = worker.whole_pass().of("products")[3]
    page = worker.do("fetch", record=known.id)
    tap.equal((page.result["status"], [record.hash for record in page.of("products")]), ("ok", [known.hash]))
    tap.equal(worker.do("fetch", record="no-such-id").result["status"], "not_found")
    tap.equal(worker.do("check", "").result["status"], "ok")


def test_an_older_plugin_is_served_by_its_sizes():
    vendor, worker = Vendor(), Worker(bad_plugin("older"))
    vendor.items("/products?shop=first", [{"id": "1", "name": "one", "price": "1.50", "price_of_two": 2}])
    worker.connect(url=vendor.url)
    page = worker.do()
    tap.equal(page.result["status"], "ok")
    tap.equal([(price["label"], price["amount"]) for price in page.records[0].body["prices"]], [("one", 150), ("two", 200)])


def test_a_page_without_an_ending_is_a_bad_plugin():
    worker, _ = misbehaving("no_ending")
    refused(worker, "internal", "plugin misbehaves 1.0.0: products: pull gave TB_OK without saying how the page ends")


def test_a_cursor_that_stands_still_is_a_bad_plugin():
    worker, _ = misbehaving("still")
    refused(worker, "internal", "a cursor that stands still")


def test_a_kind_that_was_not_announced_is_refused():
    worker, _ = misbehaving("other_kind")
    tap.equal(refused(worker, "internal", "emits customers, which the stream does not announce").records, [])


def test_a_text_of_an_item_that_is_over_is_refused():
    worker, _ = misbehaving("late_text")
    refused(worker, "internal", "the name of a record lies in an item that is over")


def test_a_setting_that_is_not_described_fails_the_call():
    worker, _ = misbehaving("unknown_setting")
    refused(worker, "internal", '"nobody_described_this"')


def test_an_empty_path_argument_fails_the_call():
    worker, vendor = misbehaving("empty_path")
    tap.true(worker.do().result["status"] != "ok", "it is refused")
    tap.equal(vendor.seen, [])


def test_a_call_that_takes_all_memory_ends_alone():
    worker, vendor = misbehaving("large")
    vendor.pages["/products?page=1"] = (200, {}, CLEAN)
    refused(worker, "internal", "MiB")
    worker.connect(number=2, url=vendor.url, way="plain")
    tap.equal(worker.do(connector=2).result["status"], "ok")


def test_a_late_call_is_told_and_ends_at_its_deadline():
    worker, _ = misbehaving("sleepy")
    began = time.monotonic()
    page = worker.do(deadline_ms=200)
    tap.equal(page.result["status"], "service_unavailable")
    tap.true("deadline" in page.result["detail"], page.result["detail"])
    tap.true(time.monotonic() - began >= 0.2, "not before it")


def test_a_cancelled_call_ends_while_others_go_on():
    worker, vendor = misbehaving("sleepy")
    worker.connect(number=2, url=vendor.url, way="plain")
    sleeping = worker.call()
    tap.equal(worker.do(connector=2).result["status"], "ok")
    worker.send("CANCEL", sleeping)
    tap.equal(worker.answers(sleeping)[0].result["status"], "cancelled")


def test_a_plugin_that_swallows_the_end_is_cut_off():
    worker, vendor = misbehaving("swallow")

    def drip(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(b'{"products":[{"id":"1","name":"one"}')
        handler.wfile.flush()
        tap.wait_until(lambda: worker.stopped, "the worker's result")
    worker.stopped = False
    vendor.pages["/products?page=1"] = drip
    page = worker.do(deadline_ms=300)
    worker.stopped = True
    tap.equal(page.result["status"], "service_unavailable")


def test_a_body_that_breaks_off_is_no_short_page():
    worker, vendor = misbehaving("swallow")
    vendor.pages["/products?page=1"] = (200, {}, CLEAN[:-20])
    refused(worker, "bad_response", "after 1 items")


def test_answers_that_are_no_page_are_bad_responses():
    worker, vendor = misbehaving("plain")
    deep = b'{"products":[' + b"[" * 1000000
    for body in (b"<html>sorry</html>", b'{"products":null}', b"{}", b"", b"[]", deep, b'{"products":[{"id":}]}',
                 b'{"products":[]}x'):
        vendor.pages["/products?page=1"] = (200, {}, body)
        tap.equal(worker.do().result["status"], "bad_response", repr(body[:40]))
    vendor.pages["/products?page=1"] = (200, {}, CLEAN)
    tap.equal(worker.do().result["status"], "ok")


def test_a_record_that_cannot_stand_is_set_aside_with_its_sample():
    worker, vendor = misbehaving("plain")
    vendor.items("/products?page=1", [{"id": "1", "name": "one"}, {"id": "2", "name": ["not", "a", "text"]}, {"id": "3"}])
    page = worker.do()
    tap.equal([record.id for record in page.records], ["1"])
    first, second = page.rejects
    tap.equal((first["kind"], first["record"], first["reason"], first["path"]), ("products", "2", "not_a_text", "name"))
    tap.true("[...]" in first["detail"], first["detail"])
    tap.equal(json.loads(first["sample"])["id"], "2")
    tap.equal((second["record"], second["reason"], second["path"]), ("3", "missing_field", "name"))
    tap.equal((page.result["seen"], page.result["rejected"], page.result["items"]), (3, 2, 3))


def test_a_plugin_that_overruns_its_stack_ends_its_worker():
    worker, _ = misbehaving("deep", status=None, env={"ASAN_OPTIONS": "handle_segv=0:disable_coredump=1"})
    worker.call()
    try:
        while True:
            worker.frame()
    except (EOFError, ConnectionError):
        pass
    tap.true(worker.process.wait(tap.PATIENCE_S) != 0, "it crashed")


def test_records_wait_for_the_hub_and_others_pass_them():
    vendor, worker = Vendor(), Worker(bad_plugin("misbehaves"), credit=False)
    big = [{"id": str(i), "name": "x" * 450} for i in range(20000)]
    vendor.items("/products?page=1", big)
    worker.connect(url=vendor.url, way="plain")
    page, first = Page(), worker.call()
    sent = 0
    while sent < (4 << 20) - (256 << 10):
        frame = worker.frame()
        tap.equal(frame.call, first)
        worker.take(page, frame)
        sent += len(frame.body)
    other = worker.call("check", "")
    frames = []
    while not frames or frames[-1].call != other:
        frames.append(worker.frame())
    for frame in frames[:-1]:
        worker.take(page, frame)
        sent += len(frame.body)
    tap.true(sent <= 4 << 20, f"{sent} bytes without credit")
    tap.true(page.result is None, "the page waits")
    worker.credit = True
    worker.send("CREDIT", sent)
    while page.result is None:
        worker.take(page, worker.frame())
    tap.equal(len(page.records), 20000)


def test_a_drained_worker_finishes_and_leaves():
    worker, vendor = misbehaving("plain")
    call = worker.call()
    worker.send("DRAIN")
    tap.equal(worker.answers(call)[0].result["status"], "ok")
    tap.equal(worker.process.wait(tap.PATIENCE_S), 0)


def test_a_new_call_of_a_draining_worker_is_refused():
    worker, _ = misbehaving("sleepy")
    sleeping = worker.call()
    worker.send("DRAIN")
    tap.equal(worker.do().result["status"], "service_unavailable")
    worker.send("CANCEL", sleeping)
    tap.equal(worker.answers(sleeping)[0].result["status"], "cancelled")
    tap.equal(worker.process.wait(tap.PATIENCE_S), 0)


def test_a_closed_socket_ends_a_worker_with_calls_under_way():
    worker, _ = misbehaving("sleepy")
    worker.call()
    worker.send("PING", 5)
    tap.equal(worker.frame()[:1], ("PONG",))
    worker.stop()


def test_a_frame_that_makes_no_sense_ends_the_worker():
    worker = Worker(treez(), status=1)
    worker.socket.sendall(HEAD.pack(0, TYPES.index("RESULT"), 0, 0, 1))
    tap.equal(worker.process.wait(tap.PATIENCE_S), 1)


def test_unknown_connectors_streams_and_operations_are_answered():
    worker, _ = misbehaving("plain")
    tap.equal(worker.do(connector=99).result["status"], "service_unavailable")
    tap.equal(worker.do(stream="nothing").result["status"], "unsupported")
    tap.equal(worker.do("submit").result["status"], "unsupported")
    tap.equal(worker.do("fetch", record="1").result["status"], "unsupported")
    worker.send("DISCONNECT", 1)
    tap.equal(worker.do().result["status"], "service_unavailable")


def test_a_connector_that_cannot_work_says_why_at_each_call():
    worker, vendor = misbehaving("plain")
    worker.connect(number=2, store={"timezone": "Mars/Olympus"}, url=vendor.url, way="plain")
    result = worker.do(connector=2).result
    tap.equal(result["status"], "validation_error")
    tap.true("Mars/Olympus" in result["detail"], result["detail"])


def test_a_thousand_calls_at_once():
    worker, vendor = misbehaving("sleepy")
    calls = [worker.call(deadline_ms=500) for _ in range(1000)]
    tap.equal({page.result["status"] for page in worker.answers(*calls)}, {"service_unavailable"})
    worker.connect(number=2, url=vendor.url, way="plain")
    tap.equal(worker.do(connector=2).result["status"], "ok")


tap.run(globals())

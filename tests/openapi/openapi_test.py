"""/v1/openapi.json: a linter accepts it, a proxy that knows it finds what is wrong, and answers say nothing beside it."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import sse  # noqa: E402
import tap  # noqa: E402
from described import Description  # noqa: E402
from house import House  # noqa: E402
from proxy import Proxy, tool  # noqa: E402


def write(document):
    path = os.path.join(tap.folder(), "openapi.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(document, file)
    return path


def lint(document):
    done = subprocess.run([tool("spectral"), "lint", "--ruleset", tap.source("tests", "openapi", "spectral.yaml"),
                           "--fail-severity", "hint", write(document)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def described():
    house = House(size=60).start()
    return house, house.json("/v1/openapi.json")


def test_the_linter_has_nothing_to_say():
    tool("spectral")
    status, said = lint(described()[1])
    tap.equal(status, 0, said)


def test_the_linter_finds_what_is_wrong():
    tool("spectral")
    document = described()[1]
    del document["paths"]["/v1/stores"]["get"]["operationId"]
    document["components"]["schemas"]["Store"]["properties"]["id"] = {"$ref": "#/components/schemas/Nothing"}
    status, said = lint(document)
    tap.true(status != 0 and "operation-operationId" in said and "invalid-ref" in said, said)


def test_an_answer_that_is_not_as_described_is_found():
    tool("prism")
    house, document = described()
    document["components"]["schemas"]["Store"]["required"].append("nothing")
    with Proxy(write(document)) as proxy:
        tap.PROXY = proxy.address
        try:
            tap.equal(house.get("/v1/plugins").status, 200)
            try:
                house.get("/v1/stores/downtown")
            except AssertionError as error:
                tap.true("nothing" in str(error) and "not answered as described" in str(error), str(error))
            else:
                raise AssertionError("it was taken")
        finally:
            tap.PROXY = ""


def get_routes(document):
    return [pattern for pattern, item in document["paths"].items() if "get" in item]


def fill(house, pattern):
    """A target that the pattern fits."""
    store = {"{store}": "downtown", "{name}": "treez" if "plugins" in pattern else "pos"}
    lists = {"/v1/passes/{id}": "/v1/passes"}
    if "{id}" in pattern:
        items = house.json(lists.get(pattern, pattern.split("/{id}")[0].replace("{store}", "downtown")))["items"]
        store["{id}"] = items[0]["id"]
    for word, value in store.items():
        pattern = pattern.replace(word, value)
    return pattern


def test_answers_say_nothing_that_is_not_described():
    house, document = described()
    one = house.theirs("products")[0]["product_id"]
    house.sandbox.admin("POST", "treez/change", {"kind": "products", "id": one, "field": "pricing.price_sell", "value": -5})
    for stream in ("products", "inventory", "customers"):
        house.sync(stream, full=True)
    description = Description(document)
    for pattern in get_routes(document):
        for kind in document["paths"][pattern]["get"]["responses"]["200"]["content"]:
            if kind == "application/json":
                target = fill(house, pattern)
                tap.equal(description.wrong(description.schema(pattern), house.json(target)), [], target)


def test_lines_of_the_snapshot_are_as_described():
    house, document = described()
    for stream in ("products", "inventory", "customers"):
        house.sync(stream, full=True)
    description = Description(document)
    schema = description.schema("/v1/snapshot", kind="application/x-ndjson")["x-item-schema"]
    lines = [json.loads(line) for line in house.get("/v1/snapshot").body.splitlines()]
    tap.equal([line for line in lines if "kind" not in line], lines[-1:], "the end alone is of no kind")
    tap.equal({line["kind"] for line in lines[:-1]}, {"products", "inventory", "customers", "promotions"})
    tap.equal([wrong for line in lines for wrong in description.wrong(schema, line)], [])


def test_events_are_as_described():
    house, document = described()
    house.sync("products", full=True)
    description = Description(document)
    schema = description.schema("/v1/changes", kind="text/event-stream")["x-item-schema"]
    events = sse.Events(house.api, since=0)
    for event in events.wait_events(20):
        tap.equal((event.name, description.wrong(schema, event.data)), ("change", []))


def reference(document):
    """The table of routes in docs/api.md."""
    rows = ["| route | parameters | |", "| --- | --- | --- |"]
    for pattern, item in document["paths"].items():
        for method, operation in item.items():
            query = [f"`{one['name']}`" for one in operation.get("parameters", []) if one.get("in") == "query"]
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {}).get("$ref", "")
            query += [f"a body: `{name}`" for name in [body.rsplit("/", 1)[-1]] if name]
            rows.append(f"| `{method.upper()} {pattern}` | {' '.join(query)} | {operation['summary']} |")
    return "\n".join(rows)


def test_the_routes_in_the_manual_are_those_that_there_are():
    with open(tap.source("docs", "api.md"), encoding="utf-8") as file:
        shown = file.read().split("## All routes\n")[1].split("\n\n")
    expected = reference(described()[1])
    tap.true(expected in shown, f"docs/api.md, All routes, should be:\n{expected}")


tap.run(globals())

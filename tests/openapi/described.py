"""Answers against their description, more strictly than a client may be: a member that is not described is wrong, too.
For what no proxy can do: streams, and what only ever grows."""
import re

TYPES = {"string": str, "number": (int, float), "integer": int, "boolean": bool, "array": list, "object": dict}


class Description:
    def __init__(self, document):
        self.document = document

    def find(self, reference):
        part = self.document
        for word in reference.lstrip("#/").split("/"):
            part = part[word.replace("~1", "/").replace("~0", "~")]
        return part

    def schema(self, pattern, status="200", kind="application/json", method="get"):
        return self.document["paths"][pattern][method]["responses"][status]["content"][kind]["schema"]

    def wrong(self, schema, value, path="$"):
        """What is not as the schema says; []."""
        if "$ref" in schema:
            return self.wrong(self.find(schema["$ref"]), value, path)
        if "anyOf" in schema:
            tries = [self.wrong(one, value, path) for one in schema["anyOf"]]
            return [] if [] in tries else min(tries, key=len)
        wanted = schema.get("type")
        if wanted and (not isinstance(value, TYPES[wanted]) or (isinstance(value, bool) and wanted != "boolean")):
            return [f"{path}: {value!r} is no {wanted}"]
        if "enum" in schema and value not in schema["enum"]:
            return [f"{path}: {value!r} is none of {schema['enum']}"]
        if isinstance(value, str):
            return self.wrong_text(schema, value, path)
        if isinstance(value, list):
            return self.wrong_list(schema, value, path)
        if isinstance(value, dict):
            return self.wrong_object(schema, value, path)
        return [f"{path}: {value} is below {schema['minimum']}"] if "minimum" in schema and value < schema["minimum"] else []

    @staticmethod
    def wrong_text(schema, value, path):
        fits = len(value) >= schema.get("minLength", 0) and re.search(schema.get("pattern", ""), value)
        if schema.get("format") == "date-time":
            fits = re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value)
        return [] if fits else [f"{path}: {value!r} is not {schema}"]

    def wrong_list(self, schema, value, path):
        if len(value) < schema.get("minItems", 0):
            return [f"{path}: too few"]
        return [one for at, item in enumerate(value) for one in self.wrong(schema.get("items", {}), item, f"{path}[{at}]")]

    def wrong_object(self, schema, value, path):
        members, others = schema.get("properties", {}), schema.get("additionalProperties", False if "properties" in schema else {})
        found = [f"{path}: {name} is missing" for name in schema.get("required", []) if name not in value]
        for name, member in value.items():
            if name not in members and others is False:
                found.append(f"{path}: {name} is not described")
            else:
                found += self.wrong(members.get(name, others or {}), member, f"{path}.{name}")
        return found

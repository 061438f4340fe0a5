"""The part of JSON Schema that docs/events uses, to judge what was really published."""

import json
import os

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TYPES = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict}


def load(header):
    with open(os.path.join(ROOT, "docs", "events", header + ".schema.json"), encoding="utf-8") as stream:
        return json.load(stream)


def _has_type(value, kind):
    return isinstance(value, TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def faults(value, schema, where="body"):
    """What is wrong, in words; an empty list if nothing is."""
    if "anyOf" in schema:
        ways = [faults(value, way, where) for way in schema["anyOf"]]
        return [] if [] in ways else [f"{where} is none of {len(ways)} ways; the last: {ways[-1]}"]
    if "enum" in schema:
        return [] if value in schema["enum"] else [f"{where} is {value!r}, not one of {schema['enum']}"]
    if not _has_type(value, schema["type"]):
        return [f"{where} is {value!r}, not {schema['type']}"]
    found = []
    if schema["type"] == "array":
        for index, item in enumerate(value):
            found += faults(item, schema["items"], f"{where}[{index}]")
    if schema["type"] == "object":
        properties, others = schema.get("properties", {}), schema.get("additionalProperties")
        found += [f"{where} has no {key}" for key in schema.get("required", []) if key not in value]
        for key, item in value.items():
            if key in properties or others:
                found += faults(item, properties.get(key) or others, f"{where}.{key}")
            else:
                found.append(f"{where} has {key}, which the schema has not")
    return found

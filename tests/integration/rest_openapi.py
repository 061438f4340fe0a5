# suite: quick
# The OpenAPI document and the page that tries it: valid, complete, true, and without a way for anybody else's script.
# OPENAPI_SCHEMA names the schema of OpenAPI 3.1 (schemas/v3.1/schema.json of its specification): then that judges, too.
import http.client
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from cluster_servers import Cluster
from daemon import binary

OPERATION_KEYS = {"tags", "operationId", "summary", "description", "parameters", "requestBody", "responses", "deprecated"}
JSON_TYPES = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict}
options = tap.arguments()


def fetch(port, path, verb="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(verb, path)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, answer.headers, text


def with_daemon(function):
    if binary("svisord", options.build) is None:
        tap.skip(f"{options.build}/svisord is not built")
    with Cluster(options.build, 1, "[program:web]\ncommand=/bin/cat\nstartsecs=0\n") as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        function(cluster.ports[0])


def document(port):
    status, headers, text = fetch(port, "/openapi.json")
    tap.check((status, headers["Content-Type"]), (200, "application/json"), "openapi.json")
    return json.loads(text)


def operations(api):
    return [(path, verb, one) for path, item in api["paths"].items() for verb, one in item.items()]


def resolve(api, one):
    """What a $ref means; it must be there."""
    while "$ref" in one:
        found = api
        for word in one["$ref"].removeprefix("#/").split("/"):
            found = found[word]
        one = found
    return one


def kind_of(one):
    return "text/event-stream" if one["operationId"] == "events" else "application/json"


def schemas(api, one):
    """Every schema of one operation."""
    for parameter in one["parameters"]:
        yield parameter["schema"]
    contents = [one["requestBody"]] if "requestBody" in one else []
    contents += [resolve(api, answer) for answer in one["responses"].values()]
    for content in contents:
        kind = kind_of(one)
        tap.check(list(content["content"]), [kind], one["operationId"])
        yield resolve(api, content["content"][kind]["schema"])


@tap.test("the document has what OpenAPI 3.1 asks of it, and describes every method")
def _():
    def check(port):
        api = document(port)
        tap.check((api["openapi"], set(api)), ("3.1.0", {"openapi", "info", "servers", "tags", "security", "paths", "components"}), "top")
        tap.check_true({"title", "version"} <= set(api["info"]), f"info: {api['info']}")
        tags = [tag["name"] for tag in api["tags"]]
        names = []
        for path, verb, one in operations(api):
            where = f"{verb} {path}"
            tap.check_true(set(one) <= OPERATION_KEYS and verb in ("get", "post", "delete"), f"{where}: {sorted(one)}")
            tap.check_true(set(one["tags"]) <= set(tags) and one["summary"] and one["responses"], f"{where}: {one}")
            names.append(one["operationId"])
            in_path = [parameter["name"] for parameter in one["parameters"] if parameter["in"] == "path"]
            tap.check(re.findall(r"\{(\w+)\}", path), in_path, f"{where}: path parameters")
            for parameter in one["parameters"]:
                tap.check(parameter["required"], parameter["in"] == "path", f"{where}: {parameter['name']} required")
            for status, answer in one["responses"].items():
                tap.check_true(re.fullmatch(r"[1-5]\d\d|default", status) and resolve(api, answer)["description"], f"{where}: {status}")
            for schema in schemas(api, one):
                schema = resolve(api, schema)
                types = schema.get("type", [])  # none: anything
                types = types if isinstance(types, list) else [types]
                tap.check_true(set(types) <= set(JSON_TYPES), f"{where}: {schema}")
                if "default" in schema:
                    tap.check_true(isinstance(schema["default"], JSON_TYPES[types[0]]), f"{where}: default {schema}")
        tap.check(len(names), len(set(names)), "operationIds are unique")
        methods = json.loads(fetch(port, "/system/listMethods")[2])
        tap.check(sorted(set(methods) - set(names)), [], "methods without a path")
        tap.check({"operations.list", "operations.get", "operations.delete"} - set(names), set(), "what is said of long calls")

    with_daemon(check)


@tap.test("its schemas are schemas, as jsonschema reads them")
def _():
    try:
        import jsonschema
    except ImportError:
        tap.skip("python3-jsonschema is not installed")

    def check(port):
        api = document(port)
        for _, _, one in operations(api):
            for schema in schemas(api, one):
                jsonschema.Draft202012Validator.check_schema(schema)

    with_daemon(check)


@tap.test("OpenAPI's own schema finds nothing wrong with it")
def _():
    if not os.environ.get("OPENAPI_SCHEMA"):
        tap.skip("OPENAPI_SCHEMA is not set, and its file is not ours to keep")
    import jsonschema

    def check(port):
        with open(os.environ["OPENAPI_SCHEMA"], encoding="utf-8") as stream:
            validator = jsonschema.Draft202012Validator(json.load(stream))
        tap.check([f"{list(error.path)}: {error.message}" for error in validator.iter_errors(document(port))], [], "errors")

    with_daemon(check)


@tap.test("what only looks answers with the type that the document says, and a fault is a Fault")
def _():
    def check(port):
        api = document(port)
        fault_keys = set(api["components"]["schemas"]["Fault"]["required"])
        checked = 0
        for path, verb, one in operations(api):
            if verb != "get" or kind_of(one) != "application/json":
                continue
            examples = {"identifier": "s1", "application_name": "web", "namespec": "web:web", "offset": "0", "length": "10",
                        "strategy": "CONFIG", "space": "supervisor", "method": "getState"}
            filled = re.sub(r"\{(\w+)\}", lambda match: examples.get(match.group(1), "web"), path)
            status, _, text = fetch(port, filled)
            answer = json.loads(text)
            if status == 200:
                wanted = resolve(api, one["responses"]["200"]["content"]["application/json"]["schema"]).get("type")
                tap.check_true(wanted is None or isinstance(answer, JSON_TYPES[wanted]), f"{filled}: {wanted} is not {text[:100]}")
                checked += 1
            else:
                tap.check_true(set(answer) == fault_keys and str(status) in one["responses"], f"{filled}: {status} {answer}")
        tap.check_true(checked > 30, f"answers: {checked}")

    with_daemon(check)


@tap.test("the page is whole in svisord, asks nobody else, and allows no script but its own")
def _():
    def check(port):
        status, headers, page = fetch(port, "/api/")
        tap.check(status, 200, "/api/")
        policy = dict(rule.split(" ", 1) for rule in headers["Content-Security-Policy"].split("; "))
        tap.check(policy, {"default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "connect-src": "'self'",
                           "base-uri": "'none'", "form-action": "'none'", "frame-ancestors": "'none'"}, "policy")
        found = re.findall(r'(?:src|href)="([^"]*)"', page)
        tap.check(sorted(found), ["../openapi.json", "try.css", "try.js"], "what the page loads or links")
        tap.check(re.findall(r"<script(?![^>]*src)|<style|\son\w+=|style=", page), [], "nothing inline")
        for name, kind in (("try.js", "text/javascript"), ("try.css", "text/css")):
            status, headers, text = fetch(port, "/api/" + name)
            tap.check((status, headers["Content-Type"]), (200, kind + "; charset=utf-8"), name)
            tap.check(headers["X-Content-Type-Options"], "nosniff", name)
            tap.check(re.findall(r"https?://|//\w+\.|@import|url\(|innerHTML|outerHTML|insertAdjacent|document\.write|eval\(", text), [], name)
        status, headers, _ = fetch(port, "/api")
        tap.check((status, headers["Location"]), (308, "api/"), "/api")
        tap.check(fetch(port, "/api/", "POST")[0], 405, "POST of the page")
        tap.check(fetch(port, "/api/../main.log")[0], 404, "no other file")

    with_daemon(check)


if __name__ == "__main__":
    tap.run_all(options)

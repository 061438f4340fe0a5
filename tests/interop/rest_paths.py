# REST beside supvisorsflask of Supvisors 0.19: every route that it has, with its verb and its parameters, is one of ours.
#
# SUPVISORS_SRC names a checkout of Supvisors: then the routes are read from its source. Without it they are those that
# were read when they were recorded (--record writes them). Flask-RESTX, which would run it, is not in Debian.
import glob
import http.client
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import tap
from cluster_servers import Cluster
from daemon import binary

SOURCE = os.environ.get("SUPVISORS_SRC")
RECORDED = os.path.join(HERE, "recorded", "supvisorsflask_routes.txt")
EXAMPLES = {"strategy": "CONFIG", "offset": "0", "length": "10", "numprocs": "1", "name": "web", "signal": "HUP", "log_level": "info",
            "application_name": "shop", "namespec": "shop:web", "identifier": "s1", "program_name": "web", "regex": "web"}
options = tap.arguments(lambda parser: parser.add_argument("--record", action="store_true", help="write down the routes"))


def from_source():
    """Lines "VERB path method query…": of the decorated classes of supvisors/tools/apis."""
    lines = []
    for path in sorted(glob.glob(os.path.join(SOURCE, "supvisors", "tools", "apis", "*_namespace.py"))):
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
        space = os.path.basename(path).removesuffix("_namespace.py")
        parsers = {name: re.findall(rf"{name}\.add_argument\('(\w+)'", text) for name in re.findall(r"^(\w+) = api\.parser", text, re.M)}
        for block in re.split(r"(?=@api\.route)", text)[1:]:
            route, verb = re.match(r"@api\.route\(f?'([^']+)',\s*methods=\('(\w+)',", block).groups()
            method = re.search(r"g\.proxy\.(\w+\.\w+)\(", block).group(1)
            parser = re.search(r"@api\.expect\((\w+)\)", block)
            path_names = re.sub(r"<(?:[^<>]*:)?(\w+)>", r"{\1}", re.sub(r"\{\w+\}", "", route))
            lines.append(" ".join([verb, f"/{space}{path_names}", method, *(parsers[parser.group(1)] if parser else [])]))
    return lines


def routes():
    if SOURCE:
        return from_source()
    with open(RECORDED, encoding="utf-8") as stream:
        return stream.read().splitlines()


def read(port, verb, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(verb, path)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, json.loads(text)


def with_cluster(function):
    if binary("svisord", options.build) is None:
        tap.skip(f"{options.build}/svisord is not built")
    program = "[program:web]\ncommand=/bin/cat\nautostart=false\nstartsecs=0\n[group:shop]\nprograms=web\n"
    with Cluster(options.build, 1, program, '<application name="shop"><programs><program name="web"/></programs></application>') as cluster:
        cluster.start()
        cluster.wait_state("OPERATION")
        function(cluster.ports[0])


def known(api):
    """Path without its arguments -> (verb, the names of all parameters)."""
    return {path.split("/{")[0]: (verb.upper(), [one["name"] for one in operation["parameters"]])
            for path, item in api["paths"].items() for verb, operation in item.items()}


@tap.test("every route of supvisorsflask has its verb, its arguments in the path and its names in the query")
def _():
    def check(port):
        api = known(read(port, "GET", "/openapi.json")[1])
        methods = read(port, "GET", "/system/listMethods")[1]
        missing, later = [], []
        for line in routes():
            verb, path, method, *query = line.split()
            head, *names = path.split("/{")
            if method not in methods:
                later.append(method)
                continue
            our_verb, parameters = api.get(head, ("", []))
            verb_fits = verb == our_verb or (verb, our_verb) == ("POST", "GET")  # what looks may be asked with POST
            if not verb_fits or len(names) > len(parameters) or not set(query) <= set(parameters[len(names):]):
                missing.append(f"{line}: ours is {our_verb} {parameters}")
        tap.check(missing, [], "routes that are not ours")
        tap.check_true(all("statistics" in method or "collecting" in method for method in later), f"no such method: {later}")
        if later:
            print(f"# methods that svisord does not have yet: {' '.join(sorted(set(later)))}")

    with_cluster(check)


@tap.test("every route of it that only looks is understood as it is called there")
def _():
    def check(port):
        methods = read(port, "GET", "/system/listMethods")[1]
        count = 0
        for line in routes():
            verb, path, method, *_ = line.split()
            if method not in methods or not (verb == "GET" or "test_start" in path):
                continue
            filled = re.sub(r"\{(\w+)\}", lambda match: EXAMPLES[match.group(1)], path)
            status, answer = read(port, verb, filled)
            fault = answer.get("code") if isinstance(answer, dict) and set(answer) == {"message", "code"} else None
            tap.check_true(status == 200 or fault not in (None, 1, 2), f"{verb} {filled}: {status} {answer}")
            count += 1
        tap.check_true(count > 30, f"routes: {count}")

    with_cluster(check)


@tap.test("what is recorded is what the source says")
def _():
    if not SOURCE:
        tap.skip("SUPVISORS_SRC is not set")
    with open(RECORDED, encoding="utf-8") as stream:
        tap.check(stream.read().splitlines(), from_source(), "recorded/supvisorsflask_routes.txt")


if __name__ == "__main__":
    if options.record:
        with open(RECORDED, "w", encoding="utf-8") as output:
            output.write("\n".join(from_source()) + "\n")
    print("# routes of " + (SOURCE or "supvisorsflask as recorded: SUPVISORS_SRC is not set"))
    tap.run_all(options)

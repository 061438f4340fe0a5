#!/usr/bin/python3
# suite: quick
# The files of the dashboard as svisord serves them: small, with a policy that lets nothing in, and nothing from elsewhere.
import gzip
import http.client
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap
from lone import PORT, serve

BYTES_MAX = 150_000  # of all files together, as they go over the wire
POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; font-src 'self'; "
          "base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
FILES = {"/": "text/html; charset=utf-8", "/dashboard/app.js": "text/javascript; charset=utf-8",
         "/dashboard/app.css": "text/css; charset=utf-8", "/dashboard/icon.svg": "image/svg+xml"}
options = tap.arguments()


def fetch(port, path, verb="GET", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(verb, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, answer.headers, body


def test(sentence):
    """Each runs against one daemon without a cluster."""
    def register(function):
        @tap.test(sentence)
        def _():
            with serve(options.build, PORT) as server:
                function(server.port)
    return register


@test(f"all files together are at most {BYTES_MAX} bytes")
def _(port):
    sizes = {path: len(fetch(port, path, Accept_Encoding="gzip")[2]) for path in FILES}
    print("# " + ", ".join(f"{path} {size}" for path, size in sizes.items()) + f"; together {sum(sizes.values())} bytes")
    tap.check_true(min(sizes.values()) > 100, f"an empty file: {sizes}")
    tap.check_true(sum(sizes.values()) <= BYTES_MAX, f"{sum(sizes.values())} bytes")


@test("every file has its type, a strict policy, and is asked for again")
def _(port):
    for path, kind in FILES.items():
        status, headers, body = fetch(port, path, Accept_Encoding="deflate, gzip, br")
        tap.check((status, headers["Content-Type"], headers["Content-Security-Policy"]), (200, kind, POLICY), path)
        tap.check((headers["X-Content-Type-Options"], headers["Referrer-Policy"], headers["Cache-Control"]),
                  ("nosniff", "no-referrer", "no-cache"), path)
        tap.check(fetch(port, path, "HEAD", Accept_Encoding="gzip")[1]["Content-Length"], str(len(body)), f"HEAD {path}")
        known = headers["ETag"]
        tap.check(fetch(port, path, Accept_Encoding="gzip", If_None_Match=known)[::2], (304, b""), f"{path} that is known")
        tap.check(fetch(port, path, Accept_Encoding="gzip", If_None_Match='"other"')[0], 200, f"{path} that has changed")


@test("the page is plain for whoever takes no gzip, and the rest says that it needs it")
def _(port):
    status, headers, body = fetch(port, "/")
    tap.check((status, headers["Content-Encoding"]), (200, None), "/")
    tap.check_true(body.startswith(b"<!DOCTYPE html>"), str(body[:100]))
    tap.check(fetch(port, "/dashboard/app.js")[0], 406, "app.js without gzip")


@test("nothing can be posted to it")
def _(port):
    for path in FILES:
        status, headers, _ = fetch(port, path, "POST")
        tap.check((status, headers["Allow"]), (405, "GET, HEAD"), path)


@test("no file names another server, and the page has no script of its own")
def _(port):
    for path in FILES:
        _, headers, body = fetch(port, path, Accept_Encoding="gzip")
        text = (gzip.decompress(body) if headers["Content-Encoding"] == "gzip" else body).decode()
        urls = set(re.findall(r"(?:https?|wss?)://[\w.-]+", text)) - {"http://www.w3.org"}  # names of XML namespaces
        tap.check(urls, set(), path)
    page = fetch(port, "/")[2].decode()
    tap.check(re.findall(r"<script(?![^>]*\ssrc=)|\son\w+=|<style|\sstyle=", page), [], "inline in the page")


if __name__ == "__main__":
    tap.run_all(options)

#!/usr/bin/env python3
"""Orders: takes orders over HTTP, keeps them in Redis, and asks the catalogue for prices.

The same program runs in the cluster and on a developer's machine. It needs nothing but Python's standard library.

    GET  /             who answers
    GET  /orders       all orders
    POST /orders       {"product": "tea", "quantity": 2}
    GET  /orders/7     one order
    GET  /healthz      alive; GET /readyz: and Redis answers; GET /drain: about to be stopped
"""

import hashlib
import hmac
import http.client
import json
import os
import signal
import socket
import socketserver
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

TIMEOUT = 5  # seconds, for each call to a peer


def peer(name, port):
    """Where a service is: as Kubernetes says in the environment, else by its name."""
    prefix = name.upper().replace("-", "_")
    return os.environ.get(f"{prefix}_SERVICE_HOST", name), int(os.environ.get(f"{prefix}_SERVICE_PORT", port))


class Refused(Exception):
    """The request cannot be done; the text says why."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class Redis:
    """As much of a Redis client as this needs: one command after another over one connection (RESP 2)."""

    def __enter__(self):
        self.socket = socket.create_connection(peer("redis", 6379), TIMEOUT)
        self.answers = self.socket.makefile("rb")
        password = os.environ.get("REDIS_PASSWORD")
        if password:
            self("AUTH", password)
        return self

    def __exit__(self, *_):
        self.answers.close()
        self.socket.close()

    def __call__(self, *words):
        parts = [str(word).encode() for word in words]
        self.socket.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))
        return self.answer()

    def answer(self):
        line = self.answers.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("Redis closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self.answers.read(int(rest) + 2)[:-2].decode()
        if kind == b"*":
            return [self.answer() for _ in range(int(rest))]
        raise ConnectionError(f"Redis says: {rest.decode()}")


def product(name):
    """The catalogue's entry for `name`."""
    host, port = peer("catalogue", 8080)
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
    try:
        connection.request("GET", f"/products/{name}")
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    if response.status == 404:
        raise Refused(404, f"the catalogue has no product `{name}`")
    if response.status != 200:
        raise Refused(502, f"the catalogue answers {response.status}")
    return json.loads(body)


def read(variable, default):
    """The text of a file whose place may be given by a variable; None where it is not mounted."""
    try:
        return Path(os.environ.get(variable, default)).read_text()
    except OSError:
        return None


def discount():
    """Percent, from the mounted config map: read each time, because the kubelet renews the file."""
    settings = read("ORDERS_SETTINGS", "/etc/orders/settings.json")
    return json.loads(settings)["discount_percent"] if settings else 0


def signature(order):
    """What makes the order ours; None where the secret is not mounted."""
    key = read("ORDERS_SIGNING_KEY", "/etc/orders-secrets/signing-key")
    text = json.dumps(order, sort_keys=True).encode()
    return hmac.new(key.encode(), text, hashlib.sha256).hexdigest() if key else None


def place(request):
    if not isinstance(request, dict) or not isinstance(request.get("product"), str):
        raise Refused(400, 'send {"product": NAME, "quantity": NUMBER}')
    name, quantity = request["product"], request.get("quantity", 1)
    if not (name.isascii() and name.isalnum()) or not isinstance(quantity, int) or not 0 < quantity <= 1000:
        raise Refused(400, "`product` is one word, `quantity` a number from 1 to 1000")
    entry = product(name)
    cents = round(entry["cents"] * quantity * (100 - discount()) / 100)
    with Redis() as redis:
        order = {
            "id": redis("INCR", "orders:last"),
            "product": name,
            "quantity": quantity,
            "cents": cents,
            "currency": os.environ.get("CURRENCY", "EUR"),
            "priced_by": entry["served_by"],
        }
        order["signature"] = signature(order)
        redis("HSET", "orders", order["id"], json.dumps(order))
    return order


def served_by():
    return {"host": socket.gethostname(), "pod": os.environ.get("POD_NAME"), "edition": os.environ.get("SHOP_EDITION")}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body in one packet

    def do_GET(self):
        self.serve(self.get)

    def do_POST(self):
        self.serve(self.post)

    def get(self):
        if self.path in ("/", "/healthz"):
            return 200, {}
        if self.path == "/drain":
            self.server.draining = True
            return 200, {}
        with Redis() as redis:
            if self.path == "/readyz":
                redis("PING")
                return (503, {"error": "draining"}) if self.server.draining else (200, {})
            if self.path == "/orders":
                orders = [json.loads(order) for order in redis("HVALS", "orders")]
                return 200, {"orders": sorted(orders, key=lambda order: order["id"])}
            if self.path.startswith("/orders/"):
                order = redis("HGET", "orders", self.path.removeprefix("/orders/"))
                if order:
                    return 200, json.loads(order)
        raise Refused(404, f"there is no {self.path}")

    def post(self):
        # The body is read whatever the path is: the connection is used again.
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path != "/orders":
            raise Refused(404, f"there is no {self.path}")
        try:
            request = json.loads(body)
        except ValueError as error:
            raise Refused(400, f"the body is not JSON: {error}") from error
        return 201, place(request)

    def serve(self, method):
        start = time.monotonic()
        try:
            status, answer = method()
        except Refused as refused:
            status, answer = refused.status, {"error": str(refused)}
        except (OSError, http.client.HTTPException) as error:
            status, answer = 502, {"error": f"a peer of orders does not answer: {error}"}
        body = json.dumps({**answer, "served_by": served_by()}, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Served-By", socket.gethostname())
        self.end_headers()
        self.wfile.write(body)
        took = (time.monotonic() - start) * 1000
        print(f"{self.command} {self.path} {status} {took:.1f} ms, answered by {socket.gethostname()}", flush=True)

    def log_request(self, *_):
        pass  # `serve` prints a line with the time it took


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128
    draining = False


def main():
    address = ("", int(os.environ.get("PORT", "8080")))
    try:
        server = Server(address, Handler)
    except OSError as error:
        sys.exit(f"orders cannot listen on port {address[1]}: {error}; set PORT to another one")
    for number in (signal.SIGTERM, signal.SIGINT):
        # In a container this is process 1, which has no default action for a signal. shutdown() waits for the loop, so not in its thread.
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"orders listens on port {server.server_address[1]}, catalogue is {peer('catalogue', 8080)}, redis is {peer('redis', 6379)}", flush=True)
    with server:
        server.serve_forever(poll_interval=0.1)


if __name__ == "__main__":
    main()

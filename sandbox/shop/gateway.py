#!/usr/bin/env python3
"""Gateway: the shop's door. Calls the other services by their names and tells who of them answered.

    GET  /           who answers: gateway, orders, catalogue, greeter
    GET  /products   from the catalogue
    GET  /orders     from orders; POST /orders and GET /orders/7 too
    GET  /healthz    alive
"""

import http.client
import json
import os
import signal
import socket
import socketserver
import threading
from http.server import BaseHTTPRequestHandler

TIMEOUT = 10  # seconds, for each call to a peer
ORDERS = ("orders", 80)
CATALOGUE = ("catalogue", 8080)
GREETER = ("greeter", 2525)


def call(service, method, path, body=None):
    """Status and JSON of one request."""
    connection = http.client.HTTPConnection(*service, timeout=TIMEOUT)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def greeting():
    """The greeter speaks first, so this listens first."""
    with socket.create_connection(GREETER, TIMEOUT) as connection, connection.makefile("rw", newline="\r\n") as lines:
        banner = lines.readline().strip()
        lines.write("HELO gateway\r\nQUIT\r\n")
        lines.flush()
        return {"banner": banner, "answer": lines.readline().strip()}


def attempt(what, question):
    """A peer's answer, or why there is none."""
    try:
        return question()
    except (OSError, ValueError, http.client.HTTPException) as error:
        return 502, {"error": f"{what}: {error or type(error).__name__}"}


def overview():
    orders = attempt("orders", lambda: call(ORDERS, "GET", "/"))
    catalogue = attempt("catalogue", lambda: call(CATALOGUE, "GET", "/healthz"))
    greeter = attempt("greeter", lambda: (200, greeting()))
    answers = {"orders": orders[1], "catalogue": catalogue[1], "greeter": greeter[1]}
    return max(orders[0], catalogue[0], greeter[0]), answers


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body in one packet

    def do_GET(self):
        if self.path == "/":
            self.answer(*overview())
        elif self.path == "/healthz":
            self.answer(200, {})
        elif self.path.startswith("/products"):
            self.answer(*attempt("catalogue", lambda: call(CATALOGUE, "GET", self.path)))
        elif self.path.startswith("/orders"):
            self.answer(*attempt("orders", lambda: call(ORDERS, "GET", self.path)))
        else:
            self.answer(404, {"error": f"there is no {self.path}"})

    def do_POST(self):
        # The body is read whatever the path is: the connection is used again.
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/orders":
            self.answer(*attempt("orders", lambda: call(ORDERS, "POST", "/orders", body)))
        else:
            self.answer(404, {"error": f"there is no {self.path}"})

    def answer(self, status, answer):
        body = json.dumps({**answer, "gateway": {"host": socket.gethostname()}}, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *arguments):
        print(format % arguments, flush=True)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


with Server(("", int(os.environ.get("PORT", "8080"))), Handler) as server:
    # Process 1 of a container has no default action for a signal.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"gateway listens on port {server.server_address[1]}", flush=True)
    server.serve_forever(poll_interval=0.1)

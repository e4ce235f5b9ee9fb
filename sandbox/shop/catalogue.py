#!/usr/bin/env python3
"""Catalogue: what can be bought, and for how much. A StatefulSet behind a headless service; knows nobody.

    GET /products       all products
    GET /products/tea   one product
    GET /healthz        alive
"""

import json
import os
import signal
import socket
import socketserver
import threading
from http.server import BaseHTTPRequestHandler

PRODUCTS = {"tea": 450, "coffee": 620, "cocoa": 580, "sugar": 120}  # cents


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body in one packet

    def do_GET(self):
        served_by = {"host": socket.gethostname()}
        name = self.path.removeprefix("/products/")
        if self.path == "/healthz":
            self.answer(200, {"served_by": served_by})
        elif self.path == "/products":
            products = [{"name": name, "cents": cents} for name, cents in PRODUCTS.items()]
            self.answer(200, {"products": products, "served_by": served_by})
        elif name in PRODUCTS:
            self.answer(200, {"name": name, "cents": PRODUCTS[name], "served_by": served_by})
        else:
            self.answer(404, {"error": f"there is no {self.path}", "served_by": served_by})

    def answer(self, status, answer):
        body = json.dumps(answer).encode()
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
    print(f"catalogue listens on port {server.server_address[1]}", flush=True)
    server.serve_forever(poll_interval=0.1)

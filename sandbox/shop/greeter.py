#!/usr/bin/env python3
"""Greeter: a server that speaks first, as SMTP, FTP and MySQL do. A tunnel that waits for the client's first byte never gets past its banner.

    S: 220 greeter-0 greets you
    C: HELO gateway
    S: 250 hello gateway
    C: QUIT
    S: 221 goodbye
"""

import os
import signal
import socket
import socketserver
import threading


class Conversation(socketserver.StreamRequestHandler):
    timeout = 300  # seconds that a client may say nothing

    def handle(self):
        try:
            self.say(f"220 {socket.gethostname()} greets you")
            for line in self.rfile:
                command, _, rest = line.decode(errors="replace").strip().partition(" ")
                if command.upper() == "QUIT":
                    self.say("221 goodbye")
                    return
                self.say(f"250 hello {rest}" if command.upper() == "HELO" else "500 say HELO or QUIT")
        except OSError as error:
            print(f"{self.client_address[0]} went away: {error}", flush=True)

    def say(self, line):
        self.wfile.write(f"{line}\r\n".encode())
        print(f"{self.client_address[0]} <- {line}", flush=True)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


with Server(("", int(os.environ.get("PORT", "2525"))), Conversation) as server:
    # Process 1 of a container has no default action for a signal.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"greeter listens on port {server.server_address[1]}", flush=True)
    server.serve_forever(poll_interval=0.1)

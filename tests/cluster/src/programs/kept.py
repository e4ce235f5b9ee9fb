# Keeps one HTTP connection to HOST PORT open. For each line on standard input one request; each is answered by one line on standard output:
# `answer TEXT`, or how the connection ended: `closed`, `reset`, or `silent` when nothing comes for LIMIT seconds.
import socket
import sys

host, port, limit = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
connection = socket.create_connection((host, port), 20)
connection.settimeout(limit)


def ask():
    connection.sendall(b"GET / HTTP/1.1\r\nHost: kept\r\n\r\n")
    answer = b""
    while True:
        head, end, body = answer.partition(b"\r\n\r\n")
        lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        if end and lengths and len(body) >= int(lengths[0]):
            return "answer " + body.decode()
        more = connection.recv(65536)
        if not more:
            return "closed"
        answer += more


for _ in sys.stdin:
    try:
        told = ask()
    except socket.timeout:
        told = "silent"
    except OSError:
        told = "reset"
    print(told, flush=True)

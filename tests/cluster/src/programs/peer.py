"""A TCP server with one behaviour a port: peer.py ADDRESS MODE=PORT...

Port 0 is any free port. Once all are open it prints one line of JSON: the port of each mode.
The end of a connection as this side saw it is kept under the caller's token, and told by the mode `told`.
"""
import base64, hashlib, json, os, socket, struct, sys, threading

BLOCK = 1 << 18
fates, changed = {}, threading.Condition()


def keep(token, fate):
    with changed:
        fates[token] = fate
        changed.notify_all()


def line(connection):
    """Up to the line break and nothing beyond."""
    text = bytearray()
    while byte := connection.recv(1):
        if byte == b"\n":
            return text.decode()
        text += byte
    raise EOFError(f"the caller ended in the middle of a line: {bytes(text)!r}")


def blocks(total):
    """`total` bytes in which no block is like another, so that one lost, doubled or out of place shows."""
    template = hashlib.shake_256(b"towline").digest(BLOCK)
    for number in range(0, (total + BLOCK - 1) // BLOCK):
        block = number.to_bytes(8, "big") + template[8:]
        yield block[: total - number * BLOCK]


def abort(connection):
    """Closes with a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def drain(connection):
    """Digest and number of bytes up to the end."""
    digest, count, buffer = hashlib.sha256(), 0, memoryview(bytearray(BLOCK))
    while read := connection.recv_into(buffer):
        digest.update(buffer[:read])
        count += read
    return f"{count} {digest.hexdigest()}"


def banner(connection):
    """Speaks first, as SMTP does."""
    connection.sendall(b"220 the peer speaks first\r\n")
    connection.sendall(f"250 {line(connection).strip()}\r\n".encode())


def digest(connection):
    """Reads to the end, and only then answers: needs the caller's half-close."""
    connection.sendall(drain(connection).encode())


def source(connection):
    """`BYTES TOKEN`: sends so many, half-closes, and keeps what the caller sends after that."""
    count, token = line(connection).split()
    sent = hashlib.sha256()
    for block in blocks(int(count)):
        connection.sendall(block)
        sent.update(block)
    connection.shutdown(socket.SHUT_WR)
    keep(token, f"{sent.hexdigest()} then {drain(connection)}")


def reset(connection):
    """Resets after the first line."""
    line(connection)
    abort(connection)


def fate(connection):
    """`TOKEN`: keeps how the connection ends."""
    token = line(connection)
    connection.sendall(b"ok\n")
    try:
        keep(token, "closed" if connection.recv(1) == b"" else "data")
    except ConnectionResetError:
        keep(token, "reset")


def told(connection):
    """`TOKEN`: what was kept under it, awaited for at most 60 s."""
    token = line(connection)
    with changed:
        changed.wait_for(lambda: token in fates, 60)
        connection.sendall(fates.get(token, "nothing").encode())


def echo(connection):
    while data := connection.recv(BLOCK):
        connection.sendall(data)


def websocket(connection):
    """Upgrades (RFC 6455), greets by a frame of its own, sends every data frame back, answers pings, closes in order."""
    head = {}
    while text := line(connection).strip():
        name, _, value = text.partition(":")
        head[name.lower()] = value.strip()
    key = head["sec-websocket-key"].encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accept = base64.b64encode(hashlib.sha1(key).digest()).decode()
    connection.sendall(f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n".encode())
    reader = connection.makefile("rb")

    def frame(opcode, data):
        if len(data) < 126:
            size = bytes([len(data)])
        elif len(data) < 65536:
            size = b"\x7e" + len(data).to_bytes(2, "big")
        else:
            size = b"\x7f" + len(data).to_bytes(8, "big")
        connection.sendall(bytes([0x80 | opcode]) + size + data)

    frame(1, b"welcome")
    while True:
        first, second = reader.read(2)
        size = second & 127
        if size > 125:
            size = int.from_bytes(reader.read(2 if size == 126 else 8), "big")
        mask, data = reader.read(4), reader.read(size)
        data = bytes(byte ^ mask[index & 3] for index, byte in enumerate(data))
        opcode = first & 15
        frame({8: 8, 9: 10}.get(opcode, opcode), data)
        if opcode == 8:
            return


def tls(connection):
    """TLS by the certificate and key in the file PEER_CERTIFICATE; then an echo."""
    import ssl
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.environ["PEER_CERTIFICATE"])
    with context.wrap_socket(connection, server_side=True) as secured:
        echo(secured)


def http(connection):
    """One request a connection; the answer tells by NAME who gave it."""
    while line(connection).strip():
        pass
    body = os.environ.get("NAME", socket.gethostname()).encode()
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def handle(mode, connection):
    try:
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            mode(connection)
    except (OSError, EOFError) as error:
        print(f"{mode.__name__}: {error!r}", file=sys.stderr, flush=True)


def serve(mode, listener):
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=handle, args=(mode, connection), daemon=True).start()


ports, threads = {}, []
threading.stack_size(256 << 10)
for argument in sys.argv[2:]:
    name, _, port = argument.partition("=")
    family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
    listener = socket.create_server((sys.argv[1], int(port)), family=family, backlog=1024)
    ports[name] = listener.getsockname()[1]
    threads.append(threading.Thread(target=serve, args=(globals()[name], listener)))
for thread in threads:
    thread.start()
print(json.dumps(ports), flush=True)

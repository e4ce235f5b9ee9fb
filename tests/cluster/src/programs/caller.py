"""A TCP client with one behaviour: caller.py HOST PORT MODE [ARGUMENTS...]. Prints one line of JSON.

The server at the other end is peer.py.
"""
import base64, asyncio, hashlib, json, os, secrets, socket, struct, sys, time

HOST, PORT, MODE, *ARGUMENTS = sys.argv[1:]
BLOCK = 1 << 18
socket.setdefaulttimeout(60)


def connect(port=PORT):
    connection = socket.create_connection((HOST, int(port)))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def line(connection):
    text = bytearray()
    while not text.endswith(b"\n") and (byte := connection.recv(1)):
        text += byte
    return text.decode()


def rest(connection):
    text = bytearray()
    while data := connection.recv(65536):
        text += data
    return text.decode()


def blocks(total):
    template = hashlib.shake_256(b"caller").digest(BLOCK)
    for number in range(0, (total + BLOCK - 1) // BLOCK):
        block = number.to_bytes(8, "big") + template[8:]
        yield block[: total - number * BLOCK]


def told(port, token):
    with connect(port) as connection:
        connection.sendall(f"{token}\n".encode())
        return rest(connection)


def outcome(action):
    """How a connection that is to fail does, and after how long."""
    start = time.monotonic()
    try:
        result = action()
    except ConnectionRefusedError:
        result = "refused"
    except (ConnectionResetError, BrokenPipeError):
        result = "reset"
    except TimeoutError:
        result = "timeout"
    return {"outcome": result, "ms": int((time.monotonic() - start) * 1000)}


def banner():
    with connect() as connection:
        greeting = line(connection)
        connection.sendall(b"HELO caller\n")
        return {"greeting": greeting.strip(), "answer": line(connection).strip(), "rest": rest(connection)}


def digest():
    """Sends so many bytes, half-closes, and waits for the answer."""
    with connect() as connection:
        sent = hashlib.sha256()
        for block in blocks(int(ARGUMENTS[0])):
            connection.sendall(block)
            sent.update(block)
        connection.shutdown(socket.SHUT_WR)
        return {"sent": f"{ARGUMENTS[0]} {sent.hexdigest()}", "answer": rest(connection)}


def source():
    """Receives so many bytes up to the peer's half-close, and sends something after it."""
    count, told_port, token = int(ARGUMENTS[0]), ARGUMENTS[1], secrets.token_hex(8)
    with connect() as connection:
        connection.sendall(f"{count} {token}\n".encode())
        received, total, buffer = hashlib.sha256(), 0, memoryview(bytearray(BLOCK))
        while read := connection.recv_into(buffer):
            received.update(buffer[:read])
            total += read
        connection.sendall(b"after your end")
        connection.shutdown(socket.SHUT_WR)
    after = f"14 {hashlib.sha256(b'after your end').hexdigest()}"
    return {"count": total, "expected": f"{received.hexdigest()} then {after}", "told": told(told_port, token)}


def reset():
    """The peer resets after a line: seen here as a reset?"""
    def action():
        with connect() as connection:
            connection.sendall(b"now\n")
            return "closed" if connection.recv(1) == b"" else "data"
    return outcome(action)


def fate():
    """Resets (or closes, as the first argument says) and asks the peer what it saw."""
    how, told_port, token = *ARGUMENTS, secrets.token_hex(8)
    connection = connect()
    connection.sendall(f"{token}\n".encode())
    assert line(connection) == "ok\n"
    if how == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    return {"told": told(told_port, token)}


def refused():
    """A connection to a port behind which nobody listens."""
    def action():
        with connect() as connection:
            connection.sendall(b"hello\n")
            return "closed" if connection.recv(1) == b"" else "data"
    return outcome(action)


def many():
    """So many connections open at the same time, each with its own words echoed."""
    async def one(number, everybody):
        reader, writer = await asyncio.open_connection(HOST, int(PORT))
        words = f"{number:06d}".encode() + hashlib.shake_256(str(number).encode()).digest(2000)
        writer.write(words[:1000])
        first = await reader.readexactly(1000)
        await everybody.wait()
        writer.write(words[1000:])
        answer = first + await reader.readexactly(len(words) - 1000)
        writer.write_eof()
        end = await reader.read()
        writer.close()
        return answer == words and end == b""

    async def all_of_them(count):
        everybody = asyncio.Barrier(count)
        results = await asyncio.wait_for(asyncio.gather(*(one(number, everybody) for number in range(count))), 60)
        return {"right": sum(results)}
    return asyncio.run(all_of_them(int(ARGUMENTS[0])))


def websocket():
    with connect() as connection:
        key = base64.b64encode(os.urandom(16)).decode()
        connection.sendall(f"GET /live HTTP/1.1\r\nHost: {HOST}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        reader = connection.makefile("rb")
        status, head = reader.readline().decode().strip(), {}
        while text := reader.readline().decode().strip():
            name, _, value = text.partition(":")
            head[name.lower()] = value.strip()
        accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()

        def send(opcode, data):
            mask = os.urandom(4)
            size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xff" + len(data).to_bytes(8, "big")
            connection.sendall(bytes([0x80 | opcode]) + size + mask + bytes(byte ^ mask[index & 3] for index, byte in enumerate(data)))

        def receive():
            first, size = reader.read(2)
            if size > 125:
                size = int.from_bytes(reader.read(2 if size == 126 else 8), "big")
            return first & 15, reader.read(size)

        pushed = receive()
        send(1, "grüße".encode())
        text = receive()
        big = hashlib.shake_256(b"big").digest(100_000)
        send(2, big)
        binary = receive()
        send(9, b"ping")
        pong = receive()
        send(8, struct.pack("!H", 1000))
        close = receive()
        return {
            "status": status,
            "accepted": head.get("sec-websocket-accept") == accept,
            "pushed": pushed == (1, b"welcome"),
            "text": text == (1, "grüße".encode()),
            "binary": binary == (2, big),
            "pong": pong == (10, b"ping"),
            "close": close == (8, struct.pack("!H", 1000)),
            "end": reader.read() == b"",
        }


def tls():
    """Trusts the certificate in the file of the first argument and no other, for the name `localhost`."""
    import ssl
    context = ssl.create_default_context(cafile=ARGUMENTS[0])
    with connect() as plain, context.wrap_socket(plain, server_hostname="localhost") as connection:
        connection.sendall(b"secret")
        seen = hashlib.sha256(connection.getpeercert(binary_form=True)).hexdigest()
        return {"echo": connection.recv(100).decode(), "certificate": seen, "version": connection.version()}


print(json.dumps(globals()[MODE]()))

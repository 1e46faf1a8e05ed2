"""What the capture scripts share: conversations whose packets have valid checksums, plausible times and acknowledgements.

A script makes a Capture, adds conversations, writes it:

    c = Capture(start=1_795_000_000.0, seed=7)
    with c.tcp('10.1.2.3', '198.51.100.7', 80) as s:
        s.client(b'GET / HTTP/1.1\\r\\nHost: example.gov.vn\\r\\n\\r\\n')
        s.server(b'HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok')
    c.write('x.pcap')

Everything is drawn from the seed, so that the same script writes the same bytes (TLS keys and randoms apart: those come from real
handshakes).
"""
import contextlib
import os
import random
import sys

from scapy.all import ICMP, IP, TCP, UDP, Dot1Q, Ether, IPv6, Raw, wrpcap  # noqa: F401

MSS = 1460


def here(script, name):
    """The path of `name` beside the script: captures stand beside what makes them. An argument names another folder."""
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(script))
    return os.path.join(folder, name)


class Capture:
    def __init__(self, start=1_795_000_000.0, seed=1):
        self.now = start
        self.random = random.Random(seed)
        self.packets = []
        self.vlans = ()

    def ip(self, src, dst):
        layer = Ether(src='02:00:00:00:00:01', dst='02:00:00:00:00:02')
        for tag in self.vlans:
            layer = layer / Dot1Q(vlan=tag)
        if ':' in src:
            return layer / IPv6(src=src, dst=dst, hlim=64)
        return layer / IP(src=src, dst=dst, ttl=64, id=self.random.randrange(1, 65535))

    def add(self, packet, gap=None):
        self.now += self.random.uniform(0.0005, 0.004) if gap is None else gap
        packet.time = self.now
        self.packets.append(packet)
        return packet

    def wait(self, seconds):
        self.now += seconds

    def port(self):
        return self.random.randrange(32768, 60999)

    def udp(self, src, dst, dport, request, response=None, sport=None):
        sport = sport or self.port()
        self.add(self.ip(src, dst) / UDP(sport=sport, dport=dport) / Raw(request))
        if response is not None:
            self.add(self.ip(dst, src) / UDP(sport=dport, dport=sport) / Raw(response))

    @contextlib.contextmanager
    def tcp(self, src, dst, dport, sport=None, close='fin'):
        conversation = Tcp(self, src, dst, sport or self.port(), dport)
        conversation.open()
        yield conversation
        conversation.close(close)

    def write(self, path):
        self.packets.sort(key=lambda p: p.time)
        wrpcap(path, self.packets)
        print(f'{path}: {len(self.packets)} packets')


class Tcp:
    """A TCP connection in which both sides acknowledge everything."""

    def __init__(self, capture, src, dst, sport, dport):
        self.c = capture
        self.ends = ((src, sport), (dst, dport))
        self.seq = [capture.random.randrange(1 << 32), capture.random.randrange(1 << 32)]

    def segment(self, side, flags, data=b'', options=()):
        (src, sport), (dst, dport) = self.ends[side], self.ends[1 - side]
        layer = TCP(sport=sport, dport=dport, seq=self.seq[side], ack=self.seq[1 - side] if 'A' in flags else 0, flags=flags, window=64240,
                    options=list(options))
        packet = self.c.ip(src, dst) / layer
        self.c.add(packet / Raw(data) if data else packet)
        self.seq[side] = (self.seq[side] + len(data) + ('S' in flags) + ('F' in flags)) % (1 << 32)

    def open(self):
        options = [('MSS', MSS), ('SAckOK', b''), ('NOP', None), ('WScale', 7)]
        self.segment(0, 'S', options=options)
        self.segment(1, 'SA', options=options)
        self.segment(0, 'A')

    def send(self, side, data):
        for i in range(0, len(data), MSS):
            self.segment(side, 'PA' if i + MSS >= len(data) else 'A', data[i:i + MSS])
        self.segment(1 - side, 'A')

    def client(self, data):
        self.send(0, data)

    def server(self, data):
        self.send(1, data)

    def close(self, how):
        if how == 'fin':
            self.segment(0, 'FA')
            self.segment(1, 'FA')
            self.segment(0, 'A')
        elif how == 'rst':
            self.segment(1, 'RA')


# ---------------------------------------------------------------- payloads

def http_request(method, path, host, headers=(), body=b'', agent='Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0'):
    lines = [f'{method} {path} HTTP/1.1', f'Host: {host}', f'User-Agent: {agent}', 'Accept: */*', *headers]
    if body or method in ('POST', 'PUT'):
        lines.append(f'Content-Length: {len(body)}')
    return '\r\n'.join(lines).encode() + b'\r\n\r\n' + body


def http_response(body, status='200 OK', kind='text/html; charset=utf-8', headers=()):
    lines = [f'HTTP/1.1 {status}', 'Server: nginx', f'Content-Type: {kind}', f'Content-Length: {len(body)}', *headers]
    return '\r\n'.join(lines).encode() + b'\r\n\r\n' + body


def dns_name(name):
    return b''.join(bytes([len(p)]) + p.encode() for p in name.split('.') if p) + b'\0'


def dns_query(ident, name, rtype=1):
    return ident.to_bytes(2, 'big') + b'\x01\0\0\1\0\0\0\0\0\0' + dns_name(name) + rtype.to_bytes(2, 'big') + b'\0\1'


def dns_answer(ident, name, data, rtype=1, rcode=0, ttl=300):
    head = ident.to_bytes(2, 'big') + (0x8180 | rcode).to_bytes(2, 'big') + b'\0\1' + (b'\0\1' if data is not None else b'\0\0') + b'\0\0\0\0'
    question = dns_name(name) + rtype.to_bytes(2, 'big') + b'\0\1'
    if data is None:
        return head + question
    return head + question + b'\xc0\x0c' + rtype.to_bytes(2, 'big') + b'\0\1' + ttl.to_bytes(4, 'big') + len(data).to_bytes(2, 'big') + data


def ssh_banner_exchange(s, client='SSH-2.0-libssh_0.9.6', server='SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3'):
    s.server(server.encode() + b'\r\n')
    s.client(client.encode() + b'\r\n')


def tls_handshake(s, server_name, subject, days=30):
    """A real TLS 1.2 handshake between two ends of OpenSSL, its records carried by the conversation; then one record of data each way."""
    import ssl
    import subprocess
    import tempfile
    with tempfile.TemporaryDirectory() as work:
        key, cert = os.path.join(work, 'k.pem'), os.path.join(work, 'c.pem')
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', str(days),
                        '-subj', subject], check=True, capture_output=True)
        ends = []
        for side in ('client', 'server'):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT if side == 'client' else ssl.PROTOCOL_TLS_SERVER)
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            if side == 'client':
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            else:
                context.load_cert_chain(cert, key)
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            end = context.wrap_bio(incoming, outgoing, server_side=side == 'server', server_hostname=server_name if side == 'client' else None)
            ends.append((end, incoming, outgoing))
        done = [False, False]

        def pump(side):
            data = ends[side][2].read()
            if data:
                s.send(side, data)
                ends[1 - side][1].write(data)

        for _ in range(12):
            for side in (0, 1):
                if not done[side]:
                    try:
                        ends[side][0].do_handshake()
                        done[side] = True
                    except ssl.SSLWantReadError:
                        pass
                pump(side)
            if all(done):
                break
        for side, text in ((0, b'hello from the client'), (1, b'hello from the server')):
            ends[side][0].write(text)
            pump(side)

"""A DNS tunnel: long random labels below one domain, answered by TXT records."""
import base64
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from build import Capture, dns_answer, dns_query, here

c = Capture(seed=22)
for i in range(40):
    label = base64.b32encode(bytes(c.random.randrange(256) for _ in range(30))).decode().lower().rstrip('=')
    name = f'{label}.{i:04x}.t.data-sync.example.net'
    text = base64.b64encode(bytes(c.random.randrange(256) for _ in range(60)))
    ident = c.random.randrange(65536)
    c.udp('10.20.1.15', '10.20.0.53', 53, dns_query(ident, name, 16), dns_answer(ident, name, bytes([len(text)]) + text, 16))
    c.wait(0.2)
c.write(here(__file__, 'tunnel.pcap'))

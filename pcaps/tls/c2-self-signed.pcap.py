"""Command and control over TLS: a self-signed certificate with the default subject of a known tool, on an odd port."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from build import Capture, here, tls_handshake

c = Capture(seed=32)
with c.tcp('10.20.1.15', '198.51.100.23', 8443) as s:
    tls_handshake(s, 'cdn-update.example.net', '/C=US/ST=Washington/L=Redmond/O=AsyncRAT Server/CN=AsyncRAT Server', days=3650)
c.write(here(__file__, 'c2-self-signed.pcap'))

"""An ordinary TLS 1.2 connection: real handshake, server name and certificate of a public service."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from build import Capture, here, tls_handshake

c = Capture(seed=31)
with c.tcp('10.20.1.15', '10.30.0.80', 443) as s:
    tls_handshake(s, 'dichvucong.example.gov.vn', '/C=VN/O=Co quan Mau/CN=dichvucong.example.gov.vn')
c.write(here(__file__, 'ordinary.pcap'))

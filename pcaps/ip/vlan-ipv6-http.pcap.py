"""HTTP over IPv6 inside two VLAN tags (QinQ)."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from build import Capture, here, http_request, http_response

c = Capture(seed=82)
c.vlans = (100, 200)
with c.tcp('2001:db8:20::15', '2001:db8:30::80', 80) as s:
    s.client(http_request('GET', '/ipv6', 'dichvucong.example.gov.vn'))
    s.server(http_response(b'xin chao'))
c.write(here(__file__, 'vlan-ipv6-http.pcap'))

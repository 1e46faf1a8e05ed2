"""Ordinary name lookups: A, AAAA, MX, a name that does not exist."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from build import Capture, dns_answer, dns_name, dns_query, here

c = Capture(seed=21)
for name, rtype, data in (('dichvucong.example.gov.vn', 1, bytes([10, 30, 0, 80])), ('dichvucong.example.gov.vn', 28, bytes.fromhex('20010db8' + '0' * 23 + '1')),
                          ('example.gov.vn', 15, b'\0\x0a' + dns_name('mail.example.gov.vn')), ('khong-co.example.gov.vn', 1, None)):
    ident = c.random.randrange(65536)
    c.udp('10.20.1.15', '10.20.0.53', 53, dns_query(ident, name, rtype), dns_answer(ident, name, data, rtype, rcode=0 if data else 3))
    c.wait(0.5)
c.write(here(__file__, 'ordinary.pcap'))

"""A SYN scan of forty ports of one server: most refused, three open."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from build import TCP, Capture, here

c = Capture(seed=71)
for port in list(range(20, 58)) + [445, 3389]:
    sport, seq = c.port(), c.random.randrange(1 << 32)
    c.add(c.ip('203.0.113.66', '10.30.0.80') / TCP(sport=sport, dport=port, flags='S', seq=seq, window=1024, options=[('MSS', 1460)]), gap=0.02)
    if port in (22, 25, 53):
        c.add(c.ip('10.30.0.80', '203.0.113.66') / TCP(sport=port, dport=sport, flags='SA', seq=9, ack=seq + 1, window=64240))
        c.add(c.ip('203.0.113.66', '10.30.0.80') / TCP(sport=sport, dport=port, flags='R', seq=seq + 1, window=0))
    else:
        c.add(c.ip('10.30.0.80', '203.0.113.66') / TCP(sport=port, dport=sport, flags='RA', seq=0, ack=seq + 1, window=0))
c.write(here(__file__, 'tcp-syn.pcap'))

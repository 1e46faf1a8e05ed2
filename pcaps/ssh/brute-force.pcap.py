"""SSH guessing: fourteen short connections of a scripted client within a minute."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from build import Capture, here, ssh_banner_exchange

c = Capture(seed=41)
for _ in range(14):
    with c.tcp('203.0.113.66', '10.30.0.22', 22, close='rst') as s:
        ssh_banner_exchange(s)
    c.wait(3)
c.write(here(__file__, 'brute-force.pcap'))

"""A large UDP datagram in IPv4 fragments that arrive out of order, and the same over IPv6; an echo request with its reply."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from build import ICMP, IP, UDP, Capture, Ether, Raw, here
from scapy.all import IPv6, IPv6ExtHdrFragment, fragment, fragment6

c = Capture(seed=81)
DATA = b'vong-fragment-test ' * 160
whole = IP(src='10.20.1.15', dst='10.30.0.90', id=4711) / UDP(sport=40000, dport=9999) / Raw(DATA)
pieces = [Ether() / p for p in fragment(whole, fragsize=1000)]
for p in (pieces[2], pieces[0], *pieces[3:], pieces[1]):
    c.add(p)
six = IPv6(src='2001:db8:20::15', dst='2001:db8:30::90') / IPv6ExtHdrFragment(id=99) / UDP(sport=40001, dport=9999) / Raw(DATA)
for p in reversed(fragment6(six, 1280)):
    c.add(Ether() / p)
c.add(c.ip('10.20.1.15', '10.30.0.90') / ICMP(type=8, id=7, seq=1) / Raw(b'abcdefgh'))
c.add(c.ip('10.30.0.90', '10.20.1.15') / ICMP(type=0, id=7, seq=1) / Raw(b'abcdefgh'))
c.write(here(__file__, 'fragments.pcap'))

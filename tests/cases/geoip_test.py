#!/usr/bin/python3
"""geoip_test.py VONG_SENSOR: rules by country, with a database made here; without one, and with damaged ones, the rules are refused and nothing else happens."""
import json
import os
import random
import subprocess
import sys
import tempfile

from scapy.all import IP, UDP, IPv6, Raw, wrpcap

from country_database import database

sensor, problems = os.path.abspath(sys.argv[1]), []
DB = database({'192.0.2.0/24': 'VN', '198.51.100.0/24': 'FR', '198.51.100.7/32': 'DE', '203.0.113.0/24': 'registered:US', '2001:db8::/32': 'VN'})
PAIRS = [('192.0.2.1', '198.51.100.1'), ('198.51.100.7', '192.0.2.9'), ('10.0.0.1', '192.0.2.9'), ('203.0.113.5', '10.0.0.2'), ('2001:db8::1', 'fe80::1')]


def same(what, got, want):
    if got != want:
        problems.append(f'{what}: {got!r}, not {want!r}')


def run(values, db, settings=True):
    """Rules with these values of geoip -> (the pairs that each alerts on, stderr, status)."""
    with tempfile.TemporaryDirectory() as d:
        packets = []
        for i, (a, b) in enumerate(PAIRS):
            p = (IPv6(src=a, dst=b) if ':' in a else IP(src=a, dst=b)) / UDP(sport=1000 + i, dport=9) / Raw(b'x')
            p.time = 1.7e9 + i
            packets.append(p)
        wrpcap(f'{d}/in.pcap', packets[:4])
        wrpcap(f'{d}/six.pcap', packets[4:])
        open(f'{d}/a.rules', 'w').write(''.join(f'alert ip any any -> any any (geoip:{v}; sid:{i + 1};)\n' for i, v in enumerate(values)))
        if db is not None:
            open(f'{d}/c.mmdb', 'wb').write(db)
        extra = ['--set', f'geoip-database={d}/c.mmdb'] if settings else []
        found = [set() for _ in values]
        for capture in ('in', 'six'):
            r = subprocess.run([sensor, '-r', f'{d}/{capture}.pcap', '-S', f'{d}/a.rules', '-l', f'{d}/{capture}', *extra], capture_output=True, text=True)
            if r.returncode:
                return found, r.stderr, r.returncode
            for line in open(f'{d}/{capture}/eve.json'):
                e = json.loads(line)
                if e['event_type'] == 'alert':
                    found[e['alert']['signature_id'] - 1].add(e['src_port'] - 1000)
        return [sorted(f) for f in found], r.stderr, 0


CASES = {'src,VN': [0, 4], 'dst,vn': [1, 2], 'VN': [0, 1, 2, 4], 'any,FR,DE': [0, 1], 'both,VN,FR': [0], 'both,VN,DE,FR': [0, 1], 'src,!VN': [1, 3],
         'src,US': [3], 'any,CN': [], 'dst,!FR,!DE': [1, 2]}
same('by country', run(list(CASES), DB)[0], list(CASES.values()))
found, stderr, status = run(['src,VN'], None, settings=False)
same('without the setting', (found, 'the setting geoip-database names none' in stderr, status), ([[]], True, 0))
found, stderr, status = run(['src,VN'], None)
same('without the file', (found, 'geoip-database cannot be used' in stderr and 'c.mmdb' in stderr, status), ([[]], True, 0))
for value in ('src', 'src,Vietnam', 'upper,VN', 'src,V1', ''):
    same(f'refused: {value!r}', (run([value], DB)[0], ': error: ' in run([value], DB)[1]), ([[]], True))
draw = random.Random(1)
for turn in range(25):   # damaged: refused, or wrong countries, and never an end by a signal
    bad = bytearray(DB[:draw.randrange(len(DB))] if turn % 2 else DB)
    for _ in range(draw.randrange(1, 6)):
        if bad:
            bad[draw.randrange(len(bad))] = draw.randrange(256)
    same(f'damaged {turn}', run(['src,VN'], bytes(bad))[2], 0)
print('\n'.join(problems) or 'geoip: all as expected')
sys.exit(1 if problems else 0)

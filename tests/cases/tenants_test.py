#!/usr/bin/python3
"""tenants_test.py VONG_SENSOR: multi-detect. Each tenant's rules, variables and thresholds apply to its own traffic alone."""
import json
import os
import subprocess
import sys
import tempfile

from scapy.all import IP, UDP, Dot1Q, Ether, Raw, wrpcap

sensor, problems = os.path.abspath(sys.argv[1]), []


def same(what, got, want):
    if got != want:
        problems.append(f'{what}: {got!r}, not {want!r}')


def datagram(vlans, n, data=b'attack', src='10.0.0.1', port=40000):
    """One datagram behind these VLAN tags, outermost first."""
    p = Ether(src='02:00:00:00:00:01', dst='02:00:00:00:00:02')
    for v in vlans:
        p = p / Dot1Q(vlan=v)
    p = p / IP(src=src, dst='10.0.0.2') / UDP(sport=port, dport=7777) / Raw(data)
    p.time = 1.7e9 + n / 100
    return p


def run(packets, files, config, args=(), status=0):
    """Files of a folder, its main.yaml, a capture -> (events, what went to stderr)."""
    with tempfile.TemporaryDirectory() as d:
        wrpcap(f'{d}/in.pcap', packets)
        for name, text in {**files, 'main.yaml': config}.items():
            os.makedirs(os.path.dirname(f'{d}/{name}'), exist_ok=True)
            open(f'{d}/{name}', 'w').write(text)
        r = subprocess.run([sensor, '-r', f'{d}/in.pcap', '-c', f'{d}/main.yaml', '-l', d, *args], capture_output=True, text=True)
        if r.returncode != status:
            problems.append(f'exit status {r.returncode}, not {status}: {r.stderr[-2000:]}')
        events = [json.loads(line) for line in open(f'{d}/eve.json')] if os.path.exists(f'{d}/eve.json') else []
        return events, r.stderr


def alerts(events):
    return sorted((e.get('tenant_id', 0), e['alert']['signature_id'], e['src_port']) for e in events if e['event_type'] == 'alert')


RULE = 'alert udp {} any -> any {} (msg:"{}"; content:"attack"; {}sid:{};)\n'
FILES = {
    'main.rules': RULE.format('any', 'any', 'main', '', 9),
    't1/a.rules': RULE.format('$HOME_NET', '$PORTS', 'one', '', 1),
    't2/a.rules': RULE.format('$HOME_NET', 'any', 'two', 'classtype:own-class; ', 2),
    't2/class.config': 'config classification: own-class,Of tenant two,2\n',
    't1.yaml': 'default-rule-path: t1\nrule-files: [a.rules]\nvars: {address-groups: {HOME_NET: "10.0.0.1"}, port-groups: {PORTS: "7777"}}\n',
    't2.yaml': 'rule-files: [t2/a.rules]\nclassification-file: t2/class.config\n',
}
MAIN = '''
rule-files: [main.rules]
vars: {address-groups: {HOME_NET: "10.0.0.0/8"}, port-groups: {PORTS: "1"}}
multi-detect:
  enabled: yes
  SELECTOR
  loaders: 2
  tenants: [{id: 1, yaml: t1.yaml}, {id: 2, yaml: t2.yaml}]
  mappings: [MAPPINGS]
'''
VLAN = MAIN.replace('SELECTOR', 'selector: vlan').replace('MAPPINGS', '{vlan-id: 100, tenant-id: 1}, {vlan-id: 200, tenant-id: 2}, {vlan-id: 201, tenant-id: 2}')
PACKETS = [datagram([100], 1, port=1001), datagram([200], 2, port=1002), datagram([201], 3, port=1003), datagram([300], 4, port=1004),
           datagram([], 5, port=1005), datagram([100], 6, src='10.0.0.9', port=1006), datagram([100, 200], 7, port=1007)]


def by_vlan():
    events, _ = run(PACKETS, FILES, VLAN)
    same('alerts by the outermost VLAN', alerts(events), [(1, 1, 1001), (1, 1, 1007), (2, 2, 1002), (2, 2, 1003)])
    same('flows name their tenant', sorted((e['src_port'], e.get('tenant_id')) for e in events if e['event_type'] == 'flow'),
         [(1001, 1), (1002, 2), (1003, 2), (1004, None), (1005, None), (1006, 1), (1007, 1)])
    same('a tenant has classes of its own', {e['alert']['category'] for e in events if e['event_type'] == 'alert' and e['tenant_id'] == 2},
         {'Of tenant two'})
    same('engines in stats', [(e['id'], e['rules_loaded']) for e in events[-1]['stats']['detect']['engines']], [(0, 0), (1, 1), (2, 1)])


def default():
    events, _ = run(PACKETS, FILES, VLAN, ['--set', 'multi-detect.default=yes'])
    same('the main rules look at what is nobody\'s', alerts(events),
         [(0, 9, 1004), (0, 9, 1005), (1, 1, 1001), (1, 1, 1007), (2, 2, 1002), (2, 2, 1003)])
    events, _ = run(PACKETS, FILES, VLAN, ['--workers', '3', '--set', 'multi-detect.default=yes'])
    same('the same by several workers', len(alerts(events)), 6)


def by_tuple():
    config = MAIN.replace('SELECTOR', 'selector: vlan-tuple').replace('MAPPINGS', '{vlan-tuple: [100, 0], tenant-id: 1}, {vlan-tuple: [0, 200, 7], tenant-id: 2}')
    packets = [datagram([100, 5], 1, port=1), datagram([100], 2, port=2), datagram([9, 200, 7], 3, port=3), datagram([9, 200, 8], 4, port=4)]
    events, _ = run(packets, FILES, config)
    same('alerts by VLAN tuple', alerts(events), [(1, 1, 1), (2, 2, 3)])


def counts_apart():
    """Thresholds, bits of hosts and data sets of one tenant know nothing of another's, though addresses and sids are the same."""
    rules = ('alert udp any any -> any any (content:"attack"; threshold:type threshold, track by_src, count 3, seconds 60; sid:1;)\n'
             'alert udp any any -> any any (content:"mark"; hostbits:set,seen; noalert; sid:2;)\n'
             'alert udp any any -> any any (content:"after"; hostbits:isset,seen; sid:3;)\n'
             'alert udp any any -> any any (content:"learn"; dataset:set,met,type string,state met.lst; noalert; sid:4;)\n')
    files = {'r.rules': rules, 't1.yaml': 'rule-files: [r.rules]\n', 't2.yaml': 'rule-files: [r.rules]\n'}
    config = VLAN.replace('rule-files: [main.rules]', 'rule-files: []')
    packets = [datagram([v], i, port=5000 + i) for i, v in enumerate([100, 200, 100, 200])]
    packets += [datagram([100], 5, b'mark', port=6001), datagram([200], 6, b'after', port=6002), datagram([100], 7, b'after', port=6003)]
    events, _ = run(packets, files, config)
    same('two and two are not three; a bit is the tenant\'s', alerts(events), [(1, 3, 6003)])
    events, _ = run(packets + [datagram([100], 8, port=5009)], files, config)
    same('the third of one tenant is', alerts(events), [(1, 1, 5009), (1, 3, 6003)])


def refused():
    for change, words in [(('tenant-id: 2}]', 'tenant-id: 7}]'), 'names tenant 7'), (('vlan-id: 201', 'vlan-id: 4095'), 'vlan-id 4095'),
                          (('vlan-id: 201', 'vlan-id: 100'), 'mapped to tenant 1 and to tenant 2'), (('id: 2, yaml', 'id: 1, yaml'), 'stands there twice'),
                          (('id: 2, yaml', 'id: two, yaml'), 'not a number'), (('selector: vlan', 'selector: colour'), "'colour'"),
                          (('rule-files', 'vlan: {use-for-tracking: no}\nrule-files'), 'vlan.use-for-tracking'), (('t2.yaml', 'nothere.yaml'), 'nothere.yaml')]:
        _, stderr = run(PACKETS, FILES, VLAN.replace(*change), status=2)
        if words not in stderr:
            problems.append(f'refused {change[1]!r} without saying {words!r}: {stderr[-500:]}')
    _, stderr = run(PACKETS, {**FILES, 't2.yaml': FILES['t2.yaml'] + 'stream: {midstream: yes}\n'}, VLAN)
    same('what a tenant cannot set is told', "'stream' is no setting of a tenant" in stderr, True)


by_vlan(), default(), by_tuple(), counts_apart(), refused()
print('\n'.join(problems) or 'tenants: all as expected')
sys.exit(1 if problems else 0)

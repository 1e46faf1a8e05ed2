#!/usr/bin/python3
"""evidence.py SENSOR ROOT: an alert carries payload, packet, rule, revision and where the rule's contents were found, and the ring on disk gives its flow's
packets, those before the alert too: by flow id and by Community ID, whole datagrams from fragments, what a tunnel carries, within a span of time."""
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile

from scapy.all import IP, TCP, UDP, Ether, Raw, fragment, rdpcap, wrpcap  # Debian's python3-scapy

sensor, root = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
problems = []
CONFIG = '''
outputs:
  - eve-log:
      enabled: yes
      community-id: true
      types:
        - alert: {payload: yes, payload-printable: yes, packet: yes, metadata: {rule: {raw: yes, metadata: yes, matches: yes}}}
        - flow
'''


def packets():
    out, ends = [], Ether(src='02:00:00:00:00:01', dst='02:00:00:00:00:02')
    a, b = IP(src='10.0.0.1', dst='10.0.0.2'), IP(src='10.0.0.2', dst='10.0.0.1')
    seq = {1: 1000, 2: 5000}
    def tcp(side, flags, data=b''):
        ports = dict(sport=40000, dport=80) if side == 1 else dict(sport=80, dport=40000)
        p = ends / (a if side == 1 else b).copy() / TCP(flags=flags, seq=seq[side], ack=seq[3 - side] if flags != 'S' else 0, **ports) / Raw(data)
        seq[side] += len(data) + ('S' in flags or 'F' in flags)
        return p
    out += [tcp(1, 'S'), tcp(2, 'SA'), tcp(1, 'A')]
    for i in range(5):
        out += [tcp(1, 'PA', b'GET /quiet%d HTTP/1.1\r\nHost: h\r\n\r\n' % i), tcp(2, 'PA', b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')]
    out += [tcp(1, 'PA', b'GET /the/evil/word HTTP/1.1\r\nHost: h\r\n\r\n'), tcp(2, 'PA', b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')]
    out += fragment(ends / IP(src='10.0.0.3', dst='10.0.0.4', id=77) / UDP(sport=5000, dport=6000) / Raw(b'x' * 3000 + b'EVIL'), fragsize=1400)
    inner = IP(src='192.168.1.1', dst='192.168.1.2') / UDP(sport=7000, dport=8000) / Raw(b'EVIL inside')
    out.append(ends / IP(src='10.0.0.5', dst='10.0.0.6') / inner)
    out += [ends / IP(src='10.0.0.9', dst='10.0.0.8') / UDP(sport=1000 + i, dport=9) / Raw(b'noise') for i in range(50)]
    for i, p in enumerate(out):
        p.time = 1_700_000_000 + i
    return out


def extract(work, *arguments, status=0):
    path = f'{work}/out.pcap'
    if os.path.exists(path):
        os.unlink(path)
    done = subprocess.run([sensor, 'extract', '--dir', f'{work}/ring', '-o', path, *arguments], capture_output=True, text=True, timeout=60)
    if done.returncode != status:
        problems.append(f'extract {arguments}: status {done.returncode}: {done.stderr[-400:]}')
    return rdpcap(path) if os.path.exists(path) else []


def check_alert(alert):
    a = alert['alert']
    if a['rev'] != 3 or 'evil' not in a['rule'] or not alert['payload_printable'] or not base64.b64decode(alert['packet']):
        problems.append(f'the alert lacks evidence: {alert}')
    payload, found = base64.b64decode(alert['payload']), a['metadata']['matched']
    name, place = found[0].rsplit(' ', 1)
    offset, length = (int(x) for x in place.split('+'))
    if name in ('payload', 'stream', 'content') and payload[offset:offset + length] != b'evil' and payload.find(b'evil') != offset:
        problems.append(f'{found} does not point to the word in {payload!r}')
    if length != 4:
        problems.append(f'{found}: the word has four bytes')
    if a['metadata'].get('kind') != ['test']:
        problems.append(f"the rule's own metadata: {a['metadata']}")


def check_schema(events):
    path = os.path.join(os.environ.get('VONG_SHARED', f'{root}/../shared'), 'conformance/eve-schema.json')
    if not os.path.exists(path):
        return print('schema: skipped, it is not here')
    import jsonschema
    validator = jsonschema.Draft7Validator(json.load(open(path)))
    for event in events:
        problems.extend(f'schema: {e.message}' for e in list(validator.iter_errors(event))[:2])


def main(work):
    all_packets = packets()
    wrpcap(f'{work}/in.pcap', all_packets)
    with open(f'{work}/c.yaml', 'w') as f:
        f.write(CONFIG + f'evidence: {{dir: {work}/ring, bytes-max: 8mb}}\n')
    with open(f'{work}/a.rules', 'w') as f:
        f.write('alert tcp any any -> any any (msg:"word"; flow:established; content:"evil"; metadata:kind test; sid:1; rev:3;)\n'
                'alert udp any any -> any any (msg:"udp"; content:"EVIL"; sid:2; rev:3;)\n')
    done = subprocess.run([sensor, '-c', f'{work}/c.yaml', '-S', f'{work}/a.rules', '-k', 'none', '-r', f'{work}/in.pcap', '-l', f'{work}/log'], capture_output=True, text=True,
                          timeout=60)
    if done.returncode:
        problems.append(f'sensor: {done.returncode} {done.stderr[-500:]}')
        return
    events = [json.loads(line) for line in open(f'{work}/log/eve.json')]
    check_schema(events)
    alerts = {(e['alert']['signature_id'], e['src_ip']): e for e in events if e['event_type'] == 'alert'}
    word, parts, carried = alerts[1, '10.0.0.1'], alerts[2, '10.0.0.3'], alerts[2, '192.168.1.1']
    check_alert(word)
    flow = extract(work, '--flow', str(word['flow_id']))
    if len(flow) != 15 or any(p[TCP].sport not in (80, 40000) for p in flow) or [bytes(p) for p in flow] != [bytes(p) for p in all_packets[:15]]:
        problems.append(f'the flow of the word: {len(flow)} packets, 15 were sent')
    if [bytes(p) for p in extract(work, '--community-id', word['community_id'])] != [bytes(p) for p in flow]:
        problems.append('by Community ID it is another flow')
    some = extract(work, '--flow', str(word['flow_id']), '--from', '1700000003', '--to', '2023-11-14T22:13:25.500000+0000')
    if len(some) != 3:
        problems.append(f'--from --to: {len(some)} packets instead of 3')
    if len(extract(work, '--flow', str(parts['flow_id']))) != 3:
        problems.append('the datagram in three fragments is not whole')
    tunnel = extract(work, '--community-id', carried['community_id'])
    if len(tunnel) != 1 or tunnel[0][IP].src != '10.0.0.5':
        problems.append(f'what the tunnel carried: {len(tunnel)} packets')
    if len(extract(work, '--flow', '12345', status=1)) != 0:
        problems.append('a flow that is not there gives packets')
    extract(work, status=2)
    tools = subprocess.run(['tshark', '-r', f'{work}/ring/ring-0000000001.pcap', '-T', 'fields', '-e', 'frame.number'], capture_output=True, text=True) if shutil.which('tshark') else None
    if tools is not None and len(tools.stdout.split()) != len(all_packets):
        problems.append(f'tshark reads {len(tools.stdout.split())} of {len(all_packets)} packets of the ring')


folder = tempfile.mkdtemp(prefix='vong_evidence_')
try:
    main(folder)
finally:
    shutil.rmtree(folder, ignore_errors=True)
print('\n'.join(problems) or 'alerts carry their evidence, the ring gives their flows')
sys.exit(1 if problems else 0)

#!/usr/bin/python3
"""records_test.py VONG_SENSOR TREE: what records say of small conversations made here: the client behind a proxy, frames of TLS,
wrong checksums."""
import json
import os
import subprocess
import sys
import tempfile

from scapy.all import IP, TCP, Raw, wrpcap

sensor, problems = os.path.abspath(sys.argv[1]), []
CLIENT, SERVER = '10.0.0.1', '10.0.0.2'


def conversation(parts, port=80, sport=40000):
    """parts: ('c'|'s', bytes) in order -> packets of one TCP connection, handshake to end, every segment acknowledged."""
    seq, packets = {'c': 1000, 's': 9000}, []

    def send(who, flags, data=b''):
        other = 's' if who == 'c' else 'c'
        ip = IP(src=CLIENT, dst=SERVER) if who == 'c' else IP(src=SERVER, dst=CLIENT)
        tcp = TCP(sport=sport if who == 'c' else port, dport=port if who == 'c' else sport, flags=flags, seq=seq[who],
                  ack=seq[other] if 'A' in flags else 0)
        packets.append(ip / tcp / Raw(data) if data else ip / tcp)
        seq[who] += len(data) + (1 if 'S' in flags or 'F' in flags else 0)

    send('c', 'S'), send('s', 'SA'), send('c', 'A')
    for who, data in parts:
        for at in range(0, len(data), 1400):
            send(who, 'PA', data[at:at + 1400])
            send('s' if who == 'c' else 'c', 'A')
    send('c', 'FA'), send('s', 'FA'), send('c', 'A')
    for i, p in enumerate(packets):
        p.time = 1.7e9 + i / 1000
    return packets


def run(packets, rules='', config=''):
    with tempfile.TemporaryDirectory() as d:
        wrpcap(f'{d}/in.pcap', packets)
        open(f'{d}/a.rules', 'w').write(rules)
        open(f'{d}/c.yaml', 'w').write(config)
        more = ['-c', f'{d}/c.yaml'] if config else []
        r = subprocess.run([sensor, '-q', '-r', f'{d}/in.pcap', '-S', f'{d}/a.rules', '-l', d, *more], capture_output=True, text=True)
        if r.returncode:
            problems.append(f'exit status {r.returncode}: {r.stderr}')
            return []
        return [json.loads(line) for line in open(f'{d}/eve.json')]


def only(events, kind):
    return [e for e in events if e['event_type'] == kind]


def same(what, got, want):
    if got != want:
        problems.append(f'{what}: {got!r}, not {want!r}')


GET = b'GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.7, 198.51.100.9\r\n\r\n'
OK = b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'
HTTP = conversation([('c', GET), ('s', OK)])
BOTH = ('alert http any any -> any any (msg:"asked"; http.host; content:"a"; sid:1;)\n'
        'alert http any any -> any any (msg:"answered"; http.stat_code; content:"200"; sid:2;)\n')


def xff(mode, deployment):
    return f'''
outputs:
  - eve-log:
      xff: {{enabled: yes, mode: {mode}, deployment: {deployment}, header: X-Forwarded-For}}
      types: [alert, http]
'''


def forwarded_for():
    events = run(HTTP, BOTH, xff('extra-data', 'reverse'))
    same('alerts with the client beside', [(a['src_ip'], a['alert'].get('xff')) for a in only(events, 'alert')],
         [(CLIENT, '198.51.100.9'), (SERVER, '198.51.100.9')])
    same('record with the client beside', [(h['src_ip'], h['http'].get('xff')) for h in only(events, 'http')], [(CLIENT, '198.51.100.9')])
    same('no client in the record inside an alert', [a['http'].get('xff') for a in only(events, 'alert')], [None, None])
    events = run(HTTP, BOTH, xff('overwrite', 'forward'))
    same('alerts with the client in place', [(a['src_ip'], a['dest_ip'], a['alert'].get('xff')) for a in only(events, 'alert')],
         [('192.0.2.7', SERVER, None), (SERVER, '192.0.2.7', None)])
    same('record with the client in place', [(h['src_ip'], h['dest_ip'], h['http'].get('xff')) for h in only(events, 'http')],
         [('192.0.2.7', SERVER, None)])
    events = run(conversation([('c', b'GET / HTTP/1.1\r\nHost: a\r\n\r\n'), ('s', OK)]), BOTH, xff('overwrite', 'forward'))
    same('without the header', [(a['src_ip'], a['alert'].get('xff')) for a in only(events, 'alert')], [(CLIENT, None), (SERVER, None)])


def tls_frames():
    hello = bytes.fromhex('160301002f0100002b0303') + bytes(range(32)) + bytes.fromhex('000002c02f01000000')
    packets = conversation([('c', hello), ('s', bytes.fromhex('15030300020228'))], 443)
    rules = ('alert tls any any -> any any (flow:to_server; frame:tls.pdu; content:"|16 03|"; startswith; bsize:52; sid:1;)\n'
             'alert tls any any -> any any (frame:hdr; content:"|16 03 01 00 2f|"; bsize:5; sid:2;)\n'
             'alert tls any any -> any any (frame:tls.alert; content:"|02 28|"; bsize:2; sid:3;)\n'
             'alert tls any any -> any any (frame:tls.heartbeat; content:"|02 28|"; sid:4;)\n')
    same('frames of TLS', sorted((a['alert']['signature_id'], a['frame']['type'], a['frame']['stream_offset']) for a in only(run(packets, rules), 'alert')),
         [(1, 'pdu', 0), (2, 'hdr', 0), (3, 'alert', 5)])


def wrong_checksums():
    def packets(n, wrong):
        out = [IP(src=CLIENT, dst=SERVER) / TCP(sport=1, dport=2, flags='A', chksum=1 if i < wrong else None) for i in range(n)]
        for i, p in enumerate(out):
            p.time = 1.6e9 + i / 1e6
        bad = conversation([('c', GET), ('s', OK)])
        for p in bad:
            p[TCP].chksum = 1
        return out + bad

    for name, before, wrong, config, alerts in (
            ('too few packets to tell', 500, 500, 'auto', 0), ('many wrong ones', 1000, 200, 'auto', 2), ('few wrong ones', 1000, 50, 'auto', 0),
            ('checks asked for', 1000, 200, 'yes', 0), ('checks turned off', 0, 0, 'no', 2)):
        got = only(run(packets(before, wrong), BOTH, f'pcap-file: {{checksum-checks: {config}}}\n'), 'alert')
        same(f'checksums, {name}', len(got), alerts)


def esp_and_ftp_data():
    packets = [IP(src=CLIENT, dst=SERVER, proto=50) / Raw((0x11223344).to_bytes(4, 'big') + b'\0\0\0\1' + b'x' * 40)]
    packets[0].time = 1.6e9
    events = run(packets, 'alert ip any any -> any any (msg:"e"; ip_proto:50; sid:1;)\n')
    same('index of ESP', [(e['event_type'], e['spi']) for e in events if e['event_type'] in ('alert', 'flow')], [('alert', 0x11223344), ('flow', 0x11223344)])
    control = conversation([('s', b'220 x\r\n'), ('c', b'USER a\r\n'), ('s', b'331 x\r\n'), ('c', b'PASV\r\n'), ('s', b'227 ok (10,0,0,2,200,10)\r\n'),
                            ('c', b'RETR f\r\n'), ('s', b'150 x\r\n')], 21)
    data = conversation([('s', b'content')], 200 * 256 + 10, 40001)
    for i, p in enumerate(data):
        p.time = 1.7e9 + 0.5 + i / 1000
    events = run(control + data)
    of = {e['app_proto']: e for e in only(events, 'flow')}
    same('the flow that announced', of['ftp-data'].get('parent_id'), of['ftp']['flow_id'])
    same('none for the other', 'parent_id' in of['ftp'], False)


def further_outputs():
    config = """
outputs:
  - eve-log:
      types: [alert]
  - fast:
      enabled: yes
  - eve-log:
      filename: {absolute}
      community-id: yes
      types:
        - http: {{extended: yes}}
        - stats
  - eve-log:
      enabled: no
      filename: never.json
      types: [http]
  - eve-log:
      filename: all.json
      types: [alert, http, flow]
"""
    for workers in (1, 2):
        with tempfile.TemporaryDirectory() as d:
            wrpcap(f'{d}/in.pcap', HTTP)
            open(f'{d}/a.rules', 'w').write('alert http any any -> any any (msg:"asked"; http.host; content:"a"; classtype:trojan-activity; sid:7; rev:3;)\n')
            open(f'{d}/c.config', 'w').write('config classification: trojan-activity,A Network Trojan was detected,1\n')
            os.makedirs(f'{d}/else')
            open(f'{d}/c.yaml', 'w').write(config.format(absolute=f'{d}/else/second.json') + f'classification-file: {d}/c.config\n')
            subprocess.run([sensor, '-q', '-r', f'{d}/in.pcap', '-S', f'{d}/a.rules', '-l', f'{d}/out', '-c', f'{d}/c.yaml', '--workers',
                            str(workers)], check=True)
            kinds = {f: [json.loads(line)['event_type'] for line in open(f)] for f in (f'{d}/out/eve.json', f'{d}/else/second.json', f'{d}/out/all.json')}
            same('what each file has', list(kinds.values()), [['alert'], ['http', 'stats'], ['alert', 'http', 'flow']])
            second = json.loads(open(f'{d}/else/second.json').readline())
            same('each in its own form', ('community_id' in second, second['http'].get('protocol'), 'protocol' in json.loads(
                open(f'{d}/out/all.json').readlines()[1])['http']), (True, 'HTTP/1.1', False))
            same('files', sorted(os.listdir(f'{d}/out')), ['all.json', 'eve.json', 'fast.log'])
            same('a line an alert', open(f'{d}/out/fast.log').read(),
                 '11/14/2023-22:13:20.006000  [**] [1:7:3] asked [**] [Classification: A Network Trojan was detected] [Priority: 1] '
                 '{TCP} 10.0.0.1:40000 -> 10.0.0.2:80\n')


forwarded_for()
further_outputs()
tls_frames()
esp_and_ftp_data()
wrong_checksums()
for p in problems:
    print(p)
sys.exit(1 if problems else 0)

#!/usr/bin/python3
"""line_outputs_test.py VONG_SENSOR TREE: http-log, tls-log, tls-store, stats.log and pcap-log; prefix, file mode, threads, sockets; what a full disk costs."""
import glob
import json
import os
import re
import socket
import stat
import subprocess
import sys
import tempfile
import threading

from scapy.all import IP, TCP, UDP, Raw, rdpcap, wrpcap

sensor, tree, problems = os.path.abspath(sys.argv[1]), sys.argv[2], []
CLIENT, SERVER = '10.0.0.1', '10.0.0.2'
ENDS = '10.0.0.1:40000 -> 10.0.0.2:80'


def same(what, got, want):
    if got != want:
        problems.append(f'{what}: {got!r}, not {want!r}')


def conversation(parts, sport=40000):
    seq, packets = {'c': 1000, 's': 9000}, []

    def send(who, flags, data=b''):
        other = 's' if who == 'c' else 'c'
        ip = IP(src=CLIENT, dst=SERVER) if who == 'c' else IP(src=SERVER, dst=CLIENT)
        tcp = TCP(sport=sport if who == 'c' else 80, dport=80 if who == 'c' else sport, flags=flags, seq=seq[who], ack=seq[other] if 'A' in flags else 0)
        packets.append(ip / tcp / Raw(data) if data else ip / tcp)
        seq[who] += len(data) + (1 if 'S' in flags or 'F' in flags else 0)

    send('c', 'S'), send('s', 'SA'), send('c', 'A')
    for who, data in parts:
        send(who, 'PA', data)
        send('s' if who == 'c' else 'c', 'A')
    send('c', 'FA'), send('s', 'FA'), send('c', 'A')
    for i, p in enumerate(packets):
        p.time = 1.7e9 + i / 1000
    return packets


def run(outputs, packets=None, rules='', args=(), capture=None, check=True):
    """`outputs`: entries of the list, in YAML. -> (folder as {relative name: bytes}, stderr)"""
    with tempfile.TemporaryDirectory() as d:
        if capture is None:
            capture = f'{d}/in.pcap'
            wrpcap(capture, packets)
        open(f'{d}/a.rules', 'w').write(rules)
        open(f'{d}/c.yaml', 'w').write('outputs:\n' + ''.join(f'  - {o}\n' for o in outputs))
        r = subprocess.run([sensor, '-k', 'none', '-r', capture, '-S', f'{d}/a.rules', '-l', f'{d}/out', '-c', f'{d}/c.yaml', *args], capture_output=True, text=True)
        if check and r.returncode:
            problems.append(f'exit status {r.returncode}: {r.stderr[-1500:]}')
        files = {}
        for name in glob.glob(f'{d}/out/**', recursive=True):
            if os.path.isfile(name):
                files[os.path.relpath(name, f'{d}/out')] = (open(name, 'rb').read(), stat.S_IMODE(os.stat(name).st_mode))
        return files, r


def text(files, name):
    return files.get(name, (b'(missing)', 0))[0].decode()


HTTP = conversation([('c', b'GET /a?b HTTP/1.1\r\nHost: www.example.org\r\nUser-Agent: Test\x01er\r\nReferer: http://x/\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n'),
                     ('s', b'HTTP/1.1 301 Moved\r\nLocation: http://elsewhere/\r\nServer: s\r\nContent-Length: 2\r\n\r\nhi')])
TIME = r'11/14/2023-22:13:20\.\d{6} '


def http_log():
    files, _ = run(['http-log: {enabled: yes}', 'http-log: {filename: more.log, extended: yes}',
                    'http-log: {filename: own.log, custom: yes, customformat: "%{%D-%H:%M:%S}t.%z %{X-Forwarded-For}i %{User-agent}i %H %m %h %u %s %B %a:%p -> %A:%P %{Server}o %{None}o %%"}'],
                   HTTP)
    line = r'www.example.org \[\*\*\] /a\?b \[\*\*\] Test\|01\|er \[\*\*\] '
    same('http.log', bool(re.fullmatch(TIME + line + re.escape(ENDS) + '\n', text(files, 'http.log'))), True)
    same('extended', bool(re.fullmatch(TIME + line + r'http://x/ \[\*\*\] GET \[\*\*\] HTTP/1.1 \[\*\*\] 301 => http://elsewhere/ \[\*\*\] 2 bytes \[\*\*\] ' + re.escape(ENDS) + '\n',
                                       text(files, 'more.log'))), True)
    same('custom', bool(re.fullmatch(r'11/14/23-22:13:20\.\d{6} 192.0.2.7 Test\|01\|er HTTP/1.1 GET www.example.org /a\?b 301\(http://elsewhere/\) 2 ' + re.escape(ENDS) + ' s - %\n',
                                     text(files, 'own.log'))), True)
    same('no events without eve-log', os.path.exists('eve.json'), False)


def tls():
    capture = f'{tree}/pcaps/tls/' + 'c2-self-signed.pcap'
    rules = 'alert tls any any -> any any (msg:"keep"; tls.store; sid:1;)\n'
    files, _ = run(['eve-log: {types: [alert, {tls: {extended: yes}}]}', 'tls-log: {extended: yes}', 'tls-log: {filename: own.log, custom: yes, customformat: "%a:%p %n|%v|%d|%D|%f|%s|%i|%C"}',
                    'tls-store: {enabled: yes}'], capture=capture, rules=rules)
    tls = [e['tls'] for e in map(json.loads, text(files, 'eve.json').splitlines()) if e['event_type'] == 'tls' and 'subject' in e['tls']]
    if not tls:
        return problems.append('the capture has no certificate')
    t = tls[0]
    line = next((x for x in text(files, 'tls.log').splitlines() if t['subject'] in x), '')
    same('tls.log', line.endswith(f"TLS: Subject='{t['subject']}' Issuerdn='{t['issuerdn']}' SHA1='{t['fingerprint']}' VERSION='{t['version']}'"
                                  + (f" SNI='{t['sni']}'" if 'sni' in t else '') + f" SERIAL='{t['serial']}' NOTBEFORE='{t['notbefore']}' NOTAFTER='{t['notafter']}'"), True)
    own = next((x for x in text(files, 'own.log').splitlines() if t['subject'] in x), '')
    same('custom', own.split(' ', 1)[-1].rsplit('|', 1)[0], f"{t.get('sni', '-')}|VERSION='{t['version']}'|NOTBEFORE='{t['notbefore']}'|NOTAFTER='{t['notafter']}'|{t['fingerprint']}|{t['subject']}|{t['issuerdn']}")
    pems = [n for n in files if re.fullmatch(r'certs/\d+\.\d{6}-\d+\.pem', n)]
    same('a chain a fingerprint', len(pems), len({x['fingerprint'] for x in tls}))
    if pems:
        der = subprocess.run(['openssl', 'x509', '-noout', '-fingerprint', '-sha1'], input=files[pems[0]][0], capture_output=True).stdout.decode().strip().lower()
        same('it is that certificate', der.split('=')[-1] in {x['fingerprint'] for x in tls}, True)
        same('what stands beside', f"TLS SUBJECT:       {t['subject']}\n" in ''.join(text(files, n) for n in files if n.endswith('.meta')), True)
    files, _ = run(['tls-store: {enabled: yes}'], capture=capture)
    same('only what rules ask for', [n for n in files if n.startswith('certs/')], [])


def stats_log():
    files, _ = run(['stats: {enabled: yes}'], HTTP)
    log = text(files, 'stats.log')
    same('head', bool(re.match(r'-{84}\nDate: 11/14/2023 -- 22:13:20 \(uptime: 0d, 00h 00m 00s\)\n-{84}\nCounter {39}\| TM Name {19}\| Value {2}\n?', log.replace('Value \n', 'Value  \n'))), True)
    same('packets', re.findall(r'^decoder\.pkts +\| Total +\| (\d+)', log, re.M), [str(len(HTTP))])
    same('no zeros', re.findall(r'\| 0 *$', log, re.M), [])
    files, _ = run(['stats: {enabled: yes, threads: yes, null-values: yes}', 'eve-log: {types: [stats]}'], HTTP, args=['--workers', '3'])
    log = text(files, 'stats.log')
    same('a line a worker', sorted(re.findall(r'^decoder\.pkts +\| (\S+) ', log, re.M)), ['Total', 'W#01', 'W#02', 'W#03'])
    same('their sum', sum(int(n) for who, n in re.findall(r'^decoder\.pkts +\| (W\S+) +\| (\d+)', log, re.M)), len(HTTP))
    same('zeros', bool(re.search(r'\| 0 *$', log, re.M)), True)
    events = [json.loads(x) for x in text(files, 'eve.json').splitlines()]
    same('one record of all workers', [(e['event_type'], e['stats']['decoder']['pkts'], e['stats']['decoder']['max_pkt_size']) for e in events], [('stats', len(HTTP), max(len(p) for p in HTTP))])
    files, _ = run(['stats: {enabled: yes}'], HTTP, args=['--set', 'stats.enabled=no'])
    same('off', 'stats.log' in files, False)


def pcap_log():
    def captures(files):
        return sorted(n for n in files if n.startswith('log.pcap'))

    files, _ = run(['pcap-log: {enabled: yes}'], HTTP)
    same('all packets', [len(captures(files)), captures(files)[:1]], [1, ['log.pcap.1700000000']])
    with tempfile.NamedTemporaryFile() as f:
        f.write(files['log.pcap.1700000000'][0]), f.flush()
        same('as they were', [bytes(p) for p in rdpcap(f.name)], [bytes(p) for p in HTTP])
    rule = 'alert http any any -> any any (http.stat_code; content:"301"; sid:1;)\n'
    other = conversation([('c', b'GET / HTTP/1.1\r\nHost: a\r\n\r\n'), ('s', b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')], sport=50000)
    files, _ = run(['pcap-log: {enabled: yes, conditional: alerts}'], HTTP + other, rule)
    with tempfile.NamedTemporaryFile() as f:
        f.write(files.get('log.pcap.1700000000', (b'',))[0]), f.flush()
        kept = rdpcap(f.name)
        same('of flows with alerts alone', {(p[TCP].sport, p[TCP].dport) for p in kept} <= {(40000, 80), (80, 40000)} and 0 < len(kept) < len(HTTP), True)
    files, _ = run(['pcap-log: {enabled: yes, conditional: tag}'], HTTP + other, rule.replace('sid', 'tag:session,2,packets; sid'))
    same('tagged ones', len(captures(files)), 1)
    many = []
    for i in range(300):
        p = IP(src=CLIENT, dst=SERVER) / UDP(sport=1000 + i, dport=9) / Raw(b'x' * 1000)
        p.time = 1.7e9 + i
        many.append(p)
    files, _ = run(['pcap-log: {enabled: yes, limit: 20kb, max-files: 3}'], many)
    same('the oldest go', (len(captures(files)), all(len(files[n][0]) <= 20480 for n in captures(files))), (3, True))
    for i, p in enumerate(many):   # hosts, not connections, are shared out
        p[IP].src = f'10.0.1.{i % 200}'
    files, _ = run(['pcap-log: {enabled: yes, mode: multi, filename: log.pcap.%n.%t}'], many, args=['--workers', '2'])
    same('a sequence a worker', {n.split('.')[2] for n in captures(files)}, {'1', '2'})
    for bad in ('mode: sguil', 'conditional: never', 'compression: lz4'):
        _, r = run([f'pcap-log: {{enabled: yes, {bad}}}'], HTTP, check=False)
        same(f'{bad} is refused by name', (r.returncode != 0, bad.split(': ')[1] in r.stderr), (True, True))


def targets():
    files, _ = run(['eve-log: {types: [http], prefix: "@cee: ", filemode: 600}'], HTTP)
    body, mode = files['eve.json']
    same('prefix and mode', (body.startswith(b'@cee: {'), mode), (True, 0o600))
    files, _ = run(['eve-log: {types: [http], threaded: yes}'], HTTP)
    same('a file a worker', sorted(n for n in files if n.endswith('json')), ['eve.1.json'])
    for append, lines in (('yes', 2), ('no', 1)):
        with tempfile.TemporaryDirectory() as d:
            wrpcap(f'{d}/in.pcap', HTTP)
            open(f'{d}/c.yaml', 'w').write(f'outputs: [{{http-log: {{append: {append}}}}}]\n')
            for _ in range(2):
                subprocess.run([sensor, '-q', '-r', f'{d}/in.pcap', '-c', f'{d}/c.yaml', '-l', d], check=True)
            same(f'append: {append}', len(open(f'{d}/http.log').readlines()), lines)
    for kind, type_ in (('unix_dgram', socket.SOCK_DGRAM), ('unix_stream', socket.SOCK_STREAM)):
        with tempfile.TemporaryDirectory() as d:
            s = socket.socket(socket.AF_UNIX, type_)
            s.bind(f'{d}/s')
            got = []
            if type_ == socket.SOCK_STREAM:
                s.listen()

            def read():
                c = s.accept()[0] if type_ == socket.SOCK_STREAM else s
                c.settimeout(20)
                while data := c.recv(65536):
                    got.append(data)
                    if type_ == socket.SOCK_DGRAM:
                        break
            t = threading.Thread(target=read)
            t.start()
            run([f'eve-log: {{filetype: {kind}, filename: {d}/s, types: [http]}}'], HTTP)
            t.join(30)
            same(kind, [json.loads(x)['event_type'] for x in b''.join(got).splitlines()], ['http'])
    for bad in ('filetype: redis', 'filemode: 999', 'rotate-interval: often'):
        _, r = run([f'eve-log: {{types: [http], {bad}}}'], HTTP, check=False)
        same(f'{bad} is refused by name', (r.returncode != 0, bad.split(': ')[1] in r.stderr), (True, True))


def full_disk():
    """Every line that cannot be written is told; the run goes on to its end and says that it failed."""
    with tempfile.TemporaryDirectory() as d:
        os.symlink('/dev/full', f'{d}/http.log')
        wrpcap(f'{d}/in.pcap', HTTP)
        open(f'{d}/c.yaml', 'w').write('security: {confine: no}\noutputs: [{eve-log: {types: [http]}}, {http-log: {enabled: yes}}]\n')
        r = subprocess.run([sensor, '-r', f'{d}/in.pcap', '-c', f'{d}/c.yaml', '-l', d], capture_output=True, text=True)
        same('a full disk', (r.returncode, 'No space left on device, 1 events lost' in r.stderr, len(open(f'{d}/eve.json').readlines())), (1, True, 1))


http_log(), tls(), stats_log(), pcap_log(), targets(), full_disk()
print('\n'.join(problems) or 'line outputs: all as expected')
sys.exit(1 if problems else 0)

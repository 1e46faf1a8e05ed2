#!/usr/bin/python3
"""command_line_test.py VONG_SENSOR: flags that users of Suricata bring along: --include, -F and a filter on the command line, --disable-detection, --dump-config,
-V."""
import json
import os
import subprocess
import sys
import tempfile

from scapy.all import IP, UDP, Raw, wrpcap

sensor, problems = os.path.abspath(sys.argv[1]), []


def same(what, got, want):
    if got != want:
        problems.append(f'{what}: {got!r}, not {want!r}')


def run(folder, *args):
    out = tempfile.mkdtemp(dir=folder)
    r = subprocess.run([sensor, '-q', '-r', f'{folder}/in.pcap', '-S', f'{folder}/a.rules', '-l', out, *args], capture_output=True, text=True, cwd=folder)
    path = f'{out}/eve.json'
    return r, [json.loads(line) for line in open(path)] if os.path.exists(path) else []


def alerts(events):
    return [(e['dest_port'], e['pcap_cnt']) for e in events if e['event_type'] == 'alert']


with tempfile.TemporaryDirectory() as d:
    wrpcap(f'{d}/in.pcap', [IP(src='10.0.0.1', dst='10.0.0.2') / UDP(sport=5000 + i, dport=p) / Raw(b'evil') for i, p in enumerate((7, 8, 7, 9))])
    open(f'{d}/a.rules', 'w').write('alert udp $ASKED any -> any any (msg:"m"; content:"evil"; sid:1;)\n')
    open(f'{d}/main.yaml', 'w').write('vars: {address-groups: {ASKED: 10.0.0.1}}\nstats: {enabled: yes}\nkafka: {sasl: {password: hush}}\n')
    open(f'{d}/more.yaml', 'w').write('vars: {address-groups: {ASKED: 192.0.2.1}}\n')
    open(f'{d}/filter', 'w').write('# what is asked for\nudp and  # one of\n(port 8 or port 9)\n')
    main = ('-c', 'main.yaml')
    same('all', alerts(run(d, *main)[1]), [(7, 1), (8, 2), (7, 3), (9, 4)])
    same('a section of the included file replaces', alerts(run(d, *main, '--include', 'more.yaml')[1]), [])
    same('--set stands over it', len(alerts(run(d, *main, '--include', 'more.yaml', '--set', 'vars.address-groups.ASKED=10.0.0.0/8')[1])), 4)
    same('no such file', run(d, *main, '--include', 'none.yaml')[0].returncode, 2)
    same('filter of a file', alerts(run(d, *main, '-F', 'filter')[1]), [(8, 1), (9, 2)])
    same('filter on the command line', alerts(run(d, *main, 'udp', 'dst', 'port', '7')[1]), [(7, 1), (7, 2)])
    same('no filter', run(d, *main, 'sometimes')[0].returncode, 2)
    same('no filter file', run(d, *main, '-F', 'none')[0].returncode, 2)
    same('no detection', alerts(run(d, *main, '--disable-detection')[1]), [])
    shown = run(d, *main, '--dump-config')[0].stdout.splitlines()
    same('configuration', 'vars.address-groups.ASKED = 10.0.0.1' in shown, True)
    same('no secrets', [line for line in shown if 'hush' in line], [])
    open(f'{d}/outputs.yaml', 'w').write('outputs: [{eve-log: {types: [alert]}}, {syslog: {enabled: yes}}, {alert-debug: {enabled: yes}}, {drop: {enabled: no}}]\n')
    told = run(d, '-c', 'outputs.yaml', '--set', 'vars.address-groups.ASKED=any')[0].stderr
    same('outputs that are not written are named', 'no effect in this sensor: syslog, alert-debug\n' in told, True)
    one = 'alert udp any any -> any any (msg:"x"; {} sid:{}; rev:1;)\n'
    open(f'{d}/loose.rules', 'w').write(one.format('classtype:none-such;', 1) + one.format('reference:none-such,1;', 2) + one.format('app-layer-event:dns.none_such;', 3))
    open(f'{d}/reference.config', 'w').write('config reference: url http://\n')
    check = ('-T', '-S', 'loose.rules', '--set', 'reference-config-file=reference.config')

    def refused(*flags):
        told = subprocess.run([sensor, *check, *flags], cwd=d, capture_output=True, text=True)
        return told.returncode, [int(line.split('loose.rules:')[1].split(':')[0]) for line in told.stderr.splitlines() if ': error: ' in line]
    same('loose', refused(), (0, []))
    same('all strict', refused('--strict-rule-keywords'), (2, [1, 2, 3]))
    same('all strict, by name', refused('--strict-rule-keywords=all'), (2, [1, 2, 3]))
    same('some strict', refused('--strict-rule-keywords=reference,classtype'), (2, [1, 2]))
    for flags in (('--pcap-file-buffer-size', '4096'), ('--no-random',), ('--qa-skip-prefilter',)):
        same(f'{flags}', alerts(run(d, *main, *flags)[1]), [(7, 1), (8, 2), (7, 3), (9, 4)])
    same('analysis reads nothing', subprocess.run([sensor, '--engine-analysis', '-S', 'loose.rules', '-r', 'none'], cwd=d, capture_output=True).returncode, 0)

    def listed(flag):
        return subprocess.run([sensor, flag], capture_output=True, text=True).stdout.splitlines()
    same('a keyword', [line.split(';')[0] for line in listed('--list-keywords=dsize')], ['dsize'])
    same('no such keyword', listed('--list-keywords=none-such'), [])
    same('keywords as a table has those of the list', {line.split(';')[0] for line in listed('--list-keywords=csv')} >=
         {line[2:] for line in listed('--list-keywords')}, True)
    same('frames', 'nfs: rpc.pdu' in listed('--list-app-layer-frames'), True)
    same('protocols of rules', {'tcp-pkt', 'http2'} <= set(listed('--list-rule-protos')), True)
    same('version', subprocess.run([sensor, '-V'], capture_output=True, text=True).stdout.startswith('vong-sensor '), True)
for p in problems:
    print(p)
sys.exit(1 if problems else 0)

#!/usr/bin/python3
"""command_socket_test.py VONG_SENSOR: -D, --pidfile, --unix-socket with captures, flags that are refused, commands of a live sensor on a loopback interface of its own,
files opened anew at SIGHUP. The live part is left out where packet sockets are not allowed."""
import ctypes
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

from scapy.all import IP, UDP, Dot1Q, Ether, Raw, wrpcap

sensor, problems = os.path.abspath(sys.argv[1]), []
live = ctypes.CDLL(None, use_errno=True).unshare(0x40000000) == 0  # CLONE_NEWNET
if live:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, 0x8914, struct.pack('16sH14x', b'lo', 0x1 | 0x8 | 0x40))  # SIOCSIFFLAGS: up, loopback, running


def same(what, got, want):
    if got != want:
        problems.append(f'{what}: {got!r}, not {want!r}')


def wait_for(what, condition, seconds=30):
    end = time.time() + seconds
    while time.time() < end:
        if condition():
            return True
        time.sleep(0.05)
    problems.append(f'in {seconds} s not: {what}')
    return False


class Client:
    """As suricatasc speaks."""

    def __init__(self, path):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.settimeout(60)
        self.s.connect(path)
        self.lines = self.s.makefile('r')
        self.send({'version': '0.2'})

    def send(self, what):
        self.s.sendall((json.dumps(what) + '\n').encode())
        return json.loads(self.lines.readline())

    def ask(self, command, **arguments):
        got = self.send({'command': command, 'arguments': {k.replace('_', '-'): v for k, v in arguments.items()}} if arguments else {'command': command})
        return got['return'], got.get('message')


def records(path):
    return [json.loads(line) for line in open(path) if line.endswith('\n')] if os.path.exists(path) else []


def capture(path, word, count):
    packets = []
    for i in range(count):
        p = IP(src='10.0.0.1', dst='10.0.0.2') / UDP(sport=1000 + i, dport=7777) / Raw(word)
        p.time = 1.7e9 + i
        packets.append(p)
    wrpcap(path, packets)


RULES = 'alert udp any any -> any any (msg:"one"; content:"evil"; sid:1;)\n'


def refused_flags():
    for flag in ('--dpdk', '--nfqueue=3', '--af-xdp=eth0', '--erf-in=x', '--reject-dev=eth0', '--firewall', '--pfring-int=eth0', '-u'):
        r = subprocess.run([sensor, flag], capture_output=True, text=True)
        same(f'{flag} is refused by name', (r.returncode, f'{flag.split("=")[0]}: not served by this sensor: ' in r.stderr), (2, True))
    r = subprocess.run([sensor, '--af-packet'], capture_output=True, text=True)
    same('no interface', (r.returncode, 'no interface is named' in r.stderr), (2, True))
    same('version', subprocess.run([sensor, '-V'], capture_output=True, text=True).stdout.startswith('vong-sensor '), True)


def engine_analysis():
    with tempfile.TemporaryDirectory() as d:
        open(f'{d}/a.rules', 'w').write('alert http any any -> any any (http.uri; content:"/long|20|path"; http.host; content:"h"; sid:1;)\n'
                                        'alert tcp any any -> any any (pcre:"/a+b/"; sid:2;)\n'
                                        'alert tcp any any -> any any (content:"abcdefgh"; fast_pattern:2,4; depth:10; sid:3;)\n')
        r = subprocess.run([sensor, '-q', '--engine-analysis', '-S', f'{d}/a.rules', '-l', f'{d}/out'], capture_output=True, text=True)
        same('analysis', r.returncode, 0)
        rules, fast = (open(f'{d}/out/{n}').read().split('== Sid: ')[1:] for n in ('rules_analysis.txt', 'rules_fast_pattern.txt'))
        same('a section a rule', [(len(x), [s.split(' ==')[0] for s in x]) for x in (rules, fast)], [(3, ['1', '2', '3'])] * 2)
        same('buffers and protocol', [w in rules[0] for w in ('App layer protocol is http', 'looks into the buffer http.uri', 'looks into the buffer http.host', '2 content options',
                                                              'Fast Pattern "/long path" on "http.uri"', 'No warnings')], [True] * 6)
        same('costly', rules[1].count('Warning: '), 2)
        same('fast patterns', ['Final content: /long path\n' in fast[0], 'No fast pattern present' in fast[1], 'Final content: cdef\n' in fast[2], 'Fast pattern chop set: yes' in fast[2],
                               'Flags: Depth\n' in fast[2]], [True] * 5)


def captures_by_socket():
    with tempfile.TemporaryDirectory() as d:
        open(f'{d}/a.rules', 'w').write(RULES)
        open(f'{d}/t.rules', 'w').write(RULES.replace('sid:1', 'sid:2'))
        open(f'{d}/t.yaml', 'w').write(f'rule-files: [{d}/t.rules]\n')
        open(f'{d}/c.yaml', 'w').write(f'multi-detect: {{enabled: yes, default: yes, selector: direct, tenants: [{{id: 5, yaml: {d}/t.yaml}}]}}\n')
        for name in ('one', 'two', 'three'):
            os.mkdir(f'{d}/{name}')
        capture(f'{d}/a.pcap', b'evil', 3)
        r = subprocess.run([sensor, '-q', '-D', '-c', f'{d}/c.yaml', '-S', f'{d}/a.rules', '-l', d, '--pidfile', f'{d}/pid', f'--unix-socket={d}/s'], capture_output=True, text=True, timeout=60)
        same('it goes on in the background', (r.returncode, r.stderr), (0, ''))
        if r.returncode:
            return
        pid = int(open(f'{d}/pid').read())
        try:
            again = subprocess.run([sensor, '-q', '-c', f'{d}/c.yaml', '-S', f'{d}/a.rules', '-l', d, '--pidfile', f'{d}/pid', f'--unix-socket={d}/other'], capture_output=True, text=True)
            same('not twice with one pid file', (again.returncode, f'process {pid} is alive' in again.stderr), (1, True))
            c = Client(f'{d}/s')
            same('unknown', c.ask('no-such'), ('NOK', 'Unknown command'))
            same('named without a folder', c.ask('pcap-file', filename=f'{d}/a.pcap')[0], 'NOK')
            same('no such file', c.ask('pcap-file', filename=f'{d}/b.pcap', output_dir=f'{d}/one')[0], 'NOK')
            same('no such tenant', c.ask('pcap-file', filename=f'{d}/a.pcap', output_dir=f'{d}/one', tenant=6)[0], 'NOK')
            same('taken', c.ask('pcap-file', filename=f'{d}/a.pcap', output_dir=f'{d}/one'), ('OK', 'Successfully added file to list'))
            same('taken', c.ask('pcap-file', filename=f'{d}/a.pcap', output_dir=f'{d}/two', tenant=5)[0], 'OK')
            wait_for('both read', lambda: c.ask('pcap-file-number') == ('OK', 0) and c.ask('pcap-current') == ('OK', 'None'))
            found = [[(e.get('tenant_id'), e['alert']['signature_id']) for e in records(f'{d}/{n}/eve.json') if e['event_type'] == 'alert'] for n in ('one', 'two')]
            same('by the main rules, by the tenant\'s', found, [[(None, 1)] * 3, [(5, 2)] * 3])
            same('last processed', abs(c.ask('pcap-last-processed')[1] / 1000 - os.path.getmtime(f'{d}/a.pcap')) < 1, True)
            os.mkdir(f'{d}/folder')
            same('a folder that is watched', c.ask('pcap-file-continuous', filename=f'{d}/folder', output_dir=f'{d}/three')[0], 'OK')
            wait_for('watching', lambda: c.ask('pcap-current') == ('OK', f'{d}/folder'))
            capture(f'{d}/folder/x.pcap', b'evil', 2)
            wait_for('a file that comes', lambda: len([e for e in records(f'{d}/three/eve.json') if e['event_type'] == 'alert']) == 2)
            same('interrupted', c.ask('pcap-interrupt'), ('OK', 'Interrupted'))
            wait_for('over', lambda: c.ask('pcap-current') == ('OK', 'None'))
            same('nothing to interrupt', c.ask('pcap-interrupt')[0], 'NOK')
            open(f'{d}/a.rules', 'a').write(RULES.replace('sid:1', 'sid:3'))
            c.ask('ruleset-reload-rules')
            wait_for('reloaded', lambda: c.ask('ruleset-stats')[1][0]['rules_loaded'] == 3)
            same('shutdown', c.ask('shutdown')[0], 'OK')
        finally:
            if not wait_for('the end', lambda: not os.path.exists(f'/proc/{pid}')):
                os.kill(pid, signal.SIGKILL)
        same('what is left', (os.path.exists(f'{d}/pid'), os.path.exists(f'{d}/s'), os.path.exists(f'{d}/vong-sensor.log')), (False, False, True))


def rotation_while_captures_come():
    with tempfile.TemporaryDirectory() as d:
        open(f'{d}/a.rules', 'w').write(RULES)
        os.mkdir(f'{d}/in')
        running = subprocess.Popen([sensor, '-q', '-r', f'{d}/in', '--pcap-file-continuous', '-S', f'{d}/a.rules', '-l', f'{d}/out', '--set', 'pcap-file.poll-interval-ms=50', '--set', 'pcap-file.settle-ms=50'],
                                   stderr=subprocess.DEVNULL)
        try:
            capture(f'{d}/in/1.pcap', b'evil', 2)
            wait_for('alerts of the first file', lambda: len(records(f'{d}/out/eve.json')) >= 2)
            os.rename(f'{d}/out/eve.json', f'{d}/out/old.json')
            running.send_signal(signal.SIGHUP)
            wait_for('a new file', lambda: os.path.exists(f'{d}/out/eve.json'))
            capture(f'{d}/in/2.pcap', b'evil!', 3)
            wait_for('what comes after stands in it', lambda: sum(e['event_type'] == 'alert' for e in records(f'{d}/out/eve.json')) >= 3)
        finally:
            running.terminate()
            same('the end', running.wait(60), 0)


def failing_daemon():
    with tempfile.TemporaryDirectory() as d:
        open(f'{d}/c.yaml', 'w').write('outputs: [{eve-log: {filetype: nothing}}]\n')
        r = subprocess.run([sensor, '-D', '-c', f'{d}/c.yaml', '--unix-socket=/nowhere/s', '-l', d], capture_output=True, text=True, timeout=60)
        same('a start that fails is told to who started it', (r.returncode, '/nowhere/s' in r.stderr), (1, True))


def commands_of_a_live_sensor():
    with tempfile.TemporaryDirectory() as d:
        rules = RULES + 'alert udp any any -> any any (msg:"known"; content:"word"; ip.src; dataset:isset,words,type ip; sid:4;)\nalert bad rule\n'
        open(f'{d}/a.rules', 'w').write(rules)
        open(f'{d}/c.yaml', 'w').write('unix-command: {enabled: yes}\nstats: {interval: 1}\noutputs: [{eve-log: {types: [alert, stats]}}, {stats: {enabled: yes}}]\n')
        log = open(f'{d}/log', 'w')
        running = subprocess.Popen([sensor, '--af-packet=lo', '-c', f'{d}/c.yaml', '-S', f'{d}/a.rules', '-l', f'{d}/out', '--workers', '2', '-k', 'none'], stderr=log)
        try:
            path = f'{d}/out/sensor-command.socket'
            if not wait_for('the socket', lambda: os.path.exists(path)):
                return
            c = Client(path)
            sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

            def send(word, n):
                for _ in range(n):
                    sender.sendto(word, ('127.0.0.1', 7777))

            def alerts(sid):
                return sum(1 for e in records(f'{d}/out/eve.json') if e['event_type'] == 'alert' and e['alert']['signature_id'] == sid)
            same('interfaces', c.ask('iface-list'), ('OK', {'count': 1, 'ifaces': ['lo']}))
            same('no such interface', c.ask('iface-stat', iface='eth7')[0], 'NOK')
            same('uptime', c.ask('uptime')[1] < 60, True)
            same('modes', (c.ask('running-mode')[1], c.ask('capture-mode')[1]), ('workers', 'AF_PACKET_DEV'))
            same('configuration', (c.ask('conf-get', variable='unix-command.enabled'), c.ask('conf-get', variable='no.such')[0]), (('OK', 'yes'), 'NOK'))
            same('rules', {k: c.ask('ruleset-stats')[1][0][k] for k in ('rules_loaded', 'rules_failed')}, {'rules_loaded': 2, 'rules_failed': 1})
            same('the failed one', 'a.rules:3' in c.ask('ruleset-failed-rules')[1][0]['rule'], True)
            send(b'evil', 5)
            wait_for('alerts', lambda: alerts(1) >= 5)
            wait_for('packets are counted', lambda: c.ask('iface-stat', iface='lo')[1]['pkts'] >= 5)
            wait_for('counters', lambda: c.ask('dump-counters')[0] == 'OK' and c.ask('dump-counters')[1]['detect']['alert'] >= 5)
            one = dict(setname='words', settype='ip', datavalue='127.0.0.1')
            same('not there yet', c.ask('dataset-lookup', **one)[0], 'NOK')
            same('added', (c.ask('dataset-add', **one), c.ask('dataset-add', **one)), (('OK', 'data added'), ('OK', 'data already in set')))
            same('found', c.ask('dataset-lookup', **one)[0], 'OK')
            send(b'word', 2)
            wait_for('rules see it', lambda: alerts(4) >= 2)
            same('removed', (c.ask('dataset-remove', **one)[0], c.ask('dataset-remove', **one)[0]), ('OK', 'NOK'))
            same('bad ones', [c.ask('dataset-add', setname=n, settype=t, datavalue=v)[0] for n, t, v in (('none', 'ip', '::1'), ('words', 'md5', '127.0.0.1'), ('words', 'ip', '!'))], ['NOK'] * 3)
            same('bits', (c.ask('add-hostbit', ipaddress='10.0.0.1', hostbit='seen', expire=100)[0],
                          [b['name'] for b in c.ask('list-hostbit', ipaddress='10.0.0.1')[1]['hostbits']],
                          c.ask('remove-hostbit', ipaddress='10.0.0.1', hostbit='seen')[0], c.ask('list-hostbit', ipaddress='10.0.0.1')[1]['count']), ('OK', ['seen'], 'OK', 0))
            same('no tenants here', c.ask('reload-tenants')[0], 'NOK')
            same('caps', (c.ask('memcap-show', config='flow')[1], c.ask('memcap-set', config='flow', memcap='1gb')[0]), ({'value': '128mb'}, 'NOK'))
            open(f'{d}/a.rules', 'a').write(RULES.replace('sid:1', 'sid:8'))
            same('reload', (c.ask('ruleset-reload-rules'), c.ask('ruleset-stats')[1][0]['rules_loaded']), (('OK', 'done'), 3))
            os.rename(f'{d}/a.rules', f'{d}/gone.rules')
            same('a reload that is refused', c.ask('ruleset-reload-rules')[0], 'NOK')
            os.rename(f'{d}/gone.rules', f'{d}/a.rules')
            wait_for('stats come by themselves', lambda: sum(e['event_type'] == 'stats' for e in records(f'{d}/out/eve.json')) >= 2)
            same('one record of both workers', all('detect' in e['stats'] for e in records(f'{d}/out/eve.json') if e['event_type'] == 'stats'), True)
            os.rename(f'{d}/out/eve.json', f'{d}/out/eve.json.1')
            same('reopen', c.ask('reopen-log-files'), ('OK', 'done'))
            send(b'evil', 3)
            wait_for('a new file after the command', lambda: alerts(1) >= 3)
            os.rename(f'{d}/out/eve.json', f'{d}/out/eve.json.2')
            running.send_signal(signal.SIGHUP)
            wait_for('a new file after SIGHUP', lambda: os.path.exists(f'{d}/out/eve.json'))
            held = [Client(path) for _ in range(3)]
            same('several at once', [x.ask('version')[0] for x in held], ['OK'] * 3)
            same('shutdown', c.ask('shutdown')[0], 'OK')
            same('the end', running.wait(60), 0)
            same('the socket is gone', os.path.exists(path), False)
        finally:
            if running.poll() is None:
                running.kill()
                problems.append('log: ' + open(f'{d}/log').read()[-1500:])


def tenants_of_a_live_sensor():
    """Tenants and VLANs are added while packets come; a command that cannot be changes nothing."""
    with tempfile.TemporaryDirectory() as d:
        for i in (1, 2):
            open(f'{d}/t{i}.rules', 'w').write(RULES.replace('sid:1', f'sid:{i}'))
            open(f'{d}/t{i}.yaml', 'w').write(f'rule-files: [{d}/t{i}.rules]\n')
        open(f'{d}/bad.yaml', 'w').write('rule-files: [nowhere.rules]\n')
        open(f'{d}/c.yaml', 'w').write(f'multi-detect: {{enabled: yes, selector: vlan, tenants: [{{id: 1, yaml: {d}/t1.yaml}}], mappings: [{{vlan-id: 101, tenant-id: 1}}]}}\n')
        log = open(f'{d}/log', 'w')
        running = subprocess.Popen([sensor, '-i', 'lo', '-c', f'{d}/c.yaml', '-l', d, '--workers', '1', '-k', 'none', f'--unix-socket={d}/s'], stderr=log)
        try:
            if not wait_for('the socket', lambda: os.path.exists(f'{d}/s')):
                return
            c = Client(f'{d}/s')
            raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
            raw.bind(('lo', 0))
            sent = [0]

            def alerts(vlan):
                sent[0] += 1
                raw.send(bytes(Ether(src='02:00:00:00:00:01', dst='02:00:00:00:00:02') / Dot1Q(vlan=vlan) / IP(src='10.0.0.1', dst='10.0.0.2') / UDP(sport=2000 + sent[0], dport=9) / Raw(b'evil')))
                time.sleep(0.3)
                return {(e.get('tenant_id'), e['alert']['signature_id']) for e in records(f'{d}/eve.json') if e['event_type'] == 'alert' and e.get('vlan') == [vlan]}
            wait_for('the first tenant', lambda: alerts(101) == {(1, 1)})
            same('nobody\'s', alerts(102), set())
            same('no such tenant', c.ask('register-tenant-handler', id=2, htype='vlan', hargs=102)[0], 'NOK')
            same('registered', c.ask('register-tenant', id=2, filename=f'{d}/t2.yaml'), ('OK', 'done'))
            same('mapped', c.ask('register-tenant-handler', id=2, htype='vlan', hargs=102), ('OK', 'done'))
            wait_for('the second tenant', lambda: alerts(102) == {(2, 2)})
            same('what cannot be', [c.ask('register-tenant', id=3, filename=f'{d}/bad.yaml')[0], c.ask('unregister-tenant', id=1)[0], c.ask('register-tenant', id=2, filename=f'{d}/t1.yaml')[0]], ['NOK'] * 3)
            open(f'{d}/t2.rules', 'w').write(RULES.replace('sid:1', 'sid:22'))
            same('reloaded', c.ask('reload-tenant', id=2), ('OK', 'done'))
            wait_for('its new rules', lambda: (2, 22) in alerts(102))
            same('unmapped', c.ask('unregister-tenant-handler', id=2, htype='vlan', hargs=102)[0], 'OK')
            same('gone', (c.ask('unregister-tenant', id=2)[0], c.ask('reload-tenant', id=2)[0], c.ask('reload-tenants')[0]), ('OK', 'NOK', 'OK'))
            same('the first stays', alerts(101), {(1, 1)})
            c.ask('shutdown')
            same('the end', running.wait(60), 0)
        finally:
            if running.poll() is None:
                running.kill()
                problems.append('log: ' + open(f'{d}/log').read()[-1500:])


refused_flags(), engine_analysis(), captures_by_socket(), rotation_while_captures_come(), failing_daemon()
if live:
    commands_of_a_live_sensor(), tenants_of_a_live_sensor()
print('\n'.join(problems) or 'commands: all as expected' + ('' if live else ' (no live part: no network namespace of our own)'))
sys.exit(1 if problems else 0)

#!/usr/bin/python3
"""relative_paths_test.py VONG_SENSOR: every path of the configuration is a relative one, the sensor is confined and, as root, another user: it writes its log, its
ring, its spool, its stored files, its data set, and SIGHUP reads the rules again, files that are new since the start too. 77 where packet sockets are not allowed."""
import ctypes
import fcntl
import json
import os
import pwd
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

sensor = os.path.abspath(sys.argv[1])
problems = []
if ctypes.CDLL(None, use_errno=True).unshare(0x40000000) != 0:  # CLONE_NEWNET
    print('no network namespace of our own')
    sys.exit(77)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    fcntl.ioctl(s, 0x8914, struct.pack('16sH14x', b'lo', 0x1 | 0x8 | 0x40))  # SIOCSIFFLAGS: up, loopback, running
CONFIG = '''
sensor-name: s1
agency: G01
default-log-dir: out
default-rule-path: rules
rule-files: ["*.rules"]
classification-file: conf/classification.config
evidence: {dir: ring, bytes-max: 16mb}
kafka: {spool: {dir: spool}}
ledger: {interval: 1}
rules: {cache-dir: cache}
'''


def wait_for(what, condition, seconds=20):
    end = time.time() + seconds
    while time.time() < end:
        if condition():
            return
        time.sleep(0.1)
    problems.append(f'in {seconds} s not: {what}')


with tempfile.TemporaryDirectory() as top:
    for name in ('rules', 'conf', 'out', 'ring', 'spool', 'cache'):
        os.makedirs(f'{top}/{name}')
    open(f'{top}/c.yaml', 'w').write(CONFIG)
    open(f'{top}/conf/classification.config', 'w').write('config classification: of-our-own,A class of our own,2\n')
    open(f'{top}/rules/a.rules', 'w').write('alert udp any any -> any 7777 (msg:"one"; content:"evil"; classtype:of-our-own; sid:1;)\n')
    more = []
    if os.geteuid() == 0:
        nobody = pwd.getpwnam('nobody')
        for folder, _, files in os.walk(top):
            for path in (folder, *(os.path.join(folder, f) for f in files)):
                os.chown(path, nobody.pw_uid, nobody.pw_gid)
        more = ['--set', 'run-as.user=nobody']
    log = open(f'{top}/log', 'w')
    running = subprocess.Popen([sensor, '-c', 'c.yaml', '-i', 'lo', '--workers', '1', '-k', 'none', *more], stderr=log, cwd=top)
    wait_for('the start', lambda: 'watching' in open(f'{top}/log').read())
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind(('127.0.0.1', 7777))
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def alerts(sid):
        try:
            return [r for r in map(json.loads, open(f'{top}/out/eve.json')) if r['event_type'] == 'alert' and r['alert']['signature_id'] == sid]
        except (OSError, ValueError):
            return []

    def seen(sid, text):
        sender.sendto(text, ('127.0.0.1', 7777))
        return alerts(sid)

    wait_for('an alert', lambda: seen(1, b'evil'))
    if alerts(1) and alerts(1)[0]['alert']['category'] != 'A class of our own':
        problems.append(f'the class is not read: {alerts(1)[0]}')
    open(f'{top}/rules/new.rules', 'w').write('alert udp any any -> any 7777 (msg:"two"; content:"odd"; classtype:of-our-own; sid:2;)\n')
    running.send_signal(signal.SIGHUP)
    wait_for('an alert of the rules that are new', lambda: seen(2, b'odd'))
    wait_for('packets in the ring', lambda: any(name.endswith('.pcap') or os.path.getsize(f'{top}/ring/{name}') > 0 for name in os.listdir(f'{top}/ring')))
    wait_for('a ledger', lambda: os.path.exists(f'{top}/out/ledger.json'))
    wait_for('a status beside the spool', lambda: os.path.exists(f'{top}/spool/status.json'))
    running.send_signal(signal.SIGTERM)
    if running.wait(30) != 0:
        problems.append(f'status {running.returncode}')
    flow = alerts(1)[0]['flow_id'] if alerts(1) else 1
    done = subprocess.run([sensor, 'extract', '--dir', 'ring', '--flow', str(flow), '-o', f'{top}/flow.pcap'], cwd=top, capture_output=True, text=True)
    if done.returncode != 0 or os.path.getsize(f'{top}/flow.pcap') <= 24:
        problems.append(f'extract: {done.returncode}: {done.stderr[-300:]}')
    said = open(f'{top}/log').read()
    if 'stay in force' in said or 'stays root' in said or 'no Landlock' in said:
        problems.append('not as it should be')
    if problems:
        print(said[-3000:])
print('\n'.join(problems) or 'relative paths work under confinement')
sys.exit(1 if problems else 0)

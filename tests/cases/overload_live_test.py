#!/usr/bin/python3
"""overload_live_test.py VONG_SENSOR ROOT: a live sensor that is always behind (any delay counts as too much) gives up its steps in the configured order, one after the
other, says each in a record, and takes all of them back when the traffic ends; an elephant is named and not followed, while a small flow beside it has its alerts, and so
has the rule of high severity on the elephant's packets. What it costs is in the ledger, which balances. 77 where packet sockets are not allowed."""
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

import jsonschema

sensor, root = os.path.abspath(sys.argv[1]), sys.argv[2]
problems = []
if ctypes.CDLL(None, use_errno=True).unshare(0x40000000) != 0:  # CLONE_NEWNET
    print('no network namespace of our own')
    sys.exit(77)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    fcntl.ioctl(s, 0x8914, struct.pack('16sH14x', b'lo', 0x1 | 0x8 | 0x40))  # SIOCSIFFLAGS: up, loopback, running
schema = json.load(open(os.path.join(root, 'events/schema/sensor.schema.json')))
RULES = '''alert udp any any -> any any (msg:"high"; content:"evil"; priority:1; sid:1;)
alert udp any any -> any any (msg:"low"; content:"odd"; priority:3; sid:2;)
'''


def records(path):
    return [json.loads(line) for line in open(path) if line.endswith('\n')] if os.path.exists(path) else []


with tempfile.TemporaryDirectory() as top:
    out, rules = f'{top}/out', f'{top}/a.rules'
    open(rules, 'w').write(RULES)
    settings = ('sensor-name=s1', 'overload.lag-max=1', 'overload.step-up=300', 'overload.step-down=500', 'overload.flow-bytes=1gb', 'overload.payload-depth=100kb', 'ledger.interval=1',
                'stream.reassembly.depth=0')
    log = open(f'{top}/log', 'w')
    running = subprocess.Popen([sensor, '-i', 'lo', '-S', rules, '-l', out, '--workers', '1', '-k', 'none', *[a for s in settings for a in ('--set', s)]], stderr=log)

    def told(kind):
        return [r['sensor'] for r in records(f'{out}/sensor.json') if r['sensor']['kind'] == kind]

    def wait_for(what, condition, seconds=30, meanwhile=lambda: time.sleep(0.1)):
        end = time.time() + seconds
        while time.time() < end:
            if condition():
                return
            meanwhile()
        problems.append(f'in {seconds} s not: {what}')

    wait_for('the start', lambda: 'watching' in open(f'{top}/log').read())
    big, small = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receivers = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    for i, receiver in enumerate(receivers):
        receiver.bind(('127.0.0.1', 7001 + i))

    def elephant():
        for _ in range(20):
            big.sendto(b'x' * 1400, ('127.0.0.1', 7001))
        small.sendto(b'small', ('127.0.0.1', 7002))
        time.sleep(0.005)

    wait_for('an elephant', lambda: told('elephant'), meanwhile=elephant)
    wait_for('all three steps', lambda: any(r['steps'] == 3 for r in told('overload')), meanwhile=elephant)
    for _ in range(5):
        big.sendto(b'odd', ('127.0.0.1', 7001))
        big.sendto(b'evil', ('127.0.0.1', 7001))
        small.sendto(b'odd', ('127.0.0.1', 7002))
    wait_for('all steps undone', lambda: told('overload')[-1]['steps'] == 0)
    running.send_signal(signal.SIGTERM)
    if running.wait(30) != 0:
        problems.append(f'status {running.returncode}')
    for record in records(f'{out}/sensor.json'):
        jsonschema.validate(record, schema)
    steps = [r['steps'] for r in told('overload')]
    if steps[:3] != [1, 2, 3] or any(abs(a - b) != 1 for a, b in zip(steps, steps[1:])):
        problems.append(f'steps one by one: {steps}')
    if [r['active'] for r in told('overload')][:3] != ['payload-depth', 'payload-depth,records', 'payload-depth,records,flows']:
        problems.append(f'the order: {told("overload")[:3]}')
    alerts = [(r['dest_port'], r['alert']['signature_id']) for r in records(f'{out}/eve.json') if r['event_type'] == 'alert']
    counts = {key: alerts.count(key) for key in ((7001, 1), (7001, 2), (7002, 2))}
    if counts[(7001, 1)] < 5 or counts[(7002, 2)] < 5:
        problems.append(f'alerts by port and rule: {counts}')
    checked = subprocess.run([sensor, 'ledger', 'verify', f'{out}/ledger.json'], capture_output=True, text=True)
    if checked.returncode != 0 or 'overload' not in checked.stdout:
        problems.append(f'ledger: {checked.stdout}{checked.stderr}')
    if problems:
        print(open(f'{top}/log').read()[-3000:])
    print(f'steps {steps}, {counts}')
print('\n'.join(problems) or 'gives up in order, and takes back')
sys.exit(1 if problems else 0)

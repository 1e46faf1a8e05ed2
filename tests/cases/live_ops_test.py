#!/usr/bin/python3
"""live_ops_test.py VONG_SENSOR ROOT: a live sensor on a loopback interface of its own: life signals come back, status and `vong-sensor status` say what runs,
ten reloads lose no packet and no alert, a bad rule set is refused, the ledger balances to the end. 77 where packet sockets are not allowed."""
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

sensor, root = sys.argv[1:3]
problems = []
if ctypes.CDLL(None, use_errno=True).unshare(0x40000000) != 0:  # CLONE_NEWNET
    print('no network namespace of our own')
    sys.exit(77)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    fcntl.ioctl(s, 0x8914, struct.pack('16sH14x', b'lo', 0x1 | 0x8 | 0x40))  # SIOCSIFFLAGS: up, loopback, running


def schema(name):
    return json.load(open(os.path.join(root, f'events/schema/{name}.schema.json')))


def wait_for(what, condition, seconds=30):
    end = time.time() + seconds
    while time.time() < end:
        if condition():
            return True
        time.sleep(0.1)
    problems.append(f'in {seconds} s not: {what}')
    return False


def records(path):
    return [json.loads(line) for line in open(path) if line.endswith('\n')] if os.path.exists(path) else []


def status(*more):
    done = subprocess.run([sensor, 'status', '-l', out, *more], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


with tempfile.TemporaryDirectory() as top:
    out = f'{top}/out'
    rules = f'{top}/a.rules'
    good = 'alert udp any any -> any 7777 (msg:"one"; content:"evil"; sid:1;)\n'
    open(rules, 'w').write(good)
    key = f'{top}/key'
    with open(os.open(key, os.O_WRONLY | os.O_CREAT, 0o600), 'w') as f:
        f.write('a key of more than sixteen characters\n')
    log = open(f'{top}/log', 'w')
    running = subprocess.Popen([sensor, '-i', 'lo', '-S', rules, '-l', out, '--workers', '2', '-k', 'none', '--set', 'sensor-name=s1', '--set', 'agency=G01',
                                '--set', 'ledger.interval=1', '--set', 'status.interval=1', '--set', 'canary.enabled=yes', '--set', f'canary.key-file={key}',
                                '--set', 'canary.interval=1', '--set', f'kafka.spool.dir={top}/spool'], stderr=log)
    wait_for('a status', lambda: os.path.exists(f'{out}/status.json'))
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # else each datagram is answered by an ICMP error
    receiver.bind(('127.0.0.1', 7777))
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sent = 0

    def send(count):
        global sent
        for _ in range(count):
            sent += 1
            sender.sendto(b'evil %d' % sent, ('127.0.0.1', 7777))
            time.sleep(0.001)

    def reloads(outcome):
        return sum(r['sensor']['kind'] == 'reload' and r['sensor']['outcome'] == outcome for r in records(f'{out}/sensor.json'))

    for turn in range(10):
        send(50)
        open(rules, 'w').write(''.join(f'alert udp any any -> any 1 (content:"never {turn}"; sid:{100 + i};)\n' for i in range(turn)) + good)
        running.send_signal(signal.SIGHUP)
        send(50)
        wait_for(f'reload {turn + 1}', lambda: reloads('done') == turn + 1)
    hash_before = json.load(open(f'{out}/status.json'))['rules']['hash']
    wait_for('the newest rules in the status', lambda: json.load(open(f'{out}/status.json'))['rules']['reloads'] == 10)
    now = json.load(open(f'{out}/status.json'))['rules']['hash']
    open(rules, 'w').write('alert nonsense\n')
    running.send_signal(signal.SIGHUP)
    wait_for('the refusal of a bad rule set', lambda: reloads('refused') == 1)
    send(50)
    wait_for('two life signals', lambda: sum(r['sensor']['kind'] == 'canary' for r in records(f'{out}/sensor.json')) >= 2)
    wait_for('a status after it', lambda: json.load(open(f'{out}/status.json'))['rules']['reloads_refused'] == 1)

    code, text = status('--wanted', now)
    if code != 0 or 'as wanted' not in text or 'worker 1 on lo' not in text:
        problems.append(f'status: {code}: {text}')
    if status('--wanted', '00')[0] != 1:
        problems.append('other rules than wanted are no difference')
    said = json.loads(status('--json')[1])
    jsonschema.validate(said, schema('status'))
    if said['rules']['hash'] != now:
        problems.append('the bad rule set changed the rules in force')
    timex = ctypes.create_string_buffer(512)
    state = ctypes.CDLL(None).adjtimex(timex)
    error_us = struct.unpack_from('q', timex.raw, 24)[0]
    if state >= 0 and (not 0 <= said['clock']['error_us'] - error_us + 100_000 <= 200_000 or said['clock']['synchronised'] != (state != 5)):
        problems.append(f'clock: {said["clock"]}, the kernel says {state} and at most {error_us} us')
    if not os.path.exists(f'{top}/spool/status.json'):
        problems.append('no status beside the spool')
    running.send_signal(signal.SIGTERM)
    if running.wait(30) != 0:
        problems.append(f'status {running.returncode} after SIGTERM: {open(f"{top}/log").read()[-2000:]}')

    for record in records(f'{out}/sensor.json'):
        jsonschema.validate(record, schema('sensor'))
    for record in records(f'{out}/ledger.json'):
        jsonschema.validate(record, schema('ledger'))
    # In the spool the hash of the rules stands right before each event (exporters/sink/record.h).
    spooled = b''.join(open(entry.path, 'rb').read() for entry in os.scandir(f'{top}/spool'))
    if f'{now}{{"timestamp"'.encode() not in spooled:
        problems.append('after reloads no event goes out under the hash of the rules in force')
    alerts = [r for r in records(f'{out}/eve.json') if r['event_type'] == 'alert']
    if len(alerts) != sent or {a['alert']['signature_id'] for a in alerts} != {1}:
        problems.append(f'{len(alerts)} alerts of {sent} datagrams: {alerts[:1]}')
    checked = subprocess.run([sensor, 'ledger', 'verify', f'{out}/ledger.json'], capture_output=True, text=True)
    if checked.returncode != 0 or 'canary' not in checked.stdout:
        problems.append(f'ledger: {checked.stdout}{checked.stderr}')
    if 'memory' not in open(f'{top}/log').read():
        problems.append('a reload does not say its memory')
    if problems:
        print(open(f'{top}/log').read()[-3000:])

print('\n'.join(problems) if problems else f'{sent} datagrams through ten reloads')
sys.exit(1 if problems else 0)

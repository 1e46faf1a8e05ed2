#!/usr/bin/python3
"""correlator_chaos.py ROOT VONG_CORRELATOR [SEED]: three correlators with kafka.standby on one real broker, while events come in. At random one is
killed (kill -9), stopped for good and another started, or suspended until the others take it for dead; the broker is restarted. In the end the last
record of every incident of every recipient is, byte for byte, what an undisturbed run from files wrote, and no record stands there twice. Status
77: no Java, Maven or kcat here."""
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

root, program = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
r = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 7)
case = os.path.join(root, 'tests/streams/pack-one-attacker-four-agencies')
rules = os.path.join(root, 'rules/packs/correlation')
agencies = {'s-g02': 'G02', 's-g22': 'G22', 's-g08': 'G08', 's-g11': 'G11'}
recipients = ['G02', 'G08', 'G11', 'G22', 'national']
patience_s = float(os.environ.get('VONG_E2E_PATIENCE_S', '300'))
port = 20000 + r.randrange(10000) + os.getpid() % 10000
brokers = f'127.0.0.1:{port}'


def kcat(*args, data=None):
    return subprocess.run(['kcat', '-b', brokers, '-q', *args], input=data, stdout=subprocess.PIPE, check=True, timeout=patience_s).stdout


def control(verb, work, *more):
    return subprocess.run([os.path.join(root, 'deploy/kafka/broker'), verb, os.path.join(work, 'kafka'), *more])


def last_records(topic):
    out = kcat('-C', '-t', topic, '-o', 'beginning', '-e', '-X', 'isolation.level=read_committed', '-f', '%k\t%s\n')
    last, seen = {}, []
    for line in out.decode().splitlines():
        key, value = line.split('\t', 1)
        last[key] = value
        seen.append(value)
    live = [v for v in last.values() if json.loads(v)['status'] != 'retracted']
    return sorted(live, key=lambda v: (json.loads(v)['first_seen'], json.loads(v)['incident_id'])), seen


class Members:
    def __init__(self, work):
        self.log = open(os.path.join(work, 'correlators.log'), 'ab')
        self.config = os.path.join(work, 'correlator.yaml')
        with open(self.config, 'w') as f:
            f.write(f'rules: {rules}\nagencies: {case}/agencies.yaml\nidle: 2s\n'
                    f'kafka:\n  brokers: {brokers}\n  create-topics: true\n  group: chaos\n  standby: true\n')
        self.running, self.suspended = [], None

    def start(self):
        self.running.append(subprocess.Popen([program, '-c', self.config], stderr=self.log))

    def end(self, how):
        process = self.running.pop(r.randrange(len(self.running)))
        process.send_signal(how)
        return process.wait(timeout=patience_s)

    def disturb(self):
        what = r.choice(['kill', 'kill', 'leave', 'suspend', 'join'])
        if self.suspended:
            self.suspended.send_signal(signal.SIGCONT)
            self.suspended = None
        if what == 'kill':
            self.end(signal.SIGKILL)
        elif what == 'leave':
            assert self.end(signal.SIGTERM) == 0
        elif what == 'suspend':
            self.suspended = r.choice(self.running)
            self.suspended.send_signal(signal.SIGSTOP)
        while len(self.running) < 3 + (what == 'join' and len(self.running) < 4):
            self.start()
        return what


def wait_for(wanted):
    end, wrong = time.time() + patience_s, {}
    while time.time() < end:
        wrong = {x: last_records(f'vong.incidents.{x}')[0] for x in recipients}
        wrong = {x: got for x, got in wrong.items() if got != wanted[x]}
        if not wrong:
            return {}
        time.sleep(2)
    return wrong


def main(work):
    started = control('start', work, str(port))
    if started.returncode == 77 or not shutil.which('kcat'):
        return 77
    started.check_returncode()
    subprocess.run([program, '--in', case + '/events.json', '--rules', rules, '--agencies', case + '/agencies.yaml', '-l', work + '/files',
                    '--per-recipient', '-q'], check=True)
    wanted = {x: open(f'{work}/files/{x}/incidents.json').read().splitlines() for x in recipients}
    events = open(case + '/events.json').read().splitlines()
    members = Members(work)
    for _ in range(3):
        members.start()
    end = time.time() + patience_s
    needed = [f'"vong.events.{a}"'.encode() for a in agencies.values()] + [b'"vong.dead-letter"']
    while not all(topic in kcat('-L') for topic in needed) and time.time() < end:
        time.sleep(0.5)
    queues = {s: [e for e in events if json.loads(e)['host'] == s] for s in agencies}
    done, sent = [], 0
    while any(queues.values()):
        sensor = r.choice([s for s in queues if queues[s]])
        part, queues[sensor] = queues[sensor][:5], queues[sensor][5:]
        kcat('-P', '-X', 'enable.idempotence=true', '-t', f'vong.events.{agencies[sensor]}', '-H', f'sensor={sensor}', data=('\n'.join(part) + '\n').encode())
        sent += len(part)
        time.sleep(r.choice([0, 0.2, 3]))
        if r.random() < 0.4:
            done.append(members.disturb())
        if len(done) == 3:
            done.append('broker')
            control('stop', work)
            control('start', work, str(port)).check_returncode()
    if members.suspended:
        members.suspended.send_signal(signal.SIGCONT)
    wrong = wait_for(wanted)
    doubles = {x: len(seen) - len(set(seen)) for x in recipients for seen in [last_records(f'vong.incidents.{x}')[1]]}
    statuses = [members.end(signal.SIGTERM) for _ in range(len(members.running))]
    for recipient, got in wrong.items():
        print(f'{recipient}: {len(got)} incidents instead of {len(wanted[recipient])}')
        for line in sorted(set(wanted[recipient]) ^ set(got)):
            print(('missing ' if line in wanted[recipient] else 'unexpected ') + line[:300])
    print(f'{sent} events, {len(done)} disturbances: {" ".join(done)}; written twice: {sum(doubles.values())}; statuses {statuses}')
    return 1 if wrong or any(doubles.values()) or any(statuses) else 0


folder = tempfile.mkdtemp(prefix='vong_chaos_')
try:
    code = main(folder)
    if code not in (0, 77):
        print(open(folder + '/correlators.log', errors='replace').read()[-3000:])
finally:
    control('stop', folder)
shutil.rmtree(folder, ignore_errors=True)
sys.exit(code)

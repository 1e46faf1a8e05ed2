#!/usr/bin/python3
"""correlator_chaos.py ROOT VONG_CORRELATOR [SEED [divided]]: three correlators on one real broker, with kafka.standby, or with the work divided
over four partitions of facts, while events come in. At random one is killed (kill -9), stopped for good and another started, or suspended until the
others take it for dead; the broker is restarted; agencies say what they think of their incidents. In the end the last record of every incident of every recipient is, byte for byte, what an undisturbed
run from files wrote, no record stands there twice, and who was asked to end did so with status 0. Status 77: no Java, Maven or kcat here."""
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
divided = len(sys.argv) > 4 and sys.argv[4] == 'divided'
case = os.path.join(root, 'tests/streams/pack-one-attacker-four-agencies')
rules = os.path.join(root, 'rules/packs/correlation')
agencies = {'s-g02': 'G02', 's-g22': 'G22', 's-g08': 'G08', 's-g11': 'G11'}
recipients = ['G02', 'G08', 'G11', 'G22', 'national']
patience_s = float(os.environ.get('VONG_E2E_PATIENCE_S', '300'))
port = 20000 + r.randrange(10000) + os.getpid() % 10000
brokers = f'127.0.0.1:{port}'


def kcat(*args, data=None):
    return subprocess.run(['kcat', '-b', brokers, '-q', *args], input=data, stdout=subprocess.PIPE, check=True, timeout=patience_s).stdout


def read(*args):
    """Again when the broker, which has just been started, lets the connection fall."""
    for _ in range(10):
        try:
            return kcat(*args)
        except subprocess.CalledProcessError:
            time.sleep(1)
    return kcat(*args)


def send(topic, lines, *args):
    """Each line once: kcat gives up at the first connection that falls, and what it had delivered until then stays."""
    there = lambda: len(read('-C', '-t', topic, '-o', 'beginning', '-e', '-f', '%o\n').splitlines())
    wanted = there() + len(lines)
    while (left := wanted - there()) > 0:
        try:
            kcat('-P', '-X', 'enable.idempotence=true', '-t', topic, *args, data=('\n'.join(lines[-left:]) + '\n').encode())
        except subprocess.CalledProcessError:
            time.sleep(1)


def control(verb, work, *more):
    return subprocess.run([os.path.join(root, 'deploy/kafka/broker'), verb, os.path.join(work, 'kafka'), *more])


def last_records(topic):
    out = read('-C', '-t', topic, '-o', 'beginning', '-e', '-X', 'isolation.level=read_committed', '-f', '%k\t%s\n')
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
                    f'kafka:\n  brokers: {brokers}\n  create-topics: true\n  group: chaos\n  {"facts-partitions: 4" if divided else "standby: true"}\n')
        self.running, self.suspended, self.left = [], None, []

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
            self.left.append(self.end(signal.SIGTERM))
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


def undisturbed(work, verdicts=()):
    with open(work + '/verdicts.json', 'w') as f:
        f.writelines(v + '\n' for v in verdicts)
    subprocess.run([program, '--in', case + '/events.json', '--rules', rules, '--agencies', case + '/agencies.yaml', '-l', work + '/files',
                    '--verdicts', work + '/verdicts.json', '--per-recipient', '-q'], check=True)
    return {x: open(f'{work}/files/{x}/incidents.json').read().splitlines() for x in recipients}


def verdicts_on(incidents):
    """Each agency's word on its incidents, soon after they were opened."""
    mine = {i['incident_id']: i for lines in incidents.values() for i in map(json.loads, lines) if i.get('agency')}
    return [json.dumps({'incident_id': x, 'verdict': r.choice(['true_positive', 'false_positive']), 'timestamp': i['opened'].replace('.000000', '.500000'),
                        'agency': i['agency']}) for x, i in sorted(mine.items())]


def main(work):
    started = control('start', work, str(port))
    if started.returncode == 77 or not shutil.which('kcat'):
        return 77
    started.check_returncode()
    verdicts = verdicts_on(undisturbed(work))
    wanted = undisturbed(work, verdicts)
    events = open(case + '/events.json').read().splitlines()
    members = Members(work)
    for _ in range(3):
        members.start()
    end = time.time() + patience_s
    needed = [f'"vong.events.{a}"'.encode() for a in agencies.values()] + [b'"vong.dead-letter"', b'"vong.facts"' if divided else b'']
    while not all(topic in read('-L') for topic in needed) and time.time() < end:
        time.sleep(0.5)
    queues = {s: [e for e in events if json.loads(e)['host'] == s] for s in agencies}
    done, sent = [], 0
    while any(queues.values()):
        sensor = r.choice([s for s in queues if queues[s]])
        part, queues[sensor] = queues[sensor][:5], queues[sensor][5:]
        send(f'vong.events.{agencies[sensor]}', part, '-H', f'sensor={sensor}')
        sent += len(part)
        if verdicts and r.random() < 0.5:
            send('vong.verdicts', [verdicts.pop()])
        time.sleep(r.choice([0, 0.2, 3]))
        if r.random() < 0.4:
            done.append(members.disturb())
        if len(done) == 3:
            done.append('broker')
            control('stop', work)
            control('start', work, str(port)).check_returncode()
    send('vong.verdicts', verdicts)
    if members.suspended:
        members.suspended.send_signal(signal.SIGCONT)
    wrong = wait_for(wanted)
    doubles = {x: len(seen) - len(set(seen)) for x in recipients for seen in [last_records(f'vong.incidents.{x}')[1]]}
    statuses = members.left + [members.end(signal.SIGTERM) for _ in range(len(members.running))]
    for recipient, got in wrong.items():
        print(f'{recipient}: {len(got)} incidents instead of {len(wanted[recipient])}')
        for line in sorted(set(wanted[recipient]) ^ set(got)):
            print(('missing ' if line in wanted[recipient] else 'unexpected ') + line)
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

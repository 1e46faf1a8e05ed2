#!/usr/bin/python3
"""correlator_kafka.py ROOT VONG_CORRELATOR [WORK]: the correlator on a real broker against the same events from files.

Events of a stream case go to their agencies' topics, one agency after the other, so that all but the first come late. The
correlator is killed (kill -9) again and again on the way. In the end the last record of every incident must be, byte for byte, what the run
from files wrote, for every recipient. Status 77: no Java, Maven or kcat here."""
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
case = os.path.join(root, 'tests/streams/pack-one-attacker-four-agencies')
rules = os.path.join(root, 'rules/packs/correlation')
agencies = {'s-g02': 'G02', 's-g22': 'G22', 's-g08': 'G08', 's-g11': 'G11'}
recipients = ['G02', 'G08', 'G11', 'G22', 'national']
port = 20000 + random.randrange(20000)
brokers = f'127.0.0.1:{port}'
patience_s = float(os.environ.get('VONG_E2E_PATIENCE_S', '240'))


def kcat(*args, data=None):
    return subprocess.run(['kcat', '-b', brokers, '-q', *args], input=data, stdout=subprocess.PIPE, check=True, timeout=patience_s).stdout


def last_records(topic):
    """The newest record of each key, committed ones only, in order of first_seen and id; and how many there were."""
    out = kcat('-C', '-t', topic, '-o', 'beginning', '-e', '-X', 'isolation.level=read_committed', '-f', '%k\t%s\n')
    last, seen = {}, []
    for line in out.decode().splitlines():
        key, value = line.split('\t', 1)
        last[key] = value
        seen.append(value)
    live = [v for v in last.values() if json.loads(v)['status'] != 'retracted']
    return sorted(live, key=lambda v: (json.loads(v)['first_seen'], json.loads(v)['incident_id'])), seen


class Correlator:
    def __init__(self, work):
        self.config, self.log = os.path.join(work, 'correlator.yaml'), open(os.path.join(work, 'correlator.log'), 'ab')
        with open(self.config, 'w') as f:
            f.write(f'rules: {rules}\nagencies: {case}/agencies.yaml\nidle: 2s\n'
                    f'kafka:\n  brokers: {brokers}\n  create-topics: true\n  group: e2e\n')

    def start(self):
        self.process = subprocess.Popen([program, '-c', self.config], stderr=self.log)

    def stop(self, how):
        self.process.send_signal(how)
        return self.process.wait(timeout=patience_s)


def wait_for(wanted):
    """Until every recipient's topic says what the files say; the differences when time is over."""
    end, wrong = time.time() + patience_s, {}
    while time.time() < end:
        wrong = {r: last_records(f'vong.incidents.{r}')[0] for r in recipients}
        wrong = {r: got for r, got in wrong.items() if got != wanted[r]}
        if not wrong:
            return None
        time.sleep(1)
    return wrong


def main(work):
    started = subprocess.run([os.path.join(root, 'deploy/kafka/broker'), 'start', os.path.join(work, 'kafka'), str(port)])
    if started.returncode == 77 or not shutil.which('kcat'):
        return 77
    started.check_returncode()
    subprocess.run([program, '--in', case + '/events.json', '--rules', rules, '--agencies', case + '/agencies.yaml', '-l', work + '/files',
                    '--per-recipient', '-q'], check=True)
    wanted = {r: open(f'{work}/files/{r}/incidents.json').read().splitlines() for r in recipients}
    events = [line for line in open(case + '/events.json').read().splitlines()]
    correlator = Correlator(work)
    correlator.start()
    end = time.time() + patience_s
    while b'vong.dead-letter' not in kcat('-L') and time.time() < end:
        time.sleep(0.5)
    pick = random.Random(5)
    for sensor, agency in agencies.items():
        mine = [e for e in events if json.loads(e)['host'] == sensor]
        for i in range(0, len(mine), 4):
            part = '\n'.join(mine[i:i + 4]) + '\n'
            kcat('-P', '-t', f'vong.events.{agency}', '-H', f'sensor={sensor}', data=part.encode())
            if pick.random() < 0.4:
                correlator.stop(signal.SIGKILL)
                correlator.start()
        time.sleep(3)  # long enough to be idle: the next agency's events are late
    wrong = wait_for(wanted)
    status = correlator.stop(signal.SIGTERM)
    if wrong:
        for recipient, got in wrong.items():
            print(f'{recipient}: {len(got)} incidents instead of {len(wanted[recipient])}')
            for line in sorted(set(wanted[recipient]) ^ set(got)):
                print(('missing ' if line in wanted[recipient] else 'unexpected ') + line[:400])
        return 1
    if status != 0:
        print(f'status {status} after SIGTERM')
        return 1
    for recipient in recipients:
        seen = last_records(f'vong.incidents.{recipient}')[1]
        doubles = len(seen) - len(set(seen))
        if doubles:
            print(f'{recipient}: {doubles} records were written twice')
            return 1
    print('the same incidents through Kafka, each record once')
    return 0


work = sys.argv[3] if len(sys.argv) > 3 else tempfile.mkdtemp(prefix='vong_e2e_')
try:
    code = main(work)
finally:
    subprocess.run([os.path.join(root, 'deploy/kafka/broker'), 'stop', os.path.join(work, 'kafka')])
    if len(sys.argv) <= 3:
        shutil.rmtree(work, ignore_errors=True)
sys.exit(code)

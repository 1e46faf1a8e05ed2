#!/usr/bin/python3
"""correlator_divided.py ROOT VONG_CORRELATOR [CASE...]: stream cases (tests/streams) through a real broker by three correlators that divide the work over
four partitions of facts, one of them killed (kill -9) on the way. What every recipient's topic and vong.warnings say in the end is, byte for byte, what one run
from files writes: campaigns, verdicts, agencies that merge and split, those that share little. Status 77: no Java, Maven or kcat here."""
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import yaml

root, program = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
cases = sys.argv[3:] or ['campaign-infrastructure', 'verdicts', 'agency-history']
patience_s = float(os.environ.get('VONG_E2E_PATIENCE_S', '180'))
port = 20000 + random.randrange(20000)
brokers = f'127.0.0.1:{port}'


def kcat(*args, data=None):
    return subprocess.run(['kcat', '-b', brokers, '-q', *args], input=data, stdout=subprocess.PIPE, check=True, timeout=patience_s).stdout


def control(verb, work, *more):
    return subprocess.run([os.path.join(root, 'deploy/kafka/broker'), verb, os.path.join(work, 'kafka'), *more])


def last_records(topic, id_field):
    out = kcat('-C', '-t', topic, '-o', 'beginning', '-e', '-X', 'isolation.level=read_committed', '-f', '%k\t%s\n')
    last = dict(line.split('\t', 1) for line in out.decode().splitlines())
    live = [v for v in last.values() if json.loads(v).get('status') != 'retracted']
    return sorted(live, key=lambda v: json.loads(v)[id_field])


def run(case, work):
    folder = os.path.join(root, 'tests/streams', case)
    agencies = yaml.safe_load(open(folder + '/agencies.yaml'))['agencies']
    recipients = [a['id'] for a in agencies] + ['national']
    words = open(folder + '/arguments').read().replace('{case}', folder).split() if os.path.exists(folder + '/arguments') else []
    rules = os.path.join(root, open(folder + '/rules.path').read().strip()) if os.path.exists(folder + '/rules.path') else folder + '/rules'
    subprocess.run([program, '--in', folder + '/events.json', '--rules', rules, '--agencies', folder + '/agencies.yaml', '-l', work + '/files',
                    '--per-recipient', '-q', *words], check=True)
    by_id = lambda path, field: sorted(open(path).read().splitlines(), key=lambda v: json.loads(v)[field])
    wanted = {f'vong.incidents.{x}': by_id(f'{work}/files/{x}/incidents.json', 'incident_id') for x in recipients}
    id_of = {topic: 'incident_id' for topic in wanted}
    wanted['vong.warnings'], id_of['vong.warnings'] = by_id(f'{work}/files/warnings.json', 'warning_id'), 'warning_id'
    config = work + '/correlator.yaml'
    with open(config, 'w') as f:
        f.write(f'rules: {rules}\nagencies: {folder}/agencies.yaml\nidle: 2s\n'
                f'kafka: {{brokers: "{brokers}", create-topics: true, group: divided, facts-partitions: 4}}\n')
    log = open(work + '/correlators.log', 'ab')
    start = lambda: subprocess.Popen([program, '-c', config], stderr=log)
    members = [start() for _ in range(3)]
    end = time.time() + patience_s
    needed = [f'"{topic}"'.encode() for topic in [*wanted, 'vong.facts', 'vong.dead-letter', 'vong.verdicts']]
    while not all(topic in kcat('-L') for topic in needed) and time.time() < end:
        time.sleep(0.5)
    events = open(folder + '/events.json').read().splitlines()
    for i, line in enumerate(events):
        event = json.loads(line)
        agency = event.get('agency') or next(a['id'] for a in agencies if event['host'] in a['sensors'])
        kcat('-P', '-X', 'enable.idempotence=true', '-t', 'vong.events.' + agency, '-H', 'sensor=' + event['host'], data=(line + '\n').encode())
        if i == len(events) // 2:
            members[0].send_signal(signal.SIGKILL)
            members[0].wait()
            members[0] = start()
    if '--verdicts' in words:
        kcat('-P', '-X', 'enable.idempotence=true', '-t', 'vong.verdicts', data=open(words[words.index('--verdicts') + 1], 'rb').read())
    end, wrong = time.time() + patience_s, None
    while wrong != {} and time.time() < end:
        time.sleep(2)
        got = {topic: last_records(topic, id_of[topic]) for topic in wanted}
        wrong = {topic: got[topic] for topic in wanted if got[topic] != wanted[topic]}
    for m in members:
        m.send_signal(signal.SIGTERM)
    statuses = [m.wait(timeout=patience_s) for m in members]
    for topic, lines in wrong.items():
        print(f'{case}: {topic}: {len(lines)} records instead of {len(wanted[topic])}')
        for line in sorted(set(wanted[topic]) ^ set(lines)):
            print(('missing ' if line in wanted[topic] else 'unexpected ') + line[:600])
    if wrong or any(statuses):
        print(f'{case}: statuses {statuses}\n' + open(work + '/correlators.log', errors='replace').read()[-3000:])
        return 1
    print(f'{case}: the same in {sum(map(len, wanted.values()))} records')
    return 0


failed = 0
for name in cases:
    place = tempfile.mkdtemp(prefix='vong_divided_')
    try:
        started = control('start', place, str(port))
        if started.returncode == 77 or not shutil.which('kcat'):
            sys.exit(77)
        started.check_returncode()
        failed |= run(name, place)
    finally:
        control('stop', place)
        shutil.rmtree(place, ignore_errors=True)
sys.exit(failed)

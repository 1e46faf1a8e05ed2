#!/usr/bin/python3
"""status_coverage.py ROOT BIN: what sensors say of themselves, through a real broker, and what the centre makes of it.

Sensor s1 sends its spool itself, of s2 vong-exporter sends it. Both must stand in vong.status, again and again, in the form of the schema; the
correlator must say how many sensors of the agency run the rules that the centre wants, and name the others: before and after a reload of s1, and a
sensor that has ended is silent: there its life signals, which came out at the other end before, are missed, and an incident says so with the last latency
seen. s1 sends its own at the tap (the other end of the cable), s2 into its ring. Status 77: no Java, Maven, kcat or rights here."""
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import jsonschema

root, programs = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
port = 20000 + random.randrange(12000)
brokers = f'127.0.0.1:{port}'
patience_s = float(os.environ.get('VONG_E2E_PATIENCE_S', '240'))
NIC = 'vongstat0'
problems, running = [], []


def broker(work, verb):
    more = [str(port)] if verb == 'start' else []
    return subprocess.run([f'{root}/deploy/kafka/broker', verb, f'{work}/kafka', *more], stdout=subprocess.DEVNULL).returncode


def topic(name):
    """[(key, record)] of the committed records."""
    out = subprocess.run(['kcat', '-b', brokers, '-q', '-C', '-t', name, '-o', 'beginning', '-e', '-X', 'isolation.level=read_committed', '-f', '%k\t%s\n'],
                         capture_output=True, timeout=patience_s).stdout.decode()
    return [(key, json.loads(value)) for key, value in (line.split('\t', 1) for line in out.splitlines())]


def wait_for(what, condition):
    end, got = time.time() + patience_s, None
    while time.time() < end:
        got = condition()
        if got:
            return got
        time.sleep(0.5)
    problems.append(f'not within {patience_s:.0f} s: {what}')
    return None


def start(work, *command):
    with open(f'{work}/log', 'ab') as log:
        running.append(subprocess.Popen(command, stderr=log))
    return running[-1]


def sensor(work, name, rules, *settings):
    sets = [f'sensor-name={name}', 'agency=G02', 'status.interval=1', f'kafka.spool.dir={work}/{name}/spool', 'canary.enabled=yes', 'canary.interval=1',
            f'canary.key-file={work}/key', *settings]
    return start(work, f'{programs}/vong-sensor', '-i', NIC, '--workers', '1', '-S', rules, '-l', f'{work}/{name}/log', *[a for s in sets for a in ('--set', s)])


def hash_of(work, name):
    try:
        return json.load(open(f'{work}/{name}/log/status.json'))['rules']['hash']
    except (OSError, ValueError):
        return None


def newest_of_agency():
    of = [record for key, record in topic('vong.coverage') if key == 'G02']
    return of[-1] if of else None


def said(condition):
    """The newest coverage record of the agency, when it is as wanted."""
    newest = newest_of_agency()
    return newest if newest and condition(newest) else None


def incidents():
    return [i for _, i in topic('vong.incidents.G02') if i['rule']['title'].startswith('A sensor is silent') and i['status'] != 'retracted']


def main(work):
    if os.geteuid() != 0 or not shutil.which('kcat') or broker(work, 'start') == 77:
        return 77
    if subprocess.run(['ip', 'link', 'add', NIC, 'type', 'veth', 'peer', 'name', NIC + 'p'], capture_output=True).returncode:
        return 77
    for name in (NIC, NIC + 'p'):
        subprocess.run(['ip', 'link', 'set', name, 'up'], check=True)
    rules = {name: f'{work}/{name}.rules' for name in ('s1', 's2')}
    for path in rules.values():
        open(path, 'w').write('alert ip any any -> any any (msg:"wanted"; content:"evil"; sid:1;)\n')
    for name in rules:
        os.makedirs(f'{work}/{name}/spool')
    with open(os.open(f'{work}/key', os.O_WRONLY | os.O_CREAT, 0o600), 'w') as f:
        f.write('a key of more than sixteen characters\n')
    os.makedirs(f'{work}/rules')
    with open(f'{root}/rules/packs/operations/life-signal.yml') as f:
        open(f'{work}/rules/life-signal.yml', 'w').write(f.read().replace('timespan: 5m', 'timespan: 5s'))
    one = sensor(work, 's1', rules['s1'], f'kafka.brokers={brokers}', f'canary.interface={NIC}p')
    two = sensor(work, 's2', rules['s2'])
    start(work, f'{programs}/vong-exporter', '--spool', f'{work}/s2/spool', '--set', f'kafka.brokers={brokers}', '--set', 'kafka.agency=G02', '--set', 'kafka.sensor=s2')
    wanted = wait_for('a status on the box', lambda: hash_of(work, 's1'))
    if wanted != wait_for('a status of the other', lambda: hash_of(work, 's2')):
        problems.append('the same rules have two hashes')
    with open(f'{work}/correlator.yaml', 'w') as f:
        f.write(f'rules: {work}/rules\nagencies: {root}/deploy/agencies.yaml\ncoverage: {{wanted-rules: {wanted}, interval: 2s}}\ndisorder: 1s\nidle: 2s\n'
                f'kafka: {{brokers: "{brokers}", create-topics: true}}\n')
    start(work, f'{programs}/vong-correlator', '-c', f'{work}/correlator.yaml', '-q')

    before = wait_for('both run what is wanted', lambda: said(lambda c: c['rules']['in_force'] == 2 and c['sensors']['alive'] == 2))
    if before and before['rules']['other']:
        problems.append(f'others although all is as wanted: {before}')
    open(rules['s1'], 'a').write('alert ip any any -> any any (msg:"not wanted"; content:"odd"; sid:2;)\n')
    one.send_signal(signal.SIGHUP)
    wait_for('the sensor with other rules is named', lambda: said(lambda c: c['rules']['other'] == ['s1'] and c['rules']['in_force'] == 1))
    two.send_signal(signal.SIGTERM)
    wait_for('the sensor that has ended is silent', lambda: said(lambda c: 's2' in c['sensors']['silent'] and c['sensors']['alive'] == 1))
    silent = wait_for('an incident of its silence', lambda: [i for i in incidents() if i['key'] == {'host': 's2'}])
    if silent and not all(0 <= e['latency_us'] < 30_000_000 for i in silent for e in i['evidence']):
        problems.append(f'no latency in the incident: {silent[0]}')
    if other := [i for i in incidents() if i['key'] != {'host': 's2'}]:
        problems.append(f'incidents of a sensor that is not silent: {other[0]}')
    one.send_signal(signal.SIGTERM)
    if one.wait(60) != 0 or two.wait(60) != 0:
        problems.append(f'sensors ended with {one.returncode} and {two.returncode}')

    schema = json.load(open(f'{root}/events/schema/status.schema.json'))
    records = {name: [r for key, r in topic('vong.status') if key == name] for name in rules}
    for name, of in records.items():
        for record in of:
            jsonschema.validate(record, schema)
        times = sorted({r['timestamp'] for r in of})
        if len(times) < 4 or times != [r['timestamp'] for r in of]:
            problems.append(f'{name}: {len(of)} records in vong.status, {len(times)} times')
    if not any(r['spool'].get('connected') for r in records['s1']) or any('connected' in r['spool'] for r in records['s2']):
        problems.append('connected: of the sensor that sends, and of no other')
    coverage = json.load(open(f'{root}/events/schema/coverage.schema.json'))
    for _, record in topic('vong.coverage'):
        jsonschema.validate(record, coverage)
    signals = {name: [r['sensor']['latency_us'] for _, r in topic('vong.events.G02') if r['event_type'] == 'sensor' and r['host'] == name and r['sensor']['kind'] == 'canary'] for name in rules}
    if min(len(of) for of in signals.values()) < 3:
        problems.append(f'life signals at the other end: {signals}')
    print('\n'.join(problems) or f'latencies of life signals at most {max(max(of) for of in signals.values())} us; {len(records["s1"])} and {len(records["s2"])} records in vong.status, {len(topic("vong.coverage"))} in vong.coverage')
    if problems:
        print(f'newest: {newest_of_agency()}\n' + open(f'{work}/log').read()[-3000:])
    return 1 if problems else 0


folder = tempfile.mkdtemp(prefix='vong_status_')
try:
    code = main(folder)
finally:
    for process in running:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    subprocess.run(['ip', 'link', 'del', NIC], capture_output=True)
    broker(folder, 'stop')
    shutil.rmtree(folder, ignore_errors=True)
sys.exit(code)

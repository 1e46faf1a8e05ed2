#!/usr/bin/python3
"""refused.py ROOT BIN [WORK]: a broker that asks for a password and does not like ours. One clear line, the documented status, nothing accepted is lost:
with the right password every event is in the topic once. Status 77: no Java, Maven or kcat here."""
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

root, programs = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
sys.path.insert(0, os.path.join(root, 'tests/cases'))
import dns_traffic  # noqa: E402

port = 20000 + random.randrange(12000)
plain, secure = f'127.0.0.1:{port}', f'127.0.0.1:{port + 2}'
patience_s = float(os.environ.get('VONG_E2E_PATIENCE_S', '240'))
PROPERTIES = '''
listeners=PLAINTEXT://127.0.0.1:@PORT@,SASL_PLAINTEXT://127.0.0.1:@SECURE_PORT@,CONTROLLER://127.0.0.1:@CONTROLLER_PORT@
advertised.listeners=PLAINTEXT://127.0.0.1:@PORT@,SASL_PLAINTEXT://127.0.0.1:@SECURE_PORT@
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=PLAIN
listener.name.sasl_plaintext.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_g02="right";
'''
problems = []


def credentials(work, password):
    file = f'{work}/password'
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'w') as f:
        f.write(password + '\n')
    settings = (f'kafka.brokers={secure}', 'kafka.security-protocol=sasl_plaintext', 'kafka.sasl.mechanism=PLAIN', 'kafka.sasl.username=g02', f'kafka.sasl.password-file={file}')
    return [a for setting in settings for a in ('--set', setting)]


def run(program, *arguments):
    done = subprocess.run([f'{programs}/{program}', *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=patience_s)
    print(program, 'status', done.returncode, *(json.loads(x)['message'] for x in done.stderr.splitlines() if x.startswith('{')), sep='\n    ')
    return done.returncode, [json.loads(x) for x in done.stderr.splitlines() if x.startswith('{')]


def refusals(lines):
    return [x['message'] for x in lines if x['level'] == 'error' and re.search('(?i)authentication|credentials|refused', x['message'])]


def main(work):
    with open(f'{work}/more.properties', 'w') as f:
        f.write(PROPERTIES)
    started = subprocess.run([f'{root}/deploy/kafka/broker', 'start', f'{work}/kafka', str(port)], env=dict(os.environ, VONG_KAFKA_PROPERTIES=f'{work}/more.properties'))
    if started.returncode == 77 or not shutil.which('kcat'):
        return 77
    started.check_returncode()
    with open(f'{work}/correlator.yaml', 'w') as f:
        f.write(f'rules: {root}/rules/packs/correlation\nagencies: {root}/deploy/agencies.yaml\nkafka: {{brokers: "{plain}", create-topics: true}}\n')
    correlator = subprocess.Popen([f'{programs}/vong-correlator', '-c', f'{work}/correlator.yaml', '-q'])
    end = time.time() + patience_s
    while b'"vong.events.G02"' not in subprocess.run(['kcat', '-b', plain, '-L'], capture_output=True).stdout and time.time() < end:
        time.sleep(0.3)
    correlator.terminate()
    correlator.wait()

    dns_traffic.write(f'{work}/d.pcap', 500)
    sensor = ['-r', f'{work}/d.pcap', '-k', 'none', '-l', f'{work}/o', '--set', 'sensor-name=s1', '--set', 'agency=G02', '--set', f'kafka.spool.dir={work}/spool']
    status, lines = run('vong-sensor', *sensor, *credentials(work, 'wrong'))
    if status != 0 or len(refusals(lines)) != 1:
        problems.append(f'sensor: status {status}, {len(refusals(lines))} lines about the refusal')
    exporter = ['--spool', f'{work}/spool', '--once', '--set', 'kafka.agency=G02', '--set', 'kafka.sensor=s1', '--set', 'kafka.topic=vong.events.G02']
    status, lines = run('vong-exporter', *exporter, *credentials(work, 'wrong'))
    if status != 1 or not refusals(lines):
        problems.append(f'exporter: status {status}')
    status, lines = run('vong-correlator', '-c', f'{work}/correlator.yaml', *credentials(work, 'wrong'))
    if status != 1 or not refusals(lines):
        problems.append(f'correlator: status {status}')
    status, _ = run('vong-exporter', *exporter, *credentials(work, 'right'))
    out = subprocess.run(['kcat', '-b', plain, '-q', '-C', '-t', 'vong.events.G02', '-o', 'beginning', '-e', '-X', 'isolation.level=read_committed', '-f', '%s\n'],
                         capture_output=True, check=True).stdout.decode().splitlines()
    with open(f'{work}/o/eve.json', encoding='utf-8') as f:
        wanted = f.read().splitlines()
    if status != 0 or sorted(out) != sorted(wanted) or len(wanted) < 1000:
        problems.append(f'with the right password: status {status}, {len(out)} of {len(wanted)} events')
    print('\n'.join(problems) or f'{len(wanted)} events, each once, after the password was put right')
    return 1 if problems else 0


folder = sys.argv[3] if len(sys.argv) > 3 else tempfile.mkdtemp(prefix='vong_e2e_')
try:
    code = main(folder)
finally:
    subprocess.run([f'{root}/deploy/kafka/broker', 'stop', f'{folder}/kafka'])
    if len(sys.argv) <= 3:
        shutil.rmtree(folder, ignore_errors=True)
sys.exit(code)

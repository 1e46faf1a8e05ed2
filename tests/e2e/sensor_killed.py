#!/usr/bin/python3
"""sensor_killed.py ROOT BIN [WORK]: vong-sensor with its spool and its forwarder is killed (kill -9) at random moments, while a real broker stops, dies and
comes back. Every event that the spool had accepted is in the topic exactly once, and so is every event of the last, whole run.

The proof is a reader's: committed records only, seq from 1 to the last without a gap and without a second time, no event twice. What was accepted is
seen by looking into a copy of the spool after each kill. Status 77: no Java, Maven or kcat here."""
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

root, programs = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
sys.path.insert(0, os.path.join(root, 'tests/cases'))
import dns_traffic  # noqa: E402

PACKETS, LIVES = 6000, 14
port = 20000 + random.randrange(12000)
brokers = f'127.0.0.1:{port}'
patience_s = float(os.environ.get('VONG_E2E_PATIENCE_S', '240'))
problems = []


def broker(work, what):
    return subprocess.run([os.path.join(root, 'deploy/kafka/broker'), what, f'{work}/kafka', *([str(port)] if what == 'start' else [])]).returncode


def make_topics(work):
    with open(f'{work}/correlator.yaml', 'w') as f:
        f.write(f'rules: {root}/rules/packs/correlation\nagencies: {root}/deploy/agencies.yaml\nkafka: {{brokers: "{brokers}", create-topics: true}}\n')
    correlator = subprocess.Popen([f'{programs}/vong-correlator', '-c', f'{work}/correlator.yaml', '-q'])
    end = time.time() + patience_s
    while b'"vong.events.G02"' not in subprocess.run(['kcat', '-b', brokers, '-L'], capture_output=True).stdout and time.time() < end:
        time.sleep(0.3)
    correlator.terminate()
    correlator.wait()


def start_sensor(work, life):
    """Each life sees traffic of its own, so that every event is another."""
    capture = f'{work}/{life}.pcap'
    dns_traffic.write(capture, PACKETS, 1_795_140_000 + life * 1000)
    with open(f'{work}/sensor.log', 'ab') as log:
        return subprocess.Popen([f'{programs}/vong-sensor', '-r', capture, '-k', 'none', '-l', f'{work}/{life}', '--set', 'sensor-name=s1', '--set', 'agency=G02',
                                 '--set', f'kafka.brokers={brokers}', '--set', f'kafka.spool.dir={work}/spool'], stderr=log)


def accepted_now(work, life):
    """What the spool holds for certain and the topic has perhaps not got yet."""
    copy, lines = f'{work}/copy-{life}', f'{work}/accepted-{life}.json'
    if not os.path.isdir(f'{work}/spool'):
        return set()
    shutil.copytree(f'{work}/spool', copy)
    subprocess.run([f'{programs}/vong-exporter', '--spool', copy, '--set', f'file={lines}', '--once', '-q'], check=True)
    with open(lines, encoding='utf-8') as f:
        return set(f.read().splitlines())


def topic():
    """[(seq, value)] of the committed records."""
    out = subprocess.run(['kcat', '-b', brokers, '-q', '-C', '-t', 'vong.events.G02', '-o', 'beginning', '-e', '-X', 'isolation.level=read_committed', '-f',
                          '%h\t%s\n'], capture_output=True, check=True, timeout=patience_s).stdout.decode()
    rows = []
    for line in out.splitlines():
        headers, value = line.split('\t', 1)
        rows.append((int(re.search(r'\bseq=(\d+)', headers).group(1)), value))
        if 'sensor=s1' not in headers or 'agency=G02' not in headers or 'ruleset=' not in headers:
            problems.append(f'headers {headers}')
    return rows


def main(work):
    if broker(work, 'start') == 77 or not shutil.which('kcat'):
        return 77
    make_topics(work)
    pick, accepted, killed = random.Random(int(os.environ.get('SEED', '7'))), set(), 0
    for life in range(LIVES):
        if life in (3, 8):
            broker(work, 'stop' if life == 3 else 'kill')
        if life in (6, 9):
            broker(work, 'start')
        sensor = start_sensor(work, life)
        try:
            sensor.wait(0.1 + pick.random() * 1.5)
        except subprocess.TimeoutExpired:
            sensor.send_signal(signal.SIGKILL)
            killed += sensor.wait() == -signal.SIGKILL
        accepted |= accepted_now(work, life)
    sensor = start_sensor(work, LIVES)
    if sensor.wait(patience_s) != 0:
        problems.append(f'the last run ended with status {sensor.returncode}')
    with open(f'{work}/{LIVES}/eve.json', encoding='utf-8') as f:
        whole = set(f.read().splitlines())
    rows = topic()
    seqs, values = sorted(s for s, _ in rows), [v for _, v in rows]
    if seqs != list(range(1, len(seqs) + 1)):
        twice = sorted({s for s in seqs if seqs.count(s) > 1})[:5] if len(seqs) < 200_000 else '?'
        problems.append(f'{len(seqs)} records, seq {seqs[:1]} to {seqs[-1:]}; some twice: {twice}')
    if len(set(values)) != len(values):
        problems.append(f'{len(values) - len(set(values))} events are in the topic twice')
    for what, events in (('accepted', accepted), ('of the whole run', whole)):
        missing = events - set(values)
        if missing:
            problems.append(f'{len(missing)} of {len(events)} events {what} are missing, such as {sorted(missing)[0][:200]}')
    if killed < 3 or not accepted or len(whole) < PACKETS:
        problems.append(f'{killed} kills, {len(accepted)} events seen in the spool, {len(whole)} in the last run: this proves little')
    print('\n'.join(problems) or f'{killed} of {LIVES} runs killed; {len(accepted)} events seen accepted, {len(rows)} in the topic, each once')
    return 1 if problems else 0


folder = sys.argv[3] if len(sys.argv) > 3 else tempfile.mkdtemp(prefix='vong_e2e_')
try:
    code = main(folder)
finally:
    broker(folder, 'stop')
    if len(sys.argv) <= 3:
        shutil.rmtree(folder, ignore_errors=True)
sys.exit(code)

#!/usr/bin/python3
"""divided_bench.py VONG_CORRELATOR EVENTS [COUNT [PROCESSES...]]: the three jobs from the first COUNT (300,000) events of a broker's topics, by one process
that does all, and by one, two and four that divide the work over vong.facts. Called by with_broker. Rates by the clock and per CPU second of the correlators, the CPU
time of the broker, the size of the facts, what the repartition costs, and the incidents (always the same). Status 77: no kcat."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

from broker_bench import brokers, kcat, produce, split

program, events = sys.argv[1:3]
count = int(sys.argv[3]) if len(sys.argv) > 3 else 300_000
runs = [int(n) for n in sys.argv[4:]] or [0, 1, 2, 4]  # 0: one that does all
here = os.path.dirname(os.path.abspath(__file__))
first_port = int(os.environ['VONG_TEST_BROKER_PORT']) + 17
if not shutil.which('kcat'):
    sys.exit(77)


class Member:
    def __init__(self, work, group, i, divided=True):
        self.listen = f'127.0.0.1:{first_port + i}'
        config = f'{work}/member{i}.yaml'
        with open(config, 'w') as f:
            f.write(f'rules: {here}/rules\nagencies: {here}/agencies.yaml\ncampaign: {{enabled: false}}\nidle: 2s\n'
                    f'metrics: {{listen: "{self.listen}"}}\nincidents: {{update-interval: 1h}}\n'
                    f'kafka: {{brokers: "{brokers}", group: "{group}", create-topics: true, facts-partitions: {4 if divided else 0}, facts-topic: "facts-{group}"}}\n')
        self.log = open(f'{work}/{group}-{i}.log', 'wb')
        self.process = subprocess.Popen([program, '-c', config], stderr=self.log)
        self.at = {}

    def read(self):
        try:
            text = urllib.request.urlopen(f'http://{self.listen}/metrics', timeout=5).read().decode()
        except OSError:
            return self.at
        self.at = {}
        for line in text.splitlines():
            if line.startswith('vong_'):
                name = line.split('{')[0].split(' ')[0]
                self.at[name] = self.at.get(name, 0) + float(line.split()[-1])
        return self.at

    def cpu(self):
        return sum(map(int, open(f'/proc/{self.process.pid}/stat').read().rsplit(')', 1)[1].split()[11:13])) / os.sysconf('SC_CLK_TCK')

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def broker_cpu():
    pid = open(os.environ['VONG_TEST_BROKER_DIR'] + '/pid').read().strip()
    return sum(map(int, open(f'/proc/{pid}/stat').read().rsplit(')', 1)[1].split()[11:13])) / os.sysconf('SC_CLK_TCK')


rates = {}


def incidents():
    out = kcat('-C', '-t', 'vong.incidents.national', '-o', 'beginning', '-e', '-X', 'isolation.level=read_committed')
    return {json.loads(line)['incident_id'] for line in out.splitlines()}


def facts_bytes(topic):
    out = kcat('-C', '-t', topic, '-o', 'beginning', '-e', '-X', 'isolation.level=read_committed', '-f', '%S\n')
    return sum(map(int, out.split()))


def run(work, n, processes):
    group = f'bench{processes}'
    members = [Member(work, group, i, processes > 0) for i in range(max(1, processes))]
    broker_before = broker_cpu()
    first, last, changed, before = None, None, None, -1
    while True:
        time.sleep(0.1)
        at = [m.read() for m in members]
        done = sum(a.get('vong_correlator_records_total', 0) for a in at)
        facts = sum(a.get('vong_correlator_facts_total', 0) for a in at)
        now = time.time()
        if done > 0 and first is None:
            first = (now, done)
        if facts != before:
            before, changed = facts, now
            cpu = sum(m.cpu() for m in members)
        if done >= n and now - changed > 5 and all(a.get('vong_correlator_settled_state') == 1 for a in at):
            break
        if any(m.process.poll() is not None for m in members):
            sys.exit('a correlator has ended')
    seconds = changed - first[0]
    name = 'one that does all' if processes == 0 else f'{processes} process{"es" if processes > 1 else ""}, divided'
    print(f'{name}: {(n - first[1]) / seconds / 1e6:.3f} M events/s, {n / cpu / 1e6:.3f} M events/CPU-s, {before / n:.3f} facts processed an event, '
          f'broker {(broker_cpu() - broker_before) / n * 1e6:.2f} CPU-s a million events', flush=True)
    rates[processes] = n / cpu
    ids = incidents()
    for m in members:
        m.end()
    return ids


with tempfile.TemporaryDirectory() as folder:
    total, topics = split(events, count, folder)
    making = Member(folder, 'making', 0)
    while b'vong.dead-letter' not in kcat('-L'):
        time.sleep(0.2)
    making.end()
    produce(topics, folder)
    found = None
    for processes in runs:
        # A group and a topic of facts of its own: it reads the events from the beginning.
        ids = run(folder, total, processes)
        facts = facts_bytes(f'facts-bench{processes}') / total if processes else 0
        print(f'    {facts:.1f} bytes of facts an event; incidents {len(ids)}', flush=True)
        if found is not None and ids != found:
            sys.exit('the incidents are others')
        found = ids
    if 0 in rates:
        for processes in runs[1:]:
            print(f'the repartition costs, {processes} processes: {100 * (1 - rates[processes] / rates[0]):.0f} % of the CPU time')

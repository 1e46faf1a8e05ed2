#!/usr/bin/env python3
"""kafka_bench.py VONG_CORRELATOR EVENTS [COUNT]: the three jobs from the first COUNT (1,000,000) events of a file, and the same from a broker's
topics, one per agency, with transactions; beside a bare consumer of all topics (kcat, which writes nothing). Called by with_broker. Rates by the
clock, CPU seconds of the one process alone; the incidents must be the same. From the file with one thread, before and after the broker's turn (the
mean counts), and once with two. The broker's rate is that from the first record on; the one with the start of the program (its place in the group,
the state that it looks for) stands below it. The load of the machine is printed: beside builds only ratios mean something. Status 77: no kcat."""
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

from broker_bench import brokers, kcat, produce, split

program, events = sys.argv[1:3]
count = int(sys.argv[3]) if len(sys.argv) > 3 else 1_000_000
here = os.path.dirname(os.path.abspath(__file__))
metrics = f'127.0.0.1:{int(os.environ["VONG_TEST_BROKER_PORT"]) + 7}'
if not shutil.which('kcat'):
    sys.exit(77)


def timed(*command):
    """Seconds by the clock and of CPU."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.time()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.time() - start, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def from_file(work, threads=1):
    seconds, spent = timed(program, '-q', '-c', f'{work}/file.yaml', '--in', f'{work}/events.json', '-l', f'{work}/out', '--threads', str(threads))
    return seconds, spent, sum(1 for _ in open(f'{work}/out/incidents.json'))


def metric(name):
    try:
        text = urllib.request.urlopen(f'http://{metrics}/metrics', timeout=5).read().decode()
    except OSError:
        return -1
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name))


def online(work):
    return subprocess.Popen([program, '-q', '-c', f'{work}/kafka.yaml'])


def from_kafka(work, n):
    """The rate between the first look at which records were read and the one at which all are, that with the start of the program, and its CPU seconds."""
    began, first = time.time(), None
    process = online(work)
    cpu = lambda: sum(map(int, open(f'/proc/{process.pid}/stat').read().rsplit(')', 1)[1].split()[11:13])) / os.sysconf('SC_CLK_TCK')
    start_cpu = cpu()
    while True:
        time.sleep(0.05)
        done = metric('vong_correlator_records_total')
        if done > 0 and first is None:
            first = (time.time(), done)
        if done >= n:
            break
        if process.poll() is not None:
            sys.exit('the correlator has ended')
    seconds, spent, with_start = time.time() - first[0], cpu() - start_cpu, n / (time.time() - began)
    rate = (n - first[1]) / seconds if n > first[1] else float('nan')
    memory = next(int(line.split()[1]) for line in open(f'/proc/{process.pid}/status') if line.startswith('VmHWM')) // 1024
    time.sleep(4)  # idle: the watermark passes the last event, everything is told
    process.send_signal(signal.SIGTERM)
    process.wait()
    ids = {json.loads(line)['incident_id'] for line in kcat('-C', '-t', 'vong.incidents.national', '-o', 'beginning', '-e',
                                                            '-X', 'isolation.level=read_committed').splitlines()}
    return rate, with_start, spent, len(ids), memory


with tempfile.TemporaryDirectory() as folder:
    common = (f'rules: {here}/rules\nagencies: {here}/agencies.yaml\ncampaign: {{enabled: false}}\nidle: 2s\n')
    open(f'{folder}/file.yaml', 'w').write(common)
    open(f'{folder}/kafka.yaml', 'w').write(common + f'metrics: {{listen: "{metrics}"}}\nincidents: {{update-interval: 1h}}\n'
                                            f'kafka: {{brokers: "{brokers}", group: bench, create-topics: true}}\n')
    total, topics = split(events, count, folder, f'{folder}/events.json')
    making = online(folder)
    while b'vong.dead-letter' not in kcat('-L'):
        time.sleep(0.2)
    making.send_signal(signal.SIGTERM)
    making.wait()
    produce(topics, folder)
    bare, bare_cpu = timed('kcat', '-b', brokers, '-q', '-G', 'bare', '-X', 'auto.offset.reset=earliest', '-X', 'enable.auto.commit=false',
                           '-e', '-f', '', *topics)
    load = lambda: ' '.join(f'{x:.1f}' for x in os.getloadavg()[:2])
    before = load()
    file_s, file_cpu, file_incidents = from_file(folder)
    rate, with_start, kafka_cpu, kafka_incidents, memory = from_kafka(folder, total)
    again_s, again_cpu, _ = from_file(folder)
    file_s, file_cpu = (file_s + again_s) / 2, (file_cpu + again_cpu) / 2
    two_s, two_cpu, _ = from_file(folder, 2)
    print(f'load (1 and 5 minutes)          {before}, in the end {load()}')
    print(f'events                          {total}')
    print(f'incidents, file and broker      {file_incidents} {kafka_incidents}')
    print(f'bare consumer, M events/s       {total / bare / 1e6:.3f} ({bare_cpu:.2f} CPU-s)')
    print(f'from a file, M events/s         {total / file_s / 1e6:.3f} ({file_cpu:.2f} CPU-s)')
    print(f'the same, two threads           {total / two_s / 1e6:.3f} ({two_cpu:.2f} CPU-s)')
    print(f'from the broker, M events/s     {rate / 1e6:.3f} ({kafka_cpu:.2f} CPU-s)')
    print(f'the same, with its start        {with_start / 1e6:.3f}')
    print(f'peak memory                     {memory} MB')
    print(f'broker to file, by the clock    {rate * file_s / total:.3f}')
    print(f'the same, with its start        {with_start * file_s / total:.3f}')
    print(f'broker to file, by CPU seconds  {file_cpu / kafka_cpu:.3f}')
    sys.exit(file_incidents != kafka_incidents)

#!/usr/bin/python3
"""metrics_scrape.py ROOT PROGRAMS: every program is run with metrics.listen and scraped while it works; promtool has nothing against the answer, each name
and type stands in docs/metrics.md, and the figures are those of the work it was given.

No broker is needed: the correlator and the exporter tell their metrics while they try to reach one. Exit status 77 where promtool is not installed."""
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

root, programs = (os.path.abspath(path) for path in sys.argv[1:3])
SKIPPED, PATIENCE_S = 77, 120
nowhere = 'kafka.brokers=127.0.0.1:1'


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


class Program:
    """A program with metrics on a port of its own; ends with the block."""

    def __init__(self, work, name, *arguments):
        self.name, self.url = name, f'http://127.0.0.1:{(port := free_port())}'
        self.log = open(os.path.join(work, name + '.log'), 'w+', encoding='utf-8')
        self.process = subprocess.Popen([os.path.join(programs, name), *arguments, '--set', f'metrics.listen=127.0.0.1:{port}'], stdin=subprocess.PIPE,
                                        stdout=subprocess.DEVNULL, stderr=self.log)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.stdin.close()
        self.process.wait()
        self.log.close()

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return answer.read().decode()

    def scrape(self, until=lambda values: True):
        """The text of /metrics once it satisfies `until` (a dictionary of series and values)."""
        text, end = '', time.time() + PATIENCE_S
        while time.time() < end:
            try:
                text = self.get('/metrics')
                if until(values_of(text)):
                    return text
            except OSError:
                pass
            if self.process.poll() is not None:
                break
            time.sleep(0.2)
        self.log.seek(0)
        raise SystemExit(f'{self.name}: not the metrics that were waited for\n{self.log.read()[-2000:]}\n{text[:4000]}')


def values_of(text):
    return {series: float(value) for series, value in re.findall(r'^(vong_\S+) (\S+)$', text, re.M)}


def documented():
    with open(os.path.join(root, 'docs/metrics.md'), encoding='utf-8') as f:
        return dict(re.findall(r'^\| `(vong_\w+)` \| (\w+) \|', f.read(), re.M))


def check(name, text, known):
    judged = subprocess.run(['promtool', 'check', 'metrics'], input=text, capture_output=True, text=True)
    problems = [judged.stdout + judged.stderr] if judged.returncode or judged.stderr.strip() else []
    types = dict(re.findall(r'^# TYPE (\S+) (\w+)$', text, re.M))
    problems += [f'{metric} ({kind}) is not in docs/metrics.md' for metric, kind in types.items() if known.get(metric) != kind]
    if not types or not all(metric.startswith('vong_' + name.split('-')[1] + '_') for metric in types):
        problems.append(f'names: {sorted(types)[:5]}')
    print(f'{name}: {len(types)} metrics' + ''.join('\n  ' + p for p in problems))
    return not problems


def main(work):
    known, ok = documented(), True
    with open(os.path.join(root, 'pcaps/http/ordinary.pcap'), 'rb') as f:
        capture = f.read()
    with Program(work, 'vong-sensor', '-r', '-', '-l', work, '-S', os.path.join(root, 'rules/packs/network/vong-core.rules')) as sensor:
        sensor.process.stdin.write(capture)
        sensor.process.stdin.flush()
        text = sensor.scrape(lambda v: v.get('vong_sensor_capture_packets_total', 0) >= 20)
        ok = check(sensor.name, text, known) and ok
        if '200' not in str(urllib.request.urlopen(sensor.url + '/healthz', timeout=10).status):
            ok = False
    with Program(work, 'vong-correlator', '--set', nowhere, '--rules', os.path.join(root, 'rules/packs/correlation'), '--agencies',
                 os.path.join(root, 'deploy/agencies.yaml')) as correlator:
        ok = check(correlator.name, correlator.scrape(), known) and ok
    os.makedirs(os.path.join(work, 'spool'))
    with Program(work, 'vong-exporter', '--set', nowhere, '--set', 'kafka.agency=G02', '--set', 'kafka.sensor=s1', '--spool', os.path.join(work, 'spool')) as exporter:
        ok = check(exporter.name, exporter.scrape(), known) and ok
    return 0 if ok else 1


if shutil.which('promtool') is None:
    print('promtool is not installed')
    sys.exit(SKIPPED)
with tempfile.TemporaryDirectory(prefix='vong-metrics-') as folder:
    sys.exit(main(folder))

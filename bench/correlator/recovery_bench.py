#!/usr/bin/python3
"""recovery_bench.py VONG_CORRELATOR [KEYS]: how long a correlator that died takes to stand where it stood. KEYS (1,000,000) hosts send two events each, all
of which match an event_count rule of three, so that each is a key of state that is waiting. One process with facts-partitions 4 takes them in, is killed
(kill -9), and another one takes its partitions over. Prints the keys, memory a key, and the seconds from the start of the new process until it is where
the old one was, with the ten seconds in which the broker waits for the dead one apart. Called by with_broker. Status 77: no kcat."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

program = sys.argv[1]
keys = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
brokers = os.environ['VONG_TEST_BROKER']
listen = f'127.0.0.1:{int(os.environ["VONG_TEST_BROKER_PORT"]) + 27}'
if not shutil.which('kcat'):
    sys.exit(77)

RULES = '''title: try
name: try
logsource: {product: suricata, category: alert}
detection: {s: {alert.signature_id: 1}, condition: s}
---
title: three tries
correlation: {type: event_count, rules: [try], group-by: [src_ip], timespan: 1d, condition: {gte: 3}}
level: high
'''


def events(out):
    for n in range(2 * keys):
        host = n % keys
        t = n * 40_000 // keys  # two rounds within a day
        out.write(json.dumps({'timestamp': f'2026-11-20T{t // 3600:02}:{t // 60 % 60:02}:{t % 60:02}.{n % 1_000_000:06}+0000', 'flow_id': n + 1, 'event_type': 'alert',
                              'src_ip': f'{10 + (host >> 24)}.{host >> 16 & 255}.{host >> 8 & 255}.{host & 255}', 'dest_ip': '192.0.2.1',
                              'alert': {'signature_id': 1, 'signature': 'try'}, 'host': 's-1'}, separators=(',', ':')) + '\n')


def metrics():
    try:
        text = urllib.request.urlopen(f'http://{listen}/metrics', timeout=5).read().decode()
    except OSError:
        return {}
    at = {}
    for line in text.splitlines():
        if line.startswith('vong_'):
            name = line.split('{')[0].split(' ')[0]
            at[name] = at.get(name, 0) + float(line.split()[-1])
    return at


def rss(process):
    return int(re.search(r'VmRSS:\s+(\d+)', open(f'/proc/{process.pid}/status').read()).group(1)) * 1024


def until(what, process, log):
    while not what():
        time.sleep(0.1)
        if process.poll() is not None:
            sys.exit('the correlator has ended: ' + open(log).read()[-2000:])


with tempfile.TemporaryDirectory() as work:
    open(f'{work}/rules.yml', 'w').write(RULES)
    open(f'{work}/agencies.yaml', 'w').write('agencies: [{id: G01, name: one}]\n')
    open(f'{work}/c.yaml', 'w').write(f'rules: {work}/rules.yml\nagencies: {work}/agencies.yaml\nidle: 2s\nmetrics: {{listen: "{listen}"}}\nstate: {{keys-max: {2 * keys}}}\n'
                                      f'kafka: {{brokers: "{brokers}", group: recovery, create-topics: true, facts-partitions: 4, facts-topic: facts-recovery}}\n')

    def start(name):
        return subprocess.Popen([program, '-c', f'{work}/c.yaml', '--log-format', 'json'], stderr=open(f'{work}/{name}.log', 'wb'))

    first = start('first')
    empty = 0
    while b'facts-recovery' not in subprocess.run(['kcat', '-b', brokers, '-q', '-L'], stdout=subprocess.PIPE).stdout:
        time.sleep(0.2)
    empty = rss(first)
    with open(f'{work}/events.json', 'w') as f:
        events(f)
    with open(f'{work}/events.json', 'rb') as f:
        subprocess.run(['kcat', '-b', brokers, '-q', '-P', '-t', 'vong.events.G01', '-z', 'lz4', '-H', 'sensor=s-1'], stdin=f, check=True)
    os.unlink(f'{work}/events.json')
    until(lambda: metrics().get('vong_correlator_records_total', 0) >= 2 * keys and metrics().get('vong_correlator_settled_state') == 1, first, f'{work}/first.log')
    before = metrics()
    print(f'keys of state                   {before["vong_correlator_state_keys"]:.0f}')
    print(f'facts behind them               {2 * keys}')
    print(f'memory, bytes a key             {(rss(first) - empty) / before["vong_correlator_state_keys"]:.0f} (everything: {rss(first) >> 20} MB)')
    first.send_signal(signal.SIGKILL)
    first.wait()
    begin = time.time()
    second = start('second')
    log = f'{work}/second.log'
    until(lambda: 'partitions of facts rebuilt' in open(log).read() and metrics().get('vong_correlator_state_keys', 0) >= before['vong_correlator_state_keys'], second, log)
    ready = time.time() - begin
    line = [x for x in open(log) if 'partitions of facts rebuilt' in x][-1]
    rebuilt = float(re.search(r'([\d.]+) s', line).group(1))
    blocks = re.search(r'from (\d+) blocks', line).group(1)
    print(f'blocks read again               {blocks}')
    print(f'state rebuilt in, s             {rebuilt:.1f}')
    print(f'ready after its start in, s     {ready:.1f} (the dead one is missed for up to 10 s)')
    second.send_signal(signal.SIGTERM)
    second.wait()
    sys.exit(0 if rebuilt <= 30 else 1)

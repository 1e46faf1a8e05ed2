#!/usr/bin/python3
"""soak.py ROOT BIN [--seconds N] [--report FILE.md]: a sensor under mixed and hostile traffic and churn: flows by the thousand, reloads of its rules, a broker that
stops, dies and comes back, a forwarder that is killed. At the end: memory flat, every packet accounted for, every event that the spool took in the topic once.

Traffic: an interface of our own (veth) as root. Mixed: the captures of the repository. Hostile: the same with bytes flipped,
cut and repeated, SYN floods, fragments that never meet, deep tunnels, and captures of nothing. `--report` writes the figures as Markdown. Status 77: no Java,
Maven or kcat here."""
import argparse
import glob
import json
import os
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

parser = argparse.ArgumentParser()
parser.add_argument('root')
parser.add_argument('bin')
parser.add_argument('--seconds', type=int, default=60)
parser.add_argument('--report')
parser.add_argument('--rate', type=int, default=3000, help='packets a second')
parser.add_argument('--seed', type=int, default=7)
o = parser.parse_args()
root, programs = os.path.abspath(o.root), os.path.abspath(o.bin)
r = random.Random(o.seed)
problems, notes = [], []
port = 20000 + r.randrange(10000) + os.getpid() % 10000
brokers = f'127.0.0.1:{port}'
NIC, TAP = f'vsoak{os.getpid()}a', f'vsoak{os.getpid()}b'  # several may run
MAX_GROWTH = 1.15  # of memory, from the end of the first third to the end


def broker(work, verb):
    more = [str(port)] if verb == 'start' else []
    return subprocess.run([f'{root}/deploy/kafka/broker', verb, f'{work}/kafka', *more], stdout=subprocess.DEVNULL).returncode


def frames_of(path):
    with open(path, 'rb') as f:
        head = f.read(24)
        if len(head) < 24 or head[:4] not in (b'\xd4\xc3\xb2\xa1', b'\x4d\x3c\xb2\xa1') or struct.unpack('<I', head[20:])[0] != 1:
            return
        while len(record := f.read(16)) == 16:
            size = struct.unpack('<I', record[8:12])[0]
            data = f.read(size)
            if 14 <= len(data) <= 1514:
                yield data


def ipv4(src, dst, protocol, payload, ident=1, fragment=0):
    return bytes(12) + b'\x08\x00' + struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(payload), ident, fragment, 64, protocol, 0, src, dst) + payload


def hostile(base):
    kind = r.randrange(7)
    if kind == 0:  # SYN flood
        return ipv4(r.randbytes(4), bytes([10, 0, 0, 2]), 6, struct.pack('!HHIIBBHHH', r.randrange(65536), 80, r.getrandbits(32), 0, 0x50, 2, 100, 0, 0))
    if kind == 1:  # a fragment that stays alone
        return ipv4(r.randbytes(4), bytes([10, 0, 0, 2]), 17, r.randbytes(64), r.getrandbits(16), 0x2000 | r.randrange(100))
    if kind == 2:  # tunnels in tunnels
        data = ipv4(bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]), 17, r.randbytes(20))[14:]
        for _ in range(r.randrange(30)):
            data = ipv4(bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]), 4, data)[14:]
        return bytes(12) + b'\x08\x00' + data[:1480]
    data = bytearray(r.choice(base))
    if kind in (3, 4):  # flipped bytes
        for _ in range(1 + r.randrange(8)):
            data[r.randrange(len(data))] = r.randrange(256)
    elif kind == 5:  # cut
        del data[14 + r.randrange(len(data) - 13):]
    else:  # another flow with the same bytes: churn
        if data[12:14] == b'\x08\x00' and len(data) > 34:
            data[26:30] = r.randbytes(4)
    # The kernel throws a tagged frame of less than 20 bytes away before anybody can see or count it; no card delivers one.
    return bytes(data).ljust(20 if data[12:14] in (b'\x81\x00', b'\x88\xa8') else 14, b'\0')


class Sender:
    """Paced; what the kernel did not take is not counted as sent."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.socket.bind((NIC, 0))
        self.sent, self.start = 0, time.time()

    def send(self, data):
        try:
            self.socket.send(data)
            self.sent += 1
        except OSError:
            pass
        ahead = self.sent / o.rate - (time.time() - self.start)
        if ahead > 0.01:
            time.sleep(ahead)


def memory_kb(pid):
    try:
        return int(re.search(r'VmRSS:\s+(\d+)', open(f'/proc/{pid}/status').read()).group(1))
    except (OSError, AttributeError):
        return 0


def metrics(listen):
    import urllib.request
    text = urllib.request.urlopen(f'http://{listen}/metrics', timeout=10).read().decode()
    out = {}
    for line in text.splitlines():
        found = re.match(r'(vong_\w+)(\{[^}]*\})? (\S+)', line)
        if found:
            out[found.group(1) + (found.group(2) or '')] = float(found.group(3))
    return out


def children(pid):
    try:
        return [int(x) for t in os.listdir(f'/proc/{pid}/task') for x in open(f'/proc/{pid}/task/{t}/children').read().split()]
    except OSError:
        return []


def main(work):
    if os.geteuid() != 0 or not shutil.which('kcat') or not shutil.which('ip'):
        return 77
    if broker(work, 'start') == 77:
        return 77
    with open(f'{work}/correlator.yaml', 'w') as f:
        f.write(f'rules: {root}/rules/packs/correlation\nagencies: {root}/deploy/agencies.yaml\nkafka: {{brokers: "{brokers}", create-topics: true}}\n')
    correlator = subprocess.Popen([f'{programs}/vong-correlator', '-c', f'{work}/correlator.yaml', '-q'], stderr=subprocess.DEVNULL)
    end = time.time() + 240
    while b'"vong.events.G02"' not in subprocess.run(['kcat', '-b', brokers, '-L'], capture_output=True).stdout and time.time() < end:
        time.sleep(0.5)
    correlator.terminate()
    correlator.wait()

    subprocess.run(['ip', 'link', 'del', NIC], capture_output=True)
    if subprocess.run(['ip', 'link', 'add', NIC, 'type', 'veth', 'peer', 'name', TAP], capture_output=True).returncode:
        return 77
    for name in (NIC, TAP):
        subprocess.run(['sysctl', '-qw', f'net.ipv6.conf.{name}.disable_ipv6=1'], capture_output=True)
        subprocess.run(['ip', 'link', 'set', name, 'up'], check=True)
    base = [f for p in sorted(glob.glob(f'{root}/pcaps/*/*.pcap')) for f in frames_of(p)]
    rules = f'{work}/soak.rules'
    shutil.copy(f'{root}/rules/packs/network/vong-core.rules', rules)
    listen = f'127.0.0.1:{port + 5}'
    log = open(f'{work}/sensor.log', 'w')
    sensor = subprocess.Popen([f'{programs}/vong-sensor', '-i', TAP, '-k', 'none', '-S', rules, '-l', f'{work}/log', '--workers', '2',
                               *[a for s in ('sensor-name=s1', 'agency=G02', f'kafka.brokers={brokers}', f'kafka.spool.dir={work}/spool', f'metrics.listen={listen}',
                                             f'evidence.dir={work}/ring', 'evidence.bytes-max=64mb', 'af-packet.0.interface=default', 'af-packet.0.defrag=no', f'af-packet.0.cluster-id={os.getpid() % 60000 + 1}', 'flow.memcap=32mb', 'stream.memcap=16mb',
                                             'stream.reassembly.memcap=32mb', 'defrag.memcap=8mb', 'flow-timeouts.default.new=10', 'flow-timeouts.tcp.new=5',
                                             'flow-timeouts.udp.new=5', 'flow-timeouts.tcp.established=20') for a in ('--set', s)]], stderr=log)
    try:
        return soak(work, sensor, base, rules, listen)
    finally:
        if sensor.poll() is None:
            sensor.kill()
            sensor.wait()
        subprocess.run(['ip', 'link', 'del', NIC], capture_output=True)


def soak(work, sensor, base, rules, listen):
    end = time.time() + 60
    while 'watching' not in open(f'{work}/sensor.log').read() and time.time() < end and sensor.poll() is None:
        time.sleep(0.2)
    sender, memory, start, reloads, outages, kills = Sender(), [], time.time(), 0, 0, 0
    next_reload, next_sample, away_until, killed = start + 5, start + 2, None, False
    step = max(10, o.seconds / 12)
    next_outage = start + step
    while time.time() - start < o.seconds and sensor.poll() is None:
        for _ in range(200):
            sender.send(r.choice(base) if r.random() < 0.6 else hostile(base))
        now = time.time()
        if now >= next_sample:
            memory.append((now - start, memory_kb(sensor.pid)))
            next_sample = now + max(1, o.seconds / 200)
        if now >= next_reload:
            sensor.send_signal(signal.SIGHUP)
            reloads += 1
            next_reload = now + max(3, o.seconds / 40)
        if away_until is None and now >= next_outage and now - start < o.seconds * 0.8:
            broker(work, 'kill' if outages % 2 else 'stop')
            outages += 1
            away_until = now + step / 2
        elif away_until is not None and now >= away_until:
            broker(work, 'start')
            away_until, next_outage = None, time.time() + step
        if not killed and now - start > o.seconds / 2:
            killed = True
            for keeper in children(sensor.pid):
                for forwarder in children(keeper):
                    os.kill(forwarder, signal.SIGKILL)
                    kills += 1
    if away_until is not None:
        broker(work, 'start')
    time.sleep(3)
    if sensor.poll() is not None:
        problems.append(f'the sensor ended by itself with {sensor.returncode}: {open(f"{work}/sensor.log").read()[-2000:]}')
        return report(locals())
    figures = metrics(listen)
    peak = int(re.search(r'VmHWM:\s+(\d+)', open(f'/proc/{sensor.pid}/status').read()).group(1))
    end = time.time() + 120
    while metrics(listen).get('vong_sensor_oldest_unsent_seconds', 0) > 0 and time.time() < end:
        time.sleep(1)
    sensor.send_signal(signal.SIGTERM)
    if sensor.wait(120) != 0:
        problems.append(f'the sensor ended with {sensor.returncode}: {open(f"{work}/sensor.log").read()[-1500:]}')
    judge(work, sender, figures, memory)
    return report(locals())


def judge(work, sender, figures, memory):
    taken = figures['vong_sensor_capture_packets_total']
    dropped = sum(figures.get(f'vong_sensor_not_inspected_packets_total{{reason="{x}"}}', 0) for x in ('kernel_drop', 'interface_drop'))
    if taken + dropped != sender.sent:
        problems.append(f'{sender.sent} packets sent, {taken:.0f} taken and {dropped:.0f} counted as dropped')
    kept = figures['vong_sensor_evidence_packets_total'] + sum(v for k, v in figures.items() if k.startswith('vong_sensor_evidence_lost_packets_total'))
    if abs(kept - taken) > taken * 0.01:  # the newest are still in the writer's buffer
        problems.append(f'{taken:.0f} packets, {kept:.0f} in the ring or counted as lost')
    third = [kb for at, kb in memory if at > o.seconds / 3]
    if len(third) > 4:
        early, late = max(third[:max(2, len(third) // 4)]), max(third[-max(2, len(third) // 4):])
        if late > early * MAX_GROWTH:
            problems.append(f'memory grows: {early} kB after a third, {late} kB at the end')
        notes.append(('memory after a third, at the end', f'{early / 1024:.0f} MB, {late / 1024:.0f} MB'))
    out = subprocess.run(['kcat', '-b', brokers, '-q', '-C', '-t', 'vong.events.G02', '-o', 'beginning', '-e', '-X', 'isolation.level=read_committed', '-f', '%h\n'],
                         capture_output=True, timeout=600).stdout.decode()
    seqs = sorted(int(x) for x in re.findall(r'\bseq=(\d+)', out))
    # What the sensor says of itself goes the same way as what it saw.
    lines = sum(1 for name in ('eve.json', 'sensor.json', 'ledger.json') for _ in open(f'{work}/log/{name}', 'rb'))
    if seqs != list(range(1, len(seqs) + 1)):
        problems.append(f'{len(seqs)} records in the topic, not 1 to {len(seqs)} each once')
    lost = sum(v for k, v in figures.items() if k.startswith('vong_sensor_dropped_events_total'))
    if len(seqs) + lost != lines:
        problems.append(f'{lines} records in the log folder, {len(seqs)} in the topic, {lost:.0f} counted as lost')
    verified = subprocess.run([f'{programs}/vong-sensor', 'ledger', 'verify', f'{work}/log/ledger.json'], capture_output=True, text=True)
    if verified.returncode != 0:
        problems.append(f'the ledger: {(verified.stdout + verified.stderr)[-500:]}')
    notes.append(('packets sent, taken, dropped by the kernel', f'{sender.sent}, {taken:.0f}, {dropped:.0f}'))
    notes.append(('records in the log folder, in the topic (each once, no gap), counted as lost', f'{lines}, {len(seqs)}, {lost:.0f}'))


def report(of):
    rows = [('seconds', o.seconds), ('reloads of the rules', of['reloads']), ('outages of the broker', of['outages']), ('kills of the forwarder', of['kills']), *notes]
    if 'peak' in of:
        rows.append(('peak memory', f"{of['peak'] / 1024:.0f} MB"))
    for name, value in rows:
        print(f'{name}: {value}')
    print('\n'.join(problems) or 'memory flat, packets and events accounted for')
    if o.report:
        with open(o.report, 'w') as f:
            f.write('| figure | value |\n| --- | --- |\n' + ''.join(f'| {a} | {b} |\n' for a, b in rows))
    return 1 if problems else 0


folder = tempfile.mkdtemp(prefix='vong_soak_')
try:
    code = main(folder)
    if code == 1 and os.path.exists(f'{folder}/sensor.log'):
        print(open(f'{folder}/sensor.log').read()[-2500:])
finally:
    broker(folder, 'stop')
    shutil.rmtree(folder, ignore_errors=True)
sys.exit(code)

#!/usr/bin/python3
"""live_capture_test.py VONG_SENSOR: capture as on an appliance, on pairs of virtual cards in a network namespace of our own. Two interfaces, each with two
workers: by flow, by CPU, and with libpcap. Every packet is taken once and named with its interface; both directions of a flow reach one worker; a VLAN tag that the kernel
took out of the frame is seen; frames that the ring (or the snap length) cuts are counted, in the status and in the ledger; times are the wall clock's also where
the card has no clock of its own. 77 where this is not allowed."""
import ctypes
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

sensor = os.path.abspath(sys.argv[1])
problems = []
if os.geteuid() != 0 or not shutil.which('ip') or ctypes.CDLL(None, use_errno=True).unshare(0x40000000) != 0:  # CLONE_NEWNET
    print('no network namespace of our own')
    sys.exit(77)
FLOWS, JUMBOS = 150, 7
CARDS = ('va', 'vb')  # the sensor listens at <name>p


def cards():
    for name in CARDS:
        if subprocess.run(['ip', 'link', 'add', name, 'mtu', '9000', 'type', 'veth', 'peer', 'name', name + 'p', 'mtu', '9000'], capture_output=True).returncode:
            return False
        for end in (name, name + 'p'):
            with open(f'/proc/sys/net/ipv6/conf/{end}/disable_ipv6', 'w') as f:
                f.write('1')
            subprocess.run(['ip', 'link', 'set', end, 'up'], check=True)
    return True


def frame(src, dst, sport, dport, data, vlan=None):
    udp = struct.pack('!4H', sport, dport, 8 + len(data), 0) + data
    ip = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, src, dst)
    tag = b'' if vlan is None else struct.pack('!HH', 0x8100, vlan)
    return b'\2\0\0\0\0\1\2\0\0\0\0\2' + tag + b'\x08\0' + ip + udp


def traffic(card):
    """Sends; how many frames there were."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
        s.bind((card, 0))
        frames = []
        for i in range(FLOWS):
            a, b = bytes([10, 0, i // 8, i % 8 + 1]), bytes([10, 1, i % 16, 9])
            frames += [frame(a, b, 1000 + i, 53000, b'ask'), frame(b, a, 53000, 1000 + i, b'answer')]
        frames += [frame(bytes([10, 2, 0, 1]), bytes([10, 2, 0, 2]), 2000, 7777, b'evil in a VLAN', vlan=100 + len(card))]
        frames += [frame(bytes([10, 3, 0, 1]), bytes([10, 3, 0, 2]), 3000 + i, 7778, b'x' * 8000) for i in range(JUMBOS)]
        for data in frames:
            s.send(data)
        return len(frames)


def run(what, workers, split_by_flow, config):
    with tempfile.TemporaryDirectory() as top:
        rules, out = f'{top}/a.rules', f'{top}/out'
        open(rules, 'w').write('alert udp any any -> any 7777 (msg:"evil"; content:"evil"; sid:1;)\n')
        open(f'{top}/c.yaml', 'w').write(config + 'outputs: [{eve-log: {enabled: yes, types: [alert, flow]}}]\n')
        log = open(f'{top}/log', 'w+')
        begun = time.time()
        running = subprocess.Popen([sensor, '-c', f'{top}/c.yaml', *[x for c in CARDS for x in ('-i', c + 'p')], '-S', rules, '-l', out, '--workers', str(workers), '-k', 'none',
                                    '--set', 'sensor-name=s1', '--set', 'status.interval=1', '--set', 'ledger.interval=1'], stderr=log)
        end = time.time() + 30
        while not os.path.exists(f'{out}/status.json') and time.time() < end and running.poll() is None:
            time.sleep(0.1)
        if not os.path.exists(f'{out}/status.json'):
            running.kill()
            running.wait()
            problems.append(f'{what}: no status: {open(f"{top}/log").read()[-1500:]}')
            return
        sent = {card + 'p': traffic(card) for card in CARDS}

        def status():
            return json.load(open(f'{out}/status.json'))

        end = time.time() + 20
        while {i['name']: i['packets'] for i in status()['interfaces']} != sent and time.time() < end and running.poll() is None:
            time.sleep(0.2)
        said = status()
        running.send_signal(signal.SIGTERM)
        if running.wait(30) != 0:
            problems.append(f'{what}: status {running.returncode}: {open(f"{top}/log").read()[-1500:]}')
        records = [json.loads(line) for line in open(f'{out}/eve.json')]
        ledger = [json.loads(line) for line in open(f'{out}/ledger.json')]
        verified = subprocess.run([sensor, 'ledger', 'verify', f'{out}/ledger.json'], capture_output=True, text=True)
    if {i['name']: i['packets'] for i in said['interfaces']} != sent:
        problems.append(f'{what}: sent {sent}, taken {said["interfaces"]}')
    if any(i['truncated'] != JUMBOS for i in said['interfaces']):
        problems.append(f'{what}: {JUMBOS} frames are cut on each interface, status says {said["interfaces"]}')
    cut = sum(hop.get('not_inspected', {}).get('snap_length', 0) for r in ledger for hop in r['ledger']['hops'])
    if cut != JUMBOS * len(CARDS) or verified.returncode != 0:
        problems.append(f'{what}: the ledger has {cut} cut packets: {verified.stdout}{verified.stderr}')
    if workers > 1 and any(w['packets'] == 0 for w in said['workers']) and split_by_flow:
        problems.append(f'{what}: a worker without work: {said["workers"]}')
    alerts = [r for r in records if r['event_type'] == 'alert']
    if sorted((a['in_iface'], tuple(a['vlan'])) for a in alerts) != [(c + 'p', (100 + len(c),)) for c in CARDS]:
        problems.append(f'{what}: alerts {alerts}')
    flows = [r for r in records if r['event_type'] == 'flow' and r['dest_port'] == 53000]
    whole = [f for f in flows if f['flow']['pkts_toserver'] == 1 and f['flow']['pkts_toclient'] == 1]
    if split_by_flow and (len(flows) != FLOWS * len(CARDS) or len(whole) != len(flows)):
        problems.append(f'{what}: {len(flows)} flows instead of {FLOWS * len(CARDS)}, {len(whole)} of them with both directions')
    for r in records:
        at = time.mktime(time.strptime(r['timestamp'][:19], '%Y-%m-%dT%H:%M:%S')) - time.timezone
        if not begun - 5 < at < time.time() + 5:
            problems.append(f'{what}: a time that is none: {r["timestamp"]}')
            break
    print(f'{what}: {sum(sent.values())} packets, {len(flows)} flows, {cut} cut')


if not cards():
    print('no virtual cards')
    sys.exit(77)
os.environ['TZ'] = 'UTC'
time.tzset()
RING = 'af-packet: [{interface: default, %s, block-size: 4096, block-count: 256, hardware-timestamps: yes}]\n'
run('by flow', 2, True, RING % 'cluster-type: cluster_flow')
run('by flow, the kernel\'s hash', 2, True, RING % 'cluster-type: cluster_flow, defrag: no')
run('by CPU', 2, False, RING % 'cluster-type: cluster_cpu')
run('libpcap', 1, True, 'capture: {method: pcap}\npcap: [{interface: default, snaplen: 1500}]\n')
print('\n'.join(problems) or 'every packet once, with its interface')
sys.exit(1 if problems else 0)

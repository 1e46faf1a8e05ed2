#!/usr/bin/python3
"""broken_captures.py SENSOR ROOT [--seconds N] [--seed N] [--round N] [--rules FILE] [--captures DIR]... [--keep DIR]: real captures are broken in many ways and run
through the whole sensor: decoders, streams, every protocol, files, rules and records at once.

Each round breaks captures with a seed of its own, runs the sensor over them (best one that is built with sanitizers) and holds: exit status 0 within the
time, every line of eve.json is JSON in UTF-8 with a known event type, nothing said by a sanitizer. What failed is found among the captures of the round
and kept. Without --seconds one round: the short form that the tests run.
"""
import argparse
import glob
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time

MAX_PACKETS, PATIENCE_S = 3000, 600
EXTREMES = (0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff)


class Capture:
    """A classic pcap: header and [(seconds, fraction, original length, bytes)]."""

    def __init__(self, path):
        with open(path, 'rb') as f:
            data = f.read()
        self.order = {b'\xd4\xc3\xb2\xa1': '<', b'\x4d\x3c\xb2\xa1': '<', b'\xa1\xb2\xc3\xd4': '>', b'\xa1\xb2\x3c\x4d': '>'}.get(data[:4])
        self.header, self.packets, at = data[:24], [], 24
        while self.order and at + 16 <= len(data) and len(self.packets) < MAX_PACKETS:
            seconds, fraction, kept, length = struct.unpack(self.order + 'IIII', data[at:at + 16])
            self.packets.append((seconds, fraction, length, data[at + 16:at + 16 + kept]))
            at += 16 + kept

    def write(self, path, packets):
        with open(path, 'wb') as f:
            f.write(self.header)
            for seconds, fraction, length, data in packets:
                f.write(struct.pack(self.order + 'IIII', seconds & 0xffffffff, fraction, len(data), max(length, len(data))) + data)


def body_of(data):
    """Where the payload of an IPv4 or IPv6 TCP/UDP frame on Ethernet begins; 0 for all else."""
    if len(data) < 34:
        return 0
    if data[12:14] == b'\x08\x00':
        at, protocol = 14 + (data[14] & 15) * 4, data[23]
    elif data[12:14] == b'\x86\xdd' and len(data) > 54:
        at, protocol = 54, data[20]
    else:
        return 0
    if protocol == 17:
        return at + 8
    return at + (data[at + 12] >> 4) * 4 if protocol == 6 and len(data) > at + 12 else 0


def resized(data, body):
    """The frame with an IP length that fits a payload of another size."""
    frame = bytearray(data)
    if frame[12:14] == b'\x08\x00':
        struct.pack_into('>H', frame, 16, min(len(frame) - 14, 0xffff))
    elif frame[12:14] == b'\x86\xdd':
        struct.pack_into('>H', frame, 18, min(len(frame) - 54, 0xffff))
    if body >= 8 and frame[23:24] == b'\x11' and frame[12:14] == b'\x08\x00':
        struct.pack_into('>H', frame, body - 4, min(len(frame) - body + 8, 0xffff))
    return bytes(frame)


def break_frame(pick, data, others):
    if not data:
        return data
    body = body_of(data)
    start = body if body and body < len(data) and pick.random() < 0.85 else 0
    frame, at = bytearray(data), pick.randrange(start, len(data))
    way = pick.randrange(8)
    if way == 0:
        frame[at] ^= 1 << pick.randrange(8)
    elif way == 1:
        size, order = pick.choice((1, 2, 4)), pick.choice('<>')
        value = pick.choice(EXTREMES) & ((1 << 8 * size) - 1)
        frame[at:at + size] = struct.pack(order + {1: 'B', 2: 'H', 4: 'I'}[size], value)[:len(frame) - at]
    elif way == 2:
        frame[at] = (frame[at] + pick.choice((-1, 1))) & 255
    elif way == 3:
        return bytes(frame[:at])
    elif way == 4:
        return resized(bytes(frame[:at] + frame[at + pick.randrange(1, 9):]), body) if start else bytes(frame)
    elif way == 5:
        piece = pick.choice((bytes(frame[start:at]), pick.randbytes(pick.randrange(1, 40)), b'\x00' * pick.randrange(1, 200), b'A' * pick.randrange(1, 900)))
        return resized(bytes(frame[:at]) + piece + bytes(frame[at:]), body)[:0xffff] if start else bytes(frame)
    elif way == 6:
        other = pick.choice(others)[3]
        return resized(bytes(frame[:start]) + other[body_of(other):], body) if start else bytes(frame)
    else:
        for _ in range(pick.randrange(2, 12)):
            frame[pick.randrange(start, len(frame))] = pick.randrange(256)
    return bytes(frame)


def broken(pick, packets):
    packets = list(packets)
    rate = pick.choice((0.002, 0.02, 0.1, 0.4))
    out = []
    for i, packet in enumerate(packets):
        roll = pick.random()
        if roll < rate:
            out.append((*packet[:3], break_frame(pick, packet[3], packets)))
        elif roll < rate * 1.2:
            continue
        elif roll < rate * 1.4:
            out += [packet, packet]
        elif roll < rate * 1.6 and out:
            out.insert(pick.randrange(max(0, len(out) - 6), len(out)), packet)
        else:
            out.append(packet)
    if pick.random() < 0.1:
        out = out[pick.randrange(len(out) or 1):]
    if pick.random() < 0.05:
        jump = pick.choice((-100000, -60, 60, 3600, 100000))
        out = [(seconds + jump, *rest) if i > len(out) // 2 else (seconds, *rest) for i, (seconds, *rest) in enumerate(out)]
    return out


def run_sensor(sensor, rules, captures, out):
    """A line about what is wrong, or ''."""
    if os.path.isdir(out):
        shutil.rmtree(out)
    command = [sensor, '-r', captures, '-l', out, '-k', 'none', '-q', *(['--each'] if os.path.isdir(captures) else []), *(['-S', rules] if rules else [])]
    try:
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        return f'not done after {PATIENCE_S} s'
    if done.returncode not in (0, 1) or b'Sanitizer' in done.stderr or b'runtime error' in done.stderr:
        return f'status {done.returncode}: ' + done.stderr.decode(errors='replace')[-6000:]
    for path in glob.glob(os.path.join(out, '**', 'eve.json'), recursive=True):
        with open(path, 'rb') as f:
            for number, line in enumerate(f, 1):
                try:
                    if not isinstance(json.loads(line.decode('utf-8'))['event_type'], str):
                        return f'{path}:{number}: event type'
                except (ValueError, KeyError, TypeError) as error:
                    return f'{path}:{number}: {error}: {line[:300]}'
    return ''


def one_round(seed, sources, options, work):
    pick = random.Random(seed)
    folder, out = os.path.join(work, 'in'), os.path.join(work, 'out')
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    count = 0
    for path in pick.sample(sources, min(options.round, len(sources))):
        capture = Capture(path)
        if capture.order is None or not capture.packets:
            continue
        count += 1
        capture.write(os.path.join(folder, f'{count:03}-{os.path.basename(path)[:60]}'), broken(pick, capture.packets))
    problem = run_sensor(options.sensor, options.rules, folder, out)
    if not problem:
        return count, []
    found = []
    for path in sorted(glob.glob(os.path.join(folder, '*'))):
        alone = run_sensor(options.sensor, options.rules, path, out)
        if alone:
            kept = os.path.join(options.keep, f'seed{seed}-{os.path.basename(path)}')
            os.makedirs(options.keep, exist_ok=True)
            shutil.copy(path, kept)
            found.append(f'{kept}: {alone}')
    return count, found or [f'seed {seed}, no capture alone: {problem}']


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('sensor')
    parser.add_argument('root')
    parser.add_argument('--seconds', type=int, default=0)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--round', type=int, default=40, help='captures in a round')
    parser.add_argument('--rules', default='')
    parser.add_argument('--captures', action='append', default=[])
    parser.add_argument('--keep', default='out/fuzz/found')
    options = parser.parse_args()
    options.rules = options.rules or os.path.join(options.root, 'rules/packs/network/vong-core.rules')
    sources = sorted(path for folder in options.captures or [os.path.join(options.root, 'pcaps')]
                     for path in glob.glob(os.path.join(folder, '**', '*.pcap'), recursive=True))
    end, seed, captures, found = time.time() + options.seconds, options.seed, 0, []
    with tempfile.TemporaryDirectory(prefix='vong-broken-') as work:
        while True:
            count, problems = one_round(seed, sources, options, work)
            captures, seed, found = captures + count, seed + 1, found + problems
            for problem in problems:
                print(problem, flush=True)
            if time.time() >= end:
                break
    print(f'{captures} broken captures in {seed - options.seed} rounds, {len(found)} found')
    return 1 if found or not captures else 0


if __name__ == '__main__':
    sys.exit(main())

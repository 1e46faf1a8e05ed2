#!/usr/bin/python3
"""sensor_bench.py BUILD CAPTURE RULES RUNS: the sensor against its limits, whole processes, CPU-seconds, in alternating runs.

Limits in the same run: L1 (Hyperscan alone: bench/matcher_bench) and reading the capture (bench/decode_bench). The sensor's figure is its CPU time less
that of loading the same rules from the cache. Every run's events are compared with the first run's, byte for byte.
"""
import hashlib
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile


def run(argv):
    """-> (user+sys CPU-seconds, peak MB, stdout)"""
    with tempfile.TemporaryFile('w+') as out, tempfile.TemporaryFile('w+') as err:
        child = subprocess.Popen(argv, stdout=out, stderr=err)
        _, status, usage = os.wait4(child.pid, 0)
        out.seek(0), err.seek(0)
        if status != 0:
            sys.exit(f'{" ".join(argv)}: status {status >> 8 or status}\n{err.read()[-2000:]}')
        return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, out.read()


def spread(values, form='{:.2f}'):
    return f'{form.format(statistics.median(values))} ({form.format(min(values))}-{form.format(max(values))})'


def digest(folder):
    with open(os.path.join(folder, 'eve.json'), 'rb') as f:
        return hashlib.file_digest(f, 'sha256').hexdigest(), f.tell()


def events_in(folder):
    counts = {}
    with open(os.path.join(folder, 'eve.json'), errors='replace') as f:
        for line in f:
            found = re.search(r'"event_type":"(\w+)"', line)
            if found:
                counts[found.group(1)] = counts.get(found.group(1), 0) + 1
    return counts


def capture_size(path):
    """-> packets, bytes on the wire of a classic pcap"""
    packets = total = 0
    with open(path, 'rb') as f:
        data = f.read(24)
        order = 'little' if data[:4] in (b'\xd4\xc3\xb2\xa1', b'\x4d\x3c\xb2\xa1') else 'big'
        while len(head := f.read(16)) == 16:
            packets += 1
            total += int.from_bytes(head[12:16], order)
            f.seek(int.from_bytes(head[8:12], order), 1)
    return packets, total


def settings_for(cache):
    """Flags of every run: the reference's settings where they are there, rules from a cache of our own."""
    flags = ['-k', 'none', '-q', '--set', 'vars.address-groups.HOME_NET=[192.168.0.0/16,10.0.0.0/8,172.16.0.0/12]', '--set',
             'vars.address-groups.EXTERNAL_NET=any', '--set', f'rules.cache-dir={cache}', '--set', 'rules.compile-threads=1']
    settings = os.path.join(os.environ.get('VONG_SHARED', '../shared'), 'conformance/corpus_settings.yaml')
    return flags + (['-c', settings] if os.path.exists(settings) else [])


def empty_like(capture, path):
    """A capture without packets, to load rules on -> path"""
    with open(capture, 'rb') as f, open(path, 'wb') as g:
        g.write(f.read(24))
    return path


def main():
    build, capture, rules, runs = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    sensor = os.path.join(build, 'bin/vong-sensor')
    work = tempfile.mkdtemp(prefix='sensor-bench-')
    cache = os.path.join(work, 'cache')
    common = ['--workers', '1'] + settings_for(cache)
    packets, size = capture_size(capture)
    print(f'{os.path.basename(capture)}: {packets:,} packets, {size / 1e6:,.0f} MB; rules: {os.path.basename(rules)}; {runs} runs, medians (min-max)')
    os.makedirs(cache)
    load_only = [sensor, '-T', '-S', rules] + common
    try:
        cold, _, _ = run(load_only)
    except SystemExit:  # -T ends with 2 when a rule is refused: load an empty capture instead
        empty = empty_like(capture, os.path.join(work, 'empty.pcap'))
        load_only = [sensor, '-r', empty, '-S', rules, '-l', os.path.join(work, 'load')] + common
        shutil.rmtree(cache), os.makedirs(cache)
        cold, _, _ = run(load_only)
    figures = {name: [] for name in ('load', 'l1', 'read', 'all', 'none', 'memory', 'ratio all', 'ratio none')}
    first, same, counts = None, True, {}
    for i in range(runs):
        load, _, _ = run(load_only)
        _, _, text = run([os.path.join(build, 'bench/matcher_bench'), rules, capture, '1', '4'])
        l1 = float(re.search(r'scan_cpu_s\S*\s+([\d.]+)', text).group(1))
        out = os.path.join(work, 'all')
        shutil.rmtree(out, ignore_errors=True)
        whole, memory, _ = run([sensor, '-r', capture, '-S', rules, '-l', out] + common)
        this = digest(out)
        first = first or this
        same = same and this == first
        if i == 0:
            counts = events_in(out)
        bare = os.path.join(work, 'none')
        shutil.rmtree(bare, ignore_errors=True)
        none, _, _ = run([sensor, '-r', capture, '-S', '/dev/null', '-l', bare] + common)
        read, _, _ = run([os.path.join(build, 'bench/decode_bench'), capture])
        for name, value in (('load', load), ('l1', l1), ('read', read), ('all', whole - load), ('none', none), ('memory', memory),
                            ('ratio all', (whole - load) / l1), ('ratio none', none / l1)):
            figures[name].append(value)
    rate = statistics.median(figures['all'])
    print(f'events of one run: {sum(counts.values()):,} ' + ', '.join(f'{k} {v:,}' for k, v in sorted(counts.items(), key=lambda x: -x[1])[:8]))
    print(f'  L1, Hyperscan alone                 {spread(figures["l1"])} CPU-s')
    print(f'  decode_bench (read, decode)         {spread(figures["read"])} CPU-s')
    print(f'  sensor, all rules, less loading     {spread(figures["all"])} CPU-s = {packets / rate:,.0f} packets and {size * 8e-9 / rate:.2f} Gbit a CPU-second')
    print(f'  sensor, no rules                    {spread(figures["none"])} CPU-s')
    print(f'  ratio to L1, all rules              {spread(figures["ratio all"])}')
    print(f'  ratio to L1, no rules               {spread(figures["ratio none"])}')
    print(f'  rule loading, cold                  {cold:.2f} CPU-s')
    print(f'  rule loading, cached                {spread(figures["load"])} CPU-s')
    print(f'  peak memory, all rules              {spread(figures["memory"], "{:.0f}")} MB')
    print('  same events in every run            ' + ('yes' if same else 'NO'))
    shutil.rmtree(work)


if __name__ == '__main__':
    main()

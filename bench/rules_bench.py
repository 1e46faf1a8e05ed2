#!/usr/bin/python3
"""rules_bench.py BUILD CAPTURE RULES RUNS: what rules cost. The sensor with none, 1,000, 10,000 and all rules of a file (every n-th, so that each part
is like the whole), CPU-seconds less loading, medians; beside it loading from the cache and peak memory."""
import os
import shutil
import statistics
import sys
import tempfile

from sensor_bench import empty_like, run, settings_for, spread


def part(path, count, out):
    """Writes every n-th rule -> how many."""
    with open(path, errors='surrogateescape') as f:
        rules = [line for line in f if line.strip() and not line.startswith('#')]
    count = min(count, len(rules))
    with open(out, 'w', errors='surrogateescape') as f:
        for i in range(count):
            f.write(rules[i * len(rules) // count])
    return count


def main():
    build, capture, rules, runs = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    work = tempfile.mkdtemp(prefix='rules-bench-')
    sensor = os.path.join(build, 'bin/vong-sensor')
    common = ['--workers', '1'] + settings_for(f'{work}/cache')
    empty = empty_like(capture, os.path.join(work, 'empty.pcap'))
    sets = []
    for wanted in (0, 1000, 10_000, 10**9):
        path = os.path.join(work, f'{wanted}.rules')
        sets.append((part(rules, wanted, path) if wanted else 0, path if wanted else '/dev/null'))
    figures = {path: {'load': [], 'work': [], 'memory': []} for _, path in sets}
    for i in range(runs + 1):   # the first fills the caches
        for _, path in sets:
            load, _, _ = run([sensor, '-r', empty, '-S', path, '-l', os.path.join(work, 'load')] + common)
            if i == 0:
                continue
            out = os.path.join(work, 'out')
            shutil.rmtree(out, ignore_errors=True)
            whole, memory, _ = run([sensor, '-r', capture, '-S', path, '-l', out] + common)
            figures[path]['load'].append(load)
            figures[path]['work'].append(whole - load)
            figures[path]['memory'].append(memory)
    none = statistics.median(figures['/dev/null']['work'])
    print(f'{os.path.basename(capture)}: cost by rules, {runs} runs, medians (min-max)')
    for count, path in sets:
        f = figures[path]
        print(f'  {count:>6,} rules  {spread(f["work"])} CPU-s less loading, {statistics.median(f["work"]) / none:.2f} x none; '
              f'loading {spread(f["load"])} CPU-s; peak {spread(f["memory"], "{:.0f}")} MB')
    shutil.rmtree(work)


if __name__ == '__main__':
    main()

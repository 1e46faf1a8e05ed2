#!/usr/bin/python3
"""serialise_bench.py BUILD CAPTURE RUNS: events written as JSON a CPU-second, one thread.

The sensor without rules, once with all its records and once with none, in alternating runs; what the records cost more (a difference of
medians: it is small beside the whole) is the time of making them: finding out what is to be told, JSON, and the writing to disk."""
import os
import shutil
import statistics
import sys
import tempfile

from sensor_bench import events_in, run, settings_for, spread

SILENT = '%YAML 1.1\n---\noutputs:\n  - eve-log:\n      enabled: no\n'


def main():
    build, capture, runs = sys.argv[1], sys.argv[2], int(sys.argv[3])
    sensor = os.path.join(build, 'bin/vong-sensor')
    work = tempfile.mkdtemp(prefix='serialise-bench-')
    silent = os.path.join(work, 'silent.yaml')
    with open(silent, 'w') as f:
        f.write(SILENT)
    flags = settings_for(f'{work}/cache')
    at = flags.index('-c') if '-c' in flags else len(flags)
    without = flags[:at] + ['-c', silent]
    figures = {name: [] for name in ('with', 'without')}
    events = size = 0
    for i in range(runs + 1):   # the first fills the caches
        cpu = {}
        for name, more in (('with', flags), ('without', without)):
            out = os.path.join(work, name)
            shutil.rmtree(out, ignore_errors=True)
            cpu[name], _, _ = run([sensor, '-r', capture, '-S', '/dev/null', '-l', out] + more)
        if i == 0:
            events, size = sum(events_in(os.path.join(work, 'with')).values()), os.path.getsize(os.path.join(work, 'with', 'eve.json'))
            if os.path.getsize(os.path.join(work, 'without', 'eve.json')) != 0:
                sys.exit('the run without records wrote some')
            continue
        for name in cpu:
            figures[name].append(cpu[name])
    more = statistics.median(figures['with']) - statistics.median(figures['without'])
    print(f'{os.path.basename(capture)}: {events:,} events, {size / 1e6:.0f} MB, {runs} runs, medians (min-max)')
    print(f'  CPU-s with all records       {spread(figures["with"])}')
    print(f'  CPU-s with none              {spread(figures["without"])}')
    print(f'  events a CPU-second          {events / more:,.0f} by the medians' difference   (to reach 500,000)')
    shutil.rmtree(work)


if __name__ == '__main__':
    main()

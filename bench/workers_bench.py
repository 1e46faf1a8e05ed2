#!/usr/bin/python3
"""workers_bench.py BUILD CAPTURE RULES RUNS: two workers against one on the same capture, in alternating runs.

Time by the clock less that of loading the rules, so only an idle machine with two cores says what two workers can do; beside it what they cost in
CPU-seconds, which other programs disturb less."""
import os
import shutil
import statistics
import sys
import tempfile
import time

from sensor_bench import empty_like, run, settings_for, spread


def timed(argv):
    """-> seconds by the clock, CPU-seconds"""
    start = time.monotonic()
    cpu, _, _ = run(argv)
    return time.monotonic() - start, cpu


def main():
    build, capture, rules, runs = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    work = tempfile.mkdtemp(prefix='workers-bench-')
    common = ['-S', rules] + settings_for(f'{work}/cache')
    empty = empty_like(capture, os.path.join(work, 'empty.pcap'))
    figures = {name: [] for name in ('one', 'two', 'speed', 'cost')}
    for i in range(runs + 1):   # the first fills the caches
        seconds, cpus = {}, {}
        load, load_cpu = timed([os.path.join(build, 'bin/vong-sensor'), '-r', empty, '-l', os.path.join(work, 'load')] + common)
        for workers in 1, 2:
            out = os.path.join(work, 'out')
            shutil.rmtree(out, ignore_errors=True)
            wall, cpu = timed([os.path.join(build, 'bin/vong-sensor'), '-r', capture, '-l', out, '--workers', str(workers)] + common)
            seconds[workers], cpus[workers] = wall - load, cpu - load_cpu
        if i > 0:
            for name, value in (('one', seconds[1]), ('two', seconds[2]), ('speed', seconds[1] / seconds[2]), ('cost', cpus[2] / cpus[1])):
                figures[name].append(value)
    print(f'{os.path.basename(capture)}: two workers against one, {runs} runs, medians (min-max)')
    print(f'  by the clock, less loading   one {spread(figures["one"])} s, two {spread(figures["two"])} s: {spread(figures["speed"])} times as fast')
    print(f'  CPU-seconds, two to one      {spread(figures["cost"])}; cores {os.cpu_count()}, load {os.getloadavg()[0]:.1f}')
    shutil.rmtree(work)


if __name__ == '__main__':
    main()

#!/usr/bin/python3
"""huge_pages_test.py SENSOR: the sensor has its heap in huge pages, under its own name and number; whoever sets GLIBC_TUNABLES is left alone. Builds with
sanitizers have an allocator of their own."""
import os
import subprocess
import sys
import time

sensor = os.path.abspath(sys.argv[1])
libraries = subprocess.run(['ldd', sensor], capture_output=True, text=True, check=True).stdout
sanitized = any(name in libraries for name in ('libasan', 'libtsan', 'libubsan'))
problems = []


def environment_of(given):
    """The sensor waits for a capture on standard input -> what GLIBC_TUNABLES it runs with, its name."""
    env = {k: v for k, v in os.environ.items() if k != 'GLIBC_TUNABLES'} | given
    child = subprocess.Popen([sensor, '-r', '-', '-S', '/dev/null', '-l', '-', '-q'], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, env=env)
    seen = None
    for _ in range(100):
        time.sleep(0.1)
        with open(f'/proc/{child.pid}/environ', 'rb') as f:
            variables = dict(v.split(b'=', 1) for v in f.read().split(b'\0') if b'=' in v)
        with open(f'/proc/{child.pid}/comm', encoding='utf-8') as f:
            seen = variables.get(b'GLIBC_TUNABLES'), f.read().strip()
        if sanitized or given or seen[0] is not None:
            break
    child.stdin.close()
    child.wait(timeout=30)
    return seen


wanted = None if sanitized else b'glibc.malloc.hugetlb=1'
for given, tunables in (({}, wanted), ({'GLIBC_TUNABLES': ''}, b''), ({'GLIBC_TUNABLES': 'glibc.malloc.tcache_count=8'}, b'glibc.malloc.tcache_count=8')):
    found, name = environment_of(given)
    if found != tunables:
        problems.append(f'given {given}: it runs with {found}, not {tunables}')
    if name != os.path.basename(sensor)[:15]:
        problems.append(f'its name is {name}')
print('\n'.join(problems) or 'huge pages: ok')
sys.exit(bool(problems))

#!/usr/bin/python3
"""unit_calls.py ROOT SENSOR: the sensor lives a life under the system-call filter of its systemd unit, as systemd would install it (everything else ends the process):
start, confinement, forwarding process, packets, a reload, statuses, end. 77 where systemd-analyze, seccomp or packet sockets are not to be had."""
import ctypes
import fcntl
import os
import platform
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import check_deploy  # noqa: E402

root, sensor = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
NUMBERS = '/usr/include/x86_64-linux-gnu/asm/unistd_64.h'
AUDIT_ARCH_X86_64, ALLOW, KILL = 0xC000003E, 0x7FFF0000, 0x80000000
libc = ctypes.CDLL(None, use_errno=True)
if platform.machine() != 'x86_64' or not os.path.exists(NUMBERS) or not shutil.which('systemd-analyze') or libc.unshare(0x40000000) != 0:  # CLONE_NEWNET
    sys.exit(77)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    fcntl.ioctl(s, 0x8914, struct.pack('16sH14x', b'lo', 0x1 | 0x8 | 0x40))  # SIOCSIFFLAGS: up, loopback, running


class Program(ctypes.Structure):
    _fields_ = [('len', ctypes.c_ushort), ('filter', ctypes.c_char_p)]


def filter_of(names):
    """seccomp(2): arch, then each number, else the end."""
    numbers = {name: int(n) for name, n in re.findall(r'#define __NR_(\w+) (\d+)', open(NUMBERS).read())}
    op = lambda code, jt, jf, k: struct.pack('HBBI', code, jt, jf, k)  # noqa: E731
    out = op(0x20, 0, 0, 4) + op(0x15, 1, 0, AUDIT_ARCH_X86_64) + op(0x06, 0, 0, KILL) + op(0x20, 0, 0, 0)
    for name in sorted(names & numbers.keys()):
        out += op(0x15, 0, 1, numbers[name]) + op(0x06, 0, 0, ALLOW)
    return out + op(0x06, 0, 0, KILL)


def install(code):
    program = Program(len(code) // 8, code)
    if libc.prctl(38, 1, 0, 0, 0) != 0 or libc.prctl(22, 2, ctypes.byref(program), 0, 0) != 0:  # PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP
        os._exit(77)


def life(code, work):
    rules, out = f'{work}/a.rules', f'{work}/out'
    open(rules, 'w').write('alert udp any any -> any 7777 (msg:"one"; content:"evil"; sid:1;)\n')
    settings = ('sensor-name=s1', 'agency=G01', 'status.interval=1', 'ledger.interval=1', f'kafka.spool.dir={work}/spool', 'kafka.brokers=127.0.0.1:9', f'evidence.dir={work}/ring',
                'metrics.listen=127.0.0.1:19137')
    log = open(f'{work}/log', 'w')
    running = subprocess.Popen([sensor, '-i', 'lo', '-S', rules, '-l', out, '--workers', '2', '-k', 'none', *[a for s in settings for a in ('--set', s)]], stderr=log,
                               preexec_fn=lambda: install(code))
    said = lambda: open(f'{work}/log').read()  # noqa: E731

    def wait_for(text):
        end = time.time() + 30
        while text not in said() and running.poll() is None and time.time() < end:
            time.sleep(0.1)

    wait_for('watching')
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for _ in range(20):
        sender.sendto(b'evil', ('127.0.0.1', 7777))
    running.send_signal(signal.SIGHUP) if running.poll() is None else None
    wait_for('reload:')
    time.sleep(2)
    if running.poll() is None:
        running.send_signal(signal.SIGTERM)
    return running.wait(60), said(), os.path.exists(f'{out}/eve.json') and '"alert"' in open(f'{out}/eve.json').read()


with open(f'{root}/deploy/systemd/vong-sensor.service', encoding='utf-8') as f:
    allowed = check_deploy.allowed_calls(f.read())
problems = []
with tempfile.TemporaryDirectory() as top:
    os.makedirs(f'{top}/well')
    status, log, alerted = life(filter_of(allowed), f'{top}/well')
    if status != 0 or not alerted or 'reload:' not in log or 'signal' in log:
        problems.append(f'under the unit: status {status}, alerts {alerted}: {log[-2500:]}')
    os.makedirs(f'{top}/ill')
    if life(filter_of(allowed - {'landlock_create_ruleset'}), f'{top}/ill')[0] != -signal.SIGSYS:
        problems.append('a filter without a call that is needed does not end the sensor: this test proves nothing')
print('\n'.join(problems) or f'a life under {len(allowed)} allowed calls')
sys.exit(1 if problems else 0)

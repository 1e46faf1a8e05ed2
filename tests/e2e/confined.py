#!/usr/bin/python3
"""confined.py HOOKED SENSOR: a parser that was taken over (hooked_sensor.cc) can neither start a program, nor open a socket, nor read or write outside
its run's folders, in -r runs and, as root, live; the sensor goes on and its alerts come. The forwarding process alone has read the password; a password that
others may read is refused with status 2. The program that is shipped does not know the hook."""
import os
import pwd
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time

hooked, sensor = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
problems = []
root = os.geteuid() == 0
FREE = {'write-inside'}  # what has to work
PASSWORD = 'broker-password-of-the-test'


def frame(payload):
    udp = struct.pack('!HHHH', 1000, 53000, 8 + len(payload), 0) + payload
    ip = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]))
    return bytes(12) + b'\x08\x00' + ip + udp


def write_pcap(path, frames):
    with open(path, 'wb') as f:
        f.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for i, data in enumerate(frames):
            f.write(struct.pack('<IIII', 1_700_000_000 + i, 0, len(data), len(data)) + data)


def make(work):
    os.makedirs(f'{work}/rules')
    os.makedirs(f'{work}/secret')
    with open(f'{work}/rules/a.rules', 'w') as f:
        f.write('alert udp any any -> any any (msg:"after the attack"; content:"AFTER"; sid:1;)\n')
    for name, mode in ((f'{work}/secret/file', 0o644), (f'{work}/secret/password', 0o600)):
        with open(name, 'w') as f:
            f.write(PASSWORD + '\n')
        os.chmod(name, mode)
    write_pcap(f'{work}/in.pcap', [frame(b'VONG-HOOK'), frame(b'AFTER')])


def environment(work, out):
    return dict(os.environ, HOOK_OUTSIDE=f'{work}/secret/file', HOOK_RULES=f'{work}/rules/a.rules', HOOK_PASSWORD=f'{work}/secret/password', HOOK_INSIDE=out)


def results(text):
    return dict(line.split()[1:3] for line in text.splitlines() if line.startswith('hook: '))


def judge(what, text, eve):
    found = results(text)
    if len(found) < 20:
        problems.append(f'{what}: the hook did not run: {text[-500:]}')
    for name, answer in found.items():
        if (answer == 'ok') != (name in FREE):
            problems.append(f'{what}: {name}: {answer}')
    if 'after the attack' not in eve:
        problems.append(f'{what}: no alert after the attack')


def read(path):
    return open(path).read() if os.path.exists(path) else ''


def from_file(work):
    out = f'{work}/out'
    command = [hooked, '-r', f'{work}/in.pcap', '-k', 'none', '-S', f'{work}/rules/a.rules', '-l', out]
    done = subprocess.run(command, env=environment(work, out), capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        problems.append(f'-r ended with {done.returncode}')
    judge('-r', done.stderr, read(f'{out}/eve.json'))
    # The same without confinement: the attacks are real ones.
    free = results(subprocess.run([*command[:-1], f'{work}/free', '--set', 'security.confine=no'], env=dict(environment(work, f'{work}/free'), HOOK_OUTSIDE=f'{work}/secret/file'),
                                  capture_output=True, text=True, timeout=60, preexec_fn=os.setsid).stderr)
    if free and free.get('exec') != 'ok' and free.get('socket-inet') != 'ok':
        problems.append('without confinement the attacks do not work either: they prove nothing')
    plain = subprocess.run([sensor, *command[1:-1], f'{work}/plain'], env=environment(work, out), capture_output=True, text=True, timeout=60)
    if results(plain.stderr):
        problems.append('the shipped program has the hook')


def refused(work):
    os.chmod(f'{work}/secret/password', 0o644)
    done = subprocess.run([sensor, '-r', f'{work}/in.pcap', '-S', f'{work}/rules/a.rules', '-l', f'{work}/none', *kafka(work)], capture_output=True, text=True, timeout=60)
    os.chmod(f'{work}/secret/password', 0o600)
    if done.returncode != 2 or 'may be read or changed by others' not in done.stderr:
        problems.append(f'a password that others may read: status {done.returncode}, {done.stderr[-300:]}')


def kafka(work):
    settings = ('kafka.brokers=127.0.0.1:9', 'kafka.security-protocol=sasl_plaintext', 'kafka.sasl.mechanism=PLAIN', 'kafka.sasl.username=s1',
                f'kafka.sasl.password-file={work}/secret/password', f'kafka.spool.dir={work}/spool', 'sensor-name=s1', 'agency=G02')
    return [a for s in settings for a in ('--set', s)]


def memory_has(pid, text):
    with open(f'/proc/{pid}/maps') as maps, open(f'/proc/{pid}/mem', 'rb') as memory:
        for line in maps:
            bounds, rights, *_ = line.split()
            low, high = (int(x, 16) for x in bounds.split('-'))
            if 'r' not in rights or '[v' in line:
                continue
            try:
                memory.seek(low)
                if text in memory.read(high - low):
                    return True
            except OSError:
                pass
    return False


def children(pid):
    out = []
    for task in os.listdir(f'/proc/{pid}/task'):
        out += [int(x) for x in read(f'/proc/{pid}/task/{task}/children').split()]
    return out + [c for child in out for c in children(child)]


def live(work):
    """Root alone can make an interface; everything else is as a service has it."""
    subprocess.run(['ip', 'link', 'del', 'vonghook0'], capture_output=True)
    if subprocess.run(['ip', 'link', 'add', 'vonghook0', 'type', 'veth', 'peer', 'name', 'vonghook1'], capture_output=True).returncode:
        print('live: skipped, no interface can be made here')
        return
    user = pwd.getpwnam('nobody')
    out = f'{work}/live'
    for folder in (out, f'{work}/spool'):
        os.makedirs(folder, exist_ok=True)
        os.chown(folder, user.pw_uid, user.pw_gid)
    os.chmod(work, 0o755)
    os.chown(f'{work}/secret/password', user.pw_uid, user.pw_gid)
    try:
        for name in ('vonghook0', 'vonghook1'):
            subprocess.run(['ip', 'link', 'set', name, 'up'], check=True)
        with open(f'{work}/live.log', 'w') as log:
            process = subprocess.Popen([hooked, '-i', 'vonghook1', '-k', 'none', '-S', f'{work}/rules/a.rules', '-l', out, '--workers', '2', '--set', 'run-as.user=nobody',
                                        *kafka(work)], env=environment(work, out), stderr=log)
        end = time.time() + 30
        while 'watching' not in read(f'{work}/live.log') and time.time() < end and process.poll() is None:
            time.sleep(0.1)
        status = dict(line.split(':\t', 1) for line in read(f'/proc/{process.pid}/status').splitlines() if ':\t' in line)
        if status.get('Uid', '0').split()[0] != str(user.pw_uid):
            problems.append(f"live: runs as {status.get('Uid')}")
        for key in ('CapEff', 'CapPrm', 'CapAmb', 'CapBnd', 'CapInh'):
            if int(status.get(key, '1'), 16) != 0:
                problems.append(f'live: {key} {status.get(key)}')
        if status.get('Seccomp', '').strip() != '2' or status.get('NoNewPrivs', '').strip() != '1':
            problems.append(f"live: Seccomp {status.get('Seccomp')}, NoNewPrivs {status.get('NoNewPrivs')}")
        tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        tap.bind(('vonghook0', 0))
        for payload in (b'VONG-HOOK', b'AFTER'):
            tap.send(frame(payload))
            time.sleep(0.5)
        secret = PASSWORD.encode()
        time.sleep(2)  # the forwarder connects when there is something to send
        if memory_has(process.pid, secret):
            problems.append('live: the password is in the memory of the packet process')
        others = children(process.pid)
        if not any(memory_has(pid, secret) for pid in others):
            problems.append(f'live: the password is in none of the processes {others}: the search proves nothing')
        # The forwarder dies: it comes back by itself.
        forwarder = others[-1]
        os.kill(forwarder, signal.SIGKILL)
        time.sleep(2.5)
        again = children(process.pid)
        if len(again) < 2 or forwarder in again:
            problems.append(f'live: the forwarder was not started again: {others} before, {again} after')
        process.send_signal(signal.SIGTERM)
        if process.wait(60) != 0:
            problems.append(f'live: ended with {process.returncode}')
        judge('live', read(f'{work}/live.log'), read(f'{out}/eve.json'))
        if any(os.path.exists(f'/proc/{pid}') for pid in again):
            problems.append('live: the forwarder outlived the sensor')
        if os.stat(f'{out}/eve.json').st_uid != user.pw_uid:
            problems.append('live: eve.json does not belong to the user')
    finally:
        subprocess.run(['ip', 'link', 'del', 'vonghook0'], capture_output=True)


folder = tempfile.mkdtemp(prefix='vong_confined_')
try:
    make(folder)
    from_file(folder)
    refused(folder)
    if root and shutil.which('ip'):
        live(folder)
    else:
        print('live: skipped, needs root and iproute2')
    if problems and os.path.exists(f'{folder}/live.log'):
        print(read(f'{folder}/live.log')[-3000:])
finally:
    shutil.rmtree(folder, ignore_errors=True)
print('\n'.join(problems) or 'every attack failed, the sensor went on')
sys.exit(1 if problems else 0)

#!/usr/bin/python3
"""packages.py BUILD: cpack makes the Debian packages; in a copy of this machine's root (an overlay in a mount namespace of its own, nothing of it stays)
dpkg installs them with their dependencies checked, the programs say that the default configuration is usable, the sensor reads a capture as its
own user, removing keeps configuration and state, purging takes both. Status 77: no root, no overlays, or not Debian."""
import os
import shutil
import subprocess
import sys
import tempfile

build = os.path.abspath(sys.argv[1])
PACKAGES = ['vong-common', 'vong-sensor', 'vong-exporter', 'vong-correlator', 'vong-rules']
problems = []


def run(*command, root=None, **more):
    if root is not None:
        command = ('chroot', root, *command)
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, **more)
    return done.returncode, done.stdout + done.stderr


def must(what, command, root=None, status=0, text=''):
    code, out = run(*command, root=root)
    if code != status or text not in out:
        problems.append(f'{what}: status {code}: {out[-800:]}')
    return out


def there(root, path):
    return os.path.lexists(root + path)


def inside(root, debs):
    """In the namespace: root is the overlay."""
    for name in ('proc', 'dev'):
        run('mount', '--rbind', f'/{name}', f'{root}/{name}')
    os.makedirs(f'{root}/debs')
    for deb in debs:
        shutil.copy(deb, f'{root}/debs')
    names = [f'/debs/{os.path.basename(d)}' for d in debs]
    must('install', ('dpkg', '-i', *names), root)
    for program in ('sensor', 'exporter', 'correlator'):
        must(f'{program} -T', (f'/usr/bin/vong-{program}', '-T', '-c', f'/etc/vong/{program}.yaml'), root)
        mode = os.stat(f'{root}/etc/vong/{program}.yaml').st_mode & 0o777
        if mode != 0o640:
            problems.append(f'/etc/vong/{program}.yaml has mode {mode:o}')
        must(f'unit of {program}', ('systemd-analyze', 'verify', '--man=no', f'/lib/systemd/system/vong-{program}.service'), root) if shutil.which('systemd-analyze') else None
    must('users', ('getent', 'passwd', 'vong', 'vong-exporter', 'vong-correlator'), root)
    os.makedirs(f'{root}/var/log/vong', exist_ok=True)
    must('log folder', ('chown', 'vong:vong', '/var/log/vong'), root)
    shutil.copy(os.path.join(build, '../../pcaps/http/log4shell.pcap'), f'{root}/debs/in.pcap')
    out = must('a run', ('/usr/bin/vong-sensor', '-c', '/etc/vong/sensor.yaml', '-r', '/debs/in.pcap', '--set', 'rules.cache-dir=', '--set', 'metrics.listen='), root)
    eve = f'{root}/var/log/vong/eve.json'
    if not os.path.exists(eve) or '"event_type":"alert"' not in open(eve).read():
        problems.append(f'no alert with the default rules: {out[-500:]}')
    elif os.stat(eve).st_uid == 0:
        problems.append('eve.json belongs to root')
    with open(f'{root}/etc/vong/sensor.yaml', 'a') as f:
        f.write('# changed by the operator\n')
    must('upgrade', ('dpkg', '-i', '--force-confold', *names), root)
    if 'changed by the operator' not in open(f'{root}/etc/vong/sensor.yaml').read():
        problems.append('an upgrade takes the operator\'s configuration away')
    must('remove', ('dpkg', '-r', *PACKAGES), root)
    if there(root, '/usr/bin/vong-sensor') or not there(root, '/etc/vong/sensor.yaml') or not there(root, '/var/log/vong/eve.json'):
        problems.append('remove takes the program and leaves configuration and logs')
    must('purge', ('dpkg', '-P', *PACKAGES), root)
    left = [p for p in ('/etc/vong', '/var/log/vong', '/var/lib/vong', '/usr/share/vong', '/etc/default/vong-sensor', '/etc/logrotate.d/vong-sensor',
                        '/lib/systemd/system/vong-sensor.service', '/usr/lib/sysusers.d/vong.conf') if there(root, p)]
    if left:
        problems.append(f'left after purge: {left}')


def main():
    if os.geteuid() != 0 or not shutil.which('dpkg-shlibdeps') or not shutil.which('unshare'):
        return 77
    if len(sys.argv) > 3:  # again, in the namespace
        work = sys.argv[2]
        if subprocess.run(['mount', '-t', 'tmpfs', 'none', work]).returncode:
            return 77
        for name in ('upper', 'work', 'root'):
            os.mkdir(f'{work}/{name}')
        if subprocess.run(['mount', '-t', 'overlay', 'overlay', '-o', f'lowerdir=/,upperdir={work}/upper,workdir={work}/work', f'{work}/root']).returncode:
            return 77
        inside(f'{work}/root', sys.argv[3:])
        print('\n'.join(problems) or 'installed, checked, run, upgraded, removed, purged')
        return 1 if problems else 0
    work = tempfile.mkdtemp(prefix='vong_packages_')
    try:
        done = subprocess.run(['cpack', '--config', f'{build}/CPackConfig.cmake', '-B', f'{work}/made'], cwd=build, capture_output=True, text=True)
        debs = sorted(f'{work}/made/{f}' for f in os.listdir(f'{work}/made') if f.endswith('.deb')) if os.path.isdir(f'{work}/made') else []
        if done.returncode or len(debs) != len(PACKAGES):
            print(f'cpack: {done.returncode}, {debs}\n{done.stdout[-2000:]}{done.stderr[-2000:]}')
            return 1
        for deb in debs:
            print(*run('dpkg-deb', '-f', deb, 'Package', 'Version', 'Installed-Size', 'Depends')[1].splitlines(), sep=' | ')
        os.mkdir(f'{work}/space')
        return subprocess.run(['unshare', '--mount', sys.executable, os.path.abspath(__file__), build, f'{work}/space', *debs]).returncode
    finally:
        shutil.rmtree(work, ignore_errors=True)


sys.exit(main())

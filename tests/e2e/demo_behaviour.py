#!/usr/bin/python3
"""demo_behaviour.py ROOT: the demo as somebody at a terminal meets it. Ctrl-C ends everything that it started and nothing else; where Java is missing it
says so and goes on without a broker, with the same incidents; what it says of places is there; a second run starts at once. Status 77 where no broker can
be had, after the parts without one have passed."""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

root = os.path.abspath(sys.argv[1])
port = int(os.environ.get('PORT', '29392'))
patience_s = float(os.environ.get('VONG_E2E_PATIENCE_S', '600'))
recipients = ['G02', 'G22', 'H26', 'national']


def fail(text, log=None):
    if log:
        with open(log, encoding='utf-8') as f:
            print(f.read()[-3000:])
    sys.exit('demo_behaviour: ' + text)


def demo(*arguments, log, **more):
    """In a session of its own, as a terminal's foreground job: whoever runs this test may have SIGINT ignored."""
    return subprocess.Popen(['deploy/demo', *arguments], cwd=root, stdin=subprocess.DEVNULL, stdout=open(log, 'w'), stderr=subprocess.STDOUT,
                            start_new_session=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL), **more)


def incidents():
    return {r: open(f'{root}/out/demo/{r}/incidents.json', encoding='utf-8').read() for r in recipients}


def of_this_tree():
    """Processes that work in this tree's out/demo or from its programs, by pid."""
    found = {}
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{pid}/cmdline', 'rb') as f:
                line = f.read().replace(b'\0', b' ').decode(errors='replace')
            here = os.readlink(f'/proc/{pid}/cwd').startswith(root)
        except OSError:
            continue
        if re.search(r'\bout/demo\b|deploy/demo|read-incidents|sleep infinity', line) and (here or root in line):
            found[pid] = line
    return found


def wait_for(text, log, process):
    end = time.time() + patience_s
    while time.time() < end:
        with open(log, encoding='utf-8') as f:
            if text in f.read():
                return
        if process.poll() is not None:
            fail(f'ended with status {process.returncode} before it said "{text}"', log)
        time.sleep(0.2)
    fail(f'never said "{text}"', log)


def interrupted(process, log):
    os.killpg(process.pid, signal.SIGINT)  # what a terminal sends for Ctrl-C
    try:
        status = process.wait(90)
    except subprocess.TimeoutExpired:
        fail('does not end after Ctrl-C', log)
    if status != 0:
        fail(f'status {status} after Ctrl-C', log)


def main(work):
    environment = dict(os.environ, PORT=str(port))
    first, log = demo('--once', '--no-broker', log=f'{work}/files.log', env=environment), f'{work}/files.log'
    if first.wait(patience_s * 3) != 0:
        fail('the demo without a broker failed', log)
    wanted = incidents()

    began, log = time.time(), f'{work}/again.log'
    second = demo('--no-broker', log=log, env=environment)
    wait_for('Three sensors', log, second)
    if 'no work to do' not in open(f'{root}/build/demo-build.log').read():
        fail('a second run builds again', log)
    print(f'a second run starts within {time.time() - began:.1f} s')
    wait_for('Staying up', log, second)
    interrupted(second, log)

    log = f'{work}/no-java.log'
    third = demo('--once', log=log, env=dict(environment, VONG_JAVA='no-such-java'))
    if third.wait(patience_s) != 0 or 'no-such-java not found' not in open(log).read() or 'going on without one' not in open(log).read():
        fail('without Java it does not say so and go on', log)
    if incidents() != wanted:
        fail('without Java: other incidents', log)
    if of_this_tree():
        fail(f'still there: {of_this_tree()}')

    bystander = subprocess.Popen(['sleep', '1000'], cwd=root)
    log = f'{work}/broker.log'
    fourth = demo(log=log, env=environment)
    wait_for('Staying up', log, fourth)
    said = open(log, encoding='utf-8').read()
    if 'going on without one' in said:
        interrupted(fourth, log)
        bystander.kill()
        print('no broker can be had here')
        return 77
    if incidents() != wanted:
        fail('with a broker: other incidents', log)
    page = urllib.request.urlopen(re.search(r'http://127\.0\.0\.1:\d+/metrics', said).group(0), timeout=10).read().decode()
    if '\nvong_correlator_settled_state 1\n' not in page:
        fail('the page of metrics that it names is not there')
    if not any('kafka.Kafka' in line for line in of_this_tree().values()) and len(of_this_tree()) < 5:
        fail(f'this test does not see what runs: {of_this_tree()}')
    interrupted(fourth, log)
    left = of_this_tree()
    if left:
        fail(f'still there after Ctrl-C: {left}')
    if bystander.poll() is not None:
        fail('Ctrl-C ended what the demo had not started')
    bystander.kill()
    print('Ctrl-C ends all that was started; without Java it goes on through files; the same incidents every time')
    return 0


folder = tempfile.mkdtemp(prefix='vong_demo_')
try:
    code = main(folder)
finally:
    shutil.rmtree(folder, ignore_errors=True)
sys.exit(code)

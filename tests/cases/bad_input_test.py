#!/usr/bin/python3
"""bad_input_test.py BIN ROOT: what is broken outside gives one clear line and the exit status of the contract, and costs nothing that was accepted.

BIN: the folder of the built programs. A part is a function below; its name is what must be true."""
import json
import os
import re
import subprocess
import sys
import tempfile

import dns_traffic

programs, root = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
ordinary = os.path.join(root, 'pcaps/http/ordinary.pcap')
sigma, agencies = os.path.join(root, 'rules/packs/correlation'), os.path.join(root, 'deploy/agencies.yaml')
GOOD = 'alert http any any -> any any (msg:"ok"; flow:established,to_server; http.method; content:"GET"; sid:1; rev:1;)\n'
failures = []


class Run:
    def __init__(self, program, *arguments, **more):
        done = subprocess.run([os.path.join(programs, program), *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors='replace',
                              timeout=240, **more)
        self.status, self.lines = done.returncode, done.stderr.splitlines() + done.stdout.splitlines()
        self.what = program + ' ' + ' '.join(arguments)
        if self.status < 0 or self.status > 2:
            self.fail(f'status {self.status}')

    def fail(self, text):
        failures.append(f'{self.what}: {text}\n    ' + '\n    '.join(self.lines[:8]))

    def said(self):
        """What it said of problems, without the log's dress."""
        problems = []
        for line in self.lines:
            if line.startswith('{"time"'):
                entry = json.loads(line)
                problems += [entry['message']] if entry['level'] in ('error', 'warning') else []
            elif re.search(r': (error|warning): ', line) or ': ' in line and not line.startswith('{'):
                problems.append(line)
        return problems

    def expect(self, status, *patterns):
        """This exit status, and just these lines about problems, in order."""
        said = self.said()
        if self.status != status:
            self.fail(f'status {self.status} instead of {status}')
        elif len(said) != len(patterns) or not all(re.search(p, s) for p, s in zip(patterns, said)):
            self.fail(f'wanted {patterns}, said {said}')
        return self


def write(path, content):
    with open(path, 'wb') as f:
        f.write(content if isinstance(content, bytes) else content.encode())
    return path


def events_of(folder):
    with open(os.path.join(folder, 'eve.json'), encoding='utf-8') as f:
        return [json.loads(line) for line in f]


def a_truncated_or_foreign_capture(work):
    with open(ordinary, 'rb') as f:
        whole = f.read()
    with open(sys.executable, 'rb') as f:
        foreign = f.read(5000)
    for name, content, message in (('cut', whole[:3000], r'cut\.pcap: ends inside the record at byte \d+'), ('header', whole[:20], 'file header'),
                                   ('foreign', foreign, 'neither pcap nor pcapng'), ('empty', b'', 'is empty')):
        path = write(f'{work}/{name}.pcap', content)
        Run('vong-sensor', '-r', path, '-l', f'{work}/{name}').expect(1, message)
    if not any(e['event_type'] == 'http' for e in events_of(f'{work}/cut')):
        failures.append('what stands before the cut of a capture was not read')
    Run('vong-sensor', '-r', f'{work}/nosuch.pcap', '-l', work).expect(1, r'nosuch\.pcap: .*No such file')


def a_rule_file_with_a_binary_in_it(work):
    path = write(f'{work}/binary.rules', GOOD.encode() + b'\x7fELF\x02\x01\0\0\0\xff\xfe\n' + GOOD.replace('sid:1', 'sid:2').encode())
    Run('vong-sensor', '-T', '-S', path).expect(2, r'binary\.rules:2:\d+: error: ', '1 rules cannot load')
    Run('vong-sensor', '-r', ordinary, '-S', path, '-l', f'{work}/o').expect(0, r'binary\.rules:2:\d+: error: ')
    if {e['alert']['signature_id'] for e in events_of(f'{work}/o') if e['event_type'] == 'alert'} != {1, 2}:
        failures.append('the rules around a binary do not alert')
    Run('vong-correlator', '--in', '/dev/null', '--rules', path, '-l', work).expect(2, r'binary\.rules:\d+:\d+: error: ')


def a_rule_that_hyperscan_refuses(work):
    path = write(f'{work}/r.rules', GOOD + 'alert tcp any any -> any any (msg:"too large"; pcre:"/(a{1,30000}){1,30000}b/"; sid:7;)\n')
    message = r'r\.rules:2:\d+: error: .*(too large|Hyperscan|expression).*\(sid 7\)'
    Run('vong-sensor', '-r', ordinary, '-S', path, '-l', f'{work}/o').expect(0, message)
    Run('vong-sensor', '-r', ordinary, '-S', path, '-l', f'{work}/p', '--init-errors-fatal').expect(2, message, '1 rules cannot load')
    rule = 'title: t\nname: t\nlogsource: {product: suricata}\ndetection: {s: {alert.signature|re: "(?<=a)b\\\\1("}, condition: s}\n'
    Run('vong-correlator', '-T', '--in', '/dev/null', '--rules', write(f'{work}/re.yml', rule), '-l', work).expect(2, r're\.yml:4:\d+: error: ', '1 errors, 0 warnings')


def a_yaml_error(work):
    path = write(f'{work}/bad.yaml', 'vars:\n  a: [1\n b: {\n')
    for program, more in (('vong-sensor', ['-r', ordinary]), ('vong-correlator', []), ('vong-exporter', ['--spool', work])):
        Run(program, '-c', path, *more).expect(2, r'bad\.yaml:3:3: error: ')
    Run('vong-correlator', '--in', '/dev/null', '--rules', path, '-l', work).expect(2, r'bad\.yaml:3:3: error: ')
    Run('vong-correlator', '--in', '/dev/null', '--rules', sigma, '--agencies', path, '-l', work).expect(2, r'bad\.yaml:3:3: error: ')


def an_unknown_agency_or_a_record_that_is_not_json_is_a_dead_letter(work):
    alert = '{"timestamp":"2026-11-20T08:00:00Z","event_type":"alert","agency":"%s","alert":{"signature":"SCAN x"}}\n'
    events = write(f'{work}/e.json', alert % 'NOPE' + 'this is not JSON\n' + alert % 'G02' + b'\xff\xfe\0\n'.decode('latin-1') + alert.strip()[:40] + '\n')
    run = Run('vong-correlator', '--in', events, '--rules', sigma, '--agencies', agencies, '-l', f'{work}/o').expect(0)
    with open(f'{work}/o/dead-letter.json', encoding='utf-8', errors='replace') as f:
        letters = [json.loads(line) for line in f]
    if [x['position'] for x in letters] != [1, 2, 4, 5] or "unknown agency 'NOPE'" not in letters[0]['reason'] or letters[1]['record'] != 'this is not JSON':
        run.fail(f'dead letters: {letters}')
    if not any('5 records, 4 refused' in line for line in run.lines):
        run.fail('does not say how many were refused')
    Run('vong-correlator', '--in', events, '--rules', sigma, '--agencies', agencies, '--set', 'home-agency=NOPE', '-l', work).expect(2, "no agency is called 'NOPE'")


def spooled(work, spool):
    """The events of a spool by seq, as a receiver gets them."""
    target = f'{work}/spooled.json'
    Run('vong-exporter', '--spool', spool, '--set', f'file={target}', '--once').expect(0)
    with open(target, encoding='utf-8') as f:
        return [json.loads(line) for line in f]


def prove_nothing_accepted_is_lost(work, run, spool, total):
    """Every event is in the spool, or was said to be missing, with the number. The last group of a spool is proven by who opens it next: a sensor
    with nothing to see."""
    write(f'{work}/nothing.pcap', open(ordinary, 'rb').read(24))
    Run('vong-sensor', '-r', f'{work}/nothing.pcap', '-l', f'{work}/next', *spooling(spool)).expect(0)
    total += len(events_of(f'{work}/next'))
    inside = [json.dumps(e) for e in spooled(work, spool)]
    dropped = sum(int(n) for line in run.lines for n in re.findall(r'dropped: *(\d+)', line))
    missing = sum(int(n) for line in run.lines for n in re.findall(r'(\d+) events are not in the spool', line))
    if len(inside) + dropped + missing < total:
        run.fail(f'{len(inside)} events in the spool, {dropped} dropped, {missing} missing; {total} were made')
    if len(set(inside)) != len(inside):
        run.fail('an event is in the spool twice')
    if len(inside) < 100 or not missing + dropped:
        run.fail(f'{len(inside)} in the spool, {missing} missing, {dropped} dropped: this is no full disk')


def spooling(spool):
    return ['--set', 'sensor-name=s1', '--set', 'agency=G02', '--set', f'kafka.spool.dir={spool}']


def a_full_disk_under_the_spool(work):
    disk = f'{work}/disk'
    os.mkdir(disk)
    if subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=3m', 'vong-test', disk], stderr=subprocess.DEVNULL).returncode != 0:
        print('a full disk: skipped, no right to mount')
        return
    try:
        dns_traffic.write(f'{work}/d.pcap', 8000)
        run = Run('vong-sensor', '-r', f'{work}/d.pcap', '-k', 'none', '-l', f'{work}/o', *spooling(f'{disk}/spool'))
        if run.status != 1 or not any('No space left on device' in line for line in run.lines):
            run.fail('no clear line about a full disk')
        total = len(events_of(f'{work}/o'))
        subprocess.run(['mount', '-o', 'remount,size=20m', disk], check=True)
        prove_nothing_accepted_is_lost(work, run, f'{disk}/spool', total)
    finally:
        subprocess.run(['umount', disk], check=True)


def no_folder_for_the_output(work):
    Run('vong-sensor', '-r', ordinary, '-l', '/proc/nosuch').expect(1, '/proc/nosuch: ')
    Run('vong-correlator', '--in', '/dev/null', '--rules', sigma, '-l', '/proc/nosuch').expect(1, '/proc/nosuch')


def problems_of_rules_from_a_pipe_are_those_of_the_same_file(work):
    text = GOOD + GOOD.replace('sid:1', 'pcre:"/(((a/"; sid:2') + GOOD.replace('flow:', 'flwo:').replace('sid:1', 'sid:3')
    path = write(f'{work}/three.rules', text)
    reads = []
    for what, name in ((path, path), ('-', 'stdin')):
        with open(path, 'rb') as f:
            done = subprocess.run([os.path.join(programs, 'vong-rules'), 'lint', what], stdin=f, capture_output=True, text=True, timeout=240)
        reads.append((done.returncode, done.stdout.replace(name, 'NAME')))
    if reads[0] != reads[1] or reads[0][0] != 2 or [line.split(':')[1] for line in reads[0][1].splitlines()] != ['2', '3']:
        failures.append(f'vong-rules lint: {reads}')


def wrong_usage(_work):
    for program in ('vong-sensor', 'vong-correlator', 'vong-exporter'):
        Run(program, '--nosuch').expect(2, '--nosuch')
    Run('vong-rules', 'nosuch').expect(2, 'vong-rules: ')


parts = [a_truncated_or_foreign_capture, a_rule_file_with_a_binary_in_it, a_rule_that_hyperscan_refuses, a_yaml_error,
         an_unknown_agency_or_a_record_that_is_not_json_is_a_dead_letter, a_full_disk_under_the_spool, no_folder_for_the_output,
         problems_of_rules_from_a_pipe_are_those_of_the_same_file, wrong_usage]
for part in parts:
    before = len(failures)
    with tempfile.TemporaryDirectory(prefix='vong-bad-') as folder:
        part(folder)
    print(part.__name__.replace('_', ' ') + ': ' + ('ok' if len(failures) == before else 'FAILED'))
print('\n'.join(failures))
sys.exit(1 if failures else 0)

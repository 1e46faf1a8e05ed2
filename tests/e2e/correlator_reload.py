#!/usr/bin/python3
"""correlator_reload.py ROOT VONG_CORRELATOR [CASE...]: rules are changed while the correlator works on a real broker. Cases: sequences, campaigns; each in a single
process and where the work is divided (by one process, by three): sequences-single, sequences-divided, sequences-three, campaigns-single, ...

A sequence of two is half complete when the rules are loaded again: the rule that stays says so when the second event comes, the one that was changed
does not, and has forgotten the first. Before that, rules with an error leave the old ones in force. Then the correlator is killed (kill -9) and started again:
what the topics say in the end is, byte for byte, what they say without that. By SIGHUP in a single process, by the files' own change where the work is divided.
Of campaigns a rule goes on which they stand: what stands without it goes on, what does not is closed. All processes also end and are started with the other rules: the same
again, with the incident of a rule that is gone told as closed. And a case says the same however many processes do the work.
Status 77: no Java, Maven or kcat here."""
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

root, program = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
patience_s = float(os.environ.get('VONG_E2E_PATIENCE_S', '120'))

DETECTION = '''title: {name}
name: {name}
logsource: {{product: suricata, category: alert}}
detection: {{s: {{alert.signature_id: {sid}}}, condition: s}}
---
'''
SEQUENCE = '''title: {name}
name: {name}
correlation: {{type: temporal_ordered, rules: [x, y], group-by: [{group}], timespan: {timespan}}}
level: high
---
'''


GOES = 'level: high\n' + DETECTION.format(name='goes', sid=1)


def rules(changing):
    return (DETECTION.format(name='x', sid=1) + DETECTION.format(name='y', sid=2) + SEQUENCE.format(name='stays', group='src_ip', timespan='1h')
            + SEQUENCE.format(name='changes', group='dest_ip', timespan=changing))


P, Q = ('level: high\n' + DETECTION.format(name=name, sid=sid) for name, sid in (('p', 1), ('q', 2)))


class Run:
    def __init__(self, work, mode):
        self.what, self.way = mode.split('-')
        divided = self.way != 'single'
        self.members = 3 if self.way == 'three' else 1
        self.work, self.port = work, 20000 + random.randrange(20000)
        self.brokers = f'127.0.0.1:{self.port}'
        self.pages = [f'127.0.0.1:{self.port + 3 + i}' for i in range(self.members)]
        self.processes = []
        self.by_files = divided
        os.makedirs(work + '/rules')
        self.write(P + Q if self.what == 'campaigns' else rules('1h') + GOES)
        with open(work + '/agencies.yaml', 'w') as f:
            f.write('agencies: [' + ', '.join(f'{{id: G{n:02}, name: a{n}, sensors: [s{n}]}}' for n in (2, 3, 4, 5)) + ']\n')
        for page in self.pages:
            with open(f'{work}/{page}.yaml', 'w') as f:
                f.write(f'rules: {work}/rules\nagencies: {work}/agencies.yaml\nidle: 1s\ncampaign: {{by: [source]}}\nmetrics: {{listen: "{page}"}}\n'
                        + ('rules-reload: 1s\n' if divided else '')
                        + f'kafka: {{brokers: "{self.brokers}", create-topics: true, group: reload, ' + ('facts-partitions: 2' if divided else 'standby: true') + '}\n')

    def write(self, text):
        with open(self.work + '/rules/new', 'w') as f:
            f.write(text)
        os.rename(self.work + '/rules/new', self.work + '/rules/r.yml')

    def kcat(self, *args, data=None):
        return subprocess.run(['kcat', '-b', self.brokers, '-q', *args], input=data, stdout=subprocess.PIPE, check=True, timeout=patience_s).stdout

    def start(self):
        log = open(self.work + '/log', 'ab')
        self.processes = [subprocess.Popen([program, '-c', f'{self.work}/{page}.yaml'], stderr=log) for page in self.pages]

    def log(self):
        return open(self.work + '/log', errors='replace').read()

    def metric(self, name):
        """The sum over all processes; None while one says nothing of it."""
        total = 0
        for at in self.pages:
            try:
                page = urllib.request.urlopen(f'http://{at}/metrics', timeout=5).read().decode()
            except OSError:
                return None
            found = re.search('^' + re.escape(name) + r' (\S+)$', page, re.M)
            if not found:
                return None
            total += float(found.group(1))
        return total

    def settled(self):
        """Blocks on their way from one process to another are in nobody's figures: three times in a row, a while apart."""
        return all(time.sleep(0.5 * (self.members > 1)) or self.metric('vong_correlator_settled_state') == self.members for _ in range(1 if self.members == 1 else 4))

    def stop(self):
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            assert process.wait(timeout=patience_s) == 0, self.log()

    def wait(self, what, holds):
        end = time.time() + patience_s
        while time.time() < end:
            if holds():
                return
            time.sleep(0.2)
        raise RuntimeError(f'{what} did not come\n' + self.log()[-3000:])

    def event(self, second, sid, agency=2, source=1):
        line = json.dumps({'timestamp': f'2026-11-20T08:{second // 60:02}:{second % 60:02}.000000+0000', 'flow_id': second + 1, 'event_type': 'alert',
                           'src_ip': f'198.51.100.{source}', 'dest_ip': '10.0.0.1', 'alert': {'signature_id': sid}, 'host': f's{agency}'})
        before = self.metric('vong_correlator_records_total') or 0
        self.kcat('-P', '-t', f'vong.events.G{agency:02}', '-H', f'sensor=s{agency}', data=(line + '\n').encode())
        self.wait('event', lambda: (self.metric('vong_correlator_records_total') or 0) > before and self.settled())

    def reload(self, outcome):
        name = 'vong_correlator_reloads_total{outcome="%s"}' % outcome
        before = self.metric(name)
        if not self.by_files:
            for process in self.processes:
                process.send_signal(signal.SIGHUP)
        self.wait('reload ' + outcome, lambda: (self.metric(name) or 0) >= before + self.members)

    def told(self, recipient='G02'):
        out = self.kcat('-C', '-t', f'vong.incidents.{recipient}', '-o', 'beginning', '-e', '-X', 'isolation.level=read_committed', '-f', '%s\n').decode()
        return out.splitlines()

    def kill(self):
        self.kill_all()
        self.start()

    def kill_all(self):
        for process in self.processes:
            process.kill()
            process.wait()

    def change_rules(self, text, how):
        if how == 'restarted':
            return self.restart_with_other_rules(text)
        self.write(text)
        self.reload('done')

    def restart_with_other_rules(self, text):
        self.stop()
        self.write(text)
        self.start()
        self.wait('the start with other rules', lambda: (self.metric('vong_correlator_reloads_total{outcome="done"}') or 0) == 1)

    def go(self, how):
        self.start()
        self.wait('topics', lambda: b'"vong.dead-letter"' in self.kcat('-L') and b'"vong.incidents.G02"' in self.kcat('-L'))
        self.wait('page', lambda: self.metric('vong_correlator_records_total') is not None)
        return self.campaigns(how) if self.what == 'campaigns' else self.sequences(how)

    def campaigns(self, how):
        """One campaign on incidents of both rules, one on those of the rule that goes."""
        latest = lambda: {i['key'].get('source') or str(i['key']): i for i in map(json.loads, self.told('national')) if i['kind'] == 'campaign'}
        for second, (sid, agency, source) in enumerate([(2, 2, 1), (2, 3, 1), (1, 4, 1), (1, 2, 2), (1, 3, 2), (1, 4, 2), (2, 5, 1)]):
            self.event(second, sid, agency, source)
        self.wait('campaigns', lambda: len(latest()) == 2)
        before = latest()
        stands, falls = sorted(before)
        assert before[stands]['match_count'] == 2, before[stands]
        self.change_rules(Q, how)
        self.wait('closed', lambda: latest()[falls]['status'] == 'closed')
        assert latest()[falls]['timeline'][-1]['value'] == 'rule_gone', latest()[falls]
        if how == 'killed':
            self.kill()
        self.event(10, 2, 2, 1)
        self.wait('growth', lambda: latest()[stands]['match_count'] == 2)
        after = latest()
        assert sorted(after) == sorted(before), after
        assert after[stands]['incident_id'] == before[stands]['incident_id'] and after[stands]['status'] == 'updated', after[stands]
        assert sorted(v['agency'] for v in after[stands]['victims']) == ['G02', 'G03', 'G05'], after[stands]
        self.stop()
        return sorted({json.loads(v)['incident_id']: v for v in self.told('national')}.values())

    def sequences(self, how):
        killed = how == 'killed'
        self.event(0, 1)
        self.write(rules('1h') + 'title: broken\nname: broken\nlogsource: {category: alert}\ndetection: {s: {a: 1}, condition: s and nobody}\n')
        self.reload('refused')
        assert re.search(r'r\.yml:\d+:\d+: error: ', self.log()), self.log()
        self.change_rules(rules('2h'), how)
        if self.way == 'single' or how != 'restarted':  # a share's replay knows nothing of what went while nobody worked
            assert self.metric('vong_correlator_reload_dropped_total{what="keys"}') == 1, self.log()
        assert self.metric('vong_correlator_reload_dropped_total{what="incidents"}') == 1, self.log()
        if killed:
            self.kill()
        self.event(1, 2)
        of = lambda title: [v for v in self.told() if json.loads(v)['rule']['title'] == title]
        self.wait('stays', lambda: len(of('stays')) == 1)
        last = json.loads(of('goes')[-1])
        assert last['status'] == 'closed' and last['timeline'][-1].get('value') == 'rule_gone', last
        assert not of('changes'), of('changes')
        if killed:
            self.kill()
        self.event(60, 1)
        self.event(61, 2)
        self.wait('changes', lambda: len(of('changes')) == 1)
        self.stop()
        return sorted({json.loads(v)['incident_id']: v for v in self.told()}.values())


def run(mode, how):
    work = tempfile.mkdtemp(prefix='vong_reload_')
    one = Run(work, mode)
    broker = [os.path.join(root, 'deploy/kafka/broker')]
    try:
        started = subprocess.run(broker + ['start', work + '/kafka', str(one.port)])
        if started.returncode == 77 or not shutil.which('kcat'):
            sys.exit(77)
        started.check_returncode()
        return one.go(how)
    except AssertionError:
        print(f'{mode}, {how}:\n{one.log()[-6000:]}')
        raise
    finally:
        one.kill_all()
        subprocess.run(broker + ['stop', work + '/kafka'])
        shutil.rmtree(work, ignore_errors=True)


def compare(told, wanted, title):
    if told == wanted:
        return
    print(f'{title}: {len(told)} records instead of {len(wanted)}')
    for line in sorted(set(wanted) ^ set(told)):
        print(('missing ' if line in wanted else 'unexpected ') + line)
    sys.exit(1)


of_one = {}
for mode in sys.argv[3:] or [f'{what}-{way}' for what in ('sequences', 'campaigns') for way in ('single', 'divided', 'three')]:
    undisturbed = run(mode, 'undisturbed')
    for how in ('killed', 'restarted'):
        compare(run(mode, how), undisturbed, f'{mode}, {how}')
    what = mode.split('-')[0]
    compare(undisturbed, of_one.setdefault(what, undisturbed), f'{mode}, beside the first way')
    print(f'{mode}: the same {len(undisturbed)} records whatever happens')

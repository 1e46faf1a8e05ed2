#!/usr/bin/env python3
"""backtest.py VONG_CORRELATOR: rules that are in force and their successors over the same stored events. What backtest.json and the table say is
compared with what separate runs of the two rule sets write. Status 0: passed."""
import collections
import json
import os
import subprocess
import sys
import tempfile

program = sys.argv[1]
failures = []


def rule(name, sid, level='medium', title=None):
    return (f'title: {title or name}\nid: {name}\nlogsource: {{product: suricata, category: alert}}\n'
            f'detection: {{s: {{alert.signature_id: {sid}}}, condition: s}}\nlevel: {level}\n')


def guesses(threshold):
    return ('---\ntitle: guesses\nid: guesses\nname: many\nlevel: high\n'
            'correlation: {type: event_count, rules: [tries], group-by: [src_ip], timespan: 5m, condition: {gte: %d}}\n' % threshold)


def events():
    """Three sources: one guesses ten times, one four times, one once; and two alerts of a kind that only the old rules know."""
    out, t = [], 0
    for source, count in (('192.0.2.1', 10), ('192.0.2.2', 4), ('192.0.2.3', 1)):
        for _ in range(count):
            t += 7
            out.append((t, source, 1))
    out += [(t + 10, '192.0.2.9', 2), (t + 7200, '192.0.2.9', 2)]
    return [json.dumps({'timestamp': f'2026-11-20T{8 + t // 3600:02}:{t // 60 % 60:02}:{t % 60:02}.000000+0000', 'flow_id': i + 1, 'event_type': 'alert',
                        'src_ip': source, 'dest_ip': '10.0.0.1', 'alert': {'signature_id': sid, 'signature': 'x'}, 'host': 's-1'})
            for i, (t, source, sid) in enumerate(out)]


def run(out, *arguments):
    done = subprocess.run([program, '-l', out, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def incidents(folder):
    ids = collections.defaultdict(set)
    for line in open(os.path.join(folder, 'incidents.json')):
        i = json.loads(line)
        ids[i['rule']['id']].add(i['incident_id'])
    return ids


def check(what, got, wanted):
    if got != wanted:
        failures.append(f'{what}: {got!r} instead of {wanted!r}')


with tempfile.TemporaryDirectory() as work:
    path = lambda name: os.path.join(work, name)
    open(path('past.json'), 'w').write('\n'.join(events()) + '\n')
    open(path('old.yml'), 'w').write(rule('login', 1).replace('id: login', 'id: login\nname: tries') + guesses(3) + '---\n' + rule('gone', 2))
    open(path('new.yml'), 'w').write(rule('login', 1).replace('id: login', 'id: login\nname: tries') + guesses(8) +
                                     '---\n' + rule('never', 99, title='Điều chưa từng thấy'))
    status, table, errors = run(path('out'), '--in', path('past.json'), '--rules', path('new.yml'), '--backtest', '--against', path('old.yml'))
    if status != 0:
        sys.exit(f'status {status}: {errors}')
    lines = {json.loads(x)['rule']: json.loads(x) for x in open(path('out/backtest.json'))}
    check('rules', sorted(lines), ['gone', 'guesses', 'login', 'never'])
    # --- against runs of their own
    for name, rules in (('alone-new', 'new.yml'), ('alone-old', 'old.yml')):
        check(name, run(path(name), '--in', path('past.json'), '--rules', path(rules), '-q')[0], 0)
    new, old = incidents(path('alone-new')), incidents(path('alone-old'))
    check('incidents of the new rules', incidents(path('out')), new)
    check('incidents of the old rules', incidents(path('out/before')), old)
    for name, line in lines.items():
        check(f'{name}: incidents', line['incidents'], len(new[name]))
        check(f'{name}: incidents before', line['before']['incidents'], len(old[name]))
        check(f'{name}: added', line['incidents_added'], len(new[name] - old[name]))
        check(f'{name}: gone', line['incidents_gone'], len(old[name] - new[name]))
        check(f'{name}: examples', len(line['examples']), min(5, max(len(new[name]), 0) if name != 'gone' else len(old[name])))
    # --- what the events say by themselves
    check('login: matches', (lines['login']['matches'], lines['login']['before']['matches']), (15, 15))
    check('guesses: matches', (lines['guesses']['matches'], lines['guesses']['before']['matches']), (3, 10))
    check('guesses: incidents', (lines['guesses']['incidents'], lines['guesses']['before']['incidents']), (1, 2))
    check('never', (lines['never']['matches'], lines['never']['incidents'], lines['never']['only']), (0, 0, 'now'))
    check('gone', (lines['gone']['matches'], lines['gone']['before']['matches'], lines['gone']['only']), (0, 2, 'before'))
    check('agencies', lines['guesses']['agencies'], {'LOCAL': 1})
    rows = table.splitlines()
    check('table', len(rows), 2 + 4)
    check('widths', len({len(r.split('  only')[0]) for r in rows[2:]}), 1)
    # --- one rule set alone, from a pipe, quiet; and what cannot be
    with open(path('past.json')) as past:
        done = subprocess.run([program, '--in', '-', '--rules', path('new.yml'), '--backtest', '-q', '-l', path('pipe')], stdin=past, stdout=subprocess.PIPE, timeout=120)
    check('pipe', (done.returncode, done.stdout), (0, b''))
    check('pipe: no comparison', {'before' in json.loads(x) for x in open(path('pipe/backtest.json'))}, {False})
    check('a pipe twice', run(path('no'), '--in', '-', '--rules', path('new.yml'), '--backtest', '--against', path('old.yml'))[0], 2)
    check('against without a backtest', run(path('no'), '--in', path('past.json'), '--rules', path('new.yml'), '--against', path('old.yml'))[0], 2)
    check('a backtest of the future', run(path('no'), '--rules', path('new.yml'), '--backtest')[0], 2)
for failure in failures:
    print(failure)
print(table if failures else '')
sys.exit(1 if failures else 0)

#!/usr/bin/env python3
"""sigma_twin.py VONG_CORRELATOR [SEED]: sigma/rules.yml over events made at random from values that nearly match, run by the correlator
and by sigma/evaluator.py. Every match of every rule must be the same. Status 0: passed."""
import base64
import collections
import datetime
import json
import os
import random
import subprocess
import sys
import tempfile

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, 'sigma'))
import evaluator  # noqa: E402

program = sys.argv[1]
r = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
PLACEHOLDERS = {'host': ['www', 'mail'], 'zone': ['example.org', 'example.net']}
T0 = datetime.datetime(2026, 11, 20, 20, 0, 0)


def b64(text, offset):
    return base64.b64encode(b'abc'[:offset] + text).decode()


def some(*values):
    """One of the values, or nothing."""
    return r.choice(values) if r.random() < 0.8 else None


def payloads():
    yield from (b64(b'secret password', 0), b64(b'secret passwort', 0))
    for offset in range(3):
        yield b64(b'whoami /all; id', offset)
        yield b64('powershell -x'.encode('utf-16-le'), offset)
    yield b64('hello'.encode('utf-16-be'), 0)
    yield b64(b'nothing here', 1)


PAYLOADS = list(payloads())


def http():
    return {'hostname': some('example.org', 'EXAMPLE.ORG', 'shop.example.vn', 'example.orgs', 'www.example.org', 'mail.example.net', 'quiet.example.org',
                             'www.example.com', 'shop.example.quiet'),
            'url': some('/admin', '/cgi-bin/a.sh', '/cgi-bin/a.py', '/x/login?admin=1', '/abc/def', '/abc', '/star*', '/starx', '/back\\slash', '/user/17',
                        '/user/17x', '/q?select a from b', '/%24%7Bjndi:ldap', '/ADMIN/LOGIN'),
            'http_method': some('GET', 'get', 'POST', 'PUT'),
            'http_user_agent': some('curl/8\nsecond tail', 'CURL tail', 'first\nsecond', 'wget', 'x1y--z'),
            'http_refer': some('http://example.org/a', 'http://www.example.com/')}


def event(i, at):
    kind = r.choice(['alert', 'alert', 'alert', 'http', 'dns', 'tls', 'flow', 'flow'])
    e = {'timestamp': at.strftime('%Y-%m-%dT%H:%M:%S.%f+0000'), 'flow_id': i + 1, 'event_type': kind, 'host': f's{r.randrange(3)}',
         'src_ip': r.choice(['10.1.2.3', '10.1.2.4', '10.2.0.1', '2001:0db8:0000:0000:0000:0000:0000:0007']),
         'dest_ip': r.choice(['192.168.1.1', '192.0.2.1', '192.0.2.2', '10.1.2.3', '198.51.100.4']), 'dest_port': r.choice([22, 443, 3389, 1024, 4999, 5000, 80]),
         'proto': r.choice(['TCP', 'UDP', 'tcp'])}
    if kind == 'alert':
        e['alert'] = {'signature': r.choice(['login', 'scan', 'exploit', 'LOGIN', 'other'])}
        e['payload'] = some(*PAYLOADS)
        e['payload_printable'] = some('p -enc x', 'p /enc x', 'p \u2013enc x', 'p enc x', 'p x-enc y')
    elif kind == 'http':
        e['http'] = {k: v for k, v in http().items() if v is not None}
        if r.random() < 0.3:
            e['tls'] = {'sni': 'Example.org'}
    elif kind == 'dns':
        e['dns'] = {'rrname': r.choice(['a.bad.example', 'own.bad.example', 'good.example', 'A.BAD.EXAMPLE'])}
    elif kind == 'tls':
        e['tls'] = {k: v for k, v in {'sni': some('www.example.org', 'other.test'), 'version': r.choice(['TLS 1.3', None, 'TLS 1.2'])}.items()
                    if k == 'version' or v is not None}
    else:
        e['flow'] = {'bytes_toserver': r.choice([10, 9, 11, 100, 200, 900, 901, 1500, 2400, 999.5])}
    e = {k: v for k, v in e.items() if v is not None}
    foreign = r.random()
    if kind in ('dns', 'tls', 'flow') and foreign < 0.3:
        e = as_zeek(e)
    elif kind in ('dns', 'flow') and foreign < 0.5:
        e = as_ecs(e)
    return e


def as_zeek(e):
    z = {'ts': e['timestamp'], 'timestamp': e['timestamp'], 'flow_id': e['flow_id'], 'host': e['host'], 'id.orig_h': e['src_ip'], 'id.resp_h': e['dest_ip'],
         'proto': e['proto'], '_path': {'dns': 'dns', 'tls': 'ssl', 'flow': 'conn'}[e['event_type']]}
    if 'dns' in e:
        z['query'] = e['dns']['rrname']
    if 'tls' in e:
        z['tls'] = e['tls']
    if 'flow' in e:
        z['flow'] = e['flow']
    return z


def as_ecs(e):
    z = {'@timestamp': e['timestamp'], 'timestamp': e['timestamp'], 'flow_id': e['flow_id'], 'host': e['host'], 'source': {'ip': e['src_ip']},
         'destination.ip': e['dest_ip'], 'event': {'dataset': e['event_type']}}
    if 'dns' in e:
        z['dns'] = {'question': {'name': e['dns']['rrname']}}
    if 'flow' in e:
        z['flow'] = e['flow']
    return z


def make_events(n):
    at, out = T0, []
    for i in range(n):
        at += datetime.timedelta(seconds=r.choice([1, 5, 10, 20, 60]), microseconds=r.randrange(1000))
        out.append(event(i, at))
    return out


def expected(events):
    detections, correlations, filters = evaluator.load(os.path.join(here, 'sigma', 'rules.yml'))
    used = {n for c in correlations for n in c['correlation']['rules']}
    result, facts = collections.Counter(), []
    for e in events:
        line = json.dumps(e, ensure_ascii=False)
        matched = {d['name'] for d in detections if evaluator.matches(d, filters, e, line, PLACEHOLDERS)}
        at = datetime.datetime.fromisoformat(e['timestamp'][:26])
        facts.append(((at - T0).total_seconds(), e, matched))
        for d in detections:
            if d['name'] in matched and d['name'] not in used:
                result[d['title'], (str(e['flow_id']),)] += 1
    for c in correlations:
        for key, _ in evaluator.correlate(c, facts):
            result[c['title'], key] += 1
    return result


def actual(events, work):
    with open(os.path.join(work, 'events.json'), 'w') as f:
        for e in events:
            f.write(json.dumps(e, ensure_ascii=False) + '\n')
    with open(os.path.join(work, 'c.yaml'), 'w') as f:
        json.dump({'placeholders': PLACEHOLDERS, 'campaign': {'enabled': False}}, f)
    done = subprocess.run([program, '-q', '-c', os.path.join(work, 'c.yaml'), '--in', os.path.join(work, 'events.json'), '--rules',
                           os.path.join(here, 'sigma', 'rules.yml'), '-l', os.path.join(work, 'out')],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
    if done.returncode != 0 or 'error' in done.stderr:
        sys.exit(f'status {done.returncode}: {done.stderr}')
    result = collections.Counter()
    for line in open(os.path.join(work, 'out', 'incidents.json')):
        i = json.loads(line)
        result[i['rule']['title'], tuple(i['key'].values())] += i['match_count']
    if os.path.getsize(os.path.join(work, 'out', 'dead-letter.json')):
        sys.exit('events were refused: ' + open(os.path.join(work, 'out', 'dead-letter.json')).read()[:1000])
    return result


with tempfile.TemporaryDirectory() as folder:
    made = make_events(2500)
    want, got = expected(made), actual(made, folder)
by_id = {str(e['flow_id']): e for e in made}
wrong = [k for k in sorted(set(want) | set(got)) if want[k] != got[k]]
for title, key in wrong[:20]:
    print(f'{title} {key}: the evaluator says {want[title, key]}, the correlator {got[title, key]}: {json.dumps(by_id.get(key[0]))}')
fired = collections.Counter()
for (title, _), n in want.items():
    fired[title] += n
silent = [d['title'] for kind in evaluator.load(os.path.join(here, 'sigma', 'rules.yml'))[:2] for d in kind
          if not fired[d['title']] and not d.get('name', '').startswith('f_')]
if silent:
    print('no event matches:', ', '.join(silent))
print(f'{len(made)} events, {sum(want.values())} matches of {len(fired)} rules, {len(wrong)} differences')
sys.exit(1 if wrong or silent else 0)

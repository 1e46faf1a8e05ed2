#!/usr/bin/env python3
"""run_case.py VONG_CORRELATOR CASE SCHEMA: one case of tests/streams (README.md). Status 0: passed."""
import json
import os
import random
import subprocess
import sys
import tempfile

import jsonschema

program, case, schema_file = sys.argv[1:4]
root = os.path.abspath(os.path.join(os.path.dirname(__file__), '..', '..'))
failures = []


def rules_of():
    path = os.path.join(case, 'rules.path')
    return os.path.join(root, open(path).read().strip()) if os.path.exists(path) else os.path.join(case, 'rules')


def run(events, out, *words):
    command = [program, '--in', events, '--rules', rules_of(), '-l', out, '--per-recipient', '-q', *words]
    more = os.path.join(case, 'arguments')  # words with {case} for the folder
    if os.path.exists(more):
        command += open(more).read().replace('{case}', case).split()
    agencies = os.path.join(case, 'agencies.yaml')
    if os.path.exists(agencies):
        command += ['--agencies', agencies]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=120)
    if done.returncode != 0:
        sys.exit(f'status {done.returncode}: {done.stderr.decode()}')
    files = {}
    for folder, _, names in os.walk(out):
        for name in names:
            with open(os.path.join(folder, name), 'rb') as f:
                files[os.path.relpath(os.path.join(folder, name), out)] = f.read()
    return files


def shuffled(lines, seed):
    """Another interleaving of the sensors; each sensor's own order stays."""
    queues = {}
    for line in lines:
        try:
            sensor = json.loads(line).get('host', '')
        except (ValueError, AttributeError):
            sensor = ''
        queues.setdefault(sensor, []).append(line)
    pick, out = random.Random(seed), []
    while queues:
        sensor = pick.choice(sorted(queues))
        out.append(queues[sensor].pop(0))
        if not queues[sensor]:
            del queues[sensor]
    return out


def differs(wanted, got):
    for field, value in wanted.items():
        if field == 'evidence':
            if len(got.get('evidence', [])) != value:
                return f'{len(got.get("evidence", []))} pieces of evidence instead of {value}'
        elif field == 'latency_us':  # of the newest piece of evidence
            if got['evidence'][-1].get('latency_us') != value:
                return f'latency {got["evidence"][-1].get("latency_us")} instead of {value}'
        elif field == 'rule':
            if got['rule']['title'] != value:
                return f'rule {got["rule"]["title"]!r} instead of {value!r}'
        elif got.get(field) != value:
            return f'{field} {got.get(field)!r} instead of {value!r}'
    return None


with tempfile.TemporaryDirectory() as work:
    events = os.path.join(case, 'events.json')
    first = run(events, os.path.join(work, 'first'))
    expected = json.load(open(os.path.join(case, 'expected.json')))
    validator = jsonschema.Draft202012Validator(json.load(open(schema_file)))
    for name, wanted_list in expected['incidents'].items():
        got = [json.loads(line) for line in first[name].splitlines()]
        for incident in got:
            failures += [f'{name}: schema: {e.message}' for e in validator.iter_errors(incident)]
        for wanted in wanted_list:
            reasons = [differs(wanted, g) for g in got]
            if None in reasons:
                got.pop(reasons.index(None))
            else:
                failures.append(f'{name}: not found: {wanted}: ' + '; '.join(r for r in reasons if r))
        failures += [f'{name}: not expected: {g["rule"]["title"]} {g["key"]} matches {g["match_count"]} events {g["event_count"]}' for g in got]
    warning_schema = os.path.join(os.path.dirname(schema_file), 'warning.schema.json')
    warnings = jsonschema.Draft202012Validator(json.load(open(warning_schema)))
    for line in first['warnings.json'].splitlines():
        failures += [f'warnings.json: schema: {e.message}' for e in warnings.iter_errors(json.loads(line))]
    coverage_schema = jsonschema.Draft202012Validator(json.load(open(os.path.join(os.path.dirname(schema_file), 'coverage.schema.json'))))
    coverage = [json.loads(line) for line in first['coverage.json'].splitlines()]
    for record in coverage:
        failures += [f'coverage.json: schema: {e.message}' for e in coverage_schema.iter_errors(record)]
    wanted_last = expected.get('coverage', [])  # the last records, fields that matter
    for wanted, got in zip(wanted_last, coverage[len(coverage) - len(wanted_last):] or [{}] * len(wanted_last)):
        failures += [f'coverage.json: {k} {got.get(k)!r} instead of {v!r}' for k, v in wanted.items() if got.get(k) != v]
    for wanted in expected.get('warning_rules', []):
        if wanted not in first['warnings.rules'].decode():
            failures.append(f'warnings.rules: not found: {wanted}')
    for secret in expected.get('secrets', []):  # of one agency: nobody else may read them
        owner, text = secret['agency'], secret['text'].encode()
        failures += [f'{name}: holds {secret["text"]} of {owner}' for name, data in first.items()
                     if text in data and name not in ('incidents.json', f'{owner}/incidents.json')]
    dead = first['dead-letter.json'].splitlines()
    if [json.loads(d)['reason'] for d in dead] != expected.get('dead_letters', []):
        failures.append(f'dead letters: {[json.loads(d)["reason"] for d in dead]}')
    lines = open(events, 'rb').read().splitlines()
    two = run(events, os.path.join(work, 'two'), '--threads', '2')
    failures += [f'{name}: two threads give other bytes than one' for name in first if first[name] != two[name]]
    for seed in range(3):
        mixed = os.path.join(work, f'mixed{seed}.json')
        with open(mixed, 'wb') as f:
            f.write(b'\n'.join(shuffled(lines, seed)) + b'\n')
        again = run(mixed, os.path.join(work, f'out{seed}'))
        for name in first:
            if name != 'dead-letter.json' and first[name] != again[name]:
                failures.append(f'{name}: another order of the sensors gives other bytes (seed {seed})')
for failure in failures:
    print(failure)
sys.exit(1 if failures else 0)

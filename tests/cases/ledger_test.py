#!/usr/bin/python3
"""ledger_test.py VONG_SENSOR ROOT: the loss ledger of every capture of the tree balances and fits its schema; a ledger that was changed,
shortened or mixed up is found out at the right line; eve.json is the same with and without it."""
import glob
import json
import os
import subprocess
import sys
import tempfile

import jsonschema

sensor, root = sys.argv[1:3]
rules = os.path.join(root, 'rules/packs/network/vong-core.rules')
schema = json.load(open(os.path.join(root, 'events/schema/ledger.schema.json')))
problems = []


def run(folder, capture, *more):
    subprocess.run([sensor, '-q', '-r', capture, '-S', rules, '-l', folder, '--set', 'sensor-name=s1', *more], check=True, stderr=subprocess.DEVNULL)


def verify(*files):
    done = subprocess.run([sensor, 'ledger', 'verify', *files], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def expect(what, got, status, text=''):
    if got[0] != status or text not in got[1]:
        problems.append(f'{what}: status {got[0]} instead of {status}, or "{text}" is not in: {got[1].strip()}')


with tempfile.TemporaryDirectory() as top:
    captures = sorted(glob.glob(os.path.join(root, 'pcaps/**/*.pcap'), recursive=True))
    records = 0
    for i, capture in enumerate(captures):
        folder = f'{top}/{i}'
        run(folder, capture, '--set', 'ledger.enabled=yes', '--set', 'ledger.interval=1')
        expect(capture, verify(f'{folder}/ledger.json'), 0, 'every hop balances')
        for line in open(f'{folder}/ledger.json'):
            jsonschema.validate(json.loads(line), schema)
            records += 1
    if len(captures) < 10 or records < len(captures):
        problems.append(f'only {records} records of {len(captures)} captures')

    # A second run in the same folder goes on with the chain.
    folder = f'{top}/twice'
    for _ in range(3):
        run(folder, captures[0], '--set', 'ledger.enabled=yes')
    path = f'{folder}/ledger.json'
    expect('three runs', verify(path), 0, '3 runs')
    lines = open(path).read().splitlines(True)
    eve = open(f'{folder}/eve.json').read()

    def changed(name, new):
        with open(f'{top}/{name}', 'w') as out:
            out.writelines(new)
        return verify(f'{top}/{name}')

    expect('a changed record', changed('c1', [lines[0].replace('"format":1', '"format": 1')] + lines[1:]), 1, 'c1:2: names')
    expect('a missing record', changed('c2', [lines[0]] + lines[2:]), 1, 'c2:2: is number 2 where 1 follows')
    expect('two records exchanged', changed('c3', [lines[1], lines[0], lines[2]]), 1, 'c3:2:')
    expect('half a record', changed('c4', lines[:2] + [lines[2][:100]]), 1, 'c4:3: is not one JSON object')
    expect('the middle alone', changed('c5', lines[1:]), 0, 'which is not among these')
    expect('nothing', changed('c6', []), 1)
    expect('no such file', verify(f'{top}/none'), 2)
    expect('no file', verify(), 2)

    run(f'{top}/without', captures[0])
    if os.path.exists(f'{top}/without/ledger.json'):
        problems.append('offline a ledger is written unasked')
    if open(f'{top}/without/eve.json').read() * 3 != eve:
        problems.append('eve.json is another one with the ledger')

print('\n'.join(problems) if problems else f'{records} records of {len(captures)} captures balance')
sys.exit(1 if problems else 0)

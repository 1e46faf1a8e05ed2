#!/usr/bin/python3
"""workers_test.py SENSOR ROOT: several workers on one capture say what one says, the same bytes in every run, and their ledger balances.

Left out of the comparison: alerts of rules that count over a host's connections with others, which any worker may be the first to make; the same rules
have to fire.

The capture is the project's own traffic from many networks (bench/own_traffic.py)."""
import json
import os
import re
import subprocess
import sys
import tempfile

sensor, root = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
ROUNDS = '12'
pack = os.path.join(root, 'rules/packs/network')
problems = []
with open(f'{pack}/vong-core.rules', encoding='utf-8') as rules:
    COUNTING = {int(re.search(r'\bsid:(\d+)', rule)[1]) for rule in rules if re.match(r'alert .*(threshold|detection_filter):', rule)}


def check(ok, text):
    if not ok:
        problems.append(text)


def run(capture, out, workers):
    """-> lines of eve.json, and which counting rules fired"""
    subprocess.run([sensor, '-r', capture, '-S', f'{pack}/vong-core.rules', '-k', 'none', '-q', '-l', out, '--workers', str(workers),
                    '--set', 'vars.address-groups.HOME_NET=[10.0.0.0/8,2001:db8::/32]', '--set', 'vars.address-groups.EXTERNAL_NET=any',
                    '--set', f'classification-file={pack}/classification.config', '--set', f'reference-config-file={pack}/reference.config',
                    '--set', 'ledger.enabled=yes'], check=True)
    lines, counting = [], set()
    with open(os.path.join(out, 'eve.json'), encoding='utf-8') as f:
        for line in f:
            event = json.loads(line)
            if event['event_type'] == 'alert' and event['alert']['signature_id'] in COUNTING:
                counting.add(event['alert']['signature_id'])
            elif event['event_type'] != 'stats':
                # whether a flow has alerted stands in its record
                lines.append(line.replace('"alerted":true', '"alerted":false'))
    return lines, counting


with tempfile.TemporaryDirectory() as work:
    capture = os.path.join(work, 'own.pcap')
    subprocess.run(['/usr/bin/python3', os.path.join(root, 'bench/own_traffic.py'), capture, ROUNDS], check=True)
    one, counting = run(capture, os.path.join(work, 'one'), 1)
    check(len(one) > 3000, f'only {len(one)} events: the capture tests nothing')
    check(any('"event_type":"alert"' in line for line in one), 'no alert: the rules test nothing')
    for workers in 2, 3:
        first, counted = run(capture, os.path.join(work, f'{workers}a'), workers)
        again, _ = run(capture, os.path.join(work, f'{workers}b'), workers)
        check(counting and counted == counting, f'{workers} workers: counting rules {counted}, of one worker {counting}')
        check(first == again, f'{workers} workers: two runs differ')
        missing, more = set(one) - set(first), set(first) - set(one)
        check(sorted(first) == sorted(one), f'{workers} workers: {len(missing)} events of one are missing, {len(more)} are new; {sorted(missing | more)[:2]}')
        numbers = [n for n in (json.loads(line).get('pcap_cnt') for line in first if '"event_type":"alert"' in line) if n]
        check(numbers == sorted(numbers), f'{workers} workers: alerts are not in the order of their packets')
        book = subprocess.run([sensor, 'ledger', 'verify', os.path.join(work, f'{workers}a', 'ledger.json')], capture_output=True, text=True)
        check(book.returncode == 0, f'{workers} workers: the ledger does not balance: {book.stdout}{book.stderr}')
    refused = subprocess.run([sensor, '-r', capture, '-l', work, '--workers', '100000'], capture_output=True, text=True)
    check(refused.returncode == 2 and '--workers' in refused.stderr, 'a hundred thousand workers are not refused')
print('\n'.join(problems) or 'workers: ok')
sys.exit(bool(problems))

#!/usr/bin/python3
"""check_deploy.py ROOT PART [PROGRAMS]: what is under deploy/ against other people's checkers, and against what our programs really expose.

  alerts     promtool check rules, promtool test rules; every text in English and Vietnamese
  dashboard  the dashboard is JSON, its panels have targets, ids are unique; titles in English and Vietnamese
  names      every vong_* metric in alerts and dashboards stands in docs/metrics.md
  units      systemd-analyze verify and security; PROGRAMS: the folder of the built programs, put in the place of /usr/bin

Exit status 77 where the checker is not installed.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import yaml

SKIPPED = 77


def need(program):
    if shutil.which(program) is None:
        print(f'{program} is not installed')
        sys.exit(SKIPPED)


def run(*command, cwd=None):
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    print(result.stdout + result.stderr, end='')
    return result


def check_alerts(root):
    need('promtool')
    folder = os.path.join(root, 'deploy/alerts')
    ok = run('promtool', 'check', 'rules', 'vong.yml', cwd=folder).returncode == 0
    with open(os.path.join(folder, 'vong.yml'), encoding='utf-8') as file:
        for rule in (rule for group in yaml.safe_load(file)['groups'] for rule in group['rules']):
            if set(rule['annotations']) != {'summary', 'description', 'summary_vi', 'description_vi'}:
                print(f'{rule["alert"]}: needs summary and description in English and Vietnamese')
                ok = False
    return run('promtool', 'test', 'rules', 'vong_test.yml', cwd=folder).returncode == 0 and ok


def check_dashboard(root):
    with open(os.path.join(root, 'deploy/dashboards/vong.json'), encoding='utf-8') as file:
        dashboard = json.load(file)
    panels = dashboard['panels']
    ids = [panel['id'] for panel in panels]
    problems = [f'panel id {i} twice' for i in set(ids) if ids.count(i) > 1]
    for panel in panels:
        if panel['type'] == 'row':
            continue
        problems += [f'{panel["title"]}: {what}' for what, there in
                     (('no targets', panel['targets']), ('not in two languages', all(' · ' in panel.get(k, '') for k in ('title', 'description'))), ('no unit', panel['fieldConfig']['defaults'].get('unit')),
                      ('no description', panel.get('description'))) if not there]
    print('\n'.join(problems) or f'{len(panels)} panels')
    return not problems


def check_names(root):
    def read(path):
        with open(os.path.join(root, path), encoding='utf-8') as file:
            return file.read()
    known = set(re.findall(r'^\| `(vong_\w+)`', read('docs/metrics.md'), re.M))
    problems = []
    for path in ('deploy/alerts/vong.yml', 'deploy/alerts/vong_test.yml', 'deploy/dashboards/vong.json'):
        used = set(re.findall(r'\bvong_(?:sensor|exporter|correlator)_\w+', read(path)))
        problems += [f'{path}: {name} is not in docs/metrics.md' for name in sorted(used - known)]
    print('\n'.join(problems) or f'{len(known)} metrics known')
    return not problems and bool(known)


# What the sensor calls to give up rights (sensor/confine) and to ask for its clock's state; anything that the unit forbids ends it by a signal.
NEEDED_CALLS = {'vong-sensor': {'capset', 'seccomp', 'prctl', 'landlock_create_ruleset', 'landlock_add_rule', 'landlock_restrict_self', 'adjtimex', 'clock_adjtime', 'setpriority',
                                'fork', 'clone', 'inotify_init1', 'fsync', 'mlock'}}


def calls_of(name):
    """A system call, or a set of them with the sets in it."""
    if not name.startswith('@'):
        return {name}
    lines = subprocess.run(['systemd-analyze', 'syscall-filter', name], capture_output=True, text=True, check=True).stdout.splitlines()[1:]
    return set().union(*(calls_of(line.strip()) for line in lines if line.strip() and not line.strip().startswith('#')))


def allowed_calls(unit):
    """systemd.exec: the first line begins a list of what is allowed; later ones add, with ~ they take away."""
    allowed = set()
    for line in re.findall(r'^SystemCallFilter=(.*)$', unit, re.M):
        names = set().union(*(calls_of(name) for name in line.lstrip('~').split()))
        allowed = allowed - names if line.startswith('~') else allowed | names
    return allowed


def check_units(root, programs):
    need('systemd-analyze')
    ok = True
    with tempfile.TemporaryDirectory() as folder:
        for name in ('vong-sensor', 'vong-exporter', 'vong-correlator'):
            with open(os.path.join(root, 'deploy/systemd', name + '.service'), encoding='utf-8') as file:
                unit = file.read()
            if re.search(r'^User=root|^DynamicUser=no', unit, re.M) or not re.search(r'^User=vong', unit, re.M):
                print(f'{name}: runs as root')
                ok = False
            if missing := NEEDED_CALLS.get(name, set()) - allowed_calls(unit):
                print(f'{name}: the unit forbids {", ".join(sorted(missing))}')
                ok = False
            path = os.path.join(folder, name + '.service')
            with open(path, 'w', encoding='utf-8') as file:
                file.write(unit.replace('/usr/bin/vong-', os.path.abspath(programs) + '/vong-'))
            verified = run('systemd-analyze', 'verify', '--man=no', path)
            ok = ok and verified.returncode == 0 and 'Unknown' not in verified.stderr
            security = subprocess.run(['systemd-analyze', 'security', '--offline=true', '--threshold=30', path], capture_output=True, text=True)
            print((security.stdout.strip().splitlines() or [''])[-1])
            ok = ok and security.returncode == 0
    return ok


def main():
    root, part = sys.argv[1:3]
    checks = {'alerts': check_alerts, 'dashboard': check_dashboard, 'names': check_names}
    ok = check_units(root, sys.argv[3]) if part == 'units' else checks[part](root)
    return 0 if ok else 1


if __name__ == '__main__':
    sys.exit(main())

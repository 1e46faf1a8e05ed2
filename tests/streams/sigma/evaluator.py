"""Sigma, read and evaluated once more, slowly and independently of the correlator: plain Python over dictionaries, one rule and one
event at a time, the windows of correlations counted anew at every event. Knows what rules.yml beside it uses."""
import base64
import datetime
import ipaddress
import re

import yaml

OPS = {'lt': lambda a, b: a < b, 'lte': lambda a, b: a <= b, 'gt': lambda a, b: a > b, 'gte': lambda a, b: a >= b,
       'eq': lambda a, b: a == b, 'neq': lambda a, b: a != b}
PARTS = {'minute': lambda t: t.minute, 'hour': lambda t: t.hour, 'day': lambda t: t.day, 'week': lambda t: t.isocalendar()[1],
         'month': lambda t: t.month, 'year': lambda t: t.year}
SPANS = {'s': 1, 'm': 60, 'h': 3600, 'd': 86400, 'w': 7 * 86400}
# Where an event of Zeek or in ECS has what EVE calls so.
OTHER_NAMES = {'event_type': ['_path', 'event.dataset'], 'src_ip': ['id.orig_h', 'source.ip'], 'dest_ip': ['id.resp_h', 'destination.ip'], 'dns.rrname': ['query', 'dns.question.name']}
RULE_NAMES = {'query': 'dns.rrname', 'id.orig_h': 'src_ip', 'source.ip': 'src_ip', 'destination.ip': 'dest_ip', 'dns.question.name': 'dns.rrname'}


def walk(value, parts):
    if isinstance(value, list):
        return [x for v in value for x in walk(v, parts)]
    if not parts:
        return [value]
    if not isinstance(value, dict):
        return []
    found = []
    for n in range(1, len(parts) + 1):
        name = '.'.join(parts[:n])
        if name in value:
            found += walk(value[name], parts[n:])
    return found


def values_of(event, field):
    field = RULE_NAMES.get(field, field)
    for name in [field] + OTHER_NAMES.get(field, []):
        found = walk(event, name.split('.'))
        if found:
            return found
    return []


def text(v):
    return {True: 'true', False: 'false'}[v] if isinstance(v, bool) else str(v)


def wildcard(pattern, head='', tail=''):
    out, i = '', 0
    while i < len(pattern):
        c = pattern[i]
        if c == '\\' and i + 1 < len(pattern) and pattern[i + 1] in '*?\\':
            out += re.escape(pattern[i + 1])
            i += 1
        else:
            out += {'*': '.*', '?': '.'}.get(c, re.escape(c))
        i += 1
    return head + out + tail


def encode(value, modifier):
    raw = value if isinstance(value, bytes) else value.encode()
    if modifier in ('wide', 'utf16le'):
        return [raw.decode().encode('utf-16-le')]
    if modifier == 'utf16be':
        return [raw.decode().encode('utf-16-be')]
    if modifier == 'utf16':
        return [b'\xff\xfe' + raw.decode().encode('utf-16-le')]
    if modifier == 'base64':
        return [base64.b64encode(raw)]
    return [base64.b64encode(b' ' * i + raw)[(0, 2, 3)[i]:(None, -3, -2)[(len(raw) + i) % 3]] for i in range(3)]


def dashes(value):
    return [re.sub(r'(^|(?<=[ *]))[-/]', d, value) for d in '-/–—―']


def one_value(event, field, modifiers, wanted, placeholders):
    have = values_of(event, field)
    if wanted is None:
        return all(v is None for v in have)
    if 'exists' in modifiers:
        return any(v is not None for v in have) == wanted
    have = [v for v in have if v is not None and not isinstance(v, (dict, list))]
    part = next((m for m in modifiers if m in PARTS), None)
    if part:
        have = [PARTS[part](datetime.datetime.fromisoformat(v[:19])) for v in have]
    compare = next((m for m in modifiers if m in ('lt', 'lte', 'gt', 'gte')), None)
    if compare or part:
        numbers = []
        for v in have:
            try:
                numbers.append(float(v))
            except ValueError:
                pass
        return any(OPS[compare or 'eq'](v, float(wanted)) for v in numbers)
    have = [text(v) for v in have]
    flags = 0 if 'cased' in modifiers else re.IGNORECASE
    if 'cidr' in modifiers:
        network = ipaddress.ip_network(wanted)
        return any(ipaddress.ip_address(v) in network for v in have)
    if 're' in modifiers:
        flags = 0
        for names, flag in ((('i', 'ignorecase'), re.I), (('m', 'multiline'), re.M), (('s', 'dotall'), re.S)):
            flags |= flag if set(names) & set(modifiers) else 0
        return any(re.search(wanted, v, flags) for v in have)
    if 'fieldref' in modifiers:
        texts = [re.escape(text(v)) for v in values_of(event, wanted)[:1]]
        have = have[:1]
    else:
        raw = [text(wanted)]
        for m in modifiers:
            if m == 'windash':
                raw = [d for r in raw for d in dashes(r)]
            elif m == 'expand':
                while any('%' in r for r in raw):
                    raw = [re.sub('%(.*?)%', lambda _: v, r, count=1) for r in raw for v in placeholders[re.search('%(.*?)%', r)[1]]]
            elif m in ('wide', 'utf16', 'utf16le', 'utf16be', 'base64', 'base64offset'):
                raw = [e for r in raw for e in encode(r, m)]
        texts = [re.escape(r.decode()) if isinstance(r, bytes) else wildcard(r) for r in raw]
    head = '.*' if {'contains', 'endswith'} & set(modifiers) else ''
    tail = '.*' if {'contains', 'startswith'} & set(modifiers) else ''
    return any(re.fullmatch(head + t + tail, v, flags | re.S) for t in texts for v in have)


def line(event, key, wanted, placeholders, whole):
    field, *modifiers = key.split('|')
    wanted = wanted if isinstance(wanted, list) else [wanted]
    if not field:
        found = [re.search(wildcard(text(w)), whole, re.I | re.S) is not None for w in wanted]
    else:
        found = [one_value(event, field, modifiers, w, placeholders) for w in wanted]
    result = all(found) if 'all' in modifiers else any(found)
    return result != ('neq' in modifiers)


def search(event, s, placeholders, whole):
    if isinstance(s, dict):
        return all(line(event, k, v, placeholders, whole) for k, v in s.items())
    if isinstance(s, list):
        return any(search(event, x, placeholders, whole) for x in s)
    return line(event, '', s, placeholders, whole)


def condition(expression, names):
    """`names`: name -> bool. The expression becomes Python's own."""
    def quantifier(m):
        pattern = '[^_].*' if m[2] == 'them' else m[2].replace('*', '.*')
        chosen = [names[n] for n in names if re.fullmatch(pattern, n)]
        return str(all(chosen) if m[1].lower() == 'all' else any(chosen))
    expression = re.sub(r'(?i)\b(1|any|all) of ([\w*]+)', quantifier, expression)
    tokens = re.findall(r'[()]|[\w-]+', expression)
    words = [t.lower() if t.lower() in ('and', 'or', 'not') else t if t in '()' or t in ('True', 'False') else str(names[t]) for t in tokens]
    return eval(' '.join(words))  # only words of our own making


LOGS = {'network_connection': ['flow', 'conn'], 'alert': ['alert'], 'dns': ['dns'], 'http': ['http'], 'tls': ['tls', 'ssl'], 'ssl': ['tls', 'ssl'], 'flow': ['flow', 'conn'], 'conn': ['flow', 'conn']}


def kind_of(event):
    return event.get('event_type') or event.get('_path') or event.get('event.dataset') or (event.get('event') or {}).get('dataset')


def in_log(event, logsource):
    log = logsource.get('service') or logsource.get('category')
    return not log or kind_of(event) in LOGS[log]


def detection_holds(rule, event, whole, placeholders, block='detection'):
    d = rule[block]
    names = {n: search(event, s, placeholders, whole) for n, s in d.items() if n not in ('condition', 'rules')}
    conditions = d['condition'] if isinstance(d['condition'], list) else [d['condition']]
    return any(condition(c, names) for c in conditions)


def load(path):
    rules = [r for r in yaml.safe_load_all(open(path)) if r]
    return ([r for r in rules if 'detection' in r], [r for r in rules if 'correlation' in r], [r for r in rules if 'filter' in r])


def applies(f, rule):
    wanted = f['filter']['rules']
    named = wanted == 'any' or rule.get('name') in wanted or rule.get('id') in wanted
    return named and all(rule['logsource'].get(k) == v for k, v in f['logsource'].items())


def matches(rule, filters, event, whole, placeholders):
    if not in_log(event, rule['logsource']) or not detection_holds(rule, event, whole, placeholders):
        return False
    return all(detection_holds(f, event, whole, placeholders, 'filter') for f in filters if applies(f, rule))


def seconds(span):
    return int(span[:-1]) * SPANS[span[-1]]


def correlate(rule, facts):
    """facts: [(time, event, {names of matched rules})] in order of time, at most one a rule's reference cares for. `after_match:
    restart` for all: gives [(key, time of the match)]."""
    c = rule['correlation']
    span, kind, cond = seconds(c['timespan']), c['type'], c.get('condition')
    groups, out = {}, []

    def named(event, name, matched):
        for reference, field in c.get('aliases', {}).get(name, {}).items():
            if reference in matched:
                return (values_of(event, field) or [None])[0]
        return (values_of(event, name) or [None])[0]

    for t, event, matched in facts:
        matched = [r for r in c['rules'] if r in matched]
        if not matched:
            continue
        key = tuple(named(event, g, matched) for g in c.get('group-by', []))
        fields = (cond.get('field') if isinstance(cond, dict) else None) or []
        fields = fields if isinstance(fields, list) else [fields]
        value = tuple(named(event, f, matched) for f in fields)
        if None in key or None in value:
            continue
        group = groups.setdefault(key, [])
        group.append((t, matched, value))
        window = [g for g in group if t - g[0] < span]
        if holds(kind, cond, c, window):
            out.append((tuple(map(text, key)), t))
            groups[key] = []
    return out


def ordered(window, rules):
    """Whether one event for each rule can be chosen, one after the other, the last of all being the newest."""
    at = -1
    for i, name in enumerate(rules):
        options = [k for k in range(at + 1, len(window)) if name in window[k][1]]
        if not options:
            return False
        at = options[0]
    return rules[-1] in window[-1][1]


def holds(kind, cond, c, window):
    if kind in ('temporal', 'temporal_extended'):
        names = {r: any(r in w[1] for w in window) for r in c['rules']}
        return condition(cond, names) if isinstance(cond, str) else all(names.values())
    if kind == 'temporal_ordered':
        return ordered(window, c['rules'])
    compares = [(OPS[k], v) for k, v in cond.items() if k in OPS]
    numbers = [float(w[2][0]) for w in window] if kind not in ('event_count', 'value_count') else []
    if kind == 'event_count':
        result = len(window)
    elif kind == 'value_count':
        result = len({w[2] for w in window})
    elif kind == 'value_sum':
        result = sum(numbers)
    elif kind == 'value_avg':
        result = sum(numbers) / len(numbers)
    else:
        percentile = 50 if kind == 'value_median' else cond['percentile']
        rank = max(1, -(-percentile * len(numbers) // 100))
        result = sorted(numbers)[int(rank) - 1]
    return all(op(result, v) for op, v in compares)

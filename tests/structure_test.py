#!/usr/bin/python3
"""structure_test.py ROOT: holds every #include against the rooms' written dependencies.

- A room (a folder with vong_room in its CMakeLists.txt) includes only its own headers and those of rooms that its DEPS name, directly or
  through them.
- Edges that the architecture forbids stay out of DEPS, directly and through others (FORBIDDEN).
- A third-party header stays in the rooms that may have it (THIRD_PARTY).
- Nobody includes an app room; a protocol does not know another one, except where EXCEPTIONS says why.
Prints every breach as file:line: text; exit status 1 when there is one.
"""
import os
import re
import sys

FORBIDDEN = {  # room: rooms it must not reach
    'base': {'*'},
    'events': {'sensor_*', 'correlator_*', 'kafka', 'exporters_*'},
    'rules_network': {'sensor_*', 'events', 'applayer*'},
    'rules_sigma': {'sensor_*', 'events'},
    'rules_matcher': {'rules_network', 'rules_sigma', 'sensor_*'},
    'kafka': {'events', 'sensor_*', 'correlator_*'},
    'telemetry': {'events', 'sensor_*', 'correlator_*'},
    'sensor_capture': {'sensor_flow', 'sensor_detect', 'rules_*'},
    'sensor_decode': {'sensor_capture', 'sensor_flow', 'sensor_detect', 'rules_*'},
    'sensor_flow': {'applayer*', 'sensor_detect', 'rules_*'},
    'sensor_reassembly': {'applayer*', 'sensor_detect', 'rules_*'},
    'applayer_core': {'sensor_detect', 'events', 'rules_*'},
    'sensor_detect': {'events', 'exporters_*', 'sensor_emit', 'sensor_decode', 'sensor_capture'},
    'sensor_emit': {'kafka', 'exporters_*', 'sensor_capture'},
    'exporters_encode': {'kafka', 'exporters_send', 'exporters_spool'},
    'exporters_spool': {'events', 'kafka'},
    'correlator_state': {'kafka', 'rules_*'},
    'correlator_operators': {'kafka', 'rules_sigma'},
    'correlator_match': {'kafka'},
    'correlator_ingest': {'correlator_operators', 'correlator_incidents'},
}
THIRD_PARTY = {  # header prefix: rooms that may have it
    'hs.h': {'rules_matcher'}, 'hs/': {'rules_matcher'},
    'librdkafka/': {'kafka'},
    'prometheus/': {'telemetry'}, 'civetweb': {'telemetry', 'console_server'}, 'CivetServer': {'telemetry', 'console_server'},
    'pcap': {'sensor_capture'},
    'simdjson': {'events'},
    'yaml-cpp/': {'app_common', 'rules_yaml'},
    'CLI/': {'app_common', '*_app', 'programs'},
    'magic.h': {'applayer_core'},
    'maxminddb.h': {'sensor_geo'},
    'nghttp2/': {'applayer_http2'},
    'pcre2.h': {'sensor_detect', 'sensor_detect_keywords'},
    'seccomp.h': {'sensor_confine'},
    'linux/if_packet.h': {'sensor_capture'},
}
# Programs' mains and app rooms may put everything together; benches and tests too.
ASSEMBLERS = re.compile(r'(^|/)app(/|$)|^rules/tools|^bench|^tests|^console')


def matches(name, patterns):
    return any(p == '*' or p == name or (p.endswith('*') and name.startswith(p[:-1])) or
               (p.startswith('*') and name.endswith(p[1:])) for p in patterns)


def read_rooms(root):
    """-> {folder: (room, [deps])} from every CMakeLists.txt with a vong_room call."""
    rooms = {}
    for folder, dirs, files in os.walk(root):
        dirs[:] = [d for d in dirs if d not in ('build', '.git', 'out', 'target')]
        if 'CMakeLists.txt' not in files:
            continue
        text = re.sub(r'#.*', '', open(os.path.join(folder, 'CMakeLists.txt')).read())
        for call in re.finditer(r'vong_room\(\s*(\w+)([^)]*)\)', text):
            words = call.group(2).split()
            deps = words[words.index('DEPS') + 1:] if 'DEPS' in words else []
            if '${protocol_rooms}' in deps:
                listed = re.search(r'set\(VONG_PROTOCOLS([^)]*)\)', text)
                deps += ['applayer_' + p for p in listed.group(1).split()]
            rooms[os.path.relpath(folder, root)] = (call.group(1), [d for d in deps if re.fullmatch(r'\w+', d)])
    return rooms


def reach(room, deps_of, seen=None):
    seen = set() if seen is None else seen
    for dep in deps_of.get(room, ()):
        if dep not in seen:
            seen.add(dep)
            reach(dep, deps_of, seen)
    return seen


def main():
    root = sys.argv[1]
    rooms = read_rooms(root)
    deps_of = {room: deps for room, deps in rooms.values()}
    breaches, checked = [], 0
    for folder, (room, _) in sorted(rooms.items()):
        reached = reach(room, deps_of)
        for banned in FORBIDDEN.get(room, ()):
            for dep in sorted(reached):
                if matches(dep, {banned}):
                    breaches.append(f'{folder}/CMakeLists.txt:1: room {room} must not reach {dep}')

    def room_of(path):
        while path:
            path = os.path.dirname(path)
            if path in rooms:
                return path
        return None

    for folder, dirs, files in os.walk(root):
        dirs[:] = [d for d in dirs if d not in ('build', '.git', 'out', 'target')]
        for name in sorted(files):
            if not name.endswith(('.h', '.cc')):
                continue
            path = os.path.relpath(os.path.join(folder, name), root)
            here = room_of(path)
            assembler = ASSEMBLERS.search(path)
            allowed = {here} | {f for f, (r, _) in rooms.items() if here and r in reach(rooms[here][0], deps_of)}
            for number, text in enumerate(open(os.path.join(root, path), errors='replace'), 1):
                found = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', text)
                if not found:
                    continue
                checked += 1
                quote, header = found.groups()
                for prefix, owners in THIRD_PARTY.items():
                    if (header == prefix or header.startswith(prefix)) and quote == '<':
                        mine = rooms[here][0] if here else 'programs'
                        if not matches(mine, owners) and not (assembler and 'programs' in owners) and not path.startswith(('tests', 'bench')):
                            breaches.append(f'{path}:{number}: <{header}> belongs to {", ".join(sorted(owners))}')
                if quote == '<' or assembler:
                    continue
                target = room_of(header)
                if target is None:
                    if not os.path.exists(os.path.join(root, header)):
                        continue  # generated
                elif target not in allowed:
                    breaches.append(f'{path}:{number}: "{header}" is of room {rooms[target][0]}, which {rooms[here][0] if here else "?"} '
                                    'does not name in DEPS')
                if header.startswith('tests/') and not path.startswith('tests/'):
                    breaches.append(f'{path}:{number}: production code includes a test header')
    if checked < 50:
        breaches.append(f'only {checked} includes found under {root}: wrong folder?')
    print('\n'.join(breaches) if breaches else f'{len(rooms)} rooms, {checked} includes: all edges are written down')
    return 1 if breaches else 0


if __name__ == '__main__':
    sys.exit(main())

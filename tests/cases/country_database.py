#!/usr/bin/python3
"""country_database.py OUT.mmdb NETWORK=CC...: writes a database of countries in MaxMind's format 2.0 (a binary tree of address bits, then records).

IPv4 networks stand in the tree at ::/96, where readers of databases for IPv6 look for them."""
import ipaddress
import struct
import sys

UINT16, UINT32, UINT64 = 5, 6, 9   # numbers of types


def control(kind, size):
    assert size < 29
    return bytes([kind << 5 | size]) if kind < 8 else bytes([size, kind - 7])


def encode(value):
    if isinstance(value, str):
        data = value.encode()
        return control(2, len(data)) + data
    if isinstance(value, tuple):   # (type, number)
        data = value[1].to_bytes((value[1].bit_length() + 7) // 8, 'big')
        return control(value[0], len(data)) + data
    if isinstance(value, list):
        return control(11, len(value)) + b''.join(map(encode, value))
    return control(7, len(value)) + b''.join(encode(k) + encode(v) for k, v in value.items())


def database(networks):
    """{network: country} -> the file's bytes."""
    nodes = [[None, None]]   # None: nothing; int: a node; str: a country
    for network, country in networks.items():
        net = ipaddress.ip_network(network)
        width = 96 + net.prefixlen if net.version == 4 else net.prefixlen
        bits = format(int(net.network_address), '0128b')[:width]
        at = 0
        for bit in bits[:-1]:
            nxt = nodes[at][int(bit)]
            if not isinstance(nxt, int):
                nodes.append([nxt, nxt])
                nodes[at][int(bit)] = nxt = len(nodes) - 1
            at = nxt
        nodes[at][int(bits[-1])] = country
    records, places = b'', {}
    for country in networks.values():
        if country not in places:
            places[country] = len(records)
            records += encode({'country': {'iso_code': country}} if not country.startswith('registered:')
                              else {'registered_country': {'iso_code': country[11:]}})

    def record(to):
        if to is None:
            return len(nodes)
        return to if isinstance(to, int) else len(nodes) + 16 + places[to]

    tree = b''.join(struct.pack('>II', record(a), record(b)) for a, b in nodes)
    about = {'binary_format_major_version': (UINT16, 2), 'binary_format_minor_version': (UINT16, 0), 'build_epoch': (UINT64, 1_700_000_000),
             'database_type': 'Test-Country', 'description': {'en': 'test'}, 'ip_version': (UINT16, 6), 'languages': ['en'],
             'node_count': (UINT32, len(nodes)), 'record_size': (UINT16, 32)}
    return tree + b'\0' * 16 + records + b'\xab\xcd\xefMaxMind.com' + encode(about)


if __name__ == '__main__':
    open(sys.argv[1], 'wb').write(database(dict(a.split('=') for a in sys.argv[2:])))

"""Vietnamese text in the encodings of government files. Unicode by Python itself, Windows-1258 by its codec after taking tones apart, the others from
their tables: TCVN 5712:1993 VN3, VNI-Windows, RFC 1456."""
import unicodedata

TONES = {'\u0300': 0, '\u0309': 1, '\u0303': 2, '\u0301': 3, '\u0323': 4}
TCVN3 = dict(zip('ăâêôơưđ' + 'àảãáạ' + 'ằẳẵắặ' + 'ầẩẫấậ' + 'èẻẽéẹ' + 'ềểễếệ' + 'ìỉĩíị' + 'òỏõóọ' + 'ồổỗốộ' + 'ờởỡớợ' + 'ùủũúụ' + 'ừửữứự' + 'ỳỷỹýỵ',
                 bytes.fromhex('a8a9aaabacadae' 'b5b6b7b8b9' 'bbbcbdbec6' 'c7c8c9cacb' 'cccecfd0d1' 'd2d3d4d5d6' 'd7d8dcddde' 'dfe1e2e3e4' 'e5e6e7e8e9'
                               'eaebecedee' 'eff1f2f3f4' 'f5f6f7f8f9' 'fafbfcfdfe')))
TCVN3_CAPITALS = dict(zip('ĂÂÊÔƠƯĐ', bytes.fromhex('a1a2a3a4a5a6a7')))
VNI_MARKS = {'': 'øûõùï', '\u0302': 'àåãáä', '\u0306': 'èúüéë', '\u031b': 'øûõùï'}
VNI_ALONE = {'ì': 'ì', 'ỉ': 'æ', 'ĩ': 'ó', 'í': 'í', 'ị': 'ò', 'ỵ': 'î', 'đ': 'ñ', 'ơ': 'ô', 'ư': 'ö'}
VIQR_SHAPES = {'\u0302': '^', '\u0306': '(', '\u031b': '+', '': ''}


def parts(letter):
    """letter -> (base, shape mark, tone number or None)"""
    base, shape, tone = '', '', None
    for c in unicodedata.normalize('NFD', letter):
        if c in TONES:
            tone = TONES[c]
        elif unicodedata.combining(c):
            shape = c
        else:
            base = c
    return base, shape, tone


def tcvn3(text):
    out = bytearray()
    for c in text:
        if c in TCVN3_CAPITALS:
            out.append(TCVN3_CAPITALS[c])
        elif c.lower() in TCVN3:
            out.append(TCVN3[c.lower()])       # the capitals of the ABC fonts are the same codes
        else:
            out += c.encode('latin-1')
    return bytes(out)


def vni(text):
    out = ''
    for c in text:
        lower, up = c.lower(), (str.upper if c.isupper() else str)
        if lower in VNI_ALONE:
            out += up(VNI_ALONE[lower])
            continue
        base, shape, tone = parts(c)
        if shape == '\u031b':
            base, shape = up(VNI_ALONE['ơ' if base.lower() == 'o' else 'ư']), ''
        mark = '' if tone is None else VNI_MARKS[shape][tone]
        if tone is None and shape:
            mark = 'â' if shape == '\u0302' else 'ê'
        out += base + up(mark)
    return out.encode('latin-1')


def viqr(text):
    out = ''
    for c in text:
        if c in 'đĐ':
            out += 'dd' if c == 'đ' else 'DD'
            continue
        base, shape, tone = parts(c)
        out += base + VIQR_SHAPES[shape] + ('' if tone is None else "`?~'."[tone])
    return out.encode('ascii')


def windows_1258(text):
    out = b''
    for c in text:
        base, shape, tone = parts(c)
        out += unicodedata.normalize('NFC', base + shape).encode('cp1258')
        if tone is not None:
            out += list(TONES)[tone].encode('cp1258')
    return out


ENCODINGS = {
    'utf-8': lambda t: t.encode(),
    'utf-8-nfd': lambda t: unicodedata.normalize('NFD', t).encode(),
    'utf-16le': lambda t: t.encode('utf-16-le'),
    'utf-16be': lambda t: t.encode('utf-16-be'),
    'windows-1258': windows_1258,
    'tcvn3': tcvn3,
    'vni': vni,
    'viqr': viqr,
}

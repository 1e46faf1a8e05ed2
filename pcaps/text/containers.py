"""A text put into what carries documents: plain bytes on a connection, an HTTP upload, a mail attachment, office files."""
import base64
import io
import zipfile

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from build import http_request, http_response


def office(entries):
    """A ZIP container, the same bytes each time."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as z:
        for name, content in entries:
            z.writestr(zipfile.ZipInfo(name, (2026, 1, 2, 3, 4, 6)), content, compress_type=zipfile.ZIP_DEFLATED)
    return out.getvalue()


def runs(line):
    """A line cut into runs in the middle of its words, as word processors do."""
    return ''.join(f'<w:r><w:rPr><w:b/></w:rPr><w:t xml:space="preserve">{line[i:i + 3]}</w:t></w:r>' for i in range(0, len(line), 3))


def docx(text):
    body = ''.join(f'<w:p><w:pPr><w:jc w:val="center"/></w:pPr>{runs(line)}</w:p>' for line in text.split('\n'))
    return office([('[Content_Types].xml', '<Types/>'), ('word/styles.xml', '<w:styles/>' * 50),
                   ('word/document.xml', f'<?xml version="1.0" encoding="UTF-8"?><w:document><w:body>{body}</w:body></w:document>')])


def odt(text):
    body = ''.join(f'<text:p text:style-name="P1"><text:span>{line[:4]}</text:span>{line[4:]}</text:p>' for line in text.split('\n'))
    return office([('mimetype', 'application/vnd.oasis.opendocument.text'),
                   ('content.xml', f'<?xml version="1.0"?><office:document-content><office:body>{body}</office:body></office:document-content>')])


def plain(c, data):
    with c.tcp('10.20.1.15', '198.51.100.77', 4444) as s:
        s.client(data)


def upload(c, data, name='cong-van.txt'):
    body = (b'--XyZ\r\nContent-Disposition: form-data; name="f"; filename="' + name.encode() +
            b'"\r\nContent-Type: application/octet-stream\r\n\r\n' + data + b'\r\n--XyZ--\r\n')
    with c.tcp('10.20.1.15', '198.51.100.77', 80) as s:
        s.client(http_request('POST', '/upload', 'files.example.net', ['Content-Type: multipart/form-data; boundary=XyZ'], body))
        s.server(http_response(b'ok'))


def mail(c, data, name='cong-van.txt'):
    text = ('From: canbo@example.gov.vn\r\nTo: someone@example.net\r\nSubject: tai lieu\r\nMIME-Version: 1.0\r\n'
            'Content-Type: multipart/mixed; boundary="b1"\r\n\r\n--b1\r\nContent-Type: text/plain\r\n\r\nxem tep\r\n--b1\r\n'
            f'Content-Type: application/octet-stream; name="{name}"\r\nContent-Transfer-Encoding: base64\r\n'
            f'Content-Disposition: attachment; filename="{name}"\r\n\r\n').encode() + base64.encodebytes(data).replace(b'\n', b'\r\n') + b'--b1--\r\n.\r\n'
    with c.tcp('10.20.1.15', '198.51.100.25', 25) as s:
        s.server(b'220 mx.example.net ESMTP\r\n')
        for line, answer in ((b'EHLO mail.example.gov.vn\r\n', b'250 mx.example.net\r\n'), (b'MAIL FROM:<canbo@example.gov.vn>\r\n', b'250 ok\r\n'),
                             (b'RCPT TO:<someone@example.net>\r\n', b'250 ok\r\n'), (b'DATA\r\n', b'354 go on\r\n'), (text, b'250 queued\r\n'),
                             (b'QUIT\r\n', b'221 bye\r\n')):
            s.client(line)
            s.server(answer)

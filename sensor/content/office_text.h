// The text of an office document: what a reader sees of the XML inside an OOXML (ECMA-376) or OpenDocument (ISO/IEC 26300) container.
//
// The container is read from its beginning by its local headers (APPNOTE.TXT 4.3), not by its directory at the end, so a document that is
// still on its way gives the text that has come. Runs of one paragraph join (a word processor cuts words wherever formatting or
// spelling marks change); paragraphs, cells and breaks end a line. Bounds: limits.h.
#pragma once

#include <string>

#include "base/bytes.h"

namespace vong::content {

struct OfficeTextReport {
  bool is_container = false;      // begins as a ZIP file does
  bool limit_reached = false;     // text or entries were left out
  bool broken = false;            // a compressed entry could not be unpacked to its end (also when the file is not complete)
};

// Appends the text to `out` in UTF-8, lines ended by '\n'. Work: linear in the input and in what the limits let it unpack.
OfficeTextReport office_text(Bytes file, std::string& out);

}  // namespace vong::content

// BODYSTRUCTURE and BODY (RFC 9051 7.5.2, RFC 3501 7.4.2): what the parts of a message are, told by
// the server before a client fetches one by itself. Of each part the header fields are made that it
// has in the message: with them in front, a part
// (`BODY[2]`) reads as a mail.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vong::imap {

struct PartHeader {
  std::string section;  // "2", "2.1", "TEXT" (all behind the message's own header)
  std::string fields;   // "Content-Type: ...\r\n...\r\n\r\n"
};

// The parts named by all structures in a line of the server's, without its end. What cannot be
// read, or goes beyond a limit, ends the list: what came before it stays.
[[nodiscard]] std::vector<PartHeader> read_structures(std::string_view line);

}  // namespace vong::imap

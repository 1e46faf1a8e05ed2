#include "sensor/applayer/imap/protocol.h"

#include <array>

namespace vong::imap {

using applayer::AppProto;
using applayer::ProbePattern;
using applayer::ProtocolDef;

namespace {

constexpr ProbePattern untagged(std::string_view bytes) { return {.bytes = bytes, .nocase = true, .direction = Direction::kToClient}; }

// The greeting and other untagged responses (RFC 9051 7), and what clients commonly begin with.
constexpr std::array kPatterns = {
    untagged("* OK "), untagged("* NO "), untagged("* BAD "), untagged("* LIST "), untagged("* FLAGS "), untagged("* STATUS "),
    untagged("* ESEARCH "),
    ProbePattern{
        .bytes = "1 capability", .nocase = true, .within = 16, .direction = Direction::kToServer},
};

}  // namespace

const ProtocolDef kImapProtocol = {
    .id = AppProto::kImap,
    .name = "imap",
    .rule_alias = {},
    .probe = {.tcp = true, .udp = false, .patterns = kPatterns, .ports = {}},
    .complete = {1, 1},
    .buffers = {},
    .numbers = {},
    .matchers = {},
    .events = {},
    .loggers = {},
};

}  // namespace vong::imap

#include "sensor/applayer/imap/protocol.h"

#include <array>

namespace vong::imap {

using applayer::AppProto;
using applayer::ProbePattern;
using applayer::ProtocolDef;

namespace {

// The greeting, and what clients commonly begin with.
constexpr std::array kPatterns = {
    ProbePattern{.bytes = "* OK ", .direction = Direction::kToClient},
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

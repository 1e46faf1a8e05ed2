#include "sensor/applayer/jabber/protocol.h"

#include <array>

namespace vong::jabber {

using applayer::AppProto;
using applayer::ProbePattern;
using applayer::ProtocolDef;

namespace {

// The stream's opening tag, behind an XML declaration or not.
constexpr uint16_t kWithinBytes = 96;
constexpr std::array kPatterns = {
    ProbePattern{
        .bytes = "<stream:stream", .within = kWithinBytes, .direction = Direction::kToServer},
    ProbePattern{
        .bytes = "<stream:stream", .within = kWithinBytes, .direction = Direction::kToClient},
};

}  // namespace

// Not on by itself: the reference knows the name only and would call such flows differently.
const ProtocolDef kJabberProtocol = {
    .id = AppProto::kJabber,
    .name = "jabber",
    .rule_alias = {},
    .probe = {.tcp = true, .udp = false, .patterns = kPatterns, .ports = {}},
    .complete = {1, 1},
    .buffers = {},
    .numbers = {},
    .matchers = {},
    .events = {},
    .loggers = {},
    .enabled_by_default = false,
};

}  // namespace vong::jabber

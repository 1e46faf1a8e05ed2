#include "sensor/applayer/irc/protocol.h"

#include <array>

namespace vong::irc {

using applayer::AppProto;
using applayer::ProbePattern;
using applayer::ProtocolDef;

namespace {

// How clients register (USER alone is FTP's too), and how servers greet them.
constexpr std::array kPatterns = {
    ProbePattern{.bytes = "NICK ", .nocase = true, .direction = Direction::kToServer},
    ProbePattern{.bytes = "CAP LS", .nocase = true, .direction = Direction::kToServer},
    ProbePattern{.bytes = "NOTICE AUTH :", .direction = Direction::kToClient},
};

}  // namespace

// Not on by itself: the reference knows the name only and would call such flows differently.
const ProtocolDef kIrcProtocol = {
    .id = AppProto::kIrc,
    .name = "irc",
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

}  // namespace vong::irc

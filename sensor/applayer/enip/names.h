// Names that rules use too.
#pragma once

#include <array>

#include "sensor/applayer/core/protocol.h"
#include "sensor/applayer/enip/message.h"

namespace vong::enip {

inline constexpr auto kCommands = std::to_array<applayer::NumberDef::Value>({
    {"nop", kNop},
    {"list_services", kListServices},
    {"list_identity", kListIdentity},
    {"list_interfaces", kListInterfaces},
    {"register_session", kRegisterSession},
    {"unregister_session", kUnregisterSession},
    {"send_rr_data", kSendRrData},
    {"send_unit_data", kSendUnitData},
    {"indicate_status", kIndicateStatus},
    {"cancel", kCancel},
});

inline constexpr auto kStatus = std::to_array<applayer::NumberDef::Value>({
    {"success", 0x00},
    {"invalid_cmd", 0x01},
    {"no_resources", 0x02},
    {"incorrect_data", 0x03},
    {"invalid_session", 0x64},
    {"invalid_length", 0x65},
    {"unsupported_prot_rev", 0x69},
    {"encapsulated_header_specific_error", 0x6a},
});

}  // namespace vong::enip

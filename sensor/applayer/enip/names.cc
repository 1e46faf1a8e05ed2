// Names of numbers, as records and rules have them.
#include "sensor/applayer/enip/names.h"

#include "sensor/applayer/core/value_names.h"

namespace vong::enip {
namespace {

std::string or_number(std::string_view name, uint32_t number) {
  return name.empty() ? "unknown-" + std::to_string(number) : std::string(name);
}

constexpr auto kServices = std::to_array<applayer::NumberDef::Value>({
    {"reserved", 0x00},
    {"get_attr_all", 0x01},
    {"set_attr_all", 0x02},
    {"get_attr_list", 0x03},
    {"set_attr_list", 0x04},
    {"reset", 0x05},
    {"start", 0x06},
    {"stop", 0x07},
    {"create", 0x08},
    {"delete", 0x09},
    {"multiple_service", 0x0a},
    {"apply_attributes", 0x0d},
    {"get_attr_single", 0x0e},
    {"set_attr_single", 0x10},
    {"kick_timer", 0x4b},
    {"open_connection", 0x4c},
    {"change_start", 0x4f},
    {"get_status", 0x50},
    {"unconnected_send", 0x52},
    {"forward_open", 0x54},
    {"get_file_data", 0x4f},
    {"forward_close", 0x4e},
});

constexpr auto kClasses = std::to_array<applayer::NumberDef::Value>({
    {"identity", 0x01},
    {"message_router", 0x02},
    {"device_net", 0x03},
    {"assembly", 0x04},
    {"connection", 0x05},
    {"connection_manager", 0x06},
    {"register", 0x07},
    {"discrete_input_point", 0x08},
    {"discrete_output_point", 0x09},
    {"analog_input_point", 0x0a},
    {"analog_output_point", 0x0b},
    {"presence_sensing", 0x0e},
    {"parameter", 0x0f},
    {"parameter_group", 0x10},
    {"group", 0x12},
    {"file", 0x37},
    {"port", 0xf4},
    {"tcp_ip_interface", 0xf5},
    {"ethernet_link", 0xf6},
});

constexpr auto kCipStatus = std::to_array<applayer::NumberDef::Value>({
    {"success", 0x00},
    {"connection_failure", 0x01},
    {"resource_unavailable", 0x02},
    {"invalid_parameter_value", 0x03},
    {"path_segment_error", 0x04},
    {"path_destination_unknown", 0x05},
    {"partial_transfer", 0x06},
    {"connection_lost", 0x07},
    {"service_not_supported", 0x08},
    {"invalid_attribute_value", 0x09},
    {"attribute_list_error", 0x0a},
    {"already_in_requested_mode", 0x0b},
    {"object_state_conflict", 0x0c},
    {"object_already_exists", 0x0d},
    {"attribute_not_settable", 0x0e},
    {"privilege_violation", 0x0f},
    {"device_state_conflict", 0x10},
    {"reply_data_too_large", 0x11},
    {"not_enough_data", 0x13},
    {"attribute_not_supported", 0x14},
    {"too_much_data", 0x15},
    {"object_does_not_exist", 0x16},
    {"invalid_parameter", 0x20},
});

constexpr auto kExtended = std::to_array<applayer::NumberDef::Value>({
    {"connection in use or duplicate forward open", 0x100},
    {"transport class and trigger not supported", 0x103},
    {"ownership conflict", 0x106},
    {"target connection not found", 0x107},
    {"invalid connection size", 0x109},
    {"device not configured", 0x110},
    {"vendor id or product code mismatch", 0x114},
    {"connection timed out", 0x203},
    {"unconnected request timed out", 0x204},
});

// The vendors seen most; others keep their number.
constexpr auto kVendors = std::to_array<applayer::NumberDef::Value>({
    {"Rockwell Automation/Allen-Bradley", 1},
    {"Namco Controls Corp.", 2},
    {"Honeywell Inc.", 3},
    {"Parker Hannifin Corp. (Veriflo Division)", 4},
    {"Rockwell Automation/Reliance Elec.", 5},
    {"SMC Corporation", 7},
    {"Molex Incorporated", 8},
    {"Woodhead Software & Electronics", 9},
    {"WAGO Corporation", 40},
    {"ABB, Inc.", 46},
    {"OMRON Corporation", 47},
    {"TURCK", 48},
    {"HMS Industrial Networks AB", 90},
    {"Schneider Electric", 243},
    {"Hilscher GmbH", 283},
    {"Siemens", 1251},
});

constexpr auto kDeviceTypes = std::to_array<applayer::NumberDef::Value>({
    {"generic device", 0x00},
    {"AC drive", 0x02},
    {"motor overload", 0x03},
    {"limit switch", 0x04},
    {"inductive proximity switch", 0x05},
    {"photoelectric sensor", 0x06},
    {"general purpose discrete I/O", 0x07},
    {"resolver", 0x09},
    {"communications adapter", 0x0c},
    {"programmable logic controller", 0x0e},
    {"position controller", 0x10},
    {"DC drive", 0x13},
    {"contactor", 0x15},
    {"motor starter", 0x16},
    {"soft start", 0x17},
    {"human-machine interface", 0x18},
    {"mass flow controller", 0x1a},
    {"pneumatic valve", 0x1b},
    {"vacuum pressure gauge", 0x1c},
    {"managed switch", 0x2c},
});

}  // namespace

std::string_view command_name(uint32_t command) { return applayer::name_of_value(kCommands, command, ""); }
std::string status_name(uint32_t status) { return or_number(applayer::name_of_value(kStatus, status, ""), status); }
std::string service_name(uint32_t service) { return or_number(applayer::name_of_value(kServices, service, ""), service); }
std::string class_name(uint32_t value) { return or_number(applayer::name_of_value(kClasses, value, ""), value); }
std::string cip_status_name(uint32_t s) { return or_number(applayer::name_of_value(kCipStatus, s, ""), s); }
std::string extended_status_name(uint32_t s) { return std::string(applayer::name_of_value(kExtended, s, "")); }
std::string vendor_name(uint32_t vendor) { return or_number(applayer::name_of_value(kVendors, vendor, ""), vendor); }
std::string device_type_name(uint32_t t) { return or_number(applayer::name_of_value(kDeviceTypes, t, ""), t); }

std::string_view segment_name(const Segment& s) {
  const bool wide = (s.code & 3) != 0;
  switch (s.type) {
    case SegmentType::kClass:
      return wide ? "class_16bit" : "class_8bit";
    case SegmentType::kInstance:
      return wide ? "instance_16bit" : "instance_8bit";
    case SegmentType::kAttribute:
      return wide ? "attribute_16bit" : "attribute_8bit";
    case SegmentType::kOther:
      break;
  }
  return "other";
}

}  // namespace vong::enip

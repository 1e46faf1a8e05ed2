// What a point of each group and variation consists of, as text: fields in order, "name:N" is N
// bits, "name/u16" an unsigned number, i32 signed, f32 a float, t a time (milliseconds, 48 bits),
// "name/text=size_field" and "name/bin=size_field" bytes of that length, without "=" to the point's
// end, "name/text4" of a fixed length; "name/packed1" bits that fill bytes over all points.
#include <array>
#include <charconv>
#include <map>

#include "base/strings.h"
#include "sensor/applayer/dnp3/objects.h"

namespace vong::dnp3 {
namespace {

#define QUALITY "online:1 restart:1 comm_lost:1 remote_forced:1 local_forced:1 "
#define BINARY_IN QUALITY "chatter_filter:1 reserved:1 state:1"
#define DOUBLE_BIT QUALITY "chatter_filter:1 state:2"
#define BINARY_OUT QUALITY "reserved0:1 reserved1:1 state:1"
#define COUNTER QUALITY "rollover:1 discontinuity:1 reserved0:1 "
#define DELTA QUALITY "rollover:1 reserved0:1 reserved1:1 "
#define ANALOG QUALITY "over_range:1 reference_err:1 reserved0:1 "
#define ANALOG_OUT QUALITY "reserved0:1 reserved1:1 reserved2:1 "
#define COMMAND "op_type:4 qu:1 cr:1 tcc:2 count/u8 ontime/u32 offtime/u32 status_code:7 reserved:1"
#define STATISTIC \
  QUALITY "reserved0:1 discontinuity:1 reserved1:1 association_id/u16 count_value/u32"
#define STATUS "status_code:7 reserved0:1 "
#define TIME " timestamp/t"

struct Entry {
  uint8_t group, first_variation;
  std::array<std::string_view, 15> fields;  // of this variation and those behind it
};

// Events of counters (groups 22 and 23) and of analog values (32, 33, 42) come in the same shapes.
#define COUNTER_EVENTS                                                              \
  {                                                                                 \
    COUNTER "count/u32", COUNTER "count/u16", DELTA "count/u32", DELTA "count/u16", \
        COUNTER "count/u32" TIME, COUNTER "count/u16" TIME, DELTA "count/u32" TIME, \
        DELTA "count/u16" TIME                                                      \
  }
#define ANALOG_EVENTS(flags)                                                                 \
  {                                                                                          \
    flags "value/i32", flags "value/i16", flags "value/i32" TIME, flags "value/i16" TIME,    \
        flags "value/f32", flags "value/f64", flags "value/f32" TIME, flags "value/f64" TIME \
  }

constexpr auto kEntries = std::to_array<Entry>({
    {1, 1, {"state/packed1", BINARY_IN}},
    {2, 1, {BINARY_IN, BINARY_IN TIME, BINARY_IN " timestamp/u16"}},
    {3, 1, {"state/packed2", DOUBLE_BIT}},
    {4, 1, {DOUBLE_BIT, DOUBLE_BIT TIME, DOUBLE_BIT " relative_time_ms/u16"}},
    {10, 1, {"state/packed1", BINARY_OUT}},
    {11, 1, {BINARY_OUT, BINARY_OUT TIME}},
    {12, 1, {COMMAND, COMMAND, "point/packed1"}},
    {13, 1, {"status_code:7 commanded_state:1", "status_code:7 commanded_state:1" TIME}},
    {20,
     1,
     {COUNTER "count/u32", COUNTER "count/u16", DELTA "count/u32", DELTA "count/u16", "count/u32",
      "count/u16", "count/u32", "count/u16"}},
    {21,
     1,
     {COUNTER "count/u32", COUNTER "count/u16", DELTA "count/u32", DELTA "count/u16",
      COUNTER "count/u32" TIME, COUNTER "count/u16" TIME, DELTA "count/u32" TIME,
      DELTA "count/u16" TIME, "count/u32", "count/u16", "count/u32", "count/u16"}},
    {22, 1, COUNTER_EVENTS},
    {23, 1, COUNTER_EVENTS},
    {30,
     1,
     {ANALOG "value/i32", ANALOG "value/i16", "value/i32", "value/i16", ANALOG "value/f32",
      ANALOG "value/f64"}},
    {31,
     1,
     {ANALOG "value/i32", ANALOG "value/i16", ANALOG "value/i32" TIME, ANALOG "value/i16" TIME,
      "value/i32", "value/i16", ANALOG "value/f32", ANALOG "value/f64"}},
    {32, 1, ANALOG_EVENTS(ANALOG)},
    {33, 1, ANALOG_EVENTS(ANALOG)},
    {34, 1, {"deadband_value/u16", "deadband_value/u32", "deadband_value/f32"}},
    {40,
     1,
     {ANALOG_OUT "value/i32", ANALOG_OUT "value/i16", ANALOG_OUT "value/f32",
      ANALOG_OUT "value/f64"}},
    {41,
     1,
     {"value/i32 control_status/u8", "value/i16 control_status/u8", "value/f32 control_status/u8",
      "value/f64 control_status/u8"}},
    {42, 1, ANALOG_EVENTS(ANALOG_OUT)},
    {43,
     1,
     {STATUS "commanded_value/i32", STATUS "commanded_value/i16", STATUS "commanded_value/i32" TIME,
      STATUS "commanded_value/i16" TIME, STATUS "commanded_value/f32", STATUS "commanded_value/f64",
      STATUS "commanded_value/f32" TIME, STATUS "commanded_value/f64" TIME}},
    {50,
     1,
     {"timestamp/t", "timestamp/t interval/u32", "timestamp/t",
      "timestamp/t interval_count/u32 interval_units/u8"}},
    {51, 1, {"timestamp/t", "timestamp/t"}},
    {52, 1, {"delay_secs/u16", "delay_ms/u16"}},
    {70,
     1,
     {"filename_size/u16 filetype_code/u8 attribute_code/u8 start_record/u16 end_record/u16 "
      "file_size/u32 created_timestamp/t permission/u16 file_id/u32 owner_id/u32 group_id/u32 "
      "file_function_code/u8 status_code/u8 filename/text=filename_size data_size/u16 "
      "data/text=data_size",
      "username_offset/u16 username_size/u16 password_offset/u16 password_size/u16 "
      "authentication_key/u32 username/text=username_size password/text=password_size",
      "filename_offset/u16 filename_size/u16 created/t permissions/u16 authentication_key/u32 "
      "file_size/u32 operational_mode/u16 maximum_block_size/u16 request_id/u16 "
      "filename/text=filename_size",
      "file_handle/u32 file_size/u32 maximum_block_size/u16 request_id/u16 status_code/u8 "
      "optional_text/text",
      "file_handle/u32 block_number/u32 file_data/text",
      "file_handle/u32 block_number/u32 status_code/u8 optional_text/text",
      "filename_offset/u16 filename_size/u16 file_type/u16 file_size/u32 created_timestamp/t "
      "permissions/u16 request_id/u16 filename/text=filename_size",
      "file_specification/text"}},
    {80, 1, {"state/packed1"}},
    {81, 1, {"fill_percentage:7 overflow_state:1 group/u8 variation/u8"}},
    {83, 1, {"vendor_code/text4 object_id/u16 length/u16 data_objects/bin=length"}},
    {86, 2, {"rd:1 wr:1 st:1 ev:1 df:1 padding0:1 padding1:1 padding2:1"}},
    {102, 1, {"value/u8"}},
    {120,
     1,
     {"csq/u32 usr/u16 mal/u8 reason/u8 challenge_data/bin", "csq/u32 usr/u16 mac_value/bin",
      "csq/u32 user_number/u16", "user_number/u16",
      "ksq/u32 user_number/u16 key_wrap_alg/u8 key_status/u8 mal/u8 challenge_data_len/u16 "
      "challenge_data/bin=challenge_data_len mac_value/bin",
      "ksq/u32 usr/u16 wrapped_key_data/bin",
      "sequence_number/u32 usr/u16 association_id/u16 error_code/u8 time_of_error/t "
      "error_text/text",
      "key_change_method/u8 certificate_type/u8 certificate/bin", "mac_value/bin",
      "key_change_method/u8 operation/u8 scs/u32 user_role/u16 user_role_expiry_interval/u16 "
      "username_len/u16 user_public_key_len/u16 certification_data_len/u16 "
      "username/text=username_len user_public_key/bin=user_public_key_len "
      "certification_data/bin=certification_data_len",
      "key_change_method/u8 username_len/u16 master_challenge_data_len/u16 "
      "username/text=username_len master_challenge_data/bin=master_challenge_data_len",
      "ksq/u32 user_number/u16 challenge_data_len/u16 challenge_data/bin=challenge_data_len",
      "ksq/u32 user_number/u16 encrypted_update_key_len/u16 "
      "encrypted_update_key_data/bin=encrypted_update_key_len",
      "digital_signature/bin", "mac/bin"}},
    {121, 1, {STATISTIC}},
    {122, 1, {STATISTIC, STATISTIC TIME}},
});

uint8_t digits_at_end(std::string_view text) {
  const size_t from = text.find_first_of("0123456789");
  uint8_t n = 0;
  if (from != std::string_view::npos)
    std::from_chars(text.data() + from, text.data() + text.size(), n);
  return n;
}

int index_of(const Layout& layout, std::string_view name) {
  for (size_t i = 0; i < layout.size(); ++i) {
    if (layout[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

Field make_field(const Layout& before, std::string_view word) {
  Field f;
  const size_t mark = word.find_first_of(":/");
  f.name = word.substr(0, mark);
  const std::string_view type = word.substr(mark + 1);
  f.size = digits_at_end(type);
  if (word[mark] == ':') {
    f.kind = Kind::kBits;
  } else if (type.starts_with("text") || type.starts_with("bin")) {
    f.kind = type.starts_with("text") ? Kind::kText : Kind::kBinary;
    const size_t equals = type.find('=');
    if (equals != std::string_view::npos) f.length_of = index_of(before, type.substr(equals + 1));
  } else if (type.starts_with("packed")) {
    f.kind = f.size == 1 ? Kind::kPacked1 : Kind::kPacked2;
  } else if (type == "t") {
    f.size = 6;
  } else {
    f.kind = type[0] == 'f' ? Kind::kFloat : type[0] == 'i' ? Kind::kSigned : Kind::kUnsigned;
    f.size = f.size / 8;
  }
  return f;
}

using Layouts = std::map<std::pair<uint8_t, uint8_t>, Layout>;

Layouts make_layouts() {
  Layouts all;
  for (const Entry& e : kEntries) {
    uint8_t variation = e.first_variation;
    for (const std::string_view text : e.fields) {
      if (text.empty()) break;
      Layout& layout = all[{e.group, variation++}];
      for (const std::string_view word : split(text, ' ')) {
        if (!word.empty()) layout.push_back(make_field(layout, word));
      }
    }
  }
  return all;
}

}  // namespace

const Layout* layout_of(uint8_t group, uint8_t variation) {
  static const Layouts kLayouts = make_layouts();
  const auto found = kLayouts.find({group, variation});
  return found == kLayouts.end() ? nullptr : &found->second;
}

}  // namespace vong::dnp3

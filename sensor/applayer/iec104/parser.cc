#include "sensor/applayer/iec104/parser.h"

#include <array>

#include "base/byte_reader.h"
#include "sensor/applayer/core/value_names.h"

namespace vong::iec104 {

using applayer::AppProto;
using applayer::EventDef;
using applayer::Input;
using applayer::LogContext;
using applayer::LoggerDef;
using applayer::NumberDef;
using applayer::ParseResult;
using applayer::ProbeVerdict;
using applayer::ProtocolDef;
using Tx = applayer::Transaction;

namespace {

constexpr uint8_t kStart = 0x68;

const Transaction& of(const Tx& tx) { return static_cast<const Transaction&>(tx); }

bool read_asdu(Bytes bytes, Asdu& a) {
  ByteReader in(bytes);
  a.type = in.u8();
  const uint8_t count = in.u8(), cause = in.u8();
  a.sequence = (count & 0x80) != 0;
  a.count = count & 0x7f;
  a.test = (cause & 0x80) != 0;
  a.negative = (cause & 0x40) != 0;
  a.cause = cause & 0x3f;
  a.originator = in.u8();
  a.address = in.u16_le();
  if (!in.ok()) return false;
  if (a.count == 0) return true;
  const uint32_t low = in.u16_le();
  a.object = low | static_cast<uint32_t>(in.u8()) << 16;
  return in.ok();
}

// ---------------------------------------------------------------- keywords

using Get = std::optional<uint64_t> (*)(const Tx&, Direction, uint32_t);

template <auto kField>
std::optional<uint64_t> field(const Tx& tx, Direction, uint32_t i) {
  if (i > 0 || !of(tx).asdu) return std::nullopt;
  return (*of(tx).asdu).*kField;
}

std::optional<uint64_t> object(const Tx& tx, Direction, uint32_t i) {
  if (i > 0 || !of(tx).asdu || !of(tx).asdu->object) return std::nullopt;
  return *of(tx).asdu->object;
}

constexpr NumberDef number(std::string_view name, Get get, int bits, std::string_view help,
                           std::span<const NumberDef::Value> values = {}) {
  return {.name = name,
          .alias = {},
          .to_server_progress = 1,
          .to_client_progress = 1,
          .get = get,
          .values = values,
          .bits = bits,
          .help = help};
}

constexpr auto kTypes = std::to_array<NumberDef::Value>({
    {"m_sp_na_1", 1},   {"m_dp_na_1", 3},   {"m_st_na_1", 5},   {"m_bo_na_1", 7},
    {"m_me_na_1", 9},   {"m_me_nb_1", 11},  {"m_me_nc_1", 13},  {"m_it_na_1", 15},
    {"m_ps_na_1", 20},  {"m_me_nd_1", 21},  {"m_sp_tb_1", 30},  {"m_dp_tb_1", 31},
    {"m_st_tb_1", 32},  {"m_bo_tb_1", 33},  {"m_me_td_1", 34},  {"m_me_te_1", 35},
    {"m_me_tf_1", 36},  {"m_it_tb_1", 37},  {"c_sc_na_1", 45},  {"c_dc_na_1", 46},
    {"c_rc_na_1", 47},  {"c_se_na_1", 48},  {"c_se_nb_1", 49},  {"c_se_nc_1", 50},
    {"c_bo_na_1", 51},  {"c_sc_ta_1", 58},  {"c_dc_ta_1", 59},  {"c_rc_ta_1", 60},
    {"c_se_ta_1", 61},  {"c_se_tb_1", 62},  {"c_se_tc_1", 63},  {"c_bo_ta_1", 64},
    {"m_ei_na_1", 70},  {"c_ic_na_1", 100}, {"c_ci_na_1", 101}, {"c_rd_na_1", 102},
    {"c_cs_na_1", 103}, {"c_rp_na_1", 105}, {"c_ts_ta_1", 107}, {"p_me_na_1", 110},
    {"p_me_nb_1", 111}, {"p_me_nc_1", 112}, {"p_ac_na_1", 113}, {"f_fr_na_1", 120},
    {"f_sr_na_1", 121}, {"f_sc_na_1", 122}, {"f_ls_na_1", 123}, {"f_af_na_1", 124},
    {"f_sg_na_1", 125}, {"f_dr_ta_1", 126},
});

constexpr auto kCauses = std::to_array<NumberDef::Value>({
    {"periodic", 1},
    {"background_scan", 2},
    {"spontaneous", 3},
    {"initialized", 4},
    {"request", 5},
    {"activation", 6},
    {"activation_confirmation", 7},
    {"deactivation", 8},
    {"deactivation_confirmation", 9},
    {"activation_termination", 10},
    {"remote_return", 11},
    {"local_return", 12},
    {"file_transfer", 13},
    {"interrogated", 20},
    {"unknown_type", 44},
    {"unknown_cause", 45},
    {"unknown_asdu_address", 46},
    {"unknown_object_address", 47},
});

constexpr std::array kNumbers = {
    number("iec104.type", field<&Asdu::type>, 8, "type of the ASDU: `c_sc_na_1` or its number",
           kTypes),
    number("iec104.cause", field<&Asdu::cause>, 8, "cause of transmission", kCauses),
    number("iec104.asdu_address", field<&Asdu::address>, 16, "common address of the ASDU"),
    number("iec104.object_address", object, 32, "address of the first information object"),
};

// ---------------------------------------------------------------- record

std::string_view function_name(uint8_t control) {
  switch (control) {
    case 0x07:
      return "startdt_act";
    case 0x0b:
      return "startdt_con";
    case 0x13:
      return "stopdt_act";
    case 0x23:
      return "stopdt_con";
    case 0x43:
      return "testfr_act";
    case 0x83:
      return "testfr_con";
    default:
      return "unknown";
  }
}

bool write(const Tx& base, const LogContext&, JsonWriter& out) {
  const Transaction& tx = of(base);
  if (tx.format == Format::kSupervisory) return false;  // acknowledgements say nothing
  out.open_object("iec104");
  out.field("format", tx.format == Format::kInformation ? "i" : "u");
  if (tx.format == Format::kUnnumbered) out.field("function", function_name(tx.function));
  if (tx.asdu) {
    const Asdu& a = *tx.asdu;
    out.field("type_id", a.type);
    out.field("type", applayer::name_of_value(kTypes, a.type, "unknown"));
    out.field("cause_id", a.cause);
    out.field("cause", applayer::name_of_value(kCauses, a.cause, "unknown"));
    out.field("negative", a.negative);
    out.field("test", a.test);
    out.field("originator", a.originator);
    out.field("asdu_address", a.address);
    out.field("objects", a.count);
    if (a.object) out.field("object_address", *a.object);
  }
  out.close_object();
  return true;
}

bool log_iec104(const Tx& tx, const LogContext& context, JsonWriter& out) {
  return of(tx).direction == context.direction && write(tx, context, out);
}

constexpr std::array kLoggers = {
    LoggerDef{.event_type = "iec104",
              .to_server_progress = 1,
              .direction = Direction::kToServer,
              .log = log_iec104},
    LoggerDef{.event_type = "iec104",
              .to_client_progress = 1,
              .direction = Direction::kToClient,
              .log = log_iec104},
};

constexpr std::array<EventDef, kEventCount> kEvents = {{
    {"malformed_data", "malformed_data"},
    {"invalid_length", "invalid_length"},
}};

ProbeVerdict probe(Direction, Bytes data) {
  if (data[0] != kStart) return ProbeVerdict::kNo;
  if (data.size() < 6) return ProbeVerdict::kMoreData;
  const bool fits = data[1] >= kMinLength && data[1] <= kMaxLength;
  const bool unnumbered = (data[2] & 3) == 3;
  return fits && (!unnumbered || data[1] == kMinLength) ? ProbeVerdict::kYes : ProbeVerdict::kNo;
}

std::unique_ptr<applayer::Parser> make(const void*) { return std::make_unique<Iec104Parser>(); }

constexpr std::array<uint16_t, 1> kPorts = {2404};

}  // namespace

ParseResult Iec104Parser::parse(Direction d, const Input& in) {
  Bytes data = in.data;
  size_t consumed = 0;
  while (data.size() >= 2) {
    if (data[0] != kStart || data[1] < kMinLength || data[1] > kMaxLength) {
      if (!transactions.empty()) transactions.back()->add_event(kInvalidLength);
      return ParseResult::error();
    }
    const size_t size = size_t{2} + data[1];
    if (data.size() < size) return ParseResult::ok(consumed, size);
    apdu(d, data.subspan(2, size - 2));
    consumed += size;
    data = data.subspan(size);
  }
  return ParseResult::ok(consumed, data.empty() ? 0 : 2);
}

void Iec104Parser::apdu(Direction d, Bytes bytes) {
  if (transactions.size() >= kMaxTransactions) return;
  auto tx = std::make_unique<Transaction>();
  const uint8_t kind = bytes[0] & 3;
  tx->format = kind == 3   ? Format::kUnnumbered
               : kind == 1 ? Format::kSupervisory
                           : Format::kInformation;
  tx->function = bytes[0];
  if (tx->format == Format::kInformation) {
    Asdu asdu;
    if (read_asdu(bytes.subspan(4), asdu)) {
      tx->asdu = asdu;
    } else {
      tx->add_event(kMalformedData);
    }
  }
  tx->direction = d;
  tx->has_direction[static_cast<size_t>(index(opposite(d)))] = false;
  tx->progress = {1, 1};
  add(std::move(tx));
}

const ProtocolDef kIec104Protocol = {
    .id = AppProto::kIec104,
    .name = "iec104",
    .rule_alias = {},
    .probe = {.tcp = true,
              .udp = false,
              .patterns = {},
              .probe = probe,
              .ports = kPorts,
              .min_bytes = 1},
    .complete = {1, 1},
    .make = make,
    .buffers = {},
    .numbers = kNumbers,
    .matchers = {},
    .events = kEvents,
    .loggers = kLoggers,
    .alert_record = nullptr,
    .unidirectional = true,
    .enabled_by_default = false,
};

}  // namespace vong::iec104

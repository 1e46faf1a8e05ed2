#include "sensor/applayer/ldap/message.h"

#include <algorithm>

#include "base/byte_reader.h"
#include "sensor/applayer/ldap/limits.h"

namespace vong::ldap {
namespace {

constexpr uint8_t kInteger = 0x02, kEnumerated = 0x0a, kBoolean = 0x01, kOctets = 0x04,
                  kSequence = 0x30, kSet = 0x31;
constexpr uint8_t kApplicationMask = 0xc0, kApplication = 0x40, kNumberMask = 0x1f;

// A BER element: tag and content. ok() of its reader says whether it was there.
struct Element {
  uint8_t tag = 0;
  ByteReader in{Bytes()};
};

// Definite lengths of at most four bytes. False: not there or too long.
bool length(ByteReader& in, size_t& size) {
  const uint8_t first = in.u8();
  if (!in.ok()) return false;
  size = first;
  if (first < 0x80) return true;
  const int bytes = first & 0x7f;
  if (bytes == 0 || bytes > 4) return false;
  size = 0;
  for (int i = 0; i < bytes; ++i) size = size << 8 | in.u8();
  return in.ok();
}

bool element(ByteReader& in, Element& e) {
  e.tag = in.u8();
  size_t size = 0;
  if (!in.ok() || !length(in, size)) return false;
  e.in = in.sub(size);
  return in.ok();
}

// False: something else, or nothing, is there.
bool expect(ByteReader& in, uint8_t tag, Element& e) {
  return in.peek_u8() == tag && element(in, e);
}

bool number(ByteReader& in, uint8_t tag, uint32_t& out) {
  Element e;
  if (!expect(in, tag, e)) return false;
  const Bytes bytes = e.in.rest();
  if (bytes.empty() || bytes.size() > 5) return false;
  uint64_t value = 0;
  for (const uint8_t b : bytes) value = value << 8 | b;
  out = static_cast<uint32_t>(std::min<uint64_t>(value, UINT32_MAX));
  return true;
}

bool boolean(ByteReader& in, bool& out) {
  Element e;
  if (!expect(in, kBoolean, e)) return false;
  out = e.in.u8() != 0;
  return e.in.ok();
}

bool text(ByteReader& in, std::string& out, uint8_t tag = kOctets) {
  Element e;
  if (!expect(in, tag, e)) return false;
  out = as_text(e.in.rest());
  return true;
}

// True when it is absent, too.
bool optional_text(ByteReader& in, uint8_t tag, std::optional<std::string>& out) {
  if (in.empty() || in.peek_u8() != tag) return true;
  std::string value;
  if (!text(in, value, tag)) return false;
  out = std::move(value);
  return true;
}

// SET OF value.
bool values(ByteReader& in, std::vector<std::string>& out) {
  Element set;
  if (!expect(in, kSet, set)) return false;
  while (!set.in.empty()) {
    std::string value;
    if (!text(set.in, value)) return false;
    if (out.size() < kMaxElements) out.push_back(std::move(value));
  }
  return true;
}

// SEQUENCE OF SEQUENCE { type, SET OF value }
bool attribute_list(ByteReader& in, std::vector<Attribute>& out) {
  Element list;
  if (!expect(in, kSequence, list)) return false;
  while (!list.in.empty()) {
    Element one;
    Attribute a;
    if (!expect(list.in, kSequence, one) || !text(one.in, a.name) || !values(one.in, a.values))
      return false;
    if (out.size() < kMaxElements) out.push_back(std::move(a));
  }
  return true;
}

bool bind_request(ByteReader& in, Message& m) {
  constexpr uint8_t kSasl = 0xa3;
  Element auth;
  if (!number(in, kInteger, m.version) || !text(in, m.dn) || !element(in, auth)) return false;
  m.sasl = auth.tag == kSasl;
  if (!m.sasl) return true;
  return text(auth.in, m.mechanism) && optional_text(auth.in, kOctets, m.credentials);
}

bool search_request(ByteReader& in, Message& m) {
  Element filter, list;
  if (!text(in, m.dn) || !number(in, kEnumerated, m.scope) ||
      !number(in, kEnumerated, m.deref_alias) || !number(in, kInteger, m.size_limit) ||
      !number(in, kInteger, m.time_limit) || !boolean(in, m.types_only) || !element(in, filter) ||
      !expect(in, kSequence, list))
    return false;
  while (!list.in.empty()) {
    Attribute a;
    if (!text(list.in, a.name)) return false;
    if (m.attributes.size() < kMaxElements) m.attributes.push_back(std::move(a));
  }
  return true;
}

bool modify_request(ByteReader& in, Message& m) {
  Element list;
  if (!text(in, m.dn) || !expect(in, kSequence, list)) return false;
  while (!list.in.empty()) {
    Element change, what;
    Attribute a;
    uint32_t operation = 0;
    if (!expect(list.in, kSequence, change) || !number(change.in, kEnumerated, operation) ||
        !expect(change.in, kSequence, what) || !text(what.in, a.name) || !values(what.in, a.values))
      return false;
    a.operation = static_cast<uint8_t>(std::min<uint32_t>(operation, UINT8_MAX));
    if (m.attributes.size() < kMaxElements) m.attributes.push_back(std::move(a));
  }
  return true;
}

bool compare_request(ByteReader& in, Message& m) {
  Element assertion;
  Attribute a;
  if (!text(in, m.dn) || !expect(in, kSequence, assertion) || !text(assertion.in, a.name) ||
      !text(assertion.in, a.values.emplace_back()))
    return false;
  m.attributes.push_back(std::move(a));
  return true;
}

bool result(ByteReader& in, Message& m) {
  constexpr uint8_t kReferral = 0xa3;
  m.has_result = true;
  if (!number(in, kEnumerated, m.result_code) || !text(in, m.matched_dn) || !text(in, m.diagnostic))
    return false;
  Element referral;
  return in.peek_u8() != kReferral || in.empty() || element(in, referral);
}

bool operation(ByteReader& in, Message& m) {
  switch (m.op) {
    case Op::kBindRequest:
      return bind_request(in, m);
    case Op::kBindResponse:
      return result(in, m) && optional_text(in, 0x87, m.credentials);
    case Op::kUnbindRequest:
    case Op::kSearchResultReference:
      return true;
    case Op::kSearchRequest:
      return search_request(in, m);
    case Op::kSearchResultEntry:
      return text(in, m.dn) && attribute_list(in, m.attributes);
    case Op::kModifyRequest:
      return modify_request(in, m);
    case Op::kAddRequest:
      return text(in, m.dn) && attribute_list(in, m.attributes);
    case Op::kDelRequest:
      m.dn = as_text(in.rest());
      return true;
    case Op::kModDnRequest:
      return text(in, m.dn) && text(in, m.new_rdn) && boolean(in, m.delete_old_rdn) &&
             optional_text(in, 0x80, m.new_superior);
    case Op::kCompareRequest:
      return compare_request(in, m);
    case Op::kAbandonRequest:
      while (!in.empty()) m.abandoned_id = m.abandoned_id << 8 | in.u8();
      return true;
    case Op::kExtendedRequest:
    case Op::kIntermediateResponse:
      return optional_text(in, 0x80, m.name) && optional_text(in, 0x81, m.value);
    case Op::kExtendedResponse:
      return result(in, m) && optional_text(in, 0x8a, m.name) && optional_text(in, 0x8b, m.value);
    case Op::kSearchResultDone:
    case Op::kModifyResponse:
    case Op::kAddResponse:
    case Op::kDelResponse:
    case Op::kModDnResponse:
    case Op::kCompareResponse:
      return result(in, m);
  }
  return false;
}

bool known(uint8_t tag, Op& op) {
  if ((tag & kApplicationMask) != kApplication) return false;
  op = static_cast<Op>(tag & kNumberMask);
  return !name_of(op).empty();
}

}  // namespace

const std::vector<OpName>& operations() {
  static const std::vector<OpName> kList = {
      {"bind_request", 0},      {"bind_response", 1},       {"unbind_request", 2},
      {"search_request", 3},    {"search_result_entry", 4}, {"search_result_done", 5},
      {"modify_request", 6},    {"modify_response", 7},     {"add_request", 8},
      {"add_response", 9},      {"del_request", 10},        {"del_response", 11},
      {"mod_dn_request", 12},   {"mod_dn_response", 13},    {"compare_request", 14},
      {"compare_response", 15}, {"abandon_request", 16},    {"search_result_reference", 19},
      {"extended_request", 23}, {"extended_response", 24},  {"intermediate_response", 25}};
  return kList;
}

// RFC 4511 section 4.1.9 and appendix A, and the codes of its extensions.
const std::vector<OpName>& result_codes() {
  static const std::vector<OpName> kList = {{"success", 0},
                                            {"operations_error", 1},
                                            {"protocol_error", 2},
                                            {"time_limit_exceeded", 3},
                                            {"size_limit_exceeded", 4},
                                            {"compare_false", 5},
                                            {"compare_true", 6},
                                            {"auth_method_not_supported", 7},
                                            {"stronger_auth_required", 8},
                                            {"referral", 10},
                                            {"admin_limit_exceeded", 11},
                                            {"unavailable_critical_extension", 12},
                                            {"confidentiality_required", 13},
                                            {"sasl_bind_in_progress", 14},
                                            {"no_such_attribute", 16},
                                            {"undefined_attribute_type", 17},
                                            {"inappropriate_matching", 18},
                                            {"constraint_violation", 19},
                                            {"attribute_or_value_exists", 20},
                                            {"invalid_attribute_syntax", 21},
                                            {"no_such_object", 32},
                                            {"alias_problem", 33},
                                            {"invalid_dns_syntax", 34},
                                            {"is_leaf", 35},
                                            {"alias_dereferencing_problem", 36},
                                            {"inappropriate_authentication", 48},
                                            {"invalid_credentials", 49},
                                            {"insufficient_access_rights", 50},
                                            {"busy", 51},
                                            {"unavailable", 52},
                                            {"unwilling_to_perform", 53},
                                            {"loop_detect", 54},
                                            {"sort_control_missing", 60},
                                            {"offset_range_error", 61},
                                            {"naming_violation", 64},
                                            {"object_class_violation", 65},
                                            {"not_allowed_on_non_leaf", 66},
                                            {"not_allowed_on_rdn", 67},
                                            {"entry_already_exists", 68},
                                            {"object_class_mods_prohibited", 69},
                                            {"results_too_large", 70},
                                            {"affects_multiple_dsas", 71},
                                            {"control_error", 76},
                                            {"other", 80},
                                            {"server_down", 81},
                                            {"local_error", 82},
                                            {"encoding_error", 83},
                                            {"decoding_error", 84},
                                            {"timeout", 85},
                                            {"auth_unknown", 86},
                                            {"filter_error", 87},
                                            {"user_canceled", 88},
                                            {"param_error", 89},
                                            {"no_memory", 90},
                                            {"connect_error", 91},
                                            {"not_supported", 92},
                                            {"control_not_found", 93},
                                            {"no_results_returned", 94},
                                            {"more_results_to_return", 95},
                                            {"client_loop", 96},
                                            {"referral_limit_exceeded", 97},
                                            {"invalid_response", 100},
                                            {"ambiguous_response", 101},
                                            {"tls_not_supported", 112},
                                            {"intermediate_response", 113},
                                            {"unknown_type", 114},
                                            {"canceled", 118},
                                            {"no_such_operation", 119},
                                            {"too_late", 120},
                                            {"cannot_cancel", 121},
                                            {"assertion_failed", 122},
                                            {"authorization_denied", 123},
                                            {"e_sync_refresh_required", 4096},
                                            {"no_operation", 16654}};
  return kList;
}

std::string_view name_of(Op op) {
  for (const OpName& o : operations()) {
    if (o.value == static_cast<uint64_t>(op)) return o.name;
  }
  return {};
}

std::string result_name(uint32_t code) {
  for (const OpName& r : result_codes()) {
    if (r.value == code) return std::string(r.name);
  }
  return "unknown(" + std::to_string(code) + ")";
}

bool is_request(Op op) {
  switch (op) {
    case Op::kBindRequest:
    case Op::kUnbindRequest:
    case Op::kSearchRequest:
    case Op::kModifyRequest:
    case Op::kAddRequest:
    case Op::kDelRequest:
    case Op::kModDnRequest:
    case Op::kCompareRequest:
    case Op::kAbandonRequest:
    case Op::kExtendedRequest:
      return true;
    default:
      return false;
  }
}

bool is_final(Op op) {
  return !is_request(op) && op != Op::kSearchResultEntry && op != Op::kSearchResultReference &&
         op != Op::kIntermediateResponse;
}

FrameStatus find_message(Bytes data, size_t& size) {
  ByteReader in(data);
  const uint8_t tag = in.u8();
  if (!in.ok()) return FrameStatus::kMoreData;
  if (tag != kSequence) return FrameStatus::kBad;
  size_t content = 0;
  if (!length(in, content)) return in.ok() ? FrameStatus::kBad : FrameStatus::kMoreData;
  size = in.position() + content;
  return size > kMaxMessageBytes ? FrameStatus::kBad : FrameStatus::kOk;
}

FrameStatus peek_message(Bytes data, uint32_t& id, Op& op) {
  size_t size = 0;
  const FrameStatus status = find_message(data, size);
  if (status != FrameStatus::kOk) return status;
  ByteReader in(data.first(std::min(size, data.size())));
  (void)in.u8();
  (void)length(in, size);
  constexpr size_t kEnough = 8;  // message id and the next tag
  if (!number(in, kInteger, id)) {
    return data.size() >= kEnough ? FrameStatus::kBad : FrameStatus::kMoreData;
  }
  if (in.empty()) return data.size() >= size ? FrameStatus::kBad : FrameStatus::kMoreData;
  return known(in.peek_u8(), op) ? FrameStatus::kOk : FrameStatus::kBad;
}

bool parse_message(Bytes data, Message& m) {
  ByteReader in(data);
  Element message, op;
  if (!expect(in, kSequence, message) || !number(message.in, kInteger, m.id) ||
      !element(message.in, op) || !known(op.tag, m.op))
    return false;
  m.size = data.size();
  return operation(op.in, m);  // controls are not looked at
}

}  // namespace vong::ldap

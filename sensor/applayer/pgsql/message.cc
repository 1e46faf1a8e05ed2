#include "sensor/applayer/pgsql/message.h"

#include "base/byte_reader.h"
#include "base/strings.h"
#include "sensor/applayer/pgsql/limits.h"

namespace vong::pgsql {
namespace {

// Up to the next zero, which is taken too. False: there is none.
bool c_string(ByteReader& in, std::string_view& out) {
  const std::string_view text = as_text(in.peek());
  const size_t end = text.find('\0');
  if (end == std::string_view::npos) return false;
  out = text.substr(0, end);
  return in.skip(end + 1);
}

}  // namespace

std::optional<StartupHeader> parse_startup_header(Bytes data) {
  ByteReader in(data);
  StartupHeader h;
  h.length = in.u32();
  h.code = in.u32();
  if (!in.ok() || h.length < kStartupHeaderBytes || h.length > kMaxStartupBytes)
    return std::nullopt;
  return h;
}

bool known_code(uint32_t code) {
  const uint32_t major = code >> 16;
  return major == 2 || major == 3 || code == kSslCode || code == kGssCode || code == kCancelCode;
}

bool parse_startup(uint32_t code, Bytes body, Request& r) {
  ByteReader in(body);
  if (code == kSslCode) {
    r.message = "SSL Request";
    return true;
  }
  if (code == kGssCode) {
    r.message = "GSS Request";
    return true;
  }
  if (code == kCancelCode) {
    r.message = "cancel_request";
    r.process_id = in.u32();
    r.secret_key = in.u32();
    return in.ok();
  }
  r.has_version = true;
  r.major = static_cast<uint16_t>(code >> 16);
  r.minor = static_cast<uint16_t>(code);
  while (!in.empty() && in.peek_u8() != 0) {
    std::string_view name, value;
    if (!c_string(in, name) || !c_string(in, value)) return false;
    if (name == "user")
      r.user = value;
    else if (r.parameters.size() < kMaxParameters)
      r.parameters.emplace_back(name, value);
  }
  return true;
}

bool is_frontend_type(uint8_t type) {
  return std::string_view("BCDEFHPQSXcdfp").find(static_cast<char>(type)) != std::string_view::npos;
}

bool is_backend_type(uint8_t type) {
  return std::string_view("RKCDEGHINSTVWZt123AcdnsvA").find(static_cast<char>(type)) !=
         std::string_view::npos;
}

std::string text_of(Bytes body) {
  const std::string_view text = as_text(body);
  return std::string(text.substr(0, text.find('\0')));
}

Authentication parse_authentication(Bytes body, Response& r) {
  ByteReader in(body);
  const uint32_t kind = in.u32();
  if (!in.ok()) return Authentication::kBad;
  switch (kind) {
    case 0:
      r.message = "authentication_ok";
      return Authentication::kOk;
    case 2:
      r.message = "authentication_kerb5";
      return Authentication::kAsks;
    case 3:
      r.message = "authentication_cleartext_password";
      return Authentication::kAsks;
    case 5:
      r.md5_salt = as_text(in.rest());
      return Authentication::kAsks;
    case 6:
      r.message = "authentication_scm_credentials";
      return Authentication::kAsks;
    case 7:
      r.message = "authentication_gss";
      return Authentication::kAsks;
    case 8:
      r.message = "authentication_gss_continue";
      return Authentication::kContinues;
    case 9:
      r.message = "authentication_sspi";
      return Authentication::kAsks;
    case 10:
      r.message = "authentication_sasl";
      return Authentication::kAsks;
    case 11:
      r.message = "authentication_sasl_continue";
      return Authentication::kContinues;
    case 12:
      r.sasl_final = as_text(in.rest());
      return Authentication::kFinal;
    default:
      return Authentication::kBad;
  }
}

void parse_parameter_status(Bytes body, Response& r) {
  ByteReader in(body);
  std::string_view name, value;
  if (!c_string(in, name) || !c_string(in, value) || r.parameters.size() >= kMaxParameters) return;
  r.parameters.emplace_back(name, value);
}

void parse_error(Bytes body, Response& r) {
  ByteReader in(body);
  r.error.clear();
  while (!in.empty() && in.peek_u8() != 0 && r.error.size() < kMaxParameters) {
    const char field = static_cast<char>(in.u8());
    std::string_view value;
    if (!c_string(in, value)) return;
    r.error.emplace_back(field, value);
  }
}

bool parse_sasl_initial(Bytes body, Request& r) {
  ByteReader in(body);
  std::string_view mechanism;
  if (!c_string(in, mechanism)) return false;
  r.sasl_mechanism = mechanism;
  const uint32_t size = in.u32();
  if (!in.ok()) return false;
  if (size == UINT32_MAX) return true;  // no initial data
  r.sasl_param = as_text(in.bytes(size));
  return in.ok();
}

std::string snake_case(std::string_view name) {
  std::string out;
  for (size_t i = 0; i < name.size(); ++i) {
    const bool upper = name[i] >= 'A' && name[i] <= 'Z';
    const bool after_lower = i > 0 && name[i - 1] >= 'a' && name[i - 1] <= 'z';
    if (upper && after_lower) out.push_back('_');
    out.push_back(ascii_lower(name[i]));
  }
  return out;
}

}  // namespace vong::pgsql

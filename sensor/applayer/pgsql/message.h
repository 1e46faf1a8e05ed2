// PostgreSQL's frontend/backend protocol, version 3.0 (PostgreSQL manual, chapter "Message
// Formats").
//
//   start-up packets:  length (4, itself included)  code or version (4)  ...
//   all others:        type (1)  length (4, itself included, not the type)  ...
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace vong::pgsql {

inline constexpr uint32_t kCancelCode = 80877102, kSslCode = 80877103, kGssCode = 80877104;
inline constexpr size_t kHeaderBytes = 5;  // type and length
inline constexpr size_t kStartupHeaderBytes = 8;

using Parameters = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string message;  // for requests that are nothing but their kind: "SSL Request"
  std::optional<std::string> query, password, sasl_mechanism, sasl_param, sasl_response;
  bool has_version = false;
  uint16_t major = 0, minor = 0;
  std::string user;
  Parameters parameters;  // but for the user
  std::optional<uint32_t> process_id, secret_key;
  bool copy = false;  // copied data
  uint64_t copy_messages = 0, copy_bytes = 0;
};

struct Response {
  std::optional<bool> ssl_accepted;
  std::string message;                              // "authentication_ok"
  std::optional<std::string> md5_salt, sasl_final;  // bytes, text
  Parameters parameters;
  std::optional<uint32_t> process_id, secret_key;
  std::optional<uint16_t> fields;
  uint64_t rows = 0, row_bytes = 0;
  std::optional<std::string> command;
  std::optional<uint16_t> copy_in_columns, copy_out_columns;
  uint64_t copy_rows = 0, copy_bytes = 0;
  // Of an error or notice: the field's letter, its text.
  std::vector<std::pair<char, std::string>> error;
};

// Code and length of a start-up packet; nothing when it is none, or shorter than its header.
struct StartupHeader {
  uint32_t length = 0, code = 0;
};
[[nodiscard]] std::optional<StartupHeader> parse_startup_header(Bytes data);
// A version that is spoken, or one of the three codes.
[[nodiscard]] bool known_code(uint32_t code);
// `body` behind length and code. False: malformed.
[[nodiscard]] bool parse_startup(uint32_t code, Bytes body, Request& r);

[[nodiscard]] bool is_frontend_type(uint8_t type);
[[nodiscard]] bool is_backend_type(uint8_t type);

// Text up to the zero or the end (of a message that was cut).
[[nodiscard]] std::string text_of(Bytes body);

enum class Authentication : uint8_t { kOk, kAsks, kContinues, kFinal, kBad };
[[nodiscard]] Authentication parse_authentication(Bytes body, Response& r);
// Name and value.
void parse_parameter_status(Bytes body, Response& r);
void parse_error(Bytes body, Response& r);
// Mechanism, size, data. False: malformed.
[[nodiscard]] bool parse_sasl_initial(Bytes body, Request& r);

// "DateStyle" -> "date_style"; other characters as they are.
[[nodiscard]] std::string snake_case(std::string_view name);

}  // namespace vong::pgsql

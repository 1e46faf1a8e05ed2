// Modbus over TCP (Modbus Application Protocol 1.1b3): transaction(2) protocol(2) length(2)
// unit(1), function(1), data. Big-endian.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/bytes.h"

namespace vong::modbus {

inline constexpr size_t kHeaderBytes = 6;  // up to and with the length

enum AccessType : uint8_t {
  kRead = 1,
  kWrite = 2,
  kDiscretes = 4,
  kCoils = 8,
  kInput = 16,
  kHolding = 32,
  kSingle = 64,
  kMultiple = 128
};
enum Category : uint8_t {
  kPublicAssigned = 1,
  kPublicUnassigned = 2,
  kUserDefined = 4,
  kReserved = 8
};
enum Problem : uint8_t {
  kDataValue = 1,
  kDataLength = 2,
  kExceptionCode = 4,
  kFunctionCode = 8,
  kProtocolId = 16
};
enum Function : uint8_t {
  kDiagnostic = 8,
  kWriteSingleCoil = 5,
  kWriteSingleRegister = 6,
  kWriteCoils = 15,
  kWriteRegisters = 16,
  kMaskWrite = 22,
  kReadWriteRegisters = 23,
  kMei = 43
};

struct Message {
  uint16_t transaction = 0, protocol = 0;
  uint8_t unit = 0, function = 0;  // function without its exception bit
  bool is_exception = false;
  uint8_t exception = 0;
  uint8_t access = 0, category = 0, problems = 0;
  std::optional<uint16_t> subfunction;  // of diagnostics and encapsulated interfaces
  // Requests: where they read and write; responses of writes repeat the latter.
  std::optional<std::pair<uint16_t, uint16_t>> read, write;  // address, quantity
  std::optional<uint16_t> value;                             // of a single write
  std::string written;  // of a multiple write: what stands behind the byte count
  std::string data;     // what else there is: answers, parameters
};

// `body`: unit, function, data: what the length counts.
[[nodiscard]] Message parse_message(uint16_t transaction, uint16_t protocol, Bytes body,
                                    bool request);
// What a request writes at `address`: a register, or 0 or 1 for a coil.
[[nodiscard]] std::optional<uint16_t> written_at(const Message& m, uint16_t address);

[[nodiscard]] std::string_view function_name(uint8_t code);
[[nodiscard]] std::string_view exception_name(uint8_t code);
[[nodiscard]] std::string_view diagnostic_name(uint16_t code);
[[nodiscard]] std::string_view mei_name(uint16_t code);
// "READ | COILS"; "NONE" for nothing.
[[nodiscard]] std::string access_text(uint8_t access);
[[nodiscard]] std::string category_text(uint8_t category);
[[nodiscard]] std::string problem_text(uint8_t problems);

}  // namespace vong::modbus

#include "sensor/applayer/modbus/message.h"

#include <array>
#include <span>

#include "base/byte_reader.h"

namespace vong::modbus {
namespace {

constexpr uint8_t kExceptionBit = 0x80;
constexpr uint16_t kCoilOn = 0xff00;
constexpr unsigned kMaxBits = 2000, kMaxRegisters = 125, kMaxWriteBits = 1968,
                   kMaxWriteRegisters = 123;

uint8_t access_of(uint8_t function) {
  switch (function) {
    case 1:
      return kRead | kCoils;
    case 2:
      return kRead | kDiscretes;
    case 3:
      return kRead | kHolding;
    case 4:
      return kRead | kInput;
    case kWriteSingleCoil:
      return kWrite | kCoils | kSingle;
    case kWriteSingleRegister:
      return kWrite | kHolding | kSingle;
    case kWriteCoils:
      return kWrite | kCoils | kMultiple;
    case kWriteRegisters:
      return kWrite | kHolding | kMultiple;
    case 20:
      return kRead;
    case 21:
      return kWrite;
    case kMaskWrite:
      return kWrite | kHolding;
    case kReadWriteRegisters:
      return kRead | kWrite | kHolding | kMultiple;
    default:
      return 0;
  }
}

uint8_t category_of(const Message& m) {
  const uint8_t f = m.function;
  if (f == kDiagnostic) {
    const uint16_t s = m.subfunction.value_or(0);
    return s == 5 || (s >= 6 && s <= 9) || s == 19 || s > 20 ? kReserved : kPublicAssigned;
  }
  if (f == kMei) {
    const uint16_t s = m.subfunction.value_or(0);
    return s == 13 || s == 14 ? kPublicAssigned : kReserved;
  }
  if (!function_name(f).empty() && f != 9 && f != 10 && f != 13 && f != 14 && f != 18 && f != 19)
    return kPublicAssigned;
  if ((f >= 65 && f <= 72) || (f >= 100 && f <= 110)) return kUserDefined;
  static constexpr std::array<uint8_t, 14> kReservedCodes = {9,  10, 13, 14,  18,  19,  41,
                                                             42, 90, 91, 125, 126, 127, 40};
  for (const uint8_t r : kReservedCodes) {
    if (f == r) return kReserved;
  }
  return kPublicUnassigned;
}

// Address and quantity; a quantity outside of 1..`max` is a problem.
std::pair<uint16_t, uint16_t> range(ByteReader& in, unsigned max, Message& m) {
  const uint16_t address = in.u16(), quantity = in.u16();
  if (in.ok() && (quantity == 0 || quantity > max)) m.problems |= kDataValue;
  return {address, quantity};
}

// Byte count and as many bytes.
void written(ByteReader& in, size_t expected, Message& m) {
  const size_t count = in.u8();
  if (in.ok() && count != expected) m.problems |= kDataValue;
  if (in.remaining() != count) m.problems |= kDataLength;
  m.written = as_text(in.rest());
}

void read_request(ByteReader& in, Message& m) {
  switch (m.function) {
    case 1:
    case 2:
      m.read = range(in, kMaxBits, m);
      break;
    case 3:
    case 4:
      m.read = range(in, kMaxRegisters, m);
      break;
    case kWriteSingleCoil:
    case kWriteSingleRegister:
      m.write = {in.u16(), 1};
      m.value = in.u16();
      if (m.function == kWriteSingleCoil && *m.value != 0 && *m.value != kCoilOn)
        m.problems |= kDataValue;
      break;
    case kWriteCoils:
      m.write = range(in, kMaxWriteBits, m);
      written(in, (m.write->second + size_t{7}) / 8, m);
      break;
    case kWriteRegisters:
      m.write = range(in, kMaxWriteRegisters, m);
      written(in, m.write->second * size_t{2}, m);
      break;
    case kMaskWrite:
      m.write = {in.u16(), 1};
      m.data = as_text(in.bytes(4));
      break;
    case kReadWriteRegisters:
      m.read = range(in, kMaxRegisters, m);
      m.write = range(in, kMaxWriteRegisters, m);
      written(in, m.write->second * size_t{2}, m);
      break;
    default:
      m.data = as_text(in.rest());
      break;
  }
}

void read_response(ByteReader& in, Message& m) {
  switch (m.function) {
    case 1:
    case 2:
    case 3:
    case 4:
    case kReadWriteRegisters:
      if (in.u8() != in.remaining()) m.problems |= kDataLength;
      m.data = as_text(in.rest());
      break;
    case kWriteSingleCoil:
    case kWriteSingleRegister:
      m.write = {in.u16(), 1};
      m.value = in.u16();
      break;
    case kWriteCoils:
      m.write = range(in, kMaxWriteBits, m);
      break;
    case kWriteRegisters:
      m.write = range(in, kMaxWriteRegisters, m);
      break;
    case kMaskWrite:
      m.write = {in.u16(), 1};
      m.data = as_text(in.bytes(4));
      break;
    default:
      m.data = as_text(in.rest());
      break;
  }
}

// ---------------------------------------------------------------- names

struct Flag {
  uint8_t bit;
  std::string_view name;
};
std::string flags_text(uint8_t value, std::span<const Flag> flags) {
  std::string out;
  for (const Flag& f : flags) {
    if ((value & f.bit) == 0) continue;
    if (!out.empty()) out += " | ";
    out += f.name;
  }
  return out.empty() ? "NONE" : out;
}

}  // namespace

Message parse_message(uint16_t transaction, uint16_t protocol, Bytes body, bool request) {
  Message m;
  m.transaction = transaction;
  m.protocol = protocol;
  ByteReader in(body);
  m.unit = in.u8();
  const uint8_t code = in.u8();
  m.function = code & ~kExceptionBit;
  if (protocol != 0) m.problems |= kProtocolId;
  if (m.function == 0 || (request && code >= kExceptionBit)) m.problems |= kFunctionCode;
  m.access = access_of(m.function);
  if (!request && code >= kExceptionBit) {
    m.is_exception = true;
    m.exception = in.u8();
    if (exception_name(m.exception).empty()) m.problems |= kExceptionCode;
  } else {
    if (m.function == kDiagnostic) m.subfunction = in.u16();
    if (m.function == kMei) m.subfunction = in.u8();
    request ? read_request(in, m) : read_response(in, m);
  }
  m.category = category_of(m);
  if (!in.ok() || !in.empty()) m.problems |= kDataLength;
  return m;
}

std::optional<uint16_t> written_at(const Message& m, uint16_t address) {
  if (!m.write || address < m.write->first) return std::nullopt;
  const size_t at = address - m.write->first;
  if (at >= m.write->second) return std::nullopt;
  if (m.value) return m.value;
  const Bytes bytes = as_bytes(m.written);
  if (m.function == kWriteCoils) {
    if (at / 8 >= bytes.size()) return std::nullopt;
    return bytes[at / 8] >> (at % 8) & 1;
  }
  if (at * 2 + 1 >= bytes.size()) return std::nullopt;
  return static_cast<uint16_t>(bytes[at * 2] << 8 | bytes[at * 2 + 1]);
}

std::string_view function_name(uint8_t code) {
  static constexpr std::array<std::string_view, 25> kNames = {"",
                                                              "RdCoils",
                                                              "RdDiscreteInputs",
                                                              "RdHoldRegs",
                                                              "RdInputRegs",
                                                              "WrSingleCoil",
                                                              "WrSingleReg",
                                                              "RdExcStatus",
                                                              "Diagnostic",
                                                              "Program484",
                                                              "Poll484",
                                                              "GetCommEventCtr",
                                                              "GetCommEventLog",
                                                              "ProgramController",
                                                              "PollController",
                                                              "WrMultCoils",
                                                              "WrMultRegs",
                                                              "ReportServerID",
                                                              "Program884",
                                                              "ResetCommLink",
                                                              "RdFileRec",
                                                              "WrFileRec",
                                                              "MaskWrReg",
                                                              "RdWrMultRegs",
                                                              "RdFIFOQueue"};
  if (code == kMei) return "MEI";
  return code < kNames.size() ? kNames[code] : "";
}

std::string_view exception_name(uint8_t code) {
  static constexpr std::array<std::string_view, 12> kNames = {"",
                                                              "IllegalFunction",
                                                              "IllegalDataAddr",
                                                              "IllegalDataValue",
                                                              "ServerDeviceFail",
                                                              "Ack",
                                                              "ServerDeviceBusy",
                                                              "NegAck",
                                                              "MemParityErr",
                                                              "",
                                                              "GatewayPathUnavailable",
                                                              "GatewayTargetFailToResp"};
  return code < kNames.size() ? kNames[code] : "";
}

std::string_view diagnostic_name(uint16_t code) {
  static constexpr std::array<std::string_view, 21> kNames = {"RetQueryData",
                                                              "RestartCommOpt",
                                                              "RetDiagReg",
                                                              "ChangeInputDelimiter",
                                                              "ForceListenOnlyMode",
                                                              "",
                                                              "",
                                                              "",
                                                              "",
                                                              "",
                                                              "ClearCtrDiagReg",
                                                              "RetBusMsgCount",
                                                              "RetBusCommErrCount",
                                                              "RetBusExcErrCount",
                                                              "RetServerMsgCount",
                                                              "RetServerNoRespCount",
                                                              "RetServerNAKCount",
                                                              "RetServerBusyCount",
                                                              "RetBusCharOverrunCount",
                                                              "RetOverrunErrCount",
                                                              "ClearOverrunCounterFlag"};
  return code < kNames.size() && !kNames[code].empty() ? kNames[code] : "Reserved";
}

std::string_view mei_name(uint16_t code) {
  return code == 13 ? "CANOpenGenRefReqResp" : code == 14 ? "RdDevId" : "Unknown";
}

std::string access_text(uint8_t access) {
  static constexpr auto kFlags = std::to_array<Flag>({{kRead, "READ"},
                                                      {kWrite, "WRITE"},
                                                      {kDiscretes, "DISCRETES"},
                                                      {kCoils, "COILS"},
                                                      {kInput, "INPUT"},
                                                      {kHolding, "HOLDING"},
                                                      {kSingle, "SINGLE"},
                                                      {kMultiple, "MULTIPLE"}});
  return flags_text(access, kFlags);
}

std::string category_text(uint8_t category) {
  static constexpr auto kFlags = std::to_array<Flag>({{kPublicAssigned, "PUBLIC_ASSIGNED"},
                                                      {kPublicUnassigned, "PUBLIC_UNASSIGNED"},
                                                      {kUserDefined, "USER_DEFINED"},
                                                      {kReserved, "RESERVED"}});
  return flags_text(category, kFlags);
}

std::string problem_text(uint8_t problems) {
  static constexpr auto kFlags = std::to_array<Flag>({{kDataValue, "DATA_VALUE"},
                                                      {kDataLength, "DATA_LENGTH"},
                                                      {kExceptionCode, "EXC_CODE"},
                                                      {kFunctionCode, "FUNC_CODE"},
                                                      {kProtocolId, "PROTO_ID"}});
  return flags_text(problems, kFlags);
}

}  // namespace vong::modbus

// Records of SMB as values: the headers of both generations and the bodies that are looked into
// (MS-CIFS, MS-SMB, MS-SMB2). All views point into the record.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_reader.h"
#include "base/bytes.h"

namespace vong::smb {

// ---------------------------------------------------------------- NetBIOS session (RFC 1002, 4.3)

inline constexpr size_t kNbssHeaderBytes = 4;
enum NbssType : uint8_t {
  kNbssMessage = 0,
  kNbssRequest = 0x81,
  kNbssPositive = 0x82,
  kNbssNegative = 0x83,
  kNbssRetarget = 0x84,
  kNbssKeepAlive = 0x85,
};

// ---------------------------------------------------------------- version 1

enum Command1 : uint8_t {
  k1Delete = 0x06,
  k1Rename = 0x07,
  k1Close = 0x04,
  k1Read = 0x0a,
  k1Write = 0x0b,
  k1Transaction = 0x25,
  k1WriteAndClose = 0x2c,
  k1ReadAndx = 0x2e,
  k1WriteAndx = 0x2f,
  k1Transaction2 = 0x32,
  k1TreeDisconnect = 0x71,
  k1Negotiate = 0x72,
  k1SessionSetupAndx = 0x73,
  k1LogoffAndx = 0x74,
  k1TreeConnectAndx = 0x75,
  k1NtCreateAndx = 0xa2,
  k1NoFurther = 0xff,
};

inline constexpr size_t kHeader1Bytes = 32;

struct Header1 {
  uint8_t command = 0, flags = 0;
  uint16_t flags2 = 0;
  uint32_t nt_status = 0;
  uint8_t dos_class = 0;
  uint16_t dos_code = 0;
  uint16_t tree = 0, user = 0, multiplex = 0;
  uint32_t process = 0;

  [[nodiscard]] bool is_request() const { return (flags & 0x80) == 0; }
  [[nodiscard]] bool unicode() const { return (flags2 & 0x8000) != 0; }
  [[nodiscard]] bool has_nt_status() const { return (flags2 & 0x4000) != 0; }
  // EVE's session_id.
  [[nodiscard]] uint64_t session() const { return uint64_t{process & 0xffff} << 16 | user; }
};
[[nodiscard]] std::optional<Header1> parse_header1(Bytes record);

// The command at `at` of the record: its words and its bytes; nothing when cut off.
struct Block1 {
  Bytes words, bytes;
  size_t bytes_at = 0;  // offset of `bytes` in the record
  bool cut = false;     // bytes are fewer than announced
};
[[nodiscard]] std::optional<Block1> parse_block1(Bytes record, size_t at);

// A string at the reader: UTF-16 (aligned to the record: `at` is the reader's begin in it) up to
// its two zeros, or one-byte text up to its zero. Zero bytes are dropped.
[[nodiscard]] std::string read_string1(ByteReader& in, size_t at, bool unicode);

struct Write1 {
  uint16_t file = 0;
  uint64_t offset = 0;
  uint32_t size = 0;
  Bytes data;          // what is there of it
  size_t data_at = 0;  // in the record
};
[[nodiscard]] std::optional<Write1> parse_write1(Bytes record, uint8_t command, const Block1& b);

struct ReadAnswer1 {
  uint32_t size = 0;
  Bytes data;
  size_t data_at = 0;
};
[[nodiscard]] std::optional<ReadAnswer1> parse_read_answer1(Bytes record, const Block1& b);

// ---------------------------------------------------------------- version 2 and 3

enum Command2 : uint16_t {
  k2Negotiate = 0,
  k2SessionSetup = 1,
  k2Logoff = 2,
  k2TreeConnect = 3,
  k2TreeDisconnect = 4,
  k2Create = 5,
  k2Close = 6,
  k2Flush = 7,
  k2Read = 8,
  k2Write = 9,
  k2Lock = 10,
  k2Ioctl = 11,
  k2Cancel = 12,
  k2KeepAlive = 13,
  k2Find = 14,
  k2ChangeNotify = 15,
  k2GetInfo = 16,
  k2SetInfo = 17,
  k2OplockBreak = 18,
};

inline constexpr size_t kHeader2Bytes = 64;
inline constexpr size_t kTransformHeaderBytes = 52;
inline constexpr size_t kFileIdBytes = 16;

struct Header2 {
  uint16_t command = 0;
  uint32_t status = 0;  // answers
  uint32_t flags = 0, next = 0;
  uint64_t message = 0, session = 0;
  uint32_t tree = 0;

  [[nodiscard]] bool is_request() const { return (flags & 1) == 0; }
  [[nodiscard]] bool is_async() const { return (flags & 2) != 0; }
};
[[nodiscard]] std::optional<Header2> parse_header2(Bytes record);

struct Write2 {
  uint32_t size = 0;
  uint64_t offset = 0;
  std::string file_id;
  Bytes data;  // what is there of it
  size_t data_at = 0;
};
[[nodiscard]] std::optional<Write2> parse_write2(Bytes record);

struct ReadAnswer2 {
  uint32_t size = 0;
  Bytes data;
  size_t data_at = 0;
};
[[nodiscard]] std::optional<ReadAnswer2> parse_read_answer2(Bytes record);

struct ReadRequest2 {
  uint32_t size = 0;
  uint64_t offset = 0;
  std::string file_id;
};
[[nodiscard]] std::optional<ReadRequest2> parse_read_request2(Bytes record);

struct CreateRequest2 {
  uint32_t disposition = 0, options = 0;
  std::string name;
};
[[nodiscard]] std::optional<CreateRequest2> parse_create_request2(Bytes record);

struct CreateAnswer {
  uint64_t created = 0, accessed = 0, modified = 0, changed = 0, size = 0;  // FILETIMEs, bytes
  std::string file_id;
};
[[nodiscard]] std::optional<CreateAnswer> parse_create_answer2(Bytes record);
[[nodiscard]] std::optional<CreateAnswer> parse_create_answer1(const Block1& b);

struct Ioctl2 {
  uint32_t function = 0;
  std::string file_id;
  Bytes data;
};
[[nodiscard]] std::optional<Ioctl2> parse_ioctl_request2(Bytes record);
[[nodiscard]] std::optional<Ioctl2> parse_ioctl_answer2(Bytes record);

struct SetInfo2 {
  uint8_t info_class = 0, level = 0;
  std::string file_id;
  bool rename = false, disposition = false;
  std::string new_name;          // rename
  bool delete_on_close = false;  // disposition
};
[[nodiscard]] std::optional<SetInfo2> parse_set_info2(Bytes record);

// ---------------------------------------------------------------- common

// Seconds since 1970 of a FILETIME; 0 of 0 and of what is before 1970.
[[nodiscard]] int64_t unix_seconds(uint64_t filetime);
// EVE's fuid: a GUID, or the two bytes of an SMB1 file id.
[[nodiscard]] std::string fuid_text(std::string_view file_id);

}  // namespace vong::smb

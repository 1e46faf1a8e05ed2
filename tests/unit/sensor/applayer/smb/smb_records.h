// Records of SMB 1 and 2 for tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vong::smb::testing {

inline std::string le(uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i, value >>= 8) out.push_back(static_cast<char>(value));
  return out;
}

inline std::string wide(std::string_view text) {
  std::string out;
  for (const char c : text) out.append({c, '\0'});
  return out;
}

inline std::string nbss(std::string_view record) {
  std::string out(1, '\0');
  for (const int shift : {16, 8, 0}) out.push_back(static_cast<char>(record.size() >> shift));
  return out.append(record);
}

struct Id2 {
  uint64_t message = 0, session = 0x11;
  uint32_t tree = 7;
};

inline std::string smb2(uint16_t command, bool answer, const Id2& id, std::string_view body,
                        uint32_t status = 0, uint32_t next = 0) {
  std::string out = "\xfeSMB" + le(64, 2) + le(0, 2) + le(status, 4) + le(command, 2) + le(1, 2) +
                    le(answer ? 1 : 0, 4) + le(next, 4) + le(id.message, 8) + le(0, 4) +
                    le(id.tree, 4) + le(id.session, 8) + std::string(16, '\0');
  return out.append(body);
}

inline std::string file_id(uint64_t n) { return le(n, 8) + le(1, 8); }

inline std::string create2(const Id2& id, std::string_view name, uint32_t options = 0) {
  return smb2(5, false, id,
              le(57, 2) + std::string(34, '\0') + le(1, 4) + le(options, 4) + le(64 + 56, 2) +
                  le(name.size() * 2, 2) + le(0, 8) + wide(name));
}
inline std::string created2(const Id2& id, uint64_t file, uint64_t size = 0) {
  return smb2(5, true, id,
              le(89, 2) + le(0, 2) + le(1, 4) + le(131'486'000'000'000'000, 8) + le(0, 24) +
                  le(size, 8) + le(size, 8) + le(0, 8) + file_id(file) + le(0, 8));
}
inline std::string close2(const Id2& id, uint64_t file) {
  return smb2(6, false, id, le(24, 2) + le(0, 6) + file_id(file));
}
inline std::string closed2(const Id2& id) {
  return smb2(6, true, id, le(60, 2) + std::string(58, '\0'));
}
inline std::string write2(const Id2& id, uint64_t file, uint64_t offset, std::string_view data) {
  return smb2(9, false, id,
              le(49, 2) + le(64 + 48, 2) + le(data.size(), 4) + le(offset, 8) + file_id(file) +
                  std::string(16, '\0') + std::string(data));
}
inline std::string written2(const Id2& id, uint32_t bytes) {
  return smb2(9, true, id, le(17, 2) + le(0, 2) + le(bytes, 4) + le(0, 8));
}
inline std::string read2(const Id2& id, uint64_t file, uint64_t offset, uint32_t bytes) {
  return smb2(
      8, false, id,
      le(49, 2) + le(0, 2) + le(bytes, 4) + le(offset, 8) + file_id(file) + std::string(17, '\0'));
}
inline std::string data2(const Id2& id, std::string_view data, uint32_t status = 0) {
  return smb2(
      8, true, id,
      le(17, 2) + le(64 + 16, 1) + le(0, 1) + le(data.size(), 4) + le(0, 8) + std::string(data),
      status);
}
inline std::string tree_connect2(const Id2& id, std::string_view path) {
  return smb2(3, false, id,
              le(9, 2) + le(0, 2) + le(64 + 8, 2) + le(path.size() * 2, 2) + wide(path));
}
inline std::string tree_connected2(const Id2& id, uint8_t type) {
  return smb2(3, true, id, le(16, 2) + le(type, 1) + std::string(13, '\0'));
}
inline std::string negotiate2(const Id2& id) {
  return smb2(0, false, id,
              le(36, 2) + le(2, 2) + le(0, 8) + std::string(16, 'g') + le(0, 8) + le(0x202, 2) +
                  le(0x311, 2));
}
inline std::string negotiated2(const Id2& id, uint16_t dialect) {
  return smb2(0, true, id,
              le(65, 2) + le(0, 2) + le(dialect, 2) + le(0, 2) + std::string(16, 's') + le(0, 4) +
                  le(1 << 20, 4) + le(1 << 20, 4) + le(1 << 20, 4) + std::string(24, '\0'));
}

struct Id1 {
  uint16_t multiplex = 1, user = 2, tree = 3, process = 4;
};

inline std::string smb1(uint8_t command, bool answer, const Id1& id, std::string_view blocks,
                        uint32_t status = 0, bool unicode = false) {
  std::string out = "\xffSMB" + le(command, 1) + le(status, 4) + le(answer ? 0x80 : 0, 1) +
                    le(0x4000 | (unicode ? 0x8000 : 0), 2) + std::string(12, '\0') +
                    le(id.tree, 2) + le(id.process, 2) + le(id.user, 2) + le(id.multiplex, 2);
  return out.append(blocks);
}
inline std::string block1(std::string_view words, std::string_view bytes) {
  return le(words.size() / 2, 1) + std::string(words) + le(bytes.size(), 2) + std::string(bytes);
}
inline std::string no_andx() { return std::string("\xff\0\0\0", 4); }

}  // namespace vong::smb::testing

// DCERPC by itself: connection-oriented on TCP (C706, 12.6), connectionless on UDP (12.5). A
// transaction is a call, or a bind or alter_context, with its answer.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sensor/applayer/core/parser.h"
#include "sensor/applayer/core/protocol.h"
#include "sensor/applayer/dcerpc/limits.h"
#include "sensor/applayer/formats/dcerpc.h"

namespace vong::dcerpc {

namespace rpc = formats::dcerpc;

// Names in protocol.cc.
enum Frame : uint8_t { kFramePdu, kFrameHeader, kFrameData };
enum Progress : uint8_t { kInProgress, kFinished };

struct Config {
  size_t transactions_max = kMaxTransactions;
};

// What the connection has bound; outlives its transactions.
struct Session {
  std::vector<rpc::Interface> interfaces;
};

struct Transaction : applayer::Transaction {
  const Session* session = nullptr;
  bool connectionless = false;
  uint8_t version = 5, minor = 0;
  bool little_endian = true;
  uint32_t call_id = 0;
  std::string activity;  // connectionless: 16 bytes, and the number of the call
  uint32_t sequence = 0;
  std::optional<rpc::Interface> interface;   // connectionless: named by each unit
  std::optional<uint8_t> request, response;  // packet types
  uint16_t opnum = 0, context_id = 0;
  bool first_fragment = false;  // of the request was seen
  struct Stub {
    std::string data;
    uint64_t size = 0;
    uint32_t fragments = 0;
  };
  std::array<Stub, kDirections> stubs;

  [[nodiscard]] bool done(Direction d) const {
    return progress[static_cast<size_t>(index(d))] >= kFinished;
  }
  void finish(Direction d) {
    progress[static_cast<size_t>(index(d))] = kFinished;
    updated = {true, true};
  }
};

class DcerpcParser : public applayer::Parser {
 public:
  explicit DcerpcParser(const Config& config) : config_(config) {}

  [[nodiscard]] applayer::ParseResult parse(Direction d, const applayer::Input& in) override;
  [[nodiscard]] bool gap(Direction d, uint64_t size) override;
  void end() override;

 private:
  Transaction& make(uint32_t call_id, const rpc::Header& h);
  Transaction& add_bounded(std::unique_ptr<Transaction> tx);
  // The oldest call of this id that is open in this direction.
  Transaction* find(uint32_t call_id, Direction open);
  Transaction* find_connectionless(Bytes activity, uint32_t sequence);
  // False: this is not DCERPC any more.
  bool unit(Direction d, Bytes unit, const rpc::Header& h);
  void request(Bytes unit, const rpc::Header& h);
  void bind(Bytes unit, const rpc::Header& h);
  void response(Bytes unit, const rpc::Header& h);
  void ack(Bytes unit, const rpc::Header& h);
  bool datagram(Direction d, Bytes data);
  void note_frames(Direction d, uint64_t offset, size_t size);

  Config config_;
  Session session_;
  std::array<uint64_t, kDirections> skip_{};  // bytes that belong to a unit with a gap
  std::array<bool, kDirections> search_{};    // after a gap
};

extern const applayer::ProtocolDef kDcerpcProtocol;

}  // namespace vong::dcerpc

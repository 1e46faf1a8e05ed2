// NFS versions 2, 3 and 4 on UDP and TCP (RFC 1094, 1813, 7530). A transaction is a call with its
// answer; all that is read (or written) of one file is one transaction as well.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bounded_map.h"
#include "sensor/applayer/core/file_stream.h"
#include "sensor/applayer/core/parser.h"
#include "sensor/applayer/core/protocol.h"
#include "sensor/applayer/nfs/limits.h"
#include "sensor/applayer/nfs/rpc.h"

namespace vong::nfs {

enum Progress : uint8_t { kInProgress, kFinished };

enum Event : applayer::EventId {
  kMalformedData,
  kNonExistingVersion,
  kUnsupportedVersion,
  kEventCount
};

// By ProtocolDef::frames.
enum Frame : uint8_t {
  kFrameRpcPdu, kFrameRpcHdr, kFrameRpcData, kFrameRpcCreds, kFrameNfsPdu, kFrameNfsStatus, kFrameNfs4Pdu, kFrameNfs4Hdr, kFrameNfs4Ops, kFrameNfs4Status
};

struct Config {
  applayer::FileOptions files;
  size_t transactions_max = kMaxTransactions;
};

struct FileTransfer {
  FileTransfer(const applayer::FileOptions& options, Direction d, std::string file, uint64_t number)
      : direction(d), stream(options, std::move(file), number) {}

  Direction direction;  // of the data: writes to the server, reads to the client
  applayer::FileStream stream;
  uint32_t chunks = 0, last_xid = 0;
  bool last = false;
};

struct Transaction : applayer::Transaction {
  uint32_t xid = 0, version = 0, procedure = 0;
  Credentials credentials;
  std::string name, handle;
  std::string new_name;  // RENAME
  bool has_rename = false;
  std::optional<uint32_t> status;  // of NFS
  std::optional<bool> denied;      // by RPC
  std::optional<FileTransfer> file;
  bool answered = false;  // else it was finished for another reason than its answer

  [[nodiscard]] bool done(Direction d) const {
    return progress[static_cast<size_t>(index(d))] >= kFinished;
  }
  void finish(Direction d) {
    progress[static_cast<size_t>(index(d))] = kFinished;
    touch();
  }
  void touch() { updated = {true, true}; }

  using applayer::Transaction::files;
  [[nodiscard]] applayer::FileContainer* files(Direction d) override {
    return file && file->direction == d ? &file->stream.container() : nullptr;
  }
};

class NfsParser : public applayer::Parser {
 public:
  explicit NfsParser(const Config& config);

  [[nodiscard]] applayer::ParseResult parse(Direction d, const applayer::Input& in) override;
  [[nodiscard]] bool gap(Direction d, uint64_t size) override;
  void end() override;

 private:
  struct Side {
    uint64_t skip = 0;       // bytes of the stream that say nothing
    uint64_t file_left = 0;  // of the part of a file that is coming
    uint64_t record_left = 0;
    bool search = false;
    uint64_t framed_until = 0;   // offset in the stream
    std::optional<uint64_t> file_tx;
  };
  // What is known of a call when its answer comes.
  struct OpenCall {
    uint32_t version = 0, procedure = 0;
    std::string name, handle;
    uint64_t offset = 0;  // READ
  };
  // A part of a file that a record carries: `size` announced, `data` there.
  struct Part {
    std::string handle;
    uint64_t offset = 0, size = 0;
    Bytes data;
    size_t behind = 0;  // bytes of the record behind the data, as far as they are there
  };

  // parser.cc
  [[nodiscard]] size_t take_pending(Direction d, Bytes data);
  bool stream_record(Direction d, Bytes body, uint64_t record_bytes);
  bool record(Direction d, Bytes record);
  bool call(Bytes record);
  bool reply(Bytes record);
  Transaction& make(const Call& c, uint32_t procedure);
  Transaction* find(uint32_t xid);
  Transaction* find_file(const std::string& handle, Direction d);
  Transaction* pending_file(Side& s);
  void event(Event e);
  void file_part(Direction d, const Call& c, const Part& part);
  void close_file(const std::string& handle, Direction d, uint32_t xid);
  void name_handle(Bytes handle, const std::string& name);
  [[nodiscard]] std::string name_of(const std::string& handle);

  // frames.cc
  void note_frames(Direction d, uint64_t offset, size_t mark, Bytes there, uint64_t bytes);

  // versions.cc: arguments and results
  struct Arguments {
    uint32_t procedure = 0;
    std::string handle, name, new_name;
    bool rename = false;
    uint64_t offset = 0;
    std::optional<Part> write;
  };
  [[nodiscard]] std::optional<Arguments> arguments2(ByteReader& in, uint32_t procedure);
  [[nodiscard]] std::optional<Arguments> arguments3(ByteReader& in, uint32_t procedure);
  [[nodiscard]] std::optional<Arguments> arguments4(ByteReader& in);
  struct Results {
    std::optional<uint32_t> status;
    std::optional<Part> read;
    bool end_of_file = false;
  };
  void results2(ByteReader& in, const OpenCall& call, Results& r);
  void results3(ByteReader& in, const OpenCall& call, Results& r);
  void results4(ByteReader& in, const OpenCall& call, Results& r);
  void directory3(ByteReader& in);

  Config config_;
  std::array<Side, kDirections> sides_;
  BoundedMap<uint32_t, OpenCall> calls_;
  BoundedMap<std::string, std::string> names_;  // by handle
  BoundedMap<uint32_t, Call> headers_;          // of READs: they make a transaction when data come
  uint64_t files_made_ = 0;
  bool datagrams_ = false;
};

extern const applayer::ProtocolDef kNfsProtocol;

}  // namespace vong::nfs

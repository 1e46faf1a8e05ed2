// What an SMB flow is made of: one exchange of request and answer, or one file with all that is
// read or written of it, or one call of DCERPC on a pipe.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sensor/applayer/core/file_stream.h"
#include "sensor/applayer/core/transaction.h"
#include "sensor/applayer/formats/dcerpc.h"
#include "sensor/applayer/formats/logon_token.h"
#include "sensor/applayer/smb/message.h"

namespace vong::smb {

enum Progress : uint8_t { kInProgress, kFinished };

enum Event : applayer::EventId {
  kInternalError,
  kMalformedData,
  kRecordOverflow,
  kMalformedNtlmsspRequest,
  kMalformedNtlmsspResponse,
  kDuplicateNegotiate,
  kNegotiateMalformedDialects,
  kFileOverlap,
  kRequestToClient,
  kResponseToServer,
  kNegotiateMaxReadSizeTooSmall,
  kNegotiateMaxReadSizeTooLarge,
  kReadRequestTooLarge,
  kReadResponseTooLarge,
  kNegotiateMaxWriteSizeTooSmall,
  kNegotiateMaxWriteSizeTooLarge,
  kWriteRequestTooLarge,
  kReadQueueSizeExceeded,
  kReadQueueCountExceeded,
  kWriteQueueSizeExceeded,
  kWriteQueueCountExceeded,
  kUnusualNtlmsspOrder,
  kTooManyTransactions,
  kEventCount
};

// By what an answer finds its request.
struct Key {
  uint64_t session = 0, message = 0;
  uint32_t tree = 0;

  friend bool operator==(const Key&, const Key&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const Key& k) {
    return H::combine(std::move(h), k.session, k.message, k.tree);
  }
};

struct Negotiate {
  std::vector<std::string> dialects;     // that the client offers
  std::string client_guid, server_guid;  // 16 bytes each; empty: not sent
  uint32_t max_read_size = 0, max_write_size = 0;
};

struct NativeHost {
  std::string os, lan_manager;
};

struct SessionSetup {
  std::optional<NativeHost> request, response;
  std::optional<formats::NtlmAuthentication> ntlm;
  std::optional<formats::kerberos::Ticket> kerberos;
};

struct TreeConnect {
  std::string share;
  bool is_pipe = false;
  uint8_t share_type = 0;
  std::string request_service, response_service;  // version 1
};

struct Create {
  std::string name;
  uint32_t disposition = 0;
  bool delete_on_close = false, directory = false;
  CreateAnswer answer;
};

struct FileTransfer {
  FileTransfer(const applayer::FileOptions& options, Direction d, std::string id, std::string file,
               std::string on_share, uint64_t number)
      : direction(d),
        file_id(std::move(id)),
        name(file),
        share(std::move(on_share)),
        stream(options, std::move(file), number) {}

  Direction direction;
  std::string file_id, name, share;
  applayer::FileStream stream;
};

struct Rename {
  std::string file_id, from, to;
};

struct SetInfo {
  std::string file_id, name;
  bool delete_on_close = false;
  uint16_t subcommand = 0;  // version 1: of TRANS2
  uint16_t level = 0;       // level of interest, or information level
  uint8_t info_class = 0;   // version 2
};

struct Ioctl {
  uint32_t function = 0;
};

struct PipeCall {
  std::string file_id;
  uint32_t call_id = 0;
  std::optional<uint8_t> request, response;  // DCERPC packet types
  uint16_t opnum = 0, context_id = 0;
  bool little_endian = true;
  struct Stub {
    std::string data;
    uint64_t size = 0;
    uint32_t fragments = 0;
  };
  std::array<Stub, kDirections> stubs;
};

// What the whole flow knows; outlives its transactions.
struct Session {
  uint16_t dialect = 0;
  std::string dialect_text;                            // version 1
  uint32_t max_read_size = 0, max_write_size = 0;      // as negotiated; 0: not known
  std::vector<formats::dcerpc::Interface> interfaces;  // of the last bind
};

struct Transaction : applayer::Transaction {
  const Session* session = nullptr;
  uint8_t version = 2;
  uint16_t command = 0;
  Key key;
  std::optional<uint32_t> nt_status;
  std::optional<std::pair<uint8_t, uint16_t>> dos_error;
  std::variant<std::monostate, Negotiate, SessionSetup, TreeConnect, Create, FileTransfer, Rename,
               SetInfo, Ioctl, PipeCall>
      data;

  template <typename T>
  [[nodiscard]] T* as() {
    return std::get_if<T>(&data);
  }
  template <typename T>
  [[nodiscard]] const T* as() const {
    return std::get_if<T>(&data);
  }
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
    FileTransfer* f = as<FileTransfer>();
    return f != nullptr && f->direction == d ? &f->stream.container() : nullptr;
  }
};

}  // namespace vong::smb

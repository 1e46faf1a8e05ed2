// SMB of all versions on TCP (NetBIOS session service or direct): records are found, opened, and
// made into transactions. What is encrypted (transform header) is passed over.
#pragma once

#include <memory>
#include <string>

#include "base/bounded_map.h"
#include "sensor/applayer/core/file.h"
#include "sensor/applayer/core/parser.h"
#include "sensor/applayer/core/protocol.h"
#include "sensor/applayer/smb/limits.h"
#include "sensor/applayer/smb/transaction.h"

namespace vong::smb {

struct Config {
  applayer::FileOptions files;
  size_t transactions_max = kMaxTransactions;
  bool one_sided = false;  // stream.async-oneside: connections of which one side is never seen are followed
  // Per direction: writes go to the server, reads to the client. 0: no bound.
  std::array<uint32_t, kDirections> part_bytes_max{};
  std::array<applayer::QueueLimits, kDirections> queue{
      {{kMaxQueuedBytes, kMaxQueuedParts}, {kMaxQueuedBytes, kMaxQueuedParts}}};
  size_t guids_max = kMaxGuids, offsets_max = kMaxOffsets, trees_max = kMaxTrees,
         fragments_max = kMaxFragments, names_max = kMaxPendingNames;
};

class SmbParser : public applayer::Parser {
 public:
  explicit SmbParser(const Config& config);

  [[nodiscard]] applayer::ParseResult parse(Direction d, const applayer::Input& in) override;
  [[nodiscard]] bool gap(Direction d, uint64_t size) override;
  void end() override;

  [[nodiscard]] const Session& session() const { return session_; }

 private:
  struct Side {
    uint64_t skip = 0;         // bytes of the stream that say nothing
    uint64_t file_left = 0;    // of the part of a file that is coming
    uint64_t record_left = 0;  // behind it, in the same record
    bool search = false;       // after a gap: the next record's begin is looked for
    bool first_after_gap = false;
    std::optional<uint64_t> file_tx;  // the transaction of the file; it may be gone
    uint64_t framed_until = 0;  // stream offset behind the last record that has frames
  };
  struct OpenRead {
    std::string file_id;
    uint64_t offset = 0;
  };
  struct Tree {
    std::string share;
    bool is_pipe = false;
  };
  struct CommonHeader {  // what both versions' handlers share
    uint8_t version = 2;
    uint16_t command = 0;
    Key key;
    std::optional<uint32_t> nt_status;
    std::optional<std::pair<uint8_t, uint16_t>> dos_error;
    bool later = false;  // an answer that comes after a first one (async): names no tree
    [[nodiscard]] bool ok() const {
      return dos_error ? dos_error->first == 0 && dos_error->second == 0
                       : nt_status.value_or(0) == 0;
    }
  };
  // A part of a file that a record carries: `size` announced, `data` there.
  struct Part {
    std::string file_id;
    uint64_t offset = 0, size = 0;
    Bytes data;
  };

  // parser.cc: framing
  [[nodiscard]] size_t take_pending(Direction d, Bytes data);
  [[nodiscard]] size_t find_record(Direction d, Bytes data);
  bool stream_record(Direction d, Bytes record, uint64_t record_bytes);
  void record(Direction d, Bytes record);
  void file_bytes(Direction d, Bytes data);
  Transaction* pending_file(Side& s);
  void after_gap(Direction d);

  // parser.cc: transactions
  Transaction& make(const CommonHeader& h);
  Transaction* find(const CommonHeader& h, bool (*fits)(const Transaction&) = nullptr);
  Transaction* find_file(const std::string& file_id, Direction d);
  void set_status(Transaction& tx, const CommonHeader& h);
  void set_nt_status(Transaction& tx, const CommonHeader& h);
  void event(Event e);
  Transaction& make_generic(const CommonHeader& h);
  void answer_generic(const CommonHeader& h);

  // file.cc
  void file_part(Direction d, const CommonHeader& h, const Part& part, const Tree* tree);
  void part_of_file(Transaction& tx, Direction d, const Part& part);
  void close_file(const CommonHeader& h, const std::string& file_id, Direction d);
  [[nodiscard]] bool too_large(Direction d, uint64_t size, bool announced);
  // True: the part belongs to a call on a pipe, or to a pipe whose content says nothing.
  bool pipe_part(Direction d, const CommonHeader& h, const Part& part, const Tree* tree);

  // pipe.cc
  [[nodiscard]] bool is_rpc_pipe(const std::string& file_id, Bytes data);
  void pipe_write(const CommonHeader& h, const std::string& file_id, Bytes data);
  void pipe_read(const CommonHeader& h, const std::string& file_id, Bytes data);
  void pipe_request(const CommonHeader& h, const std::string& file_id, Bytes unit,
                    const formats::dcerpc::Header& rpc);
  void pipe_response(const CommonHeader& h, const std::string& file_id, Bytes unit,
                     const formats::dcerpc::Header& rpc);
  Transaction* find_call(const CommonHeader& h, const std::string& file_id,
                         std::optional<uint32_t> call_id);

  // smb1.cc
  void record1(Direction d, Bytes record);
  void request1(const Header1& h, const CommonHeader& c, Bytes record, size_t at);
  bool request1_known(const Header1& h, const CommonHeader& c, Bytes record, const Block1& b);
  void response1(const Header1& h, const CommonHeader& c, Bytes record, size_t at);
  bool response1_known(const Header1& h, const CommonHeader& c, Bytes record, const Block1& b);
  void negotiate_request1(const CommonHeader& c, const Block1& b);
  bool negotiate_response1(const Header1& h, const CommonHeader& c, const Block1& b);
  void session_setup_request1(const Header1& h, const CommonHeader& c, const Block1& b);
  bool session_setup_response1(const Header1& h, const CommonHeader& c, const Block1& b);
  void tree_connect_request1(const Header1& h, const CommonHeader& c, const Block1& b);
  bool tree_connect_response1(const Header1& h, const CommonHeader& c, const Block1& b);
  void create_request1(const Header1& h, const CommonHeader& c, const Block1& b);
  bool create_response1(const Header1& h, const CommonHeader& c, const Block1& b);
  bool transaction_request1(const Header1& h, const CommonHeader& c, Bytes record, const Block1& b);
  bool transaction_response1(const Header1& h, const CommonHeader& c, Bytes record,
                             const Block1& b);
  bool transaction2_request1(const Header1& h, const CommonHeader& c, Bytes record,
                             const Block1& b);
  void write1(const Header1& h, const CommonHeader& c, Bytes record, const Block1& b);
  void read_answer1(const Header1& h, const CommonHeader& c, Bytes record, const Block1& b);

  void note_frames(Direction d, uint64_t offset, Bytes data, uint64_t bytes);

  // smb2.cc
  void record2(Direction d, Bytes record);
  void request2(const CommonHeader& c, Bytes record);
  bool request2_known(const CommonHeader& c, Bytes record);
  void response2(const CommonHeader& c, Bytes record);
  bool response2_known(const CommonHeader& c, Bytes record);
  bool negotiate_request2(const CommonHeader& c, Bytes record);
  bool negotiate_response2(const CommonHeader& c, Bytes record);
  bool session_setup_request2(const CommonHeader& c, Bytes record);
  bool session_setup_response2(const CommonHeader& c);
  bool tree_connect_request2(const CommonHeader& c, Bytes record);
  bool tree_connect_response2(const CommonHeader& c, Bytes record);
  bool create_request2(const CommonHeader& c, Bytes record);
  bool create_response2(const CommonHeader& c, Bytes record);
  bool close_request2(const CommonHeader& c, Bytes record);
  bool ioctl_request2(const CommonHeader& c, Bytes record);
  bool ioctl_response2(const CommonHeader& c, Bytes record);
  bool set_info_request2(const CommonHeader& c, Bytes record);
  void read_request2(const CommonHeader& c, Bytes record);
  void read_answer2(const CommonHeader& c, Bytes record);
  void write2(const CommonHeader& c, Bytes record);

  void logon(SessionSetup& to, Transaction& tx, Bytes blob);
  [[nodiscard]] std::string name_of_file(const std::string& file_id);
  [[nodiscard]] std::string name_of_chained(const CommonHeader& c, const std::string& file_id);
  Tree* tree_of(const CommonHeader& h);

  Config config_;
  Session session_;
  std::array<Side, kDirections> sides_;
  bool failed_ = false;  // too many transactions
  bool answered_ = false, one_sided_ = false;  // the server was heard; nobody waits for it
  void one_sided();
  uint64_t files_made_ = 0;
  BoundedMap<std::string, std::string> names_;  // by file id
  BoundedMap<Key, OpenRead> reads_;
  BoundedMap<Key, std::string> creates_;     // names that wait for their file id
  BoundedMap<Key, std::string> pipe_reads_;  // file ids of calls that wait for their answer
  BoundedMap<Key, Tree> trees_;
  BoundedMap<std::string, std::string> fragments_;
};

// In the order of the table's names; header and data follow their unit.
enum Frame : uint8_t {
  kFrameNbssPdu, kFrameNbssHdr, kFrameNbssData,
  kFrameSmb1Pdu, kFrameSmb1Hdr, kFrameSmb1Data,
  kFrameSmb2Pdu, kFrameSmb2Hdr, kFrameSmb2Data,
  kFrameSmb3Pdu, kFrameSmb3Hdr, kFrameSmb3Data,
};

extern const applayer::ProtocolDef kSmbProtocol;

}  // namespace vong::smb

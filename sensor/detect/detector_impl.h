// Inside of Detector: one worker's scratch and the steps of inspecting a packet. The steps stand in detector.cc (packets),
// tx_inspect.cc (transactions) and alert_queue.cc (what becomes of matches).
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "rules/matcher/literal_index.h"
#include "rules/matcher/matcher.h"
#include "rules/matcher/short_index.h"
#include "sensor/applayer/core/driver.h"
#include "sensor/detect/buffer_cache.h"
#include "sensor/detect/carry_over.h"
#include "sensor/detect/compiled_rule.h"
#include "sensor/detect/detector.h"
#include "sensor/detect/inspect.h"
#include "sensor/detect/rule_set_impl.h"
#include "sensor/detect/shared_state.h"
#include "sensor/detect/tx_state.h"
#include "sensor/flow/raw_stream.h"

namespace vong::detect {

// A rule that matched, before thresholds and ordering.
struct Match {
  RuleIndex rule = 0;
  const applayer::Transaction* tx = nullptr;
  uint64_t tx_id = 0;
  bool stream = false, state = false, tx_guessed = false;
  uint32_t evidence_at = 0, evidence_count = 0;   // in Impl::evidence
  std::optional<uint64_t> file_id;
  const applayer::Frame* frame = nullptr;
  std::shared_ptr<const std::vector<std::pair<std::string, std::string>>> context;   // from data sets
};

struct Detector::Impl {
  Impl(std::shared_ptr<const RuleSet> rule_set, const Settings& settings, SharedState& shared_state);
  // For a tenant: set up like `like`, whose counters it counts in and which must outlive it.
  Impl(std::shared_ptr<const RuleSet> rule_set, Impl& like, SharedState& shared_state);

  void use_rules(std::shared_ptr<const RuleSet> rule_set);
  std::span<const Alert> inspect(Packet& p);

  // --- packets (detector.cc)
  void begin(Packet& p);
  void run_ip_only();
  void collect_packet_candidates();
  enum PayloadKind : uint8_t { kPacketPayload, kStreamPayload, kPayloadKinds };
  void collect_payload(PayloadKind kind, Bytes data, Bytes head);
  void collect_unfiltered();
  void evaluate_packet_rules();
  [[nodiscard]] bool packet_part_fits(const CompiledRule& rule, bool& stream_match, bool with_payload);
  [[nodiscard]] bool payload_fits(const RuleBody& b, bool& stream_match);
  [[nodiscard]] bool stream_fits(const RuleBody& b);
  void open_window();
  [[nodiscard]] bool flow_fits(const RuleBody& b) const;
  [[nodiscard]] bool header_fits(uint32_t header);
  [[nodiscard]] bool reversed_header_fits(const Header& h) const;   // "=>" seen from the response
  [[nodiscard]] bool compute_header(const Header& h) const;
  [[nodiscard]] bool has_ports() const;
  [[nodiscard]] bool packet_buffer_fits(const PacketBufferCheck& check);
  void scan(const PatternGroup& group, Bytes data, std::vector<RuleIndex>& out);
  [[nodiscard]] bool passes_gate(RuleIndex i);
  void note_protocol_detection();
  void inspect_frames();
  [[nodiscard]] bool frame_fits(const RuleBody& b, const applayer::Frame& frame);

  // --- transactions (tx_inspect.cc)
  void inspect_transactions();
  void inspect_transaction(applayer::Transaction& tx, const TxIndex& index, const applayer::ProtocolDef& def, bool over);
  void scan_buffer(const TxPrefilter& pf, size_t k, uint32_t instance, const applayer::BufferView& buffer, TxState& state);
  void collect_tx_candidates(applayer::Transaction& tx, TxState& state, const TxIndex& index, bool over);
  enum class EngineResult : uint8_t { kMatch, kNoMatchYet, kNever, kNotHere, kSkip };
  [[nodiscard]] EngineResult run_engine(const TxEngine& e, applayer::Transaction& tx, Direction at, bool over);
  [[nodiscard]] EngineResult run_buffer_engine(const TxEngine& e, applayer::Transaction& tx, Direction at, bool over);
  [[nodiscard]] EngineResult run_number_engine(const NumberCheck& check, applayer::Transaction& tx, Direction at, bool over);
  [[nodiscard]] EngineResult run_file_engines(const RuleBody& b, applayer::Transaction& tx, Direction at, bool over, uint64_t from, uint64_t& id);
  void evaluate_tx_rule(RuleIndex i, applayer::Transaction& tx, TxState& state, bool over);
  void mark_all_inspected();
  void pass_by();

  // --- matches (alert_queue.cc)
  void keep_stream_payload();
  void matched(RuleIndex i, const applayer::Transaction* tx, bool stream, std::optional<uint64_t> file_id);
  [[nodiscard]] const applayer::Transaction* transaction_in_view(const RuleBody& body) const;
  void finish_alerts();
  void apply_verdict(const CompiledRule& rule, AlertAction action, const Match& m);
  void run_tags();

  std::shared_ptr<const RuleSet> rules;
  const RuleSet::Impl* set = nullptr;
  SharedState& shared;
  Runtime rt;
  DetectCounters own_counters;
  DetectCounters& counters = own_counters;   // of a tenant: the first Impl's
  Verdict verdict;
  bool tagged = false, guess_tx = false;
  uint8_t priority_limit = kAllPriorities;
  uint32_t packet_work = kDefaultPacketWork;
  // False: not now, and why is counted.
  [[nodiscard]] bool may_try(const CompiledRule& rule);
  [[nodiscard]] bool some_rule_speaks_of(const Packet& p);
  uint32_t alert_queue_max = kDefaultAlertQueue;

  matcher::Scratch scratch;
  matcher::LiteralMarks literal_marks;
  BufferCache buffers;
  std::vector<RuleIndex> candidates, tx_candidates, stream_tx_candidates;
  std::vector<Match> matches;
  std::vector<MatchedContent> evidence;       // of all matches of the packet
  std::vector<Alert> alerts;
  std::string packet_transformed, packet_spare;

  // What headers say of packets of one combination of classes: judged when first asked, kept for all packets like it.
  struct HeaderView {
    std::vector<uint8_t> result;               // by header: 0 not asked yet, 1 does not fit, 2 fits
    std::vector<RuleIndex> unfiltered[kDirections];   // rules without pattern whose header fits
    std::vector<RuleIndex> unfiltered_at_end[kDirections];   // those of them that can match at a flow's end
    bool listed[kDirections] = {};
    // Groups of payload rules some of which fit; and of short patterns those of which only a few rules do, to be tried without a search.
    struct Payload {
      std::vector<const PayloadGroup*> groups;
      std::vector<std::pair<AppProto, const ShortPatterns*>> shorts;
      std::vector<std::pair<AppProto, RuleIndex>> direct;
      bool listed = false;
    } payload[kPayloadKinds][kDirections];
  };
  struct ViewKey {
    uint32_t src, dst;
    uint16_t sport, dport;
    uint8_t packet_class, ip_version, has_ports;
    friend bool operator==(const ViewKey&, const ViewKey&) = default;
    template <typename H>
    friend H AbslHashValue(H h, const ViewKey& k) {
      return H::combine(std::move(h), k.src, k.dst, k.sport, k.dport, k.packet_class, k.ip_version, k.has_ports);
    }
  };
  HeaderView& view_of(const Packet& p);
  void open_view();
  [[nodiscard]] const HeaderView::Payload& payload_view(PayloadKind kind);
  static constexpr size_t kIdentitiesMax = 16;
  std::deque<std::shared_ptr<const SetIdentity>> identities;   // of the rule sets so far, the newest last
  void adopt(TxState& state);                  // a transaction that was met under another rule set
  absl::flat_hash_map<ViewKey, std::unique_ptr<HeaderView>> views;
  HeaderView spare_view;                       // when there are too many combinations: judged anew for each packet
  HeaderView* view = nullptr;                  // of the packet in view

  // --- of the packet in view
  uint16_t payload_bytes = 0;      // of the packet, as RuleGate has them
  uint8_t gate_refuses = 0;        // flags of RuleGate with which no rule can match
  PacketClass packet_class = PacketClass::kNotIp;
  applayer::FlowAppState* app = nullptr;
  flow::RawStream* stream = nullptr;
  flow::RawStream::Window window;
  Bytes fresh;                     // the part of the window that was not inspected before
  Bytes joint;                     // that with some bytes before it
  bool joint_matched = false;      // a match has bytes of both
  std::string stream_copy;         // what alerts show of the stream, once something has matched
  bool stream_added = false;       // its data went into the stream: not inspected as a packet of its own
  bool protocol_detected_now = false;
};

}  // namespace vong::detect

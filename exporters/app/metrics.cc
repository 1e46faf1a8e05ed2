#include "exporters/app/metrics.h"

namespace vong::exporter {
namespace {

using telemetry::Kind;
using telemetry::MetricInfo;

constexpr MetricInfo kMetrics[] = {
    {"vong_exporter_sent_records_total", Kind::kCounter, "",
     "Records that the receiver has committed"},
    {"vong_exporter_sent_bytes_total", Kind::kCounter, "", "Bytes of these records"},
    {"vong_exporter_transactions_total", Kind::kCounter, "", "Transactions that were committed"},
    {"vong_exporter_aborted_transactions_total", Kind::kCounter, "",
     "Transactions that were given up and sent again"},
    {"vong_exporter_reconnects_total", Kind::kCounter, "",
     "Times that the sender was built anew after a failure"},
    {"vong_exporter_refusals_total", Kind::kCounter, "",
     "Times that the receiver refused us: credentials, rights or a missing topic"},
    {"vong_exporter_dropped_records_total", Kind::kCounter, "reason",
     "Records that will never arrive, by reason; each is a gap in the receiver's seq"},
    {"vong_exporter_caught_up_records_total", Kind::kCounter, "",
     "Records found at the receiver after a crash and not sent again"},
    {"vong_exporter_oldest_unsent_seconds", Kind::kGauge, "",
     "Age of the oldest record that is not committed; 0 for none"},
    {"vong_exporter_connected_state", Kind::kGauge, "", "1 while transactions can be made, else 0"},
    {"vong_exporter_committed_seq", Kind::kGauge, "", "The newest seq that the receiver has"},
    {"vong_exporter_spool_corrupt_bytes_total", Kind::kCounter, "",
     "Damaged bytes in the spool that were skipped"},
    {"vong_exporter_spool_corrupt_records_total", Kind::kCounter, "",
     "Records in the spool with a damaged payload"},
    {"vong_exporter_spool_torn_bytes_total", Kind::kCounter, "",
     "Bytes that crashes have left at the ends of segments"},
    {"vong_exporter_spool_rewritten_records_total", Kind::kCounter, "",
     "Records that the disk took only at a second try"},
    {"vong_exporter_spool_deleted_segments_total", Kind::kCounter, "",
     "Segments deleted after their acknowledgement"},
    {"vong_exporter_spool_delete_failures_total", Kind::kCounter, "",
     "Deletions that failed and are tried again"},
    {"vong_exporter_spool_read_failures_total", Kind::kCounter, "",
     "Reads of the spool that failed and are tried again"},
    {"vong_exporter_spool_damaged_cursors_total", Kind::kCounter, "",
     "Starts that found a damaged slot in the spool's cursor"},
};

}  // namespace

std::span<const MetricInfo> metrics_table() { return kMetrics; }

void add_metrics(telemetry::Registry& r, const send::ForwarderCounters& f,
                 const spool::ReaderCounters& s) {
  constexpr double kNsToSeconds = 1e-9;
  r.add("vong_exporter_sent_records_total", {}, f.sent_records);
  r.add("vong_exporter_sent_bytes_total", {}, f.sent_bytes);
  r.add("vong_exporter_transactions_total", {}, f.transactions);
  r.add("vong_exporter_aborted_transactions_total", {}, f.aborted_transactions);
  r.add("vong_exporter_reconnects_total", {}, f.reconnects);
  r.add("vong_exporter_refusals_total", {}, f.refusals);
  r.add("vong_exporter_dropped_records_total", {{"reason", "rejected"}}, f.rejected_records);
  r.add("vong_exporter_dropped_records_total", {{"reason", "unreadable"}}, f.unreadable_records);
  r.add("vong_exporter_dropped_records_total", {{"reason", "damaged"}}, s.lost_records);
  r.add("vong_exporter_caught_up_records_total", {}, f.caught_up_records);
  r.add("vong_exporter_oldest_unsent_seconds", {},
        [&f] { return static_cast<double>(f.oldest_unsent_ns.value()) * kNsToSeconds; });
  r.add("vong_exporter_connected_state", {}, f.connected);
  r.add("vong_exporter_committed_seq", {}, f.last_committed_seq);
  r.add("vong_exporter_spool_corrupt_bytes_total", {}, s.corrupt_bytes);
  r.add("vong_exporter_spool_corrupt_records_total", {}, s.corrupt_records);
  r.add("vong_exporter_spool_torn_bytes_total", {}, s.torn_bytes);
  r.add("vong_exporter_spool_rewritten_records_total", {}, s.rewritten_records);
  r.add("vong_exporter_spool_deleted_segments_total", {}, s.deleted_segments);
  r.add("vong_exporter_spool_delete_failures_total", {}, s.delete_failures);
  r.add("vong_exporter_spool_read_failures_total", {}, s.read_failures);
  r.add("vong_exporter_spool_damaged_cursors_total", {}, s.damaged_cursors);
}

}  // namespace vong::exporter

#include "correlator/app/offline.h"

#include <algorithm>
#include <optional>

#include "correlator/app/backtest.h"
#include "correlator/app/outputs.h"
#include "correlator/coverage/board.h"
#include "correlator/ingest/limits.h"
#include "correlator/ingest/line_reader.h"
#include "correlator/ingest/order.h"

namespace vong::correlator {
namespace {

// One pass over all inputs. `sorting`: facts are sorted as a whole; else they pass through a
// reorder buffer.
class Pass {
 public:
  Pass(const Options& options, const enrich::Registry& registry, const sigma::RuleSet& rules,
       const app::Signals& signals, bool sorting)
      : options_(options),
        signals_(signals),
        router_(registry, options.pseudonym_key),
        engine_(registry, router_, options.engine, counters_,
                [this](const events::Incident& i) {
                  outputs_->incident(i, router_);
                  if (options_.backtest) backtest_.incident(i);
                }),
        reorder_(ingest::kReorderBytesMax),
        sorter_(ingest::kSortRunBytes),
        board_(
            registry, options.wanted_rules,
            [this](std::string_view key, std::string_view json) { outputs_->coverage(key, json); },
            options.coverage_interval.count()),
        sorting_(sorting) {
    router_.set_warning_tlp(options.engine.campaign.warning_tlp);
    std::vector<rules::Diagnostic> reported_before;
    engine_.load(rules, reported_before);
    for (const enrich::Agency& a : registry.agencies()) recipients_.push_back(a.id);
    recipients_.emplace_back(routing::kNational);
  }

  Result<> run(const std::vector<std::string>& files) {
    auto outputs = FileOutputs::open(
        options_.log_dir, options_.per_recipient ? recipients_ : std::vector<std::string>());
    if (!outputs) return std::unexpected(outputs.error());
    outputs_ = std::move(*outputs);
    for (size_t i = 0; i < files.size() + options_.verdicts.size(); ++i) {
      verdicts_ = i >= files.size();
      const std::string& file = verdicts_ ? options_.verdicts[i - files.size()] : files[i];
      file_ = &file;
      const auto on_line = [this](const ingest::Line& l) { return line(l); };
      const auto on_block = [this](std::string_view block) { engine_.expect(block); };
      const auto idle = [this] { return !signals_.stop_requested(); };
      auto read = file == "-" ? ingest::read_lines_fd(0, "standard input", on_line, idle, on_block)
                              : ingest::read_lines(file, on_line, on_block);
      if (!read) return read;
      if (!problem_.empty()) return fail(problem_);
      if (restart_ || stopped_) break;
    }
    if (restart_) return {};
    return finish();
  }

  [[nodiscard]] bool wants_sorting() const { return restart_; }

  [[nodiscard]] const Backtest& backtest() const { return backtest_; }

  [[nodiscard]] OfflineReport report() const {
    OfflineReport r;
    const EngineCounters& c = engine_.counters();
    r.records = c.records.value() + too_long_;
    r.refused = c.records_refused.value() + too_long_;
    r.matched = c.records_matched.value();
    r.late = c.facts_late.value();
    r.incidents = outputs_->incidents();
    r.sorted = sorting_;
    r.stopped = stopped_;
    for (const auto& m : engine_.correlation_matches()) r.matches.emplace_back(m.title, m.matches);
    return r;
  }

 private:
  bool line(const ingest::Line& l) {
    ++position_;
    if (l.too_long) {
      ++too_long_;
      outputs_->dead_letter("record too long", *file_, l.number, l.text);
      return true;
    }
    const ReadResult result = verdicts_ ? engine_.read_verdict(l.text, position_)
                                        : engine_.read(l.text, {{}, {}, position_});
    if (result != ReadResult::kRefused)
      newest_record_ns_ = std::max(newest_record_ns_, engine_.time_ns());
    switch (result) {
      case ReadResult::kRefused:
        outputs_->dead_letter(engine_.reason(), *file_, l.number, l.text);
        break;
      case ReadResult::kFact:
        if (verdicts_) board_.on_verdict(engine_.verdict_agency(), engine_.time_ns());
        if (!fact()) return false;
        break;
      case ReadResult::kNoMatch:
        break;
    }
    if ((position_ & 0xfff) == 0 && signals_.stop_requested()) stopped_ = true;
    return !stopped_;
  }

  bool fact() {
    if (sorting_) {
      auto added = sorter_.add(engine_.key(), engine_.fact());
      if (!added) problem_ = added.error().message;
      return added.has_value();
    }
    if (!reorder_.push(engine_.key(), engine_.fact())) {
      if (*file_ != "-") {  // files can be read again, sorted
        restart_ = true;
        return false;
      }
      engine_.counters().facts_late.add();
      return true;
    }
    newest_ns_ = std::max(newest_ns_, engine_.key().time_ns);
    if (++pushed_ % ingest::kFactsAtOnce != 0) return true;
    reorder_.release(newest_ns_ - options_.disorder.count(), process_);
    return true;
  }

  // What sensors said of themselves, beside the events.
  Result<> coverage() {
    for (const std::string& file : options_.status) {
      auto read = ingest::read_lines(file, [&](const ingest::Line& l) {
        const auto status = coverage::read_status(l.text);
        if (!status)
          outputs_->dead_letter(status.error().message, file, l.number, l.text);
        else if (!board_.on_status(*status))
          outputs_->dead_letter("status: unknown sensor", file, l.number, l.text);
        return true;
      });
      if (!read) return read;
    }
    board_.report();
    return {};
  }

  Result<> finish() {
    if (sorting_) {
      const auto process = [this](const ingest::OrderKey&, std::string_view f) {
        engine_.process(f);
      };
      if (auto sorted = sorter_.finish(process); !sorted) return sorted;
    } else {
      reorder_.release(INT64_MAX, process_);
    }
    engine_.advance(newest_record_ns_);
    engine_.finish();
    if (options_.backtest) backtest_.finish(engine_);
    if (auto r = coverage(); !r) return r;
    return outputs_->finish();
  }

  const Options& options_;
  const app::Signals& signals_;
  routing::Router router_;
  std::unique_ptr<FileOutputs> outputs_;
  EngineCounters counters_;
  Backtest backtest_;
  Engine engine_;
  ingest::ReorderBuffer reorder_;
  ingest::FactSorter sorter_;
  coverage::Board board_;
  std::vector<std::string> recipients_;
  bool verdicts_ = false;  // the file at hand holds verdicts
  bool sorting_, restart_ = false, stopped_ = false;
  const std::string* file_ = nullptr;
  std::string problem_;
  uint64_t position_ = 0, too_long_ = 0, pushed_ = 0;
  const std::function<void(std::span<const std::string_view>)> process_ =
      [this](std::span<const std::string_view> facts) { engine_.process(facts); };
  int64_t newest_ns_ = INT64_MIN / 2;  // of the facts
  int64_t newest_record_ns_ = INT64_MIN;
};

}  // namespace

Result<OfflineReport> run_offline(const Options& options, const enrich::Registry& registry,
                                  const sigma::RuleSet& rules, const app::Signals& signals,
                                  Backtest* backtest) {
  std::vector<std::string> files;
  for (const std::string& input : options.inputs) {
    auto found = ingest::input_files(input);
    if (!found) return std::unexpected(found.error());
    files.insert(files.end(), found->begin(), found->end());
  }
  bool sorting = files.size() + options.verdicts.size() > 1;
  for (;;) {
    Pass pass(options, registry, rules, signals, sorting);
    if (auto done = pass.run(files); !done) return std::unexpected(done.error());
    if (pass.wants_sorting()) {
      sorting = true;
      continue;
    }
    if (backtest != nullptr) *backtest = pass.backtest();
    return pass.report();
  }
}

}  // namespace vong::correlator

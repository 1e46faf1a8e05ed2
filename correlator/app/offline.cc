#include "correlator/app/offline.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <optional>
#include <thread>

#include "correlator/app/backtest.h"
#include "correlator/app/outputs.h"
#include "correlator/app/reading.h"
#include "correlator/coverage/board.h"
#include "correlator/ingest/limits.h"
#include "correlator/ingest/line_reader.h"
#include "correlator/ingest/order.h"

namespace vong::correlator {
namespace {

// One pass over all inputs. `sorting`: facts are sorted as a whole; else they pass through a
// reorder buffer.
class Pass : private FactSink {
 public:
  Pass(const Options& options, const enrich::Registry& registry, const sigma::RuleSet& rules,
       app::Signals& signals, bool sorting)
      : options_(options),
        registry_(registry),
        rules_(rules),
        signals_(signals),
        router_(registry, options.pseudonym_key),
        engine_(registry, router_, engine_settings(options), counters_,
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
    load(engine_);
    for (const enrich::Agency& a : registry.agencies()) recipients_.push_back(a.id);
    recipients_.emplace_back(routing::kNational);
  }

  Result<> run(const std::vector<std::string>& files) {
    auto outputs = FileOutputs::open(
        options_.log_dir, options_.per_recipient ? recipients_ : std::vector<std::string>());
    if (!outputs) return std::unexpected(outputs.error());
    outputs_ = std::move(*outputs);
    can_restart_ = std::find(files.begin(), files.end(), "-") == files.end();
    const Reading::Files names{files, options_.verdicts};
    if (auto read = two_threads(options_) ? read_beside(names) : read_here(names); !read)
      return read;
    if (!problem_.empty()) return fail(problem_);
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
  static bool two_threads(const Options& options) { return options.threads > 1; }
  static EngineSettings engine_settings(const Options& options) {
    EngineSettings s = options.engine;
    s.reads = !two_threads(options);
    return s;
  }
  void load(Engine& engine) const {
    std::vector<rules::Diagnostic> reported_before;
    engine.load(rules_, reported_before);
  }

  Result<> read_here(const Reading::Files& names) {
    Reading reading(engine_, *this, [this] { return stop(); });
    auto read = reading.run(names);
    note(reading);
    return read;
  }

  // Records are read on a thread of its own, by an engine that does nothing else.
  Result<> read_beside(const Reading::Files& names) {
    Engine reader(registry_, router_, options_.engine, counters_, [](const events::Incident&) {});
    load(reader);
    FactQueue queue;
    Reading reading(reader, queue, [this] { return stop(); });
    Result<> read;
    {
      const std::jthread thread([&] {
        read = reading.run(names);
        queue.end();
      });
      queue.take_all(engine_, *this);
    }
    engine_.adopt_detection_matches(reader);
    note(reading);
    return read;
  }

  // Asked on the reading thread.
  bool stop() {
    if (signals_.take_reload())
      spdlog::warn(
          "SIGHUP changes nothing here: a run over files ends with the rules it began with");
    return signals_.stop_requested();
  }

  void note(const Reading& reading) {
    newest_record_ns_ = reading.newest_ns();
    too_long_ = reading.too_long();
    stopped_ = reading.stopped();
  }

  void refused(std::string_view reason, std::string_view file, uint64_t line,
               std::string_view record) override {
    outputs_->dead_letter(reason, file, line, record);
  }

  void verdict(enrich::AgencyIndex agency, int64_t time_ns) override {
    board_.on_verdict(agency, time_ns);
  }

  bool fact(const ingest::OrderKey& key, std::string_view fact, const Engine&) override {
    if (sorting_) {
      auto added = sorter_.add(key, fact);
      if (!added) problem_ = added.error().message;
      return added.has_value();
    }
    if (!reorder_.push(key, fact)) {
      if (can_restart_) {  // files can be read again, sorted
        restart_ = true;
        return false;
      }
      engine_.counters().facts_late.add();
      return true;
    }
    newest_ns_ = std::max(newest_ns_, key.time_ns);
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
    engine_.tell_figures(
        [this](std::string_view key, std::string_view json) { outputs_->coverage(key, json); });
    if (auto r = coverage(); !r) return r;
    return outputs_->finish();
  }

  const Options& options_;
  const enrich::Registry& registry_;
  const sigma::RuleSet& rules_;
  app::Signals& signals_;
  routing::Router router_;
  std::unique_ptr<FileOutputs> outputs_;
  EngineCounters counters_;
  Backtest backtest_;
  Engine engine_;
  ingest::ReorderBuffer reorder_;
  ingest::FactSorter sorter_;
  coverage::Board board_;
  std::vector<std::string> recipients_;
  bool sorting_, restart_ = false, stopped_ = false;
  bool can_restart_ = true;  // no input is a pipe
  std::string problem_;
  uint64_t too_long_ = 0, pushed_ = 0;
  const std::function<void(std::span<const std::string_view>)> process_ =
      [this](std::span<const std::string_view> facts) { engine_.process(facts); };
  int64_t newest_ns_ = INT64_MIN / 2;  // of the facts
  int64_t newest_record_ns_ = INT64_MIN;
};

}  // namespace

Result<OfflineReport> run_offline(const Options& options, const enrich::Registry& registry,
                                  const sigma::RuleSet& rules, app::Signals& signals,
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

#include "sensor/app/config_reference.h"

#include <fmt/format.h>

#include <array>

namespace vong::sensor {
namespace {

constexpr auto kKeys = std::to_array<ConfigKey>({
    {"vars.address-groups.*", "", "address lists that rules name as $NAME: `[10.0.0.0/8,!10.1.0.0/16]`"},
    {"vars.port-groups.*", "", "port lists that rules name as $NAME: `[80,8000:8080]`"},
    {"default-rule-path", "", "folder of the names in rule-files"},
    {"rule-files.*", "", "rule files; a name may hold * and ?"},
    {"classification-file", "", "classification.config: the classes' descriptions and priorities"},
    {"reference-config-file", "", "reference.config: what stands before a reference's id"},
    {"threshold-file", "", "threshold.config: thresholds and suppressions by sid"},
    {"rules.cache-dir", "", "folder of compiled pattern sets; empty: rules are compiled at every start"},
    {"rules.compile-threads", "2", "threads that compile pattern sets at a start or reload"},
    {"rules.strict.*", "no", "classtype, reference, app-layer-event: values that are not known are errors (--strict-rule-keywords)"},
    {"rules.watch-interval", "0", "seconds between looks at the rule files: when they have changed and stayed so for one interval, they are loaded as after SIGHUP; 0: only SIGHUP loads them"},
    {"multi-detect.enabled", "no", "tenants: rule sets of their own for parts of the traffic; `tenant_id` in their events"},
    {"multi-detect.selector", "vlan", "what tells whose a packet is: vlan (the outermost), vlan-tuple (all of them), device, or direct (the command that gives a capture)"},
    {"multi-detect.default", "no", "the main file's own rules look at traffic of no tenant; no: nothing does"},
    {"multi-detect.loaders", "1", "threads that load tenants"},
    {"multi-detect.config-path", "", "folder of the tenants' files; empty: where the sensor was started, or beside the main file"},
    {"multi-detect.tenants.*.id", "", "its number, from 1 on; at most 1024 tenants"},
    {"multi-detect.tenants.*.yaml", "", "its file: rule-files, default-rule-path, classification-file, reference-config-file, threshold-file, vars; but for rule-files and "
                                        "default-rule-path the main file's hold where it has none"},
    {"multi-detect.mappings.*.tenant-id", "", "whose traffic is that of vlan-id (1 to 4094), of vlan-tuple (outermost first, 0: any) or of device, as the selector says"},
    {"default-log-dir", ".", "where eve.json goes when -l is not given"},
    {"sensor-name", "", "this sensor's id: EVE's `host`, Kafka's header `sensor`"},
    {"agency", "", "the agency's identifier: Kafka's topic and header"},
    {"workers", "one a core", "live: packet workers an interface"},
    {"outputs.*.eve-log.enabled", "yes", "write EVE records"},
    {"outputs.*.fast.filename", "fast.log", "file of text, a line an alert; written where `outputs` names it"},
    {"outputs.*.eve-log.filename", "eve.json", "file of the records, below the log folder"},
    {"outputs.*.eve-log.community-id", "no", "add community_id"},
    {"outputs.*.eve-log.community-id-seed", "0", "seed of the Community ID"},
    {"outputs.*.eve-log.pcap-file", "no", "add pcap_filename"},
    {"outputs.*.eve-log.ethernet", "no", "add MAC addresses"},
    {"outputs.*.eve-log.metadata", "yes", "add flowbits, flowints and variables"},
    {"outputs.*.eve-log.types.*", "all that the reference ships", "record types that are on, each with its options"},
    {"outputs.*.eve-log.types.*.alert.payload", "no", "payload in base64"},
    {"outputs.*.eve-log.types.*.alert.payload-printable", "no", "payload as text"},
    {"outputs.*.eve-log.types.*.alert.payload-buffer-size", "4kb", "most bytes of payload in an alert"},
    {"outputs.*.eve-log.types.*.alert.packet", "no", "the packet in base64"},
    {"outputs.*.eve-log.types.*.alert.http-body", "no", "request or response body in base64"},
    {"outputs.*.eve-log.types.*.alert.metadata", "yes", "flow, application record and the rule's metadata"},
    {"outputs.*.eve-log.types.*.alert.metadata.rule.raw", "no", "the rule's text"},
    {"outputs.*.eve-log.types.*.alert.metadata.rule.matches", "no", "where the rule's contents were found, as `buffer offset+length`: alert.metadata.matched"},
    {"outputs.*.eve-log.types.*.anomaly.types.decode", "no", "decoder events as anomaly records"},
    {"outputs.*.eve-log.types.*.anomaly.types.stream", "no", "stream events as anomaly records"},
    {"outputs.*.eve-log.types.*.anomaly.types.applayer", "yes", "application layer events as anomaly records"},
    {"outputs.*.eve-log.types.*.files.force-magic", "no", "libmagic on every file"},
    {"outputs.*.eve-log.types.*.files.force-hash", "", "md5, sha1, sha256 of every file; without an outputs section sha256"},
    {"stats.enabled", "yes", "write stats records"},
    {"stats.decoder-events", "yes", "decoder events in stats records"},
    {"vlan.use-for-tracking", "yes", "VLAN ids tell flows and fragments apart"},
    {"decoder.max-layers", "16", "headers within headers before a packet is given up"},
    {"decoder.vxlan.ports", "4789", "UDP ports of VXLAN; decoder.geneve.ports 6081 and decoder.teredo.ports 3544 likewise"},
    {"defrag.memcap", "32mb", "memory for fragments in waiting"},
    {"defrag.trackers", "65535", "datagrams in waiting"},
    {"defrag.max-frags", "65535", "fragments in waiting"},
    {"defrag.timeout", "60", "seconds that a datagram waits for its fragments"},
    {"flow.memcap", "128mb", "memory of the flow table"},
    {"flow.emergency-recovery", "30", "percent of the table that must be free again to end emergency mode"},
    {"flow-timeouts.*.new", "30", "seconds until a flow without answer ends; also established, closed, bypassed and emergency-*, for "
                                  "default, tcp, udp, icmp"},
    {"host-os-policy.*", "bsd", "addresses by operating system: how overlapping segments and fragments are read"},
    {"stream.memcap", "64mb", "memory of TCP sessions"},
    {"stream.checksum-validation", "yes", "segments with a wrong checksum are not looked at (-k none: they are)"},
    {"stream.midstream", "no", "follow TCP flows whose start was not seen"},
    {"stream.async-oneside", "no", "follow TCP flows of which one direction is not seen"},
    {"stream.inline", "no", "hand bytes on when they come, not when they are acknowledged"},
    {"stream.bypass", "no", "stop looking at flows whose depth is reached"},
    {"stream.reassembly.memcap", "256mb", "memory of buffered segments"},
    {"stream.reassembly.depth", "1mb", "bytes of a direction that are looked at; 0: all"},
    {"stream.reassembly.toserver-chunk-size", "2560", "raw bytes that are inspected at a time; toclient-chunk-size likewise"},
    {"stream.reassembly.urgent.policy", "oob", "urgent data: oob, inline, drop or gap"},
    {"app-layer.protocols.*.enabled", "yes", "yes, no, or detection-only"},
    {"app-layer.protocols.*.detection-ports.dp", "", "ports on which a protocol is probed for"},
    {"app-layer.protocols.http.libhtp.default-config.request-body-limit", "100kb", "bytes of a request body that are kept for inspection"},
    {"app-layer.protocols.http.libhtp.default-config.response-body-limit", "100kb", "the same of a response body"},
    {"app-layer.protocols.tls.ja3-fingerprints", "auto", "JA3; auto: when a rule or record asks for it; ja4-fingerprints likewise"},
    {"app-layer.protocols.tls.encryption-handling", "track-only", "what happens once a flow is encrypted: track-only, bypass, full"},
    {"pcre.match-limit", "3500", "steps that one regular expression may take"},
    {"detect.inspection-recursion-limit", "3000", "steps that one rule's contents may take on one buffer"},
    {"detect.other-readings.enabled", "no", "look also at how hosts with other overlap policies read conflicting segments and fragments; what only they see is an alert with `ambiguous` in alert.metadata"},
    {"detect.other-readings.bytes", "1mb", "bytes that are looked at so in one connection, all readings together"},
    {"detect.other-readings.alerts", "32", "alerts with that mark for one connection or datagram"},
    {"detect.packet-work", "200000", "units of matching work that one packet may cost (a step 1, a search of an expression 100); its other rules are then not tried; 0: no bound"},
    {"packet-alert-max", "15", "alerts of one packet"},
    {"action-order.*", "pass, drop, reject, alert", "order in which rules' actions are served"},
    {"datasets.*", "", "data sets: type, load, save, state, hashsize, memcap"},
    {"af-packet.*.interface", "", "live: interface; cluster-id, ring-size, block-size, use-mmap, bpf-filter"},
    {"af-packet.*.cluster-type", "cluster_flow", "how workers share an interface: cluster_flow, cluster_cpu, cluster_qm, cluster_round_robin, cluster_rollover"},
    {"af-packet.*.defrag", "yes", "of cluster_flow: fragments reach the worker of their flow, which is chosen by addresses alone; no: by addresses and ports"},
    {"af-packet.*.block-count", "64", "blocks of the ring of each worker, block-size bytes each"},
    {"af-packet.*.hardware-timestamps", "no", "take the card's own time of arrival, where it has one and its clock is set"},
    {"capture.method", "af-packet", "af-packet, or pcap: one worker an interface through libpcap"},
    {"pcap.*.interface", "", "of capture.method pcap: its bpf-filter, snaplen, buffer-size and promisc"},
    {"pcap-file.checksum-checks", "auto", "of captures, where -k says nothing: yes, no, or auto: no longer once a tenth of the first thousand packets have wrong ones"},
    {"pcap-file.delete-when-done", "no", "delete a capture that was read to its end"},
    {"pcap-file.poll-interval-ms", "1000", "--pcap-file-continuous: time between looks into the folder"},
    {"pcap-file.settle-ms", "1000", "--pcap-file-continuous: a file that was changed later is still being written"},
    {"ledger.enabled", "live yes, offline no", "the loss ledger: every minute (offline: of packet time) a record of what went in and out at each hop"},
    {"ledger.interval", "60", "seconds between two records"},
    {"ledger.filename", "ledger.json", "its file, below the log folder; records also go to Kafka"},
    {"ledger.bytes-max", "16mb", "of one file; then it is put aside as ledger-NUMBER.json and the chain goes on in a new one"},
    {"ledger.files-max", "64", "files put aside; beyond it the oldest goes"},
    {"status.enabled", "yes", "live: status.json in the log folder, and through the spool's folder to the topic vong.status"},
    {"status.interval", "60", "seconds between two of them"},
    {"canary.enabled", "no", "live: the life signal, a signed datagram that has to come back as an event"},
    {"canary.key-file", "", "file whose first line is the key of its signature (16 characters or more); nobody else may read it"},
    {"canary.interface", "", "where it is sent out, so that the tap sees it; empty: handed to a worker"},
    {"canary.interval", "60", "seconds between two of them"},
    {"canary.lost-after", "30", "seconds after which one that has not come back is lost"},
    {"overload.enabled", "yes", "live: give work up in steps when a worker cannot keep up"},
    {"overload.order.*", "payload-depth, records, flows", "the steps, first to last; what is not named is not given up"},
    {"overload.high", "75%", "pressure (fill of the ring, or lag) at which the next step is taken"},
    {"overload.low", "25%", "pressure at which the last step is undone"},
    {"overload.step-up", "500", "milliseconds that the pressure has to be high"},
    {"overload.step-down", "10000", "milliseconds that it has to be low"},
    {"overload.lag-max", "2000", "milliseconds behind the clock that count as full pressure"},
    {"overload.payload-depth", "64kb", "bytes of a flow behind which the step payload-depth tries rules of high severity alone"},
    {"overload.flow-bytes", "1mb", "bytes from which the step flows does not follow a flow"},
    {"overload.elephant-share", "50%", "under pressure a flow with more of a worker's bytes in a second is not followed, before any step"},
    {"overload.keep-priority", "1", "rules of this priority or better are always tried"},
    {"kafka.brokers", "", "broker list; without it no event goes to Kafka"},
    {"kafka.spool.dir", "", "folder of the spool in front of Kafka"},
    {"kafka.spool.bytes-max", "4gb", "most bytes of the spool"},
    {"kafka.run-as.user", "run-as.user", "user of the forwarding process, which alone reads the credentials; kafka.run-as.group likewise"},
    {"run-as.user", "", "started as root: the user that the sensor becomes once its interfaces are open"},
    {"run-as.group", "the user's", "and its group"},
    {"security.confine", "yes", "give up capabilities, system calls and files that the run does not need"},
    {"security.read.*", "", "files and folders that may be read besides"},
    {"security.write.*", "", "folders that may be written besides"},
    {"evidence.dir", "", "folder of the packet ring on disk; empty: none"},
    {"evidence.bytes-max", "1gb", "most bytes of the ring; the oldest packets go first"},
    {"evidence.segment-bytes", "a sixteenth of bytes-max", "size of its files, 1 to 64mb"},
    {"evidence.queue-bytes", "16mb", "memory between a worker and the ring; full: packets are not kept, and counted"},
    {"evidence.snap-bytes", "256kb", "bytes of a packet that are kept"},
    {"metrics.listen", "", "address:port of /metrics and /healthz; empty: none"},
});

}  // namespace

std::span<const ConfigKey> config_keys() { return kKeys; }

std::string config_reference_markdown() {
  std::string out =
      "# Configuration of vong-sensor\n\n"
      "Made by `vong-sensor --config-reference`; edit the table in `sensor/app/config_reference.cc`. Keys keep the names and meanings of\n"
      "suricata.yaml where they have one there; an unmodified suricata.yaml starts the sensor, and each section without effect is named in\n"
      "one warning. `--set key.path=value` lays a value over the file. `*` stands for an index or a name.\n\n"
      "| key | when not set | what it does |\n| --- | --- | --- |\n";
  for (const auto& key : kKeys) {
    out += fmt::format("| `{}` | {} | {} |\n", key.path, key.fallback.empty() ? "" : fmt::format("`{}`", key.fallback), key.help);
  }
  return out;
}

}  // namespace vong::sensor

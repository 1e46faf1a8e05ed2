// Caps of the detection room. Reaching one is counted (DetectCounters) or told as a diagnostic; what is given up is written here.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vong::detect {

// --- rules
inline constexpr size_t kMaxNodesPerList = 128;        // contents and the like on one buffer; a rule with more is refused
inline constexpr size_t kMaxListsPerRule = 64;         // buffers in one rule (engines are bits of a 64-bit word)
inline constexpr size_t kMaxVariablesPerRule = 32;     // byte_extract, byte_math results
inline constexpr size_t kMaxWarnings = 10'000;         // of all rules together; further ones are not kept
inline constexpr size_t kMaxTransforms = 16;           // on one buffer
inline constexpr size_t kMaxFlowbitNames = 65'000;     // different names in all rules
inline constexpr size_t kMaxPcreCaptures = 16;
inline constexpr size_t kStreamOverlapBytes = 4096;    // inspected bytes that a match over their end may reach back to
inline constexpr size_t kMaxSearchedBytes = 255;       // of a pattern: the rest of a longer one is left to the rule's evaluation
inline constexpr size_t kHeadBytes = 64;               // patterns that must lie within these are searched in them alone
inline constexpr size_t kOwnGroupRules = 16;           // so many payload rules on the same ports have pattern sets of their own
inline constexpr size_t kDirectRules = 3;              // so few that fit a header are tried without searching for their patterns
inline constexpr size_t kMaxEvidence = 64;             // places of contents that an alert names

// --- tenants (multi-detect)
inline constexpr size_t kMaxTenants = 1024;            // a configuration with more is refused
inline constexpr size_t kMaxTenantTuples = 4096;       // vlan-tuple mappings
inline constexpr int kMaxTenantLoaders = 64;           // threads that load them
inline constexpr size_t kMinEntriesPerTenant = 10'000; // of hosts' tables, whose caps the tenants share evenly

// --- evaluation
inline constexpr uint32_t kDefaultRecursionLimit = 3000;   // detect.inspection-recursion-limit: steps on one buffer, then no match
inline constexpr uint32_t kDefaultPacketWork = 200'000;     // detect.packet-work: units of matching work on one packet, then its other rules are not tried
inline constexpr uint32_t kRegexWork = 100;                // units that one search of a regular expression costs; a step costs one
inline constexpr uint32_t kDefaultAlertQueue = 15;         // packet-alert-max: the last in order are dropped
inline constexpr size_t kMaxQueuedMatches = 65'535;        // matches of one packet before ordering
inline constexpr uint32_t kMaxInstancesPerBuffer = 4096;   // dns.query and the like: further ones are not inspected
inline constexpr size_t kMaxTransformedBytes = 1 << 20;    // output of one transform chain; the rest is cut off
inline constexpr uint32_t kDefaultInflatedBytes = 1024;    // gunzip, zlib_deflate without max-size
inline constexpr size_t kMaxDecodedBytes = 65'535;         // base64_decode

// --- state of a flow and a transaction
inline constexpr size_t kMaxStoredRulesPerTransaction = 4096;   // partial matches: further rules are not continued
inline constexpr uint32_t kMaxGrownInstances = 16;              // growing buffers (files) of a transaction searched by their new bytes alone
inline constexpr size_t kMaxFlowbitsPerFlow = 1024;
inline constexpr size_t kMaxFlowintsPerFlow = 256;
inline constexpr size_t kMaxFlowvarsPerFlow = 128;
inline constexpr size_t kMaxFlowvarBytes = 65'535;
inline constexpr size_t kMaxRuleCountersPerFlow = 1024;         // threshold ... track by_flow

// --- state of hosts (shared): when full, expired entries go first, then the new one is refused
inline constexpr size_t kMaxHostEntries = 1'000'000;
inline constexpr size_t kMaxThresholdEntries = 1'000'000;
inline constexpr size_t kMaxTags = 50;                          // of a flow, of a host: further rules tag it not
inline constexpr size_t kMaxTaggedHosts = 100'000;

// --- data sets
inline constexpr size_t kMaxDatasets = 1024;
inline constexpr size_t kMaxDatasetEntries = 16 * 1024 * 1024;
inline constexpr uint64_t kDefaultDatasetMemcapBytes = 100ull << 20;
inline constexpr uint64_t kMaxDatasetHashsize = 262'144;        // what one rule may ask for (datasets.limits.single-hashsize)
inline constexpr uint64_t kMaxDatasetHashsizeTotal = 67'108'864;
inline constexpr size_t kMaxDatasetLineBytes = 64 * 1024;

}  // namespace vong::detect

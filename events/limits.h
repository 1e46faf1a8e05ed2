// Every cap of this room in one place. A record beyond a cap is refused with a reason; nothing is
// cut silently.
#pragma once

#include <cstddef>

namespace vong::events {

inline constexpr size_t kRecordBytesMax =
    4u << 20;  // one EVE record; Suricata's longest with payload and packet is below 1 MiB
inline constexpr size_t kRecordPaddingBytes =
    64;                                      // readable bytes that must follow a record in memory
inline constexpr size_t kFieldsMax = 4096;   // different field paths that the loaded rules ask for
inline constexpr size_t kPathPartsMax = 12;  // names in one dotted path
inline constexpr size_t kPathBytesMax = 256;
inline constexpr size_t kArrayNestingMax = 4;         // arrays in arrays below one field
inline constexpr size_t kValuesPerRecordMax = 65536;  // values of wanted fields in one record
inline constexpr size_t kIncidentEvidenceMax = 64;    // event references kept in one incident
inline constexpr size_t kIncidentListMax =
    256;  // agencies, sensors, assets, victims in one incident

}  // namespace vong::events

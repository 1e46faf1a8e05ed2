// States and the events that refused packets carry.
#include "sensor/flow/flow.h"
#include "tests/unit/sensor/reassembly/tcp_bench.h"

namespace vong::reassembly {
namespace {

using E = PacketEvent;

#define EXPECT_REFUSED(packet, event)           \
  do {                                          \
    const Packet& refused_ = (packet);          \
    EXPECT_TRUE(refused_.stream_rejected);      \
    EXPECT_TRUE(refused_.events.has(E::event)); \
  } while (false)

#define EXPECT_TAKEN(packet)              \
  do {                                    \
    const Packet& taken_ = (packet);      \
    EXPECT_FALSE(taken_.stream_rejected); \
    EXPECT_FALSE(taken_.events.any());    \
  } while (false)

// --- the ordinary ways

TEST(TcpState, ThreeWayHandshake) {
  TcpBench b;
  EXPECT_TAKEN(b.c("S", 0, 0));
  EXPECT_EQ(b.state(), "syn_sent");
  EXPECT_TAKEN(b.s("SA", 0, 1));
  EXPECT_EQ(b.state(), "syn_recv");
  EXPECT_EQ(b.flow->phase, flow::FlowPhase::kNew);
  Packet& ack = b.c("A", 1, 1);
  EXPECT_TAKEN(ack);
  EXPECT_EQ(b.state(), "established");
  EXPECT_EQ(b.flow->phase, flow::FlowPhase::kEstablished);
  EXPECT_FALSE(ack.flow_established);
  EXPECT_TRUE(b.c("A", 1, 1).flow_established);
}

TEST(TcpState, TheClientClosesFirst) {
  TcpBench b;
  b.handshake();
  EXPECT_TAKEN(b.c("FA", 1, 1));
  EXPECT_EQ(b.state(), "close_wait");
  EXPECT_TAKEN(b.s("A", 1, 2));
  EXPECT_EQ(b.state(), "close_wait");
  EXPECT_TAKEN(b.s("FA", 1, 2));
  EXPECT_EQ(b.state(), "last_ack");
  EXPECT_TAKEN(b.c("A", 2, 2));
  EXPECT_EQ(b.state(), "closed");
  EXPECT_EQ(b.flow->phase, flow::FlowPhase::kClosed);
}

TEST(TcpState, TheServerClosesFirst) {
  TcpBench b;
  b.handshake();
  EXPECT_TAKEN(b.s("FA", 1, 1));
  EXPECT_EQ(b.state(), "fin_wait1");
  EXPECT_TAKEN(b.c("A", 1, 2));
  EXPECT_EQ(b.state(), "fin_wait2");
  EXPECT_TAKEN(b.c("FA", 1, 2));
  EXPECT_EQ(b.state(), "time_wait");
  EXPECT_TAKEN(b.s("A", 2, 2));
  EXPECT_EQ(b.state(), "closed");
}

TEST(TcpState, BothCloseAtOnce) {
  TcpBench b;
  b.handshake();
  b.s("FA", 1, 1);
  EXPECT_TAKEN(b.c("F", 1, 0));
  EXPECT_EQ(b.state(), "closing");
  EXPECT_TAKEN(b.c("A", 2, 2));
  EXPECT_EQ(b.state(), "time_wait");
}

TEST(TcpState, DataGoesOnInTheOtherDirectionAfterAFin) {
  TcpBench b;
  b.handshake();
  b.c("FA", 1, 1);
  EXPECT_TAKEN(b.s("A", 1, 2, "still here"));
  EXPECT_TAKEN(b.c("A", 2, 11));
  EXPECT_EQ(b.to_client(), "still here");
}

TEST(TcpState, AResetCloses) {
  TcpBench b;
  b.handshake();
  EXPECT_TAKEN(b.s("RA", 1, 1));
  EXPECT_EQ(b.state(), "closed");
  EXPECT_EQ(b.recorder.ends[0], 1);
  EXPECT_EQ(b.recorder.ends[1], 1);
}

TEST(TcpState, AResetToTheSynCloses) {
  TcpBench b;
  b.c("S", 0, 0);
  EXPECT_TAKEN(b.s("RA", 0, 1));
  EXPECT_EQ(b.state(), "closed");
}

TEST(TcpState, BytesThatAResetDoesNotAcknowledgeComeAtTheFlowsEnd) {
  TcpBench b;
  b.handshake();
  b.c("A", 1, 1, "abcdef");
  b.s("RA", 1, 4);
  EXPECT_EQ(b.to_server(), "abc");
  b.finish();
  EXPECT_EQ(b.to_server(), "abcdef");
}

TEST(TcpState, TheSideThatDidNotSendTheResetGoesOn) {
  TcpBench b;
  b.handshake();
  b.s("RA", 1, 1);
  b.c("A", 1, 1, "abc");
  b.s("A", 1, 4);
  EXPECT_EQ(b.state(), "closed");
  b.finish();
  EXPECT_EQ(b.to_server(), "abc");
}

TEST(TcpState, ANewSynAfterTheEndIsANewFlow) {
  TcpBench b;
  b.handshake();
  b.c("FA", 1, 1);
  b.s("FA", 1, 2);
  b.c("A", 2, 2);
  const uint64_t id = b.flow->id;
  b.c("S", 0, 0);
  EXPECT_EQ(b.flow->id, id) << "the same number again is a late duplicate";
  b.c("S", 70000, 0);
  EXPECT_NE(b.flow->id, id);
  EXPECT_EQ(b.state(), "syn_sent");
  EXPECT_EQ(b.table.counters().tcp_reuse, 1u);
}

TEST(TcpState, ASynInTheMiddleOpensNothing) {
  TcpBench b;
  b.handshake();
  const uint64_t id = b.flow->id;
  EXPECT_REFUSED(b.c("S", 70000, 0), kStreamEstSynResendDiffSeq);
  EXPECT_EQ(b.flow->id, id);
}

TEST(TcpState, KeepAlivesMoveNothing) {
  TcpBench b;
  b.handshake();
  b.c("A", 1, 1, "abc");
  b.s("A", 1, 4);
  EXPECT_TAKEN(b.c("A", 3, 1));
  EXPECT_TAKEN(b.c("A", 3, 1, "?"));
  EXPECT_EQ(b.engine.counters().overlap_different_data, 0u);
  b.c("A", 4, 1, "def");
  b.s("A", 1, 7);
  EXPECT_EQ(b.to_server(), "abcdef");
}

TEST(TcpState, AProbeOfAClosedWindowIsTaken) {
  TcpBench b;
  b.handshake();
  b.c("A", 1, 1, "abc");
  b.window = 0;
  b.s("A", 1, 4);
  b.window = 60000;
  EXPECT_TAKEN(b.c("A", 4, 1, "d"));
}

TEST(TcpState, WindowScaleCountsWhenBothOfferIt) {
  TcpBench b;
  b.window = 1000;
  Packet& syn = b.make(Direction::kToServer, "S", 0, 0, "");
  syn.tcp.has_wscale = true;
  syn.tcp.wscale = 4;
  b.feed(syn);
  Packet& synack = b.make(Direction::kToClient, "SA", 0, 1, "");
  synack.tcp.has_wscale = true;
  synack.tcp.wscale = 3;
  b.feed(synack);
  b.c("A", 1, 1);
  b.s("A", 1, 1);
  EXPECT_TAKEN(b.c("A", 7001, 1, std::string(1000, 'x')));
  EXPECT_REFUSED(b.c("A", 8001, 1, "x"), kStreamEstPacketOutOfWindow);
  EXPECT_TAKEN(b.s("A", 15001, 1, std::string(1000, 'x')));
}

// --- starting

TEST(TcpState, WithoutASessionOnlyASynOpensOne) {
  TcpBench b;
  EXPECT_REFUSED(b.c("R", 1, 0), kStreamRstButNoSession);
  EXPECT_REFUSED(b.c("FA", 1, 1), kStreamFinButNoSession);
  EXPECT_REFUSED(b.c("SF", 1, 0), kStreamFinSyn);
  EXPECT_TAKEN(b.c("A", 1, 1, "abc"));
  EXPECT_TAKEN(b.s("SA", 0, 1));
  EXPECT_EQ(b.engine.counters().sessions, 0u);
  EXPECT_EQ(b.engine.counters().no_session, 5u);
}

TEST(TcpState, AnAckNumberWithoutTheFlagIsBroken) {
  TcpBench b;
  Packet& p = b.make(Direction::kToServer, "S", 0, 0, "");
  p.tcp.ack = 77;
  EXPECT_TRUE(b.feed(p).events.has(E::kStreamPktBrokenAck));
}

TEST(TcpState, AWrongChecksumIsNotLookedAt) {
  TcpBench b;
  Packet& p = b.make(Direction::kToServer, "S", 0, 0, "");
  p.checksum_bad_transport = true;
  EXPECT_TRUE(b.feed(p).stream_rejected);
  EXPECT_EQ(b.engine.counters().invalid_checksum, 1u);
  EXPECT_EQ(b.engine.counters().sessions, 0u);
}

TEST(TcpState, MidstreamPickUpTakesBothDirections) {
  TcpConfig config;
  config.midstream = true;
  TcpBench b(config);
  EXPECT_TAKEN(b.c("A", 100, 200, "abc"));
  EXPECT_EQ(b.state(), "established");
  EXPECT_TRUE(b.flow->midstream);
  b.s("A", 200, 103, "def");
  b.c("A", 103, 203);
  EXPECT_EQ(b.to_server(), "abc");
  EXPECT_EQ(b.to_client(), "def");
  EXPECT_EQ(b.engine.counters().midstream_pickups, 1u);
}

TEST(TcpState, MidstreamPickUpAtTheSynAckKnowsWhoTheServerIs) {
  TcpConfig config;
  config.midstream = true;
  TcpBench b(config);
  Packet& synack = b.s("SA", 0, 1);
  EXPECT_EQ(synack.direction, Direction::kToClient);
  EXPECT_EQ(b.flow->key.dport, 80);
  EXPECT_EQ(b.state(), "syn_recv");
  b.c("A", 1, 1, "abc");
  b.s("A", 1, 4);
  EXPECT_EQ(b.to_server(), "abc");
}

TEST(TcpState, OneSidedSessionsNeedNoAcknowledgement) {
  TcpConfig config;
  config.async_oneside = true;
  TcpBench b(config);
  b.c("S", 0, 0);
  EXPECT_TAKEN(b.c("A", 1, 1));
  EXPECT_EQ(b.state(), "established");
  b.c("A", 1, 1, "abc");
  EXPECT_EQ(b.to_server(), "abc");
  b.c("A", 4, 50, "def");
  EXPECT_EQ(b.to_server(), "abcdef");
}

TEST(TcpState, OneSidedSessionsStartWithTheRightNumber) {
  TcpConfig config;
  config.async_oneside = true;
  TcpBench b(config);
  b.c("S", 0, 0);
  EXPECT_REFUSED(b.c("A", 2, 1), kStream3whsAsyncWrongSeq);
}

TEST(TcpState, OneSidedSessionsDoNotEndWithAFinBeyondTheWindowThatIsKnown) {
  TcpConfig config;
  config.async_oneside = true;
  TcpBench b(config);
  b.c("S", 0, 0);
  Packet& ack = b.make(Direction::kToServer, "A", 1, 1, "");
  ack.tcp.window = 4;
  EXPECT_TAKEN(b.feed(ack));
  b.c("A", 1, 1, "abcdefgh");
  EXPECT_REFUSED(b.c("FA", 9, 1), kStreamFinOutOfWindow);
  EXPECT_EQ(b.state(), "established");
  EXPECT_TAKEN(b.c("FA", 9, 1, "last"));
  EXPECT_EQ(b.to_server(), "abcdefghlast");
  EXPECT_EQ(b.state(), "close_wait");
}

TEST(TcpState, FastOpenDataComesWithTheSyn) {
  TcpBench b;
  Packet& syn = b.make(Direction::kToServer, "S", 0, 0, "early");
  syn.tcp.has_fast_open = true;
  EXPECT_TAKEN(b.feed(syn));
  EXPECT_TAKEN(b.s("SA", 0, 6));
  EXPECT_EQ(b.to_server(), "") << "the connection is not yet there";
  EXPECT_TAKEN(b.s("A", 1, 6, "answer"));
  EXPECT_EQ(b.to_server(), "early");
  EXPECT_TAKEN(b.c("A", 6, 7));
  EXPECT_EQ(b.to_client(), "answer");
}

TEST(TcpState, FastOpenDataThatTheServerIgnoresComesAgain) {
  TcpBench b;
  Packet& syn = b.make(Direction::kToServer, "S", 0, 0, "early");
  syn.tcp.has_fast_open = true;
  b.feed(syn);
  EXPECT_TRUE(b.s("SA", 0, 1).events.has(E::kStream3whsSynackTfoDataIgnored));
  b.c("A", 1, 1, "EARLY");
  b.s("A", 1, 6);
  EXPECT_EQ(b.to_server(), "EARLY");
}

// --- handshakes gone wrong

TEST(TcpHandshake, SynAckOfTheClient) {
  TcpBench b;
  b.c("S", 0, 0);
  EXPECT_REFUSED(b.c("SA", 0, 1), kStream3whsSynackInWrongDirection);
}

TEST(TcpHandshake, SynAckThatAcknowledgesSomethingElse) {
  TcpBench b;
  b.c("S", 0, 0);
  EXPECT_REFUSED(b.s("SA", 0, 9), kStream3whsSynackWithWrongAck);
  EXPECT_EQ(b.state(), "syn_sent");
}

TEST(TcpHandshake, TheServerChoosesAmongSynsThatDiffer) {
  TcpBench b;
  b.c("S", 0, 0);
  EXPECT_TAKEN(b.c("S", 5000, 0));
  EXPECT_TAKEN(b.s("SA", 0, 5001));
  EXPECT_TAKEN(b.c("A", 5001, 1));
  EXPECT_EQ(b.state(), "established");
  b.c("A", 5001, 1, "abc");
  b.s("A", 1, 5004);
  EXPECT_EQ(b.to_server(), "abc");
}

TEST(TcpHandshake, TooManySynsThatDiffer) {
  TcpConfig config;
  config.max_syn_queued = 3;
  TcpBench b(config);
  for (uint32_t i = 0; i < 4; ++i) EXPECT_TAKEN(b.c("S", i * 1000, 0));
  EXPECT_TRUE(b.c("S", 9000, 0).events.has(E::kStream3whsSynFlood));
  EXPECT_EQ(b.session().rare->queue.size(), 3u);
}

TEST(TcpHandshake, SynAckSentAgainDiffers) {
  TcpBench b;
  b.c("S", 0, 0);
  b.s("SA", 0, 1);
  EXPECT_REFUSED(b.s("SA", 0, 9), kStream3whsSynackResendWithDifferentAck);
  EXPECT_TRUE(b.s("SA", 4000, 1).events.has(E::kStream3whsSynackResendWithDiffSeq));
  EXPECT_TAKEN(b.c("A", 1, 4001));
  EXPECT_EQ(b.state(), "established");
  b.s("A", 4001, 1, "abc");
  b.c("A", 1, 4004);
  EXPECT_EQ(b.to_client(), "abc");
}

TEST(TcpHandshake, TooManySynAcksThatDiffer) {
  TcpConfig config;
  config.max_synack_queued = 2;
  TcpBench b(config);
  b.c("S", 0, 0);
  b.s("SA", 0, 1);
  b.s("SA", 1000, 1);
  b.s("SA", 2000, 1);
  EXPECT_REFUSED(b.s("SA", 3000, 1), kStream3whsSynackFlood);
}

TEST(TcpHandshake, SynOnceMore) {
  TcpBench b;
  b.c("S", 0, 0);
  b.s("SA", 0, 1);
  EXPECT_TAKEN(b.c("S", 0, 0));
  EXPECT_REFUSED(b.c("S", 7, 0), kStream3whsSynResendDiffSeqOnSynRecv);
  EXPECT_REFUSED(b.s("S", 7, 0), kStream3whsSynToclientOnSynRecv);
  EXPECT_REFUSED(b.c("SA", 7, 1), kStream3whsSynackToserverOnSynRecv);
}

TEST(TcpHandshake, LastAckWithWrongNumbers) {
  TcpBench b;
  b.c("S", 0, 0);
  b.s("SA", 0, 1);
  EXPECT_REFUSED(b.c("A", 1, 100000), kStream3whsRightSeqWrongAckEvasion);
  EXPECT_REFUSED(b.c("A", 90000, 100000), kStream3whsWrongSeqWrongAck);
  EXPECT_EQ(b.state(), "syn_recv");
}

TEST(TcpHandshake, TheServerSpeaksBeforeTheHandshakeIsDone) {
  TcpBench b;
  b.c("S", 0, 0);
  b.s("SA", 0, 1);
  EXPECT_REFUSED(b.s("A", 1, 1), kStream3whsAckInWrongDir);
  EXPECT_REFUSED(b.s("A", 1, 1, "injected"), kStream3whsAckDataInject);
  EXPECT_TAKEN(b.c("A", 1, 1));
}

TEST(TcpHandshake, TheLastAckWasLostOnTheWayToUs) {
  TcpBench b;
  b.c("S", 0, 0);
  b.s("SA", 0, 1);
  EXPECT_TAKEN(b.s("A", 1, 50, "answer"));
  EXPECT_EQ(b.state(), "established");
}

TEST(TcpHandshake, SplitHandshake) {
  TcpBench b;
  b.c("S", 0, 0);
  EXPECT_TAKEN(b.s("S", 0, 0));
  EXPECT_REFUSED(b.c("SA", 0, 7), kStream4whsSynackWithWrongAck);
  EXPECT_REFUSED(b.c("SA", 7, 1), kStream4whsSynackWithWrongSyn);
  EXPECT_TAKEN(b.c("SA", 0, 1));
  EXPECT_REFUSED(b.s("A", 7, 1), kStream4whsWrongSeq);
  EXPECT_REFUSED(b.s("A", 1, 100000), kStream4whsInvalidAck);
  EXPECT_TAKEN(b.s("A", 1, 1));
  EXPECT_EQ(b.state(), "established");
}

TEST(TcpHandshake, ASynAckMayHaveTimestampsThatTheSynHadNot) {
  TcpBench b;
  b.c("S", 0, 0);
  Packet& p = b.make(Direction::kToClient, "SA", 0, 1, "");
  p.tcp.has_timestamps = true;
  p.tcp.ts_value = p.tcp.ts_echo = 100;
  EXPECT_TAKEN(b.feed(p));
}

TEST(TcpHandshake, AnAnswerToASynThatWasSentAgainLater) {
  TcpBench b;
  const auto syn = [&b](uint32_t ts) {
    Packet& p = b.make(Direction::kToServer, "S", 0, 0, "");
    p.tcp.has_timestamps = true;
    p.tcp.ts_value = ts;
    return b.feed(p);
  };
  syn(100);
  syn(200);
  Packet& p = b.make(Direction::kToClient, "SA", 0, 1, "");
  p.tcp.has_timestamps = true;
  p.tcp.ts_value = 7;
  p.tcp.ts_echo = 200;
  EXPECT_TAKEN(b.feed(p));
  EXPECT_EQ(b.state(), "syn_recv");
}

TEST(TcpHandshake, ATimestampEchoThatTheSynNeverSentIsForged) {
  TcpBench b;
  b.c("S", 0, 0);
  Packet& p = b.make(Direction::kToClient, "RA", 1, 1, "");
  p.tcp.has_timestamps = true;
  p.tcp.ts_value = p.tcp.ts_echo = 100;
  EXPECT_REFUSED(b.feed(p), kStreamPktInvalidTimestamp);
  EXPECT_EQ(b.state(), "syn_sent");
}

// --- established

TEST(TcpEstablished, HandshakePacketsOnceMore) {
  TcpBench b;
  b.handshake();
  EXPECT_REFUSED(b.c("S", 0, 0), kStreamEstSynResend);
  EXPECT_REFUSED(b.s("S", 0, 0), kStreamEstSynToclient);
  EXPECT_REFUSED(b.s("SA", 0, 1), kStreamEstSynackResend);
  EXPECT_REFUSED(b.s("SA", 7, 1), kStreamEstSynackResendWithDiffSeq);
  EXPECT_REFUSED(b.s("SA", 0, 7), kStreamEstSynackResendWithDifferentAck);
  EXPECT_REFUSED(b.c("SA", 0, 1), kStreamEstSynackToserver);
  EXPECT_EQ(b.state(), "established");
}

TEST(TcpEstablished, OutOfWindow) {
  TcpBench b;
  b.handshake();
  EXPECT_REFUSED(b.c("A", 60002, 1, "x"), kStreamEstPacketOutOfWindow);
  EXPECT_REFUSED(b.c("A", 1, 100000, "x"), kStreamEstInvalidAck);
  EXPECT_EQ(b.recorder.got[0], "");
}

TEST(TcpEstablished, LongBeforeTheLastAcknowledgement) {
  TcpBench b;
  b.handshake();
  b.c("A", 1, 1, "abcdefgh");
  b.s("A", 1, 9);
  EXPECT_REFUSED(b.c("A", 2, 1), kStreamEstPktBeforeLastAck);
}

TEST(TcpEstablished, TimestampsDoNotRunBackwards) {
  TcpBench b;
  const auto stamped = [&b](Direction d, std::string_view flags, uint32_t seq, uint32_t ack,
                            uint32_t ts, std::string_view data = "") -> Packet& {
    Packet& p = b.make(d, flags, seq, ack, data);
    p.tcp.has_timestamps = true;
    p.tcp.ts_value = ts;
    return b.feed(p);
  };
  stamped(Direction::kToServer, "S", 0, 0, 500);
  stamped(Direction::kToClient, "SA", 0, 1, 9000);
  stamped(Direction::kToServer, "A", 1, 1, 501);
  EXPECT_REFUSED(stamped(Direction::kToServer, "A", 1, 1, 400, "old"), kStreamPktInvalidTimestamp);
  EXPECT_TAKEN(stamped(Direction::kToServer, "A", 1, 1, 501, "new"));
  b.now_ns += int64_t{25} * 86400 * 1'000'000'000;
  b.flow->last = timestamp_from_ns(b.now_ns);  // keep the flow
  EXPECT_TAKEN(stamped(Direction::kToServer, "A", 4, 1, 100, "later"));
}

TEST(TcpEstablished, ASignedResetOnAnUnsignedConnectionIsForged) {
  TcpBench b;
  b.handshake();
  Packet& p = b.make(Direction::kToServer, "RA", 1, 1, "");
  p.tcp.has_md5 = true;
  EXPECT_REFUSED(b.feed(p), kStreamSuspectedRstInject);
  EXPECT_EQ(b.state(), "established");
}

TEST(TcpEstablished, ResetsWithAWrongAcknowledgementOrNumberAreIgnored) {
  TcpBench b;
  b.handshake();
  EXPECT_REFUSED(b.c("RA", 1, 100000), kStreamRstInvalidAck);
  EXPECT_TRUE(b.c("R", 50, 0).stream_rejected);
  EXPECT_EQ(b.state(), "established");
}

TEST(TcpEstablished, AResetsTextIsNoPartOfTheStream) {
  TcpBench b;
  b.handshake();
  b.s("A", 1, 1, "please");
  EXPECT_TRUE(b.s("RA", 7, 1, "go away").events.has(E::kStreamRstWithData));
  b.finish();
  EXPECT_EQ(b.to_client(), "please");
}

TEST(TcpEstablished, AnOldPacketDoesNotShrinkTheWindow) {
  TcpBench b;
  b.handshake();
  b.s("A", 1, 1, std::string(100, 'x'));
  b.c("A", 1, 101, "abcdef");
  b.c("A", 7, 101);
  b.window = 10;
  EXPECT_REFUSED(b.c("A", 2, 1), kStreamPktBadWindowUpdate);
}

// --- closing

TEST(TcpClosing, FinOutOfWindow) {
  TcpBench b;
  b.handshake();
  EXPECT_REFUSED(b.c("FA", 70000, 1), kStreamFinOutOfWindow);
  EXPECT_REFUSED(b.c("FA", 1, 90000), kStreamFinInvalidAck);
  EXPECT_EQ(b.state(), "established");
}

TEST(TcpClosing, EventsOfEachState) {
  {
    TcpBench b;
    b.handshake();
    b.s("FA", 1, 1);  // fin_wait1
    EXPECT_REFUSED(b.c("A", 1, 90000), kStreamFin1InvalidAck);
    EXPECT_REFUSED(b.c("FA", 90000, 2), kStreamFin1FinWrongSeq);
    EXPECT_REFUSED(b.c("A", 90000, 2), kStreamFin1AckWrongSeq);
    b.c("A", 1, 2);  // fin_wait2
    EXPECT_REFUSED(b.c("A", 1, 90000), kStreamFin2InvalidAck);
    EXPECT_REFUSED(b.c("FA", 90000, 2), kStreamFin2FinWrongSeq);
    EXPECT_REFUSED(b.c("A", 90000, 2), kStreamFin2AckWrongSeq);
    EXPECT_REFUSED(b.c("S", 0, 0), kStreamShutdownSynResend);
    b.c("FA", 1, 2);  // time_wait
    EXPECT_REFUSED(b.s("A", 2, 90000), kStreamTimewaitInvalidAck);
    EXPECT_REFUSED(b.s("A", 90000, 2), kStreamTimewaitAckWrongSeq);
  }
  {
    TcpBench b;
    b.handshake();
    b.c("FA", 1, 1);  // close_wait
    EXPECT_REFUSED(b.s("A", 1, 90000), kStreamClosewaitInvalidAck);
    EXPECT_REFUSED(b.s("A", 90000, 2), kStreamClosewaitAckOutOfWindow);
    EXPECT_REFUSED(b.s("FA", 90000, 2), kStreamClosewaitFinOutOfWindow);
    b.s("FA", 1, 2);  // last_ack
    EXPECT_REFUSED(b.c("A", 2, 90000), kStreamLastackInvalidAck);
    EXPECT_REFUSED(b.c("A", 90000, 2), kStreamLastackAckWrongSeq);
  }
  {
    TcpBench b;
    b.handshake();
    b.s("FA", 1, 1);
    b.c("F", 1, 0);  // closing
    EXPECT_REFUSED(b.c("A", 2, 90000), kStreamClosingInvalidAck);
    EXPECT_REFUSED(b.c("A", 90000, 2), kStreamClosingAckWrongSeq);
  }
}

TEST(TcpClosing, AFinSentAgainChangesNothing) {
  TcpBench b;
  b.handshake();
  b.c("FA", 1, 1, "bye");
  b.c("FA", 1, 1, "bye");
  EXPECT_EQ(b.state(), "close_wait");
  b.s("A", 1, 5);
  EXPECT_EQ(b.to_server(), "bye");
  EXPECT_EQ(b.recorder.ends[0], 1);
}

TEST(TcpClosing, BytesBehindAFinDoNotCount) {
  TcpBench b;
  b.handshake();
  b.c("FA", 1, 1, "bye");
  b.c("A", 4, 1, "more");
  b.s("A", 1, 5);
  b.finish();
  EXPECT_EQ(b.to_server(), "bye");
}

// --- what the flow record says

TEST(TcpSummary, FlagsByDirection) {
  TcpBench b;
  b.handshake();
  b.c("PA", 1, 1, "abc");
  b.s("FA", 1, 4);
  const flow::TcpSummary s = b.session().summary();
  EXPECT_EQ(s.flags_to_server, TcpFlags::kSyn | TcpFlags::kAck | TcpFlags::kPsh);
  EXPECT_EQ(s.flags_to_client, TcpFlags::kSyn | TcpFlags::kAck | TcpFlags::kFin);
  EXPECT_EQ(s.flags, s.flags_to_server | s.flags_to_client);
  EXPECT_EQ(s.state, "fin_wait1");
  EXPECT_FALSE(s.gap_to_server);
}

TEST(TcpSummary, SwappingDuringDeliveryKeepsTheBytesTogether) {
  // The parsers find out at the first bytes that the client is the server.
  struct Swapper : Recorder {
    bool done = false;
    size_t on_data(flow::Flow& f, Packet& p, Direction d, const StreamChunk& chunk) override {
      if (!done) {
        done = true;
        flow::swap_direction(f);
        p.direction = opposite(p.direction);
        return 0;
      }
      return Recorder::on_data(f, p, d, chunk);
    }
  };
  TcpConfig config;
  config.midstream = true;
  Swapper swapper;
  TcpEngine engine(config, swapper);
  TcpBench b(config);  // for its packets
  flow::FlowTable table{flow::FlowConfig()};
  const auto feed = [&](Packet& p) {
    flow::Flow* f = table.lookup(p, p.ts);
    engine.process(*f, p);
  };
  feed(b.make(Direction::kToClient, "A", 100, 200,
              "HTTP/1.1 200"));  // the flow opens the wrong way round
  feed(b.make(Direction::kToServer, "A", 200, 112, "GET"));
  feed(b.make(Direction::kToClient, "A", 112, 203, " OK"));
  feed(b.make(Direction::kToServer, "A", 203, 115, ""));
  EXPECT_EQ(swapper.got[index(Direction::kToClient)], "HTTP/1.1 200 OK");
  EXPECT_EQ(swapper.got[index(Direction::kToServer)], "GET");
  table.flush([](flow::Flow&, flow::FlowEndReason) {});
}

}  // namespace
}  // namespace vong::reassembly

// Bytes: what the consumer gets, when, and in which order.
#include "tests/unit/sensor/reassembly/tcp_bench.h"

namespace vong::reassembly {
namespace {

using E = PacketEvent;

TEST(TcpStream, BytesGoOutWhenTheOtherSideAcknowledgesThem) {
  TcpBench b;
  b.handshake();
  b.c("PA", 1, 1, "GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(b.to_server(), "");
  b.s("A", 1, 19);
  EXPECT_EQ(b.to_server(), "GET / HTTP/1.0\r\n\r\n");
  b.s("PA", 1, 19, "HTTP/1.0 200 OK\r\n\r\n");
  EXPECT_EQ(b.to_client(), "");
  b.c("A", 19, 20);
  EXPECT_EQ(b.to_client(), "HTTP/1.0 200 OK\r\n\r\n");
}

TEST(TcpStream, InlineBytesGoOutAtOnce) {
  TcpConfig config;
  config.inline_mode = true;
  TcpBench b(config);
  b.handshake();
  b.c("PA", 1, 1, "abc");
  EXPECT_EQ(b.to_server(), "abc");
}

TEST(TcpStream, OutOfOrderSegmentsArePutInOrder) {
  TcpBench b;
  b.handshake();
  b.c("A", 7, 1, "ghi");
  b.c("A", 4, 1, "def");
  b.c("A", 1, 1, "abc");
  b.s("A", 1, 10);
  EXPECT_EQ(b.to_server(), "abcdefghi");
  EXPECT_EQ(b.recorder.gaps[0], 0);
}

TEST(TcpStream, PartialAcknowledgementsGiveOutThatMuch) {
  TcpBench b;
  b.handshake();
  b.c("A", 1, 1, "abcdef");
  b.s("A", 1, 3);
  EXPECT_EQ(b.to_server(), "ab");
  b.s("A", 1, 7);
  EXPECT_EQ(b.to_server(), "abcdef");
}

TEST(TcpStream, SequenceNumbersWrapAround) {
  TcpBench b(TcpConfig(), 0xfffffffb, 0xffffffff);
  b.handshake();
  b.c("A", 1, 1, "abcdefghij");
  b.s("A", 1, 11, "0123456789");
  b.c("A", 11, 11, "klm");
  b.s("A", 11, 14);
  EXPECT_EQ(b.to_server(), "abcdefghijklm");
  EXPECT_EQ(b.to_client(), "0123456789");
}

TEST(TcpStream, WrapAroundHappensTwiceInALongStream) {
  TcpConfig config;
  config.depth_bytes = 0;
  TcpBench b(config, 0xffff0000, 5);
  b.recorder.take_at_most = SIZE_MAX;
  b.handshake();
  uint64_t seq = 1;
  const std::string block(50000, 'x');
  for (int i = 0; i < 40; ++i) {
    b.c("A", static_cast<uint32_t>(seq), 1, block);
    seq += block.size();
    b.s("A", 1, static_cast<uint32_t>(seq));
  }
  EXPECT_EQ(b.to_server().size(), block.size() * 40);
  EXPECT_EQ(b.recorder.gaps[0], 0);
}

TEST(TcpStream, GapIsReportedOnce) {
  TcpBench b;
  b.handshake();
  b.c("A", 1, 1, "abc");
  b.c("A", 9, 1, "ij");
  Packet& ack = b.s("A", 1, 11);
  EXPECT_EQ(b.to_server(), "abc<5>ij");
  EXPECT_TRUE(ack.events.has(E::kStreamReassemblySeqGap));
  b.s("A", 1, 11);
  b.c("A", 11, 1, "kl");
  b.s("A", 1, 13);
  EXPECT_EQ(b.to_server(), "abc<5>ijkl");
  EXPECT_EQ(b.engine.counters().reassembly_gap, 1u);
  b.c("A", 4, 1, "defgh");  // too late
  b.s("A", 1, 13);
  EXPECT_EQ(b.to_server(), "abc<5>ijkl");
}

TEST(TcpStream, AnAcknowledgementBeyondAllThatWasSeenIsNoGapByItself) {
  TcpBench b;
  b.handshake();
  b.c("A", 1, 1, "abc");
  b.s("A", 1, 100);
  EXPECT_EQ(b.to_server(), "abc");
  EXPECT_EQ(b.recorder.gaps[0], 0);
  b.c("A", 100, 1, "xyz");
  b.s("A", 1, 103);
  EXPECT_EQ(b.to_server(), "abc<96>xyz");
}

TEST(TcpStream, RetransmissionsGiveNothingTwice) {
  TcpBench b;
  b.handshake();
  b.c("A", 1, 1, "abc");
  b.c("A", 1, 1, "abc");
  b.c("A", 1, 1, "abcdef");
  b.s("A", 1, 7);
  Packet& spurious = b.c("A", 1, 1, "abcdef");
  b.s("A", 1, 7);
  EXPECT_EQ(b.to_server(), "abcdef");
  EXPECT_TRUE(spurious.events.has(E::kStreamPktSpuriousRetransmission));
  EXPECT_EQ(b.engine.counters().overlap_different_data, 0u);
}

TEST(TcpStream, DataMayComeAfterItsAcknowledgement) {
  TcpBench b;
  b.handshake();
  b.s("A", 1, 7);
  Packet& late = b.c("A", 1, 1, "abcdef");
  EXPECT_FALSE(late.events.has(E::kStreamPktSpuriousRetransmission));
  b.s("A", 1, 7);
  EXPECT_EQ(b.to_server(), "abcdef");
}

TEST(TcpStream, WhatTheConsumerLeavesComesAgainWithMore) {
  TcpBench b;
  b.handshake();
  b.recorder.needs = 5;
  b.c("A", 1, 1, "abc");
  b.s("A", 1, 4);
  EXPECT_EQ(b.to_server(), "");
  b.c("A", 4, 1, "def");
  b.s("A", 1, 7);
  EXPECT_EQ(b.to_server(), "abcdef");
  EXPECT_EQ(b.recorder.calls[0], 2);
}

TEST(TcpStream, AnUnchangedRestIsNotOfferedAgain) {
  TcpBench b;
  b.handshake();
  b.recorder.needs = 5;
  b.c("A", 1, 1, "abc");
  b.s("A", 1, 4);
  b.s("A", 1, 4);
  b.s("A", 1, 4);
  EXPECT_EQ(b.recorder.calls[0], 1);
}

TEST(TcpStream, EndIsToldOnceAfterFin) {
  TcpBench b;
  b.handshake();
  b.c("FA", 1, 1, "bye");
  EXPECT_EQ(b.recorder.ends[0], 0);
  b.s("FA", 1, 5);
  EXPECT_EQ(b.to_server(), "bye");
  EXPECT_EQ(b.recorder.ends[0], 1);
  b.c("A", 5, 2);
  EXPECT_EQ(b.recorder.ends[1], 1);
  EXPECT_EQ(b.state(), "closed");
  b.finish();
  EXPECT_EQ(b.recorder.ends[0], 1);
  EXPECT_EQ(b.recorder.ends[1], 1);
}

TEST(TcpStream, AtTheFlowsEndUnacknowledgedBytesGoOutToo) {
  TcpBench b;
  b.handshake();
  b.c("A", 1, 1, "abc");
  b.c("A", 6, 1, "fgh");
  Packet pseudo;
  b.engine.flush(*b.flow, pseudo, Direction::kToServer);
  EXPECT_EQ(b.to_server(), "abc");
  EXPECT_EQ(b.recorder.ends[0], 1);
  // What is behind the hole never was in order at the receiver: raw inspection sees it, parsers do
  // not.
  EXPECT_EQ(b.engine.counters().reassembly_gap, 0u);
  b.session().raw_done(Direction::kToServer, 3);
  EXPECT_EQ(as_text(b.session().raw_window(Direction::kToServer, true).data), "fgh");
}

TEST(TcpStream, NothingIsKeptBehindTheDepth) {
  TcpConfig config;
  config.depth_bytes = 10;
  TcpBench b(config);
  b.handshake();
  b.c("A", 1, 1, "abcdefgh");
  Packet& p = b.c("A", 9, 1, "ijklmnop");
  b.s("A", 1, 17);
  b.c("A", 17, 1, "qrst");
  b.s("A", 1, 21);
  EXPECT_EQ(b.to_server(), "abcdefghij");
  EXPECT_TRUE(p.events.has(E::kStreamReassemblyDepthReached));
  EXPECT_EQ(b.recorder.depths[0], 1);
  EXPECT_EQ(b.recorder.gaps[0], 0);
  EXPECT_EQ(b.engine.counters().depth_reached, 1u);
}

TEST(TcpStream, AFullMemcapIsCountedAndTheStreamGoesOn) {
  TcpConfig config;
  config.reassembly_memcap_bytes = 1024;
  TcpBench b(config);
  b.handshake();
  Packet& p = b.c("A", 1, 1, std::string(1400, 'x'));
  EXPECT_TRUE(p.events.has(E::kStreamReassemblyInsertMemcap));
  EXPECT_EQ(b.engine.counters().segment_memcap_drop, 1u);
  b.s("A", 1, 1401);
  b.c("A", 1401, 1, "abc");
  b.s("A", 1, 1404);
  EXPECT_EQ(b.to_server(), "<1400>abc");
}

TEST(TcpStream, NoBufferIsHeldWhenAllIsConsumed) {
  TcpConfig config;
  config.raw = false;
  TcpBench b(config);
  b.handshake();
  b.c("A", 1, 1, "abc");
  EXPECT_GT(b.engine.reassembly_memuse_bytes(), 0u);
  b.s("A", 1, 4);
  EXPECT_EQ(b.engine.reassembly_memuse_bytes(), 0u);
}

TEST(TcpStream, UnwantedBytesAreDroppedWithoutGaps) {
  TcpConfig config;
  config.raw = false;
  TcpBench b(config);
  b.recorder.wanted = false;
  b.handshake();
  for (uint32_t i = 0; i < 10; ++i) {
    b.c("A", 1 + i * 3, 1, "abc");
    b.s("A", 1, 4 + i * 3);
  }
  EXPECT_EQ(b.engine.counters().reassembly_gap, 0u);
  EXPECT_EQ(b.engine.reassembly_memuse_bytes(), 0u);
}

TEST(TcpStream, ASegmentFarAheadCostsNoMemoryForTheHole) {
  TcpConfig config;
  config.depth_bytes = 0;
  TcpBench b(config);
  Packet& syn = b.make(Direction::kToServer, "S", 0, 0, "");
  syn.tcp.has_wscale = true;
  syn.tcp.wscale = 14;
  b.feed(syn);
  Packet& synack = b.make(Direction::kToClient, "SA", 0, 1, "");
  synack.tcp.has_wscale = true;
  synack.tcp.wscale = 14;
  b.feed(synack);
  b.c("A", 1, 1);
  b.s("A", 1, 1);
  Packet& far = b.c("A", 500'000'000, 1, "xyz");
  EXPECT_FALSE(far.stream_rejected);
  b.c("A", 1, 1, "abc");
  EXPECT_LT(b.engine.reassembly_memuse_bytes(), 4096u);
  EXPECT_EQ(b.session().summary().max_regions_to_server, 2);
}

// --- raw windows

TEST(RawWindow, WaitsForAChunkOfAcknowledgedBytes) {
  TcpConfig config;
  config.raw_history_bytes = 0;
  TcpBench b(config);
  b.handshake();
  b.c("A", 1, 1, std::string(1400, 'a'));
  b.s("A", 1, 1401);
  EXPECT_TRUE(b.session().raw_window(Direction::kToServer, false).data.empty());
  EXPECT_EQ(b.session().raw_window(Direction::kToServer, true).data.size(), 1400u);
  b.c("A", 1401, 1, std::string(1400, 'b'));
  EXPECT_TRUE(b.session().raw_window(Direction::kToServer, false).data.empty());
  b.s("A", 1, 2801);
  const auto w = b.session().raw_window(Direction::kToServer, false);
  EXPECT_EQ(w.data.size(), 2800u);
  EXPECT_EQ(w.offset, 0u);
  b.session().raw_done(Direction::kToServer, 2800);
  EXPECT_TRUE(b.session().raw_window(Direction::kToServer, true).data.empty());
  EXPECT_EQ(b.engine.reassembly_memuse_bytes(), 0u);
}

TEST(RawWindow, ShowsHistoryBeforeNewBytes) {
  TcpConfig config;
  config.raw_history_bytes = 4;
  TcpBench b(config);
  b.handshake();
  b.c("A", 1, 1, "abcdef");
  b.s("A", 1, 7);
  b.session().raw_done(Direction::kToServer, 6);
  b.c("A", 7, 1, "ghi");
  b.s("A", 1, 10);
  const auto w = b.session().raw_window(Direction::kToServer, true);
  EXPECT_EQ(as_text(w.data), "cdefghi");
  EXPECT_EQ(w.offset, 2u);
  EXPECT_EQ(b.session().raw_inspected(Direction::kToServer), 6u);
}

TEST(RawWindow, HistoryGoesWithTheEndOfTheStream) {
  TcpBench b;
  b.handshake();
  b.c("FA", 1, 1, "bye");
  b.s("FA", 1, 5);
  EXPECT_GT(b.engine.reassembly_memuse_bytes(), 0u);  // not inspected yet
  b.session().raw_done(Direction::kToServer, 3);
  EXPECT_EQ(b.engine.reassembly_memuse_bytes(), 0u);
}

TEST(RawWindow, HistoryStaysBehindAResetThatMayNotBeTheOtherSides) {
  TcpBench b;
  b.handshake();
  b.s("PA", 1, 1, "answer");
  b.c("A", 1, 7, "first");
  b.s("RA", 7, 6);
  b.session().raw_done(Direction::kToClient, 6);
  EXPECT_EQ(b.session().of(Direction::kToClient).buffer.kept_bytes(), 0u);  // who resets is silent
  b.session().raw_done(Direction::kToServer, 5);
  b.c("A", 6, 7, "more");
  Packet pseudo;
  pseudo.is_pseudo = true;
  pseudo.flow = b.flow;
  b.engine.flush(*b.flow, pseudo, Direction::kToServer);  // the flow's end
  EXPECT_EQ(as_text(b.session().raw_window(Direction::kToServer, true).data), "firstmore");
}

TEST(RawWindow, StopsAtAGapAndGoesOnBehindIt) {
  TcpBench b;
  b.handshake();
  b.c("A", 1, 1, "abc");
  b.c("A", 9, 1, "ij");
  b.s("A", 1, 11);
  auto w = b.session().raw_window(Direction::kToServer, false);
  EXPECT_EQ(as_text(w.data), "abc");
  b.session().raw_done(Direction::kToServer, w.offset + w.data.size());
  w = b.session().raw_window(Direction::kToServer, true);
  EXPECT_EQ(as_text(w.data), "ij");
  EXPECT_EQ(w.offset, 8u);
}

TEST(RawWindow, GoesOutWhateverItsSizeOnceTheClientCloses) {
  TcpBench b;
  b.handshake();
  b.c("A", 1, 1, "abc");
  b.s("A", 1, 4);
  EXPECT_TRUE(b.session().raw_window(Direction::kToServer, false).data.empty());
  b.c("A", 4, 1, "def");  // nobody acknowledges it
  b.c("FA", 7, 1);
  EXPECT_EQ(as_text(b.session().raw_window(Direction::kToServer, false).data), "abc");
}

TEST(RawWindow, WaitsOnWhereTheServerClosesFirst) {
  TcpBench b;
  b.handshake();
  b.c("A", 1, 1, "abc");
  b.s("FA", 1, 4);
  EXPECT_TRUE(b.session().raw_window(Direction::kToServer, false).data.empty());
}

TEST(RawWindow, AtTheFlowsEndShowsUnacknowledgedBytes) {
  TcpBench b;
  b.handshake();
  b.c("A", 1, 1, "abc");
  EXPECT_TRUE(b.session().raw_window(Direction::kToServer, true).data.empty());
  Packet pseudo;
  EXPECT_TRUE(b.engine.needs_flush(*b.flow, Direction::kToServer));
  b.engine.flush(*b.flow, pseudo, Direction::kToServer);
  EXPECT_EQ(as_text(b.session().raw_window(Direction::kToServer, false).data), "abc");
}

}  // namespace
}  // namespace vong::reassembly

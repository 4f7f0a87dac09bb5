import Foundation
import HaulModel
import HaulProtocol
import Support
import Testing

@testable import haul_ssh

/// What goes over the wire, byte for byte, and what of it is not taken.
struct CodecTests {
    @Test func attributesSurviveARoundTrip() throws {
        for attributes in [
            SFTPAttributes(), SFTPAttributes(size: .max), SFTPAttributes(permissions: 0o100644),
            SFTPAttributes(size: 5, permissions: 0o40755, modified: 4_000_000_000),
        ] {
            var writer = SFTPFieldWriter()
            attributes.write(to: &writer)
            var reader = SFTPFieldReader(writer.bytes)
            #expect(try SFTPAttributes(&reader) == attributes)
            #expect(reader.isAtEnd)
        }
    }

    @Test func namesAreBytes() throws {
        let odd = Data([0x61, 0xff, 0x0a, 0x62])
        let packet = ScriptedTransport.packet(104, 9) { writer in
            writer.add(UInt32(2))
            for name in [odd, Data("ü\n".utf8)] {
                writer.add(name)
                writer.add("long name")
                SFTPAttributes(size: 3, permissions: 0o100600).write(to: &writer)
            }
        }
        let (id, reply) = try SFTPReply.decode(packet.dropFirst(4))
        guard case .names(let names) = reply else { return #expect(Bool(false), "\(reply)") }
        #expect(id == 9)
        #expect(names.map(\.bytes) == [odd, Data("ü\n".utf8)])
        #expect(names.map(\.text) == [nil, "ü\n"])
    }

    @Test func aWriteIsOnePacketInTwoPieces() throws {
        let (head, content) = SFTPRequest.write(Data([1, 2]), offset: 1 << 40, Data("abc".utf8)).packet(id: 7)
        #expect(content == Data("abc".utf8))
        let bytes = head + (content ?? Data())
        #expect(bytes.prefix(4).reduce(0) { $0 << 8 | Int($1) } == bytes.count - 4)
        var reader = SFTPFieldReader(bytes.dropFirst(4))
        #expect(try reader.byte() == 6)
        #expect(try reader.uint32() == 7)
        #expect(try reader.string() == Data([1, 2]))
        #expect(try reader.uint64() == 1 << 40)
        #expect(try reader.string() == Data("abc".utf8))
    }

    /// Every reply, cut at every byte, is refused or was whole without the rest; none of it traps.
    @Test func truncatedPacketsAreRefused() throws {
        let whole: [Data] = [
            ScriptedTransport.status(1, 4, "Failure"),
            ScriptedTransport.packet(102, 1) { $0.add(Data([1, 2, 3, 4])) },
            ScriptedTransport.packet(103, 1) { $0.add(Data("content".utf8)) },
            ScriptedTransport.packet(104, 1) { writer in
                writer.add(UInt32(1))
                writer.add("name")
                writer.add("long")
                SFTPAttributes(size: 1, permissions: 0o644, modified: 1).write(to: &writer)
            },
            ScriptedTransport.packet(105, 1) { SFTPAttributes(size: 1, permissions: 2, modified: 3).write(to: &$0) },
        ]
        for packet in whole.map({ Data($0.dropFirst(4)) }) {
            #expect(throws: Never.self) { try SFTPReply.decode(packet) }
            // A status may lack its message, and the language at its end is not read.
            let needed = packet[0] == 101 ? packet.count - 4 : packet.count
            for length in 0..<needed where !(packet[0] == 101 && length == 9) {
                #expect(throws: SFTPViolation.self, "type \(packet[0]), \(length) bytes") {
                    try SFTPReply.decode(packet.prefix(length))
                }
            }
        }
    }

    @Test func countsThatPromiseMoreThanThereIsAreRefused() {
        let names = ScriptedTransport.packet(104, 1) { $0.add(UInt32.max) }
        let endless = ScriptedTransport.packet(104, 1) { writer in
            writer.add(UInt32(1))
            writer.add(UInt32.max)
            writer.add(UInt64(0))
        }
        let extended = ScriptedTransport.packet(105, 1) { writer in
            writer.add(UInt32(0x8000_0000))
            writer.add(UInt32.max)
        }
        let handle = ScriptedTransport.packet(102, 1) { $0.add(Data(count: 257)) }
        for packet in [names, endless, extended, handle, ScriptedTransport.packet(99, 1)] {
            #expect(throws: SFTPViolation.self) { try SFTPReply.decode(packet.dropFirst(4)) }
        }
    }

    @Test func framingTakesBytesAsTheyCome() throws {
        let packets = [Data([1]), Data(repeating: 7, count: 300), Data([2, 3])]
        var framing = SFTPFraming()
        var found: [Data] = []
        for byte in packets.map(ScriptedTransport.framed).reduce(Data(), +) {
            framing.append(Data([byte]))
            while let packet = try framing.next() { found.append(Data(packet)) }
        }
        #expect(found == packets)
    }

    @Test(arguments: [UInt32(0), 1 << 20 + 1, 1 << 31, .max])
    func framingRefusesLengths(_ length: UInt32) {
        var framing = SFTPFraming()
        var writer = SFTPFieldWriter()
        writer.add(length)
        framing.append(writer.bytes)
        #expect(throws: SFTPViolation.self) { try framing.next() }
    }

    @Test func aServersLimitsAreBounded() throws {
        func limits(_ read: UInt64, _ write: UInt64) throws -> SFTPLimits {
            var writer = SFTPFieldWriter()
            [UInt64.max, read, write, 0].forEach { writer.add($0) }
            return try SFTPLimits(writer.bytes)
        }
        #expect(try limits(.max, 1).read == 255 << 10)
        #expect(try limits(.max, 1).write == 1 << 10)
        #expect(try limits(0, 0) == SFTPLimits())
        #expect(throws: SFTPViolation.self) { try SFTPLimits(Data(count: 20)) }
    }
}

import Foundation
import HaulModel
import HaulProtocol
import Testing

@testable import haul_gridftp

@Suite struct ReplyTests {
    private func parse(_ pieces: [String]) throws -> [FTPReply] {
        var parser = FTPReplyParser()
        var replies: [FTPReply] = []
        for piece in pieces {
            parser.add(Data(piece.utf8))
            while let reply = try parser.next() { replies.append(reply) }
        }
        return replies
    }

    @Test func repliesComeInAnyPieces() throws {
        let text = "220 ready\r\n250-Contents\r\n Type=file; a\r\n250 End.\r\n150 Opening\r\n226 Done\r\n"
        let whole = try parse([text])
        #expect(whole.map(\.code) == [220, 250, 150, 226])
        #expect(whole[1].lines.count == 3)
        #expect(whole[2].isMark)
        #expect(try parse(text.unicodeScalars.map { String($0) }) == whole)
        #expect(try parse(["220 ready\n"]).map(\.code) == [220])
    }

    @Test func aLineThatLooksLikeTheEndButHasAnotherCodeIsNone() throws {
        let reply = try parse(["250-Contents\r\n", "226 not the end\r\n", "250-nor this\r\n", "250 End\r\n"])
        #expect(reply.count == 1)
        #expect(reply[0].lines.count == 4)
    }

    @Test(arguments: ["HTTP/1.1 400 Bad\r\n", "\r\n", "22\r\n", "999 no\r\n", "SSH-2.0-x\r\n"])
    func nonsenseIsSaid(_ text: String) { #expect(throws: FTPReplyParser.Nonsense.self) { try parse([text]) } }

    @Test func passivePorts() throws {
        let reply = try parse(["227 Entering Passive Mode (127,0,0,1,217,79)\r\n"])[0]
        #expect(DataTransfer.passive(reply) == Address(host: "127.0.0.1", port: 217 * 256 + 79))
        for text in ["227 no\r\n", "227 (1,2,3)\r\n", "227 (300,0,0,1,1,1)\r\n", "500 (127,0,0,1,1,1)\r\n"] {
            #expect(DataTransfer.passive(try parse([text])[0]) == nil)
        }
    }

    /// Neither a line nor a reply may go on for ever, also where its lines have nothing in them.
    @Test func nothingIsWithoutEnd() throws {
        let piece = Data(repeating: UInt8(ascii: "2"), count: 4096)
        #expect(throws: FTPReplyParser.Nonsense.self) {
            var parser = FTPReplyParser()
            for _ in 0..<1000 {
                parser.add(piece)
                _ = try parser.next()
            }
        }
        #expect(throws: FTPReplyParser.Nonsense.self) {
            var parser = FTPReplyParser()
            parser.add(Data("250-\r\n".utf8))
            let empty = Data(repeating: UInt8(ascii: "\n"), count: 1 << 18)
            for _ in 0..<40 {
                parser.add(empty)
                _ = try parser.next()
            }
        }
    }

    @Test func extendedPorts() throws {
        #expect(DataTransfer.extended(try parse(["229 Entering Extended Passive Mode (|||47051|)\r\n"])[0]) == 47051)
        for text in ["229 no\r\n", "229 (|||0|)\r\n", "229 (|||x|)\r\n", "227 (|||1|)\r\n"] {
            #expect(DataTransfer.extended(try parse([text])[0]) == nil)
        }
    }

    @Test func directoriesInQuotes() throws {
        #expect(ServerFeatures.directory(try parse(["257 \"/a \"\"b\"\"\" is it\r\n"])[0]) == "/a \"b\"")
        #expect(ServerFeatures.directory(try parse(["257 nothing\r\n"])[0]) == nil)
    }
}

@Suite struct FactTests {
    @Test func aLine() throws {
        let text =
            "Type=file;Modify=20261121204602;Size=6;Perm=awr;UNIX.mode=0644;UNIX.slink=/x;Unique=fe00-1; a = b; c "
        let fact = try #require(FactLine(Data(text.utf8)))
        #expect(fact.name == Data("a = b; c ".utf8))
        #expect(
            fact.facts(follow: true) == FileFacts(kind: .file, size: 6, modified: 1_795_293_962, permissions: 0o644))
        #expect(fact.facts(follow: false).kind == .link)
        #expect(fact.unique == "fe00-1")
    }

    @Test func kinds() throws {
        func kind(_ type: String) throws -> ListingEntry.Kind {
            try #require(FactLine(Data("Type=\(type);Size=1; n".utf8))).kind
        }
        #expect(try kind("dir") == .directory)
        #expect(try kind("OS.unix=pipe") == .other)
        #expect(try #require(FactLine(Data("Type=OS.unix=slink:/a; n".utf8))).isLink)
    }

    @Test(arguments: ["", "x", "no facts here", "Type=file name", "rest of a name; with=signs"])
    func noLine(_ text: String) { #expect(FactLine(Data(text.utf8)) == nil) }

    @Test func times() {
        #expect(FactLine.seconds("19700101000000") == 0)
        #expect(FactLine.seconds("20240229235959.5") == 1_709_251_199)
        #expect(FactLine.seconds("2024") == nil)
        #expect(FactLine.seconds("20241301000000") == nil)
        #expect(FactLine.seconds("00000224000000") == nil)
        for seconds in [0, 951_782_400, 1_709_251_199, 4_102_444_800] {
            #expect(FactLine.stamp(seconds).flatMap(FactLine.seconds) == seconds)
        }
    }

    /// Nor is one that no directory has a count of names.
    @Test func noCount() throws {
        let lines = ["Type=cdir;X.count=\(Int.min); .", "Type=file;Size=1; a"].map { Data($0.utf8) }
        let listing = try DirectoryFacts(lines[...], of: "/d", indented: false)
        #expect(listing.unlisted == 0 && listing.entries.count == 1)
    }

    @Test func aNameWithALineBreakFailsTheListing() throws {
        let lines = ["Type=cdir;X.count=4; .", "Type=pdir; ..", "Type=file;Size=1; new", "line"].map { Data($0.utf8) }
        #expect(throws: BackendFailure.self) { try DirectoryFacts(lines[...], of: "/d", indented: false) }
        // Made up to look like an entry of its own.
        let forged = ["Type=cdir;X.count=3; .", "Type=pdir; ..", "Type=file;Size=1; new", "Type=file;Size=1; forged"]
        #expect(throws: BackendFailure.self) {
            try DirectoryFacts(forged.map { Data($0.utf8) }[...], of: "/d", indented: false)
        }
        let short = ["Type=cdir;X.count=4; .", "Type=pdir; ..", "Type=file;Size=1; new"]
        #expect(try DirectoryFacts(short.map { Data($0.utf8) }[...], of: "/d", indented: false).unlisted == 1)
    }
}

@Suite struct PathTests {
    @Test func homes() throws {
        #expect(try RemotePath("/a//b/./c/", home: "/h").absolute == "/a/b/c")
        #expect(try RemotePath("~/x", home: "/h").absolute == "/h/x")
        #expect(try RemotePath("x", home: "/").absolute == "/x")
        #expect(try RemotePath("~", home: "/h").absolute == "/h")
        #expect(try RemotePath("/", home: "/h").isRoot)
        #expect(try RemotePath("/a/", home: "/h").saysDirectory)
        #expect(try RemotePath("/a/b", home: "/h").sibling("c").absolute == "/a/c")
        #expect(try RemotePath("~x", home: "/h").absolute == "/h/~x")
    }

    @Test(arguments: ["", "/a\nDELE /b", "/a\r", "/a\0b", "/a/../b", "..", "/\u{7f}"])
    func refused(_ path: String) {
        #expect { try RemotePath(path, home: "/") } throws: { ($0 as? BackendFailure)?.errorClass == .invalid }
    }

    @Test func composedAndDecomposedLettersAreTwoNames() throws {
        #expect(try RemotePath("/\u{e9}", home: "/") != RemotePath("/e\u{301}", home: "/"))
    }

    @Test func endpoints() {
        #expect(Address("h.example:2812", standardPort: 2811) == Address(host: "h.example", port: 2812))
        #expect(Address("h", standardPort: 2811) == Address(host: "h", port: 2811))
        #expect(Address("[::1]:5", standardPort: 2811) == Address(host: "::1", port: 5))
        for text in ["", ":1", "h:0", "h:x", "h:1:2", "-h:1", "h h:1", "h/x:1", "[::1]x"] {
            #expect(Address(text, standardPort: 2811) == nil, "\(text)")
        }
    }
}

@Suite struct LaneTests {
    @Test func whatIsMovedAgain() {
        let piece = ThirdParty.piece
        #expect(LargeFile.start(0) == 0)
        #expect(LargeFile.start(1) == 0)
        #expect(LargeFile.start(piece) == 0)
        #expect(LargeFile.start(piece + 1) == piece)
        #expect(LargeFile.start(5 * piece + 7) == 5 * piece)
    }

    @Test func theBetterOfTwoReasons() {
        let refused = BackendFailure(.noSpace, "no space")
        let gone = BackendFailure(.connect, "reset")
        #expect(Lane.better(gone, CopyWriteFailure(refused)) is CopyWriteFailure)
        #expect((Lane.better(refused, gone) as? BackendFailure) == refused)
        #expect((Lane.better(nil, gone) as? BackendFailure) == gone)
    }
}

@Suite struct DataNodesTests {
    private func host(
        _ offered: String, peer: String?, proves: Bool, _ option: [String] = [], hosts: [String]? = nil
    ) throws -> String {
        let hosts = try hosts.map { try #require(HostList($0)) }
        let address = Address(host: offered, port: 6379)
        let found = try DataNodes(option, hosts: hosts).address(address, peer: peer, proves: proves)
        #expect(found.port == 6379)
        return found.host
    }

    @Test func withoutAProxyTheServersOwnAddressCounts() throws {
        for offered in ["127.0.0.1", "10.0.0.1", "0.0.0.0", "203.0.113.9"] {
            #expect(try host(offered, peer: "192.0.2.1", proves: false) == "192.0.2.1")
            #expect(throws: BackendFailure.self) { try host(offered, peer: nil, proves: false) }
        }
        #expect(try host("10.0.0.1", peer: "192.0.2.1", proves: false, ["10.0.0.0/24"]) == "10.0.0.1")
        #expect(try host("10.0.1.1", peer: "192.0.2.1", proves: false, ["10.0.0.0/24", "1.2.3.4"]) == "192.0.2.1")
    }

    @Test func withAProxyOthersMayServeButNotOurselves() throws {
        #expect(try host("192.0.2.9", peer: "192.0.2.1", proves: true) == "192.0.2.9")
        for offered in ["127.0.0.1", "127.9.9.9", "169.254.169.254", "0.0.0.0", "224.0.0.1", "255.255.255.255"] {
            #expect { try host(offered, peer: "192.0.2.1", proves: true) } throws: {
                ($0 as? BackendFailure)?.errorClass == .invalid
            }
        }
        #expect(try host("127.0.0.2", peer: "127.0.0.1", proves: true) == "127.0.0.2")
        #expect(try host("127.0.0.2", peer: "192.0.2.1", proves: true, ["127.0.0.2"]) == "127.0.0.2")
    }

    /// A worker that may talk to some hosts alone is led to no other by a server that has proved who it is.
    @Test func hostsOfTheWorker() throws {
        let hosts = ["grid.example.org", "192.0.2.8:6379", "192.0.2.9"]
        for good in ["192.0.2.8", "192.0.2.9", "192.0.2.1"] {
            #expect(try host(good, peer: "192.0.2.1", proves: true, hosts: hosts) == good)
        }
        #expect {
            try host("192.0.2.10", peer: "192.0.2.1", proves: true, hosts: hosts)
        } throws: {
            ($0 as? BackendFailure)?.errorClass == .permission
        }
        // What an operator says of the site is good, too.
        #expect(try host("192.0.2.10", peer: "192.0.2.1", proves: true, ["192.0.2.0/28"], hosts: hosts) == "192.0.2.10")
    }

    @Test(arguments: ["localhost", "", "1.2.3", "1.2.3.4/33", "1.2.3.4/", "::1", "1.2.3.4/1/2", "1.2.3.+4"])
    func noNetworks(_ text: String) { #expect(throws: BackendFailure.self) { try DataNodes([text]) } }

    @Test func asPortTakesIt() {
        #expect(DataNodes.port(Address(host: "192.0.2.1", port: 1029)) == "PORT 192,0,2,1,4,5")
        #expect(DataNodes.port(Address(host: "::1", port: 1029)) == "EPRT |2|::1|1029|")
        for host in ["fe80::1%lo", "localhost", "1.2.3", "::1|1|", ""] {
            #expect(DataNodes.port(Address(host: host, port: 1029)) == nil)
        }
    }
}

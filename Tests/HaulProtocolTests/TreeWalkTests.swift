import HaulModel
import HaulProtocol
import Synchronization
import Testing

struct TreeWalkTests {
    /// What a walk did, and how many directories were open at a time.
    private final class Record: Sendable {
        let state = Mutex((open: 0, most: 0, opened: [String](), discarded: [String]()))

        func opening(_ name: String) {
            state.withLock { state in
                state.open += 1
                state.most = max(state.most, state.open)
                state.opened.append(name)
            }
        }

        func closing() { state.withLock { $0.open -= 1 } }
    }

    /// Three children a directory, three levels.
    private static func children(_ name: String) -> [String] {
        name.count < 4 ? ["a", "b", "c"].map { name + $0 } : []
    }

    private func walk(_ record: Record, ahead: Int = 4, most: Int = 6) -> TreeWalk<String, String> {
        TreeWalk(ahead: ahead, most: most) { name in
            record.opening(name)
            // The later ones are through first.
            for _ in 0..<(name.utf8.last == UInt8(ascii: "a") ? 50 : 1) { await Task.yield() }
            return name
        } discard: { name in
            record.state.withLock { $0.discarded.append(name) }
        }
    }

    @Test func theOrderIsTheTreesAlone() async throws {
        let record = Record()
        var order: [String] = []
        let count = try await walk(record).run(from: "/") { name, opened in
            let content = try opened.get()
            #expect(content == name)
            record.closing()
            order.append(name)
            return Self.children(name)
        }
        #expect(count == 1 + 3 + 9 + 27)
        #expect(order == order.sorted())
        #expect(Set(order).count == count)
        let most = record.state.withLock { $0.most }
        // Six ahead, and the one that is read.
        #expect(most > 2 && most <= 7, "\(most)")
        let discarded = record.state.withLock { $0.discarded }
        #expect(discarded.isEmpty)
    }

    @Test func theNextAreOpenBeforeTheFirstIsRead() async throws {
        let record = Record()
        try await walk(record).run(from: "/") { name, _ in
            record.closing()
            if name == "/aaa" {
                let opened = record.state.withLock { $0.opened }
                #expect(opened.contains("/aab") && opened.contains("/aac") && opened.contains("/ab"))
            }
            return Self.children(name)
        }
    }

    @Test func whatWasOpenedAheadIsLetGoOfAfterAFailure() async throws {
        let record = Record()
        struct Stop: Error {}
        await #expect(throws: Stop.self) {
            try await walk(record).run(from: "/") { name, _ in
                if name == "/aa" { throw Stop() }
                return Self.children(name)
            }
        }
        let (opened, discarded) = record.state.withLock { ($0.opened, $0.discarded) }
        let unread = Set(opened).subtracting(["/", "/a", "/aa"])
        #expect(!unread.isEmpty && Set(discarded) == unread)
    }

    /// A server with few handles refuses what is asked for ahead, not what it is the turn of.
    @Test func whatWasRefusedAheadIsAskedForAgain() async throws {
        let tries = Mutex<[String: Int]>([:])
        let walk = TreeWalk<String, String>(ahead: 4, most: 6) { name in
            let count = tries.withLock { tries in
                tries[name, default: 0] += 1
                return tries[name] ?? 0
            }
            if name == "/b" { throw BackendFailure(.notFound, "gone") }
            if name != "/", name != "/a", count == 1 { throw BackendFailure(.unknown, "Failure") }
            return name
        } discard: { _ in
        }
        var read: [String] = []
        try await walk.run(from: "/") { name, opened in
            if case .success = opened { read.append(name) }
            return name == "/" ? ["/a", "/b", "/c"] : []
        }
        #expect(read == ["/", "/a", "/c"])
        let expected = ["/": 1, "/a": 1, "/b": 1, "/c": 2]
        #expect(tries.withLock { $0 } == expected)
    }
}

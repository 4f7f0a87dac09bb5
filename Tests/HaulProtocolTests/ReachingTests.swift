import Foundation
import HaulModel
import Testing

@testable import HaulProtocol

/// Which of a site's endpoints comes first.
@Suite(.timeLimit(.minutes(5))) struct ReachingTests {
    /// A port of this machine that somebody listens at; nobody once it is closed.
    private final class Listener {
        let descriptor: Int32
        let endpoint: String

        /// - Parameter listens: False: it is held, and takes no connection.
        init(listens: Bool = true) throws {
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            let handle = descriptor
            let port = withUnsafeMutablePointer(to: &address) { pointer -> UInt16? in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { plain in
                    guard bind(handle, plain, size) == 0, !listens || listen(handle, 8) == 0,
                        getsockname(handle, plain, &size) == 0
                    else { return false }
                    return true
                } ? UInt16(bigEndian: pointer.pointee.sin_port) : nil
            }
            endpoint = "127.0.0.1:\(try #require(port))"
        }

        deinit { close(descriptor) }
    }

    private func order(_ endpoints: [String], settings: [String: JSONValue] = [:], standard: Int = 1) async -> [String]
    {
        let batch = BatchSpec(
            operation: .copy, source: SiteSpec(site: "a", endpoints: endpoints),
            destination: SiteSpec(site: "b", endpoints: endpoints.reversed()), settings: settings, scratch: "/",
            spool: "/")
        let reached = await batch.reaching { _ in standard }
        #expect(reached.destination?.endpoints.count == endpoints.count)
        return reached.source.endpoints
    }

    @Test func theFirstThatTakesAConnection() async throws {
        let (one, two) = (try Listener(), try Listener())
        let held = try Listener(listens: false)
        let gone = held.endpoint
        #expect(await order([one.endpoint, two.endpoint]) == [one.endpoint, two.endpoint], "the preferred one")
        #expect(await order([gone, one.endpoint, two.endpoint]) == [one.endpoint, gone, two.endpoint])
        #expect(await order([gone, "not an endpoint", two.endpoint]) == [two.endpoint, gone, "not an endpoint"])
        #expect(await order([gone, "127.0.0.1:1"]) == [gone, "127.0.0.1:1"], "none is there")
        #expect(await order([gone]) == [gone])
        #expect(await order([]) == [])
        let port = try #require(Int(one.endpoint.split(separator: ":")[1]))
        #expect(await order([gone, "127.0.0.1"], standard: port) == ["127.0.0.1", gone], "at the usual port")
        let proxied = await order([gone, one.endpoint], settings: ["proxy": "http://p:1"])
        #expect(proxied == [gone, one.endpoint], "the proxy looks for the way")
        withExtendedLifetime(held) {}
    }
}

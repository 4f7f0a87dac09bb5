import Foundation
import HaulHTTP
import Support
import Testing

/// What servers hold is let go of: while they run, and after them. Each in a process of its own, whose descriptors and threads
/// are counted.
@Suite(.serialized) struct ServerLeftoverTests {
    /// Refused and hung up on at once, by many: each socket that lingers is let go of, and the next ones are served.
    @Test func whatLingersIsLetGo() async {
        await #expect(processExitsWith: .success) {
            let server = try ServerStopTests.server { _ in HTTPResponse(text: "done") }
            let client = HTTPClient()
            #expect(try await client.send(HTTPClientRequest(url: server.url("/"))).status == 200)
            let atFirst = ProcessFigures.descriptors
            for round in 0..<3 {
                await withTaskGroup { group in
                    for number in 0..<200 {
                        group.addTask {
                            guard let raw = try? RawConnection(port: server.port) else { return }
                            await raw.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n")
                            await raw.send([UInt8](repeating: 0x78, count: number * 100))
                            // Some hang up with a reset, some in good order, some only once they have their answer.
                            if number % 3 == 0 { raw.reset() }
                            if number % 3 == 1 { #expect(await raw.readToEnd().hasPrefix("HTTP/1.1 413")) }
                        }
                    }
                }
                #expect(try await client.send(HTTPClientRequest(url: server.url("/\(round)"))).status == 200)
            }
            #expect(await eventually { ProcessFigures.descriptors <= atFirst + 8 })
            await client.close()
            await server.stop(grace: 1)
        }
    }

    @Test func nothingIsLeftBehind() async {
        await #expect(processExitsWith: .success) {
            var descriptors = 0
            var threads = 0
            for round in 0..<20 {
                let server = try ServerStopTests.server { _ in HTTPResponse(text: "done") }
                let client = HTTPClient()
                #expect(try await client.send(HTTPClientRequest(url: server.url("/"))).status == 200)
                await client.close()
                await server.stop(grace: 1)
                if round == 4 { (descriptors, threads) = (ProcessFigures.descriptors, ProcessFigures.threads) }
            }
            // Sockets that linger are closed within two seconds.
            let atFirst = descriptors
            // Dispatch opens a few of its own when it first needs them, which may be late; fifteen servers came after.
            #expect(await eventually { ProcessFigures.descriptors <= atFirst + 4 })
            #expect(ProcessFigures.threads <= threads + 4)
        }
    }
}

import Foundation
import HaulConfig

@testable import haul_worker
@testable import hauld

extension Parser {
    /// The files that programs start with, as their own types.
    static let configurations = [
        Parser(name: "hauld") { try load(ServerConfig.self, $0) },
        Parser(name: "sites") { try load(SiteFile.self, $0) },
        Parser(name: "worker") { try load(WorkerFile.self, $0) },
    ]

    /// Whatever is wrong is told, by a line that is there.
    private static func load<Config: Decodable & Sendable>(_ type: Config.Type, _ data: Data) throws {
        let text = String(decoding: data, as: UTF8.self)
        do {
            _ = try ConfigFile.parse(type, text: text, name: "fuzz", environment: ["HOME": "/h", "EMPTY": ""])
        } catch {
            try hold(!error.message.isEmpty, "a file is refused without a word")
            // A carriage return alone ends a line, too.
            let lines = text.utf8.count { $0 == 0x0A || $0 == 0x0D } + text.count { "\u{2028}\u{2029}".contains($0) }
            try hold(error.line.map { (1...(lines + 1)).contains($0) } ?? false, "\(error): there is no such line")
        }
    }
}

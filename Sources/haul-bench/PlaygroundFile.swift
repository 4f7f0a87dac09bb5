import Foundation

/// `playground.json`: which processes a playground has, and where its sites stand.
struct PlaygroundFile: Decodable {
    /// A server or a worker.
    struct Part: Decodable {
        var pid: Int32
        var argv: [String]
        var cwd: String
        var env: [String: String]
    }

    /// A site: the folder on disk behind it, and the same place as a job names it.
    struct Site: Decodable {
        var `protocol`: String
        var root: String?
        var path: String
    }

    var processes: [String: Part]
    var sites: [String: Site]

    /// - Throws: ``BenchError`` where the file is none.
    static func read(_ path: String) throws -> PlaygroundFile {
        guard let data = FileManager.default.contents(atPath: path),
            let document = try? JSONDecoder().decode(PlaygroundFile.self, from: data)
        else { throw BenchError(message: "\(path) is no playground.json") }
        return document
    }

    func part(_ name: String) throws -> Part {
        guard let part = processes[name] else { throw BenchError(message: "the playground has no \(name)") }
        return part
    }

    func site(_ name: String) throws -> Site {
        guard let site = sites[name] else { throw BenchError(message: "the playground has no site \(name)") }
        return site
    }
}

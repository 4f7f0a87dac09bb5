import Foundation
import HaulProtocol

/// An S3 service with one bucket. Its objects are in memory: they last as long as it runs.
struct S3Part: Sendable {
    let name: String
    let port: Int
    let folder: StackFolder
    /// A Python with moto.
    let python: String

    static let bucket = "haul"

    /// `ACCESS:SECRET`, as a worker's `s3-key` has it.
    var keyFile: String { "\(folder.secrets)/\(name)-key" }

    /// Writes its program, makes its key where there is none.
    func prepare(environment: [String: String]) throws -> PartCommand {
        try folder.make(folder.part(name), mode: 0o700)
        let program = folder.part(name) + "/service.py"
        try StackFolder.write(Moto.program, to: program)
        if !FileManager.default.fileExists(atPath: keyFile) {
            let secret = UUID().uuidString.replacing("-", with: "")
            try StackFolder.write("AKIAHAULPLAYGROUND00:\(secret)\n", to: keyFile)
        }
        return PartCommand(
            name: name, argv: [python, program, String(port), Self.bucket, keyFile], cwd: folder.path,
            env: environment, log: folder.log(name))
    }
}

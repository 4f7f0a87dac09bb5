import Foundation
import HaulConfig
import Testing

@Suite struct PrivateFileTests {
    @Test func whoseEyes() throws {
        let folder = NSTemporaryDirectory() + "haul-private-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/token"
        #expect(PrivateFile.problem(with: path)?.contains("No such file") == true)
        #expect(PrivateFile.problem(with: folder) == "is no regular file")
        try Data("x".utf8).write(to: URL(fileURLWithPath: path))
        for (mode, isFit) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o610, false)] {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
            let problem = PrivateFile.problem(with: path)
            #expect((problem == nil) == isFit && problem?.contains("make it 600") ?? true, "\(String(mode, radix: 8))")
        }
    }
}

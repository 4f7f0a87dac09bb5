import Foundation
import HaulModel
import HaulProtocol

/// The configuration that a batch's rclone reads: those of its sites, and a name of ours for each site's remote. So
/// whatever a remote says, secrets included, stands in a 0600 file, and every request names it in plain letters.
struct RcloneConfig: Sendable {
    /// What rclone calls a site: `haul-source:`.
    static func name(_ side: String) -> String { "haul-\(side):" }

    let text: String

    /// - Parameter sides: `source` and maybe `destination`, with what their credential's file holds.
    /// - Throws: ``BackendFailure`` (`invalid`) for what rclone could not read as it was meant.
    init(_ sides: [(side: String, spec: SiteSpec, file: String?)]) throws {
        var text = ""
        var files: [String] = []
        for (side, spec, file) in sides {
            guard let remote = spec.options["remote"]?.string, remote.contains(":") else {
                throw BackendFailure(
                    .invalid, "the site \(spec.site) has no option remote such as NAME:PATH or :local:/PATH")
            }
            guard !remote.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7f }) else {
                throw BackendFailure(.invalid, "the remote of the site \(spec.site) holds a control character")
            }
            text += "[haul-\(side)]\ntype = alias\nremote = \(remote)\n\n"
            var file = file
            if let shown = file, spec.isShownByUser {
                let type = spec.options["type"]?.string
                file = try ShownSection(shown, site: spec.site, remote: remote, type: type).text
            }
            if let file, !files.contains(file) {
                if let line = Self.odd(file) {
                    throw BackendFailure(
                        .invalid,
                        "line \(line) of the rclone-config of the site \(spec.site) is neither [NAME] nor KEY = VALUE")
                }
                if let name = files.flatMap(Self.sections).first(where: Self.sections(file).contains) {
                    throw BackendFailure(
                        .invalid, "the rclone-config of both sites defines [\(name)]: give one of them another name")
                }
                files.append(file)
            }
        }
        self.text = files.joined(separator: "\n") + "\n" + text
    }

    /// The number of a line that rclone would refuse the whole file for; its content is nobody's business.
    private static func odd(_ text: String) -> Int? {
        // A value of several lines may hold anything.
        if text.contains("\"\"\"") { return nil }
        var goesOn = false
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let line = line.trimmingCharacters(in: .whitespaces)
            defer { goesOn = line.hasSuffix("\\") }
            let isFine =
                goesOn || line.isEmpty || line.contains(where: { "=:".contains($0) })
                || line.first.map { "#;".contains($0) } == true || line.hasPrefix("[") && line.hasSuffix("]")
            if !isFine { return index + 1 }
        }
        return nil
    }

    private static func sections(_ text: String) -> [String] {
        text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
            .filter { $0.hasPrefix("[") && $0.hasSuffix("]") }.map { String($0.dropFirst().dropLast()) }
    }
}

import CFiles
import Foundation
import Glibc
import HaulModel
import HaulProtocol

extension LocalBackend {
    func copy(_ element: ElementSpec, _ report: ElementReport) async throws {
        try await files.run {
            let copy = FileCopy(element: element, options: options, report: report)
            try copy.run(from: source(element), to: path(element.destination ?? "").place(parents: options.parents))
        }
    }

    /// The destination is the worker's own (its spool), not confined to the roots.
    func get(_ element: ElementSpec, _ report: ElementReport) async throws {
        try await files.run {
            let copy = FileCopy(element: element, options: options, report: report)
            try copy.run(from: source(element), to: Self.outside(element.destination ?? ""))
        }
    }

    /// The source is the worker's own.
    func put(_ element: ElementSpec, _ report: ElementReport) async throws {
        try await files.run {
            let copy = FileCopy(element: element, options: options, report: report)
            let place = try Self.outside(element.source)
            let source = try Self.open(place.facts(), element.source) { try place.open(O_RDONLY) }
            try copy.run(from: source, to: path(element.destination ?? "").place(parents: options.parents))
        }
    }

    private func source(_ element: ElementSpec) throws -> Descriptor {
        let path = try path(element.source)
        if options.symlinks == .follow {
            let facts = FileFacts(try path.open(HAUL_O_PATH).status(element.source))
            return try Self.open(facts, element.source) { try path.open(O_RDONLY | O_NONBLOCK | O_NOCTTY) }
        }
        guard !path.words.isEmpty else { throw BackendFailure(.invalid, "\(element.source) is a directory") }
        let place = try path.place()
        return try Self.open(place.facts(), element.source) { try place.open(O_RDONLY) }
    }

    /// Opens what is a regular file; the plan's words say what is wrong with anything else. A pipe or a device is
    /// never opened.
    private static func open(_ facts: FileFacts?, _ shown: String, _ open: () throws -> Descriptor) throws -> Descriptor
    {
        let plan = CopyPlan.decide(
            source: facts, destination: nil, options: CommonOptions(), sourcePath: shown, destinationPath: "")
        if case .fail(let failure) = plan { throw failure }
        return try open()
    }

    /// A path of the worker's own.
    private static func outside(_ path: String) throws -> LocalName {
        guard path.utf8.first == UInt8(ascii: "/"), let name = Root.words(path).last else {
            throw BackendFailure(.invalid, "\(path) is no absolute path of a file")
        }
        let words = Root.words(path).dropLast()
        let parent = "/" + words.joined(separator: "/")
        let directory = try Descriptor(
            Glibc.open(parent, HAUL_O_PATH | O_DIRECTORY | O_CLOEXEC), "cannot open \(parent)")
        return LocalName(directory: directory, name: String(name), shown: path)
    }
}

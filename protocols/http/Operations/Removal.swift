import Foundation
import HaulCurl
import HaulModel
import HaulProtocol

/// HTTP knows no rmdir: a DELETE takes a directory with all that is in it, also with what came a moment ago and with what
/// the server has but does not list (nginx: every name that starts with a dot). So a directory goes only after
///
/// 1. it was listed and was empty;
/// 2. a mark was put into it, an empty file whose name starts with a dot, and the listing showed it;
/// 3. it was renamed to a name that nobody knows, where nothing new arrives;
/// 4. it was listed again and held the mark alone.
///
/// Until the DELETE itself each step is taken back where the next one finds something.
struct Removal: Sendable {
    let server: Server
    let location: Location
    let report: ElementReport
    /// The name of the mark, and of the directory while it goes: the same for each attempt.
    private let name: String

    init(_ location: Location, at server: Server, element: ElementSpec, report: ElementReport) throws {
        self.server = server
        self.location = location
        self.report = report
        name = try PartFile.name(seed: element.partSeed + "\n" + location.encoded, size: 0, modified: 0)
    }

    private var mark: Location { location.child(Array(name.utf8)) }
    private var aside: Location { location.sibling(name) }

    /// Removes the directory, which was there a moment ago.
    func run() async throws {
        let found = try await server.children(location, most: 2)
        guard found.allSatisfy({ $0.name.elementsEqual(name.utf8) }) else { throw notEmpty }
        var isAside = false
        do {
            try await putMark()
            try await check(location)
            isAside = try await moveAside()
        } catch {
            await removeMark()
            throw error
        }
        if isAside { return try await removeAside() }
        report.log("the server does not rename it (MOVE): what comes into the directory at this moment goes with it")
        try await server.delete(location, directory: true)
    }

    /// Ends or undoes what an earlier attempt had begun when it was cut off.
    func goOn() async throws {
        guard try await server.facts(aside)?.kind == .directory else { return }
        report.log("an earlier attempt was cut off while it removed \(location.given)")
        try await removeAside()
    }

    private func moveAside() async throws -> Bool {
        guard server.canMove else { return false }
        do {
            if try await server.move(location, to: aside, directory: true, replace: false) { return true }
            server.rememberNoMove()
        } catch let failure as BackendFailure where failure.errorClass == .permission {}
        return false
    }

    private func removeAside() async throws {
        try await finishing {
            do {
                try await check(aside)
                try await server.delete(aside, directory: true)
            } catch {
                guard try await server.move(aside, to: location, directory: true, replace: false) else { throw error }
                await removeMark()
                throw error
            }
        }
    }

    private func putMark() async throws {
        if server.site.removesUnlisted { return }
        let response = try await server.curl.data.perform(server.request(.put(), mark, body: .bytes(Data())))
        guard response.isSuccess else { throw response.failure("PUT \(mark.given)") }
    }

    /// Fails unless the directory is seen to hold the mark alone.
    private func check(_ directory: Location) async throws {
        let found = try await server.children(directory, most: 2).map(\.name)
        if found == (server.site.removesUnlisted ? [] : [Array(name.utf8)]) { return }
        guard found.isEmpty else { throw notEmpty }
        throw BackendFailure(
            .permission,
            "\(location.given) stays: the server does not list names that start with a dot, so there may be some in it, "
                + "and HTTP would remove them with it (site option unlisted_names: remove allows that)")
    }

    private func removeMark() async {
        if server.site.removesUnlisted { return }
        // What may be left of it is empty, and looks like the part of a copy.
        try? await finishing { try await server.delete(mark) }
    }

    /// Runs what is better not left halfway: a cancel ends it only after two seconds.
    private func finishing(_ work: @escaping @Sendable () async throws -> Void) async throws {
        let task = Task { try await work() }
        try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            Task {
                try? await Task.sleep(for: .seconds(2))
                task.cancel()
            }
        }
    }

    private var notEmpty: BackendFailure { BackendFailure(.notEmpty, "\(location.given) is not empty") }
}
